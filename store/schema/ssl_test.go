package schema

import (
	"strings"
	"testing"
)

// sslNode is the statement at path.
func sslNode(t *testing.T, path string) *Node {
	t.Helper()
	n := Root()
	for _, word := range strings.Fields(path) {
		if n = n.Child(word); n == nil {
			t.Fatalf("%s: there is no %q", path, word)
		}
	}
	return n
}

// Values of ssl statements are kept in one spelling; what cannot be meant is refused.
// Rows: SP-49, SP-50, SP-51, SP-52, SP-53, T-11, T-12, SP-30, SP-34, SP-38, SP-39.
func TestSSLValues(t *testing.T) {
	for _, c := range []struct{ path, typed, kept, problem string }{
		{"services ssl proxy profile custom-ciphers", "ecdhe-ecdsa-with-aes-256-cbc-sha384", "ecdhe-ecdsa-with-aes-256-cbc-sha384", ""},
		{"services ssl proxy profile custom-ciphers", "TLS13-with-aes-128-ccm8-sha256", "tls13-with-aes-128-ccm8-sha256", ""},
		{"services ssl proxy profile custom-ciphers", "ecdhe-rsa-with-aes-256-gcm-sha38", "", "did you mean ecdhe-rsa-with-aes-256-gcm-sha384"},
		{"services ssl proxy profile custom-ciphers", "rsa-with-rc4-128-md5", "", "not supported any more"},
		{"services ssl proxy profile custom-ciphers", "rsa-export-with-rc4-40-md5", "", "not supported any more"},
		{"services ssl proxy profile custom-ciphers", "null-cipher", "", "is not a cipher"},
		{"services ssl proxy profile custom-ciphers", "tls12-ecdhe-ecdsa-aes-256-gcm-sha384", "", "is not a cipher"},
		{"services ssl initiation profile custom-ciphers", "tls12-ecdhc-ecdsa-chacha20-poly1305-sha256", "tls12-ecdhe-ecdsa-chacha20-poly1305-sha256", ""},
		{"services ssl termination profile custom-ciphers", "tls12-ecdhc-ecdsa-aes-256-gcm-sha384", "tls12-ecdhe-ecdsa-aes-256-gcm-sha384", ""},
		{"services ssl termination profile custom-ciphers", "rsa-with-aes-128-cbc-sha", "rsa-with-aes-128-cbc-sha", ""},
		{"services ssl proxy global-config session-cache-timeout", "300", "300", ""},
		{"services ssl proxy global-config session-cache-timeout", "299", "", "out of range"},
		{"services ssl proxy global-config session-cache-timeout", "86401", "", "out of range"},
		{"services ssl proxy global-config certificate-cache-timeout", "300", "300", ""},
		{"services ssl proxy global-config mail-threshold byte-threshold", "99", "", "out of range"},
		{"services ssl proxy global-config mail-threshold byte-threshold", "301", "", "out of range"},
		{"services ssl proxy global-config mail-threshold packet-threshold", "16", "", "out of range"},
		{"services ssl proxy global-config mail-threshold packet-threshold", "0", "", "out of range"},
		{"services ssl proxy profile mirror-decrypt-traffic destination-mac-address", "00-50-56-A6-5F-1F", "00:50:56:a6:5f:1f", ""},
		{"services ssl proxy profile mirror-decrypt-traffic destination-mac-address", "00:00:00:00:00:00", "", "not an Ethernet address"},
		{"services ssl proxy profile mirror-decrypt-traffic destination-mac-address", "00:50:56:a6:5f", "", "not an Ethernet address"},
		{"services ssl traceoptions file size", "1048576", "1m", ""},
		{"services ssl traceoptions file size", "10k", "10k", ""},
		{"services ssl traceoptions file size", "10241", "10241", ""},
		{"services ssl traceoptions file size", "9k", "", "not a size"},
		{"services ssl traceoptions file size", "2g", "", "not a size"},
		{"services ssl traceoptions file filename", "../etc/passwd", "", "does not have the form"},
	} {
		path, isName := strings.CutSuffix(c.path, " file filename")
		n := sslNode(t, path)
		if isName {
			n = n.Child("file").Value
		}
		kept, err := n.Normalize(c.typed)
		switch {
		case c.problem == "" && (err != nil || kept != c.kept):
			t.Errorf("%s %s: %q, %v", c.path, c.typed, kept, err)
		case c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)):
			t.Errorf("%s %s: %q, %v, want %q", c.path, c.typed, kept, err, c.problem)
		}
	}
}

// Statements are found under the other spellings of the guide and its prose, and have the
// defaults that it states.
// Rows: T-25, T-49, SP-30, SP-34, SP-48.
func TestSSLSpellingsAndDefaults(t *testing.T) {
	for _, path := range []string{
		"services ssl proxy profile actions logs all", "services ssl proxy profile allowlist", "services ssl proxy profile actions log sessions-allowlisted",
		"services ssl proxy global-config non-ssl-detection-threshold byte-threshold",
	} {
		sslNode(t, path)
	}
	for path, want := range map[string]string{
		"services ssl proxy global-config session-cache-timeout":           "86400",
		"services ssl proxy global-config certificate-cache-timeout":       "600",
		"services ssl proxy global-config mail-threshold byte-threshold":   "300",
		"services ssl proxy global-config mail-threshold packet-threshold": "15",
		"services ssl proxy profile preferred-ciphers":                     "medium",
		"services ssl proxy profile protocol-version":                      "all",
		"services ssl proxy profile actions crl if-not-present":            "allow",
		"services ssl proxy profile actions renegotiation":                 "allow-secure",
		"services ssl traceoptions level":                                  "brief",
	} {
		if got := sslNode(t, path).Default; got != want {
			t.Errorf("%s: the default is %q, want %q", path, got, want)
		}
	}
	if words := sslNode(t, "services ssl proxy profile custom-ciphers").Enum; len(words) != 23 {
		t.Errorf("%d ciphers are offered", len(words))
	}
}
