package scan

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/classify"
	"sluice/classify/appdb"
	"sluice/classify/decode"
)

// recompiles says whether a set that is compiled with a cache matches, and what was logged.
func recompile(t *testing.T, db *appdb.Database, dir string) (log string) {
	t.Helper()
	var out bytes.Buffer
	s, problems, err := Compile(t.Context(), db, Options{CacheDir: dir, Logger: slog.New(slog.NewTextHandler(&out, nil))})
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	defer s.Close()
	var p classify.Progress
	if h := s.Match(&p, decode.Stream, decode.ToServer, "TCP", &classify.Meta{Protocol: decode.TCP}, []byte("a word")); h == nil {
		t.Error("does not match")
	}
	return out.String()
}

func cached(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// A database is compiled once, and once for both directions. What is damaged, foreign or gone is
// compiled anew.
func TestCache(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "signatures")
	db := appdb.New()
	db.Add(app("word", one(in(decode.Stream, "word"))))
	other := appdb.New()
	other.Add(app("word", one(in(decode.Stream, "wo.d"))))

	if log := recompile(t, db, dir); log != "" {
		t.Error(log)
	}
	files := cached(t, dir)
	if len(files) != 1 {
		t.Fatalf("files %v", files)
	}
	good, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	key := [32]byte(good[len(cacheFormat):])
	compiled := good[len(cacheFormat)+64:]

	// A database that is found is not compiled: one for other expressions proves it.
	foreign, err := compile([]expression{{regexp: "other"}})
	if err != nil {
		t.Fatal(err)
	}
	write := func(data []byte) {
		t.Helper()
		if err := os.WriteFile(files[0], data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(seal(key, foreign))
	s, _, err := Compile(t.Context(), db, Options{CacheDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	var p classify.Progress
	if s.Match(&p, decode.Stream, decode.ToServer, "TCP", &classify.Meta{}, []byte("other")) == nil {
		t.Error("was compiled although it was there")
	}
	s.Close()

	flipped := bytes.Clone(good)
	flipped[len(flipped)-1] ^= 1
	cut := compiled[:len(compiled)/2]
	version := bytes.Clone(compiled)
	version[4] ^= 1 // of the library
	for name, data := range map[string][]byte{
		"empty": {}, "cut": good[:len(good)-1], "flipped": flipped, "garbage": bytes.Repeat([]byte("x"), 1000),
		"another key": seal([32]byte{1}, compiled), "another version": seal(key, version),
		"half a database": seal(key, cut), "no database": seal(key, nil), "head only": good[:len(cacheFormat)+40],
	} {
		write(data)
		recompile(t, db, dir)
		if now, err := os.ReadFile(files[0]); err != nil || !bytes.Equal(now, good) {
			t.Errorf("%s: is not replaced (%v)", name, err)
		}
	}
	recompile(t, other, dir)
	if n := len(cached(t, dir)); n != 2 {
		t.Errorf("%d files for two sets", n)
	}
	if len(expressionKeys(db)) != 1 {
		t.Error("directions do not share a database")
	}
}

func expressionKeys(db *appdb.Database) map[[32]byte]bool {
	keys := map[[32]byte]bool{}
	all, _ := collect(db)
	for _, want := range places(all) {
		var list []expression
		for e := range want {
			list = append(list, e)
		}
		keys[keyOf(list)] = true
	}
	return keys
}

// A directory that cannot be used costs time and nothing else.
func TestCacheUnusable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	db := appdb.New()
	db.Add(app("word", one(in(decode.Stream, "word"))))
	if log := recompile(t, db, filepath.Join(file, "below")); !strings.Contains(log, "compiled anew") {
		t.Errorf("log %q", log)
	}
}

// There are never more than so many files, and those last used stay.
func TestCacheBounded(t *testing.T) {
	dir := t.TempDir()
	long := time.Now().Add(-24 * time.Hour)
	for i := range 3 * maxCached {
		path := filepath.Join(dir, fmt.Sprintf("%d%s", i, cacheSuffix))
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, long, long); err != nil {
			t.Fatal(err)
		}
	}
	abandoned := filepath.Join(dir, "1.new")
	if err := os.WriteFile(abandoned, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(abandoned, long, long); err != nil {
		t.Fatal(err)
	}
	db := appdb.New()
	db.Add(app("word", one(in(decode.Stream, "word"))))
	recompile(t, db, dir)
	if n := len(cached(t, dir)); n != maxCached {
		t.Errorf("%d files", n)
	}
	all, _ := collect(db)
	for range places(all) {
		for key := range expressionKeys(db) {
			c := cache{dir: dir, logger: slog.Default()}
			if c.get(key) == nil {
				t.Error("what was just used is gone")
			}
		}
	}
}
