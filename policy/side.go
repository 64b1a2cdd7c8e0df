package policy

import (
	"cmp"
	"net/netip"
	"slices"
	"sync/atomic"

	"github.com/gaissmai/bart"
)

const (
	maxChain     = 4 // prefixes around an address that are kept apart; deeper ones hold the union
	maxWildcards = 8 // different wildcard masks in use, on each side
)

// side says which policies an address admits, as source or as destination.
//
// A policy matches when base and the sets found for the address differ: base has the policies
// that name "any" and those that exclude what they name.
type side struct {
	base     bitmap
	prefixes *bart.Table[*prefixNode]
	wild     []wildcardTable
	named    []namedPositions
	names    atomic.Pointer[map[netip.Addr]bitmap] // replaced when names resolve to other addresses
	n        int
}

// prefixNode has the policies that name a prefix, and leads to the next prefix around it.
type prefixNode struct {
	own    bitmap
	parent *prefixNode
	depth  int
}

// wildcardTable has the policies of all wildcard addresses with one mask.
type wildcardTable struct {
	mask uint32
	sets map[uint32]bitmap
}

// namedPositions are the policies that name a domain name.
type namedPositions struct {
	name      *nameEntry
	positions []uint32
}

// admitted collects the sets found for one address.
type admitted struct {
	sets [maxChain + maxWildcards + 1]bitmap
	n    int
}

// add collects m.
func (a *admitted) add(m bitmap) {
	if len(m) != 0 {
		a.sets[a.n] = m
		a.n++
	}
}

// collect gathers the sets of every address object that contains addr.
func (s *side) collect(addr netip.Addr, into *admitted) {
	if node, ok := s.prefixes.Lookup(addr); ok {
		for ; node != nil; node = node.parent {
			into.add(node.own)
		}
	}
	if len(s.wild) > 0 && addr.Is4() {
		value := bits4(addr)
		for i := range s.wild {
			into.add(s.wild[i].sets[value&s.wild[i].mask])
		}
	}
	if names := s.names.Load(); names != nil {
		into.add((*names)[addr])
	}
}

// block is the summary of the policies that may match in block b.
func (s *side) block(found *admitted, b int) uint64 {
	summary := s.base.block(b)
	for _, m := range found.sets[:found.n] {
		summary |= m.block(b)
	}
	return summary
}

// word is the word w of the policies that match.
func (s *side) word(found *admitted, w int) uint64 {
	var hit uint64
	for _, m := range found.sets[:found.n] {
		hit |= m.word(w)
	}
	return hit ^ s.base.word(w)
}

// sideBuilder gathers which positions name which address objects.
type sideBuilder struct {
	base  []uint32
	named []mention // in the order of first mention, so that builds repeat
	index map[*address]int
}

// mention is an address object and the positions that name it.
type mention struct {
	*address
	positions []uint32
}

// name notes that the policy at position p names a.
func (b *sideBuilder) name(p uint32, a *address) {
	if b.index == nil {
		b.index = map[*address]int{}
	}
	i, known := b.index[a]
	if !known {
		i = len(b.named)
		b.index[a] = i
		b.named = append(b.named, mention{address: a})
	}
	b.named[i].positions = append(b.named[i].positions, p)
}

// build makes the side for n positions.
func (b *sideBuilder) build(n int) *side {
	s := &side{base: bitmapOf(blocksFor(n), sorted(b.base)), prefixes: new(bart.Table[*prefixNode]), n: n}
	b.buildPrefixes(s)
	b.buildWildcards(s)
	b.collectNames(s)
	s.refreshNames()
	return s
}

// buildPrefixes fills the prefix table, outer prefixes before inner ones.
func (b *sideBuilder) buildPrefixes(s *side) {
	type entry struct {
		prefix netip.Prefix
		object int
	}
	var entries []entry
	sets := make([]bitmap, len(b.named))
	for i, a := range b.named {
		sets[i] = bitmapOf(blocksFor(s.n), sorted(a.positions))
		for _, p := range a.prefixes {
			entries = append(entries, entry{p, i})
		}
	}
	slices.SortFunc(entries, func(x, y entry) int {
		return cmp.Or(x.prefix.Addr().Compare(y.prefix.Addr()), x.prefix.Bits()-y.prefix.Bits(), x.object-y.object)
	})

	type level struct {
		prefix netip.Prefix
		node   *prefixNode
	}
	var around []level // the prefixes that contain the current one, outermost first
	scratch := newBitset(s.n)
	for i := 0; i < len(entries); {
		prefix, first := entries[i].prefix, i
		for i < len(entries) && entries[i].prefix == prefix {
			i++
		}
		for len(around) > 0 && !contains(around[len(around)-1].prefix, prefix) {
			around = around[:len(around)-1]
		}
		node := &prefixNode{own: sets[entries[first].object], depth: 1}
		if len(around) > 0 {
			node.parent = around[len(around)-1].node
			node.depth = node.parent.depth + 1
		}
		if i-first > 1 || node.depth > maxChain {
			scratch.clear()
			for _, e := range entries[first:i] {
				scratch.union(sets[e.object])
			}
			if node.depth > maxChain {
				for up := node.parent; up != nil; up = up.parent {
					scratch.union(up.own)
				}
				node.parent, node.depth = nil, 1
			}
			node.own = scratch.bitmap()
		}
		s.prefixes.Insert(prefix, node)
		around = append(around, level{prefix, node})
	}
}

// contains says whether inner lies in outer.
func contains(outer, inner netip.Prefix) bool {
	return outer.Bits() <= inner.Bits() && outer.Contains(inner.Addr())
}

// buildWildcards fills one table for each wildcard mask.
func (b *sideBuilder) buildWildcards(s *side) {
	byMask := map[uint32]map[uint32][]uint32{}
	for _, a := range b.named {
		for _, w := range a.wildcards {
			if byMask[w.mask] == nil {
				byMask[w.mask] = map[uint32][]uint32{}
			}
			byMask[w.mask][w.value] = append(byMask[w.mask][w.value], a.positions...)
		}
	}
	for mask, values := range byMask {
		table := wildcardTable{mask: mask, sets: map[uint32]bitmap{}}
		for value, positions := range values {
			table.sets[value] = bitmapOf(blocksFor(s.n), sorted(positions))
		}
		s.wild = append(s.wild, table)
	}
}

// collectNames notes the policies of every domain name.
func (b *sideBuilder) collectNames(s *side) {
	for _, a := range b.named {
		for _, name := range a.names {
			s.named = append(s.named, namedPositions{name, a.positions})
		}
	}
}

// refreshNames makes the side follow the addresses that its domain names have now.
func (s *side) refreshNames() {
	if len(s.named) == 0 {
		return
	}
	positions := map[netip.Addr][]uint32{}
	for _, n := range s.named {
		for _, addr := range n.name.addresses() {
			positions[addr] = append(positions[addr], n.positions...)
		}
	}
	sets := make(map[netip.Addr]bitmap, len(positions))
	for addr, p := range positions {
		sets[addr] = bitmapOf(blocksFor(s.n), sorted(p))
	}
	s.names.Store(&sets)
}
