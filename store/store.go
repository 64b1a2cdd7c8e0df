// Package store keeps what is configured: candidates that people edit, commits that every engine
// of the gateway has accepted, and the revisions to roll back to, in SQLite.
//
// A commit is one transaction. Before it the old configuration runs, after it the new one, and a
// crash at any moment leaves one of the two. The state directory holds
//
//	config.db   revisions, the shared candidate, a commit that waits to be confirmed
//	state.db    logs and counters, whose tables belong to the packages that write them
//	config.txt  the active configuration as text, for people; never read back
//	lock        held by the one process that has the directory open
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"sluice/store/schema"
)

// The files of a state directory.
const (
	configFile = "config.db"
	stateFile  = "state.db"
	textFile   = "config.txt"
	lockFile   = "lock"
)

// ErrClosed says that the store or the candidate was closed.
var ErrClosed = errors.New("configuration session is closed")

// Options are the choices of Open.
type Options struct {
	Logger *slog.Logger // slog.Default() when nil
}

// Store is an open state directory. Its methods may be called from any goroutine.
type Store struct {
	dir   string
	log   *slog.Logger
	lock  *os.File
	files []*sql.DB // every handle below, to close

	commits *sql.DB // config.db, for commits: safe on the disk when they return
	edits   *sql.DB // config.db, for edits of the shared candidate: safe from a crash of the process
	reader  *sql.DB // config.db, read only
	state   *sql.DB // state.db
	history *sql.DB // state.db, read only

	active    atomic.Pointer[running]
	pending   atomic.Pointer[confirmation] // nil when no commit waits to be confirmed
	revisions atomic.Pointer[[]Revision]   // newest first; replaced, never changed

	// mu guards what follows. A commit holds it from its first look at the candidate until every
	// engine runs the new configuration, so that edits wait for it. It is taken before eventMu.
	mu      sync.Mutex
	engines []Engine
	started bool
	closed  bool
	shared  *working                // the shared candidate
	open    map[*Candidate]struct{} // the sessions that are editing
	timer   *time.Timer             // rolls back the pending commit; nil before there was one

	// eventMu guards what follows.
	eventMu        sync.Mutex
	subscribers    map[int]func(Event)
	nextSubscriber int
}

// Open opens the state directory dir, which it creates (mode 0700) if need be. It fails with
// [ErrInUse] when another process has it open. Nothing is in force until Start.
func Open(dir string, opt Options) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	if err := makeDirectory(dir); err != nil {
		return nil, err
	}
	s := &Store{dir: dir, log: opt.Logger, open: map[*Candidate]struct{}{}, subscribers: map[int]func(Event){}}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.lock, err = lockDirectory(dir); err != nil {
		return nil, err
	}
	if err = s.openFiles(); err == nil {
		err = s.load()
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// openFiles opens the databases and brings their tables up to date.
func (s *Store) openFiles() error {
	config, state := filepath.Join(s.dir, configFile), filepath.Join(s.dir, stateFile)
	for _, f := range []struct {
		handle **sql.DB
		open   func() (*sql.DB, error)
	}{
		{&s.commits, func() (*sql.DB, error) { return openWriter(config, syncFull) }},
		{&s.edits, func() (*sql.DB, error) { return openWriter(config, syncNormal) }},
		{&s.reader, func() (*sql.DB, error) { return openReaders(config) }},
		{&s.state, func() (*sql.DB, error) { return openWriter(state, syncNormal) }},
		{&s.history, func() (*sql.DB, error) { return openReaders(state) }},
	} {
		db, err := f.open()
		if err != nil {
			return err
		}
		*f.handle = db
		s.files = append(s.files, db)
	}
	return migrate(context.Background(), s.commits)
}

// load reads the active revision, the commit that waits to be confirmed, and the shared candidate.
func (s *Store) load() error {
	revisions, err := listRevisions(s.reader)
	if err != nil {
		return err
	}
	s.revisions.Store(&revisions)
	active := &running{config: &schema.Config{}}
	if len(revisions) > 0 {
		active.revision = revisions[0]
	}
	if active.tree, err = readText(s.reader, active.revision.ID); err != nil {
		return err
	}
	// What does not decode is for Start to report; until then there is an empty configuration.
	if config, problems := active.tree.Decode(); !refused(problems) {
		active.config = config
	}
	s.active.Store(active)
	p, err := readConfirmation(s.reader)
	if err != nil {
		return err
	}
	s.pending.Store(p)
	s.shared, err = s.loadShared(active)
	return err
}

// StateDB returns the database of logs and counters: one connection, synchronous=NORMAL. A package
// that keeps tables there brings its own migrations, in a goose version table of its own
// (goose.WithTableName), so that packages do not get in each other's way.
func (s *Store) StateDB() *sql.DB { return s.state }

// StateReader returns connections to the database of logs and counters that cannot write, so that
// a long query does not hold up the writer.
func (s *Store) StateReader() *sql.DB { return s.history }

// Close ends all editing and closes the databases. What runs is left running. The shared candidate
// and a commit that waits to be confirmed are found again by the next Open.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	s.disarm()
	var errs []error
	for i := len(s.files) - 1; i >= 0; i-- {
		errs = append(errs, s.files[i].Close())
	}
	return errors.Join(append(errs, s.lock.Close())...)
}
