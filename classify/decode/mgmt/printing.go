package mgmt

// Printing and scanning: LPD (RFC 1179), printer languages on a raw port, Canon BJNP, CUPS browsing
// and SANE (its network protocol).

import (
	"bytes"

	"sluice/classify/decode"
	"sluice/classify/decode/text"
)

var printing = []decode.Decoder{
	{Name: "LPD", Ports: []uint16{515}, PortsOnly: true, Client: decode.FirstRange(1, 5), Stream: lpd},
	{Name: "PJL", Ports: []uint16{9100}, Client: first("\x1b@%"), Stream: pjl},
	{Name: "BJNP", Ports: []uint16{8611, 8612, 8610}, Client: first("BM"), Server: first("BM"), Datagram: bjnp, Stream: bjnpStream},
	{Name: "CUPS-BROWSE", Ports: []uint16{631}, Client: digits.Or(decode.FirstRange('a', 'f')), Datagram: cupsBrowse},
	{Name: "SANE", Ports: []uint16{6566}, Client: first("\x00"), Stream: sane},
}

// lpd begins with a command and the name of a queue, and then a line end.
func lpd(_ *decode.Session, client, _ []byte) decode.Verdict {
	const longest = 128
	for i, c := range client[:min(len(client), longest)] {
		switch {
		case i == 0:
		case c == '\n':
			return yes(i > 1)
		case c < ' ' || c > '~':
			return decode.No
		}
	}
	if len(client) >= longest {
		return decode.No
	}
	return decode.More
}

// pjl is the sequence that ends the language of a printer, a command of it; or, on the raw port,
// PostScript or PCL.
func pjl(s *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) == 0 {
		return decode.More
	}
	v := text.Begins(client, "\x1b%-12345X", "@PJL ")
	if v != decode.Match && s.Port(9100) {
		v = max(v, text.Begins(client, "%!PS-Adobe-", "\x1bE\x1b"))
	}
	return v
}

func bjnp(_ *decode.Session, data []byte) decode.Verdict {
	return yes(bjnpHeader(data) == decode.Match && int(decode.Uint32(data, 12)) == len(data)-16)
}

func bjnpStream(_ *decode.Session, client, server []byte) decode.Verdict {
	return text.Either(client, server, func(data []byte, _ decode.Direction) decode.Verdict { return bjnpHeader(data) })
}

// bjnpHeader checks the magic, the device (printer or scanner, asking or answering), and the
// length.
func bjnpHeader(data []byte) decode.Verdict {
	const header, answer = 16, 0x80
	if v := text.Begins(data, "BJNP", "MFNP", "BJNB"); v != decode.Match || len(data) < header {
		return min(v, decode.More)
	}
	return yes(data[4]&^answer > 0 && data[4]&^answer <= 4 && decode.Uint32(data, 12) < 1<<20)
}

// cupsBrowse announces a printer: type and state in hexadecimal, and its address.
func cupsBrowse(_ *decode.Session, data []byte) decode.Verdict {
	line := text.First(data)
	kind, state, address := text.Field(line, 0), text.Field(line, 1), text.Field(line, 2)
	for _, c := range kind {
		if !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
			return decode.No
		}
	}
	return yes(len(kind) > 0 && len(kind) <= 8 && len(state) == 1 && isDigit(state[0]) && (bytes.HasPrefix(address, []byte("ipp://")) || bytes.HasPrefix(address, []byte("ipps://"))))
}

// sane begins with the request to initialise, the version, and a user's name.
func sane(_ *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) == 0 {
		return decode.More
	}
	if v := text.Begins(client, "\x00\x00\x00\x00\x01\x00\x00"); v != decode.Match || len(client) < 12 {
		return min(v, decode.More)
	}
	return yes(client[7] <= 9 && decode.Uint32(client, 8) < 128)
}
