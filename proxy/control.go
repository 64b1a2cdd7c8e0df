package proxy

import (
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sluice/alg"
	"sluice/policy"
	"sluice/stack"
	"sluice/store/schema"
	"sluice/track"
)

// Limits of what control sessions may arrange.
const (
	maxGates      = 64              // of one of them; the oldest make room
	maxGatesAll   = 16384           // of all of them
	gateTime      = 2 * time.Minute // that a data session has to begin
	firstDataPort = 1024            // no data session is let through to the port of a service
)

// control is a control session with the data sessions that it has arranged: they pass in its name,
// and end with it.
type control struct {
	engine  *Engine
	session *Session
	name    string // of its application layer gateway

	mu     sync.Mutex
	watch  alg.Watch
	gates  []*gate
	data   map[*Session]string // and the calls that they belong to
	ending []*Session          // data sessions whose call is over
	over   bool
}

// watchControl makes s a control session of the application layer gateway with a name, if that is in
// use.
func (e *Engine) watchControl(cfg *config, s *Session, name string) {
	if !cfg.alg.Enabled(name) || s.protocol == schema.ProtoTCP && !s.opensWithSYN {
		return
	}
	c := &control{engine: e, session: s, name: name, data: map[*Session]string{}}
	c.watch = alg.New(name, s.client(), s.server(), c)
	s.control = c
	if s.protocol == schema.ProtoTCP {
		s.path = stream // so that its bytes are read in order, and may be written anew
	}
}

// controls says whether s is a control session.
func (s *Session) controls() bool { return s.control != nil && s.control.session == s }

// parent is the control session in whose name s passes; nil for a session that passes in its own.
func (s *Session) parent() *Session {
	if s.control == nil || s.control.session == s {
		return nil
	}
	return s.control.session
}

// pass shows the watch what one side sends, and returns what goes on.
func (c *control) pass(from direction, data []byte) []byte {
	out, ending := c.follow(from, data)
	for _, s := range ending {
		c.engine.end(s, track.ReasonALG)
	}
	return out
}

// follow is pass, but for the ends of the data sessions whose call is over.
func (c *control) follow(from direction, data []byte) (out []byte, ending []*Session) {
	c.mu.Lock()
	defer c.mu.Unlock() // also when the watch panics: what ends the session then wants it
	out = c.watch.Pass(from == fromServer, data)
	ending, c.ending = c.ending, nil
	return out, ending
}

// edit is what writes anew what the client of a translated control session sends; nil where nothing is.
func (s *Session) edit() func([]byte) []byte {
	if !s.controls() || s.natRule == "" {
		return nil
	}
	return func(data []byte) []byte { return s.control.pass(fromClient, data) }
}

// Expect opens a gate for a data session between the two ends of c. The client of a translated control
// session is called at an address and port of the gateway. It implements [alg.Sessions].
func (c *control) Expect(x alg.Expected) netip.AddrPort {
	e, s := c.engine, c.session
	if c.over || s.has(stateBlocked) || s.has(stateClosing) || x.To.Port() < firstDataPort || !c.speaks() {
		return x.To
	}
	g := &gate{
		gateKey: gateKey{caller: s.client().Addr(), to: x.To, protocol: schema.Protocol(x.Protocol)}, control: c, leave: x.To,
		inside: !x.ByServer, carries: x.Name, call: x.Call, until: e.now() + int64(gateTime),
	}
	if g.inside {
		g.caller = s.server().Addr()
	}
	if translated := g.inside && s.natRule != ""; !e.gates.add(g, translated, s) {
		return x.To
	}
	if c.gates = append(c.gates, g); len(c.gates) > maxGates {
		e.gates.take(c.gates[0])
		c.gates = slices.Delete(c.gates, 0, 1)
	}
	return g.to
}

// speaks says whether the control session carries what its port promises, as far as that is looked at.
func (c *control) speaks() bool {
	if c.session.identity == nil {
		return true
	}
	found, _, _ := c.session.found()
	return found.Protocol == controlProtocols[c.name]
}

// controlProtocols are what control sessions carry, by the names of their application layer gateways.
var controlProtocols = map[string]string{"ftp": "junos:FTP", "tftp": "junos:TFTP", "rtsp": "junos:RTSP", "sip": "junos:SIP"}

// Over ends the data sessions of a call. It implements [alg.Sessions].
func (c *control) Over(call string) {
	c.gates = slices.DeleteFunc(c.gates, func(g *gate) bool {
		if g.call == call {
			c.engine.gates.take(g)
		}
		return g.call == call
	})
	for s, of := range c.data {
		if of == call {
			c.ending = append(c.ending, s)
		}
	}
}

// admit notes that a data session has begun.
func (c *control) admit(s *Session, call string) {
	c.mu.Lock()
	c.data[s] = call
	over := c.over
	c.mu.Unlock()
	if over {
		c.engine.end(s, track.ReasonParentClosed)
	}
}

// forget notes that a data session is over.
func (c *control) forget(s *Session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.data, s)
}

// carried are the data sessions that run.
func (c *control) carried() []*Session {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]*Session, 0, len(c.data))
	for s := range c.data {
		list = append(list, s)
	}
	return list
}

// close ends the data sessions, and lets no further ones through, as the control session is over.
func (c *control) close() {
	c.mu.Lock()
	c.over = true
	for _, g := range c.gates {
		c.engine.gates.take(g)
	}
	c.gates = nil
	c.mu.Unlock()
	for _, s := range c.carried() {
		c.engine.end(s, track.ReasonParentClosed)
	}
}

// waits says whether s is to stay although nothing passes, as its data sessions run.
func (s *Session) waits() bool {
	return s.controls() && !s.has(stateClosing) && len(s.control.carried()) > 0
}

// gate lets one data session through, once.
type gate struct {
	gateKey
	control *control
	leave   netip.AddrPort // where it is called in truth
	inside  bool           // the client of the control session is called, rather than its server
	carries string         // protocol
	call    string
	until   int64 // ticks
}

// gateKey is what is known of a data session before its first packet.
type gateKey struct {
	caller   netip.Addr
	to       netip.AddrPort // as the packet arrives
	protocol schema.Protocol
}

// gates are those of all control sessions.
type gates struct {
	mu    sync.Mutex
	open  map[gateKey]*gate
	count atomic.Int64 // so that a first packet need not lock where there are none
}

// add opens g. Where the client of s is translated, g is at a port of the gateway: the one that the
// control session itself has, where it is to be called at its own, or any that is free.
func (t *gates) add(g *gate, translated bool, s *Session) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open == nil {
		t.open = make(map[gateKey]*gate)
	}
	if len(t.open) >= maxGatesAll {
		return false
	}
	if translated {
		source := s.natSource()
		if g.leave == s.client() {
			g.to = source
		} else if !t.place(g, source.Addr()) {
			return false
		}
	}
	t.open[g.gateKey] = g
	t.count.Store(int64(len(t.open)))
	return true
}

// place finds a port of the gateway's address nat at which the caller of g is not expected yet.
func (t *gates) place(g *gate, nat netip.Addr) bool {
	for range translatedPorts {
		g.to = netip.AddrPortFrom(nat, uint16(firstNATPort+rand.IntN(lastNATPort-firstNATPort+1)))
		if _, taken := t.open[g.gateKey]; !taken {
			return nat.IsValid()
		}
	}
	return false
}

// find is the gate that a first packet may pass by, or nil.
func (t *gates) find(k *stack.Key, now int64) *gate {
	if t.count.Load() == 0 {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	g := t.open[gateKey{caller: k.Source().Addr(), to: k.Destination(), protocol: schema.Protocol(k.Proto)}]
	if g == nil || now > g.until {
		return nil
	}
	return g
}

// expire closes the gates whose time is over, so that they take nobody's place.
func (t *gates) expire(now int64) {
	if t.count.Load() == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	maps.DeleteFunc(t.open, func(_ gateKey, g *gate) bool { return now > g.until })
	t.count.Store(int64(len(t.open)))
}

// take closes g, and says whether it was open.
func (t *gates) take(g *gate) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open[g.gateKey] != g {
		return false
	}
	delete(t.open, g.gateKey)
	t.count.Store(int64(len(t.open)))
	return true
}

// joins says whether g leads from one zone to the other.
func (g *gate) joins(from, to *policy.Zone) bool {
	s := g.control.session
	if g.inside {
		from, to = to, from
	}
	return from.Name == s.fromZone.Name && to.Name == s.toZone.Name
}

// verdict is v in the name of the control session.
func (g *gate) verdict(v policy.Verdict) policy.Verdict {
	s := g.control.session
	return policy.Verdict{Policy: s.verdict.Load(), Rule: s.rule.Load(), Service: v.Service, Timeout: v.Timeout}
}
