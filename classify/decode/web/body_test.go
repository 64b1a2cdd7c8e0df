package web

import "testing"

func TestBodyLength(t *testing.T) {
	for fields, want := range map[string]int{
		"": 0, "Host: a\r\n\r\n": 0, "content-length:  12 \r\n\r\n": 12, "A: b\r\nContent-Length: 0\r\n\r\n": 0,
		"Content-Length: 1\r\nContent-Length: 1\r\n\r\n": -1, "Content-Length: -1\r\n\r\n": -1, "Content-Length:\r\n\r\n": -1,
		"Content-Length: 99999999999\r\n\r\n": -1, "Transfer-Encoding: chunked\r\n\r\n": -1,
	} {
		n, known := bodyLength([]byte(fields))
		if !known {
			n = -1
		}
		if n != want {
			t.Errorf("%q: %d, want %d", fields, n, want)
		}
	}
}
