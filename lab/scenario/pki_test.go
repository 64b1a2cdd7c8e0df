package scenario

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/lab"
)

// openssl runs the outside judge of certificates with standard input in.
func openssl(t *testing.T, in string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "openssl", args...)
	cmd.Stdin = strings.NewReader(in)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// fingerprint is what OpenSSL says of a certificate.
func fingerprint(t *testing.T, certificate string) string {
	t.Helper()
	return openssl(t, certificate, "x509", "-noout", "-fingerprint", "-sha256")
}

// shows checks that a command shows what it must, and no private key.
func (w *world) shows(command string, wants ...string) string {
	w.t.Helper()
	out := w.show(command)
	for _, want := range wants {
		if !strings.Contains(out, want) {
			w.t.Errorf("%s: %q is not in\n%s", command, want, out)
		}
	}
	if strings.Contains(out, "PRIVATE") {
		w.t.Errorf("%s shows a private key", command)
	}
	return out
}

// refuses checks that a command fails and says why.
func (w *world) refuses(command, want string) {
	w.t.Helper()
	if out, err := w.gw.Show(w.t.Context(), command); err == nil || !strings.Contains(err.Error(), want) {
		w.t.Errorf("%s: %v, want %q\n%s", command, err, want, out)
	}
}

// The guide's way to a root certificate, to the certificates of others and to their authorities,
// command by command; all of it outlives a gateway that is killed.
// Rows: PK-1, PK-2, PK-3, PK-4, PK-5, PK-7, PK-8, PK-9, PK-10, PK-11, PK-13, PK-14, PK-19, PK-20, PK-21,
// 5/O-1 to 5/O-8, 5/S-50, 5/S-51, 6/O-4, 6/O-5, 6/O-6.
func TestCertificates(t *testing.T) {
	w := start(t, lab.Options{}, "")
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }

	w.shows("request security pki generate-key-pair certificate-id SECURITY-cert size 2048 type rsa", "Generated key pair SECURITY-cert")
	w.shows("request security pki local-certificate generate-self-signed certificate-id SECURITY-cert domain-name labs.abc.net"+
		" subject DC=mydomain.net,L=Sunnyvale,O=Mydomain,OU=LAB,CN=SECURITY email lab@labs.abc.net add-ca-constraint", "successfully")
	w.refuses("request security pki generate-key-pair certificate-id old size 2048 type dsa", "use rsa or ecdsa")
	w.shows("request security pki local-certificate export certificate-id SECURITY-cert type pem filename " + at("root.pem"))
	w.shows("request security pki local-certificate export certificate-id SECURITY-cert filename " + at("root.der") + " type der")
	text := openssl(t, "", "x509", "-in", at("root.pem"), "-noout", "-text", "-nameopt", "sep_comma_plus")
	for _, want := range []string{"CA:TRUE", "DNS:labs.abc.net, email:lab@labs.abc.net", "Subject: DC=mydomain.net,L=Sunnyvale,O=Mydomain,OU=LAB,CN=SECURITY", "(2048 bit)"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	root, err := os.ReadFile(at("root.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if got := openssl(t, "", "x509", "-inform", "DER", "-in", at("root.der"), "-noout", "-fingerprint", "-sha256"); got != fingerprint(t, string(root)) {
		t.Errorf("DER is of another certificate than PEM: %s", got)
	}

	// A certificate of another authority, with its chain and an encrypted key.
	openssl(t, "", "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-keyout", at("ca.key"), "-subj", "/O=Example/CN=authority", "-days", "30", "-out", at("ca.pem"))
	openssl(t, "", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-passout", "pass:example@1234", "-keyout", at("server.key"), "-subj", "/CN=www.example.com", "-out", at("server.csr"))
	openssl(t, "", "x509", "-req", "-in", at("server.csr"), "-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-set_serial", "1", "-days", "20", "-out", at("server.pem"))
	load := "request security pki local-certificate load filename " + at("server.pem") + " key " + at("server.key") + " certificate-id server1_cert_id passphrase "
	w.refuses(load+"wrong", "does not open the key")
	w.shows(load+"example@1234", "Local certificate loaded successfully")
	w.refuses("request security pki local-certificate verify certificate-id server1_cert_id", "not valid")

	// Its authority, as a profile and as a group.
	warned, err := w.gw.Edit(t.Context(), "set security pki ca-profile ca-profile-security ca-identity example.com",
		"set security pki ca-profile ca-profile-security ca-identity example.com revocation-check disable", "commit")
	if err != nil || !strings.Contains(warned, "no certificate is loaded") {
		t.Errorf("a profile without certificate: %v\n%s", err, warned)
	}
	w.shows("request security pki ca-certificate load ca-profile ca-profile-security filename "+at("ca.pem"), "loaded successfully")
	w.shows("request security pki local-certificate verify certificate-id server1_cert_id", "verification success")
	w.shows("show services ssl certificate detail certificate-id ca-profile-security", "Certificate Type  : CA-CERT", "/O=Example/CN=authority", "check            : disabled")
	group := "request security pki ca-certificate ca-profile-group load ca-group-name ca-latest filename " + at("ca.pem")
	w.refuses(group, "nobody is there to ask")
	w.shows(group+" | no-confirm", "Loading 1 certificates for group 'ca-latest'.\nca-latest_1: Loading done.\nca-profile-group 'ca-latest' successfully loaded\nSuccess[1] Skipped[0]\n")
	w.shows("request security pki ca-certificate ca-profile-group load ca-group-name SECURITY-CA-GROUP filename default | no-confirm", "SECURITY-CA-GROUP_10: Loading done.", "Skipped[0]")
	w.shows("show security pki ca-certificates ca-profile-group ca-latest", "Certificate identifier: ca-latest_1", "Issued to: authority")

	// A request whose certificate comes back.
	w.shows("request security pki generate-key-pair certificate-id requested size 384 type ecdsa")
	w.shows("request security pki generate-certificate-request certificate-id requested subject CN=requested domain-name new.example.com filename " + at("new.csr"))
	openssl(t, "", "x509", "-req", "-in", at("new.csr"), "-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-set_serial", "2", "-days", "20", "-copy_extensions", "copy", "-out", at("new.pem"))
	w.shows("request security pki local-certificate load certificate-id requested filename "+at("new.pem"), "loaded successfully")

	const all = "show services ssl certificate all | except SECURITY-CA-GROUP"
	before := w.shows(all, "SECURITY-cert\n", "server1_cert_id\n", "requested\n", "ca-profile-security\n", "ca-latest_1\n")
	w.gw.Kill()
	gw, err := w.RestartGateway(t.Context(), w.gw.Dir)
	if err != nil {
		t.Fatal(err)
	}
	w.gw = gw
	if after := w.show(all); after != before {
		t.Errorf("after a restart:\n%s, before:\n%s", after, before)
	}
	if got := fingerprint(t, w.shows("request security pki local-certificate export certificate-id SECURITY-cert")); got != fingerprint(t, string(root)) {
		t.Errorf("after a restart the root is another: %s", got)
	}
	w.shows("clear security pki ca-certificates ca-profile-group SECURITY-CA-GROUP")
	w.refuses("show security pki ca-certificate ca-profile-group SECURITY-CA-GROUP", "no CA profile group")
	w.keysAreClosed()
}

// keysAreClosed checks that only the gateway's user may read keys, and that nothing printed one.
func (w *world) keysAreClosed() {
	w.t.Helper()
	keys := 0
	err := filepath.WalkDir(w.gw.Dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(content), "PRIVATE KEY") {
			return err
		}
		keys++
		info, err := d.Info()
		if err == nil && (info.Mode().Perm() != 0o600 || !strings.HasPrefix(path, filepath.Join(w.gw.Dir, "pki"))) {
			w.t.Errorf("%s has a key, with mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil || keys == 0 {
		w.t.Errorf("%d files with keys, %v", keys, err)
	}
	if strings.Contains(w.gw.Output(), "PRIVATE") {
		w.t.Error("the gateway printed a key")
	}
}

// Clients get the root certificates of proxy profiles from a page of the gateway: only when it is
// configured, and only where the zone accepts HTTP. What they get is the certificate, and OpenSSL
// trusts with it what the gateway signs.
// Rows: PK-6, PK-12.
func TestRootCAPage(t *testing.T) {
	w := start(t, lab.Options{}, "set security zones security-zone trust host-inbound-traffic system-services http\n")
	w.shows("request security pki generate-key-pair certificate-id ssl-inspect-ca type ecdsa")
	w.shows(`request security pki local-certificate generate-self-signed certificate-id ssl-inspect-ca subject "O=Example,CN=Branch root" add-ca-constraint`)
	root := w.shows("request security pki local-certificate export certificate-id ssl-inspect-ca")
	page := func(host *lab.Host, address string) (string, error) {
		return w.try(host, "curl", "-sS", "-m3", "http://"+address)
	}
	if out, err := page(w.Client, lab.LAN4+"/"); err == nil {
		t.Errorf("a page that nobody asked for:\n%s", out)
	}
	w.configure("set security pki root-ca-page", "set services ssl proxy profile ssl-profile root-ca ssl-inspect-ca", "set services ssl proxy profile ssl-profile trusted-ca all")
	for _, address := range []string{lab.LAN4, "[" + lab.LAN6 + "]"} {
		out, err := page(w.Client, address+"/")
		if err != nil || !strings.Contains(out, "CN=Branch root") || !strings.Contains(out, strings.TrimSpace(strings.SplitN(fingerprint(t, root), "=", 2)[1])) {
			t.Errorf("%s: %v\n%s", address, err, out)
		}
		pem, err := page(w.Client, address+"/root-ca/ssl-inspect-ca.pem")
		if err != nil || fingerprint(t, pem) != fingerprint(t, root) {
			t.Errorf("%s: %v\n%s", address, err, pem)
		}
	}
	if mobile, err := page(w.Client, lab.LAN4+"/root-ca/ssl-inspect-ca.mobileconfig"); err != nil || !strings.Contains(mobile, "com.apple.security.root") {
		t.Errorf("%v\n%s", err, mobile)
	}
	if out, err := page(w.Guest, lab.Guest4+"/"); err == nil {
		t.Errorf("a zone without HTTP has the page:\n%s", out)
	}
	if out, err := page(w.Guest, lab.LAN4+"/"); err == nil {
		t.Errorf("a zone without HTTP reaches the page elsewhere:\n%s", out)
	}
	w.configure("delete security pki root-ca-page")
	if out, err := page(w.Client, lab.LAN4+"/"); err == nil {
		t.Errorf("the page is still there:\n%s", out)
	}
}
