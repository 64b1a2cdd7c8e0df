package install

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"crypto/sha256"
	"encoding/hex"

	"sluice/sigpack"
	"sluice/store/schema"
)

// The packages of these tests. Each has the applications and groups that its text says.
const baseApps = `
protocol HTTP
  number 1
  category Web
application OLD
  number 2
  category Web
  alias OLDER
  tags web
`

// info is what identifies a package of a test.
func info(version int, kind sigpack.Kind, base int) sigpack.Info {
	built := time.Date(2023, 4, 5, 6, 28, 9, 0, time.UTC)
	return sigpack.Info{
		Version: version, Kind: kind, Base: base, Released: time.Date(2022, 10, 10, 14, 55, 29, 0, time.UTC),
		ProtocolBundle: sigpack.Component{Version: "1.550.2-43", Built: built},
		Engine:         sigpack.Component{Version: "5.7.1-47", Built: built.AddDate(0, 0, -6)},
		MicroApps:      "1.1.0-0", CustomApps: "1.0.0-0",
	}
}

func major(version int) sigpack.Info       { return info(version, sigpack.Major, version) }
func minor(version, base int) sigpack.Info { return info(version, sigpack.Minor, base) }

// write makes the directory of an unpacked package.
func write(dir string, i sigpack.Info, apps string) (*sigpack.Fetched, error) {
	if err := os.MkdirAll(filepath.Join(dir, "apps"), 0o700); err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(apps))
	text := (&sigpack.Manifest{Format: sigpack.Format, Info: i, Files: map[string]string{"apps/all.apps": hex.EncodeToString(sum[:])}}).Bytes()
	manifest, err := sigpack.ParseManifest(text)
	if err != nil {
		return nil, err
	}
	return &sigpack.Fetched{Manifest: manifest, Dir: dir}, errors.Join(
		os.WriteFile(filepath.Join(dir, "apps", "all.apps"), []byte(apps), 0o600),
		os.WriteFile(filepath.Join(dir, "manifest.json"), text, 0o600))
}

// server is a feed in memory.
type server struct {
	versions []sigpack.Version // newest first
	apps     map[int]string    // of versions with others than baseApps
	down     error             // instead of an answer
	delay    time.Duration     // before an answer
	fetched  []int
	reports  []sigpack.Report
	meet     func() // see world.meet
}

func (s *server) publish(infos ...sigpack.Info) {
	for _, i := range infos {
		s.versions = append(s.versions, sigpack.Version{Info: i})
	}
	slices.SortFunc(s.versions, func(a, b sigpack.Version) int { return b.Version - a.Version })
}

func (s *server) wait(ctx context.Context) error {
	s.meet()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(s.delay):
		return s.down
	}
}

func (s *server) Versions(ctx context.Context) ([]sigpack.Version, error) {
	return s.versions, s.wait(ctx)
}

func (s *server) Fetch(ctx context.Context, version int, dir string) (*sigpack.Fetched, error) {
	if err := s.wait(ctx); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(s.versions, func(v sigpack.Version) bool { return v.Version == version && !v.Withdrawn })
	if i < 0 {
		return nil, sigpack.ErrUnavailable
	}
	s.fetched = append(s.fetched, version)
	apps, ok := s.apps[version]
	if !ok {
		apps = baseApps
	}
	return write(dir, s.versions[i].Info, apps)
}

func (s *server) Report(_ context.Context, r sigpack.Report) error {
	s.meet()
	s.reports = append(s.reports, r)
	return s.down
}

// world is a manager with everything around it. It lives in a bubble of package synctest, where
// time passes when everybody waits.
type world struct {
	*testing.T
	*Manager
	opt       Options
	feed      *server
	active    []string          // what was put in force, one after the other
	log       []string          // messages
	invalid   map[int]error     // versions that do not pass the validation
	rejected  map[int]error     // versions that cannot be put in force
	uses      map[string]string // names that the configuration refers to, and the statements
	sick      error             // harm that is seen
	validated []int
	mu        sync.Mutex
}

// meet orders what the test does before the next time it waits, and what the manager does then: time
// that passes in a bubble does not, in the eyes of the race detector.
func (w *world) meet() {
	w.mu.Lock()
	defer w.mu.Unlock()
}

// pass lets time pass.
func (w *world) pass(d time.Duration) {
	w.meet()
	time.Sleep(d)
	synctest.Wait()
}

// run runs a test with a world. The built-in package is version 1000 with the applications baseApps.
func run(t *testing.T, test func(w *world)) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer func() { w.Close() }()
		test(w)
	})
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, feed: &server{apps: map[int]string{}}, invalid: map[int]error{}, rejected: map[int]error{}, uses: map[string]string{}}
	w.feed.meet = w.meet
	builtin := filepath.Join(t.TempDir(), "builtin")
	if _, err := write(builtin, major(1000), baseApps); err != nil {
		t.Fatal(err)
	}
	w.opt = Options{
		Dir: filepath.Join(t.TempDir(), "packages"), DefaultURL: "https://feed.example/sig",
		Builtin: func() (*sigpack.Package, error) {
			p, err := sigpack.Open(builtin)
			if err == nil {
				p.Dir = ""
			}
			return p, err
		},
		Connect: func(Source) (Feed, error) { return w.feed, nil },
		Archive: func(_ context.Context, path, dir string) (*sigpack.Fetched, error) {
			text, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			var version int
			if _, err := fmt.Sscan(string(text), &version); err != nil {
				return nil, sigpack.ErrHostile
			}
			return write(dir, major(version), baseApps)
		},
		Validate: func(_ context.Context, dir string) error {
			p, err := sigpack.Open(dir)
			if err != nil {
				return err
			}
			w.meet()
			w.validated = append(w.validated, p.Version)
			time.Sleep(10 * time.Second)
			return w.invalid[p.Version]
		},
		Activate: func(p *sigpack.Package) error {
			w.meet()
			name := "none"
			if p != nil {
				if err := w.rejected[p.Version]; err != nil {
					return err
				}
				name = fmt.Sprint(p.Version)
			}
			if current, _ := w.Current(); current != p {
				t.Errorf("%s is put in force while the manager says %v", name, current)
			}
			w.active = append(w.active, name)
			return nil
		},
		References: func(removed, renumbered []string) []string {
			w.meet()
			var lines []string
			for _, name := range slices.Sorted(maps.Keys(w.uses)) {
				if slices.Contains(removed, name) || slices.Contains(renumbered, name) {
					lines = append(lines, w.uses[name])
				}
			}
			return lines
		},
		Healthy: func() error {
			w.meet()
			return w.sick
		},
		Log: func(tag string, severity Severity, text string) {
			w.meet()
			w.log = append(w.log, fmt.Sprintf("%d %s: %s", severity, tag, text))
		},
		Logger: slog.New(slog.DiscardHandler),
	}
	w.open()
	return w
}

// open makes the manager, again after Close.
func (w *world) open() {
	w.Helper()
	m, err := New(w.opt)
	if err != nil {
		w.Fatal(err)
	}
	w.Manager = m
}

// configure puts settings in force.
func (w *world) configure(change func(*schema.Config)) {
	w.Helper()
	cfg := &schema.Config{}
	change(cfg)
	apply, problems := w.Prepare(cfg)
	if len(problems) > 0 {
		w.Fatal(problems)
	}
	apply.Apply()
}

// started returns what a command printed; it may not fail.
func (w *world) started(text string, err error) string {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
	return text
}

// settle waits for the end of an operation and returns its status.
func (w *world) settle(op Operation) Status {
	for w.Status(op).State == Running {
		w.pass(time.Second)
	}
	synctest.Wait()
	return w.Status(op)
}

// download downloads a version, install installs what was downloaded.
func (w *world) download(version int) string {
	w.Helper()
	w.started(w.Download(Want{Version: version}))
	return w.settle(Download).Text
}

func (w *world) install() string {
	w.Helper()
	w.started(w.Install(false))
	return w.settle(Install).Text
}

// upgrade installs a version, which must succeed.
func (w *world) upgrade(version int) {
	w.Helper()
	w.is("download", w.download(version), fmt.Sprintf("Application package %d is downloaded successfully", version))
	w.is("installation", w.install(), fmt.Sprintf("Install application package %d succeed", version))
}

// is compares a text that people read.
func (w *world) is(what, got, want string) {
	w.Helper()
	if got != want {
		w.Errorf("%s\n got: %q\nwant: %q", what, got, want)
	}
}

// versions compares which versions are in force and kept for a way back; 0 for none.
func (w *world) slots(installed, rollback int) {
	w.Helper()
	d := w.Details()
	number := func(i *sigpack.Info) int {
		if i == nil {
			return 0
		}
		return i.Version
	}
	if number(d.Installed) != installed || number(d.Rollback) != rollback {
		w.Errorf("version %d is installed and %d is kept, not %d and %d", number(d.Installed), number(d.Rollback), installed, rollback)
	}
	if installed != 0 && (len(w.active) > 0 && w.active[len(w.active)-1] != fmt.Sprint(installed)) {
		w.Errorf("version %d is installed, in force are one after the other %v", installed, w.active)
	}
}

// logged says whether a message was written.
func (w *world) logged(want string) {
	w.Helper()
	if !slices.Contains(w.log, want) {
		w.Errorf("no message %q; there are:\n%s", want, strings.Join(w.log, "\n"))
	}
}
