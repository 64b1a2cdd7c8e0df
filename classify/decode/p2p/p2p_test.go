package p2p

import (
	"strings"
	"testing"

	"sluice/classify/decode/decodetest"
)

// The tables below are full of these.
var x, salt = decodetest.Hex, decodetest.Salt

// generator is the base point of secp256k1, and so a public key.
const generator = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798" +
	"483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"

func TestStreams(t *testing.T) {
	client, server := decodetest.Client, decodetest.Server
	for _, c := range []struct {
		what string
		name string
		in   []decodetest.Message
	}{
		{"BitTorrent", "BITTORRENT", []decodetest.Message{client(btHandshake + strings.Repeat("\x00", 8) + salt(40))}},
		{"cut BitTorrent", "", []decodetest.Message{client("\x13BitTorrent pro")}},
		{"multistream", "LIBP2P", []decodetest.Message{client("\x13/multistream/1.0.0\n")}},
		{"eDonkey hello", "EDONKEY", []decodetest.Message{client(x(t, "e3 2b000000 01 10") + salt(16) + x(t, "c0000201 3612 01000000 02 0100 01 0300") + "abc" + x(t, "00000000 0000"))}},
		{"eDonkey hello with a wrong count", "", []decodetest.Message{client(x(t, "e3 2b000000 01 10") + salt(16) + x(t, "c0000201 3612 02000000 02 0100 01 0300") + "abc" + x(t, "00000000 0000"))}},
		{"Gnutella", "GNUTELLA", []decodetest.Message{client("GNUTELLA CONNECT/0.6\r\n")}},
		{"Soulseek between peers", "SOULSEEK", []decodetest.Message{client(x(t, "12000000 01 04000000") + "user" + x(t, "01000000") + "P" + x(t, "2a000000"))}},
		{"Soulseek log-in", "SOULSEEK", []decodetest.Message{client(x(t, "40000000 01000000 04000000") + "user" + x(t, "04000000") + "pass" + x(t, "a0000000 20000000") + strings.Repeat("0f", 16) + x(t, "01000000"))}},
		{"Soulseek, unknown kind", "", []decodetest.Message{client(x(t, "12000000 01 04000000") + "user" + x(t, "01000000") + "X" + x(t, "2a000000"))}},
		{"NMDC hub", "DIRECT-CONNECT", []decodetest.Message{server("$Lock EXTENDEDPROTOCOL_hub Pk=1|")}},
		{"NMDC peers", "DIRECT-CONNECT", []decodetest.Message{client("$MyNick a|$Lock b|")}},
		{"ADC", "ADC", []decodetest.Message{client("HSUP ADBASE ADTIGR\n")}},
		{"AppleJuice", "APPLEJUICE", []decodetest.Message{client("ajprot\r\n")}},
		{"ZeroNet, in another order", "ZERONET", []decodetest.Message{client("\x83\xa6req_id\x00\xa6params\x80\xa3cmd\xa9handshake")}},
		{"ZeroNet", "ZERONET", []decodetest.Message{client("\x83\xa3cmd\xa9handshake\xa6req_id\x00\xa6params\x80")}},
		{"Bitcoin", "BITCOIN", []decodetest.Message{client(x(t, "f9beb4d9") + "version\x00\x00\x00\x00\x00" + x(t, "66000000 01020304"))}},
		{"Litecoin", "LITECOIN", []decodetest.Message{client(x(t, "fbc0b6db") + "version\x00\x00\x00\x00\x00" + x(t, "66000000 01020304"))}},
		{"another ledger's length", "", []decodetest.Message{client(x(t, "f9beb4d9") + "version\x00\x00\x00\x00\x00" + x(t, "00660000 01020304"))}},
		{"RLPx", "ETHEREUM", []decodetest.Message{client(x(t, "01b0 04"+generator) + salt(200))}},
		{"not a point", "", []decodetest.Message{client(x(t, "01b0 04") + salt(264))}},
		{"Monero", "MONERO", []decodetest.Message{client(x(t, "0121010101010101 e200000000000000 01 e9030000"))}},
		{"Nano", "NANO", []decodetest.Message{client(x(t, "52 43 13 13 12 0a 0100") + salt(32))}},
		{"Stratum", "STRATUM", []decodetest.Message{client(`{"id": 1, "method": "mining.subscribe", "params": []}` + "\n")}},
		{"Stratum of Monero", "STRATUM", []decodetest.Message{client(`{"method":"login","params":{"login":"x","pass":"y","agent":"z"},"id":1}` + "\n")}},
		{"other JSON", "", []decodetest.Message{client(`{"id": 1, "method": "add", "params": []}` + "\n")}},
	} {
		t.Run(c.what, func(t *testing.T) {
			decodetest.Stream(t, Decoders, 7, c.name, c.in...)
		})
	}
}

func TestDatagrams(t *testing.T) {
	client, server := decodetest.Client, decodetest.Server
	utpHead := func(kind, connection, sequence, ack string) string {
		return x(t, kind+"00"+connection+"01020304 00000000 00100000"+sequence+ack)
	}
	for _, c := range []struct {
		what string
		port uint16
		name string
		in   []decodetest.Message
	}{
		{"DHT", 7, "BITTORRENT-DHT", []decodetest.Message{client("d1:ad2:id20:" + salt(20) + "e1:q4:ping1:t2:aa1:y1:qe")}},
		{"DHT with an address first", 7, "BITTORRENT-DHT", []decodetest.Message{server("d2:ip6:abcdef1:rd2:id20:" + salt(20) + "e1:t2:aa1:y1:re")}},
		{"other bencoding", 7, "", []decodetest.Message{client("d4:name20:" + salt(20) + "e")}},
		{"tracker", 7, "BITTORRENT-TRACKER", []decodetest.Message{client(x(t, "0000041727101980 00000000 12345678"))}},
		{"local discovery", 7, "BITTORRENT-LSD", []decodetest.Message{client("BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\n")}},
		{"uTP", 7, "BITTORRENT-UTP", []decodetest.Message{client(utpHead("41", "1234", "0001", "0000"))}},
		{"uTP from the middle", 7, "BITTORRENT-UTP", []decodetest.Message{client(utpHead("21", "1234", "0101", "0201")), server(utpHead("21", "1233", "0202", "0101"))}},
		{"uTP, strangers", 7, "", []decodetest.Message{client(utpHead("21", "1234", "0101", "0201")), server(utpHead("21", "5678", "0202", "0101"))}},
		{"eDonkey server", 7, "EDONKEY", []decodetest.Message{client(x(t, "e3 96 3412aa55"))}},
		{"Kademlia request", 7, "KAD", []decodetest.Message{client(x(t, "e4 21 02") + salt(32))}},
		{"Kademlia response", 7, "KAD", []decodetest.Message{client(x(t, "e4 29") + salt(16) + "\x02" + salt(50))}},
		{"Kademlia response, count off", 7, "", []decodetest.Message{client(x(t, "e4 29") + salt(16) + "\x02" + salt(51))}},
		{"Gnutella ping", 7, "GNUTELLA", []decodetest.Message{client(salt(16) + x(t, "00 01 00 05000000") + "abcde")}},
		{"Gnutella, length off", 7, "", []decodetest.Message{client(salt(16) + x(t, "00 01 00 06000000") + "abcde")}},
		{"Direct Connect", 7, "DIRECT-CONNECT", []decodetest.Message{client("$SR a b\x051/1\x05hub (192.0.2.1:411)|")}},
		{"Resilio", 7, "RESILIO", []decodetest.Message{client("BSYNC\x00d1:md4:ping")}},
		{"Scuttlebutt", 7, "SCUTTLEBUTT", []decodetest.Message{client("net:192.0.2.1:8008~shs:abc=")}},
		{"PPStream", 7, "PPSTREAM", []decodetest.Message{client(x(t, "1c40 2800 44 7471") + salt(33)), server(x(t, "9c60 3000 55 7517") + salt(41))}},
		{"PPStream, another identifier", 7, "", []decodetest.Message{client(x(t, "1c40 2800 44 7471") + salt(33)), server(x(t, "9c60 3000 55 7517") + salt(42)[1:])}},
		{"Tox", 7, "TOX", []decodetest.Message{client("\x02" + salt(112)), client("\x02" + salt(32) + salt(200)[100:180])}},
		{"Tox, keys that are none", 7, "", []decodetest.Message{client("\x02" + strings.Repeat("\x01\x02", 56)), client("\x02" + strings.Repeat("\x01\x02", 56))}},
		{"node discovery", 7, "ETHEREUM-DISCOVERY", []decodetest.Message{client(salt(96) + x(t, "01 01 c9") + salt(9))}},
		{"node discovery, list too long", 7, "", []decodetest.Message{client(salt(96) + x(t, "01 01 d9") + salt(9))}},
		{"Nano keepalive", 7, "NANO", []decodetest.Message{client(x(t, "52 43 13 13 12 02 0000") + salt(144))}},
	} {
		t.Run(c.what, func(t *testing.T) {
			decodetest.Datagrams(t, Decoders, c.port, c.name, c.in...)
		})
	}
}

func FuzzDecoders(f *testing.F) {
	decodetest.Fuzz(f, Decoders,
		[]byte(btHandshake), []byte("d1:ad2:id20:aaaaaaaaaaaaaaaaaaaae1:q4:ping1:t2:aa1:y1:qe"), []byte("\x21\x01\x12\x34\x01\x02\x03\x04aaaabbbbccdd\x00\x04abcd"),
		[]byte("\xe3\x2c\x00\x00\x00\x01\x10"), []byte("\xe4\x29aaaaaaaaaaaaaaaa\x00"), []byte("GNUTELLA CONNECT/0.6\r\n"),
		[]byte("\x12\x00\x00\x00\x01\x04\x00\x00\x00user\x01\x00\x00\x00P\x2a\x00\x00\x00"), []byte("$Lock x Pk=y|"),
		[]byte("\xf9\xbe\xb4\xd9version\x00\x00\x00\x00\x00\x66\x00\x00\x00abcd"), []byte("\x01\x21\x01\x01\x01\x01\x01\x01"),
		[]byte(`{"method":"mining.subscribe"}`), []byte("RC\x13\x13\x12\x0a\x01\x00"), []byte("\x83\xa3cmd\xa9handshake"), make([]byte, 113))
}
