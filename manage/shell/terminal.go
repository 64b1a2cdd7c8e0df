package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// screen is the terminal that a person sits at.
type screen struct {
	shell    *Shell
	keyboard *keyboard
	editor   *term.Terminal
	history  *history
	height   func() int
}

// runTerminal runs the interactive shell on a terminal and returns the exit code.
func (s *Shell) runTerminal(ctx context.Context, in *os.File, out io.Writer) int {
	if err := s.connect(ctx); err != nil {
		s.complain("", "", err)
		return 1
	}
	fd := int(in.Fd())
	cooked, err := term.MakeRaw(fd)
	if err != nil {
		s.complain("", "", err)
		return 1
	}
	defer func() { _ = term.Restore(fd, cooked) }() // fails only when the terminal is gone
	size := func() (width, height int) {
		if width, height, err := term.GetSize(fd); err == nil && width > 0 && height > 1 {
			return width, height
		}
		return 80, 24
	}
	return s.interact(ctx, in, out, size, loadHistory(historyPath()))
}

// interact runs the shell on a terminal that is in raw mode already.
func (s *Shell) interact(ctx context.Context, in io.Reader, out io.Writer, size func() (width, height int), h *history) int {
	sc := &screen{shell: s, keyboard: newKeyboard(in), history: h}
	sc.height = func() int { _, height := size(); return height }
	sc.editor = term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{sc.keyboard, out}, "")
	sc.editor.History = h
	sc.editor.AutoCompleteCallback = sc.key
	// The terminal marks what is pasted, so that blanks and question marks in it are only text.
	sc.editor.SetBracketedPasteMode(true)
	defer sc.editor.SetBracketedPasteMode(false)

	s.out, s.err = sc.editor, sc.editor
	s.ask, s.askSecret, s.readText = sc.ask, sc.askSecret, sc.readText
	s.page = (&pager{out: sc.editor, key: sc.keyboard.key, height: sc.height}).show
	s.interrupt = sc.keyboard.interruptible
	s.notice = func(text string) { fmt.Fprintln(sc.editor, text) }
	defer s.close(context.WithoutCancel(ctx))
	// Without the event stream the shell works, but nobody tells it what others do.
	if err := s.listen(ctx); err != nil {
		s.complain("", "", err)
	}
	sc.greet()
	for {
		if width, height := size(); width > 0 {
			_ = sc.editor.SetSize(width, height) // fails only when writing does
		}
		err := sc.step(ctx)
		if errors.Is(err, errLeave) {
			if err := h.save(); err != nil {
				s.complain("", "", fmt.Errorf("history is not kept: %w", err))
			}
			return 0
		}
		if err != nil {
			return 1
		}
	}
}

// greet shows what needs attention.
func (sc *screen) greet() {
	st := sc.shell.status
	fmt.Fprintf(sc.editor, "--- Sluice %s\n", st.Version)
	if st.Alarms > 0 {
		fmt.Fprintf(sc.editor, "%d active alarms: show system alarms\n", st.Alarms)
	}
	if !st.ConfirmedUntil.IsZero() {
		fmt.Fprintf(sc.editor, "The configuration is rolled back at %s unless somebody commits\n", st.ConfirmedUntil.Format("15:04:05"))
	}
}

// step reads and runs one line. Its error ends the shell.
func (sc *screen) step(ctx context.Context) error {
	prompt := sc.prompt()
	sc.editor.SetPrompt(prompt)
	line, err := sc.editor.ReadLine()
	switch {
	case errors.Is(err, io.EOF) && !sc.keyboard.gone():
		fmt.Fprintln(sc.editor)
		line = "exit"
	case err != nil && !errors.Is(err, term.ErrPasteIndicator):
		return err
	}
	if err = sc.shell.execute(ctx, line); errors.Is(err, errLeave) || err == nil {
		return err
	}
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(sc.editor, "^C")
		return nil
	}
	if offset, ok := offsetOf(err); ok {
		lead := len(line) - len(strings.TrimLeft(line, " \t"))
		fmt.Fprintf(sc.editor, "%s^\n", strings.Repeat(" ", len(prompt)+lead+offset))
	}
	sc.shell.complain("", line, err)
	return nil
}

// prompt is the prompt of the mode the shell is in; the banner with the edit level stands above it.
func (sc *screen) prompt() string {
	s := sc.shell
	name := s.status.User + "@" + s.status.Host
	if s.config == nil {
		return name + "> "
	}
	fmt.Fprintln(sc.editor, "\n"+strings.TrimSuffix("[edit "+joinWords(s.config.at), " ")+"]")
	return name + "# "
}

// ask asks a question and returns the line that is typed; Ctrl-D gives io.EOF.
func (sc *screen) ask(question string) (string, error) {
	return sc.read(question, sc.editor.ReadLine)
}

// askSecret is ask, without showing what is typed.
func (sc *screen) askSecret(question string) (string, error) {
	return sc.read(question, func() (string, error) { return sc.editor.ReadPassword(question) })
}

// read has a line read under a prompt, without the keys that help with commands.
func (sc *screen) read(question string, line func() (string, error)) (string, error) {
	sc.editor.SetPrompt(question)
	complete := sc.editor.AutoCompleteCallback
	sc.editor.AutoCompleteCallback = sc.end
	running := sc.keyboard.onInterrupt(nil)
	defer func() {
		sc.editor.AutoCompleteCallback = complete
		sc.keyboard.onInterrupt(running)
	}()
	text, err := line()
	if errors.Is(err, io.EOF) {
		sc.editor.SetPrompt("")
		fmt.Fprintln(sc.editor, question) // the editor leaves the line with the question unfinished
	}
	return text, err
}

// readText reads lines until Ctrl-D.
func (sc *screen) readText() (string, error) {
	fmt.Fprintln(sc.editor, "[Type ^D at a new line to end input]")
	kept := sc.editor.History
	sc.editor.History = loadHistory("")
	defer func() { sc.editor.History = kept }()
	var text strings.Builder
	for {
		line, err := sc.ask("")
		if errors.Is(err, io.EOF) && !sc.keyboard.gone() {
			return text.String(), nil
		}
		if err != nil && !errors.Is(err, term.ErrPasteIndicator) {
			return "", err
		}
		text.WriteString(line + "\n")
	}
}
