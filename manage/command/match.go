package command

import (
	"fmt"
	"slices"
	"strings"

	"sluice/store/schema"
)

// Match is the command a line means.
type Match[D any] struct {
	Command *Command[D]
	Args    Args
}

// Resolve finds the command that line means. Keywords may be abbreviated as long as they stay
// unique; an exact word always wins. A quoted word is never a keyword. The error is an [*Error].
func (t *Table[D]) Resolve(line string) (Match[D], error) {
	tokens, err := Split(line)
	if err != nil {
		return Match[D]{}, err
	}
	w := t.walk(line, tokens)
	if w.err != nil {
		return Match[D]{}, w.err
	}
	if err := w.complete(line); err != nil {
		return Match[D]{}, err
	}
	return Match[D]{w.node.command, w.args}, nil
}

// walker is how far the words of a line lead into a table.
type walker[D any] struct {
	node    *node[D]
	path    string   // the keywords so far, in full
	args    Args     // the options so far
	pending *Option  // the last word was the keyword of this option, whose value is to come
	open    bool     // that value is a list, and its bracket is open
	used    []string // groups and names of options that are taken
	rest    int      // the words are over: what follows this byte of the line is text; -1 while they are not
	err     *Error
}

// walk follows tokens from the top.
func (t *Table[D]) walk(line string, tokens []Token) *walker[D] {
	w := &walker[D]{node: t.root, args: Args{}, rest: -1}
	for _, token := range tokens {
		if w.step(token); w.err != nil {
			return w
		}
		if w.rest >= 0 {
			w.args[w.node.command.Rest.Name] = strings.TrimSpace(line[w.rest:])
			return w
		}
	}
	return w
}

// step takes one word.
func (w *walker[D]) step(token Token) {
	if o := w.pending; o != nil {
		if o.Value.List {
			w.takeMember(o, token)
			return
		}
		w.pending = nil
		w.take(o, token)
		return
	}
	switch matches := w.keywords(token); {
	case len(matches) == 1:
		w.enter(matches[0])
	case len(matches) > 1:
		names := make([]string, len(matches))
		for i, m := range matches {
			names[i] = m.word
		}
		w.err = &Error{token.Start, fmt.Sprintf("%q is ambiguous%s", token.Text, w.after()), "it may be " + strings.Join(names, ", ")}
	default:
		for _, o := range w.options() {
			if o.Bare {
				w.take(o, token)
				return
			}
		}
		if c := w.node.command; c != nil && c.Rest != nil {
			w.rest = token.Start
			return
		}
		w.err = w.unknown(token)
	}
}

// keyword is a word that may come next: a deeper word of the table, or an option.
type keyword[D any] struct {
	word, help string
	node       *node[D]
	option     *Option
}

// keywords are those that token means: the exact one, or all that begin with it.
func (w *walker[D]) keywords(token Token) []keyword[D] {
	if token.Quoted {
		return nil
	}
	var matches []keyword[D]
	for _, k := range w.next() {
		if k.word == token.Text || k.node != nil && k.node.other == token.Text {
			return []keyword[D]{k}
		}
		if strings.HasPrefix(k.word, token.Text) {
			matches = append(matches, k)
		}
	}
	return matches
}

// next are all keywords that may come next, in alphabetical order.
func (w *walker[D]) next() []keyword[D] {
	var all []keyword[D]
	if len(w.args) == 0 {
		for _, c := range w.node.children {
			all = append(all, keyword[D]{word: c.word, help: c.help, node: c})
		}
	}
	for _, o := range w.options() {
		if !o.Bare {
			all = append(all, keyword[D]{word: o.Name, help: o.Help, option: o})
		}
	}
	slices.SortFunc(all, func(a, b keyword[D]) int { return strings.Compare(a.word, b.word) })
	return all
}

// options are those of the command that are not taken yet.
func (w *walker[D]) options() []*Option {
	if w.node.command == nil {
		return nil
	}
	var free []*Option
	for i := range w.node.command.Options {
		o := &w.node.command.Options[i]
		if !slices.Contains(w.used, o.Name) && (o.Group == "" || !slices.Contains(w.used, "group "+o.Group)) {
			free = append(free, o)
		}
	}
	return free
}

// enter goes to keyword k.
func (w *walker[D]) enter(k keyword[D]) {
	if k.node != nil {
		w.node = k.node
		w.path = strings.TrimSpace(w.path + " " + k.word)
		return
	}
	w.use(k.option)
	if k.option.Value == nil {
		w.args[k.option.Name] = ""
		return
	}
	w.pending = k.option
}

// use marks o and its group as taken.
func (w *walker[D]) use(o *Option) {
	w.used = append(w.used, o.Name)
	if o.Group != "" {
		w.used = append(w.used, "group "+o.Group)
	}
}

// take gives option o the value token.
func (w *walker[D]) take(o *Option, token Token) {
	w.use(o)
	text := token.Text
	if len(o.Value.Words) > 0 {
		full, err := pick(text, o.Value.Words)
		if err != "" {
			w.err = &Error{token.Start, err, "it may be " + strings.Join(o.Value.Words, ", ")}
			return
		}
		text = full
	}
	if o.Value.Check != nil {
		if err := o.Value.Check(text); err != nil {
			w.err = &Error{token.Start, err.Error(), o.Value.Help}
			return
		}
	}
	w.args[o.Name] = text
}

// takeMember gives option o, whose value is a list, the next word of it: a value, a bracket, or both.
// Without brackets the list is one value.
func (w *walker[D]) takeMember(o *Option, token Token) {
	before := w.args[o.Name]
	text := token.Text
	if !token.Quoted {
		rest, opens := strings.CutPrefix(text, "[")
		if opens && !w.open {
			w.open, text = true, rest
		}
		if rest, closes := strings.CutSuffix(text, "]"); closes && w.open {
			w.open, text = false, rest
		}
	}
	if !w.open {
		w.pending = nil
	}
	w.args[o.Name] = before
	if text == "" && !token.Quoted {
		return
	}
	if w.take(o, Token{Text: text, Start: token.Start, End: token.End, Quoted: token.Quoted}); before != "" {
		w.args[o.Name] = before + string(listSeparator) + w.args[o.Name]
	}
}

// pick finds the one of words that text means, or says why there is none.
func pick(text string, words []string) (full, problem string) {
	for _, word := range words {
		switch {
		case word == text:
			return word, ""
		case strings.HasPrefix(word, text) && full != "":
			problem = fmt.Sprintf("%q is ambiguous", text)
		case strings.HasPrefix(word, text):
			full = word
		}
	}
	if full == "" {
		problem = fmt.Sprintf("%q is not one of the accepted words", text)
	}
	return full, problem
}

// unknown is the error for a word that fits nothing.
func (w *walker[D]) unknown(token Token) *Error {
	var names []string
	for _, k := range w.next() {
		names = append(names, k.word)
	}
	hint := schema.DidYouMean(token.Text, names)
	switch {
	case hint != "":
	case len(names) == 0:
		hint = "nothing more is expected here"
	case len(names) <= 8:
		hint = "expected " + strings.Join(names, ", ")
	default:
		hint = "type ? for what may stand here"
	}
	return &Error{token.Start, fmt.Sprintf("unknown word %q%s", token.Text, w.after()), hint}
}

// after names the place in messages.
func (w *walker[D]) after() string {
	if w.path == "" {
		return ""
	}
	return fmt.Sprintf(" after %q", w.path)
}

// complete checks that the words make a whole command.
func (w *walker[D]) complete(line string) error {
	end := len(strings.TrimRight(line, " \t\r\n"))
	if w.open {
		return &Error{end, "this list is not closed", "end it with ]"}
	}
	if w.pending != nil {
		return &Error{end, fmt.Sprintf("a value is missing after %q", w.pending.Name), "<" + w.pending.Value.Name + ">: " + w.pending.Value.Help}
	}
	if w.node.command == nil {
		var names []string
		for _, k := range w.next() {
			names = append(names, k.word)
		}
		return &Error{end, "the command is not complete", "it goes on with " + strings.Join(names, ", ")}
	}
	for i := range w.node.command.Options {
		o := &w.node.command.Options[i]
		if o.Required && !w.args.Has(o.Name) {
			return &Error{end, fmt.Sprintf("%q is missing", o.Name), o.Help}
		}
	}
	return nil
}
