package tree

import (
	"slices"

	"sluice/store/schema"
)

// LoadMode says how a text changes the tree.
type LoadMode int

// The ways of loading a text.
const (
	LoadSet      LoadMode = iota // edit statements, a line each; none is executed when one is wrong
	LoadSetLines                 // edit statements, a line each; those that are right are executed
	LoadMerge                    // curly form, added to what is there
	LoadOverride                 // curly form, in place of everything at the level
	LoadReplace                  // curly form; statements tagged replace: take the place of what is there
)

// Load changes the tree at the level at by text. All problems are returned, each with its line;
// when there are any the tree is unchanged, but for LoadSetLines.
func (t *Tree) Load(mode LoadMode, at []string, text string) []schema.Problem {
	work := t.Clone()
	var problems []schema.Problem
	switch mode {
	case LoadSet, LoadSetLines:
		problems = work.loadLines(at, text)
	default:
		problems = work.loadCurly(mode, at, text)
	}
	if len(problems) == 0 || mode == LoadSetLines {
		t.root = work.root
	}
	return problems
}

// loadLines executes the edit statements of text, a line each.
func (t *Tree) loadLines(at []string, text string) []schema.Problem {
	var problems []schema.Problem
	l := &lexer{text: text, lines: true}
	for end := false; !end; {
		var words []token
		var bad *fault
		var lineEnd int
		for {
			tok, wrong := l.next()
			if wrong != nil {
				if bad == nil {
					bad = wrong
				}
				continue
			}
			end, lineEnd = tok.kind == endOfText, tok.offset
			if end || tok.kind == newline {
				break
			}
			if tok.kind != commentToken {
				words = append(words, tok)
			}
		}
		var err error
		switch {
		case bad != nil:
			err = located(text, bad)
		case len(words) > 0:
			err = t.run(at, text[:lineEnd], words)
		}
		if err != nil {
			line, _ := position(text, lineEnd)
			problems = append(problems, atLine(line, err))
		}
	}
	return problems
}

// loadCurly merges the statements of text at the level at.
func (t *Tree) loadCurly(mode LoadMode, at []string, text string) []schema.Problem {
	e := &edit{tree: t, text: "", at: tokensOf(at)}
	w, err := e.walk(nil, false)
	if err == nil {
		err = e.protectedOn(w.steps)
	}
	if err != nil {
		return []schema.Problem{{Message: err.Error()}}
	}
	made := append([]*statement{t.root}, apply(t.root, w.steps)...)
	base := made[len(made)-1]
	source := &statement{grammar: base.grammar, holder: base.holder}
	p := &parser{lexer: lexer{text: text}}
	p.top(source, w.inside, w.group)
	if problems := p.problems(); len(problems) > 0 {
		return problems
	}
	if mode == LoadOverride {
		if s, above := base.guarded(base); s != nil {
			return []schema.Problem{{Message: protectedError(s, above).Error()}}
		}
		base.children, base.index = nil, nil
	}
	if err := base.merge(source, mode == LoadReplace); err != nil {
		return []schema.Problem{{Message: err.Error()}}
	}
	for i := len(made) - 1; i > 0 && made[i].prunable(); i-- {
		made[i-1].remove(made[i])
	}
	return nil
}

// merge adds the statements of o to s; with replacing, those tagged so take the place of what is there.
func (s *statement) merge(o *statement, replacing bool) error {
	for _, c := range o.children {
		mine := s.find(c.grammar, c.args, c.holder)
		if mine != nil && mine.protected {
			return protectedError(mine, s)
		}
		if mine != nil && replacing && c.replace {
			if p, above := mine.guarded(s); p != nil {
				return protectedError(p, above)
			}
			at := s.remove(mine)
			s.insertAt(at, c.untagged())
			continue
		}
		if mine == nil {
			if err := s.mayDisplace(c.grammar); err != nil {
				return err
			}
			s.displace(c.grammar)
			s.insert(c.untagged())
			continue
		}
		if c.grammar != nil && c.grammar.Kind == schema.Leaf {
			mine.args = c.args
		}
		mine.take(&statement{inactive: c.inactive, protected: c.protected, comment: c.comment})
		if err := mine.merge(c, replacing); err != nil {
			return err
		}
	}
	return nil
}

// mayDisplace refuses a statement of node that would displace something protected.
func (s *statement) mayDisplace(node *schema.Node) error {
	if node == nil || node.Choice == "" {
		return nil
	}
	i := slices.IndexFunc(s.children, func(c *statement) bool {
		return c.grammar != nil && c.grammar != node && c.grammar.Choice == node.Choice
	})
	if i < 0 {
		return nil
	}
	if p, above := s.children[i].guarded(s); p != nil {
		return protectedError(p, above)
	}
	return nil
}

// untagged is s without the tags of the text it came from.
func (s *statement) untagged() *statement {
	s.replace = false
	for _, c := range s.children {
		c.untagged()
	}
	return s
}
