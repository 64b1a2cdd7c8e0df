package shell

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"sluice/manage/api"
	"sluice/manage/command"
	"sluice/manage/view"
)

// answer is the result of a command before its pipes: data with the view that shows it, or text.
type answer struct {
	view string
	data json.RawMessage
	text string
}

// pipeline is what follows the first | of a line.
type pipeline struct {
	display  string        // json, set, xml, inheritance or ""
	compare  *int          // revision to compare with
	refresh  time.Duration // time between repeats, 0 for none
	noMore   bool          // no pager
	filters  []filter
	file     string // save and append write here
	appendTo bool
	onward   bool // tee: show it too

	noConfirm bool // what the command asks is answered with yes
}

// filter works on the lines of an output.
type filter func([]string) []string

// pipe reads the arguments of one pipe command into a pipeline.
type pipe func(*pipeline, command.Args) error

// pipeHelp is the help of every pipe command.
var pipeHelp = map[string]string{
	"append": "Add the output to a file", "compare": "Compare a configuration with a revision", "compare rollback": "Compare with this revision",
	"count": "Count the lines", "display": "Show in another form", "display inheritance": "Show what groups add, and from which",
	"display json": "Show as JSON", "display set": "Show as set statements", "display xml": "Show as XML",
	"except": "Leave out lines that match", "find": "Begin at the first line that matches", "last": "Show the last lines only",
	"match": "Show only lines that match", "no-confirm": "Do it without asking", "no-more": "Do not stop at every page", "refresh": "Repeat until interrupted",
	"save": "Write the output to a file", "tee": "Write the output to a file and show it", "trim": "Cut characters from the start of lines",
}

// pipeTable are the commands that may follow a |.
var pipeTable = command.NewTable(pipeHelp, []command.Command[pipe]{
	{Words: "append", Options: []command.Option{needed("filename", fileValue)}, Do: func(p *pipeline, a command.Args) error {
		p.file, p.appendTo = a["filename"], true
		return nil
	}},
	{Words: "compare", Do: func(p *pipeline, _ command.Args) error { p.compare = new(int); return nil }},
	{Words: "compare rollback", Options: []command.Option{needed("number", &command.Value{Name: "number", Help: "Revision (0..49)", Check: numberIn(0, 49)})}, Do: func(p *pipeline, a command.Args) error {
		n, err := strconv.Atoi(a["number"])
		p.compare = &n
		return err
	}},
	{Words: "count", Do: func(p *pipeline, _ command.Args) error { p.filters = append(p.filters, countLines); return nil }},
	{Words: "display inheritance", Do: displaying("inheritance")},
	{Words: "display json", Do: displaying("json")},
	{Words: "display set", Do: displaying("set")},
	{Words: "display xml", Do: displaying("xml")},
	{Words: "except", Options: []command.Option{needed("pattern", patternValue)}, Do: matching(func(lines []string, re *regexp.Regexp) []string {
		return keep(lines, func(line string) bool { return !re.MatchString(line) })
	})},
	{Words: "find", Options: []command.Option{needed("pattern", patternValue)}, Do: matching(func(lines []string, re *regexp.Regexp) []string {
		for i, line := range lines {
			if re.MatchString(line) {
				return lines[i:]
			}
		}
		return nil
	})},
	{Words: "last", Options: []command.Option{{Name: "lines", Help: "Lines", Bare: true, Value: &command.Value{Name: "lines", Help: "Number of lines (1..1000000, 20 when absent)", Check: numberIn(1, 1_000_000)}}}, Do: func(p *pipeline, a command.Args) error {
		n := 20
		if a.Has("lines") {
			n, _ = strconv.Atoi(a["lines"]) // checked
		}
		p.filters = append(p.filters, func(lines []string) []string { return lines[max(0, len(lines)-n):] })
		return nil
	}},
	{Words: "match", Options: []command.Option{needed("pattern", patternValue)}, Do: matching(func(lines []string, re *regexp.Regexp) []string {
		return keep(lines, re.MatchString)
	})},
	{Words: "no-confirm", Do: func(p *pipeline, _ command.Args) error { p.noConfirm = true; return nil }},
	{Words: "no-more", Do: func(p *pipeline, _ command.Args) error { p.noMore = true; return nil }},
	{Words: "refresh", Options: []command.Option{{Name: "seconds", Help: "Seconds", Bare: true, Value: &command.Value{Name: "seconds", Help: "Seconds between repeats (1..86400, 1 when absent)", Check: numberIn(1, 86400)}}}, Do: func(p *pipeline, a command.Args) error {
		n := 1
		if a.Has("seconds") {
			n, _ = strconv.Atoi(a["seconds"]) // checked
		}
		p.refresh = time.Duration(n) * time.Second
		return nil
	}},
	{Words: "save", Options: []command.Option{needed("filename", fileValue)}, Do: func(p *pipeline, a command.Args) error {
		p.file = a["filename"]
		return nil
	}},
	{Words: "tee", Options: []command.Option{needed("filename", fileValue)}, Do: func(p *pipeline, a command.Args) error {
		p.file, p.onward = a["filename"], true
		return nil
	}},
	{Words: "trim", Options: []command.Option{needed("columns", &command.Value{Name: "columns", Help: "Characters to cut (1..1000)", Check: numberIn(1, 1000)})}, Do: func(p *pipeline, a command.Args) error {
		n, _ := strconv.Atoi(a["columns"]) // checked
		p.filters = append(p.filters, func(lines []string) []string { return trimLines(lines, n) })
		return nil
	}},
})

// patternValue is a regular expression.
var patternValue = &command.Value{Name: "pattern", Help: "Text or regular expression, capital or small letters alike", Check: func(text string) error {
	if _, err := regexp.Compile(text); err != nil {
		return fmt.Errorf("%q is not a regular expression", text)
	}
	return nil
}}

// needed is an argument that a command cannot do without.
func needed(name string, v *command.Value) command.Option {
	return command.Option{Name: name, Help: v.Help, Value: v, Bare: true, Required: true}
}

func displaying(form string) pipe {
	return func(p *pipeline, _ command.Args) error {
		if p.display != "" {
			return errors.New("display can be given once")
		}
		p.display = form
		return nil
	}
}

// matching makes a pipe of a filter that works with a pattern.
func matching(f func([]string, *regexp.Regexp) []string) pipe {
	return func(p *pipeline, a command.Args) error {
		re, err := regexp.Compile("(?i)" + a["pattern"])
		if err != nil {
			return err
		}
		p.filters = append(p.filters, func(lines []string) []string { return f(lines, re) })
		return nil
	}
}

func keep(lines []string, wanted func(string) bool) []string {
	var kept []string
	for _, line := range lines {
		if wanted(line) {
			kept = append(kept, line)
		}
	}
	return kept
}

func countLines(lines []string) []string {
	return []string{fmt.Sprintf("Count: %d lines", len(lines))}
}

// trimLines cuts n characters from the start of every line.
func trimLines(lines []string, n int) []string {
	cut := make([]string, len(lines))
	for i, line := range lines {
		runes := []rune(line)
		cut[i] = string(runes[min(n, len(runes)):])
	}
	return cut
}

// splitPipes cuts the pipes off a line.
func splitPipes(line string) (head string, p *pipeline, err error) {
	segments := command.Cut(line, "|")
	p = &pipeline{}
	for _, segment := range segments[1:] {
		match, err := pipeTable.Resolve(segment.Text)
		if err == nil {
			err = match.Command.Do(p, match.Args)
		}
		if err != nil {
			return "", nil, shift(err, segment.Start)
		}
	}
	return segments[0].Text, p, nil
}

// shift moves the place of an error to where its text stands in the whole line.
func shift(err error, by int) error {
	var wrong *command.Error
	if errors.As(err, &wrong) {
		return &command.Error{Offset: wrong.Offset + by, Message: wrong.Message, Hint: wrong.Hint}
	}
	return err
}

// present gets an answer and shows it as p says.
func (s *Shell) present(ctx context.Context, p *pipeline, get func(context.Context) (answer, error)) error {
	if p.refresh > 0 {
		return s.repeat(ctx, p, get)
	}
	ctx, stop := s.interrupt(ctx)
	a, err := get(ctx)
	stop()
	if err != nil {
		return err
	}
	return s.showAnswer(a, p)
}

// repeat gets and shows answers until it is interrupted.
func (s *Shell) repeat(ctx context.Context, p *pipeline, get func(context.Context) (answer, error)) error {
	once := *p
	once.refresh, once.noMore = 0, true
	ctx, stop := s.interrupt(ctx)
	defer stop()
	tick := time.NewTicker(p.refresh)
	defer tick.Stop()
	for {
		a, err := get(ctx)
		if err == nil {
			fmt.Fprintf(s.out, "---(refreshed at %s)---\n", time.Now().Format("2006-01-02 15:04:05 MST"))
			err = s.showAnswer(a, &once)
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// configurationView is the answer that is a configuration, already in the form asked for.
const configurationView = "configuration"

// text is the text of a in the form that p asks for.
func (p *pipeline) text(a answer) (string, error) {
	switch {
	case a.view == "":
		return a.text, nil
	case a.view == configurationView:
	case p.compare != nil:
		return "", &api.Error{Message: "only configurations can be compared"}
	case p.display == "json":
		var out strings.Builder
		encoder := json.NewEncoder(&out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "    ")
		err := encoder.Encode(a.data)
		return out.String(), err
	case p.display != "":
		return "", &api.Error{Message: "display " + p.display + " is for configurations", Hint: "this answer can be had with display json"}
	}
	var out strings.Builder
	err := view.Render(&out, a.view, a.data)
	return out.String(), err
}

// showAnswer shows one answer as p says: filtered, and on the screen or in a file.
func (s *Shell) showAnswer(a answer, p *pipeline) error {
	text, err := p.text(a)
	if err != nil {
		return err
	}
	if len(p.filters) > 0 {
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		if text == "" {
			lines = nil
		}
		for _, f := range p.filters {
			lines = f(lines)
		}
		text = ""
		if len(lines) > 0 {
			text = strings.Join(lines, "\n") + "\n"
		}
	}
	if p.file != "" {
		if err := writeOutput(p.file, text, p.appendTo); err != nil {
			return err
		}
		if !p.onward {
			fmt.Fprintf(s.err, "Wrote %d lines of output to '%s'\n", strings.Count(text, "\n"), p.file)
			return nil
		}
	}
	if s.page != nil && !utf8.ValidString(text) {
		return &api.Error{Message: "the answer is not text", Hint: "name a file for it, or use | save"}
	}
	if s.page != nil && !p.noMore {
		return s.page(text)
	}
	_, err = fmt.Fprint(s.out, text)
	return err
}

// writeOutput writes text to a file, in place of what it held or after it.
func writeOutput(name, text string, more bool) error {
	flags := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	if more {
		flags = os.O_CREATE | os.O_WRONLY | os.O_APPEND
	}
	f, err := os.OpenFile(name, flags, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(text); err != nil {
		return errors.Join(err, f.Close())
	}
	return f.Close()
}
