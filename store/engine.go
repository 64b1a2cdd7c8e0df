package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"sluice/store/schema"
	"sluice/store/tree"
)

// Engine is a part of the gateway that works from the configuration.
type Engine interface {
	// Name is one word for logs.
	Name() string
	// Prepare compiles the engine's part of cfg. A problem that is not a warning refuses the whole
	// commit. Prepare changes nothing that is running: the change may never be applied. It must
	// not call the store.
	Prepare(cfg *schema.Config) (Change, []schema.Problem)
}

// Change is a prepared configuration of one engine. A nil Change has nothing to apply.
type Change interface {
	// Apply puts the change in force. It cannot fail: everything that can is done in Prepare.
	Apply()
}

// ChangeFunc makes a function a [Change].
type ChangeFunc func()

// Apply calls the function.
func (f ChangeFunc) Apply() { f() }

// ErrRefused says that a configuration has problems that are not warnings, so nothing was changed.
var ErrRefused = errors.New("configuration refused, nothing was changed")

// running is the configuration in force; it is replaced whole and never changed.
type running struct {
	tree     *tree.Tree
	config   *schema.Config
	revision Revision
}

// prepared is a configuration that every engine has accepted.
type prepared struct {
	tree    *tree.Tree
	config  *schema.Config
	changes []Change
	written string // the tree's text, once somebody asked for it
}

// text is the tree's text.
func (p *prepared) text() string {
	if p.written == "" {
		p.written = p.tree.Text()
	}
	return p.written
}

// Register adds engines. Their changes are applied in the order of registration. Call it before
// Start.
func (s *Store) Register(engines ...Engine) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.engines = append(s.engines, engines...)
}

// Start puts the active configuration in force. A confirmed commit whose time ran out while the
// gateway was down is rolled back first. Configurations committed before Start are only stored.
func (s *Store) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.closed {
		return ErrClosed
	}
	s.started = true
	if p := s.pending.Load(); p != nil {
		if left := p.left(time.Now()); left > 0 {
			s.arm(p, left)
		} else if s.revert(p, "its time ran out while the gateway was down") == nil {
			return nil
		}
	}
	active := s.active.Load()
	next, problems := prepare(active.tree, s.engines)
	s.warn(problems)
	if next == nil {
		if p := s.pending.Load(); p != nil && s.revert(p, "it is refused at the start of the gateway") == nil {
			return nil
		}
		return fmt.Errorf("active configuration, %s: %w. If a newer version has written it, start that and delete there what this one does not know:\n%s", active.revision, ErrRefused, list(problems))
	}
	s.install(next, active.revision)
	return nil
}

// Active returns the configuration in force and its revision. Neither may be changed. The
// configuration is never nil; before the first commit it is empty.
func (s *Store) Active() (*schema.Config, Revision) {
	active := s.active.Load()
	return active.config, active.revision
}

// ActiveTree returns the statements of the configuration in force. They may not be changed.
func (s *Store) ActiveTree() *tree.Tree { return s.active.Load().tree }

// prepare decodes t and lets every engine compile its part, and returns all problems. Engines see
// only what decodes without an error: they would report what follows from it. The result is nil
// when the configuration is refused.
func prepare(t *tree.Tree, engines []Engine) (*prepared, []schema.Problem) {
	config, problems := t.Decode()
	if refused(problems) {
		return nil, problems
	}
	next := &prepared{tree: t, config: config}
	for _, e := range engines {
		change, found := e.Prepare(config)
		problems = append(problems, found...)
		if change != nil {
			next.changes = append(next.changes, change)
		}
	}
	if refused(problems) {
		return nil, problems
	}
	return next, problems
}

// install puts a stored configuration in force; s.mu is held.
func (s *Store) install(next *prepared, revision Revision) {
	if s.started {
		for _, c := range next.changes {
			c.Apply()
		}
	}
	s.active.Store(&running{tree: next.tree, config: next.config, revision: revision})
	if err := writeText(s.dir, next.text(), revision); err != nil {
		s.log.Warn("config.txt could not be written; the database holds the configuration", "error", err)
	}
}

// warn logs the warnings among problems.
func (s *Store) warn(problems []schema.Problem) {
	for _, p := range problems {
		if p.Warning {
			s.log.Warn("configuration", "warning", p.Error())
		}
	}
}

// refused says whether a problem is more than a warning.
func refused(problems []schema.Problem) bool {
	for _, p := range problems {
		if !p.Warning {
			return true
		}
	}
	return false
}

// list writes the problems that are not warnings, a line each.
func list(problems []schema.Problem) string {
	var lines []string
	for _, p := range problems {
		if !p.Warning {
			lines = append(lines, p.Error())
		}
	}
	return strings.Join(lines, "\n")
}
