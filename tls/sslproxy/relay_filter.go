package sslproxy

import (
	"sync"

	"sluice/relay"
)

// Filter stands between the two sides of a session and decides what of its plaintext goes on. Each
// direction is filtered by one goroutine.
type Filter interface {
	// Pass is given what a side has sent, and appends to on what goes on to the other, in pieces that
	// hold as long as data does. Where it takes less than there is, the rest is passed after Wait.
	Pass(fromClient bool, data []byte, on [][]byte) (taken int, _ [][]byte, _ relay.Verdict)
	// Due appends what a side is to be told in the other's place.
	Due(toClient bool, on [][]byte) [][]byte
	// Wait returns when Pass may take more of a side, or after Close.
	Wait(fromClient bool)
	// End is told that a side has finished, and appends what was held of it.
	End(fromClient bool, on [][]byte) [][]byte
	// Close wakes whoever waits. It may be called more than once.
	Close()
}

// sift moves what one side has sent, as the filter says. It returns false when the session is broken.
func (r *plaintext) sift(filter Filter, from, to *side, pieces [][]byte) bool {
	fromClient := from == &r.client
	for _, piece := range pieces {
		from.taken.Add(uint64(len(piece)))
	}
	for {
		rest, v, err := r.siftOnce(filter, from, to, pieces)
		if err != nil {
			r.fail(to.reason(err), err)
			return false
		}
		if v == relay.Tell || v == relay.Close {
			told := from
			if v == relay.Close {
				told = &r.client
			}
			if err := told.tell(func(on [][]byte) [][]byte { return filter.Due(told == &r.client, on) }); err != nil {
				r.fail(told.reason(err), err)
				return false
			}
		}
		if err := r.obey(v); err != nil {
			r.fail(relay.Stopped, err)
			return false
		}
		if len(rest) == 0 {
			return true
		}
		if pieces = rest; v == relay.Continue {
			filter.Wait(fromClient)
			if r.failure.Load() != nil {
				return false
			}
		}
	}
}

var siftedLists = sync.Pool{New: func() any { return new([][]byte) }}

// siftOnce filters pieces as far as that goes without waiting or telling anybody anything, and writes
// what goes on. rest is what was not taken.
func (r *plaintext) siftOnce(filter Filter, from, to *side, pieces [][]byte) (rest [][]byte, v relay.Verdict, err error) {
	list := siftedLists.Get().(*[][]byte)
	defer func() {
		clear(*list)
		siftedLists.Put(list)
	}()
	to.turn.Lock()
	defer to.turn.Unlock()
	on := (*list)[:0]
	for v == relay.Continue && len(pieces) > 0 {
		var taken int
		taken, on, v = filter.Pass(from == &r.client, pieces[0], on)
		if taken < len(pieces[0]) {
			pieces[0] = pieces[0][taken:]
			break
		}
		pieces = pieces[1:]
	}
	*list = on
	release := func() {}
	if len(pieces) == 0 {
		release = from.ReleaseRecords
	}
	if len(on) == 0 {
		release()
		return pieces, v, nil
	}
	return pieces, v, to.WriteRecords(on, release)
}

// tell writes what is due to a side, in its turn.
func (s *side) tell(due func([][]byte) [][]byte) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	if on := due(nil); len(on) > 0 {
		return s.WriteRecords(on, func() {})
	}
	return nil
}
