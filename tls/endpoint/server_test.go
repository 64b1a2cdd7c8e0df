package endpoint_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"sluice/internal/testpki"
	"sluice/tls/endpoint"
	"sluice/tls/profile"
	"sluice/tls/report"
	stdtls "sluice/tls/stdtls"
)

// identity is a certificate of the gateway with its key and issuers.
func identity(l *testpki.Leaf) *profile.Identity {
	return &profile.Identity{ID: l.Certificate.Subject.CommonName, Key: l.Key, Certificate: l.Certificate, Chain: l.Chain()[1:]}
}

// A client is shown the certificate of the kind that it can check, with its issuers, agrees on the profile's
// suites alone, and is sent away while the profile is out of service; every handshake is counted (SP-62, 5/S-32).
func TestListen(t *testing.T) {
	ca := testpki.Root(t, "Root")
	inter := ca.Intermediate(t, "Issuer")
	p := &profile.Termination{Name: "own", ServerCertificates: []*profile.Identity{identity(inter.Leaf(t, host)), identity(inter.Leaf(t, host, testpki.Key(testpki.RSA(t, 2048))))}}
	p.MinVersion, p.MaxVersion = stdtls.VersionTLS12, stdtls.VersionTLS12
	p.CipherSuites = []uint16{stdtls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, stdtls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
	counters := new(report.Counters)
	var gone atomic.Bool
	server := endpoint.Server{Counters: counters, Profile: func(name string) *profile.Termination {
		if name != p.Name || gone.Load() {
			return nil
		}
		return p
	}}
	raw, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := server.Listen(raw, "own")
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_ = c.SetDeadline(time.Now().Add(10 * time.Second))
				_, _ = io.Copy(c, c)
				c.Close()
			}()
		}
	}()
	roots := x509.NewCertPool()
	roots.AddCert(ca.Certificate)
	for name, c := range map[string]struct {
		suite uint16
		want  bool
	}{
		"ECDSA": {tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, true}, "RSA": {tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, true},
		"not of the profile": {tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, false},
	} {
		before := counters.Termination.HandshakeErrors.Value()
		client, err := tls.DialWithDialer(&net.Dialer{Timeout: 10 * time.Second}, "tcp", l.Addr().String(), &tls.Config{RootCAs: roots, ServerName: host, CipherSuites: []uint16{c.suite}})
		if (err == nil) != c.want {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			for deadline := time.Now().Add(10 * time.Second); counters.Termination.HandshakeErrors.Value() == before; time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("%s: not counted", name)
				}
			}
			continue
		}
		text := make([]byte, 5)
		if _, err := io.WriteString(client, "hello"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := io.ReadFull(client, text); err != nil || string(text) != "hello" {
			t.Errorf("%s: %q, %v", name, text, err)
		}
		if n := counters.Termination.Active.Value(); n != 1 {
			t.Errorf("%s: %d connections are counted", name, n)
		}
		client.Close()
		for deadline := time.Now().Add(10 * time.Second); counters.Termination.Active.Value() != 0; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: %d connections are counted after it was closed", name, counters.Termination.Active.Value())
			}
		}
	}
	if n := counters.Termination.HandshakesCompleted.Value(); n != 2 {
		t.Errorf("%d handshakes", n)
	}
	gone.Store(true)
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	_ = client.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := client.Read(make([]byte, 1)); err == nil {
		t.Error("it speaks without a profile")
	}
}
