package proxy

import (
	"time"

	"sluice/stack"
	"sluice/store/schema"
	"sluice/track"
)

// Times that a session stays in the table after the exchange it was for is over.
const (
	lingerError = 2 * time.Second
	lingerReply = 2 * time.Second
)

// forwardError sends an ICMP error on to the sender of the packet that the error carries. It
// belongs to that packet's session and needs no policy of its own.
func (e *Engine) forwardError(in *port, q stack.Queue, p *stack.Packet) bool {
	inner, ok := p.Embedded()
	if !ok {
		e.drop(dropMalformed)
		return false
	}
	towards := inner.Key.Reverse()
	w := e.table.find(&towards)
	if w == nil {
		return e.strayError(q, p)
	}
	s := w.session
	w.count(p)
	if s.path == stream {
		w.port.terminal.Inject(p.Frame)
		return true
	}
	if p.IsHardICMPError() && (s.protocol != schema.ProtoTCP || s.pending()) {
		e.finish(s, track.ReasonICMPError, lingerError)
	}
	if w.leave != w.key {
		src := p.Key.Src
		if src == w.key.Src {
			src = w.leave.Src
		}
		p.TranslateError(src, w.leave.Dst, &inner, w.leave.Reverse())
	}
	p.RaiseTTL()
	return e.write(q, p.Frame)
}

// strayError handles an error about a packet of no session: one about the gateway's own traffic
// goes to the kernel, another passes only where the configuration says so.
func (e *Engine) strayError(q stack.Queue, p *stack.Packet) bool {
	if e.egress.Lookup(p.Key.Destination().Addr()).Local {
		return e.write(q, p.Frame)
	}
	if cfg := e.config.Load(); cfg != nil && cfg.flow.AllowEmbeddedICMP {
		p.RaiseTTL()
		return e.write(q, p.Frame)
	}
	e.drop(dropNoSession)
	return false
}

// finishAfterReply shortens the life of an echo session whose reply has come: it ends as soon
// as the flow statement sync-icmp-session asks, else when no further request follows.
func (e *Engine) finishAfterReply(s *Session, atOnce bool) {
	if atOnce {
		e.finish(s, track.ReasonResponse, lingerReply)
		return
	}
	reason := track.ReasonResponse
	s.reason.Store(&reason)
	s.timeout.Store(int64(timeoutReplied))
}
