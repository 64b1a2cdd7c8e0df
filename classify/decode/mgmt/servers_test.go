package mgmt

import (
	"strings"
	"testing"

	"sluice/classify/decode"
	. "sluice/classify/decode/decodetest"
)

var serverCases = []Case{
	{"AJP", 8009, false, []Message{Client("\x12\x34\x00\x40\x02\x02\x00\x08HTTP/1.1\x00"), Server("AB\x00\x0a\x04\x00\xc8\x00\x02OK\x00\x00\x00")}, "\x12\x34\x00\x40\x02\x02\x00\x20HTTP/1.1\x00"},
	{"AJP", 8009, false, []Message{Client("\x12\x34\x00\x01\x0a"), Server("AB\x00\x01\x09")}, "\x12\x34\x00\x02\x0a"},
	{"SCGI", 4000, false, []Message{Client("70:CONTENT_LENGTH\x0027\x00SCGI\x001\x00")}, "70:CONTENT-LENGTH\x0027\x00"},
	{"UWSGI", 3031, false, []Message{Client("\x00\x40\x01\x00\x0c\x00QUERY_STRING\x00\x00\x0e\x00REQUEST_METHOD\x03\x00GET")}, "\x00\x40\x01\x00\x0c\x00QUERY_STRONG\x00\x00"},
	{"ICAP", 1344, false, []Message{Client("OPTIONS icap://icap.example.net/scan ICAP/1.0\r\nHost: icap.example.net\r\n\r\n"), Server("ICAP/1.0 200 OK\r\n")}, "OPTIONS icap://icap.example.net/scan ICAP/2.0\r\n"},
	{"DUBBO", 20880, false, []Message{Client("\xda\xbb\xc2\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x20\x052.0.2")}, "\xda\xbb\xc2\x00\x00\x00\x00\x00\x00\x00\x00\x01\x01\x00\x00\x20\x052.0.2"},
	{"ZEROC-ICE", 4061, false, []Message{Server("IceP\x01\x00\x01\x00\x03\x00\x0e\x00\x00\x00")}, "IceP\x01\x00\x01\x00\x05\x00\x0e\x00\x00\x00"},
	{"ZEROC-ICE", 4061, true, []Message{Client("IceP\x01\x00\x01\x00\x00\x00\x10\x00\x00\x00ab")}, "IceP\x01\x00\x01\x00\x00\x00\x11\x00\x00\x00ab"},
	{"D-BUS", 12434, false, []Message{Client("\x00AUTH EXTERNAL 31303030\r\n")}, "\x00AUTH INTERNAL\r\n"},
	{"KMIP", 5696, false, []Message{Client("\x42\x00\x78\x01\x00\x00\x00\x90\x42\x00\x77\x01\x00\x00\x00\x38")}, "\x42\x00\x78\x01\x00\x00\x00\x90\x42\x00\x79\x01\x00\x00\x00\x38"},
	{"ISNS", 3205, false, []Message{Client("\x00\x01\x00\x01\x00\x10\x8c\x00\x00\x01\x00\x00" + strings.Repeat("\x00", 16))}, "\x00\x01\x00\x01\x00\x11\x8c\x00\x00\x01\x00\x00" + strings.Repeat("\x00", 16)},
	{"ISNS", 3205, true, []Message{Client("\x00\x01\x00\x02\x00\x04\x8c\x00\x00\x01\x00\x00abcd")}, "\x00\x01\x00\x02\x00\x08\x8c\x00\x00\x01\x00\x00abcd"},
	{"HTCP", 4827, true, []Message{Client("\x00\x0e\x00\x01\x00\x08\x10\x02\x00\x00\x00\x01\x00\x02")}, "\x00\x0e\x00\x01\x00\x09\x10\x02\x00\x00\x00\x01\x00\x02"},
	{"COROSYNC", 5405, true, []Message{Client("\x70\xc0\x03\x00\x00\x01" + strings.Repeat("\x02", 40))}, "\x70\xc1\x03\x00\x00\x01" + strings.Repeat("\x02", 40)},
	{"HEARTBEAT", 694, true, []Message{Client("###\nt=status\nst=active\n")}, "##\nt=status\n"},
	{"NSCA", 5667, false, []Message{Server(strings.Repeat("\x81\x3c\xf7\x05", 32) + "\x65\x00\x00\x00")}, strings.Repeat("\x81\x3c\xf7\x05", 32) + "\x05\x00\x00\x00"},
	{"VMWARE", 902, false, []Message{Server("220 VMware Authentication Daemon Version 1.10: SSL Required")}, "220 VMwart Authentication Daemon"},
	{"VMWARE", 902, true, []Message{Client("\xa4" + strings.Repeat("\x07", 65))}, "\xa5" + strings.Repeat("\x07", 65)},
	{"DHCP-FAILOVER", 647, false, []Message{Client("\x00\x16\x05\x0c\x65\x00\x00\x00\x00\x00\x00\x01\x00\x0d\x00\x01\x01\x00\x10\x00\x01\x00")}, "\x00\x16\x05\x0c\x65\x00\x00\x00\x00\x00\x00\x01\x00\x0d\x00\x03\x01\x00\x10\x00\x01\x00"},
	{"ARUBA-PAPI", 8211, true, []Message{Client("\x49\x72\x00\x03\xc0\x00\x02\x01\xc0\x00\x02\x02" + strings.Repeat("\x01", 70))}, "\x49\x73\x00\x03\xc0\x00\x02\x01\xc0\x00\x02\x02" + strings.Repeat("\x01", 70)},
	{"LIBVIRT", 16509, false, []Message{Client("\x00\x00\x00\x1c\x20\x00\x80\x86\x00\x00\x00\x01\x00\x00\x00\x42\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")}, "\x00\x00\x00\x1c\x20\x00\x80\x86\x00\x00\x00\x02\x00\x00\x00\x42\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"},
	{"AVAST", 80, false, []Message{Client("NOSA\x00\x0c\x01\x02\x03\x04\x05\x06")}, "NOSA\x00\x0b\x01\x02\x03\x04\x05\x06"},
	{"MERAKI", 7351, true, []Message{Client("\xfe\xf7\x28\x91" + strings.Repeat("\x4d", 40))}, "\xfe\xf7\x28\x92" + strings.Repeat("\x4d", 40)},
	{"SAMSUNG-SDP", 15600, true, []Message{Client("SEARCH BSDP/0.1\nDEVICE=0\nSERVICE=1\n")}, "SEARCH BSDF/0.1\n"},
	{"JDWP", 5005, false, []Message{Client("JDWP-Handshake"), Server("JDWP-Handshake")}, "JDWP-Handshape"},
	{"GDB-REMOTE", 2345, false, []Message{Client("+$qSupported:multiprocess+;swbreak+#c6")}, "+$qSupposed:multiprocess+#c6"},
	{"DISTCC", 3632, false, []Message{Client("DIST00000001ARGC00000008ARGV00000002cc")}, "DIST00000001ARGV00000008"},
	{"TWAMP", 862, false, []Message{Server(strings.Repeat("\x00", 15) + "\x01" + strings.Repeat("\x9a", 32) + "\x00\x00\x04\x00" + strings.Repeat("\x00", 12))}, strings.Repeat("\x00", 15) + "\x01" + strings.Repeat("\x9a", 32) + "\x00\x00\x05\x00" + strings.Repeat("\x00", 12)},
	{"TWAMP", 862, false, []Message{Server(strings.Repeat("\x00", 14) + "\x02\x00" + strings.Repeat("\x9a", 32) + "\x00\x00\x04\x00" + strings.Repeat("\x00", 12))}, strings.Repeat("\x00", 14) + "\x04\x00" + strings.Repeat("\x9a", 32) + "\x00\x00\x04\x00" + strings.Repeat("\x00", 12)},
	{"RWHOIS", 4321, false, []Message{Server("%rwhois V-1.5:003eff:00 rwhois.example.net\r\n")}, "%rwhoas V-1.5"},
	{"MOBILE-IP", 434, true, []Message{Client("\x01\x00\x07\x08\xc0\x00\x02\x01\xc0\x00\x02\x02\xc0\x00\x02\x03\x01\x02\x03\x04\x05\x06\x07\x08")}, "\x02\x00\x07\x08\xc0\x00\x02\x01\xc0\x00\x02\x02\xc0\x00\x02\x03\x01\x02\x03\x04\x05\x06\x07\x08"},
	{"HIP", 10500, true, []Message{Client("\x00\x00\x00\x00\x3b\x04\x01\x21\x00\x00\x00\x00" + strings.Repeat("\x2a", 32))}, "\x00\x00\x00\x00\x3b\x05\x01\x21\x00\x00\x00\x00" + strings.Repeat("\x2a", 32)},
}

func TestServers(t *testing.T) { Cases(t, Decoders, serverCases) }

func FuzzServers(f *testing.F) { Fuzz(f, append(servers, development...), Seeds(serverCases)...) }

// Four datagrams with numbers in order are EAQ; others are not.
func TestEAQ(t *testing.T) {
	number := func(digits string) Message { return Client(digits + strings.Repeat("\x31", 12)) }
	Datagrams(t, Decoders, 6000, "EAQ", number("\x00\x00\x00\x09"), number("\x00\x00\x01\x00"), number("\x00\x00\x01\x01"), number("\x00\x00\x01\x01"))
	if o := Run(Decoders, UDP(6000), number("\x00\x00\x00\x09"), number("\x00\x00\x01\x00"), number("\x00\x00\x01\x05"), number("\x00\x00\x01\x06")); o.Verdict >= decode.Maybe {
		t.Errorf("out of order, and recognised as %s", o.Name)
	}
}
