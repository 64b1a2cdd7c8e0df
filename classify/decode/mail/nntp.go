package mail

// NNTP (RFC 3977), its authentication (RFC 4643), streaming (RFC 4644) and STARTTLS (RFC 4642).

import (
	"sluice/classify/decode"
	"sluice/classify/decode/text"
)

var (
	nntpSure   = []string{"MODE READER", "MODE STREAM", "AUTHINFO USER", "AUTHINFO SASL", "XOVER", "XHDR", "IHAVE", "TAKETHIS", "NEWNEWS", "NEWGROUPS", "LISTGROUP", "XFEATURE"}
	nntpLikely = []string{"CAPABILITIES", "LIST", "GROUP", "ARTICLE", "HEAD", "BODY", "STAT", "CHECK", "DATE", "HELP", "QUIT", "POST", "NEXT", "LAST", "OVER", "HDR", "STARTTLS", "SLAVE"}
	nntpLast   = []string{"AUTHINFO", "GROUP", "ARTICLE", "LIST", "QUIT", "IHAVE", "CHECK", "TAKETHIS", "XOVER", "POST"}
)

var nntpDialogue = dialogue{
	ports: []uint16{119, 433}, secure: "NNTPS",
	greeting: func(server []byte) strength {
		code, part := text.Reply(server)
		switch {
		case part == decode.Partly:
			return open
		case part == decode.None || code != 200 && code != 201 && code != 400 && code != 480 && code != 502:
			return wrong
		}
		if line := text.First(server); text.Contains(line, "NNTP") || text.Contains(line, "NNRP") || text.Contains(line, "NEWSGROUP") {
			return strong
		}
		return weak
	},
	command: func(client []byte) strength { return commands(client, nntpSure, nntpLikely) },
	last:    func(line []byte) bool { return begins(line, nntpLast) },
}

func nntp(s *decode.Session, client, server []byte) decode.Verdict {
	return nntpDialogue.follow(s, client, server, func() { tellGreeting(s, server) })
}
