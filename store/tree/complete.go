package tree

import (
	"slices"
	"strings"

	"sluice/store/schema"
)

// CompletionKind says what a completion is.
type CompletionKind uint8

// The kinds of completions, in the order in which they are listed.
const (
	EnterCompletion   CompletionKind = iota // the line may end here
	ValueCompletion                         // a placeholder such as <mtu>: help, not text to insert
	LiveCompletion                          // a name or value that the configuration has
	WordCompletion                          // a value that the grammar names
	KeywordCompletion                       // a keyword
	PipeCompletion                          // |
)

// Completion is one thing that may come next.
type Completion struct {
	Text string         // what to insert, or the placeholder
	Help string         // one line
	Kind CompletionKind // what it is
}

// Completable says whether Text may be inserted, rather than only read as help.
func (c Completion) Completable() bool { return c.Kind >= LiveCompletion && c.Kind != PipeCompletion }

// Complete lists what may stand at the end of line, which follows the edit command verb (set,
// delete, edit, show, insert, rename, copy, activate, deactivate, annotate, protect, unprotect) at
// the edit level at. A word that line does not end with a blank is taken as the beginning of one.
// It is empty when line is wrong before its end.
func (t *Tree) Complete(at []string, verb string, line string) []Completion {
	c := &completer{tree: t, verb: verb}
	words, ok := c.read(line)
	if !ok {
		return nil
	}
	if i := c.separator(words); i >= 0 {
		c.separated, c.target = true, words[i+1:]
		words = slices.Concat(words[:c.parentWords(at, words[:i])], words[i+1:])
	}
	c.walk = walker{abbreviate: true, path: verb != "set"}
	c.walk.begin(schema.Root(), false, false)
	for _, tok := range slices.Concat(tokensOf(at), words) {
		if c.walk.feed(tok) != nil {
			return nil
		}
	}
	c.typed = len(words) > 0
	c.offer()
	return c.found
}

// completer gathers completions.
type completer struct {
	tree      *Tree
	verb      string
	word      string  // the beginning of the word being typed
	typed     bool    // words stand before it
	separated bool    // the word that divides insert, rename and copy was read
	target    []token // the words behind it
	walk      walker
	found     []Completion
}

// read cuts line into whole words and the beginning of one.
func (c *completer) read(line string) ([]token, bool) {
	l := &lexer{text: line, lines: true}
	var words []token
	for {
		t, bad := l.next()
		if bad != nil {
			return nil, false
		}
		if t.kind == endOfText {
			break
		}
		words = append(words, t)
	}
	if n := len(words); n > 0 && words[n-1].kind == wordToken && words[n-1].offset+len(words[n-1].text) == len(line) {
		c.word = words[n-1].text
		words = words[:n-1]
	}
	return words, true
}

// separator is the index of the word that divides insert, rename and copy, or -1.
func (c *completer) separator(words []token) int {
	var separators []string
	switch c.verb {
	case "insert":
		separators = []string{"before", "after"}
	case "rename", "copy":
		separators = []string{"to"}
	}
	for i := len(words) - 1; i > 0; i-- {
		if !words[i].quoted && slices.Contains(separators, words[i].text) {
			return i
		}
	}
	return -1
}

// parentWords is the number of words that lead to the list of the entry that words name.
func (c *completer) parentWords(at []string, words []token) int {
	w := &walker{abbreviate: true, path: true}
	w.begin(schema.Root(), false, false)
	lead := 0
	for i, t := range slices.Concat(tokensOf(at), words) {
		if w.pending == nil || w.optional && len(w.args) == 0 {
			lead = i - len(at)
		}
		if w.feed(t) != nil {
			break
		}
	}
	return max(lead, 0)
}

// offer lists what the walker expects.
func (c *completer) offer() {
	w := &c.walk
	switch {
	case w.done:
		c.enter()
	case w.pending == nil:
		c.enter()
		c.separators()
		c.children()
	case w.pending.Kind == schema.List:
		if w.optional && len(w.args) == 0 {
			c.enter()
		}
		c.keys()
	default:
		if w.path && w.pending.Kind <= schema.LeafList && !w.bracket {
			c.enter()
		}
		c.values()
	}
	slices.SortStableFunc(c.found, func(a, b Completion) int {
		if a.Kind != b.Kind {
			return int(a.Kind) - int(b.Kind)
		}
		if a.Kind == KeywordCompletion {
			return strings.Compare(a.Text, b.Text)
		}
		return 0
	})
}

// add offers text if it begins with what was typed, and is not offered yet.
func (c *completer) add(text, help string, kind CompletionKind) {
	if !strings.HasPrefix(text, c.word) && !strings.HasPrefix(text, `"`+c.word) && kind != ValueCompletion {
		return
	}
	if !slices.ContainsFunc(c.found, func(f Completion) bool { return f.Text == text && f.Kind <= kind }) {
		c.found = append(c.found, Completion{Text: text, Help: help, Kind: kind})
	}
}

// enter offers the end of the line, or what is still missing there.
func (c *completer) enter() {
	switch c.verb {
	case "annotate":
		if c.typed {
			c.add("<text>", "Comment, in quotes", ValueCompletion)
		}
		return
	case "insert", "rename", "copy":
		if len(c.target) == 0 {
			return
		}
	case "show", "delete":
		c.typed = true
	}
	if c.word != "" || !c.typed {
		return
	}
	c.add("<[Enter]>", "Execute this command", EnterCompletion)
	if c.verb == "show" {
		c.add("|", "Pipe through a command", PipeCompletion)
	}
}

// separators offers the word that divides insert, rename and copy once an entry is named.
func (c *completer) separators() {
	if c.separated || len(c.walk.steps) == 0 || c.walk.steps[len(c.walk.steps)-1].node.Kind != schema.List {
		return
	}
	switch c.verb {
	case "insert":
		c.add("after", "Insert after another entry", KeywordCompletion)
		c.add("before", "Insert before another entry", KeywordCompletion)
	case "rename", "copy":
		c.add("to", "New name", KeywordCompletion)
	}
}

// children offers the statements of the container: all for set, containers for edit, and what
// exists for the other commands.
func (c *completer) children() {
	w := &c.walk
	if v := w.container.Value; v != nil && c.verb == "set" && !w.has(v) {
		c.value(v)
	}
	here := c.here()
	for _, n := range w.container.Children {
		if n.Hidden || n.IsValue {
			continue
		}
		switch c.verb {
		case "set":
		case "edit":
			if !n.Holds() {
				continue
			}
		default:
			if here == nil || !slices.ContainsFunc(here.children, func(s *statement) bool { return s.grammar == n }) {
				continue
			}
		}
		c.add(n.Keyword, n.KeywordHelp(), KeywordCompletion)
		if !strings.HasPrefix(n.Keyword, c.word) && slices.ContainsFunc(n.Aliases, func(a string) bool { return strings.HasPrefix(a, c.word) }) {
			c.found = append(c.found, Completion{Text: n.Keyword, Help: n.KeywordHelp(), Kind: KeywordCompletion})
		}
	}
}

// here is the statement of the walker's container in the tree, or nil.
func (c *completer) here() *statement {
	s := c.tree.root
	var follow func(i int)
	follow = func(i int) {
		if i < 0 || s == nil {
			return
		}
		st := c.walk.steps[i]
		follow(st.parent)
		if s != nil {
			s = s.find(st.node, st.args, st.holder)
		}
	}
	follow(c.walk.parent)
	return s
}

// keys offers the names of the list's entries that exist, and what a new name may be.
func (c *completer) keys() {
	w := &c.walk
	list, key := w.pending, w.pending.Keys[len(w.args)]
	if len(w.args) > 0 && !w.named {
		c.add(key.Keyword, key.Help, KeywordCompletion)
		return
	}
	if here := c.here(); here != nil {
		for _, s := range here.children {
			if s.grammar == list && !s.holder && slices.Equal(s.args[:len(w.args)], w.args) {
				c.add(Quote(s.args[len(w.args)]), key.Help, LiveCompletion)
			}
		}
	}
	if c.verb == "set" || c.verb == "edit" || c.verb == "rename" || c.verb == "copy" {
		c.value(key)
	}
	if w.optional && c.verb == "set" {
		for _, n := range list.Children {
			if n.Inherits {
				c.add(n.Keyword, n.Help, KeywordCompletion)
			}
		}
	}
}

// values offers values of the pending leaf or leaf-list: for set what the grammar accepts,
// otherwise what is there.
func (c *completer) values() {
	w := &c.walk
	n := w.pending
	if c.verb != "set" {
		if here := c.here(); here != nil {
			for _, s := range here.children {
				switch {
				case s.grammar != n:
				case s.holder:
					for _, m := range s.children {
						c.add(Quote(m.args[0]), n.Help, LiveCompletion)
					}
				default:
					c.add(Quote(s.args[0]), n.Help, LiveCompletion)
				}
			}
		}
		return
	}
	c.value(n)
	if n.Kind == schema.LeafList {
		switch {
		case !w.bracket:
			c.add("[", "Open a set of values", WordCompletion)
		case w.values > 0:
			c.add("]", "Close the set of values", WordCompletion)
		}
	}
}

// value offers what n accepts: its placeholder, the names it may refer to, and its words.
func (c *completer) value(n *schema.Node) {
	if len(n.Enum) == 0 {
		c.add(n.Placeholder(), n.ValueHelp(), ValueCompletion)
	}
	for _, r := range n.Refs {
		last := r.Steps[len(r.Steps)-1]
		for _, name := range c.tree.root.names(r) {
			if !isWildcard(name) {
				c.add(Quote(name), last.Help, LiveCompletion)
			}
		}
	}
	for _, word := range slices.Concat(n.Enum, n.Literals) {
		help := ""
		if word == n.Default {
			help = "The default"
		}
		c.add(word, help, WordCompletion)
	}
}

// CheckEdit resolves path, given at the edit level at with keywords that may be shortened, to the
// whole path of a level that may be edited. The level need not exist yet.
func (t *Tree) CheckEdit(at []string, path []string) ([]string, error) {
	words := make([]token, len(path))
	text := ""
	for i, p := range path {
		if i > 0 {
			text += " "
		}
		words[i] = token{text: p, offset: len(text)}
		text += p
	}
	e := &edit{tree: t, text: text, at: tokensOf(at)}
	w, err := e.walk(words, false)
	if err != nil {
		return nil, err
	}
	if len(w.steps) > 0 && !w.holds() {
		return nil, &StatementError{Message: "this statement holds no others", Hint: "edit leads to statements that do"}
	}
	level := []string{}
	for i, st := range w.steps {
		inside := i > 0 && w.steps[i-1].holder
		if !inside {
			level = append(level, st.node.Keyword)
		}
		for j, a := range st.args {
			if j > 0 {
				level = append(level, st.node.Keys[j].Keyword)
			}
			level = append(level, a)
		}
	}
	return level, nil
}
