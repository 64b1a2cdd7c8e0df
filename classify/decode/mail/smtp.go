package mail

// SMTP (RFC 5321), STARTTLS (RFC 3207) and LMTP (RFC 2033).

import (
	"bytes"

	"sluice/classify/decode"
	"sluice/classify/decode/text"
)

var (
	smtpSure   = []string{"EHLO", "HELO", "LHLO", "MAIL FROM", "RCPT TO", "XCLIENT"}
	smtpLikely = []string{"STARTTLS", "HELP", "NOOP", "QUIT", "RSET", "VRFY", "EXPN", "DATA", "BDAT", "ETRN"}
	smtpLast   = []string{"MAIL", "RCPT", "DATA", "BDAT", "QUIT"}
)

var smtpDialogue = dialogue{
	ports: []uint16{25, 587, 2525}, secure: "SMTPS",
	greeting: func(server []byte) strength {
		code, part := text.Reply(server)
		switch {
		case part == decode.Partly:
			return open
		case part == decode.None || code != 220 && code != 421 && code != 554:
			return wrong
		}
		line := text.First(server)
		if text.Contains(line, "SMTP") || text.Contains(line, "LMTP") {
			return strong
		}
		return weak
	},
	command: func(client []byte) strength { return commands(client, smtpSure, smtpLikely) },
	last:    func(line []byte) bool { return begins(line, smtpLast) },
}

func smtp(s *decode.Session, client, server []byte) decode.Verdict {
	return smtpDialogue.follow(s, client, server, func() {
		if line, _, ok := decode.Line(server); ok && len(line) > 4 {
			s.Value(decode.MailGreeting, line)
			if host := text.Field(line[4:], 0); bytes.IndexByte(host, '.') > 0 {
				s.Host(decode.MailHost, host)
			}
		}
		if text.Contains(text.First(server), "LMTP") || decode.PrefixFold(client, "LHLO ") == decode.Whole {
			s.Protocol("LMTP")
		}
	})
}
