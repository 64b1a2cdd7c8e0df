package track

import (
	"sync"
	"sync/atomic"
	"time"
)

// A record travels through the whole pipeline by reference: filled by the caller, rendered by the
// worker, read by every outlet, and returned to the pool by the last one that lets go of it. From
// the worker's hand-out on it is read only.
type record struct {
	tag    Tag
	time   time.Time
	reason string // of a session's end; the text of a system message
	Session

	name  string   // tag of a system message
	level Severity // of a system message

	message [formatCount][]byte // rendered forms; empty where no outlet wants the form
	holders atomic.Int32
	failed  atomic.Bool // an outlet could not deliver it
}

var records = sync.Pool{New: func() any { return new(record) }}

// newRecord takes a record with one holder from the pool.
func newRecord(tag Tag, now time.Time, reason string, s *Session) *record {
	r := records.Get().(*record)
	r.tag, r.time, r.reason = tag, now, reason
	if s != nil {
		r.Session = *s
	}
	r.holders.Store(1)
	r.failed.Store(false)
	return r
}

// severity is how severe r is.
func (r *record) severity() Severity {
	if r.tag == systemMessage {
		return r.level
	}
	return layouts[r.tag].severity
}

// hold adds a holder.
func (r *record) hold() { r.holders.Add(1) }

// release lets go of r; the caller must not touch it again.
func (r *record) release() {
	if r.holders.Add(-1) > 0 {
		return
	}
	for f := range r.message {
		r.message[f] = r.message[f][:0]
	}
	r.Session = Session{} // lets go of the strings
	records.Put(r)
}
