package mirror

import "sync"

// Sizes of blocks, in bytes: for a few small frames, and for many large ones.
const (
	smallBlock = 2 << 10
	largeBlock = 64 << 10
)

// block holds frames, one after the other.
type block struct {
	data    []byte
	lengths []int // of each frame
	pool    *sync.Pool
}

func blockPool(size int) *sync.Pool {
	pool := new(sync.Pool)
	pool.New = func() any { return &block{data: make([]byte, 0, size), pool: pool} }
	return pool
}

var smallBlocks, largeBlocks = blockPool(smallBlock), blockPool(largeBlock)

// newBlock returns an empty block for so many bytes, or fewer if they are many.
func newBlock(size int) *block {
	if size <= smallBlock {
		return smallBlocks.Get().(*block)
	}
	return largeBlocks.Get().(*block)
}

// grow returns room for one more frame, or nil if there is none.
func (b *block) grow(size int) []byte {
	n := len(b.data)
	if cap(b.data)-n < size {
		return nil
	}
	b.data = b.data[:n+size]
	b.lengths = append(b.lengths, size)
	return b.data[n:]
}

// free gives the block back.
func (b *block) free() {
	b.data, b.lengths = b.data[:0], b.lengths[:0]
	b.pool.Put(b)
}
