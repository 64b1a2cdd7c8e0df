package classify

import "sluice/classify/appdb"

// finding is what decoders have established, or think possible.
type finding struct {
	protocol    *appdb.Application
	application *appdb.Application
	source      source
	signature   string
	micro       *appdb.Application
	carries     *appdb.Application

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
	f.encryptedHello = f.encryptedHello || t.encryptedHello
	f.serverNamed = f.serverNamed || t.serverNamed
}

// combine draws the conclusion from all evidence there is. What a decoder is sure of comes before
// what one thinks possible, that before what another session arranged, and what is only known of
// the address comes last.
func (w *inspection) combine() answer {
	a := w.conclusion()
	a.turned = w.flipped != ToServer && a.protocol != nil
	return a
}

func (w *inspection) conclusion() answer {
	f := w.found
	a := answer{confidence: High, evidence: byDecoder}
	switch {
	case f.protocol != nil:
	case w.maybe.protocol != nil:
		f, a.confidence = w.maybe, Medium
	case w.arranged.protocol != "":
		f.protocol, a.evidence = w.engine.named(w.arranged.protocol), byExpectation
		if w.arranged.application != "" {
			f.application, f.source = w.engine.named(w.arranged.application), byExpectation
		}
	case f.application != nil: // a signature found it over a protocol that nobody knows
		return answer{application: f.application, signature: f.signature, confidence: High, evidence: f.source}
	default:
		return w.prematch()
	}
	a.protocol, a.micro, a.encryptedHello = f.protocol, f.micro, f.encryptedHello
	a.application, a.signature = f.application, f.signature
	if a.application != nil {
		a.evidence = f.source
	} else if f.carries != nil {
		a.application = f.carries
	}
	// A protocol that carries applications, in a session that does not say which, or says it
	// under encryption: an earlier answer for the address may tell.
	if carrier := f.protocol.Flags&appdb.FlagCarrier != 0; carrier && w.earlier != nil && (!f.serverNamed && f.application == nil || f.encryptedHello) {
		a.application, a.evidence, a.confidence = w.earlier, byDNS, Low
	}
	if a.application == a.protocol {
		a.application = nil
	}
	return a
}

// prematch is what is known before the bytes have said anything.
func (w *inspection) prematch() answer {
	switch owner := w.engine.ownerOf(w.meta.Server.Addr()); {
	case owner != nil:
		return answer{application: owner, confidence: Low, evidence: byAddress}
	case w.earlier != nil:
		return answer{application: w.earlier, confidence: Low, evidence: byDNS}
	}
	return answer{}
}
