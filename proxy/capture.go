package proxy

import (
	"slices"
	"time"

	"sluice/capture"
	"sluice/classify/appdb"
	"sluice/policy"
	"sluice/stack"
	"sluice/store/schema"
)

// Captures keep packets of sessions whose application is unknown. No call may block.
type Captures interface {
	// Begin starts the capture of a session; nil when it is not to be captured.
	Begin(capture.Candidate) *capture.Session
	// Capturing says whether any session is being captured.
	Capturing() bool
}

// wantsCaptures says whether a policy asks for captures.
func wantsCaptures(p *policy.Engine) bool {
	return slices.ContainsFunc(p.Policies(), func(p *policy.Policy) bool { return p.PacketCapture })
}

// beginCapture starts the capture of a session that begins, unless it is known already.
func (e *Engine) beginCapture(s *Session) {
	if e.captures == nil || s.identity == nil {
		return
	}
	if s.has(stateIdentified) {
		if found, _, _ := s.found(); found.Name() != appdb.Unknown {
			return
		}
	}
	c := e.captures.Begin(capture.Candidate{
		ID: s.id, Server: s.server(), Protocol: uint8(s.protocol),
		Wanted: s.verdict.Load().PacketCapture || s.has(statePotential) && e.config.Load().captures,
	})
	if c == nil {
		return
	}
	s.capture.Store(c)
	if s.removed.Load() {
		e.endCapture(s)
		return
	}
	e.judgeCapture(s, false)
}

// capture keeps a copy of a packet, with the addresses and ports that the client knows, as long as
// the session's capture wants more.
func (w *wing) capture(p *stack.Packet) {
	c := w.session.capture.Load()
	if c == nil {
		return
	}
	if w.direction == fromServer && w.leave != w.key {
		var translated stack.Packet
		if translated.Parse(slices.Clone(p.Frame)) != nil {
			return
		}
		translated.SetKey(p.Key)
		translated.Translate(w.leave)
		p = &translated
	}
	if !c.Packet(time.Now(), p.IP, len(p.IP)) {
		w.session.capture.CompareAndSwap(c, nil)
	}
}

// captureSent keeps a copy of a frame that the terminator sends to a client.
func (e *Engine) captureSent(frame []byte) {
	var p stack.Packet
	if p.Parse(frame) != nil {
		return
	}
	client := p.Key.Reverse()
	if w := e.table.find(&client); w != nil && w.session.path == stream {
		w.capture(&p)
	}
}

// judgeCapture tells the session's capture what the session is, if that is known now, or if it is
// over.
func (e *Engine) judgeCapture(s *Session, ended bool) {
	c := s.capture.Load()
	if c == nil || s.identifying() && !ended {
		return
	}
	found, _, _ := s.found()
	s.identity.mu.Lock()
	packets, _ := s.identity.flow.Inspected()
	s.identity.mu.Unlock()
	more := c.Verdict(capture.Verdict{
		Unknown:      found.Name() == appdb.Unknown,
		UnknownName:  found.StrangeName,
		Inconclusive: ended,
		Empty:        s.protocol == schema.ProtoTCP && packets == 0,
		Wanted:       s.verdict.Load().PacketCapture,
	})
	if !more {
		s.capture.CompareAndSwap(c, nil)
	}
}

// endCapture ends the capture of a session that ends.
func (e *Engine) endCapture(s *Session) {
	e.judgeCapture(s, true)
	if c := s.capture.Swap(nil); c != nil {
		c.Close()
	}
}
