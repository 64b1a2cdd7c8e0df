package revoke

import (
	"bytes"
	"crypto/sha1"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ocsp"
)

const (
	// maxResponse is how many bytes an OCSP response may have.
	maxResponse = 64 << 10
	// withoutNextUpdateAge is how old a response may be that does not say how long it holds.
	withoutNextUpdateAge = time.Hour
)

var (
	errMalformedResponse = errors.New("malformed OCSP response")
	errOtherIssuer       = errors.New("the OCSP response is about a certificate of another issuer")
)

// judgeStaple says what a stapled response tells of a certificate, and whether it is a valid one.
func (c *Checker) judgeStaple(cert, issuer *x509.Certificate, staple []byte) (answer, bool) {
	if len(staple) == 0 {
		return answer{status: NoInfo}, false
	}
	a, _, err := readResponse(staple, cert, issuer, c.options.Now())
	if err != nil {
		return answer{status: NoInfo, err: fmt.Errorf("stapled OCSP response: %w", err)}, false
	}
	if a.status == NoInfo {
		return a, false
	}
	a.source = FromStaple
	return a, true
}

// readResponse says what an OCSP response tells of a certificate, and until when. It fails unless the
// response is of the present, about the very certificate, and signed by its issuer or by whom that
// delegated it to (RFC 6960, 4.2.2.2).
func readResponse(data []byte, cert, issuer *x509.Certificate, now time.Time) (answer, time.Time, error) {
	if len(data) > maxResponse {
		return answer{}, time.Time{}, fmt.Errorf("OCSP response of %d bytes; at most %d are read", len(data), maxResponse)
	}
	r, err := ocsp.ParseResponseForCert(data, cert, nil)
	if err != nil {
		return answer{}, time.Time{}, err
	}
	if err := checkResponder(r, issuer, now); err != nil {
		return answer{}, time.Time{}, err
	}
	if err := checkSubject(r, cert, issuer); err != nil {
		return answer{}, time.Time{}, err
	}
	until := r.NextUpdate
	if until.IsZero() {
		until = r.ThisUpdate.Add(withoutNextUpdateAge)
	}
	switch {
	case r.ThisUpdate.After(now.Add(maxClockSkew)):
		return answer{}, until, fmt.Errorf("the OCSP response is of the future, %s", r.ThisUpdate.UTC().Format(time.RFC3339))
	case !now.Before(until.Add(maxClockSkew)):
		return answer{}, until, fmt.Errorf("the OCSP response ended at %s", until.UTC().Format(time.RFC3339))
	}
	a := answer{source: FromOCSP}
	switch {
	case r.Status == ocsp.Revoked && r.RevocationReason == reasonHold:
		a.status, a.reason = OnHold, r.RevocationReason
	case r.Status == ocsp.Revoked:
		a.status, a.reason = Revoked, r.RevocationReason
	case r.Status != ocsp.Good:
		return answer{status: NoInfo, err: errors.New("the OCSP responder does not know the certificate")}, until, nil
	}
	return a, until, nil
}

// checkResponder refuses responses that are not signed by an issuer, or by a responder that it certified
// for that.
func checkResponder(r *ocsp.Response, issuer *x509.Certificate, now time.Time) error {
	d := r.Certificate
	if d == nil || bytes.Equal(d.RawSubjectPublicKeyInfo, issuer.RawSubjectPublicKeyInfo) {
		if err := r.CheckSignatureFrom(issuer); err != nil {
			return fmt.Errorf("the OCSP response is not signed by %q: %w", issuer.Subject, err)
		}
		return nil
	}
	// The signature of the response is that of d: ParseResponseForCert checked it.
	switch err := issuer.CheckSignature(d.SignatureAlgorithm, d.RawTBSCertificate, d.Signature); {
	case err != nil || !bytes.Equal(d.RawIssuer, issuer.RawSubject):
		return fmt.Errorf("the OCSP response is signed by %q, whom %q did not certify", d.Subject, issuer.Subject)
	case !slices.Contains(d.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning):
		return fmt.Errorf("the OCSP response is signed by %q, who may not sign any", d.Subject)
	case now.Before(d.NotBefore) || now.After(d.NotAfter):
		return fmt.Errorf("the OCSP response is signed by %q, whose certificate is not of the present", d.Subject)
	}
	return nil
}

// checkSubject refuses responses whose certificate has the right number, but another issuer: a responder
// may answer for several.
func checkSubject(r *ocsp.Response, cert, issuer *x509.Certificate) error {
	names, keys, err := issuerHashes(r.TBSResponseData, cert)
	if err != nil {
		return err
	}
	if !r.IssuerHash.Available() {
		return fmt.Errorf("%w: unknown digest", errMalformedResponse)
	}
	var info, bits cryptobyte.String
	spki := cryptobyte.String(issuer.RawSubjectPublicKeyInfo)
	if !spki.ReadASN1(&info, cbasn1.SEQUENCE) || !info.SkipASN1(cbasn1.SEQUENCE) || !info.ReadASN1(&bits, cbasn1.BIT_STRING) || len(bits) < 1 {
		return errors.New("malformed key of the issuer")
	}
	name, key := r.IssuerHash.New(), r.IssuerHash.New()
	name.Write(issuer.RawSubject)
	key.Write(bits[1:])
	if !bytes.Equal(names, name.Sum(nil)) || !bytes.Equal(keys, key.Sum(nil)) {
		return errOtherIssuer
	}
	return nil
}

// issuerHashes are the digests of the issuer's name and key in the first part of a response that has the
// number of a certificate, which is the one that the library reads.
func issuerHashes(tbs cryptobyte.String, cert *x509.Certificate) (name, key []byte, err error) {
	context := func(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific().Constructed() }
	var data, all, responder cryptobyte.String
	var tag cbasn1.Tag
	if !tbs.ReadASN1(&data, cbasn1.SEQUENCE) || !data.SkipOptionalASN1(context(0)) ||
		!data.ReadAnyASN1(&responder, &tag) || !data.SkipASN1(cbasn1.GeneralizedTime) || !data.ReadASN1(&all, cbasn1.SEQUENCE) {
		return nil, nil, errMalformedResponse
	}
	for !all.Empty() {
		var one, id, nameHash, keyHash, serial cryptobyte.String
		if !all.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1(&id, cbasn1.SEQUENCE) || !id.SkipASN1(cbasn1.SEQUENCE) ||
			!id.ReadASN1(&nameHash, cbasn1.OCTET_STRING) || !id.ReadASN1(&keyHash, cbasn1.OCTET_STRING) || !id.ReadASN1(&serial, cbasn1.INTEGER) {
			return nil, nil, errMalformedResponse
		}
		if bytes.Equal(bytes.TrimLeft(serial, "\x00"), cert.SerialNumber.Bytes()) {
			return nameHash, keyHash, nil
		}
	}
	return nil, nil, errMalformedResponse
}

// subject identifies a certificate by its issuer and number.
type subject [sha1.Size]byte

func subjectOf(cert, issuer *x509.Certificate) subject {
	k := issuerKey(issuer)
	return sha1.Sum(append(k[:], cert.SerialNumber.Bytes()...))
}
