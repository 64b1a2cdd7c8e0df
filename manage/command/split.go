package command

import "strings"

// Token is one word of a line.
type Token struct {
	Text       string // without quotes, escapes resolved
	Start, End int    // bytes of the line it was read from, quotes included
	Quoted     bool   // it was quoted, so it is never a keyword
}

// Split cuts line into its words. Blanks separate words; double quotes keep blanks and every
// other character together; inside them \" is a quote and \\ a backslash, and any other backslash
// stands for itself, so that regular expressions need no second escaping. A quote that is never
// closed is an error at its place.
func Split(line string) ([]Token, error) {
	var tokens []Token
	for i := 0; i < len(line); {
		if isBlank(line[i]) {
			i++
			continue
		}
		token, next, closed := scan(line, i)
		if !closed {
			return tokens, &Error{Offset: i, Message: "this quote is not closed", Hint: `end the text with "`}
		}
		tokens = append(tokens, token)
		i = next
	}
	return tokens, nil
}

// scan reads the word that begins at start. A quote may open and close anywhere in the word.
func scan(line string, start int) (t Token, next int, closed bool) {
	var text strings.Builder
	open := false
	i := start
	for ; i < len(line); i++ {
		c := line[i]
		switch {
		case open && c == '\\' && i+1 < len(line) && (line[i+1] == '"' || line[i+1] == '\\'):
			i++
			text.WriteByte(line[i])
		case c == '"':
			open = !open
			t.Quoted = true
		case !open && isBlank(c):
			t.Text, t.Start, t.End = text.String(), start, i
			return t, i, true
		default:
			text.WriteByte(c)
		}
	}
	t.Text, t.Start, t.End = text.String(), start, i
	return t, i, !open
}

// Quote is text as one word of a line: Split(Quote(text)) is text again.
func Quote(text string) string {
	if text != "" && !strings.ContainsAny(text, " \t\r\n\";|#[]{}") {
		return text
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// Segment is a part of a line between separators.
type Segment struct {
	Text  string // without blanks around it
	Start int    // byte of the line it begins at
}

// Cut splits line at every separator (a pipe, a semicolon or an end of line, as one byte) that is
// not inside quotes. A line without separators is one segment.
func Cut(line string, separators string) []Segment {
	var segments []Segment
	add := func(from, to int) {
		text := line[from:to]
		trimmed := strings.TrimLeft(text, " \t\r\n")
		start := from + len(text) - len(trimmed)
		segments = append(segments, Segment{strings.TrimRight(trimmed, " \t\r\n"), start})
	}
	from, open := 0, false
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case open && c == '\\' && i+1 < len(line):
			i++
		case c == '"':
			open = !open
		case !open && strings.IndexByte(separators, c) >= 0:
			add(from, i)
			from = i + 1
		}
	}
	add(from, len(line))
	return segments
}

// InQuotes says whether the end of line stands inside a quoted text.
func InQuotes(line string) bool {
	open := false
	for i := 0; i < len(line); i++ {
		switch {
		case open && line[i] == '\\':
			i++
		case line[i] == '"':
			open = !open
		}
	}
	return open
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }
