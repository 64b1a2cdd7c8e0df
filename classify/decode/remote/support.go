package remote

// Protocols of remote support and of desktops from a vendor. None is published; what is read here
// is what every session shows: magic numbers, and lengths that agree.

import (
	"bytes"

	"sluice/classify/decode"
)

// TeamViewer's messages have two forms: 17 24, a command and the length of the rest; and 11 30,
// a command, the length, and 16 bytes more of header.
const (
	teamViewerOld    = "\x17\x24"
	teamViewerNew    = "\x11\x30"
	teamViewerHeader = 5
	teamViewerLong   = 24
	// teamViewerPrefix is what is before a message in a datagram.
	teamViewerPrefix = 11
)

// teamViewer recognises messages that follow each other.
func teamViewer(_ *decode.Session, client, server []byte) decode.Verdict {
	a, b := teamViewerMessages(client), teamViewerMessages(server)
	switch {
	case a == noMessages || b == noMessages:
		return decode.No
	case a >= oneMessage || b >= oneMessage:
		return decode.Match
	}
	return decode.More
}

const (
	noMessages = iota - 1
	cutMessage
	oneMessage
)

// teamViewerMessages says how many whole messages a stream begins with, noMessages when it begins
// with something else.
func teamViewerMessages(data []byte) int {
	count := 0
	for len(data) > 0 {
		old, other := decode.Prefix(data, teamViewerOld), decode.Prefix(data, teamViewerNew)
		if old == decode.None && other == decode.None {
			return noMessages
		}
		size := 0
		switch {
		case old == decode.Whole && len(data) >= teamViewerHeader:
			size = teamViewerHeader + int(decode.Little16(data, 3))
			if data[2] < 0x08 || data[2] > 0x7f {
				return noMessages
			}
		case other == decode.Whole && len(data) >= 8:
			size = teamViewerLong + int(decode.Little32(data, 4)&0xffffff)
			if data[2] < 0x08 || data[2] > 0x7f || data[3] != 0 || data[7] != 0 {
				return noMessages
			}
		}
		if size == 0 || len(data) < size {
			break
		}
		data, count = data[size:], count+1
	}
	return count
}

// teamViewerDatagram recognises a message behind a prefix.
func teamViewerDatagram(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) < teamViewerPrefix+teamViewerHeader {
		return decode.No
	}
	message := data[teamViewerPrefix:]
	if decode.Prefix(message, teamViewerOld) != decode.Whole || message[2] < 0x08 || message[2] > 0x7f ||
		int(decode.Little16(message, 3)) != len(message)-teamViewerHeader {
		return decode.No
	}
	return decode.Match
}

// ica recognises Citrix ICA by the greeting that both sides send, and its session reliability by
// the one that the client sends.
func ica(_ *decode.Session, client, server []byte) decode.Verdict {
	const greeting, reliable = "\x7f\x7fICA\x00", "\x1aCGP/01"
	more := decode.No
	for _, data := range [...][]byte{client, server} {
		if len(data) == 0 {
			continue
		}
		for _, want := range [...]string{greeting, reliable} {
			switch decode.Prefix(data, want) {
			case decode.Whole:
				return decode.Match
			case decode.Partly:
				more = decode.More
			}
		}
	}
	return more
}

// noMachine recognises the versions that both sides name in a line; TLS follows.
func noMachine(s *decode.Session, client, server []byte) decode.Verdict {
	a, b := noMachineLine(client), noMachineLine(server)
	switch {
	case a < 0 || b < 0:
		return decode.No
	case a > 0 && b > 0:
		s.Upgrade(a, b)
		return decode.Match
	case a > 0 || b > 0:
		return decode.MatchMore
	}
	return decode.More
}

// noMachineLine is the length of the line that names the version, 0 when it is not whole, negative
// when it is something else.
func noMachineLine(data []byte) int {
	if len(data) == 0 {
		return 0
	}
	for _, start := range [...]string{"NXSH-", "NXD-", "NXSERVER-", "NXPROXY-"} {
		part := decode.Prefix(data, start)
		if part == decode.Partly {
			return 0
		}
		if part == decode.None {
			continue
		}
		end := bytes.IndexByte(data, '\n')
		version := data[len(start):]
		if end >= 0 {
			version = data[len(start):end]
		}
		if len(version) > 200 || !decode.Printable(version) || len(version) > 0 && (version[0] < '0' || version[0] > '9') {
			return -1
		}
		return end + 1
	}
	return -1
}

// noMachineDatagram recognises the opening over UDP: a kind, a session, its own length, and a
// number that rises.
func noMachineDatagram(s *decode.Session, data []byte) decode.Verdict {
	const length = 10
	if len(data) != length || data[0] == 0 || data[0] > 3 || data[1] != 0 || decode.Little16(data, 2) != 1 ||
		decode.Little16(data, 4) != length || decode.Little16(data, 8) != 0 {
		return decode.No
	}
	if s.Index == 0 {
		return decode.More
	}
	return decode.Match
}

// radmin recognises the first message of either side: 01, the length of what follows the
// checksum, and the checksum, which is the sum of that.
func radmin(_ *decode.Session, client, server []byte) decode.Verdict {
	verdict := decode.More
	for _, data := range [...][]byte{client, server} {
		if len(data) == 0 {
			continue
		}
		switch radminMessage(data) {
		case decode.None:
			return decode.No
		case decode.Whole:
			verdict = decode.Match
		}
	}
	return verdict
}

func radminMessage(data []byte) decode.Part {
	const header = 9
	if data[0] != 1 || len(data) > 2 && data[1]|data[2] != 0 {
		return decode.None
	}
	if len(data) < header {
		return decode.Partly
	}
	length := int(decode.Uint32(data, 1))
	if length == 0 || length > 512 {
		return decode.None
	}
	if len(data) < header+length {
		return decode.Partly
	}
	if decode.Uint32(data, 5) != radminSum(data[header:header+length]) {
		return decode.None
	}
	return decode.Whole
}

// radminSum adds up the little-endian words of four bytes, the last one filled up with zeros.
func radminSum(data []byte) (sum uint32) {
	for len(data) > 0 {
		var word [4]byte
		n := copy(word[:], data)
		sum += decode.Little32(word[:], 0)
		data = data[n:]
	}
	return sum
}

// virtualGroups recognises HP Virtual Groups: kinds 16 and 17 of message, each with its whole
// length, and then others of kind 30.
func virtualGroups(_ *decode.Session, client, server []byte) decode.Verdict {
	a, b := groupMessages(client, 0x16), groupMessages(server, 0x17)
	switch {
	case a == decode.None || b == decode.None:
		return decode.No
	case a == decode.Whole && b == decode.Whole:
		return decode.Match
	}
	return decode.More
}

func groupMessages(data []byte, first byte) decode.Part {
	const header, shortest, longest = 3, 32, 1024
	if len(data) > 0 && data[0] != first {
		return decode.None
	}
	if len(data) < header {
		return decode.Partly
	}
	length := int(decode.Uint16(data, 1))
	switch {
	case length < shortest || length > longest:
		return decode.None
	case len(data) < length:
		return decode.Partly
	case len(data) > length && data[length] != 0x30:
		return decode.None
	}
	return decode.Whole
}

// dameware recognises the greeting that both sides send: version 0x1130, zeros, and 40 bytes.
func dameware(_ *decode.Session, client, server []byte) decode.Verdict {
	const greeting, length = "\x30\x11\x00\x00\x00\x00\x00\x00", 40
	whole := 0
	for _, data := range [...][]byte{client, server} {
		if decode.Prefix(data, greeting) == decode.None {
			return decode.No
		}
		if len(data) >= length {
			whole++
		}
	}
	if whole == 2 {
		return decode.Match
	}
	return decode.More
}

// pcAnywhere recognises the questions for name and status, on their port only.
func pcAnywhere(_ *decode.Session, data []byte) decode.Verdict {
	if string(data) == "NQ" || string(data) == "ST" {
		return decode.Match
	}
	return decode.No
}

// netAssistant recognises the question that finds Macintosh computers, on its port only.
func netAssistant(_ *decode.Session, data []byte) decode.Verdict {
	if string(data) == "\x00\x14\x00\x01\x03" {
		return decode.Match
	}
	return decode.No
}
