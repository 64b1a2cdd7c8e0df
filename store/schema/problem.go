package schema

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing wrong with a configuration: where, what, and what to do.
type Problem struct {
	Path    string `json:"path"`              // the statement, as keywords and keys from the top
	Message string `json:"message"`           // what is wrong
	Hint    string `json:"hint,omitempty"`    // what to do, or the nearest names
	Warning bool   `json:"warning,omitempty"` // the commit goes on
}

// Error is the problem on one line.
func (p Problem) Error() string {
	text := p.Message
	if p.Path != "" {
		text = "[edit " + p.Path + "] " + text
	}
	if p.Hint != "" {
		text += " (" + p.Hint + ")"
	}
	return text
}

// Errorf makes a problem at path, given as its words.
func Errorf(path string, format string, args ...any) Problem {
	return Problem{Path: path, Message: fmt.Sprintf(format, args...)}
}

// DidYouMean is the hint that names what among known is spelt most like name, or "".
func DidYouMean(name string, known []string) string {
	near := Nearest(name, known)
	if len(near) == 0 {
		return ""
	}
	return "did you mean " + strings.Join(near, ", ") + "?"
}

// wholeWord is the length from which the beginning of a name is recognised though it is misspelt.
const wholeWord = 6

// Nearest returns at most three of known that are spelt like name, nearest first.
func Nearest(name string, known []string) []string {
	type scored struct {
		name     string
		distance int
	}
	limit := max(2, len(name)/3)
	var near []scored
	lower := strings.ToLower(name)
	for _, k := range known {
		candidate := strings.ToLower(k)
		d := editDistance(lower, candidate)
		switch { // the beginning of a longer name
		case name != "" && strings.HasPrefix(candidate, lower):
			d = min(d, 1)
		case len(lower) >= wholeWord && len(candidate) > len(lower): // misspelt
			d = min(d, 1+editDistance(lower, candidate[:len(lower)]))
		}
		if d <= limit {
			near = append(near, scored{k, d})
		}
	}
	slices.SortStableFunc(near, func(a, b scored) int {
		if a.distance != b.distance {
			return a.distance - b.distance
		}
		return strings.Compare(a.name, b.name)
	})
	var names []string
	for _, n := range near {
		if !slices.Contains(names, n.name) {
			names = append(names, n.name)
		}
	}
	return names[:min(len(names), 3)]
}

// editDistance is the Levenshtein distance of a and b.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next := min(row[j+1]+1, row[j]+1, diagonal+cost)
			diagonal, row[j+1] = row[j+1], next
		}
	}
	return row[len(b)]
}
