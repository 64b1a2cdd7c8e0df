package tree

import (
	"fmt"
	"slices"
	"strings"

	"sluice/store/schema"
)

// Expand is what holds: configuration groups copied to where apply-groups names them, and
// inactive parts left out.
//
// A group applied at a level adds what its body says about that level. What a level says itself
// wins over any group, an inner apply-groups over an outer one, and an earlier group over a later
// one; leaf-lists are taken whole. A wildcard name in a group adds to the entries that it matches
// and makes none. apply-groups-except keeps a group that is applied further out away from a level.
func (t *Tree) Expand() (*Tree, []schema.Problem) {
	root, problems := t.effective()
	if root == t.root {
		root = root.clone()
	}
	return &Tree{root: root}, problems
}

// ShowInheritance is the curly form of what holds at the edit level at, with a remark above every
// statement that was inherited from a group.
func (t *Tree) ShowInheritance(at []string) (string, error) {
	expanded, _ := t.Expand()
	c, err := expanded.level(at)
	if err != nil || c == nil {
		return "", err
	}
	out := curly{inherited: true}
	out.block(c[len(c)-1], 0)
	return out.String(), nil
}

// effective is the root of what holds: the tree's own where nothing is inactive or inherited.
func (t *Tree) effective() (*statement, []schema.Problem) {
	if t.root.settled() {
		return t.root, nil
	}
	root := t.root.active()
	g := &groups{ready: map[string]*statement{}}
	for _, c := range root.children {
		if c.holder && c.grammar.Any {
			g.holder = c
		}
	}
	if g.holder != nil {
		root.remove(g.holder)
	}
	g.apply(chain{root})
	root.strip()
	return root, g.problems
}

// settled says whether s is what holds: nothing in it is inactive or about groups.
func (s *statement) settled() bool {
	if s.inactive || s.grammar != nil && (s.grammar.Inherits || s.grammar.Any) {
		return false
	}
	for _, c := range s.children {
		if !c.settled() {
			return false
		}
	}
	return true
}

// active is a copy of s without its inactive parts.
func (s *statement) active() *statement {
	c := &statement{grammar: s.grammar, args: s.args, holder: s.holder, protected: s.protected, comment: s.comment}
	for _, child := range s.children {
		if child.inactive {
			continue
		}
		a := child.active()
		if a.holder && a.grammar.Kind == schema.LeafList && len(a.children) == 0 {
			continue
		}
		c.children = append(c.children, a)
	}
	if len(c.children) > manyChildren {
		c.reindex()
	}
	return c
}

// strip takes the statements about groups out of s.
func (s *statement) strip() {
	for _, c := range slices.Clone(s.children) {
		if c.grammar != nil && c.grammar.Inherits {
			s.remove(c)
			continue
		}
		c.strip()
	}
}

// groups copies configuration groups into a tree.
type groups struct {
	holder   *statement            // of the groups, nil when there are none
	ready    map[string]*statement // groups with what they inherit themselves; nil while that is worked out
	problems []schema.Problem
}

// apply gives the last statement of c, and what it holds, what they inherit.
func (g *groups) apply(c chain) {
	s := c[len(c)-1]
	for _, child := range slices.Clone(s.children) {
		if child.grammar != nil && child.grammar.Kind <= schema.List {
			g.apply(append(c, child))
		}
	}
	for _, name := range s.inherits("apply-groups") {
		body := g.group(name, c)
		if body == nil {
			continue
		}
		for _, source := range sources(body, c[1:]) {
			s.inherit(source, name)
		}
	}
}

// inherits lists the groups that the statement keyword names in s.
func (s *statement) inherits(keyword string) []string {
	var names []string
	for _, c := range s.children {
		if c.grammar == nil || !c.grammar.Inherits || c.grammar.Keyword != keyword {
			continue
		}
		for _, m := range c.children {
			names = append(names, m.args[0])
		}
	}
	return names
}

// group is the body of the group name, with what it inherits itself; c is where it is applied.
func (g *groups) group(name string, c chain) *statement {
	body, known := g.ready[name]
	if known {
		if body == nil {
			g.problem(c, fmt.Sprintf("group %q inherits from itself", name), "")
		}
		return body
	}
	var names []string
	if g.holder != nil {
		for _, entry := range g.holder.children {
			if !entry.entry() {
				continue
			}
			names = append(names, entry.args[0])
			if entry.args[0] == name {
				g.ready[name] = nil
				g.apply(chain{entry})
				g.ready[name] = entry
				return entry
			}
		}
	}
	g.problem(c, fmt.Sprintf("apply-groups names group %q, which does not exist", name), schema.DidYouMean(name, names))
	return nil
}

func (g *groups) problem(c chain, message, hint string) {
	p := schema.Problem{Path: c.path(), Message: message, Hint: hint}
	if !slices.Contains(g.problems, p) {
		g.problems = append(g.problems, p)
	}
}

// path is the statements below the first as they are typed.
func (c chain) path() string {
	var words []string
	for i := 1; i < len(c); i++ {
		words = append(words, c[i].words(c[i-1])...)
	}
	return strings.Join(words, " ")
}

// sources lists the statements in a group's body that speak about the level path: named ones
// before those with wildcards.
func sources(body *statement, path chain) []*statement {
	found := []*statement{body}
	for _, p := range path {
		var next []*statement
		for _, s := range found {
			if exact := s.find(p.grammar, p.args, p.holder); exact != nil {
				next = append(next, exact)
			}
		}
		for _, s := range found {
			for _, c := range s.children {
				if c.wild() && c.matches(p) {
					next = append(next, c)
				}
			}
		}
		found = next
	}
	return found
}

// wild says whether s is a list entry in a group whose name has wildcards.
func (s *statement) wild() bool { return s.entry() && slices.ContainsFunc(s.args, isWildcard) }

// matches says whether the wildcard entry s stands for o too.
func (s *statement) matches(o *statement) bool {
	if s.grammar != o.grammar || o.holder {
		return false
	}
	for i, a := range s.args {
		if isWildcard(a) && !glob(a[1:len(a)-1], o.args[i]) || !isWildcard(a) && a != o.args[i] {
			return false
		}
	}
	return true
}

// inherit adds to s what source, a statement of the group name, says and s does not.
func (s *statement) inherit(source *statement, name string) {
	if slices.Contains(s.inherits("apply-groups-except"), name) {
		return
	}
	for _, c := range source.children {
		if c.grammar != nil && c.grammar.Inherits || c.wild() {
			continue
		}
		mine := s.find(c.grammar, c.args, c.holder)
		switch {
		case mine != nil && c.grammar != nil && c.grammar.Kind > schema.List:
			continue
		case mine == nil && s.decided(c.grammar):
			continue
		case mine == nil:
			mine = &statement{grammar: c.grammar, args: c.args, holder: c.holder, comment: c.comment, group: name}
			s.insert(mine)
			mine.inherit(c, name)
			if mine.prunable() {
				s.remove(mine)
			}
		default:
			mine.inherit(c, name)
		}
	}
	for _, c := range source.children {
		if !c.wild() {
			continue
		}
		for _, mine := range s.children {
			if mine.entry() && !mine.wild() && c.matches(mine) {
				mine.inherit(c, name)
			}
		}
	}
}

// decided says whether s holds a statement that excludes one of node.
func (s *statement) decided(node *schema.Node) bool {
	return node != nil && node.Choice != "" && slices.ContainsFunc(s.children, func(c *statement) bool {
		return c.grammar != nil && c.grammar != node && c.grammar.Choice == node.Choice
	})
}
