package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"math/big"
)

// Kinds of key pairs, as they are typed.
const (
	RSA   = "rsa"
	ECDSA = "ecdsa"
	dsa   = "dsa"
)

// Sizes are the sizes in bits of a kind of key pair, the one that is taken when none is given first.
func Sizes(kind string) []int {
	switch kind {
	case RSA:
		return []int{2048, 1024, 4096}
	case ECDSA:
		return []int{256, 384, 521}
	}
	return nil
}

// GenerateKeyPair makes a key pair of a kind and size (0: that of the kind) under a new identifier.
// A big RSA key takes seconds.
func (s *Store) GenerateKeyPair(id, kind string, size int) error {
	if err := CheckName(id); err != nil {
		return err
	}
	if err := s.unused(id); err != nil {
		return err
	}
	key, err := generate(kind, size)
	if err != nil {
		return err
	}
	return s.change(func() error {
		if err := s.unused(id); err != nil {
			return err
		}
		return s.put(&Local{ID: id, Key: key, KeyModified: s.now()})
	})
}

// unused refuses an identifier that has a key pair.
func (s *Store) unused(id string) error {
	if _, there := s.Local(id); there {
		return fmt.Errorf("there is a key pair %s already: choose another certificate-id, or clear the key pair first", id)
	}
	return nil
}

// generate makes a private key.
func generate(kind string, size int) (crypto.Signer, error) {
	sizes := Sizes(kind)
	switch {
	case kind == dsa:
		return nil, fmt.Errorf("key pairs of the type dsa are not made: no TLS library signs with them any more; use rsa or ecdsa")
	case sizes == nil:
		return nil, fmt.Errorf("there is no type %q of key pairs: use rsa or ecdsa", kind)
	case size == 0:
		size = sizes[0]
	}
	switch {
	case kind == RSA && (size == 1024 || size == 2048 || size == 4096):
		return rsa.GenerateKey(rand.Reader, size)
	case kind == ECDSA && size == 256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case kind == ECDSA && size == 384:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case kind == ECDSA && size == 521:
		return ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case kind == RSA:
		return nil, fmt.Errorf("a key pair of the type rsa has no size %d: use 1024, 2048 or 4096", size)
	}
	return nil, fmt.Errorf("a key pair of the type ecdsa has no size %d: use 256, 384 or 521", size)
}

// KeyKind says what a public key is: its kind (rsa, ecdsa, ed25519, or "" for another) and its size
// in bits.
func KeyKind(public crypto.PublicKey) (kind string, bits int) {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return RSA, k.N.BitLen()
	case *ecdsa.PublicKey:
		return ECDSA, k.Curve.Params().BitSize
	case ed25519.PublicKey:
		return "ed25519", 256
	}
	return "", 0
}

// checkKey refuses a private key that the gateway cannot work with.
func checkKey(key any) (crypto.Signer, error) {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if bits := k.N.BitLen(); bits < 1024 {
			return nil, fmt.Errorf("the RSA key has %d bits: nobody accepts signatures of fewer than 1024; use a new key", bits)
		}
		if err := k.Validate(); err != nil {
			return nil, fmt.Errorf("the RSA key is damaged")
		}
		return k, nil
	case *ecdsa.PrivateKey:
		if k.Curve == elliptic.P224() {
			return nil, fmt.Errorf("the ECDSA key is on the curve P-224, which TLS does not use; use 256, 384 or 521 bits")
		}
		return k, nil
	case ed25519.PrivateKey:
		return nil, fmt.Errorf("the key is of the type Ed25519: browsers accept no certificates of that kind; use RSA or ECDSA")
	}
	return nil, fmt.Errorf("the key is of a type that TLS certificates do not use; use RSA or ECDSA")
}

// equalKeys says whether two public keys are the same.
func equalKeys(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b)
}

// serial is a fresh certificate serial number of 127 random bits (RFC 5280, section 4.1.2.2).
func serial() (*big.Int, error) {
	one := big.NewInt(1)
	n, err := rand.Int(rand.Reader, new(big.Int).Sub(new(big.Int).Lsh(one, 127), one))
	if err != nil {
		return nil, err
	}
	return n.Add(n, one), nil
}
