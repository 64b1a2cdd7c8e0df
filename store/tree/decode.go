package tree

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"sluice/store/schema"
)

// Decode is the configuration that holds, with every default filled in, and all that is wrong
// with it: unknown statements, values that their tags refuse, references to nothing, and
// mandatory statements that are missing. What is wrong is left out of the configuration. Warnings
// about statements without effect follow.
func (t *Tree) Decode() (*schema.Config, []schema.Problem) {
	root, problems := t.effective()
	d := &decoder{root: root, problems: problems, names: map[*schema.Ref]map[string]bool{}}
	cfg := &schema.Config{}
	v := reflect.ValueOf(cfg).Elem()
	root.grammar.SetDefaults(v)
	d.path = chain{root}
	d.container(root, v)
	return cfg, append(d.problems, d.warnings...)
}

// manyHints is the number of problems for which the nearest names are looked for.
const manyHints = 50

// decoder fills structs from statements.
type decoder struct {
	root     *statement
	path     chain // from the root to the statement being decoded
	names    map[*schema.Ref]map[string]bool
	problems []schema.Problem
	warnings []schema.Problem
}

// problem notes what is wrong with the statement s, which stands in the last of the path.
func (d *decoder) problem(s *statement, message, hint string) {
	d.problems = append(d.problems, schema.Problem{Path: d.pathOf(s), Message: message, Hint: hint})
}

// pathOf is the path of s, which stands in the last of the path; of that itself when s is nil.
func (d *decoder) pathOf(s *statement) string {
	path := d.path
	if s != nil {
		path = append(path[:len(path):len(path)], s)
	}
	return path.path()
}

// inert warns of the statement s if it has no effect.
func (d *decoder) inert(s *statement) {
	if n := s.grammar; n.Inert {
		d.warnings = append(d.warnings, schema.Problem{Path: d.pathOf(s), Message: n.Keyword + " has no effect in this version", Warning: true})
	}
}

// refused notes that the tags refuse a value of s.
func (d *decoder) refused(s *statement, err error) {
	if p, ok := errors.AsType[schema.Problem](err); ok {
		d.problem(s, p.Message, p.Hint)
		return
	}
	d.problem(s, err.Error(), "")
}

// container fills the struct v from what s, the last of the path, holds.
func (d *decoder) container(s *statement, v reflect.Value) {
	for i := 0; i < len(s.children); {
		c := s.children[i]
		if !c.entry() {
			d.statement(c, v)
			i++
			continue
		}
		end := i + 1
		for end < len(s.children) && s.children[end].grammar == c.grammar {
			end++
		}
		d.entries(s.children[i:end], c.grammar.Field(v))
		i = end
	}
	for _, m := range s.grammar.Required() {
		if s.find(m, nil, m.Kind == schema.LeafList || m.Grouped) == nil {
			d.problem(nil, m.Keyword+" is missing", "expected "+m.Help)
		}
	}
}

// statement fills the field of the struct v that s, no list entry, describes.
func (d *decoder) statement(s *statement, v reflect.Value) {
	n := s.grammar
	if n == nil {
		d.unknown(s)
		return
	}
	if n.Kind != schema.List { // those of a list are its entries
		d.inert(s)
	}
	field := n.Field(v)
	switch {
	case n.Kind == schema.Flag:
		field.SetBool(true)
	case n.Kind == schema.Leaf:
		if err := n.Set(field, s.args[0]); err != nil {
			d.refused(s, err)
			return
		}
		d.reference(n, s.args[0], s)
	case n.Kind == schema.LeafList:
		d.members(s, field)
	case s.holder:
		d.path = append(d.path, s)
		d.entries(s.children, field)
		d.path = d.path[:len(d.path)-1]
	case n.Kind == schema.Presence:
		field.Set(reflect.New(field.Type().Elem()))
		n.SetDefaults(field.Elem())
		d.within(s, field.Elem())
	default:
		d.within(s, field)
	}
}

// within fills v from what s holds.
func (d *decoder) within(s *statement, v reflect.Value) {
	d.path = append(d.path, s)
	d.container(s, v)
	d.path = d.path[:len(d.path)-1]
}

// members fills the slice field from a leaf-list.
func (d *decoder) members(s *statement, field reflect.Value) {
	list := reflect.MakeSlice(field.Type(), len(s.children), len(s.children))
	good := 0
	for _, m := range s.children {
		if err := s.grammar.Set(list.Index(good), m.args[0]); err != nil {
			d.refused(s, err)
			continue
		}
		d.reference(s.grammar, m.args[0], s)
		good++
	}
	field.Set(list.Slice(0, good))
}

// entries fills the slice field from list entries.
func (d *decoder) entries(entries []*statement, field reflect.Value) {
	list := reflect.MakeSlice(field.Type(), len(entries), len(entries))
	good := 0
	for _, s := range entries {
		if !s.entry() {
			d.statement(s, reflect.Value{})
			continue
		}
		d.inert(s)
		v := list.Index(good)
		v.SetZero()
		if d.keys(s, v) {
			s.grammar.SetDefaults(v)
			d.within(s, v)
			good++
		}
	}
	field.Set(list.Slice(0, good))
}

// keys fills the key fields of v.
func (d *decoder) keys(s *statement, v reflect.Value) bool {
	good := true
	for i, k := range s.grammar.Keys {
		if err := k.Set(k.Field(v), s.args[i]); err != nil {
			d.refused(s, err)
			good = false
			continue
		}
		d.reference(k, s.args[i], s)
	}
	return good
}

// unknown notes a statement that this version does not have.
func (d *decoder) unknown(s *statement) {
	known, hint := d.path[len(d.path)-1].grammar, ""
	if known != nil && len(d.problems) < manyHints {
		hint = schema.DidYouMean(s.args[0], known.Keywords())
	}
	d.problem(s, fmt.Sprintf("%q is not a statement of this version", strings.Join(s.args, " ")), hint)
}

// predefined begins the names that engines know without a statement.
const predefined = "junos-"

// reference notes when text, a value of n in s, names nothing that exists.
func (d *decoder) reference(n *schema.Node, text string, s *statement) {
	if len(n.Refs) == 0 || n.OpenRef || strings.HasPrefix(text, predefined) || slices.Contains(n.Literals, text) {
		return
	}
	var lists, known []string
	for _, r := range n.Refs {
		names := d.named(r)
		if names[text] {
			return
		}
		lists = append(lists, r.Path)
	}
	hint := "define it under " + strings.Join(lists, " or ")
	if len(d.problems) < manyHints {
		for _, r := range n.Refs {
			for name := range d.named(r) {
				known = append(known, name)
			}
		}
		if near := schema.DidYouMean(text, known); near != "" {
			hint = near
		}
	}
	last := n.Refs[0].Steps[len(n.Refs[0].Steps)-1]
	d.problem(s, fmt.Sprintf("%s %q is not defined", last.Keyword, text), hint)
}

// named is the names that the list r has.
func (d *decoder) named(r *schema.Ref) map[string]bool {
	names, known := d.names[r]
	if !known {
		names = map[string]bool{}
		for _, name := range d.root.names(r) {
			names[name] = true
		}
		d.names[r] = names
	}
	return names
}

// names lists the first keys of the list r below the root s, in order.
func (s *statement) names(r *schema.Ref) []string {
	found := []*statement{s}
	for _, node := range r.Steps {
		var next []*statement
		for _, f := range found {
			for _, c := range f.children {
				switch {
				case c.grammar != node:
				case c.holder:
					next = append(next, c.children...)
				default:
					next = append(next, c)
				}
			}
		}
		found = next
	}
	var names []string
	for _, f := range found {
		if f.entry() {
			names = append(names, f.args[0])
		}
	}
	return names
}
