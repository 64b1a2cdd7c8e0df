package web

import (
	"bytes"

	"sluice/classify/decode"
)

// longestBody is how many bytes of a request are waited for until the next one.
const longestBody = 1 << 30

// bodyLength is the length of the body of a request with these header fields (RFC 9112 section
// 6.3). It is not known of one that is sent in chunks, or whose length is said twice or is none.
func bodyLength(fields []byte) (n int, known bool) {
	given := false
	for len(fields) > 0 {
		line, rest, _ := decode.Line(fields)
		fields = rest
		colon := bytes.IndexByte(line, ':')
		if colon < 0 {
			continue
		}
		switch name := line[:colon]; {
		case same(name, "TRANSFER-ENCODING"):
			return 0, false
		case same(name, "CONTENT-LENGTH"):
			if given {
				return 0, false
			}
			given = true
			if n, known = decimal(bytes.TrimSpace(line[colon+1:])); !known {
				return 0, false
			}
		}
	}
	return n, true
}

// decimal reads a number up to longestBody.
func decimal(digits []byte) (n int, ok bool) {
	for _, c := range digits {
		if c < '0' || c > '9' || n > longestBody/10 {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, len(digits) > 0
}
