package proxy

import (
	"sluice/stack"
	"sluice/stack/offload"
	"sluice/store/schema"
)

// offloadAfter is the number of packets of one direction after which a session without a
// handshake is worth the cost of telling the kernel about it. Most are a question and an answer.
const offloadAfter = 16

// offloadable says whether the session is one for the kernel to carry: nothing looks at its packets any more,
// and it is an established connection, which saves the cost with its first request, or an exchange of
// datagrams that goes on.
func (w *wing) offloadable() bool {
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
	// Add makes the kernel forward packets with the key k, as packets with the key to and no
	// longer than limit bytes where that differs.
	Add(k, to *stack.Key, limit int) error
	// Stats tells what it forwarded of a key.
	Stats(*stack.Key) (offload.Stats, bool)
	// Finished calls f with the key of each flow whose FIN it forwarded.
	Finished(f func(stack.Key))
	// Remove ends forwarding of the key and tells what was forwarded.
	Remove(*stack.Key) (offload.Stats, bool)
}

// offload hands a session over to the kernel, if it is one that the kernel can carry: nothing
// works on its packets but translation. Packets that open or reset it still come here.
func (e *Engine) offload(s *Session) {
	if !s.set(stateOffloadAsked) {
		return
	}
	carried := s.protocol == schema.ProtoTCP || s.protocol == schema.ProtoUDP
	if e.kernel == nil || !carried || s.path != express || e.config.Load().flow.NoServicesOffload {
		return
	}
	if s.translated() && !(s.wings[fromClient].port.carries() && s.wings[fromServer].port.carries()) {
		return // an end is translated by the interface that its packets leave by
	}
	s.tcpMu.Lock()
	defer s.tcpMu.Unlock()
	e.hand(s)
}

// translated says whether the two sides know different addresses of each other.
func (s *Session) translated() bool {
	return s.wings[fromClient].leave != s.wings[fromClient].key
}

// hand tells the kernel about both directions of s, whose tcpMu is held.
func (e *Engine) hand(s *Session) {
	c, r := &s.wings[fromClient], &s.wings[fromServer]
	if s.removed.Load() || e.add(c) != nil {
		return
	}
	if e.add(r) != nil {
		e.kernel.Remove(&c.key)
		return
	}
	s.set(stateOffloaded)
	e.offloaded.Add(1)
}

// add tells the kernel about one direction.
func (e *Engine) add(w *wing) error {
	if w.leave != w.key {
		w.limit = e.mtu(w)
	}
	return e.kernel.Add(&w.key, &w.leave, w.limit)
}

// takeBack ends the kernel's part in s and adds its counts to the session's own.
func (e *Engine) takeBack(s *Session) {
	s.tcpMu.Lock()
	defer s.tcpMu.Unlock()
	e.retrieve(s)
}

// retrieve is takeBack for who holds the session's tcpMu; it says whether the kernel had a part in it.
func (e *Engine) retrieve(s *Session) bool {
	if s.state.And(^stateOffloaded)&stateOffloaded == 0 {
		return false
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
	return true
}

// reroute tells the kernel anew how long packets of a translated session may be, where the links
// that they leave by have changed.
func (e *Engine) reroute(s *Session) {
	if !s.translated() {
		return
	}
	s.tcpMu.Lock()
	defer s.tcpMu.Unlock()
	c, r := &s.wings[fromClient], &s.wings[fromServer]
	if (c.limit != e.mtu(c) || r.limit != e.mtu(r)) && e.retrieve(s) {
		e.hand(s)
	}
}

// keep takes s back and does not hand it over again.
func (e *Engine) keep(s *Session) {
	s.set(stateOffloadAsked)
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
