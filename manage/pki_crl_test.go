package manage

import (
	"crypto/x509"
	"path/filepath"
	"strings"
	"testing"

	"sluice/internal/testpki"
	"sluice/manage/api"
	"sluice/tls/revoke"
)

// A revocation list is loaded by hand, shown and cleared.
// Rows: PK-26, PK-27, 6/O-6.
func TestRevocationLists(t *testing.T) {
	f := start(t)
	if got := refused(t, f, "show security pki crl"); !strings.Contains(got, "keeps no revocation lists") {
		t.Errorf("without lists: %s", got)
	}
	keys := withCertificates(t, f)
	lists, err := revoke.New(revoke.Options{Dir: filepath.Join(t.TempDir(), "crl")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(lists.Close)
	f.server.options.Revocation = lists
	root := testpki.Root(t, "Root of orgA")
	gone := root.Leaf(t, "www.example.com")
	f.commit(t, "set security pki ca-profile orgA ca-identity orgA")
	if err := keys.LoadCA("orgA", testpki.PEM(root.Certificate)); err != nil {
		t.Fatal(err)
	}

	files := map[string][]byte{"list.crl": root.CRL(t, nil, gone.Certificate), "other.crl": testpki.Root(t, "Other").CRL(t, nil)}
	if got, _ := f.send(t, "request security pki crl load ca-profile orgA filename list.crl", files); got != "CRL for CA profile orgA loaded successfully\n" {
		t.Errorf("%s", got)
	}
	_, err = f.client.Command(t.Context(), api.Command{Line: "request security pki crl load ca-profile orgA filename other.crl", Files: files})
	if err == nil || !strings.Contains(err.Error(), `other.crl: the CRL is of "CN=Other`) {
		t.Errorf("another authority's list: %v", err)
	}
	for _, line := range []string{"show security pki crl", "show security pki crl ca-profile orgA"} {
		got := f.run(t, line)
		for _, want := range []string{"CRL issuer: CN=Root of orgA", "Source: loaded from a file", "Revoked certificates: 1,"} {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q is not in\n%s", line, want, got)
			}
		}
	}
	if got := f.run(t, "show services ssl certificate detail certificate-id orgA"); !strings.Contains(got, "  present          : yes\n") {
		t.Errorf("%s", got)
	}
	if o := lists.Check(t.Context(), []*x509.Certificate{gone.Certificate, root.Certificate}, nil, revoke.Policy{}); o.Status != revoke.Revoked {
		t.Errorf("%+v", o)
	}
	if got := refused(t, f, "show security pki crl ca-profile orgB"); !strings.Contains(got, "no CA certificate of profile orgB") {
		t.Errorf("%s", got)
	}
	if got := refused(t, f, "clear security pki crl"); !strings.Contains(got, "not complete") {
		t.Errorf("%s", got)
	}
	if got := f.run(t, "clear security pki crl ca-profile orgA"); got != "1 revocation lists cleared\n" {
		t.Errorf("%s", got)
	}
	if got := f.run(t, "clear security pki crl all"); got != "0 revocation lists cleared\n" {
		t.Errorf("%s", got)
	}
	if got := f.run(t, "show security pki crl"); got != "" {
		t.Errorf("%s", got)
	}
}
