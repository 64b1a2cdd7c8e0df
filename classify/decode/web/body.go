package web

import (
	"bytes"
	"strconv"

	"sluice/classify/decode"
)

// longestBody is how many bytes of a request are waited for until the next one.
const longestBody = 1 << 30

// framing says where the body of a request with these header fields ends (RFC 9112 section 6.3): after n
// bytes, or with the last of its chunks. It is not known where two lengths are said, or one that is none.
func framing(fields []byte) (n int, inChunks, known bool) {
	given := false
	known = true
	for len(fields) > 0 {
		line, after, _ := decode.Line(fields)
		name, value, rest := field(line, fields, after)
		fields = rest
		switch {
		case same(name, "TRANSFER-ENCODING"):
			last := bytes.TrimSpace(value[bytes.LastIndexByte(value, ',')+1:])
			inChunks = inChunks || same(last, "CHUNKED")
		case same(name, "CONTENT-LENGTH"):
			length, ok := decimal(value)
			known = known && ok && (!given || length == n)
			n, given = length, true
		}
	}
	return n, inChunks, known
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

// chunked is what of a body in chunks (RFC 9112 section 7.1) has passed. A call shows it from the
// beginning of a chunk, or of the lines after the last one.
type chunked struct {
	last bool // the last chunk has passed
	over bool // and what comes after it
}

// longestSize is how long the line with a chunk's size, or one after the last chunk, may get.
const longestSize = 4096

// follow takes as much of the body as there is of it. It returns where it goes on, which may not be there
// yet; it is no body in chunks where ok is false.
func (c *chunked) follow(data []byte) (n int, ok bool) {
	for n < len(data) && !c.over {
		line, rest, whole := decode.Line(data[n:])
		if !whole {
			return n, len(data)-n <= longestSize
		}
		n = len(data) - len(rest)
		if c.last {
			c.over = len(line) == 0
			continue
		}
		size, ok := chunkSize(line)
		if !ok {
			return n, false
		}
		if c.last = size == 0; !c.last {
			n += size + len("\r\n")
		}
	}
	return n, true
}

// pass takes what has come of the body, in a call of its own.
func (c chunked) pass(s *decode.Session, client []byte) decode.Verdict {
	n, ok := c.follow(client)
	if !ok {
		return decode.No
	}
	c.remember(s)
	if n > 0 {
		s.Skip(decode.ToServer, n)
	}
	return decode.MatchMore
}

// remember keeps c for the next call, unless the body is over.
func (c chunked) remember(s *decode.Session) {
	if c.over {
		s.Remember(nil)
	} else {
		s.Remember(c)
	}
}

// chunkSize reads the size at the start of a chunk's first line.
func chunkSize(line []byte) (n int, ok bool) {
	digits, _, _ := bytes.Cut(line, []byte{';'})
	digits = bytes.TrimRight(digits, space)
	size, err := strconv.ParseUint(string(digits), 16, 64)
	return int(size), err == nil && size <= longestBody
}
