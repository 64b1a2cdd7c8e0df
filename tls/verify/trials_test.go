package verify_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"net"
	"testing"
	"time"

	"sluice/internal/testpki"
	"sluice/tls/verify"
)

// trial is a server's certificates, and what they must come to.
type trial struct {
	name string
	sent []*x509.Certificate
	host string // host.bad.test where it is empty
	want verify.Code
	// openssl is OpenSSL's own verdict where it is another one, or less strict.
	openssl verify.Code
	// alone marks trials that OpenSSL's command cannot judge, or where it looks at something else.
	alone  bool
	minRSA int
}

const host = "host.bad.test"

// world is the authorities of the trials.
type world struct {
	root, inter, other, own *testpki.Authority
}

func newWorld(t testing.TB) *world {
	w := &world{root: testpki.Root(t, "Trusted root"), other: testpki.Root(t, "Other root"), own: testpki.Root(t, "Gateway root")}
	w.inter = w.root.Intermediate(t, "Trusted issuer")
	return w
}

func (w *world) roots() []*x509.Certificate { return []*x509.Certificate{w.root.Certificate} }

func check(w *world, t trial, roots []*x509.Certificate) verify.Result {
	pool := x509.NewCertPool()
	for _, r := range roots {
		pool.AddCert(r)
	}
	return verify.Check(verify.Request{
		Certificates: t.sent, Name: t.host, Roots: pool, RootList: roots,
		Forbidden: []*x509.Certificate{w.own.Certificate}, MinRSABits: t.minRSA,
	})
}

func with(f func(*x509.Certificate)) testpki.Option { return testpki.With(f) }

// usage sets the key usage of a certificate.
func usage(u x509.KeyUsage) testpki.Option { return with(func(c *x509.Certificate) { c.KeyUsage = u }) }

// purposes sets the extended key usage of a certificate.
func purposes(u ...x509.ExtKeyUsage) testpki.Option {
	return with(func(c *x509.Certificate) { c.ExtKeyUsage = u })
}

// sans gives a certificate the DNS names as they are, without the checks of a well-behaved maker.
func sans(t testing.TB, names ...string) testpki.Option {
	t.Helper()
	var raw []asn1.RawValue
	for _, n := range names {
		raw = append(raw, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 2, Bytes: []byte(n)})
	}
	value, err := asn1.Marshal(raw)
	if err != nil {
		t.Fatal(err)
	}
	return with(func(c *x509.Certificate) {
		c.DNSNames = nil
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: value})
	})
}

// ip makes an iPAddress the only name of a certificate.
func ip(addr string) testpki.Option {
	return with(func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = nil, []net.IP{net.ParseIP(addr)} })
}

func critical(oid ...int) testpki.Option {
	return testpki.Extension(pkix.Extension{Id: oid, Critical: true, Value: []byte{5, 0}})
}

// constraints is critical name constraints with a name as the permitted (0) or excluded (1) one.
func constraints(list, kind byte, name []byte) testpki.Option {
	wrap := func(tag byte, der []byte) []byte { return append([]byte{tag, byte(len(der))}, der...) }
	value := wrap(0x30, wrap(0xa0+list, wrap(0x30, wrap(kind, name))))
	return testpki.Extension(pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 30}, Critical: true, Value: value})
}

// organization is the name that all names of an organization begin with.
func organization(name string) pkix.RDNSequence {
	return pkix.Name{Country: []string{"DE"}, Locality: []string{"Berlin"}, Organization: []string{name}}.ToRDNSequence()
}

// directories is name constraints with the names of an organization.
func directories(t testing.TB, list byte, name string) testpki.Option {
	der, err := asn1.Marshal(organization(name))
	if err != nil {
		t.Fatal(err)
	}
	return constraints(list, 0xa4, der)
}

// directorySAN adds a distinguished name to the alternative names.
func directorySAN(t testing.TB, of string) testpki.Option {
	name, err := asn1.Marshal(organization(of))
	if err != nil {
		t.Fatal(err)
	}
	value, err := asn1.Marshal([]asn1.RawValue{
		{Class: asn1.ClassContextSpecific, Tag: 2, Bytes: []byte(host)}, {Class: asn1.ClassContextSpecific, Tag: 4, IsCompound: true, Bytes: name},
	})
	if err != nil {
		t.Fatal(err)
	}
	return with(func(c *x509.Certificate) {
		c.DNSNames = nil
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: value})
	})
}

func manyNames(n int) testpki.Option {
	return with(func(c *x509.Certificate) {
		c.DNSNames = nil
		for i := range n {
			c.DNSNames = append(c.DNSNames, fmt.Sprintf("h%d.bad.test", i))
		}
		c.DNSNames[n-1] = host
	})
}

func trials(t testing.TB, w *world) []trial {
	one := func(l *testpki.Leaf) []*x509.Certificate { return l.Chain() }
	leaf := func(o ...testpki.Option) []*x509.Certificate { return w.root.Leaf(t, host, o...).Chain() }
	below := func(a *testpki.Authority, o ...testpki.Option) []*x509.Certificate {
		return a.Leaf(t, host, o...).Chain()
	}
	rsaRoot := w.root.Intermediate(t, "RSA issuer", testpki.Key(testpki.RSA(t, 2048)))
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	inter := func(o ...testpki.Option) *testpki.Authority { return w.root.Intermediate(t, "Defective issuer", o...) }
	deep := w.inter.Intermediate(t, "Second issuer")
	reversed := one(deep.Leaf(t, host))
	reversed[1], reversed[2] = reversed[2], reversed[1]
	swapped := w.inter.Leaf(t, host)
	old := w.root.Intermediate(t, "Twice issuer", testpki.Valid(-48*time.Hour, -time.Hour))
	renewed := w.root.Intermediate(t, "Twice issuer", testpki.Key(old.Key))
	name := func(n string) testpki.Option { return testpki.Names(n) }

	return []trial{
		// Controls.
		{name: "valid", sent: leaf()},
		{name: "valid-rsa2048", sent: leaf(testpki.Key(testpki.RSA(t, 2048)))},
		{name: "ed25519", sent: leaf(testpki.Key(edwards))},
		{name: "p521", sent: leaf(testpki.Key(p521))},
		{name: "no-cn", sent: leaf(with(func(c *x509.Certificate) { c.Subject.CommonName = "" }))},
		{name: "no-subject", sent: leaf(with(func(c *x509.Certificate) { c.Subject = pkix.Name{} }))},
		{name: "no-eku", sent: leaf(purposes())},
		{name: "no-key-usage", sent: leaf(usage(0))},
		{name: "no-name-asked", sent: leaf(), host: "-"},
		{name: "inter-ok", sent: one(w.inter.Leaf(t, host))},
		{name: "three-levels", sent: one(deep.Leaf(t, host))},
		{name: "reversed-chain", sent: reversed},
		{name: "extra-certificates", sent: append(one(w.inter.Leaf(t, host)), w.other.Certificate, w.own.Certificate, w.root.Certificate)},
		{name: "renewed-issuer", sent: append(one(old.Leaf(t, host)), renewed.Certificate)},
		{name: "longlife", sent: leaf(testpki.Valid(-time.Hour, 10*365*24*time.Hour))},
		{name: "sans1000", sent: leaf(manyNames(1000))},
		{name: "sans10000", sent: leaf(manyNames(10000))},
		{name: "critical-known", sent: leaf(testpki.Extension(pkix.Extension{
			Id: asn1.ObjectIdentifier{2, 5, 29, 19}, Critical: true, Value: []byte{0x30, 0}}),
			with(func(c *x509.Certificate) { c.BasicConstraintsValid = false }))},

		// How the path is built.
		{name: "selfsigned", sent: one(testpki.SelfSigned(t, host)), want: verify.DepthZeroSelfSigned},
		{name: "selfsigned-expired", sent: one(testpki.SelfSigned(t, host, testpki.Valid(-2*time.Hour, -time.Hour))), want: verify.DepthZeroSelfSigned},
		{name: "selfsigned-md5", sent: one(testpki.SelfSigned(t, host, testpki.Key(testpki.RSA(t, 2048)), testpki.Digest(crypto.MD5))), want: verify.DepthZeroSelfSigned},
		{name: "selfsigned-named-as-root", sent: one(testpki.SelfSigned(t, host, with(func(c *x509.Certificate) { c.Subject = w.root.Subject }))), want: verify.DepthZeroSelfSigned},
		{name: "untrusted-root", sent: append(one(w.other.Leaf(t, host)), w.other.Certificate), want: verify.SelfSignedInChain},
		{name: "untrusted-root-not-sent", sent: one(w.other.Leaf(t, host)), want: verify.NoLocalIssuer},
		{name: "untrusted-inter", sent: one(w.other.Intermediate(t, "Other issuer").Leaf(t, host)), want: verify.NoLocalIssuer},
		{name: "incomplete", sent: one(w.inter.Leaf(t, host))[:1], want: verify.NoLocalIssuer},
		{name: "unrelated-certificates", sent: append(one(w.inter.Leaf(t, host))[:1], w.other.Certificate), want: verify.UnverifiedLeaf, openssl: verify.NoLocalIssuer},
		{name: "own-ca", sent: one(w.own.Leaf(t, host)), want: verify.Rejected, openssl: verify.NoLocalIssuer},
		{name: "own-ca-sent", sent: append(one(w.own.Leaf(t, host)), w.own.Certificate), want: verify.Rejected, openssl: verify.SelfSignedInChain},
		{name: "own-ca-itself", sent: []*x509.Certificate{w.own.Certificate}, want: verify.Rejected, openssl: verify.DepthZeroSelfSigned},

		// What certificates may be used for.
		{name: "crit-ext", sent: leaf(critical(1, 3, 6, 1, 4, 1, 32473, 1)), want: verify.UnhandledCritical},
		{name: "inter-crit-ext", sent: below(inter(critical(1, 3, 6, 1, 4, 1, 32473, 1))), want: verify.UnhandledCritical},
		{name: "eku-client", sent: leaf(purposes(x509.ExtKeyUsageClientAuth)), want: verify.InvalidPurpose},
		{name: "eku-codesign", sent: leaf(purposes(x509.ExtKeyUsageCodeSigning)), want: verify.InvalidPurpose},
		{name: "eku-any", sent: leaf(purposes(x509.ExtKeyUsageAny)), want: verify.InvalidPurpose},
		{name: "inter-eku-client", sent: below(inter(purposes(x509.ExtKeyUsageClientAuth))), want: verify.InvalidPurpose},
		{name: "inter-eku-server", sent: below(inter(purposes(x509.ExtKeyUsageServerAuth)))},
		{name: "inter-eku-any", sent: below(inter(purposes(x509.ExtKeyUsageAny))), alone: true}, // OpenSSL refuses it
		{name: "key-usage-sign-only-crl", sent: leaf(usage(x509.KeyUsageCRLSign)), want: verify.InvalidPurpose},
		{name: "ca-as-server", sent: leaf(with(func(c *x509.Certificate) { c.IsCA = true })), want: verify.InvalidNonCA, alone: true}, // browsers differ
		{name: "inter-not-ca", sent: below(inter(with(func(c *x509.Certificate) { c.IsCA = false; c.KeyUsage = x509.KeyUsageDigitalSignature }))), want: verify.InvalidCA},
		{name: "inter-no-bc", sent: below(inter(with(func(c *x509.Certificate) { c.BasicConstraintsValid = false; c.IsCA = false; c.KeyUsage = 0 }))), want: verify.InvalidCA},
		{name: "inter-no-keycertsign", sent: below(inter(usage(x509.KeyUsageDigitalSignature))), want: verify.NoCertSign, openssl: verify.InvalidCA},
		{name: "inter-v1", sent: below(inter(testpki.Version1())), want: verify.InvalidCA},
		{name: "pathlen", sent: below(inter(with(func(c *x509.Certificate) { c.MaxPathLenZero = true })).Intermediate(t, "One too many")), want: verify.PathLengthExceeded},
		{name: "pathlen-enough", sent: below(inter(with(func(c *x509.Certificate) { c.MaxPathLenZero = true })))},

		// SP-21: X.509 version 3 only.
		{name: "v1", sent: leaf(testpki.Version1()), want: verify.Application, alone: true},

		// Strength.
		{name: "rsa512", sent: leaf(testpki.Key(testpki.RSA(t, 512))), want: verify.EEKeyTooSmall},
		{name: "rsa1024", sent: leaf(testpki.Key(testpki.RSA(t, 1024))), want: verify.EEKeyTooSmall},
		{name: "rsa1024-allowed", sent: leaf(testpki.Key(testpki.RSA(t, 1024))), minRSA: 1024, alone: true},
		{name: "inter-rsa1024", sent: below(inter(testpki.Key(testpki.RSA(t, 1024)))), want: verify.CAKeyTooSmall},
		{name: "p224", sent: leaf(testpki.Key(p224)), want: verify.EEKeyTooSmall, alone: true}, // as strong as RSA 2048 for OpenSSL
		{name: "md5", sent: below(rsaRoot, testpki.Digest(crypto.MD5)), want: verify.CADigestTooWeak},
		{name: "sha1", sent: below(rsaRoot, testpki.Digest(crypto.SHA1)), want: verify.CADigestTooWeak},
		{name: "inter-sha1", sent: below(rsaRoot.Intermediate(t, "SHA-1 issuer", testpki.Digest(crypto.SHA1))), want: verify.CADigestTooWeak},

		// Signatures and times.
		{name: "badsig", sent: leaf(testpki.Corrupt()), want: verify.SignatureFailure},
		{name: "inter-badsig", sent: below(inter(testpki.Corrupt())), want: verify.SignatureFailure},
		{name: "expired", sent: leaf(testpki.Valid(-2*time.Hour, -time.Hour)), want: verify.HasExpired},
		{name: "notyet", sent: leaf(testpki.Valid(time.Hour, 2*time.Hour)), want: verify.NotYetValid},
		{name: "inter-expired", sent: below(old), want: verify.HasExpired},
		{name: "expired-wronghost", sent: leaf(testpki.Valid(-2*time.Hour, -time.Hour), name("other.bad.test")), want: verify.HostnameMismatch},
		{name: "swapped-signature", sent: []*x509.Certificate{swapped.Certificate, w.root.Intermediate(t, "Trusted issuer",
			with(func(c *x509.Certificate) { c.SubjectKeyId = w.inter.SubjectKeyId })).Certificate}, want: verify.SignatureFailure},

		// Names.
		{name: "wronghost", sent: leaf(name("other.bad.test")), want: verify.HostnameMismatch},
		{name: "cn-only", sent: leaf(testpki.Names()), want: verify.HostnameMismatch, alone: true}, // OpenSSL takes the CN
		{name: "cn-match-san-other", sent: leaf(name("other.bad.test")), want: verify.HostnameMismatch},
		{name: "wildcard-ok", sent: leaf(name("*.wc.bad.test")), host: "a.wc.bad.test"},
		{name: "wildcard-2level", sent: leaf(name("*.wc.bad.test")), host: "a.b.wc.bad.test", want: verify.HostnameMismatch},
		{name: "wildcard-none", sent: leaf(name("*.wc.bad.test")), host: "wc.bad.test", want: verify.HostnameMismatch},
		{name: "wildcard-middle", sent: leaf(sans(t, "www.*.bad.test")), host: "www.x.bad.test", want: verify.HostnameMismatch},
		{name: "wildcard-partial", sent: leaf(sans(t, "h*.bad.test")), want: verify.HostnameMismatch, alone: true}, // OpenSSL matches it
		{name: "wildcard-twice", sent: leaf(sans(t, "*.*.test")), want: verify.HostnameMismatch},
		{name: "wildcard-all", sent: leaf(sans(t, "*")), want: verify.HostnameMismatch},
		{name: "wildcard-top", sent: leaf(sans(t, "*.test")), host: "host.test", want: verify.HostnameMismatch},
		{name: "wildcard-registry", sent: leaf(name("*.co.uk")), host: "bank.co.uk", want: verify.HostnameMismatch, alone: true},
		{name: "wildcard-private-registry", sent: leaf(name("*.appspot.com")), host: "app.appspot.com"},
		{name: "wildcard-literal", sent: leaf(name("*.wc.bad.test")), host: "*.wc.bad.test", want: verify.HostnameMismatch, alone: true},
		{name: "upper-case", sent: leaf(name("HOST.Bad.TEST")), host: "hOst.bad.test"},
		{name: "final-dot-asked", sent: leaf(), host: host + ".", alone: true},
		{name: "final-dot-named", sent: leaf(sans(t, host+".")), want: verify.HostnameMismatch},
		{name: "idn", sent: leaf(name("xn--n1aae7f7o.bad.test")), host: "xn--n1aae7f7o.bad.test"},
		{name: "idn-wildcard", sent: leaf(name("*.bad.test")), host: "xn--n1aae7f7o.bad.test"},
		{name: "idn-as-u-label", sent: leaf(name("xn--n1aae7f7o.bad.test")), host: "почта.bad.test", want: verify.HostnameMismatch},
		{name: "nul-san", sent: leaf(sans(t, host+"\x00.evil.test")), want: verify.UnsupportedNameSyntax, openssl: verify.HostnameMismatch},
		{name: "nul-beside-good", sent: leaf(sans(t, host, "bank.test\x00.evil.test")), want: verify.UnsupportedNameSyntax, alone: true},
		{name: "space-san", sent: leaf(sans(t, host+" ")), want: verify.UnsupportedNameSyntax, openssl: verify.HostnameMismatch},
		{name: "nul-cn", sent: leaf(testpki.Names(), with(func(c *x509.Certificate) { c.Subject.CommonName = host + "\x00.evil.test" })),
			want: verify.UnsupportedNameSyntax, openssl: verify.HostnameMismatch},
		{name: "empty-san", sent: leaf(sans(t, "")), want: verify.HostnameMismatch, alone: true},
		{name: "ip-san", sent: leaf(ip("192.0.2.7")), host: "192.0.2.7"},
		{name: "ip6-san", sent: leaf(ip("2001:db8::7")), host: "2001:db8::7"},
		{name: "ip6-brackets", sent: leaf(ip("2001:db8::7")), host: "[2001:DB8:0::7]", alone: true},
		{name: "ip-other", sent: leaf(ip("192.0.2.8")), host: "192.0.2.7", want: verify.IPAddressMismatch},
		{name: "ip-as-dns-name", sent: leaf(name("192.0.2.7")), host: "192.0.2.7", want: verify.IPAddressMismatch},
		{name: "ip-in-cn", sent: leaf(testpki.Names(), with(func(c *x509.Certificate) { c.Subject.CommonName = "192.0.2.7" })), host: "192.0.2.7", want: verify.IPAddressMismatch},
		{name: "ip-by-wildcard", sent: leaf(sans(t, "*.0.2.7")), host: "192.0.2.7", want: verify.IPAddressMismatch},
		{name: "number-as-host", sent: leaf(name("192.0.513")), host: "192.0.513", want: verify.HostnameMismatch, alone: true},

		// Name constraints.
		{name: "nc-permit", sent: below(inter(with(func(c *x509.Certificate) {
			c.PermittedDNSDomains, c.PermittedDNSDomainsCritical = []string{"good.test"}, true
		}))), want: verify.PermittedViolation},
		{name: "nc-exclude", sent: below(inter(with(func(c *x509.Certificate) {
			c.ExcludedDNSDomains, c.PermittedDNSDomainsCritical = []string{"bad.test"}, true
		}))), want: verify.ExcludedViolation},
		{name: "nc-ok", sent: below(inter(with(func(c *x509.Certificate) {
			c.PermittedDNSDomains, c.PermittedDNSDomainsCritical = []string{"bad.test"}, true
		})))},
		{name: "nc-directory-permit", sent: below(inter(directories(t, 0, "sluice  TESTS")))},
		{name: "nc-directory-permit-two", sent: below(inter(directories(t, 0, "Sluice tests")).Intermediate(t, "Below"))},
		{name: "nc-directory-other", sent: below(inter(directories(t, 0, "Somebody"))), want: verify.PermittedViolation},
		{name: "nc-directory-other-between", sent: below(inter(directories(t, 0, "Sluice tests")).Intermediate(t, "Below",
			with(func(c *x509.Certificate) { c.Subject = pkix.Name{CommonName: "Somebody"} }))), want: verify.PermittedViolation},
		{name: "nc-directory-exclude", sent: below(inter(directories(t, 1, "Sluice Tests"))), want: verify.ExcludedViolation},
		{name: "nc-directory-exclude-other", sent: below(inter(directories(t, 1, "Somebody")))},
		{name: "nc-directory-san", sent: below(inter(directories(t, 1, "Somebody")), directorySAN(t, "Somebody")), want: verify.ExcludedViolation},
		{name: "nc-unknown-kind", sent: below(inter(constraints(0, 0x88, []byte{0x2a, 3}))), want: verify.UnhandledCritical, openssl: verify.PermittedViolation, alone: true},
		{name: "nc-ip-exclude", host: "192.0.2.7", sent: below(inter(with(func(c *x509.Certificate) {
			c.ExcludedIPRanges = []*net.IPNet{{IP: net.IP{192, 0, 2, 0}, Mask: net.CIDRMask(24, 32)}}
			c.PermittedDNSDomainsCritical = true
		})), ip("192.0.2.7")), want: verify.ExcludedViolation},
	}
}
