package stack

import (
	"encoding/binary"
	"errors"
	"fmt"

	"gvisor.dev/gvisor/pkg/tcpip/checksum"
)

// Segment train types (gso_type of the virtio_net_hdr).
const (
	gsoNone  = 0
	gsoTCPv4 = 1
	gsoTCPv6 = 4
	gsoUDP   = 5    // UDP segmentation, both families
	gsoECN   = 0x80 // flag: the first segment of the train carries CWR
)

// Offsets inside transport headers.
const (
	tcpSequence = 4
	tcpOffset   = 12
	tcpFlags    = 13
	tcpChecksum = 16
	udpLength   = 4
	udpChecksum = 6

	tcpCWR uint8 = 0x80
)

// errBadFrame is returned for frames whose header contradicts the packet behind it.
var errBadFrame = errors.New("malformed frame")

// finish does in software what the header of frame leaves to the receiver, checksum and
// segmentation, and hands each complete packet to emit. Packets are valid during the call. It
// changes frame. It stops at the first error of emit.
func finish(frame []byte, emit func(packet []byte) error) error {
	if len(frame) < VirtioHeaderLen+20 {
		return fmt.Errorf("%w: %d bytes", errBadFrame, len(frame))
	}
	packet := frame[VirtioHeaderLen:]
	if frame[vnetGSOType]&^gsoECN == gsoNone {
		if frame[vnetFlags]&vnetNeedsCsum != 0 {
			start := int(binary.LittleEndian.Uint16(frame[vnetCsumStart:]))
			field := start + int(binary.LittleEndian.Uint16(frame[vnetCsumOff:]))
			if field+2 > len(packet) {
				return fmt.Errorf("%w: checksum at %d of %d bytes", errBadFrame, field, len(packet))
			}
			sealChecksum(packet[start:], field-start)
		}
		return emit(packet)
	}
	t, err := newTrain(frame)
	if err != nil {
		return err
	}
	return t.split(emit)
}

// sealChecksum completes the checksum at field of a transport segment. The field holds the sum
// of the pseudo header, not complemented.
func sealChecksum(segment []byte, field int) {
	c := ^checksum.Checksum(segment, 0)
	if c == 0 {
		c = 0xffff // the same number in ones' complement, and UDP reserves zero
	}
	binary.BigEndian.PutUint16(segment[field:], c)
}

// maxHeaders bounds the IP and transport headers of a train: 120 bytes for IPv4 with all options,
// and as much again for the extension headers of IPv6.
const maxHeaders = 256

// train is a frame of several segments that share their headers.
type train struct {
	packet    []byte // the IP packet
	v6, udp   bool
	transport int // offset of the transport header in packet
	payload   int // offset of the payload in packet
	size      int // payload of each segment but the last, bytes
}

func newTrain(frame []byte) (t train, err error) {
	t.packet = frame[VirtioHeaderLen:]
	t.size = int(binary.LittleEndian.Uint16(frame[vnetGSOSize:]))
	t.transport = int(binary.LittleEndian.Uint16(frame[vnetCsumStart:]))
	t.v6 = t.packet[0]>>4 == 6
	minimum := 20
	if t.v6 {
		minimum = 40
	}
	header, checksumAt := 20, tcpChecksum
	switch frame[vnetGSOType] &^ gsoECN {
	case gsoTCPv4:
		if t.v6 {
			return t, fmt.Errorf("%w: IPv4 segments announced, IPv6 found", errBadFrame)
		}
	case gsoTCPv6:
		if !t.v6 {
			return t, fmt.Errorf("%w: IPv6 segments announced, IPv4 found", errBadFrame)
		}
	case gsoUDP:
		t.udp, header, checksumAt = true, 8, udpChecksum
	default:
		return t, fmt.Errorf("%w: segment type %d", errBadFrame, frame[vnetGSOType])
	}
	switch {
	case frame[vnetFlags]&vnetNeedsCsum == 0:
		return t, fmt.Errorf("%w: segments without checksum offset", errBadFrame)
	case int(binary.LittleEndian.Uint16(frame[vnetCsumOff:])) != checksumAt:
		return t, fmt.Errorf("%w: checksum offset", errBadFrame)
	case t.size == 0:
		return t, fmt.Errorf("%w: segments of no size", errBadFrame)
	case t.transport < minimum || t.transport+header > len(t.packet):
		return t, fmt.Errorf("%w: transport header at %d of %d bytes", errBadFrame, t.transport, len(t.packet))
	case !t.v6 && t.transport != int(t.packet[0]&15)*4:
		return t, fmt.Errorf("%w: IPv4 header length", errBadFrame)
	}
	if !t.udp {
		header = int(t.packet[t.transport+tcpOffset]>>4) * 4
		if header < 20 || t.transport+header > len(t.packet) {
			return t, fmt.Errorf("%w: TCP header of %d bytes", errBadFrame, header)
		}
	}
	t.payload = t.transport + header
	if t.payload > maxHeaders {
		return t, fmt.Errorf("%w: headers of %d bytes", errBadFrame, t.payload)
	}
	return t, nil
}

// split writes the headers of each segment in front of its part of the payload, in place: the
// headers are saved first, and a segment's headers overwrite only payload that left before.
func (t *train) split(emit func(packet []byte) error) error {
	var saved [maxHeaders]byte
	headers := saved[:copy(saved[:], t.packet[:t.payload])]
	// The saved pseudo header sum covers the length of the whole train.
	sumAt := t.transport + tcpChecksum
	if t.udp {
		sumAt = t.transport + udpChecksum
	}
	whole := len(t.packet) - t.transport
	pseudo := binary.BigEndian.Uint16(headers[sumAt:])
	sequence := uint32(0)
	if !t.udp {
		sequence = binary.BigEndian.Uint32(headers[t.transport+tcpSequence:])
	}
	for at, i := t.payload, 0; at < len(t.packet) || i == 0; at, i = at+t.size, i+1 {
		end := min(at+t.size, len(t.packet))
		segment := t.packet[at-t.payload : end]
		copy(segment, headers)
		t.network(segment, i)
		length := len(segment) - t.transport
		transport := segment[t.transport:]
		if t.udp {
			binary.BigEndian.PutUint16(transport[udpLength:], uint16(length))
		} else {
			binary.BigEndian.PutUint32(transport[tcpSequence:], sequence+uint32(at-t.payload))
			if i > 0 {
				transport[tcpFlags] &^= tcpCWR
			}
			if end < len(t.packet) {
				transport[tcpFlags] &^= TCPFin | TCPPsh
			}
		}
		// Take the length of the train out of the pseudo header and put the segment's in.
		binary.BigEndian.PutUint16(segment[sumAt:],
			fold(uint32(pseudo)+uint32(^uint16(whole))+uint32(uint16(length))))
		sealChecksum(transport, sumAt-t.transport)
		if err := emit(segment); err != nil {
			return err
		}
	}
	return nil
}

// network adapts the IP header of the i-th segment.
func (t *train) network(segment []byte, i int) {
	if t.v6 {
		binary.BigEndian.PutUint16(segment[4:], uint16(len(segment)-40))
		return
	}
	binary.BigEndian.PutUint16(segment[2:], uint16(len(segment)))
	binary.BigEndian.PutUint16(segment[4:], binary.BigEndian.Uint16(segment[4:])+uint16(i))
	binary.BigEndian.PutUint16(segment[10:], 0)
	binary.BigEndian.PutUint16(segment[10:], ^checksum.Checksum(segment[:t.transport], 0))
}
