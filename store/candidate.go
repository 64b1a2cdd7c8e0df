package store

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"sluice/store/schema"
	"sluice/store/tree"
)

// Mode says with whom a candidate is shared.
type Mode uint8

// The modes of editing, as "configure", "configure exclusive" and "configure private".
const (
	Shared    Mode = iota // one candidate for everybody; it outlives sessions and restarts
	Exclusive             // a candidate of one's own while nobody else may edit; gone when closed
	Private               // a candidate of one's own, merged when committed; gone when closed
)

// String is the mode's word in the configure command.
func (m Mode) String() string { return [...]string{"shared", "exclusive", "private"}[m] }

// Editor is somebody who has a candidate open.
type Editor struct {
	Who
	Mode  Mode      `json:"mode"`
	Since time.Time `json:"since"`
}

// LockedError says that somebody else edits exclusively.
type LockedError struct{ Holder Editor }

// Error names the holder of the lock.
func (e *LockedError) Error() string {
	return fmt.Sprintf("configuration is locked by %s since %s (configure exclusive)", e.Holder.Who, e.Holder.Since.Format(time.DateTime))
}

// working is a candidate's content. Its trees are never changed: an edit makes a new one.
type working struct {
	tree   *tree.Tree
	base   *tree.Tree // what the candidate started from
	baseID int64      // the revision that base is
}

// changed says whether somebody edited.
func (w *working) changed() bool { return w.tree != w.base && !w.tree.Equal(w.base) }

// Candidate is one session's hold on a configuration that is being edited. Its methods may be
// called from any goroutine.
type Candidate struct {
	s      *Store
	editor Editor
	own    *working // nil in a shared session
	closed bool     // guarded by s.mu
}

// Edit opens a candidate. The shared candidate can be opened while somebody edits exclusively, but
// not changed. An exclusive candidate is refused while the shared one has uncommitted changes.
func (s *Store) Edit(who Who, mode Mode) (*Candidate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	c := &Candidate{s: s, editor: Editor{Who: who, Mode: mode, Since: time.Now()}}
	if mode != Shared {
		if err := s.locked(c); err != nil {
			return nil, err
		}
		c.own = unchanged(s.active.Load())
	}
	if mode == Exclusive && s.shared.changed() {
		return nil, fmt.Errorf("the shared candidate has uncommitted changes (%s): commit them or discard them with \"rollback\" first", s.authors())
	}
	s.open[c] = struct{}{}
	return c, nil
}

// Editors returns who has a candidate open, in the order in which they came.
func (s *Store) Editors() []Editor {
	s.mu.Lock()
	defer s.mu.Unlock()
	var editors []Editor
	for c := range s.open {
		editors = append(editors, c.editor)
	}
	slices.SortFunc(editors, func(a, b Editor) int { return a.Since.Compare(b.Since) })
	return editors
}

// Authors returns who made the uncommitted changes of the shared candidate, each once.
func (s *Store) Authors() []Who {
	s.mu.Lock()
	defer s.mu.Unlock()
	who, err := readAuthors(s.reader)
	if err != nil {
		s.log.Warn("shared candidate", "error", err)
	}
	return who
}

// authors lists who made the uncommitted changes of the shared candidate, for a message.
func (s *Store) authors() string {
	who, err := readAuthors(s.reader)
	if err != nil || len(who) == 0 {
		return "author unknown"
	}
	var names []string
	for _, w := range who {
		names = append(names, w.String())
	}
	return strings.Join(names, ", ")
}

// locked says who keeps c from editing; s.mu is held.
func (s *Store) locked(c *Candidate) error {
	for other := range s.open {
		if other != c && other.editor.Mode == Exclusive {
			return &LockedError{Holder: other.editor}
		}
	}
	return nil
}

// Who returns who edits, in which mode and since when.
func (c *Candidate) Who() Editor { return c.editor }

// Close ends the session. Uncommitted changes of an exclusive or private candidate are lost; those
// of the shared candidate stay for whoever edits next.
func (c *Candidate) Close() error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.closed = true
	delete(c.s.open, c)
	return nil
}

// working is the content that c edits; s.mu is held.
func (c *Candidate) working() *working {
	if c.own != nil {
		return c.own
	}
	return c.s.shared
}

// editable says what keeps c from being changed; s.mu is held.
func (c *Candidate) editable() error {
	if c.closed || c.s.closed {
		return ErrClosed
	}
	return c.s.locked(c)
}

// Tree returns the candidate as it is now, for showing and completion. It may not be changed, and
// does not follow later edits.
func (c *Candidate) Tree() *tree.Tree {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.working().tree
}

// Changed says whether the candidate has uncommitted changes.
func (c *Candidate) Changed() bool {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.working().changed()
}

// Compare shows how the candidate differs from rollback n at the edit level at; it is empty when
// they are equal.
func (c *Candidate) Compare(n int, at []string) (string, error) {
	old := c.s.ActiveTree()
	if n != 0 {
		var err error
		if old, err = c.s.Rollback(n); err != nil {
			return "", err
		}
	}
	return tree.Compare(old, c.Tree(), at), nil
}

// Run executes one edit statement (set, delete, insert, …) at the edit level at. When it fails the
// candidate is as it was.
func (c *Candidate) Run(at []string, statement string) error {
	_, err := c.change(edit{kind: editRun, level: at, statement: statement})
	return err
}

// Load reads a text into the candidate at the edit level at, and returns all problems of the text.
// When there are any, nothing of it is taken, except with tree.LoadSetLines.
func (c *Candidate) Load(mode tree.LoadMode, at []string, text string) []schema.Problem {
	problems, err := c.change(edit{kind: loadKinds[mode], level: at, statement: text})
	if err != nil {
		problems = append(problems, schema.Errorf("", "%v", err))
	}
	return problems
}

// Rollback makes the candidate equal to rollback n; rollback 0 discards all changes.
func (c *Candidate) Rollback(n int) error {
	old, err := c.s.Rollback(n)
	if err != nil {
		return err
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if err := c.editable(); err != nil {
		return err
	}
	active := c.s.active.Load()
	next := &working{tree: old, base: active.tree, baseID: active.revision.ID}
	if n == 0 {
		next.tree = active.tree
	}
	if c.own != nil {
		c.own = next
		return nil
	}
	return c.s.replaceShared(next, &c.editor.Who)
}

// Update brings what was committed since the candidate was opened into it. Where both changed the
// same statement it fails with a [ConflictError], and the candidate is as it was.
func (c *Candidate) Update() error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if err := c.editable(); err != nil {
		return err
	}
	next, err := c.working().rebase(c.s.active.Load())
	if err != nil || next == c.working() {
		return err
	}
	if c.own != nil {
		c.own = next
		return nil
	}
	return c.s.replaceShared(next, nil)
}

// change applies e to a copy of the candidate, which takes its place when it is stored.
func (c *Candidate) change(e edit) ([]schema.Problem, error) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if err := c.editable(); err != nil {
		return nil, err
	}
	e.time, e.who = time.Now(), c.editor.Who
	w := c.working()
	next := &working{tree: w.tree.Clone(), base: w.base, baseID: w.baseID}
	problems, err := e.apply(next.tree)
	if err != nil || next.tree.Equal(w.tree) {
		return problems, err
	}
	if c.own != nil {
		c.own = next
		return problems, nil
	}
	return problems, c.s.saveEdit(next, e)
}
