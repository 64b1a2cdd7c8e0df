package remote

// X11: "X Window System Protocol" (X Consortium), section 8 and appendix B. XDMCP: "X Display
// Manager Control Protocol", section "Packet formats". SPICE: "Spice protocol", link messages.

import (
	"bytes"

	"sluice/classify/decode"
)

// x11 recognises the connection setup: byte order, version 11.0, and the name and data of the
// authorization with lengths that agree.
func x11(_ *decode.Session, client, server []byte) decode.Verdict {
	if len(client) == 0 {
		return decode.More // the server speaks second
	}
	const fixed = 12
	big := client[0] == 'B'
	number := func(data []byte, at int) int {
		if big {
			return int(decode.Uint16(data, at))
		}
		return int(decode.Little16(data, at))
	}
	want := "l\x00\x0b\x00\x00\x00"
	if big {
		want = "B\x00\x00\x0b\x00\x00"
	}
	for i := range min(len(client), len(want)) {
		if i != 1 && client[i] != want[i] { // the second byte is unused
			return decode.No
		}
	}
	if len(client) < fixed {
		return decode.More
	}
	name, data := number(client, 6), number(client, 8)
	if name > 256 || data > 256 {
		return decode.No
	}
	total := fixed + (name+3)&^3 + (data+3)&^3
	if len(server) >= 8 {
		const success = 1
		if server[0] > 2 || number(server, 2) != 11 && server[0] <= success {
			return decode.No
		}
		return decode.Match
	}
	if name > 0 && len(client) >= fixed+min(name, 4) {
		if !bytes.HasPrefix([]byte("MIT-XDM-SUN-"), client[fixed:fixed+4]) && !decode.Printable(client[fixed:min(fixed+name, len(client))]) {
			return decode.No
		}
		if len(client) >= total && decode.Printable(client[fixed:fixed+name]) {
			return decode.Match
		}
	}
	if len(client) > total {
		return decode.No // requests come after the server's answer
	}
	return decode.More
}

// xdmcp recognises version 1, an opcode and the length of the rest.
func xdmcp(_ *decode.Session, data []byte) decode.Verdict {
	const header, opcodes = 6, 13
	if len(data) < header || decode.Uint16(data, 0) != 1 || int(decode.Uint16(data, 4)) != len(data)-header {
		return decode.No
	}
	op, rest := int(decode.Uint16(data, 2)), data[header:]
	switch {
	case op == 0 || op > opcodes:
		return decode.No
	case op <= 3: // Query and its kin: a list of names, each behind its length
		if len(rest) == 0 {
			return decode.No
		}
		n := int(rest[0])
		rest = rest[1:]
		for range n {
			if len(rest) < 2 || int(decode.Uint16(rest, 0)) > len(rest)-2 {
				return decode.No
			}
			rest = rest[2+int(decode.Uint16(rest, 0)):]
		}
		if len(rest) != 0 {
			return decode.No
		}
		return decode.Match
	case op == 13: // KeepAlive: display number and session
		if len(rest) != 6 {
			return decode.No
		}
		return decode.Maybe
	case op == 5: // Willing: three strings
		for range 3 {
			if len(rest) < 2 || int(decode.Uint16(rest, 0)) > len(rest)-2 {
				return decode.No
			}
			rest = rest[2+int(decode.Uint16(rest, 0)):]
		}
		if len(rest) == 0 {
			return decode.Match
		}
		return decode.No
	}
	return decode.Maybe
}

// spice recognises the link message of either side: magic number, version and size.
func spice(_ *decode.Session, client, server []byte) decode.Verdict {
	const magic, header = "REDQ", 16
	for _, data := range [...][]byte{client, server} {
		if decode.Prefix(data, magic) == decode.None || len(data) >= 8 && (data[4] > 2 || data[5]|data[6]|data[7] != 0) {
			return decode.No
		}
	}
	for _, data := range [...][]byte{client, server} {
		if len(data) >= header {
			if size := decode.Little32(data, 12); size < 18 || size > 4096 {
				return decode.No
			}
			return decode.Match
		}
	}
	return decode.More
}
