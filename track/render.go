package track

import (
	"cmp"
	"strconv"
	"strings"
)

// Format is a form of a message.
type Format uint8

// The two forms.
const (
	Structured Format = iota // RFC 5424 with structured data
	Plain                    // BSD syslog with a phrase

	formatCount = iota
)

// String is the format as statements name it.
func (f Format) String() string {
	if f == Plain {
		return "syslog"
	}
	return "sd-syslog"
}

// MarshalText writes the format as statements name it.
func (f Format) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// DefaultSDID is the structured-data identifier that collectors of this log format expect.
const DefaultSDID = "junos@2636.1.1.1.2.129"

// envelope is what frames every message of one gateway.
type envelope struct {
	host string
	sdid string
	utc  bool
}

// Timestamps of the two forms. Times are in local time unless the envelope says UTC.
const (
	structuredTime = "2006-01-02T15:04:05.000Z07:00"
	plainTime      = "Jan _2 15:04:05"
)

// appendMessage appends the message of r in the form f, without a line end.
func (e *envelope) appendMessage(dst []byte, f Format, r *record) []byte {
	t := r.time
	if e.utc {
		t = t.UTC()
	} else {
		t = t.Local()
	}
	if r.tag == systemMessage {
		return e.appendSystem(dst, f, t, r)
	}
	p := &programs[f][r.tag]
	dst = append(dst, p.priority...)
	if f == Plain {
		dst = t.AppendFormat(dst, plainTime)
		dst = append(dst, ' ')
		dst = append(dst, e.host...)
		dst = append(dst, ' ')
		dst = append(dst, p.process...)
		dst = append(dst, ": "...)
		dst = append(dst, r.tag.String()...)
		dst = append(dst, ": "...)
		return p.appendValues(dst, r)
	}
	dst = t.AppendFormat(dst, structuredTime)
	dst = append(dst, ' ')
	dst = append(dst, e.host...)
	dst = append(dst, ' ')
	dst = append(dst, p.process...)
	dst = append(dst, " - "...)
	dst = append(dst, r.tag.String()...)
	dst = append(dst, " ["...)
	dst = append(dst, e.sdid...)
	dst = p.appendValues(dst, r)
	return append(dst, ']')
}

// A program is a layout made ready for rendering: literal text and fields in turn.
type program struct {
	priority string // "<14>1 " or "<14>"
	process  string // who sends it
	steps    []step
	end      string
	escape   func(dst []byte, from int) []byte
}

type step struct {
	literal string
	field   field
}

// programs holds the program of every form and tag.
var programs = compileLayouts()

func compileLayouts() (all [formatCount][tagCount]program) {
	for _, tag := range Tags() {
		l := layouts[tag]
		priority := "<" + strconv.Itoa(facility*8+int(l.severity)) + ">"
		all[Structured][tag] = compileStructured(l.structured)
		all[Structured][tag].priority = priority + "1 "
		all[Plain][tag] = compilePlain(l.plain)
		all[Plain][tag].priority = priority
		for f := range all {
			all[f][tag].process = cmp.Or(l.process, flowProcess)
		}
	}
	return all
}

// compileStructured makes ` name="value"` of every field name.
func compileStructured(names string) program {
	p := program{end: `"`, escape: escapeParam}
	open := " "
	for _, name := range strings.Fields(names) {
		f := fieldNamed(name)
		p.steps = append(p.steps, step{literal: open + f.name + `="`, field: f})
		open = `" `
	}
	return p
}

// compilePlain replaces every {name} of the text by its field.
func compilePlain(text string) program {
	p := program{escape: escapeLine}
	for {
		literal, rest, found := strings.Cut(text, "{")
		if !found {
			p.end = literal
			return p
		}
		name, rest, _ := strings.Cut(rest, "}")
		p.steps = append(p.steps, step{literal: literal, field: fieldNamed(name)})
		text = rest
	}
}

func (p *program) appendValues(dst []byte, r *record) []byte {
	for i := range p.steps {
		s := &p.steps[i]
		dst = append(dst, s.literal...)
		from := len(dst)
		dst = s.field.append(dst, r)
		if s.field.text {
			dst = p.escape(dst, from)
		}
	}
	return append(dst, p.end...)
}

// escapeParam makes dst[from:] fit for a structured-data value (RFC 5424, 6.3.3): quotes,
// backslashes and closing brackets get a backslash. Control characters, which would split the
// message on its way, become blanks, and bytes that are not UTF-8 become U+FFFD.
func escapeParam(dst []byte, from int) []byte {
	for i := from; i < len(dst); i++ {
		if c := dst[i]; c < ' ' || c == '"' || c == '\\' || c == ']' || c >= 0x7f {
			return appendEscaped(dst[:from], string(dst[from:]), true)
		}
	}
	return dst
}

// escapeLine makes dst[from:] fit for one line of text.
func escapeLine(dst []byte, from int) []byte {
	for i := from; i < len(dst); i++ {
		if c := dst[i]; c < ' ' || c >= 0x7f {
			return appendEscaped(dst[:from], string(dst[from:]), false)
		}
	}
	return dst
}

// appendEscaped is the slow way, for the rare values that need it.
func appendEscaped(dst []byte, value string, param bool) []byte {
	for _, c := range value { // a byte that is not UTF-8 comes as U+FFFD
		switch {
		case c < ' ' || c >= 0x7f && c < 0xa0:
			dst = append(dst, ' ')
			continue
		case param && (c == '"' || c == '\\' || c == ']'):
			dst = append(dst, '\\')
		}
		dst = append(dst, string(c)...)
	}
	return dst
}

// header makes s fit for a field of the message header: printable, without blanks, never empty.
func header(s string) string {
	clean := strings.Map(func(c rune) rune {
		if c <= ' ' || c >= 0x7f {
			return -1
		}
		return c
	}, s)
	if clean == "" {
		return "-"
	}
	return clean[:min(len(clean), 255)]
}
