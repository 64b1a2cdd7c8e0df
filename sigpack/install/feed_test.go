package install

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"sluice/classify/appdb"
	"sluice/sigpack"
	"sluice/store/schema"
)

// realFeed is a signed repository and its server on the loopback.
type realFeed struct {
	*testing.T
	repository *sigpack.Repository
	http       *httptest.Server

	mu      sync.Mutex
	reports map[int]sigpack.Report
}

func newFeed(t *testing.T) *realFeed {
	t.Helper()
	f := &realFeed{T: t, reports: map[int]sigpack.Report{}, repository: &sigpack.Repository{Dir: filepath.Join(t.TempDir(), "feed"), Keys: filepath.Join(t.TempDir(), "keys")}}
	if err := sigpack.NewKeys(f.repository.Keys); err != nil {
		t.Fatal(err)
	}
	if err := f.repository.Create(); err != nil {
		t.Fatal(err)
	}
	server := &sigpack.Server{Repository: f.repository, WithdrawAfter: 1, Logger: slog.New(slog.DiscardHandler)}
	f.http = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			f.note(r)
		}
		server.ServeHTTP(w, r)
	}))
	t.Cleanup(f.http.Close)
	return f
}

// note remembers a report on its way to the server.
func (f *realFeed) note(r *http.Request) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		f.Error(err)
	}
	r.Body = io.NopCloser(strings.NewReader(string(text)))
	var report sigpack.Report
	if err := json.Unmarshal(text, &report); err != nil {
		f.Error(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reports[report.Version] = report
}

func (f *realFeed) publish(i sigpack.Info, apps string) {
	f.Helper()
	db, problems := appdb.LoadFS(fstest.MapFS{"test.apps": {Data: []byte(apps)}})
	for _, p := range problems {
		f.Fatal(p)
	}
	for _, a := range db.Applications {
		a.DeriveTags()
	}
	file, err := os.Create(filepath.Join(f.TempDir(), "package.tar.gz"))
	if err != nil {
		f.Fatal(err)
	}
	defer file.Close()
	if _, err := sigpack.Build(file, i, db, nil); err != nil {
		f.Fatal(err)
	}
	if _, err := f.repository.Publish(file.Name()); err != nil {
		f.Fatal(err)
	}
}

// manager makes a manager that trusts the feed.
func (f *realFeed) manager(change func(*schema.Config)) *Manager {
	f.Helper()
	root, err := f.repository.Root()
	if err != nil {
		f.Fatal(err)
	}
	m, err := New(Options{
		Dir: filepath.Join(f.TempDir(), "packages"), Root: root, DefaultURL: f.http.URL,
		Validate: func(ctx context.Context, dir string) error {
			return ValidateInChild(ctx, dir, os.Args[0], "validate")
		},
		Watch: time.Nanosecond, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(m.Close)
	cfg := &schema.Config{}
	cfg.Services.ApplicationIdentification.Download.IgnoreServerValidation = true
	change(cfg)
	apply, problems := m.Prepare(cfg)
	if len(problems) > 0 {
		f.Fatal(problems)
	}
	apply.Apply()
	return m
}

// done starts an operation and returns its last status.
func done(t *testing.T, m *Manager, op Operation, start func() (string, error)) string {
	t.Helper()
	if _, err := start(); err != nil {
		t.Fatal(err)
	}
	return wait(m, op).Text
}

func expect(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

const feedApps = `
protocol HTTP
  number 1
  category Web
protocol SSL
  number 2
  category Web
application SHOP
  number 3
  category Web
  hosts shop.example
`

// AI-15, AI-94, AI-96, AI-130, AI-146, AI-154, AI-159, AI-162, AI-163: a gateway and a feed, over TLS.
func TestFeed(t *testing.T) {
	f := newFeed(t)
	f.publish(major(2000), feedApps)
	f.publish(minor(2001, 2000), feedApps+"application BANK\n  number 4\n  category Web\n  hosts bank.example\n")
	m := f.manager(func(c *schema.Config) { c.Services.ApplicationIdentification.Download.ReportResults = true })
	latest := func() (string, error) { return m.Download(Want{}) }
	install := func() (string, error) { return m.Install(false) }

	text, err := m.CheckServer(t.Context())
	if err != nil || !strings.Contains(text, "Sigpack Version: 2000 (Major)") || !strings.Contains(text, "Sigpack Version: 2001 (Minor)") {
		t.Errorf("server: %q, %v", text, err)
	}
	expect(t, done(t, m, Download, func() (string, error) { return m.Download(Want{Version: 2000}) }), "Application package 2000 is downloaded successfully")
	expect(t, done(t, m, Install, install), "Install application package 2000 succeed")
	expect(t, done(t, m, Download, latest), "Application package 2001 is downloaded successfully")
	expect(t, done(t, m, Install, install), "Install application package 2001 succeed")
	p, _ := m.Current()
	if _, known := p.Database.Lookup("junos:BANK"); !known || !slices.Equal(m.New(), []string{"junos:BANK"}) {
		t.Errorf("new applications %v", m.New())
	}
	if got := m.Recent(t.Context()); !slices.Equal(got, []int{2001, 2000}) {
		t.Errorf("recent versions %v", got)
	}

	// FTP claims the name of SSL, so that sessions of SSL would be called FTP.
	f.publish(major(3000), strings.ReplaceAll(feedApps, "protocol SSL\n", "protocol FTP\n  alias SSL\n"))
	expect(t, done(t, m, Download, latest), "Application package 3000 is downloaded successfully")
	expect(t, done(t, m, Install, install), autoRollback(3000).Text)
	if d := m.Details(); d.Installed.Version != 2001 || d.Rollback.Version != 2000 {
		t.Errorf("installed %d, rollback %d", d.Installed.Version, d.Rollback.Version)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		all, err := f.repository.Versions()
		if err == nil && len(all) == 3 && all[0].Withdrawn && !all[1].Withdrawn && len(f.reported()) == 3 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the feed has %+v, %v, and reports %+v", all, err, f.reported())
		}
	}
	for version, r := range f.reported() {
		if r.OK != (version < 3000) || r.OK != (r.Reason == "") || !r.OK && !strings.Contains(r.Reason, "SSL is taken for") {
			t.Errorf("report %+v", r)
		}
	}
}

// reported are the reports by version.
func (f *realFeed) reported() map[int]sigpack.Report {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.reports)
}

// A feed whose bytes, or whose signatures, are others than what was signed is refused, and so is one
// that the gateway does not trust; what is in force stays.
func TestHostileFeed(t *testing.T) {
	for name, harm := range map[string]func(f *realFeed, m *Manager){
		"targets": func(f *realFeed, _ *Manager) { f.spoil("targets/*") },
		"index":   func(f *realFeed, _ *Manager) { f.spoil("metadata/*.targets.json") },
		"gone":    func(f *realFeed, _ *Manager) { f.http.Close() },
		"another": func(f *realFeed, m *Manager) {
			other := newFeed(f.T)
			other.publish(major(4000), feedApps)
			m.settings.Store(&settings{source: Source{URL: other.http.URL, Insecure: true}})
		},
		"certificate": func(f *realFeed, m *Manager) { m.settings.Store(&settings{source: Source{URL: f.http.URL}}) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFeed(t)
			f.http.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
			f.publish(major(2000), feedApps)
			m := f.manager(func(*schema.Config) {})
			harm(f, m)
			got := done(t, m, Download, func() (string, error) { return m.Download(Want{}) })
			if !strings.HasPrefix(got, "Downloading application package (latest) failed with error (") {
				t.Errorf("status %q", got)
			}
			if p, _ := m.Current(); p.Version != m.Details().Installed.Version || p.Dir != "" || m.journal.read().Staged != nil {
				t.Errorf("version %d is in force, staged is %v", p.Version, m.journal.read().Staged)
			}
			left, err := filepath.Glob(filepath.Join(m.opt.Dir, packagePrefix+"*"))
			if err != nil || len(left) > 0 {
				t.Errorf("left are %v", left)
			}
		})
	}
}

// spoil changes a byte in the middle of the files of the feed that match.
func (f *realFeed) spoil(pattern string) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join(f.repository.Dir, pattern))
	if err != nil || len(files) == 0 {
		f.Fatalf("%s: %v, %v", pattern, files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		text[len(text)/2] ^= 1
		if err := os.WriteFile(file, text, 0o600); err != nil {
			f.Fatal(err)
		}
	}
}

// AI-111, AI-112, T-16: a feed over TLS is reached through the proxy by CONNECT.
func TestProxy(t *testing.T) {
	f := newFeed(t)
	f.publish(major(2000), feedApps)
	asked := make(chan string, 10)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Method + " " + r.Host
		tunnel(w, r)
	}))
	t.Cleanup(proxy.Close)
	at, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	m := f.manager(func(*schema.Config) {})
	m.settings.Store(&settings{source: Source{URL: f.http.URL, Proxy: at, Insecure: true}})
	expect(t, done(t, m, Download, func() (string, error) { return m.Download(Want{}) }), "Application package 2000 is downloaded successfully")
	expect(t, <-asked, "CONNECT "+strings.TrimPrefix(f.http.URL, "https://"))
}

// tunnel does what CONNECT asks for.
func tunnel(w http.ResponseWriter, r *http.Request) {
	server, err := net.Dial("tcp", r.Host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer server.Close()
	client, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer client.Close()
	if _, err := io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
		return
	}
	go func() {
		_, _ = io.Copy(server, client) // it ends with either side
		server.Close()
	}()
	_, _ = io.Copy(client, server)
}

// AI-95, AI-164: a repository in a directory, and an offline archive; neither needs a network.
func TestWithoutNetwork(t *testing.T) {
	f := newFeed(t)
	f.publish(major(2000), feedApps)
	f.publish(major(2001), feedApps)
	archive := filepath.Join(t.TempDir(), "offline.tar.gz")
	file, err := os.Create(archive)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.repository.Archive(file, 2001); err != nil {
		t.Fatal(err)
	}
	file.Close()
	f.http.Close()
	m := f.manager(func(c *schema.Config) { c.Services.ApplicationIdentification.Download.URL = f.repository.Dir })
	install := func() (string, error) { return m.Install(false) }
	expect(t, done(t, m, Download, func() (string, error) { return m.Download(Want{Version: 2000}) }), "Application package 2000 is downloaded successfully")
	expect(t, done(t, m, Install, install), "Install application package 2000 succeed")
	expect(t, done(t, m, Offline, func() (string, error) { return m.OfflineDownload(archive) }), "AppID sigpack offline download : Complete")
	expect(t, done(t, m, Install, install), "Install application package 2001 succeed")

	text, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(archive, text[:len(text)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	got := done(t, m, Offline, func() (string, error) { return m.OfflineDownload(archive) })
	if !strings.HasPrefix(got, "AppID sigpack offline download : Failed with error (") || strings.Contains(got, "does not exist") {
		t.Errorf("status of half an archive: %q", got)
	}
}
