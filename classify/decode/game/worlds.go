// Games that are worlds or are played in turns: Minecraft (wiki.vg), World of Warcraft, Warcraft III,
// Heroes of the Storm, Guild Wars 2, MapleStory, Diablo II, Tibia, Dofus, Terraria, Minetest, OpenTTD,
// San Andreas Multiplayer, Second Life, Among Us, and the games of Supercell, as documented by their
// sources or the community.

package game

import (
	"bytes"
	"hash/adler32"

	"sluice/classify/decode"
)

var worlds = []decode.Decoder{
	{Name: "MINECRAFT", Ports: []uint16{25565}, Client: decode.FirstRange(6, 0xfe), Stream: minecraft},
	{Name: "WORLD-OF-WARCRAFT", Ports: []uint16{3724, 8085}, Client: decode.FirstBytes("\x000W"), Server: decode.FirstBytes("\x000W"), Stream: warcraft},
	{Name: "WARCRAFT3", Ports: []uint16{6112}, Client: decode.FirstBytes("\xf7"), Server: decode.FirstBytes("\xf7"), Stream: warcraft3, Datagram: warcraft3Datagram},
	{Name: "HEROES-OF-THE-STORM", Ports: []uint16{1119, 3724}, PortsOnly: true, Datagram: heroes},
	{Name: "GUILD-WARS", Ports: []uint16{6112}, Client: decode.FirstBytes("PS"), Server: decode.FirstBytes("SP"), Stream: decode.Starts("P /Sts/", "P /Auth/", "STS/1.0 ", "P /Game")},
	{Name: "MAPLESTORY", Ports: []uint16{8484}, Server: decode.FirstRange(0x0d, 0x13), Stream: mapleStory},
	{Name: "DIABLO", Ports: []uint16{4000}, PortsOnly: true, Server: decode.FirstBytes("\xaf"), Stream: greets("\xaf\x01", "\xaf\x00")},
	{Name: "TIBIA", Ports: []uint16{7171, 7172}, Client: decode.FirstRange(0, 255), Stream: tibia},
	{Name: "DOFUS", Ports: []uint16{5555, 443}, Server: decode.FirstBytes("H"), Stream: dofus},
	{Name: "TERRARIA", Ports: []uint16{7777}, Client: decode.FirstRange(10, 40), Stream: terraria},
	{Name: "MINETEST", Ports: []uint16{30000}, Client: decode.FirstBytes("O"), Server: decode.FirstBytes("O"), Datagram: prefix("\x4f\x45\x74\x03")},
	{Name: "OPENTTD", Ports: []uint16{3978, 3979}, PortsOnly: true, Datagram: openTTD},
	{Name: "SAMP", Ports: []uint16{7777}, Client: decode.FirstBytes("S"), Server: decode.FirstBytes("S"), Datagram: samp},
	{Name: "SECOND-LIFE", Client: decode.FirstBytes("\x40\xc0\x00\x80"), Datagram: secondLife},
	{Name: "AMONG-US", Ports: []uint16{22023, 22123}, Client: decode.FirstBytes("\x08"), Datagram: amongUs},
	{Name: "SUPERCELL", Ports: []uint16{9339}, Client: decode.FirstBytes("\x27"), Stream: supercell},
}

// minecraft checks the handshake: its length, packet 0, a version, the name of the server, its port
// and what is wanted; or the question of very old clients.
func minecraft(s *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) == 0 {
		return decode.More
	}
	if client[0] == 0xfe {
		if len(client) < 4 {
			return decode.More
		}
		return decode.If(begins(client, "\xfe\x01\xfa\x00\x0b\x00M") || begins(client, "\xfe\x01\xfa\x00"))
	}
	at := 1
	length := int(client[0])
	if client[0] >= 0x80 {
		if len(client) < 2 {
			return decode.More
		}
		if client[1] > 3 {
			return decode.No
		}
		length, at = length&0x7f|int(client[1])<<7, 2
	}
	if len(client) > at && client[at] != 0 || length < 6 {
		return decode.No
	}
	end := at + length
	at++
	for i := 0; ; i++ { // the version, of at most five bytes
		if at >= len(client) {
			return decode.More
		}
		if at++; client[at-1] < 0x80 {
			break
		}
		if i == 4 {
			return decode.No
		}
	}
	if at >= len(client) {
		return decode.More
	}
	name := int(client[at])
	at++
	if name&0x80 != 0 { // names that mods lengthen
		if at >= len(client) {
			return decode.More
		}
		name, at = name&0x7f|int(client[at])<<7, at+1
	}
	if name == 0 || at+name+3 != end {
		return decode.No
	}
	host := client[at:min(len(client), at+name)]
	if text, _, cut := bytes.Cut(host, []byte{0}); !decode.Printable(text) || len(text) == 0 && cut {
		return decode.No
	}
	if len(client) < end {
		return decode.More
	}
	if want := client[end-1]; want < 1 || want > 3 {
		return decode.No
	}
	if text, _, _ := bytes.Cut(host, []byte{0}); len(text) > 0 {
		s.Host(decode.MessagingHost, text)
	}
	return decode.Match
}

// warcraft checks the greetings in words, the log-on with the name of the game, or the challenge of
// an older server.
func warcraft(_ *decode.Session, client, server []byte) decode.Verdict {
	const words = "WORLD OF WARCRAFT CONNECTION"
	for _, side := range [...][]byte{server, client} {
		if len(side) == 0 {
			continue
		}
		if side[0] == '0' && len(side) > 2 || side[0] == 'W' {
			if side[0] == '0' {
				side = side[2:]
			}
			return decode.Magic(side, words)
		}
	}
	if len(client) == 0 {
		if len(server) >= 4 && server[0] == 0 { // length and number of the challenge
			return decode.If((server[1] == 6 || server[1] == 0x2a || server[1] == 0x26) && server[2] == 0xec && server[3] == 1)
		}
		return decode.More
	}
	if len(client) < 8 {
		if len(client) >= 2 && client[0] == 0 && client[1] > 8 {
			return decode.No
		}
		return decode.More
	}
	return decode.If(client[0] == 0 && client[1] <= 8 && string(client[4:8]) == "WoW\x00" && decode.Little16(client, 2) < 256)
}

// warcraft3 checks the head of the first message between players, with its length.
func warcraft3(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	if len(data) < 4 {
		return decode.More
	}
	length := int(decode.Little16(data, 2))
	switch data[1] {
	case 0x1e, 0x04, 0x37, 0x35, 0x36: // wants to join, may, pings
		return decode.If(length >= 8 && length < 200)
	}
	return decode.No
}

// warcraft3Datagram checks the search for games on the local network.
func warcraft3Datagram(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) < 8 || int(decode.Little16(data, 2)) != len(data) {
		return decode.No
	}
	switch data[1] {
	case 0x2f, 0x30, 0x31:
		return decode.If(len(data) >= 12 && (string(data[4:8]) == "PX3W" || string(data[4:8]) == "3RAW"))
	case 0x32, 0x33:
		return decode.If(len(data) == 16 || len(data) == 8)
	}
	return decode.No
}

// heroes checks the constant word behind the fourteen bytes of the seal, which are empty at first;
// with a seal, it must be there in three datagrams.
func heroes(s *decode.Session, data []byte) decode.Verdict {
	if len(data) < 20 || data[14] != 0x40 || data[15]&0xef != 0 {
		return decode.No
	}
	if decode.Zero(data[:14]) || s.Index >= 2 {
		return decode.Match
	}
	return decode.More
}

// mapleStory checks the greeting of the server: its length, a version, a text, two keys and the
// region.
func mapleStory(_ *decode.Session, client, server []byte) decode.Verdict {
	if len(server) == 0 {
		if len(client) > 0 {
			return decode.No
		}
		return decode.More
	}
	if len(server) >= 2 && server[1] != 0 {
		return decode.No
	}
	if len(server) < 8 {
		return decode.More
	}
	text := int(decode.Little16(server, 4))
	length := int(server[0])
	if version := decode.Little16(server, 2); length != 13+text || version < 10 || version > 400 {
		return decode.No
	}
	if len(server) < length+2 {
		return decode.More
	}
	for _, c := range server[6 : 6+text] {
		if c < '0' || c > '9' && c != ':' {
			return decode.No
		}
	}
	return decode.If(len(server) == length+2 && server[length+1] >= 1 && server[length+1] <= 9)
}

// tibia checks the checksum behind the length of the first message of the client.
func tibia(_ *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) < 6 {
		return decode.More
	}
	length := int(decode.Little16(client, 0))
	if length < 20 || length > 600 {
		return decode.No
	}
	if len(client) < length+2 {
		return decode.More
	}
	return decode.If(adler32.Checksum(client[6:length+2]) == decode.Little32(client, 2))
}

// dofus checks the greeting of the server: a key of 32 letters.
func dofus(_ *decode.Session, _, server []byte) decode.Verdict {
	if v := decode.Magic(server, "HC"); v != decode.Match {
		return v
	}
	if len(server) < 35 {
		if !letters(server) {
			return decode.No
		}
		return decode.More
	}
	return decode.If(letters(server[2:34]) && server[34] == 0)
}

// terraria checks the request to connect, which names the game and its version.
func terraria(_ *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) < 12 {
		if len(client) >= 3 && (client[1] != 0 || client[2] != 1) {
			return decode.No
		}
		return decode.More
	}
	return decode.If(client[1] == 0 && client[2] == 1 && int(client[3])+4 == int(client[0]) && string(client[4:12]) == "Terraria")
}

// openTTD checks length and type of a message.
func openTTD(_ *decode.Session, data []byte) decode.Verdict {
	return decode.If(len(data) >= 3 && int(decode.Little16(data, 0)) == len(data) && data[2] <= 16)
}

// samp checks a question: the name, an address, a port, and a letter for what is asked.
func samp(_ *decode.Session, data []byte) decode.Verdict {
	return decode.If(len(data) >= 11 && begins(data, "SAMP") && bytes.IndexByte([]byte("irdcpx"), data[10]) >= 0)
}

// secondLife checks the message that opens a circuit: the first, reliable, with its code.
func secondLife(_ *decode.Session, data []byte) decode.Verdict {
	return decode.If(len(data) >= 46 && data[0]&0x40 != 0 && data[5] == 0 && string(data[6:10]) == "\xff\xff\x00\x03")
}

// amongUs checks the greeting of a client: a number, the version of the library and of the game,
// and a name.
func amongUs(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) < 10 || data[3] != 0 || data[7] != 3 && data[7] != 2 || data[1] != 0 {
		return decode.No
	}
	name := int(data[8])
	return decode.If(name >= 1 && name <= 40 && len(data) >= 9+name && (len(data) == 9+name || len(data) > 9+name+4) && data[9] >= ' ')
}

// supercell checks the greeting of a client, or its log-on without one.
func supercell(s *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) < 7 {
		if len(client) >= 2 && client[1] != 0x74 && client[1] != 0x75 {
			return decode.No
		}
		return decode.More
	}
	return decode.If((client[1] == 0x74 || client[1] == 0x75) && decode.Uint24(client, 2) < 2048 && client[5] == 0 && s.Port(9339))
}
