package store

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"sluice/store/schema"
)

// The time that "commit confirmed" can give for the confirmation.
const (
	MinConfirmed     = time.Minute
	DefaultConfirmed = 10 * time.Minute
	MaxConfirmed     = 65535 * time.Minute
)

// CommitOptions are the words that can follow commit.
type CommitOptions struct {
	Comment string
	// Confirmed is how long to wait for another commit before going back to the last confirmed
	// configuration: whole minutes, 1 to 65535, or 0 for a commit that stays.
	Confirmed time.Duration
}

// check says what is wrong with the options.
func (o CommitOptions) check() error {
	if o.Confirmed != 0 && (o.Confirmed < MinConfirmed || o.Confirmed > MaxConfirmed || o.Confirmed%time.Minute != 0) {
		return fmt.Errorf("commit confirmed %v: the time must be 1 to 65535 minutes", o.Confirmed)
	}
	return nil
}

// Check says whether Commit would accept the candidate, and returns all its problems. It changes
// nothing.
func (c *Candidate) Check() []schema.Problem {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	next, err := c.working().rebase(c.s.active.Load())
	var conflict *ConflictError
	if errors.As(err, &conflict) {
		return conflict.problems()
	}
	_, problems := prepare(next.tree, c.s.engines)
	return problems
}

// Commit puts the candidate in force, confirms a commit that waits for it, and returns the revision
// that is now active. A candidate that started from an older revision is merged with the active one
// first, or refused with a [ConflictError].
//
// When the configuration has problems that are not warnings the error is [ErrRefused]; after that or
// any other error the running configuration, the stored revisions and the candidate are as they
// were. A candidate without changes makes no revision.
func (c *Candidate) Commit(opt CommitOptions) (Revision, []schema.Problem, error) {
	if err := opt.check(); err != nil {
		return Revision{}, nil, err
	}
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := c.editable(); err != nil {
		return Revision{}, nil, err
	}
	active := s.active.Load()
	candidate, err := c.working().rebase(active)
	if err != nil {
		return Revision{}, nil, err
	}
	if !candidate.changed() {
		err := s.confirm(c.editor.Who, opt)
		return s.active.Load().revision, nil, err
	}
	next, problems := prepare(candidate.tree, s.engines)
	if next == nil {
		return Revision{}, problems, ErrRefused
	}
	now := time.Now()
	revision, err := s.commit(next, c, Revision{Time: now, Who: c.editor.Who, Comment: opt.Comment, Confirmed: opt.Confirmed},
		s.awaiting(opt.Confirmed, active.revision.ID, now))
	if err != nil {
		return Revision{}, problems, fmt.Errorf("commit not stored, the running configuration is unchanged: %w", err)
	}
	s.warn(problems)
	s.publishCommit(revision, revision.Who, Committed)
	return revision, problems, nil
}

// commit stores next as a new revision, with the confirmation it waits for (or nil), in one
// transaction, and puts it in force; s.mu is held. From is the candidate it comes from, or nil. On
// an error nothing has changed.
func (s *Store) commit(next *prepared, from *Candidate, revision Revision, wait *confirmation) (Revision, error) {
	var keep int64
	if wait != nil {
		keep = wait.previous
	}
	var shared *working
	var future *running
	err := s.store(func(tx *sql.Tx) error {
		if err := insertRevision(tx, &revision, next.text(), keep); err != nil {
			return err
		}
		if wait != nil {
			wait.revision = revision.ID
		}
		if err := saveConfirmation(tx, wait); err != nil {
			return err
		}
		future = &running{tree: next.tree, config: next.config, revision: revision}
		shared = s.sharedAfter(future, from)
		return saveShared(tx, shared)
	})
	if err != nil {
		return Revision{}, err
	}
	revisions := follow(revision, *s.revisions.Load())
	s.revisions.Store(&revisions)
	s.shared = shared
	if from != nil && from.own != nil {
		from.own = unchanged(future)
	}
	s.install(next, revision)
	s.await(wait)
	return revision, nil
}

// sharedAfter is the shared candidate after active was committed from a candidate. What others have
// in it goes on from the new revision; where the two do not fit together it stays on its old one,
// and its commit will say so.
func (s *Store) sharedAfter(active *running, from *Candidate) *working {
	if from != nil && from.own == nil {
		return unchanged(active)
	}
	if moved, err := s.shared.rebase(active); err == nil {
		return moved
	}
	return s.shared
}
