package web

import (
	"bytes"

	"sluice/classify/decode"
)

// http1 recognises HTTP/1 (RFC 9112) by a request line or, where the request was not seen, by a
// status line. It is certain after that line, and reads on to the end of the header fields. What names
// the application stands in them, however long they are.
func http1(s *decode.Session, client, server []byte) decode.Verdict {
	if len(client) == 0 {
		return response(s, server)
	}
	if c, ok := s.Memory().(chunked); ok {
		return c.pass(s, client)
	}
	return oneRequest(s, client, emptyLines(client), server)
}

// oneRequest is http1 for the request that begins with the client's byte number at.
func oneRequest(s *decode.Session, client []byte, at int, server []byte) decode.Verdict {
	line, fields, whole := decode.Line(client[at:])
	if !whole {
		line = client[at:]
	}
	method, target, version, verdict := requestLine(line, whole, s.Framed)
	if verdict != decode.Match {
		if verdict == decode.MatchMore {
			s.WantEmptyLine()
		}
		return verdict
	}
	if !isVersion1(version) {
		return decode.No
	}
	s.Side(decode.ToServer)
	s.Value(decode.HTTPMethod, method)
	s.Value(decode.HTTPURL, target)
	tellPurpose(s, method, target)
	tunnel := string(method) == "CONNECT"
	switch {
	case tunnel:
		s.Protocol("HTTP-CONNECT")
		s.Host(decode.ProxyTarget, target)
	case decode.PrefixFold(target, "HTTP://") == decode.Whole:
		s.Protocol("HTTP-PROXY")
		s.Host(decode.HTTPHost, authority(target[len("http://"):]))
	}
	end, upgrade := header(s, fields)
	if end < 0 {
		s.WantEmptyLine()
		return decode.MatchMore
	}
	body := len(client) - len(fields) + end
	switch {
	case tunnel:
		return connected(s, body, server)
	case upgrade:
		s.Carries("WEBSOCKET")
	}
	if wantsResponse(s) && response(s, server) != decode.Match {
		return decode.MatchMore
	}
	if s.Followed {
		goOn(s, client, body, fields[:end])
	}
	return decode.Match
}

// goOn tells where the request after the one with these header fields begins, whose body begins with the
// client's byte number body. A server that does not agree to an upgrade goes on with requests, too.
func goOn(s *decode.Session, client []byte, body int, fields []byte) {
	n, inChunks, known := framing(fields)
	switch {
	case s.Framed:
		s.Transaction(decode.ToServer, body)
	case inChunks:
		var c chunked
		if at, ok := c.follow(client[body:]); ok {
			s.Transaction(decode.ToServer, body+at)
			c.remember(s)
		}
	case known:
		s.Transaction(decode.ToServer, body+n)
	}
}

// wantsResponse says whether somebody looks for what only the response tells.
func wantsResponse(s *decode.Session) bool {
	for _, c := range [...]decode.Context{decode.HTTPContentType, decode.HTTPServer, decode.HTTPCookie, decode.HTTPFileName} {
		if s.Wants(c, decode.ToClient) {
			return true
		}
	}
	return false
}

// fieldContexts are the header fields that signatures look at.
var fieldContexts = []struct {
	name    string // in upper case
	context decode.Context
}{
	{"HOST", decode.HTTPHost}, {"USER-AGENT", decode.HTTPUserAgent}, {"REFERER", decode.HTTPReferer},
	{"COOKIE", decode.HTTPCookie}, {"SET-COOKIE", decode.HTTPCookie}, {"CONTENT-TYPE", decode.HTTPContentType},
	{"SERVER", decode.HTTPServer}, {"CONTENT-DISPOSITION", decode.HTTPFileName},
}

// header tells the complete header fields at the start of data. end is where the body begins, or
// -1 while the header has no end; upgrade says that the client asks for a WebSocket.
func header(s *decode.Session, data []byte) (end int, upgrade bool) {
	for rest := data; ; {
		line, after, whole := decode.Line(rest)
		switch {
		case !whole:
			return -1, upgrade
		case len(line) == 0:
			return len(data) - len(after), upgrade
		}
		var name, value []byte
		name, value, rest = field(line, rest, after)
		if same(name, "SOAPACTION") {
			s.Application("SOAP")
		}
		upgrade = upgrade || same(name, "UPGRADE") && same(value, "WEBSOCKET")
		for _, f := range fieldContexts {
			switch {
			case !same(name, f.name):
			case f.context == decode.HTTPHost:
				s.Host(f.context, value)
			case f.context == decode.HTTPContentType:
				s.Value(f.context, value)
				tellContent(s, value)
			default:
				s.Value(f.context, value)
			}
		}
	}
}

// field takes a header field apart whose first line is at the start of data, before after, with the lines
// that it is folded into (RFC 9112 section 5.2), as far as they are whole. A line that is none has no name.
func field(line, data, after []byte) (name, value, rest []byte) {
	for len(after) > 0 && (after[0] == ' ' || after[0] == '\t') {
		_, next, whole := decode.Line(after)
		if !whole {
			break
		}
		after = next
		line = data[:len(data)-len(after)]
	}
	colon := bytes.IndexByte(line, ':')
	if colon < 0 {
		return nil, nil, after
	}
	return bytes.TrimRight(line[:colon], space), bytes.TrimSpace(line[colon+1:]), after
}

// same compares a word with one in upper case, without regard to case.
func same(word []byte, upper string) bool {
	return len(word) == len(upper) && decode.PrefixFold(word, upper) == decode.Whole
}

// response recognises a status line ("HTTP/1.1 200 OK").
func response(s *decode.Session, server []byte) decode.Verdict {
	s.Side(decode.ToClient)
	line, fields, whole := decode.Line(server)
	if !whole {
		line = server
	}
	const digit = '0'
	for i, want := range []byte("HTTP/1.0 000") {
		switch {
		case i >= len(line) && whole:
			return decode.No
		case i >= len(line):
			return decode.More
		case want == digit && (line[i] < '0' || line[i] > '9'):
			return decode.No
		case want != digit && line[i] != want:
			return decode.No
		}
	}
	if !whole {
		return decode.MatchMore
	}
	if end, _ := header(s, fields); end < 0 {
		return decode.MatchMore
	}
	return decode.Match
}

// connected waits for the proxy's consent to a CONNECT request whose header ends at the
// request'th byte. What follows on both sides is a session of its own.
func connected(s *decode.Session, request int, server []byte) decode.Verdict {
	line, fields, whole := decode.Line(server)
	switch {
	case !whole:
		return decode.MatchMore
	case len(line) < len("HTTP/1.1 2") || line[len("HTTP/1.1 ")] != '2':
		return decode.Match
	}
	for rest := fields; ; {
		line, after, whole := decode.Line(rest)
		if !whole {
			return decode.MatchMore
		}
		if rest = after; len(line) == 0 {
			s.Tunnel(request, len(server)-len(rest))
			return decode.Match
		}
	}
}
