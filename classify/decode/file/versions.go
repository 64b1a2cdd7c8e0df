package file

// Version control and rsync: the rsync daemon protocol, the Git pack protocol (gitprotocol-pack),
// the Subversion ra_svn protocol, the CVS pserver protocol and Perforce.

import (
	"bytes"

	"sluice/classify/decode"
	"sluice/classify/decode/text"
)

// rsync begins on both sides with a greeting and its version.
func rsync(_ *decode.Session, client, server []byte) decode.Verdict {
	return text.BothBegin(client, server, "@RSYNCD: ")
}

// git begins with a packet: its length in four hexadecimal digits, the command and the path.
func git(_ *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) == 0 {
		return decode.More
	}
	for i := range min(4, len(client)) {
		if c := client[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return decode.No
		}
	}
	if len(client) < 5 {
		return decode.More
	}
	return text.Begins(client[4:], "git-upload-pack ", "git-receive-pack ", "git-upload-archive ")
}

// svn begins with the server's versions and abilities, to which the client answers with its own.
func svn(_ *decode.Session, client, server []byte) decode.Verdict {
	asked, greeted := decode.More, decode.More
	if len(client) > 0 {
		asked = text.Begins(client, "( 2 ( ", "( 1 ( ", "( 3 ( ")
	}
	if len(server) > 0 {
		greeted = text.Begins(server, "( success ( ", "( failure ( ")
	}
	switch {
	case asked == decode.No || greeted == decode.No:
		return decode.No
	case greeted == decode.Match:
		return decode.Match
	case asked == decode.Match && text.Contains(client, "SVN"):
		return decode.Match
	}
	return decode.More
}

func cvs(_ *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) == 0 {
		return decode.More
	}
	return text.Begins(client, "BEGIN AUTH REQUEST\n", "BEGIN VERIFICATION REQUEST\n", "BEGIN GSSAPI REQUEST\n")
}

// perforce messages begin with a length of four bytes, little-endian, and in front of it the sum
// of its bytes by exclusive or. Variables follow: name, zero, length, value, zero.
func perforce(_ *decode.Session, client, server []byte) decode.Verdict {
	return text.Either(client, server, func(data []byte, _ decode.Direction) decode.Verdict {
		if len(data) < 5 {
			return decode.More
		}
		if data[0] != data[1]^data[2]^data[3]^data[4] || decode.Little32(data, 1) > 1<<20 || decode.Little32(data, 1) < 16 {
			return decode.No
		}
		rest := data[5:]
		for range 2 {
			end := bytes.IndexByte(rest, 0)
			switch {
			case end < 0 && len(rest) > 32 || end > 32 || !decode.Printable(rest[:max(end, 0)]):
				return decode.No
			case end < 0 || len(rest) < end+5:
				return decode.More
			}
			length := int(decode.Little32(rest, end+1))
			if length > 1<<12 {
				return decode.No
			}
			if len(rest) < end+6+length {
				return decode.More
			}
			if rest[end+5+length] != 0 {
				return decode.No
			}
			rest = rest[end+6+length:]
		}
		return decode.Match
	})
}
