package remote

// Telnet: RFC 854, RFC 855 (options), IANA Telnet Options, RFC 2355 (TN3270E).

import (
	"bytes"

	"sluice/classify/decode"
)

// Telnet commands.
const (
	telnetSE  = 240
	telnetSB  = 250
	telnetDo  = 253
	telnetWil = 251
	telnetIAC = 255
)

// telnet recognises the negotiation of options at the start. Two commands, or one on each side,
// prove it; one alone is a hint.
func telnet(s *decode.Session, client, server []byte) decode.Verdict {
	a, b := telnetCommands(client), telnetCommands(server)
	if a.bad || b.bad || len(client) > 0 && a.commands == 0 && !a.cut && len(server) == 0 {
		return decode.No
	}
	if a.terminal || b.terminal {
		s.Protocol("TN3270")
		return decode.Match
	}
	switch n := a.commands + b.commands; {
	case n >= 2:
		return decode.Match
	case a.cut || b.cut:
		return decode.More
	case n == 1:
		return decode.Maybe
	}
	return decode.No
}

// telnetSide is what one side has sent before its first text.
type telnetSide struct {
	commands int
	cut      bool // ends within a command
	bad      bool // a command that does not exist
	terminal bool // it is, or wants, a terminal of the IBM 3270 family
}

func telnetCommands(data []byte) (t telnetSide) {
	for len(data) > 0 && data[0] == telnetIAC {
		if len(data) < 3 {
			t.cut = true
			t.bad = len(data) == 2 && (data[1] < telnetSE || data[1] == telnetIAC)
			return t
		}
		command, option := data[1], data[2]
		switch {
		case command == telnetSB:
			const longest = 512
			end := bytes.Index(data[:min(len(data), longest)], []byte{telnetIAC, telnetSE})
			if end < 0 {
				t.cut, t.bad = true, len(data) >= longest || !telnetOption(option)
				return t
			}
			if !telnetOption(option) {
				t.bad = true
				return t
			}
			const terminalType, is = 24, 0
			if option == terminalType && end > 4 && data[3] == is && bytes.HasPrefix(data[4:end], []byte("IBM-")) {
				t.terminal = true
			}
			data = data[end+2:]
		case command >= telnetWil:
			if command == telnetIAC || !telnetOption(option) {
				t.bad = true
				return t
			}
			const extended3270 = 40
			t.terminal = t.terminal || option == extended3270 && command == telnetDo
			data = data[3:]
		case command >= telnetSE:
			data = data[2:]
		default:
			t.bad = true
			return t
		}
		t.commands++
	}
	return t
}

// telnetOption says whether an option is registered, or in use among games.
func telnetOption(o byte) bool {
	switch {
	case o <= 49, o >= 69 && o <= 93, o >= 138 && o <= 140, o >= 200 && o <= 201, o == 255:
		return true
	}
	return false
}
