package store

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"sluice/internal/lull"
)

// retryInterval is how long to wait before a rollback that failed is tried again.
const retryInterval = time.Minute

// confirmation is what a confirmed commit waits for. It is never changed once it is in force.
type confirmation struct {
	revision int64         // the revision that waits
	previous int64         // the last confirmed revision, 0 for the empty configuration
	until    time.Time     // when to go back to it
	window   time.Duration // the whole time that was given
}

// left is how long is left to confirm. It is never more than was given, whatever happened to the
// clock while the gateway was down.
func (p *confirmation) left(now time.Time) time.Duration { return min(p.until.Sub(now), p.window) }

// ConfirmedPending returns when the active configuration will be rolled back unless a commit
// confirms it, and whether it will at all.
func (s *Store) ConfirmedPending() (until time.Time, ok bool) {
	if p := s.pending.Load(); p != nil {
		return p.until, true
	}
	return time.Time{}, false
}

// awaiting is the confirmation that a commit on top of active will wait for, nil if none. Several
// confirmed commits in a row all go back to the last configuration that somebody confirmed.
func (s *Store) awaiting(window time.Duration, active int64, now time.Time) *confirmation {
	if window == 0 {
		return nil
	}
	p := &confirmation{previous: active, until: now.Add(window), window: window}
	if earlier := s.pending.Load(); earlier != nil {
		p.previous = earlier.previous
	}
	return p
}

// confirm is a commit without changes; s.mu is held. It confirms the commit that waits, or gives
// it a new time.
func (s *Store) confirm(who Who, opt CommitOptions) error {
	waiting := s.pending.Load()
	if waiting == nil {
		return nil
	}
	active := s.active.Load().revision
	next := s.awaiting(opt.Confirmed, active.ID, time.Now())
	if next != nil {
		next.revision = waiting.revision
	}
	if err := s.store(func(tx *sql.Tx) error { return saveConfirmation(tx, next) }); err != nil {
		return fmt.Errorf("confirmation not stored, the commit still waits for it: %w", err)
	}
	s.await(next)
	s.publishCommit(active, who, Confirmed)
	return nil
}

// await makes next the confirmation that is waited for, nil for none; s.mu is held.
func (s *Store) await(next *confirmation) {
	s.disarm()
	s.pending.Store(next)
	if next != nil && s.started {
		s.arm(next, next.left(time.Now()))
	}
}

// arm lets p be rolled back after wait; s.mu is held.
func (s *Store) arm(p *confirmation, wait time.Duration) {
	s.disarm()
	s.timer = time.AfterFunc(wait, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.pending.Load() == p && !s.closed {
			_ = s.revert(p, "nobody confirmed it in time") // it logs its failure and tries again
		}
	})
}

// disarm stops what arm has started; s.mu is held.
func (s *Store) disarm() {
	if s.timer != nil {
		s.timer.Stop()
	}
}

// revert goes back from the commit that waits for p to the last confirmed configuration, which
// becomes a new revision; s.mu is held. When it cannot be done it is tried again every minute.
//
// When the disk refuses the new revision, the last confirmed configuration is put in force all the
// same: an administrator may be cut off, and what is stored still says that it has to be done.
func (s *Store) revert(p *confirmation, why string) error {
	defer lull.Begin()() // the work on a large configuration is long
	failed := func(err error) error {
		s.log.Error("COMMIT CONFIRMED IS NOT ROLLED BACK YET", "revision", p.revision, "to", p.previous, "reason", why, "error", err, "retry", retryInterval)
		s.arm(p, retryInterval)
		return err
	}
	t, err := readText(s.reader, p.previous)
	if err != nil {
		return failed(err)
	}
	next, problems := prepare(t, s.engines)
	if next == nil {
		return failed(fmt.Errorf("%w:\n%s", ErrRefused, list(problems)))
	}
	comment := fmt.Sprintf("rollback of revision %d to revision %d: %s", p.revision, p.previous, why)
	revision, err := s.commit(next, nil, Revision{Time: time.Now(), Who: system, Comment: comment}, nil)
	if err != nil {
		if s.active.Load().revision.ID != p.previous {
			s.install(next, s.find(p.previous))
			s.publish(Event{Kind: RolledBack, Revision: s.active.Load().revision, By: system})
		}
		return failed(err)
	}
	s.publish(Event{Kind: RolledBack, Revision: revision, By: system})
	s.log.Error("COMMIT CONFIRMED ROLLED BACK", "revision", p.revision, "to", p.previous, "reason", why, "now", revision.ID)
	return nil
}

// readConfirmation reads the confirmation that a commit waits for, nil if none does.
func readConfirmation(db *sql.DB) (*confirmation, error) {
	var p confirmation
	var until, minutes int64
	err := db.QueryRow(`SELECT revision, previous, until, minutes FROM confirmation`).Scan(&p.revision, &p.previous, &until, &minutes)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the pending confirmation: %w", explain(err))
	}
	p.until, p.window = time.Unix(0, until), time.Duration(minutes)*time.Minute
	return &p, nil
}

// saveConfirmation stores the confirmation that a commit waits for, nil for none.
func saveConfirmation(tx *sql.Tx, p *confirmation) error {
	if _, err := tx.Exec(`DELETE FROM confirmation`); err != nil || p == nil {
		return err
	}
	_, err := tx.Exec(`INSERT INTO confirmation (id, revision, previous, until, minutes) VALUES (1, ?, ?, ?, ?)`,
		p.revision, p.previous, p.until.UnixNano(), int64(p.window/time.Minute))
	return err
}
