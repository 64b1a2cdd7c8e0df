package classify

import (
	"math"

	"sluice/classify/appdb"
	"sluice/classify/decode"
)

// finding is what decoders have established, or think possible.
type finding struct {
	protocol    *appdb.Application
	application *appdb.Application
	source      source
	signature   string
	micro       *appdb.Application
	carries     *appdb.Application
	custom      match
	secure      secure

	encryptedHello, serverNamed bool
}

// take adds what a decoder told, whose protocol is own where it told no other. Evidence replaces
// weaker evidence; between equals the first stays.
func (f *finding) take(w *inspection, own *appdb.Application) {
	t := &w.told
	if t.protocol != nil {
		own = t.protocol
	}
	if own != nil && (f.protocol == nil || t.protocol != nil) {
		f.protocol = own
	}
	if t.application != nil && (f.application == nil || w.engine.weight(t.application, t.source) < w.engine.weight(f.application, f.source)) {
		f.application, f.source, f.signature = t.application, t.source, t.signature
	}
	if t.micro != nil {
		f.micro = t.micro
	}
	if t.carries != nil {
		f.carries = t.carries
	}
	if t.custom.application != nil && t.custom.beats(&f.custom) {
		f.custom = t.custom
	}
	f.secure.web, f.secure.alpn = f.secure.web || t.secure.web, f.secure.alpn || t.secure.alpn
	w.takeSite()
	f.encryptedHello = f.encryptedHello || t.encryptedHello
	f.serverNamed = f.serverNamed || t.serverNamed
}

// combine draws the conclusion from all evidence there is. What a decoder is sure of comes before
// what one thinks possible, that before what another session arranged, and what is only known of
// the address comes last.
func (w *inspection) combine() answer {
	a := w.conclusion()
	w.customise(&a)
	a.site = w.site
	if a.protocol != nil && a.protocol.Disabled {
		a.protocol, a.micro = nil, nil
	}
	a.turned = w.flipped != ToServer && a.protocol != nil
	a.encrypted = w.encrypted
	a.transactions = uint16(min(w.session.Transactions, math.MaxUint16))
	if a.transactions > 0 {
		a.stage = TransactionFinal
	}
	if w.outer != nil {
		w.addOuter(&a)
	}
	return a
}

// customise puts custom applications in their places: one whose pattern has matched, unless it
// yields to something predefined, and that of the server's address, which otherwise comes before
// everything predefined.
func (w *inspection) customise(a *answer) {
	m := &w.custom
	if w.found.custom.application != nil && !m.beats(&w.found.custom) {
		m = &w.found.custom
	}
	switch matched := m.application != nil && (w.mapped != nil || !m.yields(w.likely())); {
	case matched:
		a.application, a.extended, a.signature = m.application, w.mapped, m.name
		a.evidence, a.confidence = bySignature, High
		if m.application.Priority == appdb.Low && w.mapped == nil && !w.done && w.found.protocol == nil {
			a.confidence = Medium // something predefined may still come before it
		}
	case w.mapped != nil:
		a.application, a.signature, a.evidence, a.confidence = w.mapped, "", byAddress, High
	}
}

// likely is what is certain, or possible where nothing is.
func (w *inspection) likely() *finding {
	if w.found.protocol == nil && w.maybe.protocol != nil {
		return &w.maybe
	}
	return &w.found
}

func (w *inspection) conclusion() answer {
	f := w.likely()
	a := answer{confidence: High, evidence: byDecoder}
	switch {
	case w.found.protocol != nil:
	case w.maybe.protocol != nil:
		a.confidence = Medium
	case w.arranged.protocol != "":
		f = &finding{protocol: w.engine.named(w.arranged.protocol)}
		a.evidence = byExpectation
		if w.arranged.application != "" {
			f.application, f.source = w.engine.named(w.arranged.application), byExpectation
		}
	case f.application != nil: // a signature found it over a protocol that nobody knows
		return answer{application: f.application, signature: f.signature, confidence: High, evidence: f.source}
	default:
		return w.prematch()
	}
	a.protocol, a.micro = f.protocol, f.micro
	a.application, a.signature = f.application, f.signature
	if a.application != nil {
		a.evidence = f.source
	} else if f.carries != nil {
		a.application = f.carries
	}
	w.byEarlier(&a, f)
	if !w.engine.cdn && w.owner != nil && w.owner.Flags&appdb.FlagCDN != 0 && f.protocol.Flags&appdb.FlagCarrier != 0 {
		a.application, a.signature, a.evidence, a.confidence = w.owner, "", byAddress, Medium
	}
	a.strangeName = f.serverNamed && a.application == nil
	if is, certain := w.https(f); is && a.application == nil {
		a.application = w.engine.named(secureWeb)
		if !certain {
			a.evidence, a.confidence = byPort, Medium
		}
	}
	if a.application == a.protocol || a.application != nil && a.application.Disabled {
		a.application = nil
	}
	if of := w.engine.transactions.used[a.micro]; of != nil && of != a.application {
		a.micro = nil // it looks like the use of an application that this is not
	}
	return a
}

// byEarlier names the application by what was found for the server's address before, where the
// session belongs to a protocol that carries applications and does not say which, or says it under
// encryption.
func (w *inspection) byEarlier(a *answer, f *finding) {
	a.encryptedHello = f.encryptedHello && w.hidden(f)
	if f.protocol.Flags&appdb.FlagCarrier == 0 || !a.encryptedHello && (f.serverNamed || f.application != nil) {
		return
	}
	if w.earlier != nil {
		a.application, a.evidence, a.confidence = w.earlier, byDNS, Low
	}
}

// hidden says whether an encrypted ClientHello is one, and not the grease that clients send to every
// server (RFC 9849 section 6.2): the name outside is then the one that the client asks for, while
// a real one has that of the network that decrypts it (or none).
func (w *inspection) hidden(f *finding) bool {
	return !f.serverNamed || f.application != nil && f.application.Flags&appdb.FlagCDN != 0
}

// prematch is what is known before the bytes have said anything.
func (w *inspection) prematch() answer {
	if protocol, application := w.cached[0], w.cached[1]; protocol != nil || application != nil {
		return answer{protocol: protocol, application: application, confidence: Low, evidence: byCache}
	}
	switch {
	case w.owner != nil:
		return answer{application: w.owner, confidence: Low, evidence: byAddress}
	case w.earlier != nil:
		return answer{application: w.earlier, confidence: Low, evidence: byDNS}
	case w.meta.Protocol == decode.SCTP: // what it carries is another matter
		return answer{protocol: w.engine.named(ipProtocols[decode.SCTP]), confidence: High, evidence: byDecoder}
	}
	return answer{}
}
