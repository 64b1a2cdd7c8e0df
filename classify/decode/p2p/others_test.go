package p2p

import (
	"strings"
	"testing"

	. "sluice/classify/decode/decodetest"
)

var otherCases = []Case{
	{"ZUG", 40000, true, []Message{Client("\x00ZUG\x10" + strings.Repeat("\x07", 20))}, "\x00ZUG\x11" + strings.Repeat("\x07", 20)},
	{"LIGHTNING", 9735, false, []Message{Client("\x00\x02" + strings.Repeat("\x5c", 48)), Server("\x00\x03" + strings.Repeat("\x5d", 48)), Client("\x00" + strings.Repeat("\x5e", 65))}, "\x00\x02" + strings.Repeat("\x5c", 49)},
	{"CARDANO", 3001, false, []Message{Client("\x2a\x11\x80\x05\x00\x00\x00\x08\x82\x00\xa1\x0d\x82\x01\xf4\xf4")}, "\x2a\x11\x80\x05\x00\x01\x00\x08\x82\x00\xa1\x0d\x82\x01\xf4\xf4"},
	{"FREENET", 9481, false, []Message{Client("ClientHello\nName=reader\nExpectedVersion=2.0\nEndMessage\n"), Server("NodeHello\n")}, "ClientHullo\nName=reader\n"},
	{"STEALTHNET", 6097, false, []Message{Server("LARS REGENSBURGER'S FILE SHARING PROTOCOL 0.2\n")}, "LARS REGENSBURGERS FILE"},
	{"MANOLITO", 41170, true, []Message{Client("\x3d\x4a\xd9\x01\x02\x03\x04")}, "\x3d\x4c\xd9\x01\x02\x03\x04"},
}

func TestOthers(t *testing.T) { Cases(t, Decoders, otherCases) }

func FuzzOthers(f *testing.F) { Fuzz(f, others, Seeds(otherCases)...) }
