package tls

// The ClientHello: RFC 8446 section 4.1.2 (TLS 1.3), RFC 5246 section 7.4.1.2 (before), RFC 6347
// section 4.2.1 and RFC 9147 section 5.3 (DTLS), RFC 6066 section 3 (server name), RFC 7301
// (ALPN), RFC 8701 (GREASE), RFC 9849 (ECH), RFC 9001 section 8.2 (QUIC transport parameters).

import "sluice/classify/decode"

// Numbers of the extensions that are looked at (IANA TLS ExtensionType values).
const (
	extServerName    = 0x0000
	extGroups        = 0x000a
	extSignatures    = 0x000d
	extUseSRTP       = 0x000e
	extALPN          = 0x0010
	extVersions      = 0x002b
	extQUIC          = 0x0039
	extQUICDraft     = 0xffa5
	extECH           = 0xfe0d
	extEncryptedName = 0xffce // the predecessor of ECH, draft-ietf-tls-esni-02
)

// Hello is a ClientHello, its parts as they stand in the message. Parts that were not reached, as
// the message is cut off, are empty.
type Hello struct {
	Version    uint16 // legacy_version
	Ciphers    []byte // two bytes each
	Extensions []byte // whole extensions only
	ServerName []byte
	ALPN       []byte // names, each behind its length
	Versions   []byte // supported_versions, two bytes each
	Signatures []byte // signature_algorithms, two bytes each
	QUIC       []byte // transport parameters
	Named      bool   // there is a server name extension
	Encrypted  bool   // there is an extension of ECH, or of its predecessor
	Media      bool   // keys for SRTP are asked for (RFC 5764)
}

// minHello is the length of the shortest ClientHello: version, random and the lengths of an empty
// session, one cipher suite and one compression method.
const minHello = 2 + 32 + 1 + 2 + 2 + 1 + 1

// ParseHello reads the body of a ClientHello whose header says that it has length bytes. body may
// be shorter; datagram says that it is one of DTLS. Whole means all of it was there and right,
// Partly that all that was there was right.
func ParseHello(body []byte, length int, datagram bool) (h Hello, part decode.Part) {
	if length < minHello || len(body) > length {
		return h, decode.None
	}
	r := reader{data: body, whole: len(body) == length}
	h.Version = r.uint16()
	if !r.short() && !helloVersion(h.Version, datagram) {
		return h, decode.None
	}
	r.take(32)
	if session := r.vector8(); len(session) > 32 {
		return h, decode.None
	}
	if datagram {
		r.vector8() // cookie
	}
	ciphers := r.vector16()
	if len(ciphers)%2 != 0 || len(ciphers) == 0 && !r.short() {
		return h, decode.None
	}
	h.Ciphers = ciphers
	if methods := r.vector8(); len(methods) == 0 && !r.short() {
		return h, decode.None
	}
	if r.at == length { // TLS 1.2 and before may do without extensions
		return h, r.part()
	}
	total := int(r.uint16())
	if !r.short() && r.at+total != length {
		return h, decode.None
	}
	start := r.at
	for r.at < length && !r.short() {
		kind := r.uint16()
		content := r.vector16()
		if r.short() {
			break
		}
		h.extension(kind, content)
		h.Extensions = body[start:r.at]
	}
	return h, r.part()
}

// helloVersion says whether v may stand in a ClientHello.
func helloVersion(v uint16, datagram bool) bool {
	if datagram {
		return v == 0xfeff || v == 0xfefd || v == 0xfefc || v == 0x0100
	}
	return v >= 0x0300 && v <= 0x0304
}

func (h *Hello) extension(kind uint16, content []byte) {
	r := reader{data: content, whole: true}
	switch kind {
	case extServerName:
		h.Named = true
		list := reader{data: r.vector16(), whole: true}
		if kind, name := list.uint8(), list.vector16(); kind == 0 && !list.bad {
			h.ServerName = hostName(name)
		}
	case extALPN:
		h.ALPN = r.vector16()
	case extVersions:
		h.Versions = r.vector8()
	case extSignatures:
		h.Signatures = r.vector16()
	case extQUIC, extQUICDraft:
		h.QUIC = content
	case extECH, extEncryptedName:
		h.Encrypted = true
	case extUseSRTP:
		h.Media = true
	}
}

// hostName is name when it could be one, else nil. Anything printable goes: names that break the
// rules are in use, and signatures may look for them.
func hostName(name []byte) []byte {
	if len(name) > 255 {
		return nil
	}
	for _, c := range name {
		if c <= ' ' || c > '~' {
			return nil
		}
	}
	return name
}

// NextALPN cuts the first name off a list as in Hello.ALPN. ok is false at the end.
func NextALPN(list []byte) (name, rest []byte, ok bool) {
	if len(list) < 2 || len(list) < 1+int(list[0]) {
		return nil, nil, false
	}
	return list[1 : 1+list[0]], list[1+list[0]:], true
}

// UserAgent is what Chromium says of itself in the transport parameters of QUIC, or nil. They are
// pairs of a number and a value with its length (RFC 9000 section 18).
func (h *Hello) UserAgent() []byte {
	const userAgent = 0x3129
	for rest := h.QUIC; len(rest) > 0; {
		id, n := Varint(rest)
		length, m := Varint(rest[n:])
		if n == 0 || m == 0 || length > uint64(len(rest)-n-m) {
			return nil
		}
		end := n + m + int(length)
		if id == userAgent {
			return rest[n+m : end]
		}
		rest = rest[end:]
	}
	return nil
}

// Varint reads an integer of variable length (RFC 9000 section 16) and says how many bytes it
// has, 0 when it is cut off.
func Varint(data []byte) (v uint64, n int) {
	if len(data) == 0 {
		return 0, 0
	}
	n = 1 << (data[0] >> 6)
	if len(data) < n {
		return 0, 0
	}
	v = uint64(data[0] & 0x3f)
	for _, c := range data[1:n] {
		v = v<<8 | uint64(c)
	}
	return v, n
}

// Tell tells what a ClientHello says: the server name in context name, the protocols offered, the
// fingerprint, whether it is encrypted. transport is the letter of the transport in the
// fingerprint; the fingerprint is told of whole messages only.
func (h *Hello) Tell(s *decode.Session, name decode.Context, transport byte, part decode.Part) {
	if len(h.ServerName) > 0 {
		s.Host(name, h.ServerName)
	}
	for rest := h.ALPN; ; {
		protocol, more, ok := NextALPN(rest)
		if !ok {
			break
		}
		s.Value(decode.SSLALPN, protocol)
		rest = more
	}
	if agent := h.UserAgent(); len(agent) > 0 {
		s.Value(decode.QUICUserAgent, agent)
	}
	if h.Encrypted {
		s.Value(decode.SSLECH, h.ServerName)
	}
	if part == decode.Whole {
		buf := fingerprints.Get().(*[fingerprintLength]byte)
		if h.fingerprint(buf, transport) {
			s.Value(decode.SSLFingerprint, buf[:])
		}
		fingerprints.Put(buf)
	}
}

// Offers says whether protocol is in a list as in Hello.ALPN.
func Offers(list []byte, protocol string) bool {
	for {
		name, rest, ok := NextALPN(list)
		if !ok {
			return false
		}
		if string(name) == protocol {
			return true
		}
		list = rest
	}
}

// reader reads the fields of a message. Once something is missing it gives zero values only.
// When whole, missing is an error; else the message is cut off.
type reader struct {
	data  []byte
	at    int
	whole bool
	bad   bool // something was missing
}

func (r *reader) short() bool { return r.bad }

// part is what can be said in the end.
func (r *reader) part() decode.Part {
	switch {
	case !r.bad && r.whole && r.at == len(r.data):
		return decode.Whole
	case r.whole:
		return decode.None
	}
	return decode.Partly
}

func (r *reader) take(n int) []byte {
	if r.bad || len(r.data)-r.at < n {
		r.bad = true
		return nil
	}
	r.at += n
	return r.data[r.at-n : r.at]
}

func (r *reader) uint8() uint8 {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint16() uint16 {
	if b := r.take(2); b != nil {
		return decode.Uint16(b, 0)
	}
	return 0
}

func (r *reader) vector8() []byte  { return r.take(int(r.uint8())) }
func (r *reader) vector16() []byte { return r.take(int(r.uint16())) }
