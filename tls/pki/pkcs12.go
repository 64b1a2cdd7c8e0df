package pki

import (
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"

	"software.sslmate.com/src/go-pkcs12"
)

// isPKCS12 says whether data is a PFX of RFC 7292: a sequence that begins with version 3 and content
// of PKCS #7.
func isPKCS12(data []byte) bool {
	var pfx struct {
		Version int
		Content struct {
			Type asn1.ObjectIdentifier
			Rest asn1.RawValue `asn1:"optional"`
		}
		MAC asn1.RawValue `asn1:"optional"`
	}
	_, err := asn1.Unmarshal(data, &pfx)
	return err == nil && pfx.Version == 3
}

// readPKCS12 opens a PFX: a key, its certificate, and the rest of the chain in any order.
func readPKCS12(data, passphrase []byte) (key crypto.Signer, leaf *x509.Certificate, others []*x509.Certificate, err error) {
	if len(data) > MaxFile {
		return nil, nil, nil, fmt.Errorf("the file is larger than %d megabytes", MaxFile>>20)
	}
	if !cheap(data, 0) {
		return nil, nil, nil, errStretched
	}
	private, leaf, others, err := pkcs12.DecodeChain(data, string(passphrase))
	switch {
	case errors.Is(err, pkcs12.ErrIncorrectPassword) && len(passphrase) == 0:
		return nil, nil, nil, ErrPassphraseMissing
	case errors.Is(err, pkcs12.ErrIncorrectPassword):
		return nil, nil, nil, ErrPassphraseWrong
	case err != nil:
		return nil, nil, nil, fmt.Errorf("the PKCS #12 file cannot be read: %w", err)
	}
	key, err = checkKey(private)
	return key, leaf, others, err
}

// maxDepth is how deep a PKCS #12 file is nested at most: some twelve levels in practice.
const maxDepth = 32

// cheap says whether all derivations of keys in data have a bounded number of iterations. Each is a
// number that follows a salt (RFC 7292, appendix C; RFC 8018, appendix A.2); octet strings may hold
// further structures.
func cheap(data []byte, depth int) bool {
	salt := false
	for len(data) > 0 {
		var v asn1.RawValue
		rest, err := asn1.Unmarshal(data, &v)
		if err != nil {
			return true // no structure, so nothing that is derived from
		}
		universal := v.Class == asn1.ClassUniversal
		if salt && universal && v.Tag == asn1.TagInteger {
			var iterations int64
			if _, err := asn1.Unmarshal(v.FullBytes, &iterations); err != nil || iterations > maxIterations {
				return false
			}
		}
		salt = universal && v.Tag == asn1.TagOctetString
		if v.IsCompound || salt {
			if depth == maxDepth || !cheap(v.Bytes, depth+1) {
				return false
			}
		}
		data = rest
	}
	return true
}
