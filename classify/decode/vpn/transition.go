package vpn

// Packets inside UDP: Teredo (RFC 4380), AYIYA (draft-massar-v6ops-ayiya), VXLAN (RFC 7348),
// Geneve (RFC 8926), CAPWAP (RFC 5415), tunnel set-up (RFC 5572), GTP (3GPP TS 29.060, 29.274, 29.281, 32.295).

import "sluice/classify/decode"

// teredo accepts an IPv6 packet, perhaps behind authentication and origin indications, that comes
// from or goes to a Teredo or link-local address.
func teredo(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) >= 4 && decode.Uint16(data, 0) == 1 { // authentication
		n := 4 + int(data[2]) + int(data[3]) + 9
		if len(data) < n {
			return decode.No
		}
		data = data[n:]
	}
	if len(data) >= 8 && decode.Uint16(data, 0) == 0 { // origin
		data = data[8:]
	}
	if len(data) < 40 || data[0]>>4 != 6 || 40+int(decode.Uint16(data, 4)) != len(data) {
		return decode.No
	}
	for _, at := range [...]int{8, 24} {
		if prefix := decode.Uint32(data, at); prefix == 0x20010000 || prefix>>16 == 0xfe80 || prefix == 0x3ffe831f {
			return decode.Match
		}
	}
	return decode.No
}

// ayiya accepts a packet with a 16-byte identity, a signature, and IPv6 or nothing inside.
func ayiya(_ *decode.Session, data []byte) decode.Verdict {
	const header = 8
	if len(data) < header+16 {
		return decode.No
	}
	signature, hash := 4*int(data[1]>>4), data[1]&15
	next, opcode := data[3], data[2]&15
	if hash > 2 || hash == 2 && signature != 20 || hash == 1 && signature != 16 || data[2]>>4 > 2 || opcode > 6 {
		return decode.No
	}
	at := header + 16 + signature
	switch {
	case len(data) < at:
		return decode.No
	case next == 41 && opcode <= 2:
		if len(data) >= at+40 && data[at]>>4 == 6 && at+40+int(decode.Uint16(data, at+4)) == len(data) {
			return decode.Match
		}
	case next == 59 && len(data) == at && hash != 0:
		return decode.Match
	}
	return decode.No
}

// vxlan accepts an Ethernet frame behind the header, or (GPE) an IP packet.
func vxlan(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) < 8+14 || data[7] != 0 {
		return decode.No
	}
	if data[0] == 0x08 && decode.Uint24(data, 1) == 0 && ethernet(data[8:]) {
		return decode.Match
	}
	if data[0] == 0x0c && data[3] >= 1 && data[3] <= 2 && ipPacket(data[8:]) {
		return decode.Match
	}
	return decode.No
}

func geneve(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) < 8 || data[0]>>6 != 0 || data[1]&0x3f != 0 || data[7] != 0 {
		return decode.No
	}
	at := 8 + 4*int(data[0]&0x3f)
	if len(data) < at {
		return decode.No
	}
	switch inner := data[at:]; decode.Uint16(data, 2) {
	case 0x6558:
		if ethernet(inner) {
			return decode.Match
		}
	case 0x0800, 0x86dd:
		if ipPacket(inner) {
			return decode.Match
		}
	}
	return decode.No
}

// capwap accepts a control message whose lengths agree on its port, and DTLS behind its preamble on
// any.
func capwap(s *decode.Session, data []byte) decode.Verdict {
	if len(data) < 16 {
		return decode.No
	}
	if data[0] == 1 {
		if decode.Uint24(data, 1) == 0 && data[4] >= 20 && data[4] <= 23 && data[5] == 0xfe && (data[6] == 0xff || data[6] == 0xfd) {
			return decode.Match
		}
		return decode.No
	}
	at := 4 * int(data[1]>>3)
	if !s.Port(5246) || at < 8 || len(data) < at+8 {
		return decode.No
	}
	if kind := decode.Uint32(data, at); kind >= 1 && kind <= 26 && at+5+int(decode.Uint16(data, at+5)) == len(data) {
		return decode.Match
	}
	return decode.No
}

// tsp accepts the version that a client of a tunnel broker begins with.
func tsp(_ *decode.Session, client, server []byte) decode.Verdict {
	switch decode.Prefix(client, "VERSION=2.0.") {
	case decode.None:
		return decode.No
	case decode.Partly:
		return decode.More
	}
	switch decode.Prefix(server, "CAPABILITY TUNNEL=") {
	case decode.None:
		return decode.No
	case decode.Partly:
		return decode.More
	}
	return decode.Match
}

// gtp accepts the user plane with an IP packet inside on any port, and other messages, whose
// lengths must agree, on the ports of their sort.
func gtp(s *decode.Session, data []byte) decode.Verdict {
	if len(data) < 6 {
		return decode.No
	}
	version, kind := data[0]>>5, data[1]
	length := int(decode.Uint16(data, 2))
	switch {
	case version == 1 && data[0]&0x18 == 0x10 && 8+length == len(data):
		return gtpVersion1(s, data, kind)
	case version == 2 && data[0]&0x07 == 0 && s.Port(2123):
		header := 8
		if data[0]&8 != 0 {
			header = 12
		}
		if 4+length == len(data) && len(data) >= header && data[header-1] == 0 && kind != 0 {
			s.Application("GTP-C")
			return decode.Match
		}
	case version <= 2 && data[0]&0x10 == 0 && s.Port(3386):
		header := 6
		if version == 0 && data[0]&1 == 0 {
			header = 20
		}
		known := kind >= 1 && kind <= 7 || kind == 240 || kind == 241
		if (known || kind == 239) && header+length == len(data) {
			s.Application("GTP-PRIME")
			return decode.Match
		}
	}
	return decode.No
}

func gtpVersion1(s *decode.Session, data []byte, kind byte) decode.Verdict {
	at := 8
	if data[0]&7 != 0 {
		at += 4
	}
	if len(data) < at {
		return decode.No
	}
	if kind != 255 {
		// Echo, error indication and end marker belong to both planes.
		switch {
		case s.Port(2152) && (kind == 1 || kind == 2 || kind == 26 || kind == 31 || kind == 254):
			s.Application("GTP-U")
			return decode.Match
		case s.Port(2123) && kind >= 1 && kind <= 129:
			s.Application("GTP-C")
			return decode.Match
		}
		return decode.No
	}
	if data[0]&4 != 0 { // extension headers
		for next := data[at-1]; next != 0; {
			if len(data) <= at || data[at] == 0 || len(data) < at+4*int(data[at]) {
				return decode.No
			}
			at += 4 * int(data[at])
			next = data[at-1]
		}
	}
	if ipPacket(data[at:]) {
		s.Application("GTP-U")
		return decode.Match
	}
	return decode.No
}
