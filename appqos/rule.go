package appqos

import (
	"slices"
	"sync/atomic"
)

// LossPriority says how readily packets are dropped when the link is congested.
type LossPriority uint8

// The loss priorities. Unset is that of a rule that gives none.
const (
	LossUnset LossPriority = iota
	LossLow
	LossMediumLow
	LossMediumHigh
	LossHigh
)

var lossNames = [...]string{"", "low", "medium-low", "medium-high", "high"}

// lossPriority is what a word of a statement means; LossUnset for none.
func lossPriority(word string) LossPriority {
	return LossPriority(max(0, slices.Index(lossNames[:], word)))
}

// String is the word of the statement, "" for none.
func (p LossPriority) String() string { return lossNames[p] }

// Class is a forwarding class: packets that wait in the same egress queue under one name.
type Class struct {
	Name  string
	Queue uint8 // 0 to 7
}

// RuleSet is the rules that a policy names; the first that matches decides.
type RuleSet struct {
	Name  string
	Rules []*Rule
}

// Rule says how sessions of some applications are treated.
type Rule struct {
	Name         string
	Set          *RuleSet
	Class        *Class       // nil for none
	CodePoint    CodePoint    // Unmarked for none
	LossPriority LossPriority // LossUnset for none
	Limiters     [2]*Limiter  // by Direction; nil for no limit
	Defer        bool         // what exceeds a limiter passes with high loss priority in place of being dropped
	Log          bool

	names               map[string]bool // full names of applications
	any, known, unknown bool
	hits                *atomic.Uint64
}

// Hits is the number of sessions that the rule decided about.
func (r *Rule) Hits() uint64 { return r.hits.Load() }

// Clear sets the number of hits to zero.
func (r *Rule) Clear() { r.hits.Store(0) }

// treats says whether the rule does anything to packets.
func (r *Rule) treats() bool {
	return r.Class != nil || r.CodePoint != Unmarked || r.LossPriority != LossUnset || r.Limiters != [2]*Limiter{}
}

// Found is what is known of a session's application.
type Found struct {
	Names   []string // full names that hold of it; none while nothing is known, or unknown alone for good
	Settled bool     // what it is will not become anything else by itself
}

// unknown is the full name of what no signature matches.
const unknown = "junos:UNKNOWN"

// known says whether an application was found.
func (f *Found) known() bool { return len(f.Names) > 0 && !slices.Contains(f.Names, unknown) }

// Names says whether a rule of the set names an application.
func (s *RuleSet) Names(application string) bool {
	return slices.ContainsFunc(s.Rules, func(r *Rule) bool { return r.names[application] })
}

// match is the rule for a session, nil for none.
func (s *RuleSet) match(f *Found) *Rule {
	for _, r := range s.Rules {
		if r.matches(f) {
			return r
		}
	}
	return nil
}

func (r *Rule) matches(f *Found) bool {
	if r.any || r.known && f.known() || r.unknown && !f.known() {
		return true
	}
	return slices.ContainsFunc(f.Names, func(name string) bool { return r.names[name] })
}
