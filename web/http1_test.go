package web

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
)

// conversations are sequences of messages that pass as they are.
var conversations = map[string][]line{
	"one request":       {client("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"), server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")},
	"as it was written": {client("GET /?a=%20 HTTP/1.1\r\nhOST:a.example \r\nX-Empty:\r\nx-utf: \xc3\xa4\r\n\r\n"), server("HTTP/1.1 200\r\ncontent-LENGTH:  2 \r\n\r\nok")},
	"a kept connection": {
		client("GET /1 HTTP/1.1\r\nHost: a.example\r\n\r\n"), server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
		client("POST /2 HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhello"), server("HTTP/1.1 204 No Content\r\n\r\n"),
		client("\r\nGET /3 HTTP/1.1\r\nHost: a.example\r\n\r\n"), server("HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n"),
	},
	"pipelining": {
		client("GET /1 HTTP/1.1\r\nHost: a.example\r\n\r\nGET /2 HTTP/1.1\r\nHost: a.example\r\n\r\nGET /3 HTTP/1.1\r\nHost: a.example\r\n\r\n"),
		server("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1"), server("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2"), server("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n3"),
	},
	"chunks and trailers": {
		client("POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n5;x=\"y\"\r\nhello\r\n0\r\nA: b\r\n\r\n"),
		server("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\nTrailer: Sum\r\n\r\n0a \r\n0123456789\r\n00\r\nSum: 1\r\n\r\n"),
		client("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"),
	},
	"interim responses": {
		client("PUT / HTTP/1.1\r\nHost: a.example\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"), server("HTTP/1.1 100 Continue\r\n\r\n"), client("hi"),
		server("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
		client("HEAD / HTTP/1.1\r\nHost: a.example\r\n\r\n"), server("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
		client("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"),
	},
	"until the end":              {client("GET / HTTP/1.0\r\n\r\n"), server("HTTP/1.0 200 OK\r\n\r\nall of it HTTP/1.1 500 NO\r\n\r\n")},
	"a WebSocket":                {client("GET /w HTTP/1.1\r\nHost: a.example\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n"), server("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n\x81\x01a"), client("\x81\x81....b\r\n\r\n"), server("\r\n\n")},
	"no WebSocket":               {client("GET /w HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"), server("HTTP/1.1 426 No\r\nContent-Length: 0\r\n\r\n"), client("GET /2 HTTP/1.1\r\nHost: a.example\r\n\r\n")},
	"a tunnel":                   {client("CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n"), server("HTTP/1.1 200 OK\r\n\r\nSSH-2.0-x\r\n"), client("\x00\x01\n")},
	"no tunnel":                  {client("CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n"), server("HTTP/1.1 407 No\r\nContent-Length: 1\r\n\r\nx"), client("CONNECT b.example:443 HTTP/1.1\r\nHost: b.example\r\n\r\n")},
	"an early answer":            {client("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\n\r\n12"), server("HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n"), client("34GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")},
	"a server's farewell":        {client("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"), server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), server("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n")},
	"no HTTP":                    {client("\x16\x03\x01\x00\x01"), server("\x15\x03")},
	"another protocol":           {client("EHLO me\r\nQUIT\r\n"), server("250 ok\r\n")},
	"a server that speaks first": {server("220 hello\r\n"), client("GET something\r\n")},
}

// What nobody objects to passes byte for byte, in whatever pieces it comes.
func TestUntouched(t *testing.T) {
	for name, lines := range conversations {
		want := whole(lines)
		for _, size := range []int{1, 2, 3, 7, 40, 1 << 20} {
			for _, protocol := range []string{"", "http/1.1"} {
				s := converse(New(protocol, &script{}), size, lines...)
				if got := [2]string{string(s.onward[0]), string(s.onward[1])}; got != want || len(s.told) > 0 || s.next > Stream {
					t.Errorf("%s, pieces of %d: %q, want %q; %q told, %d", name, size, got, want, s.told, s.next)
				}
			}
		}
	}
}

// Every request is offered, with what it asks for, and every response.
func TestOffered(t *testing.T) {
	for _, c := range []struct{ conversation, asked string }{
		{"a kept connection", "GET a.example /1, POST a.example /2, GET a.example /3"},
		{"pipelining", "GET a.example /1, GET a.example /2, GET a.example /3"},
		{"a tunnel", "CONNECT a.example:443 a.example:443"},
		{"no WebSocket", "GET a.example /w, GET a.example /2"},
		{"no HTTP", ""},
	} {
		service := new(script)
		converse(New("", service), 9, conversations[c.conversation]...)
		if got := strings.Join(service.requests(), ", "); got != c.asked {
			t.Errorf("%s: asked %q, want %q", c.conversation, got, c.asked)
		}
	}
	service := new(script)
	converse(New("", service), 9, conversations["interim responses"]...)
	if got := service.answered; len(got) != 4 || got[0] != 100 || got[1] != 103 || got[2] != 200 {
		t.Errorf("told of responses %v", got)
	}
}

// nasty are first messages that could mean different things to the two ends, or are none.
var nasty = []struct{ name, text string }{
	{"two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"},
	{"the same length twice", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n"},
	{"a list of lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n"},
	{"a length with a sign", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n"},
	{"a length in hexadecimal", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\n"},
	{"an endless length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n"},
	{"an empty length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n"},
	{"length and chunks", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"},
	{"chunks and length", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"},
	{"chunked twice", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n"},
	{"two fields of codings", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"},
	{"chunked not last", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n"},
	{"no chunks", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n"},
	{"an unknown coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n"},
	{"a quoted coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n"},
	{"identity", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n"},
	{"a vertical tab before chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \vchunked\r\n\r\n"},
	{"chunks in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"},
	{"a blank before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n"},
	{"a blank before a name", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"},
	{"a folded field", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n"},
	{"a field without a colon", "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n"},
	{"a field without a name", "GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n"},
	{"NUL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n"},
	{"CR in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\rY: 2\r\n\r\n"},
	{"CR CR LF", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"},
	{"lines that end with LF", "GET / HTTP/1.1\nHost: a\n\n"},
	{"one line that ends with LF", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"},
	{"an end with LF", "GET / HTTP/1.1\r\nHost: a\r\n\n"},
	{"two blanks", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"},
	{"a tab in the request line", "GET /\tHTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n"},
	{"a blank at its end", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"},
	{"a target with a blank", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"},
	{"another version", "GET / HTTP/1.2\r\nHost: a\r\n\r\n"},
	{"a version in lower case", "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / http/1.1\r\nHost: a\r\n\r\n"},
	{"a host with a blank", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"},
	{"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"},
	{"a host that contradicts its target", "GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n"},
	{"two empty lines first", "GET / HTTP/1.1\r\nHost: a\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"},
	{"a chunk size that is none", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\ng\r\n"},
	{"an empty chunk size", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\r\n"},
	{"a chunk size with 0x", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\n"},
	{"a chunk size that overflows", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n"},
	{"a chunk size that ends with LF", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n"},
	{"an extension that ends with LF", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;a\nx\r\n0\r\n\r\n"},
	{"a chunk that is longer than it says", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n"},
	{"a trailer that is no field", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nGET / HTTP/1.1\r\n\r\n"},
	{"a trailer that ends with LF", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\n\r\n"},
	{"an extension without end", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;" + strings.Repeat("a", 5000)},
	{"a head without end", "GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", maxHead)},
	{"the preface of HTTP/2 later", "GET / HTTP/1.1\r\nHost: a\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
}

// Messages that could mean different things to the two ends end the connection, with an answer where
// none has begun, and what is wrong of them does not pass.
func TestNastyRequests(t *testing.T) {
	for _, c := range nasty {
		for _, size := range []int{1, 1 << 20} {
			conn := New("", &script{})
			s := converse(conn, size, client(c.text), server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
			if s.next != Close || !bytes.HasPrefix(s.told, []byte("HTTP/1.1 400 ")) || conn.Err() == nil {
				t.Errorf("%s, pieces of %d: %d, told %q, %v", c.name, size, s.next, s.told, conn.Err())
			}
			if strings.HasPrefix(string(s.onward[Client]), c.text) {
				t.Errorf("%s passed", c.name)
			}
		}
	}
}

func TestNastyResponses(t *testing.T) {
	for name, text := range map[string]string{
		"no status line":         "220 hello\r\n\r\n",
		"another version":        "HTTP/2 200 OK\r\n\r\n",
		"no status":              "HTTP/1.1 OK\r\n\r\n",
		"a status of two digits": "HTTP/1.1 99 OK\r\n\r\n",
		"two lengths":            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
		"length and chunks":      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
		"chunks in HTTP/1.0":     "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		"a folded field":         "HTTP/1.1 200 OK\r\nX: 1\r\n 2\r\n\r\n",
		"an upgrade":             "HTTP/1.1 101 Switching Protocols\r\n\r\n",
		"lines that end with LF": "HTTP/1.1 200 OK\n\n",
		"an empty line first":    "\r\nHTTP/1.1 200 OK\r\n\r\n",
	} {
		conn := New("", &script{})
		s := converse(conn, 5, client("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), server(text))
		if s.next != Close || !bytes.HasPrefix(s.told, []byte("HTTP/1.1 502 ")) || conn.Err() == nil || len(s.onward[Server]) > 0 {
			t.Errorf("%s: %d, told %q, %q passed, %v", name, s.next, s.told, s.onward[Server], conn.Err())
		}
	}
	conn := New("", &script{})
	if s := converse(conn, 5, client("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), server("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\naX\r\n")); s.next != Abort || len(s.told) > 0 {
		t.Errorf("within a response: %d, told %q", s.next, s.told)
	}
}

// A request that is answered here, or ends the connection, is not seen by the server, nor what follows.
func TestRefusedRequest(t *testing.T) {
	page := &Answer{Status: 403, Body: []byte("<p>no</p>")}
	const answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" // to the request before, which comes first
	for method, body := range map[string]string{"GET": "<p>no</p>", "HEAD": ""} {
		service := &script{judge: func(x *Exchange, _ *Head) Verdict {
			if x.Target == "/no" {
				return Verdict{Answer: page}
			}
			return Verdict{}
		}}
		request := func(target string) string { return method + " " + target + " HTTP/1.1\r\nHost: a\r\n\r\n" }
		s := converse(New("", service), 11, client(request("/yes")+request("/no")+request("/after")), server(answer))
		if got := string(s.onward[Client]); got != request("/yes") || string(s.onward[Server]) != answer || s.next != Close {
			t.Errorf("%q passed, and %q back, %d", got, s.onward[Server], s.next)
		}
		r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(s.told)), &http.Request{Method: method})
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r.Body)
		if err != nil || r.StatusCode != http.StatusForbidden || r.ContentLength != int64(len(page.Body)) || string(text) != body || !r.Close {
			t.Errorf("told %q, %v", s.told, err)
		}
	}
	s := converse(New("", &script{judge: func(*Exchange, *Head) Verdict { return Verdict{End: true} }}), 3, client("GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
	if s.next != Abort || len(s.onward[Client])+len(s.told) > 0 {
		t.Errorf("an end: %+v", s)
	}
}

// HTTP/2 in clear text is not offered on: it would not be judged.
func TestNoUpgradeToHTTP2(t *testing.T) {
	for ask, want := range map[string]string{
		"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nX: y\r\n\r\n": "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, upgrade ,HTTP2-Settings\r\nUpgrade: h2c, websocket\r\nHTTP2-Settings: \r\n\r\n":  "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
	} {
		s := converse(New("", &script{}), 1000, client(ask))
		if got := string(s.onward[Client]); got != want {
			t.Errorf("%q became %q", ask, got)
		}
	}
}

// When nobody asks any more, the connection is a stream, from wherever it stands.
func TestLastRequest(t *testing.T) {
	service := &script{judge: func(*Exchange, *Head) Verdict { return Verdict{Last: true} }}
	s := converse(New("", service), 1000, client("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), server("HTTP/1.1 200 OK\r\n"), client("what\never"))
	if s.next != Stream || !strings.HasSuffix(string(s.onward[Client]), "what\never") || len(service.requests()) != 1 {
		t.Errorf("%+v", s)
	}
}
