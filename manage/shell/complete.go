package shell

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"sluice/manage/api"
	"sluice/manage/command"
)

// completeTimeout is how long a key waits for the gateway.
const completeTimeout = 3 * time.Second

// key is called by the line editor for every key; it answers ?, Tab and Space.
func (sc *screen) key(line string, pos int, key rune) (newLine string, newPos int, ok bool) {
	if key == endKey {
		return sc.end(line, pos, key)
	}
	if key != '?' && key != '\t' && key != ' ' {
		return "", 0, false
	}
	head, tail := line[:pos], line[pos:]
	start := strings.LastIndexAny(head, " \t|") + 1
	word := head[start:]
	if command.InQuotes(head) || key == ' ' && word == "" {
		return "", 0, false
	}
	ctx, cancel := context.WithTimeout(context.Background(), completeTimeout)
	defer cancel()
	list, err := sc.shell.complete(ctx, head)
	if key == '?' {
		sc.help(list, err)
		return line, pos, true
	}
	if err != nil {
		return "", 0, false // Enter will say what is wrong
	}
	replacement, list := choose(list, word, key)
	if replacement == "" && len(list) == 0 {
		return "", 0, false
	}
	if len(list) > 1 && (replacement == word || replacement == "") {
		if key == ' ' {
			fmt.Fprintf(sc.editor, "%q is ambiguous.\n", word)
		}
		sc.help(list, nil)
		return line, pos, true
	}
	head = head[:start] + replacement
	return head + tail, len(head), true
}

// end answers Ctrl-D: on an empty line input ends, elsewhere the letter under the cursor goes.
func (sc *screen) end(line string, pos int, key rune) (newLine string, newPos int, ok bool) {
	if key != endKey {
		return "", 0, false
	}
	if line == "" {
		sc.keyboard.endLine()
		return line, pos, true
	}
	_, size := utf8.DecodeRuneInString(line[pos:])
	return line[:pos] + line[pos+size:], pos, true
}

// choose says what word becomes with Tab or Space. When that does not go further, list is what it
// may become.
func choose(list []command.Completion, word string, key rune) (replacement string, candidates []command.Completion) {
	free := false
	for _, c := range list {
		switch {
		case c.Text == word && c.Insertable() && key == ' ':
			return word + " ", nil
		case c.Kind == command.KindWord, c.Kind == command.KindLive && key == '\t':
			candidates = append(candidates, c)
		case c.Kind == command.KindValue:
			free = true
		}
	}
	switch {
	case key == ' ' && (free || len(candidates) == 0):
		return "", nil
	case len(candidates) == 0:
		return word, list
	case len(candidates) == 1:
		return insertable(candidates[0].Text) + " ", nil
	}
	return commonPrefix(candidates), candidates
}

// insertable is a completion as it is to be typed.
func insertable(text string) string {
	if strings.HasPrefix(text, `"`) || text == "[" || text == "]" {
		return text
	}
	return command.Quote(text)
}

// commonPrefix is what all completions begin with.
func commonPrefix(list []command.Completion) string {
	prefix := list[0].Text
	for _, c := range list[1:] {
		for !strings.HasPrefix(c.Text, prefix) {
			prefix = prefix[:len(prefix)-1]
		}
	}
	return prefix
}

// help lists what may come next.
func (sc *screen) help(list []command.Completion, err error) {
	if err != nil {
		fmt.Fprint(sc.editor, explain("", "", err))
		return
	}
	fmt.Fprint(sc.editor, helpList(list))
}

// helpList is the list that ? shows.
func helpList(list []command.Completion) string {
	if len(list) == 0 {
		return "No valid completions\n"
	}
	width := 0
	for _, c := range list {
		width = max(width, utf8.RuneCountInString(c.Text))
	}
	width = min(width, 32)
	var b strings.Builder
	b.WriteString("Possible completions:\n")
	for _, c := range list {
		pad := max(0, width-utf8.RuneCountInString(c.Text))
		b.WriteString(strings.TrimRight("  "+c.Text+strings.Repeat(" ", pad)+"  "+c.Help, " ") + "\n")
	}
	return b.String()
}

// complete lists what may come at the end of head.
func (s *Shell) complete(ctx context.Context, head string) ([]command.Completion, error) {
	if segments := command.Cut(head, "|"); len(segments) > 1 && !s.isStatement(head) {
		last := segments[len(segments)-1]
		list, err := pipeTable.Complete(head[last.Start:], nil)
		return list, shift(err, last.Start)
	}
	if s.config != nil {
		return s.completeConfig(ctx, head)
	}
	answer, err := s.client.Complete(ctx, head)
	return answer.Completions, err
}

// isStatement says whether line is a statement, in which | is no pipe.
func (s *Shell) isStatement(line string) bool {
	if s.config == nil {
		return false
	}
	match, err := configTable.Resolve(line)
	return err == nil && slices.Contains(statementVerbs, match.Command.Words)
}

// completeConfig lists what may come next in configuration mode.
func (s *Shell) completeConfig(ctx context.Context, head string) ([]command.Completion, error) {
	var failed error
	list, err := configTable.Complete(head, func(source string, args command.Args) []command.Completion {
		var answer api.Completions
		switch source {
		case "run":
			answer, failed = s.client.Complete(ctx, args["command"])
		case "top":
			at := s.config.at
			s.config.at = nil
			answer.Completions, failed = s.completeConfig(ctx, args["command"])
			s.config.at = at
		default:
			answer, failed = s.client.CompleteEdit(ctx, s.config.id, api.Complete{At: s.config.at, Verb: source, Line: args["path"] + args["statement"]})
		}
		return answer.Completions
	})
	return list, errors.Join(err, failed)
}

// offsetOf is the byte of the line that err is about.
func offsetOf(err error) (offset int, ok bool) {
	var wrong *command.Error
	if errors.As(err, &wrong) {
		return wrong.Offset, true
	}
	var refused *api.Error
	if errors.As(err, &refused) && refused.Offset != nil {
		return *refused.Offset, true
	}
	return 0, false
}
