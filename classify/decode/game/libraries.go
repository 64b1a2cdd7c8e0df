// Network libraries that games share: RakNet (raknet.com, and the documentation of Bedrock), ENet
// (enet.bespin.org), KCP (skywind3000/kcp), netcode.io, Photon, GameSpy's query protocols, RCON, and
// the engines of Crytek and of the makers of Genshin Impact.

package game

import (
	"bytes"
	"hash/crc32"

	"sluice/classify/decode"
)

var libraries = []decode.Decoder{
	{Name: "RAKNET", Ports: []uint16{19132}, Client: rakFirst, Server: rakFirst, Datagram: rakNet},
	{Name: "YOJIMBO", Client: decode.FirstBytes("\x00"), Datagram: netcode},
	{Name: "ENET", Client: decode.FirstRange(0x80, 0xbf), Server: decode.FirstRange(0x80, 0xbf), Datagram: enet},
	{Name: "PHOTON", Ports: []uint16{5055, 5056, 5058}, Client: decode.FirstBytes("\x00\xff"), Server: decode.FirstBytes("\x00\xff"), Datagram: photon},
	{Name: "GENSHIN-IMPACT", Client: decode.FirstBytes("\x00\x01"), Server: decode.FirstBytes("\x00\x01"), Stream: genshinStream, Datagram: genshin},
	{Name: "KCP", Datagram: kcp},
	{Name: "CRYNETWORK", Client: decode.FirstBytes("\x3c"), Datagram: cryNetwork},
	{Name: "GAMESPY", Client: decode.FirstBytes("\\\xfe"), Server: decode.FirstBytes("\\\x00\x09\xfe"), Datagram: gameSpy},
	{Name: "SOURCE-RCON", Ports: []uint16{27015, 25575}, Stream: rcon},
	{Name: "BATTLEYE", Ports: []uint16{2302}, Client: decode.FirstBytes("B"), Server: decode.FirstBytes("B"), Datagram: battlEye},
	{Name: "TENCENT-GAMES", Client: decode.FirstBytes("\x33"), Server: decode.FirstBytes("\x33"), Stream: tencent, Datagram: tencentDatagram},
	{Name: "GAIJIN", Ports: []uint16{20011}, Client: decode.FirstRange('a', 'z'), Datagram: gaijin},
}

// rakFirst are the identifiers of messages without a connection, and of frames.
var rakFirst = decode.FirstRange(0x01, 0x1f).Or(decode.FirstRange(0x78, 0x8f)).Or(decode.FirstBytes("\xa0\xc0"))

// rakMagic is in every message without a connection.
const rakMagic = "\x00\xff\xff\x00\xfe\xfe\xfe\xfe\xfd\xfd\xfd\xfd\x12\x34\x56\x78"

// rakNet checks the magic of messages without a connection, or that the frames or receipts of a
// datagram fill it exactly.
func rakNet(s *decode.Session, data []byte) decode.Verdict {
	switch {
	case data[0] == 0xc0 || data[0] == 0xa0:
		return decode.If(rakReceipts(data))
	case data[0] >= 0x80:
		return rakFrames(data)
	case data[0] == 0x1c && len(data) >= 35: // an answer, with a text at its end
		if int(decode.Uint16(data, 33))+35 != len(data) {
			return decode.No
		}
		if begins(data[35:], "MCPE;") || begins(data[35:], "MCEE;") {
			s.Application("MINECRAFT-BEDROCK")
		}
		return decode.Match
	}
	// Variants number their messages otherwise, and put relays in front.
	return decode.If(bytes.Contains(data[:min(len(data), 64)], []byte(rakMagic)))
}

// rakReceipts says whether data is a count and as many ranges or single numbers.
func rakReceipts(data []byte) bool {
	if len(data) < 7 {
		return false
	}
	count, at := int(decode.Uint16(data, 1)), 3
	if count == 0 || count > 200 {
		return false
	}
	for range count {
		if at >= len(data) || data[at] > 1 {
			return false
		}
		at += 7 - 3*int(data[at])
	}
	return at == len(data)
}

// rakFrames walks the frames behind the number of a datagram. Frames that are not reliable alone
// have few bits that are fixed.
func rakFrames(data []byte) decode.Verdict {
	at, reliable := 4, false
	for at+3 <= len(data) {
		flags, bits := data[at], int(decode.Uint16(data, at+1))
		reliability := flags >> 5
		if flags&15 != 0 || bits == 0 || bits%8 != 0 {
			return decode.No
		}
		reliable = reliable || reliability != 0
		at += 3
		if reliability == 2 || reliability == 3 || reliability == 4 || reliability >= 6 {
			at += 3
		}
		if reliability == 1 || reliability == 4 {
			at += 3
		}
		if reliability == 1 || reliability == 3 || reliability == 4 || reliability == 7 {
			at += 4
		}
		if flags&0x10 != 0 {
			at += 10
		}
		at += bits / 8
	}
	switch {
	case at != len(data):
		return decode.No
	case !reliable:
		return decode.Maybe
	}
	return decode.Match
}

// netcode checks a request for a connection.
func netcode(_ *decode.Session, data []byte) decode.Verdict {
	return decode.If(len(data) >= 14 && begins(data[1:], "NETCODE 1.0"))
}

// enet checks a request for a connection, or its confirmation: peer, time, command, and plausible
// sizes.
func enet(s *decode.Session, data []byte) decode.Verdict {
	for _, at := range [...]int{4, 8} { // without and with a checksum
		if len(data) < at+40 {
			return decode.No
		}
		command := data[at] & 0x0f
		if data[at]&0xf0 != 0x80 || command != 2 && command != 3 || data[at+1] != 0xff || decode.Uint16(data, at+2) != 1 {
			continue
		}
		mtu, window, channels := decode.Uint32(data, at+8), decode.Uint32(data, at+12), decode.Uint32(data, at+16)
		if mtu >= 576 && mtu <= 4096 && window >= 4096 && window <= 65536 && channels >= 1 && channels <= 255 {
			// The makers publish the ports of their servers.
			if port := s.Server.Port(); port >= 20010 && port <= 20500 {
				s.Application("GAIJIN")
			}
			return decode.Match
		}
	}
	return decode.No
}

// photon checks the command with which a peer connects, or its confirmation.
func photon(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) < 24 || data[2] != 0 && data[2] != 1 && data[2] != 0xcc || data[3] == 0 || data[3] > 8 {
		return decode.No
	}
	command := data[12:]
	length := decode.Uint32(command, 4)
	return decode.If((command[0] == 2 || command[0] == 3) && command[1] == 0xff && command[2] <= 1 && (length == 44) && len(data) >= 56)
}

// genshin checks the exchange that opens a connection: two marks, and a number that tells the
// event.
func genshin(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) != 20 {
		return decode.No
	}
	mark, event, end := decode.Uint32(data, 0), decode.Uint32(data, 12), decode.Uint32(data, 16)
	switch mark {
	case 0xff:
		return decode.If(end == 0xffffffff)
	case 0x145:
		return decode.If(end == 0x14514545)
	case 0x194:
		return decode.If(end == 0x19419494 && event != 0)
	}
	return decode.No
}

// genshinStream checks the lengths and types of the first message of each side.
func genshinStream(_ *decode.Session, client, server []byte) decode.Verdict {
	for i, side := range [...][]byte{client, server} {
		want := "\x01\x00\x00\x00\x2a\x07"
		if i == 1 {
			want = "\x01\x00\x00\x00\x32\x08"
		}
		if v := decode.Magic(side, want); v != decode.Match {
			return v
		}
	}
	return decode.Match
}

// kcp checks that segments of one conversation fill the datagram, with commands that exist.
func kcp(s *decode.Session, data []byte) decode.Verdict {
	const header = 24
	if len(data) < header {
		return decode.No
	}
	conversation := decode.Little32(data, 0)
	pushed := false
	for at := 0; at < len(data); {
		if at+header > len(data) || decode.Little32(data, at) != conversation || data[at+4] < 81 || data[at+4] > 84 {
			return decode.No
		}
		length := decode.Little32(data, at+20)
		if length > 1400 || data[at+4] != 81 && length != 0 || decode.Little16(data, at+6) == 0 || decode.Little16(data, at+6) > 4096 {
			return decode.No
		}
		pushed = pushed || data[at+4] == 81 && length > 0
		at += header + int(length)
		if at > len(data) {
			return decode.No
		}
	}
	switch {
	case conversation == 0:
		return decode.No
	case !pushed && s.Index == 0 && len(data) == header: // a single receipt is little to go by
		return decode.More
	}
	return decode.Match
}

// cryNetwork checks the request that sets a session up.
func cryNetwork(_ *decode.Session, data []byte) decode.Verdict {
	return decode.If(len(data) >= 64 && data[1]|data[2] == 0 && decode.Zero(data[5:16]) && data[16] == 1 &&
		decode.Uint32(data, 17) < 64 && decode.Uint32(data, 21) < 64)

}

// gameSpy checks the questions of version 1, in words, and of versions 2 to 4.
func gameSpy(_ *decode.Session, data []byte) decode.Verdict {
	switch {
	case data[0] == '\\':
		for _, word := range [...]string{`\status\`, `\info\`, `\basic\`, `\rules\`, `\players\`, `\gamename\`, `\heartbeat\`, `\echo\`, `\hostname\`} {
			if begins(data, word) {
				return decode.Match
			}
		}
	case begins(data, "\xfe\xfd\x09"):
		return decode.If(len(data) == 7)
	case begins(data, "\xfe\xfd\x00"), begins(data, "\xfe\xfd\x02"):
		return decode.If(len(data) >= 7 && len(data) <= 40)
	}
	return decode.No
}

// rcon checks the log-on to a remote console: a length that is exact, type 3, and two empty bytes.
func rcon(_ *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) < 14 {
		if len(client) >= 4 && (client[1]|client[2]|client[3] != 0 || client[0] < 10) || len(client) >= 12 && decode.Little32(client, 8) != 3 {
			return decode.No
		}
		return decode.More
	}
	length := int(decode.Little32(client, 0))
	if length < 10 || length > 255 || decode.Little32(client, 8) != 3 {
		return decode.No
	}
	if len(client) < length+4 {
		return decode.More
	}
	return decode.If(decode.Printable(client[12:length+2]) && client[length+2]|client[length+3] == 0)
}

// battlEye checks the checksum in front of a message.
func battlEye(_ *decode.Session, data []byte) decode.Verdict {
	return decode.If(len(data) >= 8 && begins(data, "BE") && data[6] == 0xff && crc32.ChecksumIEEE(data[6:]) == decode.Little32(data, 2))
}

// tencent checks the head of a connection of Tencent's games: magic and versions.
func tencent(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	if v := decode.Magic(data, "\x33\x66\x00"); v != decode.Match {
		return v
	}
	if len(data) < 8 {
		return decode.More
	}
	return decode.If(data[3] >= 8 && data[3] <= 12 && data[4] == 0 && data[5] >= 8 && data[5] <= 12)
}

func tencentDatagram(s *decode.Session, data []byte) decode.Verdict {
	return decode.If(len(data) >= 16 && tencent(s, data, nil) == decode.Match)
}

// gaijin knows the reports of a client about itself.
func gaijin(_ *decode.Session, data []byte) decode.Verdict {
	return decode.If(bytes.Contains(data[:min(len(data), 96)], []byte(",env=production,circuit=")))
}
