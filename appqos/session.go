package appqos

import (
	"slices"
	"sync"
	"sync/atomic"
)

// stage is which rule set a session is under, and why.
type stage uint8

const (
	untreated stage = iota // none of its policies names one
	chosen                 // the one that its policy, or all that it may come to have, name
	fallback               // the default, as the policies that it may come to have disagree
	ignored                // none for good, as they disagree and there is no default
)

// Asked is the rule sets that the policies of a session name.
type Asked struct {
	Sets []string // of all policies that the session may have; two where they disagree
	Open bool     // another of them may still turn out to be the session's
}

// Session is how one session is treated. Sessions whose policies name no rule set have none.
type Session struct {
	current atomic.Pointer[Treatment] // in force; nil for none
	honored atomic.Bool               // counted

	mu        sync.Mutex
	stage     stage
	set       *RuleSet
	hits      []*atomic.Uint64 // of the rules that have counted the session
	news      []*Rule          // rules that decided, and are still to be logged
	processed bool             // what was counted
	marked    bool
	limited   [2]bool
}

// Treatment is what is done to the session's packets, nil while no rule matches.
func (s *Session) Treatment() *Treatment { return s.current.Load() }

// Rule is the rule in force, nil while there is none.
func (s *Session) Rule() *Rule {
	if t := s.current.Load(); t != nil {
		return t.Rule
	}
	return nil
}

// Treats says whether anything is done to the session's packets.
func (s *Session) Treats() bool {
	r := s.Rule()
	return r != nil && r.treats()
}

// Set is the name of the session's rule set, "" without one.
func (s *Session) Set() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.set == nil {
		return ""
	}
	return s.set.Name
}

// Origin says where the session's rule set comes from, in words; "" for a session without.
func (s *Session) Origin() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return [...]string{
		untreated: "", chosen: "its policy, or all that it may come to have", fallback: "the default, as the policies that were possible disagreed",
		ignored: "none for good, as the policies that were possible disagreed and there is no default",
	}[s.stage]
}

// Follow puts the session under the rule set that its policies ask for by now (guide, "AppQoS Rule Set
// Usage in Unified Policies"), and under the rule of it that fits what is found by now. It is called
// again whenever one of these changes. links are the logical interfaces by which its directions leave.
func (s *Session) Follow(e *Engine, asked Asked, links [2]string, found func(*RuleSet) Found) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.choose(e, asked)
	if s.set == nil {
		s.current.Store(nil)
		return
	}
	if !s.processed {
		s.processed = true
		e.state.Counters.Processed.Add(1)
	}
	f := found(s.set)
	r := s.set.match(&f)
	if r == nil {
		s.current.Store(nil)
		return
	}
	t := e.treatment(r, links)
	s.current.Store(t)
	s.count(&e.state.Counters, t)
	if f.Settled {
		s.hit(r)
	}
}

// choose finds the rule set.
func (s *Session) choose(e *Engine, asked Asked) {
	switch {
	case s.stage == ignored:
	case s.stage == fallback && (asked.Open || len(asked.Sets) > 0): // it stays, whatever the policy names
		s.set = e.fallback
	case asked.Open && len(asked.Sets) > 1:
		if s.set = e.fallback; s.set != nil {
			s.stage = fallback
			e.state.Counters.DefaultHit.Add(1)
		} else {
			s.stage = ignored
			e.state.Counters.Ignored.Add(1)
		}
	case len(asked.Sets) == 0:
		s.stage, s.set = untreated, nil
	default:
		s.stage, s.set = chosen, e.byName[asked.Sets[0]]
	}
}

// count counts what t does to the session, each thing once.
func (s *Session) count(c *Counters, t *Treatment) {
	if t.Points != [2]CodePoint{Unmarked, Unmarked} && !s.marked {
		s.marked = true
		c.Marked.Add(1)
	}
	for d, l := range t.Limiters {
		if l == nil || s.limited[d] {
			continue
		}
		if s.limited == [2]bool{} {
			c.RateLimited.Add(1)
		}
		s.limited[d] = true
		c.Flows[d].Add(1)
	}
}

// hit counts the session for a rule, once.
func (s *Session) hit(r *Rule) {
	if slices.Contains(s.hits, r.hits) {
		return
	}
	s.hits = append(s.hits, r.hits)
	r.hits.Add(1)
	if r.Log {
		s.news = append(s.news, r)
	}
}

// End counts the session, which is over, for the rule that it was under last.
func (s *Session) End() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.Rule(); r != nil {
		s.hit(r)
	}
}

// Logged are the rules that decided since it was called last, and that are to be logged.
func (s *Session) Logged() (rules []*Rule) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rules, s.news = s.news, nil
	return rules
}

// Honor notes that a packet keeps the code point that it came with.
func (s *Session) Honor(e *Engine) {
	if !s.honored.Load() && !s.honored.Swap(true) {
		e.state.Counters.Honored.Add(1)
	}
}
