// Package testpki makes what tests of certificates need: authorities, certificates with any defect,
// revocation lists and OCSP responses, and a web site that serves them.
package testpki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Authority is a certificate that signs others, with its key.
type Authority struct {
	*x509.Certificate
	Key crypto.Signer
	// Issuer signed the certificate; nil: it is a root.
	Issuer *Authority
}

// Leaf is a certificate of a server, with its key.
type Leaf struct {
	*x509.Certificate
	Key    crypto.Signer
	Issuer *Authority
}

// Option changes a certificate before it is signed, or as it is signed.
type Option func(*draft)

// draft is a certificate in the making.
type draft struct {
	template *x509.Certificate
	key      crypto.Signer
	digest   crypto.Hash // 0: as the signing key suggests
	version1 bool
	corrupt  bool
}

// With changes the template.
func With(change func(*x509.Certificate)) Option { return func(d *draft) { change(d.template) } }

// Key gives the certificate a key; by default it has a new one on P-256.
func Key(k crypto.Signer) Option { return func(d *draft) { d.key = k } }

// Names are the DNS names of the certificate.
func Names(names ...string) Option {
	return With(func(c *x509.Certificate) { c.DNSNames = names })
}

// Valid is the validity of the certificate, relative to the present.
func Valid(from, to time.Duration) Option {
	return With(func(c *x509.Certificate) { c.NotBefore, c.NotAfter = moment(from), moment(to) })
}

// Extension adds an extension.
func Extension(e pkix.Extension) Option {
	return With(func(c *x509.Certificate) { c.ExtraExtensions = append(c.ExtraExtensions, e) })
}

// Digest has the certificate signed with an old digest, MD5 or SHA-1; the signing key must be RSA.
func Digest(h crypto.Hash) Option { return func(d *draft) { d.digest = h } }

// Version1 makes it an X.509 certificate of version 1, which has no extensions.
func Version1() Option { return func(d *draft) { d.version1 = true } }

// Corrupt spoils the signature.
func Corrupt() Option { return func(d *draft) { d.corrupt = true } }

// serials are the serial numbers given out.
var serials atomic.Int64

// Root makes a self-signed authority.
func Root(t testing.TB, name string, options ...Option) *Authority {
	t.Helper()
	a := &Authority{}
	d := newDraft(t, authority(name), options)
	a.Key = d.key
	a.Certificate = d.sign(t, d.template, d.key)
	return a
}

// Intermediate makes an authority below a.
func (a *Authority) Intermediate(t testing.TB, name string, options ...Option) *Authority {
	t.Helper()
	d := newDraft(t, authority(name), options)
	return &Authority{Certificate: d.sign(t, a.Certificate, a.Key), Key: d.key, Issuer: a}
}

// Leaf makes a certificate of a server with one name, valid for an hour before and after the present.
func (a *Authority) Leaf(t testing.TB, name string, options ...Option) *Leaf {
	t.Helper()
	d := newDraft(t, leaf(name), options)
	return &Leaf{Certificate: d.sign(t, a.Certificate, a.Key), Key: d.key, Issuer: a}
}

// SelfSigned makes a certificate of a server that is signed with its own key.
func SelfSigned(t testing.TB, name string, options ...Option) *Leaf {
	t.Helper()
	d := newDraft(t, leaf(name), options)
	return &Leaf{Certificate: d.sign(t, d.template, d.key), Key: d.key}
}

// Chain is the certificate and those of its issuers, without the root.
func (l *Leaf) Chain() []*x509.Certificate {
	chain := []*x509.Certificate{l.Certificate}
	for a := l.Issuer; a != nil && a.Issuer != nil; a = a.Issuer {
		chain = append(chain, a.Certificate)
	}
	return chain
}

func moment(d time.Duration) time.Time { return time.Now().Add(d).Truncate(time.Second) }

func template(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber:          big.NewInt(0x1000 + serials.Add(1)),
		Subject:               pkix.Name{Country: []string{"DE"}, Locality: []string{"Berlin"}, Organization: []string{"Sluice tests"}, CommonName: name},
		NotBefore:             moment(-time.Hour),
		NotAfter:              moment(time.Hour),
		BasicConstraintsValid: true,
	}
}

func authority(name string) *x509.Certificate {
	c := template(name)
	c.IsCA = true
	c.NotBefore, c.NotAfter = moment(-48*time.Hour), moment(48*time.Hour)
	c.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	return c
}

func leaf(name string) *x509.Certificate {
	c := template(name)
	c.DNSNames = []string{name}
	c.KeyUsage = x509.KeyUsageDigitalSignature
	c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	return c
}

func newDraft(t testing.TB, template *x509.Certificate, options []Option) *draft {
	t.Helper()
	d := &draft{template: template}
	for _, o := range options {
		o(d)
	}
	if d.key == nil {
		d.key = ECDSA(t)
	}
	return d
}

// sign signs the draft and reads the result, as a client would.
func (d *draft) sign(t testing.TB, parent *x509.Certificate, key crypto.Signer) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, d.template, parent, d.key.Public(), key)
	if err != nil {
		t.Fatalf("certificate %q: %v", d.template.Subject, err)
	}
	if d.version1 || d.digest != 0 || d.corrupt {
		if der, err = d.remake(der, key); err != nil {
			t.Fatalf("certificate %q: %v", d.template.Subject, err)
		}
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatalf("certificate %q: %v", d.template.Subject, err)
	}
	return c
}

// ECDSA makes a key on P-256.
func ECDSA(t testing.TB) crypto.Signer {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

var rsaKeys sync.Map // of func() (*rsa.PrivateKey, error), by bits

// RSA is a key of a size, the same one each time, as they take long to make.
func RSA(t testing.TB, bits int) crypto.Signer {
	t.Helper()
	once, _ := rsaKeys.LoadOrStore(bits, sync.OnceValues(func() (*rsa.PrivateKey, error) { return newRSA(bits) }))
	k, err := once.(func() (*rsa.PrivateKey, error))()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// newRSA makes a key, also one that is shorter than the library wants to make.
func newRSA(bits int) (*rsa.PrivateKey, error) {
	if bits >= 1024 {
		return rsa.GenerateKey(rand.Reader, bits)
	}
	one := big.NewInt(1)
	for {
		p, err := rand.Prime(rand.Reader, bits/2)
		if err != nil {
			return nil, err
		}
		q, err := rand.Prime(rand.Reader, bits/2)
		if err != nil {
			return nil, err
		}
		k := &rsa.PrivateKey{Primes: []*big.Int{p, q}}
		k.E, k.N = 65537, new(big.Int).Mul(p, q)
		totient := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
		if k.D = new(big.Int).ModInverse(big.NewInt(65537), totient); k.D != nil && k.N.BitLen() == bits {
			return k, nil
		}
	}
}

// PEM has certificates as files do.
func PEM(chain ...*x509.Certificate) []byte {
	var out []byte
	for _, c := range chain {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return out
}

// KeyPEM has a private key as files do (PKCS #8).
func KeyPEM(t testing.TB, k crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}
