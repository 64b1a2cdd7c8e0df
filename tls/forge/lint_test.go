package forge_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"testing"
	"time"

	zx509 "github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3"
	"github.com/zmap/zlint/v3/lint"

	"sluice/internal/testpki"
	"sluice/tls/forge"
)

// excluded are the lints that do not hold for forged certificates, and why.
var excluded = map[string]string{
	// What public authorities have to publish about certificates, and a gateway does not.
	"e_sub_cert_aia_missing":                         "there is no OCSP responder and no page of the issuer",
	"w_sub_cert_aia_does_not_contain_issuing_ca_url": "the issuer is sent with the certificate",
	"e_sub_cert_certificate_policies_missing":        "policies of public authorities were not followed",
	"e_sub_cert_cert_policy_empty":                   "the same",
	"e_missing_crl_distrib_point":                    "forged certificates are not withdrawn; they are no longer shown",
	// What the server's certificate has, and the forged one so too.
	"w_subject_common_name_included": "the subject is copied",
	// RFC 5280 wants what the newer rule does not recommend.
	"w_ext_subject_key_identifier_not_recommended_subscriber": "RFC 5280, 4.2.1.2: it should be there",
}

// copied are lints that find again what was wrong with the server's certificate.
var copied = map[string][]string{
	"ten years": {
		"e_server_cert_valid_time_longer_than_200_days", "w_server_cert_valid_time_longer_than_199_days",
		"e_tls_server_cert_valid_time_longer_than_398_days", "w_tls_server_cert_valid_time_longer_than_397_days",
		"e_sub_cert_valid_time_longer_than_825_days", "e_sub_cert_valid_time_longer_than_39_months",
	},
	"common name only": {"e_subject_common_name_not_exactly_from_san", "e_ext_san_missing"},
}

// Every kind of forged certificate is clean (SP-42, SP-44, SP-45).
func TestLint(t *testing.T) {
	for name, a := range authorities(t) {
		t.Run(name, func(t *testing.T) {
			for name, server := range servers(t) {
				for _, kind := range []forge.Kind{forge.Trusted, forge.SelfSigned, forge.Dummy} {
					for _, k := range []forge.KeyType{forge.ECDSA, forge.RSA} {
						if kind == forge.SelfSigned && name == "no subject" {
							continue // has no issuer's name either
						}
						made, err := minter.Mint(server, a, kind, k, "www.example.com")
						if err != nil {
							t.Fatalf("%s, %v, %v: %v", name, kind, k, err)
						}
						lintOne(t, made.Chain[0], name, kind, k)
					}
				}
			}
		})
	}
}

func lintOne(t *testing.T, der []byte, name string, kind forge.Kind, k forge.KeyType) {
	t.Helper()
	c, err := zx509.ParseCertificate(der)
	if err != nil {
		t.Fatalf("%s, %v, %v: %v", name, kind, k, err)
	}
	results := zlint.LintCertificate(c).Results
	for _, l := range copied[name] {
		delete(results, l)
	}
	for what, r := range results {
		if r.Status >= lint.Warn && excluded[what] == "" {
			t.Errorf("%s, %v, %v: %s: %v %s", name, kind, k, what, r.Status, r.Details)
		}
	}
}

func authorities(t testing.TB) map[string]*forge.Authority {
	root := testpki.Root(t, "Root")
	second := root.Intermediate(t, "Second")
	list := map[string]*forge.Authority{}
	for name, ca := range map[string]*testpki.Authority{
		"ECDSA":        root,
		"RSA":          testpki.Root(t, "RSA root", testpki.Key(testpki.RSA(t, 2048))),
		"intermediate": second.Intermediate(t, "Third"),
	} {
		list[name] = authority(ca)
	}
	return list
}

// authority is what the gateway forges with a test's authority.
func authority(a *testpki.Authority) *forge.Authority {
	f := &forge.Authority{Certificate: a.Certificate, Key: a.Key}
	for a = a.Issuer; a != nil && a.Issuer != nil; a = a.Issuer {
		f.Chain = append(f.Chain, a.Certificate)
	}
	return f
}

func servers(t testing.TB) map[string]*x509.Certificate {
	origin := testpki.Root(t, "Origin root")
	leaf := func(o ...testpki.Option) *x509.Certificate {
		return origin.Leaf(t, "www.example.com", o...).Certificate
	}
	return map[string]*x509.Certificate{
		"plain":       leaf(),
		"RSA":         leaf(testpki.Key(testpki.RSA(t, 2048))),
		"self-signed": testpki.SelfSigned(t, "www.example.com").Certificate,
		"wildcard":    leaf(testpki.Names("*.example.com", "example.com", "www.example.com")),
		"no subject":  leaf(testpki.With(func(c *x509.Certificate) { c.Subject = pkix.Name{} })),
		"ten years":   leaf(testpki.Valid(-time.Hour, 10*365*24*time.Hour)),
		"ninety days": leaf(testpki.Valid(-time.Hour, 90*24*time.Hour)),
		"expired":     leaf(testpki.Valid(-3*time.Hour, -time.Hour)),
		"addresses": leaf(testpki.With(func(c *x509.Certificate) {
			c.IPAddresses = []net.IP{net.ParseIP("8.8.8.8"), net.ParseIP("2606:4700::1111")}
		})),
		"common name only": leaf(testpki.Names()),
		"usages": leaf(testpki.With(func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
		})),
	}
}
