package track

import (
	"sync/atomic"
	"time"
)

// UpdateRule says when volume updates are due. It is immutable; a commit makes a new one.
type UpdateRule struct {
	First    time.Duration // from the session's start to the first update
	Interval time.Duration // between updates
}

// UpdateRule is the rule that holds now, or nil when no updates are to be sent.
func (t *Tracker) UpdateRule() *UpdateRule { return t.plan.Load().tracking.updates }

// Tracks says whether sessions between the two zones are tracked now.
func (t *Tracker) Tracks(fromZone, toZone string) bool {
	zones := t.plan.Load().tracking.zones
	return zones[fromZone] || zones[toZone]
}

// UpdateClock decides for one session when a volume update is due. It is asked when a packet
// arrives, never by a timer, so a session without packets sends no updates. The zero value is the
// clock of a session that starts now. Several goroutines may ask; one of them gets the update.
type UpdateClock struct {
	last atomic.Int64 // time of the last update since the session's start, in nanoseconds; 0: none yet
}

// Due says whether an update is due at elapsed, the time since the session's start, and takes it:
// the next one is due an interval later. A nil rule is never due.
func (c *UpdateClock) Due(elapsed time.Duration, rule *UpdateRule) bool {
	last := c.last.Load()
	return rule.passed(elapsed, last) && c.last.CompareAndSwap(last, int64(elapsed))
}

// Passed says whether an update would be due for a packet that arrives at elapsed; it takes nothing.
func (c *UpdateClock) Passed(elapsed time.Duration, rule *UpdateRule) bool {
	return rule.passed(elapsed, c.last.Load())
}

// passed says whether the interval after the last update is over at elapsed.
func (r *UpdateRule) passed(elapsed time.Duration, last int64) bool {
	if r == nil {
		return false
	}
	interval := r.Interval
	if last == 0 {
		interval = r.First
	}
	return int64(elapsed)-last > int64(interval)
}
