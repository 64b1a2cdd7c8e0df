// Games with servers of their own and a protocol of their own: Naraka, Path of Exile, The Elder
// Scrolls Online, World of Kung Fu, Final Fantasy XIV, EVE Online, the Battlefield series, the games
// of Nexon, Wesnoth, Freeciv, chess (freechess.org), the first Half-Life, Unreal Engine (its source),
// and what i3D.net carries, as documented by their sources or the community.

package game

import (
	"bytes"

	"sluice/classify/decode"
)

var online = []decode.Decoder{
	{Name: "FINAL-FANTASY-XIV", Ports: []uint16{54992, 54994}, Client: decode.FirstBytes("\x00\x52"), Server: decode.FirstBytes("\x00\x52"), Stream: fantasy},
	{Name: "ELDER-SCROLLS-ONLINE", Ports: []uint16{24507}, Client: decode.FirstBytes("\x00"), Stream: elderScrolls},
	{Name: "PATH-OF-EXILE", Ports: []uint16{6112, 20481}, Client: decode.FirstBytes("\x00"), Stream: pathOfExile},
	{Name: "WORLD-OF-KUNG-FU", Client: decode.FirstBytes("\x0c"), Stream: kungFu},
	{Name: "MAPLESTORY", Client: decode.FirstBytes("\x18"), Stream: nexon},
	{Name: "EVE-ONLINE", Ports: []uint16{26000}, Server: decode.FirstRange(0x20, 0xff), Stream: eveOnline},
	{Name: "WESNOTH", Ports: []uint16{15000}, Client: decode.FirstBytes("\x00"), Server: decode.FirstBytes("\x00"), Stream: wesnoth},
	{Name: "FREECIV", Ports: []uint16{5556}, Client: decode.FirstBytes("\x00"), Stream: freeciv},
	{Name: "FICS", Ports: []uint16{5000}, Server: decode.FirstRange('\n', '~'), Stream: chess},
	{Name: "NETEASE-GAMES", Client: decode.FirstBytes("\x07"), Server: decode.FirstBytes("\x07"), Datagram: naraka},
	{Name: "BATTLEFIELD", Ports: []uint16{16567, 29900}, Client: decode.FirstBytes("\x11"), Server: decode.FirstBytes("\x11"), Datagram: battlefield},
	{Name: "HALFLIFE", Ports: []uint16{27015}, Client: decode.FirstBytes("\xff"), Datagram: halfLife},
	{Name: "EPIC-GAMES", Ports: []uint16{7777, 9000}, Datagram: epic},
	{Name: "I3D", Client: decode.FirstBytes("\x00\x90"), Server: decode.FirstBytes("\x00\x90"), Datagram: i3d},
}

// fantasy checks the mark of sixteen bytes in front of every message, or that of signs of life,
// which is empty, with the fixed size that these have.
func fantasy(_ *decode.Session, client, server []byte) decode.Verdict {
	const mark = "\x52\x52\xa0\x41\xff\x5d\x46\xe2\x7f\x2a\x64\x4d\x7b\x99\xc4\x75"
	for _, side := range [...][]byte{client, server} {
		if len(side) > 0 {
			if v := decode.Magic(side, mark); v != decode.No {
				return v
			}
		}
	}
	data := decode.Opening(client, server)
	if !decode.Zero(data[:min(len(data), 16)]) {
		return decode.No
	}
	if len(data) < 64 {
		return decode.More
	}
	// Time, size, kind of connection, number of segments; then the size, ids and type of the only one.
	size := decode.Little32(data, 24)
	return decode.If(size > 40 && size < 1<<16 && decode.Little16(data, 30) == 1 && decode.Little32(data, 40) == size-40 && decode.Zero(data[44:52]) && !decode.Zero(data[16:24]))
}

// elderScrolls checks the log-on: its length, and the name of the realm or the mark that stands
// in front of what is compressed.
func elderScrolls(s *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) < 4 {
		return decode.More
	}
	length := int(decode.Uint32(client, 0))
	if length < 596 || length > 4096 {
		return decode.No
	}
	message := client[:min(len(client), length+4)]
	if bytes.Contains(message, []byte("eso.live")) || bytes.Contains(message, []byte("\x8b\x78\x9c\x01")) {
		return decode.Match
	}
	if len(message) < length+4 {
		s.Want(decode.ToServer, length+4)
		return decode.More
	}
	return decode.No
}

// pathOfExile checks the first message of a client, which holds the name of the character between
// constants.
func pathOfExile(_ *decode.Session, client, _ []byte) decode.Verdict {
	if decode.Prefix(client, "\x00\x03\x00") == decode.None {
		return decode.No
	}
	if len(client) < 26 {
		return decode.More
	}
	if client[6] != 0 || client[7] != 2 || client[8] != 0 || len(client) >= 50 {
		return decode.No
	}
	if bytes.HasSuffix(client, []byte("\x00\x00\x00\x00\x40\x00\x00\x01")) {
		return decode.Match
	}
	return decode.More
}

// kungFu checks the sixteen bytes that a client begins with.
func kungFu(_ *decode.Session, client, _ []byte) decode.Verdict {
	if v := decode.Magic(client, "\x0c\x00\x00\x00\xd2\x00\x0c\x00"); v != decode.Match {
		return v
	}
	if len(client) < 16 {
		return decode.More
	}
	return decode.If(client[9] == 0x16 && client[10]|client[11]|client[14]|client[15] == 0)
}

// nexon checks the message of 24 bytes with which clients of several games log on.
func nexon(_ *decode.Session, client, _ []byte) decode.Verdict {
	if v := decode.Magic(client, "\x18\x00\x00\x00\x64\x00\x00\x00"); v != decode.Match {
		return v
	}
	switch {
	case len(client) < 24:
		return decode.More
	case len(client) > 24:
		return decode.No
	}
	return decode.Match
}

// eveOnline checks the greeting of a server: its length, the mark of marshalled values, and the name
// of the realm among them.
func eveOnline(_ *decode.Session, _, server []byte) decode.Verdict {
	if len(server) < 9 {
		if len(server) > 4 && decode.Prefix(server[4:], "\x7e\x00\x00\x00\x00") == decode.None {
			return decode.No
		}
		return decode.More
	}
	length := int(decode.Little32(server, 0))
	if string(server[4:9]) != "\x7e\x00\x00\x00\x00" || length < 16 || length > 512 {
		return decode.No
	}
	if bytes.Contains(server[:min(len(server), length+4)], []byte("EVE-")) {
		return decode.Match
	}
	if len(server) < length+4 {
		return decode.More
	}
	return decode.No
}

// wesnoth checks the exchange that opens a connection, in clear or wanting TLS, and the compressed
// question for the version that follows it.
func wesnoth(_ *decode.Session, client, server []byte) decode.Verdict {
	if len(client) < 4 || len(server) < 10 {
		if decode.Prefix(client, "\x00\x00\x00\x00") == decode.None || len(server) > 4 && server[4] != 0 {
			return decode.No
		}
		return decode.More
	}
	return decode.If(decode.Zero(client[:4]) && decode.Uint32(server, 4) < 4096 && server[8] == 0x1f && server[9] == 0x8b)
}

// freeciv checks the request to join: its length and type, a name, and the abilities of the client.
func freeciv(_ *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) < 3 {
		return decode.More
	}
	length := int(decode.Uint16(client, 0))
	if length < 16 || length > 2048 || client[2] != 4 && client[2] != 0 {
		return decode.No
	}
	if bytes.Contains(client[:min(len(client), length)], []byte("+Freeciv")) {
		return decode.Match
	}
	if len(client) < length && len(client) < 256 {
		return decode.More
	}
	return decode.No
}

// chess looks for the name of the server in its welcome.
func chess(_ *decode.Session, _, server []byte) decode.Verdict {
	const longest = 2048
	switch {
	case !decode.Printable(server[:min(len(server), 64)]):
		return decode.No
	case bytes.Contains(server[:min(len(server), longest)], []byte("freechess.org")):
		return decode.Match
	case len(server) < longest:
		return decode.More
	}
	return decode.No
}

// naraka checks the mark in front of every message of Naraka, a game of NetEase.
func naraka(_ *decode.Session, data []byte) decode.Verdict {
	return decode.If(len(data) > 30 && begins(data, "\x07\x08\x08\x0c"))
}

// battlefield knows the three openings of its engine.
func battlefield(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) < 10 || !begins(data, "\x11\x20\x00\x01\x00\x00") {
		return decode.No
	}
	switch string(data[6:10]) {
	case "\x50\xb9\x10\x11", "\x30\xb9\x10\x11", "\xa0\x98\x00\x11":
		return decode.Match
	}
	return decode.No
}

// halfLife knows the questions of the first Half-Life that its relatives do not ask.
func halfLife(_ *decode.Session, data []byte) decode.Verdict {
	if !begins(data, connectionless) {
		return decode.No
	}
	switch string(bytes.TrimRight(data[4:], "\x00\n")) {
	case "details", "players", "rules", "infostring", "getchallenge valve", "getchallenge steam":
		return decode.Match
	}
	return decode.No
}

// i3d checks the constants of the streams of its servers.
func i3d(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) < 74 {
		return decode.No
	}
	if data[0] == 0 {
		return decode.If((data[1] == 1 || data[1] == 2) && string(data[2:8]) == "\x00\x46\x00\x03\xcf\xa8")
	}
	return decode.If((data[1] == 0x78 || data[1] == 0x67) && string(data[8:16]) == "\x00\x03\xcf\xa9\xbe\xde\x00\x03")
}

// epic checks the handshake of Unreal Engine without a state: a request without a cookie, and the
// challenge, which begins with the same word and one bit more.
func epic(s *decode.Session, data []byte) decode.Verdict {
	const challenge = 0x08
	if word, asked := s.Memory().([4]byte); asked && s.Direction == decode.ToClient {
		return decode.If(len(data) > 20 && string(data[:3]) == string(word[:3]) && data[3] == word[3]|challenge)
	}
	if s.Direction != decode.ToServer || len(data) < 34 || len(data) > 64 || data[3]&challenge != 0 || decode.Zero(data[:4]) || !decode.Zero(data[10:34]) {
		return decode.No
	}
	s.Remember([4]byte(data[:4]))
	return decode.More
}
