package web

import (
	"bytes"
	"math"
)

// token has the characters of methods and field names (RFC 9110 section 5.6.2).
var token = func() (t [256]bool) {
	for c := byte('0'); c <= 'z'; c++ {
		t[c] = c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a'
	}
	for _, c := range "!#$%&'*+-.^_`|~" {
		t[c] = true
	}
	return t
}()

func isToken(b []byte) bool {
	for _, c := range b {
		if !token[c] {
			return false
		}
	}
	return len(b) > 0
}

// isMethod says whether b is, or begins, a method as all that are registered look.
func isMethod(b []byte) bool {
	for _, c := range b {
		if (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// visible says whether b has neither blanks nor control characters.
func visible(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c == 0x7f {
			return false
		}
	}
	return true
}

// isText says whether b may be the value of a field (RFC 9110 section 5.5).
func isText(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// collector puts the head of a message together.
type collector struct {
	held  []byte // what has come of it, where that was not all
	line  int    // where its last line begins, in what is held
	blank bool   // it began with an empty line
}

// head takes what of data belongs to the head. raw is the whole head once it is there, with the empty
// line that may come before a request (RFC 9112 section 2.2).
func (c *collector) head(data []byte) (taken int, raw []byte, reason string) {
	before := len(c.held)
	all := data
	if before > 0 {
		c.held = append(c.held, data...)
		all = c.held
	}
	for at := max(c.line, before); ; {
		i := bytes.IndexByte(all[at:], '\n')
		if i < 0 {
			break
		}
		i += at
		at = i + 1
		switch {
		case i == c.line || all[i-1] != '\r':
			return 0, nil, "a line of the head ends without CR"
		case i-1 > c.line:
		case c.line == 0:
			c.blank = true
		case c.blank && c.line == len("\r\n"):
			return 0, nil, "more than one empty line before a message"
		default:
			*c = collector{}
			return at - before, all[:at], ""
		}
		c.line = at
	}
	if len(all) > maxHead {
		return 0, nil, "a head of more than 256 KiB"
	}
	if before == 0 {
		c.held = append([]byte(nil), data...)
	}
	return len(data), nil, ""
}

// lines are the fields of a head of HTTP/1, each without its end.
func (h *Head) lines(yield func([]byte) bool) {
	rest := bytes.TrimPrefix(h.Raw, []byte("\r\n"))
	_, rest, _ = bytes.Cut(rest, []byte("\r\n"))
	for {
		line, after, found := bytes.Cut(rest, []byte("\r\n"))
		if !found || len(line) == 0 || !yield(line) {
			return
		}
		rest = after
	}
}

// cutField takes a field line apart.
func cutField(line []byte) (name, value []byte, ok bool) {
	name, value, ok = bytes.Cut(line, []byte(":"))
	return name, bytes.Trim(value, " \t"), ok
}

// fields is what the fields of a head of HTTP/1 say about its message.
type fields struct {
	length       int64 // of the body; -1 where it is not given
	chunked      bool  // the body comes in chunks
	coded        bool  // it has a transfer coding, be it chunked or another
	host         []byte
	hosts        int
	upgrade      []byte // what the connection is to be turned into; nil where that is not asked for
	connection   bool   // "upgrade" is an option of the connection
	lengths      int
	codingFields int
}

// read reads the fields of a head. reason says why they cannot be trusted.
func (f *fields) read(h *Head, by Side) (reason string) {
	f.length = -1
	for line := range h.lines {
		if line[0] == ' ' || line[0] == '\t' {
			return "a field is continued on another line"
		}
		name, value, ok := cutField(line)
		switch {
		case !ok:
			return "a line of the head is no field"
		case !isToken(name):
			return "a field name has other characters than those of a token"
		case !isText(value):
			return "a field value has control characters"
		}
		switch len(name) { // most fields are none of these
		case len("host"), len("upgrade"), len("connection"), len("content-length"), len("transfer-encoding"):
			if reason = f.note(name, value, by); reason != "" {
				return reason
			}
		}
	}
	if f.coded && f.lengths > 0 {
		return "Transfer-Encoding and Content-Length in one message"
	}
	if !f.connection {
		f.upgrade = nil
	}
	return ""
}

// note notes a field.
func (f *fields) note(name, value []byte, by Side) (reason string) {
	switch {
	case is(name, "host"):
		f.host = value
		f.hosts++
	case is(name, "upgrade"):
		f.upgrade = value
	case is(name, "connection"):
		f.connection = f.connection || listed(value, "upgrade")
	case is(name, "content-length"):
		n, ok := decimal(value)
		if !ok {
			return "a Content-Length that is no number"
		}
		if f.lengths++; f.lengths > 1 && (by == Client || n != f.length) {
			return "more than one Content-Length"
		}
		f.length = n
	case is(name, "transfer-encoding"):
		if f.codingFields++; f.codingFields > 1 {
			return "more than one Transfer-Encoding"
		}
		f.coded = true
		f.chunked, reason = codings(value)
	}
	return reason
}

// is compares a field name with one in lower case.
func is(name []byte, lower string) bool {
	if len(name) != len(lower) {
		return false
	}
	for i, c := range name {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// listed says whether a comma-separated list has a member.
func listed(list []byte, lower string) bool {
	for member := range bytes.SplitSeq(list, []byte(",")) {
		if is(bytes.Trim(member, " \t"), lower) {
			return true
		}
	}
	return false
}

// decimal reads a length (RFC 9110 section 8.6).
func decimal(digits []byte) (n int64, ok bool) {
	for _, c := range digits {
		if c < '0' || c > '9' || n > (math.MaxInt64-9)/10 {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, len(digits) > 0
}

// codings says whether the transfer codings of a message end with chunked, which may come once (RFC 9112
// sections 6.1 and 7).
func codings(list []byte) (chunked bool, reason string) {
	for member := range bytes.SplitSeq(list, []byte(",")) {
		switch coding := bytes.Trim(member, " \t"); {
		case chunked:
			return false, "chunked is not the last transfer coding"
		case is(coding, "chunked"):
			chunked = true
		case is(coding, "gzip"), is(coding, "x-gzip"), is(coding, "deflate"), is(coding, "compress"), is(coding, "x-compress"):
		default:
			return false, "a transfer coding that is not known"
		}
	}
	return chunked, ""
}
