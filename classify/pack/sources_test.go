package pack

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// npm makes an archive as the registry has them.
func npm(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	zipped := gzip.NewWriter(&b)
	w := tar.NewWriter(zipped)
	for name, text := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(text))
	}
	w.Close()
	zipped.Close()
	return b.Bytes()
}

// A source is taken when its bytes are those that were pinned, and nothing leaves the directory.
func TestGet(t *testing.T) {
	archive := npm(t, map[string]string{
		"package/data/simple-icons.json": "[]", "package/data/../../../escaped.json": "x", "package/icons/a.svg": "<svg/>",
	})
	registry := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/thing/-/thing-1.0.0.tgz" {
			http.NotFound(w, r)
			return
		}
		w.Write(archive)
	}))
	defer registry.Close()
	sum := sha512.Sum512(archive)
	source := Source{Name: "thing", Version: "1.0.0", Integrity: base64.StdEncoding.EncodeToString(sum[:]), wanted: []string{"data/"}}
	dir := filepath.Join(t.TempDir(), "a", "b")
	if err := source.Get(t.Context(), registry.Client(), registry.URL, dir); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "data/simple-icons.json")); err != nil || string(text) != "[]" {
		t.Errorf("%q %v", text, err)
	}
	if found, _ := filepath.Glob(filepath.Join(dir, "../../*")); len(found) != 1 {
		t.Errorf("%q", found)
	}
	if _, err := os.Stat(filepath.Join(dir, "icons")); err == nil {
		t.Error("pictures were unpacked")
	}
	source.Integrity = Sources[0].Integrity
	if err := source.Get(t.Context(), registry.Client(), registry.URL, dir); err == nil || !strings.Contains(err.Error(), "not the bytes of version 1.0.0") {
		t.Errorf("other bytes: %v", err)
	}
	source.Version = "2.0.0"
	if err := source.Get(t.Context(), registry.Client(), registry.URL, dir); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("a version that is not there: %v", err)
	}
}

// The collections of the built-in package have importers, licences and somebody to credit.
func TestSources(t *testing.T) {
	for _, s := range Sources {
		known := false
		for _, i := range Importers() {
			known = known || i.Name == s.Importer
		}
		if raw, err := base64.StdEncoding.DecodeString(s.Integrity); !known || err != nil || len(raw) != sha512.Size || s.Licence == "" || s.Credit == "" {
			t.Errorf("%+v", s)
		}
	}
}
