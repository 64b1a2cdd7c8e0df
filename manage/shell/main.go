package shell

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/term"

	"sluice/manage/api"
	"sluice/manage/command"
)

// usage is what -h shows.
const usage = `usage: sluice [-socket PATH]                 the shell; a script when stdin is no terminal
       sluice [-socket PATH] -c "COMMAND; …"   run commands, separated by ;
       sluice [-socket PATH] COMMAND …         run one command: sluice show security flow session

The socket is that of the running gateway: -socket, or SLUICE_SOCKET, or ` + api.DefaultSocket + `.
`

// Main is the shell as a program: args are those after its name. It returns the exit code.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("sluice", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, usage) }
	socket := flags.String("socket", defaultSocket(), "control socket of the gateway")
	commands := flags.String("c", "", "commands to run")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	given := false
	flags.Visit(func(f *flag.Flag) { given = given || f.Name == "c" })
	if given && flags.NArg() > 0 {
		fmt.Fprint(stderr, "error: -c takes all commands as one argument\nhint: put quotes around them\n")
		return 2
	}
	s := newShell(api.NewClient(*socket), stdout, stderr)
	ctx := context.Background()
	if file, ok := stdin.(*os.File); ok && !given && flags.NArg() == 0 && term.IsTerminal(int(file.Fd())) {
		return s.runTerminal(ctx, file, stdout)
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch {
	case given:
		return s.runScript(ctx, scriptLines(*commands))
	case flags.NArg() > 0:
		return s.runScript(ctx, []scriptLine{{text: commandLine(flags.Args())}})
	}
	return s.runLines(ctx, stdin)
}

// defaultSocket is the control socket to use when none is named.
func defaultSocket() string {
	if path := os.Getenv("SLUICE_SOCKET"); path != "" {
		return path
	}
	return api.DefaultSocket
}

// commandLine joins arguments to a line. A single one is a line already; of several, those that
// hold blanks were quoted for the shell that called us, and are quoted again.
func commandLine(args []string) string {
	if len(args) == 1 {
		return args[0]
	}
	words := make([]string, len(args))
	for i, arg := range args {
		words[i] = arg
		if arg == "" || strings.ContainsAny(arg, " \t\n\"") {
			words[i] = command.Quote(arg)
		}
	}
	return strings.Join(words, " ")
}

// scriptLines cuts the argument of -c into commands.
func scriptLines(text string) []scriptLine {
	segments := command.Cut(text, ";\n")
	lines := make([]scriptLine, 0, len(segments))
	for i, segment := range segments {
		line := scriptLine{text: segment.Text}
		if len(segments) > 1 {
			line.place = fmt.Sprintf("command %d", i+1)
		}
		lines = append(lines, line)
	}
	return lines
}
