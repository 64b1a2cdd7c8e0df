package sigpack

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// roles are the parts of a repository that sign, each with a key of its own. The root says which
// keys the others have; targets says which packages there are; snapshot and timestamp say that
// this is the newest word. The keys of root and targets can be kept elsewhere while nothing is
// published.
var roles = []string{metadata.ROOT, metadata.TARGETS, metadata.SNAPSHOT, metadata.TIMESTAMP}

// keyFile is the file of a role's key.
func keyFile(dir, role string) string { return filepath.Join(dir, role+".key") }

// NewKeys makes the keys of a repository: a file for each role in dir, which only its owner can
// read. It fails when there is a key already.
func NewKeys(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, role := range roles {
		if _, err := os.Lstat(keyFile(dir, role)); err == nil {
			return fmt.Errorf("%s: there is a key already", keyFile(dir, role))
		}
	}
	for _, role := range roles {
		if err := newKey(keyFile(dir, role)); err != nil {
			return err
		}
	}
	return nil
}

// newKey makes an ed25519 key in a new file.
func newKey(file string) error {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = pem.Encode(f, &pem.Block{Type: "PRIVATE KEY", Bytes: der})
	return errors.Join(err, f.Sync(), f.Close())
}

// readKey reads the key of a role. A key that others can read is refused: it is nobody's any more.
func readKey(file string) (ed25519.PrivateKey, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s: mode %04o lets others read it; chmod 0600 it, or better make new keys", file, info.Mode().Perm())
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, fmt.Errorf("%s: no private key in PEM form", file)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	private, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s: no ed25519 key", file)
	}
	return private, nil
}
