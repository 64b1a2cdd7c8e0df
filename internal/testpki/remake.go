package testpki

import (
	"crypto"
	"crypto/ecdsa"
	_ "crypto/md5" // signed with in tests of what no longer counts
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Algorithms of old signatures.
var oldAlgorithms = map[crypto.Hash]asn1.ObjectIdentifier{
	crypto.MD5:  {1, 2, 840, 113549, 1, 1, 4},
	crypto.SHA1: {1, 2, 840, 113549, 1, 1, 5},
}

// remake takes a certificate to pieces and signs it again, as the library does not.
func (d *draft) remake(der cryptobyte.String, key crypto.Signer) ([]byte, error) {
	var outer, tbs, algorithm cryptobyte.String
	var signature asn1.BitString
	if !der.ReadASN1(&outer, cbasn1.SEQUENCE) || !outer.ReadASN1(&tbs, cbasn1.SEQUENCE) ||
		!outer.ReadASN1Element(&algorithm, cbasn1.SEQUENCE) || !outer.ReadASN1BitString(&signature) {
		return nil, errors.New("malformed certificate")
	}
	made, err := d.remakeTBS(tbs, &algorithm)
	if err != nil {
		return nil, err
	}
	sum := signature.Bytes
	if d.version1 || d.digest != 0 {
		if sum, err = signOld(made, d.digest, key); err != nil {
			return nil, err
		}
	}
	if d.corrupt {
		sum[len(sum)-1] ^= 1
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(made)
		b.AddBytes(algorithm)
		b.AddASN1BitString(sum)
	})
	return b.Bytes()
}

// remakeTBS is what is signed, of version 1 or with another algorithm where that is wanted.
func (d *draft) remakeTBS(tbs cryptobyte.String, algorithm *cryptobyte.String) ([]byte, error) {
	version := cbasn1.Tag(0).Constructed().ContextSpecific()
	var head, serial, rest cryptobyte.String
	if !tbs.ReadASN1Element(&head, version) || !tbs.ReadASN1Element(&serial, cbasn1.INTEGER) || !tbs.SkipASN1(cbasn1.SEQUENCE) {
		return nil, errors.New("malformed certificate")
	}
	if rest = tbs; d.version1 {
		for range 4 { // issuer, validity, subject, key
			var skipped cryptobyte.String
			if !rest.ReadASN1(&skipped, cbasn1.SEQUENCE) {
				return nil, errors.New("malformed certificate")
			}
		}
		rest, head = tbs[:len(tbs)-len(rest)], nil
	}
	if id := oldAlgorithms[d.digest]; id != nil {
		var b cryptobyte.Builder
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(id)
			b.AddASN1NULL()
		})
		*algorithm = b.BytesOrPanic()
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, part := range [][]byte{head, serial, *algorithm, rest} {
			b.AddBytes(part)
		}
	})
	return b.Bytes()
}

// signOld signs with a digest that the library may refuse; 0: SHA-256.
func signOld(data []byte, digest crypto.Hash, key crypto.Signer) ([]byte, error) {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if digest == 0 {
			digest = crypto.SHA256
		}
		h := digest.New()
		h.Write(data)
		return rsa.SignPKCS1v15(rand.Reader, k, digest, h.Sum(nil))
	case *ecdsa.PrivateKey:
		if digest != 0 {
			return nil, fmt.Errorf("%v signs with RSA keys only", digest)
		}
		sum := sha256.Sum256(data)
		return ecdsa.SignASN1(rand.Reader, k, sum[:])
	}
	return nil, fmt.Errorf("cannot sign with %T", key)
}
