package remote

// SSH: RFC 4253 section 4.2 (identification), RFC 4250.

import (
	"bytes"

	"sluice/classify/decode"
)

const (
	// maxBanner is the longest identification line.
	maxBanner = 255
	// maxPreamble is how much text a server may send before its identification.
	maxPreamble = 2048
)

// ssh recognises the identification line of either side.
func ssh(s *decode.Session, client, server []byte) decode.Verdict {
	a, b := sshBanner(client, false), sshBanner(server, true)
	if a.part == decode.None || b.part == decode.None {
		return decode.No
	}
	if a.part == decode.Partly && b.part == decode.Partly {
		return decode.More
	}
	for _, side := range [...]sshSide{a, b} {
		if side.part == decode.Whole {
			s.Value(decode.SSHVersion, side.software)
		}
	}
	if a.part == decode.Whole && b.part == decode.Whole {
		return decode.Match
	}
	return decode.MatchMore
}

// sshSide is what one side has sent of its identification.
type sshSide struct {
	part     decode.Part
	software []byte
}

// sshBanner reads an identification line. A server may send other lines before.
func sshBanner(data []byte, preamble bool) sshSide {
	for start := 0; ; {
		rest := data[start:]
		switch decode.Prefix(rest, "SSH-") {
		case decode.Whole:
			return sshVersion(rest)
		case decode.Partly:
			return sshSide{part: decode.Partly}
		}
		line, next, ok := decode.Line(rest)
		if !preamble || len(data) > maxPreamble || !decode.Printable(line) || !ok && !decode.Printable(rest) {
			return sshSide{}
		}
		if !ok {
			return sshSide{part: decode.Partly}
		}
		start = len(data) - len(next)
	}
}

// sshVersion reads a line that begins with "SSH-".
func sshVersion(data []byte) sshSide {
	line, _, ok := decode.Line(data)
	if !ok {
		line = data
	}
	if len(line) > maxBanner || !decode.Printable(line) {
		return sshSide{}
	}
	version := line[len("SSH-"):]
	known := false
	for _, v := range [...]string{"2.0-", "1.99-", "1.5-", "1.3-", "2.99-"} {
		switch decode.Prefix(version, v) {
		case decode.Whole:
			if ok {
				return sshSide{decode.Whole, version[len(v):]}
			}
			known = true
		case decode.Partly:
			known = known || !ok
		}
	}
	if !known || bytes.IndexByte(line, 0) >= 0 {
		return sshSide{}
	}
	return sshSide{part: decode.Partly}
}
