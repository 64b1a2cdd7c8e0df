package pcap

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// Block types of pcapng (draft-ietf-opsawg-pcapng, section 4).
const (
	blockSection   = 0x0a0d0d0a
	blockInterface = 1
	blockPacket    = 2 // obsolete, still found
	blockSimple    = 3
	blockEnhanced  = 6
)

// captured is an interface of a section: its link type, and the units of its times a second.
type captured struct {
	link  LinkType
	units uint64
}

// nextBlock reads blocks of a pcapng file up to the next one with a frame.
func (r *Reader) nextBlock() (Frame, error) {
	for {
		kind, body, err := r.block()
		if err != nil {
			return Frame{}, err
		}
		switch kind {
		case blockSection:
			r.interfaces = r.interfaces[:0]
		case blockInterface:
			if len(body) < 8 {
				return Frame{}, fmt.Errorf("%w: interface block too short", ErrFormat)
			}
			r.interfaces = append(r.interfaces, captured{LinkType(r.order.Uint16(body)), r.units(body[8:])})
		case blockEnhanced, blockPacket:
			if f, ok := r.packet(kind, body); ok {
				return f, nil
			}
		case blockSimple:
			if len(body) < 4 || len(r.interfaces) == 0 {
				continue
			}
			length := min(int(r.order.Uint32(body)), len(body)-4)
			return Frame{Link: r.interfaces[0].link, Data: body[4 : 4+max(length, 0)]}, nil
		}
	}
}

// block reads one block. The byte order is that of the last section header.
func (r *Reader) block() (kind uint32, body []byte, err error) {
	start, err := r.in.Peek(12)
	if err != nil {
		return 0, nil, io.EOF
	}
	if binary.BigEndian.Uint32(start) == blockSection {
		switch uint32(0x1a2b3c4d) {
		case binary.BigEndian.Uint32(start[8:]):
			r.order = binary.BigEndian
		case binary.LittleEndian.Uint32(start[8:]):
			r.order = binary.LittleEndian
		default:
			return 0, nil, fmt.Errorf("%w: section without a byte order", ErrFormat)
		}
	}
	length := r.order.Uint32(start[4:])
	if length < 12 || length > maxFrame || length%4 != 0 {
		return 0, nil, fmt.Errorf("%w: a block of %d bytes", ErrFormat, length)
	}
	kind = r.order.Uint32(start)
	all, err := r.read(int(length))
	if err != nil {
		return 0, nil, io.EOF
	}
	return kind, all[8 : length-4], nil
}

// packet reads the body of an enhanced or an obsolete packet block, which differ in the width of
// their first field.
func (r *Reader) packet(kind uint32, body []byte) (f Frame, ok bool) {
	if len(body) < 20 {
		return f, false
	}
	index := int(r.order.Uint32(body))
	if kind == blockPacket {
		index = int(r.order.Uint16(body))
	}
	if index < 0 || index >= len(r.interfaces) {
		return f, false
	}
	of := r.interfaces[index]
	stamp := uint64(r.order.Uint32(body[4:]))<<32 | uint64(r.order.Uint32(body[8:]))
	length := r.order.Uint32(body[12:])
	if uint64(length) > uint64(len(body)-20) {
		return f, false
	}
	nanoseconds := float64(stamp%of.units) / float64(of.units) * float64(time.Second)
	return Frame{time.Unix(int64(stamp/of.units), int64(nanoseconds)), of.link, body[20 : 20+length]}, true
}

// units reads the resolution of times from the options of an interface, in units a second.
func (r *Reader) units(options []byte) uint64 {
	const optionResolution = 9
	for len(options) >= 4 {
		code, length := r.order.Uint16(options), int(r.order.Uint16(options[2:]))
		options = options[4:]
		if code == 0 || length > len(options) {
			break
		}
		if code == optionResolution && length == 1 {
			switch exponent := options[0]; {
			case exponent&0x80 != 0 && exponent&0x7f < 64:
				return 1 << (exponent & 0x7f)
			case exponent < 20:
				units := uint64(1)
				for range exponent {
					units *= 10
				}
				return units
			}
		}
		options = options[min((length+3)&^3, len(options)):]
	}
	return 1_000_000
}
