package profile

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"slices"
	"strings"
	"time"

	"sluice/tls/pki"
)

// Identity is a certificate of the gateway with its key.
type Identity struct {
	ID          string
	Key         crypto.Signer
	Certificate *x509.Certificate
	Chain       []*x509.Certificate // issuers that are sent with it, nearest first, without the root
}

// String is the identifier, so that the key is never printed.
func (i *Identity) String() string { return i.ID }

// GoString is String.
func (i *Identity) GoString() string { return i.ID }

// IsECDSA says whether the key is one for ECDSA; otherwise it is one for RSA.
func (i *Identity) IsECDSA() bool {
	_, ok := i.Certificate.PublicKey.(*ecdsa.PublicKey)
	return ok
}

// trust is a set of CA certificates.
type trust struct {
	pool *x509.CertPool
	list []*x509.Certificate
}

// trusted are the certificates of the CA profiles and groups that names lists. Profiles that name
// the same share them.
func (c *compiler) trusted(path string, names []string) *trust {
	key := strings.Join(names, "\x00")
	if t := c.trusts[key]; t != nil {
		return t
	}
	t := &trust{pool: x509.NewCertPool()}
	c.trusts[key] = t
	if c.env.PKI == nil {
		return t
	}
	var known []string
	for _, name := range names {
		_, list, err := c.env.PKI.TrustPool(&c.cfg.Security.PKI, []string{name})
		if err != nil {
			c.missing(path+" "+name, name, "CA profile or group", "request security pki ca-certificate loads it", c.authorities())
			continue
		}
		if known = append(known, name); len(list) == 0 {
			c.warn(path+" "+name, "request security pki ca-certificate load, or ca-certificate ca-profile-group load", "%s has no certificate, so that it trusts no server", caWords(name))
		}
	}
	if pool, list, err := c.env.PKI.TrustPool(&c.cfg.Security.PKI, known); err == nil {
		t.pool, t.list = pool, list
	}
	return t
}

// authorities lists what trusted-ca may name.
func (c *compiler) authorities() []string {
	names := append([]string{pki.All}, c.env.PKI.CAGroups()...)
	for _, p := range c.cfg.Security.PKI.CAProfiles {
		names = append(names, p.Name)
	}
	return names
}

func caWords(name string) string {
	if name == pki.All {
		return "the gateway"
	}
	return "CA " + name
}

// missing notes that there is no certificate, or CA, called name, and what helps. For a configuration that
// was accepted before it is a warning.
func (c *compiler) missing(path, name, what, remedy string, known []string) {
	c.fault(path, cmp.Or(didYouMean(name, known), remedy), "there is no %s %q", what, name)
}

// identities finds the certificates with ids. Those that cannot be used are left out; the reason
// is a problem at path.
func (c *compiler) identities(path string, ids []string, usable func(*Identity, string) bool) []*Identity {
	if c.env.PKI == nil {
		return nil
	}
	var list []*Identity
	for _, id := range ids {
		at := path + " " + id
		l, ok := c.env.PKI.Local(id)
		switch {
		case !ok:
			var known []string
			for _, l := range c.env.PKI.Locals() {
				known = append(known, l.ID)
			}
			c.missing(at, id, "certificate", "request security pki local-certificate makes or loads it", known)
			continue
		case l.Certificate == nil:
			c.fault(at, "request security pki local-certificate generate-self-signed certificate-id "+id+" …, or load one", "key pair %s has no certificate yet", id)
			continue
		}
		i := &Identity{ID: id, Key: l.Key, Certificate: l.Certificate, Chain: c.env.PKI.Chain(l)}
		if c.keyFits(at, i) && (usable == nil || usable(i, at)) {
			list = append(list, i)
		}
	}
	return list
}

// keyFits refuses keys that no cipher has a use for, and warns of odd ones.
func (c *compiler) keyFits(at string, i *Identity) bool {
	switch key := i.Certificate.PublicKey.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < 1024 {
			c.fault(at, "use a key of 2048 bits or more", "the RSA key of certificate %s has %d bits, which is not safe", i.ID, bits)
			return false
		}
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() {
			c.warn(at, "old clients may not know the curve", "certificate %s has a key on curve %s, not P-256", i.ID, key.Curve.Params().Name)
		}
	default:
		c.fault(at, "use an RSA or ECDSA key", "certificate %s has a key that TLS sessions cannot use", i.ID)
		return false
	}
	return true
}

// signer refuses a root CA that cannot sign, and warns of one that has expired or not begun.
func (c *compiler) signer(i *Identity, at string) bool {
	cert := i.Certificate
	switch now := c.now(); {
	case !cert.BasicConstraintsValid || !cert.IsCA || cert.KeyUsage != 0 && cert.KeyUsage&x509.KeyUsageCertSign == 0:
		c.fault(at, "generate it with add-ca-constraint, or load a CA certificate", "certificate %s is not one of a CA, so that no client accepts what it signs", i.ID)
		return false
	case now.After(cert.NotAfter):
		c.warn(at, "load a new one", "root CA %s has expired on %s", i.ID, day(cert.NotAfter))
	case now.Before(cert.NotBefore):
		c.warn(at, "check the clock of the gateway", "root CA %s holds from %s on", i.ID, day(cert.NotBefore))
	}
	return true
}

// rootCAs finds the root CAs of a forward proxy profile: one of a kind of key.
func (c *compiler) rootCAs(path string, ids []string) []*Identity {
	list := c.identities(path, ids, c.signer)
	for _, ecdsaKey := range []bool{false, true} {
		same := slices.DeleteFunc(slices.Clone(list), func(i *Identity) bool { return i.IsECDSA() != ecdsaKey })
		if len(same) > 1 {
			kind := "RSA"
			if ecdsaKey {
				kind = "ECDSA"
			}
			c.problem(path+" "+same[1].ID, "keep one of them", "root CAs %s and %s both have %s keys", same[0].ID, same[1].ID, kind)
		}
	}
	return list
}

// now is the time that validity is judged by.
func (c *compiler) now() time.Time {
	if c.env.Now == nil {
		return time.Now()
	}
	return c.env.Now()
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02") }
