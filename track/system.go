package track

import (
	"os"
	"strconv"
)

// daemonName is who sends system messages.
const daemonName = "sluice"

var processID = strconv.Itoa(os.Getpid())

// System sends what the gateway has to say of itself to the places that [edit system syslog]
// names: a message under its own tag, such as APPIDD_DEPRECATED_APPLIST. It never blocks.
func (t *Tracker) System(tag string, severity Severity, text string) {
	r := newRecord(systemMessage, t.opts.Now(), text, nil)
	r.name, r.level = header(tag), min(severity, Severity(len(severityNames)-1))
	t.send(r)
}

// appendSystem appends the message of r in the form f.
func (e *envelope) appendSystem(dst []byte, f Format, r *record, c *clock) []byte {
	dst = append(dst, '<')
	dst = strconv.AppendUint(dst, facilityDaemon*8+uint64(r.level), 10)
	dst = append(dst, '>')
	if f == Plain {
		dst = c.appendTo(dst, f, r.Time, e.utc)
		dst = append(dst, ' ')
		dst = append(dst, e.host...)
		dst = append(dst, " "+daemonName+"["+processID+"]: "...)
		dst = append(dst, r.name...)
		dst = append(dst, ": "...)
	} else {
		dst = append(dst, "1 "...)
		dst = c.appendTo(dst, f, r.Time, e.utc)
		dst = append(dst, ' ')
		dst = append(dst, e.host...)
		dst = append(dst, " "+daemonName+" "+processID+" "...)
		dst = append(dst, r.name...)
		dst = append(dst, " - "...)
	}
	from := len(dst)
	return escapeLine(append(dst, r.Reason...), from)
}
