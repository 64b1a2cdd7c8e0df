package vpn

import (
	"strings"
	"testing"

	"sluice/classify/decode"
	. "sluice/classify/decode/decodetest"
)

// hamachiData is a datagram with an identifier and a number.
func hamachiData(id string, number byte) string {
	return id + "\x00\x00\x00" + string([]byte{number}) + id[:2] + strings.Repeat("\x6b", 40)
}

var boosterCases = []Case{
	{"LAGOFAST", 40000, true, []Message{Client("\x00\x6e\x5d\x03\x00\x04abcd")}, "\x00\x6e\x5d\x03\x00\x05abcd"},
	{"HAMACHI", 12975, false, []Message{Client("\x00\x00\x01\x40\x00\x00\x00\x01\x02\x03\x04\x05\x7b\x7a\x0d\xad" + strings.Repeat("\x05", 308))}, "\x00\x00\x01\x40\x00\x00\x00\x01\x02\x03\x04\x05\x7b\x7a\x0d\xae"},
	{"HAMACHI", 17771, true, []Message{Client(hamachiData("abcd", 1)), Server(hamachiData("efgh", 1)), Client(hamachiData("abcd", 2))}, strings.Repeat("\xff", 60)},
	{"MUDFISH", 10000, false, []Message{Client("UN v2\r\n")}, "UN v3\r\n"},
}

func TestBoosters(t *testing.T) { Cases(t, Decoders, boosterCases) }

func FuzzBoosters(f *testing.F) { Fuzz(f, boosters, Seeds(boosterCases)...) }

// An identifier that changes is none.
func TestHamachiChanges(t *testing.T) {
	if o := Run(Decoders, UDP(17771), Client(hamachiData("abcd", 1)), Server(hamachiData("efgh", 1)), Client(hamachiData("ijkl", 2))); o.Verdict >= decode.Maybe {
		t.Errorf("recognised as %s", o.Name)
	}
}
