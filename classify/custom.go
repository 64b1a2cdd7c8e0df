package classify

import (
	"cmp"
	"net/netip"
	"slices"
	"unsafe"

	"github.com/gaissmai/bart"

	"sluice/classify/appdb"
	"sluice/classify/decode"
)

// customs are the applications that the operator has defined. Of their sorts, ICMP messages come
// before IP protocols, these before servers, and these before patterns. All but the patterns are
// known with the first packet, and come before everything predefined.
type customs struct {
	icmp     map[uint8][]customICMP
	protocol map[uint8]*appdb.Application
	servers  bart.Table[[]customServer]
	patterns map[string][]customPattern // by what they are over
	streams  bool                       // some pattern looks into streams
	others   bool                       // predefined applications have patterns for streams
}

type customICMP struct {
	application *appdb.Application
	code        *uint8
}

type customServer struct {
	application *appdb.Application
	mapping     *appdb.ServerMapping
}

type customPattern struct {
	*appdb.Pattern
	application *appdb.Application
	stream      bool // some member looks into streams
}

// before orders custom applications by the precedence that the operator gave them.
func before(a, b *appdb.Application) int { return byOrder(a.Order, b.Order) }

// byOrder compares orders, of which 0 comes last.
func byOrder(a, b int) int { return cmp.Compare(uint(a-1), uint(b-1)) }

// add takes a custom application.
func (c *customs) add(a *appdb.Application) {
	if a.Disabled {
		return
	}
	if c.patterns == nil {
		c.icmp, c.protocol = map[uint8][]customICMP{}, map[uint8]*appdb.Application{}
		c.patterns = map[string][]customPattern{}
	}
	for _, m := range a.ICMP {
		c.icmp[m.Type] = append(c.icmp[m.Type], customICMP{a, m.Code})
	}
	for _, number := range a.IPProtocols {
		if other := c.protocol[number]; other == nil || before(a, other) < 0 {
			c.protocol[number] = a
		}
	}
	for i := range a.Servers {
		m := &a.Servers[i]
		prefix := m.Prefix.Masked()
		there, _ := c.servers.Get(prefix)
		c.servers.Insert(prefix, append(there, customServer{a, m}))
	}
	for i := range a.Patterns {
		p := customPattern{&a.Patterns[i], a, inStreams(&a.Patterns[i])}
		c.streams = c.streams || p.stream
		c.patterns[p.Over] = append(c.patterns[p.Over], p)
	}
}

// note takes notice of a predefined application.
func (c *customs) note(a *appdb.Application) {
	for i := range a.Patterns {
		c.others = c.others || inStreams(&a.Patterns[i])
	}
}

// inStreams says whether some member of a pattern looks into streams.
func inStreams(p *appdb.Pattern) bool {
	return slices.ContainsFunc(p.Members, func(m appdb.Member) bool { return m.Context == decode.Stream })
}

// sort puts the ICMP messages with a code before those without, and by precedence.
func (c *customs) sort() {
	for _, list := range c.icmp {
		slices.SortStableFunc(list, func(a, b customICMP) int {
			if (a.code == nil) != (b.code == nil) {
				if a.code != nil {
					return -1
				}
				return 1
			}
			return before(a.application, b.application)
		})
	}
}

// first is the custom application that a session is known to be by its first packet, or nil. sure
// says that nothing can make it another one.
func (c *customs) first(meta *Meta) (a *appdb.Application, sure bool) {
	if c.patterns == nil {
		return nil, false
	}
	if meta.Protocol == protoICMP {
		for _, m := range c.icmp[meta.ICMPType] {
			if m.code == nil || *m.code == meta.ICMPCode {
				return m.application, true
			}
		}
	}
	if a := c.protocol[meta.Protocol]; a != nil {
		return a, true
	}
	return c.server(meta), false
}

// server is the application of the server's address and port: the one with the highest precedence,
// and among equals that with the longest prefix.
func (c *customs) server(meta *Meta) (best *appdb.Application) {
	addr := meta.Server.Addr().Unmap()
	if c.servers.Size() == 0 || !addr.IsValid() {
		return nil
	}
	for _, list := range c.servers.Supernets(netip.PrefixFrom(addr, addr.BitLen())) { // longest first
		for _, s := range list {
			if s.mapping.Has(meta.Protocol, meta.Server) && (best == nil || before(s.application, best) < 0) {
				best = s.application
			}
		}
	}
	return best
}

// possible says whether some pattern over a protocol may be found in a session; streams restricts
// that to patterns that look into streams.
func (c *customs) possible(over string, meta *Meta, streams bool) bool {
	return slices.ContainsFunc(c.patterns[over], func(p customPattern) bool {
		return (p.stream || !streams) && p.On(meta.Protocol, meta.Server.Port())
	})
}

// any says whether patterns may be found in a session of which nothing is known yet.
func (c *customs) any(meta *Meta) bool {
	for over := range c.patterns {
		if c.possible(over, meta, false) {
			return true
		}
	}
	return false
}

// match is a custom application whose pattern has matched.
type match struct {
	application *appdb.Application
	name        string // of the pattern
	over        string
	order       int
}

// beats says whether m comes before another match.
func (m *match) beats(o *match) bool {
	switch {
	case m.application == nil || o.application == nil:
		return m.application != nil
	case m.application.Priority != o.application.Priority:
		return m.application.Priority == appdb.High
	}
	return cmp.Or(before(m.application, o.application), byOrder(m.order, o.order)) < 0
}

// newMatch is what signatures have found over a protocol.
func newMatch(h *Hit, over string) match {
	m := match{h.Application, h.Name, "", h.Order}
	for i := range h.Application.Patterns {
		if p := &h.Application.Patterns[i]; p.Name == h.Name && (m.over == "" || p.Over == over) {
			m.over = p.Over
		}
	}
	return m
}

// yields says whether a match gives way to what is predefined: one of low priority does, to any
// application, and to the mere protocol unless the pattern looks for something over it.
func (m *match) yields(f *finding) bool {
	if m.application.Priority == appdb.High {
		return false
	}
	if f.application != nil || f.carries != nil {
		return true
	}
	return f.protocol != nil && (m.over == "" || m.over == "TCP" || m.over == "UDP")
}

// transport is the protocol that patterns are over when they look into the session itself.
func transport(protocol uint8) string {
	if protocol == decode.TCP {
		return "TCP"
	}
	return "UDP"
}

// overs are the protocols over which patterns may be found by now.
func (w *inspection) overs() [4]string {
	names := [4]string{"", transport(w.meta.Protocol)}
	if w.found.protocol != nil {
		names[2] = w.found.protocol.Short()
	}
	if w.claimed != none {
		names[3] = w.engine.names[w.claimed].Short()
	}
	return names
}

// mayBeCustom says whether the session may still turn out to be a custom application; streams
// restricts that to patterns that look into streams.
func (w *inspection) mayBeCustom(f *Flow, streams bool) bool {
	c := w.engine.customs
	if c.patterns == nil || w.found.custom.application != nil || w.custom.application != nil || w.customOver(f) {
		return false
	}
	for _, over := range w.overs() {
		if c.possible(over, &w.meta, streams) {
			return true
		}
	}
	return false
}

// coming are the custom applications that may still be found, and would then be the answer.
func (w *inspection) coming(f *Flow) (names []string) {
	c := w.engine.customs
	if c.patterns == nil || w.found.custom.application != nil || w.custom.application != nil || w.customOver(f) {
		return nil
	}
	add := func(over string) {
		for i := range c.patterns[over] {
			p := &c.patterns[over][i]
			m := match{application: p.application, over: over}
			if p.On(w.meta.Protocol, w.meta.Server.Port()) && w.mayMatch(p) && (w.mapped != nil || !m.yields(&w.found)) &&
				!slices.Contains(names, p.application.Name) {
				names = append(names, p.application.Name)
			}
		}
	}
	if w.found.protocol == nil || w.depth > 0 && w.claimed == none {
		for over := range c.patterns {
			add(over)
		}
		return names
	}
	for _, over := range w.overs() {
		add(over)
	}
	return names
}

// mayMatch says whether some member of a pattern may still match: one that looks into a stream whose
// beginning has not come yet, or at what is still to come of a transaction.
func (w *inspection) mayMatch(p *customPattern) bool {
	return slices.ContainsFunc(p.Members, func(m appdb.Member) bool {
		for d, wanted := range m.Directions {
			switch {
			case !wanted:
			case m.Context == decode.Stream && (w.scansOver || m.Depth > 0 && w.scanned[d] >= m.Depth):
			case m.Context != decode.Stream && w.session.Transactions > 0 && Direction(d) == w.asker:
			default:
				return true
			}
		}
		return false
	})
}

// overridden says whether a custom application was found that comes before everything else.
func (w *inspection) overridden() bool {
	for _, m := range [...]*match{&w.custom, &w.found.custom} {
		if m.application != nil && m.application.Priority == appdb.High {
			return true
		}
	}
	return false
}

// customOver says whether as much was looked at as custom applications may ask for.
func (w *inspection) customOver(f *Flow) bool {
	return w.engine.customBytes > 0 && int(f.bytes) >= w.engine.customBytes
}

// beyond says whether value, which was told of what is being looked at, ends behind the bytes that
// are searched for custom applications. A datagram is searched as a whole; so is what is not a
// part of a stream, because it was put together or decrypted.
func (w *inspection) beyond(value []byte) bool {
	limit := w.engine.customBytes
	switch {
	case limit == 0:
		return false
	case w.meta.Protocol != decode.TCP:
		return w.skipped >= limit
	}
	for d := range w.streams {
		if at, ok := within(w.streams[d].prefix(), value); ok {
			return w.skipped+at+len(value) > limit
		}
	}
	return false
}

// within is the place of a part in the whole that it was cut from.
func within(whole, part []byte) (at int, ok bool) {
	first := uintptr(unsafe.Pointer(unsafe.SliceData(whole)))
	start := uintptr(unsafe.Pointer(unsafe.SliceData(part)))
	if len(whole) == 0 || len(part) == 0 || start < first || start >= first+uintptr(len(whole)) {
		return 0, false
	}
	return int(start - first), true
}
