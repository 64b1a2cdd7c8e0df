package manage

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/youmark/pkcs8"

	"sluice/manage/api"
	"sluice/manage/view"
	"sluice/store"
	"sluice/tls/pki"
)

// withCertificates gives a fixture a store of certificates.
func withCertificates(t *testing.T, f *fixture) *pki.Store {
	t.Helper()
	keys, err := pki.Open(filepath.Join(t.TempDir(), "pki"))
	if err != nil {
		t.Fatal(err)
	}
	f.server.options.Certificates = keys
	return keys
}

// commit puts a statement into the active configuration.
func (f *fixture) commit(t *testing.T, statements ...string) {
	t.Helper()
	c, err := f.store.Edit(store.Who{User: "root", Client: "cli"}, store.Private)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, line := range statements {
		if err := c.Run(nil, line); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
	}
	if _, problems, err := c.Commit(store.CommitOptions{}); err != nil {
		t.Fatal(err, problems)
	}
}

// send runs a command with files of the client and a yes to questions, and returns its text and the
// file that it brings.
func (f *fixture) send(t *testing.T, line string, files map[string][]byte) (string, *api.File) {
	t.Helper()
	result, err := f.client.Command(t.Context(), api.Command{Line: line, Files: files, Answers: map[string]string{api.Confirm: "yes"}})
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	var out bytes.Buffer
	if err := view.Render(&out, result.View, result.Data); err != nil {
		t.Fatalf("%s: %+v, %v", line, result, err)
	}
	return out.String(), result.Save
}

// The life of a root certificate by commands: a key pair, a self-signed certificate, export, what is
// shown of it, and its end.
// Rows: PK-1, PK-2, PK-3, PK-7, PK-12, 5/O-1, 5/O-2, 5/O-4, 6/O-4, 6/O-5, 6/O-6.
func TestLocalCertificates(t *testing.T) {
	f := start(t)
	if got := refused(t, f, "show security pki local-certificate"); !strings.Contains(got, "keeps no certificates") {
		t.Errorf("without a store: %s", got)
	}
	withCertificates(t, f)
	if got := f.run(t, "request security pki generate-key-pair certificate-id SECURITY-cert size 2048 type rsa"); got != "Generated key pair SECURITY-cert, key type RSA, key size 2048 bits\n" {
		t.Errorf("%s", got)
	}
	f.run(t, "request security pki generate-key-pair certificate-id ec size 521 type ecdsa")
	if got := f.run(t, "request security pki generate-key-pair certificate-id weak size 1024"); !strings.Contains(got, "warning: clients refuse") {
		t.Errorf("%s", got)
	}
	f.run(t, "clear security pki key-pair certificate-id weak")
	for line, want := range map[string]string{
		"request security pki generate-key-pair certificate-id x size 2048 type dsa":                "no TLS library signs",
		"request security pki generate-key-pair certificate-id x size 256":                          "use 1024, 2048 or 4096",
		"request security pki generate-key-pair certificate-id x size 512":                          "not one of the accepted words",
		"request security pki generate-key-pair certificate-id x/y":                                 "is no name",
		"request security pki generate-key-pair certificate-id ec":                                  "already",
		"request security pki generate-key-pair":                                                    `"certificate-id" is missing`,
		"show security pki local-certificate certificate-id SECURITY-cert":                          "no local certificate SECURITY-cert",
		"request security pki local-certificate verify certificate-id SECURITY-cert":                "no local certificate",
		"request security pki local-certificate export certificate-id SECURITY-cert":                "no local certificate",
		"clear security pki key-pair certificate-id none":                                           "no key pair none",
		"clear security pki key-pair":                                                               "not complete",
		"show services ssl certificate brief certificate-id none":                                   "no certificate none",
		"request security pki local-certificate generate-self-signed certificate-id ec":             `"subject" is missing`,
		"request security pki local-certificate generate-self-signed certificate-id ec subject X=1": "no attribute",
	} {
		if got := refused(t, f, line); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	const made = "Self-signed certificate generated and loaded successfully\n"
	if got := f.run(t, "request security pki local-certificate generate-self-signed certificate-id SECURITY-cert domain-name labs.abc.net subject DC=mydomain.net,L=Sunnyvale,O=Mydomain,OU=LAB,CN=SECURITY email lab@labs.abc.net add-ca-constraint"); got != made {
		t.Errorf("%s", got)
	}
	if got := f.run(t, `request security pki local-certificate generate-self-signed certificate-id ec subject "CN=a b,O=c" ip-address 192.0.2.1 ipv6-address 2001:db8::1 digest sha-512 validity-days 10`); got != made {
		t.Errorf("%s", got)
	}

	for line, wants := range map[string][]string{
		"show security pki local-certificate": {"Certificate identifier: SECURITY-cert\n  Issued to: SECURITY, Issued by: DC=mydomain.net, L=Sunnyvale, O=Mydomain, OU=LAB, CN=SECURITY\n  Validity:\n    Not before: ",
			"  Public key algorithm: rsaEncryption(2048 bits)\n\nCertificate identifier: ec\n", "id-ecPublicKey(521 bits)"},
		"show security pki local-certificate certificate-id SECURITY-cert detail": {"Certificate version: 3", `Alternate subject: "lab@labs.abc.net", labs.abc.net`, "CA: Yes", "Use for key: Digital signature, Certificate signing, CRL signing", "(sha256)",
			"Domain component: mydomain.net, Locality: Sunnyvale, Organization: Mydomain, Organizational unit: LAB, Common name: SECURITY", "Signature algorithm: sha256WithRSAEncryption"},
		"show security pki local-certificate certificate-id ec detail":                                 {"Alternate subject: 192.0.2.1, 2001:db8::1", "CA: No", "ecdsa-with-SHA512"},
		"show security pki key-pair":                                                                   {"SECURITY-cert   rsa    2048  Yes", "ec              ecdsa  521   Yes"},
		"request security pki local-certificate verify certificate-id SECURITY-cert":                   {"Local certificate SECURITY-cert verification success"},
		"show services ssl certificate all":                                                            {"Lsys Name : root-logical-system\n\nPIC:fpc0 fpc[0] pic[0] -----\n\nCertId\n-----\nSECURITY-cert\nec\n"},
		"show services ssl certificate brief certificate-id SECURITY-cert":                             {"CertID           : SECURITY-cert\nCertificate Type  : LOCAL-CERT\nIssuer           : /DC=mydomain.net/L=Sunnyvale/O=Mydomain/OU=LAB/CN=SECURITY\n"},
		"show services ssl certificate detail certificate-id SECURITY-cert":                            {"certificate version : 3\n", "Signature Algorithm : sha256WithRSAEncryption\n", "key modify time  : "},
		"request security pki generate-certificate-request certificate-id ec subject CN=ec":            {"-----BEGIN CERTIFICATE REQUEST-----\n"},
		"request security pki local-certificate export certificate-id ec":                              {"-----BEGIN CERTIFICATE-----\n"},
		"request security pki local-certificate export certificate-id SECURITY-cert type mobileconfig": {"com.apple.security.root"},
	} {
		got := f.run(t, line)
		for _, want := range wants {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q is not in\n%s", line, want, got)
			}
		}
		if strings.Contains(got, "PRIVATE") {
			t.Errorf("%s shows a key", line)
		}
	}
	if got := f.run(t, "show security pki certificate-request certificate-id ec detail"); !strings.Contains(got, "  Subject:\n    Common name: ec\n") || !strings.Contains(got, "-----BEGIN CERTIFICATE REQUEST-----") {
		t.Errorf("%s", got)
	}
	text, saved := f.send(t, "request security pki local-certificate export certificate-id SECURITY-cert filename path/file-name.pem type pem", nil)
	if block, _ := pem.Decode(saved.Content); text != "Certificate written to path/file-name.pem\n" || saved.Name != "path/file-name.pem" || block == nil {
		t.Errorf("%s, %+v", text, saved)
	}
	_, saved = f.send(t, "request security pki local-certificate export certificate-id SECURITY-cert type der filename f", nil)
	if c, err := x509.ParseCertificate(saved.Content); err != nil || c.Subject.CommonName != "SECURITY" {
		t.Errorf("DER: %v", err)
	}

	f.commit(t, "set services ssl proxy profile p root-ca SECURITY-cert")
	if got := f.run(t, "clear security pki local-certificate certificate-id SECURITY-cert"); !strings.Contains(got, "warning: SECURITY-cert is named by: set services ssl proxy profile p root-ca SECURITY-cert") {
		t.Errorf("%s", got)
	}
	f.run(t, "clear security pki certificate-request all")
	f.run(t, "clear security pki key-pair all")
	if got := f.run(t, "show security pki key-pair"); strings.Contains(got, "SECURITY") || !strings.Contains(got, "ec ") {
		t.Errorf("a key pair that a certificate needs is gone, or another is not:\n%s", got)
	}
}

// Certificates are loaded from files that the client sends; a passphrase is asked for, and is not
// needed for what is not encrypted.
// Rows: PK-4, PK-5, 5/O-3.
func TestLoadCertificate(t *testing.T) {
	f := start(t)
	keys := withCertificates(t, f)
	if err := keys.GenerateKeyPair("other", pki.ECDSA, 256); err != nil {
		t.Fatal(err)
	}
	certificate, key, encrypted := testCertificate(t)
	const load = "request security pki local-certificate load filename cert.pem key cert.key certificate-id id"
	files := map[string][]byte{"cert.pem": certificate, "cert.key": key}
	result, err := f.client.Command(t.Context(), api.Command{Line: load})
	if err != nil || result.File != "cert.pem" {
		t.Errorf("without files: %+v, %v", result, err)
	}
	if got, _ := f.send(t, load, files); got != "Local certificate loaded successfully\n" {
		t.Errorf("%s", got)
	}
	files["cert.key"] = encrypted
	for answers, want := range map[string]string{"": "", "wrong": "does not open the key", "secret": "Local certificate loaded successfully"} {
		req := api.Command{Line: load, Files: files, Answers: map[string]string{}}
		if answers != "" {
			req.Answers["passphrase"] = answers
		}
		result, err := f.client.Command(t.Context(), req)
		switch {
		case answers == "" && (err != nil || result.Question == nil || !result.Question.Secret):
			t.Errorf("nothing is asked: %+v, %v", result, err)
		case answers == "wrong" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%v", err)
		case answers == "secret" && (err != nil || !strings.Contains(string(result.Data), want)):
			t.Errorf("%v", err)
		}
	}
	if got, _ := f.send(t, load+" passphrase secret", files); !strings.Contains(got, "successfully") {
		t.Errorf("%s", got)
	}
	if l, ok := keys.Local("id"); !ok || l.Certificate == nil {
		t.Error("nothing is loaded")
	}
	_, err = f.client.Command(t.Context(), api.Command{Line: "request security pki local-certificate load filename cert.pem certificate-id other", Files: files})
	if err == nil || !strings.Contains(err.Error(), "does not belong") {
		t.Errorf("for another key pair: %v", err)
	}
}

// Authorities are loaded one into a profile that is configured, or many as a group, after a question
// and with the guide's words; shown, verified and cleared; the plural is understood.
// Rows: PK-10, PK-11, PK-13, PK-14, PK-16, PK-19, PK-20, 5/O-5, 5/O-6, 5/O-7, 5/O-8, 6/O-5, 6/O-6.
func TestAuthorities(t *testing.T) {
	f := start(t)
	withCertificates(t, f)
	certificate, _, _ := testCertificate(t)
	files := map[string][]byte{"srx-123.crt": certificate, "ca-latest.cert.pem": certificate}
	const load = "request security pki ca-certificate load ca-profile ca-profile-security filename srx-123.crt"
	if got := refused(t, f, load); !strings.Contains(got, "no ca-profile ca-profile-security") {
		t.Errorf("before it is configured: %s", got)
	}
	f.commit(t, "set security pki ca-profile ca-profile-security ca-identity example.com", "set security pki ca-profile ca-profile-security ca-identity example.com revocation-check disable")
	if got, _ := f.send(t, load, files); got != "CA certificate for profile ca-profile-security loaded successfully\n" {
		t.Errorf("%s", got)
	}
	const group = "request security pki ca-certificate ca-profile-group load ca-group-name ca-latest filename ca-latest.cert.pem"
	result, err := f.client.Command(t.Context(), api.Command{Line: group, Files: files})
	if err != nil || result.Question == nil || result.Question.Name != api.Confirm || result.Question.Text != "Do you want to load this CA certificate? [yes,no] (no) " {
		t.Errorf("%+v, %v", result, err)
	}
	_, err = f.client.Command(t.Context(), api.Command{Line: group, Files: files, Answers: map[string]string{api.Confirm: ""}})
	if err == nil || !strings.Contains(err.Error(), "not confirmed") {
		t.Errorf("%v", err)
	}
	want := "Loading 1 certificates for group 'ca-latest'.\nca-latest_1: Loading done.\nca-profile-group 'ca-latest' successfully loaded\nSuccess[1] Skipped[0]\n"
	if got, _ := f.send(t, group, files); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, _ := f.send(t, "request security pki ca-certificate ca-profile-group load ca-group-name SECURITY-CA-GROUP filename default", nil); !strings.Contains(got, "SECURITY-CA-GROUP_1: Loading done.") || !strings.Contains(got, "Skipped[") {
		t.Errorf("%s", got)
	}
	for line, wants := range map[string][]string{
		"show security pki ca-certificate ca-profile-group ca-latest":         {"CA profile group: ca-latest\nCertificate identifier: ca-latest_1\n  Issued to: root, Issued by: CN=root"},
		"show security pki ca-certificates ca-profile-group ca-latest detail": {"Certificate version: 3", "CA: Yes"},
		"show security pki ca-certificate ca-profile ca-profile-security":     {"CA profile: ca-profile-security\n"},
		"show sec pki ca-cert": {"CA profile: ca-profile-security\n", "CA profile group: SECURITY-CA-GROUP\n"},
		"request security pki ca-certificate verify ca-profile ca-latest_1":       {"CA certificate ca-latest_1 verification success"},
		"show services ssl certificate brief certificate-id ca-latest_1":          {"Certificate Type  : CA-CERT\nIssuer           : /CN=root\nSubject          : /CN=root\nPublic Key algorithm : id-ecPublicKey\n"},
		"show services ssl certificate detail certificate-id ca-latest_1":         {"CRL :\n  present          : no\n  check            : enabled\n  download-failed  : false\n  check-on-download-fail : enabled\n"},
		"show services ssl certificate detail certificate-id ca-profile-security": {"  check            : disabled\n"},
	} {
		got := f.run(t, line)
		for _, want := range wants {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q is not in\n%s", line, want, got)
			}
		}
	}
	f.server.options.Revocation = failed{}
	if got := f.run(t, "show services ssl certificate detail certificate-id ca-latest_1"); !strings.Contains(got, "  present          : yes\n") || !strings.Contains(got, "  download-failed  : true\n") {
		t.Errorf("%s", got)
	}
	for line, want := range map[string]string{
		"show security pki ca-certificate ca-profile-group none":            "no CA profile group none",
		"show security pki ca-certificate ca-profile none":                  "no CA certificate of profile none",
		"clear security pki ca-certificate ca-profile-group none":           "no CA profile group none",
		"clear security pki ca-certificate ca-profile none":                 "no CA certificate of profile none",
		"clear security pki ca-certificate":                                 "not complete",
		"request security pki ca-certificate verify ca-profile ca-latest_2": "no CA certificate of profile ca-latest_2",
	} {
		if got := refused(t, f, line); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	f.run(t, "clear security pki ca-certificates ca-profile-group ca-latest")
	f.run(t, "clear security pki ca-certificate ca-profile ca-profile-security")
	if got := f.run(t, "show security pki ca-certificate"); strings.Contains(got, "ca-latest") || strings.Contains(got, "ca-profile-security") {
		t.Errorf("%s", got)
	}
	f.run(t, "clear security pki ca-certificate all")
	if got := f.run(t, "show security pki ca-certificate"); got != "" {
		t.Errorf("%s", got)
	}
}

// failed is revocation whose list is there, though it could not be fetched anew.
type failed struct{ Revocation }

func (failed) CRL(*x509.Certificate) (present, failed bool) { return true, true }

// Names that exist are offered.
func TestCompletePKI(t *testing.T) {
	f := start(t)
	keys := withCertificates(t, f)
	certificate, key, _ := testCertificate(t)
	if err := keys.LoadLocal("proxy-ca", certificate, key, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := keys.LoadGroup("orgs", certificate); err != nil {
		t.Fatal(err)
	}
	f.commit(t, "set security pki ca-profile orgA-ca-profile ca-identity orgA")
	for line, want := range map[string]string{
		"request security pki local-certificate export certificate-id ": "proxy-ca",
		"show security pki ca-certificate ca-profile-group ":            "orgs",
		"show security pki ca-certificate ca-profile ":                  "orgA-ca-profile",
		"show services ssl certificate brief certificate-id ":           "proxy-ca",
		"request security pki generate-key-pair type ":                  "ecdsa",
	} {
		got, err := f.client.Complete(t.Context(), line)
		found := false
		for _, c := range got.Completions {
			found = found || c.Text == want
		}
		if err != nil || !found {
			t.Errorf("%s: %v, %v", line, got, err)
		}
	}
}

// testCertificate is a self-signed authority with its key, plain and encrypted with "secret".
func testCertificate(t *testing.T) (certificate, key, encrypted []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "root"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true, IsCA: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	locked, err := pkcs8.MarshalPrivateKey(private, []byte("secret"), nil)
	if err != nil {
		t.Fatal(err)
	}
	encode := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	return encode("CERTIFICATE", der), encode("PRIVATE KEY", plain), encode("ENCRYPTED PRIVATE KEY", locked)
}

// Every command about certificates that the guide prints is understood.
// Rows: 5/O-1 to 5/O-8.
func TestGuidePKICommands(t *testing.T) {
	for _, line := range []string{
		"request security pki generate-key-pair certificate-id SECURITY-cert size 2048 type rsa",
		"request security pki local-certificate generate-self-signed certificate-id SECURITY-cert domain-name labs.abc.net subject DC=mydomain.net,L=Sunnyvale,O=Mydomain,OU=LAB,CN=SECURITY email lab@labs.abc.net add-ca-constraint",
		"request security pki ca-certificate ca-profile-group load ca-group-name group-name filename default",
		"request security pki ca-certificate ca-profile-group load ca-group-name SECURITY-CA-GROUP filename /var/tmp/IE-all.pem",
		"request security pki ca-certificate ca-profile-group load ca-group-name ca-latest filename ca-latest.cert.pem",
		"show security pki ca-certificate ca-profile-group group-name",
		"show security pki ca-certificates ca-profile-group group-name",
		"clear security pki ca-certificate ca-profile-group group-name",
		"clear security pki ca-certificates ca-profile-group group-name",
		"request security pki local-certificate export certificate-id root-ca type pem filename path/file-name.pem",
		"request security pki local-certificate export certificate-id certificate-id filename filename type der",
		"request security pki local-certificate load filename ssl_proxy_ca.crt key sslserver.key certificate-id ssl-inspect-ca",
		"request security pki local-certificate load filename rootCA.pem key rootCA.key certificate-id rootCAEcds",
		"request security pki generate-key-pair certificate-id SECURITY-cert size 521 type ecdsa",
		"request security pki local-certificate generate-self-signed certificate-id certificate-id domain-name domain-name subject subject email email-id add-ca-constraint",
		"request security pki local-certificate generate-self-signed certificate-id certificate-id domain-name domain-name subject subject email email-id",
		"request security pki ca-certificate load ca-profile ca-profile-security filename srx-123.crt",
		"request security pki local-certificate load filename filename key key certificate-id certificate-id passphrase example@1234",
		"request security pki local-certificate load filename /cf0/cert1.pem key /cf0/key1.pem certificate-id server1_cert_id passphrase example@1234",
		"request security pki local-certificate load filename /var/tmp/certs/server-cert.pem key /var/tmp/certs/server-key.pem certificate-id certificate-id",
		"show services ssl certificate all",
		"show services ssl certificate brief certificate-id trusted-ca",
		"show services ssl certificate detail certificate-id ssl-inspect-ca",
	} {
		if _, err := Table().Resolve(line); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}
