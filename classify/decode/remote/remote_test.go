package remote

import (
	"strings"
	"testing"

	"sluice/classify/decode"
	"sluice/classify/decode/decodetest"
)

// nothing checks that no decoder recognises what the sides say.
func nothing(t *testing.T, port uint16, name string, messages ...decodetest.Message) {
	t.Helper()
	if o := decodetest.Run(Decoders, decodetest.TCP(port), messages...); o.Verdict > decode.More {
		t.Errorf("%s: recognised as %s (%v)", name, o.Name, o.Verdict)
	}
}

func nothingInDatagrams(t *testing.T, port uint16, name string, messages ...decodetest.Message) {
	t.Helper()
	if o := decodetest.Run(Decoders, decodetest.UDP(port), messages...); o.Verdict > decode.More {
		t.Errorf("%s: recognised as %s (%v)", name, o.Name, o.Verdict)
	}
}

func TestSSH(t *testing.T) {
	o := decodetest.Stream(t, Decoders, 2200, "SSH", decodetest.Server("SSH-2.0-OpenSSH_9.6 Debian\r\n"), decodetest.Client("SSH-2.0-libssh_0.10\r\n"))
	if strings.Join(o.Values, " ") != "ssh-version=OpenSSH_9.6 Debian ssh-version=libssh_0.10" {
		t.Errorf("%q", o.Values)
	}
	decodetest.Stream(t, Decoders, 22, "SSH", decodetest.Server("Welcome.\r\nTwo lines.\r\nSSH-1.99-Cisco-1.25\n"))
	decodetest.Stream(t, Decoders, 22, "SSH", decodetest.Client("SSH-2.0-x\r\n"))
	nothing(t, 22, "part", decodetest.Client("SSH-2.0-x"))
	nothing(t, 22, "version", decodetest.Client("SSH-3.7-x\r\n"))
	nothing(t, 22, "client with text", decodetest.Client("Hello\r\nSSH-2.0-x\r\n"))
	nothing(t, 22, "binary", decodetest.Server("SSH-2.0-\x00\x01\r\n"))
}

func TestTelnet(t *testing.T) {
	decodetest.Stream(t, Decoders, 2300, "TELNET", decodetest.Server("\xff\xfd\x18\xff\xfd\x20\xff\xfb\x01login: "))
	decodetest.Stream(t, Decoders, 23, "TELNET", decodetest.Client("\xff\xfb\x18"), decodetest.Server("\xff\xfa\x18\x01\xff\xf0"))
	decodetest.Stream(t, Decoders, 23, "TELNET?", decodetest.Server("\xff\xfb\x01login: "))
	decodetest.Stream(t, Decoders, 23, "TN3270", decodetest.Server("\xff\xfd\x28"))
	decodetest.Stream(t, Decoders, 23, "TN3270", decodetest.Server("\xff\xfd\x18"), decodetest.Client("\xff\xfa\x18\x00IBM-3278-2-E\xff\xf0"))
	nothing(t, 23, "option", decodetest.Server("\xff\xfd\x77\xff\xfd\x20"))
	nothing(t, 23, "a terminal whose name does not end", decodetest.Server("\xff\xfa\x18\x00IBM-"+strings.Repeat("3", 504)+"\xff\xf0"))
	nothing(t, 23, "command", decodetest.Server("\xff\xd8\xff\xe0\x00\x10JFIF"))
	nothing(t, 23, "text", decodetest.Server("login: "))
}

func TestBSD(t *testing.T) {
	decodetest.Stream(t, Decoders, 513, "RLOGIN", decodetest.Client("\x00root\x00admin\x00vt100/9600\x00"), decodetest.Server("\x00"))
	decodetest.Stream(t, Decoders, 514, "RSH", decodetest.Client("1022\x00me\x00you\x00uptime\x00"), decodetest.Server("\x00"))
	decodetest.Stream(t, Decoders, 514, "RSH", decodetest.Client("\x00me\x00you\x00uptime\x00"))
	decodetest.Stream(t, Decoders, 512, "REXEC", decodetest.Client("0\x00me\x00secret\x00ls\x00"))
	nothing(t, 513, "no speed", decodetest.Client("\x00root\x00admin\x00vt100\x00"))
	nothing(t, 513, "part", decodetest.Client("\x00root\x00ad"))
	nothing(t, 514, "no port", decodetest.Client("port\x00me\x00you\x00uptime\x00"))
	nothing(t, 514, "syslog", decodetest.Client("<34>1 2020-01-01T00:00:00Z host app - - - text\n"))
	nothing(t, 5140, "another port", decodetest.Client("1022\x00me\x00you\x00uptime\x00"))
}

const (
	rdpCookie    = "\x03\x00\x00\x2f\x2a\xe0\x00\x00\x00\x00\x00Cookie: mstshash=someusers\r\n\x01\x00\x08\x00\x03\x00\x00\x00"
	rdpConfirmed = "\x03\x00\x00\x13\x0e\xd0\x00\x00\x12\x34\x00\x02\x1f\x08\x00\x02\x00\x00\x00"
	rdpPlain     = "\x03\x00\x00\x0b\x06\xe0\x00\x00\x00\x00\x00"
)

func TestRDP(t *testing.T) {
	o := decodetest.Stream(t, Decoders, 3390, "SSL", decodetest.Client(rdpCookie), decodetest.Server(rdpConfirmed))
	if o.Tunnel == nil || *o.Tunnel != [2]int{len(rdpCookie), len(rdpConfirmed)} || !o.Upgrade || o.Carries != "RDP" {
		t.Errorf("%+v", o)
	}
	standard := strings.Replace(rdpConfirmed, "\x02\x00\x00\x00", "\x00\x00\x00\x00", 1)
	if o = decodetest.Stream(t, Decoders, 3389, "RDP", decodetest.Client(rdpCookie), decodetest.Server(standard)); o.Tunnel != nil {
		t.Error("no TLS was agreed on")
	}
	decodetest.Stream(t, Decoders, 3389, "RDP", decodetest.Client(rdpCookie))
	decodetest.Stream(t, Decoders, 3389, "RDP", decodetest.Server(rdpConfirmed))
	const confirm = "\x03\x00\x00\x0b\x06\xd0\x00\x00\x12\x34\x00"
	decodetest.Stream(t, Decoders, 3389, "RDP", decodetest.Client(rdpPlain), decodetest.Server(confirm),
		decodetest.Client("\x03\x00\x01\x9c\x02\xf0\x80\x7f\x65\x82\x01\x90"))
	nothing(t, 3389, "S7 over the same", decodetest.Client("\x03\x00\x00\x16\x11\xe0\x00\x00\x00\x01\x00\xc1\x02\x01\x00\xc2\x02\x01\x02\xc0\x01\x0a"))
	nothing(t, 3389, "plain", decodetest.Client(rdpPlain), decodetest.Server(confirm), decodetest.Client("\x03\x00\x00\x19\x02\xf0\x80\x32\x01"))
	nothing(t, 3389, "length", decodetest.Client("\x03\x00\x00\x2f\x2b"+rdpCookie[5:]))
	nothing(t, 3389, "part", decodetest.Client(rdpCookie[:20]))
}

func TestRDPOverUDP(t *testing.T) {
	syn := func(flags string, acknowledged string) string {
		d := acknowledged + "\x00\x40" + flags + "\x11\x22\x33\x44" + "\x04\xd0\x04\xd0"
		return d + strings.Repeat("\x00", 1232-len(d))
	}
	decodetest.Datagrams(t, Decoders, 3390, "RDP-UDP", decodetest.Client(syn("\x10\x01", "\xff\xff\xff\xff")))
	decodetest.Datagrams(t, Decoders, 3390, "RDP-UDP", decodetest.Server(syn("\x00\x05", "\x01\x02\x03\x04")))
	data := "\x10\x97\x60\x33\x04\x00\x00\x0c\x00\x01\x01\x00\xe6\x5f\x84\x6d\xe6\x5f\x84\x6d\x16\x03\x03\x00\x04abcd"
	decodetest.Datagrams(t, Decoders, 3390, "RDP-UDP", decodetest.Client(data))
	nothingInDatagrams(t, 3389, "size", decodetest.Client(syn("\x10\x01", "\xff\xff\xff\xff")[:900]))
	nothingInDatagrams(t, 3389, "flags", decodetest.Client(syn("\xf0\x01", "\xff\xff\xff\xff")))
	nothingInDatagrams(t, 3389, "acknowledges", decodetest.Client(syn("\x10\x01", "\x01\x02\x03\x04")))
	nothingInDatagrams(t, 3389, "record", decodetest.Client(data+"x"))
	decodetest.Datagrams(t, Decoders, 3390, "RDP-UDP", decodetest.Client(data+"\x16\xfe\xff"+strings.Repeat("\x00", 9)+"\x02xy"))
}

func TestVNC(t *testing.T) {
	o := decodetest.Stream(t, Decoders, 5999, "VNC", decodetest.Server("RFB 003.008\n"), decodetest.Client("RFB 003.008\n"),
		decodetest.Server("\x01\x01"), decodetest.Client("\x01\x01"),
		decodetest.Server("\x00\x00\x00\x00\x04\x00\x03\x00"+strings.Repeat("f", 16)+"\x00\x00\x00\x07desktop"))
	if o.Value(decode.VNCName) != "desktop" {
		t.Errorf("%q", o.Values)
	}
	decodetest.Stream(t, Decoders, 5900, "VNC", decodetest.Server("RFB 003.003\n"), decodetest.Client("RFB 003.003\n"))
	decodetest.Stream(t, Decoders, 5900, "VNC", decodetest.Server("RFB 003.008\n"), decodetest.Client("RFB 003.008\n"),
		decodetest.Server("\x01\x02"), decodetest.Client("\x02"))
	if o := decodetest.Stream(t, Decoders, 5900, "VNC", decodetest.Server("RFB 003.889\n")); o.Application != "APPLE-REMOTE-DESKTOP" {
		t.Errorf("%+v", o)
	}
	nothing(t, 5900, "letters", decodetest.Server("RFB 003.0x8\n"))
	nothing(t, 5900, "part", decodetest.Server("RFB 003."))
}

func TestWindows(t *testing.T) {
	cookie := "l\x00\x0b\x00\x00\x00\x12\x00\x10\x00\x00\x00" + "MIT-MAGIC-COOKIE-1\x00\x00" + strings.Repeat("c", 16)
	decodetest.Stream(t, Decoders, 6010, "X11", decodetest.Client(cookie))
	decodetest.Stream(t, Decoders, 6010, "X11", decodetest.Client("B\x00\x00\x0b\x00\x00\x00\x00\x00\x00\x00\x00"), decodetest.Server("\x01\x00\x00\x0b\x00\x00\x01\x00"))
	nothing(t, 6000, "no answer", decodetest.Client("l\x00\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	nothing(t, 6000, "version", decodetest.Client("l\x00\x0a"+cookie[3:]))
	nothing(t, 6000, "other answer", decodetest.Client("l\x00\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00"), decodetest.Server("\x01\x00\x0c\x00\x00\x00\x01\x00"))

	decodetest.Datagrams(t, Decoders, 177, "XDMCP", decodetest.Client("\x00\x01\x00\x02\x00\x01\x00"))
	decodetest.Datagrams(t, Decoders, 177, "XDMCP", decodetest.Client("\x00\x01\x00\x02\x00\x07\x01\x00\x04MIT1"))
	nothingInDatagrams(t, 177, "length", decodetest.Client("\x00\x01\x00\x02\x00\x02\x00"))
	nothingInDatagrams(t, 177, "names", decodetest.Client("\x00\x01\x00\x02\x00\x07\x01\x00\x05MIT1"))

	link := "REDQ\x02\x00\x00\x00\x02\x00\x00\x00\x1a\x00\x00\x00" + strings.Repeat("\x00", 26)
	decodetest.Stream(t, Decoders, 5930, "SPICE", decodetest.Client(link))
	nothing(t, 5930, "version", decodetest.Client(strings.Replace(link, "\x02\x00\x00\x00", "\x09\x00\x00\x00", 1)))
	nothing(t, 5930, "size", decodetest.Client(strings.Replace(link, "\x1a", "\x01", 1)))
}

func TestSupport(t *testing.T) {
	old := "\x17\x24\x0a\x20\x00" + strings.Repeat("\x00", 32)
	decodetest.Stream(t, Decoders, 5938, "TEAMVIEWER", decodetest.Client(old))
	decodetest.Stream(t, Decoders, 443, "TEAMVIEWER", decodetest.Server("\x11\x30\x36\x00\x18\x00\x00\x00"+strings.Repeat("\x01", 40)))
	decodetest.Datagrams(t, Decoders, 36037, "TEAMVIEWER", decodetest.Client("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x17\x24\x73\x04\x00\x00\x00\x00\x00"))
	nothing(t, 5938, "part", decodetest.Client(old[:30]))
	nothing(t, 5938, "command", decodetest.Client("\x17\x24\xff"+old[3:]))
	nothing(t, 5938, "another message", decodetest.Client(old+"x"))
	nothingInDatagrams(t, 5938, "length", decodetest.Client("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x17\x24\x73\x05\x00\x00\x00\x00\x00"))

	decodetest.Stream(t, Decoders, 1494, "ICA", decodetest.Server("\x7f\x7fICA\x00"), decodetest.Client("\x7f\x7fICA\x00"))
	decodetest.Stream(t, Decoders, 2598, "ICA", decodetest.Client("\x1aCGP/01\x00"))
	nothing(t, 1494, "greeting", decodetest.Server("\x7f\x7fELF\x00"))

	o := decodetest.Stream(t, Decoders, 4001, "NOMACHINE", decodetest.Client("NXSH-8.10.1\n"), decodetest.Server("NXD-8.10.1\n\x16"))
	if o.Tunnel == nil || *o.Tunnel != [2]int{12, 11} {
		t.Errorf("%+v", o.Tunnel)
	}
	decodetest.Datagrams(t, Decoders, 4000, "NOMACHINE", decodetest.Client("\x01\x00\x01\x00\x0a\x00\x00\x00\x00\x00"), decodetest.Server("\x02\x00\x01\x00\x0a\x00\x00\x00\x00\x00"))
	nothing(t, 4000, "version", decodetest.Client("NXSH-eight\n"))
	nothingInDatagrams(t, 4000, "length", decodetest.Client("\x01\x00\x01\x00\x0b\x00\x00\x00\x00\x00"), decodetest.Client("\x01\x00\x01\x00\x0b\x00\x00\x00\x00\x00"))

	decodetest.Stream(t, Decoders, 4899, "RADMIN", decodetest.Client("\x01\x00\x00\x00\x01\x00\x00\x00\x08\x08"))
	decodetest.Stream(t, Decoders, 4899, "RADMIN", decodetest.Server("\x01\x00\x00\x00\x05\x00\x00\x02\x27\x27\x02\x00\x00\x00"))
	nothing(t, 4899, "checksum", decodetest.Client("\x01\x00\x00\x00\x01\x00\x00\x00\x09\x08"))

	first, answer := "\x16\x00\x24"+strings.Repeat("r", 33), "\x17\x00\x24"+strings.Repeat("a", 33)
	decodetest.Stream(t, Decoders, 5223, "HP-VIRTGRP", decodetest.Client(first), decodetest.Server(answer), decodetest.Client("\x30\x00\x23"))
	nothing(t, 5223, "one side", decodetest.Client(first))
	nothing(t, 5223, "more", decodetest.Client(first+"\x16"), decodetest.Server(answer))

	decodetest.Stream(t, Decoders, 6129, "DAMEWARE", decodetest.Server("\x30\x11"+strings.Repeat("\x00", 38)), decodetest.Client("\x30\x11"+strings.Repeat("\x00", 38)))
	nothing(t, 6129, "one side", decodetest.Server("\x30\x11"+strings.Repeat("\x00", 38)))
	decodetest.Datagrams(t, Decoders, 5632, "PCANYWHERE", decodetest.Client("NQ"))
	nothingInDatagrams(t, 5633, "another port", decodetest.Client("NQ"))
	decodetest.Datagrams(t, Decoders, 3283, "APPLE-NET-ASSISTANT", decodetest.Client("\x00\x14\x00\x01\x03"))
}

func TestOpenProtocols(t *testing.T) {
	register := "\x32\x0d\x0a\x09123456789\x10\x01"
	decodetest.Datagrams(t, Decoders, 21116, "RUSTDESK", decodetest.Client(register))
	decodetest.Stream(t, Decoders, 21116, "RUSTDESK", decodetest.Client(string(byte(len(register)<<2))+register))
	nothingInDatagrams(t, 21116, "letters", decodetest.Client("\x32\x0d\x0a\x0912345678x\x10\x01"))
	nothingInDatagrams(t, 21116, "length", decodetest.Client(register+"x"))

	decodetest.Stream(t, Decoders, 5555, "ADB", decodetest.Client("CNXN\x00\x00\x00\x01\x00\x10\x00\x00\x07\x00\x00\x00\x32\x02\x00\x00\xbc\xb1\xa7\xb1host::\x00"))
	nothing(t, 5555, "magic", decodetest.Client("CNXN\x00\x00\x00\x01\x00\x10\x00\x00\x07\x00\x00\x00\x32\x02\x00\x00\xbc\xb1\xa7\xb2host::\x00"))

	decodetest.Stream(t, Decoders, 24800, "BARRIER", decodetest.Server("\x00\x00\x00\x0bBarrier\x00\x01\x00\x06"), decodetest.Client("\x00\x00\x00\x12Barrier\x00\x01\x00\x06\x00\x00\x00\x03box"))
	nothing(t, 24800, "name", decodetest.Server("\x00\x00\x00\x0bBarrow!\x00\x01\x00\x06"))
}

func FuzzDecoders(f *testing.F) {
	decodetest.Fuzz(f, Decoders, []byte("SSH-2.0-OpenSSH_9.6\r\n"), []byte("\xff\xfd\x18\xff\xfa\x18\x00IBM-3278\xff\xf0"),
		[]byte(rdpCookie), []byte(rdpConfirmed), []byte("RFB 003.008\n\x01\x01"), []byte("l\x00\x0b\x00\x00\x00\x12\x00\x10\x00\x00\x00MIT-MAGIC-COOKIE-1"),
		[]byte("\x17\x24\x0a\x01\x00\x00\x11\x30\x36\x00\x01\x00\x00\x00"), []byte("\x00root\x00admin\x00vt100/9600\x00"),
		[]byte("\x32\x0d\x0a\x09123456789\x10\x01"), []byte("\x01\x00\x00\x00\x01\x00\x00\x00\x08\x08"), []byte("NXSH-8.10.1\n"),
		[]byte("\x10\x97\x60\x33\x04\x00\x00\x0c\x00\x01\x01\x00\xe6\x5f\x84\x6d\xe6\x5f\x84\x6d\x16\x03\x03\x00\x04abcd"))
}
