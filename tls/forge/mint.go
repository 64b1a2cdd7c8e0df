// Package forge makes the certificate that the client is shown: what the server's says, with a key of the
// gateway's, signed by an authority that the client trusts or, where the server could not be believed, by
// nobody it trusts.
package forge

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"sync"
	"time"
)

// Kind says whom a forged certificate names as its issuer.
type Kind uint8

const (
	// Trusted is for servers that are believed: the issuer is the authority.
	Trusted Kind = iota
	// SelfSigned is for servers with a self-signed certificate: the issuer's name is unchanged, and the
	// certificate signed with its own new key, so that clients see what they would have seen.
	SelfSigned
	// Dummy is for all other servers that are not believed: the issuer is DummyIssuer, whom nobody trusts.
	Dummy
)

// DummyIssuer is the common name of the issuer of Dummy certificates.
const DummyIssuer = "SSL-PROXY: DUMMY_CERT:GENERATED DUE TO SRVR AUTH FAILURE"

// String names the kind as the cache's entries print it.
func (k Kind) String() string {
	switch k {
	case Trusted:
		return "[0x1]: CA issued, Authentication passed"
	case SelfSigned:
		return "[0x2]: Self signed, Authentication failed"
	}
	return "[0x0]: CA issued, Authentication failed"
}

// KeyType is the kind of a certificate's key.
type KeyType uint8

const (
	// ECDSA is a key on the curve P-256.
	ECDSA KeyType = iota
	// RSA is a key of 2048 bits, for clients that know no ECDSA.
	RSA
)

// String is "ECDSA" or "RSA".
func (k KeyType) String() string {
	if k == RSA {
		return "RSA"
	}
	return "ECDSA"
}

const rsaBits = 2048

// Certificate is a forged certificate with its key. It is shared and must not be changed.
type Certificate struct {
	// Chain is the certificate in DER and those that lead from it towards the root.
	Chain [][]byte
	// Leaf is the first of the chain.
	Leaf *x509.Certificate
	Key  crypto.Signer
	Kind Kind
}

// Minter makes forged certificates. One key of each type is shared by all of them, made when the gateway
// starts and never stored.
type Minter struct {
	keys [2]func() (*leafKey, error)
	now  func() time.Time
}

// leafKey is a key for forged certificates, with what they say of it.
type leafKey struct {
	crypto.Signer
	id []byte // subject key identifier (RFC 5280, 4.2.1.2, method 1)
}

// New returns a minter. It generates its RSA key in the background; whoever needs it first waits for it.
func New() *Minter {
	m := &Minter{now: time.Now}
	m.keys[ECDSA] = sync.OnceValues(func() (*leafKey, error) {
		return identify(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	})
	m.keys[RSA] = sync.OnceValues(func() (*leafKey, error) {
		return identify(rsa.GenerateKey(rand.Reader, rsaBits))
	})
	go func() { _, _ = m.keys[RSA]() }() // an error is told to those who need the key
	return m
}

func identify[K crypto.Signer](key K, err error) (*leafKey, error) {
	if err != nil {
		return nil, fmt.Errorf("cannot generate a key for certificates: %w", err)
	}
	id, err := keyID(key.Public())
	return &leafKey{Signer: key, id: id}, err
}

// keyID is the usual identifier of a key: SHA-1 over its bits.
func keyID(key crypto.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, err
	}
	bits, err := publicKeyBits(der)
	if err != nil {
		return nil, err
	}
	sum := sha1.Sum(bits)
	return sum[:], nil
}

// Mint forges the certificate of a server. The name is the host that the client asked for, which is kept
// where the server's names are too many to be copied; it may be empty.
func (m *Minter) Mint(server *x509.Certificate, a *Authority, kind Kind, k KeyType, name string) (*Certificate, error) {
	key, err := m.keys[k]()
	if err != nil {
		return nil, err
	}
	template, err := likeness(server, kind, k, name)
	if err != nil {
		return nil, err
	}
	template.SubjectKeyId = key.id
	made := &Certificate{Key: key.Signer, Kind: kind}
	parent, signer := &x509.Certificate{SubjectKeyId: key.id}, key.Signer
	switch kind {
	case Trusted:
		if a == nil {
			return nil, fmt.Errorf("cannot forge a certificate for %q: the profile has no root-ca", server.Subject)
		}
		if err := within(template, a.Certificate, m.now()); err != nil {
			return nil, err
		}
		parent, signer = a.Certificate, a.Key
	case SelfSigned:
		parent.RawSubject = template.RawSubject
		template.AuthorityKeyId = key.id
	case Dummy:
		parent.Subject = pkix.Name{CommonName: DummyIssuer}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return nil, fmt.Errorf("cannot forge a certificate for %q: %w", server.Subject, err)
	}
	if made.Leaf, err = x509.ParseCertificate(der); err != nil {
		return nil, fmt.Errorf("cannot read the certificate that was forged for %q: %w", server.Subject, err)
	}
	made.Chain = [][]byte{der}
	if kind == Trusted {
		if !isRoot(a.Certificate) {
			made.Chain = append(made.Chain, a.Certificate.Raw)
		}
		for _, c := range a.Chain {
			made.Chain = append(made.Chain, c.Raw)
		}
	}
	return made, nil
}

// within keeps the validity of a certificate inside that of its authority.
func within(template, authority *x509.Certificate, now time.Time) error {
	if now.After(authority.NotAfter) {
		return fmt.Errorf("the root-ca %q expired at %s; make or load a new one", authority.Subject, authority.NotAfter.UTC().Format(time.RFC3339))
	}
	if template.NotBefore.Before(authority.NotBefore) {
		template.NotBefore = authority.NotBefore
	}
	if template.NotAfter.After(authority.NotAfter) {
		template.NotAfter = authority.NotAfter
	}
	return nil
}
