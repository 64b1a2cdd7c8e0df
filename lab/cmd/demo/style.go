package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"
)

// style is how the demo prints: headings, clients' commands with their outcome, the gateway's
// answers. Colour only accompanies words, and only on a terminal.
type style struct{ bold, dim, good, bad, plain string }

// terminalStyle is coloured when out is a terminal and NO_COLOR is not set.
func terminalStyle(out *os.File) style {
	if os.Getenv("NO_COLOR") != "" || !term.IsTerminal(int(out.Fd())) {
		return style{}
	}
	return style{bold: "\x1b[1m", dim: "\x1b[2m", good: "\x1b[32m", bad: "\x1b[31m", plain: "\x1b[0m"}
}

// heading begins a part.
func (s style) heading(text string) {
	fmt.Printf("\n%s%s%s\n%s\n", s.bold, text, s.plain, strings.Repeat("─", len([]rune(text))))
}

// step prints what a client did and what came of it.
func (s style) step(title, host string, command []string, out string, took time.Duration, problem string, quiet bool) {
	verdict := s.good + "as expected" + s.plain
	if problem != "" {
		verdict = s.bad + "NOT AS EXPECTED: " + problem + s.plain
	}
	fmt.Printf("%s — %s %s(%d ms)%s\n", title, verdict, s.dim, took.Milliseconds(), s.plain)
	s.command(host, line(command), map[bool]string{false: out}[quiet])
}

// command prints a command and its output, indented.
func (s style) command(host, command, out string) {
	fmt.Printf("  %s%s$ %s%s\n", s.dim, host, command, s.plain)
	for l := range strings.Lines(out) {
		if l = strings.TrimRight(l, "\n"); strings.TrimSpace(l) != "" {
			fmt.Println("  " + l)
		}
	}
	fmt.Println()
}

// line is a command as one would type it: programs without their path, words with blanks quoted.
func line(command []string) string {
	words := []string{filepath.Base(command[0])}
	for _, w := range command[1:] {
		if strings.ContainsAny(w, " \n{}") {
			w = fmt.Sprintf("%q", w)
		}
		words = append(words, w)
	}
	return strings.Join(words, " ")
}
