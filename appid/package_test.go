package appid

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sluice/appid/usage"
	"sluice/classify"
	"sluice/classify/appdb"
	"sluice/sigpack"
)

// without is the built-in package, with another version and without some applications.
func without(t *testing.T, version int, names ...string) *sigpack.Package {
	t.Helper()
	builtin, err := sigpack.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	db := appdb.New()
	for _, a := range builtin.Database.Applications {
		if !slices.Contains(names, a.Name) {
			if err := db.Add(a); err != nil {
				t.Fatal(err)
			}
		}
	}
	db.Groups = builtin.Database.Groups
	manifest := *builtin.Manifest
	manifest.Version = version
	return &sigpack.Package{Manifest: &manifest, Database: db}
}

// Rows: AI-100, AI-101, AI-123: the statements that name what a package lacks, by their paths, in
// any spelling; what only looks alike is not among them.
func TestReferences(t *testing.T) {
	g := start(t, Options{},
		"security zones security-zone a", "security zones security-zone b",
		"security policies from-zone a to-zone b policy p match dynamic-application junos:WIKIPEDIA",
		"security policies from-zone a to-zone b policy p match dynamic-application junos:SSH",
		"security policies global policy q match dynamic-application junos:web",
		"application-group mine applications wikipedia",
		"application-group mine application-groups junos:web",
		"application SSH icmp-mapping type 3",
		"application-group other applications SSH",
		"application x over FTP signature s member m01 context ftp-file-name",
		"application x over FTP signature s member m01 pattern abc")
	got := g.References([]string{"junos:WIKIPEDIA", "junos:web", "junos:FTP"}, []string{"junos:SSH"})
	want := []string{
		"[edit security policies from-zone a to-zone b policy p match dynamic-application junos:WIKIPEDIA]",
		"[edit security policies from-zone a to-zone b policy p match dynamic-application junos:SSH]",
		"[edit security policies global policy q match dynamic-application junos:web]",
		"[edit services application-identification application x over FTP]",
		"[edit services application-identification application-group mine applications wikipedia]",
		"[edit services application-identification application-group mine application-groups junos:web]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := g.References([]string{"junos:TWITTER"}, nil); len(got) != 0 {
		t.Errorf("nobody names it: %q", got)
	}
}

// Rows: AI-97, AI-103, AI-38, UP-11: a package comes into force while sessions go on; statistics
// stay, and who builds upon the catalogue is told.
func TestActivate(t *testing.T) {
	packages := &shelf{pack: without(t, 7)}
	g := start(t, Options{Packages: packages})
	told := 0
	g.OnChange(func() {
		told++
		g.Catalogue() // no lock is held
		g.Status()
	})
	g.session(tcp("198.51.100.9:2224"), ssh...)
	before := packages.pack
	old, m := new(classify.Flow), tcp("198.51.100.9:2224")
	g.Begin(old, m)
	packages.pack = without(t, 8, "junos:SSH")
	if err := g.Activate(packages.pack); err != nil {
		t.Fatal(err)
	}
	if _, ok := g.Catalogue().Lookup("junos:SSH"); ok || told != 1 || g.Status().Package.Version != 8 {
		t.Errorf("catalogue still has it: %t, told %d times, version %d", ok, told, g.Status().Package.Version)
	}
	slots := g.Status().Slots // AI-67
	if want := []Slot{{true, packages.pack, 0}, {false, before, 1}}; !slices.Equal(slots, want) {
		t.Errorf("slots %+v, want %+v", slots, want)
	}
	if r := g.finish(old, m, ssh...); r.Protocol != "junos:SSH" || len(g.Status().Slots) != 1 {
		t.Errorf("the old session: %+v, slots %+v", r, g.Status().Slots)
	}
	if rows := g.Usage().Applications(usage.Cumulative); len(rows) != 1 || rows[0].Name != "junos:SSH" {
		t.Errorf("statistics %+v", rows)
	}
	if err := g.Activate(nil); err != nil {
		t.Fatal(err)
	}
	if g.Enabled() || g.Status().Package != nil || len(g.Catalogue().DB.Applications) != 0 {
		t.Error("something is left after an uninstallation")
	}
	if err := g.Activate(without(t, 9)); err != nil || !g.Enabled() {
		t.Errorf("after a new installation: %v, enabled %t", err, g.Enabled())
	}
}

// Rows: AI-102, AI-167: what a package has lost is an alarm; the same statements stay valid, also
// at the next start, and new ones are refused.
func TestVanished(t *testing.T) {
	statements := []string{"application-group mine applications junos:WIKIPEDIA", "application-group mine applications junos:SSH"}
	packages := &shelf{pack: without(t, 7)}
	g := start(t, Options{Packages: packages}, statements...)
	if err := g.Activate(without(t, 8, "junos:WIKIPEDIA")); err != nil {
		t.Fatal(err)
	}
	alarms := g.Alarms()
	if len(alarms) != 1 || !strings.Contains(alarms[0].Text, "[edit services application-identification application-group mine applications junos:WIKIPEDIA]") {
		t.Errorf("alarms %+v", alarms)
	}
	members, _ := g.Catalogue().Group("mine")
	if len(members) != 1 || members[0].Name != "junos:SSH" {
		t.Errorf("members %v", members)
	}
	problems := g.commit(append(statements, "statistics interval 5")...)
	if len(problems) != 1 || !problems[0].Warning {
		t.Errorf("unrelated commit: %v", problems)
	}
	if change, _ := g.Prepare(config(t, append(statements, "application-group new applications junos:WIKIPEDIA")...)); change != nil {
		t.Error("a new statement that names it is not refused")
	}
	packages.pack = without(t, 8, "junos:WIKIPEDIA")
	next, err := New(Options{Packages: packages, Dir: compiled})
	if err != nil {
		t.Fatal(err)
	}
	next.Resume(config(t, statements...))
	change, problems := next.Prepare(config(t, statements...))
	if change == nil {
		t.Fatalf("the gateway does not start: %v", problems)
	}
	change.Apply()
	if len(next.Alarms()) != 1 {
		t.Errorf("alarms after a start: %+v", next.Alarms())
	}
	if err := next.Activate(without(t, 9)); err != nil || len(next.Alarms()) != 0 {
		t.Errorf("the alarm stays: %v %+v", err, next.Alarms())
	}
}

// Rows: AG-14, AG-20, AG-21, MA-26: an application or a group that is off stays so over restarts and
// packages, until it is switched on.
func TestDisabled(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.db")
	packages := &shelf{pack: without(t, 7)}
	g := start(t, Options{Packages: packages, DB: openDB(t, file)})
	if r := g.session(tcp("198.51.100.9:80"), http("en.wikipedia.org", "/")...); r.Application != "junos:WIKIPEDIA" {
		t.Fatalf("at first: %+v", r)
	}
	all, _ := g.Catalogue().Group("junos:web")
	if len(all) == 0 {
		t.Fatal("junos:web is empty")
	}
	for kind, name := range map[Kind]string{Application: "wikipedia", Group: "WEB"} {
		if err := g.SetDisabled(kind, name, true); err != nil {
			t.Fatal(err)
		}
	}
	off := func(g *gateway, when string, want bool) {
		t.Helper()
		members, _ := g.Catalogue().Group("junos:web")
		a, _ := g.Catalogue().Lookup("WIKIPEDIA")
		r := g.session(tcp("198.51.100.9:80"), http("en.wikipedia.org", "/")...)
		if a.Disabled != want || len(members) == 0 != want || (r.Application == "junos:WIKIPEDIA") == want || r.Protocol != "junos:HTTP" {
			t.Errorf("%s: disabled %t, %d members, session %+v", when, a.Disabled, len(members), r)
		}
	}
	off(g, "disabled", true)
	if err := g.Activate(without(t, 8)); err != nil {
		t.Fatal(err)
	}
	off(g, "after a new package", true)
	g = start(t, Options{Packages: packages, DB: openDB(t, file)})
	off(g, "after a restart", true)
	named := []string{"application-group mine application-groups junos:web", "security policies global policy p match dynamic-application web"}
	for i, problem := range g.commit(named...) {
		if want := []string{"policy p match dynamic-application]", "application-group mine application-groups]"}[i]; !problem.Warning ||
			!strings.Contains(problem.Error(), want+" group junos:web is disabled and matches nothing") {
			t.Errorf("warning %v, want one about %s", problem, want)
		}
	}
	if n := len(g.commit(named...)); n != 2 {
		t.Errorf("%d warnings", n)
	}
	for kind, name := range map[Kind]string{Application: "junos:WIKIPEDIA", Group: "junos:web"} {
		if err := g.SetDisabled(kind, name, false); err != nil {
			t.Fatal(err)
		}
	}
	off(g, "enabled", false)
	off(start(t, Options{Packages: packages, DB: openDB(t, file)}), "enabled, after a restart", false)
	if err := g.SetDisabled(Application, "WIKIPEDAI", true); err == nil || !strings.Contains(err.Error(), "did you mean junos:WIKIPEDIA") {
		t.Errorf("unknown name: %v", err)
	}
	g.commit("application-group mine")
	if err := g.SetDisabled(Group, "mine", true); err == nil {
		t.Error("a custom group was disabled")
	}
}

// Rows: AI-132, AI-133, AI-135: new applications leave their group by command, for this package.
func TestNewToProduction(t *testing.T) {
	packages := &shelf{pack: without(t, 7), added: []string{"junos:WIKIPEDIA", "junos:SSH", "junos:FTP"}}
	file := filepath.Join(t.TempDir(), "state.db")
	g := start(t, Options{Packages: packages, DB: openDB(t, file)})
	check := func(g *gateway, when string, want ...string) {
		t.Helper()
		var names []string
		members, _ := g.Catalogue().Group("junos:all-new-apps")
		for _, a := range members {
			names = append(names, a.Name)
		}
		slices.Sort(names)
		if !slices.Equal(names, want) {
			t.Errorf("%s: %q, want %q", when, names, want)
		}
	}
	check(g, "installed", "junos:FTP", "junos:SSH", "junos:WIKIPEDIA")
	if err := g.NewToProduction([]string{"ssh"}); err != nil {
		t.Fatal(err)
	}
	check(g, "one moved", "junos:FTP", "junos:WIKIPEDIA")
	if err := g.NewToProduction([]string{"junos:HTTP"}); err == nil {
		t.Error("an application that is not new was moved")
	}
	check(start(t, Options{Packages: packages, DB: openDB(t, file)}), "restarted", "junos:FTP", "junos:WIKIPEDIA")
	if err := g.NewToProduction(nil); err != nil {
		t.Fatal(err)
	}
	check(g, "all moved")
	packages.added = []string{"junos:SSH"}
	if err := g.Activate(without(t, 8)); err != nil {
		t.Fatal(err)
	}
	check(g, "the next package", "junos:SSH")
}

// Rows: CS-53: custom applications have numbers from 0x01000000 on, and keep them.
func TestNumbers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.db")
	number := func(g *gateway, name string) uint32 {
		t.Helper()
		a, ok := g.Catalogue().Lookup(name)
		if !ok {
			t.Fatalf("there is no %s", name)
		}
		return a.Number
	}
	g := start(t, Options{DB: openDB(t, file)}, "application b cacheable", "application a cacheable")
	b, a := number(g, "b"), number(g, "a")
	if b != 0x01000000 || a != 0x01000001 {
		t.Errorf("numbers %#x and %#x", b, a)
	}
	g = start(t, Options{DB: openDB(t, file)}, "application c cacheable", "application A cacheable")
	if number(g, "a") != a || number(g, "c") != 0x01000002 {
		t.Errorf("after a restart: %#x and %#x", number(g, "a"), number(g, "c"))
	}
	g.commit("application b cacheable")
	if number(g, "b") != b {
		t.Errorf("defined again: %#x", number(g, "b"))
	}
}
