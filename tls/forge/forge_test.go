package forge_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/internal/testpki"
	"sluice/tls/forge"
)

// minter is shared, as its RSA key takes long to make.
var minter = forge.New()

func mint(t testing.TB, server *x509.Certificate, a *forge.Authority, kind forge.Kind, k forge.KeyType, name string) *forge.Certificate {
	t.Helper()
	made, err := minter.Mint(server, a, kind, k, name)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func oids(c *x509.Certificate) []string {
	var list []string
	for _, e := range c.Extensions {
		list = append(list, e.Id.String())
	}
	slices.Sort(list)
	return list
}

// What the server's certificate says of the server is copied, and what it says of itself is not (SP-42,
// SP-58, PK-25).
func TestLikeness(t *testing.T) {
	origin := testpki.Root(t, "Origin root")
	server := origin.Leaf(t, "www.example.com", testpki.With(func(c *x509.Certificate) {
		c.URIs = []*url.URL{{Scheme: "spiffe", Host: "example.com", Path: "/web"}}
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
		c.CRLDistributionPoints = []string{"http://crl.example.com/1.crl"}
		c.OCSPServer = []string{"http://ocsp.example.com"}
		c.IssuingCertificateURL = []string{"http://ca.example.com/1.crt"}
		c.PolicyIdentifiers = []asn1.ObjectIdentifier{{2, 23, 140, 1, 2, 1}}
		c.ExtraExtensions = []pkix.Extension{
			{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}, Value: []byte{0x30, 3, 2, 1, 5}},       // must staple
			{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}, Value: []byte{4, 4, 0, 2, 0, 0}}, // SCTs
		}
	})).Certificate
	for name, a := range authorities(t) {
		made := mint(t, server, a, forge.Trusted, forge.ECDSA, "").Leaf
		if !bytes.Equal(made.RawSubject, server.RawSubject) || !bytes.Equal(made.RawIssuer, a.Certificate.RawSubject) {
			t.Errorf("%s: %q by %q", name, made.Subject, made.Issuer)
		}
		if !slices.Equal(made.DNSNames, server.DNSNames) || fmt.Sprint(made.URIs) != fmt.Sprint(server.URIs) {
			t.Errorf("%s: names %v, %v", name, made.DNSNames, made.URIs)
		}
		if !made.NotBefore.Equal(server.NotBefore) || !made.NotAfter.Equal(server.NotAfter) {
			t.Errorf("%s: validity %v to %v", name, made.NotBefore, made.NotAfter)
		}
		if !slices.Equal(made.ExtKeyUsage, server.ExtKeyUsage) || made.KeyUsage != x509.KeyUsageDigitalSignature || made.IsCA || !made.BasicConstraintsValid {
			t.Errorf("%s: usage %v, %v, CA %v", name, made.ExtKeyUsage, made.KeyUsage, made.IsCA)
		}
		if !bytes.Equal(made.AuthorityKeyId, a.Certificate.SubjectKeyId) || len(made.SubjectKeyId) != 20 {
			t.Errorf("%s: key identifiers %x, %x", name, made.AuthorityKeyId, made.SubjectKeyId)
		}
		if n := made.SerialNumber.BitLen(); n < 65 || n > 159 || made.SerialNumber.Cmp(server.SerialNumber) == 0 {
			t.Errorf("%s: serial number of %d bits", name, n)
		}
		want := []string{"2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.35", "2.5.29.37"}
		if got := oids(made); !slices.Equal(got, want) {
			t.Errorf("%s: extensions %v", name, got)
		}
	}
}

// The forged key is a new one of the type that the client can use, and the same for all.
func TestKeys(t *testing.T) {
	a := authorities(t)["ECDSA"]
	first := servers(t)["plain"]
	second := servers(t)["RSA"]
	for k, server := range map[forge.KeyType]*x509.Certificate{forge.RSA: first, forge.ECDSA: second} {
		made, err := minter.Mint(server, a, forge.Trusted, k, "")
		if err != nil {
			t.Fatal(err)
		}
		other, err := minter.Mint(second, a, forge.Trusted, k, "")
		if err != nil {
			t.Fatal(err)
		}
		switch key := made.Leaf.PublicKey.(type) {
		case *ecdsa.PublicKey:
			if k != forge.ECDSA || !key.Equal(made.Key.Public()) || !key.Equal(other.Key.Public()) {
				t.Errorf("%v: another key", k)
			}
		case *rsa.PublicKey:
			if k != forge.RSA || !key.Equal(made.Key.Public()) || !key.Equal(other.Key.Public()) || key.N.BitLen() != 2048 {
				t.Errorf("%v: another key", k)
			}
		}
		if made.Leaf.SerialNumber.Cmp(other.Leaf.SerialNumber) == 0 {
			t.Error("a serial number was given twice")
		}
	}
}

// Validity ends with the authority's, and an authority that ended forges nothing.
func TestValidity(t *testing.T) {
	root := testpki.Root(t, "Short root", testpki.Valid(-time.Minute, 10*time.Minute))
	a := &forge.Authority{Certificate: root.Certificate, Key: root.Key}
	server := servers(t)["plain"]
	made := mint(t, server, a, forge.Trusted, forge.ECDSA, "").Leaf
	if !made.NotAfter.Equal(root.NotAfter) || !made.NotBefore.Equal(root.NotBefore) {
		t.Errorf("valid from %v to %v", made.NotBefore, made.NotAfter)
	}
	// A server that is not believed is shown with its own validity.
	if made := mint(t, server, a, forge.Dummy, forge.ECDSA, "").Leaf; !made.NotAfter.Equal(server.NotAfter) {
		t.Errorf("valid to %v", made.NotAfter)
	}
	ended := testpki.Root(t, "Ended root", testpki.Valid(-2*time.Hour, -time.Hour))
	_, err := minter.Mint(server, &forge.Authority{Certificate: ended.Certificate, Key: ended.Key}, forge.Trusted, forge.ECDSA, "")
	if err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("error %v", err)
	}
	if _, err := minter.Mint(server, nil, forge.Trusted, forge.ECDSA, ""); err == nil {
		t.Error("forged by nobody")
	}
}

// verifyWith asks openssl for its verdict on a forged certificate, of a client that trusts a root only.
func verifyWith(t *testing.T, root *x509.Certificate, made *forge.Certificate, host string) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, chain ...[]byte) string {
		var list []*x509.Certificate
		for _, der := range chain {
			c, err := x509.ParseCertificate(der)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, c)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, testpki.PEM(list...), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	args := []string{"verify", "-no-CApath", "-no-CAstore", "-x509_strict", "-auth_level", "2", "-purpose", "sslserver",
		"-verify_hostname", host, "-CAfile", write("root.pem", root.Raw)}
	if len(made.Chain) > 1 {
		args = append(args, "-untrusted", write("chain.pem", made.Chain[1:]...))
	}
	out, _ := exec.Command("openssl", append(args, write("leaf.pem", made.Chain[0]))...).CombinedOutput()
	return string(out)
}

// Clients that trust the root only accept what authorities below it signed (PK-21), and nothing that was
// forged for a server that is not believed (SP-44, SP-45, T-10).
func TestClientsVerdict(t *testing.T) {
	root := testpki.Root(t, "Root")
	second := root.Intermediate(t, "Second")
	third := second.Intermediate(t, "Third")
	rsaRoot := testpki.Root(t, "RSA root", testpki.Key(testpki.RSA(t, 2048)))
	for _, c := range []struct {
		ca, root *testpki.Authority
		chain    int
	}{{root, root, 1}, {second, root, 2}, {third, root, 3}, {rsaRoot, rsaRoot, 1}} {
		a := authority(c.ca)
		server := servers(t)["plain"]
		for _, k := range []forge.KeyType{forge.ECDSA, forge.RSA} {
			made := mint(t, server, a, forge.Trusted, k, "")
			if out := verifyWith(t, c.root.Certificate, made, "www.example.com"); !strings.HasSuffix(out, "OK\n") {
				t.Errorf("%q, %v: %s", c.ca.Subject, k, out)
			}
			if len(made.Chain) != c.chain {
				t.Errorf("%q: %d certificates are sent, want %d", c.ca.Subject, len(made.Chain), c.chain)
			}
			made = mint(t, server, a, forge.Dummy, k, "")
			if out := verifyWith(t, c.root.Certificate, made, "www.example.com"); !strings.Contains(out, "error 20 at 0") {
				t.Errorf("dummy: %s", out)
			}
			if made.Leaf.Issuer.String() != "CN=SSL-PROXY: DUMMY_CERT:GENERATED DUE TO SRVR AUTH FAILURE" || len(made.Chain) != 1 {
				t.Errorf("dummy: issuer %q, %d certificates", made.Leaf.Issuer, len(made.Chain))
			}
			self := servers(t)["self-signed"]
			made = mint(t, self, a, forge.SelfSigned, k, "")
			if out := verifyWith(t, c.root.Certificate, made, "www.example.com"); !strings.Contains(out, "error 18 at 0") {
				t.Errorf("self-signed: %s", out)
			}
			if !bytes.Equal(made.Leaf.RawIssuer, self.RawIssuer) || made.Leaf.Equal(self) {
				t.Errorf("self-signed: issuer %q", made.Leaf.Issuer)
			}
		}
	}
}

func rawNames(t *testing.T, names ...string) testpki.Option {
	var raw []asn1.RawValue
	for _, n := range names {
		raw = append(raw, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 2, Bytes: []byte(n)})
	}
	value, err := asn1.Marshal(raw)
	if err != nil {
		t.Fatal(err)
	}
	return testpki.With(func(c *x509.Certificate) {
		c.DNSNames = nil
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: value})
	})
}

// Which names forged certificates have, where they are not just copied.
func TestNames(t *testing.T) {
	origin := testpki.Root(t, "Origin root")
	many := func(n int) testpki.Option {
		return testpki.With(func(c *x509.Certificate) {
			c.DNSNames = []string{"*.example.com"}
			for i := range n - 1 {
				c.DNSNames = append(c.DNSNames, fmt.Sprintf("h%d.example.net", i))
			}
		})
	}
	cn := func(name string) testpki.Option {
		return testpki.With(func(c *x509.Certificate) { c.DNSNames, c.Subject.CommonName = nil, name })
	}
	a := authorities(t)["ECDSA"]
	for _, c := range []struct {
		name   string
		option testpki.Option
		kind   forge.Kind
		asked  string
		want   string // the names, or how many
	}{
		{"a thousand", many(1000), forge.Trusted, "www.example.com", "1000"},
		{"ten thousand", many(10000), forge.Trusted, "www.example.com", "[www.example.com] []"},
		{"ten thousand, of an address", many(10000), forge.Dummy, "192.0.2.1", "2000"},
		{"ten thousand, nothing asked", many(10000), forge.Trusted, "", "2000"},
		{"NUL", rawNames(t, "www.example.com\x00.evil.test", "good.test"), forge.Dummy, "good.test", "[good.test] []"},
		{"nothing good", rawNames(t, "a b", "x\x00"), forge.Dummy, "good.test", "[www.example.com] []"},
		{"common name only, believed", cn("www.example.com"), forge.Trusted, "", "[] []"},
		{"common name only", cn("www.example.com"), forge.Dummy, "", "[www.example.com] []"},
		{"common name only, self-signed", cn("www.example.com"), forge.SelfSigned, "", "[www.example.com] []"},
		{"common name is an address", cn("192.0.2.1"), forge.Dummy, "", "[] [192.0.2.1]"},
		{"common name is none", cn("Router of the branch"), forge.Dummy, "", "[] []"},
	} {
		made := mint(t, origin.Leaf(t, "www.example.com", c.option).Certificate, a, c.kind, forge.ECDSA, c.asked).Leaf
		got := fmt.Sprint(made.DNSNames, made.IPAddresses)
		if len(made.DNSNames) > 10 {
			got = fmt.Sprint(len(made.DNSNames))
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	odd := origin.Leaf(t, "www.example.com", testpki.With(func(c *x509.Certificate) { c.Subject.CommonName = "www.example.com\x00.evil.test" }))
	made := mint(t, odd.Certificate, a, forge.Dummy, forge.ECDSA, "").Leaf
	if len(made.Subject.Names) != 0 || !slices.Equal(made.DNSNames, []string{"www.example.com"}) {
		t.Errorf("subject %q is copied", made.Subject)
	}
}

// Which authority and key a client gets (SP-59).
func TestChoose(t *testing.T) {
	list := authorities(t)
	e, r := list["ECDSA"], list["RSA"]
	for _, c := range []struct {
		name       string
		list       []*forge.Authority
		rsa, ecdsa bool
		want       *forge.Authority
		key        forge.KeyType
	}{
		{"both", []*forge.Authority{r, e}, true, true, e, forge.ECDSA},
		{"RSA only", []*forge.Authority{r, e}, true, false, r, forge.RSA},
		{"ECDSA only", []*forge.Authority{r, e}, false, true, e, forge.ECDSA},
		{"both, one root", []*forge.Authority{r}, true, true, r, forge.ECDSA},
		{"RSA only, RSA root", []*forge.Authority{r}, true, false, r, forge.RSA},
		{"RSA only, ECDSA root", []*forge.Authority{e}, true, false, e, forge.RSA},
		{"ECDSA only, RSA root", []*forge.Authority{r}, false, true, r, forge.ECDSA},
		{"neither", []*forge.Authority{r, e}, false, false, nil, 0},
		{"no root", nil, true, true, nil, 0},
	} {
		a, k, err := forge.Choose(c.list, c.rsa, c.ecdsa)
		if a != c.want || k != c.key || (err == nil) != (c.want != nil) {
			t.Errorf("%s: %v, %v", c.name, k, err)
		}
	}
}

// The kinds print as the guide has them.
func TestKindText(t *testing.T) {
	if got := forge.Dummy.String(); got != "[0x0]: CA issued, Authentication failed" {
		t.Error(got)
	}
}

func BenchmarkMint(b *testing.B) {
	server := servers(b)["plain"]
	for name, a := range authorities(b) {
		for _, k := range []forge.KeyType{forge.ECDSA, forge.RSA} {
			b.Run(name+" root, "+k.String()+" key", func(b *testing.B) {
				for b.Loop() {
					if _, err := minter.Mint(server, a, forge.Trusted, k, ""); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// FuzzMint: whatever certificate a server has, what is forged for it can be read, and has no odd names.
func FuzzMint(f *testing.F) {
	for _, s := range servers(f) {
		f.Add(s.Raw, "www.example.com")
	}
	a := authorities(f)["ECDSA"]
	f.Fuzz(func(t *testing.T, der []byte, name string) {
		server, err := x509.ParseCertificate(der)
		if err != nil {
			return
		}
		for _, kind := range []forge.Kind{forge.Trusted, forge.SelfSigned, forge.Dummy} {
			made, err := minter.Mint(server, a, kind, forge.ECDSA, name)
			if err != nil {
				t.Fatalf("%v: %v\n%s", kind, err, hex.EncodeToString(der))
			}
			for _, n := range made.Leaf.DNSNames {
				if strings.ContainsAny(n, "\x00 /\n") {
					t.Fatalf("name %q", n)
				}
			}
		}
	})
}
