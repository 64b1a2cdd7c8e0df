package store

import (
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"sluice/store/schema"
)

// childEnv names the part that a test plays when it runs this test binary again as a process of its own.
const childEnv = "SLUICE_STORE_TEST_CHILD"

// children are those parts, each called with a state directory.
var children = map[string]func(dir string) error{
	"commit":   commitForever,
	"full":     fillDisk,
	"failing":  failDisk,
	"unsynced": failSync,
}

func TestMain(m *testing.M) {
	if part := os.Getenv(childEnv); part != "" {
		if err := children[part](os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

var (
	alice = Who{User: "alice", Client: "cli"}
	bob   = Who{User: "bob", Client: "api"}
)

// engine is an Engine that remembers what it was given, and refuses what it is told to.
type engine struct {
	name     string
	mu       sync.Mutex
	prepared int
	applied  []string // host names
	problems []schema.Problem
	order    *[]string // names of engines, in the order in which they applied
}

func (e *engine) Name() string { return e.name }

func (e *engine) Prepare(cfg *schema.Config) (Change, []schema.Problem) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.prepared++
	return ChangeFunc(func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.applied = append(e.applied, cfg.System.HostName)
		if e.order != nil {
			*e.order = append(*e.order, e.name)
		}
	}), slices.Clone(e.problems)
}

func (e *engine) refuse(problems ...schema.Problem) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.problems = problems
}

// last is the host name that runs.
func (e *engine) last() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.applied) == 0 {
		return "(nothing)"
	}
	return e.applied[len(e.applied)-1]
}

// start opens and starts a store, which is closed when the test ends.
func start(t *testing.T, dir string, engines ...Engine) *Store {
	t.Helper()
	s, err := Open(dir, Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	s.Register(engines...)
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// candidate opens a candidate and runs the statements in it.
func candidate(t *testing.T, s *Store, who Who, mode Mode, statements ...string) *Candidate {
	t.Helper()
	c, err := s.Edit(who, mode)
	if err != nil {
		t.Fatal(err)
	}
	run(t, c, statements...)
	return c
}

func run(t *testing.T, c *Candidate, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if err := c.Run(nil, statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func commit(t *testing.T, c *Candidate, opt CommitOptions) Revision {
	t.Helper()
	r, problems, err := c.Commit(opt)
	if err != nil {
		t.Fatalf("commit: %v %v", err, problems)
	}
	return r
}

// set commits the statements as alice.
func set(t *testing.T, s *Store, statements ...string) Revision {
	t.Helper()
	c := candidate(t, s, alice, Shared, statements...)
	defer c.Close()
	return commit(t, c, CommitOptions{})
}

// hostName is the host name that is active.
func hostName(s *Store) string {
	cfg, _ := s.Active()
	return cfg.System.HostName
}

// text is the text of what the statements make.
func text(t *testing.T, statements ...string) string {
	t.Helper()
	return made(t, statements...).Text()
}
