package schema

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Kind says what a statement may hold.
type Kind uint8

// The kinds of statements.
const (
	Container Kind = iota // holds statements
	Presence              // holds statements, and means something when empty
	List                  // entries told apart by their keys, each holding statements
	Leaf                  // one value
	LeafList              // several values in order, without repeats
	Flag                  // present or absent
)

// String is the kind's name.
func (k Kind) String() string {
	return [...]string{"container", "presence", "list", "leaf", "leaf-list", "flag"}[k]
}

// Node is one statement of the grammar. Nodes are shared and never change.
type Node struct {
	Keyword  string   // as typed and shown
	Aliases  []string // other spellings of the keyword
	Help     string   // one line
	Kind     Kind
	Keys     []*Node // of a list: the first follows the list's keyword, a further one its own keyword
	Children []*Node // in the order in which they are shown, Value among them
	Value    *Node   // the child whose value follows without a keyword, or nil

	Unit     string   // of a number
	Range    *Range   // of a number, or of the length of a string
	Enum     []string // the accepted words
	Literals []string // words accepted beside the type or the references
	Refs     []*Ref   // lists whose keys are accepted
	OpenRef  bool     // an engine knows further names and checks them
	Default  string   // what holds when the statement is absent
	Choice   string   // siblings of one choice displace each other
	Pattern  *regexp.Regexp

	Mandatory bool // its container is refused without it
	Hidden    bool // left out of completion and help
	Inert     bool // accepted without effect, with all that it holds
	OneLiner  bool // shown on one line
	Compact   bool // shown on one line while it holds a single value
	Joined    bool // shown as a word before each container that it holds
	Grouped   bool // a list whose keyword is shown once, around its entries
	Any       bool // a list whose entries hold any configuration
	Secret    bool // never shown in clear text
	IsKey     bool // a key of a list
	IsValue   bool // the Value of its container
	Inherits  bool // apply-groups or apply-groups-except

	Order int // position among its siblings

	index     []int               // of the struct field, from the parent's struct
	scalar    reflect.Type        // of one value: the field's type without pointer or slice
	named     map[string]*Node    // children by keyword and alias
	words     []string            // the keys of named, sorted
	enum      map[string]struct{} // Enum as a set; empty where the type itself says which words it takes
	refs      []string            // Refs as written in the tag, until they are resolved
	required  []*Node             // children that are mandatory
	defaulted []*Node             // children that have a default, or hold statements that have one
}

// Range is the accepted numbers, both ends included.
type Range struct{ Min, Max int64 }

// Ref is a list whose keys are accepted as values.
type Ref struct {
	Path  string  // keywords from the top
	Steps []*Node // one for each keyword
}

// Root is the grammar of a whole configuration, built from [Config] at its first use.
func Root() *Node { return root() }

var root = sync.OnceValue(func() *Node {
	n, problems := build(reflect.TypeFor[Config]())
	if len(problems) > 0 {
		panic("schema: " + strings.Join(problems, "; "))
	}
	return n
})

// Child is the child that word names in full, by keyword or alias; nil when there is none.
func (n *Node) Child(word string) *Node { return n.named[word] }

// Match lists the children that are not hidden whose keyword or an alias begins with prefix.
func (n *Node) Match(prefix string) []*Node {
	var found []*Node
	first, _ := slices.BinarySearch(n.words, prefix)
	for _, w := range n.words[first:] {
		if !strings.HasPrefix(w, prefix) {
			break
		}
		if c := n.named[w]; !c.Hidden && !slices.Contains(found, c) {
			found = append(found, c)
		}
	}
	return found
}

// Keywords lists the keywords of the children that are not hidden and have one, in their order.
func (n *Node) Keywords() []string {
	var words []string
	for _, c := range n.Children {
		if !c.Hidden && !c.IsValue && !c.Inherits {
			words = append(words, c.Keyword)
		}
	}
	return words
}

// IsNumber says whether a value is a whole number.
func (n *Node) IsNumber() bool {
	return n.scalar != nil && n.scalar.Kind() >= reflect.Int && n.scalar.Kind() <= reflect.Uint64 && !n.unmarshals()
}

// Required lists the children without which the statement is refused.
func (n *Node) Required() []*Node { return n.required }

// Holds says whether the statement may hold other statements.
func (n *Node) Holds() bool { return n.Kind <= List }
