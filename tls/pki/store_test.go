package pki

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sluice/store/schema"
)

// What a crash left half-written is gone after opening, what cannot be read is reported and left
// alone, and everything else is there, closed to others.
// Rows: PK-8.
func TestOpen(t *testing.T) {
	s := openStore(t)
	keyPair(t, s, "good", ECDSA)
	if err := s.SelfSign("good", Template{Subject: "CN=good", CA: true}); err != nil {
		t.Fatal(err)
	}
	keyPair(t, s, "bad", ECDSA)
	keyPair(t, s, "mixed", ECDSA)
	local := filepath.Join(s.dir, localFolder)
	whole, err := os.ReadFile(filepath.Join(local, "good.pem"))
	if err != nil {
		t.Fatal(err)
	}
	bad, err := os.ReadFile(filepath.Join(local, "bad.pem"))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"good.pem.new": whole[:100],                                                                                                // half-written
		"bad.pem":      bad[:len(bad)/2],                                                                                           // damaged on disk
		"mixed.pem":    append(slices.Clone(bad), whole[strings.Index(string(whole), "certificate "):]...),                         // of two
		"empty.pem":    nil,                                                                                                        // nothing in it
		"note.txt":     []byte("a note"),                                                                                           // not ours
		"lax.pem":      whole[:strings.Index(string(whole), "certificate ")],                                                       // readable for others
		"../ca/x.pem":  []byte("certificate 2026-01-01T00:00:00Z\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), // no certificate
	} {
		if err := os.WriteFile(filepath.Join(local, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	again, err := Open(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, l := range again.Locals() {
		ids = append(ids, l.ID)
	}
	if want := []string{"good", "lax"}; !slices.Equal(ids, want) {
		t.Errorf("there are %v, want %v", ids, want)
	}
	var faults strings.Builder
	for _, err := range again.Faults() {
		faults.WriteString(err.Error() + "\n")
	}
	for _, want := range []string{"local/bad.pem: ", "local/mixed.pem: its key and its certificate", "local/empty.pem: it has no key", "local/note.txt: the gateway did not make", "ca/x.pem: "} {
		if !strings.Contains(faults.String(), want) {
			t.Errorf("%q is not in\n%s", want, faults.String())
		}
	}
	if _, err := os.Stat(filepath.Join(local, "good.pem.new")); !errors.Is(err, os.ErrNotExist) {
		t.Error("the half-written file is still there")
	}
	for path, mode := range map[string]os.FileMode{"": 0o700, localFolder: 0o700, "local/lax.pem": 0o600, "local/good.pem": 0o600} {
		if info, err := os.Stat(filepath.Join(s.dir, path)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	good, _ := s.Local("good")
	same, _ := again.Local("good")
	if !same.Certificate.Equal(good.Certificate) || !same.KeyModified.Equal(good.KeyModified.Truncate(1e9)) || !same.CertificateModified.Equal(good.CertificateModified.Truncate(1e9)) {
		t.Errorf("it comes back as another: %v %v", same.KeyModified, same.CertificateModified)
	}
}

// A change that the disk refuses is no change.
func TestWriteFails(t *testing.T) {
	s := openStore(t)
	keyPair(t, s, "key", ECDSA)
	told := 0
	s.OnChange(func() { told++ })
	// A folder in the file's place refuses every user, root too.
	if err := os.Mkdir(filepath.Join(s.dir, localFolder, "key"+suffix+temporary), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.SelfSign("key", Template{Subject: "CN=a"}); err == nil {
		t.Error("what could not be written is said to be done")
	}
	if l, _ := s.Local("key"); l.Certificate != nil || told != 0 {
		t.Error("what could not be written is in force")
	}
}

// Clearing takes away what it says and nothing else, for good; who watches is told.
// Rows: PK-20.
func TestClear(t *testing.T) {
	s := openStore(t)
	keyPair(t, s, "id", ECDSA)
	if err := s.SelfSign("id", Template{Subject: "CN=a", CA: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Request("id", Template{Subject: "CN=a"}); err != nil {
		t.Fatal(err)
	}
	certificate := exported(t, s, "id")
	if err := s.LoadCA("profile", certificate); err != nil {
		t.Fatal(err)
	}
	if _, err := s.LoadGroup("group", certificate); err != nil {
		t.Fatal(err)
	}
	if err := s.ClearKeyPair("id"); err == nil || !strings.Contains(err.Error(), "clear the local certificate id first") {
		t.Errorf("a key that a certificate needs: %v", err)
	}
	told := 0
	s.OnChange(func() { told++ })
	steps := []struct {
		clear func(string) error
		name  string
		gone  func(*Store) bool
	}{
		{s.ClearRequest, "id", func(s *Store) bool { l, ok := s.Local("id"); return ok && l.Request == nil && l.Certificate != nil }},
		{s.ClearCertificate, "id", func(s *Store) bool { l, ok := s.Local("id"); return ok && l.Certificate == nil }},
		{s.ClearKeyPair, "id", func(s *Store) bool { _, ok := s.Local("id"); return !ok }},
		{s.ClearCA, "profile", func(s *Store) bool { return len(s.CAProfile("profile")) == 0 && len(s.CAs()) == 1 }},
		{s.ClearGroup, "group", func(s *Store) bool { return len(s.CAGroup("group")) == 0 && len(s.CAs()) == 0 }},
	}
	for i, step := range steps {
		var missing *MissingError
		if err := step.clear("other"); !errors.As(err, &missing) {
			t.Errorf("step %d, of another name: %v", i, err)
		}
		if step.gone(s) {
			t.Errorf("step %d is done before", i)
		}
		if err := step.clear(step.name); err != nil {
			t.Errorf("step %d: %v", i, err)
		}
		again, err := Open(s.dir)
		if err != nil {
			t.Fatal(err)
		}
		if !step.gone(s) || !step.gone(again) {
			t.Errorf("step %d is not done", i)
		}
		if err := step.clear(step.name); !errors.As(err, &missing) {
			t.Errorf("step %d, twice: %v", i, err)
		}
	}
	if told != len(steps) {
		t.Errorf("told of %d changes, want %d", told, len(steps))
	}
}

// A group has every authority of its file once, in order, under GROUP_N, and says what it skipped.
// Rows: PK-13, PK-16, PK-17, PK-19.
func TestGroup(t *testing.T) {
	s := openStore(t)
	c := newChain(t, ECDSA)
	damaged := []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
	bundle := join([]byte("# Test CAs\n\n"), c.root, c.server, damaged, c.intermediate, c.root)
	report, err := s.LoadGroup("ca-latest", bundle)
	if err != nil {
		t.Fatal(err)
	}
	want := []struct{ name, reason string }{{"ca-latest_1", ""}, {"", "not a CA certificate"}, {"", "malformed"}, {"ca-latest_2", ""}, {"", "twice"}}
	for i, w := range want {
		if i >= len(report) || report[i].Name != w.name || !strings.Contains(report[i].Reason, w.reason) {
			t.Errorf("%d: %+v, want %+v", i, report, w)
		}
	}
	for _, store := range []*Store{s, reopened(t, s)} {
		members := store.CAGroup("ca-latest")
		if len(members) != 2 || members[0].Name != "ca-latest_1" || members[0].Certificate.Subject.CommonName != "root" || members[1].Certificate.Subject.CommonName != "intermediate" || members[1].Group != "ca-latest" {
			t.Fatalf("%+v", members)
		}
		if one := store.CAProfile("ca-latest_2"); len(one) != 1 || one[0] != members[1] {
			t.Errorf("%+v", one)
		}
		if store.CAProfile("ca-latest_3") != nil || store.CAProfile("other_1") != nil || store.CAGroup("other") != nil {
			t.Error("what is not there is found")
		}
		if !slices.Equal(store.CAGroups(), []string{"ca-latest"}) {
			t.Errorf("%v", store.CAGroups())
		}
	}
	for name, content := range map[string][]byte{"nothing": []byte("hello"), "a server": c.server, "damaged": damaged} {
		if _, err := s.LoadGroup("ca-latest", content); err == nil {
			t.Errorf("%s is loaded", name)
		}
	}
	if len(s.CAGroup("ca-latest")) != 2 {
		t.Error("what was refused changed the group")
	}
	if _, err := s.LoadGroup("ca-latest", c.intermediate); err != nil || len(s.CAGroup("ca-latest")) != 1 {
		t.Errorf("loading anew: %v, %d members", err, len(s.CAGroup("ca-latest")))
	}
}

func reopened(t *testing.T, s *Store) *Store {
	t.Helper()
	again, err := Open(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// The default group is the system's bundle, and follows it.
// Rows: PK-14, PK-15.
func TestDefaultGroup(t *testing.T) {
	s := openStore(t)
	c := newChain(t, ECDSA)
	s.bundle = filepath.Join(t.TempDir(), "none")
	if _, err := s.Refresh(); err != nil {
		t.Errorf("nothing is from the bundle, which is missing: %v", err)
	}
	s.bundle = file(t, join(c.root, c.intermediate))
	if _, err := s.LoadDefaultGroup("system"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.LoadGroup("own", join(c.root, c.intermediate)); err != nil {
		t.Fatal(err)
	}
	if refreshed, err := s.Refresh(); err != nil || refreshed != nil {
		t.Errorf("nothing changed: %v, %v", refreshed, err)
	}
	again := reopened(t, s)
	again.bundle = s.bundle
	if err := os.WriteFile(s.bundle, c.root, 0o600); err != nil {
		t.Fatal(err)
	}
	if refreshed, err := again.Refresh(); err != nil || !slices.Equal(refreshed, []string{"system"}) {
		t.Errorf("the bundle changed: %v, %v", refreshed, err)
	}
	if len(again.CAGroup("system")) != 1 || len(again.CAGroup("own")) != 2 {
		t.Errorf("%d and %d members", len(again.CAGroup("system")), len(again.CAGroup("own")))
	}
	if err := os.WriteFile(s.bundle, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := again.Refresh(); err == nil || len(again.CAGroup("system")) != 1 {
		t.Errorf("a damaged bundle: %v, %d members", err, len(again.CAGroup("system")))
	}
	s.bundle = filepath.Join(t.TempDir(), "none")
	if _, err := s.LoadDefaultGroup("system"); err == nil || !strings.Contains(err.Error(), "ca-certificates") {
		t.Errorf("without a bundle: %v", err)
	}
}

// A CA profile has one certificate, an authority's.
// Rows: PK-9, PK-10.
func TestLoadCA(t *testing.T) {
	s := openStore(t)
	c := newChain(t, ECDSA)
	for _, content := range [][]byte{c.root, der(t, c.intermediate)} {
		if err := s.LoadCA("profile", content); err != nil {
			t.Fatal(err)
		}
	}
	for _, store := range []*Store{s, reopened(t, s)} {
		if got := store.CAProfile("profile"); len(got) != 1 || got[0].Certificate.Subject.CommonName != "intermediate" || got[0].Modified.IsZero() || got[0].Group != "" {
			t.Errorf("%+v", got)
		}
	}
	for want, content := range map[string][]byte{"2 certificates": join(c.root, c.intermediate), "not a CA certificate": c.server, "neither PEM": []byte("x"), "malformed": []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")} {
		if err := s.LoadCA("profile", content); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	old := newVersion1(t)
	if err := s.LoadCA("old", old); err != nil {
		t.Errorf("a root of version 1: %v", err)
	}
}

// newVersion1 has OpenSSL make a root as they were before extensions.
func newVersion1(t *testing.T) []byte {
	t.Helper()
	key := file(t, []byte(openssl(t, nil, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")))
	request := openssl(t, nil, "req", "-new", "-key", key, "-subj", "/CN=old root")
	certificate := openssl(t, []byte(request), "x509", "-req", "-key", key, "-days", "10")
	certificate = certificate[strings.Index(certificate, "-----BEGIN"):]
	if said := openssl(t, []byte(certificate), "x509", "-noout", "-text"); !strings.Contains(said, "Version: 1") {
		t.Fatalf("%s", said)
	}
	return []byte(certificate)
}

// Names of a configuration stand for profiles that it has, groups and members; "all" for all of them.
// Rows: PK-18, PK-9.
func TestTrustPool(t *testing.T) {
	s := openStore(t)
	c, other := newChain(t, ECDSA), newChain(t, ECDSA)
	for name, content := range map[string][]byte{"p1": c.root, "p2": other.root, "gone": c.intermediate} {
		if err := s.LoadCA(name, content); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.LoadGroup("g", join(c.root, other.intermediate)); err != nil {
		t.Fatal(err)
	}
	cfg := &schema.PKI{CAProfiles: []schema.CAProfile{{Name: "p1"}, {Name: "p2"}, {Name: "empty"}}}
	for names, want := range map[string]int{"all": 3, "p1": 1, "p1 p2": 2, "g": 2, "g p1": 2, "g_2": 1, "empty": 0, "": 0, "p1 all": 3} {
		pool, list, err := s.TrustPool(cfg, strings.Fields(names))
		if err != nil || len(list) != want || pool == nil {
			t.Errorf("%q: %d, %v, want %d", names, len(list), err, want)
		}
	}
	for _, name := range []string{"gone", "g_3", "nothing"} {
		if _, _, err := s.TrustPool(cfg, []string{"p1", name}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	problems := s.Check(cfg)
	if len(problems) != 1 || !problems[0].Warning || problems[0].Path != "security pki ca-profile empty" {
		t.Errorf("%v", problems)
	}
	problems = s.Check(&schema.PKI{CAProfiles: []schema.CAProfile{{Name: "a/b"}}})
	if len(problems) != 1 || problems[0].Warning {
		t.Errorf("a name that no certificate can have: %v", problems)
	}
}

// The chain that is sent has the issuers that were loaded with the certificate, or are known from
// groups and profiles, without the root; OpenSSL, which trusts only the root, accepts it.
// Rows: PK-21, PK-22, PK-23.
func TestChain(t *testing.T) {
	c := newChain(t, RSA)
	for name, prepare := range map[string]func(*Store) error{
		"loaded with it": func(s *Store) error { return s.LoadLocal("server", join(c.server, c.intermediate, c.root), c.key, nil) },
		"of a group": func(s *Store) error {
			_, err := s.LoadGroup("g", join(c.root, c.intermediate))
			return errors.Join(err, s.LoadLocal("server", c.server, c.key, nil))
		},
		"of a profile": func(s *Store) error {
			return errors.Join(s.LoadCA("p", c.intermediate), s.LoadLocal("server", c.server, c.key, nil))
		},
	} {
		s := openStore(t)
		if err := prepare(s); err != nil {
			t.Fatal(err)
		}
		l, _ := s.Local("server")
		chain := s.Chain(l)
		if len(chain) != 1 || chain[0].Subject.CommonName != "intermediate" {
			t.Errorf("%s: %d certificates", name, len(chain))
			continue
		}
		sent, err := Encode(chain[0], PEM)
		if err != nil {
			t.Fatal(err)
		}
		if said := openssl(t, nil, "verify", "-CAfile", filepath.Join(c.dir, "root.pem"), "-untrusted", file(t, sent), filepath.Join(c.dir, "server.pem")); !strings.Contains(said, "OK") {
			t.Errorf("%s: %s", name, said)
		}
		trusted := name == "of a group"
		if err := s.Verify(l); (err == nil) != trusted {
			t.Errorf("%s: verify: %v", name, err)
		}
	}
	s := openStore(t)
	if err := s.LoadLocal("sub", join(c.intermediate, c.root), c.read(t, "intermediate.key"), nil); err != nil {
		t.Fatal(err)
	}
	sub, _ := s.Local("sub")
	if sub.Anchor() != sub.Chain[0] {
		t.Error("what clients must trust is not the root")
	}
	if mobile, err := s.Export("sub", MobileConfig); err != nil || strings.Contains(string(mobile), "com.apple.security.root") || !strings.Contains(string(mobile), "<string>com.apple.security.pkcs1</string>") {
		t.Errorf("an authority below a root is a root: %v", err)
	}
	keyPair(t, s, "key", ECDSA)
	l, _ := s.Local("key")
	if chain := s.Chain(l); chain != nil || l.Anchor() != nil {
		t.Errorf("a key pair has the chain %v", chain)
	}
	if err := s.SelfSign("key", Template{Subject: "CN=a"}); err != nil {
		t.Fatal(err)
	}
	l, _ = s.Local("key")
	if chain := s.Chain(l); chain != nil || s.Verify(l) != nil || l.Anchor() != l.Certificate {
		t.Errorf("a self-signed certificate has the chain %v, and verify says %v", chain, s.Verify(l))
	}
}

// An authority below a root is valid only with the root.
func TestVerifyCA(t *testing.T) {
	c := newChain(t, ECDSA)
	s := openStore(t)
	if err := s.LoadCA("sub", c.intermediate); err != nil {
		t.Fatal(err)
	}
	if err := s.VerifyCA(s.CAProfile("sub")[0]); err == nil {
		t.Error("valid without its root")
	}
	if err := s.LoadCA("root", c.root); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"sub", "root"} {
		if err := s.VerifyCA(s.CAProfile(name)[0]); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
