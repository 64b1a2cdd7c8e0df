package classify

import "sluice/classify/decode"

// Signatures look into streams again when a direction has grown by this part of what they have
// seen, so that many small segments do not cost more than a few large ones.
const rescan = 8

// scanStreams lets signatures look at the first bytes of both directions. Before the inspection
// ends, it does so only for custom applications, whose match may come before anything else.
func (w *inspection) scanStreams(ends bool) {
	e := w.engine
	if !e.scansStreams() || w.scansOver || !ends && !e.customs.streams {
		return
	}
	for d := range w.streams {
		prefix := w.streams[d].prefix()
		if n := w.scanned[d]; len(prefix) > n && (ends || len(prefix) >= n+1+n/rescan) {
			w.scanned[d] = len(prefix)
			w.scan(Direction(d), prefix)
		}
	}
}

// scan lets signatures look at the beginning of a stream, or at a datagram: those over TCP or UDP,
// and those over the protocol that was found.
func (w *inspection) scan(d Direction, data []byte) {
	w.match(d, transport(w.meta.Protocol), data)
	if w.found.protocol != nil {
		if over := w.found.protocol.Short(); w.engine.customs.possible(over, &w.meta, true) {
			w.match(d, over, data)
		}
	}
}

func (w *inspection) match(d Direction, over string, data []byte) {
	h := w.engine.signatures.Match(&w.checkpoint, decode.Stream, d, over, &w.meta, data)
	if h == nil || !w.engine.tells(h.Application) {
		return
	}
	if !h.Application.Custom {
		f := &w.found
		if a := h.Application; f.application == nil || w.engine.weight(a, bySignature) < w.engine.weight(f.application, f.source) {
			f.application, f.source, f.signature = a, bySignature, h.Name
		}
		return
	}
	if w.beyond(data) {
		if data = w.searched(data); len(data) > 0 {
			w.match(d, over, data)
		}
		return
	}
	if m := newMatch(h, over); m.beats(&w.custom) {
		w.custom = m
	}
}

// searched is the part of a stream that is searched for custom applications.
func (w *inspection) searched(data []byte) []byte {
	return data[:min(len(data), max(w.engine.customBytes-w.skipped, 0))]
}
