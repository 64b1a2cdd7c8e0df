package manage

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"

	"sluice/manage/view"
	"sluice/store/schema"
	"sluice/tls/dn"
	"sluice/tls/pki"
)

func showLocals(s *Server, r *request) (view.View, error) {
	store, err := s.certificates()
	if err != nil {
		return nil, err
	}
	answer := &view.Certificates{Certificates: []view.Certificate{}, Detail: r.args.Has("detail")}
	for _, l := range store.Locals() {
		if l.Certificate != nil && r.wants("certificate-id", l.ID) {
			answer.Certificates = append(answer.Certificates, localView(l))
		}
	}
	if len(answer.Certificates) == 0 && r.args.Has("certificate-id") {
		return nil, missing(pki.MissingError{What: "local certificate", Name: r.args["certificate-id"]})
	}
	return answer, nil
}

// wants says whether an option is absent or has this value.
func (r *request) wants(option, value string) bool {
	return !r.args.Has(option) || r.args[option] == value
}

func showCAs(s *Server, r *request) (view.View, error) {
	store, err := s.certificates()
	if err != nil {
		return nil, err
	}
	list := store.CAs()
	switch {
	case r.args.Has("ca-profile"):
		if list = store.CAProfile(r.args["ca-profile"]); len(list) == 0 {
			return nil, missing(pki.MissingError{What: "CA certificate of profile", Name: r.args["ca-profile"]})
		}
	case r.args.Has("ca-profile-group"):
		if list = store.CAGroup(r.args["ca-profile-group"]); len(list) == 0 {
			return nil, missing(pki.MissingError{What: "CA profile group", Name: r.args["ca-profile-group"]})
		}
	}
	answer := &view.Certificates{Certificates: []view.Certificate{}, Detail: r.args.Has("detail")}
	for _, c := range list {
		answer.Certificates = append(answer.Certificates, s.caView(c))
	}
	return answer, nil
}

func showKeyPairs(s *Server, r *request) (view.View, error) {
	store, err := s.certificates()
	if err != nil {
		return nil, err
	}
	answer := &view.KeyPairs{KeyPairs: []view.KeyPair{}}
	for _, l := range store.Locals() {
		if r.wants("certificate-id", l.ID) {
			kind, bits := pki.KeyKind(l.Key.Public())
			answer.KeyPairs = append(answer.KeyPairs, view.KeyPair{ID: l.ID, Kind: kind, Bits: bits, Modified: l.KeyModified, Certificate: l.Certificate != nil, Request: l.Request != nil})
		}
	}
	if len(answer.KeyPairs) == 0 && r.args.Has("certificate-id") {
		return nil, missing(pki.MissingError{What: "key pair", Name: r.args["certificate-id"]})
	}
	return answer, nil
}

func showRequests(s *Server, r *request) (view.View, error) {
	store, err := s.certificates()
	if err != nil {
		return nil, err
	}
	answer := &view.CertificateRequests{Requests: []view.CertificateRequest{}, Detail: r.args.Has("detail")}
	for _, l := range store.Locals() {
		if l.Request == nil || !r.wants("certificate-id", l.ID) {
			continue
		}
		c := l.Request
		_, bits := pki.KeyKind(c.PublicKey)
		sum := sha256.Sum256(c.Raw)
		answer.Requests = append(answer.Requests, view.CertificateRequest{
			ID: l.ID, Subject: nameView(c.RawSubject), AlternateNames: alternateNames(c.EmailAddresses, c.DNSNames, c.IPAddresses, nil),
			KeyAlgorithm: keyAlgorithm(c.RawSubjectPublicKeyInfo), KeyBits: bits, SignatureAlgorithm: signatureAlgorithm(c.SignatureAlgorithm), SHA256: hex.EncodeToString(sum[:]),
			PEM: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: c.Raw})),
		})
	}
	if len(answer.Requests) == 0 && r.args.Has("certificate-id") {
		return nil, missing(pki.MissingError{What: "certificate request", Name: r.args["certificate-id"]})
	}
	return answer, nil
}

// showSSLCertificates makes the handler that shows certificates as services ssl does.
func showSSLCertificates(style string) handler {
	return func(s *Server, r *request) (view.View, error) {
		store, err := s.certificates()
		if err != nil {
			return nil, err
		}
		answer := &view.SSLCertificates{Style: style, Certificates: []view.Certificate{}}
		for _, l := range store.Locals() {
			if l.Certificate != nil && r.wants("certificate-id", l.ID) {
				answer.Certificates = append(answer.Certificates, localView(l))
			}
		}
		for _, c := range store.CAs() {
			if r.wants("certificate-id", c.Name) {
				answer.Certificates = append(answer.Certificates, s.caView(c))
			}
		}
		if len(answer.Certificates) == 0 && r.args.Has("certificate-id") {
			return nil, missing(pki.MissingError{What: "certificate", Name: r.args["certificate-id"]})
		}
		return answer, nil
	}
}

// localView is a certificate of the gateway's own as commands show it.
func localView(l *pki.Local) view.Certificate {
	v := certificateView(l.ID, l.Certificate)
	v.Local, v.Modified, v.KeyModified = true, l.CertificateModified, l.KeyModified
	for _, c := range l.Chain {
		v.Chain = append(v.Chain, nameView(c.RawSubject))
	}
	return v
}

// caView is the certificate of an authority as commands show it, with what is known of its
// revocation list.
func (s *Server) caView(c *pki.CA) view.Certificate {
	v := certificateView(c.Name, c.Certificate)
	v.Group, v.Modified = c.Group, c.Modified
	cfg, _ := s.options.Store.Active()
	check := !slices.ContainsFunc(cfg.Security.PKI.CAProfiles, func(p schema.CAProfile) bool { return p.Name == c.Name && p.Revocation.Disable })
	v.CRL = &view.CRL{Check: check, CheckOnDownloadFails: check}
	if s.options.Revocation != nil {
		v.CRL.Present, v.CRL.DownloadFailed = s.options.Revocation.CRL(c.Certificate)
	}
	return v
}

// certificateView is what every certificate has.
func certificateView(id string, c *x509.Certificate) view.Certificate {
	_, bits := pki.KeyKind(c.PublicKey)
	sum1, sum256 := sha1.Sum(c.Raw), sha256.Sum256(c.Raw)
	var uris []string
	for _, u := range c.URIs {
		uris = append(uris, u.String())
	}
	serial := c.SerialNumber.Bytes()
	if len(serial) == 0 {
		serial = []byte{0}
	}
	v := view.Certificate{
		ID: id, Version: c.Version, Serial: hex.EncodeToString(serial), Issuer: nameView(c.RawIssuer), Subject: nameView(c.RawSubject),
		AlternateNames: alternateNames(c.EmailAddresses, c.DNSNames, c.IPAddresses, uris), NotBefore: c.NotBefore, NotAfter: c.NotAfter,
		KeyAlgorithm: keyAlgorithm(c.RawSubjectPublicKeyInfo), KeyBits: bits, SignatureAlgorithm: signatureAlgorithm(c.SignatureAlgorithm),
		CA: c.BasicConstraintsValid && c.IsCA, Usage: usages(c), CRLs: c.CRLDistributionPoints, OCSP: c.OCSPServer,
		SHA1: hex.EncodeToString(sum1[:]), SHA256: hex.EncodeToString(sum256[:]),
	}
	if info, err := publicKeyInfo(c.RawSubjectPublicKeyInfo); err == nil {
		v.KeyData = hex.EncodeToString(info.Key.Bytes)
	}
	return v
}

func nameView(raw []byte) view.DN {
	name := view.DN{Text: dn.Comma(raw), Slash: dn.Slash(raw)}
	for _, p := range dn.Parts(raw) {
		name.Parts = append(name.Parts, view.NamePart{Kind: p.Long, Value: p.Value})
	}
	return name
}

// alternateNames are the names beside the subject, mail addresses in quotes.
func alternateNames[A fmt.Stringer](mails, domains []string, addresses []A, uris []string) []string {
	var list []string
	for _, m := range mails {
		list = append(list, fmt.Sprintf("%q", m))
	}
	list = append(list, domains...)
	for _, a := range addresses {
		list = append(list, a.String())
	}
	return append(list, uris...)
}

// keyInfo is SubjectPublicKeyInfo of RFC 5280, section 4.1.
type keyInfo struct {
	Algorithm pkix.AlgorithmIdentifier
	Key       asn1.BitString
}

func publicKeyInfo(der []byte) (info keyInfo, err error) {
	_, err = asn1.Unmarshal(der, &info)
	return info, err
}

// keyNames are OpenSSL's names of key algorithms.
var keyNames = map[string]string{
	"1.2.840.113549.1.1.1": "rsaEncryption", "1.2.840.113549.1.1.10": "rsassaPss", "1.2.840.10045.2.1": "id-ecPublicKey",
	"1.2.840.10040.4.1": "dsaEncryption", "1.3.101.112": "ED25519", "1.3.101.113": "ED448",
}

func keyAlgorithm(der []byte) string {
	info, err := publicKeyInfo(der)
	if err != nil {
		return "unknown"
	}
	oid := info.Algorithm.Algorithm.String()
	if name := keyNames[oid]; name != "" {
		return name
	}
	return oid
}

// signatureNames are OpenSSL's names of signature algorithms.
var signatureNames = map[x509.SignatureAlgorithm]string{
	x509.MD2WithRSA: "md2WithRSAEncryption", x509.MD5WithRSA: "md5WithRSAEncryption", x509.SHA1WithRSA: "sha1WithRSAEncryption",
	x509.SHA256WithRSA: "sha256WithRSAEncryption", x509.SHA384WithRSA: "sha384WithRSAEncryption", x509.SHA512WithRSA: "sha512WithRSAEncryption",
	x509.SHA256WithRSAPSS: "rsassaPss", x509.SHA384WithRSAPSS: "rsassaPss", x509.SHA512WithRSAPSS: "rsassaPss",
	x509.DSAWithSHA1: "dsaWithSHA1", x509.DSAWithSHA256: "dsa_with_SHA256",
	x509.ECDSAWithSHA1: "ecdsa-with-SHA1", x509.ECDSAWithSHA256: "ecdsa-with-SHA256", x509.ECDSAWithSHA384: "ecdsa-with-SHA384", x509.ECDSAWithSHA512: "ecdsa-with-SHA512",
	x509.PureEd25519: "ED25519",
}

func signatureAlgorithm(a x509.SignatureAlgorithm) string {
	if name := signatureNames[a]; name != "" {
		return name
	}
	return strings.ToLower(a.String())
}

// usageNames are the uses of a key, by bit.
var usageNames = []string{"Digital signature", "Non repudiation", "Key encipherment", "Data encipherment", "Key agreement", "Certificate signing", "CRL signing", "Encipher only", "Decipher only"}

// extendedNames are further uses.
var extendedNames = map[x509.ExtKeyUsage]string{
	x509.ExtKeyUsageServerAuth: "TLS server authentication", x509.ExtKeyUsageClientAuth: "TLS client authentication",
	x509.ExtKeyUsageCodeSigning: "Code signing", x509.ExtKeyUsageEmailProtection: "Email protection", x509.ExtKeyUsageOCSPSigning: "OCSP signing",
	x509.ExtKeyUsageTimeStamping: "Time stamping", x509.ExtKeyUsageAny: "Any extended use",
}

func usages(c *x509.Certificate) []string {
	var list []string
	for i, name := range usageNames {
		if c.KeyUsage&(1<<i) != 0 {
			list = append(list, name)
		}
	}
	for _, e := range c.ExtKeyUsage {
		if name := extendedNames[e]; name != "" {
			list = append(list, name)
		}
	}
	return list
}
