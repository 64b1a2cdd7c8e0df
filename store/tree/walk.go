package tree

import (
	"errors"
	"fmt"
	"strings"

	"sluice/store/schema"
)

// step is one statement that a line of words passes through or ends in.
type step struct {
	node     *schema.Node
	args     []string // keys or value
	holder   bool     // the holder of a leaf-list or grouped list
	open     bool     // keys or value were left out, which some commands allow
	inactive bool     // a member marked so inside brackets
	parent   int      // the step it stands in, -1 for where the walk began
	offset   int      // of its first word
}

// walker follows words through the grammar, one token at a time. It knows no tree: its steps say
// which statements the words name, and what it expects next is what completion offers.
type walker struct {
	abbreviate bool // keywords may be shortened as long as they are unique
	lenient    bool // values are taken as they are; they were judged when they were set
	path       bool // the words name one statement; its keys or value may be left out at the end

	container *schema.Node // whose children may come next
	inside    bool         // within the holder of container's entries
	parent    int          // the step of container
	valued    bool         // the container where the walk began has its value that needs no keyword
	group     bool         // within a configuration group, where names may be wildcards

	pending  *schema.Node // the list, leaf or leaf-list whose keys or values come next, or nil
	optional bool         // pending may stay without any (directly in a holder)
	args     []string     // keys of pending read so far
	named    bool         // the keyword of the next key was read
	bracket  bool         // between [ and ]
	values   int          // members read so far
	inactive bool         // the next member is
	offset   int          // of the keyword of pending
	done     bool         // the path has ended in a leaf
	steps    []step
}

// begin sets the walker at a container, or inside the holder of its entries.
func (w *walker) begin(container *schema.Node, inside, group bool) {
	w.container, w.inside, w.group, w.parent = container, inside, group, -1
	w.steps = w.steps[:0]
	w.done, w.args, w.valued = false, nil, false
	w.settle()
}

// settle is the state between two statements of the container.
func (w *walker) settle() {
	w.pending, w.optional, w.bracket, w.values, w.named, w.inactive = nil, false, false, 0, false, false
	if w.inside {
		w.pending, w.optional = w.container, true
	}
}

// feed takes the next token.
func (w *walker) feed(t token) *fault {
	switch {
	case t.kind != wordToken && t.kind != openBracket && t.kind != closeBracket:
		return &fault{offset: t.offset, message: fmt.Sprintf("%q cannot stand here", t.text), hint: "quote it if it is part of a value"}
	case w.done:
		return &fault{offset: t.offset, message: fmt.Sprintf("%q follows a complete statement", t.text)}
	case w.pending == nil:
		return w.keyword(t)
	case w.pending.Kind == schema.List:
		return w.key(t)
	default:
		return w.value(t)
	}
}

// keyword takes a word that names a child of the container, or the value that needs no keyword.
func (w *walker) keyword(t token) *fault {
	if t.kind != wordToken {
		return w.unknown(t)
	}
	if !t.quoted {
		if c := w.container.Child(t.text); c != nil {
			w.enter(c, t)
			return nil
		}
	}
	var invalid error
	if v := w.container.Value; v != nil && !w.has(v) {
		text, err := v.Normalize(t.text)
		if err == nil {
			w.add(step{node: v, args: []string{text}, parent: w.parent, offset: t.offset})
			w.done = w.path
			return nil
		}
		invalid = err
	}
	if w.abbreviate && !t.quoted {
		switch found := w.container.Match(t.text); {
		case len(found) == 1:
			w.enter(found[0], t)
			return nil
		case len(found) > 1:
			f := &fault{offset: t.offset, message: fmt.Sprintf("%q is ambiguous", t.text)}
			for _, c := range found {
				f.expected = append(f.expected, c.Keyword)
			}
			return f
		}
	}
	if invalid != nil && len(schema.Nearest(t.text, w.container.Keywords())) == 0 {
		return valueFault(t, invalid)
	}
	return w.unknown(t)
}

// has says whether v already has a value in the present container.
func (w *walker) has(v *schema.Node) bool {
	if w.valued && w.parent < 0 {
		return true
	}
	for _, s := range w.steps {
		if s.node == v && s.parent == w.parent {
			return true
		}
	}
	return false
}

func (w *walker) unknown(t token) *fault {
	known := w.container.Keywords()
	if len(known) == 0 {
		return &fault{offset: t.offset, message: fmt.Sprintf("%q follows a complete statement", t.text)}
	}
	f := &fault{offset: t.offset, message: fmt.Sprintf("%q is not a statement here", t.text), expected: known, hint: schema.DidYouMean(t.text, known)}
	if n := len(w.steps); f.hint == "" && n > 0 && w.steps[n-1].node.Kind == schema.LeafList {
		f.hint = "several values stand in brackets: [ a b ]"
	}
	return f
}

// enter begins the statement of n, a child of the container.
func (w *walker) enter(n *schema.Node, t token) {
	w.offset = t.offset
	w.optional = false
	switch n.Kind {
	case schema.Flag:
		w.add(step{node: n, parent: w.parent, offset: t.offset})
		w.done = w.path
		w.settle()
	case schema.Container, schema.Presence:
		w.descend(n, w.add(step{node: n, parent: w.parent, offset: t.offset}), false)
	case schema.Leaf:
		w.pending = n
	case schema.LeafList:
		w.add(step{node: n, holder: true, parent: w.parent, offset: t.offset})
		w.pending, w.values = n, 0
	case schema.List:
		if n.Grouped {
			w.descend(n, w.add(step{node: n, holder: true, parent: w.parent, offset: t.offset}), true)
			return
		}
		w.pending, w.args = n, nil
	}
}

func (w *walker) descend(n *schema.Node, at int, inside bool) {
	w.container, w.parent, w.inside, w.args = n, at, inside, nil
	w.settle()
}

func (w *walker) add(s step) int {
	w.steps = append(w.steps, s)
	return len(w.steps) - 1
}

// key takes a key of the pending list, or the keyword before a further key.
func (w *walker) key(t token) *fault {
	list := w.pending
	if t.kind != wordToken {
		return &fault{offset: t.offset, message: fmt.Sprintf("%q is not a name", t.text), expected: []string{list.Keys[0].Placeholder()}}
	}
	if w.optional && !t.quoted {
		if c := list.Child(t.text); c != nil && c.Inherits {
			w.enter(c, t)
			return nil
		}
	}
	key := list.Keys[len(w.args)]
	if len(w.args) > 0 && !w.named {
		if t.text != key.Keyword && !(w.abbreviate && strings.HasPrefix(key.Keyword, t.text)) {
			return &fault{offset: t.offset, message: fmt.Sprintf("%q cannot stand here", t.text), expected: []string{key.Keyword}}
		}
		w.named = true
		return nil
	}
	text := t.text
	if !w.group || !isWildcard(text) {
		v, err := key.Normalize(text)
		switch {
		case err == nil:
			text = v
		case !w.lenient:
			return valueFault(t, err)
		}
	}
	if len(w.args) == 0 && w.optional {
		w.offset = t.offset
	}
	w.args, w.named = append(w.args, text), false
	if len(w.args) == len(list.Keys) {
		if list.Any {
			w.group = true
		}
		w.descend(list, w.add(step{node: list, args: w.args, parent: w.parent, offset: w.offset}), false)
	}
	return nil
}

// value takes a value of the pending leaf or leaf-list, or a bracket around several.
func (w *walker) value(t token) *fault {
	n := w.pending
	switch {
	case t.kind == openBracket && n.Kind == schema.LeafList && !w.bracket:
		w.bracket = true
		return nil
	case t.kind == closeBracket && w.bracket && w.values > 0 && !w.inactive:
		w.done = w.path
		w.settle()
		return nil
	case t.kind != wordToken:
		return &fault{offset: t.offset, message: fmt.Sprintf("%q cannot stand here", t.text), expected: []string{n.Placeholder()}}
	case w.bracket && !t.quoted && t.text == markInactive && !w.inactive:
		w.inactive = true
		return nil
	}
	text, err := n.Normalize(t.text)
	if err != nil {
		if !w.lenient {
			return valueFault(t, err)
		}
		text = t.text
	}
	s := step{node: n, args: []string{text}, parent: w.parent, offset: t.offset}
	if n.Kind == schema.LeafList {
		s.parent = w.holderStep()
		s.inactive, w.inactive = w.inactive, false
		w.values++
	}
	w.add(s)
	if !w.bracket {
		w.done = w.path
		w.settle()
	}
	return nil
}

// holderStep is the step of the pending leaf-list.
func (w *walker) holderStep() int {
	at := len(w.steps) - 1
	for !w.steps[at].holder {
		at--
	}
	return at
}

// finish ends the words; offset is where they end.
func (w *walker) finish(offset int) *fault {
	switch {
	case w.bracket:
		return &fault{offset: offset, message: "a list that is not closed", expected: []string{"]"}}
	case w.pending == nil, w.optional && len(w.args) == 0:
		return nil
	case w.pending.Kind == schema.List && len(w.args) > 0:
		key := w.pending.Keys[len(w.args)]
		f := &fault{offset: offset, message: fmt.Sprintf("%s is not complete", w.pending.Keyword), expected: []string{key.Placeholder()}}
		if !w.named {
			f.expected = []string{key.Keyword}
		}
		return f
	case w.path:
		if w.pending.Kind != schema.LeafList {
			w.add(step{node: w.pending, open: true, parent: w.parent, offset: w.offset})
		}
		return nil
	case w.pending.Kind == schema.List:
		return &fault{offset: offset, message: fmt.Sprintf("%s needs a name", w.pending.Keyword), expected: []string{w.pending.Keys[0].Placeholder()}}
	}
	return &fault{offset: offset, message: fmt.Sprintf("%s needs a value", w.pending.Keyword), expected: []string{w.pending.Placeholder()}}
}

// valueFault says that a word is not an accepted value.
func valueFault(t token, err error) *fault {
	f := &fault{offset: t.offset, message: err.Error()}
	if p, ok := errors.AsType[schema.Problem](err); ok {
		f.message, f.hint = p.Message, p.Hint
	}
	return f
}

// isWildcard says whether a name in a configuration group stands for all entries that it matches.
func isWildcard(name string) bool {
	return len(name) > 2 && name[0] == '<' && name[len(name)-1] == '>'
}
