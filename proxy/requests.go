package proxy

import (
	"sync/atomic"

	"sluice/classify"
	"sluice/policy"
	"sluice/relay"
	"sluice/track"
	"sluice/web"
)

// requests has the web requests of a session judged one by one, before any of them reaches the server.
// It is the filter of the session's plaintext, and the service of its messages.
type requests struct {
	engine  *Engine
	session *Session
	conn    *web.Conn
	inspect relay.Inspector // what is no HTTP

	ending relay.Verdict // about a session that a message ends
	stream atomic.Bool   // what passes is no HTTP, or nobody asks what it is
	held   [][]byte      // of the client, when the server spoke first
	head   headWriter
}

func newRequests(e *Engine, s *Session, protocol string, inspect relay.Inspector) *requests {
	r := &requests{engine: e, session: s, inspect: inspect, ending: relay.Reset}
	r.conn = web.New(protocol, r)
	return r
}

// sideOf is a side as package web calls it.
func sideOf(isClient bool) web.Side {
	if isClient {
		return web.Client
	}
	return web.Server
}

// Pass has messages judged, and lets what is none be looked at.
func (r *requests) Pass(isClient bool, data []byte, on [][]byte) (taken int, _ [][]byte, _ relay.Verdict) {
	if r.stream.Load() {
		return r.passStream(isClient, data, on)
	}
	before := len(on)
	taken, on, next := r.conn.Pass(sideOf(isClient), data, on)
	switch next {
	case web.Tell:
		return taken, on, relay.Tell
	case web.Close, web.Abort:
		return taken, on, r.over(next)
	case web.Continue:
		return taken, on, relay.Continue
	}
	r.stream.Store(true)
	var unseen [][]byte
	if !r.session.has(stateAsked) { // nothing of it was a message
		unseen = on[before:]
	}
	for _, piece := range unseen {
		if v := r.look(isClient, piece); v > relay.Seen {
			return taken, on[:before], v
		}
	}
	if !isClient {
		r.held = r.conn.Due(web.Server, nil)
		for _, piece := range r.held {
			if v := r.look(true, piece); v > relay.Seen {
				return taken, on[:before], v
			}
		}
	}
	n, on, v := r.passStream(isClient, data[taken:], on)
	if len(r.held) > 0 && v <= relay.Seen {
		v = relay.Tell
	}
	return taken + n, on, v
}

// passStream lets what is no HTTP pass, when it was looked at.
func (r *requests) passStream(isClient bool, data []byte, on [][]byte) (taken int, _ [][]byte, v relay.Verdict) {
	v = r.look(isClient, data)
	if len(data) > 0 && v <= relay.Seen {
		on = append(on, data)
	}
	return len(data), on, v
}

// look shows what is no HTTP to the identification, as long as that is not over.
func (r *requests) look(isClient bool, data []byte) relay.Verdict {
	if !r.session.identifying() && !r.session.controls() {
		return relay.Seen
	}
	if len(data) == 0 {
		return relay.Continue
	}
	return r.inspect(isClient, data)
}

// over ends the session: by a policy, which is recorded, or as it violates the protocol.
func (r *requests) over(next web.Next) relay.Verdict {
	e, s := r.engine, r.session
	if err := r.conn.Err(); err != nil && s.set(stateRefused) {
		e.drop(dropHTTP)
		e.noteViolation(s, err)
		e.finish(s, track.ReasonApplication, lingerFIN)
	}
	if next == web.Close {
		return relay.Close
	}
	return r.ending
}

// noteViolation records that something did not go on as it violates the protocol.
func (e *Engine) noteViolation(s *Session, err error) {
	if p := s.verdict.Load(); p.LogInit || p.LogClose {
		e.log.FlowDeny(e.record(s), err.Error())
	}
}

// Due is what a side is to be told.
func (r *requests) Due(toClient bool, on [][]byte) [][]byte {
	if !toClient && len(r.held) > 0 {
		on, r.held = append(on, r.held...), nil
	}
	return r.conn.Due(sideOf(toClient), on)
}

// Wait, End and Close are those of the connection.
func (r *requests) Wait(isClient bool) { r.conn.Wait(sideOf(isClient)) }

// End notes that a side has finished.
func (r *requests) End(isClient bool, on [][]byte) [][]byte { return r.conn.End(sideOf(isClient), on) }

// Close wakes whoever waits.
func (r *requests) Close() { r.conn.Close() }

// Request shows a request to the identification, and has the session's policy judged by it. In HTTP/2 one
// that is refused with a page goes nowhere, while the others of the session go on; any other refusal is
// one of the session.
func (r *requests) Request(x *web.Exchange, h *web.Head) web.Verdict {
	e, s := r.engine, r.session
	s.set(stateAsked)
	s.state.And(^stateAnswered)
	if !s.identifying() {
		return web.Verdict{Last: true}
	}
	head := r.head.write(x, h)
	defer e.judgeCapture(s, false)
	defer e.logTreatment(s)
	show := func(f *classify.Flow) bool { return f.Message(classify.ToServer, head) }
	alone := func(v *policy.Verdict) bool { return x.Version == web.HTTP2 && v.Action != policy.Permit && v.Again }
	v, n := e.reconsider(s, show, alone)
	if v == nil {
		return web.Verdict{Last: !s.identifying()}
	}
	if alone(v) {
		if page := s.pageFor(v); page != nil {
			e.refuseRequest(s, v)
			e.noteRefused(s, x, v, true)
			return web.Verdict{Answer: page}
		}
		n = e.refuseSession(s, v)
	}
	e.noteChange(s, v, n)
	if n != stopped {
		return web.Verdict{Last: !s.identifying()}
	}
	refused := web.Verdict{End: true}
	r.ending = e.blockStream(s, v, func(page *web.Answer) bool {
		refused.Answer = page
		return true
	})
	e.noteRefused(s, x, v, refused.Answer != nil)
	return refused
}

// refuseSession adopts v, which was put aside to refuse a request alone.
func (e *Engine) refuseSession(s *Session, v *policy.Verdict) change {
	s.identity.mu.Lock()
	defer s.identity.mu.Unlock()
	n := e.adopt(s, v)
	e.qualify(e.config.Load(), s)
	return n
}

// refuseRequest counts and records a request that was answered with a page, while its session goes on.
func (e *Engine) refuseRequest(s *Session, v *policy.Verdict) {
	e.drop(dropPolicy)
	count(v)
	countPage(v)
	if v.Policy.LogInit || v.Policy.LogClose {
		record := e.record(s)
		record.Policy = v.Policy.Name
		e.log.FlowDeny(record, refusal(*v)+redirected)
	}
}

// Response shows the head of a response to the identification, for signatures that look there.
func (r *requests) Response(x *web.Exchange, h *web.Head) (end bool) {
	e, s := r.engine, r.session
	if x.Status < 200 {
		return false
	}
	s.set(stateAnswered)
	if x.Version == web.HTTP2 || !s.identifying() {
		return false
	}
	v := e.learn(s, func(f *classify.Flow) bool { return f.Message(classify.ToClient, shorten(h.Raw)) })
	if v != nil {
		r.ending = e.blockStream(s, v, sayNothing)
	}
	return v != nil
}

// Refused records a request that violates the protocol.
func (r *requests) Refused(v *web.Violation) {
	r.engine.drop(dropHTTP)
	r.engine.noteViolation(r.session, v)
}
