package tls

import "sync"

// Sizes of the buffers of the record layer, in bytes.
const (
	// recordBufferSize has room for a record of the largest size, in either direction.
	recordBufferSize = 20 << 10
	// bulkBufferSize has room for eight full records: 128 KiB of application data.
	bulkBufferSize = 136 << 10
)

var (
	recordBuffers = sync.Pool{New: func() any { return new([recordBufferSize]byte) }}
	bulkBuffers   = sync.Pool{New: func() any { return new([bulkBufferSize]byte) }}
)

// maxRecordOverhead is more than the bytes that our records have beside their payload: header,
// explicit nonce, content type, MAC or tag, and padding of one block.
const maxRecordOverhead = 256

// getBuffer returns a buffer of one of the two sizes.
func getBuffer(bulk bool) []byte {
	if bulk {
		return bulkBuffers.Get().(*[bulkBufferSize]byte)[:]
	}
	return recordBuffers.Get().(*[recordBufferSize]byte)[:]
}

// putBuffer gives a buffer back that getBuffer returned.
func putBuffer(b []byte) {
	if len(b) == bulkBufferSize {
		bulkBuffers.Put((*[bulkBufferSize]byte)(b))
	} else {
		recordBuffers.Put((*[recordBufferSize]byte)(b))
	}
}
