package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The files of the package with the patches taken back are those of the Go version that SOURCE
// records; and where that version is installed, making the package anew gives what is there.
func TestPackageIsSourceAndPatches(t *testing.T) {
	const dir = ".."
	recorded, err := os.ReadFile(filepath.Join(dir, sourceFile))
	if err != nil {
		t.Fatal(err)
	}
	version, names := manifestNames(recorded)
	if !strings.HasPrefix(version, "go1.") || len(names) < 20 {
		t.Fatalf("%s records version %q and %d files", sourceFile, version, len(names))
	}
	committed, err := readFiles(dir, names)
	if err != nil {
		t.Fatal(err)
	}
	list, err := patches("patches")
	if err != nil {
		t.Fatal(err)
	}
	if len(list) == 0 {
		t.Fatal("no patches")
	}
	source, err := patched(committed, list, true)
	if err != nil {
		t.Fatalf("the patches cannot be taken back: %v", err)
	}
	if got := source.manifest(version); !bytes.Equal(got, recorded) {
		t.Errorf("without the patches the package is not %s:\n%s\n%s has\n%s", version, got, sourceFile, recorded)
	}

	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	installed, installedVersion, err := readSource(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	if installedVersion != version {
		t.Logf("made from %s, and %s is installed", version, installedVersion)
		return
	}
	if got := installed.manifest(version); !bytes.Equal(got, recorded) {
		t.Errorf("%s of the installed %s:\n%s\nrecorded:\n%s", sourceFile, version, got, recorded)
	}
	made, err := patched(installed, list, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range made.names() {
		if !bytes.Equal(made[name], committed[name]) {
			t.Errorf("%s is not what the source and the patches give: go run ./tls/stdtls/sync", name)
		}
	}
}

// What is laid out as a repository is taken back as the same patches.
func TestStageAndRecord(t *testing.T) {
	text := files{"a.go": []byte("package a\n\nvar x = 1\n"), "internal/b.go": []byte("package b\n")}
	from, to := t.TempDir(), t.TempDir()
	patch := []byte("First change\n\nWhy it is there.\n---\n" +
		"diff --git a/a.go b/a.go\n--- a/a.go\n+++ b/a.go\n@@ -1,3 +1,3 @@\n package a\n \n-var x = 1\n+var x = 2\n")
	name := filepath.Join(from, "01-first-change.patch")
	if err := os.WriteFile(name, patch, 0o644); err != nil {
		t.Fatal(err)
	}
	staged := filepath.Join(t.TempDir(), "staged")
	if err := stage(staged, text, "go1.0", []string{name}); err != nil {
		t.Fatal(err)
	}
	if err := record(staged, to); err != nil {
		t.Fatal(err)
	}
	list, err := patches(to)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 || filepath.Base(list[0]) != "01-first-change.patch" {
		t.Fatalf("recorded %q", list)
	}
	if got, err := os.ReadFile(list[0]); err != nil || !bytes.Equal(got, patch) {
		t.Errorf("recorded, error %v:\n%s\nwant:\n%s", err, got, patch)
	}
	changed, err := patched(text, list, false)
	if err != nil {
		t.Fatal(err)
	}
	if want := "package a\n\nvar x = 2\n"; string(changed["a.go"]) != want {
		t.Errorf("patched: %q, want %q", changed["a.go"], want)
	}
	back, err := patched(changed, list, true)
	if err != nil || !bytes.Equal(back["a.go"], text["a.go"]) {
		t.Errorf("taken back: %q, error %v", back["a.go"], err)
	}
}

// What crypto/tls of the same version says about itself is true of the package.
func TestOfCryptoTLS(t *testing.T) {
	recorded, err := os.ReadFile(filepath.Join("..", sourceFile))
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	goroot := strings.TrimSpace(string(out))
	_, installed, err := readSource(goroot)
	if err != nil {
		t.Fatal(err)
	}
	if version, _ := manifestNames(recorded); installed != version {
		t.Logf("made from %s, and %s is installed, whose tests may be about what is not here", version, installed)
		return
	}
	if err := runTests("..", goroot); err != nil {
		t.Error("go run ./tls/stdtls/sync -test:", err)
	}
}
