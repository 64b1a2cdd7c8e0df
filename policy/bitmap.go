package policy

import (
	"math/bits"
	"slices"
)

// Policies are numbered by their position in the order of evaluation, and what an address, a
// port or a zone admits is a set of positions. A lookup intersects five such sets and takes the
// lowest position, so it looks only at words of 64 policies in which every set has a member.

// A block is the number of positions whose words one summary word tells about.
const blockBits = 64 * 64

// bitmap is an immutable set of positions that stores only the words that are not zero. It
// begins with two words for each block: a summary, whose bit w says that word w of the block is
// stored, and the index at which the block's words begin. nil is the empty set.
type bitmap []uint64

// bitmapOf makes the set of positions, which must be sorted, in a space of so many blocks.
func bitmapOf(blocks int, positions []uint32) bitmap {
	if len(positions) == 0 {
		return nil
	}
	words, last := 0, -1
	for _, p := range positions {
		if w := int(p / 64); w != last {
			words, last = words+1, w
		}
	}
	m := make(bitmap, 2*blocks, 2*blocks+words)
	last = -1
	for _, p := range positions {
		if w := int(p / 64); w != last {
			m, last = m.open(w), w
		}
		m[len(m)-1] |= 1 << (p % 64)
	}
	return m
}

// open appends an empty word w, which must lie beyond the words stored so far.
func (m bitmap) open(w int) bitmap {
	head := w / 64 * 2
	if m[head] == 0 {
		m[head+1] = uint64(len(m))
	}
	m[head] |= 1 << (w % 64)
	return append(m, 0)
}

// block is the summary of block b: which of its 64 words have a member.
func (m bitmap) block(b int) uint64 {
	if 2*b >= len(m) {
		return 0
	}
	return m[2*b]
}

// word is the word w of the set: its members 64w … 64w+63.
func (m bitmap) word(w int) uint64 {
	head := w >> 6 << 1
	if head >= len(m) {
		return 0
	}
	summary, bit := m[head], uint64(1)<<(w&63)
	if summary&bit == 0 {
		return 0
	}
	return m[m[head+1]+uint64(bits.OnesCount64(summary&(bit-1)))]
}

// bitset is a set of positions under construction.
type bitset struct {
	words  []uint64
	blocks int
}

// newBitset makes an empty set for n positions.
func newBitset(n int) *bitset {
	return &bitset{words: make([]uint64, (n+63)/64), blocks: blocksFor(n)}
}

// blocksFor is the number of blocks that hold n positions.
func blocksFor(n int) int { return (n + blockBits - 1) / blockBits }

func (s *bitset) add(p uint32)    { s.words[p/64] |= 1 << (p % 64) }
func (s *bitset) remove(p uint32) { s.words[p/64] &^= 1 << (p % 64) }
func (s *bitset) clear()          { clear(s.words) }

// union adds the members of m.
func (s *bitset) union(m bitmap) {
	for b := 0; 2*b < len(m) && b < s.blocks; b++ {
		for rest := m[2*b]; rest != 0; rest &= rest - 1 {
			w := b*64 + bits.TrailingZeros64(rest)
			s.words[w] |= m.word(w)
		}
	}
}

// bitmap is the set as it is now.
func (s *bitset) bitmap() bitmap {
	stored := 0
	for _, w := range s.words {
		if w != 0 {
			stored++
		}
	}
	if stored == 0 {
		return nil
	}
	m := make(bitmap, 2*s.blocks, 2*s.blocks+stored)
	for i, w := range s.words {
		if w != 0 {
			m = m.open(i)
			m[len(m)-1] = w
		}
	}
	return m
}

// sorted returns positions in order, each once.
func sorted(positions []uint32) []uint32 {
	slices.Sort(positions)
	return slices.Compact(positions)
}
