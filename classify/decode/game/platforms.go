// Platforms that games are sold and played on: Steam (SteamKit documentation), with its datagram
// relay and its discovery on the local network, consoles of Sony, Microsoft and Nintendo (as
// documented by the community), Battle.net (bnetdocs.org), Riot and Activision.

package game

import (
	"bytes"

	"sluice/classify/decode"
)

var platforms = []decode.Decoder{
	{Name: "STEAM", Ports: []uint16{27017, 27018, 27036}, Stream: steam, Datagram: steamDatagram},
	{Name: "STEAM-DATAGRAM-RELAY", Ports: []uint16{27015, 27045}, Client: decode.FirstBytes("\x01"), Server: decode.FirstBytes("\x01"), Datagram: steamRelay},
	{Name: "PLAYSTATION", Ports: []uint16{987, 9302}, Client: decode.FirstBytes("SWLH"), Server: decode.FirstBytes("SWLH"), Datagram: playStation},
	{Name: "NINTENDO", Client: decode.FirstBytes("\x32\xea"), Server: decode.FirstBytes("\x32\xea"), Datagram: nintendo},
	{Name: "XBOX", Ports: []uint16{3074}, Client: decode.FirstBytes("\x00"), Server: decode.FirstBytes("\x00"), Datagram: xboxLive},
	{Name: "XBOX", Ports: []uint16{5050}, PortsOnly: true, Client: decode.FirstBytes("\xdd\xcc"), Server: decode.FirstBytes("\xdd\xcc"), Datagram: smartGlass},
	{Name: "BLIZZARD", Ports: []uint16{6112, 1119}, Client: decode.FirstBytes("\x01\xff\x4a"), Stream: battleNet},
	{Name: "RIOT-GAMES", Ports: []uint16{5000, 8181}, Datagram: riot},
	{Name: "DISCORD-VOICE", Client: decode.FirstBytes("\x13"), Server: decode.FirstBytes("\x13"), Datagram: discordAlive},
	{Name: "ACTIVISION", Ports: []uint16{3074}, Client: decode.FirstBytes("\x0c\x0d"), Server: decode.FirstBytes("\x0c\x0d"), Datagram: activision},
}

// steam checks the frame of the connection to a content manager: length and magic.
func steam(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	if len(data) >= 8 {
		return decode.If(string(data[4:8]) == "VT01" && decode.Little32(data, 0) < 1<<20)
	}
	if len(data) > 4 {
		return decode.Magic(data[4:], "VT01")
	}
	if len(data) == 4 && data[3] != 0 {
		return decode.No
	}
	return decode.More
}

// steamDatagram knows the older connection to a content manager, and the discovery of clients.
func steamDatagram(_ *decode.Session, data []byte) decode.Verdict {
	if begins(data, "\xff\xff\xff\xff\x21\x4c\x5f\xa0") {
		return decode.Match
	}
	return decode.If(len(data) >= 36 && begins(data, "VS01") && int(decode.Little16(data, 4)) <= len(data)-36)
}

// steamRelay knows the messages with which relays are measured.
func steamRelay(_ *decode.Session, data []byte) decode.Verdict {
	return decode.If(len(data) > 16 && begins(data[2:], "sdping"))
}

// playStation knows the discovery and wake-up of consoles, which looks like HTTP.
func playStation(_ *decode.Session, data []byte) decode.Verdict {
	for _, verb := range [...]string{"SRCH * HTTP/1.1\n", "WAKEUP * HTTP/1.1\n", "LAUNCH * HTTP/1.1\n"} {
		if begins(data, verb) {
			return decode.Match
		}
	}
	return decode.If(begins(data, "HTTP/1.1 ") && bytes.Contains(data, []byte("\nhost-type:PS")))
}

// nintendo knows packets of Pia, the library for play between consoles, and of PRUDP version 1.
func nintendo(_ *decode.Session, data []byte) decode.Verdict {
	switch {
	case len(data) >= 20 && begins(data, "\x32\xab\x98\x64"):
		return decode.Match
	case len(data) >= 30 && begins(data, "\xea\xd0\x01"):
		return decode.If(int(data[3])+int(decode.Little16(data, 4))+30 == len(data))
	}
	return decode.No
}

// xboxLive checks the marks of the key exchange of the older consoles.
func xboxLive(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) < 13 || !decode.Zero(data[:4]) || data[5] != 0x58 || !decode.Zero(data[7:10]) {
		return decode.No
	}
	switch uint16(data[4])<<8 | uint16(data[6]) {
	case 0x0c76, 0x0218, 0x0b80, 0x0340, 0x064e:
		return decode.Match
	}
	return decode.No
}

// smartGlass checks the discovery of consoles and the opening of a connection to one.
func smartGlass(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) < 6 || data[1] > 2 {
		return decode.No
	}
	if data[0] == 0xcc {
		return decode.If(int(decode.Uint16(data, 2)) < len(data))
	}
	return decode.If(int(decode.Uint16(data, 2))+6 == len(data))
}

// battleNet checks the choice of the protocol and the first message after it, or the opening of
// the client of the second generation.
func battleNet(s *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) == 0 {
		return decode.More
	}
	if client[0] == 0x4a {
		s.Protocol("STARCRAFT")
		return decode.Magic(client, "\x4a\x00\x00\x0a\x66\x02\x0a\xed\x2d\x66")
	}
	data := client
	if data[0] == 1 {
		data = data[1:]
	}
	if len(data) > 0 && data[0] != 0xff {
		return decode.No
	}
	if len(data) < 20 {
		return decode.More
	}
	length := decode.Little16(data, 2)
	switch data[1] {
	case 0x50: // information for the log-on: platform and product, spelled backwards
		platform := string(data[8:12])
		switch string(data[12:16]) {
		case "RATS", "PXES", "RTSJ", "RHSS":
			s.Protocol("STARCRAFT")
		case "3RAW", "PX3W":
			s.Protocol("WARCRAFT3")
		case "VD2D", "PX2D", "LTRD":
			s.Protocol("DIABLO")
		}
		return decode.If(length >= 40 && length < 512 && (platform == "68XI" || platform == "CAMP" || platform == "XAMP"))
	case 0x05, 0x1e, 0x06:
		return decode.If(length >= 8 && length < 512)
	}
	return decode.No
}

// riot knows the measurement of the way to the server, and the opening of a session, whose answer
// repeats the identifier in it.
func riot(s *decode.Session, data []byte) decode.Verdict {
	if n := len(data); n >= 32 && n <= 40 && string(data[n-8:]) == "\xaa\xaa\xaa\xaa\xbb\xbb\xbb\xbb" {
		return decode.Match
	}
	if asked, ok := s.Memory().([4]byte); ok && s.Direction == decode.ToClient {
		return decode.If(len(data) >= 12 && string(data[:4]) == string(asked[:]) && decode.Little32(data, 4) == 1)
	}
	if len(data) < 48 || len(data) > 64 || decode.Little32(data, 8) != 1 || !decode.Zero(data[12:36]) {
		return decode.No
	}
	s.Remember([4]byte(data[4:8]))
	return decode.Maybe
}

// activision checks a probe, which holds the address and the port of its sender.
func activision(s *decode.Session, data []byte) decode.Verdict {
	if len(data) != 29 || data[1] != 2 || data[2] != 0 {
		return decode.No
	}
	return decode.If(s.Port(decode.Little16(data, 21)))
}

// discordAlive knows the sign of life between a client and the server of a voice channel.
func discordAlive(_ *decode.Session, data []byte) decode.Verdict {
	return decode.If(len(data) == 8 && begins(data, "\x13\x37\xca\xfe") && decode.Zero(data[6:]))
}
