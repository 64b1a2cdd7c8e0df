package mgmt

// Small services of one line or so: Whois (RFC 3912), Finger (RFC 1288), Ident (RFC 1413), Gopher
// (RFC 1436), DICT (RFC 2229), Echo (RFC 862) and the character generator (RFC 864).

import (
	"bytes"
	"hash/maphash"

	"sluice/classify/decode"
	"sluice/classify/decode/text"
)

var simple = []decode.Decoder{
	{Name: "IDENT", Ports: []uint16{113}, Client: digits, Server: digits, Stream: ident},
	{Name: "GOPHER", Ports: []uint16{70}, Client: readable, Server: readable, Stream: gopher},
	{Name: "DICT", Ports: []uint16{2628}, Client: letters, Server: first("2"), Stream: dict},
	{Name: "WHOIS", Ports: []uint16{43, 4321}, Client: readable, Server: readable, Stream: whois},
	{Name: "FINGER", Ports: []uint16{79}, Client: readable, Server: readable, Stream: finger},
	{Name: "CHARGEN", Ports: []uint16{19}, Server: readable, Stream: chargenStream, Datagram: chargen},
	{Name: "ECHO", Ports: []uint16{7}, PortsOnly: true, Stream: echoStream, Datagram: echo},
}

// oneLine says whether client is a single line of text: Whole with its end, Partly without.
func oneLine(client []byte, longest int) decode.Part {
	line, rest, ok := decode.Line(client)
	switch {
	case len(client) > longest, len(rest) > 0 && ok, !printableStart(client):
		return decode.None
	case ok && decode.Printable(line):
		return decode.Whole
	case ok:
		return decode.None
	}
	return decode.Partly
}

// ident asks for two port numbers, which the answer repeats.
func ident(s *decode.Session, client, server []byte) decode.Verdict {
	if len(server) > 0 {
		if rest, v := portPair(server); v != decode.Match {
			return v
		} else if v := text.Begins(bytes.TrimLeft(rest, " :"), "USERID", "ERROR"); v == decode.Match || len(rest) == 0 || bytes.IndexByte(rest, ':') < 0 && len(rest) < 4 {
			return max(v, decode.More)
		} else {
			return v
		}
	}
	rest, v := portPair(client)
	switch {
	case v != decode.Match:
		return v
	case len(bytes.TrimSpace(rest)) > 0 || len(client) > 32:
		return decode.No
	case s.Port(113) && bytes.IndexByte(rest, '\n') >= 0:
		return decode.Match
	}
	return decode.More
}

// portPair reads "port , port".
func portPair(data []byte) (rest []byte, verdict decode.Verdict) {
	for i := range 2 {
		data = bytes.TrimLeft(data, " ")
		port, n := text.Number(data)
		switch {
		case n == 0 && len(data) == 0:
			return nil, decode.More
		case n == 0 || data[0] == '0' || port > 65535:
			return nil, decode.No
		}
		if data = data[n:]; i == 0 {
			data = bytes.TrimLeft(data, " ")
			if len(data) == 0 {
				return nil, decode.More
			}
			if data[0] != ',' {
				return nil, decode.No
			}
			data = data[1:]
		}
	}
	return data, decode.Match
}

// gopher answers a selector with a menu: lines of a type and a title, a selector, a host and a
// port, parted by tabs.
func gopher(s *decode.Session, client, server []byte) decode.Verdict {
	if oneLine(client, 512) == decode.None && len(client) > 0 {
		return decode.No
	}
	const longest = 256
	line, _, ok := decode.Line(server[:min(len(server), longest)])
	switch {
	case !printableStart(server):
		return decode.No
	case !ok && len(server) < longest:
		return decode.More
	case !ok || len(line) < 8 || bytes.IndexByte([]byte("0123456789+gIThisMdpPX;"), line[0]) < 0 || bytes.Count(line, []byte("\t")) < 3:
		return decode.No
	}
	_, fields, _ := bytes.Cut(line, []byte("\t"))
	_, fields, _ = bytes.Cut(fields, []byte("\t"))
	_, port, _ := bytes.Cut(fields, []byte("\t"))
	_, n := text.Number(port)
	return yes(n > 0 && n <= 5 && (n == len(port) || port[n] == '\t' || port[n] == ' '))
}

// dict greets with its abilities and an identifier in angle brackets.
func dict(_ *decode.Session, client, server []byte) decode.Verdict {
	line, _, ok := decode.Line(server)
	switch {
	case len(server) > 0 && text.Begins(server, "220 ") == decode.No:
		return decode.No
	case ok && text.Contains(line, "DICT") && bytes.Count(line, []byte("<")) == 2:
		return decode.Match
	case ok:
		return decode.No
	case len(client) > 0:
		return min(text.Begins(client, "CLIENT ", "SHOW DB", "DEFINE ", "MATCH ", "client ", "define "), decode.More)
	}
	return decode.More
}

// whois is one line, and a text that says what it is; on its port any text will do.
func whois(s *decode.Session, client, server []byte) decode.Verdict {
	line := oneLine(client, 256)
	if len(client) > 0 && line == decode.None {
		return decode.No
	}
	usual := s.Port(43)
	switch {
	case len(server) == 0 && line == decode.Whole && usual:
		return decode.Maybe
	case len(server) == 0:
		return decode.More
	case !printableStart(server):
		return decode.No
	case usual && line == decode.Whole:
		return decode.Match
	}
	const head = 512
	start := server[:min(len(server), head)]
	switch {
	case start[0] == '%' && text.Contains(start, "WHOIS"), start[0] == '#' && text.Contains(start, "WHOIS"), decode.PrefixFold(bytes.TrimLeft(start, " \r\n"), "DOMAIN NAME: ") == decode.Whole:
		return decode.Match
	case len(server) < head && (start[0] == '%' || start[0] == '#' || start[0] == ' ' || start[0]|0x20 == 'd'):
		return decode.More
	}
	return decode.No
}

// finger is one line, perhaps empty, and what is known of a user.
func finger(s *decode.Session, client, server []byte) decode.Verdict {
	line := oneLine(client, 128)
	switch {
	case len(client) > 0 && line == decode.None:
		return decode.No
	case len(server) == 0 && line == decode.Whole && s.Port(79):
		return decode.Maybe
	case len(server) == 0:
		return decode.More
	case !printableStart(server):
		return decode.No
	}
	const head = 512
	start := server[:min(len(server), head)]
	switch {
	case decode.Prefix(start, "Login") == decode.Whole && (text.Contains(start, "NAME") || text.Contains(start, "TTY")), text.Begins(start, "No one logged on", "finger: ") == decode.Match:
		return decode.Match
	case s.Port(79) && line == decode.Whole:
		return decode.Match
	case len(start) < head && text.Begins(start, "Login", "No one logged on", "finger: ") != decode.No:
		return decode.More
	}
	return decode.No
}

// pattern says whether data is the rotating pattern of printable characters.
func pattern(data []byte) decode.Verdict {
	const enough, low, high = 24, ' ', '~'
	for i, c := range data[:min(len(data), enough)] {
		if c < low || c > high || i > 0 && c != data[i-1]+1 && (data[i-1] != high || c != low && c != '!') {
			return decode.No
		}
	}
	if len(data) < enough {
		return decode.More
	}
	return decode.Match
}

func chargenStream(_ *decode.Session, client, server []byte) decode.Verdict {
	if len(client) > 0 || len(server) == 0 {
		return decode.No
	}
	return pattern(server)
}

func chargen(s *decode.Session, data []byte) decode.Verdict {
	if s.Direction == decode.ToServer {
		if s.Port(19) {
			return decode.More
		}
		return decode.No
	}
	return yes(pattern(data) == decode.Match)
}

// echoStream wants back what was sent.
func echoStream(_ *decode.Session, client, server []byte) decode.Verdict {
	switch {
	case len(server) == 0:
		return decode.More
	case len(server) > len(client):
		return decode.No
	}
	return yes(bytes.Equal(server, client[:len(server)]))
}

var echoSeed = maphash.MakeSeed()

// echo compares a datagram with the one before it.
func echo(s *decode.Session, data []byte) decode.Verdict {
	sum := maphash.Bytes(echoSeed, data)
	if s.Direction == decode.ToServer {
		s.Remember(sum)
		return decode.More
	}
	sent, ok := s.Memory().(uint64)
	return yes(ok && sent == sum)
}
