package quic

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"sluice/classify/decode"
	"sluice/classify/decode/decodetest"
)

func bytesOf(t testing.TB, digits string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(digits), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// RFC 9001 appendix A: the client's connection identifier and its first CRYPTO frame.
const (
	appendixID    = "8394c8f03e515708"
	appendixFrame = `060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c
		00000413011302010000c000000010000e00000b6578616d706c652e636f6dff01000100000a00080006001d00170018
		00100007000504616c706e000500050100000000003300260024001d00209370b2c9caa47fbabaf4559fedba753de171
		fa71f50f1ce15d43e994ec74d748002b0003020304000d0010000e0403050306030203080408050806002d0002010100
		1c00024001003900320408ffffffffffffffff05048000ffff07048000ffff0801100104800075300901100f088394c8
		f03e51570806048000ffff`
)

// RFC 9001 appendix A.1 and RFC 9369 appendix A.1.
func TestKeys(t *testing.T) {
	for version, want := range map[uint32]string{
		version1: "fa044b2f42a3fd3b46fb255c",
		version2: "91f73e2351d8fa91660e909f",
	} {
		k, err := deriveKeys(version, salts(version)[0], bytesOf(t, appendixID))
		if err != nil || hex.EncodeToString(k.iv) != want {
			t.Errorf("version %#x: iv %x, %v", version, k.iv, err)
		}
	}
}

// protect makes a client's Initial packet of a datagram of size bytes, with a packet number of
// four bytes.
func protect(t testing.TB, version uint32, salt string, id, token, plain []byte, number uint32, size int) []byte {
	k, err := deriveKeys(version, salt, id)
	if err != nil {
		t.Fatal(err)
	}
	first := byte(0xc3)
	if likeVersion2(version) {
		first = 0xd3
	}
	header := append([]byte{first, byte(version >> 24), byte(version >> 16), byte(version >> 8), byte(version), byte(len(id))}, id...)
	header = append(header, 0, 0x40|byte(len(token)>>8), byte(len(token)))
	if len(token) == 0 {
		header = append(header[:len(header)-2], 0)
	}
	header = append(header, token...)
	length := size - len(header) - 2
	header = append(header, 0x40|byte(length>>8), byte(length))
	at := len(header)
	header = append(header, byte(number>>24), byte(number>>16), byte(number>>8), byte(number))
	nonce := slices.Clone(k.iv)
	for i := range 4 {
		nonce[8+i] ^= header[at+i]
	}
	padded := make([]byte, size-len(header)-16)
	copy(padded, plain)
	packet := k.packets.Seal(slices.Clone(header), nonce, padded, header)
	var mask [16]byte
	k.protection.Encrypt(mask[:], packet[at+4:at+20])
	packet[0] ^= mask[0] & 0x0f
	for i := range 4 {
		packet[at+i] ^= mask[1+i]
	}
	return packet
}

// RFC 9001 appendix A.2: the protected packet begins and is sampled as printed there.
func TestAppendixPacket(t *testing.T) {
	packet := protect(t, version1, salt1, bytesOf(t, appendixID), nil, bytesOf(t, appendixFrame), 2, 1200)
	want := bytesOf(t, "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242b123dc9b")
	if got := packet[:len(want)]; string(got) != string(want) {
		t.Fatalf("%x, want %x", got, want)
	}
	o := decodetest.Datagrams(t, Decoders, 4433, "QUIC", decodetest.Message{Data: packet})
	if o.Value(decode.QUICServerName) != "example.com" || o.Value(decode.SSLALPN) != "alpn" || o.Verdict != decode.Match ||
		!strings.HasPrefix(o.Value(decode.SSLFingerprint), "q13d02") {
		t.Errorf("%v %v", o.Verdict, o.Values)
	}
}

// crypto is a CRYPTO frame with the part [from, to) of hello.
func crypto(hello []byte, from, to int) []byte {
	n := to - from
	return append([]byte{frameCrypto, 0x40 | byte(from>>8), byte(from), 0x40 | byte(n>>8), byte(n)}, hello[from:to]...)
}

// bigHello is a hello of about 1,800 bytes, as with a post-quantum key share.
func bigHello(name, alpn string) []byte {
	vector16 := func(b string) string { return string([]byte{byte(len(b) >> 8), byte(len(b))}) + b }
	vector8 := func(b string) string { return string([]byte{byte(len(b))}) + b }
	extensions := "\x00\x33" + vector16(strings.Repeat("k", 1600)) + "\x00\x10" + vector16(vector16(vector8(alpn))) +
		"\x00\x00" + vector16(vector16("\x00"+vector16(name))) + "\x00\x39" + vector16("\x71\x29\x05Agent\x01\x01\x00")
	body := "\x03\x03" + strings.Repeat("r", 32) + vector8("") + vector16("\x13\x01") + vector8("\x00") + vector16(extensions)
	return []byte("\x01\x00" + vector16(body))
}

// A hello in many frames, out of order, in several datagrams that come in any order, with the
// client changing its destination on the way, in every version.
func TestScattered(t *testing.T) {
	hello := bigHello("big.example", "doq")
	n := len(hello)
	first := slices.Concat(crypto(hello, 900, 1000), []byte{framePing}, crypto(hello, 0, 200), []byte{framePadding, frameAck, 1, 0, 1, 0, 0, 0}, crypto(hello, 150, 900))
	second := slices.Concat(crypto(hello, 1500, n), crypto(hello, 990, 1500))
	for _, version := range []uint32{version1, version2, version2Draft, draft | 29, draft | 34, draft | 27, draft | 22, t051, mvfst | 1, mvfst | 2} {
		for _, salt := range salts(version) {
			id := []byte("12345678")
			a := decodetest.Message{Data: protect(t, version, salt, id, nil, first, 1, 1250)}
			b := decodetest.Message{Data: protect(t, version, salt, id, []byte("token"), second, 2, 1200)}
			for _, order := range [][]decodetest.Message{{a, b}, {b, a}, {b, b, a}} {
				o := decodetest.Datagrams(t, Decoders, 443, "QUIC", order...)
				if o.Value(decode.QUICServerName) != "big.example" || o.Value(decode.QUICUserAgent) != "Agent" || o.Carries != "DNS-OVER-QUIC" || o.Verdict != decode.Match {
					t.Errorf("version %#x: %v %v %q", version, o.Verdict, o.Values, o.Carries)
				}
			}
		}
	}
}

// After a Retry, the keys follow from the new connection identifier.
func TestRetry(t *testing.T) {
	hello := bigHello("retry.example", "h3")
	part := crypto(hello, 0, 1000)
	server := "\xf0\x00\x00\x00\x01\x00\x08newnewid" + "tokentoken" + strings.Repeat("i", 16)
	o := decodetest.Datagrams(t, Decoders, 443, "QUIC",
		decodetest.Message{Data: protect(t, version1, salt1, []byte("12345678"), nil, part, 0, 1200)},
		decodetest.Server(server),
		decodetest.Message{Data: protect(t, version1, salt1, []byte("newnewid"), []byte("tokentoken"), part, 1, 1200)},
		decodetest.Message{Data: protect(t, version1, salt1, []byte("newnewid"), []byte("tokentoken"), crypto(hello, 1000, len(hello)), 2, 1200)})
	if o.Value(decode.QUICServerName) != "retry.example" || o.Carries != "" {
		t.Errorf("%v %v", o.Values, o.Carries)
	}
}

func TestNegotiation(t *testing.T) {
	decodetest.Datagrams(t, Decoders, 443, "QUIC", decodetest.Server("\x9f\x00\x00\x00\x00\x04abcd\x04efgh\x00\x00\x00\x01\xff\x00\x00\x1d"))
	forced := []byte("\xc6\x0a\x0a\x0a\x0a\x0812345678\x00\x00\x44\xbe" + strings.Repeat("x", 0x4be))
	decodetest.Datagrams(t, Decoders, 443, "QUIC", decodetest.Message{Data: forced})
	// A version nobody has registered is recognised by the shape of a client's first datagram.
	unknown := slices.Clone(forced)
	copy(unknown[1:], "\x12\x34\x56\x78")
	decodetest.Datagrams(t, Decoders, 443, "QUIC", decodetest.Message{Data: unknown})
	for name, data := range map[string][]byte{
		"short":       append(unknown[:16:16], "\x40\x40"+strings.Repeat("x", 64)...),
		"more":        append(slices.Clone(unknown), 'x'),
		"identifiers": []byte("\xc6\x00\x00\x00\x01\x21" + strings.Repeat("x", 1300)),
		"list":        []byte("\x9f\x00\x00\x00\x00\x04abcd\x04efgh\x12\x34\x00\x01"),
		"fixed bit":   append([]byte{0x83}, forced[1:]...),
	} {
		if o := decodetest.Run(Decoders, decodetest.UDP(443), decodetest.Message{Data: data}); o.Verdict != decode.No {
			t.Errorf("%s: %v", name, o.Verdict)
		}
	}
}

// message is a message of QUIC Crypto.
func tagMessage(kind string, pairs ...string) string {
	little := func(n int) string { return string([]byte{byte(n), byte(n >> 8), byte(n >> 16), 0}) }
	table, values := "", ""
	for i := 0; i < len(pairs); i += 2 {
		values += pairs[i+1]
		table += pairs[i] + little(len(values))
	}
	return kind + little(len(pairs)/2) + table + values
}

func TestGoogle(t *testing.T) {
	chlo := tagMessage("CHLO", "PAD\x00", strings.Repeat("-", 900), "SNI\x00", "old.example", "UAID", "Chrome/60")
	hash, frame := strings.Repeat("h", 12), "\xa0\x01\x04\x00"
	for name, data := range map[string]string{
		"Q043": "\x0dIDENTITYQ043\x01" + hash + frame + chlo,
		"Q025": "\x09IDENTITYQ025\x01" + hash + frame + chlo,
		"Q046": "\xc3Q046\x50IDENTITY\x00\x00\x00\x01" + hash + frame + chlo,
	} {
		o := decodetest.Datagrams(t, Decoders, 443, "GQUIC", decodetest.Client(data))
		if o.Value(decode.QUICServerName) != "old.example" || o.Value(decode.QUICUserAgent) != "Chrome/60" {
			t.Errorf("%s: %v", name, o.Values)
		}
	}
	message := []byte(chlo)
	plain := append([]byte{frameCryptoOld, 0, 0x40 | byte(len(message)>>8), byte(len(message))}, message...)
	o := decodetest.Datagrams(t, Decoders, 443, "GQUIC", decodetest.Message{Data: protect(t, q050, saltQ050, []byte("12345678"), nil, plain, 1, 1350)})
	if o.Value(decode.QUICServerName) != "old.example" {
		t.Errorf("Q050: %v", o.Values)
	}
	rejection := "\x08IDENTITY\x01" + hash + "\x40\x01\x03\xa0\x01" + tagMessage("REJ\x00", "STK\x00", "token", "PROF", "proof")
	decodetest.Datagrams(t, Decoders, 443, "GQUIC", decodetest.Server(rejection))
	for name, data := range map[string]string{
		"version": "\x0dIDENTITYX043\x01" + hash + frame + chlo,
		"no tags": "\x08IDENTITY\x01" + hash + "REJ\x00\x01\x00\x00\x00",
		"short":   "\x0dIDENTITY",
	} {
		if o := decodetest.Run(Decoders, decodetest.UDP(443), decodetest.Client(data)); o.Verdict != decode.No {
			t.Errorf("%s: %v", name, o.Verdict)
		}
	}
}

// A sender cannot make the decoder hold more than was sent.
func TestMemory(t *testing.T) {
	meta := decodetest.UDP(443)
	s := decode.NewSession(&meta, silent{})
	hello := make([]byte, 1<<14)
	var memory any
	for i := range 20 {
		s.Ready(memory)
		s.Index = i
		frames := slices.Concat(crypto(hello, 5000+100*i, 5100+100*i), crypto(hello, 16000, 16010))
		datagram(&s, protect(t, version1, salt1, []byte("12345678"), nil, frames, uint32(i), 1200))
		memory = s.Memory()
	}
	if held := memory.(*conversation).hello.Held(); held > 20*1200 {
		t.Errorf("holds %d bytes", held)
	}
}

type silent struct{ decode.Sink }

func (silent) Host(decode.Context, []byte)  {}
func (silent) Value(decode.Context, []byte) {}
func (silent) Protocol(string)              {}
func (silent) Carries(string)               {}

func BenchmarkInitial(b *testing.B) {
	packet := protect(b, version1, salt1, bytesOf(b, appendixID), nil, bytesOf(b, appendixFrame), 2, 1200)
	meta := decodetest.UDP(443)
	s := decode.NewSession(&meta, silent{})
	b.ReportAllocs()
	for b.Loop() {
		s.Ready(nil)
		datagram(&s, packet)
	}
}

func FuzzDecoders(f *testing.F) {
	hello := bigHello("fuzz.example", "h3")
	decodetest.Fuzz(f, Decoders,
		protect(f, version1, salt1, []byte("12345678"), nil, crypto(hello, 0, 1000), 1, 1200),
		[]byte("\x0dIDENTITYQ043\x01"+strings.Repeat("h", 12)+"\xa0\x01\x04\x00"+tagMessage("CHLO", "SNI\x00", "old.example")),
		[]byte("\x9f\x00\x00\x00\x00\x04abcd\x04efgh\x00\x00\x00\x01"))
}

// The content of packets that are genuine may be anything.
func FuzzContent(f *testing.F) {
	hello := bigHello("fuzz.example", "h3")
	f.Add(crypto(hello, 0, 1000), uint32(version1))
	f.Add([]byte{frameAckECN, 1, 1, 1, 1, 1, 1, 1, 1}, uint32(q050))
	f.Fuzz(func(_ *testing.T, plain []byte, version uint32) {
		meta := decodetest.UDP(443)
		s := decode.NewSession(&meta, silent{})
		h := packetHeader{version: version, destination: []byte("12345678")}
		for range 3 {
			c, _ := s.Memory().(*conversation)
			readCrypto(&s, plain, &h, c)
		}
	})
}
