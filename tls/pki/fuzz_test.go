package pki

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzLoad: nothing that is loaded, however damaged, stops the gateway, and whatever is accepted comes
// back from its file as it was.
func FuzzLoad(f *testing.F) {
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"), []byte("-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----\n"), "secret")
	f.Add([]byte("0\x82\x01\x00"), []byte("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00000000000000000000000000000000\n\nAAAA\n-----END RSA PRIVATE KEY-----\n"), "a")
	f.Add([]byte("0\x0b\x02\x01\x030\x06\x06\x01\x2a"), []byte("0\x06"), "")
	s, err := Open(filepath.Join(f.TempDir(), "pki"))
	if err != nil {
		f.Fatal(err)
	}
	if err := s.GenerateKeyPair("seed", ECDSA, 256); err != nil {
		f.Fatal(err)
	}
	if err := s.SelfSign("seed", Template{Subject: "CN=seed", CA: true}); err != nil {
		f.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(s.dir, localFolder, "seed"+suffix))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(content, content, "")
	f.Fuzz(func(t *testing.T, certificate, key []byte, passphrase string) {
		chain, err := readChain(certificate)
		if !isPEM(certificate) && isPKCS12(certificate) {
			_, _, _, _ = readPKCS12(certificate, []byte(passphrase))
		}
		private, keyErr := privateKey(key, []byte(passphrase))
		if err == nil && keyErr == nil && equalKeys(private.Public(), chain[0].PublicKey) {
			file, err := encodeLocal(&Local{ID: "x", Key: private, Certificate: chain[0], Chain: chain[1:]})
			if err != nil {
				t.Fatal(err)
			}
			l, err := decodeLocal("x", file)
			if err != nil || !l.Certificate.Equal(chain[0]) || !equalKeys(l.Key.Public(), private.Public()) || len(l.Chain) != len(chain)-1 {
				t.Fatalf("another comes back: %v", err)
			}
		}
		if _, err := decodeLocal("x", key); err == nil {
			_, _ = decodeGroup("x", certificate)
		}
		_, _ = decodeProfile("x", certificate)
	})
}
