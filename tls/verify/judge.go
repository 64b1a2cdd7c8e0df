package verify

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"time"
)

// check finds a fault of a path that ends in a way; nil: there is none.
type check func(chain []*x509.Certificate, end ending) *Error

// checks are what a path is checked for, in OpenSSL's order: how it was built, extensions, strength, names.
// Signatures and times come then, which are in order in a chain that the library built, and constraints of
// names last.
func (r *Request) checks() []check {
	return []check{r.checkForbidden, r.checkEnd, r.checkExtensions, r.checkStrength, r.checkNames}
}

// first is the first fault that checks find.
func first(chain []*x509.Certificate, end ending, checks []check) *Error {
	for _, c := range checks {
		if e := c(chain, end); e != nil {
			return e
		}
	}
	return nil
}

// checkForbidden refuses the keys that the gateway itself forges with: who shows one of its own
// certificates as a server's replays what a client was shown, or has stolen a key.
func (r *Request) checkForbidden(chain []*x509.Certificate, _ ending) *Error {
	for _, c := range chain {
		for _, f := range r.Forbidden {
			if bytes.Equal(c.RawSubjectPublicKeyInfo, f.RawSubjectPublicKeyInfo) {
				return fault(Rejected, c, "its key is the gateway's own; no server may be vouched for with it")
			}
		}
	}
	return nil
}

// checkEnd refuses paths that do not end at a trusted certificate.
func (r *Request) checkEnd(chain []*x509.Certificate, end ending) *Error {
	last := chain[len(chain)-1]
	switch {
	case end == selfSigned && len(chain) == 1:
		return fault(DepthZeroSelfSigned, last, "is not trusted")
	case end == selfSigned:
		return fault(SelfSignedInChain, last, "is not trusted")
	case end == unknown && len(chain) == 1 && len(r.Certificates) > 1:
		return fault(UnverifiedLeaf, last, "none of the other certificates that the server sent is its issuer %q", last.Issuer)
	case end == unknown:
		return fault(NoLocalIssuer, last, "its issuer %q was neither sent by the server nor is it trusted", last.Issuer)
	case end == tooLong:
		return fault(ChainTooLong, chain[0], "more than %d certificates lead from it", maxPath)
	}
	return nil
}

// checkExtensions refuses certificates that are used for what they were not made for (RFC 5280, 6.1.4).
func (r *Request) checkExtensions(chain []*x509.Certificate, _ ending) *Error {
	below := 0
	for i, c := range chain {
		if len(c.UnhandledCriticalExtensions) > 0 {
			return fault(UnhandledCritical, c, "has the critical extension %v, which is not known", c.UnhandledCriticalExtensions[0])
		}
		if i == 0 {
			if e := checkServer(c); e != nil {
				return e
			}
			if c.BasicConstraintsValid && c.IsCA && len(chain) > 1 {
				return fault(InvalidNonCA, c, "is an authority's, and not trusted as it is")
			}
			continue
		}
		root := i == len(chain)-1
		if e := checkAuthority(c, root, below); e != nil {
			return e
		}
		if !bytes.Equal(c.RawSubject, c.RawIssuer) {
			below++
		}
	}
	return nil
}

// checkServer refuses certificates that are not made for TLS servers.
func checkServer(c *x509.Certificate) *Error {
	if c.Version != 3 {
		return fault(Application, c, "is of X.509 version %d; servers need version 3", c.Version)
	}
	const forServers = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageKeyAgreement
	if c.KeyUsage != 0 && c.KeyUsage&forServers == 0 {
		return fault(InvalidPurpose, c, "its key usage does not let it serve TLS")
	}
	if restrictsUsage(c) && !allows(c, x509.ExtKeyUsageServerAuth) {
		return fault(InvalidPurpose, c, "its extended key usage does not include server authentication")
	}
	return nil
}

// checkAuthority refuses certificates that may not sign others, or not for servers, or not so many
// below them. Version 1 has no extensions: such a root is an authority because it is trusted.
func checkAuthority(c *x509.Certificate, root bool, below int) *Error {
	switch {
	case root && c.Version < 3:
	case !c.BasicConstraintsValid || !c.IsCA:
		return fault(InvalidCA, c, "is not an authority, and signed another certificate")
	}
	if c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCertSign == 0 {
		return fault(NoCertSign, c, "its key usage does not let it sign certificates")
	}
	if c.BasicConstraintsValid && c.MaxPathLen >= 0 && below > c.MaxPathLen {
		return fault(PathLengthExceeded, c, "allows %d authorities below it, and %d are", c.MaxPathLen, below)
	}
	if restrictsUsage(c) && !allows(c, x509.ExtKeyUsageServerAuth) && !allows(c, x509.ExtKeyUsageAny) {
		return fault(InvalidPurpose, c, "its extended key usage does not let it vouch for servers")
	}
	return nil
}

func restrictsUsage(c *x509.Certificate) bool {
	return len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) > 0
}

func allows(c *x509.Certificate, usage x509.ExtKeyUsage) bool {
	for _, u := range c.ExtKeyUsage {
		if u == usage {
			return true
		}
	}
	return false
}

// checkStrength refuses weak keys, and weak digests in all signatures but that of the trusted
// certificate, which nothing depends on.
func (r *Request) checkStrength(chain []*x509.Certificate, end ending) *Error {
	for i, c := range chain {
		if weakness := r.weakness(c); weakness != "" {
			code := EEKeyTooSmall
			if i > 0 {
				code = CAKeyTooSmall
			}
			return fault(code, c, "%s", weakness)
		}
		if end == trusted && i == len(chain)-1 {
			break
		}
		if isWeakDigest(c.SignatureAlgorithm) {
			return fault(CADigestTooWeak, c, "is signed with %v", c.SignatureAlgorithm)
		}
	}
	return nil
}

// weakness says what is wrong with the key of a certificate; "": nothing.
func (r *Request) weakness(c *x509.Certificate) string {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		switch {
		case key.N.BitLen() < r.MinRSABits:
			return "its RSA key is shorter than allowed"
		case key.E < 3 || key.E%2 == 0:
			return "the exponent of its RSA key is no exponent"
		}
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P224() {
			return "its key is on the curve P-224, which TLS no longer has"
		}
	case ed25519.PublicKey:
	default:
		return "its key is of a kind that TLS servers may not have"
	}
	return ""
}

func isWeakDigest(a x509.SignatureAlgorithm) bool {
	switch a {
	case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1:
		return true
	}
	return false
}

// rsaBits is the size of the RSA key of a certificate; 0: its key is of another kind.
func rsaBits(c *x509.Certificate) int {
	if key, is := c.PublicKey.(*rsa.PublicKey); is {
		return key.N.BitLen()
	}
	return 0
}

// checkSignatures refuses wrong signatures, and certificates before and after their time, from the root
// down.
func (r *Request) checkSignatures(chain []*x509.Certificate, _ ending) *Error {
	for i := len(chain) - 1; i >= 0; i-- {
		c := chain[i]
		if i < len(chain)-1 && !signedBy(c, chain[i+1]) {
			return fault(SignatureFailure, c, "was not signed with the key of %q", chain[i+1].Subject)
		}
		if r.Now.Before(c.NotBefore) {
			return fault(NotYetValid, c, "begins at %s", c.NotBefore.UTC().Format(time.RFC3339))
		}
		if r.Now.After(c.NotAfter) {
			return fault(HasExpired, c, "ended at %s", c.NotAfter.UTC().Format(time.RFC3339))
		}
	}
	return nil
}
