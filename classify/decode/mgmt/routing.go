package mgmt

// Routing and switching: BGP (RFC 4271) and its monitoring (RFC 7854), LDP (RFC 5036), BFD (RFC 5880),
// RIP (RFC 2453) and RIPng (RFC 2080), Babel (RFC 8966), OLSR (RFC 3626), MSDP (RFC 3618), PCEP
// (RFC 5440), RPKI to router (RFC 8210), DLEP (RFC 8175), OpenFlow (ONF TS-025), OVSDB (RFC 7047).

import (
	"bytes"

	"sluice/classify/decode"
	"sluice/classify/decode/text"
)

var routing = []decode.Decoder{
	{Name: "BGP", Ports: []uint16{179}, Client: first("\xff"), Server: first("\xff"), Stream: bgp},
	{Name: "LDP", Ports: []uint16{646}, Client: first("\x00"), Server: first("\x00"), Stream: ldpStream, Datagram: ldp},
	{Name: "BFD", Ports: []uint16{3784, 3785, 4784, 6784}, PortsOnly: true, Datagram: bfd},
	{Name: "RIP", Ports: []uint16{520}, PortsOnly: true, Client: decode.FirstRange(1, 6), Server: decode.FirstRange(1, 6), Datagram: rip},
	{Name: "RIPNG", Ports: []uint16{521}, PortsOnly: true, Client: first("\x01\x02"), Server: first("\x01\x02"), Datagram: ripng},
	{Name: "BABEL", Ports: []uint16{6696}, Client: first("\x2a"), Server: first("\x2a"), Datagram: babel},
	{Name: "OLSR", Ports: []uint16{698}, PortsOnly: true, Datagram: olsr},
	{Name: "MSDP", Ports: []uint16{639}, PortsOnly: true, Client: first("\x01\x02\x03\x04"), Server: first("\x01\x02\x03\x04"), Stream: msdp},
	{Name: "PCEP", Ports: []uint16{4189}, Client: first("\x20"), Server: first("\x20"), Stream: pcep},
	{Name: "BMP", Ports: []uint16{11019}, Client: first("\x03"), Server: first("\x03"), Stream: bmp},
	{Name: "RPKI-RTR", Ports: []uint16{323, 8282}, PortsOnly: true, Client: first("\x00\x01\x02"), Stream: rpki},
	{Name: "DLEP", Ports: []uint16{854}, Client: first("\x00D"), Server: first("\x00D"), Stream: dlepStream, Datagram: dlep},
	{Name: "OPENFLOW", Ports: []uint16{6633, 6653}, Client: decode.FirstRange(1, 6), Server: decode.FirstRange(1, 6), Stream: openflow},
	{Name: "OVSDB", Ports: []uint16{6640}, Client: first("{"), Server: first("{"), Stream: ovsdb},
	{Name: "HSRP", Ports: []uint16{1985, 2029}, PortsOnly: true, Datagram: hsrp},
	{Name: "GLBP", Ports: []uint16{3222}, PortsOnly: true, Datagram: glbp},
	{Name: "WCCP", Ports: []uint16{2048}, Client: first("\x00"), Server: first("\x00"), Datagram: wccp},
	{Name: "CPHA", Ports: []uint16{8116}, PortsOnly: true, Client: first("\x1a"), Server: first("\x1a"), Datagram: cpha},
	{Name: "ICP", Ports: []uint16{3130}, PortsOnly: true, Datagram: icp},
}

// bgp messages begin with sixteen bytes of ones, a length and a type.
func bgp(_ *decode.Session, client, server []byte) decode.Verdict {
	return text.Either(client, server, func(data []byte, _ decode.Direction) decode.Verdict {
		const marker, header, types = 16, 19, 5
		for _, c := range data[:min(len(data), marker)] {
			if c != 0xff {
				return decode.No
			}
		}
		if len(data) < header {
			return decode.More
		}
		length := decode.Uint16(data, marker)
		return yes(length >= header && length <= 4096 && data[18] > 0 && data[18] <= types)
	})
}

// ldpMessage checks version, length, router, and the first message. length is that of the packet.
func ldpMessage(data []byte) (length int, verdict decode.Verdict) {
	const header = 18
	if v := text.Begins(data, "\x00\x01"); v != decode.Match {
		return 0, v
	}
	if len(data) < header {
		return 0, decode.More
	}
	length = int(decode.Uint16(data, 2))
	kind, size := decode.Uint16(data, 10)&0x7fff, int(decode.Uint16(data, 12))
	known := kind == 1 || kind >= 0x100 && kind <= 0x104 || kind == 0x200 || kind == 0x201 || kind == 0x300 || kind == 0x301 || kind >= 0x400 && kind <= 0x404
	return length, yes(known && length >= 14 && size >= 4 && size+4 <= length-6 && decode.Uint32(data, 4) != 0)
}

func ldp(_ *decode.Session, data []byte) decode.Verdict {
	length, verdict := ldpMessage(data)
	return yes(verdict == decode.Match && length == len(data)-4)
}

func ldpStream(_ *decode.Session, client, server []byte) decode.Verdict {
	return text.Either(client, server, func(data []byte, _ decode.Direction) decode.Verdict {
		_, verdict := ldpMessage(data)
		return verdict
	})
}

// bfd checks the control packet. What is echoed is a matter of its sender, but it sends that to
// itself (RFC 5881 section 4).
func bfd(s *decode.Session, data []byte) decode.Verdict {
	const size, authenticated, version, echoes = 24, 0x04, 1, 3785
	if s.Port(echoes) {
		return yes(s.Client.Addr() == s.Server.Addr())
	}
	if len(data) < size || data[0]>>5 != version || data[1]&1 != 0 || data[2] == 0 || decode.Uint32(data, 4) == 0 {
		return decode.No
	}
	length := int(data[3])
	return yes(length <= len(data) && (length == size || data[1]&authenticated != 0 && length >= size+3))
}

func rip(_ *decode.Session, data []byte) decode.Verdict {
	const entry, ipv4, authentication = 20, 2, 0xffff
	if len(data) < 4+entry || (len(data)-4)%entry != 0 || data[1] == 0 || data[1] > 2 || data[1] == 1 && (data[2] != 0 || data[3] != 0) {
		return decode.No
	}
	for rest := data[4:]; len(rest) > 0; rest = rest[entry:] {
		switch family := decode.Uint16(rest, 0); {
		case family == authentication, family == 0:
		case family != ipv4 || decode.Uint32(rest, 16) > 16:
			return decode.No
		}
	}
	return decode.Match
}

func ripng(_ *decode.Session, data []byte) decode.Verdict {
	const entry = 20
	if len(data) < 4+entry || (len(data)-4)%entry != 0 || data[1] != 1 || data[2] != 0 || data[3] != 0 {
		return decode.No
	}
	for rest := data[4:]; len(rest) > 0; rest = rest[entry:] {
		if rest[18] > 128 || rest[19] > 16 && rest[19] != 0xff {
			return decode.No
		}
	}
	return decode.Match
}

func babel(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) < 6 || data[1] != 2 || int(decode.Uint16(data, 2)) > len(data)-4 {
		return decode.No
	}
	for rest := data[4 : 4+int(decode.Uint16(data, 2))]; len(rest) > 0; {
		switch {
		case rest[0] == 0:
			rest = rest[1:]
		case len(rest) < 2 || len(rest) < 2+int(rest[1]) || rest[0] > 20 && rest[0] < 128:
			return decode.No
		default:
			rest = rest[2+int(rest[1]):]
		}
	}
	return decode.Match
}

func olsr(_ *decode.Session, data []byte) decode.Verdict {
	const header = 12
	if len(data) < 4+header || int(decode.Uint16(data, 0)) != len(data) {
		return decode.No
	}
	for rest := data[4:]; len(rest) > 0; {
		if len(rest) < header || rest[0] == 0 || int(decode.Uint16(rest, 2)) < header || int(decode.Uint16(rest, 2)) > len(rest) {
			return decode.No
		}
		rest = rest[decode.Uint16(rest, 2):]
	}
	return decode.Match
}

// msdp messages begin with a type and a length that counts itself.
func msdp(_ *decode.Session, client, server []byte) decode.Verdict {
	return text.Either(client, server, func(data []byte, _ decode.Direction) decode.Verdict {
		const active, keepAlive = 1, 4
		if len(data) < 3 {
			return decode.More
		}
		length := decode.Uint16(data, 1)
		return yes(data[0] == keepAlive && length == 3 || data[0] <= 3 && length >= 8 && length <= 9192)
	})
}

// pcep begins with an open message that holds an open object.
func pcep(_ *decode.Session, client, server []byte) decode.Verdict {
	return text.Either(client, server, func(data []byte, _ decode.Direction) decode.Verdict {
		if v := text.Begins(data, "\x20\x01"); v != decode.Match || len(data) < 10 {
			return min(v, decode.More)
		}
		length, object := decode.Uint16(data, 2), decode.Uint16(data, 6)
		return yes(data[4] == 1 && data[5]&0xf0 == 0x10 && object >= 8 && object%4 == 0 && object <= length-4 && data[8]>>5 == 1)
	})
}

// bmp begins with an initiation message.
func bmp(_ *decode.Session, client, server []byte) decode.Verdict {
	return text.Either(client, server, func(data []byte, _ decode.Direction) decode.Verdict {
		const header, initiation = 6, 4
		if v := text.Begins(data, "\x03\x00\x00"); v != decode.Match || len(data) < header+4 {
			return min(v, decode.More)
		}
		length := int(decode.Uint32(data, 1))
		kind, size := decode.Uint16(data, header), int(decode.Uint16(data, header+2))
		return yes(data[5] == initiation && kind <= 4 && header+4+size <= length && length < 1<<12)
	})
}

// rpki begins with a query of the router.
func rpki(_ *decode.Session, client, _ []byte) decode.Verdict {
	const serial, reset = 1, 2
	switch {
	case len(client) < 8:
		return decode.More
	case client[1] == serial:
		return yes(decode.Uint32(client, 4) == 12)
	}
	return yes(client[1] == reset && decode.Uint32(client, 2) == 0 && decode.Uint16(client, 6) == 8)
}

func dlep(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) < 8 || string(data[:4]) != "DLEP" || decode.Uint16(data, 4) == 0 || decode.Uint16(data, 4) > 2 || int(decode.Uint16(data, 6)) != len(data)-8 {
		return decode.No
	}
	_, ok := chain(data[8:], func(kind uint16, _ []byte) bool { return kind > 0 })
	return yes(ok)
}

// dlepStream checks that the items fill the message that opens the session.
func dlepStream(_ *decode.Session, client, server []byte) decode.Verdict {
	return text.Either(client, server, func(data []byte, from decode.Direction) decode.Verdict {
		opening := "\x00\x01" // of the router, which the modem answers
		if from == decode.ToClient {
			opening = "\x00\x02"
		}
		if v := text.Begins(data, opening); v != decode.Match || len(data) < 4 {
			return min(v, decode.More)
		}
		length := int(decode.Uint16(data, 2))
		if length < 8 || length > 2048 {
			return decode.No
		}
		if len(data) < 4+length {
			return decode.More
		}
		n, ok := chain(data[4:4+length], func(kind uint16, _ []byte) bool { return kind > 0 && kind < 64 })
		return yes(ok && n > 1)
	})
}

// openflow begins with a hello of either side. Off its ports both must have said it.
func openflow(s *decode.Session, client, server []byte) decode.Verdict {
	verdict := text.Either(client, server, func(data []byte, _ decode.Direction) decode.Verdict {
		const header, hello, bitmap = 8, 0, 1
		switch {
		case len(data) > 1 && data[1] != hello:
			return decode.No
		case len(data) < header:
			return decode.More
		}
		length := int(decode.Uint16(data, 2))
		if length == header {
			return decode.Match
		}
		if length < header+8 || length > 64 {
			return decode.No
		}
		if len(data) < header+4 {
			return decode.More
		}
		return yes(decode.Uint16(data, header) == bitmap && int(decode.Uint16(data, header+2)) <= length-header)
	})
	if verdict == decode.Match && (len(client) < 8 || len(server) < 8) && !s.Port(6633) && !s.Port(6653) {
		return decode.More
	}
	return verdict
}

// ovsdb is JSON-RPC with methods of its own.
func ovsdb(_ *decode.Session, client, server []byte) decode.Verdict {
	return text.Either(client, server, func(data []byte, _ decode.Direction) decode.Verdict {
		const longest = 512
		head := data[:min(len(data), longest)]
		if !decode.Printable(head[:min(len(head), 16)]) {
			return decode.No
		}
		head, _, ended := bytes.Cut(head, []byte{'\n'})
		head, _, other := bytes.Cut(head, []byte(`"jsonrpc"`))
		for _, method := range [...]string{`"list_dbs"`, `"get_schema"`, `"monitor_cond`, `"Open_vSwitch"`, `"OVN_Northbound"`, `"OVN_Southbound"`} {
			if bytes.Contains(head, []byte(method)) && bytes.Contains(head, []byte(`"method"`)) {
				return decode.Match
			}
		}
		if len(data) >= longest || ended || other {
			return decode.No
		}
		return decode.More
	})
}

// hsrp (RFC 2281): in version 1 a message of twenty bytes, in version 2 elements.
func hsrp(_ *decode.Session, data []byte) decode.Verdict {
	const size, group = 20, 1
	if len(data) < size {
		return decode.No
	}
	if data[0] == 0 {
		const states = "\x00\x01\x02\x04\x08\x10"
		return yes(data[1] <= 3 && (data[1] == 3 || bytes.IndexByte([]byte(states), data[2]) >= 0 && data[7] == 0))
	}
	return yes(data[0] <= 4 && len(data) >= 2+int(data[1]) && (data[0] != group || data[1] == 40 && data[2] == 2 && data[3] <= 3 && data[4] <= 6))
}

// glbp has a header of twelve bytes and elements behind it.
func glbp(_ *decode.Session, data []byte) decode.Verdict {
	const header = 12
	if len(data) < header+2 || data[0] != 1 {
		return decode.No
	}
	for rest := data[header:]; len(rest) > 0; rest = rest[rest[1]:] {
		if len(rest) < 2 || rest[1] < 2 || int(rest[1]) > len(rest) || rest[0] == 0 || rest[0] > 4 {
			return decode.No
		}
	}
	return decode.Match
}

// wccp version 2: type, version, length of the rest.
func wccp(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) < 12 {
		return decode.No
	}
	kind := decode.Uint32(data, 0)
	return yes(kind >= 10 && kind <= 13 && data[4] == 2 && data[5] <= 1 && int(decode.Uint16(data, 6)) == len(data)-8 && data[8] == 0)
}

// cpha is Check Point's cluster protocol: a magic number, then the version.
func cpha(_ *decode.Session, data []byte) decode.Verdict {
	return yes(len(data) >= 20 && data[1] == 0x90)
}

// icp (RFC 2186): operation, version 2, length.
func icp(_ *decode.Session, data []byte) decode.Verdict {
	return yes(len(data) >= 20 && data[0] > 0 && data[0] <= 23 && data[1] == 2 && int(decode.Uint16(data, 2)) == len(data))
}
