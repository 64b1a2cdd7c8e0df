package verify

import (
	"crypto/x509"
	"fmt"
)

// Code is a verdict on certificates, with the numbers and texts of OpenSSL 1.1.1 (X509_V_ERR_*), which are
// what operators know from logs and search for.
type Code uint16

// The verdicts that are given here, by tls/revoke's findings, and by the handshake.
const (
	OK                    Code = 0
	Unspecified           Code = 1
	SignatureFailure      Code = 7
	NotYetValid           Code = 9
	HasExpired            Code = 10
	DepthZeroSelfSigned   Code = 18
	SelfSignedInChain     Code = 19
	NoLocalIssuer         Code = 20
	UnverifiedLeaf        Code = 21
	ChainTooLong          Code = 22
	Revoked               Code = 23
	InvalidCA             Code = 24
	PathLengthExceeded    Code = 25
	InvalidPurpose        Code = 26
	Rejected              Code = 28
	NoCertSign            Code = 32
	UnhandledCritical     Code = 34
	InvalidNonCA          Code = 37
	InvalidPolicy         Code = 42
	PermittedViolation    Code = 47
	ExcludedViolation     Code = 48
	Application           Code = 50
	UnsupportedNameSyntax Code = 53
	HostnameMismatch      Code = 62
	IPAddressMismatch     Code = 64
	EEKeyTooSmall         Code = 66
	CAKeyTooSmall         Code = 67
	CADigestTooWeak       Code = 68
	OCSPNeeded            Code = 73
)

var texts = map[Code]string{
	OK:                    "ok",
	Unspecified:           "unspecified certificate verification error",
	SignatureFailure:      "certificate signature failure",
	NotYetValid:           "certificate is not yet valid",
	HasExpired:            "certificate has expired",
	DepthZeroSelfSigned:   "self signed certificate",
	SelfSignedInChain:     "self signed certificate in certificate chain",
	NoLocalIssuer:         "unable to get local issuer certificate",
	UnverifiedLeaf:        "unable to verify the first certificate",
	ChainTooLong:          "certificate chain too long",
	Revoked:               "certificate revoked",
	InvalidCA:             "invalid CA certificate",
	PathLengthExceeded:    "path length constraint exceeded",
	InvalidPurpose:        "unsupported certificate purpose",
	Rejected:              "certificate rejected",
	NoCertSign:            "key usage does not include certificate signing",
	UnhandledCritical:     "unhandled critical extension",
	InvalidNonCA:          "invalid non-CA certificate (has CA markings)",
	InvalidPolicy:         "invalid or inconsistent certificate policy extension",
	PermittedViolation:    "permitted subtree violation",
	ExcludedViolation:     "excluded subtree violation",
	Application:           "application verification failure",
	UnsupportedNameSyntax: "unsupported or invalid name syntax",
	HostnameMismatch:      "Hostname mismatch",
	IPAddressMismatch:     "IP address mismatch",
	EEKeyTooSmall:         "EE certificate key too weak",
	CAKeyTooSmall:         "CA certificate key too weak",
	CADigestTooWeak:       "CA signature digest algorithm too weak",
	OCSPNeeded:            "OCSP verification needed",
}

// String is OpenSSL's text, such as "self signed certificate".
func (c Code) String() string {
	if text, is := texts[c]; is {
		return text
	}
	return fmt.Sprintf("error number %d", uint16(c))
}

// Error says what is wrong with a server's certificates.
type Error struct {
	Code Code
	// Certificate is the one that is at fault, of the server or of its chain; it may be nil.
	Certificate *x509.Certificate
	// Detail says more about it, such as "ended at 2026-01-31T00:00:00Z".
	Detail string
}

// Error is OpenSSL's text, the subject of the certificate and the details.
func (e *Error) Error() string {
	if e.Certificate == nil {
		return fmt.Sprintf("%v: %s", e.Code, e.Detail)
	}
	return fmt.Sprintf("%v: certificate %q: %s", e.Code, e.Certificate.Subject, e.Detail)
}

func fault(code Code, c *x509.Certificate, format string, args ...any) *Error {
	return &Error{Code: code, Certificate: c, Detail: fmt.Sprintf(format, args...)}
}
