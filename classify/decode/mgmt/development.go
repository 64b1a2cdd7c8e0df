package mgmt

// What developers and testers use: the debuggers of Java (JDWP) and of GDB, distcc, and
// measurements of networks: TWAMP and OWAMP (RFC 5357, RFC 4656), EAQ of Brazil. Mobile IP (RFC 5944), HIP
// over UDP (RFC 5770) and RWhois (RFC 2167).

import (
	"bytes"

	"sluice/classify/decode"
	"sluice/classify/decode/text"
)

var development = []decode.Decoder{
	{Name: "JDWP", Ports: []uint16{5005, 8000}, Client: first("J"), Stream: jdwp},
	{Name: "GDB-REMOTE", Ports: []uint16{1234, 2345, 3333}, Client: first("+$"), Stream: gdb},
	{Name: "DISTCC", Ports: []uint16{3632}, Client: first("D"), Stream: distcc},
	{Name: "TWAMP", Ports: []uint16{861, 862}, Server: first("\x00"), Stream: twamp},
	{Name: "RWHOIS", Ports: []uint16{4321}, Server: first("%"), Stream: rwhois},
	{Name: "EAQ", Ports: []uint16{6000}, PortsOnly: true, Client: decode.FirstRange(0, 9), Server: decode.FirstRange(0, 9), Datagram: eaq},
	{Name: "MOBILE-IP", Ports: []uint16{434}, PortsOnly: true, Client: first("\x01"), Server: first("\x03"), Datagram: mobileIP},
	{Name: "HIP", Ports: []uint16{10500}, Client: first("\x00"), Server: first("\x00"), Datagram: hip},
}

func jdwp(_ *decode.Session, client, server []byte) decode.Verdict {
	return text.BothBegin(client, server, "JDWP-Handshake")
}

// gdb checks the first question of a debugger, or its sum at the end of a packet.
func gdb(_ *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) == 0 {
		return decode.More
	}
	data := bytes.TrimLeft(client, "+")
	return text.Begins(data, "$qSupported", "$QStartNoAckMode#b0", "$vMustReplyEmpty#3a")
}

// distcc checks the greeting with its version, and the number of arguments that follows.
func distcc(_ *decode.Session, client, _ []byte) decode.Verdict {
	if v := decode.Magic(client, "DIST0000000"); v != decode.Match {
		return v
	}
	if len(client) < 12 {
		return decode.More
	}
	return decode.Magic(client[12:], "ARGC")
}

// twamp checks the greeting of the server: modes, a challenge, a salt, and a count that is a power of
// two.
func twamp(_ *decode.Session, client, server []byte) decode.Verdict {
	const greeting = 64
	if len(server) < greeting {
		if len(client) > 0 || !decode.Zero(server[:min(len(server), 14)]) {
			return decode.No
		}
		return decode.More
	}
	modes, count := decode.Uint32(server, 12), decode.Uint32(server, 48)
	return decode.If(decode.Zero(server[:12]) && modes > 0 && modes < 1<<10 && count >= 1024 && count&(count-1) == 0 && decode.Zero(server[52:64]))
}

func rwhois(_ *decode.Session, _, server []byte) decode.Verdict {
	return decode.Magic(server, "%rwhois")
}

// eaqSeen is what eaq keeps of a session: the last number and how many came in order.
type eaqSeen struct{ number, count int }

// eaq counts the numbers, a decimal digit a byte, of four datagrams of sixteen bytes.
func eaq(s *decode.Session, data []byte) decode.Verdict {
	if len(data) != 16 {
		return decode.No
	}
	number := 0
	for _, c := range data[:4] {
		if c > 9 {
			return decode.No
		}
		number = number*10 + int(c)
	}
	seen, again := s.Memory().(eaqSeen)
	if again && number != seen.number && number != seen.number+1 {
		return decode.No
	}
	seen.number = number
	if seen.count++; seen.count == 4 {
		return decode.Match
	}
	s.Remember(seen)
	return decode.More
}

// mobileIP checks a request for registration, with a home agent and a care-of address, or the answer.
func mobileIP(_ *decode.Session, data []byte) decode.Verdict {
	switch {
	case data[0] == 1 && len(data) >= 24:
		return decode.If(!decode.Zero(data[8:12]) && !decode.Zero(data[16:24]))
	case data[0] == 3 && len(data) >= 20:
		return decode.If((data[1] <= 1 || data[1] >= 64 && data[1] <= 143) && !decode.Zero(data[12:20]))
	}
	return decode.No
}

// hip checks a control message behind the empty marker: no next header, its length, kind and version.
func hip(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) < 44 || !decode.Zero(data[:4]) {
		return decode.No
	}
	head := data[4:]
	return decode.If(head[0] == 59 && (int(head[1])+1)*8 == len(head) && head[2]&0x80 == 0 && (head[3] == 0x11 || head[3] == 0x21))
}
