package classify

import (
	"sluice/classify/appdb"
	"sluice/classify/decode"
)

// Flow is what the engine knows of one session. While the session is inspected it holds an
// inspection of some 1.2 KB and the bytes seen so far; afterwards the answer only. A Flow is used
// by one goroutine at a time. The zero value is a session that nothing is known about and that
// is not inspected.
type Flow struct {
	work    *inspection // nil when the answer is final
	answer  answer
	packets uint32
	bytes   uint32
}

// Segment is one TCP segment, or a train of segments that arrived as one.
type Segment struct {
	Direction Direction
	Seq, Ack  uint32
	Flags     uint8 // as in the TCP header
	Payload   []byte
}

// TCP header flags that matter here (RFC 9293 section 3.1).
const (
	flagSyn = 1 << 1
	flagRst = 1 << 2
	flagAck = 1 << 4
)

// Begin starts the inspection of a session.
func (e *Engine) Begin(f *Flow, meta *Meta) {
	*f = Flow{}
	switch {
	case meta.Protocol != decode.TCP && meta.Protocol != decode.UDP && meta.Protocol != decode.SCTP:
		e.nameByNumber(f, meta)
	case e.maxMemory > 0 && e.state.Memory() >= e.maxMemory/10*9:
		f.answer.final = true
	default:
		f.work = e.newInspection(meta)
		f.answer = f.work.combine()
	}
}

// nameByNumber answers for a protocol that the IP header names.
func (e *Engine) nameByNumber(f *Flow, meta *Meta) {
	protocol, application := protocolNames(meta)
	f.answer.final = true
	if protocol == "" {
		return
	}
	f.answer.protocol, f.answer.confidence, f.answer.evidence = e.named(protocol), High, byDecoder
	if application != "" {
		f.answer.application = e.named(application)
	}
}

// Result is what is known now.
func (f *Flow) Result() Result { return f.answer.result() }

// Applications are the protocol and the application of Result, as the database has them; nil
// where not known.
func (f *Flow) Applications() (protocol, application *appdb.Application) {
	return f.answer.protocol, f.answer.application
}

// Final says whether the answer is final, so that the session need not be shown any further.
func (f *Flow) Final() bool { return f.work == nil }

// Inspected is the number of packets with payload, and of their bytes, that were looked at so far,
// or until the answer was final.
func (f *Flow) Inspected() (packets, bytes int) { return int(f.packets), int(f.bytes) }

// Segment shows a TCP segment, in any order. It says whether the answer changed.
func (f *Flow) Segment(s *Segment) (changed bool) {
	w := f.work
	if w == nil {
		return false
	}
	d := s.Direction ^ w.flipped
	own, other := &w.streams[d], &w.streams[d.Reverse()]
	seq := s.Seq
	if s.Flags&flagSyn != 0 {
		seq++
		if own.known && own.start != seq && len(w.streams[ToServer].spans)+len(w.streams[ToClient].spans) == 0 {
			own.reset() // the port is used again before anything was said
		}
		own.begin(seq)
	}
	ask := s.Flags&flagAck != 0 && other.acknowledge(s.Ack)
	if s.Flags&flagRst == 0 {
		f.count(s.Payload)
		ask = own.add(seq, s.Payload, w.room(d)) || ask
	}
	return f.next(ask, d)
}

// Stream shows bytes that are in order already. It says whether the answer changed.
func (f *Flow) Stream(d Direction, data []byte) (changed bool) {
	w := f.work
	if w == nil {
		return false
	}
	d ^= w.flipped
	f.count(data)
	return f.next(w.streams[d].append(data, w.room(d)), d)
}

// next asks the decoders about what is there of a stream, and ends the inspection when they have
// answered or the limit is reached.
func (f *Flow) next(ask bool, d Direction) (changed bool) {
	w := f.work
	if ask && w.askStreams(d) || w.limitReached(f) {
		return f.conclude()
	}
	w.keep()
	return ask && f.refresh()
}

// Datagram shows the payload of a datagram. It says whether the answer changed.
func (f *Flow) Datagram(d Direction, payload []byte) (changed bool) {
	w := f.work
	if w == nil || len(payload) == 0 {
		return false
	}
	d ^= w.flipped
	f.count(payload)
	if w.engine.scansStreams() {
		w.scan(d, payload)
	}
	if w.askDatagram(d, payload) || w.limitReached(f) {
		return f.conclude()
	}
	return f.refresh()
}

// Close ends the inspection, as the session ends or is not to be inspected any further. What was
// known last becomes final. It says whether the answer changed.
func (f *Flow) Close() (changed bool) {
	if f.work == nil {
		return false
	}
	return f.conclude()
}

func (f *Flow) count(payload []byte) {
	if len(payload) > 0 {
		f.packets++
		f.bytes += uint32(len(payload))
	}
}

// refresh takes over what is known by now, as a pre-match.
func (f *Flow) refresh() (changed bool) {
	before := f.answer
	f.answer = f.work.combine()
	return f.answer != before
}

// conclude takes over what is known by now for good.
func (f *Flow) conclude() (changed bool) {
	before := f.answer
	f.work.lastChance()
	f.work.scanStreams()
	f.answer = f.work.combine()
	f.answer.final = true
	f.work.free()
	f.work = nil
	return f.answer != before
}
