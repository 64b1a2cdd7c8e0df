package decode

// Part says how much of something was there.
type Part uint8

const (
	// None says that the bytes are something else.
	None Part = iota
	// Partly says that the bytes so far are the beginning of it.
	Partly
	// Whole says that all of it is there.
	Whole
)

// Prefix says whether data begins with want, or is the beginning of it. An empty data is Partly.
func Prefix(data []byte, want string) Part {
	n := min(len(data), len(want))
	if string(data[:n]) != want[:n] {
		return None
	}
	if n < len(want) {
		return Partly
	}
	return Whole
}

// Verdict is that of a protocol which a prefix tells.
func (p Part) Verdict() Verdict {
	switch p {
	case Whole:
		return Match
	case Partly:
		return More
	}
	return No
}

// Either is what the client has sent, or else what the server has.
func Either(client, server []byte) []byte {
	if len(client) > 0 {
		return client
	}
	return server
}

// PrefixFold is Prefix without regard to the case of ASCII letters; want is in upper case.
func PrefixFold(data []byte, want string) Part {
	n := min(len(data), len(want))
	for i := range n {
		c := data[i]
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		if c != want[i] {
			return None
		}
	}
	if n < len(want) {
		return Partly
	}
	return Whole
}

// Line cuts the first line off data, without its CR LF or LF. ok is false when it has no end yet.
func Line(data []byte) (line, rest []byte, ok bool) {
	for i, c := range data {
		if c != '\n' {
			continue
		}
		line = data[:i]
		if i > 0 && data[i-1] == '\r' {
			line = data[:i-1]
		}
		return line, data[i+1:], true
	}
	return nil, data, false
}

// Uint16 and its kin read integers at an offset that the caller has checked.

// Uint16 is the big-endian integer at data[at:].
func Uint16(data []byte, at int) uint16 { return uint16(data[at])<<8 | uint16(data[at+1]) }

// Uint24 is the big-endian integer at data[at:].
func Uint24(data []byte, at int) uint32 {
	return uint32(data[at])<<16 | uint32(data[at+1])<<8 | uint32(data[at+2])
}

// Uint32 is the big-endian integer at data[at:].
func Uint32(data []byte, at int) uint32 {
	return uint32(data[at])<<24 | uint32(data[at+1])<<16 | uint32(data[at+2])<<8 | uint32(data[at+3])
}

// Little16 is the little-endian integer at data[at:].
func Little16(data []byte, at int) uint16 { return uint16(data[at]) | uint16(data[at+1])<<8 }

// Little32 is the little-endian integer at data[at:].
func Little32(data []byte, at int) uint32 {
	return uint32(data[at]) | uint32(data[at+1])<<8 | uint32(data[at+2])<<16 | uint32(data[at+3])<<24
}

// Printable says whether all of data is printable ASCII, a tab, or a line end.
func Printable(data []byte) bool {
	for _, c := range data {
		if (c < ' ' || c > '~') && c != '\t' && c != '\r' && c != '\n' {
			return false
		}
	}
	return true
}

// Zero says whether all bytes are zero.
func Zero(data []byte) bool {
	for _, c := range data {
		if c != 0 {
			return false
		}
	}
	return true
}
