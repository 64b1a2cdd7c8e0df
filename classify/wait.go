package classify

import (
	"sync"

	"sluice/classify/appdb"
)

// waiting is what a TCP session needs until its first payload: a connection that is being opened,
// or that says nothing, is held in a tenth of what an inspection takes.
type waiting struct {
	engine *Engine
	meta   Meta
	cached [2]*appdb.Application
	start  [2]uint32 // sequence number of the first byte, by direction
	opened [2]bool   // the direction's SYN was seen
	ack    [2]uint32 // last byte and one that was acknowledged, by direction
	acked  [2]bool
	outer  *answer // what was known from outside the encryption; nil for a session that is not decrypted
}

// wait puts off the inspection of a TCP session until there is something to look at. What is known
// before that is the answer so far.
func (f *Flow) wait(e *Engine, meta *Meta, cached [2]*appdb.Application) {
	w := e.newInspection(meta)
	w.cached = cached
	f.answer = w.combine()
	w.free()
	f.waits = waitings.Get().(*waiting)
	*f.waits = waiting{engine: e, meta: *meta, cached: cached}
}

var waitings = sync.Pool{New: func() any { return new(waiting) }}

// note takes over where the directions begin, as far as a segment without payload tells.
func (w *waiting) note(s *Segment) {
	if s.Flags&flagSyn != 0 {
		w.start[s.Direction], w.opened[s.Direction] = s.Seq+1, true
	}
	if s.Flags&flagAck != 0 {
		other := s.Direction.Reverse()
		w.ack[other], w.acked[other] = s.Ack, true
	}
}

// arrive is the inspection of the session, which begins with its first payload; nil when there is
// none, or no room for one any more.
func (f *Flow) arrive() *inspection {
	waits := f.waits
	if f.work != nil || waits == nil {
		return f.work
	}
	f.waits = nil
	defer waitings.Put(waits)
	if waits.engine.crowded() {
		f.answer.settle(false)
		return nil
	}
	f.work = waits.inspection()
	return f.work
}

// inspection is a new inspection of the session, as far as it is known by now.
func (w *waiting) inspection() *inspection {
	i := w.engine.newInspection(&w.meta)
	i.cached, i.outer = w.cached, w.outer
	for d, opened := range w.opened {
		if opened {
			i.streams[d].begin(w.start[d])
		}
		if w.acked[d] {
			i.streams[d].acknowledge(w.ack[d])
		}
	}
	return i
}

// crowded says whether sessions under inspection hold so much memory that no further one is
// inspected.
func (e *Engine) crowded() bool { return e.maxMemory > 0 && e.state.Memory() >= e.maxMemory/10*9 }
