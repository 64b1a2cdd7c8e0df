package vpn

// Tunnels for PPP: L2TP (RFC 2661, RFC 3931), PPTP (RFC 2637), SSTP ([MS-SSTP]).

import "sluice/classify/decode"

// l2tp accepts control messages of versions 2 and 3, and on its port PPP frames.
func l2tp(s *decode.Session, data []byte) decode.Verdict {
	if len(data) < 6 {
		return decode.No
	}
	flags := decode.Uint16(data, 0)
	if flags>>12 == 0 && flags == 0 && len(data) >= 16 { // version 3 over IP has a zero session; over UDP never
		return decode.No
	}
	const typeBit, lengthBit, sequenceBit = 0x8000, 0x4000, 0x0800
	version := flags & 15
	if version != 2 && version != 3 {
		return decode.No
	}
	if flags&typeBit != 0 {
		if flags&^15 != typeBit|lengthBit|sequenceBit || len(data) < 12 || int(decode.Uint16(data, 2)) != len(data) {
			return decode.No
		}
		if len(data) == 12 { // acknowledgement
			return decode.Match
		}
		// The first attribute is the message type: mandatory, vendor 0, attribute 0.
		if len(data) >= 20 && data[12]&0xbc == 0x80 && decode.Uint32(data, 14) == 0 && decode.Uint16(data, 18) <= 28 {
			return decode.Match
		}
		return decode.No
	}
	if !s.Port(1701) || version != 2 || flags&0x35f0 != 0 {
		return decode.No
	}
	at := 2
	if flags&lengthBit != 0 {
		if int(decode.Uint16(data, 2)) != len(data) {
			return decode.No
		}
		at += 2
	}
	at += 4
	if flags&sequenceBit != 0 {
		at += 4
	}
	if flags&0x0200 != 0 { // offset
		at += 2
	}
	if len(data) >= at+2 && data[at] == 0xff && data[at+1] == 0x03 {
		return decode.Match
	}
	return decode.No
}

// pptp accepts the control connection: length, type 1, magic cookie.
func pptp(_ *decode.Session, client, server []byte) decode.Verdict {
	data := client
	if len(data) == 0 {
		data = server
	}
	if len(data) >= 4 && (data[2] != 0 || data[3] != 1) {
		return decode.No
	}
	if len(data) < 10 {
		return decode.More
	}
	length := decode.Uint16(data, 0)
	if length >= 12 && length <= 512 && decode.Uint32(data, 4) == 0x1a2b3c4d && decode.Uint16(data, 8) <= 15 {
		return decode.Match
	}
	return decode.No
}

func sstp(_ *decode.Session, client, _ []byte) decode.Verdict {
	switch decode.Prefix(client, "SSTP_DUPLEX_POST ") {
	case decode.Whole:
		return decode.Match
	case decode.Partly:
		return decode.More
	}
	return decode.No
}
