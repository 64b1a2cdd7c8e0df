package mgmt

// Control of access networks and of what is sent on: PFCP (3GPP TS 29.244), LISP (RFC 9300, RFC 9301),
// LWAPP (RFC 5412) and TZSP.

import "sluice/classify/decode"

var tunnels = []decode.Decoder{
	{Name: "PFCP", Ports: []uint16{8805}, Client: decode.FirstRange(0x20, 0x27), Server: decode.FirstRange(0x20, 0x27), Datagram: pfcp},
	{Name: "LISP", Ports: []uint16{4341, 4342}, PortsOnly: true, Datagram: lisp},
	{Name: "LWAPP", Ports: []uint16{12222, 12223}, PortsOnly: true, Datagram: lwapp},
	{Name: "TZSP", Ports: []uint16{37008}, PortsOnly: true, Client: first("\x01"), Server: first("\x01"), Datagram: tzsp},
}

// carriesIP says whether data is an IP packet by its version and length.
func carriesIP(data []byte) bool {
	switch {
	case len(data) < 20:
		return false
	case data[0]>>4 == 4:
		return data[0]&0x0f >= 5 && int(decode.Uint16(data, 2)) <= len(data) && decode.Uint16(data, 2) >= 20
	case data[0]>>4 == 6:
		return len(data) >= 40 && 40+int(decode.Uint16(data, 4)) <= len(data)
	}
	return false
}

// pfcp checks type and length, that session messages tell the session, and that the elements fill
// the message.
func pfcp(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) < 8 || data[0]>>5 != 1 || data[0]&0x18 != 0 || int(decode.Uint16(data, 2)) > len(data)-4 {
		return decode.No
	}
	session, kind := data[0]&1 != 0, data[1]
	if kind == 0 || kind > 15 && kind < 50 || kind > 57 || session != (kind >= 50) {
		return decode.No
	}
	header := 8
	if session {
		header = 16
	}
	end := 4 + int(decode.Uint16(data, 2))
	if end < header || data[0]&0x04 == 0 && end != len(data) {
		return decode.No
	}
	n, ok := chain(data[header:end], func(uint16, []byte) bool { return true })
	return yes(ok && n > 0)
}

// lisp is data on one port and control on the other.
func lisp(s *decode.Session, data []byte) decode.Verdict {
	const header, dataPort = 8, 4341
	if len(data) < header+4 {
		return decode.No
	}
	if s.Port(dataPort) {
		return yes(carriesIP(data[header:]))
	}
	const request, reply, register, notify, notifyAck, referral, info, encapsulated = 1, 2, 3, 4, 5, 6, 7, 8
	switch data[0] >> 4 {
	case request:
		return yes(len(data) >= 24 && data[3] > 0)
	case reply, referral:
		return yes(len(data) >= 12 && data[3] > 0)
	case register, notify, notifyAck:
		return yes(len(data) >= 16 && data[3] > 0 && int(decode.Uint16(data, 14)) <= len(data)-16 && data[12] == 0)
	case info:
		return yes(len(data) >= 24)
	case encapsulated:
		return yes(data[1]|data[2]|data[3] == 0 && carriesIP(data[4:]))
	}
	return decode.No
}

// lwapp has a header of six bytes with a length, behind a hardware address in some versions.
func lwapp(_ *decode.Session, data []byte) decode.Verdict {
	for _, at := range [...]int{0, 6} {
		if len(data) >= at+6 && data[at]>>6 == 0 && int(decode.Uint16(data, at+2)) == len(data)-at-6 {
			return decode.Match
		}
	}
	return decode.No
}

// tzsp has a header, tags up to an end, and the packet.
func tzsp(_ *decode.Session, data []byte) decode.Verdict {
	const padding, end = 0, 1
	if len(data) < 5 || data[1] > 5 || data[2] != 0 {
		return decode.No
	}
	for rest := data[4:]; len(rest) > 0; {
		switch {
		case rest[0] == end:
			return decode.Match
		case rest[0] == padding:
			rest = rest[1:]
		case len(rest) < 2 || len(rest) < 2+int(rest[1]):
			return decode.No
		default:
			rest = rest[2+int(rest[1]):]
		}
	}
	return decode.No
}
