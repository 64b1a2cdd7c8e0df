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

// Message is the whole message as a gateway named host sends it, without a line end; times are in
// UTC when utc is set, else local.
func (e *Entry) Message(f Format, host string, utc bool) string {
	env := envelope{host: header(host), sdid: DefaultSDID, utc: utc}
	return string(env.appendMessage(nil, f, &record{Entry: *e}, new(clock)))
}

// Text is the message in words, without time, host and tag.
func (e *Entry) Text() string {
	return string(programs[Plain][e.Tag].appendValues(nil, e))
}

// Fields are the values of the message by the names of the structured form.
func (e *Entry) Fields() map[string]string {
	fields := programs[Structured][e.Tag].fields
	values := make(map[string]string, len(fields))
	for i := range fields {
		values[fields[i].name] = string(fields[i].appendTo(nil, e, nil))
	}
	return values
}
