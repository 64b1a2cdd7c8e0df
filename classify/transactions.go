package classify

import (
	"math"
	"slices"
	"strings"

	"sluice/classify/appdb"
	"sluice/classify/decode"
)

// Numbers of transactions.
const (
	DefaultTransactions = 5
	MaxTransactions     = 25
)

// A session whose protocol carries one transaction after another is final with the first, unless
// somebody follows them: then each names the application and the micro-application anew, and
// between them the answer is a transaction final. What is followed, and how far, an engine has in
// transactions.
type transactions struct {
	micros      bool
	wanted      []string // names of micro-applications in lower case; nil: all
	parents     map[*appdb.Application]bool
	used        map[*appdb.Application]*appdb.Application // by micro-application: the application that is used so; none for those of protocols
	microLimit  int
	everywhere  bool
	limitOthers int
}

func newTransactions(db *appdb.Database, o *Options) transactions {
	t := transactions{
		micros: o.MicroApps, parents: map[*appdb.Application]bool{}, used: map[*appdb.Application]*appdb.Application{},
		microLimit: min(o.MicroAppMaxTransactions, MaxTransactions),
		everywhere: o.Transactions, limitOthers: min(o.MaximumTransactions, MaxTransactions),
	}
	if t.microLimit == 0 {
		t.microLimit = DefaultTransactions
	}
	if t.limitOthers == 0 {
		t.limitOthers = math.MaxInt
	}
	for _, name := range o.Micros {
		t.wanted = append(t.wanted, strings.ToLower(strings.TrimPrefix(name, appdb.Prefix)))
	}
	for _, a := range db.Applications {
		if a.Kind != appdb.Micro || a.Disabled || !t.wantsMicro(a) {
			continue
		}
		if parent, ok := db.Lookup(a.Of); ok && !parent.Disabled {
			t.parents[parent] = true
			if parent.Kind == appdb.Ordinary {
				t.used[a] = parent
			}
		}
	}
	return t
}

// wantsMicro says whether a micro-application may be told.
func (t *transactions) wantsMicro(a *appdb.Application) bool {
	return t.micros && (t.wanted == nil || slices.Contains(t.wanted, strings.ToLower(a.Short())))
}

// limit is the number of transactions after which a session of some applications is final; 0 when
// its transactions are not followed.
func (t *transactions) limit(f *finding) int {
	switch {
	case t.micros && (t.parents[f.protocol] || t.parents[f.application]):
		return t.microLimit
	case t.everywhere:
		return t.limitOthers
	}
	return 0
}

// complete counts a transaction, and gets ready for the next one of side d, which begins at its
// n'th byte. It says how the inspection goes on.
func (w *inspection) complete(i int, d Direction, n int) outcome {
	w.session.Transactions++
	w.fresh = true
	w.asker, w.next = d, uint32(w.base[d]+n)
	limit := w.engine.transactions.limit(&w.found)
	switch {
	case limit > 0 && w.session.Transactions >= limit:
		return finished
	case limit == 0 && !w.engine.customs.possible(w.asked.Short(), &w.meta, false):
		return finished
	}
	w.following, w.claimed = true, i
	w.checkpoint = w.progress
	if w.meta.Protocol != decode.TCP {
		w.wanted, w.renew = [2]int{}, limit > 0
		return goOn
	}
	return w.goOnAt(d, n)
}

// goOnAt goes on with the n'th byte of side d. Where transactions are followed, limits begin anew there.
func (w *inspection) goOnAt(d Direction, n int) outcome {
	w.wanted = [2]int{}
	w.base[d] += n
	w.base[d.Reverse()] = len(w.streams[d.Reverse()].prefix())
	w.next = uint32(w.base[d])
	if w.renew = w.engine.transactions.limit(&w.found) > 0; w.renew {
		w.scanStreams(true) // from now on they do not begin with the session's first bytes
		w.scansOver = true
		w.skip(d)
	}
	return again
}

// begun says whether bytes have come of a transaction that is not complete.
func (w *inspection) begun() bool { return len(w.streams[w.asker].prefix()) > int(w.next) }

// skip lets go of side d up to where the next transaction begins. The other side is looked at again
// from what it sends after that.
func (w *inspection) skip(d Direction) {
	other := &w.streams[d.Reverse()]
	w.skipped += w.base[d] + len(other.prefix())
	w.streams[d].skip(w.base[d])
	other.pause()
	w.base, w.next = [2]int{}, 0
}

// follow is asked for verdicts of Match: it says how the inspection goes on, where the decoder told
// of a transaction.
func (w *inspection) follow(i int) outcome {
	if d, n, ok := w.session.Completed(); ok {
		return w.complete(i, d, n)
	}
	if w.meta.Protocol != decode.TCP && w.engine.transactions.parents[w.found.protocol] {
		w.claimed = i // another datagram may be a transaction
		return goOn
	}
	return finished
}

// nameAnew forgets what the transaction before was, as the next one names itself.
func (w *inspection) nameAnew() {
	_, _, completed := w.session.Completed()
	if t := &w.told; w.fresh && (completed || t.application != nil || t.micro != nil || t.custom.application != nil) {
		w.found = finding{protocol: w.found.protocol}
		w.fresh, w.site = false, ""
	}
}
