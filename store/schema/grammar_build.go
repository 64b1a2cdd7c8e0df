package schema

import (
	"encoding"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// tags are the struct tags a statement may carry.
var tags = []string{"cfg", "help", "unit", "range", "enum", "literal", "ref", "default", "choice", "alias", "pattern", "mandatory", "secret"}

var (
	keywordForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)
	tagForm     = regexp.MustCompile(`([A-Za-z_]+):"(?:[^"\\]|\\.)*"`)
)

// builder turns struct types into nodes and notes everything that is wrong with their tags.
type builder struct {
	problems []string
	path     []string
	types    []reflect.Type // being built, to refuse a type that holds itself
}

func (b *builder) errorf(format string, args ...any) {
	b.problems = append(b.problems, strings.Join(b.path, " ")+": "+fmt.Sprintf(format, args...))
}

// build is the grammar of the struct type t, and what is wrong with its tags.
func build(t reflect.Type) (*Node, []string) {
	b := &builder{}
	top := &Node{Kind: Container}
	b.body(top, t)
	for _, c := range top.Children {
		if c.Any {
			b.adopt(c, top)
		}
	}
	b.resolve(top, top)
	return top, b.problems
}

// adopt makes the children of top, less the groups themselves and version, the body of n's entries.
func (b *builder) adopt(n, top *Node) {
	n.Children = nil
	for _, c := range top.Children {
		if c != n && c.Keyword != "version" {
			n.Children = append(n.Children, c)
		}
	}
	n.name()
}

// body gives n the children that the fields of t describe, and the statements accepted everywhere.
func (b *builder) body(n *Node, t reflect.Type) {
	if slices.Contains(b.types, t) {
		b.errorf("type %s holds itself", t)
		return
	}
	b.types = append(b.types, t)
	b.fields(n, t, nil)
	b.types = b.types[:len(b.types)-1]
	inherit := &Node{}
	b.fields(inherit, reflect.TypeFor[Inherit](), nil)
	for _, c := range inherit.Children {
		c.Inherits, c.index = true, nil
	}
	at := 0
	if i := slices.IndexFunc(n.Children, func(c *Node) bool { return c.Any }); i >= 0 {
		at = i + 1
	}
	n.Children = slices.Insert(n.Children, at, inherit.Children...)
	for i, c := range n.Children {
		c.Order = i
		b.collide(n, c)
		if c.Mandatory {
			n.required = append(n.required, c)
		}
		if c.Default != "" || c.Kind == Container && len(c.defaulted) > 0 {
			n.defaulted = append(n.defaulted, c)
		}
	}
	n.name()
}

// collide notes spellings of c that an earlier sibling has.
func (b *builder) collide(n, c *Node) {
	for _, other := range n.Children[:c.Order] {
		for _, w := range append([]string{c.Keyword}, c.Aliases...) {
			if w == other.Keyword || slices.Contains(other.Aliases, w) {
				b.errorf("%q names both %s and %s", w, other.Keyword, c.Keyword)
			}
		}
	}
}

// name indexes the children of n by their spellings.
func (n *Node) name() {
	n.named, n.words = map[string]*Node{}, nil
	for _, c := range n.Children {
		if c.IsValue {
			continue
		}
		for _, w := range append([]string{c.Keyword}, c.Aliases...) {
			n.named[w] = c
			n.words = append(n.words, w)
		}
	}
	slices.Sort(n.words)
}

// fields adds a node for each field of t, which lies at index of n's struct.
func (b *builder) fields(n *Node, t reflect.Type, index []int) {
	for i := range t.NumField() {
		f := t.Field(i)
		at := append(slices.Clone(index), i)
		if _, tagged := f.Tag.Lookup("cfg"); !tagged {
			if f.Anonymous && f.Type.Kind() == reflect.Struct {
				b.fields(n, f.Type, at)
			} else {
				b.errorf("field %s has no cfg tag", f.Name)
			}
			continue
		}
		c := b.field(f, at)
		switch {
		case c.IsKey:
			n.Keys = append(n.Keys, c)
		case c.IsValue && n.Value != nil:
			b.errorf("two fields follow without a keyword: %s and %s", n.Value.Keyword, c.Keyword)
		case c.IsValue:
			n.Value = c
			fallthrough
		default:
			n.Children = append(n.Children, c)
		}
	}
}

// field is the node of one struct field.
func (b *builder) field(f reflect.StructField, index []int) *Node {
	keyword, options, _ := strings.Cut(f.Tag.Get("cfg"), ",")
	b.path = append(b.path, keyword)
	defer func() { b.path = b.path[:len(b.path)-1] }()
	n := &Node{
		Keyword: keyword, Help: f.Tag.Get("help"), index: index,
		Aliases: words(f, "alias"), Unit: f.Tag.Get("unit"), Enum: words(f, "enum"), Literals: words(f, "literal"),
		Default: f.Tag.Get("default"), Choice: f.Tag.Get("choice"),
		Mandatory: f.Tag.Get("mandatory") == "true", Secret: f.Tag.Get("secret") == "true",
	}
	if n.Help == "" {
		b.errorf("no help")
	}
	if !keywordForm.MatchString(keyword) {
		b.errorf("%q is not a keyword (small letters, digits and dashes)", keyword)
	}
	b.knownTags(f)
	b.options(n, options)
	if ref := f.Tag.Get("ref"); ref != "" {
		n.refs = strings.Split(ref, "|")
	}
	if p := f.Tag.Get("pattern"); p != "" {
		re, err := regexp.Compile(`^(?:` + p + `)$`)
		if err != nil {
			b.errorf("pattern: %v", err)
		}
		n.Pattern = re
	}
	n.enum = map[string]struct{}{}
	for _, w := range n.Enum {
		n.enum[w] = struct{}{}
	}
	b.classify(n, f.Type)
	b.bounds(n, f.Tag.Get("range"))
	b.samples(n)
	return n
}

// knownTags notes tags that mean nothing, such as misspelt ones.
func (b *builder) knownTags(f reflect.StructField) {
	for _, m := range tagForm.FindAllStringSubmatch(string(f.Tag), -1) {
		if !slices.Contains(tags, m[1]) {
			b.errorf("unknown tag %q", m[1])
		}
	}
	for _, key := range []string{"mandatory", "secret"} {
		if v, set := f.Tag.Lookup(key); set && v != "true" {
			b.errorf(`%s is %q, not "true"`, key, v)
		}
	}
}

// options reads what follows the keyword in the cfg tag.
func (b *builder) options(n *Node, options string) {
	if options == "" {
		return
	}
	for _, o := range strings.Split(options, ",") {
		switch o {
		case "key":
			n.IsKey = true
		case "value":
			n.IsValue = true
		case "grouped":
			n.Grouped = true
		case "oneliner":
			n.OneLiner = true
		case "compact":
			n.Compact = true
		case "joined":
			n.Joined = true
		case "hidden":
			n.Hidden = true
		case "inert":
			n.Inert = true
		case "any":
			n.Any = true
		default:
			b.errorf("unknown option %q", o)
		}
	}
}

// classify derives the kind of n from the Go type of its field, and builds what it holds.
func (b *builder) classify(n *Node, t reflect.Type) {
	element := t
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		element = t.Elem()
	}
	switch {
	case t.Kind() == reflect.Bool:
		n.Kind = Flag
	case isScalar(element):
		n.scalar = element
		if w, ok := reflect.Zero(element).Interface().(interface{ Words() []string }); ok {
			n.Enum = w.Words()
		}
		n.Kind = Leaf
		if t.Kind() == reflect.Slice {
			n.Kind = LeafList
		}
		if n.IsValue && t.Kind() != reflect.Pointer {
			n.Mandatory = true
		}
	case element.Kind() == reflect.Struct:
		switch t.Kind() {
		case reflect.Slice:
			n.Kind = List
		case reflect.Pointer:
			n.Kind = Presence
		default:
			n.Kind = Container
		}
		b.body(n, element)
	default:
		b.errorf("Go type %s cannot be a statement", t)
	}
	b.shape(n, t)
}

// shape notes options that do not fit the kind of n, or its Go type t.
func (b *builder) shape(n *Node, t reflect.Type) {
	if (n.Kind == List) != (len(n.Keys) > 0) {
		b.errorf("a list needs keys, and only a list has them")
	}
	if n.Grouped && n.Kind != List || n.Any && !n.Grouped {
		b.errorf("grouped is for lists, any for grouped lists")
	}
	if n.Grouped && len(n.Keys) > 1 {
		b.errorf("a grouped list has one key")
	}
	if n.Mandatory && n.Kind == List && !n.Grouped {
		b.errorf("a list cannot be mandatory")
	}
	if (n.OneLiner || n.Compact) && !n.Holds() || n.Joined && n.Kind != Container {
		b.errorf("oneliner and compact are for containers and lists, joined is for containers")
	}
	if n.Default != "" && (n.Kind != Leaf || t.Kind() == reflect.Pointer) {
		b.errorf("only a leaf that is not a pointer has a default")
	}
	if n.Inert && (n.IsKey || n.IsValue) {
		b.errorf("a key or value cannot be inert")
	}
	if (n.IsKey || n.IsValue) && n.Kind != Leaf {
		b.errorf("a key or value holds exactly one value")
	}
}

// bounds reads the range tag of n.
func (b *builder) bounds(n *Node, text string) {
	if text == "" {
		return
	}
	low, high, ok := strings.Cut(text, "..")
	min, err1 := strconv.ParseInt(low, 10, 64)
	max, err2 := strconv.ParseInt(high, 10, 64)
	if !ok || err1 != nil || err2 != nil || min > max || n.scalar == nil {
		b.errorf("range %q", text)
		return
	}
	n.Range = &Range{min, max}
}

// samples checks that everything the tags promise can be typed and decoded.
func (b *builder) samples(n *Node) {
	if n.scalar == nil {
		if len(n.Enum)+len(n.Literals)+len(n.refs)+len(n.Default)+len(n.Unit) > 0 || n.Pattern != nil {
			b.errorf("only a value has a unit, words, references or a default")
		}
		return
	}
	accepted := append(slices.Clone(n.Literals), n.Enum...)
	if n.Default != "" {
		accepted = append(accepted, n.Default)
	}
	for _, text := range accepted {
		if err := n.Set(reflect.New(n.scalar).Elem(), text); err != nil {
			b.errorf("%q is promised and refused: %v", text, err)
		}
	}
}

// resolve finds the lists that the ref tags below n name.
func (b *builder) resolve(top, n *Node) {
	for _, c := range slices.Concat(n.Keys, n.Children) {
		b.path = append(b.path, c.Keyword)
		for _, path := range c.refs {
			if path == "*" {
				c.OpenRef = true
				continue
			}
			ref, at := &Ref{Path: path}, top
			for _, w := range strings.Fields(path) {
				if at = at.Child(w); at == nil {
					break
				}
				ref.Steps = append(ref.Steps, at)
			}
			if at == nil || at.Kind != List {
				b.errorf("ref %q is not a list", path)
				continue
			}
			c.Refs = append(c.Refs, ref)
		}
		c.refs = nil
		if !c.Any {
			b.resolve(top, c)
		}
		b.path = b.path[:len(b.path)-1]
	}
}

// words splits the tag named key of f.
func words(f reflect.StructField, key string) []string { return strings.Fields(f.Tag.Get(key)) }

// isScalar says whether one value of t is one word of text.
func isScalar(t reflect.Type) bool {
	if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return true
	}
	switch t.Kind() {
	case reflect.String, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return true
	}
	return false
}
