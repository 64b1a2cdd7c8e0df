package vpn

// Private networks and shorter ways for players: Hamachi, LagoFast, Mudfish, as far as the community
// has described them.

import "sluice/classify/decode"

var boosters = []decode.Decoder{
	{Name: "LAGOFAST", Client: decode.FirstBytes("\x00"), Server: decode.FirstBytes("\x00"), Datagram: lagoFast},
	{Name: "HAMACHI", Ports: []uint16{12975, 443}, Client: decode.FirstBytes("\x00"), Stream: hamachi},
	{Name: "HAMACHI", Ports: []uint16{12975, 17771}, PortsOnly: true, Datagram: hamachiDatagram},
	{Name: "MUDFISH", Client: decode.FirstBytes("U"), Stream: decode.Starts("UN v2\r\n")},
}

// lagoFast checks the mark and the length of a message.
func lagoFast(_ *decode.Session, data []byte) decode.Verdict {
	return decode.If(len(data) > 6 && string(data[:4]) == "\x00\x6e\x5d\x03" && int(decode.Uint16(data, 4))+6 == len(data))
}

// hamachi checks the length and the mark of the first message of a client.
func hamachi(_ *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) < 16 {
		if len(client) > 2 && client[1] != 0 || len(client) > 12 && decode.Prefix(client[12:], "\x7b\x7a\x0d\xad") == decode.None {
			return decode.No
		}
		return decode.More
	}
	length := decode.Uint32(client, 0)
	return decode.If(length > 296 && length < 4096 && string(client[12:16]) == "\x7b\x7a\x0d\xad")
}

// hamachiSeen are the identifiers that either side gave.
type hamachiSeen struct {
	given [2]bool
	ids   [2][6]byte
}

// hamachiDatagram follows the identifiers of either side, which stay the same, differ between the
// sides, and stand around a number that counts.
func hamachiDatagram(s *decode.Session, data []byte) decode.Verdict {
	if len(data) == 76 && decode.Zero(data[:8]) {
		return decode.More
	}
	if len(data) < 46 {
		return decode.No
	}
	head, number := decode.Uint32(data, 0), decode.Uint32(data, 4)
	if head == 0 || head == 0xffffffff || number == 0 || number > 0xffff {
		return decode.No
	}
	id := [6]byte{data[0], data[1], data[2], data[3], data[8], data[9]}
	seen, _ := s.Memory().(hamachiSeen)
	mine, other := s.Direction, s.Direction.Reverse()
	switch {
	case seen.given[mine] && seen.ids[mine] != id, seen.given[other] && seen.ids[other] == id:
		return decode.No
	case seen.given[mine] && seen.given[other]:
		return decode.Match
	}
	seen.given[mine], seen.ids[mine] = true, id
	s.Remember(seen)
	return decode.More
}
