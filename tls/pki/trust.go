package pki

import (
	"crypto/x509"
	"fmt"
	"slices"

	"sluice/store/schema"
)

// All stands for every CA profile and group.
const All = "all"

// TrustPool gathers the authorities that names stand for: "all", profiles, groups, members of groups.
// Of profiles only those count that cfg has; one whose certificate is not loaded yet adds nothing. The
// error names what does not exist. The list has each authority once, in order.
func (s *Store) TrustPool(cfg *schema.PKI, names []string) (*x509.CertPool, []*x509.Certificate, error) {
	configured := map[string]bool{}
	for _, p := range cfg.CAProfiles {
		configured[p.Name] = true
	}
	pool, seen := x509.NewCertPool(), map[[32]byte]bool{}
	var list []*x509.Certificate
	for _, name := range names {
		members := append(s.CAGroup(name), s.CAProfile(name)...)
		if name == All {
			members = s.CAs()
		}
		exists := name == All || configured[name]
		for _, c := range members {
			if c.Group == "" && !configured[c.Name] {
				continue
			}
			exists = true
			if sum := Fingerprint(c.Certificate); !seen[sum] {
				seen[sum] = true
				pool.AddCert(c.Certificate)
				list = append(list, c.Certificate)
			}
		}
		if !exists {
			return nil, nil, fmt.Errorf("there is no ca-profile or CA profile group %s", name)
		}
	}
	return pool, list, nil
}

// Check warns of profiles of cfg that have no certificate.
func (s *Store) Check(cfg *schema.PKI) []schema.Problem {
	var problems []schema.Problem
	for _, p := range cfg.CAProfiles {
		path := "security pki ca-profile " + p.Name
		if err := CheckName(p.Name); err != nil {
			problems = append(problems, schema.Errorf(path, "%v", err))
		} else if len(s.CAProfile(p.Name)) == 0 {
			problems = append(problems, schema.Problem{Path: path, Message: "no certificate is loaded, so that nothing is trusted by this profile", Warning: true,
				Hint: "request security pki ca-certificate load ca-profile " + p.Name + " filename FILE"})
		}
	}
	return problems
}

// maxChain bounds how many issuers are followed.
const maxChain = 10

// Chain is what a server that presents l sends after its certificate: its issuers as far as they are
// known, from what was loaded with it and from all authorities, in order. The root is left out, since
// clients must have it (RFC 8446, section 4.4.2).
func (s *Store) Chain(l *Local) []*x509.Certificate {
	candidates := slices.Clone(l.Chain)
	for _, c := range s.CAs() {
		candidates = append(candidates, c.Certificate)
	}
	var chain []*x509.Certificate
	for last := l.Certificate; last != nil && !isSelfIssued(last) && len(chain) < maxChain; {
		next := issuer(last, candidates)
		if next == nil || isSelfIssued(next) {
			break
		}
		chain, last = append(chain, next), next
	}
	return chain
}

// Verify says why the certificate of l does not chain to an authority that is loaded, or is not valid
// now. A self-signed certificate stands for itself.
func (s *Store) Verify(l *Local) error { return s.verify(l.Certificate, l.Chain) }

// VerifyCA says why the certificate of an authority is not valid now or, where it is no root, does not
// chain to one that is loaded.
func (s *Store) VerifyCA(c *CA) error { return s.verify(c.Certificate, nil) }

func (s *Store) verify(certificate *x509.Certificate, chain []*x509.Certificate) error {
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	for _, c := range s.CAs() {
		if isSelfIssued(c.Certificate) {
			roots.AddCert(c.Certificate)
		} else {
			intermediates.AddCert(c.Certificate)
		}
	}
	for _, c := range chain {
		intermediates.AddCert(c)
	}
	if isSelfIssued(certificate) {
		roots.AddCert(certificate)
	}
	_, err := certificate.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: intermediates, CurrentTime: s.now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	return err
}
