package proxy

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"sluice/web"
)

// What is asked for is shown however long the rest is, and a head that is short as it came.
func TestShownHeads(t *testing.T) {
	var w headWriter
	padding := "X-Padding: " + strings.Repeat("p", 40000) + "\r\n"
	x := &web.Exchange{Version: web.HTTP1, Method: http.MethodGet, Target: "/path"}
	short := []byte("GET /path HTTP/1.1\r\nhOST:  a.example\r\n\r\n")
	if got := w.write(x, &web.Head{Raw: short}); !bytes.Equal(got, short) {
		t.Errorf("a short head is shown as %q", got)
	}
	long := []byte("GET /path HTTP/1.1\r\n" + padding + "hOST:  a.example\r\n\r\n")
	if got := string(w.write(x, &web.Head{Raw: long})); got != "GET /path HTTP/1.1\r\nhost: a.example\r\n\r\n" {
		t.Errorf("a long head is shown as %q", got)
	}
	if got := string(shorten([]byte("HTTP/1.1 200 OK\r\nServer: s\r\n" + padding + "\r\n"))); got != "HTTP/1.1 200 OK\r\nServer: s\r\n\r\n" {
		t.Errorf("a long response is shown as %q", got)
	}
	line := "HTTP/1.1 200 " + strings.Repeat("r", 40000)
	if got := string(shorten([]byte(line + "\r\n\r\n"))); got != line[:maxHead]+"\r\n\r\n" {
		t.Errorf("a response with a long first line is shown as %q", got)
	}
	x.Version = web.HTTP2
	many := strings.Repeat("m", 20000)
	got := w.write(x, &web.Head{Fields: []web.Field{{Name: ":method", Value: "GET"}, {Name: ":path", Value: "/" + many}, {Name: "x-other", Value: "y"}, {Name: ":authority", Value: "a.example"}, {Name: "user-agent", Value: many}, {Name: "content-type", Value: many}}})
	frame, err := http2.NewFramer(nil, bytes.NewReader(got[len(http2.ClientPreface):])).ReadFrame()
	if err != nil || frame.Header().Type != http2.FrameHeaders || frame.Header().Length > 1<<14 {
		t.Errorf("many bytes are shown as %v, %v", frame, err)
	}
}
