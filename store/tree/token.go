package tree

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// tokenKind tells the tokens of the statement language apart.
type tokenKind uint8

const (
	wordToken tokenKind = iota
	openBrace
	closeBrace
	semicolon
	openBracket
	closeBracket
	commentToken // text between /* and */
	newline      // only where lines count
	endOfText
)

// token is one word or sign. A quoted word is never a keyword where a value may stand.
type token struct {
	kind   tokenKind
	quoted bool
	text   string
	offset int // in bytes
}

// lexer cuts text into tokens. The language of typed statements and of stored text is the same,
// but in typed statements (lines) the end of a line ends a statement.
type lexer struct {
	text     string
	at       int
	lines    bool
	brackets bool // between [ and ], where a comma separates words
}

// next is the next token. After an error the lexer stands behind what caused it.
func (l *lexer) next() (token, *fault) {
	for {
		if !l.space() {
			break
		}
	}
	start := l.at
	if start == len(l.text) {
		return token{kind: endOfText, offset: start}, nil
	}
	rest := l.text[start:]
	switch c := rest[0]; {
	case c == '\n':
		l.at++
		l.brackets = false
		return token{kind: newline, offset: start}, nil
	case c == '{':
		return l.sign(openBrace), nil
	case c == '}':
		return l.sign(closeBrace), nil
	case c == ';':
		return l.sign(semicolon), nil
	case c == '[':
		l.brackets = true
		return l.sign(openBracket), nil
	case c == ']':
		l.brackets = false
		return l.sign(closeBracket), nil
	case c == '"':
		return l.quoted()
	case strings.HasPrefix(rest, "/*"):
		return l.comment()
	}
	return l.word()
}

// space skips blanks and # comments, and says whether there were any.
func (l *lexer) space() bool {
	start := l.at
	for l.at < len(l.text) {
		r, size := utf8.DecodeRuneInString(l.text[l.at:])
		if r == '#' {
			if end := strings.IndexByte(l.text[l.at:], '\n'); end >= 0 {
				l.at += end
			} else {
				l.at = len(l.text)
			}
			continue
		}
		if r == '\n' && l.lines || !unicode.IsSpace(r) && !(r == ',' && l.brackets) {
			break
		}
		l.at += size
	}
	return l.at > start
}

func (l *lexer) sign(kind tokenKind) token {
	l.at++
	return token{kind: kind, text: l.text[l.at-1 : l.at], offset: l.at - 1}
}

// comment is the text between /* and */.
func (l *lexer) comment() (token, *fault) {
	start := l.at
	text, _, closed := strings.Cut(l.text[start+2:], "*/")
	if !closed {
		l.at = len(l.text)
		return token{}, &fault{offset: start, message: "a comment that is not closed", hint: "end it with */"}
	}
	l.at += len(text) + 4
	for i, r := range text {
		if bad := badRune(r, utf8.RuneLen(r), start+2+i); bad != nil && r != '\n' && r != '\r' {
			return token{}, bad
		}
	}
	return token{kind: commentToken, text: text, offset: start}, nil
}

// word is a word without quotes.
func (l *lexer) word() (token, *fault) {
	start := l.at
	var bad *fault
	for l.at < len(l.text) {
		r, size := utf8.DecodeRuneInString(l.text[l.at:])
		if unicode.IsSpace(r) || strings.ContainsRune(`{};"`, r) || l.brackets && (r == ']' || r == ',') {
			break
		}
		if bad == nil {
			bad = badRune(r, size, l.at)
		}
		l.at += size
	}
	return token{kind: wordToken, text: l.text[start:l.at], offset: start}, bad
}

// quoted is a word in double quotes, in which \" \\ and \n stand for a quote, a backslash and a
// line end; another backslash stands for itself.
func (l *lexer) quoted() (token, *fault) {
	start := l.at
	var b strings.Builder
	var bad *fault
	for l.at++; l.at < len(l.text); {
		rest := l.text[l.at:]
		r, size := utf8.DecodeRuneInString(rest)
		switch {
		case r == '"':
			l.at++
			return token{kind: wordToken, quoted: true, text: b.String(), offset: start}, bad
		case r == '\\' && len(rest) > 1 && (rest[1] == '"' || rest[1] == '\\'):
			b.WriteByte(rest[1])
			l.at += 2
			continue
		case r == '\\' && len(rest) > 1 && rest[1] == 'n':
			b.WriteByte('\n')
			l.at += 2
			continue
		case r == '\n' && l.lines:
			return token{}, &fault{offset: start, message: "a quoted word that is not closed on its line", hint: `end it with "; \n stands for a line end`}
		}
		if bad == nil && r != '\n' {
			bad = badRune(r, size, l.at)
		}
		b.WriteString(rest[:size])
		l.at += size
	}
	return token{}, &fault{offset: start, message: "a quoted word that is not closed", hint: `end it with "`}
}

// badRune refuses what cannot be shown again in every form.
func badRune(r rune, size, offset int) *fault {
	switch {
	case r == utf8.RuneError && size <= 1:
		return &fault{offset: offset, message: "a byte that is not UTF-8 text"}
	case r != '\t' && unicode.IsControl(r), r == '\ufffe', r == '\uffff':
		return &fault{offset: offset, message: fmt.Sprintf("the control character %U", r)}
	}
	return nil
}

// badText refuses a word that no text could hold.
func badText(t token) *fault {
	for i := 0; i < len(t.text); {
		r, size := utf8.DecodeRuneInString(t.text[i:])
		if bad := badRune(r, size, t.offset); bad != nil {
			return bad
		}
		i += size
	}
	return nil
}

// marks are the words before a statement that say something about it.
const (
	markInactive = "inactive:"
	markProtect  = "protect:"
	markReplace  = "replace:"
)

// Quote is word as it is typed: in quotes where it would otherwise be read as something else.
func Quote(word string) string {
	switch word {
	case "", markInactive, markProtect, markReplace:
		return `"` + word + `"`
	}
	if word[0] == '#' || strings.HasPrefix(word, "/*") {
		return enquote(word)
	}
	for _, r := range word {
		if r < 128 && signs[r] || r >= 128 && unicode.IsSpace(r) {
			return enquote(word)
		}
	}
	return word
}

// signs are the ASCII characters that no word without quotes has when it is shown.
var signs = func() (set [128]bool) {
	for r := range set {
		set[r] = r <= ' ' || strings.ContainsRune("\"{}[];,|?", rune(r))
	}
	return set
}()

// enquote is word in quotes, needed or not.
func enquote(word string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(word) {
		switch c := word[i]; {
		case c == '"':
			b.WriteString(`\"`)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\\' && (i+1 == len(word) || strings.IndexByte("\"\\\nn", word[i+1]) >= 0):
			b.WriteString(`\\`)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// fault is what is wrong with a text, and where.
type fault struct {
	offset   int
	message  string
	expected []string // words that could stand there
	hint     string
}

// position is the line and column, both from 1, of an offset of text. Columns count characters.
func position(text string, offset int) (line, column int) {
	before := text[:min(offset, len(text))]
	start := strings.LastIndexByte(before, '\n') + 1
	return strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[start:]) + 1
}
