package manage

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/appid"
	"sluice/appid/asc"
	"sluice/appid/usage"
	"sluice/classify"
	"sluice/classify/appdb"
	"sluice/manage/api"
	"sluice/proxy"
	"sluice/sigpack"
	"sluice/sigpack/install"
	"sluice/store"
)

// database is what the fake package knows.
const database = `
protocol HTTP
  description Transfers hypertext.
  category Web
  risk 2
  ports tcp/80
  group web
  alias OLD-HTTP
  number 67
protocol MODBUS
  category Infrastructure
  sub-category SCADA
  ports tcp/502
  group infrastructure:scada
micro MODBUS-READ-COILS
  of MODBUS
  group infrastructure:scada
application GOPHERS
  group web:old
  flags obsolete
application YOUTUBE
  group web
  over HTTP
  flags new
group web
  description The Web
`

// ownGroup is a group of the operator, in the order of the guide's sample.
var ownGroup = appdb.Group{Name: "my_web", Applications: []string{"junos:YOUTUBE", "junos:HTTP", "junos:GOPHERS"}, Groups: []string{"junos:infrastructure"}}

var (
	_ Applications = (*appid.Service)(nil)
	_ Packages     = (*install.Manager)(nil)
)

// fakeApplications is identification of a small database.
type fakeApplications struct {
	catalogue *appid.Catalogue
	cache     *asc.Cache
	usage     *usage.Table
	switched  []string
	promoted  []string
	resets    int
}

func (f *fakeApplications) Catalogue() *appid.Catalogue { return f.catalogue }
func (f *fakeApplications) Cache() *asc.Cache           { return f.cache }
func (f *fakeApplications) Usage() *usage.Table         { return f.usage }
func (f *fakeApplications) GroupUsage(p usage.Period) []usage.GroupRow {
	return f.usage.Groups(p, func(name string) []string {
		if a, ok := f.catalogue.Lookup(name); ok {
			return a.Groups
		}
		return nil
	})
}
func (f *fakeApplications) Status() appid.Status {
	return appid.Status{Enabled: true, UnderDetection: 3, Package: &sigpack.Package{Manifest: &sigpack.Manifest{Info: fakeInfo}}, MaxMemory: 2097152, StatisticsInterval: 24 * time.Hour,
		Cache:      appid.CacheStatus{Enabled: true, MiscellaneousServices: true, Capacity: asc.Capacity, Timeout: time.Hour},
		Slots:      []appid.Slot{{Active: true, Sessions: 3}, {Sessions: 8}},
		Signatures: appid.SignatureStatus{Error: "too large"}}
}
func (f *fakeApplications) Counters() appid.Counters {
	return appid.Counters{Sessions: 9, Identified: 5, Unknown: 4}
}
func (f *fakeApplications) ResetCounters() { f.resets++ }
func (f *fakeApplications) SetDisabled(kind appid.Kind, name string, disabled bool) error {
	f.switched = append(f.switched, fmt.Sprintf("%s %s %v", kind, name, disabled))
	return nil
}
func (f *fakeApplications) NewToProduction(names []string) error {
	f.promoted = append([]string{"of " + fmt.Sprint(len(names))}, names...)
	return nil
}
func (f *fakeApplications) Obsolete() (applications, groups []string) { return f.catalogue.Obsolete() }

// fakePackages does what it is told at once.
type fakePackages struct{ did []string }

var fakeInfo = sigpack.Info{Version: 3666, Kind: sigpack.Major, Released: time.Date(2022, 10, 10, 14, 55, 29, 0, time.UTC),
	ProtocolBundle: sigpack.Component{Version: "1.550.2-31", Built: time.Date(2022, 10, 10, 0, 0, 0, 0, time.UTC)},
	Engine:         sigpack.Component{Version: "5.7.0-47", Built: time.Date(2022, 3, 25, 0, 0, 0, 0, time.UTC)}, MicroApps: "1.1.0-0", CustomApps: "1.0.0-0"}

func (f *fakePackages) Details() install.Details {
	return install.Details{Installed: &fakeInfo, Server: "https://feed.example/"}
}
func (f *fakePackages) Faulty() []sigpack.Info {
	return []sigpack.Info{{Version: 3600}, {Version: 3620, ProtocolBundle: fakeInfo.ProtocolBundle, Engine: fakeInfo.Engine}}
}
func (f *fakePackages) Recent(context.Context) []int { return []int{3666, 3662} }
func (f *fakePackages) CheckServer(context.Context) (string, error) {
	return "Download server URL: https://feed.example/", nil
}
func (f *fakePackages) Download(w install.Want) (string, error) {
	f.did = append(f.did, fmt.Sprintf("download %+v", w))
	return "download begun", nil
}
func (f *fakePackages) OfflineDownload(path string) (string, error) {
	f.did = append(f.did, "offline "+path)
	return "offline begun", nil
}
func (f *fakePackages) Install(ignore bool) (string, error) {
	f.did = append(f.did, fmt.Sprint("install ", ignore))
	return "install begun", install.ErrChecksum
}
func (f *fakePackages) Uninstall() (string, error) { return "uninstall begun", nil }
func (f *fakePackages) Rollback() (string, error)  { return install.NothingToRollBack, nil }
func (f *fakePackages) Status(op install.Operation) install.Status {
	return install.Status{State: install.Running, Text: "status of " + op.String()}
}
func (f *fakePackages) ProtocolBundle() string    { return "bundle is loaded and activated." }
func (f *fakePackages) IDPDownloadStatus() string { return "Done;Successfully downloaded" }
func (f *fakePackages) IDPInstallStatus() string  { return "Done;Attack DB update : successful" }

// fakeCaptures counts what was asked.
type fakeCaptures struct{ cleared, zeroed int }

func (f *fakeCaptures) Counters() CaptureCounters {
	return CaptureCounters{SessionsCaptured: 47, PacketsCaptured: 282, Active: 1, InconclusiveCaptured: 4}
}
func (f *fakeCaptures) ClearCounters() { f.zeroed++ }
func (f *fakeCaptures) Clear() error   { f.cleared++; return nil }

// identifying is a fixture with application identification.
type identifying struct {
	*fixture
	applications *fakeApplications
	packages     *fakePackages
	captures     *fakeCaptures
}

func startIdentifying(t *testing.T) *identifying {
	t.Helper()
	db := appdb.New()
	if problems := db.Load("test.apps", strings.NewReader(database)); len(problems) > 0 {
		t.Fatal(problems)
	}
	f := &identifying{fixture: start(t), packages: &fakePackages{}, captures: &fakeCaptures{},
		applications: &fakeApplications{catalogue: serviceOf(t, db).Catalogue(), cache: asc.New(nil), usage: usage.New(nil)}}
	f.server.options.Applications, f.server.options.Packages, f.server.options.Captures = f.applications, f.packages, f.captures
	return f
}

// fails runs a command that must be refused, and returns its error as the shell shows it.
func (f *identifying) fails(t *testing.T, line string) string {
	t.Helper()
	_, err := f.client.Command(t.Context(), api.Command{Line: line})
	var refused *api.Error
	if !errors.As(err, &refused) {
		t.Fatalf("%s: %v", line, err)
	}
	return refused.Error()
}

// Rows: 1/O-1 to 1/O-9, 1/O-14 to 1/O-38, 1/O-42 to 1/O-44, OC-1 to OC-16, AI-31, AI-122, AI-127,
// AI-131, AI-159, MA-18, MA-31, MA-33, AG-24.
func TestApplicationCommands(t *testing.T) {
	f := startIdentifying(t)
	server := netip.MustParseAddrPort("203.0.113.80:80")
	f.applications.cache.Put(server, 6, asc.Found{Protocol: "junos:HTTP", Application: "junos:YOUTUBE"})
	f.applications.usage.Count(&usage.Session{Base: "junos:HTTP", Encrypted: true, How: classify.ByLimits, Bytes: 2291})
	f.applications.usage.Count(&usage.Session{Bytes: 100})
	for line, wants := range map[string][]string{
		"show … status": {"Status                               Enabled\n", "Sessions under app detection         3\n", "Cache timeout                        3600 (in seconds)", "Application package version  3666 (Major)", "https://feed.example/",
			"Sessions                     3\n", "Slot 2:\nStatus                       Draining\nSessions                     8\n", "those before are in force: too large"},
		"show … version":                                         {"Application package version: 3666 (Major)\nRelease date: Mon Oct 10 14:55:29 2022 UTC\n"},
		"show … version detail":                                  {"Application package version      3620\nPB Version                       1.550.2-31 (build date Oct 10 2022)\n"},
		"show … recent-appid-sigpack-versions":                   {"appid sigpack version: 3666\nappid sigpack version: 3662\n"},
		"show … application":                                     {"Application(s): 4\nMicro-Application(s): 1\n", "junos:HTTP               No        67  2     Web\n"},
		"show … application detail http":                         {"Application Name: junos:HTTP\nApplication type: HTTP\nDescription: Transfers hypertext.\nApplication ID: 67\nPriority: low\n", "Default ports: tcp/80", "Earlier names: "},
		"show … application detail junos:OLD-HTTP":               {"Application Name: junos:HTTP\n"},
		"show … application micro-applications":                  {"Micro Applications\njunos:MODBUS-READ-COILS\n"},
		"show … application non-configurable":                    {"Non-configurable Applications\njunos:GOPHERS\n"},
		"show … application obsolete-applications":               {"Obsolete applications: 1\njunos:GOPHERS\n"},
		"show … group":                                           {"junos:web ", "The Web", "junos:infrastructure:scada"},
		"show … group detail WEB":                                {"  application group junos:web {\n    junos:"},
		"show … group detail":                                    {"  application group junos:infrastructure:scada {\n    junos:MODBUS;\n"},
		"show … group detail my_web":                             {"  application group my_web {\n    junos:YOUTUBE;\n    junos:HTTP;\n    junos:GOPHERS;\n    junos:MODBUS;\n    junos:MODBUS-READ-COILS;\n  }\n"},
		"show … group obsolete-groups":                           {"Obsolete application groups: 0\n"},
		"show … application-group junos:web":                     {"    junos:HTTP;\n"},
		"show … application-system-cache":                        {"  cache-entry-timeout: 3600 seconds\n\nIP address    Port  Protocol  Application\n203.0.113.80  80    tcp       junos:YOUTUBE\n"},
		"show … statistics applications":                         {"Last Reset: ", "HTTP         1         2291   Yes\n", "unknown      1         100    No\n"},
		"show … statistics applications details":                 {"Logical System: root-logical-system\n", "HTTP         Yes  0            0            1\n"},
		"show … statistics applications interval 0 details":      {"Interval: 0, from ", " to now\n"},
		"show … statistics application-groups":                   {"Application Group  Sessions  Bytes\nweb                1         2291\n"},
		"show … statistics application-groups interval 1":        {"Interval: 1, from "},
		"show … counter":                                         {"Counter type ", "Sessions identified                          5\n"},
		"show … packet-capture counters":                         {"Total sessions captured                      47\n", "Inconclusive sessions captured               4\n"},
		"show security idp security-package-version":             {"Attack database version:3666(Mon Oct 10 14:55:29 2022 UTC)\nDetector version :5.7.0-47\nPolicy template version :3666\n"},
		"request … download":                                     {"download begun\n"},
		"request … download version 3600":                        {"download begun\n"},
		"request … download minor-only":                          {"download begun\n"},
		"request … download check-server":                        {"Download server URL: https://feed.example/\n"},
		"request … download status":                              {"status of download\n"},
		"request … install status":                               {"status of install\n"},
		"request … uninstall":                                    {"uninstall begun\n"},
		"request … uninstall status":                             {"status of uninstall\n"},
		"request … rollback":                                     {"No application package available to rollback.\n"},
		"request … rollback status":                              {"status of rollback\n"},
		"request … offline-download package-path /var/tmp/x.tgz": {"offline begun\n"},
		"request … offline-download status":                      {"status of offline-download\n"},
		"request … proto-bundle-status":                          {"bundle is loaded and activated.\n"},
		"request … clear packet-capture all":                     {"removed\n"},
		"request security idp security-package download":         {install.IDPStarted + "\n"},
		"request security idp security-package download status":  {"Done;Successfully downloaded\n"},
		"request security idp security-package install status":   {"Done;Attack DB update : successful\n"},
	} {
		line = strings.Replace(line, "…", "services application-identification", 1)
		got := f.run(t, line)
		for _, want := range wants {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q is missing in\n%s", line, want, got)
			}
		}
	}
	slices.Sort(f.packages.did)
	want := []string{"download (latest)", "download (latest)", "download (latest)", "download 3600", "offline /var/tmp/x.tgz"}
	if !slices.Equal(f.packages.did, want) {
		t.Errorf("packages were told %q", f.packages.did)
	}
	for _, line := range []string{"application-system-cache", "counter", "statistics", "packet-capture counters"} {
		f.run(t, "clear services application-identification "+line)
	}
	if f.applications.cache.Len() != 0 || f.applications.resets != 1 || len(f.applications.usage.Applications(usage.Cumulative)) != 0 || f.captures.zeroed != 1 || f.captures.cleared != 1 {
		t.Errorf("not everything was cleared: %+v %+v", f.applications, f.captures)
	}
}

// Commands that are refused say what is wrong, at the word that is, and what may have been meant.
func TestApplicationCommandErrors(t *testing.T) {
	f := startIdentifying(t)
	for line, wants := range map[string][]string{
		"show … application detail":                                    {`"application" is missing`},
		"show … application detail HTPP":                               {"there is no application HTPP", "junos:HTTP"},
		"show … group detail wev":                                      {"there is no application group wev", "junos:web"},
		"show … statistics applications interval 2":                    {`"2" is not a number from 0 to 1`},
		"request … download version x":                                 {`"x" is not a number`},
		"request … download version 1 minor-only":                      {`unknown word "minor-only"`},
		"request … install":                                            {"Checksum validation failed for downloaded files."},
		"request … offline-download":                                   {`"package-path" is missing`},
		"request … offline-download package-path x.tgz":                {`"x.tgz" is not an absolute path`},
		"request … application":                                        {"it goes on with disable, enable"},
		"request … application disable":                                {"the name of the application is missing"},
		"request … application HTTP":                                   {"it goes on with disable, enable"},
		"request … application disable enable HTTP":                    {`unknown word "HTTP"`},
		"request … group copy":                                         {"the name of the group is missing"},
		"request … group disable unassigned":                           {"unassigned is not a predefined group"},
		"request … new-to-production":                                  {"it goes on with all, applications-list"},
		"request … new-to-production applications-list []":             {"the name of the application is missing"},
		"request … new-to-production applications-list [ junos:HTTP ]": {"junos:HTTP is not a new application"},
		"show security flow session dynamic-application YOUTUB":        {"there is no application or group YOUTUB", "junos:YOUTUBE"},
	} {
		line = strings.Replace(line, "…", "services application-identification", 1)
		got := f.fails(t, line)
		for _, want := range wants {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q is missing in %s", line, want, got)
			}
		}
	}
	f.server.options.Applications, f.server.options.Packages, f.server.options.Captures = nil, nil, nil
	for _, c := range applicationCommands {
		if strings.HasSuffix(c.Words, "application detail") || strings.HasSuffix(c.Words, "application-group") || strings.HasSuffix(c.Words, "offline-download") || strings.HasSuffix(c.Words, "applications-list") {
			continue // they need arguments
		}
		if got := f.fails(t, c.Words); !strings.Contains(got, "the gateway ") {
			t.Errorf("%s without identification: %s", c.Words, got)
		}
	}
}

// Rows: AG-12, AG-15, AG-21, AG-22, OC-6 to OC-10, MA-17, MA-26.
func TestSwitchingAndCopying(t *testing.T) {
	f := startIdentifying(t)
	const request = "request services application-identification "
	for _, line := range []string{"application disable modbus", "application MODBUS enable", "group disable junos:web", "group web enable"} {
		f.run(t, request+line)
	}
	want := []string{"application junos:MODBUS true", "application junos:MODBUS false", "group junos:web true", "group junos:web false"}
	if !slices.Equal(f.applications.switched, want) {
		t.Errorf("switched %q", f.applications.switched)
	}
	if got := f.fails(t, request+"group copy my_web"); !strings.Contains(got, "my_web is not a predefined group") {
		t.Error(got)
	}
	for _, line := range []string{"group copy junos:web", "group infrastructure copy"} {
		if got := f.run(t, request+line); !strings.Contains(got, "commit puts it in force") {
			t.Error(got)
		}
	}
	candidate, err := f.store.Edit(store.Who{User: "root", Client: "cli"}, store.Shared)
	if err != nil {
		t.Fatal(err)
	}
	defer candidate.Close()
	got, err := candidate.Compare(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"application-group my:web", "junos:HTTP", "junos:YOUTUBE", "application-group my:infrastructure", "junos:MODBUS-READ-COILS"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in the candidate:\n%s", want, got)
		}
	}
	if strings.Contains(got, "GOPHERS") {
		t.Error("an obsolete application was copied")
	}
	if got := f.fails(t, request+"group copy web"); !strings.Contains(got, "my:web already") {
		t.Error(got)
	}
	if got := f.fails(t, request+"group disable web"); !strings.Contains(got, "uncommitted changes (root") {
		t.Error(got)
	}
	if _, problems, err := candidate.Commit(store.CommitOptions{}); err != nil {
		t.Fatal(err, problems)
	}
	if got := f.run(t, request+"application disable YOUTUBE"); !strings.Contains(got, "warning: it is named by: set services application-identification application-group my:web applications") {
		t.Error(got)
	}
	private, err := f.store.Edit(store.Who{User: "joe", Client: "cli"}, store.Exclusive)
	if err != nil {
		t.Fatal(err)
	}
	defer private.Close()
	for _, line := range []string{"group disable web", "group copy infrastructure:scada"} {
		if got := f.fails(t, request+line); !strings.Contains(got, "locked by joe") {
			t.Error(got)
		}
	}
}

// Rows: AI-135, 1/O-32, 1/O-33.
func TestPromoting(t *testing.T) {
	f := startIdentifying(t)
	for list, want := range map[string][]string{
		"applications-list [ junos:YOUTUBE ]": {"of 1", "junos:YOUTUBE"}, "applications-list [youtube]": {"of 1", "junos:YOUTUBE"},
		"applications-list YOUTUBE": {"of 1", "junos:YOUTUBE"}, "all": {"of 0"},
	} {
		got := f.run(t, "request services application-identification new-to-production "+list)
		if !slices.Equal(f.applications.promoted, want) || got != "No longer new: 1 application\n" {
			t.Errorf("%s: %q, %s", list, f.applications.promoted, got)
		}
	}
}

// Rows: AI-32. The whole of a full cache comes in one answer.
func TestFullCacheIsShown(t *testing.T) {
	f := startIdentifying(t)
	const n = 100_000
	for i := range n {
		addr := netip.AddrFrom4([4]byte{198, 18 + byte(i>>16), byte(i >> 8), byte(i)})
		f.applications.cache.Put(netip.AddrPortFrom(addr, 443), 6, asc.Found{Protocol: "junos:SSL"})
	}
	got := f.run(t, "show services application-identification application-system-cache")
	if lines := strings.Count(got, "junos:SSL"); lines != n {
		t.Errorf("%d entries are shown, want %d", lines, n)
	}
}

func TestApplicationCompletion(t *testing.T) {
	f := startIdentifying(t)
	for line, want := range map[string]string{
		"show services application-identification application detail junos:M":                       "junos:MODBUS junos:MODBUS-READ-COILS",
		"show services application-identification group detail junos:i":                             "junos:infrastructure junos:infrastructure:scada",
		"request services application-identification application disable junos:H":                   "junos:HTTP",
		"request services application-identification application enable junos:H":                    "<application>",
		"request services application-identification group copy u":                                  "<group>",
		"request services application-identification new-to-production applications-list [ junos:Y": "junos:YOUTUBE",
		"request services application-identification new-to-production applications-list [ junos:H": "",
		"show security flow session dynamic-application junos:web":                                  "junos:web junos:web:old",
		"show security flow session application junos:Y":                                            "junos:YOUTUBE",
		"request services application-identification download ":                                     "<[Enter]> check-server minor-only status version |",
	} {
		list, err := f.client.Complete(t.Context(), line)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		var texts []string
		for _, c := range list.Completions {
			texts = append(texts, c.Text)
		}
		if got := strings.Join(texts, " "); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

// The session filters mean an application by any of its names, what it is a part of, and its groups.
// Rows: UP-9, O-9.
func TestSessionNames(t *testing.T) {
	f := startIdentifying(t)
	f.run(t, "show security flow session application http")
	names := f.sessions.last.Names
	for name, want := range map[string]bool{"http": true, "OLD-HTTP": true, "junos:web": true, "WEB": true, "youtube": false, "infrastructure": false, "junos-http": false} {
		if got := names.Means(name, "junos:HTTP"); got != want {
			t.Errorf("%s means junos:HTTP: %v", name, got)
		}
	}
	if !names.Means("modbus", "junos:MODBUS-READ-COILS") || names.Means("modbus-read-coils", "junos:MODBUS") || names.Means("http", "junos:UNKNOWN") {
		t.Error("a micro-application is not a part of its application, or the other way round")
	}
	f.sessions.list = []proxy.Info{{ID: 1, State: "Valid", Application: "junos:HTTP", NestedApplication: "my-app"}, {ID: 2, State: "Valid", Application: "junos:UNKNOWN"}}
	got := f.run(t, "show security flow session dynamic-application junos:UNKNOWN extensive")
	for _, want := range []string{"Dynamic application: junos:HTTP, Dynamic nested application: my-app,\n", "Dynamic application: junos:UNKNOWN,\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
}

// installed is a signature package that is in force.
type installed struct{ *sigpack.Package }

func (installed) New() []string { return []string{"junos:YOUTUBE"} }

func (i installed) Current() (*sigpack.Package, uint64) { return i.Package, 1 }

// serviceOf is application identification with a package that has a database.
func serviceOf(t *testing.T, db *appdb.Database) *appid.Service {
	t.Helper()
	db, problems := db.With(nil, []appdb.Group{ownGroup})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	service, err := appid.New(appid.Options{Packages: installed{&sigpack.Package{Manifest: &sigpack.Manifest{Info: fakeInfo}, Database: db}}})
	if err != nil {
		t.Fatal(err)
	}
	return service
}

// What is disabled is shown to be, by identification as it is. Rows: AG-21, MA-26.
func TestDisabledIsShown(t *testing.T) {
	f := startIdentifying(t)
	f.server.options.Applications = serviceOf(t, f.applications.catalogue.DB)
	const request, show = "request services application-identification ", "show services application-identification "
	for _, step := range []struct{ line, show, want string }{
		{"application disable modbus", "application detail MODBUS", "Disabled: Yes\n"},
		{"group disable web", "group", "junos:web                   Yes       3             The Web\njunos:web:old               Yes       1             N/A\n"},
		{"group disable web", "group detail web", "    junos:HTTP;\n    junos:YOUTUBE;\n"},
		{"group enable web", "group", "junos:web                   No        3             The Web\n"},
		{"new-to-production all", "group detail all-new-apps", "  application group junos:all-new-apps {\n  }\n"},
	} {
		f.run(t, request+step.line)
		if got := f.run(t, show+step.show); !strings.Contains(got, step.want) {
			t.Errorf("after %s: %q is missing in\n%s", step.line, step.want, got)
		}
	}
}
