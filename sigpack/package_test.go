package sigpack

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// The same input makes the same bytes, and these read back as what went in.
func TestBuild(t *testing.T) {
	text := built(t, major(7), sampleApps)
	if !bytes.Equal(text, built(t, major(7), sampleApps)) {
		t.Error("a second build made other bytes")
	}
	dir := filepath.Join(t.TempDir(), "new")
	info := major(7)
	if _, err := place(bytes.NewReader(text), &info, dir); err != nil {
		t.Fatal(err)
	}
	p, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	// The versions of the parts, the kind and the release date are the package's (AI-91, AI-139, AI-160).
	if p.Info != major(7) || p.Dir != dir || p.Kind.String() != "Major" || p.ProtocolBundle.String() != "1.7.0-1 (build date Feb  1 2026)" {
		t.Errorf("%+v", p.Info)
	}
	want := Counts{Applications: 3, Protocols: 1, Written: 1, Imported: 1, Groups: 5, Tags: 5, Hosts: 2, Signatures: 1}
	if p.Counts != want {
		t.Errorf("counts %+v, not %+v", p.Counts, want)
	}
	if !slices.Equal(p.Contexts, []string{"http-header-user-agent"}) {
		t.Errorf("contexts %q", p.Contexts)
	}
	// Predefined tags come with the package (AI-134).
	if !slices.Contains(p.Tags(), "social_networking") {
		t.Errorf("tags %q", p.Tags())
	}
	if g, ok := p.Database.LookupGroup("junos:web:old"); !ok || !g.Obsolete {
		t.Errorf("group %+v", g)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "names/other.names")); err != nil || string(text) != "SSL TLS\n" {
		t.Errorf("names %q %v", text, err)
	}
	if _, err := place(bytes.NewReader(text), &info, dir); err == nil {
		t.Error("a package was put where there is one")
	}
}

// The package that the program carries can be built, and is what is said of it.
func TestBuiltin(t *testing.T) {
	p, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	if p.Counts.Applications < 4500 || p.Counts.Protocols < 250 || p.Counts.Written < 500 {
		t.Errorf("%+v", p.Counts)
	}
	if c := p.Counts; c.Applications != c.Protocols+c.Micro+c.Written+c.Imported {
		t.Errorf("%+v does not add up", c)
	}
	var b bytes.Buffer
	if _, err := Build(&b, p.Info, p.Database, nil); err != nil {
		t.Fatal(err)
	}
	again, err := Inspect(&b)
	if err != nil {
		t.Fatal(err)
	}
	if again.Counts != p.Counts || again.Info != p.Info || !slices.Equal(again.Tags(), p.Tags()) {
		t.Errorf("%+v %+v", again.Info, again.Counts)
	}
}

// One byte that changes is found, and so is a file too many or too few (AI-130).
func TestVerify(t *testing.T) {
	for name, harm := range map[string]func(dir string) error{
		"byte":     func(dir string) error { return flip(filepath.Join(dir, "apps/web.apps")) },
		"manifest": func(dir string) error { return flip(filepath.Join(dir, "manifest.json")) },
		"removed":  func(dir string) error { return os.Remove(filepath.Join(dir, "names/other.names")) },
		"added":    func(dir string) error { return os.WriteFile(filepath.Join(dir, "apps/more.apps"), nil, 0o600) },
		"gone":     os.RemoveAll,
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "p")
			p, err := place(bytes.NewReader(built(t, major(7), sampleApps)), nil, dir)
			if err != nil {
				t.Fatal(err)
			}
			if err := Verify(dir, p.Digest); err != nil {
				t.Fatal(err)
			}
			if err := harm(dir); err != nil {
				t.Fatal(err)
			}
			if err := Verify(dir, p.Digest); !errors.Is(err, ErrChecksum) {
				t.Errorf("%v", err)
			}
			if _, err := Open(dir); err == nil {
				t.Error("the package was opened")
			}
		})
	}
}

func flip(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	text[len(text)/2] ^= 1
	return os.WriteFile(file, text, 0o600)
}

// A hostile package is refused with the reason, and nothing of it stays.
func TestHostilePackages(t *testing.T) {
	good := built(t, major(7), sampleApps)
	manifest := func(from, to string) []byte {
		return edited(t, good, func(name string, text []byte) []byte {
			if name == "manifest.json" {
				return bytes.ReplaceAll(text, []byte(from), []byte(to))
			}
			return text
		})
	}
	many := []entry{}
	for i := range maxEntries + 1 {
		many = append(many, plain("apps/"+strings.Repeat("a", i/26+1)+string(rune('a'+i%26))+".apps", ""))
	}
	huge := plain("apps/a.apps", "")
	huge.Size = maxFile + 1
	zeros := strings.Repeat("\x00", 13<<20)
	var bomb []entry
	for i := range 5 {
		bomb = append(bomb, plain("apps/b"+strings.Repeat("b", i)+".apps", zeros))
	}
	link := func(flag byte) entry {
		e := plain("apps/a.apps", "")
		e.Typeflag, e.Linkname = flag, "/etc/passwd"
		return e
	}
	for _, c := range []struct {
		what    string
		archive []byte
		is      error
		says    string
	}{
		{"no archive", []byte("something else"), ErrHostile, "no gzip archive"},
		{"truncated", good[:len(good)/2], ErrHostile, "unexpected EOF"},
		{"path traversal", handMade(t, plain("../escaped.apps", "x")), ErrHostile, `a file "../escaped.apps" has no place in it`},
		{"traversal below", handMade(t, plain("apps/../../escaped.apps", "x")), ErrHostile, "has no place in it"},
		{"absolute path", handMade(t, plain("/tmp/escaped.apps", "x")), ErrHostile, "has no place in it"},
		{"symbolic link", handMade(t, link(symlink)), ErrHostile, "is no plain file"},
		{"hard link", handMade(t, link(hardlink)), ErrHostile, "is no plain file"},
		{"device", handMade(t, link(character)), ErrHostile, "is no plain file"},
		{"other file", handMade(t, plain("run.sh", "x")), ErrHostile, "has no place in it"},
		{"file twice", handMade(t, plain("apps/a.apps", "x"), plain("apps/a.apps", "y")), ErrHostile, "twice"},
		{"many entries", handMade(t, many...), ErrHostile, "more than 1000 files"},
		{"zip bomb", handMade(t, bomb...), ErrHostile, "unpacks to more than"},
		{"no manifest", handMade(t, plain("apps/a.apps", "")), os.ErrNotExist, "manifest.json"},
		{"another version", manifest(`"version": 7`, `"version": 8`), nil, "base 7: a major package is its own base"},
		{"version of the feed", built(t, major(8), sampleApps), ErrManifest, "says version 8, the feed 7"},
		{"unknown field", manifest(`"format": 1,`, `"format": 1, "surprise": true,`), nil, `unknown field "surprise"`},
		{"later format", manifest(`"format": 1`, `"format": 2`), nil, "this program reads format 1"},
		{"wrong counts", manifest(`"protocols": 1`, `"protocols": 2`), ErrManifest, "the package holds"},
		{"wrong contexts", manifest(`http-header-user-agent`, `http-header-host`), ErrManifest, "look at"},
		{"file not named", manifest(`"names/other.names": "`, `"names/others.names": "`), ErrChecksum, "not named by the manifest"},
		{"changed file", edited(t, good, func(name string, text []byte) []byte {
			return bytes.ReplaceAll(text, []byte("sample.com"), []byte("simple.com"))
		}), ErrChecksum, "web-social-networking.apps"},
		{"signature that does not compile", built(t, major(7), strings.Replace(sampleApps, "^Sample/", "^Sample(", 1)), nil, "signature of SAMPLE"},
		{"numbers twice", built(t, major(7), strings.Replace(sampleApps, "number 70000", "number 2", 1)), nil, "number 2 belongs to"},
		{"protocol that is missing", built(t, major(7), strings.Replace(sampleApps, "  hosts sample.com", "  over NOTHING\n  hosts sample.com", 1)), nil, "over names no protocol"},
	} {
		t.Run(c.what, func(t *testing.T) {
			above := t.TempDir()
			info := major(7)
			p, err := place(bytes.NewReader(c.archive), &info, filepath.Join(above, "p"))
			if err == nil {
				t.Fatalf("accepted: %+v", p)
			}
			if c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("refused with %q, which does not say %q (%v)", err, c.says, c.is)
			}
			if left, _ := filepath.Glob(filepath.Join(above, "*")); len(left) != 0 {
				t.Errorf("left behind: %q", left)
			}
			if left, _ := filepath.Glob(filepath.Join(above, ".*")); len(left) != 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
	var b bytes.Buffer
	a, _ := newArchive(&b, begin)
	a.tar.WriteHeader(&huge.Header)
	a.zipped.Close()
	if err := unpackPackage(&b, t.TempDir()); !errors.Is(err, ErrHostile) || !strings.Contains(err.Error(), "are the most") {
		t.Errorf("a huge file: %v", err)
	}
}

const (
	symlink   = '2'
	hardlink  = '1'
	character = '3'
)

func TestManifest(t *testing.T) {
	for what, change := range map[string]func(*Manifest){
		"version 0":                   func(m *Manifest) { m.Version = 0 },
		"base 3: a minor":             func(m *Manifest) { m.Kind, m.Base, m.Version = Minor, 3, 3 },
		"no release date":             func(m *Manifest) { m.Released = time.Time{} },
		`engine "5 \x1b[2J"`:          func(m *Manifest) { m.Engine.Version = "5 \x1b[2J" },
		`file "../x.apps"`:            func(m *Manifest) { m.Files = map[string]string{"../x.apps": ""} },
		"is no SHA-256":               func(m *Manifest) { m.Files = map[string]string{"apps/x.apps": "12"} },
		`micro-app-version ""`:        func(m *Manifest) { m.MicroApps = "" },
		`custom-app-infra-version ""`: func(m *Manifest) { m.CustomApps = "" },
	} {
		m := &Manifest{Format: Format, Info: major(7)}
		if _, err := ParseManifest(m.Bytes()); err != nil {
			t.Fatal(err)
		}
		change(m)
		if _, err := ParseManifest(m.Bytes()); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%v does not say %q", err, what)
		}
	}
	m := &Manifest{Format: Format, Info: major(7)}
	if _, err := ParseManifest(append(m.Bytes(), "{}"...)); err == nil {
		t.Error("something follows the manifest")
	}
	if _, err := ParseManifest(make([]byte, maxManifest+1)); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("a large manifest: %v", err)
	}
}

// Opening is what a gateway does with its package when it starts.
func BenchmarkOpen(b *testing.B) {
	p, err := Builtin()
	if err != nil {
		b.Fatal(err)
	}
	var text bytes.Buffer
	if _, err := Build(&text, p.Info, p.Database, nil); err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	if err := unpackPackage(&text, dir); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Open(dir); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzManifest(f *testing.F) {
	m := &Manifest{Format: Format, Info: minor(9, 7), Files: map[string]string{"apps/a.apps": strings.Repeat("0", 64)}}
	f.Add(m.Bytes())
	f.Add([]byte(`{"format": 1}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := ParseManifest(text)
		if err != nil {
			return
		}
		again, err := ParseManifest(m.Bytes())
		if err != nil || again.Info.same(&m.Info) != nil {
			t.Errorf("%v: %+v became %+v", err, m, again)
		}
	})
}

// Whatever an archive holds, nothing is written outside the directory, and a package that is
// accepted is one that opens.
func FuzzPackage(f *testing.F) {
	f.Add(built(f, major(7), sampleApps))
	f.Add(handMade(f, plain("../escaped.apps", "x")))
	f.Add(handMade(f, plain("manifest.json", "{}")))
	f.Fuzz(func(t *testing.T, archive []byte) {
		above := t.TempDir()
		dir := filepath.Join(above, "in", "p")
		p, err := place(bytes.NewReader(archive), nil, dir)
		if left, _ := filepath.Glob(filepath.Join(above, "*")); len(left) != 1 {
			t.Fatalf("%q", left)
		}
		if err != nil {
			if _, err := os.Stat(dir); err == nil {
				t.Fatal("refused, but there")
			}
			return
		}
		if err := Verify(dir, p.Digest); err != nil {
			t.Fatal(err)
		}
	})
}
