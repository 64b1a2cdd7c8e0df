package mgmt

// DHCP (RFC 2131) and BOOTP (RFC 951), DHCPv6 (RFC 8415), NAT-PMP (RFC 6886) and PCP (RFC 6887).

import "sluice/classify/decode"

var addressing = []decode.Decoder{
	{Name: "DHCP", Ports: []uint16{67, 68, 4011}, Client: first("\x01\x02"), Server: first("\x01\x02"), Datagram: dhcp},
	{Name: "DHCPV6", Ports: []uint16{546, 547}, Client: decode.FirstRange(1, 13), Server: decode.FirstRange(1, 13), Datagram: dhcpv6},
	{Name: "NAT-PMP", Ports: []uint16{5350, 5351}, PortsOnly: true, Client: first("\x00\x02"), Server: first("\x00\x02"), Datagram: portMapping},
}

// dhcp checks the fixed part, the magic cookie behind it, and tells the class of the vendor.
func dhcp(s *decode.Session, data []byte) decode.Verdict {
	const fixed, cookie = 236, "\x63\x82\x53\x63"
	const vendorClass, end = 60, 255
	if len(data) < fixed+len(cookie) || data[0] != 1 && data[0] != 2 || data[1] == 0 || data[2] > 16 || string(data[fixed:fixed+4]) != cookie {
		return decode.No
	}
	for options := data[fixed+4:]; len(options) > 0 && options[0] != end; {
		if options[0] == 0 {
			options = options[1:]
			continue
		}
		if len(options) < 2 || len(options) < 2+int(options[1]) {
			break
		}
		if options[0] == vendorClass {
			s.Value(decode.DHCPClass, options[2:2+int(options[1])])
		}
		options = options[2+int(options[1]):]
	}
	return decode.Match
}

// dhcpv6 checks that the options fill the message, and that one of them says who it is from.
func dhcpv6(s *decode.Session, data []byte) decode.Verdict {
	const relay, clientHeader, relayHeader = 12, 4, 34
	const clientID, serverID, relayMessage = 1, 2, 9
	header := clientHeader
	if data[0] >= relay {
		header = relayHeader
	}
	if len(data) < header {
		return decode.No
	}
	named := false
	n, ok := chain(data[header:], func(kind uint16, value []byte) bool {
		switch kind {
		case clientID, serverID: // a DUID of one of the four types
			if len(value) < 4 || value[0] != 0 || value[1] == 0 || value[1] > 4 {
				return false
			}
			named = true
		case relayMessage:
			named = named || len(value) >= clientHeader
		}
		return kind != 0 && kind < 300
	})
	return yes(ok && n > 0 && (named || s.Port(546) || s.Port(547)))
}

// portMapping checks the lengths of NAT-PMP's operations, and the header of PCP.
func portMapping(s *decode.Session, data []byte) decode.Verdict {
	if len(data) < 2 {
		return decode.No
	}
	const response, pcp = 0x80, 2
	operation, size := data[1]&^response, len(data)
	if data[0] == pcp {
		s.Protocol("PCP")
		return yes(operation <= 3 && size >= 24 && size <= 1100 && size%4 == 0 && (data[1]&response != 0 || decode.Uint16(data, 2) == 0))
	}
	answered := data[1]&response != 0
	switch {
	case operation > 2, data[0] != 0:
		return decode.No
	case operation == 0 && !answered:
		return yes(size == 2)
	case operation == 0:
		return yes(size == 12 || size == 8)
	case !answered:
		return yes(size == 12 && decode.Uint16(data, 2) == 0)
	}
	return yes(size == 16 || size == 8)
}
