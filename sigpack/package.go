package sigpack

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sluice/classify/appdb"
)

// manifestName is the path of the manifest in a package.
const manifestName = "manifest.json"

// Package is a package that was read: its manifest and its database. It is not changed.
type Package struct {
	*Manifest
	Database *appdb.Database
	// Dir is where the package lies unpacked; "" for the one that the program carries.
	Dir string
}

// Open reads an unpacked package: the directory that Fetch and OpenArchive make. It fails with
// ErrChecksum when a file is not the one that the manifest names, is missing, or is not named.
func Open(dir string) (*Package, error) {
	manifest, err := readManifest(dir)
	if err != nil {
		return nil, err
	}
	if err := manifest.verify(dir); err != nil {
		return nil, err
	}
	database, problems := appdb.LoadFS(os.DirFS(filepath.Join(dir, appsDir)))
	if err := allProblems(problems); err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	for _, a := range database.Applications {
		a.DeriveTags()
	}
	return &Package{Manifest: manifest, Database: database, Dir: dir}, nil
}

// Verify says whether an unpacked package still has the bytes it had when its manifest's digest
// was taken down. It fails with ErrChecksum when it has not.
func Verify(dir, digest string) error {
	manifest, err := readManifest(dir)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrChecksum, err)
	}
	if manifest.Digest != digest {
		return fmt.Errorf("%s: %w", filepath.Join(dir, manifestName), ErrChecksum)
	}
	return manifest.verify(dir)
}

func readManifest(dir string) (*Manifest, error) {
	file := filepath.Join(dir, manifestName)
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxManifest {
		return nil, fmt.Errorf("%s: larger than %d bytes", file, maxManifest)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	manifest, err := ParseManifest(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return manifest, nil
}

// verify compares the files below dir with the manifest.
func (m *Manifest) verify(dir string) error {
	seen := map[string]bool{}
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, file)
		if err != nil || name == manifestName {
			return err
		}
		want, known := m.Files[filepath.ToSlash(name)]
		if !known {
			return fmt.Errorf("%s: %w: not named by the manifest", file, ErrChecksum)
		}
		seen[filepath.ToSlash(name)] = true
		sum, err := sumFile(file)
		if err == nil && sum != want {
			err = fmt.Errorf("%s: %w", file, ErrChecksum)
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(m.Files)) {
		if !seen[name] {
			return fmt.Errorf("%s: %w: the file is missing", filepath.Join(dir, name), ErrChecksum)
		}
	}
	return nil
}

// sumFile is the SHA-256 of a file.
func sumFile(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Tags are the words that tag-based groups of the package can name, sorted.
func (p *Package) Tags() []string { return tags(p.Database) }

// maxProblems bounds how many problems of a database are told.
const maxProblems = 5

// allProblems makes one error of the problems of a database; nil when there is none.
func allProblems(problems []appdb.Problem) error {
	if len(problems) == 0 {
		return nil
	}
	var all []error
	for _, p := range problems[:min(len(problems), maxProblems)] {
		all = append(all, p)
	}
	if more := len(problems) - maxProblems; more > 0 {
		all = append(all, fmt.Errorf("and %d more problems", more))
	}
	return errors.Join(all...)
}

// appsDir and namesDir are the directories of a package.
const (
	appsDir  = "apps"
	namesDir = "names"
)

// goodEntry says whether a package may have a file of this name.
func goodEntry(name string) bool {
	if name == manifestName {
		return true
	}
	dir, file, ok := strings.Cut(name, "/")
	if !ok || len(file) > 100 || strings.HasPrefix(file, ".") {
		return false
	}
	if strings.Trim(file, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != "" {
		return false
	}
	return dir == appsDir && strings.HasSuffix(file, ".apps") || dir == namesDir && strings.HasSuffix(file, ".names")
}
