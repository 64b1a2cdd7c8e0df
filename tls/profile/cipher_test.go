package profile

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"sluice/store/schema"
)

// compiled are the protocols of profile p.
func compiled(t *testing.T, more ...string) Protocols {
	t.Helper()
	set, problems := Compile(config(t, forward(more...)), nil, Environment{})
	for _, p := range problems {
		t.Error(p)
	}
	return set.Proxy("p").Protocols
}

// A class is a minimum: strong is part of medium, medium of weak; TLS 1.3 is in all of them.
// Rows: SP-48, T-7, SP-15, G-20.
func TestClasses(t *testing.T) {
	for statement, want := range map[string]int{"strong": 15, "medium": 16, "weak": 18} {
		p := compiled(t, "preferred-ciphers "+statement)
		if len(p.CipherSuites) != want || len(p.Suites13) != 5 || p.MinVersion != 0x301 || p.MaxVersion != 0x304 || p.Preferred != statement {
			t.Errorf("%s: %d and %d suites, versions %x to %x", statement, len(p.CipherSuites), len(p.Suites13), p.MinVersion, p.MaxVersion)
		}
	}
	if medium, none := compiled(t, "preferred-ciphers medium"), compiled(t); !slices.Equal(medium.CipherSuites, none.CipherSuites) {
		t.Error("medium is not the default")
	}
}

// custom-ciphers are the whole list, and take away versions that they have no suite for.
// Rows: SP-49, SP-50, 5/S-17.
func TestCustomCiphers(t *testing.T) {
	for _, c := range []struct {
		ciphers  string
		version  string
		suites   []uint16
		suites13 []uint16
		min, max uint16
	}{
		{"ecdhe-ecdsa-with-aes-256-cbc-sha384 ecdhe-ecdsa-with-aes-128-cbc-sha256", "all", []uint16{0xc024, 0xc023}, nil, 0x303, 0x303},
		{"rsa-with-aes-128-cbc-sha", "all", []uint16{0x002f}, nil, 0x301, 0x303},
		{"rsa-with-aes-128-cbc-sha tls13-with-aes-128-gcm-sha256", "all", []uint16{0x002f}, []uint16{0x1301}, 0x301, 0x304},
		{"tls13-with-chacha20-poly1305-sha256 tls13-with-aes-128-ccm8-sha256", "all", nil, []uint16{0x1303, 0x1305}, 0x304, 0x304},
		{"rsa-with-aes-128-cbc-sha tls13-with-aes-128-gcm-sha256", "tls12-and-lower", []uint16{0x002f}, nil, 0x301, 0x303},
		{"rsa-with-aes-128-cbc-sha rsa-with-aes-256-gcm-sha384", "tls11", []uint16{0x002f}, nil, 0x302, 0x302},
		{"rsa-with-aes-128-cbc-sha tls13-with-aes-128-gcm-sha256", "tls13", nil, []uint16{0x1301}, 0x304, 0x304},
	} {
		p := compiled(t, "preferred-ciphers custom", "custom-ciphers [ "+c.ciphers+" ]", "protocol-version "+c.version)
		if !slices.Equal(p.CipherSuites, c.suites) || !slices.Equal(p.Suites13, c.suites13) || p.MinVersion != c.min || p.MaxVersion != c.max {
			t.Errorf("%s, %s: %x and %x, %x to %x", c.ciphers, c.version, p.CipherSuites, p.Suites13, p.MinVersion, p.MaxVersion)
		}
		if p.CustomCiphers != len(strings.Fields(c.ciphers)) {
			t.Errorf("%s: counted as %d", c.ciphers, p.CustomCiphers)
		}
	}
}

// Profiles that are not proxies know the seven ECDSA suites by names of their own, misspelt or not.
// Rows: SP-62, T-12, 5/S-31, 5/S-32.
func TestPlainCiphers(t *testing.T) {
	for name, id := range map[string]uint16{
		"aes-256-gcm-sha384": 0xc02c, "aes-256-cbc-sha": 0xc00a, "aes-256-cbc-sha384": 0xc024, "aes-128-gcm-sha256": 0xc02b,
		"aes-128-cbc-sha": 0xc009, "aes-128-cbc-sha256": 0xc023, "chacha20-poly1305-sha256": 0xcca9,
	} {
		for _, spelling := range []string{"tls12-ecdhc-ecdsa-", "tls12-ecdhe-ecdsa-"} {
			set, problems := Compile(config(t, "set services ssl initiation profile i custom-ciphers "+spelling+name+"\nset services ssl initiation profile i trusted-ca all\n"+
				"set services ssl termination profile t server-certificate x\nset services ssl termination profile t custom-ciphers "+spelling+name), nil, Environment{})
			for _, p := range problems {
				t.Error(p)
			}
			if i, s := set.Initiation("i"), set.Termination("t"); !slices.Equal(i.CipherSuites, []uint16{id}) || !slices.Equal(s.CipherSuites, []uint16{id}) || i.Preferred != "custom" {
				t.Errorf("%s: %x and %x", spelling+name, i.CipherSuites, s.CipherSuites)
			}
		}
	}
}

// Every name that statements take is a suite of the table, and every suite of the table has one.
func TestTableAndStatementsAgree(t *testing.T) {
	words := schema.CipherName("").Words()
	for _, w := range words {
		if byStatement[w] == nil {
			t.Errorf("%s is no suite", w)
		}
	}
	if len(byStatement) != len(words) || len(suites) != len(words)+1 || len(byID) != len(suites) {
		t.Errorf("%d suites, %d have statements, %d words", len(suites), len(byStatement), len(words))
	}
	for _, w := range schema.PlainCipherName("").Words() {
		if plainCustomOf([]schema.PlainCipherName{schema.PlainCipherName(w)})[0] == nil {
			t.Errorf("%s is no suite", w)
		}
	}
}

// Suites are printed as OpenSSL prints them.
// Rows: 6/O-3.
func TestPrintedNames(t *testing.T) {
	out, err := exec.Command("openssl", "ciphers", "-V", "ALL:@SECLEVEL=0").Output()
	if err != nil {
		t.Fatal(err)
	}
	printed := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) > 2 {
			printed[f[0]] = f[2]
		}
	}
	for _, s := range suites {
		number := code(s.ID)
		if got := printed[number]; got != s.Printed && !strings.Contains(s.Printed, "CCM") {
			t.Errorf("%s is %s, OpenSSL prints %s", number, s.Printed, got)
		}
		if SuiteName(s.ID) != s.Printed || SuiteOf(s.ID).ID != s.ID {
			t.Errorf("%s is not found by its number", s.Printed)
		}
	}
	if SuiteName(0x1234) != "0x1234" || SuiteOf(0x1234) != nil {
		t.Error("a suite that nobody has")
	}
	for version, want := range map[uint16]string{0x301: "1.0", 0x303: "1.2", 0x304: "1.3", 0x300: "0x300"} {
		if got := VersionName(version); got != want {
			t.Errorf("version %x is %q", version, got)
		}
	}
}

// code is a suite's number as OpenSSL lists it: 0xC0,0x2C.
func code(id uint16) string {
	const digits = "0123456789ABCDEF"
	b := []byte{digits[id>>12], digits[id>>8&15], digits[id>>4&15], digits[id&15]}
	return "0x" + string(b[:2]) + ",0x" + string(b[2:])
}
