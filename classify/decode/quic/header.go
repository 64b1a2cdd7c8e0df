package quic

// Long headers: RFC 8999 section 5.1, RFC 9000 section 17.2, RFC 9369 section 3.2.

import (
	"sluice/classify/decode"
	"sluice/classify/decode/tls"
)

// kind of a packet with a long header, numbered as in version 1.
type kind uint8

const (
	initial kind = iota
	zeroRTT
	handshake
	retry
)

const (
	maxConnectionID = 20
	// minInitial is the length of the shortest datagram with a client's Initial packet.
	minInitial = 1200
)

// packetHeader is what a long header says.
type packetHeader struct {
	version     uint32
	kind        kind
	destination []byte // connection identifier
	number      int    // where the packet number begins; 0 where there is none
	end         int    // where the packet ends, the header for Version Negotiation
}

// parseHeader reads the long header at the start of a datagram or behind another packet. It fails
// when the lengths in it do not agree with the datagram.
func parseHeader(data []byte) (h packetHeader, ok bool) {
	if len(data) < 7 || data[0]&0x80 == 0 {
		return h, false
	}
	h.version = decode.Uint32(data, 1)
	if h.version != 0 && data[0]&0x40 == 0 {
		return h, false
	}
	at := 5
	if h.shortLengths() {
		// Both lengths in one byte, each 0 or 4 to 18.
		d, sc := int(data[5]>>4), int(data[5]&15)
		if d > 0 {
			d += 3
		}
		if sc > 0 {
			sc += 3
		}
		at = 6 + d + sc
		if at >= len(data) {
			return h, false
		}
		h.destination = data[6 : 6+d]
	} else {
		n := int(data[at])
		if n > maxConnectionID || at+1+n >= len(data) {
			return h, false
		}
		h.destination = data[at+1 : at+1+n]
		at += 1 + n
		n = int(data[at])
		if n > maxConnectionID || at+1+n > len(data) {
			return h, false
		}
		at += 1 + n
	}
	h.end = len(data)
	if h.version == 0 {
		h.end = at
		return h, true
	}
	h.kind = kind(data[0] >> 4 & 3)
	if likeVersion2(h.version) {
		h.kind = (h.kind + 3) & 3
	}
	if h.kind == retry {
		return h, len(data)-at > 16
	}
	if h.kind == initial {
		token, n := tls.Varint(data[at:])
		if n == 0 || token > uint64(len(data)-at-n) {
			return h, false
		}
		at += n + int(token)
	}
	length, n := tls.Varint(data[at:])
	if n == 0 || length > uint64(len(data)-at-n) || length < 20 {
		return h, false
	}
	h.number = at + n
	h.end = h.number + int(length)
	return h, true
}

// shortLengths says whether both connection identifiers have their lengths in one byte, as in the
// drafts before 22.
func (h *packetHeader) shortLengths() bool {
	return h.version&0xffffff00 == draft && h.version&0xff < 22
}

// certain says whether the header can be nothing else. A version that is known will do; any other
// must come in a client's first datagram.
func (h *packetHeader) certain(s *decode.Session, datagram int) bool {
	if recognised(h.version) {
		return true
	}
	return h.kind == initial && s.Direction == decode.ToServer && datagram >= minInitial &&
		len(h.destination) >= 8 && h.end == datagram
}
