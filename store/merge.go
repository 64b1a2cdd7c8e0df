package store

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"sluice/store/schema"
	"sluice/store/tree"
)

// ConflictError says that the active configuration was changed, since the candidate started from
// it, in the same places as the candidate.
type ConflictError struct {
	Paths  []string // the places, as words from the top
	Active Revision // the revision to agree with
}

// Error lists the places.
func (e *ConflictError) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "the active configuration (%s) was changed in the same places as this candidate; make them agree, or discard the candidate with \"rollback\":", e.Active)
	for _, p := range e.Paths {
		text.WriteString("\n  " + p)
	}
	return text.String()
}

// problems are the places, a problem each.
func (e *ConflictError) problems() []schema.Problem {
	var list []schema.Problem
	for _, p := range e.Paths {
		list = append(list, schema.Problem{Path: p, Message: fmt.Sprintf("also changed by the active configuration (%s)", e.Active),
			Hint: "make them agree, or discard the candidate with \"rollback\""})
	}
	return list
}

// rebase is w moved on to the active configuration: the changes of both since w's base. It is w
// itself when that is still active, and fails with a [ConflictError] where both changed the same.
func (w *working) rebase(active *running) (*working, error) {
	switch {
	case w.baseID == active.revision.ID:
		return w, nil
	case !w.changed():
		return unchanged(active), nil
	}
	merged, conflicts := merge(w.base, active.tree, w.tree)
	if len(conflicts) > 0 {
		return nil, &ConflictError{Paths: conflicts, Active: active.revision}
	}
	return &working{tree: merged, base: active.tree, baseID: active.revision.ID}, nil
}

// merge makes the changes from base to mine in theirs, or lists the places where both changed the
// same statement, one removed what the other changed, or both changed the order.
func merge(base, theirs, mine *tree.Tree) (*tree.Tree, []string) {
	m := merger{}
	result := m.merge(nil, place{node: schema.Root()}, readBlock(base.Text()), readBlock(theirs.Text()), readBlock(mine.Text()))
	merged, problems := tree.Parse(result.text())
	for _, p := range problems {
		if !p.Warning {
			m.conflicts = append(m.conflicts, p.Path)
		}
	}
	// Two values of one leaf, or two of a choice, displace each other: one of them is then missing.
	m.missing(nil, result, readBlock(merged.Text()))
	return merged, m.conflicts
}

// merger collects the conflicts of a merge.
type merger struct{ conflicts []string }

func (m *merger) conflict(path []string) {
	if text := strings.Join(path, " "); !slices.Contains(m.conflicts, text) {
		m.conflicts = append(m.conflicts, text)
	}
}

// merge merges one block that stands at path and that all three have, or that base lacks and the
// others added.
func (m *merger) merge(path []string, in place, base, theirs, mine *block) *block {
	if base == nil {
		base = &block{}
	}
	result := &block{
		head:    theirs.head,
		mark:    m.attribute(path, base.mark, theirs.mark, mine.mark),
		comment: m.attribute(path, base.comment, theirs.comment, mine.comment),
	}
	for _, head := range m.order(path, base, theirs, mine) {
		b, t, o := base.find(head), theirs.find(head), mine.find(head)
		at := append(slices.Clone(path), head)
		below, transparent := in.below(head)
		switch {
		case t != nil && o != nil:
			result.add(m.merge(at, below, b, t, o))
		case b == nil: // one added it
			result.add(cmp.Or(t, o))
		case transparent: // one removed all that was in it, so it is gone as well
			empty := &block{head: head}
			switch rest := m.merge(at, below, b, cmp.Or(t, empty), cmp.Or(o, empty)); {
			case len(rest.children) > 0:
				result.add(rest)
			case rest.mark != "" || rest.comment != "": // which the other has just given it
				m.conflict(at)
			}
		case !b.equal(cmp.Or(t, o)): // one removed it, the other changed it
			m.conflict(at)
		}
	}
	return result
}

// place is where a block stands in the grammar, as far as it is known there.
type place struct {
	node    *schema.Node
	grouped bool // around the entries of the list node
}

// below is the place of the child with the given words, and whether that is a container that is there only because of
// what it holds.
func (p place) below(head string) (child place, transparent bool) {
	if p.node == nil {
		return place{}, false
	}
	if p.grouped {
		return place{node: p.node}, false
	}
	word, _, more := strings.Cut(head, " ")
	node := p.node.Child(word)
	if node == nil {
		return place{}, false
	}
	grouped := node.Kind == schema.List && node.Grouped && !more
	return place{node, grouped}, grouped || node.Kind == schema.Container
}

// attribute merges a mark or a comment.
func (m *merger) attribute(path []string, base, theirs, mine string) string {
	if mine == base || mine == theirs {
		return theirs
	}
	if theirs != base {
		m.conflict(path)
	}
	return mine
}

// order is the order of the children of all three. The side that reordered what was there leads,
// theirs when neither did; what only the other side has follows what it follows there.
func (m *merger) order(path []string, base, theirs, mine *block) []string {
	lead, other, leader, follower := theirs.heads(), mine.heads(), theirs, mine
	common := func(heads []string) []string {
		return slices.DeleteFunc(slices.Clone(heads), func(h string) bool {
			return base.find(h) == nil || theirs.find(h) == nil || mine.find(h) == nil
		})
	}
	before, led, others := common(base.heads()), common(lead), common(other)
	if !slices.Equal(others, before) && !slices.Equal(others, led) {
		if !slices.Equal(led, before) {
			m.conflict(path)
		}
		lead, other, leader, follower = other, lead, mine, theirs
	}
	at := 0
	for _, h := range other {
		if leader.find(h) != nil {
			if i := slices.Index(lead[at:], h); i >= 0 {
				at += i + 1
			} else {
				at = slices.Index(lead, h) + 1
			}
			continue
		}
		// Behind what the leading side added in the same place.
		for at < len(lead) && base.find(lead[at]) == nil && follower.find(lead[at]) == nil {
			at++
		}
		lead = slices.Insert(lead, at, h)
		at++
	}
	return lead
}

// missing reports what is in want and not in have.
func (m *merger) missing(path []string, want, have *block) {
	for _, c := range want.children {
		at := append(slices.Clone(path), c.head)
		if found := have.find(c.head); found == nil {
			m.conflict(at)
		} else {
			m.missing(at, c, found)
		}
	}
}

// block is one statement of a configuration text, told from its siblings by its words alone: the
// merge knows no particular statement.
type block struct {
	head     string // the words
	mark     string // "inactive: " or the like
	comment  string // the lines above it
	children []*block
	index    map[string]*block // of the children, by their words
}

// readBlock reads the canonical text of a tree: a statement, a brace or a comment to a line.
func readBlock(text string) *block {
	root := &block{}
	open := []*block{root}
	comment, within := "", false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		top := open[len(open)-1]
		switch {
		case line == "":
		case within || strings.HasPrefix(line, "/*"):
			comment += line + "\n"
			within = !strings.HasSuffix(line, "*/")
		case line == "}":
			open = open[:len(open)-1]
		default:
			b := &block{comment: comment}
			comment = ""
			b.mark, b.head = splitMark(strings.TrimSpace(line[:len(line)-1]))
			top.add(b)
			if strings.HasSuffix(line, "{") {
				open = append(open, b)
			}
		}
	}
	return root
}

// splitMark parts the marks in front of a statement from its words.
func splitMark(line string) (mark, head string) {
	for {
		word, rest, ok := strings.Cut(line, " ")
		if !ok || word != "inactive:" && word != "protect:" {
			return mark, line
		}
		mark, line = mark+word+" ", rest
	}
}

// text writes the children of b as configuration text.
func (b *block) text() string {
	var out strings.Builder
	for _, c := range b.children {
		out.WriteString(c.comment + c.mark + c.head)
		if len(c.children) > 0 {
			out.WriteString(" {\n" + c.text() + "}\n")
		} else {
			out.WriteString(";\n")
		}
	}
	return out.String()
}

func (b *block) heads() []string {
	heads := make([]string, len(b.children))
	for i, c := range b.children {
		heads[i] = c.head
	}
	return heads
}

func (b *block) add(c *block) {
	if b.index == nil {
		b.index = map[string]*block{}
	}
	b.index[c.head] = c
	b.children = append(b.children, c)
}

// find is the child with the given words, or nil.
func (b *block) find(head string) *block { return b.index[head] }

func (b *block) equal(o *block) bool {
	return b.head == o.head && b.mark == o.mark && b.comment == o.comment &&
		slices.EqualFunc(b.children, o.children, (*block).equal)
}
