package scenario

import (
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"testing"

	"sluice/internal/testpki"
	"sluice/lab"
)

// ciphers are names of custom-ciphers and what OpenSSL calls them (guide, tables 30 and 31): those that
// few libraries have, and one of each other kind. All of them are tried in tls/stdtls.
var ciphers = map[string]string{
	"ecdhe-ecdsa-with-aes-256-cbc-sha384": "ECDHE-ECDSA-AES256-SHA384",
	"ecdhe-rsa-with-aes-256-cbc-sha384":   "ECDHE-RSA-AES256-SHA384",
	"ecdhe-rsa-with-aes-128-gcm-sha256":   "ECDHE-RSA-AES128-GCM-SHA256",
	"rsa-with-aes-256-cbc-sha256":         "AES256-SHA256",
	"tls13-with-chacha20-poly1305-sha256": "TLS_CHACHA20_POLY1305_SHA256",
	"tls13-with-aes-128-ccm-sha256":       "TLS_AES_128_CCM_SHA256",
	"tls13-with-aes-128-ccm8-sha256":      "TLS_AES_128_CCM_8_SHA256",
}

// A cipher that a profile names is agreed on, with the client and with the server, when it is the only
// one named (SP-46, SP-49, SP-50, G-1, G-2, G-3, 5/S-17).
func TestCiphers(t *testing.T) {
	w := startHostile(t)
	w.show("request security pki generate-key-pair certificate-id branch-rsa type rsa size 2048")
	w.show(`request security pki local-certificate generate-self-signed certificate-id branch-rsa domain-name rsa.example.net subject "CN=Branch RSA" email admin@example.net add-ca-constraint`)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	every := []string{"-cipher", "ALL:@SECLEVEL=0", "-ciphersuites"}
	var all13 []string
	for _, name := range ciphers {
		if strings.HasPrefix(name, "TLS_") {
			all13 = append(all13, name)
		}
	}
	every = append(every, strings.Join(all13, ":"))
	origins := make(map[string]string)
	for kind, server := range map[string]struct {
		port string
		leaf *testpki.Leaf
	}{"ecdsa": {"4433", w.ca.Leaf(t, "ecdsa"+bad)}, "rsa": {"4434", w.ca.Leaf(t, "rsa"+bad, testpki.Key(key))}} {
		cert, keyFile := leafFiles(t, server.leaf)
		origins[kind] = lab.WebAddr4 + ":" + server.port
		p, err := w.Web.Start("openssl", append([]string{"s_server", "-accept", origins[kind], "-cert", cert, "-key", keyFile, "-www"}, every...)...)
		if err != nil {
			t.Fatal(err)
		}
		w.eventually("the "+kind+" server listens", func() bool { return strings.Contains(p.Output(), "ACCEPT") })
	}
	previous := ""
	for statement, name := range ciphers {
		kind, root := "rsa", "branch-rsa"
		if strings.Contains(statement, "ecdsa") || strings.HasPrefix(statement, "tls13") {
			kind, root = "ecdsa", "branch-ca"
		}
		commands := []string{
			"delete services ssl proxy profile inspect root-ca", "set services ssl proxy profile inspect root-ca " + root,
			"set services ssl proxy profile inspect preferred-ciphers custom",
			"set services ssl proxy profile inspect custom-ciphers " + statement,
		}
		if previous != "" {
			commands = append([]string{"delete services ssl proxy profile inspect custom-ciphers " + previous}, commands...)
		}
		previous = statement
		w.configure(commands...)
		// What the client says of the session is followed by a page on which the server says it.
		out, err := w.try(w.Client, "sh", append([]string{"-c", `printf 'GET / HTTP/1.0\r\n\r\n' | openssl s_client "$@" -ign_eof`, "sh",
			"-connect", origins[kind], "-servername", kind + bad}, every...)...)
		if n := strings.Count(out, "Cipher is "+name+"\n"); n != 2 || !strings.Contains(out, "issuer=CN = Branch") {
			t.Errorf("%s: %d sides agree on it, %v\n%s", statement, n, err, out)
		}
	}
}
