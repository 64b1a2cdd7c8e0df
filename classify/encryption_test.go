package classify

import (
	"testing"
	"time"

	"sluice/classify/decode"
)

// tlsDecoder tells what a script says of a TLS session: s for a server name that belongs to an
// application, n for one that does not, c for one of a content delivery network, w for HTTP by
// ALPN, i for IMAP, e for an encrypted ClientHello.
var tlsDecoder = decode.Decoder{Name: "SSL", Stream: func(s *decode.Session, client, server []byte) decode.Verdict {
	for _, c := range client {
		switch c {
		case 's':
			s.Host(decode.SSLServerName, []byte("tls.example"))
		case 'n':
			s.Host(decode.SSLServerName, []byte("nobody.example"))
		case 'c':
			s.Host(decode.SSLServerName, []byte("cdn.example"))
		case 'w':
			s.Value(decode.SSLALPN, []byte("h2"))
		case 'i':
			s.Value(decode.SSLALPN, []byte("imap"))
			s.Carries("IMAP")
		case 'e':
			s.Value(decode.SSLECH, nil)
		}
	}
	return decode.Match
}}

// AG-17: the web over TLS has a name of its own where it is known to be that, and nothing more
// special is known.
func TestHTTPS(t *testing.T) {
	b := newCustomBench(t, Options{Decoders: []decode.Decoder{tlsDecoder}})
	for _, c := range []struct {
		port         uint16
		script, want string
		evidence     string
	}{
		{8443, "nw", "HTTPS", "decoder"}, {443, "n", "HTTPS", "port"}, {443, ".", "", "decoder"}, {8443, "n", "", "decoder"},
		{443, "ni", "IMAP", "decoder"}, {443, "sw", "SHOP-TLS", "sni"},
	} {
		f := b.say(testMeta(6, c.port), c.script)
		check(t, f, "SSL", c.want, true)
		if r := f.Result(); r.Evidence != c.evidence || !r.Encrypted {
			t.Errorf("%q: %+v", c.script, r)
		}
	}
	if r := newBench(t, Options{}).say(testMeta(6, 80), "GET / HTTP/1.1\r\n\r\n").Result(); r.Encrypted {
		t.Errorf("%+v", r)
	}
}

// The extension of encrypted ClientHellos alone does not hide a name: clients send it to everybody.
func TestEncryptedHello(t *testing.T) {
	b := newCustomBench(t, Options{Decoders: []decode.Decoder{tlsDecoder}})
	meta := testMeta(6, 443)
	b.state.resolve(b.named("SHOP"), meta.Server.Addr(), time.Minute)
	for script, want := range map[string]string{"se": "SHOP-TLS", "ne": "HTTPS", "ce": "SHOP", "e": "SHOP", "n": "HTTPS", "c": "NETWORK"} {
		f := b.say(meta, script)
		check(t, f, "SSL", want, true)
		if r := f.Result(); r.EncryptedHello != (script == "ce" || script == "e") {
			t.Errorf("%q: %+v", script, r)
		}
	}
}

// A keep-alive repeats the last byte, or sends garbage in its place: what follows is decoded
// without it, though the session's start was not seen.
func TestKeepAliveProbe(t *testing.T) {
	b := newBench(t, Options{})
	var f Flow
	meta := testMeta(6, 80)
	meta.Guessed = true
	b.Begin(&f, meta)
	f.Segment(&Segment{Flags: flagAck, Seq: 99, Ack: 500, Payload: []byte{0}})
	f.Segment(&Segment{Direction: ToClient, Flags: flagAck, Seq: 500, Ack: 100})
	f.Segment(&Segment{Flags: flagAck | flagPsh, Seq: 100, Ack: 500, Payload: []byte("GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n")})
	check(t, &f, "HTTP", "SHOP", true)
	// A first byte that is one is kept.
	b.Begin(&f, meta)
	for i, c := range []byte("GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n") {
		f.Segment(&Segment{Flags: flagAck, Seq: uint32(100 + i), Ack: 500, Payload: []byte{c}})
	}
	check(t, &f, "HTTP", "SHOP", true)
	// In the middle of a session it changes nothing.
	b.Begin(&f, testMeta(6, 80))
	f.Segment(&Segment{Flags: flagSyn, Seq: 99})
	f.Segment(&Segment{Flags: flagAck, Seq: 99, Ack: 500, Payload: []byte{0}})
	f.Segment(&Segment{Flags: flagAck, Seq: 100, Ack: 500, Payload: []byte("GET / HTTP/1.1\r\n")})
	f.Segment(&Segment{Flags: flagAck, Seq: 115, Ack: 500, Payload: []byte{0}})
	f.Segment(&Segment{Flags: flagAck, Seq: 116, Ack: 500, Payload: []byte("Host: shop.example\r\n\r\n")})
	check(t, &f, "HTTP", "SHOP", true)
}
