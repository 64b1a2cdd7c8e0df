package tree

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"sluice/store/schema"
)

// ErrNotFound is the error of an edit of something that is not there.
var ErrNotFound = errors.New("statement not found")

// StatementError says what is wrong with one typed statement, and where.
type StatementError struct {
	Column   int      // of the first wrong character, from 1; 0 when no single word is wrong
	Message  string   // what is wrong
	Expected []string // words that could stand there
	Hint     string   // what to do, or the nearest names
	cause    error
}

// Error is the whole on one line.
func (e *StatementError) Error() string {
	text := e.Message
	if e.Column > 0 {
		text = fmt.Sprintf("column %d: %s", e.Column, text)
	}
	if advice := e.advice(); advice != "" {
		text += " (" + advice + ")"
	}
	return text
}

// Unwrap is the kind of error, such as [ErrNotFound].
func (e *StatementError) Unwrap() error { return e.cause }

// manyWords is the number of expected words an error names at most.
const manyWords = 12

func (e *StatementError) advice() string {
	var parts []string
	if n := len(e.Expected); n > 0 {
		list := strings.Join(e.Expected[:min(n, manyWords)], ", ")
		if n > manyWords {
			list += " …"
		}
		parts = append(parts, "expected "+list)
	}
	if e.Hint != "" {
		parts = append(parts, e.Hint)
	}
	return strings.Join(parts, "; ")
}

// verbs are the edit statements.
var verbs = map[string]func(*edit) error{
	"set": (*edit).set, "delete": (*edit).delete, "insert": (*edit).insert, "rename": (*edit).rename, "copy": (*edit).copy,
	"activate":   func(e *edit) error { return e.mark(func(s *statement) { s.inactive = false }) },
	"deactivate": func(e *edit) error { return e.mark(func(s *statement) { s.inactive = true }) },
	"protect":    func(e *edit) error { return e.guard(true) },
	"unprotect":  func(e *edit) error { return e.guard(false) },
	"annotate":   (*edit).annotate, "replace": (*edit).replace, "wildcard": (*edit).wildcard,
}

// edit is one edit statement being executed. It changes the tree only once nothing can fail.
type edit struct {
	tree  *Tree
	text  string
	at    []token // the edit level
	words []token // after the verb
}

// Run executes one edit statement at the edit level at: set, delete, insert … before|after …,
// rename … to …, copy … to …, deactivate, activate, annotate … "text", protect, unprotect,
// replace pattern A with B [upto N], wildcard delete. Keywords may be shortened to what is unique.
// The tree is unchanged when the error, a [*StatementError], is not nil.
func (t *Tree) Run(at []string, statement string) error {
	l := &lexer{text: statement, lines: true}
	var words []token
	for {
		tok, bad := l.next()
		if bad != nil {
			return located(statement, bad)
		}
		if tok.kind == endOfText {
			break
		}
		if tok.kind != newline && tok.kind != commentToken {
			words = append(words, tok)
		}
	}
	return t.run(at, statement, words)
}

func (t *Tree) run(at []string, text string, words []token) error {
	if len(words) == 0 {
		return nil
	}
	verb, bad := verbOf(words[0])
	if bad != nil {
		return located(text, bad)
	}
	e := &edit{tree: t, text: text, at: tokensOf(at), words: words[1:]}
	return verbs[verb](e)
}

// verbOf is the verb that a word abbreviates.
func verbOf(t token) (string, *fault) {
	if _, ok := verbs[t.text]; ok {
		return t.text, nil
	}
	var all, found []string
	for v := range verbs {
		all = append(all, v)
		if strings.HasPrefix(v, t.text) {
			found = append(found, v)
		}
	}
	slices.Sort(all)
	slices.Sort(found)
	if len(found) == 1 && t.kind == wordToken {
		return found[0], nil
	}
	f := &fault{offset: t.offset, message: fmt.Sprintf("%q is not an edit command", t.text), expected: all, hint: schema.DidYouMean(t.text, all)}
	if len(found) > 1 {
		f.message, f.expected, f.hint = fmt.Sprintf("%q is ambiguous", t.text), found, ""
	}
	return "", f
}

// tokensOf is an edit level as tokens without a place.
func tokensOf(words []string) []token {
	tokens := make([]token, len(words))
	for i, w := range words {
		tokens[i] = token{text: w, offset: -1}
	}
	return tokens
}

// located is the error of a fault in a typed statement.
func located(text string, f *fault) error {
	e := &StatementError{Message: f.message, Expected: f.expected, Hint: f.hint}
	if f.offset >= 0 {
		_, e.Column = position(text, f.offset)
	} else {
		e.Message = "edit level: " + e.Message
	}
	return e
}

// end is the offset at which the statement ends.
func (e *edit) end() int { return len(e.text) }

// walk follows the edit level and words through the grammar.
func (e *edit) walk(words []token, path bool) (*walker, error) {
	w := &walker{abbreviate: true, path: path}
	w.begin(schema.Root(), false, false)
	for _, t := range e.at {
		if f := badText(t); f != nil { // these words were never cut from a text
			return nil, located(e.text, f)
		}
	}
	for _, t := range slices.Concat(e.at, words) {
		if f := w.feed(t); f != nil {
			return nil, located(e.text, f)
		}
	}
	if f := w.finish(e.end()); f != nil {
		return nil, located(e.text, f)
	}
	return w, nil
}
