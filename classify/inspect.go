package classify

import (
	"bytes"
	"log/slog"
	"sync"
	"unsafe"

	"sluice/classify/appdb"
	"sluice/classify/decode"
)

// inspection is the state of a session that is being looked at.
type inspection struct {
	engine  *Engine
	meta    Meta
	session decode.Session
	flipped Direction // ToClient when client and server were found to be the wrong way round

	streams [2]stream
	base    [2]int // where the protocol being decoded begins in each direction
	depth   int    // how many protocols are around it
	upgrade bool   // the innermost of these only turned on encryption

	candidates, hinted decoderSet
	filtered           [2]bool // the first byte of the direction has been considered
	wanted             [2]int  // no decoder need be asked before a direction is this long
	shown              [2]int  // bytes that decoders were asked about last
	claimed            int     // the decoder that said MatchMore, or none
	asked              *appdb.Application
	memories           []memory

	told    told    // by the decoder that is being asked
	found   finding // what is certain
	maybe   finding // what the first decoder that said Maybe told when it last did
	maybeBy int     // that decoder, or none
	doubted bool    // some decoder said Maybe in this round
	done    bool    // the decoders have nothing more to tell
	insists bool    // limits wait for what the decoder that said MatchMore waits for
	lines   bool    // and that for an empty line

	// What is known before the first byte.
	earlier  *appdb.Application // whose name was resolved to the server's address
	owner    *appdb.Application // of the server's address
	mapped   *appdb.Application // custom application of the server's address
	cached   [2]*appdb.Application
	arranged arranged
	outer    *answer // from outside the encryption, see decrypted.go

	// What signatures have found, see signatures.go.
	progress   Progress // with the last call of a decoder
	checkpoint Progress // without
	custom     match    // in the streams
	scanned    [2]int   // bytes of the directions that were searched
	scansOver  bool     // streams do not begin with the session's first bytes any more

	// The transactions, see transactions.go.
	following bool                            // the decoder that claimed the session is shown one after another
	asker     Direction                       // who begins a transaction
	fresh     bool                            // a transaction is complete, and nothing is known of the next
	renew     bool                            // limits begin anew
	before    struct{ bytes, packets uint32 } // of the flow, where limits began anew

	skipped   int    // bytes that came before what is looked at
	next      uint32 // where the next transaction begins in what asker sends
	encrypted bool   // some protocol that was found is
	site      string // see Flow.Site
	held      int64  // bytes counted in State.Memory
}

// none is the place of no decoder.
const none = -1

// maxDepth is how many protocols deep a tunnel is followed.
const maxDepth = 3

var inspections = sync.Pool{New: func() any { return new(inspection) }}

func (e *Engine) newInspection(meta *Meta) *inspection {
	w := inspections.Get().(*inspection)
	w.engine, w.meta = e, *meta
	w.session = decode.NewSession(&w.meta, w)
	w.session.Followed = e.transactions.micros || e.transactions.everywhere || e.customs.patterns != nil
	w.restart()
	w.earlier = e.state.applicationAt(meta.Server.Addr())
	other, _ := e.state.arrangement(meta)
	w.arranged = other.arranged
	w.place()
	w.hold(0)
	return w
}

// free gives everything back.
func (w *inspection) free() {
	w.engine.state.memory.Add(-w.held)
	for d := range w.streams {
		w.streams[d].reset()
	}
	w.told.reset()
	clear(w.memories)
	streams, memories, expected, resolved := w.streams, w.memories[:0], w.told.expected, w.told.resolved
	*w = inspection{}
	w.streams, w.memories, w.told.expected, w.told.resolved = streams, memories, expected, resolved
	inspections.Put(w)
}

// restart considers all decoders anew.
func (w *inspection) restart() {
	w.candidates, w.hinted = w.engine.dispatchOf(w.meta.Protocol).begin(&w.meta)
	w.filtered, w.wanted, w.claimed = [2]bool{}, [2]int{}, none
	w.maybe, w.maybeBy = finding{}, none
	w.memories = w.memories[:0]
}

// flip turns the session round, as its client turned out to be its server. It can be done once,
// and only where the start was not seen.
func (w *inspection) flip() bool {
	if !w.meta.Guessed || w.depth > 0 {
		return false
	}
	w.meta.Guessed = false
	w.flipped = ToClient
	w.meta.Client, w.meta.Server = w.meta.Server, w.meta.Client
	w.streams[ToServer], w.streams[ToClient] = w.streams[ToClient], w.streams[ToServer]
	w.place()
	w.restart()
	return true
}

// place looks up whose the server's address is.
func (w *inspection) place() {
	w.mapped = w.engine.customs.server(&w.meta)
	w.owner = w.engine.ownerOf(w.meta.Server.Addr())
}

// lastChance asks about all there is of a stream, even those who want more, and the other way round
// when nobody knew it this way.
func (w *inspection) lastChance() {
	if w.meta.Protocol == decode.TCP && !w.done && w.shown != [2]int{len(w.inner(ToServer)), len(w.inner(ToClient))} {
		w.wanted, w.lines = [2]int{}, false
		w.done = w.askStreams(ToServer)
	}
	if w.meta.Protocol == decode.TCP && w.found.protocol == nil && w.maybe.protocol == nil && w.flip() {
		w.askStreams(ToServer)
	}
}

// keep makes the bytes seen so far ours before the caller takes them back.
func (w *inspection) keep() {
	w.streams[ToServer].keep()
	w.streams[ToClient].keep()
	w.hold(w.streams[ToServer].size() + w.streams[ToClient].size())
}

// hold counts the bytes of the inspection and of its buffers.
func (w *inspection) hold(buffers int) {
	held := int64(unsafe.Sizeof(*w)) + int64(buffers)
	if held != w.held {
		w.engine.state.memory.Add(held - w.held)
		w.held = held
	}
}

// askStreams shows the decoders what there is of both directions, after direction d has grown. It
// says whether the answer is final.
func (w *inspection) askStreams(d Direction) (final bool) {
	for {
		client, server := w.inner(ToServer), w.inner(ToClient)
		if len(client)+len(server) == 0 || w.following && len(w.inner(w.asker)) == 0 || w.lines && !w.headEnds(client) {
			return false
		}
		w.filter(ToServer, client)
		w.filter(ToClient, server)
		if len(client) < w.wanted[ToServer] && len(server) < w.wanted[ToClient] {
			return false
		}
		w.wanted, w.shown = [2]int{maxBuffer + 1, maxBuffer + 1}, [2]int{len(client), len(server)}
		w.session.Direction = d
		switch w.round(func(decoder *decode.Decoder) decode.Verdict {
			return decoder.Stream(&w.session, client, server)
		}, [2]int{len(client), len(server)}) {
		case finished:
			return true
		case goOn:
			return false
		case turned:
			d = d.Reverse()
		}
	}
}

// headEnds says whether an empty line has come since the decoders were asked.
func (w *inspection) headEnds(client []byte) bool {
	fresh := client[max(min(w.shown[ToServer], len(client))-len("\n\r"), 0):]
	return bytes.Contains(fresh, []byte("\n\r\n")) || bytes.Contains(fresh, []byte("\n\n"))
}

// inner is what there is of direction d of the protocol being decoded.
func (w *inspection) inner(d Direction) []byte {
	prefix := w.streams[d].prefix()
	return prefix[min(w.base[d], len(prefix)):]
}

// askDatagram shows a datagram to the decoders. It says whether the answer is final.
func (w *inspection) askDatagram(d Direction, data []byte) (final bool) {
	for {
		if w.session.Index == 0 {
			w.filter(d, data)
		}
		w.session.Direction = d
		outcome := w.round(func(decoder *decode.Decoder) decode.Verdict {
			if w.meta.Protocol == decode.SCTP {
				return decoder.SCTP(&w.session, data)
			}
			return decoder.Datagram(&w.session, data)
		}, [2]int{})
		if outcome == turned {
			d = d.Reverse()
			continue
		}
		w.session.Index++
		return outcome == finished
	}
}

// filter leaves out the decoders for which the first byte of direction d is impossible.
func (w *inspection) filter(d Direction, data []byte) {
	if len(data) > 0 && !w.filtered[d] {
		w.filtered[d] = true
		w.candidates.keep(&w.engine.dispatchOf(w.meta.Protocol).first[d][data[0]])
	}
}

// outcome of a round.
type outcome uint8

const (
	goOn     outcome = iota // wait for more
	finished                // the answer is final
	again                   // ask anew about what is there, inside a tunnel
	turned                  // ask anew about what is there, the other way round
)

// round asks every candidate once, those whose port it is first. A decoder that panics ends the
// inspection: its session is as if unknown, and nobody else's is harmed.
func (w *inspection) round(call func(*decode.Decoder) decode.Verdict, shown [2]int) (result outcome) {
	defer func() {
		if r := recover(); r != nil {
			w.engine.state.failures.Add(1)
			slog.Error("decoder failed, its session is left unidentified", "decoder", w.asked.Short(), "server", w.meta.Server, "panic", r)
			result = finished
		}
	}()
	if w.claimed != none {
		return w.ask(w.claimed, call, shown)
	}
	w.doubted = false
	first := w.able(shown)
	second := first
	first.keep(&w.hinted)
	second.drop(&w.hinted)
	undecided := false
	for _, set := range [...]*decoderSet{&first, &second} {
		for i := set.next(0); i != none; i = set.next(i + 1) {
			if o := w.ask(i, call, shown); o != goOn || w.claimed != none {
				return o
			}
			undecided = undecided || w.told.verdict == decode.More
		}
	}
	waiting := w.able(shown) != w.candidates
	for d, n := range shown {
		if waiting && n == 0 {
			w.wanted[d] = 1
		}
	}
	switch {
	case undecided:
		return goOn
	case w.maybe.protocol == nil && w.flip():
		return turned
	case waiting:
		return goOn
	case w.engine.scansStreams() && (w.engine.customs.others || !w.engine.customs.streams):
		return goOn
	}
	return finished
}

// able are the candidates that can be asked: of a stream, those whose side has spoken.
func (w *inspection) able(shown [2]int) decoderSet {
	set := w.candidates
	if w.meta.Protocol != decode.TCP {
		return set
	}
	for d, n := range shown {
		if n == 0 {
			set.drop(&w.engine.tcp.await[d])
		}
	}
	return set
}

// ask asks one decoder and draws the consequences.
func (w *inspection) ask(i int, call func(*decode.Decoder) decode.Verdict, shown [2]int) outcome {
	w.told.reset()
	w.asked = w.engine.names[i]
	w.session.Ready(w.recall(i))
	last := w.progress
	if w.engine.signatures != nil {
		w.progress = w.checkpoint
	}
	v := call(&w.engine.decoders[i])
	w.remember(i, w.session.Memory())
	w.told.verdict = v
	if w.insists, w.lines = false, false; w.session.Followed && v == decode.MatchMore {
		w.insists, w.lines = w.session.Insists()
	}
	if v == decode.No || v == decode.More {
		w.progress = last
	}
	switch v {
	case decode.No:
		switch i {
		case w.claimed:
			return finished
		case w.maybeBy:
			w.maybe, w.maybeBy = finding{}, none
		}
		w.candidates.remove(i)
		return goOn
	case decode.Maybe:
		if !w.doubted {
			w.maybe, w.maybeBy, w.doubted = finding{}, i, true
			w.maybe.take(w, w.engine.names[i])
		}
	case decode.Match, decode.MatchMore:
		return w.accept(i, v, shown)
	}
	w.want(shown)
	return goOn
}

// accept takes over what a decoder told that recognised its protocol.
func (w *inspection) accept(i int, v decode.Verdict, shown [2]int) outcome {
	w.nameAnew()
	w.settle(w.engine.names[i])
	w.encrypted = w.encrypted || w.engine.ciphers[i]
	if w.meta.Protocol != decode.TCP || v == decode.Match {
		w.checkpoint = w.progress
	}
	for k := range w.told.expected {
		w.engine.state.expect(&w.told.expected[k], &w.meta)
	}
	for _, r := range w.told.resolved {
		w.engine.state.resolve(r.owner, r.addr, r.ttl)
	}
	switch {
	case w.told.tunnel && w.depth < maxDepth && w.meta.Protocol == decode.TCP:
		w.base[ToServer] += max(w.told.inner[ToServer], 0)
		w.base[ToClient] += max(w.told.inner[ToClient], 0)
		w.depth, w.upgrade = w.depth+1, w.told.upgrade
		w.restart()
		return again
	case len(w.told.datagram) > 0 && w.depth < maxDepth:
		w.askInside(w.told.datagram)
	}
	if v == decode.Match {
		return w.follow(i)
	}
	w.claimed = i
	if d, n, ok := w.session.Skipped(); ok {
		return w.goOnAt(d, n)
	}
	w.want(shown)
	return goOn
}

// settle adds what was told to what is certain. Inside a tunnel, a protocol is an application of
// the one around it.
func (w *inspection) settle(own *appdb.Application) {
	outer := w.found.protocol
	w.found.take(w, own)
	if w.depth == 0 {
		return
	}
	w.found.protocol = outer
	if w.told.protocol != nil {
		own = w.told.protocol
	}
	if !w.upgrade && (w.told.carries == nil || w.told.carries == own) {
		w.found.carries = own
	}
}

// askInside asks the decoders about a datagram inside a datagram, once.
func (w *inspection) askInside(data []byte) {
	outer := *w
	w.depth++
	w.restart()
	w.filter(w.session.Direction, data)
	for i := w.candidates.next(0); i != none; i = w.candidates.next(i + 1) {
		w.told.reset()
		w.asked = w.engine.names[i]
		w.session.Ready(nil)
		if decoder := &w.engine.decoders[i]; decoder.Datagram != nil && decoder.Datagram(&w.session, data) >= decode.Match {
			w.settle(w.asked)
			break
		}
	}
	w.depth, w.candidates, w.hinted, w.filtered = outer.depth, outer.candidates, outer.hinted, outer.filtered
}

// want notes when the decoder that was asked last wants to be asked again.
func (w *inspection) want(shown [2]int) {
	client, server := w.session.Wanted()
	for d, wanted := range [2]int{client, server} {
		w.wanted[d] = min(w.wanted[d], max(wanted, shown[d]+1))
	}
}
