package scenario

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"sluice/internal/testpki"
	"sluice/lab"
)

// serverHello is the answer of a server that goes no further: a record with a ServerHello up to TLS 1.2
// (RFC 5246 section 7.4.1.3).
type serverHello struct {
	version     uint16 // 0: TLS 1.2
	tail        string // the end of the random
	suite       uint16 // 0: TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
	compression byte
	extensions  []byte
}

// secureRenegotiation and aProtocol are extensions of a ServerHello.
var (
	secureRenegotiation = []byte{0xff, 0x01, 0, 1, 0}
	aProtocol           = []byte{0, 16, 0, 5, 0, 3, 2, 'h', '3'}
)

func (h serverHello) bytes() []byte {
	version, suite := h.version, h.suite
	if version == 0 {
		version = tls.VersionTLS12
	}
	if suite == 0 {
		suite = tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
	}
	body := binary.BigEndian.AppendUint16(nil, version)
	body = append(body, strings.Repeat("r", 32-len(h.tail))+h.tail...)
	body = append(body, 0) // no session identifier
	body = binary.BigEndian.AppendUint16(body, suite)
	body = append(body, h.compression)
	body = binary.BigEndian.AppendUint16(body, uint16(len(h.extensions)))
	body = append(body, h.extensions...)
	message := append([]byte{2, 0, 0, byte(len(body))}, body...)
	record := binary.BigEndian.AppendUint16([]byte{22}, min(version, tls.VersionTLS12))
	return append(append(record, 0, byte(len(message))), message...)
}

// answers serves what is sent as soon as the client has said something.
func (w *world) answers(address string, answer []byte) {
	w.listen(w.Web, address, func(c *net.TCPConn) {
		_, _ = c.Read(make([]byte, 4096))
		_, _ = c.Write(answer)
		_, _ = io.Copy(io.Discard, c)
	})
}

// What a careful client refuses in a handshake is refused in its place: old versions, weak suites, downgrades,
// compression, renegotiation that anybody may meddle with, keys that are not those of the certificate, and
// what is no TLS at all (SP-16, SP-43, SP-53, SP-101, G-10, G-17).
func TestHostileHandshakes(t *testing.T) {
	w := startHostile(t)
	port := 7500
	address := func() string { port++; return net.JoinHostPort(lab.WebAddr4, fmt.Sprint(port)) }
	fails := func(name, address, want string) {
		t.Helper()
		dropped := w.counter("session dropped")
		raw := w.connect(address)
		defer raw.Close()
		c := tls.Client(raw, &tls.Config{ServerName: name + bad, InsecureSkipVerify: true, MinVersion: tls.VersionTLS10})
		if err := c.Handshake(); err == nil {
			t.Errorf("%s: the client is connected", name)
		}
		w.eventually(name+" is counted", func() bool { return w.counter("session dropped") != dropped })
		if drop := w.lastDrop(); !strings.Contains(drop, want) {
			t.Errorf("%s: want %q:\n%s", name, want, strings.SplitN(drop, "\n", 2)[0])
		}
	}

	for _, c := range []struct {
		name, want string
		answer     []byte
	}{
		{"ssl3-hello", "protocol version", serverHello{version: tls.VersionSSL30}.bytes()}, //nolint:staticcheck // refused
		{"export-hello", "unconfigured cipher suite", serverHello{suite: 0x0003}.bytes()},
		{"null-hello", "unconfigured cipher suite", serverHello{suite: 0x003b}.bytes()},
		{"anonymous-hello", "unconfigured cipher suite", serverHello{suite: 0x006c}.bytes()},
		{"compression", "compression", serverHello{compression: 1, extensions: secureRenegotiation}.bytes()},
		{"downgrade", "downgrade attempt detected", serverHello{tail: "DOWNGRD\x01", extensions: secureRenegotiation}.bytes()},
		{"downgrade-to-tls11", "downgrade attempt detected", serverHello{version: tls.VersionTLS11, suite: tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tail: "DOWNGRD\x00", extensions: secureRenegotiation}.bytes()},
		{"no-reneg-info", "unsafe legacy renegotiation disabled", serverHello{}.bytes()},
		{"unasked-protocol", "ALPN", serverHello{extensions: append(slices.Clone(secureRenegotiation), aProtocol...)}.bytes()},
		{"http-on-443", "first record does not look like a TLS handshake", []byte("HTTP/1.1 400 Bad Request\r\n\r\n")},
		{"garbage", "first record does not look like a TLS handshake", []byte(strings.Repeat("\xa5\x5a\x93", 100))},
		{"alert", "internal error", []byte{21, 3, 3, 0, 2, 2, 80}},
		{"hung-up", "unexpected eof", nil},
	} {
		at := address()
		if c.answer == nil {
			w.listen(w.Web, at, func(c *net.TCPConn) { _, _ = c.Read(make([]byte, 4096)) })
		} else {
			w.answers(at, c.answer)
		}
		fails(c.name, at, c.want)
	}

	// Whole servers, of which each can do only one thing.
	rsaLeaf := w.ca.Leaf(t, "rsa"+bad, testpki.Key(testpki.RSA(t, 2048)))
	other := w.ca.Leaf(t, "other"+bad)
	for _, c := range []struct {
		name, want string
		config     *tls.Config
	}{
		{"tls10", "protocol version", &tls.Config{Certificates: []tls.Certificate{chain(rsaLeaf)}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10}},
		{"tls11", "protocol version", &tls.Config{Certificates: []tls.Certificate{chain(rsaLeaf)}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}},
		{"rc4", "handshake failure", &tls.Config{Certificates: []tls.Certificate{chain(rsaLeaf)}, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_RC4_128_SHA}}},             //nolint:staticcheck // refused
		{"3des", "handshake failure", &tls.Config{Certificates: []tls.Certificate{chain(rsaLeaf)}, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA}}}, //nolint:staticcheck // refused
		{"keymismatch", "invalid signature", &tls.Config{Certificates: []tls.Certificate{{Certificate: chain(w.ca.Leaf(t, "keymismatch"+bad)).Certificate, PrivateKey: other.Key}}}},
		{"keymismatch-tls12", "invalid signature", &tls.Config{MaxVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{Certificate: chain(w.ca.Leaf(t, "keymismatch-tls12"+bad)).Certificate, PrivateKey: other.Key}}}},
	} {
		at := address()
		w.listen(w.Web, at, func(raw *net.TCPConn) { _ = tls.Server(raw, c.config).Handshake() })
		if strings.HasPrefix(c.name, "tls1") { // a client of today has no use for it
			raw := w.connect(at)
			if err := tls.Client(raw, &tls.Config{ServerName: c.name + bad, InsecureSkipVerify: true}).Handshake(); err == nil {
				t.Errorf("%s: the client is connected", c.name)
			}
			raw.Close()
			if drop := w.lastDrop(); !strings.Contains(drop, c.want) {
				t.Errorf("%s: want %q:\n%s", c.name, c.want, strings.SplitN(drop, "\n", 2)[0])
			}
			continue
		}
		fails(c.name, at, c.want)
	}
	cert, key := leafFiles(t, rsaLeaf)
	for name, args := range map[string][]string{
		"null-cipher": {"-cipher", "NULL:@SECLEVEL=0"}, "anon": {"-cipher", "aNULL:@SECLEVEL=0"},
		"dh1024": {"-cipher", "DHE:@SECLEVEL=0"}, "dh2048": {"-cipher", "DHE"},
	} {
		at := address()
		p, err := w.Web.Start("openssl", append([]string{"s_server", "-accept", at, "-tls1_2", "-cert", cert, "-key", key, "-quiet"}, args...)...)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.WaitListening(t.Context(), "tcp", uint16(port)); err != nil {
			t.Fatal(err)
		}
		fails(name, at, "handshake failure")
	}
}

// A server that asks for another handshake within a session gets it where the profile lets it, and ends the
// session where it does not (SP-24, G-10).
func TestServerRenegotiation(t *testing.T) {
	w := startHostile(t)
	cert, key := leafFiles(t, w.ca.Leaf(t, "again"+bad))
	again := func(port string) (string, error) {
		at := net.JoinHostPort(lab.WebAddr4, port)
		server := w.Web.Command(t.Context(), "openssl", "s_server", "-accept", at, "-tls1_2", "-cert", cert, "-key", key)
		in, err := server.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := server.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		prints := bufio.NewScanner(out)
		says := func(text string) {
			for prints.Scan() && !strings.Contains(prints.Text(), text) {
			}
		}
		defer func() { _, _ = server.Process.Kill(), server.Wait() }()
		var raw net.Conn
		w.eventually("the server listens", func() bool {
			raw, err = w.dial(w.Client, "tcp", at)
			return err == nil
		})
		c := tls.Client(raw, &tls.Config{ServerName: "again" + bad, RootCAs: w.roots})
		if err := c.Handshake(); err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(c, "begin\n")
		says("begin") // from now on it takes commands, one at a time
		fmt.Fprint(in, "r\n")
		says("SSL_do_handshake")
		fmt.Fprint(in, "after another handshake\n")
		text, err := bufio.NewReader(c).ReadString('\n')
		return text, err
	}
	if text, err := again("7600"); err != nil || text != "after another handshake\n" {
		t.Errorf("as the profile lets it: %q, %v", text, err)
	}
	w.configure("set services ssl proxy profile inspect actions renegotiation drop")
	if text, err := again("7601"); err == nil {
		t.Errorf("where it may not: %q", text)
	}
}
