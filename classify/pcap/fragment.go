package pcap

import (
	"encoding/binary"
	"slices"
)

// Fragments puts IP fragments together. Fragments that overlap are refused with their datagram, as
// RFC 5722 asks of hosts. The zero value is ready.
type Fragments struct {
	waiting []*datagram // oldest first
}

// maxWaiting bounds the datagrams that wait for fragments; the oldest is given up for a new one.
const maxWaiting = 64

// datagram is one that is not whole yet.
type datagram struct {
	key    string // addresses, protocol and identification
	parts  []part
	length int // of the payload; 0 while the last fragment is missing
}

// part is one fragment: the header up to the fragmented part, and that.
type part struct {
	offset       int
	header, data []byte
}

// fragment describes the fragmented part of an IP packet.
type fragment struct {
	header int // where it begins
	offset int
	more   bool
	key    string
}

// Whole takes an IP packet. It returns the packet itself when it is no fragment, the whole packet
// when it was the fragment that was missing, and nothing while fragments are missing.
func (f *Fragments) Whole(ip []byte) (whole []byte, ok bool) {
	is, fragmented := fragmentOf(ip)
	if !fragmented {
		return ip, true
	}
	i := slices.IndexFunc(f.waiting, func(d *datagram) bool { return d.key == is.key })
	if i < 0 {
		if len(f.waiting) == maxWaiting {
			f.waiting = slices.Delete(f.waiting, 0, 1)
		}
		i, f.waiting = len(f.waiting), append(f.waiting, &datagram{key: is.key})
	}
	d := f.waiting[i]
	if !d.add(&is, ip) {
		f.waiting = slices.Delete(f.waiting, i, i+1)
		return nil, false
	}
	if whole = d.whole(); whole != nil {
		f.waiting = slices.Delete(f.waiting, i, i+1)
	}
	return whole, whole != nil
}

// Rest returns the first fragments of datagrams that never became whole, oldest first.
func (f *Fragments) Rest() [][]byte {
	var rest [][]byte
	for _, d := range f.waiting {
		if len(d.parts) > 0 && d.parts[0].offset == 0 {
			rest = append(rest, d.assemble(d.parts[:1]))
		}
	}
	f.waiting = nil
	return rest
}

// add adds a fragment. It says whether the datagram may still become whole.
func (d *datagram) add(is *fragment, ip []byte) bool {
	end := len(ip)
	if ip[0]>>4 == 4 {
		end = min(end, int(binary.BigEndian.Uint16(ip[2:])))
	} else {
		end = min(end, 40+int(binary.BigEndian.Uint16(ip[4:])))
	}
	if end <= is.header {
		return false
	}
	p := part{is.offset, slices.Clone(ip[:is.header]), slices.Clone(ip[is.header:end])}
	i, there := slices.BinarySearchFunc(d.parts, p.offset, func(q part, at int) int { return q.offset - at })
	if there { // the same again, as captures on two interfaces have it
		return len(d.parts[i].data) == len(p.data)
	}
	after := p.offset + len(p.data)
	if i > 0 && d.parts[i-1].offset+len(d.parts[i-1].data) > p.offset || i < len(d.parts) && after > d.parts[i].offset || after > 1<<16 {
		return false
	}
	d.parts = slices.Insert(d.parts, i, p)
	if !is.more {
		d.length = after
	}
	return true
}

// whole is the packet that the fragments make, or nil.
func (d *datagram) whole() []byte {
	at := 0
	for _, p := range d.parts {
		if p.offset != at {
			return nil
		}
		at += len(p.data)
	}
	if d.length == 0 || at != d.length {
		return nil
	}
	return d.assemble(d.parts)
}

// assemble makes a packet of parts that begin with the first.
func (d *datagram) assemble(parts []part) []byte {
	whole := slices.Clone(parts[0].header)
	for _, p := range parts {
		whole = append(whole, p.data...)
	}
	if whole[0]>>4 == 4 {
		binary.BigEndian.PutUint16(whole[2:], uint16(min(len(whole), 1<<16-1)))
		binary.BigEndian.PutUint16(whole[6:], 0)
		return whole
	}
	binary.BigEndian.PutUint16(whole[4:], uint16(min(len(whole)-40, 1<<16-1)))
	fragment := parts[0].header[len(parts[0].header)-8:]
	copy(whole[len(parts[0].header)-8:], []byte{fragment[0], 0, 0, 0}) // an atomic fragment (RFC 6946)
	return whole
}

// fragmentOf says whether a packet is a fragment, and which.
func fragmentOf(ip []byte) (f fragment, ok bool) {
	switch {
	case len(ip) >= 20 && ip[0]>>4 == 4:
		field := binary.BigEndian.Uint16(ip[6:])
		f = fragment{header: int(ip[0]&15) * 4, offset: int(field&0x1fff) * 8, more: field&0x2000 != 0}
		f.key = string(ip[4:6]) + string(ip[9:10]) + string(ip[12:20])
		return f, (f.more || f.offset > 0) && f.header >= 20 && f.header <= len(ip)
	case len(ip) >= 40 && ip[0]>>4 == 6:
		next, at := ip[6], 40
		for range maxLayers {
			if at+8 > len(ip) {
				return f, false
			}
			switch next {
			case 0, 43, 60:
				next, at = ip[at], at+8+int(ip[at+1])*8
			case 44:
				field := binary.BigEndian.Uint16(ip[at+2:])
				f = fragment{header: at + 8, offset: int(field &^ 7), more: field&1 != 0}
				f.key = string(ip[at+4:at+8]) + string(ip[8:40])
				return f, f.more || f.offset > 0
			default:
				return f, false
			}
		}
	}
	return f, false
}
