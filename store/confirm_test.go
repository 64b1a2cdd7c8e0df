package store

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/store/schema"
)

// In these tests time is that of a synctest bubble: it jumps to the next timer when nothing runs.

// confirmed is a store with host-name "old" active and "new" waiting for confirmation.
func confirmed(t *testing.T, dir string, window time.Duration, engines ...Engine) (*Store, *Candidate) {
	t.Helper()
	s := start(t, dir, engines...)
	set(t, s, "set system host-name old")
	c := candidate(t, s, alice, Shared, "set system host-name new")
	commit(t, c, CommitOptions{Confirmed: window, Comment: "try"})
	return s, c
}

func TestConfirmedCommitIsRolledBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := &engine{name: "runs"}
		s, c := confirmed(t, t.TempDir(), 10*time.Minute, runs)
		var events []Event
		s.Subscribe(func(e Event) { events = append(events, e) })
		if until, ok := s.ConfirmedPending(); !ok || time.Until(until) != 10*time.Minute {
			t.Fatalf("pending until %v, %v", until, ok)
		}
		time.Sleep(10*time.Minute - time.Second)
		synctest.Wait()
		if runs.last() != "new" {
			t.Fatalf("%s runs before the time is over", runs.last())
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if runs.last() != "old" || hostName(s) != "old" {
			t.Fatalf("%s runs, %s is active after the time is over", runs.last(), hostName(s))
		}
		if _, ok := s.ConfirmedPending(); ok {
			t.Error("still pending after the rollback")
		}
		r := s.Revisions()
		if len(r) != 3 || r[0].ID != 3 || !strings.Contains(r[0].Comment, "rollback of revision 2 to revision 1") || r[0].Who != system {
			t.Errorf("revisions after the rollback: %v", r)
		}
		if r[1].Comment != "try" || r[1].Confirmed != 10*time.Minute {
			t.Errorf("the commit that was rolled back: %+v", r[1])
		}
		if len(events) != 1 || events[0].Kind != RolledBack || events[0].Revision.ID != 3 {
			t.Errorf("events %v", events)
		}
		if c.Changed() {
			t.Error("the unchanged candidate did not follow the rollback")
		}
		if err := c.Rollback(1); err != nil || !c.Changed() {
			t.Errorf("what was rolled back cannot be fetched again: %v", err)
		}
	})
}

func TestCommitConfirms(t *testing.T) {
	for name, statements := range map[string][]string{"as it is": nil, "with a change": {"set system host-name newer"}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, c := confirmed(t, t.TempDir(), time.Minute)
				var kinds []EventKind
				s.Subscribe(func(e Event) { kinds = append(kinds, e.Kind) })
				run(t, c, statements...)
				commit(t, c, CommitOptions{})
				want := hostName(s)
				time.Sleep(time.Hour)
				synctest.Wait()
				if hostName(s) != want || len(s.Revisions()) != 2+len(statements) {
					t.Errorf("%s is active, revisions %v", hostName(s), s.Revisions())
				}
				wantKinds := []EventKind{Confirmed}
				if statements != nil {
					wantKinds = []EventKind{Committed}
				}
				if !slices.Equal(kinds, wantKinds) {
					t.Errorf("events %v, want %v", kinds, wantKinds)
				}
			})
		})
	}
}

// Confirmed commits in a row go back to the last configuration that was confirmed, with the time of
// the last one, even if that is more than 50 revisions ago.
func TestConfirmedCommitsInARow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := confirmed(t, t.TempDir(), 2*time.Minute)
		for range MaxRevisions + 5 {
			time.Sleep(time.Minute)
			run(t, c, "set system host-name "+time.Now().Format("h150405"))
			commit(t, c, CommitOptions{Confirmed: 2 * time.Minute})
		}
		time.Sleep(time.Minute)
		commit(t, c, CommitOptions{Confirmed: 5 * time.Minute}) // only gives more time
		time.Sleep(4 * time.Minute)
		synctest.Wait()
		if hostName(s) == "old" {
			t.Fatal("rolled back too early")
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if hostName(s) != "old" {
			t.Fatalf("%s is active, want the last confirmed configuration", hostName(s))
		}
		if n := len(s.Revisions()); n != MaxRevisions {
			t.Errorf("%d revisions", n)
		}
	})
}

func TestFirstCommitConfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, t.TempDir())
		c := candidate(t, s, alice, Shared, "set system host-name first")
		commit(t, c, CommitOptions{Confirmed: time.Minute})
		time.Sleep(time.Minute)
		synctest.Wait()
		if !s.ActiveTree().Empty() || len(s.Revisions()) != 2 {
			t.Errorf("active is %q", s.ActiveTree().Text())
		}
	})
}

func TestRestartWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s, _ := confirmed(t, dir, 10*time.Minute)
		s.Close()
		time.Sleep(4 * time.Minute)

		runs := &engine{name: "runs"}
		start(t, dir, runs)
		if runs.last() != "new" {
			t.Fatalf("%s runs after a restart within the time", runs.last())
		}
		time.Sleep(6 * time.Minute)
		synctest.Wait()
		if runs.last() != "old" {
			t.Fatalf("%s runs after the time is over", runs.last())
		}
	})
}

func TestRestartAfterTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s, _ := confirmed(t, dir, 10*time.Minute)
		s.Close()
		time.Sleep(11 * time.Minute)

		runs := &engine{name: "runs"}
		s = start(t, dir, runs)
		if !slices.Equal(runs.applied, []string{"old"}) {
			t.Fatalf("%v ran after a restart when the time was over", runs.applied)
		}
		if r := s.Revisions(); len(r) != 3 || !strings.Contains(r[0].Comment, "while the gateway was down") {
			t.Errorf("revisions %v", r)
		}
	})
}

// A clock that was set back while the gateway was down does not make the time longer than it was.
func TestClockSetBack(t *testing.T) {
	now := time.Now()
	p := &confirmation{until: now.Add(20 * time.Hour), window: 10 * time.Minute}
	if left := p.left(now); left != 10*time.Minute {
		t.Errorf("%v left", left)
	}
	if left := p.left(now.Add(19*time.Hour + 59*time.Minute)); left != time.Minute {
		t.Errorf("%v left", left)
	}
}

// What runs is refused after an upgrade: a commit that waits is rolled back at once.
func TestRefusedAtStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s, _ := confirmed(t, dir, 10*time.Minute)
		s.Close()
		s, err := Open(dir, Options{Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		picky := &pickyEngine{refuses: "new"}
		s.Register(picky)
		if err := s.Start(t.Context()); err != nil || hostName(s) != "old" {
			t.Fatalf("start: %v, %s is active", err, hostName(s))
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := len(s.Revisions()); n != 3 {
			t.Errorf("%d revisions", n)
		}
	})
}

// A rollback that an engine refuses is tried again until it is accepted.
func TestRollbackIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := &engine{name: "runs"}
		s, _ := confirmed(t, t.TempDir(), time.Minute, runs)
		runs.refuse(schema.Errorf("system host-name", "not now"))
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if runs.last() != "new" {
			t.Fatalf("%s runs though it was refused", runs.last())
		}
		runs.refuse()
		time.Sleep(time.Minute)
		synctest.Wait()
		if runs.last() != "old" || len(s.Revisions()) != 3 {
			t.Fatalf("%s runs, revisions %v", runs.last(), s.Revisions())
		}
	})
}

// When nothing can be stored the last confirmed configuration runs all the same, and is stored when it
// can be.
func TestRollbackThatCannotBeStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := &engine{name: "runs"}
		s, _ := confirmed(t, t.TempDir(), time.Minute, runs)
		readOnly := func(on string) {
			if _, err := s.commits.Exec("PRAGMA query_only = " + on); err != nil {
				t.Fatal(err)
			}
		}
		readOnly("on")
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if runs.last() != "old" || hostName(s) != "old" {
			t.Fatalf("%s runs, %s is active", runs.last(), hostName(s))
		}
		if _, ok := s.ConfirmedPending(); !ok || len(s.Revisions()) != 2 || len(runs.applied) != 4 {
			t.Fatalf("pending %v, revisions %v, applied %v", ok, s.Revisions(), runs.applied)
		}
		readOnly("off")
		time.Sleep(time.Minute)
		synctest.Wait()
		if _, ok := s.ConfirmedPending(); ok || len(s.Revisions()) != 3 || hostName(s) != "old" {
			t.Fatalf("pending %v, revisions %v", ok, s.Revisions())
		}
	})
}

func TestConfirmedRange(t *testing.T) {
	s := start(t, t.TempDir())
	c := candidate(t, s, alice, Shared, "set system host-name new")
	for _, window := range []time.Duration{-time.Minute, time.Second, 90 * time.Second, 65536 * time.Minute} {
		if _, _, err := c.Commit(CommitOptions{Confirmed: window}); err == nil || !strings.Contains(err.Error(), "1 to 65535 minutes") {
			t.Errorf("%v: %v", window, err)
		}
	}
	commit(t, c, CommitOptions{Confirmed: MaxConfirmed})
}

// pickyEngine refuses one host name.
type pickyEngine struct{ refuses string }

func (p *pickyEngine) Name() string { return "picky" }

func (p *pickyEngine) Prepare(cfg *schema.Config) (Change, []schema.Problem) {
	if cfg.System.HostName == p.refuses {
		return nil, []schema.Problem{schema.Errorf("system host-name", "%s is not to my taste", p.refuses)}
	}
	return nil, nil
}
