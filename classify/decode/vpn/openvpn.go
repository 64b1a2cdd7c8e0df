package vpn

// OpenVPN: draft-openvpn-wire-protocol and the project's protocol overview (ssl_pkt.h). A control
// channel packet is opcode and key id, session id, then by mode nothing, HMAC and replay packet id
// (tls-auth), or replay packet id, HMAC and ciphertext (tls-crypt), then the acknowledgements and
// the packet id. Over TCP each packet is preceded by its length.

import "sluice/classify/decode"

// Opcodes of the control channel, in the high five bits.
const (
	ovClientResetV1 = 1
	ovServerResetV1 = 2
	ovClientResetV2 = 7
	ovServerResetV2 = 8
	ovClientResetV3 = 10
)

// openVPNResets are the first bytes of packets that begin or answer a session, for key 0.
var openVPNResets = decode.FirstBytes("\x08\x10\x20\x28\x38\x40\x50")

// HMAC sizes: MD5, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512.
var ovDigests = [...]int{16, 20, 28, 32, 48, 64}

const (
	ovHeader   = 1 + 8
	ovReplay   = 4 + 4      // packet id and time
	ovEarliest = 0x46000000 // the protocol is younger than 2007 in this form
)

// replay says whether data is the replay packet id of one of the first packets of a session.
func replay(data []byte) bool {
	id, when := decode.Uint32(data, 0), decode.Uint32(data, 4)
	id &^= 0x0fff0000 // used by both sides to begin without state at the server
	return id >= 1 && id <= 16 && when >= ovEarliest && when < 0xf0000000
}

// clientReset says whether data is the packet by which a client begins a session.
func clientReset(data []byte) bool {
	if len(data) < 14 || data[0]&7 != 0 {
		return false
	}
	tail := data[len(data)-5:]
	zeroTail := tail[0] == 0 && decode.Uint32(tail, 1) == 0
	switch data[0] >> 3 {
	case ovClientResetV1, ovClientResetV2:
		if zeroTail && len(data) == 14 && decode.Uint32(data, 1) != 0 {
			return true
		}
		if zeroTail && ovAuthenticated(data, 5) {
			return true
		}
		return len(data) == ovHeader+ovReplay+32+5 && replay(data[ovHeader:])
	case ovClientResetV3:
		const crypted = ovHeader + ovReplay + 32 + 5
		if len(data) < crypted+64 || !replay(data[ovHeader:]) {
			return false
		}
		return crypted+int(decode.Uint16(data, len(data)-2)) == len(data)
	}
	return false
}

// ovAuthenticated says whether data is HMAC and replay packet id followed by rest bytes.
func ovAuthenticated(data []byte, rest int) bool {
	for _, n := range ovDigests {
		if len(data) == ovHeader+n+ovReplay+rest && replay(data[ovHeader+n:]) {
			return true
		}
	}
	return false
}

// serverReset says whether data is the answer: it acknowledges packet 0 of the client, whose
// session id it repeats where it is in clear.
func serverReset(data []byte) bool {
	if len(data) < 26 || data[0]&7 != 0 {
		return false
	}
	if op := data[0] >> 3; op != ovServerResetV1 && op != ovServerResetV2 {
		return false
	}
	acks := data[len(data)-17:]
	if acks[0] == 1 && decode.Uint32(acks, 1) == 0 && decode.Uint32(acks, 13) == 0 {
		return len(data) == 26 || ovAuthenticated(data, 17)
	}
	return len(data) >= ovHeader+ovReplay+32+17 && len(data) <= ovHeader+ovReplay+32+17+8 && replay(data[ovHeader:])
}

// openVPNDatagram decides on the reset in either direction. Where the client's reset is of a
// shape that is not known, the server's must repeat its length but for the acknowledgement.
func openVPNDatagram(s *decode.Session, data []byte) decode.Verdict {
	if clientReset(data) || serverReset(data) {
		return decode.Match
	}
	switch data[0] {
	case ovClientResetV2 << 3:
		// The replay packet id may stand before the HMAC's end in other ways (static keys with
		// a scrambled time): remember the length, and let the answer decide.
		if len(data) >= 42 && len(data) <= 128 && s.Index < 4 {
			s.Remember(ovLength{len(data), [8]byte(data[1:9])})
			return decode.More
		}
	case ovServerResetV2 << 3:
		if first, ok := s.Memory().(ovLength); ok && len(data) == first.length+12 && [8]byte(data[1:9]) != first.session {
			return decode.Match
		}
	}
	return decode.No
}

// ovLength is the length and session id of a client's reset.
type ovLength struct {
	length  int
	session [8]byte
}

// openVPNStream wants the whole first packet of a side, and what begins a second where it is there.
func openVPNStream(s *decode.Session, client, server []byte) decode.Verdict {
	if len(client) >= 2 {
		return ovFirst(s, client, decode.ToServer, clientReset)
	}
	if len(server) >= 2 && len(client) == 0 {
		return ovFirst(s, server, decode.ToClient, serverReset)
	}
	return decode.More
}

func ovFirst(s *decode.Session, data []byte, d decode.Direction, reset func([]byte) bool) decode.Verdict {
	length := int(decode.Uint16(data, 0))
	if length < 14 || length > 1200 {
		return decode.No
	}
	if len(data) > 2 && !openVPNResets.Has(data[2]) {
		return decode.No
	}
	if len(data) < 2+length {
		s.Want(d, 2+length)
		return decode.More
	}
	if reset(data[2 : 2+length]) {
		return decode.Match
	}
	return decode.No
}
