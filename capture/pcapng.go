package capture

import (
	"encoding/binary"
	"time"
)

// Blocks of a pcapng file (draft-ietf-opsawg-pcapng), in this machine's usual byte order.
const (
	blockSection   = 0x0a0d0d0a
	blockInterface = 1
	blockPacket    = 6
	byteOrderMagic = 0x1a2b3c4d
	linkRaw        = 101 // IP packets without a header in front
	optionTime     = 9   // if_tsresol: the unit of times
	nanoseconds    = 9   // as a negative power of ten
	packetOverhead = 32
)

// header is what a file begins with: its section and the one interface that all packets are of.
var header = func() []byte {
	le := binary.LittleEndian
	b := le.AppendUint32(nil, blockSection)
	b = le.AppendUint32(b, 28)
	b = le.AppendUint32(b, byteOrderMagic)
	b = le.AppendUint32(b, 1)          // version 1.0
	b = le.AppendUint64(b, ^uint64(0)) // length not given
	b = le.AppendUint32(b, 28)

	b = le.AppendUint32(b, blockInterface)
	b = le.AppendUint32(b, 32)
	b = le.AppendUint32(b, linkRaw) // and two reserved bytes
	b = le.AppendUint32(b, 0)       // no limit of packet lengths
	b = append(b, optionTime, 0, 1, 0, nanoseconds, 0, 0, 0)
	b = append(b, 0, 0, 0, 0) // end of options
	return le.AppendUint32(b, 32)
}()

// blockSize is the size of the block of a packet of which n bytes are kept.
func blockSize(n int) int { return packetOverhead + (n+3)&^3 }

// appendPacket appends the block of an IP packet that had wireLen bytes.
func appendPacket(b []byte, at time.Time, ip []byte, wireLen int) []byte {
	le := binary.LittleEndian
	size, ns := uint32(blockSize(len(ip))), uint64(at.UnixNano())
	b = le.AppendUint32(b, blockPacket)
	b = le.AppendUint32(b, size)
	b = le.AppendUint32(b, 0) // the interface
	b = le.AppendUint32(b, uint32(ns>>32))
	b = le.AppendUint32(b, uint32(ns))
	b = le.AppendUint32(b, uint32(len(ip)))
	b = le.AppendUint32(b, uint32(max(wireLen, len(ip))))
	b = append(b, ip...)
	b = append(b, make([]byte, -len(ip)&3)...)
	return le.AppendUint32(b, size)
}
