package dn

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// judge has OpenSSL print an encoded name, in the order of the encoding.
func judge(t *testing.T, raw []byte, options string) string {
	t.Helper()
	// A request is the smallest thing with a name that OpenSSL prints.
	dir := t.TempDir()
	file := filepath.Join(dir, "name.der")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(dir, "key.pem")
	for _, args := range [][]string{
		{"genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key},
		{"asn1parse", "-inform", "DER", "-in", file, "-noout"},
	} {
		if out, err := exec.Command("openssl", args...).CombinedOutput(); err != nil {
			t.Fatalf("openssl %v: %v\n%s", args, err, out)
		}
	}
	info, err := asn1.Marshal(struct {
		Version    int
		Subject    asn1.RawValue
		Key        asn1.RawValue
		Attributes asn1.RawValue
	}{0, asn1.RawValue{FullBytes: raw}, publicKey(t, key), asn1.RawValue{Class: asn1.ClassContextSpecific, IsCompound: true}})
	if err != nil {
		t.Fatal(err)
	}
	request, err := asn1.Marshal(struct {
		Info      asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}{asn1.RawValue{FullBytes: info}, pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}}, asn1.BitString{Bytes: []byte{0}, BitLength: 8}})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("openssl", "req", "-inform", "DER", "-noout", "-subject", "-nameopt", options)
	cmd.Stdin = strings.NewReader(string(request))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return strings.TrimPrefix(strings.TrimSuffix(string(out), "\n"), "subject=")
}

func publicKey(t *testing.T, key string) asn1.RawValue {
	t.Helper()
	der, err := exec.Command("openssl", "pkey", "-in", key, "-pubout", "-outform", "DER").Output()
	if err != nil {
		t.Fatal(err)
	}
	return asn1.RawValue{FullBytes: der}
}

// What is typed is what OpenSSL reads in the encoding: all kinds of attributes, order, several values
// of a kind, values that belong together, escapes and quotes.
// Rows: PK-2.
func TestParse(t *testing.T) {
	for _, c := range []struct{ typed, openssl, slash string }{
		{"DC=mydomain.net,L=Sunnyvale,O=Mydomain,OU=LAB,CN=SECURITY", "DC=mydomain.net,L=Sunnyvale,O=Mydomain,OU=LAB,CN=SECURITY", "/DC=mydomain.net/L=Sunnyvale/O=Mydomain/OU=LAB/CN=SECURITY"},
		{"DC=net,DC=example,OU=b,OU=a,CN=x", "DC=net,DC=example,OU=b,OU=a,CN=x", "/DC=net/DC=example/OU=b/OU=a/CN=x"},
		{" cn = a b , o=c ", "CN=a b,O=c", "/CN=a b/O=c"},
		{"C=IN,ST=KA,L=BNG,O=XYZ,OU=ABC,CN=5.0.0.1,emailAddress=newca@test.com", "C=IN,ST=KA,L=BNG,O=XYZ,OU=ABC,CN=5.0.0.1,emailAddress=newca@test.com", "/C=IN/ST=KA/L=BNG/O=XYZ/OU=ABC/CN=5.0.0.1/emailAddress=newca@test.com"},
		{`O=A\, B,CN="c, d"`, `O=A\, B,CN=c\, d`, "/O=A, B/CN=c, d"},
		{`CN=a\+b\"c\\,O=\20x\20`, `CN=a\+b\"c\\,O=\ x\ `, `/CN=a\+b"c\/O= x `},
		{"CN=a+UID=b,O=c", "CN=a+UID=b,O=c", "/CN=a+UID=b/O=c"},
		{"SN=12345,surname=Doe,GN=Jane,title=Dr,street=Main 1,postalCode=12345,2.5.4.13=x", "serialNumber=12345,SN=Doe,GN=Jane,title=Dr,street=Main 1,postalCode=12345,description=x", "/serialNumber=12345/SN=Doe/GN=Jane/title=Dr/street=Main 1/postalCode=12345/description=x"},
		{"CN=a/b", "CN=a/b", `/CN=a\/b`},
		{"CN=münchen", "CN=münchen", `/CN=m\xC3\xBCnchen`},
		{"CN=m\\C3\\BCnchen", "CN=münchen", `/CN=m\xC3\xBCnchen`},
	} {
		raw, err := Parse(c.typed)
		if err != nil {
			t.Errorf("%s: %v", c.typed, err)
			continue
		}
		if got := judge(t, raw, "sep_comma_plus,utf8,esc_2253"); got != c.openssl {
			t.Errorf("%s: OpenSSL reads %s, want %s", c.typed, got, c.openssl)
		}
		if got := judge(t, raw, "compat"); got != c.slash || Slash(raw) != c.slash {
			t.Errorf("%s: OpenSSL writes %q, we %q, want %q", c.typed, got, Slash(raw), c.slash)
		}
	}
}

// What is no name is refused, and why.
func TestParseErrors(t *testing.T) {
	for typed, want := range map[string]string{
		"":                                   "not an attribute",
		"CN":                                 "not an attribute",
		"CN=":                                "has no value",
		"CN=a,":                              "not an attribute",
		"XX=a":                               "no attribute",
		"9.9=a":                              "no attribute",
		"C=USA":                              "has 2 letters",
		"DC=münchen":                         "ASCII only",
		"C=Ü1":                               "letters, digits",
		`CN="a`:                              "not closed",
		`CN="a"b`:                            "must be a comma",
		`CN=a\`:                              "ends in a backslash",
		"CN=\\ff":                            "UTF-8",
		"CN=" + strings.Repeat("a", 65):      "64 are the most",
		"CN=" + strings.Repeat("a", 5000):    "4096 are the most",
		strings.Repeat("OU=a,", 65) + "CN=b": "more than 64 attributes",
	} {
		if _, err := Parse(typed); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", typed, err, want)
		}
	}
}

// Every string type is read, and nothing of a name can break a line of output.
func TestParts(t *testing.T) {
	value := func(tag int, content string) attributeValue {
		return attributeValue{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: asn1.RawValue{Tag: tag, Bytes: []byte(content)}}
	}
	raw, err := asn1.Marshal([]rdnSET{{value(asn1.TagBMPString, "\x00\xfc\x00b")}, {value(asn1.TagT61String, "\xfc")}, {value(asn1.TagUTF8String, "a\nb\x1b[2J\u2028c")}, {value(asn1.TagPrintableString, "\xff")}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := Comma(raw), "CN=üb, CN=ü, CN=a\uFFFDb\uFFFD[2J\uFFFDc, CN=\uFFFD"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := Slash(raw); strings.ContainsAny(got, "\n\x1b") {
		t.Errorf("%q", got)
	}
	if Parts([]byte("no name")) != nil {
		t.Error("what is no name has parts")
	}
	for _, p := range Parts(raw) {
		if p.Long != "Common name" {
			t.Errorf("%+v", p)
		}
	}
}

// FuzzParse: what is accepted is a name that can be read again, and nothing panics.
func FuzzParse(f *testing.F) {
	for _, typed := range []string{"CN=a", "DC=a,DC=b+OU=c", `CN="a\"b", O=\,`, "1.2.3.4=x", "CN=\\c3\\bc"} {
		f.Add(typed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		raw, err := Parse(typed)
		if err != nil {
			return
		}
		var name pkix.RDNSequence
		if rest, err := asn1.Unmarshal(raw, &name); err != nil || len(rest) > 0 {
			t.Fatalf("%q: %v", typed, err)
		}
		if len(Parts(raw)) == 0 || strings.ContainsAny(Slash(raw)+Comma(raw), "\r\n") {
			t.Fatalf("%q: %q", typed, Comma(raw))
		}
	})
}

// FuzzParts: no encoding makes the printing fail or break a line.
func FuzzParts(f *testing.F) {
	raw, _ := Parse("CN=a,O=b")
	f.Add(raw)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if strings.ContainsAny(Slash(raw)+Comma(raw), "\r\n\x1b") {
			t.Fatalf("%q", Comma(raw))
		}
	})
}
