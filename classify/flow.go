package classify

import (
	"math"

	"sluice/classify/appdb"
	"sluice/classify/decode"
)

// Flow is what the engine knows of one session. While the session is inspected it holds an
// inspection of some 1.9 KB and the bytes seen so far; afterwards the answer only. A Flow is used
// by one goroutine at a time. The zero value is a session that nothing is known about and that
// is not inspected.
type Flow struct {
	work    *inspection // nil when the answer is final, and until the first payload
	waits   *waiting    // until then; nil when nothing is put off
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
	flagPsh = 1 << 3
	flagAck = 1 << 4
)

// Begin starts the inspection of a session.
func (e *Engine) Begin(f *Flow, meta *Meta) {
	*f = Flow{}
	custom, sure := e.customs.first(meta)
	ported := meta.Protocol == decode.TCP || meta.Protocol == decode.UDP || meta.Protocol == decode.SCTP
	switch {
	case e.wholly(f, meta):
	case !ported || sure:
		e.nameByNumber(f, meta, custom)
	case custom != nil && !e.transactions.micros && !e.customs.any(meta):
		f.answer = answer{application: custom, confidence: High, evidence: byAddress}
		f.answer.settle(true)
	case e.crowded():
		f.answer.settle(false)
	default:
		e.inspect(f, meta, custom)
	}
}

// wholly answers for a session that carries one file, as another one has arranged it: its bytes need
// not be looked at.
func (e *Engine) wholly(f *Flow, meta *Meta) bool {
	a, ok := e.state.arrangement(meta)
	return ok && a.whole && a.between(meta) && e.Arranged(f, a.protocol)
}

// Arranged answers for a session that carries what another one has arranged, a protocol by its name
// without prefix, and is not looked at. It says whether there is such a protocol.
func (e *Engine) Arranged(f *Flow, protocol string) bool {
	a := e.named(protocol)
	if !e.tells(a) {
		return false
	}
	f.drop()
	*f = Flow{answer: answer{protocol: a, confidence: High, evidence: byExpectation}}
	f.answer.settle(true)
	return true
}

// inspect starts an inspection, unless an earlier session tells all there is to know.
func (e *Engine) inspect(f *Flow, meta *Meta, custom *appdb.Application) {
	var cached [2]*appdb.Application
	if e.cache != nil && custom == nil {
		if protocol, application, ok := e.cache.Lookup(meta); ok {
			cached = [2]*appdb.Application{protocol, application}
			if !e.sites && !e.transactions.parents[protocol] && !e.transactions.parents[application] {
				f.answer = answer{protocol: protocol, application: application, confidence: Low, evidence: byCache}
				f.answer.encrypted = e.encrypts(protocol) || e.encrypts(application)
				f.answer.settle(true)
				return
			}
		}
	}
	if meta.Protocol == decode.TCP {
		f.wait(e, meta, cached)
		return
	}
	f.work = e.newInspection(meta)
	f.work.cached = cached
	f.answer = f.work.combine()
}

// nameByNumber answers for a protocol that the IP header names, or for a session that is a custom
// application by it.
func (e *Engine) nameByNumber(f *Flow, meta *Meta, custom *appdb.Application) {
	protocol, application := protocolNames(meta)
	if protocol != "" && !e.named(protocol).Disabled {
		f.answer.protocol, f.answer.confidence, f.answer.evidence = e.named(protocol), High, byDecoder
		f.answer.encrypted = e.encrypts(f.answer.protocol)
	}
	if application != "" && !e.named(application).Disabled {
		f.answer.application = e.named(application)
	}
	if custom != nil {
		f.answer.application, f.answer.confidence, f.answer.evidence = custom, High, byDecoder
		if len(custom.Servers) > 0 && e.customs.server(meta) == custom {
			f.answer.evidence = byAddress
		}
	}
	f.answer.settle(true)
}

// Result is what is known now.
func (f *Flow) Result() Result { return f.answer.result() }

// Applications are the protocol and the application of Result, as the database has them; nil
// where not known.
func (f *Flow) Applications() (protocol, application *appdb.Application) {
	return f.answer.protocol, f.answer.application
}

// Micro is the micro-application of Result; nil where not known.
func (f *Flow) Micro() *appdb.Application { return f.answer.micro }

// Coming are the full names of the custom applications that may still be found, and would then be
// the answer.
func (f *Flow) Coming() []string {
	switch {
	case f.work != nil:
		return f.work.coming(f)
	case f.waits != nil && f.waits.engine.customs.patterns != nil:
		w := f.waits.inspection()
		defer w.free()
		return w.coming(f)
	}
	return nil
}

// Extended is the extended application of Result, or nil.
func (f *Flow) Extended() *appdb.Application { return f.answer.extended }

// Final says whether the answer is final, so that the session need not be shown any further.
func (f *Flow) Final() bool { return f.work == nil && f.waits == nil }

// Asked is how many transactions have begun: those that are complete, and the one of which bytes have come.
func (f *Flow) Asked() int {
	n := int(f.answer.transactions)
	if f.answer.begun || f.work != nil && f.work.begun() {
		n++
	}
	return n
}

// Inspected is the number of packets with payload, and of their bytes, that were looked at so far,
// or until the answer was final.
func (f *Flow) Inspected() (packets, bytes int) { return int(f.packets), int(f.bytes) }

// Segment shows a TCP segment, in any order. It says whether the answer changed.
func (f *Flow) Segment(s *Segment) (changed bool) {
	if f.waits != nil && len(s.Payload) == 0 {
		f.waits.note(s)
		return false
	}
	w := f.arrive()
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
	if s.Flags&flagRst == 0 && len(s.Payload) > 0 && !own.passes(seq, len(s.Payload)) {
		if other.paused && s.Flags&flagAck != 0 {
			other.resume(s.Ack)
		}
		f.count(s.Payload)
		mayProbe := !own.known && len(s.Payload) == 1 && s.Flags&flagPsh == 0
		ask = own.add(seq, s.Payload, w.room(d)) || ask
		own.probe = mayProbe || own.probe && len(own.prefix()) == 1
	}
	changed = f.next(ask && !own.probe, d)
	for ask && f.work == w && own.lacks(seq, len(s.Payload)) && own.add(seq, s.Payload, w.room(d)) {
		changed = f.next(true, d) || changed
	}
	return changed
}

// Stream shows bytes that are in order already. It says whether the answer changed.
func (f *Flow) Stream(d Direction, data []byte) (changed bool) {
	w := f.arrive()
	if w == nil {
		return false
	}
	d ^= w.flipped
	own, other := &w.streams[d], &w.streams[d.Reverse()]
	if data = own.pass(data); own.paused || len(data) == 0 {
		return false
	}
	other.resume(other.start)
	f.count(data)
	for more := true; more; more = len(data) > 0 && f.work == w {
		piece := data[:min(len(data), max(w.room(d)-len(own.prefix()), 0))]
		changed = f.next(own.append(piece, w.room(d)), d) || changed
		if len(piece) == 0 {
			break
		}
		data = own.pass(data[len(piece):])
	}
	return changed
}

// next asks the decoders about what is there of a stream, and ends the inspection when they have
// answered or the limit is reached.
func (f *Flow) next(ask bool, d Direction) (changed bool) {
	w := f.work
	if ask {
		w.done = w.done || w.askStreams(d)
		w.scanStreams(false)
	}
	if f.over() {
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
	w.skipped = int(f.bytes)
	f.count(payload)
	w.done = w.done || w.askDatagram(d, payload)
	if w.engine.scansStreams() {
		w.scan(d, payload)
	}
	if f.over() {
		return f.conclude()
	}
	return f.refresh()
}

// Chunks shows what follows the common header of an SCTP packet: of its chunks, those with user data
// count (RFC 9260 section 3.3.1). It says whether the answer changed.
func (f *Flow) Chunks(d Direction, chunks []byte) (changed bool) {
	const data, header = 0, 16 // type and header of a DATA chunk
	for len(chunks) >= 4 {
		length := int(chunks[2])<<8 | int(chunks[3])
		if length < 4 || length > len(chunks) {
			break
		}
		if chunks[0] == data && length > header {
			changed = f.Datagram(d, chunks[header:length]) || changed
		}
		chunks = chunks[min((length+3)&^3, len(chunks)):]
	}
	return changed
}

// over says whether the inspection is: the decoders have answered and the session cannot turn out
// to be a custom application any more, or it is one that comes before everything else, or a limit
// is reached.
func (f *Flow) over() bool {
	w := f.work
	if w.renew {
		w.renew, w.before.bytes, w.before.packets = false, f.bytes, f.packets
	}
	switch {
	case w.done && (w.scansOver || !w.mayBeCustom(f, true)):
		return true
	case w.engine.customs.patterns != nil && w.engine.transactions.limit(&w.found) == 0 &&
		(w.overridden() || w.following && !w.mayBeCustom(f, false)):
		w.done = true
		return true
	}
	return w.limitReached(f)
}

// Close ends the inspection, as the session ends or is not to be inspected any further. What was
// known last becomes final. It says whether the answer changed.
func (f *Flow) Close() (changed bool) {
	if f.arrive() == nil {
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
	f.answer.coming = uint8(min(len(f.Coming()), math.MaxUint8))
	return f.answer != before
}

// conclude takes over what is known by now for good.
func (f *Flow) conclude() (changed bool) {
	before, w := f.answer, f.work
	w.lastChance()
	w.checkpoint = w.progress
	w.scanStreams(true)
	f.answer = w.combine()
	f.answer.begun = w.begun()
	f.answer.encrypted = f.answer.encrypted || w.encrypted || w.engine.encrypts(f.answer.protocol) || w.engine.encrypts(f.answer.application)
	f.answer.settle(w.done)
	w.free()
	f.work = nil
	return f.answer != before
}
