package proxy

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"sluice/policy"
	"sluice/stack"
	"sluice/store/schema"
	"sluice/track"
)

// Timeouts without packets, where neither the application nor the policy gives one.
const (
	timeoutTCP      = 1800 * time.Second
	timeoutUDP      = 60 * time.Second
	timeoutICMP     = 60 * time.Second
	timeoutOther    = 60 * time.Second
	timeoutInitial  = 20 * time.Second // of a TCP handshake
	timeoutReplied  = 4 * time.Second  // of an echo session that had its reply
	graceHandshake  = time.Second      // a half-open session keeps its place in a full table
	maximumPending  = 65536            // half-open TCP sessions; beyond it the oldest make room
	translatedPorts = 64               // ports tried at random before every port is
)

// Ports that translated sessions use on the egress interface's address. The kernel's own
// ephemeral ports lie above them.
const (
	firstNATPort = 10000
	lastNATPort  = 31999
)

// admit creates the session of a permitted first packet, which is a data session where it came by a gate.
func (e *Engine) admit(a *arrival) (admitted *wing) {
	if !e.makeRoom(a) {
		return nil
	}
	s := e.newSession(a)
	e.beginIdentity(s, a.gate)
	defer func() {
		if admitted == nil || admitted.session != s { // what was begun is not left hanging
			e.endIdentity(s)
		}
	}()
	if a.verdict.Again && s.identity != nil && !e.judgeByAddresses(a, s) {
		return nil
	}
	translated := e.prepare(a, s)
	e.qualify(a.cfg, s)
	if s.path == stream {
		return e.monitored(e.admitStream(a, s, translated), &a.verdict)
	}
	if c, r := &s.wings[fromClient], &s.wings[fromServer]; translated {
		if !e.translate(s, e.address(a.to.device, a.packet.V6)) {
			e.failed.Add(1)
			e.drop(dropNATPorts)
			return nil
		}
	} else {
		r.key, r.leave = c.leave.Reverse(), c.key.Reverse()
		if !e.table.insert(r) {
			// The other direction of the same packets opened it a moment ago.
			return e.table.find(&a.packet.Key)
		}
	}
	admitted = e.monitored(e.enter(s, a.packet), &a.verdict)
	if g := a.gate; g != nil && admitted != nil && admitted.session == s {
		g.control.admit(s, g.call)
	}
	return admitted
}

// newSession is the session of a, which nobody else knows yet.
func (e *Engine) newSession(a *arrival) *Session {
	p, f := a.packet, &a.flow
	s := &Session{
		protocol: f.Protocol, flow: *f, fromZone: a.from.zone, toZone: a.to.zone,
		ingress: a.from.logical, egress: a.to.logical, egressDevice: a.to.device, service: a.verdict.Service, icmpSeq: p.ICMPSeq,
		started: time.Now(), born: e.now(), admitted: a.cfg.number,
		opensWithSYN: f.Protocol == schema.ProtoTCP && p.TCPFlags&stack.TCPSyn != 0,
	}
	s.user.Store(f.User)
	s.flow.User, s.flow.Content = nil, nil
	s.verdict.Store(a.verdict.Policy)
	s.rule.Store(a.verdict.Rule)
	s.lastSeen.Store(s.born)
	s.setTimeouts(a.cfg, a.verdict)
	s.wings[fromClient] = wing{session: s, key: p.Key, leave: p.Key, direction: fromClient, port: a.port}
	s.wings[fromServer] = wing{session: s, direction: fromServer, port: e.portOf(a.to.device)}
	if f.Protocol == schema.ProtoTCP && a.verdict.Policy.TCPProxy && a.gate == nil {
		s.path = stream
	}
	return s
}

// judgeByAddresses judges s again, as its addresses may tell what it carries. It says whether it may pass.
func (e *Engine) judgeByAddresses(a *arrival, s *Session) bool {
	a.verdict = e.judge(a.cfg, s)
	v := &a.verdict
	if v.Action != policy.Permit {
		e.refuse(a, s)
		return false
	}
	s.verdict.Store(v.Policy)
	s.rule.Store(v.Rule)
	s.setTimeouts(a.cfg, *v)
	if v.Again {
		s.set(stateOpen)
	}
	if v.Open {
		s.set(statePotential)
	}
	return true
}

// prepare decides which path s takes, and whether its client's address is translated.
func (e *Engine) prepare(a *arrival, s *Session) (translated bool) {
	rule, matched := a.cfg.policy.SourceNAT(&a.flow, a.from.logical, a.to.logical)
	if translated = matched && rule.Interface; translated {
		s.natRule = rule.Name
	}
	if g := a.gate; g != nil {
		s.control, s.natRule = g.control, g.control.session.natRule
		c := &s.wings[fromClient]
		c.leave = stack.NewKey(c.key.Source(), g.leave, uint8(c.key.Proto))
		if g.inside {
			s.set(stateInbound)
		}
		return s.natRule != "" && !g.inside
	}
	e.watchControl(a.cfg, s, a.verdict.ALG)
	if s.protocol == schema.ProtoTCP && s.opensWithSYN && e.mayDecrypt(a.cfg, s, &a.verdict) {
		s.path = stream
		s.set(stateMayDecrypt)
	}
	return translated
}

// enter puts the session in the table under its client's key and records that it began.
func (e *Engine) enter(s *Session, p *stack.Packet) *wing {
	c, r := &s.wings[fromClient], &s.wings[fromServer]
	s.id = e.number() // this and the count before others can find it
	if s.protocol == schema.ProtoTCP {
		s.set(stateHalfOpen)
		e.table.pending.Add(1)
	}
	if !e.table.insert(c) {
		e.leaveHalfOpen(s)
		e.table.remove(r)
		return e.table.find(&p.Key)
	}
	e.watchTreatment(s)
	e.beginCapture(s)
	e.noteUser(s)
	e.created.Add(1)
	e.table.sessions.Add(1)
	v := s.verdict.Load()
	v.Counters.SessionsOpened.Add(1)
	if !s.has(statePotential) {
		count(&policy.Verdict{Policy: v, Rule: s.rule.Load()})
	}
	if s.path == express { // on the stream path the server is asked first
		e.announce(s)
	}
	e.logTreatment(s)
	return c
}

// number is that of the next session.
func (e *Engine) number() uint64 { return e.ids.Add(1) }

// announce records that the session began. One whose policy is open begins under what holds before
// that is found.
func (e *Engine) announce(s *Session) {
	open, tracked := s.has(statePotential), e.log.Tracks(s.fromZone.Name, s.toZone.Name)
	logged := s.verdict.Load().LogInit
	if open {
		logged = e.config.Load().policy.PreID().LogInit
	}
	if !logged && !tracked {
		return
	}
	record := e.record(s)
	if logged {
		began := *record
		if open {
			began.Policy = policy.PreIDPolicy
		}
		e.log.FlowCreate(&began)
	}
	if tracked {
		s.set(stateTracked)
		e.log.AppCreate(record)
	}
}

// makeRoom says whether another session fits, and refuses its packet otherwise. A flood of half-open
// sessions makes room for itself, and in a full table one that had its time to answer makes room for any
// other.
func (e *Engine) makeRoom(a *arrival) bool {
	full := e.table.sessions.Load() >= a.cfg.maximum
	if !full && e.table.pending.Load() < maximumPending {
		return true
	}
	idle := time.Duration(0)
	if full {
		idle = graceHandshake
	}
	p := a.packet
	victim := e.table.oldestPending(&p.Key)
	switch {
	case victim != nil && e.now()-victim.lastSeen.Load() >= int64(idle):
		e.drop(dropHalfOpen)
		e.remove(victim, track.ReasonAgedOut)
		return true
	case !full:
		return true
	}
	e.failed.Add(1)
	e.drop(dropSessionLimit)
	if a.flow.Protocol == schema.ProtoTCP {
		e.answer(a.queue, p.Reset())
	} else {
		e.answer(a.queue, p.Unreachable(e.address(a.port.device, p.V6), stack.UnreachAdmin))
	}
	return false
}

// setTimeouts gives the session the timeouts of its application or its protocol.
func (s *Session) setTimeouts(cfg *config, v policy.Verdict) {
	life := v.Timeout
	if v.Open {
		if t := cfg.policy.PreID().Timeout(s.protocol); t != 0 {
			life = t
		}
	}
	if life == 0 {
		switch s.protocol {
		case schema.ProtoTCP:
			life = timeoutTCP
		case schema.ProtoUDP:
			life = timeoutUDP
		case schema.ProtoICMP, schema.ProtoICMPv6:
			life = timeoutICMP
		default:
			life = timeoutOther
		}
	}
	s.life.Store(int64(life))
	if s.protocol != schema.ProtoTCP {
		s.set(stateEstablished)
		s.timeout.Store(int64(life))
		return
	}
	initial := timeoutInitial
	if n := cfg.flow.TCPSession.InitialTimeout; n != 0 {
		initial = time.Duration(n) * time.Second
	}
	s.timeout.Store(int64(initial))
}

// translate gives the session the address nat and a free port of it, and enters the server's
// direction in the table, which is what makes the port taken. A port is free as long as no
// session to the same server has it.
func (e *Engine) translate(s *Session, nat netip.Addr) bool {
	if !nat.IsValid() {
		return false
	}
	c, r := &s.wings[fromClient], &s.wings[fromServer]
	c.leave.Src = nat.As16()
	const ports = lastNATPort - firstNATPort + 1
	offset := rand.IntN(ports)
	hasPort := s.protocol == schema.ProtoTCP || s.protocol == schema.ProtoUDP || s.echoes()
	for try := range ports {
		if hasPort {
			at := offset + try
			if try < translatedPorts {
				at = rand.IntN(ports)
			}
			c.leave.SrcPort = uint16(firstNATPort + at%ports)
		}
		r.key = c.leave.Reverse()
		r.leave = c.key.Reverse()
		if e.table.insert(r) {
			return true
		}
		if !hasPort {
			return false
		}
	}
	return false
}

// echoes says whether the session is one of ICMP echo requests, whose identifier takes the place of a port.
func (s *Session) echoes() bool {
	switch s.protocol {
	case schema.ProtoICMP:
		return s.flow.ICMPType == uint8(ipv4.ICMPTypeEcho)
	case schema.ProtoICMPv6:
		return s.flow.ICMPType == uint8(ipv6.ICMPTypeEchoRequest)
	}
	return false
}

// portOf is the port attached for a Linux interface, or nil.
func (e *Engine) portOf(device string) *port {
	e.ports.Lock()
	defer e.ports.Unlock()
	return e.ports.byDevice[device]
}
