package tree

import (
	"fmt"
	"slices"
	"strings"

	"sluice/store/schema"
)

// set makes the statements exist that the words name.
func (e *edit) set() error {
	if len(e.words) == 0 {
		return located(e.text, &fault{offset: e.end(), message: "set needs a statement"})
	}
	w, err := e.walk(e.words, false)
	if err != nil {
		return err
	}
	if err := e.protectedOn(w.steps); err != nil {
		return err
	}
	apply(e.tree.root, w.steps)
	return nil
}

// apply makes the statements of steps exist below base, and returns them.
func apply(base *statement, steps []step) []*statement {
	made := make([]*statement, len(steps))
	for i := range steps {
		st, parent := &steps[i], base
		if st.parent >= 0 {
			parent = made[st.parent]
		}
		s := parent.find(st.node, st.args, st.holder)
		if s == nil {
			parent.displace(st.node)
			s = &statement{grammar: st.node, args: st.args, holder: st.holder}
			parent.insert(s)
		} else if st.node.Kind == schema.Leaf {
			s.args = st.args
		}
		s.inactive = s.inactive || st.inactive
		made[i] = s
	}
	return made
}

// protectedOn refuses steps that pass through, or would displace, something protected.
func (e *edit) protectedOn(steps []step) error {
	found := make([]*statement, len(steps))
	for i, st := range steps {
		parent := e.tree.root
		if st.parent >= 0 {
			parent = found[st.parent]
		}
		if parent == nil {
			continue
		}
		found[i] = parent.find(st.node, st.args, st.holder)
		if found[i] != nil && found[i].protected {
			return protectedError(found[i], parent)
		}
		if found[i] != nil || st.node.Choice == "" {
			continue
		}
		for _, c := range parent.children {
			if c.grammar != nil && c.grammar != st.node && c.grammar.Choice == st.node.Choice {
				if p, above := c.guarded(parent); p != nil {
					return protectedError(p, above)
				}
			}
		}
	}
	return nil
}

// guarded is the first protected statement among s and what it holds, and its parent.
func (s *statement) guarded(parent *statement) (*statement, *statement) {
	if s.protected {
		return s, parent
	}
	for _, c := range s.children {
		if p, above := c.guarded(s); p != nil {
			return p, above
		}
	}
	return nil, nil
}

func protectedError(s, parent *statement) error {
	return &StatementError{Message: fmt.Sprintf("%q is protected", strings.Join(s.words(parent), " ")), Hint: "unprotect it first"}
}

// place is where the words of a path lead: the statements they name, which share one parent, and
// the statements above them from the root on.
type place struct {
	above   []*statement
	targets []*statement
	last    step
}

// parent is the statement that holds the targets, nil for the root itself.
func (p *place) parent() *statement {
	if len(p.above) == 0 {
		return nil
	}
	return p.above[len(p.above)-1]
}

// locate finds what words name, with ErrNotFound where it is not there.
func (e *edit) locate(words []token) (*place, error) {
	w, err := e.walk(words, true)
	if err != nil {
		return nil, err
	}
	return e.locateSteps(w.steps)
}

func (e *edit) locateSteps(steps []step) (*place, error) {
	p := &place{targets: []*statement{e.tree.root}}
	level := -1
	for i, st := range steps {
		if st.parent == level && i > 0 && len(p.above) > 0 { // a further member of the same list
			c := p.parent().find(st.node, st.args, st.holder)
			if c == nil {
				return nil, e.notFound(st)
			}
			p.targets = append(p.targets, c)
			continue
		}
		parent := p.targets[len(p.targets)-1]
		p.above, p.targets, p.last = append(p.above, parent), nil, st
		level = st.parent
		if st.open && st.node.Kind == schema.List {
			for _, c := range parent.children {
				if c.grammar == st.node {
					p.targets = append(p.targets, c)
				}
			}
		} else if c := parent.find(st.node, st.args, st.holder); c != nil && (st.open || slices.Equal(c.args, st.args)) {
			p.targets = append(p.targets, c)
		}
		if len(p.targets) == 0 {
			return nil, e.notFound(st)
		}
	}
	return p, nil
}

func (e *edit) notFound(st step) error {
	err := &StatementError{Message: ErrNotFound.Error(), cause: ErrNotFound}
	if st.offset >= 0 {
		_, err.Column = position(e.text, st.offset)
	}
	return err
}

// protectedAt refuses a change of the targets when they, or something above or in them, are protected.
func (p *place) protectedAt(within bool) error {
	for i := 1; i < len(p.above); i++ {
		if p.above[i].protected {
			return protectedError(p.above[i], p.above[i-1])
		}
	}
	for _, t := range p.targets {
		if t.protected {
			return protectedError(t, p.parent())
		}
		if within {
			if s, above := t.guarded(p.parent()); s != nil {
				return protectedError(s, above)
			}
		}
	}
	return nil
}

// delete removes what the words name, or everything at the edit level.
func (e *edit) delete() error {
	p, err := e.locate(e.words)
	if err != nil {
		return err
	}
	if err := p.protectedAt(true); err != nil {
		return err
	}
	p.remove()
	return nil
}

// remove takes the targets out, and what above them thereby means nothing any more.
func (p *place) remove() {
	parent := p.parent()
	if parent == nil {
		root := p.targets[0]
		root.children, root.index = nil, nil
		return
	}
	if len(p.targets) == len(parent.children) {
		parent.children, parent.index = nil, nil
	}
	for _, t := range p.targets {
		if len(parent.children) > 0 {
			parent.remove(t)
		}
	}
	for i := len(p.above) - 1; i > 0 && p.above[i].prunable(); i-- {
		p.above[i-1].remove(p.above[i])
	}
}

// mark changes a mark of what the words name.
func (e *edit) mark(change func(*statement)) error {
	if len(e.words) == 0 {
		return located(e.text, &fault{offset: e.end(), message: "which statement?"})
	}
	p, err := e.locate(e.words)
	if err != nil {
		return err
	}
	if p.last.open && p.last.node.Kind == schema.List {
		return located(e.text, &fault{offset: e.end(), message: p.last.node.Keyword + " needs a name", expected: []string{p.last.node.Keys[0].Placeholder()}})
	}
	if err := p.protectedAt(false); err != nil {
		return err
	}
	for _, t := range p.targets {
		change(t)
	}
	return nil
}

// guard protects what the words name against changes, or ends that.
func (e *edit) guard(on bool) error {
	p, err := e.locate(e.words)
	if err != nil {
		return err
	}
	if p.parent() == nil {
		return &StatementError{Message: "which statement?"}
	}
	if p.targets[0].member() {
		return e.onlyWhole(p, "protected")
	}
	for _, t := range p.targets {
		t.protected = on
	}
	return nil
}

// annotate gives what the words name a comment; an empty one takes it away.
func (e *edit) annotate() error {
	if len(e.words) < 2 || e.words[len(e.words)-1].kind != wordToken {
		return located(e.text, &fault{offset: e.end(), message: "annotate needs a statement and a text", expected: []string{`"text"`}})
	}
	last := e.words[len(e.words)-1]
	e.words = e.words[:len(e.words)-1]
	if strings.Contains(last.text, "*/") {
		return located(e.text, &fault{offset: last.offset, message: "a comment cannot contain */"})
	}
	p, err := e.locate(e.words)
	if err != nil {
		return err
	}
	if p.targets[0].member() {
		return e.onlyWhole(p, "annotated")
	}
	return e.mark(func(s *statement) { s.comment = tidyComment(last.text) })
}

// onlyWhole refuses something for one value of a leaf-list.
func (e *edit) onlyWhole(p *place, done string) error {
	return located(e.text, &fault{offset: p.last.offset, message: "a single value cannot be " + done, hint: "only its whole statement"})
}

// tidyComment is a comment without blanks around its lines and empty lines around it.
func tidyComment(text string) string {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimSpace(l)
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}
