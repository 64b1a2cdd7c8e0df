package policy

import (
	"math/bits"
)

// query is a flow and the sets found for it.
type query struct {
	flow                *Flow
	key                 uint16
	source, destination admitted
	service             bitmap
	sourcePort          bitmap
	sourcePortLimits    bool
	fromZone, toZone    bitmap
	held                bitmap
	content             contentQuery
	category            categoryQuery
	pair                span
}

// ask finds the sets for f.
func (e *Engine) ask(q *query, f *Flow) {
	q.flow, q.key = f, f.key()
	q.pair = e.pairs[pair{f.FromZone, f.ToZone}]
	e.source.collect(f.Src.Unmap(), &q.source)
	e.destination.collect(f.Dst.Unmap(), &q.destination)
	if t := e.services.protocols[f.Protocol]; t != nil {
		q.service = t.find(q.key)
	}
	if t := e.services.sources[f.Protocol]; t != nil {
		q.sourcePort, q.sourcePortLimits = t.find(f.SrcPort), true
	}
	if e.fromZone.limited {
		q.fromZone = e.fromZone.find(f.FromZone)
	}
	if e.toZone.limited {
		q.toZone = e.toZone.find(f.ToZone)
	}
	if len(e.schedules) > 0 {
		q.held = e.holding(e.st.now())
	}
}

// next is the lowest position from low on whose policy matches, or -1.
func (e *Engine) next(q *query, low int) int {
	if i := e.nextIn(q, max(low, q.pair.low), q.pair.high, false); i >= 0 {
		return i
	}
	return e.nextIn(q, max(low, e.global.low), e.global.high, true)
}

// nextIn is the lowest matching position in low … high-1, or -1.
func (e *Engine) nextIn(q *query, low, high int, global bool) int {
	if low >= high {
		return -1
	}
	first, last := low/64, (high-1)/64
	for b := first / 64; b <= last/64; b++ {
		summary := e.source.block(&q.source, b) & e.destination.block(&q.destination, b) & (e.services.base.block(b) | q.service.block(b))
		for ; summary != 0; summary &= summary - 1 {
			w := b*64 + bits.TrailingZeros64(summary)
			if w < first {
				continue
			}
			if w > last {
				return -1
			}
			word := e.word(q, w, global)
			if w == first {
				word &= ^uint64(0) << (low & 63)
			}
			if w == last {
				word &= ^uint64(0) >> (63 - (high-1)&63)
			}
			for ; word != 0; word &= word - 1 {
				i := w*64 + bits.TrailingZeros64(word)
				p := e.policies[i]
				if p.admits(q.flow.User) && (!p.exact || p.fits(q.flow, q.key)) {
					return i
				}
			}
		}
	}
	return -1
}

// word is the word w of the policies that match, but for what [Policy.admits] and
// [Policy.fits] have to look at.
func (e *Engine) word(q *query, w int, global bool) uint64 {
	service := q.service.word(w)
	if q.sourcePortLimits {
		service &= q.sourcePort.word(w)
	}
	word := service | e.services.base.word(w)
	if word == 0 {
		return 0
	}
	word &= e.source.word(&q.source, w)
	if q.content.on {
		word &= q.content.word(w)
	}
	if q.category.on {
		word &= q.category.word(w)
	}
	if word == 0 {
		return 0
	}
	word &= e.destination.word(&q.destination, w)
	if q.flow.User == nil { // admits would refuse them one by one
		word &^= e.identified.word(w)
	}
	if len(e.schedules) > 0 {
		word &= q.held.word(w)
	}
	if global && e.fromZone.limited {
		word &= q.fromZone.word(w)
	}
	if global && e.toZone.limited {
		word &= q.toZone.word(w)
	}
	return word
}

// Lookup judges a flow by the first policy that matches it: those between its two zones in
// order, then the global ones, then the default policy. It counts nothing, so that a running
// session can be judged again: who opens or refuses a session adds to the
// policy's Counters.
//
// As long as the session's application may still become known, several policies are possible: the
// certain one, which holds whatever it is, and those before it that name applications. The session
// passes while one of them would let it pass.
func (e *Engine) Lookup(f *Flow) Verdict {
	var q query
	e.ask(&q, f)
	if e.content.limited != nil {
		q.content = e.content.certain(f.Content)
		q.category = e.categories.certain(f.Content)
	}
	at := e.next(&q, 0)
	open, again := false, false
	if e.content.limited != nil && (f.Content == nil || !f.Content.Final) {
		certain := at
		at, open = e.possible(&q, f.Content, certain)
		again = open || e.limited(&q, certain)
	}
	p := e.fallback
	if at >= 0 {
		p = e.policies[at]
	}
	v := p.verdict(f, q.key)
	v.Open, v.Again = open, again
	v.decide(f.Content)
	return v
}

// possible finds the policy that a session passes under while its application may still become
// known: the first before the certain one that would let it pass, or else the certain one. The
// session's policy is open when another one than that may be found later.
func (e *Engine) possible(q *query, c *Content, certain int) (at int, open bool) {
	q.category = e.categories.possible(c)
	before := func(content contentQuery) (int, bool) {
		q.content = content
		i := e.next(q, 0)
		return i, i >= 0 && (certain < 0 || i < certain)
	}
	if i, ok := before(e.content.possible(c, true)); ok {
		return i, true
	}
	last := e.fallback
	if certain >= 0 {
		last = e.policies[certain]
	}
	if last.Action == Permit {
		_, open = before(e.content.possible(c, false))
	}
	return certain, open
}

// limited says whether the certain policy depends on the content, or one before it does: whatever the
// session carries and asks for now, it may be something else later.
func (e *Engine) limited(q *query, certain int) bool {
	q.content, q.category = contentQuery{on: true, base: e.content.limited}, categoryQuery{}
	i := e.next(q, 0)
	return i >= 0 && (certain < 0 || i <= certain)
}

// verdict names the service of a flow that p matches.
func (p *Policy) verdict(f *Flow, key uint16) Verdict {
	v := Verdict{Policy: p, Service: NoService, Action: p.Action, Message: p.Message}
	best, found := predefined().byKey[serviceKey(f.Protocol, key)]
	for i := range p.naming {
		t := p.naming[i]
		if !t.matches(f, key) {
			continue
		}
		if !t.service.predefined || !found || t.breadth() <= best.breadth() {
			best, found = t, true
		}
		break
	}
	if found {
		v.Service, v.Timeout, v.ALG = best.service.name, best.timeout, best.alg
	}
	return v
}

// decide lets the policy's rule set, if it has one, decide by the application, and lets everything
// pass where that is only to be logged.
func (v *Verdict) decide(c *Content) {
	p := v.Policy
	if p.Action == Permit && p.Firewall != nil {
		rule, certain := p.Firewall.decide(c)
		v.Rule, v.Action, v.Message = rule, rule.Action, rule.Message
		v.Open = v.Open || !certain
		v.Again = v.Again || v.Open || len(p.Firewall.Rules) > 0 && (c == nil || !c.Final)
	}
	v.WouldBe = v.Action
	if p.LogOnly || p.rulesLogOnly && v.Rule != nil {
		v.Action = Permit
	}
}
