package proxy

import (
	"sluice/stack"
	"sluice/stack/offload"
	"sluice/store/schema"
)

// offloadAfter is the number of packets of one direction after which a session without a
// handshake is worth the cost of telling the kernel about it. Most are a question and an answer.
const offloadAfter = 16

// settled says whether the session is one for the kernel to carry, its application known where it
// is asked for: an established connection,
// which saves the cost with its first request, or an exchange of datagrams that goes on.
func (w *wing) settled() bool {
	if w.session.identifying() || w.session.controls() || w.session.treated() || w.session.capture.Load() != nil {
		return false
	}
	if w.session.protocol == schema.ProtoTCP {
		return w.session.has(stateEstablished)
	}
	return w.packets.Load() >= offloadAfter
}

// Carrier is the kernel's table of flows that it forwards by itself.
type Carrier interface {
	// Attach lets the kernel recognise flows that arrive on a Linux interface.
	Attach(device string) error
	// Detach ends that.
	Detach(device string)
	// Add makes the kernel forward packets with the key.
	Add(*stack.Key) error
	// Stats tells what it forwarded of a key.
	Stats(*stack.Key) (offload.Stats, bool)
	// Finished calls f with the key of each flow whose FIN it forwarded.
	Finished(f func(stack.Key))
	// Remove ends forwarding of the key and tells what was forwarded.
	Remove(*stack.Key) (offload.Stats, bool)
}

// offload hands a session over to the kernel, if it is one that the kernel can carry: nothing
// works on its packets and none of its addresses changes. Packets that open or reset it still
// come here.
func (e *Engine) offload(s *Session) {
	c, r := &s.wings[fromClient], &s.wings[fromServer]
	if !s.set(stateJudged) {
		return
	}
	carried := s.protocol == schema.ProtoTCP || s.protocol == schema.ProtoUDP
	if e.kernel == nil || !carried || s.path != express || c.leave != c.key || e.config.Load().flow.NoServicesOffload {
		return
	}
	s.tcpMu.Lock()
	defer s.tcpMu.Unlock()
	if s.removed.Load() || e.kernel.Add(&c.key) != nil {
		return
	}
	if e.kernel.Add(&r.key) != nil {
		e.kernel.Remove(&c.key)
		return
	}
	s.set(stateOffloaded)
	e.offloaded.Add(1)
}

// takeBack ends the kernel's part in s and adds its counts to the session's own.
func (e *Engine) takeBack(s *Session) {
	s.tcpMu.Lock()
	defer s.tcpMu.Unlock()
	if s.state.And(^stateOffloaded)&stateOffloaded == 0 {
		return
	}
	e.offloaded.Add(-1)
	for d := range s.wings {
		w := &s.wings[d]
		if carried, ok := e.kernel.Remove(&w.key); ok {
			w.packets.Add(carried.Packets)
			w.bytes.Add(carried.Bytes)
			e.noteCarried(w, carried)
		}
	}
}

// keep takes s back and does not hand it over again.
func (e *Engine) keep(s *Session) {
	s.set(stateJudged)
	e.takeBack(s)
}

// refresh brings the session's own knowledge up to what the kernel saw.
func (e *Engine) refresh(s *Session) {
	for d := range s.wings {
		w := &s.wings[d]
		if carried, ok := e.kernel.Stats(&w.key); ok {
			e.noteCarried(w, carried)
		}
	}
}

// carriedFIN is told that the kernel carried the FIN of a direction.
func (e *Engine) carriedFIN(k stack.Key) {
	w := e.table.find(&k)
	if w == nil || !w.session.has(stateOffloaded) {
		return
	}
	w.session.tcpMu.Lock()
	defer w.session.tcpMu.Unlock()
	e.followFIN(e.config.Load(), w)
}

// noteCarried takes over the time of the last packet and, for TCP, what it said.
func (e *Engine) noteCarried(w *wing, carried offload.Stats) {
	if carried.Packets == 0 {
		return
	}
	s := w.session
	seen := e.now() - int64(carried.Idle)
	for {
		last := s.lastSeen.Load()
		if seen <= last || s.lastSeen.CompareAndSwap(last, seen) {
			break
		}
	}
	if carried.FIN && !s.has(stateFINClient<<w.direction) {
		e.followFIN(e.config.Load(), w)
	}
	if s.protocol == schema.ProtoTCP {
		w.tcp.next.Store(carried.Next)
		w.tcp.ack.Store(uint64(carried.Ack)<<32 | uint64(carried.Window<<w.tcp.scale.Load()))
	}
}
