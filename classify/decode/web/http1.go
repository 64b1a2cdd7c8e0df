package web

import (
	"bytes"

	"sluice/classify/decode"
)

// methods of HTTP and of what is spoken over it: WebDAV and its kin, UPnP, RPC over HTTP.
var methods = map[string]bool{
	"GET": true, "HEAD": true, "POST": true, "PUT": true, "DELETE": true, "CONNECT": true, "OPTIONS": true,
	"TRACE": true, "PATCH": true, "QUERY": true, "PRI": false,
	"PROPFIND": true, "PROPPATCH": true, "MKCOL": true, "COPY": true, "MOVE": true, "LOCK": true, "UNLOCK": true,
	"SEARCH": true, "REPORT": true, "MKCALENDAR": true, "MKACTIVITY": true, "CHECKOUT": true, "CHECKIN": true,
	"MERGE": true, "ACL": true, "BIND": true, "REBIND": true, "UNBIND": true, "LINK": true, "UNLINK": true,
	"VERSION-CONTROL": true, "BASELINE-CONTROL": true, "UNCHECKOUT": true, "UPDATE": true, "LABEL": true,
	"ORDERPATCH": true, "MKWORKSPACE": true, "MKREDIRECTREF": true, "UPDATEREDIRECTREF": true,
	"BPROPFIND": true, "BPROPPATCH": true, "BCOPY": true, "BMOVE": true, "BDELETE": true, "POLL": true,
	"NOTIFY": true, "SUBSCRIBE": true, "UNSUBSCRIBE": true, "PURGE": true,
	"RPC_IN_DATA": true, "RPC_OUT_DATA": true, "RDG_IN_DATA": true, "RDG_OUT_DATA": true,
	"RPC_CONNECT": true, "SOURCE": true, "MS-SEARCH": true,
}

const (
	longestMethod = len("UPDATEREDIRECTREF")
	// longestLine is how long a request line may get before it is no longer waited for.
	longestLine = 4096
)

// http1 recognises HTTP/1 (RFC 9112) by a request line or, where the request was not seen, by a
// status line. It is certain after that line, and reads on to the end of the header fields.
func http1(s *decode.Session, client, server []byte) decode.Verdict {
	if len(client) == 0 {
		return response(s, server)
	}
	line, fields, whole := decode.Line(client)
	method, target, version, verdict := requestLine(line, client, whole, s.Framed)
	if verdict != decode.Match {
		return verdict
	}
	if v := decode.Prefix(version, "HTTP/1."); v != decode.Whole || len(version) != len("HTTP/1.1") {
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
	switch n, known := bodyLength(fields[:end]); {
	case !s.Followed || upgrade:
	case s.Framed:
		s.Transaction(decode.ToServer, body)
	case known:
		s.Transaction(decode.ToServer, body+n)
	}
	return decode.Match
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

// requestLine takes a request line apart. While it is incomplete, all of client stands for it. Where
// certain says that it is one, whatever stands there is the method.
func requestLine(line, client []byte, whole, certain bool) (method, target, version []byte, verdict decode.Verdict) {
	if !whole {
		line = client
	}
	space := bytes.IndexByte(line[:min(len(line), longestMethod+1)], ' ')
	if certain {
		space = bytes.IndexByte(line, ' ')
	}
	switch {
	case space < 0 && (whole || certain || len(line) > longestMethod || !beginsMethod(line)):
		return nil, nil, nil, decode.No
	case space < 0:
		return nil, nil, nil, decode.More
	case !certain && !methods[string(line[:space])]:
		return nil, nil, nil, decode.No
	}
	method, rest := line[:space], line[space+1:]
	last := bytes.LastIndexByte(rest, ' ')
	switch {
	case !certain && !decode.Printable(rest[:min(len(rest), 64)]):
		return nil, nil, nil, decode.No
	case whole && last < 0: // HTTP/0.9 has no version; too little to be sure of anything
		return nil, nil, nil, decode.No
	case whole:
		return method, rest[:last], rest[last+1:], decode.Match
	case len(line) > longestLine:
		return nil, nil, nil, decode.No
	}
	return nil, nil, nil, decode.More
}

// beginsMethod says whether some method begins with these bytes.
func beginsMethod(start []byte) bool {
	for m, known := range methods {
		if known && decode.Prefix(start, m) != decode.None {
			return true
		}
	}
	return false
}

// authority is the host and port at the start of an address without its scheme.
func authority(address []byte) []byte {
	if i := bytes.IndexAny(address, "/?#"); i >= 0 {
		address = address[:i]
	}
	return address[bytes.LastIndexByte(address, '@')+1:]
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
		rest = after
		colon := bytes.IndexByte(line, ':')
		if colon < 0 {
			continue
		}
		name, value := line[:colon], bytes.TrimSpace(line[colon+1:])
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
