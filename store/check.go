package store

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"sluice/store/tree"
)

// maxStatement is the length of the longest line that CheckStatements reads.
const maxStatement = 1 << 20

// Refusal is one statement that was not accepted, or is warned of.
type Refusal struct {
	File      string `json:"file"`
	Line      int    `json:"line"` // from 1; 0 when no one line is to blame
	Statement string `json:"statement"`
	Reason    string `json:"reason"`
}

// String is the refusal on one line, as compilers write it: "file:line: statement: reason".
func (r Refusal) String() string {
	if r.Line == 0 {
		return fmt.Sprintf("%s: %s: %s", r.File, r.Statement, r.Reason)
	}
	return fmt.Sprintf("%s:%d: %s: %s", r.File, r.Line, r.Statement, r.Reason)
}

// Report is what came of checking statements.
type Report struct {
	Accepted int
	Refused  []Refusal // what was not accepted, then what a commit would be refused for
	Warned   []Refusal // what a commit would go on with, and warn of
}

// CheckStatements is [Check] without the warnings.
func CheckStatements(r io.Reader, name string, commit bool, engines ...Engine) (accepted int, refused []Refusal) {
	report := Check(r, name, commit, engines...)
	return report.Accepted, report.Refused
}

// Check reads edit statements from r, a line each, into an empty candidate of its own, and says how
// many were accepted and which were refused. Empty lines and lines that start with # are skipped;
// " ## " starts a comment. Name stands for r in refusals.
//
// With commit the result is also decoded and prepared by the engines, and what a commit would be
// refused for and warn of is reported, each with the line it comes from where that can be told.
func Check(r io.Reader, name string, commit bool, engines ...Engine) Report {
	var report Report
	candidate := tree.New()
	var kept []Refusal // the accepted statements, for the lines of commit problems
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxStatement)
	number := 0
	for lines.Scan() {
		number++
		line := Refusal{File: name, Line: number, Statement: stripComment(lines.Text())}
		if line.Statement == "" {
			continue
		}
		if err := candidate.Run(nil, lines.Text()); err != nil {
			line.Reason = err.Error()
			report.Refused = append(report.Refused, line)
			continue
		}
		kept = append(kept, line)
		report.Accepted++
	}
	if err := lines.Err(); err != nil {
		report.Refused = append(report.Refused, Refusal{File: name, Line: number + 1, Statement: "(unreadable)", Reason: err.Error()})
	}
	if !commit {
		return report
	}
	_, problems := prepare(candidate, engines)
	for _, p := range problems {
		at := origin(kept, name, p.Path)
		p.Path = ""
		at.Reason = p.Error()
		if p.Warning {
			report.Warned = append(report.Warned, at)
		} else {
			report.Refused = append(report.Refused, at)
		}
	}
	return report
}

// stripComment returns the statement of a line as it is shown, or "" when it has none.
func stripComment(line string) string {
	line = strings.TrimSpace(line)
	if strings.HasPrefix(line, "#") {
		return ""
	}
	if at := strings.Index(line, " ## "); at >= 0 && strings.Count(line[:at], `"`)%2 == 0 {
		line = strings.TrimSpace(line[:at])
	}
	return line
}

// origin finds the last of the statements that set path or something below it.
func origin(statements []Refusal, file, path string) Refusal {
	words := strings.Fields("set " + path)
	for i := len(statements) - 1; i >= 0; i-- {
		have := strings.Fields(statements[i].Statement)
		if path != "" && len(have) >= len(words) && strings.Join(have[:len(words)], " ") == strings.Join(words, " ") {
			return statements[i]
		}
	}
	if path == "" {
		path = "(whole configuration)"
	}
	return Refusal{File: file, Statement: path}
}
