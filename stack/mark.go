package stack

import "encoding/binary"

// DSCP is the packet's code point of differentiated services (RFC 2474), 0 to 63.
func (p *Packet) DSCP() uint8 {
	if p.V6 {
		return uint8(binary.BigEndian.Uint16(p.IP) >> 6 & 0x3f)
	}
	return p.IP[1] >> 2
}

// SetDSCP gives the packet a code point, 0 to 63. Its congestion notification (RFC 3168) stays.
func (p *Packet) SetDSCP(code uint8) {
	before := binary.BigEndian.Uint16(p.IP)
	if p.V6 {
		binary.BigEndian.PutUint16(p.IP, before&^(0x3f<<6)|uint16(code&0x3f)<<6)
		return
	}
	after := before&^(0x3f<<2) | uint16(code&0x3f)<<2
	if after != before {
		binary.BigEndian.PutUint16(p.IP, after)
		p.patchIPChecksum(before, after)
	}
}

// SegmentBytes is the length on the wire of every segment of a train but the last, with IP headers;
// of a single packet it is its length.
func (p *Packet) SegmentBytes() uint64 {
	if p.Segments == 1 {
		return p.Bytes
	}
	return uint64(p.Payload) + uint64(binary.LittleEndian.Uint16(p.Frame[vnetGSOSize:]))
}

// Shorten cuts a train after its first segments, 1 to Segments-1 of them, as if the others had been
// lost: a FIN, which the last one has, is lost with them.
func (p *Packet) Shorten(segments uint64) {
	size := uint64(binary.LittleEndian.Uint16(p.Frame[vnetGSOSize:]))
	before := len(p.IP) - p.Transport
	length := p.Payload + int(segments*size)
	p.IP = p.IP[:length]
	p.Frame = p.Frame[:VirtioHeaderLen+length]
	if p.V6 {
		binary.BigEndian.PutUint16(p.IP[4:], uint16(length-40))
	} else {
		old := binary.BigEndian.Uint16(p.IP[2:])
		binary.BigEndian.PutUint16(p.IP[2:], uint16(length))
		p.patchIPChecksum(old, uint16(length))
	}
	// A train's checksum is left to the device, so that only its pseudo header knows the length.
	p.patchTransportChecksum(fold(uint32(before)), fold(uint32(length-p.Transport)), true)
	t := p.IP[p.Transport:]
	if p.Key.Proto == protoUDP {
		binary.BigEndian.PutUint16(t[udpLength:], uint16(length-p.Transport))
	} else {
		p.TCPFlags &^= TCPFin | TCPPsh
		t[tcpFlags] &^= TCPFin | TCPPsh
	}
	if segments == 1 {
		p.Frame[vnetGSOType] = gsoNone
		binary.LittleEndian.PutUint16(p.Frame[vnetGSOSize:], 0)
	}
	p.Segments, p.Bytes = segments, segments*(uint64(p.Payload)+size)
}
