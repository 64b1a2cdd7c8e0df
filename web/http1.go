package web

import (
	"bytes"
	"net/http"
	"slices"
)

// http1 is a connection in HTTP/1. Its exchanges pass one after another: a request that comes before the
// response to the last one is over waits for that.
type http1 struct {
	conn    *Conn
	sides   [2]half
	x       Exchange
	head    Head
	open    bool // a request waits for the end of its response
	began   bool // its final response has begun
	turning bool // it asks for another protocol, or a tunnel
	tunnel  bool // what passes is no HTTP any more
}

// half is what one side sends.
type half struct {
	state bodyState
	left  int64 // of a body whose length is known
	chunks
	collector
}

type bodyState uint8

const (
	atHead bodyState = iota
	inBody
	inChunks
	untilClose
)

func newHTTP1(c *Conn) *http1 { return &http1{conn: c, x: Exchange{Version: HTTP1}} }

func (h *http1) pass(from Side, data []byte, on [][]byte) (taken int, _ [][]byte, err error) {
	s := &h.sides[from]
	for taken < len(data) {
		rest := data[taken:]
		switch {
		case h.tunnel: // the rest is no HTTP
			return taken, on, nil
		case s.state == untilClose:
			return len(data), join(on, rest), nil
		case s.state == atHead && h.waits(from):
			return taken, on, nil
		}
		var n int
		if s.state == atHead {
			n, on, err = h.passHead(from, rest, on)
		} else {
			n, err = h.passBody(from, rest)
			on = join(on, rest[:n])
		}
		if taken += n; err != nil {
			return taken, on, err
		}
	}
	return taken, on, nil
}

// passHead takes what there is of a head, and passes it on when it is whole and nobody objects.
func (h *http1) passHead(from Side, data []byte, on [][]byte) (taken int, _ [][]byte, err error) {
	s := &h.sides[from]
	taken, raw, reason := s.head(data)
	if reason != "" {
		return taken, on, &Violation{from, reason}
	}
	if raw == nil {
		return taken, on, nil
	}
	h.head.Raw = raw
	if from == Client {
		err = h.request()
	} else {
		err = h.response()
	}
	if err != nil {
		return taken, on, err
	}
	return taken, join(on, h.head.Raw), nil
}

// passBody says how much of data belongs to the body of a message.
func (h *http1) passBody(from Side, data []byte) (n int, err error) {
	s := &h.sides[from]
	var over bool
	if s.state == inBody {
		n = int(min(s.left, int64(len(data))))
		s.left -= int64(n)
		over = s.left == 0
	} else {
		var reason string
		if n, over, reason = s.chunks.pass(data); reason != "" {
			return n, &Violation{from, reason}
		}
	}
	if over {
		h.ended(from)
	}
	return n, nil
}

// ended notes that a message is over.
func (h *http1) ended(from Side) {
	h.sides[from] = half{}
	if from == Server {
		h.open, h.began, h.turning = false, false, false
	}
}

// body begins the body of a message.
func (h *http1) body(from Side, f *fields, toEnd bool) {
	s := &h.sides[from]
	switch {
	case f.chunked:
		s.state, s.chunks = inChunks, chunks{}
	case f.length > 0:
		s.state, s.left = inBody, f.length
	case f.length < 0 && toEnd:
		s.state = untilClose
	default:
		h.ended(from)
	}
}

// request reads the head of a request, and has it judged.
func (h *http1) request() error {
	method, target, minor, reason := requestLine(h.head.Raw)
	var f fields
	if reason == "" {
		reason = f.read(&h.head, Client)
	}
	host := f.host
	if reason == "" {
		host, reason = authority(method, target, &f)
	}
	switch {
	case reason != "":
	case f.hosts > 1:
		reason = "more than one Host"
	case !visible(host):
		reason = "a Host with blanks"
	case f.coded && minor == 0:
		reason = "a transfer coding in HTTP/1.0"
	case f.coded && !f.chunked:
		reason = "a request whose transfer coding does not end with chunked"
	}
	if reason != "" {
		return &Violation{Client, reason}
	}
	h.x = Exchange{Version: HTTP1, Method: name(method), Authority: string(host), Target: string(target), Protocol: string(f.upgrade)}
	switch v := h.conn.ask(&h.x, &h.head); {
	case v.Answer != nil:
		h.conn.due[Client] = v.Answer.AppendHTTP1(h.conn.due[Client], h.x.Method == http.MethodHead)
		return errAnswered
	case v.End:
		return errEnded
	}
	h.open, h.began = true, false
	if listed(f.upgrade, "h2c") {
		h.head.Raw, h.x.Protocol = withoutUpgrade(h.head.Raw), ""
	}
	h.turning = h.x.Protocol != "" || h.x.Method == http.MethodConnect
	if h.x.Method == http.MethodConnect {
		f.length, f.chunked = 0, false
	}
	h.body(Client, &f, false)
	return nil
}

// response reads the head of a response.
func (h *http1) response() error {
	status, minor, reason := statusLine(h.head.Raw)
	var f fields
	if reason == "" {
		reason = f.read(&h.head, Server)
	}
	if reason == "" && f.coded && minor == 0 {
		reason = "a transfer coding in HTTP/1.0"
	}
	if reason != "" {
		return &Violation{Server, reason}
	}
	if h.open {
		h.x.Status = status
		if err := h.conn.tell(&h.x, &h.head); err != nil {
			return err
		}
	}
	switch {
	case status == 101:
		if !h.open || !h.turning || h.x.Method == http.MethodConnect {
			return &Violation{Server, "a change of protocol that nobody asked for"}
		}
		h.tunnel = true
	case status < 200: // the final one follows
	case h.x.Method == http.MethodConnect && status < 300 && h.open:
		h.tunnel = true
	case h.x.Method == http.MethodHead && h.open, status == 204, status == 304:
		h.ended(Server)
	default:
		h.began, h.turning = true, false
		h.body(Server, &f, true)
	}
	return nil
}

func (h *http1) waits(from Side) bool {
	return from == Client && !h.tunnel && h.open && h.sides[Client].state == atHead
}

func (h *http1) end(from Side) {
	if from == Server {
		h.open = false // nothing more comes for it
	}
}

func (h *http1) between(to Side) bool {
	s := &h.sides[1-to]
	return !h.tunnel && s.state == atHead && !(to == Client && h.began)
}

func (h *http1) settled(last bool) bool {
	return h.tunnel || last && len(h.sides[Client].held)+len(h.sides[Server].held) == 0
}

func (h *http1) apology(v *Violation) []byte {
	if !h.between(Client) {
		return nil
	}
	status := 400
	if v.By == Server {
		status = 502
	}
	return (&Answer{Status: status}).AppendHTTP1(nil, false)
}

// requestLine takes the first line of a request apart (RFC 9112 section 3).
func requestLine(raw []byte) (method, target []byte, minor int, reason string) {
	line, _, _ := bytes.Cut(bytes.TrimPrefix(raw, []byte("\r\n")), []byte("\r\n"))
	method, rest, _ := bytes.Cut(line, []byte(" "))
	target, version, _ := bytes.Cut(rest, []byte(" "))
	switch {
	case !isToken(method):
		return nil, nil, 0, "a method has other characters than those of a token"
	case len(target) == 0 || !visible(target):
		return nil, nil, 0, "a target with blanks or control characters, or none"
	}
	switch string(version) {
	case "HTTP/1.1":
		return method, target, 1, ""
	case "HTTP/1.0":
		return method, target, 0, ""
	}
	return nil, nil, 0, "a request line without the version of HTTP/1"
}

// statusLine takes the first line of a response apart (RFC 9112 section 4).
func statusLine(raw []byte) (status, minor int, reason string) {
	line, _, _ := bytes.Cut(raw, []byte("\r\n"))
	const form = "HTTP/1.x nnn"
	if len(line) < len(form) || string(line[:7]) != form[:7] || line[7] != '0' && line[7] != '1' || line[8] != ' ' ||
		len(line) > len(form) && line[len(form)] != ' ' || !isText(line) {
		return 0, 0, "a response without a status line"
	}
	n, ok := decimal(line[9:12])
	if !ok || n < 100 || n > 999 {
		return 0, 0, "a status that is no number"
	}
	return int(n), int(line[7] - '0'), ""
}

// authority is whom a request asks: the host of its target, where that is a whole address, or that of
// its Host field. The two must not contradict each other.
func authority(method, target []byte, f *fields) (host []byte, reason string) {
	host = f.host
	if string(method) == http.MethodConnect {
		return target, ""
	}
	if target[0] == '/' || len(target) == 1 {
		return host, ""
	}
	scheme, rest, whole := bytes.Cut(target, []byte("://"))
	if !whole || !isToken(scheme) {
		return host, "" // nothing that names a host
	}
	if i := bytes.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	if f.hosts > 0 && !bytes.EqualFold(rest, f.host) {
		return nil, "a target and a Host that contradict each other"
	}
	return rest, ""
}

// withoutUpgrade is a head without what asks for HTTP/2 in clear text, which RFC 9113 has given up.
func withoutUpgrade(raw []byte) []byte {
	h := Head{Raw: raw}
	kept := slices.Clone(raw[:bytes.Index(raw[2:], []byte("\r\n"))+4])
	for line := range h.lines {
		field, value, _ := cutField(line)
		switch {
		case is(field, "upgrade"), is(field, "http2-settings"):
			continue
		case is(field, "connection"):
			var options [][]byte
			for option := range bytes.SplitSeq(value, []byte(",")) {
				if o := bytes.Trim(option, " \t"); !is(o, "upgrade") && !is(o, "http2-settings") {
					options = append(options, o)
				}
			}
			if len(options) == 0 {
				continue
			}
			line = append([]byte("Connection: "), bytes.Join(options, []byte(", "))...)
		}
		kept = append(append(kept, line...), "\r\n"...)
	}
	return append(kept, "\r\n"...)
}

// name is a method as a string, of the usual ones without making one.
func name(method []byte) string {
	for _, m := range [...]string{"GET", "POST", "HEAD", "PUT", "OPTIONS", "DELETE", "CONNECT", "PATCH"} {
		if string(method) == m {
			return m
		}
	}
	return string(method)
}
