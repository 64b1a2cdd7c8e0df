package mgmt

// Finding names and services: NetBIOS name and datagram services (RFC 1002), SSDP (UPnP Device
// Architecture), WS-Discovery (OASIS), SLP (RFC 2608, RFC 2165), and how Ubiquiti, MikroTik and
// TiVo devices announce themselves.

import (
	"bytes"

	"sluice/classify/decode"
	"sluice/classify/decode/netbios"
	"sluice/classify/decode/text"
)

var discovery = []decode.Decoder{
	{Name: "NETBIOS-NS", Ports: []uint16{137}, Datagram: netbiosNames},
	{Name: "NETBIOS-DGM", Ports: []uint16{138}, Client: decode.FirstRange(0x10, 0x16), Server: decode.FirstRange(0x10, 0x16), Datagram: netbiosDatagram},
	{Name: "SSDP", Ports: []uint16{1900}, Client: first("MNHmnh"), Server: first("MNHmnh"), Datagram: ssdp},
	{Name: "WSD", Ports: []uint16{3702}, Client: first("<\xef"), Server: first("<\xef"), Datagram: wsDiscovery},
	{Name: "SLP", Ports: []uint16{427}, Client: first("\x01\x02"), Server: first("\x01\x02"), Datagram: slp, Stream: slpStream},
	{Name: "UNIFI", Ports: []uint16{10001}, Client: first("\x01\x02"), Server: first("\x01\x02"), Datagram: ubiquiti},
	{Name: "MIKROTIK-MNDP", Ports: []uint16{5678}, Client: first("\x00"), Server: first("\x00"), Datagram: mndp},
	{Name: "TIVOCONNECT", Ports: []uint16{2190}, Client: first("Tt"), Server: first("Tt"), Datagram: tivo},
	{Name: "WAKE-ON-LAN", Ports: []uint16{9, 7}, Client: first("\xff"), Datagram: wake},
}

// netbiosNames checks a message of the form of DNS: one question or answers about an encoded name
// of one of NetBIOS's types. To a DNS server such a question is one like any other.
func netbiosNames(s *decode.Session, data []byte) decode.Verdict {
	const header, nb, status, dns = 12, 0x20, 0x21, 53
	if len(data) < header+netbios.NameLength+4 || s.Port(dns) {
		return decode.No
	}
	questions, answers := decode.Uint16(data, 4), decode.Uint16(data, 6)
	others := uint32(decode.Uint16(data, 8)) + uint32(decode.Uint16(data, 10))
	var name netbios.Name
	if questions > 1 || questions+answers == 0 || answers > 64 || others > 8 || !name.Decode(data[header:]) {
		return decode.No
	}
	after := data[header+netbios.NameLength-1:]
	for scope := 0; scope < 8 && len(after) > 0 && after[0] != 0; scope++ {
		if int(after[0]) >= len(after) || after[0] > 63 {
			return decode.No
		}
		after = after[1+int(after[0]):]
	}
	if len(after) < 5 {
		return decode.No
	}
	kind, class := decode.Uint16(after, 1), decode.Uint16(after, 3)
	return yes((kind == nb || kind == status || answers > 0 && kind == 0x0a) && class == 1)
}

// netbiosDatagram checks type, port and names. What Windows sends this way is SMB 1.
func netbiosDatagram(s *decode.Session, data []byte) decode.Verdict {
	const direct, failed, query, header = 0x12, 0x13, 0x14, 14
	if len(data) < 11 || data[1] > 0x0f {
		return decode.No
	}
	var name netbios.Name
	switch kind := data[0]; {
	case kind <= direct:
		if len(data) < header+2*netbios.NameLength || !name.Decode(data[header:]) || !name.Decode(data[header+netbios.NameLength:]) {
			return decode.No
		}
		if body := data[header+2*netbios.NameLength:]; bytes.HasPrefix(body, []byte("\xffSMB")) {
			s.Carries("SMB1")
		}
	case kind == failed:
		return yes(len(data) == 11 && data[10] >= 0x82 && data[10] <= 0x84)
	case kind >= query:
		return yes(len(data) >= 10+netbios.NameLength && name.Decode(data[10:]))
	}
	return decode.Match
}

// ssdp is HTTP in datagrams, with "*" for a target, or an answer.
func ssdp(s *decode.Session, data []byte) decode.Verdict {
	line, rest, ok := decode.Line(data)
	switch {
	case !ok:
		return decode.No
	case decode.PrefixFold(line, "M-SEARCH * HTTP/1.") == decode.Whole, decode.PrefixFold(line, "NOTIFY * HTTP/1.") == decode.Whole:
	case decode.Prefix(line, "HTTP/1.1 200") == decode.Whole && (text.Contains(rest, "\nUSN:") || text.Contains(rest, "\nST:") || decode.PrefixFold(rest, "ST:") == decode.Whole || decode.PrefixFold(rest, "USN:") == decode.Whole):
	default:
		return decode.No
	}
	for ok {
		if line, rest, ok = decode.Line(rest); ok && decode.PrefixFold(line, "SERVER:") == decode.Whole {
			s.Value(decode.SSDPServer, bytes.TrimSpace(line[7:]))
		}
	}
	return decode.Match
}

// wsDiscovery is SOAP that names the discovery specification.
func wsDiscovery(_ *decode.Session, data []byte) decode.Verdict {
	return yes(bytes.Contains(data, []byte("xmlsoap.org/ws/2005/04/discovery")) || bytes.Contains(data, []byte("docs.oasis-open.org/ws-dd/")) ||
		bytes.Contains(data, []byte("xmlsoap.org/ws/2004/10/discovery")))
}

func slp(_ *decode.Session, data []byte) decode.Verdict {
	length, verdict := slpHeader(data)
	if verdict != decode.Match {
		return decode.No
	}
	return yes(length == len(data))
}

func slpStream(_ *decode.Session, client, server []byte) decode.Verdict {
	return text.Either(client, server, func(data []byte, _ decode.Direction) decode.Verdict {
		length, verdict := slpHeader(data)
		if verdict == decode.Match && length < 16 {
			return decode.No
		}
		return verdict
	})
}

// slpHeader checks version, function, flags and language, and reads the length of the message.
func slpHeader(data []byte) (length int, verdict decode.Verdict) {
	const functions = 11
	switch {
	case data[0] != 1 && data[0] != 2, len(data) > 1 && (data[1] == 0 || data[1] > functions):
		return 0, decode.No
	case len(data) < 16 && (data[0] == 2 || len(data) < 12):
		return 0, decode.More
	case data[0] == 1:
		language := data[6:8]
		return int(decode.Uint16(data, 2)), yes(isLetter(language[0]) && isLetter(language[1]) && data[4]&0x07 == 0 && data[1] <= 10)
	}
	language := int(decode.Uint16(data, 12))
	if data[5]&0x1f != 0 || data[6] != 0 || language < 2 || language > 17 || !isLetter(data[14]) || !isLetter(data[15]) {
		return 0, decode.No
	}
	return int(decode.Uint24(data, 2)), decode.Match
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// ubiquiti discovery: version, command, length, then elements of type and length that fill it.
func ubiquiti(s *decode.Session, data []byte) decode.Verdict {
	if len(data) < 4 || int(decode.Uint16(data, 2)) != len(data)-4 || data[1] > 0x10 {
		return decode.No
	}
	if len(data) == 4 {
		return yes(s.Port(10001) && data[1] == 0 || s.Port(10001) && data[0] == 2)
	}
	n, rest := 0, data[4:]
	for len(rest) > 0 {
		if len(rest) < 3 || len(rest) < 3+int(decode.Uint16(rest, 1)) || rest[0] == 0 || rest[0] > 0x30 {
			return decode.No
		}
		rest = rest[3+int(decode.Uint16(rest, 1)):]
		n++
	}
	return yes(n > 1 || s.Port(10001))
}

// mndp begins with a header of four bytes and the element of the hardware address.
func mndp(_ *decode.Session, data []byte) decode.Verdict {
	const address = 1
	if len(data) < 14 || decode.Uint16(data, 4) != address || decode.Uint16(data, 6) != 6 {
		return decode.No
	}
	n, ok := chain(data[4:], func(kind uint16, _ []byte) bool { return kind > 0 && kind < 32 })
	return yes(ok && n > 1)
}

func tivo(_ *decode.Session, data []byte) decode.Verdict {
	return yes(decode.PrefixFold(data, "TIVOCONNECT=") == decode.Whole)
}

// wake is the magic packet: six bytes of ones, then a hardware address sixteen times, then perhaps
// a password.
func wake(_ *decode.Session, data []byte) decode.Verdict {
	const size = 6 + 16*6
	if len(data) != size && len(data) != size+4 && len(data) != size+6 || string(data[:6]) != "\xff\xff\xff\xff\xff\xff" {
		return decode.No
	}
	for i := 12; i < size; i++ {
		if data[i] != data[i-6] {
			return decode.No
		}
	}
	return decode.Match
}
