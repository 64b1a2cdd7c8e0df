package mail

// IMAP (RFC 9051, RFC 3501).

import (
	"sluice/classify/decode"
	"sluice/classify/decode/text"
)

var (
	imapSure   = []string{"CAPABILITY", "STARTTLS", "LOGIN", "AUTHENTICATE", "LOGOUT", "EXAMINE", "LSUB", "NAMESPACE", "COMPRESS DEFLATE"}
	imapLikely = []string{"NOOP", "SELECT", "LIST", "XLIST", "STATUS", "APPEND", "FETCH", "UID", "ENABLE", "ID", "IDLE", "SEARCH", "CREATE"}
	imapLast   = []string{"LOGIN", "AUTHENTICATE", "SELECT", "EXAMINE", "LIST", "LOGOUT"}
)

// longestTag is how long a tag may be; clients use a few characters.
const longestTag = 24

var imapDialogue = dialogue{
	ports: []uint16{143}, secure: "IMAPS",
	greeting: func(server []byte) strength {
		switch max(decode.PrefixFold(server, "* OK"), decode.PrefixFold(server, "* PREAUTH"), decode.PrefixFold(server, "* BYE")) {
		case decode.None:
			return wrong
		case decode.Partly:
			return open
		}
		if line := text.First(server); text.Contains(line, "IMAP") || text.Contains(line, "CAPABILITY") {
			return strong
		}
		return weak
	},
	command: func(client []byte) strength {
		word, part := afterTag(client)
		switch part {
		case decode.None:
			return wrong
		case decode.Partly:
			return open
		}
		return commands(word, imapSure, imapLikely)
	},
	last: func(line []byte) bool {
		word, part := afterTag(line)
		return part == decode.Whole && begins(word, imapLast)
	},
}

func imap(s *decode.Session, client, server []byte) decode.Verdict {
	return imapDialogue.follow(s, client, server, func() { tellGreeting(s, server) })
}

// afterTag is the command behind the tag that a client's line begins with.
func afterTag(line []byte) (command []byte, part decode.Part) {
	for i, c := range line {
		switch {
		case c == ' ' && i > 0:
			return line[i+1:], decode.Whole
		case i == longestTag:
			return nil, decode.None
		case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c == '.', c == '_', c == '-', c == '$':
		default:
			return nil, decode.None
		}
	}
	return nil, decode.Partly
}
