package forge

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"errors"
)

// Authority is a certificate that the gateway signs with, and its key.
type Authority struct {
	// Certificate has the name that forged certificates have as their issuer's.
	Certificate *x509.Certificate
	// Chain leads from Certificate, without it, towards its root, without that: clients have the root.
	Chain []*x509.Certificate
	Key   crypto.Signer
}

// KeyType is the kind of key that the authority signs with.
func (a *Authority) KeyType() KeyType {
	if _, is := a.Certificate.PublicKey.(*rsa.PublicKey); is {
		return RSA
	}
	return ECDSA
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

// isRoot says whether a certificate names itself as its issuer.
func isRoot(c *x509.Certificate) bool { return bytes.Equal(c.RawSubject, c.RawIssuer) }
