package forge

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// maxChain is how many certificates may lead from an authority to its root.
const maxChain = 8

// Authority is a certificate that the gateway signs with, and its key.
type Authority struct {
	// Certificate has the name that forged certificates have as their issuer's.
	Certificate *x509.Certificate
	// Chain leads from Certificate, without it, towards its root, without that: clients have the root.
	Chain []*x509.Certificate
	Key   crypto.Signer
}

// NewAuthority makes an authority of a certificate and its key. The certificates between it and its root are
// found among known ones, in any order; where they do not reach a root they end with the last one found.
// It refuses certificates that clients would not accept as an authority.
func NewAuthority(c *x509.Certificate, key crypto.Signer, known []*x509.Certificate, now time.Time) (*Authority, error) {
	public, is := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	switch {
	case !is || !public.Equal(c.PublicKey):
		return nil, fmt.Errorf("certificate %q: the key is not that of the certificate; load the two that belong together", c.Subject)
	case !c.BasicConstraintsValid || !c.IsCA:
		return nil, fmt.Errorf("certificate %q is not an authority's: basic constraints do not say CA; make it with add-ca-constraint", c.Subject)
	case c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCertSign == 0:
		return nil, fmt.Errorf("certificate %q may not sign certificates: its key usage lacks keyCertSign", c.Subject)
	case now.After(c.NotAfter):
		return nil, fmt.Errorf("certificate %q expired at %s; make or load a new one", c.Subject, c.NotAfter.UTC().Format(time.RFC3339))
	}
	if _, err := keyTypeOf(c); err != nil {
		return nil, err
	}
	a := &Authority{Certificate: c, Key: key}
	for last := c; !isRoot(last) && len(a.Chain) < maxChain; {
		issuer := issuerOf(last, known)
		if issuer == nil || isRoot(issuer) {
			break
		}
		a.Chain = append(a.Chain, issuer)
		last = issuer
	}
	return a, nil
}

// KeyType is the kind of key that the authority signs with.
func (a *Authority) KeyType() KeyType {
	k, _ := keyTypeOf(a.Certificate)
	return k
}

// Choose says which of a profile's authorities forges for a client, and which kind of key the client is
// shown, by the kinds that the client accepts: an ECDSA key where it can, which costs a fifth, and an
// authority with the same kind of key, or else with one of the other. It fails when there is none.
func Choose(list []*Authority, rsa, ecdsa bool) (*Authority, KeyType, error) {
	k := ECDSA
	switch {
	case len(list) == 0:
		return nil, 0, errors.New("the profile has no root-ca")
	case !rsa && !ecdsa:
		return nil, 0, errors.New("the client accepts neither RSA nor ECDSA certificates")
	case !ecdsa:
		k = RSA
	}
	for _, a := range list {
		if a.KeyType() == k {
			return a, k, nil
		}
	}
	return list[0], k, nil
}

func keyTypeOf(c *x509.Certificate) (KeyType, error) {
	switch c.PublicKey.(type) {
	case *rsa.PublicKey:
		return RSA, nil
	case *ecdsa.PublicKey:
		return ECDSA, nil
	case ed25519.PublicKey:
		return 0, fmt.Errorf("certificate %q has an Ed25519 key, which few clients accept; use RSA or ECDSA", c.Subject)
	}
	return 0, fmt.Errorf("certificate %q has a key of a kind that cannot sign here; use RSA or ECDSA", c.Subject)
}

func isRoot(c *x509.Certificate) bool {
	return bytes.Equal(c.RawSubject, c.RawIssuer) && c.CheckSignatureFrom(c) == nil
}

func issuerOf(c *x509.Certificate, known []*x509.Certificate) *x509.Certificate {
	for _, k := range known {
		if bytes.Equal(k.RawSubject, c.RawIssuer) && !k.Equal(c) && c.CheckSignatureFrom(k) == nil {
			return k
		}
	}
	return nil
}
