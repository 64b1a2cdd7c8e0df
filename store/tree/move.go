package tree

import (
	"fmt"
	"slices"

	"sluice/store/schema"
)

// split cuts the statement at the first of separators before which the words name one list entry
// or member, and finds that.
func (e *edit) split(separators ...string) (p *place, separator token, rest []token, err error) {
	for i, t := range e.words {
		if t.kind != wordToken || t.quoted || i == 0 || !slices.Contains(separators, t.text) {
			continue
		}
		w, bad := e.walk(e.words[:i], true)
		if bad != nil {
			err = bad
			continue
		}
		last := w.steps[len(w.steps)-1]
		if last.open || last.holder || last.node.Kind != schema.List && last.node.Kind != schema.LeafList {
			err = located(e.text, &fault{offset: t.offset, message: "only an entry of a list can be named here"})
			continue
		}
		p, err = e.locateSteps(w.steps)
		return p, t, e.words[i+1:], err
	}
	if err == nil {
		err = located(e.text, &fault{offset: e.end(), message: "the statement is not complete", expected: separators})
	}
	return nil, token{}, nil, err
}

// sibling reads words as the name of an entry beside the one that p names, with or without the keyword.
func (e *edit) sibling(p *place, words []token) (step, error) {
	if len(words) == 0 {
		return step{}, located(e.text, &fault{offset: e.end(), message: "a name is missing", expected: []string{placeholder(p.last.node)}})
	}
	node, parent := p.last.node, p.parent()
	group := slices.ContainsFunc(p.above, func(s *statement) bool { return s.grammar.Any })
	words = slices.Concat([]token{{text: node.Keyword, offset: -1}}, dropKeyword(node, words))
	if parent.holder {
		parent = p.above[len(p.above)-2]
	}
	w := &walker{path: true, abbreviate: true}
	w.begin(parent.grammar, false, group)
	for _, t := range words {
		if f := w.feed(t); f != nil {
			return step{}, located(e.text, f)
		}
	}
	if f := w.finish(e.end()); f != nil {
		return step{}, located(e.text, f)
	}
	last := w.steps[len(w.steps)-1]
	if last.node != node || last.open || last.holder {
		return step{}, located(e.text, &fault{offset: words[1].offset, message: "this does not name an entry of the same list", expected: []string{placeholder(node)}})
	}
	return last, nil
}

// dropKeyword is words without the keyword of node, when they begin with it and a name follows.
func dropKeyword(node *schema.Node, words []token) []token {
	if len(words) > 1 && !words[0].quoted && (words[0].text == node.Keyword || slices.Contains(node.Aliases, words[0].text)) {
		return words[1:]
	}
	return words
}

// placeholder stands for the name of an entry, or a member.
func placeholder(n *schema.Node) string {
	if n.Kind == schema.List {
		return n.Keys[0].Placeholder()
	}
	return n.Placeholder()
}

// insert moves an entry before or after another of its list.
func (e *edit) insert() error {
	p, separator, rest, err := e.split("before", "after")
	if err != nil {
		return err
	}
	beside, err := e.sibling(p, rest)
	if err != nil {
		return err
	}
	parent := p.parent()
	other := parent.find(beside.node, beside.args, false)
	if other == nil {
		return e.notFound(beside)
	}
	if err := p.protectedAt(false); err != nil {
		return err
	}
	if other == p.targets[0] {
		return nil
	}
	parent.remove(p.targets[0])
	at := slices.Index(parent.children, other)
	if separator.text == "after" {
		at++
	}
	parent.insertAt(at, p.targets[0])
	return nil
}

// rename gives an entry another name, in its place.
func (e *edit) rename() error {
	p, to, err := e.renaming()
	if err != nil {
		return err
	}
	if err := p.protectedAt(true); err != nil {
		return err
	}
	at := p.parent().remove(p.targets[0])
	p.targets[0].args = to.args
	p.parent().insertAt(at, p.targets[0])
	return nil
}

// copy makes another entry with all that one holds, behind the last of its list.
func (e *edit) copy() error {
	p, to, err := e.renaming()
	if err != nil {
		return err
	}
	for i, s := range p.above[1:] {
		if s.protected {
			return protectedError(s, p.above[i])
		}
	}
	c := p.targets[0].clone()
	c.args, c.protected = to.args, false
	p.parent().insert(c)
	return nil
}

// renaming reads … to NAME, where NAME must be free.
func (e *edit) renaming() (*place, step, error) {
	p, _, rest, err := e.split("to")
	if err != nil {
		return nil, step{}, err
	}
	to, err := e.sibling(p, rest)
	if err != nil {
		return nil, step{}, err
	}
	if p.parent().find(to.node, to.args, false) != nil {
		return nil, step{}, located(e.text, &fault{offset: to.offset, message: fmt.Sprintf("%s exists already", to.args)})
	}
	return p, to, nil
}
