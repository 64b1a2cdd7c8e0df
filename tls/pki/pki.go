// Package pki is the gateway's keyring: which keys and certificates it has of its own, and which
// authorities it trusts.
//
// A certificate of its own ([Local]) begins as a key pair and becomes whole by a self-signed
// certificate, or by loading one. Authorities ([CA]) are loaded one into a CA profile, or many at
// once into a group.
//
// The file names follow a key pair: key makes it, sign certifies it, parse and load take what others
// made, file keeps it on disk, store finds it, trust judges by it, export hands the public part out.
package pki

import (
	"crypto"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// Local is a key pair of the gateway, with its certificate once there is one. It never changes; a
// store replaces it whole.
//
// However it is printed, logged or encoded, only its name comes out: never the key.
type Local struct {
	ID                  string
	Key                 crypto.Signer
	Certificate         *x509.Certificate        // nil while there is only the key pair
	Chain               []*x509.Certificate      // issuers that were loaded with it, in order, the certificate itself left out
	Request             *x509.CertificateRequest // the request that was made last for this key, or nil
	CertificateModified time.Time
	KeyModified         time.Time
}

// String is the name in words.
func (l Local) String() string { return "local certificate " + l.ID }

// Format writes the name for every verb.
func (l Local) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, l.String()) }

// LogValue is the identifier.
func (l Local) LogValue() slog.Value { return slog.StringValue(l.ID) }

// MarshalJSON encodes the identifier.
func (l Local) MarshalJSON() ([]byte, error) { return json.Marshal(l.ID) }

// Anchor is what a client must trust to accept l and what l signs: the root that was loaded at the end
// of its chain, or else the certificate itself. It is nil while there is only the key pair.
func (l *Local) Anchor() *x509.Certificate {
	if n := len(l.Chain); n > 0 && isSelfIssued(l.Chain[n-1]) {
		return l.Chain[n-1]
	}
	return l.Certificate
}

// CA is one authority that was loaded. It never changes.
type CA struct {
	Name        string // of the profile, or GROUP_N for the member N of a group
	Group       string // "" in a profile of its own
	Certificate *x509.Certificate
	Modified    time.Time
}
