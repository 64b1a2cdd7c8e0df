package mail

import (
	"sluice/classify/decode"
	"sluice/classify/decode/text"
)

// strength says how much the words of one side prove.
type strength uint8

const (
	wrong  strength = iota // another protocol
	open                   // too few words yet
	weak                   // other protocols say the same
	strong                 // only this protocol says that
)

// dialogue is a protocol in which the server greets, the client commands and TLS may follow.
type dialogue struct {
	ports    []uint16
	secure   string // the name under TLS
	greeting func(server []byte) strength
	command  func(client []byte) strength
	// last says that after this line of the client TLS can no longer begin.
	last func(line []byte) bool
}

// follow recognises the dialogue by the words of either side, or of both, and follows it until
// TLS begins or can no longer begin. tell is called once it is recognised.
func (d *dialogue) follow(s *decode.Session, client, server []byte, tell func()) decode.Verdict {
	greeting, command := open, open
	if len(server) > 0 {
		greeting = d.greeting(server)
	}
	if len(client) > 0 {
		command = d.command(client)
	}
	switch {
	case greeting == wrong || command == wrong && greeting != strong:
		return decode.No
	case greeting == strong || command == strong || greeting == weak && command == weak:
	case d.usual(s) && max(greeting, command) == weak:
		return decode.Maybe
	default:
		return decode.More
	}
	tell()
	if text.Upgraded(s, client, server, d.secure) {
		return decode.Match
	}
	for rest := client; ; {
		line, after, ok := decode.Line(rest)
		if !ok {
			return decode.MatchMore
		}
		if d.last(line) {
			return decode.Match
		}
		rest = after
	}
}

func (d *dialogue) usual(s *decode.Session) bool {
	for _, p := range d.ports {
		if s.Port(p) {
			return true
		}
	}
	return false
}

// commands is the strength of a line that begins with one of the words.
func commands(client []byte, sure, likely []string) strength {
	_, part := text.Command(client, sure)
	if part == decode.Whole {
		return strong
	}
	_, other := text.Command(client, likely)
	switch max(part, other) {
	case decode.Whole:
		return weak
	case decode.Partly:
		return open
	}
	return wrong
}

// begins says whether line begins with one of the words.
func begins(line []byte, words []string) bool {
	for _, w := range words {
		if decode.PrefixFold(line, w) == decode.Whole {
			return true
		}
	}
	return false
}
