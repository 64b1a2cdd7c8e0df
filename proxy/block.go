package proxy

import (
	"io"
	"sync/atomic"
	"time"

	"sluice/policy"
	"sluice/relay"
	"sluice/stack"
	"sluice/store/schema"
	"sluice/track"
	"sluice/web"
)

// lingerBlocked is how long a session that was refused stays in the table after its last packet, so
// that what its ends still send does not look like something new.
const lingerBlocked = 30 * time.Second

// block ends a session for what it carries, which the packet p has shown. Nothing of it passes any
// more. Denied, its ends hear nothing; rejected, both are told; a web request whose answer has not
// begun may get a page in its place.
func (e *Engine) block(w *wing, q stack.Queue, p *stack.Packet, v *policy.Verdict) {
	s := w.session
	if !s.set(stateRefused) {
		return
	}
	e.drop(dropPolicy)
	reason := refusal(*v)
	if answer := s.pageFor(v); answer != nil && w.direction == fromClient && s.protocol == schema.ProtoTCP && p.Payload < len(p.IP) {
		reason += redirected
		countPage(v)
		page := newPage(p, answer.AppendHTTP1(nil, false))
		s.page.Store(page)
		e.resetPeer(w, q, p)
		page.send(e, q, p)
	} else if v.Action == policy.Reject {
		if s.protocol == schema.ProtoTCP {
			e.resetPeer(w, q, p)
		}
		e.answerBlocked(w, q, p)
	}
	e.noteBlocked(s, v, reason)
}

// countPage counts a page that answered a request in a rule's name.
func countPage(v *policy.Verdict) {
	if v.Rule != nil {
		v.Rule.Counters.Redirects.Add(1)
	}
}

// noteBlocked records that the session was refused and is over, and leaves it for stray packets.
func (e *Engine) noteBlocked(s *Session, v *policy.Verdict, reason string) {
	count(v)
	if v.Policy.LogInit || v.Policy.LogClose {
		e.log.FlowDeny(e.record(s), reason)
	}
	e.finish(s, track.ReasonApplication, lingerBlocked)
	e.endIdentity(s)
	e.conclude(s, track.ReasonApplication)
}

// resetPeer tells the side that p was meant for that the session is over.
func (e *Engine) resetPeer(w *wing, q stack.Queue, p *stack.Packet) {
	e.write(q, stack.NewReset(w.leave, p.V6, p.Seq, p.Ack, stack.TCPRst|stack.TCPAck))
}

// answerBlocked answers a packet of a session that was refused, where it was refused with an answer.
func (e *Engine) answerBlocked(w *wing, q stack.Queue, p *stack.Packet) {
	s := w.session
	if page := s.page.Load(); page != nil {
		if w.direction == fromClient {
			page.send(e, q, p)
		}
		return
	}
	if s.refusedBy() != policy.Reject {
		return
	}
	switch {
	case s.protocol == schema.ProtoTCP:
		e.answer(q, p.Reset())
	case w.direction == fromClient && s.protocol == schema.ProtoUDP:
		e.answer(q, p.Unreachable(e.address(w.port.device, p.V6), stack.UnreachPort))
	}
}

// refusedBy is how a blocked session was refused.
func (s *Session) refusedBy() policy.Action {
	if rule := s.rule.Load(); rule != nil {
		return rule.Action
	}
	return s.verdict.Load().Action
}

// blockStream ends a terminated session for what it carries: in silence, or both sides are reset, or
// the client gets a page, where there is one and say says that it was told.
func (e *Engine) blockStream(s *Session, v *policy.Verdict, say func(*web.Answer) bool) relay.Verdict {
	if !s.set(stateRefused) {
		return relay.Reset
	}
	reason, then := refusal(*v), relay.Reset
	if v.Action == policy.Deny {
		then = relay.Drop
	}
	if page := s.pageFor(v); page != nil {
		s.set(statePageSent)
		if say(page) {
			countPage(v)
			reason, then = reason+redirected, relay.Close
		}
	}
	e.noteBlocked(s, v, reason)
	return then
}

// endsItself says whether the client's connection of a blocked session ends on its own: it is
// terminated, and its client was answered with a page or is reset.
func (s *Session) endsItself() bool {
	return s.path == stream && (s.has(statePageSent) || s.refusedBy() == policy.Reject)
}

// redirected is what a reason says of a client that was told.
const redirected = " redirect"

// sayTo tells the client of a plain session.
func sayTo(client io.Writer) func(*web.Answer) bool {
	return func(page *web.Answer) bool {
		_, err := client.Write(page.AppendHTTP1(nil, false))
		return err == nil
	}
}

// sayNothing is for a session whose client cannot be told.
func sayNothing(*web.Answer) bool { return false }

// page is the answer to a web request that was refused, given in the server's place.
type page struct {
	text     []byte
	seq      uint32        // of its first byte
	received atomic.Uint32 // next byte expected of the client
}

// maxPagePart is how much of a page goes into one segment; it fits every MTU.
const maxPagePart = 1200

// newPage answers the request that p carries.
func newPage(p *stack.Packet, text []byte) *page {
	a := &page{text: text, seq: p.Ack}
	a.received.Store(p.Seq)
	return a
}

// send answers a packet of the client: with what of the page it has not acknowledged, and with the
// end of the connection.
func (a *page) send(e *Engine, q stack.Queue, p *stack.Packet) {
	if p.TCPFlags&stack.TCPRst != 0 {
		return
	}
	end := p.Seq + uint32(len(p.IP)-p.Payload)
	if p.TCPFlags&stack.TCPFin != 0 {
		end++
	}
	fresh := int32(end-a.received.Load()) > 0
	if fresh {
		a.received.Store(end)
	}
	from := p.Ack - a.seq
	size := uint32(len(a.text))
	if from > size { // the client has all of it, and the FIN behind it
		if fresh {
			e.write(q, stack.NewSegment(p.Key.Reverse(), p.V6, p.Ack, end, stack.TCPAck, nil))
		}
		return
	}
	if !fresh && from < size && from > 0 {
		return // on its way
	}
	for at := from; ; at += maxPagePart {
		part := a.text[at:min(at+maxPagePart, size)]
		flags := stack.TCPAck
		if at+uint32(len(part)) == size {
			flags |= stack.TCPPsh | stack.TCPFin
		}
		e.write(q, stack.NewSegment(p.Key.Reverse(), p.V6, a.seq+at, a.received.Load(), flags, part))
		if flags&stack.TCPFin != 0 {
			return
		}
	}
}
