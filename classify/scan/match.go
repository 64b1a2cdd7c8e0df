package scan

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"sluice/classify"
	"sluice/classify/decode"
)

// maxValue is how much of a value is looked at, in bytes.
const maxValue = 64 << 10

// end is where a member of an ordered pattern matched in the value at hand.
type end struct{ number, at uint32 }

// Wants says whether something is looked for in a context and direction.
func (s *Set) Wants(c decode.Context, d decode.Direction) bool { return s.table(c, d) != nil }

func (s *Set) table(c decode.Context, d decode.Direction) *table {
	if s == nil || int(c) >= len(s.tables) || d > decode.ToClient {
		return nil
	}
	return s.tables[c][d]
}

// Match looks for members in value; see classify.Signatures. A pattern whose members have matched
// already matches again with any of them.
func (s *Set) Match(p *classify.Progress, c decode.Context, d decode.Direction, over string, meta *classify.Meta, value []byte) *classify.Hit {
	t := s.table(c, d)
	if t == nil || len(value) == 0 {
		return nil
	}
	l := s.takeLane()
	defer l.Unlock()
	if l.scanner.c == nil {
		return nil // closed
	}
	value = value[:min(len(value), maxValue)]
	l.ends = l.ends[:0]
	at := view{lane: l, progress: p, context: c, direction: d, over: over, meta: meta, grows: c == decode.Stream && meta.Protocol == decode.TCP}
	for i := range t.databases {
		db := &t.databases[i]
		if found := l.scanner.scan(db.native, value); len(found) > 0 {
			at.judge(db, found)
		}
	}
	if at.best == nil {
		return nil
	}
	return &at.best.hit
}

// takeLane locks a lane that is free, or waits for one.
func (s *Set) takeLane() *lane {
	first := rand.IntN(len(s.lanes))
	for i := range s.lanes {
		if l := &s.lanes[(first+i)%len(s.lanes)]; l.TryLock() {
			return l
		}
	}
	s.lanes[first].Lock()
	return &s.lanes[first]
}

// view is one value and what is found in it.
type view struct {
	lane      *lane
	progress  *classify.Progress
	context   decode.Context
	direction decode.Direction
	over      string
	meta      *classify.Meta
	grows     bool // the value is shown again when there is more of it
	best      *pattern
}

// judge draws the conclusions from matches.
func (v *view) judge(db *database, found []match) {
	if db.chains {
		slices.SortFunc(found, func(a, b match) int { return cmp.Compare(a.end, b.end) })
	}
	for _, f := range found {
		for _, m := range db.members[f.expression] {
			if v.suits(m.pattern) && v.completes(m, uint32(f.end)) && (v.best == nil || m.pattern.rank < v.best.rank) {
				v.best = m.pattern
			}
		}
	}
}

// suits says whether a pattern may be found in this session.
func (v *view) suits(p *pattern) bool {
	return p.of.On(v.meta.Protocol, v.meta.Server.Port()) && p.runsOver(v.context, v.over)
}

// completes notes that a member has matched and says whether its pattern is complete.
func (v *view) completes(m member, at uint32) bool {
	n := len(m.pattern.of.Members)
	if n == 1 {
		return true
	}
	if m.pattern.of.Chain && !v.inOrder(m, at) {
		return false
	}
	note(v.progress, m.number(), v.direction)
	for i := range n {
		if !noted(v.progress, m.pattern.first+uint32(i), decode.ToServer) && !noted(v.progress, m.pattern.first+uint32(i), decode.ToClient) {
			return false
		}
	}
	return true
}

// inOrder says whether the member before one that ends here has matched already.
func (v *view) inOrder(m member, at uint32) bool {
	before := m.number() - 1
	switch i := slices.IndexFunc(v.lane.ends, func(e end) bool { return e.number == before }); {
	case m.index == 0:
	case i >= 0 && v.lane.ends[i].at >= at:
		return false
	case i >= 0:
	case noted(v.progress, before, v.direction) && v.grows:
		return false // it was further down in the same stream
	case !noted(v.progress, before, decode.ToServer) && !noted(v.progress, before, decode.ToClient):
		return false
	}
	if !slices.ContainsFunc(v.lane.ends, func(e end) bool { return e.number == m.number() }) {
		v.lane.ends = append(v.lane.ends, end{m.number(), at}) // the first one counts
	}
	return true
}
