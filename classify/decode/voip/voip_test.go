package voip

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"sluice/classify/decode"
	"sluice/classify/decode/decodetest"
)

// The tables below are full of these.
var x, salt = decodetest.Hex, decodetest.Salt

const (
	cookie  = "2112a442"
	binding = "000102030405060708090a0b" // a transaction
)

const register = "REGISTER sip:example.com SIP/2.0\r\nUser-Agent: Phone 1\r\n\r\n"

const invite = "INVITE sip:bob@example.com:5060 SIP/2.0\r\nContent-Type: application/sdp\r\n\r\n" +
	"v=0\r\nc=IN IP4 192.0.2.7\r\nm=audio 40000 RTP/AVP 0\r\n"

func rtp(t testing.TB, sequence, timestamp string) string {
	return x(t, "8000"+sequence+timestamp+"deadbeef") + salt(160)
}

func TestDatagrams(t *testing.T) {
	client, server := decodetest.Client, decodetest.Server
	stun := func(kind, attributes string) string {
		body := x(t, attributes)
		return x(t, kind+hex.EncodeToString([]byte{byte(len(body) >> 8), byte(len(body))})+cookie+binding) + body
	}
	zero := strings.Repeat("\x00", 64)
	for _, c := range []struct {
		what string
		port uint16
		name string // "" for none
		app  string
		in   []decodetest.Message
	}{
		{"Spotify's discovery", 7, "SPOTIFY-CONNECT", "SPOTIFY", []decodetest.Message{client("SpotUdp0" + salt(36))}},
		{"RTP after a keepalive", 7, "RTP", "", []decodetest.Message{client("\x01" + zero[:11]), client(rtp(t, "0001", "000000a0")), client(rtp(t, "0002", "00000140")), client(rtp(t, "0003", "000001e0"))}},
		{"SIP request", 7, "SIP", "", []decodetest.Message{client(register)}},
		{"SIP status", 7, "SIP", "", []decodetest.Message{server("SIP/2.0 200 OK\r\n\r\n")}},
		{"HTTP over UDP", 5060, "", "", []decodetest.Message{client("OPTIONS * HTTP/1.1\r\n\r\n")}},
		{"MGCP", 7, "MGCP", "", []decodetest.Message{client("CRCX 1204 aaln/1@rgw.example.net MGCP 1.0\r\nC: A3\r\n\r\nv=0\r\n")}},
		{"MGCP answer elsewhere", 7, "", "", []decodetest.Message{client("200 1204 OK\r\n")}},
		{"Megaco", 7, "MEGACO", "", []decodetest.Message{client("MEGACO/1 [192.0.2.1]:2944\nTransaction = 1 {\n")}},
		{"Megaco, short form", 7, "MEGACO", "", []decodetest.Message{client("!/1 [192.0.2.1]:2944\nT=1{\n")}},
		{"RAS", 7, "RAS", "", []decodetest.Message{client(x(t, "0180 0000 0600 0891 4a00 04 00"))}},
		{"IAX", 7, "IAX", "", []decodetest.Message{client(x(t, "8001 0000 00000001 00 00 06 01 0b02 0002"))}},
		{"IAX, element too long", 4569, "", "", []decodetest.Message{client(x(t, "8001 0000 00000001 00 00 06 01 0b03 0002"))}},
		{"BFCP", 7, "MEETING-BFCP", "", []decodetest.Message{client(x(t, "20 01 0001 00000001 0001 0002 0504 0001"))}},
		{"SRT", 7, "SRT", "", []decodetest.Message{client(x(t, "80000000 00000000 00000000 00000000 00000004 00000002 12345678 000005dc 00002000 00000001 0a0b0c0d 00000000") + zero[:16])}},
		{"SRT, another version", 7, "", "", []decodetest.Message{client(x(t, "80000000 00000000 00000000 00000000 00000006 00000002 12345678 000005dc 00002000 00000001 0a0b0c0d 00000000") + zero[:16])}},
		{"transport stream", 7, "MPEG-TS", "", []decodetest.Message{client(strings.Repeat(x(t, "47 0100 10")+salt(184), 7))}},
		{"transport stream out of step", 7, "", "", []decodetest.Message{client(strings.Repeat(x(t, "47 0100 10")+salt(184), 6) + salt(188))}},

		{"STUN", 7, "STUN", "", []decodetest.Message{client(stun("0001", ""))}},
		{"STUN with a wrong length", 3478, "", "", []decodetest.Message{client(stun("0001", "") + "abcd")}},
		{"classic STUN and its answer", 7, "STUN", "", []decodetest.Message{
			client(x(t, "0001 0000 aabbccdd"+binding)), server(x(t, "0101 000c aabbccdd"+binding+"0001 0008 0001 1234 c0000201"))}},
		{"classic STUN, nobody answers", 7, "", "", []decodetest.Message{client(x(t, "0001 0000 aabbccdd"+binding))}},
		{"Teams", 7, "STUN", "TEAMS-CALL", []decodetest.Message{client(stun("0001", "8070 0004 00000003"))}},
		{"WhatsApp", 7, "STUN", "WHATSAPP-CALL", []decodetest.Message{client(stun("0003", "4000 0004 00000003"))}},
		{"WhatsApp between peers", 7, "STUN", "WHATSAPP-CALL", []decodetest.Message{client(stun("0001", "0008 0014 0000000000000000000000000000000000000000"))}},
		{"Signal", 7, "STUN", "SIGNAL-CALL", []decodetest.Message{server(stun("0113", "0014 000a"+hex.EncodeToString([]byte("signal.org"))+"0000"))}},
		{"a realm that only ends alike", 7, "STUN", "", []decodetest.Message{server(stun("0113", "0014 000b"+hex.EncodeToString([]byte("xsignal.org"))+"00"))}},
		{"Zoom", 7, "STUN", "ZOOM", []decodetest.Message{client(x(t, "0001 0018 aabbccdd"+binding+"0101 0014") + salt(20))}},
		{"STUN, then DTLS", 7, "DTLS", "", []decodetest.Message{client(stun("0001", "")), client(x(t, "16 feff 0000 000000000000 0010") + salt(16))}},
		{"STUN, then media", 7, "SRTP", "", []decodetest.Message{client(stun("0001", "")), server(rtp(t, "0001", "00000001"))}},
		{"STUN, then media in a channel", 7, "SRTP", "", []decodetest.Message{client(stun("0001", "")), server(x(t, "4000 00ac") + rtp(t, "0001", "00000001"))}},

		{"RTP", 7, "RTP", "", []decodetest.Message{client(rtp(t, "0001", "000000a0")), client(rtp(t, "0002", "00000140")), client(rtp(t, "0003", "000001e0"))}},
		{"RTP, one packet", 5004, "", "", []decodetest.Message{client(rtp(t, "0001", "000000a0"))}},
		{"RTP, no order", 5004, "", "", []decodetest.Message{client(rtp(t, "0001", "000000a0")), client(rtp(t, "7002", "00000140")), client(rtp(t, "0003", "000001e0"))}},
		{"RTCP", 7, "RTCP", "", []decodetest.Message{client(x(t, "80c9 0001 deadbeef 81ca 0003 deadbeef 0104") + "user\x00\x00")}},
		{"RTCP, encrypted", 7, "RTCP", "", []decodetest.Message{client(x(t, "80c9 0001 deadbeef 80000001") + salt(10))}},
		{"RTCP, length off", 5005, "", "", []decodetest.Message{client(x(t, "80c9 0009 deadbeef 81ca 0003 deadbeef 0104") + "user\x00\x00")}},
		{"RIST", 7, "RIST", "", []decodetest.Message{client(x(t, "80c9 0001 deadbeef 80cc 0003 deadbeef") + "RIST" + x(t, "00010001"))}},

		{"ZRTP", 7, "ZRTP", "", []decodetest.Message{client(x(t, "1000 0001") + "ZRTP" + x(t, "deadbeef 505a 0003") + "HelloACK" + "crc!")}},
		{"session announcement", 7, "AES67-SAP", "", []decodetest.Message{client(x(t, "20 00 1234 c0000201") + "application/sdp\x00v=0\r\n")}},
		{"Art-Net", 7, "ARTNET", "", []decodetest.Message{client("Art-Net\x00" + x(t, "0020 000e"))}},
		{"Kodi", 7, "KODI", "", []decodetest.Message{client("XBMC" + x(t, "0200 0001") + salt(24))}},
		{"Discord, discovery", 7, "DISCORD-VOICE", "", []decodetest.Message{client(x(t, "0001 0046 00112233") + zero + "\x00\x00")}},
		{"Discord, keepalive", 7, "DISCORD-VOICE", "", []decodetest.Message{client(x(t, "1337cafe 0a000000"))}},
		{"Telegram", 7, "TELEGRAM", "", []decodetest.Message{client(salt(16) + x(t, "ffffffff ffffffff ffffffff feffffff") + salt(8))}},
		{"Zoom, kinds 1 and 2", 7, "ZOOM", "", []decodetest.Message{client(x(t, "010002") + salt(30)), server(x(t, "020001") + salt(20))}},
		{"Zoom, answer to another", 8801, "", "", []decodetest.Message{client(x(t, "010002") + salt(30)), server(x(t, "020001") + salt(40)[7:])}},
		{"Viber", 7, "VIBER", "", []decodetest.Message{
			client(x(t, "05b8 1900 0102030405060708") + salt(22)), server(x(t, "05b8 1a00 0102030405060708") + salt(8))}},
		{"LINE", 7, "LINE-CALL", "", []decodetest.Message{client(x(t, "d84c 0001 0602") + salt(74))}},
		{"LINE, length off", 7, "", "", []decodetest.Message{client(x(t, "d84d 0001 0602") + salt(74))}},
		{"Agora", 7, "SD-RTN", "", []decodetest.Message{client(x(t, "005a384c 000021 0000000000 04") + "SNI\x00" + x(t, "1c00") + "ap.edge.agora.io" + salt(60))}},
		{"TeamSpeak 3", 7, "TEAMSPEAK", "", []decodetest.Message{client("TS3INIT1" + salt(26))}},
		{"Mumble", 7, "MUMBLE", "", []decodetest.Message{client(x(t, "00000000 0102030405060708")), server(x(t, "00010500 0102030405060708 00000001 00000064 00011170"))}},
		{"Mumble, answer to another", 64738, "", "", []decodetest.Message{client(x(t, "00000000 0102030405060708")), server(x(t, "00010500 0102030405060709 00000001 00000064 00011170"))}},
	} {
		t.Run(c.what, func(t *testing.T) {
			if o := decodetest.Datagrams(t, Decoders, c.port, c.name, c.in...); o.Application != c.app {
				t.Errorf("application %q, want %q", o.Application, c.app)
			}
		})
	}
}

func TestStreams(t *testing.T) {
	client, server := decodetest.Client, decodetest.Server
	stun := x(t, "0001 0008"+cookie+binding+"8070 0004 00000003")
	for _, c := range []struct {
		what string
		name string
		in   []decodetest.Message
	}{
		{"SIP", "SIP", []decodetest.Message{client(register), server("SIP/2.0 200 OK\r\n\r\n")}},
		{"not SIP", "", []decodetest.Message{client("OPTIONS * HTTP/1.1\r\n\r\n")}},
		{"RTSP", "RTSP", []decodetest.Message{client("DESCRIBE rtsp://example.com/live RTSP/1.0\r\nCSeq: 1\r\n\r\n")}},
		{"Megaco over TPKT", "MEGACO", []decodetest.Message{client(x(t, "0300 0020") + "MEGACO/1 [192.0.2.1]\n")}},
		{"STUN over TCP", "STUN", []decodetest.Message{client(stun)}},
		{"STUN over TCP, framed", "STUN", []decodetest.Message{client(x(t, "001c") + stun)}},
		{"STUN over TCP, frame too long", "", []decodetest.Message{client(x(t, "001d") + stun)}},
		{"RTMP", "RTMP", []decodetest.Message{client("\x03\x00\x00\x00\x01\x00\x00\x00\x00" + strings.Repeat("y", 1528)), server("\x03\x00\x00\x00\x01\x00\x00\x00\x00")}},
		{"TPKT is not RTMP", "", []decodetest.Message{client(x(t, "0300 0013 0ee0 0000 0000 0001 0008 0003 000000")), server(x(t, "0300 000b 06d0 0000 1234 00"))}},
		{"MMS", "MS-STREAMING", []decodetest.Message{client(x(t, "01000000 cefa0bb0 a0000000") + "MMS ")}},
		{"Icecast source", "ICECAST", []decodetest.Message{client("SOURCE /live ICE/1.0\r\n")}},
		{"SHOUTcast listener", "SHOUTCAST", []decodetest.Message{client("GET / HTTP/1.0\r\nIcy-MetaData: 1\r\n\r\n"), server("ICY 200 OK\r\nicy-name: x\r\n")}},
		{"Skinny", "SCCP", []decodetest.Message{client(x(t, "28000000 00000000 01000000") + "SEP001122334455\x00" + salt(20))}},
		{"Skinny without a name", "", []decodetest.Message{client(x(t, "28000000 00000000 01000000") + strings.Repeat("\x00", 36))}},
		{"H.225", "H323", []decodetest.Message{client(x(t, "0300 0016 08 02 0001 05 0403 8890a5 7e 0006 05 2008060009"))}},
		{"H.225 after a long element", "H323", []decodetest.Message{client(x(t, "0300 0104 08 02 0001 05 28f0") + strings.Repeat("n", 240) + x(t, "7e 0006 05 2008060009"))}},
		{"Q.931 that tells too late", "", []decodetest.Message{client(x(t, "0300 01fc 08 02 0001 05 28f0") + strings.Repeat("n", 240) + x(t, "28f0") + strings.Repeat("n", 240) + x(t, "7e 000c 05") + salt(11))}},
		{"Q.931 of something else", "", []decodetest.Message{client(x(t, "0300 0016 08 02 0001 05 0403 8890a5 7e 0006 04 2008060009"))}},
		{"RTP over TCP", "RTP", []decodetest.Message{client("\x00\xac" + rtp(t, "0001", "000000a0") + "\x00\xac" + rtp(t, "0002", "00000140") + "\x00\xac" + rtp(t, "0003", "000001e0"))}},
		{"MSRP", "MSRP", []decodetest.Message{client("MSRP d93kswow SEND\r\nTo-Path: x\r\n")}},
		{"Asterisk", "ASTERISK-AMI", []decodetest.Message{server("Asterisk Call Manager/2.10.4\r\n")}},
		{"FreeSWITCH", "FREESWITCH-ESL", []decodetest.Message{server("Content-Type: auth/request\n\n")}},
		{"MPD", "MPD", []decodetest.Message{server("OK MPD 0.23.5\n")}},
		{"TeamSpeak query", "TEAMSPEAK", []decodetest.Message{server("TS3\n\rWelcome")}},
		{"Spotify", "SPOTIFY-CONNECT", []decodetest.Message{client(x(t, "0004 000000a2 52 0e 50 00 60 06 68 a1c5") + salt(150))}},
		{"not Spotify", "", []decodetest.Message{client(x(t, "0004 000000a2 42 0e 50 00 60 06 68 a1c5") + salt(150))}},
		{"Viber", "VIBER", []decodetest.Message{client(x(t, "2000 01020304 fcff 0380") + salt(22))}},
		{"Viber, of 256 bytes", "VIBER", []decodetest.Message{client(x(t, "0001 01020304 fcff 0380") + salt(246))}},
		{"WhatsApp", "WHATSAPP", []decodetest.Message{client("ED\x00\x01" + x(t, "000004 08050802") + "WA" + x(t, "0602 0000ee 12") + salt(20))}},
		{"not WhatsApp", "", []decodetest.Message{client("WALK the dog")}},
	} {
		t.Run(c.what, func(t *testing.T) {
			decodetest.Stream(t, Decoders, 7, c.name, c.in...)
		})
	}
}

// TestArranged checks the sessions that signalling expects.
func TestArranged(t *testing.T) {
	o := decodetest.Datagrams(t, Decoders, 5060, "SIP", decodetest.Client(invite))
	var got []string
	for _, e := range o.Expected {
		got = append(got, e.Name+" "+e.Addr.String())
	}
	if want := []string{"RTP 192.0.2.7", "RTCP 192.0.2.7"}; !slices.Equal(got, want) || o.Expected[0].Port != 40000 || o.Expected[1].Port != 40001 {
		t.Errorf("SIP expects %v, want %v", o.Expected, want)
	}
	if host := o.Value(decode.SIPHost); host != "example.com" {
		t.Errorf("host %q", host)
	}
	if agent := decodetest.Datagrams(t, Decoders, 5060, "SIP", decodetest.Client(register)); agent.Value(decode.SIPUserAgent) != "Phone 1" {
		t.Errorf("told %v", agent.Values)
	}
	o = decodetest.Stream(t, Decoders, 554, "RTSP",
		decodetest.Client("SETUP rtsp://cam.example.com/1 RTSP/1.0\r\nTransport: RTP/AVP;unicast;client_port=5000-5001\r\n\r\n"),
		decodetest.Server("RTSP/1.0 200 OK\r\nTransport: RTP/AVP;unicast;client_port=5000-5001;server_port=6000-6001\r\n\r\n"))
	var ports []uint16
	for _, e := range o.Expected {
		ports = append(ports, e.Port)
	}
	for _, port := range []uint16{5000, 5001, 6000, 6001} {
		if !slices.Contains(ports, port) {
			t.Errorf("RTSP expects ports %v, not %d", ports, port)
		}
	}
}

func FuzzDecoders(f *testing.F) {
	decodetest.Fuzz(f, Decoders,
		[]byte(register), []byte(invite), []byte("SETUP rtsp://a/ RTSP/1.0\r\nTransport: client_port=5000\r\n\r\n"),
		[]byte("CRCX 1 a@b MGCP 1.0\r\n\r\nc=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 0"), []byte("MEGACO/1 [192.0.2.1]"),
		[]byte("\x00\x01\x00\x08\x21\x12\xa4\x42abcdefghijkl\x00\x14\x00\x03abc\x00"), []byte("\x80\xc9\x00\x01abcd\x81\xca\x00\x03abcd\x01\x04user\x00\x00"),
		[]byte("\x80\x01\x00\x00\x00\x00\x00\x01\x00\x00\x06\x01\x0b\x02\x00\x02"), []byte("\x03\x00\x00\x16\x08\x02\x00\x01\x05\x04\x03abc\x7e\x00\x06\x05abcde"),
		[]byte("\x28\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00SEP001122334455\x00"), []byte("\x05\x10\x01\x00abcd\x0f"),
		[]byte("\x47\x01\x00\x10"), []byte("ED\x00\x01\x00\x00\x04abcdWA\x06\x02\x00\x00\xee\x12"), []byte("\x00\xac\x80\x00\x00\x01"), make([]byte, 74))
}
