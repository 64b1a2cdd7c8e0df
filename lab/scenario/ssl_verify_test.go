package scenario

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"sluice/internal/testpki"
	"sluice/lab"
)

// bad is a domain of servers that are odd each in its own way.
const bad = ".bad.test"

// hostile are the TLS servers of a domain, all at one address and told apart by their names.
type hostile struct {
	*sslWorld
	ca      *testpki.Authority
	servers map[string]*tls.Config
	roots   *x509.CertPool // whom clients behind the gateway trust
	file    string         // file of the authority's certificate
}

const hostilePort = "7443"

// startHostile starts a gateway that trusts the authority of the domain.
func startHostile(t *testing.T) *hostile {
	t.Helper()
	w := &hostile{sslWorld: startSSL(t, lab.PermitAll+sslProfile), ca: testpki.Root(t, "Trusted authority"), servers: map[string]*tls.Config{}, roots: x509.NewCertPool()}
	w.file = filepath.Join(t.TempDir(), "trusted.pem")
	if err := os.WriteFile(w.file, testpki.PEM(w.ca.Certificate), 0o644); err != nil {
		t.Fatal(err)
	}
	w.show("request security pki ca-certificate ca-profile-group load ca-group-name bad filename " + w.file + " | no-confirm")
	w.configure("set services ssl proxy profile inspect trusted-ca bad")
	root, err := os.ReadFile(w.root)
	if err != nil || !w.roots.AppendCertsFromPEM(root) {
		t.Fatal("no root certificate", err)
	}
	config := &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		return w.servers[strings.TrimSuffix(hello.ServerName, bad)], nil
	}}
	w.listen(w.Web, net.JoinHostPort(lab.WebAddr4, hostilePort), func(raw *net.TCPConn) {
		c := tls.Server(raw, config)
		defer c.Close()
		b := make([]byte, 64)
		if n, err := c.Read(b); err == nil {
			_, _ = c.Write(b[:n])
		}
	})
	return w
}

// serve adds a server with a certificate.
func (w *hostile) serve(name string, l *testpki.Leaf, change ...func(*tls.Config)) {
	config := &tls.Config{Certificates: []tls.Certificate{chain(l)}}
	for _, f := range change {
		f(config)
	}
	w.servers[name] = config
}

// chain is what a server with a certificate shows.
func chain(l *testpki.Leaf) tls.Certificate {
	c := tls.Certificate{PrivateKey: l.Key}
	for _, x := range l.Chain() {
		c.Certificate = append(c.Certificate, x.Raw)
	}
	return c
}

// leafFiles writes a leaf with its issuers, and its key, to files.
func leafFiles(t *testing.T, l *testpki.Leaf) (cert, key string) {
	t.Helper()
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if err := errors.Join(os.WriteFile(cert, testpki.PEM(l.Chain()...), 0o600), os.WriteFile(key, testpki.KeyPEM(t, l.Key), 0o600)); err != nil {
		t.Fatal(err)
	}
	return cert, key
}

// visit asks a server through the gateway. It returns the certificate that the client accepted, or
// why it did not.
func (w *hostile) visit(name string, change ...func(*tls.Config)) (*x509.Certificate, error) {
	raw, err := w.dial(w.Client, "tcp", net.JoinHostPort(lab.WebAddr4, hostilePort))
	if err != nil {
		return nil, err
	}
	defer raw.Close()
	config := &tls.Config{RootCAs: w.roots, ServerName: name + bad}
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		w.t.Errorf("%s: the client is asked for a certificate", name) // SP-22
		return new(tls.Certificate), nil
	}
	for _, f := range change {
		f(config)
	}
	c := tls.Client(raw, config)
	if _, err := c.Write([]byte("hello")); err != nil {
		return nil, err
	}
	b := make([]byte, 64)
	if n, err := c.Read(b); string(b[:n]) != "hello" {
		return nil, fmt.Errorf("answer %q, %w", b[:n], err)
	}
	return c.ConnectionState().PeerCertificates[0], nil
}

// Servers that a client would refuse are refused in its place, each for its own reason; with
// ignore-server-auth-failure the client sees that something is wrong
// (SP-21, SP-23, SP-42…SP-47, SP-56, PK-26, PK-31, T-10).
func TestServerAuthentication(t *testing.T) {
	w := startHostile(t)
	root, leaf := w.ca, func(name string, o ...testpki.Option) *testpki.Leaf { return w.ca.Leaf(t, name+bad, o...) }
	other, inter := testpki.Root(t, "Other authority"), w.ca.Intermediate(t, "Intermediate")
	rsaRoot := root.Intermediate(t, "RSA intermediate", testpki.Key(testpki.RSA(t, 2048)))
	usage := func(u ...x509.ExtKeyUsage) testpki.Option {
		return testpki.With(func(c *x509.Certificate) { c.ExtKeyUsage = u })
	}
	incomplete := inter.Leaf(t, "incomplete"+bad)
	cases := []struct {
		name, want string // "" for a good server
		leaf       *testpki.Leaf
		change     func(*tls.Config)
	}{
		{name: "good", leaf: leaf("good")},
		{name: "good-rsa", leaf: leaf("good-rsa", testpki.Key(testpki.RSA(t, 2048)))},
		{name: "chain", leaf: inter.Leaf(t, "chain"+bad)},
		{name: "wildcard", leaf: root.Leaf(t, "*"+bad)},
		{name: "tls12", leaf: leaf("tls12"), change: func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }},
		{name: "tls13", leaf: leaf("tls13"), change: func(c *tls.Config) { c.MinVersion = tls.VersionTLS13 }},
		{name: "pq", leaf: leaf("pq"), change: func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{tls.X25519MLKEM768} }},
		{name: "p521", leaf: leaf("p521"), change: func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{tls.CurveP521} }},
		{name: "client-certificate-asked", leaf: leaf("client-certificate-asked"), change: func(c *tls.Config) { c.ClientAuth = tls.RequestClientCert }},
		{name: "expired", want: "certificate has expired", leaf: leaf("expired", testpki.Valid(-2*time.Hour, -time.Hour))},
		{name: "notyet", want: "certificate is not yet valid", leaf: leaf("notyet", testpki.Valid(time.Hour, 2*time.Hour))},
		{name: "selfsigned", want: "self signed certificate", leaf: testpki.SelfSigned(t, "selfsigned"+bad)},
		{name: "untrusted", want: "unable to get local issuer certificate", leaf: other.Leaf(t, "untrusted"+bad)},
		{name: "incomplete", want: "unable to get local issuer certificate", leaf: &testpki.Leaf{Certificate: incomplete.Certificate, Key: incomplete.Key}},
		{name: "wronghost", want: "Hostname mismatch", leaf: leaf("somebody-else")},
		{name: "cn-only", want: "Hostname mismatch", leaf: leaf("cn-only", testpki.Names())},
		{name: "client-usage", want: "unsupported certificate purpose", leaf: leaf("client-usage", usage(x509.ExtKeyUsageClientAuth))},
		{name: "rsa1024", want: "EE certificate key too weak", leaf: leaf("rsa1024", testpki.Key(testpki.RSA(t, 1024)))},
		{name: "sha1", want: "CA signature digest algorithm too weak", leaf: rsaRoot.Leaf(t, "sha1"+bad, testpki.Digest(crypto.SHA1))},
		{name: "badsig", want: "certificate signature failure", leaf: leaf("badsig", testpki.Corrupt())},
		{name: "tls11", want: "protocol version", leaf: leaf("tls11"), change: func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }},
		{name: "client-certificate-required", want: "certificate required", leaf: leaf("client-certificate-required"), change: func(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert }},
		{name: "client-certificate-required-tls12", want: "handshake failure", leaf: leaf("client-certificate-required-tls12"), change: func(c *tls.Config) { c.MaxVersion, c.ClientAuth = tls.VersionTLS12, tls.RequireAnyClientCert }},
	}
	for _, c := range cases {
		w.serve(c.name, c.leaf)
		if c.change != nil {
			c.change(w.servers[c.name])
		}
	}
	for _, c := range cases {
		shown, err := w.visit(c.name)
		switch {
		case (err == nil) != (c.want == ""):
			t.Errorf("%s: %v", c.name, err)
		case err == nil && shown.Issuer.CommonName != "Branch CA":
			t.Errorf("%s: issued by %s", c.name, shown.Issuer)
		case err != nil && c.want != "-":
			// In TLS 1.3 a server tells whether it is content with its client when that takes the session for open.
			w.eventually(c.name+" is dropped for "+c.want, func() bool { return strings.Contains(w.lastDrop(), c.want) })
		}
	}

	w.configure("set services ssl proxy profile inspect actions ignore-server-auth-failure")
	trusting := func(c *tls.Config) { c.InsecureSkipVerify = true }
	for name, issuer := range map[string]string{
		"good": "Branch CA", "selfsigned": "selfsigned" + bad,
		"expired": "SSL-PROXY: DUMMY_CERT:GENERATED DUE TO SRVR AUTH FAILURE", "wronghost": "SSL-PROXY: DUMMY_CERT:GENERATED DUE TO SRVR AUTH FAILURE",
		"untrusted": "SSL-PROXY: DUMMY_CERT:GENERATED DUE TO SRVR AUTH FAILURE",
	} {
		if shown, err := w.visit(name, trusting); err != nil || shown.Issuer.CommonName != issuer {
			t.Errorf("%s, failures ignored: %v, issued by %v, want %s", name, err, shown, issuer)
		}
		if _, err := w.visit(name); (err == nil) != (name == "good") {
			t.Errorf("%s, failures ignored: a client that checks: %v", name, err)
		}
	}
	if drops := w.counter("session dropped"); drops == "0" {
		t.Error("no session was counted as dropped")
	}
}

// A certificate that was withdrawn is refused, by list and by OCSP response, stapled or asked for, and so is one
// that promises a staple and has none; without information the profile decides (PK-11, PK-26…PK-34).
func TestRevokedServers(t *testing.T) {
	w := startHostile(t)
	site := testpki.NewSite()
	l := w.listener(w.Web, net.JoinHostPort(lab.WebAddr4, "8080"))
	server := &http.Server{Handler: site}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close() })
	listed := func(path string) testpki.Option {
		return testpki.With(func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"http://" + l.Addr().String() + path} })
	}
	revoked, held, fine := w.ca.Leaf(t, "revoked"+bad, listed("/crl")), w.ca.Leaf(t, "held"+bad, listed("/crl")), w.ca.Leaf(t, "fine"+bad, listed("/crl"))
	unknown, stapled := w.ca.Leaf(t, "unknown"+bad, listed("/none")), w.ca.Leaf(t, "stapled"+bad)
	asked := w.ca.Leaf(t, "asked"+bad, testpki.With(func(c *x509.Certificate) { c.OCSPServer = []string{"http://" + l.Addr().String() + "/ocsp"} }))
	promise := testpki.Extension(pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}, Value: []byte{0x30, 3, 2, 1, 5}})
	promised, kept := w.ca.Leaf(t, "promised"+bad, promise), w.ca.Leaf(t, "kept"+bad, promise)
	site.Set("/ocsp", w.ca.OCSP(t, asked.Certificate, ocsp.Revoked, nil, nil))
	site.Set("/crl", w.ca.CRL(t, func(l *x509.RevocationList) {
		for i := range l.RevokedCertificateEntries {
			if l.RevokedCertificateEntries[i].SerialNumber.Cmp(held.SerialNumber) == 0 {
				l.RevokedCertificateEntries[i].ReasonCode = 6
			}
		}
	}, revoked.Certificate, held.Certificate))
	for name, leaf := range map[string]*testpki.Leaf{"revoked": revoked, "held": held, "fine": fine, "unknown": unknown, "stapled": stapled, "asked": asked, "promised": promised, "kept": kept} {
		w.serve(name, leaf)
	}
	w.servers["stapled"].Certificates[0].OCSPStaple = w.ca.OCSP(t, stapled.Certificate, ocsp.Revoked, nil, nil)
	w.servers["kept"].Certificates[0].OCSPStaple = w.ca.OCSP(t, kept.Certificate, ocsp.Good, nil, nil)

	passes := func(step string, want map[string]bool) {
		t.Helper()
		for name, pass := range want {
			if _, err := w.visit(name); (err == nil) != pass {
				t.Errorf("%s: %s: %v, want to pass: %v", step, name, err, pass)
			}
		}
	}
	passes("by default", map[string]bool{"revoked": false, "held": false, "fine": true, "unknown": true, "stapled": false, "asked": false, "promised": false, "kept": true})
	if n := w.counter("crl : certificate revoked"); n != "4" {
		t.Errorf("%s revoked certificates", n)
	}
	w.configure("set services ssl proxy profile inspect actions crl ignore-hold-instruction-code")
	passes("hold ignored", map[string]bool{"revoked": false, "held": true})
	w.configure("set services ssl proxy profile inspect actions crl if-not-present drop")
	passes("nothing known", map[string]bool{"unknown": false, "fine": true})
	authority := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(authority, testpki.PEM(w.ca.Certificate), 0o644); err != nil {
		t.Fatal(err)
	}
	w.configure("set security pki ca-profile bad ca-identity bad", "set security pki ca-profile bad revocation-check disable")
	w.show("request security pki ca-certificate load ca-profile bad filename " + authority + " | no-confirm")
	passes("not looked up for the authority", map[string]bool{"revoked": true, "unknown": true})
	w.configure("delete security pki ca-profile bad revocation-check")
	passes("looked up again", map[string]bool{"revoked": false, "unknown": false})
	w.configure("set services ssl proxy profile inspect actions crl disable")
	passes("disabled", map[string]bool{"revoked": true, "held": true, "unknown": true, "stapled": true})
}
