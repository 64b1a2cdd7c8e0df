package command

import (
	"slices"
	"strings"
)

// Kind says what a completion is.
type Kind string

// Kinds of completions.
const (
	KindWord  Kind = "word"  // a keyword
	KindLive  Kind = "live"  // a name that exists now
	KindValue Kind = "value" // a placeholder: something is to be typed here
	KindEnter Kind = "enter" // the command can be run as it is
	KindPipe  Kind = "pipe"  // the output can be piped
)

// Completion is one thing that may come next in a line.
type Completion struct {
	Text string `json:"text"`
	Help string `json:"help,omitempty"`
	Kind Kind   `json:"kind"`
}

// Insertable says whether the completion can be put into the line.
func (c Completion) Insertable() bool { return c.Kind == KindWord || c.Kind == KindLive }

// Enter and Pipe are the completions of a command that is whole.
var (
	Enter = Completion{Text: "<[Enter]>", Help: "Execute this command", Kind: KindEnter}
	Pipe  = Completion{Text: "|", Help: "Pipe through a command", Kind: KindPipe}
)

// Live lists the values of a source that exist now; args are the options typed so far.
type Live func(source string, args Args) []Completion

// Complete lists what may stand at the end of line: in place of its last word when the line ends
// in one, after it when the line ends in a blank. The error is that of the words before.
func (t *Table[D]) Complete(line string, live Live) ([]Completion, error) {
	tokens, err := Split(line)
	if err != nil {
		// An open quote: its text is being typed.
		tokens, err = Split(line + `"`)
		if err != nil {
			return nil, err
		}
	}
	last := Token{Start: len(line), End: len(line)}
	if n := len(tokens); n > 0 && (tokens[n-1].End >= len(line)) {
		last, tokens = tokens[n-1], tokens[:n-1]
	}
	w := t.walk(line[:last.Start], tokens)
	if w.err != nil {
		return nil, w.err
	}
	if live == nil {
		live = func(string, Args) []Completion { return nil }
	}
	return w.candidates(line, last, live), nil
}

// candidates are the completions of the word last.
func (w *walker[D]) candidates(line string, last Token, live Live) []Completion {
	if w.pending != nil {
		return w.values(w.pending.Value, last.Text, live)
	}
	if w.rest >= 0 {
		return live(w.node.command.Rest.Live, Args{w.node.command.Rest.Name: line[w.rest:]})
	}
	var found []Completion
	if !last.Quoted {
		for _, k := range w.next() {
			if strings.HasPrefix(k.word, last.Text) {
				found = append(found, Completion{k.word, k.help, KindWord})
			}
		}
	}
	for _, o := range w.options() {
		if o.Bare {
			found = append(found, w.values(o.Value, last.Text, live)...)
		}
	}
	c := w.node.command
	if c == nil {
		return found
	}
	if c.Rest != nil {
		args := Args{c.Rest.Name: line[last.Start:]}
		found = append(found, live(c.Rest.Live, args)...)
		if len(found) == 0 {
			found = append(found, Completion{"<" + c.Rest.Name + ">", c.Rest.Help, KindValue})
		}
	}
	if last.Text == "" && w.complete("") == nil && !hasKind(found, KindEnter) {
		found = append([]Completion{Enter}, append(found, Pipe)...)
	}
	return found
}

// values are the completions of an argument.
func (w *walker[D]) values(v *Value, prefix string, live Live) []Completion {
	var found []Completion
	for _, word := range v.Words {
		if strings.HasPrefix(word, prefix) {
			found = append(found, Completion{word, "", KindWord})
		}
	}
	if v.Live != "" {
		for _, c := range live(v.Live, w.args) {
			if strings.HasPrefix(c.Text, prefix) {
				found = append(found, c)
			}
		}
	}
	if len(v.Words) == 0 && (prefix == "" || len(found) == 0) {
		found = append([]Completion{{"<" + v.Name + ">", v.Help, KindValue}}, found...)
	}
	return found
}

func hasKind(list []Completion, kind Kind) bool {
	return slices.ContainsFunc(list, func(c Completion) bool { return c.Kind == kind })
}
