package pki

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// keyPair makes a key pair for a test.
func keyPair(t *testing.T, s *Store, id, kind string) {
	t.Helper()
	size := 256
	if kind == RSA {
		size = 1024
	}
	if err := s.GenerateKeyPair(id, kind, size); err != nil {
		t.Fatal(err)
	}
}

// exported is a certificate of s as PEM.
func exported(t *testing.T, s *Store, id string) []byte {
	t.Helper()
	content, err := s.Export(id, PEM)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// file writes content for OpenSSL to read.
func file(t *testing.T, content []byte) string {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(content); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

// guideTemplate is the certificate of the guide's example.
var guideTemplate = Template{Subject: "DC=mydomain.net,L=Sunnyvale,O=Mydomain,OU=LAB,CN=SECURITY", DomainName: "labs.abc.net", Email: "lab@labs.abc.net"}

// OpenSSL reads in a self-signed certificate what the template asks for, and only with the CA
// constraint does it accept it as the issuer of another.
// Rows: PK-2, PK-3, PK-25.
func TestSelfSign(t *testing.T) {
	for _, kind := range []string{RSA, ECDSA} {
		s := openStore(t)
		keyPair(t, s, "ca", kind)
		keyPair(t, s, "server", kind)
		ca := guideTemplate
		ca.CA = true
		ca.Addresses = []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}
		if err := s.SelfSign("ca", ca); err != nil {
			t.Fatal(err)
		}
		if err := s.SelfSign("server", guideTemplate); err != nil {
			t.Fatal(err)
		}
		authority, server := exported(t, s, "ca"), exported(t, s, "server")
		said := openssl(t, authority, "x509", "-noout", "-text", "-nameopt", "sep_comma_plus")
		for _, want := range []string{
			"Version: 3", "Subject: DC=mydomain.net,L=Sunnyvale,O=Mydomain,OU=LAB,CN=SECURITY", "Issuer: DC=mydomain.net,L=Sunnyvale,O=Mydomain,OU=LAB,CN=SECURITY",
			"DNS:labs.abc.net, email:lab@labs.abc.net, IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1",
			"X509v3 Basic Constraints: critical\n                CA:TRUE", "Digital Signature, Certificate Sign, CRL Sign", "X509v3 Subject Key Identifier",
		} {
			if !strings.Contains(said, want) {
				t.Errorf("%s: %q is not in\n%s", kind, want, said)
			}
		}
		if said := openssl(t, server, "x509", "-noout", "-text"); !strings.Contains(said, "CA:FALSE") || strings.Contains(said, "Certificate Sign") {
			t.Errorf("%s without the constraint:\n%s", kind, said)
		}
		for name, content := range map[string][]byte{"ca": authority, "server": server} {
			if said := openssl(t, nil, "verify", "-CAfile", file(t, content), file(t, content)); !strings.Contains(said, "OK") {
				t.Errorf("%s %s: %s", kind, name, said)
			}
		}
		purposes := openssl(t, authority, "x509", "-noout", "-purpose")
		if !strings.Contains(purposes, "SSL server CA : Yes\n") {
			t.Errorf("%s: %s", kind, purposes)
		}
		if purposes := openssl(t, server, "x509", "-noout", "-purpose"); !strings.Contains(purposes, "SSL server CA : No\n") || !strings.Contains(purposes, "SSL server : Yes\n") {
			t.Errorf("%s: %s", kind, purposes)
		}
		if err := s.SelfSign("ca", ca); err == nil || !strings.Contains(err.Error(), "certificate already") {
			t.Errorf("twice: %v", err)
		}
	}
}

// Digest and time of validity are what was asked for; five years when nothing was.
func TestSelfSignValidity(t *testing.T) {
	s := openStore(t)
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s.now = func() time.Time { return now }
	for id, c := range map[string]struct {
		template Template
		want     string
	}{
		"default": {Template{Subject: "CN=a"}, "notAfter=Feb 28 12:00:00 2031 GMT"},
		"short":   {Template{Subject: "CN=a", Validity: 24 * time.Hour}, "notAfter=Mar  2 12:00:00 2026 GMT"},
	} {
		keyPair(t, s, id, ECDSA)
		if err := s.SelfSign(id, c.template); err != nil {
			t.Fatal(err)
		}
		said := openssl(t, exported(t, s, id), "x509", "-noout", "-dates")
		if !strings.Contains(said, c.want) || !strings.Contains(said, "notBefore=Mar  1 11:00:00 2026 GMT") {
			t.Errorf("%s: %s", id, said)
		}
	}
	for kind, algorithms := range map[string]map[string]string{
		RSA:   {"": "sha256With", "sha-384": "sha384With", "sha-512": "sha512With"},
		ECDSA: {"": "ecdsa-with-SHA256", "sha-384": "ecdsa-with-SHA384", "sha-512": "ecdsa-with-SHA512"},
	} {
		for digest, want := range algorithms {
			id := kind + digest
			keyPair(t, s, id, kind)
			if err := s.SelfSign(id, Template{Subject: "CN=a", Digest: digest}); err != nil {
				t.Fatal(err)
			}
			if said := openssl(t, exported(t, s, id), "x509", "-noout", "-text"); !strings.Contains(said, want) {
				t.Errorf("%s %s: %s", kind, digest, said)
			}
		}
	}
}

// A template that cannot be is refused, and why.
func TestTemplateErrors(t *testing.T) {
	s := openStore(t)
	keyPair(t, s, "key", ECDSA)
	for want, template := range map[string]Template{
		"subject: ":            {Subject: "nobody"},
		"domain-name: ":        {Subject: "CN=a", DomainName: "a b"},
		"domain-name: \"mü":    {Subject: "CN=a", DomainName: "münchen.de"},
		"email: ":              {Subject: "CN=a", Email: "a b@c"},
		"ip-address: ":         {Subject: "CN=a", Addresses: []netip.Addr{netip.MustParseAddr("fe80::1%eth0")}},
		"digest sha-1 is":      {Subject: "CN=a", Digest: "sha-1"},
		"no digest \"sha-3\"":  {Subject: "CN=a", Digest: "sha-3"},
		"email: \"Bob <b@c.d>": {Subject: "CN=a", Email: "Bob <b@c.d>"},
	} {
		if err := s.SelfSign("key", template); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		if _, err := s.Request("key", template); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("request: %v, want %q", err, want)
		}
	}
	if err := s.SelfSign("none", Template{Subject: "CN=a"}); err == nil || !strings.Contains(err.Error(), "no key pair none") {
		t.Errorf("without key pair: %v", err)
	}
	if l, _ := s.Local("key"); l.Certificate != nil || l.Request != nil {
		t.Error("what was refused left something")
	}
}

// OpenSSL accepts a certificate request, signs it, and what it signed is loaded for the key pair that
// waits, without its key.
// Rows: PK-2, PK-5.
func TestRequest(t *testing.T) {
	s := openStore(t)
	keyPair(t, s, "ca", ECDSA)
	if err := s.SelfSign("ca", Template{Subject: "CN=root", CA: true}); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{RSA, ECDSA} {
		keyPair(t, s, kind, kind)
		template := guideTemplate
		template.CA = kind == ECDSA
		request, err := s.Request(kind, template)
		if err != nil {
			t.Fatal(err)
		}
		said := openssl(t, request, "req", "-noout", "-verify", "-text", "-nameopt", "sep_comma_plus")
		for _, want := range []string{"verify OK", "Subject: DC=mydomain.net,L=Sunnyvale,O=Mydomain,OU=LAB,CN=SECURITY", "DNS:labs.abc.net, email:lab@labs.abc.net"} {
			if !strings.Contains(said, want) {
				t.Errorf("%q is not in\n%s", want, said)
			}
		}
		if strings.Contains(said, "CA:TRUE") != template.CA {
			t.Errorf("%s", said)
		}
		certificate := openssl(t, request, "x509", "-req", "-CA", file(t, exported(t, s, "ca")), "-CAkey", filepath.Join(s.dir, localFolder, "ca"+suffix),
			"-set_serial", "7", "-days", "30", "-copy_extensions", "copy")
		certificate = certificate[strings.Index(certificate, "-----BEGIN"):]
		if err := s.LoadLocal(kind, []byte(certificate), nil, nil); err != nil {
			t.Fatal(err)
		}
		l, _ := s.Local(kind)
		if l.Certificate == nil || !slices.Equal(l.Certificate.DNSNames, []string{"labs.abc.net"}) || l.Certificate.SerialNumber.Int64() != 7 || l.Request == nil {
			t.Errorf("%s: %+v", kind, l.Certificate)
		}
	}
}

// Serial numbers are positive, long and never twice the same.
func TestSerial(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		n, err := serial()
		if err != nil || n.Sign() <= 0 || n.BitLen() > 127 || seen[n.String()] {
			t.Fatalf("%v, %v", n, err)
		}
		seen[n.String()] = true
	}
}

// Exports are what OpenSSL reads as the same certificate, and never have a key.
// Rows: PK-7, PK-12.
func TestExport(t *testing.T) {
	s := openStore(t)
	keyPair(t, s, "ca", ECDSA)
	if _, err := s.Export("ca", PEM); err == nil || !strings.Contains(err.Error(), "no local certificate ca") {
		t.Errorf("without certificate: %v", err)
	}
	if err := s.SelfSign("ca", Template{Subject: "O=A & B,CN=<root>", CA: true}); err != nil {
		t.Fatal(err)
	}
	want := openssl(t, exported(t, s, "ca"), "x509", "-noout", "-fingerprint", "-sha256")
	der, err := s.Export("ca", DER)
	if err != nil {
		t.Fatal(err)
	}
	if got := openssl(t, der, "x509", "-inform", "DER", "-noout", "-fingerprint", "-sha256"); got != want {
		t.Errorf("DER: %s, want %s", got, want)
	}
	mobile, err := s.Export("ca", MobileConfig)
	if err != nil {
		t.Fatal(err)
	}
	payload := regexp.MustCompile(`(?s)<data>(.*)</data>`).FindStringSubmatch(string(mobile))
	if payload == nil {
		t.Fatalf("%s", mobile)
	}
	if got := openssl(t, []byte("-----BEGIN CERTIFICATE-----\n"+wrap(payload[1])+"-----END CERTIFICATE-----\n"), "x509", "-noout", "-fingerprint", "-sha256"); got != want {
		t.Errorf("mobileconfig: %s, want %s", got, want)
	}
	if text := string(mobile); !strings.Contains(text, "<string>&lt;root&gt;</string>") || !strings.Contains(text, "com.apple.security.root</string>") {
		t.Errorf("%s", mobile)
	}
	for tokens := xml.NewDecoder(bytes.NewReader(mobile)); ; {
		if _, err := tokens.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v\n%s", err, mobile)
		}
	}
	if again, _ := s.Export("ca", MobileConfig); string(again) != string(mobile) {
		t.Error("the same certificate makes two profiles")
	}
	for _, content := range [][]byte{exported(t, s, "ca"), der, mobile} {
		if key, err := privateKey(content, nil); err == nil {
			t.Errorf("an export has the key %T", key)
		}
	}
	if _, err := s.Export("ca", "p12"); err == nil {
		t.Error("an unknown format is exported")
	}
	keyPair(t, s, "server", ECDSA)
	if err := s.SelfSign("server", Template{Subject: "CN=a"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Export("server", MobileConfig); err == nil || !strings.Contains(err.Error(), "not a CA") {
		t.Errorf("a server as root: %v", err)
	}
}

// wrap breaks Base64 into lines of PEM.
func wrap(text string) string {
	var b strings.Builder
	for chunk := range slices.Chunk([]byte(text), 64) {
		b.Write(append(chunk, '\n'))
	}
	return b.String()
}
