package mail

// POP3 (RFC 1939), its extensions (RFC 2449) and STLS (RFC 2595).

import (
	"bytes"

	"sluice/classify/decode"
	"sluice/classify/decode/text"
)

var (
	pop3Sure   = []string{"CAPA", "APOP", "STLS", "UIDL", "XTND"}
	pop3Likely = []string{"USER", "PASS", "AUTH", "QUIT", "STAT", "LIST", "NOOP", "RETR", "DELE", "TOP", "LAST", "RSET", "UTF8", "LANG"}
	pop3Last   = []string{"PASS", "APOP", "STAT", "LIST", "UIDL", "RETR", "QUIT"}
)

var pop3Dialogue = dialogue{
	ports: []uint16{110}, secure: "POP3S",
	greeting: func(server []byte) strength {
		ok, failed := decode.Prefix(server, "+OK "), decode.Prefix(server, "-ERR ")
		switch max(ok, failed) {
		case decode.None:
			return wrong
		case decode.Partly:
			return open
		}
		line := text.First(server)
		// A greeting for APOP ends with a message identifier.
		if at := bytes.IndexByte(line, '<'); text.Contains(line, "POP") || at > 0 && bytes.IndexByte(line[at:], '@') > 0 && bytes.IndexByte(line[at:], '>') > 0 {
			return strong
		}
		return weak
	},
	command: func(client []byte) strength { return commands(client, pop3Sure, pop3Likely) },
	last:    func(line []byte) bool { return begins(line, pop3Last) },
}

func pop3(s *decode.Session, client, server []byte) decode.Verdict {
	return pop3Dialogue.follow(s, client, server, func() { tellGreeting(s, server) })
}

// tellGreeting tells the first line of the server, once it is whole.
func tellGreeting(s *decode.Session, server []byte) {
	if line, _, ok := decode.Line(server); ok {
		s.Value(decode.MailGreeting, line)
	}
}
