package pki

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// openStore opens a store in a directory of its own.
func openStore(t *testing.T) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "pki"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// openssl runs the outside judge and returns what it says.
func openssl(t *testing.T, in []byte, args ...string) string {
	t.Helper()
	cmd := exec.Command("openssl", args...)
	cmd.Stdin = strings.NewReader(string(in))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// Every size of RSA and ECDSA makes a key pair that OpenSSL calls sound, and DSA is refused.
// Rows: PK-1.
func TestGenerateKeyPair(t *testing.T) {
	s := openStore(t)
	for kind, sizes := range map[string][]int{RSA: {1024, 2048, 4096}, ECDSA: {256, 384, 521}} {
		for _, size := range sizes {
			id := fmt.Sprintf("%s-%d", kind, size)
			if err := s.GenerateKeyPair(id, kind, size); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(s.dir, localFolder, id+suffix)
			said := openssl(t, nil, "pkey", "-in", file, "-check", "-noout", "-text")
			if !strings.Contains(said, fmt.Sprintf("(%d bit", size)) || !strings.Contains(said, "valid") {
				t.Errorf("%s: %s", id, said)
			}
			info, err := os.Stat(file)
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: mode %v, %v", id, info.Mode(), err)
			}
		}
	}
	for _, wrong := range []struct {
		kind string
		size int
		want string
	}{{"dsa", 2048, "no TLS library signs"}, {RSA, 512, "use 1024, 2048 or 4096"}, {ECDSA, 2048, "use 256, 384 or 521"}, {"rsax", 0, "no type"}} {
		if err := s.GenerateKeyPair("new", wrong.kind, wrong.size); err == nil || !strings.Contains(err.Error(), wrong.want) {
			t.Errorf("%s %d: %v", wrong.kind, wrong.size, err)
		}
	}
	if err := s.GenerateKeyPair("rsa-1024", RSA, 2048); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("twice: %v", err)
	}
	for _, name := range []string{"", ".", "../x", "a/b", "-x", strings.Repeat("a", 64), "a b", "ä"} {
		if err := s.GenerateKeyPair(name, ECDSA, 256); err == nil {
			t.Errorf("the name %q is accepted", name)
		}
	}
}

// However a key pair is printed, only its name comes out.
func TestKeysAreNotPrinted(t *testing.T) {
	s := openStore(t)
	if err := s.GenerateKeyPair("secret", RSA, 1024); err != nil {
		t.Fatal(err)
	}
	l, _ := s.Local("secret")
	var logged strings.Builder
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "local", l, "value", *l, "list", []*Local{l})
	for _, text := range []string{fmt.Sprint(l), fmt.Sprintf("%+v %#v %s %x %d", l, *l, l, l, l), fmt.Sprintf("%+v", []Local{*l}), fmt.Sprintf("%+v", struct{ L *Local }{l}), logged.String()} {
		if !strings.Contains(text, "secret") || len(text) > 300 {
			t.Errorf("%s", text)
		}
	}
}
