package track

import "time"

// Entry is one record of the history.
type Entry struct {
	Number  int64     `json:"number"` // grows with time; newest is largest
	Time    time.Time `json:"time"`
	Tag     Tag       `json:"tag"`
	Reason  string    `json:"reason,omitzero"`
	Session Session   `json:"session"`
}

// record is the entry as the pipeline had it.
func (e *Entry) record() *record {
	return &record{tag: e.Tag, time: e.Time, reason: e.Reason, Session: e.Session}
}

// Message is the whole message as a gateway named host sends it, without a line end; times are in
// UTC when utc is set, else local.
func (e *Entry) Message(f Format, host string, utc bool) string {
	env := envelope{host: header(host), sdid: DefaultSDID, utc: utc}
	return string(env.appendMessage(nil, f, e.record()))
}

// Text is the message in words, without time, host and tag.
func (e *Entry) Text() string {
	return string(programs[Plain][e.Tag].appendValues(nil, e.record()))
}

// Fields are the values of the message by the names of the structured form.
func (e *Entry) Fields() map[string]string {
	steps := programs[Structured][e.Tag].steps
	values := make(map[string]string, len(steps))
	r := e.record()
	for _, s := range steps {
		values[s.field.name] = string(s.field.append(nil, r))
	}
	return values
}
