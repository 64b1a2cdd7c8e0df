package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"sluice/manage/api"
	"sluice/manage/command"
	"sluice/store/schema"
)

// edit does one command of configuration mode.
type edit func(s *Shell, ctx context.Context, c *change) (answer, error)

// change is one command of configuration mode as it was given.
type change struct {
	words string
	args  command.Args
	pipes *pipeline
}

// configHelp is the help of every word of configuration mode.
var configHelp = map[string]string{
	"activate": "Make an inactive statement count again", "annotate": "Write a comment above a statement",
	"commit": "Put the candidate in force", "copy": "Copy a list entry under another name",
	"deactivate": "Keep a statement without letting it count", "delete": "Delete a statement",
	"edit": "Go to a level of the configuration", "exit": "Go up to where edit came from, or leave configuration mode",
	"help": "Say how to edit the configuration", "insert": "Move a list entry before or after another",
	"load": "Read statements from a file or the terminal", "load merge": "Add a configuration to the candidate",
	"load override": "Take a configuration in place of the candidate", "load replace": "Take the parts tagged replace: in place of those in the candidate",
	"load set": "Run set and delete statements", "protect": "Guard a statement against changes", "quit": "The same as exit",
	"rename": "Give a list entry another name", "replace": "Replace text in statements", "replace pattern": "Replace a pattern with a text",
	"rollback": "Take an earlier revision as the candidate", "run": "Run an operational command", "save": "Write the candidate to a file",
	"set": "Set a statement", "show": "Show the candidate", "status": "Show who edits the configuration",
	"top": "Go to the top of the configuration", "unprotect": "Let a protected statement be changed", "up": "Go one level up",
	"update": "Take what others committed into a private candidate", "wildcard": "Work on several list entries", "wildcard delete": "Delete the statements that match a pattern",
}

// configTable are the commands of configuration mode. Some of them run others, so the table can
// only be made once the program has started.
var configTable *command.Table[edit]

func init() { configTable = command.NewTable(configHelp, configCommands()) }

func configCommands() []command.Command[edit] {
	list := []command.Command[edit]{
		{Words: "commit", Options: []command.Option{
			{Name: "and-quit", Help: "Leave configuration mode afterwards"},
			{Name: "check", Help: "Say whether the candidate can be committed, and change nothing"},
			{Name: "comment", Help: "Text to keep with the revision", Value: &command.Value{Name: "text", Help: "Why the configuration was changed"}},
			{Name: "confirmed", Help: "Roll back unless somebody commits in time"},
			{Name: "minutes", Help: "Time to confirm", Bare: true, Value: &command.Value{Name: "minutes", Help: "Minutes until confirmed rolls back (1..65535, 10 when absent)", Check: numberIn(1, 65535)}},
		}, Do: (*Shell).commit},
		{Words: "edit", Rest: &command.Value{Name: "path", Help: "Level of the configuration", Live: "edit"}, Do: (*Shell).edit},
		{Words: "exit", Options: []command.Option{{Name: "configuration-mode", Help: "Leave configuration mode from any level"}}, Do: (*Shell).exit},
		{Words: "help", Do: (*Shell).help},
		{Words: "quit", Options: []command.Option{{Name: "configuration-mode", Help: "Leave configuration mode from any level"}}, Do: (*Shell).exit},
		{Words: "rollback", Options: []command.Option{{Name: "number", Help: "Revision", Bare: true, Value: &command.Value{Name: "number", Help: "Revision (0..49); 0 is the active one", Check: numberIn(0, 49)}}}, Do: (*Shell).rollback},
		{Words: "run", Rest: &command.Value{Name: "command", Help: "Operational command", Live: "run"}, Do: (*Shell).run},
		{Words: "save", Options: []command.Option{{Name: "filename", Help: "File", Bare: true, Required: true, Value: fileValue}}, Do: (*Shell).save},
		{Words: "show", Rest: &command.Value{Name: "path", Help: "Part of the candidate", Live: "show"}, Do: (*Shell).show},
		{Words: "status", Do: (*Shell).editors},
		{Words: "top", Rest: &command.Value{Name: "command", Help: "Command to run there", Live: "top"}, Do: (*Shell).top},
		{Words: "up", Options: []command.Option{{Name: "number", Help: "Levels", Bare: true, Value: &command.Value{Name: "number", Help: "Levels to go up (1..100)", Check: numberIn(1, 100)}}}, Do: (*Shell).up},
		{Words: "update", Do: (*Shell).update},
	}
	for _, verb := range statementVerbs {
		list = append(list, command.Command[edit]{Words: verb, Rest: &command.Value{Name: "statement", Help: "Statement", Live: verb}, Do: (*Shell).statement})
	}
	for _, mode := range []string{"merge", "override", "replace", "set"} {
		list = append(list, command.Command[edit]{Words: "load " + mode, Options: []command.Option{
			{Name: "relative", Help: "The text belongs at this edit level"},
			{Name: "terminal", Help: "Read from the terminal, until Ctrl-D", Group: "source"},
			{Name: "filename", Help: "File", Bare: true, Group: "source", Value: fileValue},
		}, Do: (*Shell).load})
	}
	return list
}

// fileValue is a file on the machine that the shell runs on.
var fileValue = &command.Value{Name: "filename", Help: "File on this machine"}

// numberIn accepts whole numbers from low to high.
func numberIn(low, high int) func(string) error {
	return func(text string) error {
		n, err := strconv.Atoi(text)
		if err != nil || n < low || n > high {
			return fmt.Errorf("%q is not a number from %d to %d", text, low, high)
		}
		return nil
	}
}

// statementVerbs are the verbs whose statements go to the gateway whole: a | in them is no pipe.
var statementVerbs = []string{"activate", "annotate", "copy", "deactivate", "delete", "insert", "protect", "rename", "replace pattern", "set", "unprotect", "wildcard delete"}

// configuration runs one line of configuration mode.
func (s *Shell) configuration(ctx context.Context, line string) error {
	head, pipes, pipeErr := splitPipes(line)
	match, err := configTable.Resolve(line)
	if err != nil || !slices.Contains(statementVerbs, match.Command.Words) {
		if pipeErr != nil {
			return pipeErr
		}
		if match, err = configTable.Resolve(head); err != nil {
			return err
		}
	} else {
		pipes = &pipeline{}
	}
	c := &change{words: match.Command.Words, args: match.Args, pipes: pipes}
	return s.present(ctx, pipes, func(ctx context.Context) (answer, error) { return match.Command.Do(s, ctx, c) })
}

// configure enters configuration mode.
func (s *Shell) configure(ctx context.Context, mode string) error {
	// The session must outlive this command, and the event stream with it.
	if err := s.listen(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	opened, err := s.client.Configure(ctx, mode)
	if err != nil {
		return err
	}
	s.config = &session{id: opened.ID, mode: opened.Mode}
	for _, line := range opened.Notices {
		fmt.Fprintln(s.err, line)
	}
	return nil
}

// do sends one request of the configuration session.
func (s *Shell) do(ctx context.Context, verb string, req api.Edit) (api.Edited, error) {
	done, err := s.client.Edit(ctx, s.config.id, verb, req)
	if err == nil && len(done.Problems) > 0 {
		var b strings.Builder
		writeProblems(&b, done.Problems)
		fmt.Fprint(s.err, b.String())
	}
	return done, err
}

// statement runs a statement that changes the candidate.
func (s *Shell) statement(ctx context.Context, c *change) (answer, error) {
	_, err := s.do(ctx, "run", api.Edit{At: s.config.at, Statement: c.words + " " + c.args["statement"]})
	return answer{}, err
}

// edit goes to another level.
func (s *Shell) edit(ctx context.Context, c *change) (answer, error) {
	done, err := s.do(ctx, "edit", api.Edit{At: s.config.at, Path: c.args["path"]})
	if err != nil {
		return answer{}, err
	}
	s.config.at = done.At
	return answer{}, nil
}

// up goes some levels up, a list entry and its keyword being one level.
func (s *Shell) up(ctx context.Context, c *change) (answer, error) {
	levels := 1
	if c.args.Has("number") {
		levels, _ = strconv.Atoi(c.args["number"]) // checked
	}
	for range levels {
		if len(s.config.at) == 0 {
			break
		}
		// A level is the longest shorter path that edit accepts.
		for n := len(s.config.at) - 1; n >= 0; n-- {
			done, err := s.client.Edit(ctx, s.config.id, "edit", api.Edit{Path: joinWords(s.config.at[:n])})
			if n == 0 || err == nil && len(done.At) == n {
				s.config.at = s.config.at[:n]
				break
			}
		}
	}
	return answer{}, nil
}

// top goes to the top, or runs a command there.
func (s *Shell) top(ctx context.Context, c *change) (answer, error) {
	rest := c.args["command"]
	if rest == "" {
		s.config.at = nil
		return answer{}, nil
	}
	at := s.config.at
	s.config.at = nil
	err := s.configuration(ctx, rest)
	if s.config != nil && !strings.HasPrefix("edit", strings.Fields(rest)[0]) {
		s.config.at = at
	}
	return answer{}, err
}

// exit goes up to the level that edit came from, and from the top out of configuration mode.
func (s *Shell) exit(ctx context.Context, c *change) (answer, error) {
	if len(s.config.at) > 0 && !c.args.Has("configuration-mode") {
		s.config.at = nil
		return answer{}, nil
	}
	return answer{}, s.leave(ctx)
}

// leave ends configuration mode. A candidate of one's own with changes is lost, so a person is asked.
func (s *Shell) leave(ctx context.Context) error {
	status, err := s.client.Edit(ctx, s.config.id, "status", api.Edit{})
	if err == nil && status.Changed {
		if s.config.mode == "shared" {
			fmt.Fprintln(s.err, "The configuration has been changed but not committed")
		} else if s.ask != nil {
			reply, err := s.ask("Discard uncommitted changes? [yes,no] (yes) ")
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			if strings.HasPrefix(strings.ToLower(strings.TrimSpace(reply)), "n") {
				return nil
			}
		} else {
			fmt.Fprintln(s.err, "Uncommitted changes are discarded")
		}
	}
	err = s.client.CloseSession(ctx, s.config.id)
	s.config = nil
	return err
}

// show shows the candidate, or how it differs from a revision.
func (s *Shell) show(ctx context.Context, c *change) (answer, error) {
	if c.pipes.compare != nil {
		done, err := s.do(ctx, "compare", api.Edit{At: s.config.at, Path: c.args["path"], Number: *c.pipes.compare})
		return answer{text: done.Text}, err
	}
	done, err := s.do(ctx, "show", api.Edit{At: s.config.at, Path: c.args["path"], Display: c.pipes.display})
	return answer{text: done.Text}, err
}

// run runs an operational command.
func (s *Shell) run(ctx context.Context, c *change) (answer, error) {
	result, err := s.command(ctx, c.args["command"], c.pipes)
	if err != nil {
		return answer{}, err
	}
	if result.Local != "" {
		return answer{}, &api.Error{Message: fmt.Sprintf("%q is no command to run from here", result.Local)}
	}
	return answer{view: result.View, data: result.Data}, nil
}

// commit puts the candidate in force.
func (s *Shell) commit(ctx context.Context, c *change) (answer, error) {
	if c.args.Has("minutes") && !c.args.Has("confirmed") {
		return answer{}, &api.Error{Message: "a number of minutes goes with confirmed", Hint: "commit confirmed " + c.args["minutes"]}
	}
	if c.args.Has("check") {
		if len(c.args) > 1 {
			return answer{}, &api.Error{Message: "commit check changes nothing, so nothing else goes with it"}
		}
		if _, err := s.do(ctx, "check", api.Edit{}); err != nil {
			return answer{}, err
		}
		return answer{text: "configuration check succeeds\n"}, nil
	}
	req := api.Edit{Comment: c.args["comment"]}
	if c.args.Has("confirmed") {
		req.Confirmed = 10
		if c.args.Has("minutes") {
			req.Confirmed, _ = strconv.Atoi(c.args["minutes"]) // checked
		}
	}
	if _, err := s.do(ctx, "commit", req); err != nil {
		return answer{}, err
	}
	text := "commit complete\n"
	if req.Confirmed > 0 {
		text = fmt.Sprintf("commit confirmed will be automatically rolled back in %d minutes unless confirmed\n", req.Confirmed) + text
	}
	if err := s.connect(ctx); err != nil { // the name in the prompt may have changed
		return answer{}, err
	}
	if c.args.Has("and-quit") {
		return answer{text: text}, s.leave(ctx)
	}
	return answer{text: text}, nil
}

func (s *Shell) rollback(ctx context.Context, c *change) (answer, error) {
	number, _ := strconv.Atoi(c.args["number"]) // checked; 0 when absent
	if _, err := s.do(ctx, "rollback", api.Edit{Number: number}); err != nil {
		return answer{}, err
	}
	return answer{text: "load complete\n"}, nil
}

func (s *Shell) update(ctx context.Context, _ *change) (answer, error) {
	if _, err := s.do(ctx, "update", api.Edit{}); err != nil {
		return answer{}, err
	}
	return answer{text: "update complete\n"}, nil
}

// load reads statements from a file or the terminal.
func (s *Shell) load(ctx context.Context, c *change) (answer, error) {
	var text string
	switch {
	case c.args.Has("filename"):
		data, err := os.ReadFile(c.args["filename"])
		if err != nil {
			return answer{}, err
		}
		text = string(data)
	case !c.args.Has("terminal"):
		return answer{}, &api.Error{Message: "the source is missing", Hint: "give a file name, or terminal"}
	case s.readText == nil:
		return answer{}, &api.Error{Message: "there is no terminal to read from", Hint: "give a file name"}
	default:
		var err error
		if text, err = s.readText(); err != nil {
			return answer{}, err
		}
	}
	req := api.Edit{Mode: strings.TrimPrefix(c.words, "load "), Text: text}
	if c.args.Has("relative") {
		req.At = s.config.at
	}
	if _, err := s.do(ctx, "load", req); err != nil {
		return answer{}, err
	}
	return answer{text: "load complete\n"}, nil
}

// save writes the candidate below the edit level to a file.
func (s *Shell) save(ctx context.Context, c *change) (answer, error) {
	done, err := s.do(ctx, "show", api.Edit{At: s.config.at})
	if err != nil {
		return answer{}, err
	}
	if err := os.WriteFile(c.args["filename"], []byte(done.Text), 0o600); err != nil {
		return answer{}, err
	}
	return answer{text: fmt.Sprintf("Wrote %d lines of configuration to '%s'\n", strings.Count(done.Text, "\n"), c.args["filename"])}, nil
}

// editors shows who edits.
func (s *Shell) editors(ctx context.Context, _ *change) (answer, error) {
	done, err := s.do(ctx, "status", api.Edit{})
	return answer{text: done.Text}, err
}

func (s *Shell) help(context.Context, *change) (answer, error) {
	return answer{text: configHelpText}, nil
}

// configHelpText is what help shows in configuration mode.
const configHelpText = `Nothing is in force until commit; ? says what may come next at any place.
  set, delete, insert …  change the candidate
  edit, up, top, exit    move between the levels of the configuration
  show | compare         what would change
  commit check           whether it can be committed
  commit confirmed 5     commit, and roll back in 5 minutes unless somebody commits again
  rollback               discard all changes; rollback N goes back to an earlier revision
  run COMMAND            run an operational command
`

// writeProblems lists what is wrong with a configuration.
func writeProblems(b *strings.Builder, problems []schema.Problem) {
	for _, p := range problems {
		kind := "error"
		if p.Warning {
			kind = "warning"
		}
		fmt.Fprintf(b, "  %s: %s\n", kind, p.Error())
	}
}

// joinWords is path as a line that splits into it again.
func joinWords(path []string) string {
	quoted := make([]string, len(path))
	for i, word := range path {
		quoted[i] = command.Quote(word)
	}
	return strings.Join(quoted, " ")
}
