package data

import (
	"slices"
	"strings"
	"testing"

	"sluice/classify/appdb"
)

func stanzas(t testing.TB, text string) *appdb.Database {
	t.Helper()
	db := appdb.New()
	for _, p := range db.Load("test.apps", strings.NewReader(text)) {
		t.Fatal(p)
	}
	return db
}

// What is written by hand wins: an imported application yields its name, its number and its hosts.
func TestImportedYields(t *testing.T) {
	db := stanzas(t, `
application CORE
  hosts core.com =exact.net every.*
  number 7
`)
	admit(db, stanzas(t, `
application CORE
  hosts elsewhere.com
  number 70000
application NUMBERED
  hosts numbered.com
  number 7
application HOMELESS
  hosts www.core.com =exact.net every.de shop.every.co.uk
  number 70001
application ADMITTED
  hosts core.com admitted.com sub.exact.net =core.com
  number 70002
`))
	if len(db.Applications) != 2 {
		t.Errorf("%d applications, not CORE and ADMITTED", len(db.Applications))
	}
	admitted, ok := db.Lookup("ADMITTED")
	if !ok || !slices.Equal(admitted.Hosts, []string{"admitted.com", "sub.exact.net"}) {
		t.Errorf("%+v", admitted)
	}
	for _, p := range db.Check() {
		t.Error(p)
	}
}

// The package counts at least 4,500 applications, each with all that an operator is shown of it,
// and a tag by which groups can name it (AI-134).
func TestPackageIsLarge(t *testing.T) {
	db := core(t)
	t.Logf("%d applications", len(db.Applications))
	if len(db.Applications) < 4500 {
		t.Errorf("%d applications; 4500 are the least", len(db.Applications))
	}
	imported, problems := Imported()
	for _, p := range problems {
		t.Error(p)
	}
	admitted := 0
	for _, a := range imported.Applications {
		if b, ok := db.Lookup(a.Name); ok && b.Number == a.Number {
			admitted++
		}
		if a.Number < 1<<16 || len(a.Ports) == 0 || len(a.References) == 0 || a.SubCategory == "" || a.Title == "" {
			t.Errorf("%s: %s lacks something", a.Source, a.Short())
		}
	}
	t.Logf("%d of %d imported applications", admitted, len(imported.Applications))
	if admitted < len(imported.Applications)*9/10 {
		t.Errorf("the core leaves room for %d of %d imported applications only: import anew", admitted, len(imported.Applications))
	}
	for _, a := range db.Applications {
		if len(a.Tags) == 0 {
			t.Errorf("%s: %s has no tags", a.Source, a.Short())
		}
	}
}

// A configuration names applications and groups in one place, so that no name is both.
func TestNamesAreOneThing(t *testing.T) {
	db := core(t)
	for _, name := range append(db.GroupNames(), appdb.GroupAny, appdb.GroupUnassigned, appdb.GroupNew, "none", appdb.Unknown) {
		if a, ok := db.Lookup(name); ok {
			t.Errorf("%s: %s is the name of something else too", a.Source, a.Name)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, problems := load(); len(problems) > 0 {
			b.Fatal(problems[0])
		}
	}
}

// Every group of the package says what it stands for, and none is said to exist that does not.
func TestGroupsAreDescribed(t *testing.T) {
	db := core(t)
	described := map[string]bool{}
	for _, g := range db.Groups {
		described[g.Name] = true
		if g.Description == "" || !strings.HasSuffix(g.Description, ".") {
			t.Errorf("%s: description %q is no sentence", g.Name, g.Description)
		}
		if len(db.Members(g.Name)) == 0 {
			t.Errorf("%s has no members", g.Name)
		}
	}
	for _, name := range db.GroupNames() {
		if !described[name] {
			t.Errorf("%s is not described: groups.apps does that", name)
		}
	}
}
