package appid

import (
	"context"
	"path/filepath"
	"runtime"
	"time"

	"sluice/classify"
	"sluice/classify/appdb"
	"sluice/classify/decode"
	"sluice/classify/scan"
)

// patterns are compiled signatures. They are given back when nothing refers to them any more: no
// engine in force, and no session that began with an earlier one.
type patterns struct {
	set   *scan.Set
	count int
}

func newPatterns(set *scan.Set, db *appdb.Database) *patterns {
	p := &patterns{set: set}
	for _, a := range db.Applications {
		p.count += len(a.Patterns)
	}
	runtime.AddCleanup(p, (*scan.Set).Close, set)
	return p
}

// Wants says whether there is something to look for.
func (p *patterns) Wants(c decode.Context, d classify.Direction) bool { return p.set.Wants(c, d) }

// Match looks for it.
func (p *patterns) Match(progress *classify.Progress, c decode.Context, d classify.Direction, over string, m *classify.Meta, value []byte) *classify.Hit {
	hit := p.set.Match(progress, c, d, over, m, value)
	runtime.KeepAlive(p)
	return hit
}

// job compiles the patterns of a database.
type job struct {
	done     chan struct{}
	patterns *patterns
	err      error
}

// compilePatterns begins to. One database is compiled at a time.
func (s *Service) compilePatterns(db *appdb.Database) *job {
	j := &job{done: make(chan struct{})}
	options := scan.Options{Logger: s.log}
	if s.dir != "" {
		options.CacheDir = filepath.Join(s.dir, "signatures")
	}
	go func() {
		defer close(j.done)
		s.compiling.Lock()
		defer s.compiling.Unlock()
		set, problems, err := scan.Compile(context.Background(), db, options)
		for _, p := range problems {
			s.log.Warn("signature is left out", "problem", p)
		}
		if j.err = err; err == nil {
			j.patterns = newPatterns(set, db)
		}
	}()
	return j
}

// wait waits for the end of the job, and says whether it has come. A time below 0 is for ever.
func (j *job) wait(limit time.Duration) bool {
	if limit < 0 {
		<-j.done
		return true
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-j.done:
		return true
	case <-timer.C:
		return false
	}
}
