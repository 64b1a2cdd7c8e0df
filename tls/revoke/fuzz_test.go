package revoke

import (
	"crypto/x509"
	"math/big"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"sluice/internal/testpki"
)

// FuzzList: what is read of a list is what the library reads.
func FuzzList(f *testing.F) {
	a := testpki.Root(f, "Root")
	f.Add(a.CRL(f, nil))
	f.Add(a.CRL(f, nil, a.Certificate))
	f.Add(a.CRL(f, func(l *x509.RevocationList) {
		for i := range 30 {
			l.RevokedCertificateEntries = append(l.RevokedCertificateEntries,
				x509.RevocationListEntry{SerialNumber: testpki.Serial(i), RevocationTime: time.Now(), ReasonCode: i % 7})
		}
	}))
	f.Fuzz(func(t *testing.T, der []byte) {
		ours, err := parseList(der)
		if err != nil {
			return
		}
		theirs, err := x509.ParseRevocationList(der)
		if err != nil {
			return // version 1, PEM, and times of entries, which are not looked at
		}
		signedBefore := theirs.CheckSignatureFrom(a.Certificate) == nil
		if signed := ours.header.CheckSignatureFrom(a.Certificate) == nil; signed != signedBefore {
			t.Fatalf("signed: %v, and the library says %v", signed, signedBefore)
		}
		for _, e := range theirs.RevokedCertificateEntries {
			if e.SerialNumber.Sign() < 0 {
				continue
			}
			if _, found := ours.find(e.SerialNumber); !found {
				t.Fatalf("%v is not found", e.SerialNumber)
			}
		}
		if _, found := ours.find(new(big.Int).Lsh(big.NewInt(1), 400)); found && len(theirs.RevokedCertificateEntries) == 0 {
			t.Fatal("found in an empty list")
		}
	})
}

// FuzzResponse: whatever a responder answers, only what its issuer signed counts.
func FuzzResponse(f *testing.F) {
	a := testpki.Root(f, "Root")
	l := a.Leaf(f, "www.example.com")
	good := a.OCSP(f, l.Certificate, ocsp.Good, nil, nil)
	f.Add(good)
	f.Add(a.OCSP(f, l.Certificate, ocsp.Revoked, a.Leaf(f, "OCSP", signer()...), nil))
	f.Add(ocsp.TryLaterErrorResponse)
	f.Fuzz(func(t *testing.T, der []byte) {
		got, _, err := readResponse(der, l.Certificate, a.Certificate, time.Now())
		if err != nil {
			return
		}
		r, err := ocsp.ParseResponseForCert(der, l.Certificate, a.Certificate)
		if err != nil {
			t.Fatalf("%v, and the library says %v", got.status, err)
		}
		if (r.Status == ocsp.Good) != (got.status == Good) {
			t.Fatalf("%v, and the library says %v", got.status, r.Status)
		}
	})
}
