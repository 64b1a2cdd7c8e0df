package tls

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	stdtls "crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/classify/decode"
	"sluice/classify/decode/decodetest"
)

// Parts of messages, written as the specifications draw them.

func vector8(b string) string  { return string([]byte{byte(len(b))}) + b }
func vector16(b string) string { return string([]byte{byte(len(b) >> 8), byte(len(b))}) + b }
func vector24(b string) string { return "\x00" + vector16(b) }

func extension(kind uint16, content string) string {
	return string([]byte{byte(kind >> 8), byte(kind)}) + vector16(content)
}

func serverName(name string) string { return extension(0, vector16("\x00"+vector16(name))) }

func alpn(names ...string) string {
	list := ""
	for _, n := range names {
		list += vector8(n)
	}
	return extension(16, vector16(list))
}

var random32 = strings.Repeat("\x5a", 32)

func clientHello(extensions ...string) string {
	return "\x01" + vector24("\x03\x03"+random32+vector8("")+vector16("\x13\x01\xc0\x2f")+vector8("\x00")+
		vector16(strings.Join(extensions, "")))
}

func serverHello(extensions ...string) string {
	return "\x02" + vector24("\x03\x03"+random32+vector8("")+"\xc0\x2f\x00"+vector16(strings.Join(extensions, "")))
}

// records cuts handshake messages into records of at most n bytes.
func records(n int, messages string) string {
	out := ""
	for len(messages) > 0 {
		k := min(n, len(messages))
		out += "\x16\x03\x01" + vector16(messages[:k])
		messages = messages[k:]
	}
	return out
}

func record(kind byte, body string) string { return string([]byte{kind, 3, 3}) + vector16(body) }

const tls13 = "\x00\x2b\x00\x02\x03\x04"

func TestClientHello(t *testing.T) {
	hello := clientHello(serverName("www.example.com"), alpn("imap", "x"), extension(0xfe0d, "\x00\x01"), strings.Repeat(extension(21, strings.Repeat("\x00", 300)), 5))
	for _, size := range []int{1, 3, 100, 700, 1 << 14} {
		o := decodetest.Stream(t, Decoders, 4444, "SSL", decodetest.Client(records(size, hello)),
			decodetest.Server(records(1<<14, serverHello(tls13))))
		if got := o.Value(decode.SSLServerName); got != "www.example.com" {
			t.Errorf("in records of %d: server name %q", size, got)
		}
		if !slices.Contains(o.Values, "ssl-ech=www.example.com") || o.Value(decode.SSLALPN) != "imap" || o.Carries != "IMAP" {
			t.Errorf("in records of %d: %+v", size, o)
		}
	}
}

// What servers pass over before a hello hides none.
func TestRecordsBeforeHello(t *testing.T) {
	hello := records(1<<14, clientHello(serverName("www.example.com")))
	const warning, empty = "\x15\x03\x01\x00\x02\x01\x64", "\x16\x03\x01\x00\x00"
	for _, before := range []string{warning, empty, warning + empty + warning} {
		if o := decodetest.Stream(t, Decoders, 443, "SSL", decodetest.Client(before+hello)); o.Value(decode.SSLServerName) != "www.example.com" {
			t.Errorf("after %q: %q", before, o.Values)
		}
	}
}

// The server name is told before the hello is whole, and the hello is recognised by its start.
func TestBeginningOfHello(t *testing.T) {
	whole := records(1<<14, clientHello(serverName("early.example"), extension(51, strings.Repeat("k", 1300))))
	o := decodetest.Run(Decoders, decodetest.TCP(443), decodetest.Client(whole[:200]))
	if o.Verdict != decode.MatchMore || o.Value(decode.SSLServerName) != "early.example" {
		t.Errorf("%+v", o)
	}
	for n := 1; n < len(whole); n++ {
		o := decodetest.Run(Decoders, decodetest.TCP(443), decodetest.Client(whole[:n]))
		want := decode.More
		if n >= 11 {
			want = decode.MatchMore
		}
		if o.Verdict != want {
			t.Fatalf("%d bytes: %v, want %v", n, o.Verdict, want)
		}
	}
}

// Names by the port, once it is certain that it is TLS.
func TestVariants(t *testing.T) {
	for port, want := range map[uint16][2]string{
		993: {"IMAPS", ""}, 465: {"SMTPS", ""}, 995: {"POP3S", ""}, 443: {"SSL", ""},
		853: {"SSL", "DNS-OVER-TLS"}, 8883: {"SSL", "MQTT"}, 3389: {"SSL", "RDP"},
	} {
		o := decodetest.Stream(t, Decoders, port, want[0], decodetest.Client(records(999, clientHello())))
		if o.Carries != want[1] {
			t.Errorf("port %d carries %q", port, o.Carries)
		}
	}
	o := decodetest.Stream(t, Decoders, 8883, "SSL", decodetest.Client(records(999, clientHello(alpn("h2", "http/1.1")))))
	if o.Carries != "" {
		t.Errorf("a browser on another's port carries %q", o.Carries)
	}
}

func TestNoTLS(t *testing.T) {
	good := records(1<<14, clientHello(serverName("a.example")))
	change := func(at int, to byte) string {
		b := []byte(good)
		b[at] = to
		return string(b)
	}
	for name, data := range map[string]string{
		"major version":    change(1, 4),
		"minor version":    change(2, 9),
		"record too long":  change(3, 0xff),
		"hello version":    change(9, 7),
		"hello too short":  change(8, 20)[:12],
		"lengths disagree": strings.Replace(change(43, 33), "\x16\x03\x01\x00", "\x16\x03\x01\x01", 1) + good + good + good + good,
		"empty":            "\x16\x03\x01\x00\x00",
		"text":             "\x16GET / HTTP/1.1\r\n\r\n",
	} {
		if o := decodetest.Run(Decoders, decodetest.TCP(443), decodetest.Client(data)); o.Verdict > decode.Maybe {
			t.Errorf("%s: %v", name, o.Verdict)
		}
	}
}

// A session whose start was not seen is recognised by its records.
func TestMiddle(t *testing.T) {
	data := record(23, strings.Repeat("d", 40))
	decodetest.Stream(t, Decoders, 443, "SSL", decodetest.Client(data+data))
	decodetest.Stream(t, Decoders, 443, "SSL", decodetest.Client(data))
	decodetest.Stream(t, Decoders, 443, "SSL", decodetest.Server(record(21, strings.Repeat("a", 26))))
	decodetest.Stream(t, Decoders, 443, "SSL", decodetest.Server(record(20, "\x01")+record(22, strings.Repeat("f", 40))))
	decodetest.Stream(t, Decoders, 443, "SSL?", decodetest.Client(record(23, strings.Repeat("d", 4000))[:900]))
	if o := decodetest.Run(Decoders, decodetest.TCP(443), decodetest.Client(data+"HTTP/1.1 ")); o.Verdict != decode.No {
		t.Errorf("records and then something else: %v", o.Verdict)
	}
}

// Where the start was not seen, a ServerHello of the side taken for the client turns the session
// round; where it was seen, who calls need not be the client of TLS.
func TestRoles(t *testing.T) {
	hello, answer := records(999, clientHello(serverName("turned.example"))), records(999, serverHello(tls13))
	meta := decodetest.TCP(50000)
	meta.Guessed = true
	if o := decodetest.Run(Decoders, meta, decodetest.Client(answer), decodetest.Server(hello)); o.Verdict != decode.No {
		t.Errorf("guessed: %v", o.Verdict)
	}
	o := decodetest.Stream(t, Decoders, 50000, "SSL", decodetest.Server(hello), decodetest.Client(answer))
	if o.Value(decode.SSLServerName) != "turned.example" {
		t.Errorf("%+v", o)
	}
}

func TestOldHellos(t *testing.T) {
	oldHello := func(version, ciphers, challenge string) string {
		body := "\x01" + version + string([]byte{0, byte(len(ciphers)), 0, 0, 0, byte(len(challenge))}) + ciphers + challenge
		return string([]byte{0x80, byte(len(body))}) + body
	}
	challenge := strings.Repeat("c", 16)
	ciphers := "\x01\x00\x80\x07\x00\xc0"
	decodetest.Stream(t, Decoders, 443, "SSL", decodetest.Client(oldHello("\x03\x01", ciphers, challenge)))
	two := decodetest.Client(oldHello("\x00\x02", ciphers, challenge))
	decodetest.Stream(t, Decoders, 443, "SSL", two)
	body := "\x04\x00\x01\x00\x02" + "\x00\x04\x00\x03\x00\x10" + "cert" + "\x01\x00\x80" + challenge
	decodetest.Stream(t, Decoders, 443, "SSL", decodetest.Server(string([]byte{0x80, byte(len(body))})+body))
	for name, data := range map[string]string{
		"length":  oldHello("\x03\x01", ciphers, challenge) + "x",
		"ciphers": oldHello("\x03\x01", ciphers[:5], challenge),
		"version": oldHello("\x05\x01", ciphers, challenge),
	} {
		if name == "length" {
			data = "\x80\x77" + data[2:]
		}
		if o := decodetest.Run(Decoders, decodetest.TCP(443), decodetest.Client(data)); o.Verdict != decode.No {
			t.Errorf("%s: %v", name, o.Verdict)
		}
	}
}

// The fingerprint of the hello that its authors print in their description.
func TestFingerprint(t *testing.T) {
	numbers := func(words string) string {
		b, err := hex.DecodeString(strings.ReplaceAll(words, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	ciphers := numbers("1a1a 1301 1302 1303 c02b c02f c02c c030 cca9 cca8 c013 c014 009c 009d 002f 0035")
	signatures := extension(13, vector16(numbers("0403 0804 0401 0503 0805 0501 0806 0601")))
	versions := extension(43, vector8(numbers("2a2a 0304 0303")))
	extensions := serverName("a.example") + alpn("h2", "http/1.1") + versions + signatures
	for _, kind := range []uint16{0x3a3a, 0x001b, 0x0033, 0x4469, 0x0017, 0x002d, 0x0005, 0x0023, 0x0012, 0xff01, 0x000b, 0x000a, 0x0015} {
		extensions += extension(kind, "")
	}
	body := "\x03\x03" + random32 + vector8("") + vector16(ciphers) + vector8("\x00") + vector16(extensions)
	h, part := ParseHello([]byte(body), len(body), false)
	var got [fingerprintLength]byte
	if part != decode.Whole || !h.fingerprint(&got, OverTCP) || string(got[:]) != "t13d1516h2_8daaf6152771_e5627efa2ab1" {
		t.Errorf("%v %s", part, got[:])
	}
}

// record what both sides of a session with the standard library's TLS send.
func capture(t testing.TB, version uint16, certificate *x509.Certificate) (toServer, toClient []byte) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, certificate, certificate, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	client, server := net.Pipe()
	a, b := &tap{Conn: client}, &tap{Conn: server}
	done := make(chan error, 1)
	go func() {
		defer server.Close()
		done <- stdtls.Server(b, &stdtls.Config{MaxVersion: version,
			Certificates: []stdtls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}).Handshake()
	}()
	err = stdtls.Client(a, &stdtls.Config{ServerName: "real.example", InsecureSkipVerify: true, NextProtos: []string{"h2"}}).Handshake()
	if err != nil {
		t.Fatal(err)
	}
	client.Close()
	<-done
	return a.sent(), b.sent()
}

type tap struct {
	net.Conn
	mu      sync.Mutex
	written bytes.Buffer
}

func (c *tap) Write(p []byte) (int, error) {
	c.mu.Lock()
	c.written.Write(p)
	c.mu.Unlock()
	return c.Conn.Write(p)
}

func (c *tap) sent() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Clone(c.written.Bytes())
}

func sample(name pkix.Name, hosts ...string) *x509.Certificate {
	return &x509.Certificate{SerialNumber: big.NewInt(7), Subject: name, DNSNames: hosts,
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0)}
}

// Sessions of a real implementation, up to TLS 1.2 with the certificate.
func TestSessions(t *testing.T) {
	certificate := sample(pkix.Name{CommonName: "cn.example", Organization: []string{"Example Org"}}, "one.example", "*.two.example")
	for _, version := range []uint16{stdtls.VersionTLS12, stdtls.VersionTLS13} {
		toServer, toClient := capture(t, version, certificate)
		hello := recordHeader + int(decode.Uint16(toServer, 3))
		o := decodetest.Stream(t, Decoders, 443, "SSL", decodetest.Client(string(toServer[:hello])),
			decodetest.Server(string(toClient)), decodetest.Client(string(toServer[hello:])))
		if o.Value(decode.SSLServerName) != "real.example" || o.Value(decode.SSLALPN) != "h2" || len(o.Value(decode.SSLFingerprint)) != 36 {
			t.Errorf("%v", o.Values)
		}
		names := []string{"ssl-common-name=cn.example", "ssl-organization=Example Org", "ssl-issuer=cn.example",
			"ssl-subject-alt-name=one.example", "ssl-subject-alt-name=*.two.example"}
		for _, want := range names {
			if slices.Contains(o.Values, want) != (version == stdtls.VersionTLS12) {
				t.Errorf("version %#x: %s: %v", version, want, o.Values)
			}
		}
		// The server alone will do.
		decodetest.Stream(t, Decoders, 443, "SSL", decodetest.Server(string(toClient)))
	}
}

func TestPrivateCertificates(t *testing.T) {
	for name, want := range map[string]string{"AnyNet Relay": "ANYDESK", "syncthing": "SYNCTHING", "www.abc2defghij.net": "", "AnyNet": ""} {
		_, toClient := capture(t, stdtls.VersionTLS12, sample(pkix.Name{CommonName: name}))
		if o := decodetest.Stream(t, Decoders, 443, "SSL", decodetest.Server(string(toClient))); o.Application != want {
			t.Errorf("%s: %q", name, o.Application)
		}
	}
	tor := owner{name: []byte("www.xk2abcdefg3.net"), issuer: []byte("www.q4zzabcdefh.com")}
	if got := tor.application(); got != "TOR" {
		t.Errorf("%q", got)
	}
}

// Nothing is allocated for an ordinary ClientHello.
func TestAllocations(t *testing.T) {
	data := []byte(records(1<<14, clientHello(serverName("www.example.com"), alpn("h2"))))
	meta := decodetest.TCP(443)
	s := decode.NewSession(&meta, silent{})
	// Under the race detector, pools lose some of what they are given.
	if n := testing.AllocsPerRun(100, func() { stream(&s, data, nil) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
}

type silent struct{ decode.Sink }

func (silent) Host(decode.Context, []byte)  {}
func (silent) Value(decode.Context, []byte) {}
func (silent) Protocol(string)              {}
func (silent) Carries(string)               {}

func BenchmarkClientHello(b *testing.B) {
	data := []byte(records(1<<14, clientHello(serverName("www.example.com"), alpn("h2"))))
	meta := decodetest.TCP(443)
	s := decode.NewSession(&meta, silent{})
	for b.Loop() {
		stream(&s, data, nil)
	}
}

// DTLS.

func datagramHello(extensions ...string) string {
	return "\xfe\xfd" + random32 + vector8("") + vector8("cookie") + vector16("\xc0\x2b") + vector8("\x00") + vector16(strings.Join(extensions, ""))
}

// fragment is a part of a handshake message, in a record.
func fragment(kind byte, sequence byte, body string, from, to int) string {
	length := func(n int) string { return string([]byte{0, byte(n >> 8), byte(n)}) }
	return datagramOf(22, 0, string(kind)+length(len(body))+"\x00"+string([]byte{sequence})+length(from)+length(to-from)+body[from:to])
}

func datagramOf(kind, epoch byte, body string) string {
	return string([]byte{kind, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 9}) + vector16(body)
}

func TestDTLS(t *testing.T) {
	hello := datagramHello(serverName("media.example"))
	n := len(hello)
	whole := decodetest.Client(fragment(1, 0, hello, 0, n))
	o := decodetest.Datagrams(t, Decoders, 4433, "DTLS", whole)
	if o.Value(decode.SSLServerName) != "media.example" || !strings.HasPrefix(o.Value(decode.SSLFingerprint), "dd2d") {
		t.Errorf("%v", o.Values)
	}
	// In fragments, the last first, after a request for a cookie.
	o = decodetest.Datagrams(t, Decoders, 4433, "DTLS",
		decodetest.Server(fragment(3, 0, "\xfe\xff\x04abcd", 0, 7)),
		decodetest.Client(fragment(1, 1, hello, 30, n)), decodetest.Client(fragment(1, 1, hello, 0, 30)))
	if o.Value(decode.SSLServerName) != "media.example" {
		t.Errorf("%v", o.Values)
	}
	decodetest.Datagrams(t, Decoders, 4433, "DTLS", decodetest.Server(datagramOf(23, 1, strings.Repeat("d", 30))))
	// A certificate in fragments.
	_, toClient := capture(t, stdtls.VersionTLS12, sample(pkix.Name{CommonName: "relay.example"}))
	var scratch []byte
	f := readFlight(toClient, &scratch)
	_, rest, _ := nextMessage(f.handshake)
	m, _, _ := nextMessage(rest)
	body := string(m.body)
	o = decodetest.Datagrams(t, Decoders, 4433, "DTLS", whole,
		decodetest.Server(fragment(11, 2, body, 0, 100)), decodetest.Server(fragment(11, 2, body, 100, len(body))))
	if o.Value(decode.SSLCommonName) != "relay.example" || o.Verdict != decode.Match {
		t.Errorf("%v %v", o.Verdict, o.Values)
	}
}

func TestNoDTLS(t *testing.T) {
	hello := datagramHello(serverName("media.example"))
	good := fragment(1, 0, hello, 0, len(hello))
	for name, data := range map[string]string{
		"cut off":   good[:len(good)-1],
		"more":      good + "x",
		"version":   good[:1] + "\xfc" + good[2:],
		"clear":     datagramOf(23, 0, "data in the clear"),
		"fragments": fragment(1, 0, hello, 0, 40)[:24] + "\xff" + fragment(1, 0, hello, 0, 40)[25:],
		"cid":       datagramOf(25, 1, "what is it?"),
	} {
		if o := decodetest.Run(Decoders, decodetest.UDP(4433), decodetest.Client(data)); o.Verdict != decode.No {
			t.Errorf("%s: %v", name, o.Verdict)
		}
	}
}

func FuzzDecoders(f *testing.F) {
	toServer, toClient := capture(f, stdtls.VersionTLS12, sample(pkix.Name{CommonName: "cn.example", Organization: []string{"O"}}, "a.example"))
	hello := datagramHello(serverName("media.example"))
	decodetest.Fuzz(f, Decoders, toServer, toClient,
		[]byte(records(100, clientHello(serverName("a.example"), alpn("h2"), extension(0xfe0d, "")))),
		[]byte(fragment(1, 0, hello, 0, len(hello))), []byte(fragment(1, 0, hello, 10, 40)))
}

// A hello with nonsense inside is one all the same when the lengths around it agree.
func TestNonsense(t *testing.T) {
	hello := []byte(records(1<<14, clientHello(serverName("a.example"))))
	hello[43] = 33 // a session identifier that is too long
	o := decodetest.Stream(t, Decoders, 443, "SSL", decodetest.Client(string(hello)))
	if len(o.Values) > 0 {
		t.Errorf("told %v", o.Values)
	}
}

// Notifications of Apple, where the start of the session was not seen.
func TestPush(t *testing.T) {
	meta := decodetest.TCP(5223)
	data := record(23, strings.Repeat("d", 40))
	if o := decodetest.Run(Decoders, meta, decodetest.Client(data)); o.Carries != "" {
		t.Errorf("carries %q", o.Carries)
	}
	meta.Server = netip.MustParseAddrPort("17.57.146.20:5223")
	if o := decodetest.Run(Decoders, meta, decodetest.Client(data)); o.Name != "APPLE-PUSH" || o.Carries != "APPLE-PUSH" {
		t.Errorf("%q carries %q", o.Name, o.Carries)
	}
}

// However much of a certificate there is, only whole names are told.
func TestPartOfCertificate(t *testing.T) {
	_, toClient := capture(t, stdtls.VersionTLS12, sample(pkix.Name{CommonName: "common.example"}, "first.example", "second.example"))
	known := []string{"ssl-common-name=common.example", "ssl-issuer=common.example",
		"ssl-subject-alt-name=first.example", "ssl-subject-alt-name=second.example"}
	for n := range toClient {
		for _, v := range decodetest.Run(Decoders, decodetest.TCP(443), decodetest.Server(string(toClient[:n]))).Values {
			if !slices.Contains(known, v) {
				t.Fatalf("%d bytes tell %s", n, v)
			}
		}
	}
}
