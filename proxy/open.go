package proxy

import (
	"math/rand/v2"
	"net/netip"
	"time"

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
	FirstNATPort = 10000
	LastNATPort  = 31999
)

// open judges the first packet of a session. It returns the wing that the packet belongs to, or
// nil when the packet is not to be forwarded.
func (e *Engine) open(in *port, q stack.Queue, p *stack.Packet) *wing {
	cfg := e.config.Load()
	if cfg == nil {
		return nil
	}
	from := cfg.byDevice[in.device]
	if from == nil {
		e.drop(dropNoZone)
		return nil
	}
	src, dst := p.Key.Source(), p.Key.Destination()
	g := e.gates.find(&p.Key, e.now())
	if g != nil {
		dst = g.leave
	}
	out := e.egress.Lookup(dst.Addr())
	if out.Local {
		e.write(q, p.Frame) // a translated address's own traffic, which the kernel led past us
		return nil
	}
	if out.Unreachable {
		e.failed.Add(1)
		p.RaiseTTL()
		e.write(q, p.Frame) // the kernel answers with the error that fits
		return nil
	}
	to := cfg.byDevice[out.Device]
	if to == nil {
		e.drop(dropNoZone)
		return nil
	}
	if g != nil && !g.joins(from.zone, to.zone) {
		if g.to != g.leave {
			e.drop(dropNoSession)
			return nil
		}
		g = nil // it is judged by itself
	}

	f := policy.Flow{
		FromZone: from.zone.Name, ToZone: to.zone.Name,
		Src: src.Addr(), Dst: dst.Addr(), Protocol: schema.Protocol(p.Key.Proto),
		SrcPort: src.Port(), DstPort: dst.Port(), ICMPType: p.ICMPType, ICMPCode: p.ICMPCode,
		User: e.userOf(src.Addr()),
	}
	if p.IsEchoReply() {
		e.drop(dropNoSession)
		return nil
	}
	if !e.identifies() {
		f.Content = policy.UnknownContent
	}
	verdict := cfg.policy.Lookup(&f)
	if g != nil {
		verdict = g.verdict(verdict)
	}
	if f.Protocol == schema.ProtoTCP && p.TCPFlags&(stack.TCPSyn|stack.TCPAck|stack.TCPRst) != stack.TCPSyn &&
		(cfg.checkSYN(verdict.Policy) || p.TCPFlags&stack.TCPRst != 0) {
		e.drop(dropNoSession)
		if from.zone.TCPReset {
			e.answer(q, p.Reset())
		}
		return nil
	}
	if verdict.Action != policy.Permit {
		e.refuse(in, q, p, from, to, &f, verdict, nil)
		return nil
	}
	if e.stopping.Load() {
		e.drop(dropStopping)
		return nil
	}
	if g != nil && !e.gates.take(g) {
		return e.table.find(&p.Key) // another packet of the session was first
	}
	return e.admit(cfg, in, q, p, from, to, &f, verdict, g)
}

// refuse does what the policy says with a packet that may not pass. What the session would have
// carried is known where it was identified by that packet; it is nil otherwise.
func (e *Engine) refuse(in *port, q stack.Queue, p *stack.Packet, from, to *place, f *policy.Flow, v policy.Verdict, identified *Session) {
	e.drop(dropPolicy)
	count(&v)
	if v.Action == policy.Reject {
		switch f.Protocol { // other protocols are dropped silently
		case schema.ProtoTCP:
			e.answer(q, p.Reset())
		case schema.ProtoUDP:
			e.answer(q, p.Unreachable(e.address(in.device, p.V6), stack.UnreachPort))
		}
	}
	if v.Policy.LogInit || v.Policy.LogClose {
		user, roles := v.Policy.Identity(f.User)
		record := &track.Session{
			User: user, Roles: roles,
			Source: p.Key.Source(), Destination: p.Key.Destination(), Protocol: uint8(f.Protocol), ICMPType: f.ICMPType,
			Service: v.Service, Policy: v.Policy.Name, FromZone: f.FromZone, ToZone: f.ToZone,
			IngressInterface: from.logical, EgressInterface: to.logical, Start: time.Now(),
		}
		if identified != nil {
			identified.describe(record)
		}
		e.log.FlowDeny(record, refusal(v))
	}
}

// answer writes a packet of the gateway's own, if there is one to write.
func (e *Engine) answer(q stack.Queue, frame []byte) {
	if frame != nil {
		e.write(q, frame)
	}
}

// admit creates the session of a permitted first packet, which is a data session where it came by a gate.
func (e *Engine) admit(cfg *config, in *port, q stack.Queue, p *stack.Packet, from, to *place, f *policy.Flow, v policy.Verdict, g *gate) (admitted *wing) {
	if !e.makeRoom(cfg, p) {
		e.failed.Add(1)
		e.drop(dropSessionLimit)
		if f.Protocol == schema.ProtoTCP {
			e.answer(q, p.Reset())
		} else {
			e.answer(q, p.Unreachable(e.address(in.device, p.V6), stack.UnreachAdmin))
		}
		return nil
	}
	s := &Session{
		protocol: f.Protocol, flow: *f, fromZone: from.zone, toZone: to.zone,
		ingress: from.logical, egress: to.logical, egressDevice: to.device, service: v.Service, icmpSeq: p.ICMPSeq, started: time.Now(), admitted: cfg.number,
	}
	s.user.Store(f.User)
	s.flow.User, s.flow.Content = nil, nil
	s.verdict.Store(v.Policy)
	s.rule.Store(v.Rule)
	s.born = e.now()
	s.lastSeen.Store(s.born)
	s.setTimeouts(cfg, v)
	s.opensWithSYN = f.Protocol == schema.ProtoTCP && p.TCPFlags&stack.TCPSyn != 0
	c, r := &s.wings[fromClient], &s.wings[fromServer]
	*c = wing{session: s, key: p.Key, leave: p.Key, direction: fromClient, port: in}
	*r = wing{session: s, direction: fromServer, port: e.portOf(to.device)}
	if f.Protocol == schema.ProtoTCP && v.Policy.TCPProxy && g == nil {
		s.path = stream
	}

	rule, matched := cfg.policy.SourceNAT(f, from.logical, to.logical)
	e.beginIdentity(s, g)
	defer func() {
		if admitted == nil || admitted.session != s { // what was begun is not left hanging
			e.endIdentity(s)
		}
	}()
	if v.Again && s.identity != nil {
		if v = e.judge(cfg, s); v.Action != policy.Permit { // its addresses tell what it carries
			e.refuse(in, q, p, from, to, f, v, s)
			return nil
		}
		s.verdict.Store(v.Policy)
		s.rule.Store(v.Rule)
		s.setTimeouts(cfg, v)
		if v.Again {
			s.set(stateOpen)
		}
		if v.Open {
			s.set(statePotential)
		}
	}
	translate := matched && rule.Interface
	if translate {
		s.natRule = rule.Name
	}
	if g != nil {
		s.control, s.natRule = g.control, g.control.session.natRule
		translate = s.natRule != "" && !g.inside
		c.leave = stack.NewKey(c.key.Source(), g.leave, uint8(c.key.Proto))
		if g.inside {
			s.set(stateInbound)
		}
	} else {
		e.watchControl(cfg, s, v.ALG)
		if f.Protocol == schema.ProtoTCP && s.opensWithSYN && e.mayDecrypt(cfg, s, &v) {
			s.path = stream
			s.set(stateMayDecrypt)
		}
	}
	e.qualify(cfg, s)
	if s.path == stream {
		return e.monitored(e.admitStream(s, p, to, translate), &v)
	}
	if translate && !e.translate(s, e.address(to.device, p.V6)) {
		e.failed.Add(1)
		e.drop(dropNATPorts)
		return nil
	}
	if !translate {
		r.key, r.leave = c.leave.Reverse(), c.key.Reverse()
		if !e.table.insert(r) {
			// The other direction of the same packets opened it a moment ago.
			return e.table.find(&p.Key)
		}
	}
	admitted = e.monitored(e.enter(s, p), &v)
	if g != nil && admitted != nil && admitted.session == s {
		g.control.admit(s, g.call)
	}
	return admitted
}

// enter puts the session in the table under its client's key and records that it began.
func (e *Engine) enter(s *Session, p *stack.Packet) *wing {
	c, r := &s.wings[fromClient], &s.wings[fromServer]
	s.id = e.ids.Add(1) // this and the count before others can find it
	if s.protocol == schema.ProtoTCP {
		s.set(stateHalfOpen)
		e.table.pending.Add(1)
	}
	if !e.table.insert(c) {
		e.settle(s)
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
	e.tellTreatment(s)
	return c
}

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

// makeRoom says whether another session fits. A flood of half-open sessions makes room for
// itself, and in a full table one that had its time to answer makes room for any other.
func (e *Engine) makeRoom(cfg *config, p *stack.Packet) bool {
	full := e.table.sessions.Load() >= cfg.maximum
	if !full && e.table.pending.Load() < maximumPending {
		return true
	}
	idle := time.Duration(0)
	if full {
		idle = graceHandshake
	}
	victim := e.table.oldestPending(&p.Key)
	if victim == nil || e.now()-victim.lastSeen.Load() < int64(idle) {
		return !full
	}
	e.drop(dropHalfOpen)
	e.remove(victim, track.ReasonAgedOut)
	return true
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
	const ports = LastNATPort - FirstNATPort + 1
	offset := rand.IntN(ports)
	hasPort := s.protocol == schema.ProtoTCP || s.protocol == schema.ProtoUDP || s.flow.ICMPType == 8 || s.flow.ICMPType == 128
	for try := range ports {
		if hasPort {
			at := offset + try
			if try < translatedPorts {
				at = rand.IntN(ports)
			}
			c.leave.SrcPort = uint16(FirstNATPort + at%ports)
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

// portOf is the port attached for a Linux interface, or nil.
func (e *Engine) portOf(device string) *port {
	e.ports.Lock()
	defer e.ports.Unlock()
	return e.ports.byDevice[device]
}
