package remote

// rlogin: RFC 1282. rsh and rexec: the manual pages rcmd(3), rshd(8) and rexecd(8) of BSD, as no
// RFC describes them.

import (
	"bytes"

	"sluice/classify/decode"
)

// rlogin recognises the opening: a zero byte, the names of the user here and there, and the
// terminal with its speed, each ended by a zero byte.
func rlogin(_ *decode.Session, client, server []byte) decode.Verdict {
	if len(server) > 0 && server[0] != 0 || len(client) > 0 && client[0] != 0 {
		return decode.No
	}
	if len(client) == 0 {
		return decode.More
	}
	fields, ok := zeroStrings(client[1:], 3)
	if !ok {
		return decode.No
	}
	if len(fields[2]) == 0 || len(fields[0]) == 0 {
		if len(client) == 1 || bytes.Count(client[1:], []byte{0}) < 3 {
			return decode.More
		}
		return decode.No
	}
	terminal, speed, found := bytes.Cut(fields[2], []byte("/"))
	if !found || len(terminal) == 0 || len(speed) < 2 || !digits(speed) {
		return decode.No
	}
	return decode.Match
}

// rsh recognises the opening: the port for errors in digits, the names of the user here and there,
// and the command. The server answers with a zero byte, or 1 and a message.
func rsh(_ *decode.Session, client, server []byte) decode.Verdict {
	return command(client, server)
}

// rexec is the same with a password in place of the second name.
func rexec(_ *decode.Session, client, server []byte) decode.Verdict {
	return command(client, server)
}

func command(client, server []byte) decode.Verdict {
	if len(client) == 0 || len(server) > 0 && server[0] > 1 {
		return decode.No
	}
	fields, ok := zeroStrings(client, 4)
	if !ok || len(fields[0]) > 5 || !digits(fields[0]) {
		return decode.No
	}
	if bytes.Count(client, []byte{0}) < 4 {
		return decode.More
	}
	if len(fields[1]) == 0 || len(fields[2]) == 0 || len(fields[3]) == 0 {
		return decode.No
	}
	return decode.Match
}

// maxField is the longest name, password or terminal.
const maxField = 64

// zeroStrings cuts n strings off data that a zero byte ends each; those that are not whole stay
// empty. ok is false when what is there cannot be such strings.
func zeroStrings(data []byte, n int) (fields [4][]byte, ok bool) {
	for i := range n {
		end := bytes.IndexByte(data, 0)
		last := i == n-1
		if end < 0 {
			return fields, decode.Printable(data) && (len(data) <= maxField || last && len(data) < 4096)
		}
		if !decode.Printable(data[:end]) || end > maxField && !last {
			return fields, false
		}
		fields[i], data = data[:end], data[end+1:]
	}
	return fields, true
}

func digits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
