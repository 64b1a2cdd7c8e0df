package tls

// JA4, the fingerprint of a ClientHello: which versions, cipher suites, extensions and signature
// algorithms a client offers, whatever order it shuffles them into. After the description that
// its authors published under the BSD licence (FoxIO, "JA4: TLS Client Fingerprinting").

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"sync"

	"sluice/classify/decode"
)

const (
	fingerprintLength = 36 // t13d1516h2_8daaf6152771_e5627efa2ab1
	maxListed         = 256
)

var fingerprints = sync.Pool{New: func() any { return new([fingerprintLength]byte) }}

// The letters of the transports.
const (
	OverTCP  = 't'
	OverQUIC = 'q'
	OverDTLS = 'd'
)

// fingerprint writes the fingerprint into out. It fails on hellos that nobody would send.
func (h *Hello) fingerprint(out *[fingerprintLength]byte, transport byte) bool {
	var ciphers, extensions numbers
	for i := 0; i+1 < len(h.Ciphers); i += 2 {
		ciphers.add(decode.Uint16(h.Ciphers, i))
	}
	named := 0 // server name and ALPN count, but are not hashed
	r := reader{data: h.Extensions}
	for r.at < len(h.Extensions) {
		kind := r.uint16()
		r.vector16()
		if r.short() {
			break
		}
		if kind == extServerName || kind == extALPN {
			named++
			continue
		}
		extensions.add(kind)
	}
	if ciphers.over || extensions.over {
		return false
	}
	out[0] = transport
	copy(out[1:3], h.versionLetters())
	out[3] = 'i'
	if h.Named {
		out[3] = 'd'
	}
	twoDigits(out[4:6], ciphers.n)
	twoDigits(out[6:8], extensions.n+named)
	out[8], out[9] = h.alpnLetters()
	out[10], out[23] = '_', '_'

	var text [maxListed*5*2 + 1]byte
	ciphers.sort()
	digest(out[11:23], ciphers.write(text[:0]))
	extensions.sort()
	list := extensions.write(text[:0])
	for i := 0; i+1 < len(h.Signatures) && len(list)+5 <= len(text); i += 2 {
		v := decode.Uint16(h.Signatures, i)
		if grease(v) {
			continue
		}
		separator := byte(',')
		if i == 0 {
			separator = '_'
		}
		list = appendHex(append(list, separator), v)
	}
	digest(out[24:36], list)
	return true
}

// versionLetters are the two letters of the highest version offered.
func (h *Hello) versionLetters() string {
	highest := uint16(0)
	for i := 0; i+1 < len(h.Versions); i += 2 {
		v := decode.Uint16(h.Versions, i)
		// Versions of DTLS count downwards.
		if !grease(v) && (highest == 0 || v>>8 == 0xfe && v < highest || v>>8 != 0xfe && v > highest) {
			highest = v
		}
	}
	if highest == 0 {
		highest = h.Version
	}
	switch highest {
	case 0x0304:
		return "13"
	case 0x0303:
		return "12"
	case 0x0302:
		return "11"
	case 0x0301:
		return "10"
	case 0x0300:
		return "s3"
	case 0x0002:
		return "s2"
	case 0xfeff:
		return "d1"
	case 0xfefd:
		return "d2"
	case 0xfefc:
		return "d3"
	}
	return "00"
}

// alpnLetters are the first and the last letter of the first protocol offered, or of its
// hexadecimal form where these are not letters or digits.
func (h *Hello) alpnLetters() (first, last byte) {
	name, _, ok := NextALPN(h.ALPN)
	if !ok || len(name) == 0 {
		return '0', '0'
	}
	first, last = name[0], name[len(name)-1]
	if !alphanumeric(first) || !alphanumeric(last) {
		const digits = "0123456789abcdef"
		first, last = digits[first>>4], digits[last&15]
	}
	return first, last
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// grease says whether v is one of the values that mean nothing (RFC 8701).
func grease(v uint16) bool { return v&0x0f0f == 0x0a0a && v>>8 == v&0xff }

func twoDigits(out []byte, n int) {
	n = min(n, 99)
	out[0], out[1] = byte('0'+n/10), byte('0'+n%10)
}

// digest writes the first 12 hexadecimal digits of the hash of a list, zeros for an empty one.
func digest(out, list []byte) {
	if len(list) == 0 {
		copy(out, "000000000000")
		return
	}
	sum := sha256.Sum256(list)
	hex.Encode(out, sum[:6])
}

func appendHex(out []byte, v uint16) []byte {
	const digits = "0123456789abcdef"
	return append(out, digits[v>>12], digits[v>>8&15], digits[v>>4&15], digits[v&15])
}

// numbers is a list without GREASE.
type numbers struct {
	list [maxListed]uint16
	n    int
	over bool
}

func (l *numbers) add(v uint16) {
	switch {
	case grease(v):
	case l.n == len(l.list):
		l.over = true
	default:
		l.list[l.n], l.n = v, l.n+1
	}
}

func (l *numbers) sort() { slices.Sort(l.list[:l.n]) }

func (l *numbers) write(out []byte) []byte {
	for i, v := range l.list[:l.n] {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendHex(out, v)
	}
	return out
}
