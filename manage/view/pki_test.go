package view

import (
	"path/filepath"
	"testing"
	"time"

	"sluice/internal/golden"
)

// name makes a distinguished name of its slash form's parts.
func name(text, slash string, parts ...string) DN {
	n := DN{Text: text, Slash: slash}
	for i := 0; i < len(parts); i += 2 {
		n.Parts = append(n.Parts, NamePart{parts[i], parts[i+1]})
	}
	return n
}

// guideCertificates are the certificates that the guide shows.
func guideCertificates() (local, authority Certificate) {
	issuer := name("DC=dc, CN=xyz.com, OU=IT, O=xyz, L=blr, ST=KA, C=IN", "/DC=dc/CN=xyz.com/OU=IT/O=xyz/L=blr/ST=KA/C=IN",
		"Domain component", "dc", "Common name", "xyz.com", "Organizational unit", "IT", "Organization", "xyz", "Locality", "blr", "State", "KA", "Country", "IN")
	local = Certificate{
		ID: "ssl-inspect-ca", Local: true, Version: 3, Serial: "72a4a8120ea0da5fee2747d8197c76b5", Issuer: issuer, Subject: issuer,
		NotBefore: time.Date(2019, 2, 18, 7, 30, 37, 0, time.UTC), NotAfter: time.Date(2024, 2, 17, 7, 30, 37, 0, time.UTC),
		KeyAlgorithm: "rsaEncryption", KeyBits: 2048, KeyData: "3082010a0282010100b1c2d3e4f5060708090a0b", SignatureAlgorithm: "sha256WithRSAEncryption", CA: true,
		Usage: []string{"Digital signature", "Certificate signing"}, AlternateNames: []string{`"admin@xyz.com"`, "xyz.com", "192.0.2.1"},
		CRLs: []string{"http://crl.example.com/ca.crl"}, OCSP: []string{"http://ocsp.example.com"}, Chain: []DN{name("CN=root", "/CN=root")},
		SHA1: "000102030405060708090a0b0c0d0e0f10111213", SHA256: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
		Modified: time.Date(2019, 2, 18, 7, 30, 37, 0, time.UTC), KeyModified: time.Date(2019, 2, 18, 7, 30, 23, 0, time.UTC),
	}
	ca := name("C=IN, ST=KA, L=BLR, O=XYZ, OU=ABC, CN=5.0.0.1, emailAddress=newca@test.com", "/C=IN/ST=KA/L=BLR/O=XYZ/OU=ABC/CN=5.0.0.1/emailAddress=newca@test.com", "Common name", "5.0.0.1")
	authority = Certificate{
		ID: "test", Version: 1, Serial: "21a8d600eb241f789ae50eec6a39ce6566428c0a", Issuer: ca, Subject: ca, KeyAlgorithm: "rsaEncryption", KeyBits: 2048,
		SignatureAlgorithm: "sha256WithRSAEncryption", Modified: time.Date(2019, 9, 2, 21, 47, 48, 0, time.UTC),
		CRL: &CRL{Check: true, DownloadFailed: true, CheckOnDownloadFails: true},
	}
	return local, authority
}

// TestCertificateText compares the answers about certificates with testdata/NAME.txt. Those of
// services ssl have the guide's words in its order.
// Rows: 6/O-4, 6/O-5, 6/O-6, 5/O-5, 5/O-7.
func TestCertificateText(t *testing.T) {
	local, authority := guideCertificates()
	member := local
	member.Local, member.Version, member.Chain, member.AlternateNames, member.CRLs, member.OCSP, member.Usage, member.CA = false, 1, nil, nil, nil, nil, nil, false
	member.ID, member.Group = "ca-latest_1", "ca-latest"
	for name, v := range map[string]View{
		"guide-ssl-certificate-all":       &SSLCertificates{Style: "all", Certificates: []Certificate{{ID: "ssl-inspect-ca"}, {ID: "ssl-cert-4k"}}},
		"guide-ssl-certificate-brief":     &SSLCertificates{Style: "brief", Certificates: []Certificate{local}},
		"guide-ssl-certificate-brief-ca":  &SSLCertificates{Style: "brief", Certificates: []Certificate{authority}},
		"guide-ssl-certificate-detail":    &SSLCertificates{Style: "detail", Certificates: []Certificate{local}},
		"guide-ssl-certificate-detail-ca": &SSLCertificates{Style: "detail", Certificates: []Certificate{authority}},
		"guide-pki-group-loaded":          &GroupLoaded{Group: "ca-latest", Certificates: []GroupMember{{Name: "ca-latest_1"}}},
		"pki-group-skipped":               &GroupLoaded{Group: "g", Certificates: []GroupMember{{Name: "g_1"}, {Reason: "CN=x is not a CA certificate"}, {Name: "g_2"}}},
		"pki-certificates":                &Certificates{Certificates: []Certificate{local, member}},
		"pki-certificates-detail":         &Certificates{Detail: true, Certificates: []Certificate{local, member}},
		"pki-key-pairs":                   &KeyPairs{KeyPairs: []KeyPair{{ID: "a", Kind: "rsa", Bits: 2048, Modified: local.Modified, Certificate: true}, {ID: "longer-name", Kind: "ecdsa", Bits: 256, Modified: local.Modified, Request: true}}},
		"pki-requests":                    &CertificateRequests{Requests: []CertificateRequest{{ID: "a", Subject: local.Subject, KeyAlgorithm: "rsaEncryption", KeyBits: 2048, SignatureAlgorithm: "sha256WithRSAEncryption"}}},
		"pki-requests-detail":             &CertificateRequests{Detail: true, Requests: []CertificateRequest{{ID: "a", Subject: local.Subject, AlternateNames: []string{"x.example.com"}, KeyAlgorithm: "rsaEncryption", KeyBits: 2048, SignatureAlgorithm: "sha256WithRSAEncryption", SHA256: local.SHA256, PEM: "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"}}},
		"pki-crls": &CRLs{Profile: "orgA", Lists: []RevocationList{
			{URL: "http://crl.example.com/ca.crl", Issuer: "CN=A", Number: "17", ThisUpdate: local.NotBefore, NextUpdate: local.NotAfter, Count: 3, Size: 612, Fetched: local.Modified, Failure: "404 Not Found"},
			{Issuer: "CN=A", ThisUpdate: local.NotBefore, Count: 1, Size: 400, Fetched: local.Modified},
			{URL: "http://crl.example.com/none.crl", Issuer: "CN=A", Failure: "404 Not Found"},
		}},
		"pki-exported": &Exported{Format: "pem", Content: []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")},
	} {
		t.Run(name, func(t *testing.T) {
			golden.Check(t, filepath.Join("testdata", name+".txt"), throughJSON(t, v))
		})
	}
}
