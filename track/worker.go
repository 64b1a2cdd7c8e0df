package track

import (
	"slices"
	"time"
)

// work is the worker: the only goroutine that takes from the ring, renders, and feeds outlets.
func (t *Tracker) work() {
	defer close(t.done)
	for {
		select {
		case r := <-t.ring:
			time.Sleep(ringLinger)
			t.handOut(r)
			t.drain(drainLimit)
		case change := <-t.plans:
			t.drain(ringSize) // what was logged before the commit goes where it went before the commit
			t.switchTo(change.plan)
			close(change.applied)
		case <-t.quit:
			t.drain(ringSize)
			t.switchTo(&plan{})
			t.outlets.retiring.Wait()
			return
		}
	}
}

// drain hands out at most limit records that are in the ring.
func (t *Tracker) drain(limit int) {
	for range limit {
		select {
		case r := <-t.ring:
			t.handOut(r)
		default:
			return
		}
	}
}

// handOut renders r in every form that an outlet wants, and gives it to those outlets.
func (t *Tracker) handOut(r *record) {
	p := t.plan.Load()
	for _, o := range t.outlets.active {
		if !o.spec.wants(r.tag, r.severity()) {
			continue
		}
		if f := o.spec.format; o.spec.rendered() && len(r.message[f]) == 0 {
			r.message[f] = p.envelope.appendMessage(slices.Grow(r.message[f], messageSize), f, r)
		}
	}
	for _, o := range t.outlets.active {
		if o.spec.wants(r.tag, r.severity()) {
			o.offer(r)
		}
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
