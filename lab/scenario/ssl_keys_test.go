package scenario

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sluice/internal/testpki"
	"sluice/manage/api"
	"sluice/manage/command"
)

// Private keys, and the passphrases that open them, stay where they are kept: no command shows them, no log,
// trace, history, configuration or copy of it has them, and neither does the gateway say them when something
// is wrong. Only the gateway's user may read the files (PK-5, PK-7, PK-8, CE-1).
func TestKeysStayInside(t *testing.T) {
	w := startHostile(t)
	const passphrase = "correct-horse-battery"
	cert, plain := leafFiles(t, w.ca.Leaf(t, "protected"+bad, testpki.Key(testpki.RSA(t, 2048))))
	key := filepath.Join(t.TempDir(), "encrypted.pem")
	openssl(t, "", "pkcs8", "-topk8", "-in", plain, "-out", key, "-passout", "pass:"+passphrase)
	load := "request security pki local-certificate load certificate-id protected filename " + cert + " key " + key + " passphrase "
	w.refuses(load+passphrase+"-wrong", "does not open the key")
	w.refuses("request security pki local-certificate load certificate-id other filename "+key+" passphrase "+passphrase, "")
	w.shows(load+passphrase, "loaded successfully")
	w.shows("request security pki generate-key-pair certificate-id pair type rsa size 2048")
	w.configure(
		"set security log mode event", "set security log file name security.log",
		"set services ssl traceoptions file trace", "set services ssl traceoptions level verbose", "set services ssl traceoptions flag all",
		"set services ssl proxy profile protect server-certificate protected", "set services ssl proxy profile protect actions log all",
		"set security policies from-zone guest to-zone untrust policy all match source-address any",
		"set security policies from-zone guest to-zone untrust policy all match destination-address any",
		"set security policies from-zone guest to-zone untrust policy all match application any",
		"set security policies from-zone guest to-zone untrust policy all then permit application-services ssl-proxy profile-name protect",
	)
	w.serve("fine", w.ca.Leaf(t, "fine"+bad))
	for range 2 { // the second resumes
		if _, err := w.visit("fine"); err != nil {
			t.Error(err)
		}
	}
	_, _ = w.visit("nobody")

	secrets := map[string][]byte{"the passphrase": []byte(passphrase)}
	stored, err := filepath.Glob(filepath.Join(w.gw.Dir, "pki/local/*.pem"))
	if err != nil || len(stored) != 3 {
		t.Fatalf("%d keys are stored, %v", len(stored), err)
	}
	for _, file := range stored {
		for name, form := range keyForms(t, file) {
			secrets[filepath.Base(file)+" "+name] = form
		}
		if text, err := os.ReadFile(file); err != nil || !bytes.Contains(text, secrets[filepath.Base(file)+" as PEM"]) {
			t.Errorf("%s: not in the form that is looked for, %v", file, err)
		}
	}
	leaks := func(where string, text []byte) {
		t.Helper()
		for name, secret := range secrets {
			if bytes.Contains(bytes.ToLower(text), bytes.ToLower(secret)) {
				t.Errorf("%s: has %s", where, name)
			}
		}
	}
	commands := 0
	w.eachShow(func(command string, data []byte, err error) {
		leaks(command, fmt.Appendf(data, " %v", err))
		commands++
	})
	if commands < 100 {
		t.Errorf("only %d commands were tried", commands)
	}
	for _, command := range []string{
		"show configuration", "show configuration | display set", "show configuration | display json", "show configuration | display xml",
		"show log trace", "show log security.log", "show system commit",
		"request security pki local-certificate export certificate-id branch-ca", "request security pki local-certificate export certificate-id branch-ca type mobileconfig",
	} {
		out, err := w.gw.Show(t.Context(), command)
		if err != nil {
			t.Errorf("%s: %v", command, err)
		}
		leaks(command, []byte(out))
	}
	leaks("what the gateway printed", []byte(w.gw.Output()))
	files := 0
	if err := filepath.WalkDir(w.gw.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if strings.HasPrefix(path, filepath.Join(w.gw.Dir, "pki/local/")) {
			if info.Mode().Perm() != 0o600 {
				t.Errorf("%s: mode %v", path, info.Mode())
			}
			return nil
		}
		text, err := os.ReadFile(path)
		leaks(path, text)
		files++
		return err
	}); err != nil || files < 5 {
		t.Errorf("%d files were read, %v", files, err)
	}
	if info, err := os.Stat(filepath.Join(w.gw.Dir, "pki")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the store has mode %v, %v", info.Mode(), err)
	}
	for _, file := range []string{"log/trace", "log/security.log", "state.db"} {
		if info, err := os.Stat(filepath.Join(w.gw.Dir, file)); err != nil || info.Size() == 0 {
			t.Errorf("%s has nothing to be looked through: %v", file, err)
		}
	}
}

// keyForms are the forms in which the key of a file of the store could leave it.
func keyForms(t *testing.T, file string) map[string][]byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var block *pem.Block
	for block, text = pem.Decode(text); block != nil && block.Type != "PRIVATE KEY"; block, text = pem.Decode(text) {
	}
	if block == nil {
		t.Fatalf("%s has no key", file)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	var number []byte
	switch key := key.(type) {
	case *ecdsa.PrivateKey:
		number, err = key.Bytes()
	case *rsa.PrivateKey:
		number = key.Primes[0].Bytes()
	}
	if err != nil || len(number) < 32 {
		t.Fatalf("%s: a key of %T, %v", file, key, err)
	}
	second := base64.StdEncoding.EncodeToString(block.Bytes)[64:] // of the lines of PEM
	return map[string][]byte{
		"in binary": number, "in hexadecimal": []byte(hex.EncodeToString(number)), "in base64": []byte(base64.StdEncoding.EncodeToString(number)[:40]),
		"as PEM": []byte(second[:40]), "in a Go listing": []byte(strings.Trim(fmt.Sprint(number[:16]), "[]")),
	}
}

// eachShow runs every operational command that shows something, with some of the values that exist now for those
// that need one, and hands on what the gateway says.
func (w *world) eachShow(visit func(line string, data []byte, err error)) {
	w.t.Helper()
	client := api.NewClient(w.gw.Socket())
	defer client.Close()
	var walk func(line string, more int)
	walk = func(line string, more int) {
		next, err := client.Complete(w.t.Context(), line)
		if err != nil {
			w.t.Fatalf("%s: %v", line, err)
		}
		if slices.Contains(next.Completions, command.Enter) {
			result, err := client.Command(w.t.Context(), api.Command{Line: strings.TrimSpace(line)})
			visit(line, result.Data, err)
			more = min(more, 2) // an option and its value, not every choice of options
		}
		values := 0
		for _, c := range next.Completions {
			if c.Kind == command.KindLive {
				values++
			}
			if c.Insertable() && more > 0 && values <= 3 {
				walk(line+c.Text+" ", more-1)
			}
		}
	}
	walk("show ", 10)
}
