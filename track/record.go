package track

import (
	"sync"
	"time"
)

// A record is what the ring holds: filled by the caller, rendered and encoded by the worker, and then
// returned to the pool.
type record struct {
	Entry // the reason of a system message is its text

	name  string   // tag of a system message
	level Severity // of a system message
}

var records = sync.Pool{New: func() any { return new(record) }}

// newRecord takes a record from the pool.
func newRecord(tag Tag, now time.Time, reason string, s *Session) *record {
	r := records.Get().(*record)
	r.Tag, r.Time, r.Reason = tag, now, reason
	if r.Session = (Session{}); s != nil {
		r.Session = *s
	}
	return r
}

// severity is how severe r is.
func (r *record) severity() Severity {
	if r.Tag == systemMessage {
		return r.level
	}
	return layouts[r.Tag].severity
}

// release returns r to the pool; the caller must not touch it again.
func (r *record) release() { records.Put(r) }
