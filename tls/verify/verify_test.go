package verify_test

import (
	"crypto"
	"crypto/x509"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sluice/internal/testpki"
	"sluice/tls/verify"
)

// Each trial comes to its own verdict, and OpenSSL, where it can tell, agrees (SP-21, SP-43, SP-56, PK-25).
func TestVerdicts(t *testing.T) {
	w := newWorld(t)
	for _, c := range trials(t, w) {
		t.Run(c.name, func(t *testing.T) {
			c.host = strings.TrimPrefix(defaultTo(c.host, host), "-")
			got := check(w, c, w.roots())
			if got.Code != c.want {
				t.Errorf("verdict %v (%v), want %v", got.Code, got.Err, c.want)
			}
			if (got.Err == nil) != (c.want == verify.OK) {
				t.Errorf("error %v with verdict %v", got.Err, got.Code)
			}
			if got.SelfSigned != (c.want == verify.DepthZeroSelfSigned) {
				t.Errorf("self-signed: %v", got.SelfSigned)
			}
			if c.want == verify.OK && (len(got.Chain) < 2 || !got.Chain[len(got.Chain)-1].Equal(w.root.Certificate)) {
				t.Errorf("chain of %d certificates does not lead to the root", len(got.Chain))
			}
			if c.alone {
				return
			}
			want := c.openssl
			if want == verify.OK {
				want = c.want
			}
			if code, said := openssl(t, w, c); code != want {
				t.Errorf("OpenSSL says %d, expected %d:\n%s", code, want, said)
			}
		})
	}
}

func defaultTo(s, d string) string {
	if s == "" {
		return d
	}
	return s
}

var opensslError = regexp.MustCompile(`error (\d+) at`)

// openssl asks the openssl command for its verdict.
func openssl(t *testing.T, w *world, c trial) (verify.Code, string) {
	t.Helper()
	dir := t.TempDir()
	file := func(name string, list ...*x509.Certificate) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, testpki.PEM(list...), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	args := []string{"verify", "-no-CApath", "-no-CAstore", "-purpose", "sslserver", "-auth_level", "2",
		"-CAfile", file("root.pem", w.root.Certificate), "-untrusted", file("sent.pem", c.sent...)}
	switch {
	case c.host == "":
	case net.ParseIP(c.host) != nil:
		args = append(args, "-verify_ip", c.host)
	default:
		args = append(args, "-verify_hostname", c.host)
	}
	out, err := exec.Command("openssl", append(args, file("leaf.pem", c.sent[0]))...).CombinedOutput()
	if err == nil {
		return verify.OK, string(out)
	}
	m := opensslError.FindSubmatch(out)
	if m == nil {
		t.Fatalf("openssl verify: %v\n%s", err, out)
	}
	code, err := strconv.Atoi(string(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	if code == 79 { // OpenSSL 3 gave invalid CA a new number
		return verify.InvalidCA, string(out)
	}
	return verify.Code(code), string(out)
}

// The trusted certificate may be signed in any way, be of version 1, and be the server's own.
func TestTrustedAsItIs(t *testing.T) {
	w := newWorld(t)
	key := testpki.RSA(t, 2048)
	for name, root := range map[string]*testpki.Authority{
		"SHA-1":     testpki.Root(t, "Old root", testpki.Key(key), testpki.Digest(crypto.SHA1)),
		"MD5":       testpki.Root(t, "Older root", testpki.Key(key), testpki.Digest(crypto.MD5)),
		"version 1": testpki.Root(t, "Oldest root", testpki.Key(key), testpki.Version1()),
	} {
		got := check(w, trial{sent: root.Leaf(t, host).Chain(), host: host}, []*x509.Certificate{root.Certificate})
		if got.Code != verify.OK {
			t.Errorf("%s: %v", name, got.Err)
		}
	}
	self := testpki.SelfSigned(t, host)
	if got := check(w, trial{sent: self.Chain(), host: host}, []*x509.Certificate{self.Certificate}); got.Code != verify.OK {
		t.Errorf("trusted server: %v", got.Err)
	}
	weak := testpki.Root(t, "Weak root", testpki.Key(testpki.RSA(t, 1024)))
	if got := check(w, trial{sent: weak.Leaf(t, host).Chain(), host: host}, []*x509.Certificate{weak.Certificate}); got.Code != verify.CAKeyTooSmall {
		t.Errorf("weak root: %v", got.Err)
	}
}

// Who trusts the gateway's own authority, by mistake, is still not shown its certificates by a server.
func TestOwnAuthorityTrusted(t *testing.T) {
	w := newWorld(t)
	got := check(w, trial{sent: w.own.Leaf(t, host).Chain(), host: host}, []*x509.Certificate{w.own.Certificate})
	if got.Code != verify.Rejected {
		t.Errorf("verdict %v", got.Code)
	}
}

// Nothing is trusted where nothing is configured, not even what the system trusts.
func TestNothingTrusted(t *testing.T) {
	w := newWorld(t)
	if got := verify.Check(verify.Request{Certificates: w.root.Leaf(t, host).Chain(), Name: host}); got.Code != verify.NoLocalIssuer {
		t.Errorf("verdict %v", got.Code)
	}
	if got := verify.Check(verify.Request{Name: host}); got.Code != verify.Unspecified {
		t.Errorf("verdict %v", got.Code)
	}
}

// A chain can be made long and tangled; the verdict still comes soon.
func TestTangle(t *testing.T) {
	w := newWorld(t)
	key := testpki.ECDSA(t)
	var tangle []*x509.Certificate
	a := testpki.Root(t, "Tangle", testpki.Key(key))
	for i := range 60 {
		c := a.Intermediate(t, "Tangle", testpki.Key(key), testpki.Names(strconv.Itoa(i)))
		tangle = append(tangle, c.Certificate)
	}
	sent := append([]*x509.Certificate{a.Leaf(t, host).Certificate}, tangle...)
	if got := check(w, trial{sent: sent, host: host}, w.roots()); got.Code == verify.OK {
		t.Error("believed")
	}
	long := w.root
	for i := range 20 {
		long = long.Intermediate(t, "Level "+strconv.Itoa(i))
	}
	sent = long.Leaf(t, host).Chain()
	slices.Reverse(sent[1:])
	if got := check(w, trial{sent: sent, host: host}, []*x509.Certificate{w.other.Certificate}); got.Code != verify.ChainTooLong {
		t.Errorf("long chain: %v", got.Err)
	}
}

// The texts are those that operators search for; the guide prints the second.
func TestTexts(t *testing.T) {
	for code, text := range map[verify.Code]string{
		verify.OK: "ok", verify.NoLocalIssuer: "unable to get local issuer certificate", verify.DepthZeroSelfSigned: "self signed certificate",
		verify.Code(999): "error number 999",
	} {
		if code.String() != text {
			t.Errorf("%d is %q, want %q", code, code, text)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	w := newWorld(b)
	c := trial{sent: w.inter.Leaf(b, host).Chain(), host: host}
	for b.Loop() {
		if got := check(w, c, w.roots()); got.Code != verify.OK {
			b.Fatal(got.Err)
		}
	}
}

// FuzzCheck: whatever a server sends, the verdict comes, and only what the library believes is believed.
func FuzzCheck(f *testing.F) {
	w := newWorld(f)
	for _, c := range trials(f, w) {
		if len(c.sent[0].Raw) < 4096 {
			f.Add(c.sent[0].Raw, host)
		}
	}
	f.Fuzz(func(t *testing.T, der []byte, name string) {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return
		}
		got := check(w, trial{sent: []*x509.Certificate{c, w.inter.Certificate}, host: name}, w.roots())
		pool, inter := x509.NewCertPool(), x509.NewCertPool()
		pool.AddCert(w.root.Certificate)
		inter.AddCert(w.inter.Certificate)
		_, err = c.Verify(x509.VerifyOptions{Roots: pool, Intermediates: inter, DNSName: name})
		if got.Code == verify.OK && err != nil {
			t.Fatalf("believed, and the library says %v", err)
		}
	})
}
