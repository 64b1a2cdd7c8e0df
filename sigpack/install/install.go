package install

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"sluice/sigpack"
)

// Texts of an installation that is under way.
const (
	checking   = "Checking compatibility of application package version %d ..."
	validating = "Data plane validation of application package version (%d) is in progress ..."
)

// ErrChecksum says that downloaded files are not what was downloaded.
var ErrChecksum error = notice("Checksum validation failed for downloaded files.")

// ErrNotDownloaded says that there is nothing to install.
var ErrNotDownloaded = errors.New("no application package is downloaded: request services application-identification download")

// Install begins to install the package that was downloaded last, and returns what the command
// prints. It fails with ErrChecksum when files were changed since. A version that is installed
// already is refused, unless ignoreDuplicate asks for it.
func (m *Manager) Install(ignoreDuplicate bool) (string, error) {
	staged := m.journal.read().Staged
	if staged == nil {
		return "", ErrNotDownloaded
	}
	if err := sigpack.Verify(m.journal.path(staged), staged.Digest); err != nil {
		m.opt.Logger.Error("signature package is damaged", "version", staged.Version, "error", err)
		return "", ErrChecksum
	}
	err := m.begin(Install, running(staged.Version, checking, staged.Version), func(ctx context.Context) {
		// It may have changed before this operation had its turn.
		m.install(ctx, *m.journal.read().Staged, ignoreDuplicate)
	})
	return installStarted, err
}

// defect is a fault of the package itself.
type defect struct{ error }

// install takes a staged package through all checks and puts it in force.
func (m *Manager) install(ctx context.Context, next slot, ignoreDuplicate bool) {
	err := m.try(ctx, &next, ignoreDuplicate)
	var d defect
	switch {
	case err == nil:
		m.report(next.Version, nil)
	case ctx.Err() != nil:
		m.fail(Install, failure(next.Version, installFailed(next.Version), ErrClosed), nothing)
	case errors.As(err, &d):
		m.opt.Logger.Error("signature package failed data plane validation", "version", next.Version, "reason", d.error)
		m.rolledBack(next.Info)
		m.report(next.Version, d)
	default:
		m.fail(Install, failure(next.Version, installFailed(next.Version), err), nothing)
	}
}

func (m *Manager) try(ctx context.Context, next *slot, ignoreDuplicate bool) error {
	r := m.journal.read()
	if _, is := r.faulty(next.Version); is {
		return notice(fmt.Sprintf("Requested application package %d failed data plane validation. Please install another version", next.Version))
	}
	again := r.Installed != nil && r.Installed.Version == next.Version
	if again && !ignoreDuplicate {
		return notice(fmt.Sprintf("Application package %d is already installed", next.Version))
	}
	if err := m.note(Install, next.Version, false); err != nil {
		return err
	}
	if err := sigpack.Verify(m.journal.path(next), next.Digest); err != nil {
		return ErrChecksum
	}
	pack, err := sigpack.Open(m.journal.path(next))
	if err != nil {
		return defect{err}
	}
	before := m.force.Load()
	if err := m.conflicts(before.pack, pack); err != nil {
		return err
	}
	m.opt.fault("install: checked")
	m.progress(Install, next.Version, validating, next.Version)
	if err := m.opt.Validate(ctx, m.journal.path(next)); err != nil {
		return defect{err}
	}
	next.Added = added(before.pack, pack)
	if again {
		next.Added = r.Installed.Added
	}
	if err := m.trial(ctx, next, pack); err != nil {
		return err
	}
	done := succeeded(next.Version, "Install application package %d succeed", next.Version)
	if err := m.end(Install, done, func(r *record) {
		if !again {
			r.Previous = r.Installed
		}
		r.Installed, r.Alarm = next, time.Time{}
		r.Faulty = slices.DeleteFunc(slices.Clone(r.Faulty), func(f sigpack.Info) bool { return f.Version < next.Version })
		if next.Version > r.Skip {
			r.Skip = 0
		}
	}); err != nil {
		m.back(before)
		return err
	}
	m.sweep()
	m.logObsolete(pack)
	return nil
}

// trial puts a package in force and watches it for a while. When it fails, the package before it is
// in force again.
func (m *Manager) trial(ctx context.Context, next *slot, pack *sigpack.Package) error {
	before := m.force.Load()
	m.opt.fault("install: validated")
	if err := m.note(Install, next.Version, true); err != nil {
		return err
	}
	if err := m.activate(pack, next.Added); err != nil {
		return defect{err}
	}
	m.opt.fault("install: on trial")
	if err := m.watch(ctx); err != nil {
		m.back(before)
		return err
	}
	return nil
}

// back puts in force again what was before.
func (m *Manager) back(before *force) {
	if err := m.activate(before.pack, before.added); err != nil {
		m.opt.Logger.Error("signature package could not be put in force again; it is after a restart", "error", err)
	}
}

// watch looks out for harm that a package on trial does.
func (m *Manager) watch(ctx context.Context) error {
	end := time.Now().Add(m.opt.Watch)
	for {
		if err := m.opt.Healthy(); err != nil {
			return defect{err}
		}
		left := time.Until(end)
		if left <= 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(min(left, time.Second)):
		}
	}
}

// rolledBack ends an installation that failed for the package's own fault: the version is not
// installed again, and what was installed still is.
func (m *Manager) rolledBack(faulty sigpack.Info) {
	m.fail(Install, autoRollback(faulty.Version), m.mark(faulty))
}

func installFailed(version int) string {
	return fmt.Sprintf("Install Application package %d and Protocol bundle failed", version)
}

func autoRollback(version int) Status {
	return failed(version, "%s ( Install Application package (%d) failed in data plane validation, auto rollback triggered)",
		installFailed(version), version)
}

// mark notes in the journal what follows from a version's failure.
func (m *Manager) mark(faulty sigpack.Info) func(*record) {
	now := time.Now()
	return func(r *record) {
		r.Alarm = now
		if r.Installed == nil || r.Installed.Version != faulty.Version { // it is not installed again
			r.markFaulty(faulty)
		}
		if r.Installed != nil {
			s := rollbackDone(r.Installed.Version)
			s.At = now
			r.result(Rollback, s)
		}
	}
}
