package store

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"sluice/store/schema"
)

func TestOpenMakesAPrivateDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "state")
	s := start(t, dir)
	set(t, s, "set system host-name gw")
	modes := map[string]fs.FileMode{"": 0o700, configFile: 0o600, stateFile: 0o600, textFile: 0o600, lockFile: 0o600}
	for name, want := range modes {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%q has mode %v, %v; want %v", name, info.Mode(), err, want)
		}
	}
	var strict int
	err := s.reader.QueryRow(`SELECT count(*) FROM pragma_table_list WHERE strict AND name IN ('revision', 'confirmation', 'shared_candidate', 'shared_edit')`).Scan(&strict)
	if err != nil || strict != 4 {
		t.Errorf("%d strict tables, %v", strict, err)
	}
	if _, err := s.reader.Exec(`DELETE FROM revision`); err == nil {
		t.Error("the reader can write")
	}
}

// A path that other users can enter and that holds something else is not taken over.
func TestOpenRefusesAForeignDirectory(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "letter"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "0700") {
		t.Errorf("open: %v", err)
	}
	if info, _ := os.Stat(dir); info.Mode().Perm() != 0o755 {
		t.Errorf("mode is now %v", info.Mode())
	}
}

func TestSecondOpenIsRefused(t *testing.T) {
	dir := t.TempDir()
	first := start(t, dir)
	_, err := Open(dir, Options{})
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), fmt.Sprintf("process %d", os.Getpid())) {
		t.Fatalf("second open: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	start(t, dir)
}

// A database that a later version has added to still opens.
func TestOpenAfterDowngrade(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	set(t, s, "set system host-name gw")
	for _, statement := range []string{
		`ALTER TABLE revision ADD COLUMN mood TEXT NOT NULL DEFAULT ''`,
		`INSERT INTO goose_db_version (version_id, is_applied) VALUES (2, 1)`,
	} {
		if _, err := s.commits.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	s = start(t, dir)
	set(t, s, "set system host-name gw2")
	if hostName(s) != "gw2" {
		t.Errorf("%s is active", hostName(s))
	}
}

// A configuration of a later version, with a statement that this one does not have, is not put in force
// without that: a policy that lacks one of its conditions would match too much.
// Rows: FW-21, MA-15.
func TestNewerConfigurationIsNotRun(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	set(t, s, "set security zones security-zone a", "set security policies global policy p match source-address any",
		"set security policies global policy p match destination-address any", "set security policies global policy p match application any",
		"set security policies global policy p then permit")
	if _, err := s.commits.Exec(`UPDATE revision SET text = replace(text, 'application any;', 'application any; micro-mood [ good bad ];')`); err != nil {
		t.Fatal(err)
	}
	s.Close()
	runs := &engine{name: "runs"}
	s, err := Open(dir, Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Register(runs)
	err = s.Start(t.Context())
	for _, want := range []string{"[edit security policies global policy p match micro-mood", `"micro-mood [ good bad ]" is not a statement of this version`, "newer version"} {
		if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), want) {
			t.Errorf("started with %v, which lacks %s", err, want)
		}
	}
	if len(runs.applied) > 0 {
		t.Error("a part of it is in force")
	}
	if text := s.ActiveTree().Text(); !strings.Contains(text, "micro-mood") {
		t.Error("the statement is lost")
	}
}

func TestDamagedDatabase(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, configFile), []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("open: %v", err)
	}
	if _, err := Open(dir, Options{}); errors.Is(err, ErrInUse) {
		t.Error("a failed open keeps the lock")
	}
}

func TestEmptyStore(t *testing.T) {
	runs := &engine{name: "runs"}
	s := start(t, t.TempDir(), runs)
	cfg, r := s.Active()
	if cfg == nil || r.ID != 0 || len(s.Revisions()) != 0 || !s.ActiveTree().Empty() {
		t.Errorf("a new store has %v, %v, %v", cfg, r, s.Revisions())
	}
	if len(runs.applied) != 1 {
		t.Errorf("the empty configuration was applied %d times", len(runs.applied))
	}
	if empty, err := s.Rollback(0); err != nil || !empty.Empty() {
		t.Errorf("rollback 0: %v", err)
	}
	if _, err := s.Rollback(1); err == nil {
		t.Error("there is a rollback 1")
	}
}

// Rows: 1/O-46.
func TestCommitRunsEveryEngineInOrder(t *testing.T) {
	var order []string
	one, two := &engine{name: "one", order: &order}, &engine{name: "two", order: &order}
	s := start(t, t.TempDir(), one, two)
	order = nil
	r := set(t, s, "set system host-name gw")
	if r.ID != 1 || r.Number != 0 || r.Who != alice {
		t.Errorf("revision %+v", r)
	}
	if !slices.Equal(order, []string{"one", "two"}) || one.last() != "gw" || two.last() != "gw" {
		t.Errorf("applied %v", order)
	}
	if again := set(t, s); again.ID != 1 || len(s.Revisions()) != 1 {
		t.Errorf("a commit without changes made %v", again)
	}
}

// All problems of all engines come at once, and nothing changes.
func TestCommitIsRefusedWhole(t *testing.T) {
	one, two := &engine{name: "one"}, &engine{name: "two"}
	dir := t.TempDir()
	s := start(t, dir, one, two)
	set(t, s, "set system host-name old")
	one.refuse(schema.Errorf("system", "bad"), schema.Problem{Message: "odd", Warning: true})
	two.refuse(schema.Errorf("interfaces", "worse"))
	c := candidate(t, s, alice, Shared, "set system host-name new")
	for name, problems := range map[string][]schema.Problem{"check": c.Check(), "commit": func() []schema.Problem {
		_, problems, err := c.Commit(CommitOptions{})
		if !errors.Is(err, ErrRefused) {
			t.Errorf("commit: %v", err)
		}
		return problems
	}()} {
		if len(problems) != 3 {
			t.Errorf("%s: %v", name, problems)
		}
	}
	if hostName(s) != "old" || len(one.applied) != 2 || len(s.Revisions()) != 1 || !c.Changed() {
		t.Errorf("%s is active, applied %v, revisions %v", hostName(s), one.applied, s.Revisions())
	}
	one.refuse(schema.Problem{Message: "odd", Warning: true})
	two.refuse()
	if _, problems, err := c.Commit(CommitOptions{}); err != nil || len(problems) != 1 {
		t.Errorf("commit with a warning: %v %v", problems, err)
	}
}

// What does not decode never reaches an engine.
func TestCommitThatDoesNotDecode(t *testing.T) {
	e := &engine{name: "one"}
	s := start(t, t.TempDir(), e)
	c := candidate(t, s, alice, Shared, "set security policies from-zone nowhere to-zone nowhere policy p then permit")
	before := e.prepared
	_, problems, err := c.Commit(CommitOptions{})
	if !errors.Is(err, ErrRefused) || len(problems) == 0 || e.prepared != before {
		t.Errorf("commit: %v, %v, prepared %d times", err, problems, e.prepared-before)
	}
}

func TestStartRefused(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	set(t, s, "set system host-name gw")
	s.Close()
	s, err := Open(dir, Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Register(&pickyEngine{refuses: "gw"})
	if err := s.Start(t.Context()); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "taste") {
		t.Errorf("start: %v", err)
	}
}

// A first configuration can be committed before anything runs.
func TestCommitBeforeStart(t *testing.T) {
	s, err := Open(t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	runs := &engine{name: "runs"}
	s.Register(runs)
	set(t, s, "set system host-name gw")
	if len(runs.applied) != 0 {
		t.Fatalf("applied %v before the start", runs.applied)
	}
	if err := s.Start(t.Context()); err != nil || !slices.Equal(runs.applied, []string{"gw"}) {
		t.Errorf("start: %v, applied %v", err, runs.applied)
	}
}

func TestRollbacks(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	c := candidate(t, s, alice, Shared)
	const commits = MaxRevisions + 3
	for i := range commits {
		run(t, c, fmt.Sprintf("set system host-name h%d", i))
		commit(t, c, CommitOptions{Comment: fmt.Sprintf("number %d", i)})
	}
	check := func() {
		t.Helper()
		r := s.Revisions()
		if len(r) != MaxRevisions {
			t.Fatalf("%d revisions", len(r))
		}
		for n, rev := range r {
			i := commits - 1 - n
			if old, err := s.Rollback(n); err != nil || number(old) != i || rev.Number != n || rev.Comment != fmt.Sprintf("number %d", i) {
				t.Fatalf("rollback %d: %+v, %v", n, rev, err)
			}
		}
	}
	check()
	s.Close()
	s = start(t, dir)
	check()
	for _, n := range []int{-1, MaxRevisions} {
		if _, err := s.Rollback(n); err == nil || !strings.Contains(err.Error(), "0 to 49") {
			t.Errorf("rollback %d: %v", n, err)
		}
	}

	c = candidate(t, s, bob, Shared)
	if err := c.Rollback(2); err != nil || !c.Changed() {
		t.Fatal(err)
	}
	if diff, err := c.Compare(2, nil); err != nil || diff != "" {
		t.Errorf("compare with rollback 2: %q, %v", diff, err)
	}
	if diff, err := c.Compare(0, nil); err != nil || diff == "" {
		t.Errorf("compare with rollback 0: %q, %v", diff, err)
	}
	if r := commit(t, c, CommitOptions{}); r.User != "bob" || hostName(s) != fmt.Sprintf("h%d", commits-3) {
		t.Errorf("%v made %s active", r, hostName(s))
	}
}

func TestText(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	set(t, s, "set system host-name gw")
	shown, err := os.ReadFile(filepath.Join(dir, textFile))
	if err != nil || !strings.HasPrefix(string(shown), "## revision 1 by alice via cli") || !strings.HasSuffix(string(shown), s.ActiveTree().Text()) {
		t.Fatalf("config.txt: %s, %v", shown, err)
	}
	// It can be missing, wrong or impossible to write: it is never the truth.
	if err := os.Remove(filepath.Join(dir, textFile)); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, textFile, "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	set(t, s, "set system host-name gw2")
	if hostName(s) != "gw2" {
		t.Errorf("%s is active", hostName(s))
	}
	if left, _ := filepath.Glob(filepath.Join(dir, textFile+"*")); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

func TestStateDatabase(t *testing.T) {
	s := start(t, t.TempDir())
	if _, err := s.StateDB().Exec(`CREATE TABLE t (n INTEGER) STRICT; INSERT INTO t VALUES (7)`); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := s.StateReader().QueryRow(`SELECT n FROM t`).Scan(&n); err != nil || n != 7 {
		t.Errorf("read %d, %v", n, err)
	}
	if _, err := s.StateReader().Exec(`DELETE FROM t`); err == nil {
		t.Error("the reader can write")
	}
}

func TestEvents(t *testing.T) {
	s := start(t, t.TempDir())
	var events []Event
	cancel := s.Subscribe(func(e Event) {
		events = append(events, e)
		if cfg, _ := s.Active(); cfg.System.HostName != "gw" || len(s.Revisions()) != 1 {
			t.Error("the event comes before the configuration")
		}
	})
	set(t, s, "set system host-name gw")
	cancel()
	set(t, s, "set system host-name gw2")
	if len(events) != 1 || events[0].Kind != Committed || events[0].By != alice || events[0].String() != "alice via cli committed a configuration" {
		t.Errorf("events %v", events)
	}
}

// Everything at once, for the race detector; and every change of everybody is there in the end.
func TestConcurrency(t *testing.T) {
	s := start(t, t.TempDir(), &engine{name: "one"})
	var group sync.WaitGroup
	const people, changes = 4, 8
	for p := range people {
		who := Who{User: fmt.Sprintf("user%d", p), Client: "cli"}
		mode := []Mode{Shared, Private}[p%2]
		group.Go(func() {
			c, err := s.Edit(who, mode)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			for i := range changes {
				if err := c.Run(nil, fmt.Sprintf("set interfaces eth%d description c%d", p*changes+i, i)); err != nil {
					t.Error(err)
				}
				if _, problems, err := c.Commit(CommitOptions{}); err != nil {
					t.Error(err, problems)
				}
			}
		})
		group.Go(func() {
			for range changes {
				_, _ = s.Active()
				_ = s.Revisions()
				_ = s.Editors()
				_, _ = s.ConfirmedPending()
				_, _ = s.Rollback(0)
			}
		})
	}
	group.Wait()
	cfg, _ := s.Active()
	if len(cfg.Interfaces) != people*changes {
		t.Errorf("%d interfaces are configured, want %d", len(cfg.Interfaces), people*changes)
	}
}
