package policy

import "slices"

// portTable maps every 16-bit key (a port, or an ICMP type and code) to a set of positions.
// Pages of equal entries are shared, so that a table with few ranges is small.
type portTable struct {
	sets  []bitmap
	pages [256]*[256]uint32
}

// find is the set at key.
func (t *portTable) find(key uint16) bitmap { return t.sets[t.pages[key>>8][key&255]] }

// portSpan is a range of keys, both ends included.
type portSpan struct{ low, high uint16 }

// everyPort spans all keys.
var everyPort = portSpan{0, 65535}

// contains says whether key lies in the span.
func (s portSpan) contains(key uint16) bool { return s.low <= key && key <= s.high }

// width is how many keys the span has beyond its first.
func (s portSpan) width() int { return int(s.high) - int(s.low) }

// newPortTable makes the table of the positions that each span admits, out of n positions.
func newPortTable(n int, spans map[portSpan][]uint32) *portTable {
	type edge struct {
		at        int // first key that the change holds for
		positions []uint32
		enter     bool
	}
	edges := make([]edge, 0, 2*len(spans))
	for span, positions := range spans {
		edges = append(edges, edge{int(span.low), positions, true}, edge{int(span.high) + 1, positions, false})
	}
	slices.SortFunc(edges, func(a, b edge) int { return a.at - b.at })

	t := &portTable{sets: []bitmap{nil}}
	flat := make([]uint32, 65536)
	set, count := newBitset(n), make([]int32, n)
	for i := 0; i < len(edges); {
		at := edges[i].at
		for ; i < len(edges) && edges[i].at == at; i++ {
			for _, p := range edges[i].positions {
				if edges[i].enter {
					count[p]++
				} else {
					count[p]--
				}
				if count[p] > 0 {
					set.add(p)
				} else {
					set.remove(p)
				}
			}
		}
		if at > 65535 {
			break
		}
		next := 65536
		if i < len(edges) {
			next = min(next, edges[i].at)
		}
		number := uint32(0)
		if m := set.bitmap(); m != nil {
			number = uint32(len(t.sets))
			t.sets = append(t.sets, m)
		}
		for key := at; key < next; key++ {
			flat[key] = number
		}
	}
	t.paginate(flat)
	return t
}

// paginate cuts flat into pages, one for each number that fills whole pages.
func (t *portTable) paginate(flat []uint32) {
	uniform := map[uint32]*[256]uint32{}
	for i := range t.pages {
		page := [256]uint32(flat[i*256:])
		first := page[0]
		if slices.ContainsFunc(page[:], func(n uint32) bool { return n != first }) {
			t.pages[i] = &page
			continue
		}
		if uniform[first] == nil {
			uniform[first] = &page
		}
		t.pages[i] = uniform[first]
	}
}
