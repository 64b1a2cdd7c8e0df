package replay

import (
	"math/rand/v2"
	"os"

	"sluice/classify"
)

// recutter shows the engine every TCP segment as pieces of a byte that overlap, repeat and arrive
// out of order, as somebody does who wants to be taken for something else.
type recutter struct {
	random *rand.Rand
	pieces []classify.Segment
}

// FileRecut is File with every TCP segment re-cut, by a seed. The answers must be the same.
func FileRecut(engine *classify.Engine, name string, seed uint64) ([]*Flow, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	t := NewTable(engine)
	t.recut = &recutter{random: rand.New(rand.NewPCG(seed, 0))}
	return t.replay(f)
}

// show shows a segment to a flow. Where the start of the flow was not captured, its first byte stays
// first: nothing tells then what comes before it.
func (r *recutter) show(f *classify.Flow, s *classify.Segment, started bool) (changed bool) {
	const window, overlap = 8, 3
	if len(s.Payload) == 0 {
		return f.Segment(s)
	}
	first := s.Seq
	if s.Flags&flagSyn != 0 {
		syn := *s
		syn.Payload = nil
		changed = f.Segment(&syn)
		first++
	}
	r.pieces = r.pieces[:0]
	for at := range s.Payload {
		end := min(len(s.Payload), at+1+r.random.IntN(overlap))
		piece := *s
		piece.Flags &^= flagSyn
		piece.Seq, piece.Payload = first+uint32(at), s.Payload[at:end]
		r.pieces = append(r.pieces, piece)
	}
	for i := range r.pieces {
		if i == 0 && !started {
			continue
		}
		j := min(len(r.pieces)-1, i+r.random.IntN(window))
		r.pieces[i], r.pieces[j] = r.pieces[j], r.pieces[i]
	}
	for i := range r.pieces {
		changed = f.Segment(&r.pieces[i]) || changed
	}
	return changed
}
