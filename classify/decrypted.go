package classify

import "sluice/classify/appdb"

// Decrypted begins the inspection of a session anew, as its encryption is opened: from here on it is
// shown in plaintext ([Flow.Stream]). What was known of it from outside holds until the plaintext
// tells more, and completes that.
func (e *Engine) Decrypted(f *Flow, meta *Meta) {
	outer := f.answer
	f.drop()
	f.wait(e, meta, [2]*appdb.Application{})
	f.waits.outer = &outer
	f.answer = outer
	f.answer.final, f.answer.stage, f.answer.how = false, PreMatch, NotFinal
}

// drop gives back what the inspection holds.
func (f *Flow) drop() {
	if f.work != nil {
		f.work.free()
	}
	if f.waits != nil {
		waitings.Put(f.waits)
	}
	f.work, f.waits = nil, nil
}

// addOuter adds what was known of a session from outside its encryption to what its plaintext tells:
// everything where that tells nothing yet, the application where it names none.
func (w *inspection) addOuter(a *answer) {
	outer := w.outer
	switch o := outer.application; {
	case a.protocol == nil:
		stage, transactions := a.stage, a.transactions
		*a = *outer
		a.final, a.stage, a.transactions = false, stage, transactions
	case a.application == nil && o != nil && o != w.engine.named(secureWeb) && o.RunsOver(a.protocol.Name):
		a.application, a.signature, a.evidence, a.confidence = o, outer.signature, outer.evidence, outer.confidence
	}
	if a.site == "" {
		a.site = outer.site
	}
	a.encrypted = true
}
