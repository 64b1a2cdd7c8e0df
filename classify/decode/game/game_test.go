package game

import (
	"hash/adler32"
	"hash/crc32"
	"strings"
	"testing"

	"sluice/classify/decode"
	. "sluice/classify/decode/decodetest"
)

// Sessions as the documents of the protocols have them. miss is nearly the same, sent by the client
// alone, and must not be recognised.
var sessions = []struct {
	name     string
	port     uint16
	udp      bool
	messages []Message
	miss     string
}{
	{"STEAM", 27017, false, []Message{Server("\x1c\x00\x00\x00VT01\x17\x05\x00\x00")}, "\x1c\x00\x00\x00VT02\x17\x05\x00\x00"},
	{"STEAM", 27036, true, []Message{Client("\xff\xff\xff\xff\x21\x4c\x5f\xa0\x16\x00\x00\x00")}, "\xff\xff\xff\xff\x21\x4c\x5f\xa1\x16\x00\x00\x00"},
	{"STEAM-DATAGRAM-RELAY", 27045, true, []Message{Client("\x01\x81\x73\x64\x70\x69\x6e\x67\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c")}, "\x01\x81\x73\x64\x70\x6f\x6e\x67\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c"},
	{"PLAYSTATION", 9302, true, []Message{Client("SRCH * HTTP/1.1\ndevice-discovery-protocol-version:00030010\n")}, "SRCH * HTTP/2.1\n"},
	{"NINTENDO", 40000, true, []Message{Client("\x32\xab\x98\x64" + strings.Repeat("\x05", 20))}, "\x32\xab\x98\x65" + strings.Repeat("\x05", 20)},
	{"XBOX", 5050, true, []Message{Client("\xdd\x00\x00\x04\x00\x00\x00\x00\x00\x03")}, "\xdd\x00\x00\x05\x00\x00\x00\x00\x00\x03"},
	{"XBOX", 3074, true, []Message{Client("\x00\x00\x00\x00\x0b\x58\x80\x00\x00\x00\x01\x02\x03")}, "\x00\x00\x00\x00\x0b\x59\x80\x00\x00\x00\x01\x02\x03"},
	{"BLIZZARD", 6112, false, []Message{Client("\x01\xff\x50\x3a\x00\x00\x00\x00\x0068XIXXXX\x0d\x00\x00\x00")}, "\x01\xff\x50\x3a\x00\x00\x00\x00\x0068XJXXXX\x0d\x00\x00\x00"},
	{"STARCRAFT", 6112, false, []Message{Client("\x01\xff\x50\x3a\x00\x00\x00\x00\x0068XIPXES\x0d\x00\x00\x00")}, "\x02\xff\x50"},
	{"RIOT-GAMES", 8181, true, []Message{Client("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\xaa\xaa\xaa\xaa\xbb\xbb\xbb\xbb")}, "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\xaa\xaa\xaa\xaa\xbb\xbb\xbb\xbc"},
	{"RAKNET", 19132, true, []Message{Client("\x01\x00\x00\x00\x00\x00\x00\x00\x01" + rakMagic + "\x00\x00\x00\x00\x00\x00\x00\x02")}, "\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\xff\xff\x00\xfe\xfe\xfe\xfe\xfd\xfd\xfd\xfd\x12\x34\x56\x79\x00"},
	{"RAKNET", 40000, true, []Message{Client("\xc0\x00\x02\x01\x05\x00\x00\x00\x07\x00\x00\x09\x00\x00")}, "\xc0\x00\x02\x01\x05\x00\x00\x00\x07\x00\x00\x09\x00"},
	{"RAKNET", 40000, true, []Message{Client("\x84\x00\x00\x00\x40\x00\x08\x00\x00\x00\x09")}, "\x84\x00\x00\x00\x40\x00\x10\x00\x00\x00\x09"},
	{"YOJIMBO", 40000, true, []Message{Client("\x00NETCODE 1.02\x00\x01\x02")}, "\x00NETCODE 2.02\x00\x01\x02"},
	{"ENET", 40000, true, []Message{Client("\x8f\xff\x00\x05\x82\xff\x00\x01\x00\x00\xff\xff\x00\x00\x05\x78\x00\x00\x80\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x13\x88\x00\x00\x00\x02\x00\x00\x00\x02\x01\x02\x03\x04\x00\x00\x00\x00")}, "\x8f\xff\x00\x05\x82\xff\x00\x01\x00\x00\xff\xff\x00\x00\x00\x64\x00\x00\x80\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x13\x88\x00\x00\x00\x02\x00\x00\x00\x02\x01\x02\x03\x04\x00\x00\x00\x00"},
	{"PHOTON", 5055, true, []Message{Client("\xff\xff\x00\x01\x00\x00\x00\x10\x12\x34\x56\x78\x02\xff\x01\x04\x00\x00\x00\x2c" + strings.Repeat("\x00", 36))}, "\xff\xff\x00\x01\x00\x00\x00\x10\x12\x34\x56\x78\x02\xff\x01\x04\x00\x00\x00\x2d" + strings.Repeat("\x00", 36)},
	{"GENSHIN-IMPACT", 22101, true, []Message{Client("\x00\x00\x00\xff\x00\x00\x00\x00\x00\x00\x00\x00\x49\x96\x02\xd2\xff\xff\xff\xff")}, "\x00\x00\x00\xff\x00\x00\x00\x00\x00\x00\x00\x00\x49\x96\x02\xd2\xff\xff\xff\xfe"},
	{"KCP", 40000, true, []Message{Client("\x11\x22\x33\x44\x51\x00\x80\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00hello")}, "\x11\x22\x33\x44\x51\x00\x80\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x06\x00\x00\x00hello"},
	{"CRYNETWORK", 40000, true, []Message{Client("\x3c\x00\x00\x01\x02" + strings.Repeat("\x00", 11) + "\x01\x00\x00\x00\x07\x00\x00\x00\x03\x07" + strings.Repeat("\x04", 48))}, "\x3c\x00\x00\x01\x02" + strings.Repeat("\x00", 11) + "\x02\x00\x00\x00\x07\x00\x00\x00\x03\x07" + strings.Repeat("\x04", 48)},
	{"GAMESPY", 7778, true, []Message{Client("\\status\\")}, "\\stitus\\"},
	{"SOURCE-RCON", 27015, false, []Message{Client("\x10\x00\x00\x00\x01\x00\x00\x00\x03\x00\x00\x00secret\x00\x00")}, "\x10\x00\x00\x00\x01\x00\x00\x00\x03\x00\x00\x00secret\x00\x01"},
	{"BATTLEYE", 2302, true, []Message{Client(battlEyeMessage())}, "BE\x00\x00\x00\x00\xff\x00pw"},
	{"TENCENT-GAMES", 40000, false, []Message{Client("\x33\x66\x00\x0a\x00\x0a\x10\x01")}, "\x33\x66\x00\x1a\x00\x0a\x10\x01"},
	{"SOURCE-ENGINE", 27015, true, []Message{Client("\xff\xff\xff\xffTSource Engine Query\x00")}, "\xff\xff\xff\xffTSource Engine Querx\x00"},
	{"QUAKE", 27960, true, []Message{Client("\xff\xff\xff\xffgetinfo xyz")}, "\xff\xff\xff\xffgotinfo xyz"},
	{"QUAKE", 26000, true, []Message{Client("\x80\x00\x00\x0c\x02QUAKE\x00\x03")}, "\x80\x00\x00\x0d\x02QUAKE\x00\x03"},
	{"DOOM3", 27666, true, []Message{Client("\xff\xffgetInfo\x00\x01\x00\x00\x00")}, "\xff\xffgetInfa\x00\x01\x00\x00\x00"},
	{"TEEWORLDS", 8303, true, []Message{Client("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xffgie3\x05")}, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xffgia3\x05"},
	{"BZFLAG", 5154, false, []Message{Client("BZFLAG\r\n\r\n"), Server("BZFS0221\xff")}, "BZFLAG\r\r\n"},
	{"ARMAGETRON", 4534, true, []Message{Client("\x00\x35\x00\x01\x00\x02\x01\x02\x03\x04\x00\x00")}, "\x00\x35\x00\x01\x00\x03\x01\x02\x03\x04\x00\x00"},
	{"MINECRAFT", 25565, false, []Message{Client("\x10\x00\xfd\x05\x09localhost\x63\xdd\x01\x01\x00")}, "\x10\x00\xfd\x05\x0alocalhost\x63\xdd\x01\x01\x00"},
	{"WORLD-OF-WARCRAFT", 3724, false, []Message{Server("\x30\x00WORLD OF WARCRAFT CONNECTION - SERVER TO CLIENT - V2\n")}, "\x30\x00WORLD OF WARCRAFT CONNACTION"},
	{"WORLD-OF-WARCRAFT", 3724, false, []Message{Client("\x00\x08\x24\x00WoW\x00\x03\x03\x05")}, "\x00\x08\x24\x00WoX\x00\x03\x03\x05"},
	{"WARCRAFT3", 6112, true, []Message{Client("\xf7\x2f\x10\x00PX3W\x1a\x00\x00\x00\x00\x00\x00\x00")}, "\xf7\x2f\x11\x00PX3W\x1a\x00\x00\x00\x00\x00\x00\x00"},
	{"HEROES-OF-THE-STORM", 3724, true, []Message{Client(strings.Repeat("\x00", 14) + "\x40\x00\x01\x02\x03\x04")}, strings.Repeat("\x00", 14) + "\x41\x00\x01\x02\x03\x04"},
	{"GUILD-WARS", 6112, false, []Message{Client("P /Sts/Connect STS/1.0\r\n")}, "P /Stx/"},
	{"MAPLESTORY", 8484, false, []Message{Server("\x0e\x00\x5f\x00\x01\x001abcdefgh\x08")}, ""},
	{"DIABLO", 4000, false, []Message{Server("\xaf\x01")}, ""},
	{"TIBIA", 7171, false, []Message{Client(tibiaMessage())}, "\x1c\x00\x00\x00\x00\x00" + strings.Repeat("a", 24)},
	{"DOFUS", 5555, false, []Message{Server("HC" + strings.Repeat("ab", 16) + "\x00")}, ""},
	{"TERRARIA", 7777, false, []Message{Client("\x0f\x00\x01\x0bTerraria279")}, "\x0f\x00\x01\x0bTerraris279"},
	{"MINETEST", 30000, true, []Message{Client("\x4f\x45\x74\x03\x00\x00\x00\x01")}, "\x4f\x45\x74\x04\x00\x00\x00\x01"},
	{"OPENTTD", 3979, true, []Message{Client("\x03\x00\x00")}, "\x04\x00\x00"},
	{"SAMP", 7777, true, []Message{Client("SAMP\xc0\x00\x02\x01\x61\x1ei")}, "SAMQ\xc0\x00\x02\x01\x61\x1ei"},
	{"SECOND-LIFE", 13000, true, []Message{Client("\x40\x00\x00\x00\x01\x00\xff\xff\x00\x03" + strings.Repeat("u", 36))}, "\x40\x00\x00\x00\x01\x00\xff\xff\x00\x04" + strings.Repeat("u", 36)},
	{"AMONG-US", 22023, true, []Message{Client("\x08\x00\x01\x00\x10\x20\x02\x03\x06player")}, "\x08\x00\x01\x00\x10\x20\x02\x03\x07player"},
	{"SUPERCELL", 9339, false, []Message{Client("\x27\x74\x00\x00\x48\x00\x00\x00")}, "\x27\x74\x00\x10\x48\x00\x00\x00"},
	{"DISCORD-VOICE", 50004, true, []Message{Client("\x13\x37\xca\xfe\x0a\x00\x00\x00")}, "\x13\x37\xca\xff\x0a\x00\x00\x00"},
}

// battlEyeMessage is a log-on with its checksum.
func battlEyeMessage() string {
	body := "\xff\x00password"
	sum := crc32.ChecksumIEEE([]byte(body))
	return "BE" + little(sum) + body
}

// tibiaMessage is a request to log on with its checksum.
func tibiaMessage() string {
	body := strings.Repeat("a", 24)
	return "\x1c\x00" + little(adler32.Checksum([]byte(body))) + body
}

func little(n uint32) string {
	return string([]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)})
}

func TestSessions(t *testing.T) {
	for _, c := range sessions {
		t.Run(c.name, func(t *testing.T) {
			meta := TCP(c.port)
			if c.udp {
				meta = UDP(c.port)
				Datagrams(t, Decoders, c.port, c.name, c.messages...)
			} else {
				Stream(t, Decoders, c.port, c.name, c.messages...)
			}
			if o := Run(Decoders, meta, Client(c.miss)); o.Verdict >= decode.Maybe {
				t.Errorf("near miss recognised as %s", o.Name)
			}
		})
	}
}

// A part of the first message is never taken for another protocol.
func TestParts(t *testing.T) {
	for _, c := range sessions {
		if c.udp {
			continue
		}
		first := c.messages[0]
		for n := 1; n < len(first.Data); n++ {
			if o := Run(Decoders, TCP(c.port), Message{From: first.From, Data: first.Data[:n]}); o.Verdict >= decode.Match && o.Name != c.name {
				t.Errorf("%s: its first %d bytes are taken for %s", c.name, n, o.Name)
			}
		}
	}
}

// A single frame of RakNet that is not reliable looks like other protocols, and is only likely.
func TestUnreliableFrame(t *testing.T) {
	if o := Run(Decoders, UDP(40000), Client("\x84\x02\x00\x00\x00\x00\x08\x15")); o.Verdict != decode.Maybe || o.Name != "RAKNET" {
		t.Errorf("%s, %v", o.Name, o.Verdict)
	}
}

// The answer of a session with Riot's servers repeats what the client named itself.
func TestRiot(t *testing.T) {
	ask := "\x01\x02\x03\x04\x05\x06\x07\x08\x01" + strings.Repeat("\x00", 27) + strings.Repeat("\x09", 17)
	Datagrams(t, Decoders, 7194, "RIOT-GAMES", Client(ask), Server("\x05\x06\x07\x08\x01\x00\x00\x00\x01\x02\x03\x04"))
	if o := Run(Decoders, UDP(7194), Client(ask), Server("\x05\x06\x07\x09\x01\x00\x00\x00\x01\x02\x03\x04")); o.Verdict >= decode.Maybe {
		t.Errorf("an answer to somebody else is recognised as %s", o.Name)
	}
}

// The name of the server that a player asks for is told.
func TestMinecraftHost(t *testing.T) {
	o := Run(Decoders, TCP(25565), Client("\x12\x00\xfd\x05\x0bexample.com\x63\xdd\x02"))
	if got := o.Value(decode.MessagingHost); got != "example.com" {
		t.Errorf("host %q", got)
	}
}

func FuzzDecoders(f *testing.F) {
	var seeds [][]byte
	for _, c := range sessions {
		seeds = append(seeds, c.messages[0].Data)
	}
	Fuzz(f, Decoders, seeds...)
}
