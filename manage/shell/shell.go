// Package shell is the command line of the gateway: the interactive shell, one-shot commands and
// scripts, all of them clients of the control interface.
//
// # Rules of the user interface
//
// Where things go. Answers go to stdout; errors, warnings and what other people do go to stderr.
// On a terminal both are the screen. Output is never coloured, so NO_COLOR has nothing to switch
// off and no meaning hangs on a colour.
//
// Exit codes. 0: every command did what it says. 1: a command failed, or the gateway could not be
// reached. 2: the shell itself was called wrongly. A script stops at its first failed command, so
// that a commit never follows statements that were refused.
//
// Errors. "error:" says what is wrong and where; "hint:" says what to do. On a terminal a mark
// stands under the word that is wrong. All problems of a commit or a loaded text are shown, not
// the first.
//
// Terminals. Prompts, the pager and questions exist only on a terminal: never when stdin is a file
// or a pipe, nor with -c or a command as arguments. The pager runs only when stdout is the screen.
//
// Help. "?" says what may come next, anywhere but inside quotes, without Enter. Tab completes as
// far as it is unique and shows the rest; Space completes keywords only, so that a name is never
// changed by typing on. Keywords may be abbreviated as long as they are unique.
//
// Interrupts. Ctrl-C ends what runs, or clears the line; it never leaves the shell. Ctrl-D on an
// empty line is exit.
//
// Data. "| display json" gives the data that the text is made from. Names in it are not changed.
package shell

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"sluice/manage/api"
	"sluice/manage/command"
)

// errLeave ends the shell without an error.
var errLeave = errors.New("leave the shell")

// Shell runs command lines for one user at one gateway.
type Shell struct {
	client *api.Client
	out    io.Writer // answers
	err    io.Writer // errors, warnings, notices
	status api.Status

	config  *session // nil in operational mode
	events  bool     // the event stream is open
	changes context.CancelFunc

	// What a terminal adds; nil or zero without one.
	ask       func(question string) (string, error)                           // a line of input
	askSecret func(question string) (string, error)                           // the same, not shown while it is typed
	readText  func() (string, error)                                          // lines until the end of input
	page      func(text string) error                                         // shows text through the pager
	interrupt func(ctx context.Context) (context.Context, context.CancelFunc) // ends with Ctrl-C
	notice    func(text string)                                               // shows what others did
}

// session is an open configuration session.
type session struct {
	id, mode string
	at       []string // edit level
}

// newShell makes a shell in operational mode.
func newShell(client *api.Client, out, err io.Writer) *Shell {
	s := &Shell{client: client, out: out, err: err}
	s.interrupt = context.WithCancel
	s.notice = func(text string) { fmt.Fprintln(s.err, text) }
	return s
}

// connect asks the gateway for what the prompt shows.
func (s *Shell) connect(ctx context.Context) error {
	status, err := s.client.Status(ctx)
	if err != nil {
		return err
	}
	s.status = status
	return nil
}

// listen opens the event stream, which configuration sessions live by.
func (s *Shell) listen(ctx context.Context) error {
	if s.events {
		return nil
	}
	ctx, s.changes = context.WithCancel(ctx)
	_, err := s.client.Events(ctx, func(e api.Event) {
		if e.Message != "" {
			s.notice(fmt.Sprintf("*** %s: %s", e.Time.Format("15:04:05"), e.Message))
		}
	})
	s.events = err == nil
	return err
}

// close ends the configuration session and the event stream.
func (s *Shell) close(ctx context.Context) {
	if s.config != nil {
		_ = s.client.CloseSession(ctx, s.config.id) // the gateway closes it with the stream anyway
		s.config = nil
	}
	if s.changes != nil {
		s.changes()
	}
	s.client.Close()
}

// execute runs one line in the mode that the shell is in.
func (s *Shell) execute(ctx context.Context, line string) error {
	line = strings.TrimSpace(line)
	if line == "" || strings.HasPrefix(line, "#") {
		return nil
	}
	if s.config != nil {
		return s.configuration(ctx, line)
	}
	return s.operational(ctx, line)
}

// operational runs a line that asks something of the gateway, with its pipes.
func (s *Shell) operational(ctx context.Context, line string) error {
	head, pipes, err := splitPipes(line)
	if err != nil {
		return err
	}
	return s.present(ctx, pipes, func(ctx context.Context) (answer, error) {
		result, err := s.command(ctx, head, pipes)
		if err != nil {
			return answer{}, err
		}
		if result.Local != "" {
			return answer{}, s.local(ctx, result.Local, result.Args)
		}
		return answer{view: result.View, data: result.Data}, nil
	})
}

// local does the commands that are the shell's own.
func (s *Shell) local(ctx context.Context, words string, args command.Args) error {
	switch words {
	case "exit", "quit":
		return errLeave
	case "help":
		fmt.Fprint(s.out, helpText)
		return nil
	case "configure":
		if s.config != nil {
			return &api.Error{Message: "the configuration is being edited already"}
		}
		mode := "shared"
		for _, m := range []string{"exclusive", "private"} {
			if args.Has(m) {
				mode = m
			}
		}
		return s.configure(ctx, mode)
	}
	return &api.Error{Message: fmt.Sprintf("this shell does not know how to %s", words), Hint: "use the shell of the gateway's version"}
}

// helpText is what help shows.
const helpText = `Type ? at any place to see what may come next; Space and Tab complete words.
  show …                 look at the gateway: sessions, policies, logs, interfaces
  clear …                end sessions, set counters to zero
  request …              update the signature package, disable applications, make and load certificates
  configure              edit the configuration; nothing is in force until commit
  COMMAND | match TEXT   pipe the output: match, except, find, count, last, display json, save …
  exit                   leave the shell
`

// runScript runs lines until one fails, and returns the exit code.
func (s *Shell) runScript(ctx context.Context, lines []scriptLine) int {
	defer s.close(context.WithoutCancel(ctx))
	for _, l := range lines {
		err := s.execute(ctx, l.text)
		if errors.Is(err, errLeave) {
			return 0
		}
		if err != nil {
			s.complain(l.place, l.text, err)
			return 1
		}
	}
	return 0
}

// scriptLine is one command of a script, and where it stands ("line 3", or "" when there is one).
type scriptLine struct{ place, text string }

// runLines runs the commands of a file or pipe. The text of a load from the terminal is what
// follows it there, to a line with a Ctrl-D or to the end.
func (s *Shell) runLines(ctx context.Context, in io.Reader) int {
	defer s.close(context.WithoutCancel(ctx))
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, api.MaxRequest)
	number := 0
	s.readText = func() (string, error) {
		var text strings.Builder
		for lines.Scan() {
			number++
			if strings.TrimSpace(lines.Text()) == "\x04" {
				break
			}
			text.WriteString(lines.Text() + "\n")
		}
		return text.String(), lines.Err()
	}
	for lines.Scan() {
		number++
		place := number
		err := s.execute(ctx, lines.Text())
		if errors.Is(err, errLeave) {
			return 0
		}
		if err != nil {
			s.complain(fmt.Sprintf("line %d", place), lines.Text(), err)
			return 1
		}
	}
	if err := lines.Err(); err != nil {
		s.complain("", "", err)
		return 1
	}
	return 0
}

// complain shows err on stderr: what and where, then what to do.
func (s *Shell) complain(place, line string, err error) {
	fmt.Fprint(s.err, explain(place, line, err))
}

// explain is err as text, with the place of a script's line.
func explain(place, line string, err error) string {
	var b strings.Builder
	b.WriteString("error: ")
	if place != "" {
		fmt.Fprintf(&b, "%s: %s: ", place, strings.TrimSpace(line))
	}
	var wrong *command.Error
	var refused *api.Error
	switch {
	case errors.As(err, &wrong):
		fmt.Fprintf(&b, "%s\n", wrong.Message)
		writeHint(&b, wrong.Hint)
	case errors.As(err, &refused):
		if refused.Path != "" {
			fmt.Fprintf(&b, "[edit %s] ", refused.Path)
		}
		fmt.Fprintf(&b, "%s\n", refused.Message)
		writeProblems(&b, refused.Problems)
		writeHint(&b, refused.Hint)
	default:
		fmt.Fprintf(&b, "%s\n", err)
	}
	return b.String()
}

func writeHint(b *strings.Builder, hint string) {
	if hint != "" {
		fmt.Fprintf(b, "hint: %s\n", hint)
	}
}
