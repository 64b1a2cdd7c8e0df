package proxy

import (
	"time"

	"sluice/policy"
	"sluice/stack"
	"sluice/store/schema"
	"sluice/track"
)

// arrival is the first packet of a session, with what is found out about it on its way to the table.
type arrival struct {
	cfg      *config
	port     *port       // where it came by
	queue    stack.Queue // of port
	packet   *stack.Packet
	from, to *place
	gate     *gate // by which a data session comes; nil for any other
	flow     policy.Flow
	verdict  policy.Verdict
}

// open judges the first packet of a session. It returns the wing that the packet belongs to, or
// nil when the packet is not to be forwarded.
func (e *Engine) open(in *port, q stack.Queue, p *stack.Packet) *wing {
	a := arrival{cfg: e.config.Load(), port: in, queue: q, packet: p}
	if a.cfg == nil || !e.findWay(&a) {
		return nil
	}
	if p.IsEchoReply() {
		e.drop(dropNoSession)
		return nil
	}
	e.judgeArrival(&a)
	if f := &a.flow; f.Protocol == schema.ProtoTCP && p.TCPFlags&(stack.TCPSyn|stack.TCPAck|stack.TCPRst) != stack.TCPSyn &&
		(a.cfg.checkSYN(a.verdict.Policy) || p.TCPFlags&stack.TCPRst != 0) {
		e.drop(dropNoSession)
		if a.from.zone.TCPReset {
			e.answer(q, p.Reset())
		}
		return nil
	}
	if a.verdict.Action != policy.Permit {
		e.refuse(&a, nil)
		return nil
	}
	if e.stopping.Load() {
		e.drop(dropStopping)
		return nil
	}
	if a.gate != nil && !e.gates.take(a.gate) {
		return e.table.find(&p.Key) // another packet of the session was first
	}
	return e.admit(&a)
}

// findWay finds where a packet comes from and goes to, and whether a gate is open for it. It says whether
// policies are to judge it; what the kernel has to see goes there instead.
func (e *Engine) findWay(a *arrival) bool {
	p := a.packet
	if a.from = a.cfg.byDevice[a.port.device]; a.from == nil {
		e.drop(dropNoZone)
		return false
	}
	src, dst := p.Key.Source(), p.Key.Destination()
	if a.gate = e.gates.find(&p.Key, e.now()); a.gate != nil {
		dst = a.gate.leave
	}
	out := e.egress.Lookup(dst.Addr())
	if out.Local {
		e.write(a.queue, p.Frame) // a translated address's own traffic, which the kernel led past us
		return false
	}
	if out.Unreachable {
		e.failed.Add(1)
		p.RaiseTTL()
		e.write(a.queue, p.Frame) // the kernel answers with the error that fits
		return false
	}
	if a.to = a.cfg.byDevice[out.Device]; a.to == nil {
		e.drop(dropNoZone)
		return false
	}
	if g := a.gate; g != nil && !g.joins(a.from.zone, a.to.zone) {
		if g.to != g.leave {
			e.drop(dropNoSession)
			return false
		}
		a.gate = nil // it is judged by itself
	}
	a.flow = policy.Flow{
		FromZone: a.from.zone.Name, ToZone: a.to.zone.Name,
		Src: src.Addr(), Dst: dst.Addr(), Protocol: schema.Protocol(p.Key.Proto),
		SrcPort: src.Port(), DstPort: dst.Port(), ICMPType: p.ICMPType, ICMPCode: p.ICMPCode,
	}
	return true
}

// judgeArrival looks the policy up; by a gate, a session comes under that of its control session.
func (e *Engine) judgeArrival(a *arrival) {
	a.flow.User = e.userOf(a.flow.Src)
	if !e.identifies() {
		a.flow.Content = policy.UnknownContent
	}
	a.verdict = a.cfg.policy.Lookup(&a.flow)
	if a.gate != nil {
		a.verdict = a.gate.verdict(a.verdict)
	}
}

// refuse does what the policy says with a packet that may not pass. What the session would have
// carried is known where it was identified by that packet; it is nil otherwise.
func (e *Engine) refuse(a *arrival, identified *Session) {
	p, f, v := a.packet, &a.flow, &a.verdict
	e.drop(dropPolicy)
	count(v)
	if v.Action == policy.Reject {
		switch f.Protocol { // other protocols are dropped silently
		case schema.ProtoTCP:
			e.answer(a.queue, p.Reset())
		case schema.ProtoUDP:
			e.answer(a.queue, p.Unreachable(e.address(a.port.device, p.V6), stack.UnreachPort))
		}
	}
	now := e.now()
	id := e.denied.note(denial{
		key: p.Key, from: a.from, to: a.to, flow: *f, icmpSeq: p.ICMPSeq, verdict: *v, identified: identified,
		started: time.Now(), born: now, last: now, packets: p.Segments, bytes: p.Bytes, commit: a.cfg.number,
	}, e.number)
	if v.Policy.LogInit || v.Policy.LogClose {
		user, roles := v.Policy.Identity(f.User)
		record := &track.Session{
			ID: id, User: user, Roles: roles,
			Source: p.Key.Source(), Destination: p.Key.Destination(), Protocol: uint8(f.Protocol), ICMPType: f.ICMPType,
			Service: v.Service, Policy: v.Policy.Name, FromZone: f.FromZone, ToZone: f.ToZone,
			IngressInterface: a.from.logical, EgressInterface: a.to.logical, Start: time.Now(),
		}
		if identified != nil {
			identified.describe(record)
		}
		e.log.FlowDeny(record, refusal(*v))
	}
}

// answer writes a packet of the gateway's own, if there is one to write.
func (e *Engine) answer(q stack.Queue, frame []byte) {
	if frame != nil {
		e.write(q, frame)
	}
}
