package tree

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"sluice/store/schema"
)

// deepest is the deepest nesting of braces in a text.
const deepest = 64

// parser reads the curly form into statements.
type parser struct {
	lexer
	lenient  bool // keep what this version does not know; otherwise it is a problem
	ahead    token
	faults   []fault
	comments []string // read since the last statement
	head     []token
	walk     walker
}

// Parse reads a stored configuration: the curly form, or set statements. Statements and values
// that this version does not know are kept as they are; [Tree.Decode] names them. Everything
// else that is wrong is a problem that names its line.
func Parse(text string) (*Tree, []schema.Problem) {
	t := New()
	if isSetForm(text) {
		return t, t.loadLines(nil, text)
	}
	p := &parser{lexer: lexer{text: text}, lenient: true}
	p.top(t.root, false, false)
	return t, p.problems()
}

// isSetForm says whether the first statement of text begins with an edit command and ends with
// its line.
func isSetForm(text string) bool {
	l := &lexer{text: text, lines: true}
	first := true
	for {
		t, bad := l.next()
		switch {
		case bad != nil, t.kind == semicolon, t.kind == openBrace, t.kind == closeBrace:
			return false
		case t.kind == endOfText, t.kind == newline && !first:
			return !first
		case t.kind == wordToken && first:
			if _, is := verbs[t.text]; !is || t.quoted {
				return false
			}
			first = false
		}
	}
}

// problems are the faults with their lines.
func (p *parser) problems() []schema.Problem {
	var list []schema.Problem
	for i := range p.faults {
		line, _ := position(p.text, p.faults[i].offset)
		list = append(list, atLine(line, located(p.text, &p.faults[i])))
	}
	return list
}

// atLine is err as a problem of one line of a text.
func atLine(line int, err error) schema.Problem {
	p := schema.Problem{Message: err.Error()}
	if e, ok := errors.AsType[*StatementError](err); ok {
		p = schema.Problem{Message: e.Message, Hint: e.advice()}
	}
	p.Message = fmt.Sprintf("line %d: %s", line, p.Message)
	return p
}

// top reads the whole text into base.
func (p *parser) top(base *statement, inside, group bool) {
	p.advance()
	for {
		p.block(base, inside, group, 0)
		if p.ahead.kind == endOfText {
			return
		}
		p.fail(p.ahead, "a } that closes nothing")
		p.advance()
	}
}

// advance reads the next token, past what is no token.
func (p *parser) advance() {
	for {
		t, bad := p.next()
		if bad == nil {
			p.ahead = t
			return
		}
		p.faults = append(p.faults, *bad)
	}
}

func (p *parser) fail(t token, message string) {
	p.faults = append(p.faults, fault{offset: t.offset, message: message})
}

// block reads statements into base up to a closing brace or the end.
func (p *parser) block(base *statement, inside, group bool, depth int) {
	for {
		switch p.ahead.kind {
		case endOfText, closeBrace:
			p.comments = nil
			return
		case semicolon:
			p.advance()
		case commentToken:
			p.comments = append(p.comments, p.ahead.text)
			p.advance()
		default:
			p.statement(base, inside, group, depth)
		}
	}
}

// statement reads one statement with its marks, and what it holds.
func (p *parser) statement(base *statement, inside, group bool, depth int) {
	var marked statement
	if len(p.comments) > 0 {
		marked.comment = tidyComment(strings.Join(p.comments, "\n"))
		p.comments = nil
	}
	for ; p.ahead.kind == wordToken && !p.ahead.quoted; p.advance() {
		switch p.ahead.text {
		case markInactive:
			marked.inactive = true
			continue
		case markProtect:
			marked.protected = true
			continue
		case markReplace:
			marked.replace = true
			continue
		}
		break
	}
	p.head = p.head[:0]
	for p.ahead.kind == wordToken || p.ahead.kind == openBracket || p.ahead.kind == closeBracket || p.ahead.kind == commentToken {
		if p.ahead.kind != commentToken {
			p.head = append(p.head, p.ahead)
		}
		p.advance()
	}
	sign := p.ahead
	if len(p.head) == 0 {
		p.fail(sign, "a statement is missing")
	} else if sign.kind == endOfText {
		p.fail(sign, "the last statement does not end with ;")
	}
	s, ok := (*statement)(nil), false
	if len(p.head) > 0 {
		s, ok = p.place(base, inside, group, sign.kind == openBrace, &marked)
	}
	switch sign.kind {
	case openBrace:
		var head []token
		if ok && s.grammar == nil {
			head = slices.Clone(p.head)
		}
		p.advance()
		p.body(s, ok, p.walk.group, sign, depth)
		if head != nil && len(s.children) == 0 && slices.Contains(base.children, s) {
			// Braces around nothing are no different from none.
			base.remove(s)
			p.head = head
			p.place(base, inside, group, false, &marked)
		}
	case semicolon:
		p.advance()
	}
}

// body reads what s holds between braces; without s it is skipped.
func (p *parser) body(s *statement, ok, group bool, open token, depth int) {
	if depth == deepest {
		p.fail(open, "braces are nested too deeply")
		ok = false
	}
	if ok {
		p.block(s, s.holder, group, depth+1)
	} else {
		p.skip()
	}
	if p.ahead.kind == endOfText {
		p.fail(open, "a { that is not closed")
		return
	}
	p.advance()
}

// skip passes over a block that belongs to nothing.
func (p *parser) skip() {
	for depth := 0; p.ahead.kind != endOfText; p.advance() {
		switch p.ahead.kind {
		case openBrace:
			depth++
		case closeBrace:
			if depth == 0 {
				return
			}
			depth--
		}
	}
}

// place makes the statement of p.head below base and gives it its marks. It returns the statement
// whose body follows, if one may.
func (p *parser) place(base *statement, inside, group, body bool, marked *statement) (*statement, bool) {
	if base.grammar == nil {
		return p.unknown(base, p.head, marked), true
	}
	w := &p.walk
	w.abbreviate, w.lenient, w.path = false, p.lenient, false
	w.begin(base.grammar, inside, group)
	// A stored container has one value without a keyword; another such word is an unknown statement.
	w.valued = p.lenient && base.grammar.Value != nil && base.find(base.grammar.Value, nil, false) != nil
	known, steps, parent := 0, 0, -1 // tokens, steps and container at the end of the last complete statement
	var bad *fault
	for i, t := range p.head {
		if bad = w.feed(t); bad != nil {
			break
		}
		if w.pending == nil || w.optional && len(w.args) == 0 {
			known, steps, parent = i+1, len(w.steps), w.parent
		}
	}
	if bad == nil {
		bad = w.finish(p.ahead.offset)
	}
	if bad == nil && body && !w.holds() {
		bad = &fault{offset: p.ahead.offset, message: fmt.Sprintf("%s holds no statements", p.head[len(p.head)-1].text)}
		known, steps, parent = 0, 0, -1
	}
	if bad != nil && !p.lenient {
		p.faults = append(p.faults, *bad)
		return nil, false
	}
	made := apply(base, w.steps[:steps])
	if bad == nil {
		made[0].take(marked)
		return made[len(made)-1], true
	}
	if steps == 0 {
		return p.unknown(base, p.head, marked), true
	}
	made[0].take(marked)
	if parent >= 0 {
		base = made[parent]
	}
	return p.unknown(base, p.head[known:], &statement{}), true
}

// holds says whether the walk ended in a statement that may hold others.
func (w *walker) holds() bool { return w.parent == len(w.steps)-1 }

// unknown keeps words that the grammar does not know below base.
func (p *parser) unknown(base *statement, words []token, marked *statement) *statement {
	args := make([]string, len(words))
	for i, t := range words {
		args[i] = t.text
		if t.kind == wordToken && (t.quoted || !isMark(t.text)) {
			args[i] = Quote(t.text)
		}
	}
	s := base.find(nil, args, false)
	if s == nil {
		s = &statement{args: args}
		base.insert(s)
	}
	s.take(marked)
	return s
}

func isMark(word string) bool {
	return word == markInactive || word == markProtect || word == markReplace
}

// take gives s the marks and comment that were read before it.
func (s *statement) take(marked *statement) {
	s.inactive = s.inactive || marked.inactive
	s.protected = s.protected || marked.protected
	s.replace = s.replace || marked.replace
	if marked.comment != "" {
		s.comment = marked.comment
	}
}
