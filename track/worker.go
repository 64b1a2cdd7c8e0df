package track

import (
	"slices"
	"time"
)

// work is the worker: the only goroutine that takes from the ring, renders, and feeds outlets. While
// records come it looks after them at intervals, and is not woken by each.
func (t *Tracker) work() {
	defer close(t.done)
	linger := time.NewTimer(ringLinger)
	linger.Stop()
	ring := t.ring // nil while records gather
	var first *record
	for {
		select {
		case first = <-ring:
			ring = nil
			linger.Reset(ringLinger)
		case <-linger.C:
			handed := t.drain(first, drainLimit)
			switch first = nil; {
			case handed == 0:
				ring = t.ring
			case len(t.ring) > 0:
				linger.Reset(0)
			default:
				linger.Reset(ringLinger)
			}
		case change := <-t.plans:
			t.drain(first, ringSize) // what was logged before the commit goes where it went before the commit
			first = nil
			t.switchTo(change.plan)
			close(change.applied)
		case <-t.quit:
			t.drain(first, ringSize)
			t.switchTo(&plan{})
			t.outlets.retiring.Wait()
			return
		}
	}
}

// drain hands out first, unless it is nil, and at most limit records that are in the ring, and says
// how many those were.
func (t *Tracker) drain(first *record, limit int) (handed int) {
	for _, o := range t.outlets.active {
		o.begin()
		defer o.end()
	}
	if first != nil {
		t.handOut(first, new(fate))
	}
	for fates := make([]fate, min(limit, len(t.ring))); handed < len(fates); handed++ {
		t.handOut(<-t.ring, &fates[handed])
	}
	return handed
}

// handOut renders r in every form that an outlet wants, and gives it to those outlets.
func (t *Tracker) handOut(r *record, f *fate) {
	p := t.plan.Load()
	if !r.Tag.application() {
		f = nil
	}
	for i := range t.rendered {
		t.rendered[i] = t.rendered[i][:0]
	}
	for _, o := range t.outlets.active {
		if !o.spec.wants(r.Tag, r.severity()) {
			continue
		}
		message := &t.rendered[o.spec.format]
		if o.spec.rendered() && len(*message) == 0 {
			*message = p.envelope.appendMessage(*message, o.spec.format, r, &t.clock)
		}
		o.add(r, *message, f)
	}
	r.release()
}

// switchTo makes the outlets those of p: outlets whose statement did not change go on with their
// queue and connection, the others finish what they hold and are replaced.
func (t *Tracker) switchTo(p *plan) {
	old := t.outlets.active
	next := make([]*outlet, 0, len(p.outlets))
	var fresh []*outlet
	for _, spec := range p.outlets {
		var before *outlet
		if i := slices.IndexFunc(old, func(o *outlet) bool { return o.spec.name == spec.name }); i >= 0 {
			before = old[i]
		}
		if before != nil && before.spec == spec {
			next = append(next, before)
			continue
		}
		o := t.newOutlet(spec, before)
		next, fresh = append(next, o), append(fresh, o)
	}
	t.plan.Store(p)
	t.clock = clock{} // that of another envelope
	t.outlets.Lock()
	t.outlets.active = next
	t.outlets.Unlock()
	for _, o := range old {
		if !slices.Contains(next, o) {
			o.retire()
		}
	}
	for _, o := range fresh {
		t.outlets.retiring.Add(1)
		go func() {
			defer t.outlets.retiring.Done()
			o.run()
		}()
	}
}
