package pki

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"

	"sluice/tls/dn"
)

// LoadLocal loads a certificate with its chain (PEM or DER, the certificate first, then each issuer
// in order; or a PKCS #12 file, which has the key too) and its private key. Without a key, the key
// pair that exists under id must be the certificate's. What was loaded under id before is replaced.
func (s *Store) LoadLocal(id string, certificate, key, passphrase []byte) error {
	if err := CheckName(id); err != nil {
		return err
	}
	if !isPEM(certificate) && isPKCS12(certificate) {
		return s.LoadPKCS12(id, certificate, passphrase)
	}
	chain, err := readChain(certificate)
	if err != nil {
		return fmt.Errorf("certificate file: %w", err)
	}
	var private crypto.Signer
	if key != nil {
		if private, err = privateKey(key, passphrase); err != nil {
			return fmt.Errorf("key file: %w", err)
		}
	}
	return s.load(id, private, chain)
}

// LoadPKCS12 loads a key, its certificate and chain from a PKCS #12 file.
func (s *Store) LoadPKCS12(id string, data, passphrase []byte) error {
	if err := CheckName(id); err != nil {
		return err
	}
	key, leaf, others, err := readPKCS12(data, passphrase)
	if err != nil {
		return err
	}
	chain, err := order(leaf, others)
	if err != nil {
		return err
	}
	return s.load(id, key, chain)
}

// load puts a certificate with its chain under id. key is nil when it is there already.
func (s *Store) load(id string, key crypto.Signer, chain []*x509.Certificate) error {
	return s.change(func() error {
		now := s.now()
		old, there := s.Local(id)
		l := &Local{ID: id, Key: key, Certificate: chain[0], Chain: chain[1:], CertificateModified: now, KeyModified: now}
		if there {
			l.Request = old.Request
			if key == nil || equalKeys(key.Public(), old.Key.Public()) {
				l.Key, l.KeyModified = old.Key, old.KeyModified
			} else if old.Certificate == nil {
				return fmt.Errorf("the key pair %s waits for its certificate, and the key of the file is another: choose another certificate-id, or clear the key pair first", id)
			} else {
				l.Request = nil
			}
		}
		switch {
		case l.Key == nil:
			return fmt.Errorf("%w: name the file of the private key, or generate the key pair and request the certificate for it", &MissingError{"key pair", id})
		case !equalKeys(l.Key.Public(), l.Certificate.PublicKey):
			return errors.New("the key does not belong to the certificate: their public keys differ")
		}
		return s.put(l)
	})
}

// readChain reads a certificate and the issuers that follow it. Each must have signed the one before
// it; a root at the end is kept.
func readChain(data []byte) ([]*x509.Certificate, error) {
	list, err := certificates(data)
	if err != nil {
		return nil, err
	}
	chain := make([]*x509.Certificate, len(list))
	for i, p := range list {
		if p.err != nil {
			return nil, fmt.Errorf("certificate %d of %d: %w", i+1, len(list), p.err)
		}
		chain[i] = p.certificate
	}
	for i := 1; i < len(chain); i++ {
		if err := signed(chain[i-1], chain[i]); err != nil {
			return nil, fmt.Errorf("certificate %d (%s) is not the issuer of certificate %d (%s): %w; the certificate comes first, then each issuer in order",
				i+1, dn.Comma(chain[i].RawSubject), i, dn.Comma(chain[i-1].RawSubject), err)
		}
	}
	return chain, nil
}

// order makes a chain of a certificate and others in any order. Others that are not its issuers are
// left out.
func order(leaf *x509.Certificate, others []*x509.Certificate) ([]*x509.Certificate, error) {
	chain := []*x509.Certificate{leaf}
	for last := leaf; !isSelfIssued(last) && len(chain) <= len(others); {
		next := issuer(last, others)
		if next == nil {
			break
		}
		chain, last = append(chain, next), next
	}
	return chain, nil
}

// issuer is the one of candidates that signed c, or nil.
func issuer(c *x509.Certificate, candidates []*x509.Certificate) *x509.Certificate {
	for _, candidate := range candidates {
		if bytes.Equal(c.RawIssuer, candidate.RawSubject) && signed(c, candidate) == nil {
			return candidate
		}
	}
	return nil
}

// signed says why parent has not signed c.
func signed(c, parent *x509.Certificate) error {
	if !bytes.Equal(c.RawIssuer, parent.RawSubject) {
		return fmt.Errorf("the issuer is %s", dn.Comma(c.RawIssuer))
	}
	return c.CheckSignatureFrom(parent)
}

// isSelfIssued says whether the name of the subject is that of the issuer.
func isSelfIssued(c *x509.Certificate) bool { return bytes.Equal(c.RawIssuer, c.RawSubject) }

// LoadCA loads the one certificate of a CA profile, in place of what it had.
func (s *Store) LoadCA(profile string, data []byte) error {
	if err := CheckName(profile); err != nil {
		return err
	}
	list, err := certificates(data)
	switch {
	case err != nil:
		return err
	case list[0].err != nil:
		return list[0].err
	case len(list) > 1:
		return fmt.Errorf("the file has %d certificates; a CA profile has one: load several as a group", len(list))
	}
	if err := mayIssue(list[0].certificate); err != nil {
		return err
	}
	return s.change(func() error {
		c := &CA{Name: profile, Certificate: list[0].certificate, Modified: s.now()}
		if err := s.write(profileFolder, profile, encodeProfile(c)); err != nil {
			return err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.profiles[profile] = c
		return nil
	})
}

// mayIssue refuses what is no authority. Roots of X.509 version 1 have no constraints that could say
// so (RFC 5280, section 6.1.4, leaves them to the operator).
func mayIssue(c *x509.Certificate) error {
	switch {
	case c.Version < 3 && isSelfIssued(c):
		return nil
	case !c.BasicConstraintsValid || !c.IsCA:
		return fmt.Errorf("%s is not a CA certificate: its basic constraints do not say CA:TRUE", dn.Comma(c.RawSubject))
	case c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCertSign == 0:
		return fmt.Errorf("%s may not sign certificates: its key usage does not say so", dn.Comma(c.RawSubject))
	}
	return nil
}
