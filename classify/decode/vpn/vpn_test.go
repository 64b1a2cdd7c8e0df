package vpn

import (
	"strings"
	"testing"

	"sluice/classify/decode"
	"sluice/classify/decode/decodetest"
)

// The tables below are full of these.
var x, salt = decodetest.Hex, decodetest.Salt

// ipv4 is an IPv4 packet with n bytes of payload, ipv6 one of version 6 to a Teredo address.
func ipv4(t testing.TB, n int) string {
	return x(t, "4500 00") + string(rune(20+n)) + x(t, "0000 4000 4011 0000 c0000201 c0000202") + salt(n)
}

func ipv6(t testing.TB, n int) string {
	return x(t, "60000000 00") + string(rune(n)) + x(t, "3aff fe800000000000000000000000000001 20010000000000000000000000000002") + salt(n)
}

func TestDatagrams(t *testing.T) {
	ike := func(version, exchange, flags string) string {
		return x(t, "0102030405060708 0000000000000000 21"+version+exchange+flags+"00000000 00000030") + salt(20)
	}
	client, server := decodetest.Client, decodetest.Server
	ovpn := x(t, "38 0102030405060708")
	ethernet := x(t, "020000000001 020000000002 0800")
	for _, c := range []struct {
		what string
		port uint16
		name string // "" for none
		in   []decodetest.Message
	}{
		{"WireGuard initiation", 7, "WIREGUARD", []decodetest.Message{client(x(t, "01000000") + salt(144))}},
		{"WireGuard initiation, a byte short", 7, "", []decodetest.Message{client(x(t, "01000000") + salt(143))}},
		{"WireGuard data, counting", 7, "WIREGUARD", []decodetest.Message{
			client(x(t, "04000000 01020304 0500000000000000") + salt(32)), client(x(t, "04000000 01020304 0600000000000000") + salt(48))}},
		{"WireGuard data, once", 7, "", []decodetest.Message{client(x(t, "04000000 01020304 0500000000000000") + salt(32))}},
		{"WireGuard data, other receiver", 7, "", []decodetest.Message{
			client(x(t, "04000000 01020304 0500000000000000") + salt(32)), client(x(t, "04000000 01020305 0600000000000000") + salt(48))}},
		{"WARP", 7, "WIREGUARD", []decodetest.Message{
			client(x(t, "01aabbcc 0a0b0c0d") + salt(140)), server(x(t, "02aabbcc 01010101 0a0b0c0d") + salt(80))}},
		{"Tailscale", 7, "TAILSCALE", []decodetest.Message{client("TS💬" + salt(80))}},
		{"OpenVPN, plain", 7, "OPENVPN", []decodetest.Message{client(ovpn + x(t, "00 00000000"))}},
		{"OpenVPN, HMAC of SHA-1", 7, "OPENVPN", []decodetest.Message{client(ovpn + salt(20) + x(t, "00000001 5fc1a157 00 00000000"))}},
		{"OpenVPN, encrypted", 7, "OPENVPN", []decodetest.Message{client(ovpn + x(t, "00000001 5fc1a157") + salt(37))}},
		{"OpenVPN, packet id out of range", 7, "", []decodetest.Message{client(ovpn + x(t, "01000001 05c1a157") + salt(37))}},
		{"OpenVPN, answer of a server", 7, "OPENVPN", []decodetest.Message{server(x(t, "40 0807060504030201 01 00000000 0102030405060708 00000000"))}},
		{"IKE version 2", 7, "IKE", []decodetest.Message{client(ike("20", "22", "08"))}},
		{"IKE version 1 behind the marker", 4500, "IKE", []decodetest.Message{client(x(t, "00000000") + strings.Replace(ike("10", "02", "00"), "\x21", "\x01", 1))}},
		{"IKE with a wrong length", 500, "", []decodetest.Message{client(ike("20", "22", "08") + "x")}},
		{"ESP", 4500, "IPSEC-NAT-T", []decodetest.Message{client(x(t, "c0ffee01 00000001") + salt(40)), client(x(t, "c0ffee01 00000002") + salt(40))}},
		{"ESP elsewhere", 4499, "", []decodetest.Message{client(x(t, "c0ffee01 00000001") + salt(40)), client(x(t, "c0ffee01 00000002") + salt(40))}},
		{"L2TP start", 7, "L2TP", []decodetest.Message{client(x(t, "c802 0014 0000 0000 0000 0000 8008 0000 0000 0001"))}},
		{"L2TP, length off", 1701, "", []decodetest.Message{client(x(t, "c802 0015 0000 0000 0000 0000 8008 0000 0000 0001"))}},
		{"Teredo", 7, "TEREDO", []decodetest.Message{client(ipv6(t, 8))}},
		{"Teredo with authentication", 7, "TEREDO", []decodetest.Message{client(x(t, "0001 0000 0000000000000000 00") + ipv6(t, 8))}},
		{"IPv6 that is not Teredo", 3544, "", []decodetest.Message{client(strings.ReplaceAll(strings.ReplaceAll(ipv6(t, 8), "\x20\x01\x00\x00", "\x20\x01\x0d\xb8"), "\xfe\x80", "\x20\x02"))}},
		{"AYIYA", 7, "AYIYA", []decodetest.Message{client(x(t, "41 52 11 29 5fc1a157") + salt(16) + salt(20) + ipv6(t, 8))}},
		{"VXLAN", 7, "VXLAN", []decodetest.Message{client(x(t, "08000000 00002a00") + ethernet + ipv4(t, 30))}},
		{"VXLAN, reserved bits", 4789, "", []decodetest.Message{client(x(t, "08000001 00002a00") + ethernet + ipv4(t, 30))}},
		{"Geneve", 6081, "GENEVE", []decodetest.Message{client(x(t, "0000 6558 00002a00") + ethernet + ipv4(t, 30))}},
		{"GTP user data", 7, "GTP", []decodetest.Message{client(x(t, "30 ff 001e 00000001") + ipv4(t, 10))}},
		{"GTP control, version 2", 2123, "GTP", []decodetest.Message{client(x(t, "48 20 000c 00000001 00000100") + "abcd")}},
		{"GTP prime", 3386, "GTP", []decodetest.Message{client(x(t, "0f 01 0000 0001"))}},
		{"GTP control elsewhere", 7, "", []decodetest.Message{client(x(t, "48 20 000c 00000001 00000100") + "abcd")}},
		{"ZeroTier", 7, "ZEROTIER", []decodetest.Message{client(salt(8) + "\x01\x02\x03\x04\x05" + "abcde" + "\x00" + salt(8) + "\x01" + "\x0c\x01\x0a\x00\x00" + salt(8) + "abcde\x00" + salt(64))}},
		{"ZeroTier of another sender", 9993, "", []decodetest.Message{client(salt(8) + "\x01\x02\x03\x04\x05" + "abcdf" + "\x00" + salt(8) + "\x01" + "\x0c\x01\x0a\x00\x00" + salt(8) + "abcde\x00" + salt(64))}},
		{"Nebula", 7, "NEBULA", []decodetest.Message{client(x(t, "10000000 00000000 00000000 00000001") + salt(60))}},
		{"n2n", 7, "N2N", []decodetest.Message{client(x(t, "03 02 0005") + "office" + strings.Repeat("\x00", 14) + salt(20))}},
		{"fastd", 7, "FASTD", []decodetest.Message{client(x(t, "01 00 000c 0000 0100 01 0100 0300 616263"))}},
		{"fastd, record too long", 7, "", []decodetest.Message{client(x(t, "01 00 000c 0000 0100 01 0100 0400 616263"))}},
		{"CAPWAP", 5246, "CAPWAP", []decodetest.Message{client(x(t, "00 10 0000 00000000 00000001 01 0008 00 0014 0001 00"))}},
		{"CAPWAP under DTLS", 7, "CAPWAP", []decodetest.Message{client(x(t, "01000000 16 feff 0000 000000000000 0010") + salt(16))}},
		{"SoftEther", 7, "SOFTETHER", []decodetest.Message{client("A"), server("IP=192.0.2.1,PORT=5004")}},
		{"Cisco", 10000, "CISCO-VPN", []decodetest.Message{client(x(t, "fe577e2b") + salt(20))}},
	} {
		t.Run(c.what, func(t *testing.T) {
			decodetest.Datagrams(t, Decoders, c.port, c.name, c.in...)
		})
	}
}

func TestStreams(t *testing.T) {
	client, server := decodetest.Client, decodetest.Server
	for _, c := range []struct {
		what string
		name string
		in   []decodetest.Message
	}{
		{"OpenVPN over TCP", "OPENVPN", []decodetest.Message{client(x(t, "000e 38 0102030405060708 00 00000000"))}},
		{"OpenVPN over TCP, another opcode", "", []decodetest.Message{client(x(t, "000e 30 0102030405060708 00 00000000"))}},
		{"IKE over TCP", "IKE", []decodetest.Message{client("IKETCP")}},
		{"PPTP", "PPTP", []decodetest.Message{client(x(t, "009c 0001 1a2b3c4d 0001 0000"))}},
		{"PPTP with another cookie", "", []decodetest.Message{client(x(t, "009c 0001 1a2b3c4e 0001 0000"))}},
		{"SSTP", "SSTP", []decodetest.Message{client("SSTP_DUPLEX_POST /sra_{BA195980-CD49-458b-9E23-C84EE0ADCD75}/ HTTP/1.1\r\n")}},
		{"tinc", "TINC", []decodetest.Message{client("0 node_a 17.7\n")}},
		{"not tinc", "", []decodetest.Message{client("0 node_a 18\n")}},
		{"tunnel set-up", "6IN4-TSP", []decodetest.Message{client("VERSION=2.0.0\r\n"), server("CAPABILITY TUNNEL=V6V4\r\n")}},
		{"Gh0st", "GH0ST", []decodetest.Message{client("Gh0st" + x(t, "2a000000 64000000 789c") + salt(27))}},
		{"njRAT", "NJRAT", []decodetest.Message{client("142\x00ll|'|'|abc")}},
		{"VTun", "VTUN", []decodetest.Message{server("VTUN server ver 3.X 01/01/2012\n")}},
		{"SOCKS 4", "SOCKS4", []decodetest.Message{client(x(t, "04 01 0050 c0000201") + "me\x00"), server(x(t, "00 5a 0000 00000000"))}},
		{"SOCKS 4, no such answer", "", []decodetest.Message{client(x(t, "04 01 0050 c0000201") + "me\x00"), server(x(t, "01 5a 0000 00000000"))}},
		{"SOCKS 5, refused", "SOCKS5", []decodetest.Message{client(x(t, "05 01 00")), server(x(t, "05 ff"))}},
		{"SOCKS 5, method not offered", "", []decodetest.Message{client(x(t, "05 01 00")), server(x(t, "05 02"))}},
		{"SOCKS 5, nobody answers", "", []decodetest.Message{client(x(t, "05 01 00"))}},
		{"PROXY with an unknown family", "", []decodetest.Message{client("PROXY TCP7 a b c d\r\n")}},
	} {
		t.Run(c.what, func(t *testing.T) {
			decodetest.Stream(t, Decoders, 7, c.name, c.in...)
		})
	}
}

// TestHandOver checks where the protocol inside begins.
func TestHandOver(t *testing.T) {
	client, server := decodetest.Client, decodetest.Server
	for _, c := range []struct {
		name   string
		tunnel [2]int
		target string
		in     []decodetest.Message
	}{
		{"SOCKS5", [2]int{3 + 4 + 1 + 11 + 2, 2 + 10}, "example.com", []decodetest.Message{
			client(x(t, "05 01 00")), server(x(t, "05 00")),
			client(x(t, "05 01 00 03 0b") + "example.com" + x(t, "0050")), server(x(t, "05 00 00 01 00000000 0000"))}},
		{"SOCKS5", [2]int{3 + 6 + 10, 2 + 2 + 10}, "", []decodetest.Message{
			client(x(t, "05 01 02")), server(x(t, "05 02")), client(x(t, "01 01") + "u" + x(t, "02") + "pw"), server(x(t, "01 00")),
			client(x(t, "05 01 00 01 c0000201 0050")), server(x(t, "05 00 00 01 00000000 0000"))}},
		{"SOCKS4", [2]int{8 + 1 + 12, 8}, "example.com", []decodetest.Message{
			client(x(t, "04 01 0050 00000001 00") + "example.com\x00"), server(x(t, "00 5a 0000 00000000"))}},
		{"PROXY-PROTOCOL", [2]int{len("PROXY TCP4 192.0.2.1 192.0.2.2 1234 443\r\n"), 0}, "", []decodetest.Message{client("PROXY TCP4 192.0.2.1 192.0.2.2 1234 443\r\nhello")}},
		{"PROXY-PROTOCOL", [2]int{28, 0}, "", []decodetest.Message{client(proxySignature + x(t, "21 11 000c c0000201 c0000202 1234 01bb"))}},
	} {
		o := decodetest.Stream(t, Decoders, 7, c.name, c.in...)
		if o.Tunnel == nil || *o.Tunnel != c.tunnel {
			t.Errorf("%s: inner protocol begins at %v, want %v", c.name, o.Tunnel, c.tunnel)
		}
		if got := o.Value(decode.ProxyTarget); got != c.target {
			t.Errorf("%s: target %q, want %q", c.name, got, c.target)
		}
	}
}

func FuzzDecoders(f *testing.F) {
	decodetest.Fuzz(f, Decoders,
		[]byte("PROXY TCP4 192.0.2.1 192.0.2.2 1234 443\r\n"), []byte("0 node 17\n"),
		[]byte("\x05\x01\x00\x05\x01\x00\x01\xc0\x00\x02\x01\x00\x50"), []byte("\x04\x01\x00\x50\x00\x00\x00\x01\x00a\x00"),
		[]byte("\x00\x0e\x38\x01\x02\x03\x04\x05\x06\x07\x08\x00\x00\x00\x00\x00"),
		[]byte("\xc8\x02\x00\x14\x00\x00\x00\x00\x00\x00\x00\x00\x80\x08\x00\x00\x00\x00\x00\x01"),
		[]byte("\x34\xff\x00\x10\x00\x00\x00\x01\x00\x00\x00\x85\x01\x00\x00\x00"), []byte("TS💬"), make([]byte, 148))
}
