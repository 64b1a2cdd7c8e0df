package install

import (
	"fmt"
	"time"
)

// resume puts in force what the journal says is installed, and tells the end of an operation that
// the process before did not see.
func (m *Manager) resume() error {
	if err := m.refreshBuiltin(); err != nil {
		return err
	}
	m.interrupted()
	m.sweep()
	return m.load()
}

// refreshBuiltin notes which package the program carries: it may be another program now.
func (m *Manager) refreshBuiltin() error {
	builtin, err := m.opt.Builtin()
	if err != nil {
		return fmt.Errorf("built-in package: %w", err)
	}
	m.journal.mu.Lock()
	defer m.journal.mu.Unlock()
	next := *m.journal.record
	for _, s := range []**slot{&next.Installed, &next.Previous} {
		if *s != nil && (*s).builtin() {
			*s = &slot{Info: builtin.Info, Added: (*s).Added}
		}
	}
	m.journal.record = &next
	return nil
}

// interrupted undoes an operation that the end of the process has cut off. A package on trial of
// which the process died is faulty, unless the whole machine was restarted.
func (m *Manager) interrupted() {
	r := m.journal.read()
	u := r.Underway
	if u == nil {
		return
	}
	if u.Trial && u.Boot == bootID() && r.Staged != nil && r.Staged.Version == u.Version {
		m.rolledBack(r.Staged.Info)
		return
	}
	cut := fmt.Errorf("the gateway was restarted meanwhile")
	var s Status
	op := Install
	switch u.Operation {
	case Download.String():
		op, s = Download, failed(u.Version, "Downloading application package %d failed with error (%v)", u.Version, cut)
	case Offline.String():
		op, s = Offline, failed(0, "AppID sigpack offline download : Failed with error (%v)", cut)
	case Uninstall.String():
		op, s = Uninstall, failure(u.Version, fmt.Sprintf("Uninstall application package %d failed", u.Version), cut)
	case Rollback.String():
		op, s = Rollback, failure(u.Version, rollbackFailed(u.Version), cut)
	default:
		s = failure(u.Version, installFailed(u.Version), cut)
	}
	m.fail(op, s, nothing)
}

// load reads the installed package. When it cannot be read the one before it is taken, or at last
// the built-in one, and the journal says so from then on.
func (m *Manager) load() error {
	r := m.journal.read()
	if r.Installed == nil {
		m.force.Store(&force{generation: 1})
		return nil
	}
	builtin, err := m.opt.Builtin()
	if err != nil {
		return fmt.Errorf("built-in package: %w", err)
	}
	candidates := []*slot{r.Installed, r.Previous, {Info: builtin.Info}}
	for i, s := range candidates {
		if s == nil {
			continue
		}
		pack, err := m.open(s)
		if err != nil {
			m.opt.Logger.Error("installed signature package cannot be read", "version", s.Version, "error", err)
			continue
		}
		m.force.Store(&force{pack: pack, added: s.Added, generation: 1})
		if i > 0 {
			return m.replaceDamaged(s)
		}
		return nil
	}
	return fmt.Errorf("no package can be read")
}

// replaceDamaged notes that another package is in force than the one that was installed.
func (m *Manager) replaceDamaged(by *slot) error {
	now := time.Now()
	return m.journal.write("damaged", func(r *record) {
		s := rollbackDone(by.Version)
		s.At = now
		r.result(Rollback, s)
		r.Installed, r.Previous, r.Alarm = by, nil, now
	})
}
