// Package usage counts sessions and bytes by application.
//
// A session is counted once, when it ends. There are three counts of everything: since the last
// reset, in the interval that is running, and in the one before it.
package usage

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"sluice/classify"
)

// Unknown is the name under which sessions are counted that nothing is known of.
const Unknown = "unknown"

// DefaultInterval is the length of an interval where nothing else is set.
const DefaultInterval = 24 * time.Hour

// shardCount parts the table so that sessions seldom wait for each other.
const shardCount = 16

// Session is what is counted of a session.
type Session struct {
	// Base is the full name of the base protocol, Nested that of the application over it. Either
	// may be "", both stand for Unknown then.
	Base, Nested string
	Encrypted    bool
	How          classify.HowFinal
	Bytes        uint64
}

// Counts of an application or a group.
type Counts struct {
	Sessions uint64 `json:"sessions"`
	Bytes    uint64 `json:"bytes"`
	// Sessions by what made their application final: the bytes, what was known when they ended,
	// or a limit. They add up to Sessions.
	DPI      uint64 `json:"dpi"`
	PreMatch uint64 `json:"pre-match"`
	Limits   uint64 `json:"limits"`
}

func (c *Counts) add(o *Counts) {
	c.Sessions += o.Sessions
	c.Bytes += o.Bytes
	c.DPI += o.DPI
	c.PreMatch += o.PreMatch
	c.Limits += o.Limits
}

// Period is a time that is counted.
type Period uint8

// The periods.
const (
	Cumulative Period = iota // since the last reset
	Current                  // the interval that is running
	Past                     // the interval before it
)

// Table counts. Any number of goroutines may use it.
type Table struct {
	clock  func() time.Time
	mu     sync.Mutex // orders changes of epoch
	epoch  atomic.Pointer[epoch]
	shards [shardCount]shard
}

// epoch is a time that is counted in one go; a reset begins another.
type epoch struct {
	start    time.Time
	interval time.Duration
}

// intervals is the number of intervals that are over.
func (e *epoch) intervals(now time.Time) uint64 { return uint64(max(now.Sub(e.start), 0) / e.interval) }

// combination is what sessions are told apart by. Applications are counted when somebody asks,
// as their groups are: a session has several.
type combination struct {
	base, nested string
	encrypted    bool
}

// tally is the counts of one combination.
type tally struct {
	interval             uint64 // that current is of
	total, current, past Counts
}

// roll makes interval the current one.
func (t *tally) roll(interval uint64) {
	switch {
	case interval <= t.interval: // earlier only where somebody looked at the clock and then waited
		return
	case interval == t.interval+1:
		t.past = t.current
	default:
		t.past = Counts{}
	}
	t.current, t.interval = Counts{}, interval
}

type shard struct {
	mu      sync.Mutex
	epoch   *epoch // that tallies are of
	tallies map[combination]*tally
}

// New is an empty table that counts in intervals. clock tells the time; nil stands for the
// system's clock.
func New(clock func() time.Time) *Table {
	if clock == nil {
		clock = time.Now
	}
	t := &Table{clock: clock}
	t.epoch.Store(&epoch{clock(), DefaultInterval})
	return t
}

// Count counts a session that has ended.
func (t *Table) Count(s *Session) {
	c := Counts{Sessions: 1, Bytes: s.Bytes}
	switch s.How {
	case classify.ByInspection:
		c.DPI = 1
	case classify.ByLimits:
		c.Limits = 1
	default:
		c.PreMatch = 1
	}
	now := t.clock()
	part := &t.shards[rand.Uint32N(shardCount)]
	part.mu.Lock()
	defer part.mu.Unlock()
	e := part.renew(t.epoch.Load())
	k := combination{s.Base, s.Nested, s.Encrypted}
	of := part.tallies[k]
	if of == nil {
		of = new(tally)
		part.tallies[k] = of
	}
	of.roll(e.intervals(now))
	of.total.add(&c)
	of.current.add(&c)
}

// renew forgets what was counted before a reset; s.mu is held.
func (s *shard) renew(e *epoch) *epoch {
	if s.epoch != e {
		s.epoch, s.tallies = e, map[combination]*tally{}
	}
	return e
}

// SetInterval sets the length of the intervals. A change resets everything.
func (t *Table) SetInterval(interval time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.epoch.Load().interval != interval {
		t.epoch.Store(&epoch{t.clock(), interval})
	}
}

// Reset makes all counts zero and begins a new interval.
func (t *Table) Reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.epoch.Store(&epoch{t.clock(), t.epoch.Load().interval})
}

// Interval is the length of the intervals.
func (t *Table) Interval() time.Duration { return t.epoch.Load().interval }

// LastReset is when counting began.
func (t *Table) LastReset() time.Time { return t.epoch.Load().start }
