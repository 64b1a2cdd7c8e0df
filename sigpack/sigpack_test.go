package sigpack

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/classify/appdb"
)

// begin is when tests take place.
var begin = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)

const sampleApps = `
protocol SSL
  title TLS
  description Encryption.
  category Infrastructure
  sub-category Encryption
  risk 2
  number 1

application SAMPLE
  title Sample
  description A sample.
  category Web
  sub-category Social-Networking
  risk 2
  hosts sample.com
  signature http-header-user-agent client-to-server "^Sample/" depth 64
  number 2

application TAKEN-OVER
  title Taken over
  description From elsewhere.
  category Web
  risk 2
  hosts taken-over.com
  number 70000

group web:old
  flags obsolete
`

func database(t testing.TB, text string) *appdb.Database {
	t.Helper()
	db := appdb.New()
	for _, p := range db.Load("sample.apps", strings.NewReader(text)) {
		t.Fatal(p)
	}
	for _, a := range db.Applications {
		a.DeriveTags()
	}
	return db
}

func major(version int) Info {
	built := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	return Info{Version: version, Kind: Major, Base: version, Released: begin.Add(time.Duration(version) * time.Second),
		ProtocolBundle: Component{fmt.Sprintf("1.%d.0-1", version), built}, Engine: Component{"1.0.0-1", built}, MicroApps: "1.0.0-0", CustomApps: "1.0.0-0"}
}

func minor(version, base int) Info {
	i := major(base)
	i.Version, i.Kind = version, Minor
	return i
}

// built is the archive of a package.
func built(t testing.TB, info Info, apps string) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := Build(&b, info, database(t, apps), map[string][]byte{"other.names": []byte("SSL TLS\n")}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func file(t testing.TB, text []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "package.tar.gz")
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// entry is one entry of a hand-made archive.
type entry struct {
	tar.Header
	text string
}

func plain(name, text string) entry {
	return entry{tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(text))}, text}
}

func handMade(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	zipped := gzip.NewWriter(&b)
	w := tar.NewWriter(zipped)
	for _, e := range entries {
		if err := w.WriteHeader(&e.Header); err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(e.text))
	}
	w.Close()
	zipped.Close()
	return b.Bytes()
}

// edited is an archive after its files were changed; nil leaves a file out.
func edited(t testing.TB, archive []byte, edit func(name string, text []byte) []byte) []byte {
	t.Helper()
	dir := t.TempDir()
	if err := unpackPackage(bytes.NewReader(archive), dir); err != nil {
		t.Fatal(err)
	}
	var entries []entry
	for _, pattern := range []string{"*.json", "apps/*", "names/*"} {
		names, _ := filepath.Glob(filepath.Join(dir, pattern))
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			short, _ := filepath.Rel(dir, name)
			if text = edit(short, text); text != nil {
				entries = append(entries, plain(short, string(text)))
			}
		}
	}
	return handMade(t, entries...)
}
