package policy

import (
	"fmt"
	"math/bits"
	"net/netip"
	"sync/atomic"

	"sluice/store/schema"
)

// Engine is a compiled configuration. It is safe for concurrent use.
type Engine struct {
	zones           []*Zone
	zoneByInterface map[string]*Zone
	hostInbound     []HostInboundRule

	policies         []*Policy // in the order of evaluation
	fallback         *Policy
	pairs            map[pair]span
	global           span
	rematch          bool
	rematchExtensive bool

	source, destination *side
	fromZone, toZone    zoneTable
	services            serviceTable
	identified          bitmap // policies that match only known users
	schedules           []*schedule
	held                atomic.Pointer[holding]
	blocks              int

	translations []*translation

	names []*nameEntry // domain names in use
	st    *State
}

// pair is two zones.
type pair struct{ from, to string }

// span is a run of positions, high not included.
type span struct{ low, high int }

// compiler gathers an engine and everything wrong with its configuration.
type compiler struct {
	cfg      *schema.Config
	st       *State
	e        *Engine
	problems []schema.Problem

	zones  map[string]*Zone
	books  []*book
	scopes map[string][]*book // by zone
	global *book
	masks  []uint32 // of wildcard addresses

	names       map[nameKey]*nameEntry
	literals    map[netip.Prefix]*address
	services    map[string]*service
	serviceSets map[string]*schema.ApplicationSet
	expanded    map[string][]*service
	openSets    []string // sets being expanded, to recognise cycles
	schedules   map[string]*schedule
}

// problem notes what is wrong at path.
func (c *compiler) problem(path, hint, format string, args ...any) {
	c.problems = append(c.problems, schema.Problem{Path: path, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// Compile makes the engine of a configuration. It reports everything that is wrong at once; the
// engine is only to be used when no problem but warnings is reported. Compile changes nothing
// that runs: an engine takes over by [Engine.Activate].
func Compile(cfg *schema.Config, st *State) (*Engine, []schema.Problem) {
	c := &compiler{cfg: cfg, st: st, e: &Engine{st: st}}
	c.compileZones()
	c.compileBooks()
	c.compileServices()
	c.compileSchedules()
	c.compilePolicies()
	c.compileTranslations()
	c.buildTables()
	return c.e, c.problems
}

// buildTables turns the policies into the sets that lookups intersect.
func (c *compiler) buildTables() {
	e, n := c.e, len(c.e.policies)
	e.blocks = blocksFor(n)
	var source, destination sideBuilder
	var identified []uint32
	for i, p := range e.policies {
		at := uint32(i)
		match := &p.configured.Match
		source.policy(at, p.sources, match.SourceAddressExcluded)
		destination.policy(at, p.destinations, match.DestinationAddressExcluded)
		if len(p.users) > 0 {
			identified = append(identified, at)
		}
		if s := c.schedules[p.Scheduler]; s != nil {
			s.users = append(s.users, at)
		}
	}
	e.source, e.destination = source.build(n), destination.build(n)
	e.identified = bitmapOf(e.blocks, identified)
	e.fromZone = newZoneTable(e.policies, func(p *Policy) []string { return p.fromZones })
	e.toZone = newZoneTable(e.policies, func(p *Policy) []string { return p.toZones })
	e.services = newServiceTable(e.policies)
	for _, name := range sortedKeys(c.schedules) {
		if s := c.schedules[name]; len(s.users) > 0 {
			e.schedules = append(e.schedules, s)
		}
	}
}

// policy notes what the policy at position p matches on this side.
func (b *sideBuilder) policy(p uint32, addresses []*address, excluded bool) {
	if len(addresses) == 0 || excluded {
		b.base = append(b.base, p)
	}
	for _, a := range addresses {
		b.name(p, a)
	}
}

// zoneTable has, for each zone, the global policies that are not limited to other zones.
type zoneTable struct {
	limited bool // some policy is limited
	zones   map[string]bitmap
	others  bitmap
}

// newZoneTable makes the table of the zones that limits tells for each policy.
func newZoneTable(policies []*Policy, limits func(*Policy) []string) zoneTable {
	t := zoneTable{zones: map[string]bitmap{}}
	var everywhere []uint32
	named := map[string][]uint32{}
	for i, p := range policies {
		zones := limits(p)
		if len(zones) == 0 {
			everywhere = append(everywhere, uint32(i))
		}
		for _, z := range zones {
			named[z] = append(named[z], uint32(i))
			t.limited = true
		}
	}
	t.others = bitmapOf(blocksFor(len(policies)), everywhere)
	for z, positions := range named {
		t.zones[z] = bitmapOf(blocksFor(len(policies)), sorted(append(positions, everywhere...)))
	}
	return t
}

// find is the policies that zone admits.
func (t *zoneTable) find(zone string) bitmap {
	if m, ok := t.zones[zone]; ok {
		return m
	}
	return t.others
}

// serviceTable has the policies that a protocol and its ports admit.
type serviceTable struct {
	base      bitmap // policies of any application
	protocols [256]*portTable
	sources   [256]*portTable // nil: no policy is limited to source ports of the protocol
}

// newServiceTable makes the table of the policies' terms.
func newServiceTable(policies []*Policy) serviceTable {
	n := len(policies)
	var t serviceTable
	var base []uint32
	keys, sources := map[schema.Protocol]map[portSpan][]uint32{}, map[schema.Protocol]map[portSpan][]uint32{}
	limited := map[schema.Protocol]bool{}
	for i, p := range policies {
		at := uint32(i)
		if len(p.services) == 0 {
			base = append(base, at)
		}
		for _, term := range p.naming {
			addSpan(keys, term.protocol, term.key, at)
			addSpan(sources, term.protocol, term.source, at)
			limited[term.protocol] = limited[term.protocol] || term.source != everyPort
		}
	}
	t.base = bitmapOf(blocksFor(n), base)
	for protocol, spans := range keys {
		t.protocols[protocol] = newPortTable(n, spans)
		if limited[protocol] {
			t.sources[protocol] = newPortTable(n, sources[protocol])
		}
	}
	return t
}

// addSpan notes that the policy at position p matches span of a protocol.
func addSpan(to map[schema.Protocol]map[portSpan][]uint32, protocol schema.Protocol, s portSpan, p uint32) {
	if to[protocol] == nil {
		to[protocol] = map[portSpan][]uint32{}
	}
	list := to[protocol][s]
	if len(list) == 0 || list[len(list)-1] != p {
		to[protocol][s] = append(list, p)
	}
}

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
	if word == 0 {
		return 0
	}
	word &= e.destination.word(&q.destination, w)
	if q.flow.User == nil {
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
// session can be judged again; who opens a session adds to the policy's Hits.
func (e *Engine) Lookup(f *Flow) Verdict {
	var q query
	e.ask(&q, f)
	p := e.fallback
	if i := e.next(&q, 0); i >= 0 {
		p = e.policies[i]
	}
	return p.verdict(f, q.key)
}

// verdict names the service of a flow that p matches.
func (p *Policy) verdict(f *Flow, key uint16) Verdict {
	v := Verdict{Policy: p, Service: NoService}
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
		v.Service, v.Timeout = best.service.name, best.timeout
	}
	return v
}

// refreshNames makes the tables follow the addresses that domain names have now.
func (e *Engine) refreshNames() {
	e.source.refreshNames()
	e.destination.refreshNames()
}

// Rematch says whether running sessions are to be judged again after a commit, and whether they
// may then move to another policy rather than end.
func (e *Engine) Rematch() (on, extensive bool) { return e.rematch, e.rematchExtensive }

// Activate makes e the engine whose domain names are followed, and lets the state forget the
// policies that are gone. It is called when e takes over, after a commit.
func (e *Engine) Activate() {
	e.st.keep(e)
	e.st.names.follow(e)
}
