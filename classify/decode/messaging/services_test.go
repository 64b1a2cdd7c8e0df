package messaging

import (
	"strings"
	"testing"

	. "sluice/classify/decode/decodetest"
)

var serviceCases = []Case{
	{"UCP", 3700, false, []Message{Client("\x0201/00070/O/01/01234567890/09876543210///3/53686F7274204D657373616765/D9\x03")}, "\x0201/00070/X/01/0123"},
	{"CIMD", 9971, false, []Message{Client("\x0201:001\t010:user\t011:secret\t\x03")}, "\x0201:00a\t"},
	{"SIP2", 6001, false, []Message{Client("9300CNterminal|COsecret|CPmain|\r")}, "9300XNterminal|"},
	{"SIP2", 6001, false, []Message{Client("9900302.00\r")}, "9900303.00\r"},
	{"SOUPBINTCP", 9000, false, []Message{Client("\x00\x2fLUSER01PASSWORD01" + strings.Repeat(" ", 10) + strings.Repeat(" ", 19) + "1")}, "\x00\x2fLUSER01PASSWORD01" + strings.Repeat(" ", 10) + strings.Repeat(" ", 19) + "x"},
	{"ISO8583", 5000, false, []Message{Client("\x00\x220800822000000000000004000000000000")}, "\x00\x210800822000000000000004000000000000"},
	{"ISO8583", 5000, false, []Message{Client("\x00\x17\x60\x00\x01\x00\x00\x08\x00\x20\x20\x01\x00\x00\xc0\x00\x00\x93\x00\x00\x00\x00\x01\x00\x01")}, "\x00\x17\x60\x00\x01\x00\x00\x09\x00\x20\x20\x01\x00\x00\xc0\x00\x00\x93\x00\x00\x00\x00\x01\x00\x01"},
	{"HOTLINE", 5500, false, []Message{Client("TRTPHOTL\x00\x01\x00\x02"), Server("TRTP\x00\x00\x00\x00")}, "TRTPHATL\x00\x01"},
	{"PALTALK", 2090, false, []Message{Client("\x01\x02\x03\x04\x05\x06\x07\x08\x00\x02\x00\x01\x09\x0a\x0b\x0c\x5a\xfd\xff\xff")}, "\x01\x02\x03\x04\x05\x06\x07\x08\x00\x02\x00\x01\x09\x0a\x0b\x0c\x5a\xfd\xff\xfe"},
	{"PALTALK", 2090, false, []Message{Client("\x01\x02\x24\xc2\xe8\x0b\x07\x08\x00\x02\x00\x01\x09\x0a\x0b\x0c\x0d\x5b\x73\x2b\x00\x01")}, "\x01\x02\x24\xc2\xe8\x0b\x07\x08\x00\x02\x00\x01\x09\x0a\x0b\x0c\x0d\x5b\x73\x2b\x01\x01"},
}

func TestServices(t *testing.T) { Cases(t, Decoders, serviceCases) }

func FuzzServices(f *testing.F) { Fuzz(f, services, Seeds(serviceCases)...) }
