package scan

import (
	"slices"

	"sluice/classify"
	"sluice/classify/decode"
)

// maxNoted bounds the members that are remembered of a session. Of patterns with further ones, none
// is completed in that session.
const maxNoted = 256

// mark is how a member that has matched in a direction stands in classify.Progress; 0 is none.
func mark(number uint32, d decode.Direction) uint32 { return number<<1 | uint32(d) }

// noted says whether a member has matched in a direction.
func noted(p *classify.Progress, number uint32, d decode.Direction) bool {
	m := mark(number, d)
	if slices.Contains(p.Matched[:], m) {
		return true
	}
	more, _ := p.More.([]uint32)
	return slices.Contains(more, m)
}

// note remembers it.
func note(p *classify.Progress, number uint32, d decode.Direction) {
	if noted(p, number, d) {
		return
	}
	if i := slices.Index(p.Matched[:], 0); i >= 0 {
		p.Matched[i] = mark(number, d)
		return
	}
	if more, _ := p.More.([]uint32); len(more)+len(p.Matched) < maxNoted {
		p.More = append(slices.Clip(more), mark(number, d)) // copies of p keep theirs
	}
}
