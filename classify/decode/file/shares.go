package file

// File servers of single makers: AFP over DSI (Apple Filing Protocol Reference, "Data Stream
// Interface"), AFS over Rx (OpenAFS rx specification), NetWare Core Protocol over TCP, and 9P.

import (
	"sluice/classify/decode"
	"sluice/classify/decode/text"
)

// afp checks the header of the first DSI packet of either side: flags, command, request ID, offset
// or error, length of the data, and four bytes that are zero. In a session that began before, a
// reply must have the command and ID of the request.
func afp(_ *decode.Session, client, server []byte) decode.Verdict {
	const header = 16
	verdict := text.Either(client, server, dsi)
	if verdict == decode.More && len(client) >= header && len(server) >= header {
		if string(client[1:4]) == string(server[1:4]) {
			return decode.Match
		}
		return decode.No
	}
	return verdict
}

func dsi(data []byte, from decode.Direction) decode.Verdict {
	const command, header = 8, 16
	flags := byte(from) // 0: request, 1: reply
	if data[0] != flags || len(data) > 1 && (data[1] == 0 || data[1] > command) {
		return decode.No
	}
	if len(data) < header {
		return decode.More
	}
	length := decode.Uint32(data, 8)
	if decode.Uint32(data, 12) != 0 || length > 1<<20 {
		return decode.No
	}
	const getStatus, openSession = 3, 4
	switch c := data[1]; {
	case flags == 0 && c == getStatus:
		if length != 0 || decode.Uint32(data, 4) != 0 {
			return decode.No
		}
		return decode.Match
	case flags == 0 && c == openSession:
		// One option, the quantum of requests, of four bytes.
		switch {
		case length != 6 && length != 0 && length != 12 || decode.Uint32(data, 4) != 0:
			return decode.No
		case length == 0 || len(data) >= header+2 && data[header] <= 1 && data[header+1] == 4:
			return decode.Match
		case len(data) < header+2:
			return decode.More
		}
		return decode.No
	case flags == 0: // the session began before
		return decode.More
	case c == getStatus && length > 16 && decode.Uint32(data, 4) == 0:
		// The status block begins with the offsets of machine type and versions.
		if len(data) < header+4 {
			return decode.More
		}
		if machine, versions := decode.Uint16(data, header), decode.Uint16(data, header+2); machine < 16 || versions <= machine || uint32(versions) > length {
			return decode.No
		}
		return decode.Match
	}
	return decode.More
}

// rxCall is what a call's packets have in common.
type rxCall struct {
	epoch, connection uint32
	from              decode.Direction
}

// rx checks the header of 28 bytes: epoch, connection, call, sequence, serial, type, flags, user
// status, security index, spare, service. What both sides send for the same connection is
// certain, and so is a first call of a known service on its port.
func rx(s *decode.Session, data []byte) decode.Verdict {
	const header, types, clientInitiated = 28, 13, 0x01
	if len(data) < header {
		return decode.No
	}
	epoch, connection, number := decode.Uint32(data, 0), decode.Uint32(data, 4), decode.Uint32(data, 8)
	sequence, serial := decode.Uint32(data, 12), decode.Uint32(data, 16)
	kind, flags, security, service := data[20], data[21], data[23], decode.Uint16(data, 26)
	if kind == 0 || kind > types || security > 5 || epoch == 0 || connection == 0 || serial == 0 || number > 1<<24 || sequence > 1<<24 || serial > 1<<24 || service > 3000 || flags > 0x3f {
		return decode.No
	}
	if before, ok := s.Memory().(rxCall); ok {
		if before.epoch == epoch && before.connection&^3 == connection&^3 && before.from != s.Direction {
			return decode.Match
		}
		return decode.More
	}
	const call = 1
	fresh := kind == call && sequence == 1 && flags&clientInitiated != 0 && service != 0 && number != 0 && (decode.Uint16(data, 24) == 0 || security != 0)
	s.Remember(rxCall{epoch, connection, s.Direction})
	if port := s.Server.Port(); port >= 7000 && port <= 7009 && fresh {
		return decode.Match
	}
	return decode.More
}

// ncp begins requests with "DmdT" and replies with "tNcP", a length and more.
func ncp(_ *decode.Session, client, server []byte) decode.Verdict {
	if v := text.Begins(client, "DmdT\x00\x00"); len(client) > 0 && v != decode.Match {
		return v
	}
	if v := text.Begins(server, "tNcP\x00\x00"); len(server) > 0 && v != decode.Match {
		return v
	}
	return decode.Match
}

// plan9 recognises Tversion and Rversion: size, type, no tag, largest message, version "9P…".
func plan9(_ *decode.Session, client, server []byte) decode.Verdict {
	return text.Either(client, server, func(data []byte, _ decode.Direction) decode.Verdict {
		const tVersion, rVersion = 100, 101
		if len(data) > 4 && data[4] != tVersion && data[4] != rVersion || len(data) > 0 && (data[0] < 19 || data[0] > 40) {
			return decode.No
		}
		if len(data) < 15 {
			return decode.More
		}
		length := int(decode.Little16(data, 11))
		if decode.Little16(data, 5) != 0xffff || int(decode.Little32(data, 0)) != 13+length || string(data[13:15]) != "9P" {
			return decode.No
		}
		return decode.Match
	})
}
