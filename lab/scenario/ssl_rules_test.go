package scenario

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/internal/testpki"
	"sluice/lab"
)

// Clients and servers agree on what the profile allows, and on nothing else; a client that knows only one
// kind of key is shown one of that kind (SP-48, SP-49, SP-50, SP-53, SP-58, SP-59, SP-63).
func TestCustomCiphers(t *testing.T) {
	w := startHostile(t)
	for _, command := range []string{
		"request security pki generate-key-pair certificate-id rsa-ca type rsa size 2048",
		`request security pki local-certificate generate-self-signed certificate-id rsa-ca domain-name rsa.example.net subject "CN=RSA CA" add-ca-constraint`,
		"request security pki local-certificate export certificate-id rsa-ca type pem filename " + w.root + ".rsa",
	} {
		w.show(command)
	}
	rsaRoot, err := os.ReadFile(w.root + ".rsa")
	if err != nil || !w.roots.AppendCertsFromPEM(rsaRoot) {
		t.Fatal("no second root certificate", err)
	}
	w.configure("set services ssl proxy profile inspect root-ca rsa-ca")
	both := func(c *tls.Config) {
		c.Certificates = append(c.Certificates, chain(w.ca.Leaf(t, "both"+bad, testpki.Key(testpki.RSA(t, 2048)))))
		c.MaxVersion = tls.VersionTLS12
	}
	w.serve("both", w.ca.Leaf(t, "both"+bad), both)
	w.serve("new", w.ca.Leaf(t, "new"+bad))
	only := func(suite uint16) func(*tls.Config) {
		return func(c *tls.Config) { c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{suite} }
	}
	for suite, want := range map[uint16]string{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: "Branch CA", tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: "RSA CA",
	} {
		shown, err := w.visit("both", only(suite))
		if err != nil || shown.Issuer.CommonName != want {
			t.Errorf("%s: %v, issued by %v, want %s", tls.CipherSuiteName(suite), err, shown, want)
		}
	}
	speaks := func(step string, suite uint16, want bool) {
		t.Helper()
		if _, err := w.visit("both", only(suite)); (err == nil) != want {
			t.Errorf("%s: %s: %v, want it to be agreed on: %v", step, tls.CipherSuiteName(suite), err, want)
		}
	}
	speaks("medium", tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, true)
	speaks("medium", tls.TLS_RSA_WITH_AES_128_CBC_SHA, false)
	w.configure("set services ssl proxy profile inspect preferred-ciphers weak")
	speaks("weak", tls.TLS_RSA_WITH_AES_128_CBC_SHA, false) // a server of today has none without forward secrecy
	speaks("weak", tls.TLS_RSA_WITH_RC4_128_SHA, false)
	w.configure("set services ssl proxy profile inspect preferred-ciphers custom", "set services ssl proxy profile inspect custom-ciphers ecdhe-rsa-with-aes-128-gcm-sha256")
	speaks("custom", tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, true)
	speaks("custom", tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, false)
	if drops := w.show("show services ssl droplogs"); !strings.Contains(drops[strings.LastIndex(drops, "Message:"):], "handshake failure") && !strings.Contains(drops, "no shared cipher") {
		t.Errorf("drops:\n%s", drops)
	}
	if _, err := w.visit("new", func(c *tls.Config) { c.MinVersion = tls.VersionTLS13 }); err == nil {
		t.Error("custom ciphers without one of TLS 1.3: TLS 1.3 is spoken")
	}
	w.configure("set services ssl proxy profile inspect custom-ciphers tls13-with-chacha20-poly1305-sha256")
	if _, err := w.visit("new", func(c *tls.Config) {
		c.MinVersion = tls.VersionTLS13
		c.VerifyConnection = func(cs tls.ConnectionState) error {
			if cs.CipherSuite != tls.TLS_CHACHA20_POLY1305_SHA256 {
				return fmt.Errorf("cipher %s", tls.CipherSuiteName(cs.CipherSuite))
			}
			return nil
		}
	}); err != nil {
		t.Errorf("one suite of TLS 1.3: %v", err)
	}
}

// A certificate that was made is shown again, for as long as the configuration says
// (SP-33, SP-35, SP-36).
func TestCertificateCache(t *testing.T) {
	w := startHostile(t)
	w.serve("cached", w.ca.Leaf(t, "cached"+bad))
	serial := func() string {
		t.Helper()
		shown, err := w.visit("cached")
		if err != nil {
			t.Fatal(err)
		}
		return shown.SerialNumber.String()
	}
	first := serial()
	if serial() != first {
		t.Error("another certificate is made although the first is kept")
	}
	if out := squeeze(w.show("show services ssl proxy certificate-cache statistics")); !strings.Contains(out, "cert cache hit 1") || !strings.Contains(out, "cert cache miss 1") {
		t.Errorf("statistics: %s", out)
	}
	w.show("clear services ssl proxy certificate-cache entries")
	second := serial()
	if second == first {
		t.Error("the certificate is shown again after the cache was cleared")
	}
	dir := t.TempDir()
	list := filepath.Join(dir, "ca.crl")
	authority := filepath.Join(dir, "ca.pem")
	for file, data := range map[string][]byte{list: w.ca.CRL(t, nil), authority: testpki.PEM(w.ca.Certificate)} {
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	w.configure("set security pki ca-profile bad ca-identity bad", "set services ssl proxy global-config invalidate-cache-on-crl-update")
	w.show("request security pki ca-certificate load ca-profile bad filename " + authority + " | no-confirm")
	second = serial()
	w.show("request security pki crl load ca-profile bad filename " + list)
	if third := serial(); third == second {
		t.Error("the certificate is shown again after a revocation list was loaded")
	}
	w.configure("set services ssl proxy global-config disable-cert-cache")
	if first = serial(); serial() == first {
		t.Error("the certificate is shown again without a cache")
	}
}

// A session that was opened stays open under its profile, whatever policy it turns out to have
// (SP-91…SP-94, SP-99).
func TestAppliedProfileStays(t *testing.T) {
	w := startSSL(t, `
set services ssl proxy profile inspect root-ca branch-ca
set services ssl proxy profile inspect trusted-ca lab
`+policy("trust", "untrust", "social", "any", "any", "permit", "count")+
		policy("trust", "untrust", "all", "any", "any", "permit application-services ssl-proxy profile-name inspect")+`
set security policies from-zone trust to-zone untrust policy social match dynamic-application junos:FACEBOOK-ACCESS
`)
	if out, err := w.fetch("https://"+lab.WebName+"/", "--http1.1", "-H", "Host: www.facebook.com"); err != nil || out != "hello from the internet\n" {
		t.Errorf("%q, %v", out, err)
	}
	if out := w.show("show services ssl proxy statistics"); !strings.Contains(out, "policy hit no profile configured 1") || !strings.Contains(out, "sessions created 1") {
		t.Errorf("statistics:\n%s", out)
	}
	if out := w.show("show security policies hit-count"); !regexp.MustCompile(`trust +untrust +social +1`).MatchString(out) {
		t.Errorf("the session has not moved to its policy:\n%s", out)
	}
}

// Another handshake that a client asks for within a session ends it (SP-24).
func TestRenegotiation(t *testing.T) {
	w := startSSL(t, lab.PermitAll+sslProfile)
	out, _ := w.try(w.Client, "sh", "-c", "{ echo R; sleep 0.5; printf 'GET / HTTP/1.0\r\n\r\n'; sleep 0.5; } | "+
		"openssl s_client -connect "+lab.WebAddr4+":443 -servername "+lab.WebName+" -tls1_2 2>&1; true")
	if !strings.Contains(out, "RENEGOTIATING") || strings.Contains(out, "hello from the internet") {
		t.Errorf("the session goes on:\n%s", out)
	}
	w.eventually("the session ends", func() bool { return w.counter("sessions destroyed") == "1" })
}

// Each event is logged by its own tag, if the profile asks for it (SP-23, SP-65, 5/O-20).
func TestSSLLogs(t *testing.T) {
	w := startHostile(t)
	log := filepath.Join(t.TempDir(), "security.log")
	w.configure(
		"set security log mode event", "set security log file name "+log,
		"set security address-book global address echo "+lab.EchoAddr4+"/32",
		"set services ssl proxy profile inspect whitelist echo",
	)
	w.serve("fine", w.ca.Leaf(t, "fine"+bad))
	w.serve("asks", w.ca.Leaf(t, "asks"+bad), func(c *tls.Config) { c.ClientAuth = tls.RequestClientCert })
	w.serve("expired", w.ca.Leaf(t, "expired"+bad, testpki.Valid(-2*time.Hour, -time.Hour)))
	w.listen(w.Echo, net.JoinHostPort(lab.EchoAddr4, "8443"), func(c *net.TCPConn) { _, _ = c.Read(make([]byte, 1)) })
	events := func() {
		_, _ = w.visit("fine")
		_, _ = w.visit("asks")
		_, _ = w.visit("expired")
		if c, err := w.dial(w.Client, "tcp", net.JoinHostPort(lab.EchoAddr4, "8443")); err == nil {
			_ = tls.Client(c, &tls.Config{ServerName: "echo.example.net", InsecureSkipVerify: true}).Handshake()
		}
		if c, err := w.dial(w.Client, "tcp", net.JoinHostPort(lab.WebAddr4, "80")); err == nil {
			fmt.Fprint(c, "GET / HTTP/1.0\r\n\r\n")
			_, _ = c.Read(make([]byte, 1))
		}
	}
	logged := func(tags ...string) bool {
		text, err := os.ReadFile(log)
		for _, tag := range tags {
			if err != nil || !strings.Contains(string(text), tag) {
				return false
			}
		}
		return true
	}
	events()
	w.eventually("everything is logged", func() bool {
		return logged("SSL_PROXY_INFO", "SSL_PROXY_SSL_SESSION_DROP", "SSL_PROXY_SESSION_WHITELIST", "SSL_PROXY_SESSION_IGNORE", "SSL_PROXY_WARNING", "no certificate available", "certificate has expired", "fine"+bad)
	})
	w.configure("set services ssl proxy profile inspect actions ignore-server-auth-failure")
	_, _ = w.visit("expired", func(c *tls.Config) { c.InsecureSkipVerify = true })
	w.eventually("what is allowed is logged", func() bool { return logged("SSL_PROXY_SSL_SESSION_ALLOW") })

	w.eventually("all sessions end", func() bool { return w.counter("sessions created") == w.counter("sessions destroyed") })
	dropped := w.counter("session dropped")
	log = filepath.Join(t.TempDir(), "drops.log")
	w.configure("delete services ssl proxy profile inspect actions ignore-server-auth-failure", "delete services ssl proxy profile inspect actions log",
		"set services ssl proxy profile inspect actions log sessions-dropped", "set security log file name "+log)
	events()
	w.eventually("the drop is logged", func() bool { return logged("SSL_PROXY_SSL_SESSION_DROP") })
	if text, _ := os.ReadFile(log); regexp.MustCompile("SSL_PROXY_(INFO|SESSION|WARNING)").Match(text) {
		t.Errorf("more than drops is logged:\n%s", text)
	}
	if w.counter("session dropped") == dropped {
		t.Error("the drop is not counted")
	}
}

// Beyond the sessions that may be decrypted at once, sessions pass as they are (SP-74).
func TestDecryptedSessionsAreLimited(t *testing.T) {
	w := startHostile(t)
	w.serve("some", w.ca.Leaf(t, "some"+bad))
	w.configure("set services ssl proxy global-config maximum-decrypted-sessions 1")
	raw := w.connect(net.JoinHostPort(lab.WebAddr4, hostilePort))
	first := tls.Client(raw, &tls.Config{RootCAs: w.roots, ServerName: "some" + bad})
	if err := first.Handshake(); err != nil {
		t.Fatal(err)
	}
	shown, err := w.visit("some", func(c *tls.Config) { c.RootCAs.AddCert(w.ca.Certificate) })
	if err != nil || shown.Issuer.CommonName != "Trusted authority" {
		t.Errorf("beyond the limit: %v, issued by %v", err, shown)
	}
	if out := w.show("show services ssl proxy statistics"); !strings.Contains(out, "sessions bypassed:mem overflow 1") {
		t.Errorf("statistics:\n%s", out)
	}
	first.Close()
	w.eventually("the first session ends", func() bool { return w.counter("sessions destroyed") == "1" })
	if shown, err := w.visit("some"); err != nil || shown.Issuer.CommonName != "Branch CA" {
		t.Errorf("below the limit again: %v, issued by %v", err, shown)
	}
}

// A client that trusts the root alone is shown the certificates between the one that signs and it
// (PK-4, PK-6, PK-21, PK-22, PK-23, SP-100).
func TestIntermediateAuthority(t *testing.T) {
	w := startHostile(t)
	root := testpki.Root(t, "Company root")
	between := root.Intermediate(t, "Company issuer")
	signer := between.Intermediate(t, "Branch issuer")
	dir := t.TempDir()
	cert, key, issuers := filepath.Join(dir, "signer.pem"), filepath.Join(dir, "signer.key"), filepath.Join(dir, "issuers.pem")
	for file, text := range map[string][]byte{
		cert: testpki.PEM(signer.Certificate), key: testpki.KeyPEM(t, signer.Key), issuers: testpki.PEM(between.Certificate, root.Certificate),
	} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.show("request security pki local-certificate load certificate-id signer filename " + cert + " key " + key)
	w.show("request security pki ca-certificate ca-profile-group load ca-group-name issuers filename " + issuers + " | no-confirm")
	w.configure("delete services ssl proxy profile inspect root-ca", "set services ssl proxy profile inspect root-ca signer")
	w.serve("some", w.ca.Leaf(t, "some"+bad))
	if _, err := w.visit("some", func(c *tls.Config) {
		c.RootCAs = x509.NewCertPool()
		c.RootCAs.AddCert(root.Certificate)
	}); err != nil {
		t.Errorf("a client that trusts the root: %v", err)
	}
}

// Tracking tells what is inside a decrypted session, and that it was encrypted (TR-54, SP-5).
func TestTrackingOfDecryptedSessions(t *testing.T) {
	w := startSSL(t, lab.PermitAll+sslProfile)
	log := filepath.Join(t.TempDir(), "security.log")
	w.configure("set security log mode event", "set security log file name "+log, "set security application-tracking log-session-close")
	if out, err := w.fetch("https://"+lab.WebName+"/", "--http1.1", "-H", "Host: www.facebook.com"); err != nil || out != "hello from the internet\n" {
		t.Fatalf("%q, %v", out, err)
	}
	closed := regexp.MustCompile(`APPTRACK_SESSION_CLOSE .*application="HTTP" nested-application="FACEBOOK-ACCESS".* encrypted="Yes"`)
	w.eventually("the session is tracked", func() bool {
		text, err := os.ReadFile(log)
		return err == nil && closed.Match(text)
	})
}
