package verify

import (
	"bytes"
	"crypto/x509"
	"errors"
)

// ending is how a path ends.
type ending uint8

const (
	trusted    ending = iota // at a trusted certificate
	selfSigned               // at a certificate that is signed with its own key and not trusted
	unknown                  // at a certificate whose issuer is not known
	tooLong                  // not at all
)

const (
	// maxPath is how many certificates a path may have.
	maxPath = 16
	// maxSignatures is how many signatures are checked to find a path.
	maxSignatures = 64
)

// path follows the issuers' names from the server's certificate as far as it leads. Where several
// certificates have the name of an issuer, it goes on with the one that fits best.
func (r *Request) path() ([]*x509.Certificate, ending) {
	chain := []*x509.Certificate{r.Certificates[0]}
	signatures := maxSignatures
	for len(chain) <= maxPath {
		last := chain[len(chain)-1]
		switch {
		case r.trusts(last):
			return chain, trusted
		case isSelfSigned(last):
			return chain, selfSigned
		}
		issuer := r.issuer(last, chain, &signatures)
		if issuer == nil {
			return chain, unknown
		}
		chain = append(chain, issuer)
	}
	return chain, tooLong
}

// issuer finds the certificate that fits best as the issuer of c; nil: none has its issuer's name.
func (r *Request) issuer(c *x509.Certificate, chain []*x509.Certificate, signatures *int) *x509.Certificate {
	var best *x509.Certificate
	bestScore := -1
	consider := func(candidates []*x509.Certificate, score int) {
		for _, candidate := range candidates {
			if !bytes.Equal(candidate.RawSubject, c.RawIssuer) || contains(chain, candidate) || rsaBits(candidate) > maxRSABits {
				continue
			}
			s := score
			if *signatures > 0 {
				*signatures--
				if signedBy(c, candidate) {
					s += 8
				}
			}
			if bytes.Equal(c.AuthorityKeyId, candidate.SubjectKeyId) {
				s += 4
			}
			if !r.Now.Before(candidate.NotBefore) && !r.Now.After(candidate.NotAfter) {
				s++
			}
			if s > bestScore {
				best, bestScore = candidate, s
			}
		}
	}
	consider(r.RootList, 2)
	consider(r.Certificates[1:], 0)
	consider(r.Forbidden, 0)
	return best
}

func (r *Request) trusts(c *x509.Certificate) bool { return contains(r.RootList, c) }

func contains(list []*x509.Certificate, c *x509.Certificate) bool {
	for _, e := range list {
		if e.Equal(c) {
			return true
		}
	}
	return false
}

// signedBy says whether the key of parent made the signature of c, whatever parent may sign.
func signedBy(c, parent *x509.Certificate) bool {
	return parent.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

// isSelfSigned says whether c is signed with its own key. Where the signature is of a kind that is no longer
// checked, the names decide, as they do for OpenSSL.
func isSelfSigned(c *x509.Certificate) bool {
	if !bytes.Equal(c.RawSubject, c.RawIssuer) {
		return false
	}
	if len(c.AuthorityKeyId) > 0 && len(c.SubjectKeyId) > 0 && !bytes.Equal(c.AuthorityKeyId, c.SubjectKeyId) {
		return false
	}
	err := c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature)
	return err == nil || isWeakDigest(c.SignatureAlgorithm) || errors.Is(err, x509.ErrUnsupportedAlgorithm)
}
