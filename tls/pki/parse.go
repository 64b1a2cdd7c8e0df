package pki

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/youmark/pkcs8"
)

// Limits on what is loaded.
const (
	MaxFile         = 8 << 20 // bytes
	maxCertificates = 10000   // of a file
)

// errStretched refuses a file whose passphrase would take minutes to try.
var errStretched = errors.New("the passphrase is stretched by too many iterations: convert the file with openssl pkcs8 -topk8 -v2 aes256, or openssl pkcs12")

// Errors of passphrases.
var (
	ErrPassphraseMissing = errors.New("the key is encrypted: give its passphrase")
	ErrPassphraseWrong   = errors.New("the passphrase does not open the key")
)

// certificates reads all certificates of a file: PEM, or DER one after the other. Those that cannot
// be read are among the results with an error.
func certificates(data []byte) ([]parsed, error) {
	if len(data) > MaxFile {
		return nil, fmt.Errorf("the file is larger than %d megabytes", MaxFile>>20)
	}
	var list []parsed
	add := func(der []byte) error {
		if len(list) == maxCertificates {
			return fmt.Errorf("the file has more than %d certificates", maxCertificates)
		}
		c, err := x509.ParseCertificate(der)
		list = append(list, parsed{c, err})
		return nil
	}
	if !isPEM(data) {
		for rest := data; len(rest) > 0; {
			var der asn1.RawValue
			after, err := asn1.Unmarshal(rest, &der)
			if err != nil || der.Tag != asn1.TagSequence {
				break
			}
			if err := add(der.FullBytes); err != nil {
				return nil, err
			}
			rest = after
		}
		if len(list) == 0 {
			return nil, errors.New("the file is neither PEM nor DER")
		}
		return list, nil
	}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		der := block.Bytes
		switch block.Type {
		case blockCertificate, "X509 CERTIFICATE":
		case "TRUSTED CERTIFICATE": // OpenSSL's, followed by its settings
			var first asn1.RawValue
			if _, err := asn1.Unmarshal(der, &first); err == nil {
				der = first.FullBytes
			}
		default:
			continue
		}
		if err := add(der); err != nil {
			return nil, err
		}
	}
	if len(list) == 0 {
		return nil, errors.New("the file has no certificate")
	}
	return list, nil
}

// parsed is one certificate of a file, or why it cannot be read.
type parsed struct {
	certificate *x509.Certificate
	err         error
}

// isPEM says whether data has a PEM block.
func isPEM(data []byte) bool { return bytes.Contains(data, []byte("-----BEGIN ")) }

// privateKey reads the private key of a file: PEM or DER; PKCS #8, PKCS #1 or SEC 1; encrypted or
// not.
func privateKey(data, passphrase []byte) (crypto.Signer, error) {
	if len(data) > MaxFile {
		return nil, fmt.Errorf("the file is larger than %d megabytes", MaxFile>>20)
	}
	if !isPEM(data) {
		if key, err := parsePlainKey(data); err == nil || !isEncryptedPKCS8(data) {
			return key, err
		}
		return decryptPKCS8(data, passphrase)
	}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		switch {
		case block.Type == "ENCRYPTED PRIVATE KEY":
			return decryptPKCS8(block.Bytes, passphrase)
		case block.Type == "OPENSSH PRIVATE KEY":
			return nil, errors.New("the key is in the format of OpenSSH: convert it with ssh-keygen -p -m PKCS8 -f FILE")
		case block.Type == "DSA PRIVATE KEY":
			return nil, errors.New("the key is of the type DSA, which TLS does not use any more; use RSA or ECDSA")
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			return parseKeyBlock(block, passphrase)
		}
	}
	return nil, errors.New("the file has no private key")
}

// parseKeyBlock reads a PEM block, which may be encrypted in the old manner (RFC 1421).
func parseKeyBlock(block *pem.Block, passphrase []byte) (crypto.Signer, error) {
	if !x509.IsEncryptedPEMBlock(block) { //nolint:staticcheck // such keys exist; the gateway only reads them
		return parsePlainKey(block.Bytes)
	}
	if len(passphrase) == 0 {
		return nil, ErrPassphraseMissing
	}
	der, err := x509.DecryptPEMBlock(block, passphrase) //nolint:staticcheck // as above
	if err != nil {
		if errors.Is(err, x509.IncorrectPasswordError) {
			return nil, ErrPassphraseWrong
		}
		return nil, fmt.Errorf("the key cannot be decrypted: %w", err)
	}
	key, err := parsePlainKey(der)
	if err != nil {
		return nil, ErrPassphraseWrong // a wrong passphrase that left the padding right
	}
	return key, nil
}

// parsePlainKey reads a key that is not encrypted.
func parsePlainKey(der []byte) (crypto.Signer, error) {
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return checkKey(key)
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return checkKey(key)
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return checkKey(key)
	}
	return nil, errors.New("the private key cannot be read: it is damaged, or neither RSA nor ECDSA")
}

// Object identifiers of RFC 8018, appendix A, and RFC 7914, section 7.
var (
	oidPBES2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	oidScrypt = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11591, 4, 11}
)

// encryptedKey is EncryptedPrivateKeyInfo of RFC 5208 with the parameters of PBES2.
type encryptedKey struct {
	Algorithm struct {
		OID    asn1.ObjectIdentifier
		Scheme struct {
			Derivation struct {
				OID        asn1.ObjectIdentifier
				Parameters asn1.RawValue
			}
			Cipher asn1.RawValue
		} `asn1:"optional"`
	}
	Data []byte
}

// isEncryptedPKCS8 says whether der is an encrypted private key.
func isEncryptedPKCS8(der []byte) bool {
	var info struct {
		Algorithm asn1.RawValue
		Data      []byte
	}
	rest, err := asn1.Unmarshal(der, &info)
	return err == nil && len(rest) == 0
}

// decryptPKCS8 opens an encrypted PKCS #8 key. What the file asks of the derivation is bounded, so
// that a file cannot keep the gateway busy.
func decryptPKCS8(der, passphrase []byte) (crypto.Signer, error) {
	if len(passphrase) == 0 {
		return nil, ErrPassphraseMissing
	}
	var info encryptedKey
	if rest, err := asn1.Unmarshal(der, &info); err != nil || len(rest) > 0 || !info.Algorithm.OID.Equal(oidPBES2) {
		return nil, errors.New("the key is encrypted in a way that is not supported: convert it with openssl pkcs8 -topk8 -v2 aes256")
	}
	if err := checkDerivation(info.Algorithm.Scheme.Derivation.OID, info.Algorithm.Scheme.Derivation.Parameters.FullBytes); err != nil {
		return nil, err
	}
	key, _, err := pkcs8.ParsePrivateKey(der, passphrase)
	switch {
	case err == nil:
		return checkKey(key)
	case strings.Contains(err.Error(), "unsupported"):
		return nil, fmt.Errorf("the key is encrypted in a way that is not supported (%w): convert it with openssl pkcs8 -topk8 -v2 aes256", err)
	}
	return nil, ErrPassphraseWrong
}

// Bounds of key derivations.
const (
	maxIterations = 10_000_000 // PBKDF2: some seconds
	maxScrypt     = 1 << 20    // N·r·p: 128 times that many bytes, at most
)

// checkDerivation bounds what deriving a key from a passphrase may cost.
func checkDerivation(oid asn1.ObjectIdentifier, parameters []byte) error {
	switch {
	case oid.Equal(oidPBKDF2):
		var p struct {
			Salt       asn1.RawValue
			Iterations int
			Length     int           `asn1:"optional"`
			PRF        asn1.RawValue `asn1:"optional"`
		}
		if _, err := asn1.Unmarshal(parameters, &p); err != nil || p.Iterations < 1 || p.Iterations > maxIterations {
			return errStretched
		}
	case oid.Equal(oidScrypt):
		var p struct {
			Salt    []byte
			N, R, P int
			Length  int `asn1:"optional"`
		}
		if _, err := asn1.Unmarshal(parameters, &p); err != nil || p.N < 2 || p.R < 1 || p.P < 1 || p.N > maxScrypt || p.R > maxScrypt/p.N || p.P > maxScrypt/(p.N*p.R) {
			return errStretched
		}
	default:
		return errors.New("the key is encrypted in a way that is not supported: convert it with openssl pkcs8 -topk8 -v2 aes256")
	}
	return nil
}
