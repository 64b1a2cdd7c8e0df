package install

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/sigpack"
	"sluice/sigpack/install/validate"
)

// Tests run this program again with these variables, to be killed.
const (
	childEnv = "SLUICE_TEST_PACKAGES" // directory
	pointEnv = "SLUICE_TEST_POINT"    // the number of the fault point at which it kills itself; 0: never
	workEnv  = "SLUICE_TEST_WORK"     // what it does
)

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "validate" {
		if err := validate.Package(context.Background(), os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if dir := os.Getenv(childEnv); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child does one piece of work in dir, and prints the name of each fault point that it passes.
func child(dir string) error {
	last, err := strconv.Atoi(os.Getenv(pointEnv))
	if err != nil {
		return err
	}
	opt := killOptions(dir)
	passed := 0
	opt.fault = func(point string) {
		passed++
		os.Stdout.WriteString(point + "\n")
		if passed == last {
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
	m, err := New(opt)
	if err != nil {
		return err
	}
	for word := range strings.FieldsSeq(os.Getenv(workEnv)) {
		if err := work(m, word); err != nil {
			return fmt.Errorf("%s: %w", word, err)
		}
	}
	os.Stdout.WriteString("done\n")
	m.Close()
	return nil
}

// work does an operation and waits for its end: "3" downloads and installs version 3.
func work(m *Manager, word string) error {
	var err error
	op := Install
	switch word {
	case "rollback":
		op = Rollback
		_, err = m.Rollback()
	case "uninstall":
		op = Uninstall
		_, err = m.Uninstall()
	default:
		version, _ := strconv.Atoi(word)
		if _, err := m.Download(Want{Version: version}); err != nil {
			return err
		}
		if s := wait(m, Download); s.State != Succeeded {
			return fmt.Errorf("download: %s", s.Text)
		}
		_, err = m.Install(true)
	}
	if err != nil {
		return err
	}
	if s := wait(m, op); s.State != Succeeded {
		return fmt.Errorf("%s", s.Text)
	}
	return nil
}

// wait polls for the end of an operation.
func wait(m *Manager, op Operation) Status {
	for m.Status(op).State == Running {
		time.Sleep(100 * time.Microsecond)
	}
	m.mu.Lock()
	for m.busy != 0 { // the result is there a little before the next operation may begin
		m.mu.Unlock()
		time.Sleep(100 * time.Microsecond)
		m.mu.Lock()
	}
	m.mu.Unlock()
	return m.Status(op)
}

// killOptions are those of a manager with a feed that has every version.
func killOptions(dir string) Options {
	return Options{
		Dir: filepath.Join(dir, "packages"),
		Builtin: func() (*sigpack.Package, error) {
			builtin := filepath.Join(dir, "builtin")
			if _, err := write(builtin, major(1), baseApps); err != nil {
				return nil, err
			}
			p, err := sigpack.Open(builtin)
			if err == nil {
				p.Dir = ""
			}
			return p, err
		},
		Connect:  func(Source) (Feed, error) { return everyVersion{}, nil },
		Validate: func(context.Context, string) error { return nil },
		Watch:    time.Nanosecond,
		Logger:   slog.New(slog.DiscardHandler),
	}
}

// everyVersion is a feed of the versions 2 to 99.
type everyVersion struct{}

func (everyVersion) Versions(context.Context) ([]sigpack.Version, error) {
	var all []sigpack.Version
	for v := 99; v > 1; v-- {
		all = append(all, sigpack.Version{Info: major(v)})
	}
	return all, nil
}

func (everyVersion) Fetch(_ context.Context, version int, dir string) (*sigpack.Fetched, error) {
	return write(dir, major(version), baseApps+fmt.Sprintf("application V%d\n  category Web\n", version))
}

func (everyVersion) Report(context.Context, sigpack.Report) error { return nil }

// start runs a child that does some work and kills itself at a point. It returns the points that the
// child passed, "done" after the last.
func start(t *testing.T, dir, work string, point int) (points []string) {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), childEnv+"="+dir, pointEnv+"="+strconv.Itoa(point), workEnv+"="+work)
	c.Stderr = os.Stderr
	out, err := c.Output()
	points = strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if c.ProcessState.Exited() && err != nil {
		t.Fatalf("%s ended by itself after %q: %v", work, points, err)
	}
	return points
}

// check opens the packages after a kill: one of the versions is in force, complete, and the next
// installation succeeds. The version 0 stands for none.
func check(t *testing.T, dir, when string, versions ...int) int {
	t.Helper()
	m, err := New(killOptions(dir))
	if err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	defer m.Close()
	p, _ := m.Current()
	active := 0
	if p != nil {
		active = p.Version
		if _, known := p.Database.Lookup(fmt.Sprintf("junos:V%d", active)); !known && active > 1 {
			t.Errorf("%s: version %d is not complete", when, active)
		}
	}
	expected := false
	for _, v := range versions {
		expected = expected || v == active
	}
	if !expected {
		t.Errorf("%s: version %d is in force, not one of %v", when, active, versions)
	}
	for op := Download; op < operations; op++ {
		if s := m.Status(op); s.State == Running || s.Text == "" {
			t.Errorf("%s: status of %s is %+v", when, op, s)
		}
	}
	if m.journal.read().Underway != nil {
		t.Errorf("%s: something is still under way", when)
	}
	return active
}

// AI-124, AI-142, AI-149: wherever the process is killed (kill -9), the old package or the new one
// is in force afterwards, and complete; once the operation has been said to be done, the new one.
func TestKillAtEveryPoint(t *testing.T) {
	for _, c := range []struct {
		before, work string
		versions     []int // one is in force after a kill; the last one at the end
	}{
		{"", "2", []int{1, 2}},
		{"2 3", "4", []int{3, 4}},
		{"2 3", "rollback", []int{3, 2}},
		{"2", "uninstall 3", []int{2, 0, 3}},
	} {
		t.Run(c.before+" then "+c.work, func(t *testing.T) {
			t.Parallel()
			before := t.TempDir()
			prepare(t, before, c.before)
			for point := 1; ; point++ {
				dir := filepath.Join(t.TempDir(), "copy")
				if err := os.CopyFS(dir, os.DirFS(before)); err != nil {
					t.Fatal(err)
				}
				points := start(t, dir, c.work, point)
				last := points[len(points)-1]
				want := c.versions
				if last == "done" {
					want = want[len(want)-1:]
				}
				check(t, dir, fmt.Sprintf("killed at %q", last), want...)
				if last == "done" {
					if point < 5 {
						t.Errorf("only %d points were passed", point)
					}
					return
				}
				m, err := New(killOptions(dir))
				if err != nil {
					t.Fatal(err)
				}
				if err := work(m, "50"); err != nil {
					t.Errorf("after a kill at %q: %v", last, err)
				}
				m.Close()
			}
		})
	}
}

// prepare installs versions.
func prepare(t *testing.T, dir, versions string) {
	t.Helper()
	m, err := New(killOptions(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for word := range strings.FieldsSeq(versions) {
		if err := work(m, word); err != nil {
			t.Fatal(err)
		}
	}
}

// A process that was killed while a package was on trial has died of it: the version is refused.
func TestKillOnTrial(t *testing.T) {
	dir := t.TempDir()
	prepare(t, dir, "2 3")
	points := start(t, dir, "4", 0)
	at := 0
	for i, p := range points {
		if p == "install: on trial" {
			at = i + 1
		}
	}
	dir = t.TempDir()
	prepare(t, dir, "2 3")
	start(t, dir, "4", at)
	m, err := New(killOptions(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if d := m.Details(); d.Installed.Version != 3 || d.Rollback.Version != 2 {
		t.Errorf("installed %d, rollback %d", d.Installed.Version, d.Rollback.Version)
	}
	const text = "Install Application package 4 and Protocol bundle failed ( Install Application package (4) failed in data plane validation, auto rollback triggered)"
	if got := m.Status(Install).Text; got != text {
		t.Errorf("status %q", got)
	}
	if f := m.Faulty(); len(f) != 1 || f[0].Version != 4 || len(m.Alarms()) != 1 {
		t.Errorf("faulty %v, alarms %v", f, m.Alarms())
	}
}

// After a restart of the whole machine nobody knows of what the process died: the version may be
// tried again.
func TestRestartOnTrial(t *testing.T) {
	dir := t.TempDir()
	prepare(t, dir, "2 3")
	m, err := New(killOptions(dir))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.journal.write("test", func(r *record) {
		r.Underway = &underway{Operation: Install.String(), Version: 3, Trial: true, Boot: "another"}
	}); err != nil {
		t.Fatal(err)
	}
	m.Close()
	if m, err = New(killOptions(dir)); err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if got := m.Status(Install).Text; got != "Install Application package 3 and Protocol bundle failed (the gateway was restarted meanwhile)" {
		t.Errorf("status %q", got)
	}
	if len(m.Faulty()) > 0 {
		t.Errorf("faulty %v", m.Faulty())
	}
}

// Processes that install one version after the other are killed at random moments.
func TestKillAtRandom(t *testing.T) {
	dir := t.TempDir()
	for i := range 15 {
		m, err := New(killOptions(dir))
		if err != nil {
			t.Fatal(err)
		}
		versions := []int{m.Details().Installed.Version}
		var words strings.Builder
		for v := 2; v < 40; v++ {
			if _, is := m.journal.read().faulty(v); !is {
				versions = append(versions, v)
				fmt.Fprint(&words, v, " ")
			}
		}
		m.Close()
		killLater(t, dir, words.String())
		check(t, dir, fmt.Sprintf("kill %d", i), versions...)
	}
}

// killLater runs a child that does some work, and kills it a random number of points later.
func killLater(t *testing.T, dir, work string) {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), childEnv+"="+dir, pointEnv+"=0", workEnv+"="+work)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for left := rand.IntN(100); left >= 0 && lines.Scan(); left-- { // it goes on meanwhile
	}
	c.Process.Kill()
	for lines.Scan() { // to the end
	}
	if err := c.Wait(); c.ProcessState.Exited() && err != nil {
		t.Fatalf("it ended by itself: %v", err)
	}
}
