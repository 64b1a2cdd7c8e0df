package classify

import (
	"sluice/classify/appdb"
	"sluice/classify/decode"
)

// Signatures looks for the patterns of applications in what decoders yield, and in streams and
// datagrams. It is used by many goroutines at once.
type Signatures interface {
	// Wants says whether there are members of context c for direction d. Where there are some of
	// the context Stream, sessions that no decoder knows are looked at up to the limit.
	Wants(c decode.Context, d Direction) bool
	// Match looks for members of context c in value, which went in direction d of the session
	// meta over the protocol with the short name over. The context Stream is shown over "TCP" or
	// "UDP", and once more over the protocol that was found, where patterns ask for that. A stream
	// is shown again, from its start, when it has grown. p holds what has matched in the session before. Of the patterns
	// that are complete with value, the one with the highest precedence is returned, or nil.
	// value may not be kept. Nothing is allocated unless something matches.
	Match(p *Progress, c decode.Context, d Direction, over string, meta *Meta, value []byte) *Hit
}

// Hit is a pattern of which all members have matched.
type Hit struct {
	Application *appdb.Application
	Name        string // of the pattern
	Order       int    // of the pattern
}

// Progress is what signatures remember of a session between calls; the zero value is the start of
// one. Its content is that of the implementation. The engine copies it, and goes back to an earlier
// copy before a decoder tells the same values again.
type Progress struct {
	Matched [8]uint32 // the first few members that have matched, as the implementation numbers them
	More    any       // what does not fit
}
