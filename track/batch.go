package track

import (
	"sync"
	"sync/atomic"
	"time"
)

// A batch is what one outlet is to write at once: records in the form in which it writes them, one
// behind the other. The worker fills it; once the outlet has taken it, it is the outlet's alone.
type batch struct {
	data  []byte
	items []item
	done  int // so many items were written or lost
	notes []journalNote
	span  span
}

// item is one record of a batch.
type item struct {
	end  int   // of its bytes in the batch's data
	fate *fate // nil where nobody counts it
}

// fate is shared by the items of one record in different outlets.
type fate struct{ failed atomic.Bool }

// span is what the history looks for in a batch before it reads the records.
type span struct {
	oldest, newest time.Time
	low, high      uint64 // session ids
	tags           int64  // 1<<tag of each
}

// include makes the span that of one more record.
func (s *span) include(e *Entry) {
	if s.tags == 0 {
		*s = span{oldest: e.Time, newest: e.Time, low: e.Session.ID, high: e.Session.ID}
	}
	if e.Time.Before(s.oldest) {
		s.oldest = e.Time
	}
	if e.Time.After(s.newest) {
		s.newest = e.Time
	}
	s.low, s.high = min(s.low, e.Session.ID), max(s.high, e.Session.ID)
	s.tags |= 1 << e.Tag
}

var batches = sync.Pool{New: func() any { return new(batch) }}

// release returns b to the pool; the caller must not touch it again.
func (b *batch) release() {
	clear(b.items)
	clear(b.notes)
	*b = batch{data: b.data[:0], items: b.items[:0], notes: b.notes[:0]}
	batches.Put(b)
}

// start is where the bytes of item i begin.
func (b *batch) start(i int) int {
	if i == 0 {
		return 0
	}
	return b.items[i-1].end
}

// bytes are those of item i.
func (b *batch) bytes(i int) []byte { return b.data[b.start(i):b.items[i].end] }

// rest is how many items are neither written nor lost.
func (b *batch) rest() int { return len(b.items) - b.done }
