// Package appqos is how well a session is treated: the code point its packets are marked with, the
// class and loss priority they have, and how fast they may go, by the application that it carries.
//
// A configuration is compiled into an [Engine] that never changes (compile.go, rule.go,
// codepoint.go). A [Session] finds the rule set that the policies of a session ask for, and in it the
// rule of its application, as often as more of that becomes known (session.go); its packets pass the
// token buckets of that rule (limiter.go). What outlives a configuration, counters and the filling of
// buckets, is a [State].
package appqos

import (
	"sync"
	"sync/atomic"
)

// Direction is who sends; it is an index of what a rule has for each.
type Direction uint8

// The directions.
const (
	ClientToServer Direction = iota
	ServerToClient
)

// Counters count sessions since they were cleared.
type Counters struct {
	Processed   atomic.Uint64    // under a rule set
	Marked      atomic.Uint64    // given a code point
	Honored     atomic.Uint64    // treated by a rule that leaves them the code points they come with
	RateLimited atomic.Uint64    // under a rate limiter
	Flows       [2]atomic.Uint64 // their directions under a rate limiter
	DefaultHit  atomic.Uint64    // under the default rule set, as their policies disagreed
	Ignored     atomic.Uint64    // left alone, as their policies disagreed and there is no default
}

// Clear sets the counters to zero.
func (c *Counters) Clear() {
	for _, n := range []*atomic.Uint64{&c.Processed, &c.Marked, &c.Honored, &c.RateLimited, &c.Flows[0], &c.Flows[1], &c.DefaultHit, &c.Ignored} {
		n.Store(0)
	}
}

// State is what outlives one engine.
type State struct {
	Counters Counters

	mu       sync.Mutex
	hits     map[[2]string]*atomic.Uint64 // by rule set and rule
	limiters map[string]*Limiter
	names    map[string]bool // of applications, in the engine in force
	restart  bool            // the first engine is that of a configuration accepted before
}

// NewState makes an empty state.
func NewState() *State {
	return &State{hits: map[[2]string]*atomic.Uint64{}, limiters: map[string]*Limiter{}}
}

// Restarted says that the first configuration to be compiled was in force before, so that it holds
// although applications that it names may be gone since.
func (s *State) Restarted() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.restart = true
}

// accepted says whether the name of an application was accepted before.
func (s *State) accepted(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.restart || s.names[name]
}

// rule is the hits of a rule, which begin with its first configuration.
func (s *State) rule(set, rule string) *atomic.Uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := [2]string{set, rule}
	n := s.hits[key]
	if n == nil {
		n = new(atomic.Uint64)
		s.hits[key] = n
	}
	return n
}

// limiter is the bucket of a name: the one there was if it has the same profile, so that a commit
// does not fill it.
func (s *State) limiter(name string, p Profile) *Limiter {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.limiters[name]; l != nil && l.Profile == p {
		return l
	}
	return newLimiter(name, p)
}

// keep forgets what e does not have.
func (s *State) keep(e *Engine) {
	hits, limiters := map[[2]string]*atomic.Uint64{}, map[string]*Limiter{}
	for _, set := range e.sets {
		for _, r := range set.Rules {
			hits[[2]string{set.Name, r.Name}] = r.hits
		}
	}
	for _, l := range e.limiters {
		limiters[l.Name] = l
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hits, s.limiters, s.names, s.restart = hits, limiters, e.names, false
}
