package mgmt

// Logs: syslog (RFC 5424, RFC 3164, over TCP RFC 6587), RELP, GELF, Beats (Lumberjack), the Fluentd
// forward protocol, and Splunk's.

import (
	"bytes"

	"sluice/classify/decode"
	"sluice/classify/decode/text"
)

var months = [...]string{"Jan ", "Feb ", "Mar ", "Apr ", "May ", "Jun ", "Jul ", "Aug ", "Sep ", "Oct ", "Nov ", "Dec "}

// syslogMessage checks a message: the priority in angle brackets, then version and time (RFC 5424)
// or a time (RFC 3164). On the usual port, any text does.
func syslogMessage(data []byte, usual bool) decode.Verdict {
	const open, shut, most = '<', '>', 191
	if data[0] != open {
		return decode.No
	}
	priority, n := text.Number(data[1:])
	switch {
	case n > 3 || priority > most, n == 0 && len(data) > 1:
		return decode.No
	case len(data) < 2+n:
		return decode.More
	case data[1+n] != shut:
		return decode.No
	}
	rest := data[2+n:]
	if len(rest) < 5 {
		return decode.More
	}
	for _, m := range months {
		if decode.Prefix(rest, m) == decode.Whole && (isDigit(rest[4]) || rest[4] == ' ') {
			return decode.Match
		}
	}
	switch {
	case rest[0] == '1' && rest[1] == ' ' && (rest[2] == '-' || isDigit(rest[2])):
		return decode.Match
	case isDigit(rest[0]) && isDigit(rest[1]) && isDigit(rest[2]) && isDigit(rest[3]) && rest[4] == '-': // a time as in RFC 3339
		return decode.Match
	case usual && printableStart(rest):
		return decode.Match
	case isDigit(rest[0]): // Cisco counts messages: "<189>123: "
		if _, n := text.Number(rest); n < 10 && len(rest) > n+1 && rest[n] == ':' && rest[n+1] == ' ' {
			return decode.Match
		}
	}
	return decode.No
}

// printableStart says whether data begins with text, in ASCII or UTF-8.
func printableStart(data []byte) bool {
	for _, c := range data[:min(len(data), 32)] {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != 0x1b || c == 0x7f {
			return false
		}
	}
	return true
}

func syslog(s *decode.Session, data []byte) decode.Verdict {
	return yes(syslogMessage(data, s.Port(514)) == decode.Match)
}

func syslogStream(s *decode.Session, client, server []byte) decode.Verdict {
	data := client
	if len(client) == 0 {
		if len(server) == 0 || server[0] != '<' {
			return decode.No
		}
		data = server
	}
	if length, n := text.Number(data); n > 0 { // the length in front (RFC 6587 section 3.4.1)
		switch {
		case n > 5 || len(data) > n && (length < 8 || data[n] != ' '):
			return decode.No
		case len(data) < n+2:
			return decode.More
		}
		data = data[n+1:]
	}
	return syslogMessage(data, s.Port(514) || s.Port(601))
}

func relp(_ *decode.Session, client, server []byte) decode.Verdict {
	if len(client) > 0 {
		return text.Begins(client, "1 open ")
	}
	return text.Begins(server, "1 rsp ")
}

// gelf is JSON, alone, in numbered pieces, or compressed; the last on its port only.
func gelf(s *decode.Session, data []byte) decode.Verdict {
	const piece = 12
	switch {
	case len(data) < piece:
		return decode.No
	case data[0] == 0x1e && data[1] == 0x0f:
		return yes(data[11] > 0 && data[11] <= 128 && data[10] < data[11])
	case data[0] == '{':
		return yes(bytes.Contains(data, []byte(`"short_message"`)) && bytes.Contains(data, []byte(`"version"`)))
	case data[0] == 0x1f:
		return yes(s.Port(12201) && data[1] == 0x8b && data[2] == 8)
	}
	return yes(s.Port(12201) && (data[1] == 0x01 || data[1] == 0x9c || data[1] == 0xda))
}

func gelfStream(_ *decode.Session, client, _ []byte) decode.Verdict {
	const longest = 1024
	message := client[:min(len(client), longest)]
	end := bytes.IndexAny(message, "\x00\n")
	if end >= 0 {
		message = message[:end]
	}
	switch {
	case len(client) == 0:
		return decode.More
	case decode.Prefix(client, `{"`) == decode.None:
		return decode.No
	case bytes.Contains(message, []byte(`"short_message"`)) && bytes.Contains(message, []byte(`"version"`)):
		return decode.Match
	case len(client) >= longest || end >= 0:
		return decode.No
	}
	return decode.More
}

// lumberjack begins with the size of the window, after which the data follows.
func lumberjack(_ *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) == 0 {
		return decode.More
	}
	if v := text.Begins(client, "2W\x00\x00", "1W\x00\x00"); v != decode.Match {
		return v
	}
	if len(client) < 8 {
		return decode.More
	}
	return yes(client[6] == client[0] && (client[7] == 'J' || client[7] == 'C' || client[7] == 'D'))
}

// fluentd sends arrays of a tag and its events in MessagePack; a server with a password begins
// with HELO.
func fluentd(s *decode.Session, client, server []byte) decode.Verdict {
	if len(server) > 0 && len(client) == 0 {
		return text.Begins(server, "\x92\xa4HELO")
	}
	if len(client) < 3 {
		return decode.More
	}
	var tag []byte
	var rest int
	switch c := client[1]; {
	case c >= 0xa1 && c <= 0xbf:
		tag, rest = client[2:], int(c&0x1f)
	case c == 0xd9:
		tag, rest = client[3:], int(client[2])
	default:
		return decode.No
	}
	if !metric(tag[:min(rest, len(tag))]) && len(tag) > 0 {
		return decode.No
	}
	if len(tag) <= rest {
		return decode.More
	}
	switch c := tag[rest]; {
	case c == 0xd7, c == 0xc7, c == 0xce: // a time
		return decode.Match
	case c >= 0x90 && c <= 0x9f, c == 0xdc, c == 0xdd, c >= 0xc4 && c <= 0xc6, c >= 0xd9 && c <= 0xdb: // events, or packed ones
		return yes(s.Port(24224))
	}
	return decode.No
}

func splunk(_ *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) == 0 {
		return decode.More
	}
	return text.Begins(client, "--splunk-cooked-mode-v")
}
