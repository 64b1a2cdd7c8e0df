package tree

import (
	"fmt"
	"slices"
	"strings"

	"sluice/store/schema"
)

// Format is a way of writing a configuration.
type Format int

// The forms that display accepts.
const (
	Curly Format = iota
	Set
	JSON
	XML
)

// Text is the canonical curly form. [Parse] of it gives an equal tree.
func (t *Tree) Text() string {
	var c curly
	c.block(t.root, 0)
	return c.String()
}

// Show writes what the edit level at holds: the curly form of its content, or the other forms
// with the path from the top. A level that holds nothing gives "".
func (t *Tree) Show(f Format, at []string) (string, error) {
	chain, err := t.level(at)
	if err != nil || chain == nil {
		return "", err
	}
	switch f {
	case Curly:
		return chain.curly(), nil
	case Set:
		return setText(chain.spine()), nil
	case JSON:
		return jsonText(chain.spine())
	case XML:
		return xmlText(chain.spine()), nil
	}
	return "", fmt.Errorf("format %d is unknown", f)
}

// chain is the statements from the root down to one.
type chain []*statement

// level is the chain of what at names, nil when it is not there.
func (t *Tree) level(at []string) (chain, error) {
	w, err := (&edit{tree: t, at: tokensOf(at)}).walk(nil, true)
	if err != nil {
		return nil, err
	}
	c := chain{t.root}
	for _, st := range w.steps {
		parent := c[len(c)-1]
		next := parent.find(st.node, st.args, st.holder)
		if st.open && st.node.Kind == schema.List {
			next = &statement{grammar: parent.grammar, args: parent.args, holder: parent.holder}
			for _, s := range parent.children {
				if s.grammar == st.node {
					next.children = append(next.children, s)
				}
			}
			return append(c[:len(c)-1], next), nil
		}
		if next == nil {
			return nil, nil
		}
		c = append(c, next)
	}
	return c, nil
}

// curly is the content of the last statement, or the statement itself when it holds none.
func (c chain) curly() string {
	var out curly
	last := c[len(c)-1]
	if len(c) > 1 && (len(last.children) == 0 || last.value()) {
		parent := c[len(c)-2]
		if last.member() {
			last, parent = parent, c[len(c)-3]
		}
		out.statement(last, parent, 0)
		return out.String()
	}
	out.block(last, 0)
	return out.String()
}

// curly writes the curly form.
type curly struct {
	strings.Builder
	inherited bool // say which statements come from groups
	words     []string
}

// block writes the children of s.
func (c *curly) block(s *statement, depth int) {
	for _, child := range s.children {
		c.statement(child, s, depth)
	}
}

// blanks indents up to sixteen levels without building a string.
const blanks = "                                                                "

func (c *curly) indent(depth int) {
	for n := 4 * depth; n > 0; n -= len(blanks) {
		c.WriteString(blanks[:min(n, len(blanks))])
	}
}

// statement writes s, a child of parent, with its comment and marks.
func (c *curly) statement(s, parent *statement, depth int) {
	if s.joined() && !c.inherited {
		for _, child := range s.children {
			c.indent(depth)
			c.head(s, parent)
			c.WriteByte(' ')
			c.rest(child, s, depth)
		}
		return
	}
	c.lead(s, parent, depth)
	c.indent(depth)
	c.marks(s)
	c.rest(s, parent, depth)
}

// rest writes s from its first word on.
func (c *curly) rest(s, parent *statement, depth int) {
	c.head(s, parent)
	switch {
	case s.holder && s.grammar.Kind == schema.LeafList, len(s.children) == 0:
		c.WriteString(";\n")
	case s.inline() && !c.inherited:
		for _, child := range s.children {
			c.WriteByte(' ')
			c.head(child, s)
		}
		c.WriteString(";\n")
	default:
		c.WriteString(" {\n")
		c.block(s, depth+1)
		c.indent(depth)
		c.WriteString("}\n")
	}
}

// lead writes the lines above s: its comment, and where it was inherited from.
func (c *curly) lead(s, parent *statement, depth int) {
	if s.comment != "" {
		c.indent(depth)
		c.WriteString("/* ")
		for i, line := range strings.Split(s.comment, "\n") {
			if i > 0 {
				c.WriteByte('\n')
				c.indent(depth)
				c.WriteString("   ")
			}
			c.WriteString(line)
		}
		c.WriteString(" */\n")
	}
	if c.inherited && s.group != "" {
		words := s.words(parent)
		if s.holder && len(s.children) > 0 && s.grammar.Kind == schema.LeafList {
			words = s.children[0].words(s)
		}
		for _, line := range []string{"##", fmt.Sprintf("## '%s' was inherited from group '%s'", words[len(words)-1], s.group), "##"} {
			c.indent(depth)
			c.WriteString(line)
			c.WriteByte('\n')
		}
	}
}

func (c *curly) marks(s *statement) {
	if s.protected {
		c.WriteString(markProtect + " ")
	}
	if s.inactive {
		c.WriteString(markInactive + " ")
	}
}

// head writes s without what it holds; the values of a leaf-list belong to it.
func (c *curly) head(s, parent *statement) {
	c.words = s.appendWords(c.words[:0], parent)
	for i, w := range c.words {
		if i > 0 {
			c.WriteByte(' ')
		}
		c.WriteString(w)
	}
	if !s.holder || s.grammar.Kind != schema.LeafList {
		return
	}
	if len(s.children) == 1 && !s.children[0].inactive {
		c.WriteByte(' ')
		c.WriteString(Quote(s.children[0].args[0]))
		return
	}
	c.WriteString(" [ ")
	for _, m := range s.children {
		if m.inactive {
			c.WriteString(markInactive + " ")
		}
		c.WriteString(Quote(m.args[0]))
		c.WriteByte(' ')
	}
	c.WriteString("]")
}

// inline says whether s is shown on one line with all that it holds: the grammar says so, or it
// holds no more than the value that needs no keyword.
func (s *statement) inline() bool {
	if s.grammar == nil || s.holder || len(s.children) == 0 {
		return false
	}
	first := s.children[0]
	single := len(s.children) == 1 && first.grammar != nil && (first.grammar.IsValue || s.grammar.Compact)
	return (single || s.grammar.OneLiner) && !slices.ContainsFunc(s.children, func(c *statement) bool {
		return c.marked() || !c.value()
	})
}

// joined says whether the keyword of s is shown before each container that it holds.
func (s *statement) joined() bool {
	return s.grammar != nil && s.grammar.Joined && len(s.children) > 0 && !s.marked() && !slices.ContainsFunc(s.children, func(c *statement) bool {
		return c.marked() || c.grammar == nil || c.value()
	})
}

// marked says whether something is said about s that is shown before it.
func (s *statement) marked() bool { return s.inactive || s.protected || s.comment != "" }

// spine is a root that holds nothing but what leads to the last statement, and that one whole.
func (c chain) spine() *statement {
	s := c[len(c)-1]
	for i := len(c) - 2; i >= 0; i-- {
		s = &statement{grammar: c[i].grammar, args: c[i].args, holder: c[i].holder, children: []*statement{s}}
	}
	return s
}
