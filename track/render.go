package track

import (
	"cmp"
	"strconv"
	"strings"
	"time"
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

// Timestamps of the two forms. Times are in local time unless the envelope says UTC. What stands
// before and behind the milliseconds of the structured form is the same for a second.
const (
	structuredTime = "2006-01-02T15:04:05."
	structuredZone = "Z07:00"
	plainTime      = "Jan _2 15:04:05"
)

// clock keeps the timestamp of the last second that was written, as most records share theirs with
// the record before. It serves one envelope.
type clock struct {
	second      int64
	before      [formatCount][]byte
	zone        []byte
	initialised bool
}

// appendTo appends the timestamp of t in the form f.
func (c *clock) appendTo(dst []byte, f Format, t time.Time, utc bool) []byte {
	if s := t.Unix(); s != c.second || !c.initialised {
		if t = t.Local(); utc {
			t = t.UTC()
		}
		c.second, c.initialised = s, true
		c.before[Structured] = t.AppendFormat(c.before[Structured][:0], structuredTime)
		c.before[Plain] = t.AppendFormat(c.before[Plain][:0], plainTime)
		c.zone = t.AppendFormat(c.zone[:0], structuredZone)
	}
	dst = append(dst, c.before[f]...)
	if f == Plain {
		return dst
	}
	ms := t.Nanosecond() / 1e6
	dst = append(dst, '0'+byte(ms/100), '0'+byte(ms/10%10), '0'+byte(ms%10))
	return append(dst, c.zone...)
}

// appendMessage appends the message of r in the form f, without a line end.
func (e *envelope) appendMessage(dst []byte, f Format, r *record, c *clock) []byte {
	if r.Tag == systemMessage {
		return e.appendSystem(dst, f, r, c)
	}
	p := &programs[f][r.Tag]
	dst = append(dst, p.priority...)
	dst = c.appendTo(dst, f, r.Time, e.utc)
	dst = append(dst, ' ')
	dst = append(dst, e.host...)
	dst = append(dst, p.head...)
	if f == Plain {
		return p.appendValues(dst, &r.Entry)
	}
	dst = append(dst, e.sdid...)
	return append(p.appendValues(dst, &r.Entry), ']')
}

// A program is a layout made ready for rendering: literal text and fields in turn.
type program struct {
	priority string // "<14>1 " or "<14>"
	head     string // from behind the host on: who sends it, and the tag
	fields   []field
	steps    []step // of the fields that are not always the same
	end      string
	escape   func(dst []byte, from int) []byte
}

type step struct {
	literal string
	field   field
}

// add appends a field with the literal text before it; one that is always the same becomes text.
func (p *program) add(literal string, f field) {
	p.fields = append(p.fields, f)
	if f.constant() {
		p.end += literal + f.fixed
		return
	}
	p.steps = append(p.steps, step{p.end + literal, f})
	p.end = ""
}

// programs holds the program of every form and tag.
var programs = compileLayouts()

func compileLayouts() (all [formatCount][tagCount]program) {
	for _, tag := range Tags() {
		l := layouts[tag]
		priority := "<" + strconv.Itoa(facility*8+int(l.severity)) + ">"
		process := cmp.Or(l.process, flowProcess)
		all[Structured][tag] = compileStructured(l.structured)
		all[Structured][tag].priority = priority + "1 "
		all[Structured][tag].head = " " + process + " - " + tag.String() + " ["
		all[Plain][tag] = compilePlain(l.plain)
		all[Plain][tag].priority = priority
		all[Plain][tag].head = " " + process + ": " + tag.String() + ": "
	}
	return all
}

// compileStructured makes ` name="value"` of every field name.
func compileStructured(names string) program {
	p := program{escape: escapeParam}
	open := " "
	for _, name := range strings.Fields(names) {
		f := fieldNamed(name)
		p.add(open+f.name+`="`, f)
		open = `" `
	}
	p.end += `"`
	return p
}

// compilePlain replaces every {name} of the text by its field.
func compilePlain(text string) program {
	p := program{escape: escapeLine}
	for {
		literal, rest, found := strings.Cut(text, "{")
		if !found {
			p.end += literal
			return p
		}
		name, rest, _ := strings.Cut(rest, "}")
		p.add(literal, fieldNamed(name))
		text = rest
	}
}

func (p *program) appendValues(dst []byte, e *Entry) []byte {
	for i := range p.steps {
		s := &p.steps[i]
		dst = append(dst, s.literal...)
		dst = s.field.appendTo(dst, e, p.escape)
	}
	return append(dst, p.end...)
}

// escapeParam makes dst[from:] fit for a structured-data value (RFC 5424, 6.3.3): quotes,
// backslashes and closing brackets get a backslash. Control characters, which would split the
// message on its way, become blanks, and bytes that are not UTF-8 become U+FFFD.
func escapeParam(dst []byte, from int) []byte {
	for _, c := range dst[from:] {
		if special[c] {
			return appendEscaped(dst[:from], string(dst[from:]), true)
		}
	}
	return dst
}

// special are the bytes that a structured-data value may not have as they are, or that are not ASCII.
var special = func() (set [256]bool) {
	for c := range set {
		set[c] = c < ' ' || c == '"' || c == '\\' || c == ']' || c >= 0x7f
	}
	return set
}()

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
