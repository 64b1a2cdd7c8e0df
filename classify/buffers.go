package classify

import "sync"

// bufferSizes are the sizes of the buffers that reassembly takes: one that most sessions never
// leave, one for the default limit, and the largest.
var bufferSizes = [...]int{2 << 10, 8 << 10, maxBuffer}

var buffers [len(bufferSizes)]sync.Pool

// takeBuffer returns a buffer of at least size bytes, at most maxBuffer.
func takeBuffer(size int) *[]byte {
	class := 0
	for bufferSizes[class] < size {
		class++
	}
	if b, ok := buffers[class].Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, bufferSizes[class])
	return &b
}

// giveBuffer takes it back.
func giveBuffer(b *[]byte) {
	for class, size := range bufferSizes {
		if len(*b) == size {
			buffers[class].Put(b)
		}
	}
}
