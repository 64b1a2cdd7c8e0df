package proxy

import (
	"sync/atomic"
	"time"

	"sluice/stack"
	"sluice/track"
)

// Times that a TCP session stays in the table after its end, so that the last segments and
// their retransmissions still find it.
const (
	lingerFIN = 2 * time.Second
	lingerRST = 2 * time.Second
)

// tcpHalf is what one direction of a TCP connection has said. It is kept for one purpose: to
// tell a genuine RST from a blind one (RFC 5961 section 3).
type tcpHalf struct {
	next  atomic.Uint32 // sequence number after the last byte sent
	ack   atomic.Uint64 // last acknowledgement number and the window behind it, ack<<32 | window
	scale atomic.Uint32 // window shift that this side announced
}

func (h *tcpHalf) note(p *stack.Packet) {
	end := p.Seq + uint32(len(p.IP)-p.Payload)
	if p.TCPFlags&stack.TCPSyn != 0 {
		end++
		h.scale.Store(uint32(p.WindowScale()))
		h.next.Store(end)
	} else {
		if p.TCPFlags&stack.TCPFin != 0 {
			end++
		}
		if int32(end-h.next.Load()) > 0 {
			h.next.Store(end)
		}
	}
	if p.TCPFlags&stack.TCPAck != 0 {
		window := uint32(p.Window)
		if p.TCPFlags&stack.TCPSyn == 0 {
			window <<= h.scale.Load()
		}
		h.ack.Store(uint64(p.Ack)<<32 | uint64(window))
	}
}

// rstVerdict is what a RST segment is worth.
type rstVerdict uint8

const (
	rstBogus   rstVerdict = iota // outside every window: dropped
	rstDoubted                   // inside the window only: forwarded, and the end host decides
	rstGenuine                   // at the exact place: the session is over
)

// judgeRST compares a RST from one half with what both halves have said.
func judgeRST(p *stack.Packet, own, peer *tcpHalf) rstVerdict {
	acked := peer.ack.Load()
	if acked == 0 { // the peer has acknowledged nothing: this answers its SYN
		if p.TCPFlags&stack.TCPAck != 0 && p.Ack == peer.next.Load() {
			return rstGenuine
		}
		if p.Seq == own.next.Load() {
			return rstGenuine
		}
		return rstBogus
	}
	expected, window := uint32(acked>>32), uint32(acked)
	switch {
	case p.Seq == own.next.Load(), p.Seq == expected:
		return rstGenuine
	case p.Seq-expected < max(window, 1):
		return rstDoubted
	}
	return rstBogus
}

// followTCP moves the session's state by one segment and says whether the segment may pass.
// Segments that cannot change anything take the first exit.
func (e *Engine) followTCP(cfg *config, w *wing, p *stack.Packet) bool {
	s := w.session
	own, peer := &w.tcp, &s.wings[w.direction.opposite()].tcp
	const control = stack.TCPSyn | stack.TCPFin | stack.TCPRst
	if p.TCPFlags&control == 0 && s.has(stateEstablished) {
		own.note(p)
		return true
	}

	s.tcpMu.Lock()
	defer s.tcpMu.Unlock()
	if p.TCPFlags&stack.TCPRst != 0 {
		return e.followRST(cfg, w, p, own, peer)
	}
	own.note(p)
	if p.TCPFlags&stack.TCPSyn != 0 {
		e.clampMSS(cfg, s, p)
	}
	switch {
	case p.TCPFlags&stack.TCPSyn != 0 && w.direction == fromClient:
		s.set(stateSYN)
	case p.TCPFlags&stack.TCPSyn != 0:
		s.set(stateSYNACK | stateReplied)
	case w.direction == fromClient && s.has(stateSYNACK), !s.has(stateSYN):
		// the third segment of the handshake, or a session taken up in its middle
		e.establish(s)
	}
	if p.TCPFlags&stack.TCPFin != 0 {
		e.followFIN(cfg, w)
	}
	return true
}

// followFIN notes that one direction has ended; the second ends the session.
func (e *Engine) followFIN(cfg *config, w *wing) {
	s := w.session
	before := s.state.Or(stateFINClient << w.direction)
	if w.direction == fromServer && before&stateFINBoth == 0 {
		s.set(stateServerFIN)
	}
	if !s.has(stateFINBoth) {
		return
	}
	reason := track.ReasonClientFIN
	if s.has(stateServerFIN) {
		reason = track.ReasonServerFIN
	}
	linger := lingerFIN
	if cfg.flow.TCPSession.FINInvalidateSession {
		linger = 0
	}
	e.finish(s, reason, linger)
}

func (e *Engine) followRST(cfg *config, w *wing, p *stack.Packet, own, peer *tcpHalf) bool {
	s := w.session
	verdict := rstGenuine
	if cfg.checkSequence(s.verdict.Load()) {
		if s.has(stateOffloaded) {
			e.refresh(s)
		}
		verdict = judgeRST(p, own, peer)
	}
	switch verdict {
	case rstBogus:
		e.drop(dropBadRST)
		return false
	case rstGenuine:
		reason := track.ReasonClientRST
		if w.direction == fromServer {
			reason = track.ReasonServerRST
		}
		linger := lingerRST
		if cfg.flow.TCPSession.RSTInvalidateSession {
			linger = 0
		}
		e.finish(s, reason, linger)
	}
	return true
}

// establish ends the handshake of s.
func (e *Engine) establish(s *Session) {
	s.establish()
	e.leaveHalfOpen(s)
}

// finish ends s; it stays for linger so that stray packets do not count as new sessions.
func (e *Engine) finish(s *Session, reason track.Reason, linger time.Duration) {
	s.finish(reason, linger)
	e.leaveHalfOpen(s)
}

// leaveHalfOpen takes s off the count of half-open sessions, once.
func (e *Engine) leaveHalfOpen(s *Session) {
	if s.state.And(^stateHalfOpen)&stateHalfOpen != 0 {
		e.table.pending.Add(-1)
	}
}

// clampMSS lowers the MSS of the SYN as flow tcp-mss and the policy's tcp-options say.
func (e *Engine) clampMSS(cfg *config, s *Session, p *stack.Packet) {
	if p.TCPFlags&stack.TCPSyn == 0 {
		return
	}
	limit := cfg.flow.TCPMSS.AllTCP.MSS
	options := s.verdict.Load().TCPOptions
	own := options.InitialTCPMSS
	if p.TCPFlags&stack.TCPAck != 0 && options.ReverseTCPMSS != 0 {
		own = options.ReverseTCPMSS
	}
	if own != 0 {
		limit = own
	}
	if limit != 0 {
		p.ClampMSS(limit)
	}
}
