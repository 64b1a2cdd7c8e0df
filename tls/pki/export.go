package pki

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
)

// Format is how a certificate is written for others.
type Format string

// Formats.
const (
	PEM          Format = "pem"
	DER          Format = "der"
	MobileConfig Format = "mobileconfig" // a configuration profile of Apple's systems
)

// Export writes a local certificate without its key.
func (s *Store) Export(id string, f Format) ([]byte, error) {
	l, ok := s.Local(id)
	if !ok || l.Certificate == nil {
		return nil, &MissingError{"local certificate", id}
	}
	return Encode(l.Certificate, f)
}

// Encode writes a certificate.
func Encode(c *x509.Certificate, f Format) ([]byte, error) {
	switch f {
	case PEM:
		return pem.EncodeToMemory(&pem.Block{Type: blockCertificate, Bytes: c.Raw}), nil
	case DER:
		return c.Raw, nil
	case MobileConfig:
		return mobileConfig(c)
	}
	return nil, fmt.Errorf("there is no format %q: use pem, der or mobileconfig", f)
}

// Fingerprint is the SHA-256 digest of a certificate.
func Fingerprint(c *x509.Certificate) [32]byte { return sha256.Sum256(c.Raw) }
