// Further openings of games that worlds.go, shooters.go and libraries.go know: other versions of
// Dofus, the acceleration of Tencent's games, Photon's probes and receipts, the messages between
// players of Warcraft III, and Armagetron on any port.

package game

import (
	"bytes"

	"sluice/classify/decode"
)

var openings = []decode.Decoder{
	{Name: "TENCENT-GAMES", Client: decode.FirstBytes("\x00\x43\xaa"), Stream: tencentOthers},
	{Name: "DOFUS", Ports: []uint16{5555, 443}, Server: decode.FirstBytes("\x00H"), Stream: dofusOthers},
	{Name: "PHOTON", Ports: []uint16{5055, 5056, 5058}, Datagram: photonOthers},
	{Name: "WARCRAFT3", Ports: []uint16{6112}, Client: decode.FirstBytes("\xf7"), Server: decode.FirstBytes("\xf7"), Stream: warcraftPlayers},
	{Name: "ARMAGETRON", Ports: []uint16{4534}, Client: decode.FirstBytes("\x00"), Server: decode.FirstBytes("\x00"), Datagram: armagetronLogin},
}

// tencentOthers knows three heads, by their marks or by their length.
func tencentOthers(_ *decode.Session, client, _ []byte) decode.Verdict {
	const mark = "\x10\xe6\x86\x01"
	at := 12
	switch {
	case len(client) == 0:
		return decode.More
	case client[0] == 0x43:
		if v := decode.Magic(client, "\x43\x66\xaa\x00"); v != decode.Match {
			return v
		}
	case client[0] == 0xaa:
		if v := decode.Magic(client, "\xaa\x00\x00\x00"); v != decode.Match {
			return v
		}
		at = 10
	default:
		if len(client) < 6 {
			return min(decode.Magic(client, "\x00\x00"), decode.More)
		}
		length := int(decode.Uint16(client, 2)) + 4
		switch {
		case client[1] != 0 || client[4] != 0x78 || client[5] != 1 || length <= 50 || length > 1500 || len(client) > length:
			return decode.No
		case len(client) < length:
			return decode.More
		}
		return decode.Match
	}
	if len(client) < at {
		return decode.More
	}
	return decode.Magic(client[at:], mark)
}

// dofusOthers knows the greeting of version 1 for a world, with the ticket that answers it, and the
// first message of version 2.
func dofusOthers(_ *decode.Session, client, server []byte) decode.Verdict {
	if len(server) == 0 {
		return decode.More
	}
	if server[0] == 'H' {
		if v := decode.Magic(server, "HG\x00"); v != decode.Match {
			return v
		}
		return decode.Magic(client, "AT")
	}
	if v := decode.Magic(server, "\x00\x05\x08\x00\x00\x05"); v != decode.Match {
		return v
	}
	if len(server) < 11 {
		return decode.More
	}
	return decode.If(string(server[8:11]) == "\x00\x05\x18")
}

// photonOthers checks a probe of the way to a server, or a message that begins with a receipt.
func photonOthers(_ *decode.Session, data []byte) decode.Verdict {
	const probe = "\x7d\x7d\x7d\x7d\x7d\x7d\x7d\x7d"
	if len(data) >= 13 && begins(data, probe) {
		return decode.Match
	}
	const receipt, receiptLength = 1, 20
	if len(data) < 32 || data[2] != 0 || data[3] == 0 || data[3] > 3 || data[12] != receipt || data[14]|data[15] != 0 {
		return decode.No
	}
	return decode.If((data[13] == 0xff || data[13] == 0) && decode.Uint32(data, 16) == receiptLength)
}

// warcraftPlayers walks the messages of both sides, each with its length.
func warcraftPlayers(_ *decode.Session, client, server []byte) decode.Verdict {
	if len(client) < 4 || len(server) < 4 {
		return decode.More
	}
	for _, side := range [...][]byte{client, server} {
		for len(side) >= 4 {
			length := int(decode.Little16(side, 2))
			if side[0] != 0xf7 || length < 4 || length > 1500 {
				return decode.No
			}
			side = side[min(length, len(side)):]
		}
	}
	return decode.Match
}

// armagetronLogin checks a request to log on, whose length in words leaves the sender alone, or a
// message that synchronises.
func armagetronLogin(_ *decode.Session, data []byte) decode.Verdict {
	n := len(data)
	switch {
	case n <= 10 || !decode.Zero(data[n-2:]):
		return decode.No
	case begins(data, "\x00\x0b\x00\x00"):
		return decode.If(2*int(decode.Uint16(data, 4))+8 == n && decode.Uint16(data, 6) == 8)
	}
	return decode.If(n == 16 && begins(data, "\x00\x1c") && bytes.Equal(data[4:14], []byte("\x00\x04\x00\x00\x05\x00\x00\x01\x00\x00")))
}
