package pki

import (
	"bytes"
	"crypto/x509"
	"slices"

	"sluice/store/schema"
)

// All stands for every CA profile and group.
const All = "all"

// Trust is whom a configuration trusts: the groups of a store, and those of its CA profiles that the
// configuration has. It sees every change of the store.
type Trust struct {
	store    *Store
	profiles []schema.CAProfile
}

// Trust is whom cfg trusts.
func (s *Store) Trust(cfg *schema.PKI) Trust { return Trust{s, cfg.CAProfiles} }

// CAs are the certificates that a name stands for: of a profile, a group, a member of a group, or
// [All]. ok is false when there is nothing of that name; a profile may have no certificate yet.
func (t Trust) CAs(name string) (list []*x509.Certificate, ok bool) {
	members := t.store.CAGroup(name)
	ok = members != nil || t.has(name) || name == All
	if name == All {
		members = t.store.CAs()
	}
	for _, c := range append(members, t.store.CAProfile(name)...) {
		if c.Group != "" || t.has(c.Name) {
			list, ok = append(list, c.Certificate), true
		}
	}
	return list, ok
}

// has says whether the configuration has a profile.
func (t Trust) has(profile string) bool {
	return slices.ContainsFunc(t.profiles, func(p schema.CAProfile) bool { return p.Name == profile })
}

// CANames are the names of profiles and groups.
func (t Trust) CANames() []string {
	names := t.store.CAGroups()
	for _, p := range t.profiles {
		names = append(names, p.Name)
	}
	return names
}

// RevocationDisabled says whether a profile with the certificate of an issuer says that revocation is
// not looked up for what the issuer signed.
func (t Trust) RevocationDisabled(issuer *x509.Certificate) bool {
	for _, p := range t.profiles {
		if !p.Revocation.Disable {
			continue
		}
		for _, c := range t.store.CAProfile(p.Name) {
			if bytes.Equal(c.Certificate.RawSubject, issuer.RawSubject) && equalKeys(c.Certificate.PublicKey, issuer.PublicKey) {
				return true
			}
		}
	}
	return false
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
