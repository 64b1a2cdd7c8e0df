package scan

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/flier/gohs/hyperscan"
)

// checkSyntax refuses an expression that Hyperscan cannot take or should not be given, in the words
// of the one who wrote it. What it lets pass may still be wrong.
func checkSyntax(expression string) error {
	switch {
	case expression == "":
		return errors.New("the expression is empty")
	case len(expression) > MaxLength:
		return fmt.Errorf("the expression is %d bytes long, at most %d are allowed", len(expression), MaxLength)
	}
	for i, r := range expression {
		if r == 0 || r > 0x7e {
			_, size := decodeAt(expression, i)
			return fmt.Errorf("character %d is not ASCII: write %s as %s", i+1, strconv.Quote(expression[i:i+size]), escaped(expression[i:i+size]))
		}
	}
	r := reader{text: expression}
	size := r.sequence()
	switch {
	case r.problem != nil:
		return r.problem
	case size > MaxSize:
		return fmt.Errorf("the expression is too large: %d characters when its repeats are written out, at most %d are allowed", size, MaxSize)
	}
	return nil
}

// decodeAt is the character that begins at i, or the byte where there is none.
func decodeAt(s string, i int) (r rune, size int) {
	for j, c := range s[i:] {
		if j > 0 {
			return r, j
		}
		r = c
	}
	return r, len(s) - i
}

// escaped is how bytes are written in an expression.
func escaped(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, `\x%02x`, s[i])
	}
	return b.String()
}

// reader goes through an expression to find what is not supported, and how large it is. It leaves
// it to Hyperscan to find what is malformed.
type reader struct {
	text    string
	at      int
	problem error // the first one
}

// unsupported constructs, by what they begin with; the longest first.
var unsupported = []struct{ start, name string }{
	{"(?<=", "look-behind"}, {"(?<!", "look-behind"}, {"(?=", "look-ahead"}, {"(?!", "look-ahead"},
	{"(?>", "an atomic group"}, {"(?P=", "a back-reference"}, {"(?P>", "a call of a group"},
	{"(?&", "a call of a group"}, {"(?R", "recursion"}, {"(?(", "a condition"}, {"(*", "a control verb"},
	{`\k`, "a back-reference"}, {`\g`, "a back-reference"},
	{"*+", "a possessive repeat"}, {"++", "a possessive repeat"}, {"?+", "a possessive repeat"},
}

// refuse reports a construct that begins here.
func (r *reader) refuse(name string) {
	if r.problem == nil {
		r.problem = fmt.Errorf("character %d: %s is not supported", r.at+1, name)
	}
}

// sequence reads up to the end of the group, and returns how many characters and classes there are
// when repeats are written out.
func (r *reader) sequence() (size int) {
	last := 0 // size of what a repeat would repeat
	for r.at < len(r.text) {
		rest := r.text[r.at:]
		for _, u := range unsupported {
			if strings.HasPrefix(rest, u.start) {
				r.refuse(u.name)
			}
		}
		switch c := rest[0]; {
		case c == ')':
			return size
		case strings.HasPrefix(rest, "(?#"):
			r.skipPast(")")
			continue
		case c == '(':
			last = r.group()
		case c == '[':
			r.class()
			last = 1
		case c == '\\':
			last = r.escape()
		case c == '*' || c == '+' || c == '?':
			r.at++
			continue
		case c == '{':
			if times, length := repeat(rest); length > 0 {
				size, last = capped(size+last*(times-1)), capped(last*times)
				r.at += length
				if strings.HasPrefix(r.text[r.at:], "+") {
					r.refuse("a possessive repeat")
				}
				continue
			}
			r.at++
			last = 1
		case c == '|' || c == '^' || c == '$':
			r.at++
			continue
		default:
			r.at++
			last = 1
		}
		size = capped(size + last)
	}
	return size
}

// capped keeps sizes from overflowing.
func capped(size int) int { return min(size, 1<<30) }

// repeat reads {n}, {n,} or {n,m}: how often it repeats at most, once at least, and the length of
// the text; 0 where it is none.
func repeat(s string) (times, length int) {
	close := strings.IndexByte(s, '}')
	if close < 0 {
		return 0, 0
	}
	low, high, ranged := strings.Cut(s[1:close], ",")
	n, err := strconv.ParseUint(low, 10, 20)
	m := n
	if ranged && high != "" && err == nil {
		m, err = strconv.ParseUint(high, 10, 20)
	}
	if errors.Is(err, strconv.ErrRange) {
		return 1 << 20, close + 1
	}
	if err != nil {
		return 0, 0
	}
	return int(max(n, m, 1)), close + 1
}

// skipPast goes on behind the next occurrence of end.
func (r *reader) skipPast(end string) {
	i := strings.Index(r.text[r.at:], end)
	if i < 0 {
		r.at = len(r.text)
		return
	}
	r.at += i + len(end)
}

// group reads a group, and returns its size.
func (r *reader) group() (size int) {
	r.at++
	if strings.HasPrefix(r.text[r.at:], "?") {
		r.at++
		r.options()
	}
	size = r.sequence()
	r.at = min(r.at+1, len(r.text))
	return size
}

// options reads what may follow "(?": a name, or flags.
func (r *reader) options() {
	for r.at < len(r.text) {
		switch c := r.text[r.at]; {
		case c == '<':
			r.skipPast(">")
			return
		case c == '\'':
			r.at++
			r.skipPast("'")
			return
		case c == ':':
			r.at++
			return
		case c == 'x':
			r.refuse("free layout")
		case c >= '0' && c <= '9' || c == '+':
			r.refuse("a call of a group")
		case c == ')':
			return
		}
		r.at++
	}
}

// class reads a class of characters.
func (r *reader) class() {
	r.at++
	if strings.HasPrefix(r.text[r.at:], "^") {
		r.at++
	}
	for first := true; r.at < len(r.text); first = false {
		rest := r.text[r.at:]
		switch {
		case rest[0] == ']' && !first:
			r.at++
			return
		case strings.HasPrefix(rest, "[:") && strings.Contains(rest, ":]"):
			r.skipPast(":]")
		case strings.HasPrefix(rest, `\Q`):
			r.skipPast(`\E`)
		case rest[0] == '\\':
			r.at = min(r.at+2, len(r.text))
		default:
			r.at++
		}
	}
}

// escape reads what begins with a backslash, and returns its size.
func (r *reader) escape() (size int) {
	rest := r.text[r.at+1:]
	switch {
	case rest == "":
		r.at++
		return 0
	case rest[0] == 'Q':
		begin := r.at
		r.skipPast(`\E`)
		return r.at - begin
	case rest[0] >= '1' && rest[0] <= '9' && (len(rest) == 1 || rest[1] < '0' || rest[1] > '9'):
		r.refuse("a back-reference")
	case len(rest) > 1 && rest[1] == '{' && strings.ContainsRune("xopP", rune(rest[0])):
		r.skipPast("}")
		return 1
	}
	r.at += 2
	return 1
}

// explain puts an error of Hyperscan into the words of the one who wrote the expression.
func explain(err error) error {
	var wrong *hyperscan.CompileError
	if !errors.As(err, &wrong) {
		return fmt.Errorf("the expression cannot be compiled: %w", err)
	}
	text := strings.TrimSuffix(wrong.Message, ".")
	switch {
	case strings.Contains(text, "matches empty buffer"):
		return errEmpty
	case strings.Contains(text, "too large"), strings.Contains(text, "limit exceeded"):
		return errors.New("the expression is too complex; shorten its repeats")
	}
	if before, after, ok := strings.Cut(text, "index "); ok {
		digits := len(after) - len(strings.TrimLeft(after, "0123456789"))
		if n, err := strconv.Atoi(after[:digits]); err == nil {
			text = fmt.Sprintf("%scharacter %d%s", before, n+1, after[digits:])
		}
	}
	return errors.New(strings.ToLower(text[:1]) + text[1:])
}

var errEmpty = errors.New("the expression matches the empty text, and so everything")
