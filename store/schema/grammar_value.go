package schema

import (
	"encoding"
	"fmt"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Normalize checks text against everything the tags of a leaf, leaf-list or key say, and returns
// it as it is stored and shown ("6" as protocol becomes "tcp"). The error is a [Problem] without path.
func (n *Node) Normalize(text string) (string, error) {
	if n.plain() {
		if err := n.check(text); err != nil {
			return "", err
		}
		return text, nil
	}
	v := reflect.New(n.scalar)
	if err := n.Set(v.Elem(), text); err != nil {
		return "", err
	}
	if m, ok := v.Interface().(encoding.TextMarshaler); ok {
		out, err := m.MarshalText()
		if err != nil {
			return "", Problem{Message: fmt.Sprintf("%q cannot be kept: %v", text, err)}
		}
		return string(out), nil
	}
	return fmt.Sprint(v.Elem()), nil
}

// Set stores text in the value v of n's Go type (a pointer is allocated) once it satisfies the tags.
// The error is a [Problem] without path.
func (n *Node) Set(v reflect.Value, text string) error {
	if err := n.check(text); err != nil {
		return err
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if text == "" {
			return n.mistyped(text, nil)
		}
		if err := u.UnmarshalText([]byte(text)); err != nil {
			return n.mistyped(text, err)
		}
		return nil
	}
	var err error
	switch {
	case v.Kind() == reflect.String:
		v.SetString(text)
	case v.CanUint():
		var u uint64
		if u, err = strconv.ParseUint(text, 10, v.Type().Bits()); err == nil {
			v.SetUint(u)
		}
	default:
		var i int64
		if i, err = strconv.ParseInt(text, 10, v.Type().Bits()); err == nil {
			v.SetInt(i)
		}
	}
	if err != nil {
		return n.mistyped(text, nil)
	}
	return nil
}

// Field is the field of the struct v that n describes.
func (n *Node) Field(v reflect.Value) reflect.Value { return v.FieldByIndex(n.index) }

// SetDefaults stores the defaults of n's children in a fresh struct v, and those of the
// containers in it that exist without being mentioned.
func (n *Node) SetDefaults(v reflect.Value) {
	for _, c := range n.defaulted {
		if c.Kind == Container {
			c.SetDefaults(c.Field(v))
		} else if err := c.Set(c.Field(v), c.Default); err != nil {
			panic("schema: default of " + c.Keyword + ": " + err.Error())
		}
	}
}

// Placeholder stands for a value in help: "<mtu>".
func (n *Node) Placeholder() string { return "<" + n.Keyword + ">" }

// withoutEffect is what help says of an inert statement.
const withoutEffect = "no effect yet"

// KeywordHelp is the help of the statement's keyword.
func (n *Node) KeywordHelp() string {
	if n.Inert {
		return n.Help + " (" + withoutEffect + ")"
	}
	return n.Help
}

// ValueHelp is the help of a value with its range, unit and default.
func (n *Node) ValueHelp() string {
	var facts []string
	if accepts := n.accepts(); accepts != "" {
		facts = append(facts, accepts)
	}
	if n.Default != "" {
		facts = append(facts, "default "+n.Default)
	}
	if n.Inert {
		facts = append(facts, withoutEffect)
	}
	if len(facts) == 0 {
		return n.Help
	}
	return n.Help + " (" + strings.Join(facts, ", ") + ")"
}

// accepts says in a few words which values n takes; "" when its type says enough.
func (n *Node) accepts() string {
	var text string
	switch {
	case n.Range != nil:
		text = fmt.Sprintf("%d..%d", n.Range.Min, n.Range.Max)
		if n.isText() {
			text += " characters"
		}
	case n.IsNumber():
		text = wholeRange(n.scalar)
	}
	if n.Unit != "" {
		text = strings.TrimSpace(text + " " + n.Unit)
	}
	return text
}

// check is everything the tags say about text, apart from its Go type.
func (n *Node) check(text string) error {
	if n.isLiteral(text) {
		return nil
	}
	if n.IsKey && text == "" {
		return Problem{Message: "an empty name", Hint: "expected " + n.Help}
	}
	if len(n.enum) > 0 {
		if _, ok := n.enum[text]; !ok {
			hint := DidYouMean(text, n.Enum)
			if hint == "" {
				hint = "expected " + strings.Join(n.Enum, ", ")
			}
			return Problem{Message: fmt.Sprintf("%q is not a value of %s", text, n.Keyword), Hint: hint}
		}
	}
	if n.Range != nil {
		if err := n.inRange(text); err != nil {
			return err
		}
	}
	if n.Pattern != nil && !n.Pattern.MatchString(text) {
		return Problem{Message: fmt.Sprintf("%q does not have the form of %s", text, n.Keyword),
			Hint: "expected " + n.Help + ", matching " + strings.TrimSuffix(strings.TrimPrefix(n.Pattern.String(), "^(?:"), ")$")}
	}
	return nil
}

func (n *Node) inRange(text string) error {
	if n.isText() {
		if l := int64(utf8.RuneCountInString(text)); l < n.Range.Min || l > n.Range.Max {
			return Problem{Message: fmt.Sprintf("%s of %d characters is out of range", n.Keyword, l),
				Hint: fmt.Sprintf("%d..%d characters", n.Range.Min, n.Range.Max)}
		}
		return nil
	}
	i, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return n.mistyped(text, nil)
	}
	if i < n.Range.Min || i > n.Range.Max {
		return Problem{Message: fmt.Sprintf("%s %d is out of range", n.Keyword, i), Hint: "range " + n.accepts()}
	}
	return nil
}

// mistyped says that text is not of n's type; cause may say it better.
func (n *Node) mistyped(text string, cause error) error {
	var message string
	hint := n.accepts()
	switch {
	case n.scalar == reflect.TypeFor[netip.Addr]():
		message = fmt.Sprintf("%q is not an address", text)
		hint = "such as 192.0.2.1 or 2001:db8::1"
	case cause != nil:
		message = cause.Error()
	case n.unmarshals():
		message = fmt.Sprintf("%q is not a value of %s", text, n.Keyword)
	default:
		message = fmt.Sprintf("%q is not a number", text)
	}
	if hint != "" && n.scalar != reflect.TypeFor[netip.Addr]() {
		hint = "expected " + hint
	}
	return Problem{Message: message, Hint: hint}
}

func (n *Node) isLiteral(text string) bool {
	for _, l := range n.Literals {
		if l == text {
			return true
		}
	}
	return false
}

// plain says whether text is stored as typed.
func (n *Node) plain() bool { return n.isText() && !n.unmarshals() }

func (n *Node) isText() bool { return n.scalar.Kind() == reflect.String }

func (n *Node) unmarshals() bool {
	return reflect.PointerTo(n.scalar).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// wholeRange is the range of an integer type.
func wholeRange(t reflect.Type) string {
	if t.Kind() >= reflect.Uint {
		return fmt.Sprintf("0..%d", ^uint64(0)>>(64-t.Bits()))
	}
	high := int64(^uint64(0) >> (65 - t.Bits()))
	return fmt.Sprintf("%d..%d", -high-1, high)
}
