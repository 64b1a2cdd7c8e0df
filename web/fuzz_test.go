package web

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/http2"
)

// notFound answers every request, be it for a tunnel or with HEAD.
const notFound = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"

// FuzzRequests: what passes of requests is what came, in whatever pieces, and net/http sees the same
// requests in it.
func FuzzRequests(f *testing.F) {
	for _, c := range nasty {
		f.Add([]byte(c.text), uint8(7))
	}
	for _, lines := range conversations {
		f.Add([]byte(whole(lines)[Client]), uint8(3))
	}
	f.Fuzz(func(t *testing.T, asked []byte, piece uint8) {
		if bytes.Contains(bytes.ToLower(asked), []byte("h2c")) {
			return // it does not pass as it came
		}
		pass := func(size int) (said, *script) {
			service := new(script)
			lines := []line{client(string(asked))}
			for range bytes.Count(asked, []byte("\n")) {
				lines = append(lines, server(notFound))
			}
			return converse(New("http/1.1", service), size, lines...), service
		}
		all, service := pass(len(asked) + 1)
		pieces, other := pass(int(piece) + 1)
		if !bytes.HasPrefix(asked, all.onward[Client]) {
			t.Fatalf("%q passed of %q", all.onward[Client], asked)
		}
		if !bytes.Equal(all.told, pieces.told) || strings.Join(service.asked, "\n") != strings.Join(other.asked, "\n") ||
			all.next == Continue && !bytes.Equal(all.onward[Client], pieces.onward[Client]) {
			t.Fatalf("as a whole %+v %q, in pieces %+v %q", all, service.asked, pieces, other.asked)
		}
		reader := bufio.NewReader(bytes.NewReader(asked))
		for _, mine := range service.asked {
			r, err := http.ReadRequest(reader)
			if err != nil {
				return
			}
			method, rest, _ := strings.Cut(mine, " ")
			if _, target, _ := strings.Cut(rest, " "); r.Method != method || r.RequestURI != target {
				t.Fatalf("%q asks for %q here, for %s %s there", asked, mine, r.Method, r.RequestURI)
			}
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return
			}
		}
		if _, err := http.ReadRequest(reader); err == nil && all.next == Continue && len(all.onward[Client]) == len(asked) {
			t.Fatalf("net/http sees more requests than %q in %q", service.asked, asked)
		}
	})
}

// FuzzResponses: what passes of responses is what came, and net/http sees the same bodies end.
func FuzzResponses(f *testing.F) {
	for _, lines := range conversations {
		f.Add([]byte(whole(lines)[Server]), uint8(3))
	}
	f.Fuzz(func(t *testing.T, answered []byte, piece uint8) {
		ask := strings.Repeat("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 1+bytes.Count(answered, []byte("\n")))
		service := new(script)
		said := converse(New("http/1.1", service), int(piece)+1, client(ask), server(string(answered)))
		if !bytes.HasPrefix(answered, said.onward[Server]) {
			t.Fatalf("%q passed of %q", said.onward[Server], answered)
		}
		reader := bufio.NewReader(bytes.NewReader(answered))
		for i, mine := range service.answered {
			if mine < 200 || mine > 999 {
				continue
			}
			r, err := http.ReadResponse(reader, &http.Request{Method: http.MethodGet})
			for err == nil && r.StatusCode < 200 {
				r, err = http.ReadResponse(reader, &http.Request{Method: http.MethodGet})
			}
			if err != nil {
				return
			}
			if r.StatusCode != mine {
				t.Fatalf("response %d of %q: %d here, %d there", i, answered, mine, r.StatusCode)
			}
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return
			}
		}
	})
}

// FuzzHTTP2: nothing that two sides say does harm, and it does not matter in which pieces they say it.
func FuzzHTTP2(f *testing.F) {
	c, s := greet()
	c.ask(1).ask(3).ask(5)
	s.head(1, true, ":status 200")
	f.Add([]byte(c.say(Client).text), []byte(s.say(Server).text), uint8(5))
	f.Fuzz(func(t *testing.T, asked, answered []byte, piece uint8) {
		pass := func(size int) said {
			return converse(New("h2", &script{judge: no}), size, server("\x00\x00\x00\x04\x00\x00\x00\x00\x00"), client(http2.ClientPreface+string(asked)), server(string(answered)))
		}
		all, pieces := pass(1<<20), pass(int(piece)+1)
		if all.next == pieces.next && all.next == Continue && !bytes.Equal(all.onward[Client], pieces.onward[Client]) {
			t.Fatalf("as a whole %q, in pieces %q", all.onward[Client], pieces.onward[Client])
		}
	})
}
