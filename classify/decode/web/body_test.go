package web

import (
	"strings"
	"testing"

	"sluice/classify/decode"
	. "sluice/classify/decode/decodetest"
)

func TestFraming(t *testing.T) {
	for _, c := range []struct {
		fields string
		length int
		chunks bool
		known  bool
	}{
		{"", 0, false, true},
		{"content-length: 12\r\n", 12, false, true},
		{"Host: a\r\nContent-Length:0\r\n", 0, false, true},
		{"Content-Length: 1\r\nContent-Length: 1\r\n", 1, false, true},
		{"Content-Length: 1\r\nContent-Length: 2\r\n", 2, false, false},
		{"Content-Length: -1\r\n", 0, false, false},
		{"Content-Length: 99999999999999999999\r\n", 0, false, false},
		{"Transfer-Encoding: chunked\r\n", 0, true, true},
		{"Content-Length: 3\r\nTransfer-Encoding:\r\n\tgzip, Chunked\r\n", 3, true, true},
		{"Transfer-Encoding: identity\r\nContent-Length: 3\r\n", 3, false, true},
	} {
		if n, chunks, known := framing([]byte(c.fields)); known != c.known || chunks != c.chunks || known && n != c.length {
			t.Errorf("%q: %d %v %v", c.fields, n, chunks, known)
		}
	}
}

// A body in chunks is followed to its end however it is cut, as what comes after it is another request.
func TestChunks(t *testing.T) {
	const next = "GET / HTTP/1.1"
	for body, want := range map[string]int{
		"0\r\n\r\n" + next:                                 5,
		"3\r\nabc\r\n0\r\n\r\n" + next:                     13,
		"A ;x=y\r\n0123456789\r\n0\r\nX: y\r\n\r\n" + next: 31,
		"1\nabc\r\n":                       -1, // the chunk is longer than it says
		"x\r\n":                            -1,
		"\r\n":                             -1,
		"ffffffffffff\r\n":                 -1,
		strings.Repeat("1", longestSize+1): -1,
	} {
		for cut := 1; cut <= len(body); cut++ {
			var c chunked
			at, failed := 0, false
			for end := min(cut, len(body)); ; end = min(end+cut, len(body)) {
				if at <= end {
					n, ok := c.follow([]byte(body[at:end]))
					failed = failed || !ok
					at += n
				}
				if failed || c.over || end == len(body) {
					break
				}
			}
			if failed != (want < 0) || !failed && (!c.over || at != want) {
				t.Fatalf("%q in pieces of %d: at %d, over %v, failed %v", body, cut, at, c.over, failed)
			}
		}
	}
}

// Whatever servers take for a request is one.
func TestOddRequests(t *testing.T) {
	long := "/" + strings.Repeat("a", 7000)
	for _, odd := range []string{
		"\r\n\r\nGET / HTTP/1.1\r\nHost: a.example\r\n\r\n",
		"GET / HTTP/1.1\r\nHost:\r\n a.example\r\n\r\n",
		"GET / HTTP/1.1\r\nHost : a.example\r\n\r\n",
		"GET / HTTP/1.1\nHost: a.example\n\n",
		"FROB / HTTP/1.1\r\nHost: a.example\r\n\r\n",
		"GET\t/\v\fHTTP/1.1 \r\nHost: a.example\r\n\r\n",
		"GET /\xff\xfe HTTP/1.1\r\nX\xff: \x01\r\nHost: a.example\r\n\r\n",
		"GET / HTTP/1.10\r\nHost: a.example\r\n\r\n",
		"GET " + long + " HTTP/1.1\r\nHost: a.example\r\n\r\n",
	} {
		if o := Stream(t, Decoders[:1], 80, "HTTP", Client(odd)); o.Value(decode.HTTPHost) != "a.example" {
			t.Errorf("%.40q: %q", odd, o.Values)
		}
	}
}
