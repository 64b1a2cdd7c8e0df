package endpoint_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"sluice/internal/testpki"
	"sluice/tls/endpoint"
	"sluice/tls/profile"
	"sluice/tls/report"
	"sluice/tls/revoke"
	stdtls "sluice/tls/stdtls"
)

const host = "collector.example.net"

// server is a TLS server that says hello to one client.
func server(t *testing.T, config *tls.Config) (connect func() net.Conn, peers <-chan []*x509.Certificate) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	seen := make(chan []*x509.Certificate, 1)
	go func() {
		for {
			raw, err := l.Accept()
			if err != nil {
				return
			}
			c := tls.Server(raw, config)
			_ = c.SetDeadline(time.Now().Add(10 * time.Second))
			if _, err := io.WriteString(c, "hello"); err == nil {
				seen <- c.ConnectionState().PeerCertificates
			}
			_, _ = c.Read(make([]byte, 1))
			c.Close()
		}
	}()
	return func() net.Conn {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}, seen
}

// trusting is a profile that trusts an authority.
func trusting(ca *testpki.Authority) *profile.Initiation {
	p := &profile.Initiation{Name: "own", Trusted: x509.NewCertPool(), TrustedCAs: []*x509.Certificate{ca.Certificate},
		CRL: profile.CRL{DisabledFor: func(*x509.Certificate) bool { return false }}}
	p.Trusted.AddCert(ca.Certificate)
	p.MinVersion, p.MaxVersion = stdtls.VersionTLS10, stdtls.VersionTLS13
	p.CipherSuites = []uint16{stdtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}
	p.Suites13 = []uint16{stdtls.TLS_AES_128_GCM_SHA256}
	return p
}

func certificate(leaf *testpki.Leaf) tls.Certificate {
	c := tls.Certificate{PrivateKey: leaf.Key}
	for _, x := range leaf.Chain() {
		c.Certificate = append(c.Certificate, x.Raw)
	}
	return c
}

// A server is believed or not as the profile says, spoken with in the profile's suites, and shown the profile's
// certificate with its issuers, so that it needs to know the root alone (SP-62, PK-24).
func TestConnect(t *testing.T) {
	ca, other := testpki.Root(t, "Root"), testpki.Root(t, "Other")
	revocation, err := revoke.New(revoke.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer revocation.Close()
	good := ca.Leaf(t, host)
	stapled := certificate(good)
	stapled.OCSPStaple = ca.OCSP(t, good.Certificate, ocsp.Revoked, nil, nil)
	own := ca.Intermediate(t, "Issuer of clients").Leaf(t, "gateway", testpki.With(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }))
	clients := x509.NewCertPool()
	clients.AddCert(ca.Certificate)
	for name, c := range map[string]struct {
		server *tls.Config
		change func(*profile.Initiation)
		host   string // host where it is empty
		want   string // "" for a connection
	}{
		"good":          {server: &tls.Config{Certificates: []tls.Certificate{certificate(good)}}},
		"another host":  {server: &tls.Config{Certificates: []tls.Certificate{certificate(good)}}, host: "other.example.net", want: "Hostname mismatch"},
		"an address":    {server: &tls.Config{Certificates: []tls.Certificate{certificate(good)}}, host: "192.0.2.1", want: "IP address mismatch"},
		"not trusted":   {server: &tls.Config{Certificates: []tls.Certificate{certificate(other.Leaf(t, host))}}, want: "unable to get local issuer certificate"},
		"ignored":       {server: &tls.Config{Certificates: []tls.Certificate{certificate(other.Leaf(t, host))}}, change: func(p *profile.Initiation) { p.IgnoreServerAuthFailure = true }},
		"revoked":       {server: &tls.Config{Certificates: []tls.Certificate{stapled}}, want: "revoked"},
		"not looked up": {server: &tls.Config{Certificates: []tls.Certificate{stapled}}, change: func(p *profile.Initiation) { p.CRL.Disable = true }},
		"nothing known": {server: &tls.Config{Certificates: []tls.Certificate{certificate(good)}}, change: func(p *profile.Initiation) { p.CRL.DropIfNotPresent = true }, want: "no revocation information"},
		"no common suite": {server: &tls.Config{Certificates: []tls.Certificate{certificate(good)}, MaxVersion: tls.VersionTLS12,
			CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384}}, want: "handshake failure"},
		"client certificate": {server: &tls.Config{Certificates: []tls.Certificate{certificate(good)}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients},
			change: func(p *profile.Initiation) {
				p.ClientCertificate = &profile.Identity{ID: "gateway", Key: own.Key, Certificate: own.Certificate, Chain: own.Chain()[1:]}
			}},
		"out of service": {server: &tls.Config{}, change: func(p *profile.Initiation) { p.Broken = "its certificate is gone" }, want: "its certificate is gone"},
		"no profile":     {server: &tls.Config{}, change: func(p *profile.Initiation) { p.Name = "another" }, want: "there is no SSL initiation profile own"},
	} {
		t.Run(name, func(t *testing.T) {
			p, counters := trusting(ca), new(report.Counters)
			if c.change != nil {
				c.change(p)
			}
			connect, peers := server(t, c.server)
			client := endpoint.Client{Counters: counters, Revocation: revocation, Profile: func(name string) *profile.Initiation {
				if name != p.Name {
					return nil
				}
				return p
			}}
			wanted := c.host
			if wanted == "" {
				wanted = host
			}
			secure, err := client.Connect(t.Context(), connect(), wanted, "own")
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v, want %q", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			text := make([]byte, 5)
			if _, err := io.ReadFull(secure, text); err != nil || string(text) != "hello" {
				t.Errorf("%q, %v", text, err)
			}
			if shown := <-peers; len(shown) != 0 && (name != "client certificate" || len(shown) != 2) || len(shown) == 0 && name == "client certificate" {
				t.Errorf("the server is shown %d certificates", len(shown))
			}
			if n := counters.Initiation.Active.Value(); n != 1 {
				t.Errorf("%d connections are counted", n)
			}
			secure.Close()
			secure.Close()
			if n := counters.Initiation.Active.Value(); n != 0 {
				t.Errorf("%d connections are counted after it was closed", n)
			}
		})
	}
}
