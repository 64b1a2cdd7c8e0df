package remote

// RDP: [MS-RDPBCGR] sections 1.3.1.1 and 2.2.1 (connection sequence), over TPKT (RFC 1006) and
// X.224 (ITU-T X.224, class 0). RDP over UDP: [MS-RDPEUDP] section 2.2.

import (
	"bytes"

	"sluice/classify/decode"
)

// X.224 codes.
const (
	x224Request = 0xe0
	x224Confirm = 0xd0
	x224Data    = 0xf0
)

// Types of the negotiation that may stand at the end of an X.224 request or confirm.
const (
	rdpRequest  = 1
	rdpResponse = 2
	rdpFailure  = 3
)

// rdp recognises the connection request with a routing token, a cookie or a negotiation, and the
// confirm with a negotiation. Where both sides agree on TLS, it goes on inside.
func rdp(s *decode.Session, client, server []byte) decode.Verdict {
	request, confirm := readX224(client, x224Request), readX224(server, x224Confirm)
	if request.part == decode.None || confirm.part == decode.None {
		return decode.No
	}
	if len(server) == 0 && len(client) > 0 {
		if request.part == decode.Partly {
			return decode.More
		}
		if !request.rdp() {
			return plainRDP(client[request.length:])
		}
		return decode.MatchMore
	}
	if confirm.part == decode.Partly {
		if request.part == decode.Whole && request.rdp() {
			return decode.MatchMore
		}
		return decode.More
	}
	if confirm.rdp() && confirm.kind == rdpResponse && confirm.protocols != 0 {
		if len(client) == 0 {
			return decode.Match
		}
		if request.part == decode.Partly {
			return decode.MatchMore
		}
		s.Protocol("SSL")
		s.Carries("RDP")
		s.Upgrade(request.length, confirm.length)
		return decode.Match
	}
	if confirm.rdp() || request.part == decode.Whole && request.rdp() {
		return decode.Match
	}
	if len(client) == 0 || request.part == decode.Partly {
		return decode.More
	}
	return plainRDP(client[request.length:])
}

// plainRDP goes on behind a request that says nothing: the oldest clients send one, and so do
// other protocols over X.224. The next message of RDP is an MCS Connect Initial (T.125).
func plainRDP(rest []byte) decode.Verdict {
	const tpkt, connectInitial = 4, "\x02\xf0\x80\x7f\x65"
	if len(rest) > 0 && rest[0] != 3 {
		return decode.No
	}
	if len(rest) <= tpkt {
		return decode.More
	}
	switch decode.Prefix(rest[tpkt:], connectInitial) {
	case decode.Whole:
		return decode.Match
	case decode.Partly:
		return decode.More
	}
	return decode.No
}

// x224 is a connection request or confirm.
type x224 struct {
	part      decode.Part
	length    int
	cookie    bool
	kind      byte // of the negotiation, or 0
	protocols uint32
}

func (x *x224) rdp() bool { return x.cookie || x.kind != 0 }

// readX224 reads a request or confirm. Nothing at all is Partly.
func readX224(data []byte, code byte) (x x224) {
	const fixed = 11 // TPKT and the fixed part of X.224
	for i, want := range [...]byte{3, 0} {
		if i < len(data) && data[i] != want {
			return x
		}
	}
	if len(data) < fixed {
		if len(data) > 5 && data[5] != code {
			return x
		}
		x.part = decode.Partly
		return x
	}
	x.length = int(decode.Uint16(data, 2))
	if x.length < fixed || x.length > 1024 || int(data[4]) != x.length-5 || data[5] != code ||
		data[6] != 0 && code == x224Request || data[10]&0xf0 != 0 {
		return x
	}
	if len(data) < x.length {
		x.part = decode.Partly
		return x
	}
	rest := data[fixed:x.length]
	if code == x224Request {
		if decode.Prefix(rest, "Cookie: ") == decode.Whole {
			end := bytes.Index(rest, []byte("\r\n"))
			if end < 0 {
				return x
			}
			x.cookie, rest = true, rest[end+2:]
		} else if end := bytes.Index(rest, []byte("\r\n")); end >= 0 && decode.Printable(rest[:end]) {
			x.cookie, rest = bytes.HasPrefix(rest, []byte("tsv://")), rest[end+2:] // a routing token
		}
	}
	if len(rest) >= 8 {
		kind := rest[0]
		if (code == x224Request) != (kind == rdpRequest) || kind > rdpFailure || kind == 0 || decode.Little16(rest, 2) != 8 {
			return x
		}
		x.kind, x.protocols = kind, decode.Little32(rest, 4)
		if x.protocols > 0x1f {
			return x
		}
		rest = nil
	}
	if len(rest) == 0 {
		x.part = decode.Whole
	}
	return x
}

// Flags of RDP over UDP.
const (
	rdpSyn       = 0x0001
	rdpAck       = 0x0004
	rdpData      = 0x0008
	rdpKnown     = 0x1fff
	rdpSmallest  = 1132 // bytes of a SYN datagram, which also tries the path
	rdpBiggest   = 1232
	rdpAckVector = 2048
)

// rdpDatagram recognises the SYN of either side, and data that is TLS.
func rdpDatagram(_ *decode.Session, data []byte) decode.Verdict {
	const header, mtus = 8, 12
	if len(data) < 16 {
		return decode.No
	}
	flags := decode.Uint16(data, 6)
	switch {
	case flags&^rdpKnown != 0:
		return decode.No
	case flags&rdpSyn != 0:
		if len(data) < rdpSmallest || len(data) > rdpBiggest || (flags&rdpAck == 0) != (decode.Uint32(data, 0) == 0xffffffff) {
			return decode.No
		}
		up, down := decode.Uint16(data, mtus), decode.Uint16(data, mtus+2)
		if flags&rdpData != 0 || up < rdpSmallest || up > rdpBiggest || down < rdpSmallest || down > rdpBiggest {
			return decode.No
		}
		return decode.Match
	case flags&(rdpAck|rdpData) == rdpAck|rdpData:
		return rdpPayload(data[header:])
	}
	return decode.No
}

// rdpPayload judges what follows the header of a datagram with data: an acknowledgement vector
// filled up to a multiple of 4, two sequence numbers that are the same, and
// records of TLS or DTLS.
func rdpPayload(data []byte) decode.Verdict {
	n := int(decode.Uint16(data, 0))
	at := (2 + n + 3) &^ 3
	const numbers, record = 8, 5
	if n > rdpAckVector || len(data) < at+numbers+record || !bytes.Equal(data[at:at+4], data[at+4:at+8]) {
		return decode.No
	}
	if !recordsFill(data[at+numbers:]) {
		return decode.No
	}
	return decode.Match
}

// recordsFill says whether data is records of TLS or of DTLS and nothing else.
func recordsFill(data []byte) bool {
	for len(data) > 0 {
		length := 3 // where the length is
		if len(data) > 1 && data[1] == 0xfe {
			length = 11
		}
		if len(data) < length+2 || data[0] < 20 || data[0] > 23 || length == 3 && (data[1] != 3 || data[2] > 4) {
			return false
		}
		end := length + 2 + int(decode.Uint16(data, length))
		if end > len(data) {
			return false
		}
		data = data[end:]
	}
	return true
}
