package tree

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"strings"

	"sluice/store/schema"
)

// jsonText is what root holds as JSON: keywords are names, containers objects, lists arrays of
// objects with their keys, leaf-lists arrays, flags true. Marks and comments of a statement are
// in the member "@" of its object, or beside it in "@keyword".
func jsonText(root *statement) (string, error) {
	out, err := json.MarshalIndent(object{{"configuration", objectOf(root)}}, "", "    ")
	if err != nil {
		return "", fmt.Errorf("writing the configuration as JSON: %w", err)
	}
	return string(out) + "\n", nil
}

// object is a JSON object whose members keep their order.
type object []pair

type pair struct {
	name  string
	value any
}

// MarshalJSON writes the members in order.
func (o object) MarshalJSON() ([]byte, error) {
	var b strings.Builder
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return []byte(b.String()), nil
}

// objectOf is a container or list entry as JSON.
func objectOf(s *statement) object {
	o := object{}
	if about := s.about(); len(about) > 0 {
		o = append(o, pair{"@", about})
	}
	if s.entry() {
		for i, k := range s.grammar.Keys {
			o = append(o, pair{k.Keyword, number(k, s.args[i])})
		}
	}
	for i := 0; i < len(s.children); i++ {
		c := s.children[i]
		if c.entry() {
			var entries []object
			for ; i < len(s.children) && s.children[i].grammar == c.grammar; i++ {
				entries = append(entries, objectOf(s.children[i]))
			}
			i--
			o = append(o, pair{c.grammar.Keyword, entries})
			continue
		}
		name, value, about := c.json()
		o = append(o, pair{name, value})
		if len(about) > 0 {
			o = append(o, pair{"@" + name, about})
		}
	}
	return o
}

// json is s, which is not a list entry, as a member of an object, and what is said about it there.
func (s *statement) json() (name string, value any, about object) {
	if s.grammar == nil {
		if len(s.children) == 0 {
			return strings.Join(s.args, " "), true, s.about()
		}
		return strings.Join(s.args, " "), objectOf(s), nil
	}
	name, about = s.grammar.Keyword, s.about()
	switch {
	case s.holder:
		list := []any{}
		for _, c := range s.children {
			switch {
			case c.entry():
				list = append(list, objectOf(c))
			case c.member():
				list = append(list, number(c.grammar, c.args[0]))
				if c.inactive {
					about = append(about, pair{"inactive " + c.args[0], true})
				}
			default:
				n, v, _ := c.json()
				about = append(about, pair{n, v})
			}
		}
		return name, list, about
	case s.grammar.Kind == schema.Leaf:
		return name, number(s.grammar, s.args[0]), about
	case s.grammar.Kind == schema.Flag:
		return name, true, about
	}
	return name, objectOf(s), nil
}

// about is the marks and the comment of s.
func (s *statement) about() object {
	var o object
	if s.inactive {
		o = append(o, pair{"inactive", true})
	}
	if s.protected {
		o = append(o, pair{"protect", true})
	}
	if s.comment != "" {
		o = append(o, pair{"comment", s.comment})
	}
	return o
}

// number is the value of a leaf: a JSON number where its type is one.
func number(n *schema.Node, text string) any {
	if n.IsNumber() && json.Valid([]byte(text)) {
		return json.Number(text)
	}
	return text
}

// xmlText is what root holds as XML: an element for each statement, a list entry's keys first in it.
func xmlText(root *statement) string {
	var x xmlForm
	x.WriteString("<configuration>\n")
	x.block(root, 1)
	x.WriteString("</configuration>\n")
	return x.String()
}

type xmlForm struct{ strings.Builder }

func (x *xmlForm) indent(depth int) { x.WriteString(strings.Repeat("    ", depth)) }

// element writes an element with a text.
func (x *xmlForm) element(name, attributes, text string, depth int) {
	x.indent(depth)
	fmt.Fprintf(x, "<%s%s>%s</%s>\n", name, attributes, escapeXML(text), name)
}

func (x *xmlForm) block(s *statement, depth int) {
	if s.entry() {
		for i, k := range s.grammar.Keys {
			x.element(k.Keyword, "", s.args[i], depth)
		}
	}
	for _, c := range s.children {
		x.statement(c, depth)
	}
}

// statement writes s. A grouped list is an element around its entries, each named entry.
func (x *xmlForm) statement(s *statement, depth int) {
	if s.comment != "" {
		x.indent(depth)
		comment := s.comment
		for strings.Contains(comment, "--") { // which no XML comment may hold
			comment = strings.ReplaceAll(comment, "--", "- -")
		}
		x.WriteString("<!-- " + comment + " -->\n")
	}
	attributes := ""
	if s.inactive {
		attributes += ` inactive="inactive"`
	}
	if s.protected {
		attributes += ` protect="protect"`
	}
	name := "unknown-statement"
	if s.grammar != nil {
		name = s.grammar.Keyword
		if s.entry() && s.grammar.Grouped {
			name = "entry"
		}
	} else {
		attributes += ` words="` + escapeXML(strings.Join(s.args, " ")) + `"`
	}
	switch {
	case s.holder && s.grammar.Kind == schema.LeafList:
		for _, m := range s.children {
			a := attributes
			if m.inactive && !s.inactive {
				a += ` inactive="inactive"`
			}
			x.element(name, a, m.args[0], depth)
		}
	case s.grammar != nil && s.grammar.Kind == schema.Leaf:
		x.element(name, attributes, s.args[0], depth)
	case len(s.children) == 0 && !s.entry():
		x.indent(depth)
		fmt.Fprintf(x, "<%s%s/>\n", name, attributes)
	default:
		x.indent(depth)
		fmt.Fprintf(x, "<%s%s>\n", name, attributes)
		x.block(s, depth+1)
		x.indent(depth)
		fmt.Fprintf(x, "</%s>\n", name)
	}
}

func escapeXML(text string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(text)); err != nil {
		return ""
	}
	return b.String()
}
