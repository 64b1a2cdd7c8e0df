package pki

import (
	"crypto/x509"
	"fmt"

	"sluice/store/schema"
)

// All stands for every CA profile and group.
const All = "all"

// TrustPool gathers the authorities that names stand for: "all", profiles, groups, members of groups.
// Of profiles only those count that cfg has; a profile whose certificate is not loaded yet adds
// nothing. The error names what does not exist. The list has each authority once, in order.
func (s *Store) TrustPool(cfg *schema.PKI, names []string) (*x509.CertPool, []*x509.Certificate, error) {
	configured := map[string]bool{}
	for _, p := range cfg.CAProfiles {
		configured[p.Name] = true
	}
	var members []*CA
	for _, name := range names {
		group, profile := s.CAGroup(name), s.CAProfile(name)
		if name == All {
			group = s.CAs()
		}
		if group == nil && name != All && !configured[name] && (profile == nil || profile[0].Group == "") {
			return nil, nil, fmt.Errorf("there is no ca-profile or CA profile group %s", name)
		}
		members = append(append(members, group...), profile...)
	}
	pool := x509.NewCertPool()
	var list []*x509.Certificate
	seen := map[[32]byte]bool{}
	for _, c := range members {
		if sum := Fingerprint(c.Certificate); !seen[sum] && (c.Group != "" || configured[c.Name]) {
			seen[sum] = true
			pool.AddCert(c.Certificate)
			list = append(list, c.Certificate)
		}
	}
	return pool, list, nil
}

// Chain is what a server that presents l sends after its certificate: its issuers as far as they are
// known, from what was loaded with it and from all authorities, in order. The root is left out, since
// clients must have it (RFC 8446, section 4.4.2).
func (s *Store) Chain(l *Local) []*x509.Certificate {
	candidates := append([]*x509.Certificate(nil), l.Chain...)
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

// maxChain bounds how many issuers are followed.
const maxChain = 10

// Verify says why the certificate of l does not chain to an authority that is loaded, or is not valid
// now. A self-signed certificate stands for itself.
func (s *Store) Verify(l *Local) error {
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	for _, c := range s.CAs() {
		roots.AddCert(c.Certificate)
	}
	for _, c := range l.Chain {
		intermediates.AddCert(c)
	}
	if isSelfIssued(l.Certificate) {
		roots.AddCert(l.Certificate)
	}
	_, err := l.Certificate.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: intermediates, CurrentTime: s.now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	return err
}

// VerifyCA says why the certificate of an authority is not valid now, or, where it is no root, does
// not chain to one that is loaded.
func (s *Store) VerifyCA(c *CA) error {
	return s.Verify(&Local{Certificate: c.Certificate})
}
