package vpn

import (
	"strings"
	"testing"

	. "sluice/classify/decode/decodetest"
)

var reverseCases = []Case{
	{"FRP", 7000, false, []Message{Client("o\x00\x00\x00\x00\x00\x00\x00\x40" + `{"version":"0.51.3","os":"linux"}`)}, "o\x00\x00\x00\x00\x00\x00\x00\x40" + `{"varsion":"0.51.3"}`},
	{"NPS", 8024, false, []Message{Client("TST\x06\x00\x00\x000.26.0")}, "TST\x06\x00\x00\x00a.26.0"},
	{"METERPRETER", 4444, false, []Message{Server("\x00\xb0\x02\x00MZ" + strings.Repeat("\x90", 76) + "This program cannot be run in DOS mode." + strings.Repeat("\x00", 200))}, "\x00\xb0\x02\x00MZ" + strings.Repeat("\x90", 300)},
}

func TestReverse(t *testing.T) { Cases(t, Decoders, reverseCases) }

func FuzzReverse(f *testing.F) { Fuzz(f, reverse, Seeds(reverseCases)...) }
