package store

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/store/tree"
)

// kills is how often TestKill kills a process that commits.
const kills = 220

// commitForever edits and commits as fast as it can, one number after the other as host name, and
// prints each step when it is done.
func commitForever(dir string) error {
	s, err := Open(dir, Options{})
	if err != nil {
		return err
	}
	if err := s.Start(context.Background()); err != nil {
		return err
	}
	c, err := s.Edit(alice, Shared)
	if err != nil {
		return err
	}
	for n := number(s.ActiveTree()) + 1; ; n++ {
		// A shared candidate that another life left behind already has the number.
		if err := c.Run(nil, fmt.Sprintf("set system host-name h%d", n)); err != nil {
			return err
		}
		os.Stdout.WriteString("edit " + strconv.Itoa(n) + "\n")
		var opt CommitOptions
		if n%3 == 0 {
			opt.Confirmed = DefaultConfirmed
		}
		if _, problems, err := c.Commit(opt); err != nil {
			return fmt.Errorf("%w: %v", err, problems)
		}
		os.Stdout.WriteString("commit " + strconv.Itoa(n) + "\n")
	}
}

// number is the number in the host name of a tree, 0 when it has none and -1 when it has another.
func number(t *tree.Tree) int {
	cfg, problems := t.Decode()
	if refused(problems) {
		return -1
	}
	if cfg.System.HostName == "" {
		return 0
	}
	n, err := strconv.Atoi(strings.TrimPrefix(cfg.System.HostName, "h"))
	if err != nil {
		return -1
	}
	return n
}

// A process that commits in a loop is killed at random moments. Whatever was acknowledged is there
// afterwards, and at most the one commit that was under way; nothing else has changed.
func TestKill(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	edited, committed, commits, underway := 0, 0, 0, 0
	for i := range kills {
		if i%20 == 10 { // also kill where the databases are made
			dir, edited, committed = filepath.Join(t.TempDir(), strconv.Itoa(i)), 0, 0
		}
		before := committed
		e, c := killOnce(t, dir, i%4 == 2)
		edited, committed = max(edited, e), max(committed, c)
		acknowledged := committed
		edited, committed = inspect(t, dir, edited, committed)
		commits += committed - before
		underway += committed - acknowledged
		if t.Failed() {
			t.Fatalf("after kill %d", i+1)
		}
	}
	t.Logf("%d kills, %d commits, %d of them stored but not yet acknowledged", kills, commits, underway)
	if commits < kills {
		t.Error("the processes made too few commits to tell anything")
	}
}

// killOnce lets a process commit in dir for a random time, kills it, and returns the numbers of the
// last edit and commit that it has acknowledged. Early also kills it while it opens the store.
func killOnce(t *testing.T, dir string, early bool) (edited, committed int) {
	t.Helper()
	child := exec.Command(os.Args[0], dir)
	child.Env = append(os.Environ(), childEnv+"=commit")
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	alive := make(chan struct{})
	done := make(chan struct{})
	var first sync.Once
	go func() {
		defer close(done)
		for lines.Scan() {
			word, digits, _ := strings.Cut(lines.Text(), " ")
			n, _ := strconv.Atoi(digits)
			if word == "edit" {
				edited = n
			} else {
				committed = n
			}
			first.Do(func() { close(alive) })
		}
	}()
	wait := time.Duration(rand.IntN(15_000)) * time.Microsecond
	if early {
		wait = time.Duration(rand.IntN(60_000)) * time.Microsecond
	} else {
		select {
		case <-alive:
		case <-done: // it has failed, which Wait tells
		}
	}
	time.Sleep(wait)
	child.Process.Kill()
	<-done
	if err := child.Wait(); child.ProcessState.Exited() {
		t.Fatalf("the committing process ended by itself: %v", err)
	}
	return edited, committed
}

// inspect opens dir again and compares it with what was acknowledged. It returns the numbers that
// the candidate and the active configuration have now.
func inspect(t *testing.T, dir string, edited, committed int) (candidate, active int) {
	t.Helper()
	if shown, err := os.ReadFile(filepath.Join(dir, textFile)); err == nil {
		written, problems := tree.Parse(string(shown))
		if n := number(written); refused(problems) || n < committed-1 || n > committed+1 {
			t.Errorf("config.txt holds number %d (%v), %d was acknowledged:\n%s", n, problems, committed, shown)
		}
	}
	runs := &engine{name: "runs"}
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Register(runs)
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, db := range map[string]*sql.DB{configFile: s.reader, stateFile: s.history} {
		var verdict string
		if err := db.QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
			t.Errorf("%s: integrity check says %q, %v", name, verdict, err)
		}
	}
	active = number(s.ActiveTree())
	if active != committed && active != committed+1 {
		t.Errorf("number %d is active, %d was acknowledged", active, committed)
	}
	if active > 0 && runs.last() != "h"+strconv.Itoa(active) {
		t.Errorf("%s runs, number %d is active", runs.last(), active)
	}
	candidate = number(s.shared.tree)
	if candidate < edited || candidate > max(edited, active)+1 || candidate < active {
		t.Errorf("the shared candidate has number %d, %d was acknowledged and %d is active", candidate, edited, active)
	}
	revisions := s.Revisions()
	if len(revisions) != min(active, MaxRevisions) {
		t.Errorf("%d revisions after %d commits", len(revisions), active)
	}
	for i, r := range revisions {
		old, err := s.Rollback(i)
		if err != nil || number(old) != active-i || r.ID != int64(active-i) {
			t.Errorf("rollback %d is %v, %v; active is number %d", i, r, err, active)
		}
	}
	if _, waits := s.ConfirmedPending(); waits != (active > 0 && active%3 == 0) {
		t.Errorf("number %d is active, and waits for confirmation: %v", active, waits)
	}
	return candidate, active
}
