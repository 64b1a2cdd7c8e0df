package proxy

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"sluice/internal/panics"
	"sluice/stack"
	"sluice/store/schema"
	"sluice/track"
)

// maxFrame is the largest frame a device hands over: a segment train of 64 KiB and its headers.
const maxFrame = stack.VirtioHeaderLen + 65535 + 256

// read forwards the packets of one queue until the device is closed or goes away.
func (e *Engine) read(in *port, q stack.Queue) error {
	frame := make([]byte, maxFrame)
	var p stack.Packet
	for {
		n, err := q.Read(frame)
		if err != nil {
			if errors.Is(err, stack.ErrClosed) || errors.Is(err, stack.ErrDeviceGone) {
				return err
			}
			return fmt.Errorf("reading packets: %w", err)
		}
		if err := p.Parse(frame[:n]); err != nil {
			e.drop(dropMalformed)
			continue
		}
		e.receive(in, q, &p)
	}
}

// receive moves one packet. A panic costs its sender the session and nobody else anything.
func (e *Engine) receive(in *port, q stack.Queue, p *stack.Packet) {
	defer func() {
		if r := recover(); r != nil {
			e.notePanic(r, p.Key)
		}
	}()
	if p.Fragment {
		e.receiveFragment(in, q, p)
		return
	}
	e.forward(in, q, p)
}

// notePanic ends the session of a key, whose bytes have led to a panic.
func (e *Engine) notePanic(reason any, key stack.Key) {
	e.panics.Add(1)
	p := panics.Of(reason)
	e.logger.Error("session ended by a panic", "source", key.Source(), "destination", key.Destination(),
		"panic", p.Value, "stack", string(p.Stack))
	if w := e.table.find(&key); w != nil {
		e.remove(w.session, track.ReasonApplication)
	}
}

// receiveFragment holds a fragment until its datagram is complete, and then forwards all of it
// under the key of the first.
func (e *Engine) receiveFragment(in *port, q stack.Queue, p *stack.Packet) {
	frames := e.fragments.Add(p, time.Now())
	if frames == nil {
		return
	}
	var part stack.Packet
	if part.Parse(frames[0]) != nil {
		e.drop(dropMalformed)
		return
	}
	key := part.Key
	if !e.forward(in, q, &part) {
		return
	}
	w := e.table.find(&key)
	if w == nil {
		return
	}
	for _, frame := range frames[1:] {
		if part.Parse(frame) != nil {
			e.drop(dropMalformed)
			return
		}
		part.SetKey(key)
		w.count(&part)
		w.capture(&part)
		if lane, passes := e.treat(w, &part, e.now()); passes {
			e.send(w, cmp.Or(lane, q), &part)
		}
	}
}

// forward finds the packet's session, or opens one, and sends the packet on. It says whether
// the packet went out.
func (e *Engine) forward(in *port, q stack.Queue, p *stack.Packet) bool {
	w := e.table.find(&p.Key)
	if w == nil || w.session.has(stateClosing) && e.reopens(w.session, p) {
		if p.IsICMPError() {
			return e.forwardError(in, q, p)
		}
		if w = e.open(in, q, p); w == nil {
			return false
		}
	}
	s := w.session
	now := e.now()
	if s.has(stateBlocked) && !s.endsItself() {
		e.drop(dropPolicy)
		s.lastSeen.Store(now)
		e.answerBlocked(w, q, p)
		return false
	}
	w.count(p)
	w.capture(p)
	if s.path == stream {
		return e.terminate(w, p, now)
	}
	if s.identifying() {
		if refused := e.identify(w, p); refused != nil {
			e.block(w, q, p, refused)
			return false
		}
		if w.direction == fromServer && p.Payload < len(p.IP) {
			s.set(stateAnswered)
		}
	}
	if s.controls() && s.protocol == schema.ProtoUDP {
		s.control.pass(w.direction, p.IP[p.Payload:])
	}
	lane, passes := e.treat(w, p, now)
	if !passes {
		s.lastSeen.Store(now)
		return false
	}
	switch s.protocol {
	case schema.ProtoTCP:
		if !e.followTCP(e.config.Load(), w, p) {
			return false
		}
	default:
		e.followDatagram(w, p)
	}
	s.lastSeen.Store(now)
	e.trackVolume(s, now)
	if !s.has(stateOffloadAsked) && w.offloadable() {
		e.offload(s)
	}
	return e.send(w, cmp.Or(lane, q), p)
}

// terminate hands a packet of the client to the TCP stack that terminates its session.
func (e *Engine) terminate(w *wing, p *stack.Packet, now int64) bool {
	s := w.session
	if p.Fragment {
		e.drop(dropFragment) // TCP discovers what fits; none of it goes past the services
		return false
	}
	if s.protocol == schema.ProtoTCP && p.TCPFlags&stack.TCPSyn != 0 {
		e.clampMSS(e.config.Load(), s, p)
	}
	s.lastSeen.Store(now)
	e.trackVolume(s, now)
	if _, passes := e.treat(w, p, now); !passes {
		return false
	}
	w.port.terminal.Inject(p.Frame)
	return true
}

// reopens says whether p begins a new session with the addresses and ports of s, which is over.
func (e *Engine) reopens(s *Session, p *stack.Packet) bool {
	if s.protocol == schema.ProtoTCP && (p.TCPFlags&(stack.TCPSyn|stack.TCPAck) != stack.TCPSyn || p.Key != s.wings[fromClient].key) {
		return false
	}
	e.remove(s, track.ReasonAgedOut)
	return true
}

// send writes the packet, translated where the session asks for it, back to the queue it came
// from; the kernel then routes it out. Its sender must be told here that a translated one is too
// long: the kernel would tell the address that it is translated to, of a packet that nobody sent.
func (e *Engine) send(w *wing, q stack.Queue, p *stack.Packet) bool {
	if w.leave != w.key {
		if mtu := e.mtu(w); mtu != 0 && !p.Passes(mtu) {
			back := e.egress.Lookup(p.Key.Source().Addr())
			e.answer(q, p.TooBig(e.address(back.Device, p.V6), mtu))
			return false
		}
		p.Translate(w.leave)
	}
	p.RaiseTTL()
	return e.write(q, p.Frame)
}

func (e *Engine) write(q stack.Queue, frame []byte) bool {
	if err := q.Write(frame); err != nil {
		e.drop(dropWrite)
		return false
	}
	return true
}

// followDatagram keeps the state of a session without handshake.
func (e *Engine) followDatagram(w *wing, p *stack.Packet) {
	s := w.session
	if w.direction == fromClient || s.has(stateReplied) || !s.set(stateReplied) {
		return
	}
	if p.IsEchoReply() {
		e.finishAfterReply(s, e.config.Load().flow.SyncICMPSession)
	}
}

// trackVolume sends a volume update when one is due for a packet that arrived at the tick seen.
func (e *Engine) trackVolume(s *Session, seen int64) {
	if s.has(stateTracked) && s.updates.Due(time.Duration(seen-s.born), e.log.UpdateRule()) {
		e.log.AppVolumeUpdate(e.record(s))
	}
}
