package pki

import (
	"testing"

	zx509 "github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3"
	"github.com/zmap/zlint/v3/lint"
)

// What the gateway signs for itself keeps RFC 5280 and what the community asks for, by an outside
// linter.
// Rows: PK-2, PK-3.
func TestLint(t *testing.T) {
	registry, err := lint.GlobalRegistry().Filter(lint.FilterOptions{IncludeSources: lint.SourceList{lint.RFC5280, lint.RFC5480, lint.RFC5891, lint.RFC8813, lint.Community}})
	if err != nil {
		t.Fatal(err)
	}
	s := openStore(t)
	for id, template := range map[string]Template{
		"ca":     {Subject: "C=DE,O=Müller,CN=root", CA: true},
		"server": {Subject: "DC=example,DC=com,CN=www.example.com", DomainName: "www.example.com", Email: "admin@example.com"},
	} {
		for _, kind := range []string{RSA, ECDSA} {
			id := id + "-" + kind
			keyPair(t, s, id, kind)
			if err := s.SelfSign(id, template); err != nil {
				t.Fatal(err)
			}
			l, _ := s.Local(id)
			c, err := zx509.ParseCertificate(l.Certificate.Raw)
			if err != nil {
				t.Fatal(err)
			}
			for name, result := range zlint.LintCertificateEx(c, registry).Results {
				if result.Status >= lint.Warn {
					t.Errorf("%s: %s: %v %s", id, name, result.Status, result.Details)
				}
			}
		}
	}
}
