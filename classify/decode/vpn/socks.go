package vpn

// SOCKS 4 and 4A (Ying-Da Lee), SOCKS 5 (RFC 1928, RFC 1929), and the PROXY protocol of HAProxy
// (proxy-protocol.txt, versions 1 and 2).

import (
	"bytes"
	"net/netip"

	"sluice/classify/decode"
)

// socksAddress reads a SOCKS 5 address: its kind, the address or name, and the port.
func socksAddress(data []byte) (host []byte, port uint16, size int, part decode.Part) {
	if len(data) == 0 {
		return nil, 0, 0, decode.Partly
	}
	at := 1
	var n int
	switch data[0] {
	case 1:
		n = 4
	case 4:
		n = 16
	case 3:
		if len(data) < 2 {
			return nil, 0, 0, decode.Partly
		}
		at, n = 2, int(data[1])
	default:
		return nil, 0, 0, decode.None
	}
	if n == 0 {
		return nil, 0, 0, decode.None
	}
	if len(data) < at+n+2 {
		return nil, 0, 0, decode.Partly
	}
	return data[at : at+n], decode.Uint16(data, at+n), at + n + 2, decode.Whole
}

// socks5 follows method selection, the password sub-negotiation, request and reply, and hands over
// what runs inside.
func socks5(s *decode.Session, client, server []byte) decode.Verdict {
	if len(client) == 0 {
		return decode.More
	}
	if client[0] != 5 {
		return decode.No
	}
	if len(client) < 2 {
		return decode.More
	}
	methods := int(client[1])
	if methods == 0 || methods > 16 {
		return decode.No
	}
	if len(client) < 2+methods || len(server) < 2 {
		return decode.More
	}
	chosen := server[1]
	if server[0] != 5 || chosen != 0xff && bytes.IndexByte(client[2:2+methods], chosen) < 0 {
		return decode.No
	}
	if chosen != 0 && chosen != 2 {
		return decode.Match // refused, or a method that hides the rest
	}
	c, r := client[2+methods:], server[2:]
	base, back := 2+methods, 2
	if chosen == 2 {
		if len(c) < 2 || len(c) < 3+int(c[1]) {
			return decode.MatchMore
		}
		at := 2 + int(c[1])
		if c[0] != 1 {
			return decode.Match
		}
		at += 1 + int(c[at])
		if len(c) < at || len(r) < 2 {
			return decode.MatchMore
		}
		if r[1] != 0 {
			return decode.Match
		}
		c, r, base, back = c[at:], r[2:], base+at, back+2
	}
	if len(c) < 4 {
		return decode.MatchMore
	}
	if c[0] != 5 || c[1] == 0 || c[1] > 3 || c[2] != 0 {
		return decode.Match
	}
	host, _, size, part := socksAddress(c[3:])
	switch part {
	case decode.None:
		return decode.Match
	case decode.Partly:
		return decode.MatchMore
	}
	if c[3] == 3 {
		s.Host(decode.ProxyTarget, host)
	}
	if len(r) < 4 {
		return decode.MatchMore
	}
	bound, port, replySize, part := socksAddress(r[3:])
	if part == decode.Partly {
		return decode.MatchMore
	}
	if part == decode.None || r[0] != 5 || r[1] != 0 {
		return decode.Match
	}
	switch c[1] {
	case 1:
		s.Tunnel(base+3+size, back+3+replySize)
	case 3:
		if addr, ok := netip.AddrFromSlice(bound); ok && r[3] != 3 {
			if addr.IsUnspecified() {
				addr = s.Server.Addr()
			}
			s.Expect(decode.Expected{Addr: addr, Port: port, Protocol: decode.UDP, Name: "SOCKS5"})
		}
	}
	return decode.Match
}

// socks4 wants a whole request and the answer to it.
func socks4(s *decode.Session, client, server []byte) decode.Verdict {
	if len(client) < 2 {
		if len(client) == 0 && len(server) > 0 {
			return decode.No
		}
		return decode.More
	}
	if client[0] != 4 || client[1] < 1 || client[1] > 2 {
		return decode.No
	}
	if len(client) < 9 {
		return decode.More
	}
	user := bytes.IndexByte(client[8:], 0)
	if user < 0 || user > 255 {
		if len(client) > 8+255 {
			return decode.No
		}
		return decode.More
	}
	if !decode.Printable(client[8:8+user]) || decode.Uint16(client, 2) == 0 {
		return decode.No
	}
	size := 8 + user + 1
	var host []byte
	if client[4] == 0 && client[5] == 0 && client[6] == 0 && client[7] != 0 { // 4A: a name follows
		n := bytes.IndexByte(client[size:], 0)
		if n < 0 {
			if len(client) > size+255 {
				return decode.No
			}
			return decode.More
		}
		host = client[size : size+n]
		if n == 0 || !decode.Printable(host) {
			return decode.No
		}
		size += n + 1
	}
	if len(server) < 8 {
		return decode.More
	}
	if server[0] != 0 || server[1] < 90 || server[1] > 93 {
		return decode.No
	}
	if host != nil {
		s.Host(decode.ProxyTarget, host)
	}
	if server[1] == 90 && client[1] == 1 {
		s.Tunnel(size, 8)
	}
	return decode.Match
}

const proxySignature = "\r\n\r\n\x00\r\nQUIT\n"

// proxyProtocol hands over what follows the header that a load balancer puts before a connection.
func proxyProtocol(s *decode.Session, client, _ []byte) decode.Verdict {
	switch decode.Prefix(client, proxySignature) {
	case decode.Partly:
		return decode.More
	case decode.Whole:
		if len(client) < 16 {
			return decode.More
		}
		if client[12]>>4 != 2 || client[12]&15 > 1 {
			return decode.No
		}
		s.Tunnel(16+int(decode.Uint16(client, 14)), 0)
		return decode.Match
	}
	switch decode.Prefix(client, "PROXY ") {
	case decode.None:
		return decode.No
	case decode.Partly:
		return decode.More
	}
	line, rest, whole := decode.Line(client)
	const longest = 107 // header allowed, with its end
	switch {
	case len(client)-len(rest) > longest, !whole && len(client) >= longest:
		return decode.No
	case !whole:
		return decode.More
	}
	switch kind, _, _ := bytes.Cut(line[len("PROXY "):], []byte(" ")); string(kind) {
	case "TCP4", "TCP6", "UNKNOWN":
		s.Tunnel(len(client)-len(rest), 0)
		return decode.Match
	}
	return decode.No
}
