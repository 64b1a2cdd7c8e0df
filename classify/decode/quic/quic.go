// Package quic recognises QUIC in all its versions, from Google's own to version 2, and reads the
// ClientHello out of its Initial packets, however many datagrams they came in.
package quic

import "sluice/classify/decode"

// Decoders of this family.
var Decoders = []decode.Decoder{{
	Name:     "QUIC",
	Ports:    []uint16{80, 443, 784, 853, 4433, 8443, 8853},
	Client:   firstBytes,
	Server:   firstBytes,
	Datagram: datagram,
}}

// A long header, or a public header of Google's versions with a connection identifier.
var firstBytes = decode.FirstRange(0x80, 0xff).Or(decode.FirstBytes(
	"\x08\x09\x0c\x0d\x18\x19\x1c\x1d\x28\x29\x2c\x2d\x38\x39\x3c\x3d"))

// patience is the number of datagrams after which nothing more is expected to be learnt.
const patience = 8

// datagram recognises QUIC by headers whose version is known and whose lengths agree, and the
// client's hello by its keys, which any observer can derive.
func datagram(s *decode.Session, data []byte) decode.Verdict {
	known, _ := s.Memory().(*conversation)
	if data[0]&0x80 == 0 {
		if known != nil {
			return waiting(s)
		}
		return publicHeader(s, data)
	}
	if len(data) > 5 {
		if v := decode.Uint32(data, 1); google(v) && v>>24 == 'Q' && v < q050 { // Q044 to Q046
			return plainHello(s, data[5:])
		}
	}
	h, ok := parseHeader(data)
	switch {
	case !ok && known != nil:
		return waiting(s)
	case !ok:
		return decode.No
	case h.version == 0:
		return negotiation(s, data, &h)
	}
	return longHeader(s, data, known)
}

// waiting answers for a datagram that says nothing, of a session that is known to be QUIC.
func waiting(s *decode.Session) decode.Verdict {
	if s.Index >= patience {
		return decode.Match
	}
	if s.Memory() == nil {
		s.Remember(&conversation{})
	}
	return decode.MatchMore
}

// longHeader walks the packets of a datagram, which must fill it.
func longHeader(s *decode.Session, data []byte, known *conversation) decode.Verdict {
	verdict := decode.No
	for rest := data; len(rest) > 0; {
		h, ok := parseHeader(rest)
		if !ok || h.version == 0 {
			if verdict == decode.No && known == nil {
				return decode.No
			}
			break
		}
		if !h.certain(s, len(data)) && known == nil && verdict == decode.No {
			return decode.No
		}
		verdict = decode.MatchMore
		if h.kind == initial && (s.Direction == decode.ToServer || s.Guessed) {
			if v := initialPacket(s, rest[:h.end], &h); v != decode.MatchMore {
				return v
			}
		}
		rest = rest[h.end:]
		if !continues(rest) {
			break
		}
	}
	if verdict == decode.No {
		return decode.No
	}
	return waiting(s)
}

// continues says whether another packet with a long header follows in the datagram.
func continues(rest []byte) bool { return len(rest) > 0 && rest[0]&0xc0 == 0xc0 }

// negotiation judges a Version Negotiation packet (RFC 8999 section 6). One of its versions must
// be known.
func negotiation(s *decode.Session, data []byte, h *packetHeader) decode.Verdict {
	list := data[h.end:]
	if len(list) == 0 || len(list)%4 != 0 || len(list) > 256 {
		return decode.No
	}
	for ; len(list) > 0; list = list[4:] {
		if v := decode.Uint32(list, 0); v != 0 && recognised(v) {
			return waiting(s)
		}
	}
	return decode.No
}
