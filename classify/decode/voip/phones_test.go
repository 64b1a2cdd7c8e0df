package voip

import (
	"hash/crc32"
	"testing"

	"sluice/classify/decode"
	. "sluice/classify/decode/decodetest"
)

var phoneCases = []Case{
	{"HEP", 9060, true, []Message{Client("HEP3\x00\x15\x00\x00\x00\x01\x00\x07\x02\x00\x00\x00\x02\x00\x08\x11\x00")}, "HEP3\x00\x15\x00\x00\x00\x01\x00\x07\x02\x00\x00\x00\x02\x00\x09\x11\x00"},
	{"HEP", 9060, false, []Message{Client("HEP3\x00\x40\x00\x00\x00\x01\x00\x07\x02")}, "HEP3\x00\x40\x00\x00\x00\x01\x00\x05\x02"},
	{"NOE", 32640, true, []Message{Client("\x04")}, "\x09"},
	{"NOE", 32640, true, []Message{Server("\x07\x00\x21\x00\x1f")}, "\x07\x01\x21\x00\x1f"},
	{"NOE", 40000, true, []Message{Client("\x04"), Server("\x05")}, "\x04\x04"},
	{"VHUA", 58267, true, []Message{Client("\x05\x14\x3a\x05\x08\xf8\xa1\xb1\x03\x00")}, "\x05\x14\x3a\x05\x08\xf8\xa1\xb1\x04\x00"},
	{"MEETING-BFCP", 5070, false, []Message{Client("\x20\x01\x00\x01\x00\x00\x00\x01\x00\x01\x00\x02\x05\x04\x00\x01")}, "\x20\x01\x00\x01\x00\x00\x00\x01\x00\x01\x00\x02\x05\x09\x00\x01"},
	{"OSC", 8000, true, []Message{Client("/mixer/volume\x00\x00\x00,f\x00\x00\x3f\x00\x00\x00")}, "/mixer/volume\x00\x00\x00;f\x00\x00\x3f\x00\x00\x00"},
	{"OSC", 8000, true, []Message{Client("#bundle\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x08/a\x00\x00,\x00\x00\x00")}, "#bundle\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x10/a\x00\x00,\x00\x00\x00"},
	{"HDHOMERUN", 65001, true, []Message{Client(discovery())}, discovery()[:13] + "\x00"},
}

// discovery is the search for tuners.
func discovery() string {
	body := "\x00\x02\x00\x06\x01\x04\x00\x00\x00\x01"
	sum := crc32.ChecksumIEEE([]byte(body))
	return body + string([]byte{byte(sum), byte(sum >> 8), byte(sum >> 16), byte(sum >> 24)})
}

func TestPhones(t *testing.T) { Cases(t, Decoders, phoneCases) }

func FuzzPhones(f *testing.F) { Fuzz(f, phones, Seeds(phoneCases)...) }

// A sign of life that is answered by the side that sent it is none.
func TestNOEAnswer(t *testing.T) {
	if o := Run(Decoders, UDP(40000), Client("\x04"), Client("\x05")); o.Verdict >= decode.Maybe {
		t.Errorf("recognised as %s", o.Name)
	}
}
