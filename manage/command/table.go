// Package command reads command lines: it splits them into words, finds the command that they
// abbreviate in a table, and says what may come next.
//
// A table is data: its commands with their options, and the help of every word. Execution, help,
// Space and Tab all walk the same table, so a command that can be run can be found.
package command

import (
	"slices"
	"strings"
)

// Command is one line of a table. D is what the table's owner does for it.
type Command[D any] struct {
	Words   string   // keywords from the first: "show security flow session"
	Also    string   // the same keywords in other spellings, accepted in full but not shown; "" has none
	Options []Option // accepted after the words in any order, each at most once
	Rest    *Value   // set: everything after the words is one text, taken as it is
	Do      D
}

// Option is something that may follow a command's words.
type Option struct {
	Name     string // keyword, and the name under which Args has it
	Help     string
	Value    *Value // what must follow the keyword; nil for a flag
	Bare     bool   // the value stands without the keyword (show interfaces ge-0/0/1)
	Group    string // options of one group exclude each other
	Required bool
}

// Value describes an argument.
type Value struct {
	Name  string             // as help shows it, without brackets: "port"
	Help  string             // what it is, with its range
	Words []string           // accepted words, when there are only these
	Check func(string) error // refuses what cannot be meant; nil accepts everything
	Live  string             // names the source of the values that exist now; "" has none
	List  bool               // there may be several, in brackets; Args.List has them
}

// Table is a set of commands, ready to be searched. It is immutable.
type Table[D any] struct {
	root *node[D]
}

// node is one word of the table.
type node[D any] struct {
	word     string
	other    string // another spelling, accepted only
	help     string
	children []*node[D]
	command  *Command[D]
}

// NewTable makes a table of commands. help has the help of every word under the words that lead
// to it ("show security": "…"); a word without help has none to show, which tests of the owner refuse.
func NewTable[D any](help map[string]string, commands []Command[D]) *Table[D] {
	t := &Table[D]{root: &node[D]{}}
	for i := range commands {
		n := t.root
		path := ""
		also := strings.Fields(commands[i].Also)
		for j, word := range strings.Fields(commands[i].Words) {
			path = strings.TrimSpace(path + " " + word)
			n = n.child(word, help[path])
			if len(also) > 0 {
				n.other = also[j]
			}
		}
		n.command = &commands[i]
	}
	return t
}

// child finds the node of word below n, or makes it.
func (n *node[D]) child(word, help string) *node[D] {
	for _, c := range n.children {
		if c.word == word {
			return c
		}
	}
	c := &node[D]{word: word, help: help}
	n.children = append(n.children, c)
	slices.SortFunc(n.children, func(a, b *node[D]) int { return strings.Compare(a.word, b.word) })
	return c
}

// Each calls visit for every word of the table, with the words that lead to it and its help. end
// says that the words are a whole command.
func (t *Table[D]) Each(visit func(words, help string, end bool)) {
	var walk func(n *node[D], path string)
	walk = func(n *node[D], path string) {
		for _, c := range n.children {
			words := strings.TrimSpace(path + " " + c.word)
			visit(words, c.help, c.command != nil)
			walk(c, words)
		}
	}
	walk(t.root, "")
}

// Args are the options that a line gave.
type Args map[string]string

// Has says whether the option was given.
func (a Args) Has(name string) bool { _, ok := a[name]; return ok }

// List are the values of an option that may have several.
func (a Args) List(name string) []string {
	return strings.FieldsFunc(a[name], func(r rune) bool { return r == listSeparator })
}

// listSeparator stands between values of a list in Args. No line has it.
const listSeparator = '\n'

// Error is a line that cannot be read, with the place of the first word that is wrong.
type Error struct {
	Offset  int // byte of the line
	Message string
	Hint    string
}

// Error is the message without the hint.
func (e *Error) Error() string { return e.Message }
