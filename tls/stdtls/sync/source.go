package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/format"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// modulePath is where the package lives.
const modulePath = "sluice/tls/stdtls"

// leftOut are the files of crypto/tls that are not part of the package as it is built here.
var leftOut = []string{"defaults_boring.go", "generate_cert.go"}

// internals are the files that crypto/tls has in internal packages, and where they go.
var internals = map[string]string{
	"crypto/internal/fips140/tls12/tls12.go": "internal/tls12/tls12.go",
	"crypto/internal/fips140/tls13/tls13.go": "internal/tls13/tls13.go",
}

// replaced are the packages that only the standard library may import, and what stands for them.
var replaced = map[string]string{
	"crypto/internal/fips140/tls12":  modulePath + "/internal/tls12",
	"crypto/internal/fips140/tls13":  modulePath + "/internal/tls13",
	"crypto/tls/internal/fips140tls": modulePath + "/internal/fips140tls",
	"internal/godebug":               modulePath + "/internal/godebug",
	"internal/cpu":                   "golang.org/x/sys/cpu",
}

// files are the contents of a directory by slash-separated name.
type files map[string][]byte

// readSource reads the files of the package from a Go source tree, imports replaced, with the Go
// version of the tree.
func readSource(goroot string) (files, string, error) {
	version, err := os.ReadFile(filepath.Join(goroot, "VERSION"))
	if err != nil {
		return nil, "", fmt.Errorf("%s is not a Go source tree: %w", goroot, err)
	}
	release, _, _ := strings.Cut(string(version), "\n")
	src := filepath.Join(goroot, "src")
	names, err := filepath.Glob(filepath.Join(src, "crypto/tls/*.go"))
	if err != nil {
		return nil, "", err
	}
	from := make(map[string]string)
	for _, name := range names {
		base := filepath.Base(name)
		if !strings.HasSuffix(base, "_test.go") && !slices.Contains(leftOut, base) {
			from[base] = name
		}
	}
	for name, to := range internals {
		from[to] = filepath.Join(src, name)
	}
	source := make(files)
	for to, name := range from {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, "", err
		}
		if source[to], err = replaceImports(text); err != nil {
			return nil, "", fmt.Errorf("%s: %w", name, err)
		}
	}
	if source["LICENSE"], err = os.ReadFile(filepath.Join(goroot, "LICENSE")); err != nil {
		return nil, "", err
	}
	return source, release, nil
}

func replaceImports(text []byte) ([]byte, error) {
	for from, to := range replaced {
		text = bytes.ReplaceAll(text, []byte("\t\""+from+"\"\n"), []byte("\t\""+to+"\"\n"))
	}
	return format.Source(text)
}

// manifest is the text of the file that records which source the package was made from: the Go
// version, and the SHA-256 of each file before the patches.
func (f files) manifest(version string) []byte {
	text := fmt.Appendln(nil, version)
	for _, name := range f.names() {
		sum := sha256.Sum256(f[name])
		text = fmt.Appendf(text, "%s  %s\n", hex.EncodeToString(sum[:]), name)
	}
	return text
}

func (f files) names() []string {
	names := make([]string, 0, len(f))
	for name := range f {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// manifestNames returns the version and the names of the files in a manifest.
func manifestNames(text []byte) (version string, names []string) {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	for _, line := range lines[1:] {
		if _, name, ok := strings.Cut(line, "  "); ok {
			names = append(names, name)
		}
	}
	return lines[0], names
}

func readFiles(dir string, names []string) (files, error) {
	read := make(files)
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			return nil, err
		}
		read[name] = text
	}
	return read, nil
}

func (f files) write(dir string) error {
	for name, text := range f {
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Join(dir, path.Dir(name)), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
