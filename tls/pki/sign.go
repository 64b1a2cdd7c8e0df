package pki

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"strings"
	"time"

	"sluice/tls/dn"
)

// DefaultValidity is how long a self-signed certificate holds unless its template says otherwise.
const DefaultValidity = 5 * 365 * 24 * time.Hour

// backdate is how long before it was made a certificate holds, for clients whose clocks are slow.
const backdate = time.Hour

// Template says what a certificate, or a request for one, is to carry.
type Template struct {
	Subject    string       // distinguished name as [dn.Parse] reads it
	DomainName string       // dNSName of the subject alternative name, or ""
	Email      string       // rfc822Name, or ""
	Addresses  []netip.Addr // iPAddress
	CA         bool         // fit to sign others: basicConstraints CA:TRUE, keyCertSign
	Digest     string       // sha-256 ("" too), sha-384 or sha-512
	Validity   time.Duration
}

// SelfSign makes a self-signed certificate for the key pair id.
func (s *Store) SelfSign(id string, t Template) error {
	return s.change(func() error {
		l, ok := s.Local(id)
		switch {
		case !ok:
			return fmt.Errorf("%w: generate it first", &MissingError{"key pair", id})
		case l.Certificate != nil:
			return fmt.Errorf("the key pair %s has a certificate already: clear the local certificate first", id)
		}
		certificate, err := selfSigned(l.Key, t, s.now())
		if err != nil {
			return err
		}
		with := *l
		with.Certificate, with.CertificateModified = certificate, s.now()
		return s.put(&with)
	})
}

// selfSigned makes a self-signed certificate.
func selfSigned(key crypto.Signer, t Template, now time.Time) (*x509.Certificate, error) {
	names, err := t.names()
	if err != nil {
		return nil, err
	}
	number, err := serial()
	if err != nil {
		return nil, err
	}
	keyID, err := subjectKeyID(key.Public())
	if err != nil {
		return nil, err
	}
	validity := t.Validity
	if validity == 0 {
		validity = DefaultValidity
	}
	kind, bits := KeyKind(key.Public())
	template := &x509.Certificate{
		SerialNumber: number, RawSubject: names.subject, SubjectKeyId: keyID, AuthorityKeyId: keyID,
		NotBefore: now.Add(-backdate), NotAfter: now.Add(validity),
		DNSNames: names.dns, EmailAddresses: names.emails, IPAddresses: names.addresses,
		BasicConstraintsValid: true, IsCA: t.CA, KeyUsage: x509.KeyUsageDigitalSignature,
		SignatureAlgorithm: signature(kind, bits, t.Digest),
	}
	switch {
	case t.CA:
		template.KeyUsage |= x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	case kind == RSA:
		template.KeyUsage |= x509.KeyUsageKeyEncipherment
		fallthrough
	default:
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("the certificate cannot be made: %w", err)
	}
	return x509.ParseCertificate(der)
}

// Request makes a PKCS #10 certificate request (RFC 2986) for the key pair id, as PEM. The store
// keeps the last one.
func (s *Store) Request(id string, t Template) (request []byte, err error) {
	err = s.change(func() error {
		l, ok := s.Local(id)
		if !ok {
			return fmt.Errorf("%w: generate it first", &MissingError{"key pair", id})
		}
		made, err := certificateRequest(l.Key, t)
		if err != nil {
			return err
		}
		with := *l
		with.Request = made
		request = pem.EncodeToMemory(&pem.Block{Type: blockRequest, Bytes: made.Raw})
		return s.put(&with)
	})
	return request, err
}

// oidBasicConstraints is the extension of RFC 5280, section 4.2.1.9.
var oidBasicConstraints = asn1.ObjectIdentifier{2, 5, 29, 19}

// certificateRequest makes and signs a request.
func certificateRequest(key crypto.Signer, t Template) (*x509.CertificateRequest, error) {
	names, err := t.names()
	if err != nil {
		return nil, err
	}
	kind, bits := KeyKind(key.Public())
	template := &x509.CertificateRequest{
		RawSubject: names.subject, DNSNames: names.dns, EmailAddresses: names.emails, IPAddresses: names.addresses,
		SignatureAlgorithm: signature(kind, bits, t.Digest),
	}
	if t.CA {
		value, err := asn1.Marshal(struct{ CA bool }{true})
		if err != nil {
			return nil, err
		}
		template.ExtraExtensions = []pkix.Extension{{Id: oidBasicConstraints, Critical: true, Value: value}}
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	if err != nil {
		return nil, fmt.Errorf("the certificate request cannot be made: %w", err)
	}
	return x509.ParseCertificateRequest(der)
}

// names are the names of a template, checked and encoded.
type names struct {
	subject     []byte
	dns, emails []string
	addresses   []net.IP
}

func (t Template) names() (n names, err error) {
	switch t.Digest {
	case "", "sha-256", "sha-384", "sha-512":
	case "sha-1", "md5":
		return n, fmt.Errorf("the digest %s is broken and no client accepts it: use sha-256, sha-384 or sha-512", t.Digest)
	default:
		return n, fmt.Errorf("there is no digest %q: use sha-256, sha-384 or sha-512", t.Digest)
	}
	if n.subject, err = dn.Parse(t.Subject); err != nil {
		return n, fmt.Errorf("subject: %w", err)
	}
	if t.DomainName != "" {
		if !isDomain(t.DomainName) {
			return n, fmt.Errorf("domain-name: %q is not a domain name (proxy.example.com; international names as xn--…)", t.DomainName)
		}
		n.dns = []string{t.DomainName}
	}
	if t.Email != "" {
		parsed, err := mail.ParseAddress(t.Email)
		if err != nil || parsed.Address != t.Email {
			return n, fmt.Errorf("email: %q is not an address (admin@example.com)", t.Email)
		}
		n.emails = []string{t.Email}
	}
	for _, a := range t.Addresses {
		if !a.IsValid() || a.Zone() != "" {
			return n, fmt.Errorf("ip-address: %q is not an address that a certificate can carry", a)
		}
		n.addresses = append(n.addresses, a.Unmap().AsSlice())
	}
	return n, nil
}

// isDomain says whether name is a host name, or one with a wildcard as its first label.
func isDomain(name string) bool {
	name = strings.TrimPrefix(name, "*.")
	if len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "-") != label {
			return false
		}
		for _, c := range []byte(label) {
			if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
				return false
			}
		}
	}
	return true
}

// signature is the algorithm for a key and digest. Without a digest an ECDSA key has that of its
// strength.
func signature(kind string, bits int, digest string) x509.SignatureAlgorithm {
	if digest == "" && kind == ECDSA {
		digest = map[int]string{256: "sha-256", 384: "sha-384", 521: "sha-512"}[bits]
	}
	switch {
	case kind == ECDSA && digest == "sha-384":
		return x509.ECDSAWithSHA384
	case kind == ECDSA && digest == "sha-512":
		return x509.ECDSAWithSHA512
	case kind == ECDSA:
		return x509.ECDSAWithSHA256
	case digest == "sha-384":
		return x509.SHA384WithRSA
	case digest == "sha-512":
		return x509.SHA512WithRSA
	}
	return x509.SHA256WithRSA
}

// subjectKeyID is the identifier of a key by its digest (RFC 7093, section 2, method 1).
func subjectKeyID(public crypto.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, err
	}
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &info); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(info.Key.Bytes)
	return sum[:20], nil
}
