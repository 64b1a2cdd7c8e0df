// Package tree keeps a configuration as an ordered tree of statements, which can be edited, shown,
// compared and merged without knowing any particular statement, and decodes it into schema.Config.
//
// A tree holds text: words as they are typed, the order in which list entries stand, comments, and
// whether a statement is inactive or protected. Package schema's grammar gives each statement its
// kind; a statement that it does not know, from a newer version, is kept as it was written.
package tree

import (
	"slices"
	"sort"
	"strings"

	"sluice/store/schema"
)

// Tree is one configuration. It may be read by several goroutines at once, but not while it is edited.
type Tree struct{ root *statement }

// statement is one statement and what it holds.
//
// A leaf-list, and a list whose keyword is shown once around its entries, is a holder whose
// children are its members. Other list entries stand among their parent's children.
type statement struct {
	grammar   *schema.Node // nil when this version does not know it
	args      []string     // keys of a list entry, value of a leaf or member; the whole words of an unknown statement, as written
	holder    bool         // holds the members of a leaf-list or grouped list
	inactive  bool
	protected bool
	replace   bool   // tagged replace: in a text being loaded
	comment   string // lines without surrounding space
	group     string // the group it was inherited from, in an expanded tree
	children  []*statement
	index     map[string]*statement // of the children, once they are many
}

// manyChildren is the number of children from which they are found by a map.
const manyChildren = 16

// New is an empty tree.
func New() *Tree { return &Tree{root: &statement{grammar: schema.Root()}} }

// Clone is a tree of its own with the same statements.
func (t *Tree) Clone() *Tree { return &Tree{root: t.root.clone()} }

// Equal says whether both trees hold the same statements in the same order, with the same comments and marks.
func (t *Tree) Equal(o *Tree) bool { return t.root.equal(o.root) }

// Empty says whether the tree holds no statement.
func (t *Tree) Empty() bool { return len(t.root.children) == 0 }

func (s *statement) clone() *statement {
	c := *s
	c.index = nil
	c.children = make([]*statement, len(s.children))
	for i, child := range s.children {
		c.children[i] = child.clone()
	}
	if s.index != nil {
		c.reindex()
	}
	return &c
}

func (s *statement) equal(o *statement) bool {
	return s.grammar == o.grammar && s.holder == o.holder && s.inactive == o.inactive && s.protected == o.protected &&
		s.comment == o.comment && slices.Equal(s.args, o.args) && slices.EqualFunc(s.children, o.children, (*statement).equal)
}

// is says whether s is what node, args and holder identify among siblings. A leaf is told by its
// node alone, whatever its value.
func (s *statement) is(node *schema.Node, args []string, holder bool) bool {
	if s.grammar != node || s.holder != holder {
		return false
	}
	return node != nil && node.Kind == schema.Leaf || slices.Equal(s.args, args)
}

// key identifies s among its siblings in the index.
func (s *statement) key() string { return indexKey(s.grammar, s.args, s.holder) }

func indexKey(node *schema.Node, args []string, holder bool) string {
	switch {
	case node == nil:
		return "?" + strings.Join(args, "\x00")
	case holder || node.Kind == schema.Leaf:
		return node.Keyword
	default:
		return node.Keyword + "\x00" + strings.Join(args, "\x00")
	}
}

// find is the child that node, args and holder identify, or nil.
func (s *statement) find(node *schema.Node, args []string, holder bool) *statement {
	if s.index != nil {
		return s.index[indexKey(node, args, holder)]
	}
	for _, c := range s.children {
		if c.is(node, args, holder) {
			return c
		}
	}
	return nil
}

// order is the place of s among its siblings: that of its keyword, members of a holder and
// unknown statements last.
func (s *statement) order(parent *statement) int {
	if s.grammar == nil || s.grammar == parent.grammar {
		return 1 << 30
	}
	return s.grammar.Order
}

// insert adds c behind the children of its keyword, which keeps the order of the grammar.
func (s *statement) insert(c *statement) {
	order, at := c.order(s), len(s.children)
	if at > 0 && s.children[at-1].order(s) > order {
		at = sort.Search(at, func(i int) bool { return s.children[i].order(s) > order })
	}
	s.insertAt(at, c)
}

func (s *statement) insertAt(at int, c *statement) {
	s.children = slices.Insert(s.children, at, c)
	if s.index != nil {
		s.index[c.key()] = c
	} else if len(s.children) > manyChildren {
		s.reindex()
	}
}

func (s *statement) reindex() {
	s.index = make(map[string]*statement, 2*len(s.children))
	for _, c := range s.children {
		s.index[c.key()] = c
	}
}

// remove takes c out and returns where it stood.
func (s *statement) remove(c *statement) int {
	at := slices.Index(s.children, c)
	s.children = slices.Delete(s.children, at, at+1)
	delete(s.index, c.key())
	return at
}

// displace removes the siblings that a statement of node excludes.
func (s *statement) displace(node *schema.Node) {
	if node == nil || node.Choice == "" || s.grammar == node {
		return
	}
	for _, c := range slices.Clone(s.children) {
		if c.grammar != nil && c.grammar != node && c.grammar.Choice == node.Choice {
			s.remove(c)
		}
	}
}

// prunable says whether s means nothing when it is empty: a leaf-list that lost its last value, or
// a plain container or holder without marks.
func (s *statement) prunable() bool {
	if len(s.children) == 0 && s.holder && s.grammar.Kind == schema.LeafList {
		return true
	}
	return len(s.children) == 0 && !s.inactive && !s.protected && s.comment == "" && s.grammar != nil &&
		(s.holder || s.grammar.Kind == schema.Container)
}

// entry says whether s is an entry of a list.
func (s *statement) entry() bool {
	return s.grammar != nil && s.grammar.Kind == schema.List && !s.holder
}

// member says whether s is one value of a leaf-list.
func (s *statement) member() bool {
	return s.grammar != nil && s.grammar.Kind == schema.LeafList && !s.holder
}

// words is s as it is typed below parent, without what it holds.
func (s *statement) words(parent *statement) []string { return s.appendWords(nil, parent) }

// appendWords appends the words of s to out.
func (s *statement) appendWords(out []string, parent *statement) []string {
	if s.grammar == nil {
		return append(out, s.args...)
	}
	within := parent != nil && parent.holder && parent.grammar == s.grammar
	if !within && !s.grammar.IsValue {
		out = append(out, s.grammar.Keyword)
	}
	for i, a := range s.args {
		if i > 0 && s.grammar.Kind == schema.List {
			out = append(out, s.grammar.Keys[i].Keyword)
		}
		q := Quote(a)
		if i == 0 && s.grammar.IsValue && parent != nil && q == a && parent.grammar.Child(a) != nil {
			q = enquote(a)
		}
		out = append(out, q)
	}
	return out
}
