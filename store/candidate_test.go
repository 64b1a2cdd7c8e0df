package store

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"sluice/store/tree"
)

func TestSharedCandidateIsShared(t *testing.T) {
	s := start(t, t.TempDir())
	a, b := candidate(t, s, alice, Shared), candidate(t, s, bob, Shared)
	run(t, a, "set system host-name gw")
	run(t, b, "set interfaces eth1 description lan")
	if !a.Tree().Equal(b.Tree()) || !a.Changed() || !b.Changed() {
		t.Fatalf("alice sees\n%s\nbob sees\n%s", a.Tree().Text(), b.Tree().Text())
	}
	if who := s.Authors(); !slices.Equal(who, []Who{alice, bob}) {
		t.Errorf("authors %v", who)
	}
	commit(t, b, CommitOptions{})
	if a.Changed() || hostName(s) != "gw" || len(s.Authors()) != 0 {
		t.Errorf("after bob's commit alice's change is not in force: %s", s.ActiveTree().Text())
	}
	if e := s.Editors(); len(e) != 2 || e[0].Who != alice || e[1].Who != bob {
		t.Errorf("editors %v", e)
	}
}

func TestSharedCandidateOutlivesEverything(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	set(t, s, "set interfaces eth1 description old")
	c := candidate(t, s, alice, Shared, "set system host-name gw", "delete interfaces eth1")
	if err := c.Run([]string{"interfaces"}, "set eth2 description lan"); err != nil {
		t.Fatal(err)
	}
	if problems := candidate(t, s, bob, Shared).Load(tree.LoadMerge, nil, "interfaces { eth3 { description dmz; } }"); len(problems) > 0 {
		t.Fatal(problems)
	}
	want := c.Tree()
	c.Close()
	for range 2 {
		s.Close()
		s = start(t, dir)
		c = candidate(t, s, bob, Shared)
		if !c.Changed() || !c.Tree().Equal(want) || !slices.Equal(s.Authors(), []Who{alice, bob}) {
			t.Fatalf("after a restart:\n%s\nwant\n%s\nauthors %v", c.Tree().Text(), want.Text(), s.Authors())
		}
	}
	if err := c.Rollback(0); err != nil || c.Changed() || len(s.Authors()) != 0 {
		t.Fatalf("rollback 0: %v, authors %v", err, s.Authors())
	}
	s.Close()
	s = start(t, dir)
	if candidate(t, s, bob, Shared).Changed() {
		t.Error("discarded changes are back")
	}
}

// Rollback n to the shared candidate is an edit like any other.
func TestSharedRollbackOutlivesRestart(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	set(t, s, "set system host-name one")
	set(t, s, "set system host-name two")
	c := candidate(t, s, bob, Shared, "set interfaces eth1 description lan")
	if err := c.Rollback(1); err != nil {
		t.Fatal(err)
	}
	run(t, c, "set interfaces eth2 description dmz")
	want := c.Tree()
	s.Close()
	s = start(t, dir)
	c = candidate(t, s, alice, Shared)
	if !c.Tree().Equal(want) || !slices.Equal(s.Authors(), []Who{bob}) {
		t.Errorf("after a restart:\n%s\nauthors %v", c.Tree().Text(), s.Authors())
	}
}

func TestFailedEditChangesNothing(t *testing.T) {
	s := start(t, t.TempDir())
	c := candidate(t, s, alice, Shared, "set system host-name gw")
	before := c.Tree()
	if err := c.Run(nil, "set system hots-name gw"); err == nil {
		t.Error("a misspelt statement is accepted")
	}
	if problems := c.Load(tree.LoadMerge, nil, "system { host-name other; hots-name gw; }"); len(problems) == 0 {
		t.Error("a misspelt text is accepted")
	}
	if !c.Tree().Equal(before) {
		t.Errorf("candidate is now\n%s", c.Tree().Text())
	}
}

func TestExclusive(t *testing.T) {
	s := start(t, t.TempDir())
	set(t, s, "set system host-name gw")
	shared, private := candidate(t, s, bob, Shared), candidate(t, s, bob, Private, "set interfaces eth1 description lan")
	c := candidate(t, s, alice, Exclusive, "set system host-name gw2")

	var locked *LockedError
	for what, err := range map[string]error{
		"run":            shared.Run(nil, "set system host-name bob"),
		"run private":    private.Run(nil, "set system host-name bob"),
		"rollback":       shared.Rollback(0),
		"commit":         func() error { _, _, err := shared.Commit(CommitOptions{}); return err }(),
		"commit private": func() error { _, _, err := private.Commit(CommitOptions{}); return err }(),
		"exclusive":      func() error { _, err := s.Edit(bob, Exclusive); return err }(),
		"private":        func() error { _, err := s.Edit(bob, Private); return err }(),
	} {
		if !errors.As(err, &locked) || !strings.Contains(err.Error(), "locked by alice via cli since") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if problems := shared.Load(tree.LoadSet, nil, "set system host-name bob"); len(problems) != 1 || !strings.Contains(problems[0].Error(), "alice") {
		t.Errorf("load: %v", problems)
	}
	if _, err := s.Edit(bob, Shared); err != nil {
		t.Errorf("bob may not even look: %v", err)
	}
	commit(t, c, CommitOptions{})
	run(t, c, "set system host-name lost")
	if err := c.Close(); err != nil || hostName(s) != "gw2" {
		t.Fatalf("close: %v, %s is active", err, hostName(s))
	}
	if err := c.Run(nil, "set system host-name gw3"); !errors.Is(err, ErrClosed) {
		t.Errorf("run after close: %v", err)
	}
	run(t, shared, "set interfaces eth2 description dmz")
	if got := number(shared.Tree()); got != -1 || strings.Contains(shared.Tree().Text(), "lost") {
		t.Errorf("exclusive changes are in the shared candidate:\n%s", shared.Tree().Text())
	}
	if _, err := s.Edit(alice, Exclusive); err == nil || !strings.Contains(err.Error(), "bob via api") {
		t.Errorf("exclusive over uncommitted changes: %v", err)
	}
}

func TestPrivateCandidatesAreMerged(t *testing.T) {
	s := start(t, t.TempDir())
	set(t, s, "set system host-name gw", "set interfaces eth1 description lan")
	a := candidate(t, s, alice, Private, "set interfaces eth2 description dmz")
	b := candidate(t, s, bob, Private, "set interfaces eth3 description wan")
	idle := candidate(t, s, bob, Private)
	if strings.Contains(b.Tree().Text(), "dmz") {
		t.Fatal("bob sees alice's private change")
	}
	commit(t, a, CommitOptions{})
	commit(t, b, CommitOptions{})
	if got, want := s.ActiveTree().Text(), text(t, "set system host-name gw", "set interfaces eth1 description lan",
		"set interfaces eth2 description dmz", "set interfaces eth3 description wan"); got != want {
		t.Errorf("active is\n%s", got)
	}
	if a.Changed() || b.Changed() {
		t.Error("committed candidates have changes")
	}
	if err := idle.Update(); err != nil || !idle.Tree().Equal(s.ActiveTree()) {
		t.Errorf("update: %v\n%s", err, idle.Tree().Text())
	}
}

func TestPrivateConflict(t *testing.T) {
	s := start(t, t.TempDir())
	set(t, s, "set system host-name gw", "set interfaces eth1 description lan")
	a := candidate(t, s, alice, Private, "set system host-name alice", "delete interfaces eth1")
	b := candidate(t, s, bob, Private, "set system host-name bob", "set interfaces eth1 mtu 1400", "set interfaces eth2 description new")
	commit(t, a, CommitOptions{})
	before := b.Tree()
	var conflict *ConflictError
	_, _, err := b.Commit(CommitOptions{})
	if !errors.As(err, &conflict) || !slices.Equal(conflict.Paths, []string{"interfaces eth1", "system host-name alice"}) {
		t.Fatalf("commit: %v", err)
	}
	if !strings.Contains(err.Error(), "\n  interfaces eth1") || !strings.Contains(err.Error(), "alice via cli") {
		t.Errorf("message: %v", err)
	}
	if hostName(s) != "alice" || !b.Tree().Equal(before) || b.Update() == nil || len(b.Check()) != 2 {
		t.Errorf("a refused commit changed something")
	}
	// Made to agree, it fits.
	run(t, b, "set system host-name alice", "delete interfaces eth1")
	commit(t, b, CommitOptions{})
	if hostName(s) != "alice" || !strings.Contains(s.ActiveTree().Text(), "eth2") {
		t.Errorf("active is\n%s", s.ActiveTree().Text())
	}
}

// A private commit goes into the shared candidate that others are working on, and is kept there
// over a restart.
func TestSharedCandidateFollowsPrivateCommit(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	shared := candidate(t, s, alice, Shared, "set interfaces eth1 description lan")
	commit(t, candidate(t, s, bob, Private, "set system host-name gw"), CommitOptions{})
	want := text(t, "set interfaces eth1 description lan", "set system host-name gw")
	if got := shared.Tree().Text(); got != want || !shared.Changed() {
		t.Errorf("shared candidate is\n%s", got)
	}
	s.Close()
	s = start(t, dir)
	shared = candidate(t, s, alice, Shared)
	if got := shared.Tree().Text(); got != want || !slices.Equal(s.Authors(), []Who{alice}) {
		t.Errorf("after a restart the shared candidate is\n%s\nby %v", got, s.Authors())
	}
	if diff, err := shared.Compare(0, nil); err != nil || strings.Contains(diff, "host-name") || !strings.Contains(diff, "eth1") {
		t.Errorf("compare: %s, %v", diff, err)
	}
	commit(t, shared, CommitOptions{})
	if got := s.ActiveTree().Text(); got != want {
		t.Errorf("active is\n%s", got)
	}
}

func TestClosedStore(t *testing.T) {
	s := start(t, t.TempDir())
	c := candidate(t, s, alice, Shared)
	s.Close()
	if err := c.Run(nil, "set system host-name gw"); !errors.Is(err, ErrClosed) {
		t.Errorf("run: %v", err)
	}
	if _, err := s.Edit(alice, Shared); !errors.Is(err, ErrClosed) {
		t.Errorf("edit: %v", err)
	}
	if err := c.Close(); err != nil || s.Close() != nil {
		t.Errorf("close: %v", err)
	}
}
