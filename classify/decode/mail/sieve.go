package mail

// ManageSieve (RFC 5804).

import "sluice/classify/decode"

var (
	sieveLikely = []string{"AUTHENTICATE", "STARTTLS", "LOGOUT", "CAPABILITY", "HAVESPACE", "NOOP"}
	sieveLast   = []string{"AUTHENTICATE", "LOGOUT"}
)

var sieveDialogue = dialogue{
	ports: []uint16{4190}, secure: "MANAGESIEVE",
	greeting: func(server []byte) strength {
		switch decode.PrefixFold(server, "\"IMPLEMENTATION\" \"") {
		case decode.None:
			return wrong
		case decode.Partly:
			return open
		}
		return strong
	},
	command: func(client []byte) strength { return commands(client, nil, sieveLikely) },
	last:    func(line []byte) bool { return begins(line, sieveLast) },
}

func sieve(s *decode.Session, client, server []byte) decode.Verdict {
	return sieveDialogue.follow(s, client, server, func() { tellGreeting(s, server) })
}
