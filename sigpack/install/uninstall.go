package install

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// ErrNotInstalled says that there is nothing to uninstall.
var ErrNotInstalled = errors.New("no application package is installed")

// Uninstall begins to take the package out of force, and returns what the command prints. It
// fails while policies refer to its applications and while custom applications are configured.
// Nothing is left to install or to roll back to: a package has to be downloaded again.
func (m *Manager) Uninstall() (string, error) {
	installed := m.journal.read().Installed
	if installed == nil {
		return "", ErrNotInstalled
	}
	err := m.begin(Uninstall, running(installed.Version, "Uninstall application package %d is in progress ...", installed.Version),
		func(context.Context) {
			if err := m.uninstall(); err != nil {
				m.fail(Uninstall, failure(installed.Version, fmt.Sprintf("Uninstall application package %d failed", installed.Version), err), nothing)
			}
		})
	return uninstallStarted, err
}

func (m *Manager) uninstall() error {
	if custom := m.settings.Load().custom; len(custom) > 0 {
		return fmt.Errorf("custom application signatures are configured: %s", strings.Join(custom, ", "))
	}
	before := m.force.Load()
	if err := m.conflicts(before.pack, nil); err != nil {
		return err
	}
	version := m.journal.read().Installed.Version
	if err := m.note(Uninstall, version, false); err != nil {
		return err
	}
	if err := m.activate(nil, nil); err != nil {
		return err
	}
	m.opt.fault("uninstall: inactive")
	err := m.end(Uninstall, succeeded(version, "Uninstall application package %d succeed", version), func(r *record) {
		r.Uninstalled = &r.Installed.Info
		r.Installed, r.Previous, r.Staged = nil, nil, nil
	})
	if err != nil {
		m.back(before)
		return err
	}
	m.sweep()
	return nil
}
