package web

// chunks follows a body that comes in chunks, up to the end of its trailers (RFC 9112 section 7.1).
type chunks struct {
	state chunkState
	size  uint64 // of the chunk, what is left of it
	line  int    // bytes of the line that is read, or of the trailers
	some  bool   // the size has a digit
}

type chunkState uint8

const (
	chunkSize chunkState = iota
	chunkPadding
	chunkExtension
	chunkSizeLF
	chunkData
	chunkDataCR
	chunkDataLF
	trailerStart // of a line
	trailerName
	trailerValue
	trailerLF
	lastLF
)

// maxChunkLine bounds the line before a chunk.
const maxChunkLine = 4 << 10

// pass says how much of data belongs to the body, and whether that is over with it.
func (c *chunks) pass(data []byte) (n int, over bool, reason string) {
	for n < len(data) {
		if c.state == chunkData {
			part := min(c.size, uint64(len(data)-n))
			n += int(part)
			if c.size -= part; c.size == 0 {
				c.state = chunkDataCR
			}
			continue
		}
		b := data[n]
		n++
		if c.line++; c.line > maxHead || c.line > maxChunkLine && c.state < chunkData {
			return n, false, "a line of a chunked body is too long"
		}
		switch c.state {
		case chunkSize:
			reason = c.digit(b)
		case chunkPadding: // some servers pad the size
			if b != ' ' && b != '\t' {
				reason = c.sizeEnd(b)
			}
		case chunkExtension:
			if b == '\r' {
				c.state = chunkSizeLF
			} else if b < ' ' && b != '\t' || b == 0x7f {
				reason = "a chunk extension has control characters"
			}
		case chunkSizeLF:
			if c.line = 0; c.size == 0 {
				c.state = trailerStart
			} else {
				c.state = chunkData
			}
			reason = must(b, '\n')
		case chunkDataCR:
			c.state = chunkDataLF
			reason = must(b, '\r')
		case chunkDataLF:
			*c = chunks{}
			reason = must(b, '\n')
		case trailerStart:
			switch {
			case b == '\r':
				c.state = lastLF
			case token[b]:
				c.state = trailerName
			default:
				reason = "a trailer is no field"
			}
		case trailerName:
			if b == ':' {
				c.state = trailerValue
			} else if !token[b] {
				reason = "a trailer is no field"
			}
		case trailerValue:
			if b == '\r' {
				c.state = trailerLF
			} else if b < ' ' && b != '\t' || b == 0x7f {
				reason = "a trailer has control characters"
			}
		case trailerLF:
			c.state = trailerStart
			reason = must(b, '\n')
		case lastLF:
			return n, true, must(b, '\n')
		}
		if reason != "" {
			return n, false, reason
		}
	}
	return n, false, ""
}

// must is the reason where the end of a line is not as it must be.
func must(b, want byte) string {
	if b != want {
		return "a line of a chunked body does not end with CRLF"
	}
	return ""
}

// noSize is the reason where a chunk does not begin with its size.
const noSize = "a chunk size that is no number"

// digit takes a character of a chunk's size, or what follows it.
func (c *chunks) digit(b byte) (reason string) {
	var v byte
	switch {
	case b >= '0' && b <= '9':
		v = b - '0'
	case b >= 'a' && b <= 'f':
		v = b - 'a' + 10
	case b >= 'A' && b <= 'F':
		v = b - 'A' + 10
	case !c.some:
		return noSize
	case b == ' ' || b == '\t':
		c.state = chunkPadding
		return ""
	default:
		return c.sizeEnd(b)
	}
	if c.size >= 1<<59 {
		return "a chunk of more bytes than can be"
	}
	c.size, c.some = c.size<<4|uint64(v), true
	return ""
}

// sizeEnd takes what follows a size.
func (c *chunks) sizeEnd(b byte) (reason string) {
	switch b {
	case '\r':
		c.state = chunkSizeLF
	case ';':
		c.state = chunkExtension
	default:
		return noSize
	}
	return ""
}
