package install

import (
	"context"
	"time"
)

// patience is how long the schedule sleeps at most, so that a clock that is set is noticed.
const patience = 10 * time.Minute

// schedule makes the updates that the configuration asks for, until the manager is closed.
func (m *Manager) schedule() {
	var of *schedule
	var due time.Time
	for {
		now := time.Now()
		if s := m.settings.Load().schedule; s != of {
			of = s
			if due = m.due(s, now.Add(-1)); s != nil {
				m.opt.Logger.Info("next update of the signature package", "at", due)
			}
		}
		if of != nil && !now.Before(due) {
			if m.update(of.minorOnly) {
				due = m.due(of, now)
			} else {
				due = now.Add(time.Minute) // another operation runs
			}
			continue
		}
		wait := patience
		if of != nil {
			wait = min(wait, due.Sub(now))
		}
		select {
		case <-m.ctx.Done():
			return
		case <-m.changed:
		case <-time.After(wait):
		}
	}
}

// due is the first moment of a schedule after another moment. A schedule without a start counts
// from when it was first seen.
func (m *Manager) due(s *schedule, after time.Time) time.Time {
	anchor := m.journal.read().Anchor
	switch {
	case s == nil:
		m.anchor(time.Time{})
		return time.Time{}
	case !s.start.IsZero():
		m.anchor(time.Time{})
		anchor = s.start
	case anchor.IsZero():
		anchor = time.Now().Add(s.interval)
		m.anchor(anchor)
	}
	return s.next(anchor, after)
}

// next is the first of anchor, anchor + interval, anchor + 2 intervals … that is later than after.
func (s *schedule) next(anchor, after time.Time) time.Time {
	if anchor.After(after) {
		return anchor
	}
	passed := after.Sub(anchor)/s.interval + 1
	return anchor.Add(passed * s.interval)
}

// anchor remembers when a schedule without a start time begins.
func (m *Manager) anchor(at time.Time) {
	if m.journal.read().Anchor.Equal(at) {
		return
	}
	if err := m.journal.write("anchor", func(r *record) { r.Anchor = at }); err != nil {
		m.opt.Logger.Warn("schedule of signature packages is not remembered", "error", err)
	}
}

// update downloads and installs what is newer on the feed. It reports whether it could begin.
func (m *Manager) update(minorOnly bool) bool {
	w := Want{MinorOnly: minorOnly}
	err := m.begin(Download, running(0, "Downloading application package %s is in progress ...", w), func(ctx context.Context) {
		versions, err := m.contact(ctx)
		if err != nil {
			m.downloadFailed(w, err)
			return
		}
		version, err := m.journal.read().chooseUpdate(minorOnly, versions)
		switch {
		case err != nil:
			m.downloadFailed(w, err)
			return
		case version == 0:
			m.forget(Download)
			m.opt.Logger.Info("scheduled update: the download server has no newer signature package")
			return
		}
		if !m.download(ctx, w, version) {
			return
		}
		m.progress(Install, version, checking, version)
		m.install(ctx, *m.journal.read().Staged, false)
	})
	return err == nil
}
