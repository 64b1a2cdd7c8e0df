// Package text helps to recognise protocols of lines: commands, replies with codes, and the place
// where such a session goes on under TLS.
package text

import "sluice/classify/decode"

// Command says which of words, in upper case, the line at the start of data begins with, in any
// case and as a word of its own. A word may hold a space ("MODE READER"). The answer is Partly
// while data is the beginning of one of them.
func Command(data []byte, words []string) (word string, part decode.Part) {
	for _, w := range words {
		switch decode.PrefixFold(data, w) {
		case decode.Partly:
			part = decode.Partly
		case decode.Whole:
			if len(data) == len(w) {
				part = decode.Partly
				continue
			}
			switch data[len(w)] {
			case ' ', '\r', '\n', ':':
				return w, decode.Whole
			}
		}
	}
	return "", part
}

// Reply reads the code of three digits that a reply begins with, and the space, hyphen or line
// end behind it (RFC 5321 section 4.2, RFC 959 section 4.2).
func Reply(data []byte) (code int, part decode.Part) {
	for i := range 3 {
		if i >= len(data) {
			return 0, decode.Partly
		}
		if data[i] < '0' || data[i] > '9' {
			return 0, decode.None
		}
		code = code*10 + int(data[i]-'0')
	}
	if len(data) == 3 {
		return code, decode.Partly
	}
	switch data[3] {
	case ' ', '-', '\r', '\n':
		return code, decode.Whole
	}
	return 0, decode.None
}

// First is the first line of data, or what there is of it.
func First(data []byte) []byte {
	if line, _, ok := decode.Line(data); ok {
		return line
	}
	return data
}

// Contains says whether data holds want, which is in upper case, in any case.
func Contains(data []byte, want string) bool {
	for i := 0; i+len(want) <= len(data); i++ {
		if decode.PrefixFold(data[i:], want) == decode.Whole {
			return true
		}
	}
	return false
}

// StartOfTLS is where, at the start of a line, a TLS handshake record begins in data, or -1.
func StartOfTLS(data []byte) int {
	const handshake, major = 0x16, 0x03
	for i := range data {
		if data[i] == handshake && i+1 < len(data) && data[i+1] == major && (i == 0 || data[i-1] == '\n') {
			return i
		}
	}
	return -1
}

// Upgraded says whether the session has gone on to TLS (STARTTLS and its kin), and tells so: its
// protocol is then named secure, and TLS begins where the lines end on either side.
func Upgraded(s *decode.Session, client, server []byte, secure string) bool {
	c, v := StartOfTLS(client), StartOfTLS(server)
	if c < 0 && v < 0 {
		return false
	}
	if c < 0 {
		c = len(client)
	}
	if v < 0 {
		v = len(server)
	}
	s.Protocol(secure)
	s.Upgrade(c, v)
	return true
}

// Field is the n'th word of line, counted from 0, words being parted by spaces or tabs; nil when
// there are fewer.
func Field(line []byte, n int) []byte {
	for i := 0; i < len(line); {
		for i < len(line) && (line[i] == ' ' || line[i] == '\t') {
			i++
		}
		start := i
		for i < len(line) && line[i] != ' ' && line[i] != '\t' {
			i++
		}
		if n == 0 && i > start {
			return line[start:i]
		}
		n--
	}
	return nil
}

// Number reads an unsigned decimal number at the start of data; n is how many digits it has, 0
// when there is none. Numbers above 2^31 are cut to that.
func Number(data []byte) (value, n int) {
	for n < len(data) && data[n] >= '0' && data[n] <= '9' {
		value = min(value*10+int(data[n]-'0'), 1<<31)
		n++
	}
	return value, n
}

// Begins says whether data begins with one of the words, or may yet.
func Begins(data []byte, words ...string) decode.Verdict {
	best := decode.No
	for _, w := range words {
		switch decode.Prefix(data, w) {
		case decode.Whole:
			return decode.Match
		case decode.Partly:
			best = decode.More
		}
	}
	return best
}

// Either is what the two sides of a stream say together, each by check, which is told the side:
// none that has spoken may say No, and one that is certain is enough.
func Either(client, server []byte, check func(data []byte, from decode.Direction) decode.Verdict) decode.Verdict {
	verdict := decode.More
	for from, data := range [2][]byte{client, server} {
		if len(data) == 0 {
			continue
		}
		v := check(data, decode.Direction(from))
		if v == decode.No {
			return decode.No
		}
		verdict = max(verdict, v)
	}
	return verdict
}

// BothBegin is Either for sides that begin with one of the same words.
func BothBegin(client, server []byte, words ...string) decode.Verdict {
	return Either(client, server, func(data []byte, _ decode.Direction) decode.Verdict { return Begins(data, words...) })
}
