package classify

import (
	"net/netip"
	"time"

	"sluice/classify/appdb"
	"sluice/classify/decode"
)

// told is what one decoder told during one call. It counts only when the verdict is that the
// session is, or may be, the decoder's protocol.
type told struct {
	verdict     decode.Verdict
	dirty       bool               // something besides the verdict was told
	protocol    *appdb.Application // instead of the decoder's own
	application *appdb.Application
	source      source
	signature   string
	micro       *appdb.Application
	carries     *appdb.Application
	custom      match
	secure      secure

	site string // see Flow.Site

	encryptedHello bool
	serverNamed    bool // a server name was told, whether anybody owns it or not

	tunnel, upgrade bool
	inner           [2]int
	datagram        []byte
	expected        []decode.Expected
	resolved        []resolved
}

// resolved is an answer for the name of an application.
type resolved struct {
	owner *appdb.Application
	addr  netip.Addr
	ttl   time.Duration
}

// reset forgets everything but the capacity of the lists.
func (t *told) reset() {
	if t.dirty {
		*t = told{expected: t.expected[:0], resolved: t.resolved[:0]}
	}
}

// maxTold bounds the lists, against datagrams made to fill the caches.
const maxTold = 32

// candidate takes a as the application, if it runs over the protocol being decoded and the evidence
// is stronger than what was told before.
func (w *inspection) candidate(a *appdb.Application, by source) (taken bool) {
	t := &w.told
	if a == nil || !a.RunsOver(w.asked.Name) || !w.engine.tells(a) {
		return false
	}
	if a.Kind == appdb.Micro {
		t.micro = a
	}
	if t.application != nil && w.engine.weight(t.application, t.source) <= w.engine.weight(a, by) {
		return false
	}
	t.application, t.source, t.signature, t.dirty = a, by, "", true
	return true
}

// weight orders evidence: smaller is stronger. With Options.CDN, the application of a content
// delivery network gives way to any other.
func (e *Engine) weight(a *appdb.Application, by source) int {
	weight := int(by)
	if e.cdn && a.Flags&appdb.FlagCDN != 0 {
		weight += len(sourceNames)
	}
	return weight
}

// The methods below make an inspection the decode.Sink of its decoders.

// Host looks up whose name it is.
func (w *inspection) Host(c decode.Context, name []byte) {
	by := sourceOf(c)
	if by == byServerName && len(name) > 0 {
		w.told.serverNamed, w.told.dirty = true, true
	}
	w.noteHost(c, name)
	w.candidate(w.engine.hosts.Lookup(name), by)
	w.Value(c, name)
}

// Value lets signatures look at it.
func (w *inspection) Value(c decode.Context, value []byte) {
	if c == decode.SSLECH {
		w.told.encryptedHello, w.told.dirty = true, true
	}
	if c == decode.SSLALPN {
		w.told.secure.note(value)
		w.told.dirty = true
	}
	w.noteTarget(c, value)
	if w.engine.signatures == nil || len(value) == 0 {
		return
	}
	over := w.asked.Short()
	h := w.engine.signatures.Match(&w.progress, c, w.session.Told(), over, &w.meta, value)
	switch {
	case h == nil:
	case h.Application.Custom:
		if m := newMatch(h, over); !h.Application.Disabled && m.beats(&w.told.custom) && !w.beyond(value) {
			w.told.custom, w.told.dirty = m, true
		}
	case w.engine.transactions.used[h.Application] != nil:
		if h.Application.RunsOver(over) && w.engine.tells(h.Application) {
			w.told.micro, w.told.dirty = h.Application, true
		}
	case w.candidate(h.Application, bySignature):
		w.told.signature = h.Name
	}
}

// Wants says whether a signature looks for a context.
func (w *inspection) Wants(c decode.Context, d Direction) bool {
	return w.engine.signatures != nil && w.engine.signatures.Wants(c, d)
}

// Protocol replaces the decoder's own name.
func (w *inspection) Protocol(name string) {
	w.told.protocol, w.told.dirty = w.engine.named(name), true
}

// Application names the application.
func (w *inspection) Application(name string) { w.candidate(w.engine.named(name), byDecoder) }

// Micro names what the application is doing.
func (w *inspection) Micro(name string) {
	if a := w.engine.named(name); w.engine.tells(a) {
		w.told.micro, w.told.dirty = a, true
	}
}

// Carries names the protocol inside.
func (w *inspection) Carries(name string) {
	if a := w.engine.named(name); w.engine.tells(a) {
		w.told.carries, w.told.dirty = a, true
	}
}

// Tunnel notes where an inner protocol begins.
func (w *inspection) Tunnel(client, server int, upgrade bool) {
	w.told.tunnel, w.told.upgrade, w.told.inner, w.told.dirty = true, upgrade, [2]int{client, server}, true
}

// TunnelDatagram notes an inner datagram.
func (w *inspection) TunnelDatagram(data []byte) { w.told.datagram, w.told.dirty = data, true }

// Expect notes a session that was arranged.
func (w *inspection) Expect(e decode.Expected) {
	if len(w.told.expected) < maxTold && e.Addr.IsValid() {
		w.told.expected, w.told.dirty = append(w.told.expected, e), true
	}
}

// Resolved notes the address of an application's name.
func (w *inspection) Resolved(host []byte, addr netip.Addr, ttl time.Duration) {
	if owner := w.engine.hosts.Lookup(host); owner != nil && len(w.told.resolved) < maxTold {
		w.told.resolved, w.told.dirty = append(w.told.resolved, resolved{owner, addr, ttl}), true
	}
}
