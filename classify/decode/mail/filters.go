package mail

// What mail servers ask their filters with: the SpamAssassin protocol (spamd/PROTOCOL), the clamd
// protocol (clamd(8)), the Postfix policy delegation protocol (SMTPD_POLICY_README) and the
// Sendmail milter protocol.

import (
	"sluice/classify/decode"
	"sluice/classify/decode/text"
)

var spamdMethods = []string{"CHECK", "HEADERS", "PING", "PROCESS", "REPORT", "REPORT_IFSPAM", "SKIP", "SYMBOLS", "TELL"}

// spamd begins with METHOD SPAMC/1.x, its answer with SPAMD/1.x.
func spamd(_ *decode.Session, client, server []byte) decode.Verdict {
	if decode.Prefix(server, "SPAMD/1.") == decode.Whole {
		return decode.Match
	}
	if len(client) == 0 {
		return text.Begins(server, "SPAMD/1.")
	}
	best := decode.No
	for _, m := range spamdMethods {
		switch p := decode.Prefix(client, m); {
		case p == decode.Partly:
			best = max(best, decode.More)
		case p == decode.Whole:
			best = max(best, text.Begins(client[len(m):], " SPAMC/1."))
		}
	}
	return best
}

// clamd commands have a letter in front that says how they end.
func clamd(_ *decode.Session, client, _ []byte) decode.Verdict {
	return text.Begins(client, "zINSTREAM\x00", "nINSTREAM\n", "zIDSESSION\x00", "nIDSESSION\n", "zPING\x00", "nPING\n",
		"zVERSION\x00", "nVERSION\n", "zSCAN /", "nSCAN /", "zCONTSCAN /", "nCONTSCAN /", "zMULTISCAN /", "nMULTISCAN /",
		"zSTATS\x00", "nSTATS\n", "zRELOAD\x00", "nRELOAD\n", "zVERSIONCOMMANDS\x00", "nVERSIONCOMMANDS\n")
}

func policyd(_ *decode.Session, client, _ []byte) decode.Verdict {
	return text.Begins(client, "request=smtpd_access_policy\n")
}

// milter begins with a packet of 13 bytes, 'O' for option negotiation, the version of the
// protocol, and the actions and steps that the server can do.
func milter(_ *decode.Session, client, server []byte) decode.Verdict {
	asked := option(client)
	if len(client) == 0 {
		return decode.More
	}
	if asked == decode.Match && len(server) > 0 {
		return min(asked, option(server))
	}
	return min(asked, decode.More)
}

func option(data []byte) decode.Verdict {
	const size = 4 + 13
	if v := text.Begins(data, "\x00\x00\x00\x0dO\x00\x00\x00"); v != decode.Match {
		return v
	}
	switch {
	case len(data) < size:
		return decode.More
	case data[8] < 2 || data[8] > 6:
		return decode.No
	}
	return decode.Match
}
