package install

import (
	"context"
	"fmt"

	"sluice/sigpack"
)

// NothingToRollBack is what Rollback returns when no package was installed before.
const NothingToRollBack = "No application package available to rollback."

// Rollback begins to put the previously installed package in force again, and returns what the
// command prints. Scheduled updates then wait for a version that is newer than the one given up,
// and there is nothing to roll back to until another package was installed.
func (m *Manager) Rollback() (string, error) {
	to := m.journal.read().Previous
	if to == nil {
		return NothingToRollBack, nil
	}
	err := m.begin(Rollback, running(to.Version, "Application package rollback to version %d is in progress ...", to.Version),
		func(context.Context) {
			if err := m.rollback(*m.journal.read().Previous); err != nil {
				m.fail(Rollback, failure(to.Version, rollbackFailed(to.Version), err), nothing)
			}
		})
	return rollbackStarted, err
}

func rollbackFailed(version int) string {
	return fmt.Sprintf("Application package rollback to version %d failed", version)
}

func rollbackDone(version int) Status {
	return succeeded(version, "Application package rollback to version %d success", version)
}

func (m *Manager) rollback(to slot) error {
	if err := m.note(Rollback, to.Version, false); err != nil {
		return err
	}
	pack, err := m.open(&to)
	if err != nil {
		return err
	}
	before := m.force.Load()
	if err := m.conflicts(before.pack, pack); err != nil {
		return err
	}
	m.opt.fault("rollback: checked")
	if err := m.activate(pack, to.Added); err != nil {
		return err
	}
	m.opt.fault("rollback: active")
	err = m.end(Rollback, rollbackDone(to.Version), func(r *record) {
		if r.Installed != nil {
			r.Skip = max(r.Skip, r.Installed.Version)
		}
		r.Installed, r.Previous = &to, nil
	})
	if err != nil {
		m.back(before)
		return err
	}
	m.sweep()
	return nil
}

// open reads the package of a slot, after a look at whether it is still what it was.
func (m *Manager) open(s *slot) (*sigpack.Package, error) {
	if s.builtin() {
		return m.opt.Builtin()
	}
	if err := sigpack.Verify(m.journal.path(s), s.Digest); err != nil {
		return nil, err
	}
	return sigpack.Open(m.journal.path(s))
}
