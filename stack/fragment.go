package stack

import (
	"slices"
	"sync"
	"time"
)

// Limits of the fragment cache. A datagram that does not fit is dropped whole.
const (
	maxFragments         = 64               // of one datagram
	maxFragmentDatagrams = 1024             // waiting at one time
	fragmentTimeout      = 15 * time.Second // RFC 791 suggests 15 s, RFC 8200 allows 60 s
	maxDatagram          = 65535            // bytes
)

// Fragments holds the fragments of datagrams until each is complete, so that a session is
// looked up and judged with the ports of the first fragment and no overlap can hide what
// passes. The fragments themselves are then forwarded as they came (virtual reassembly), which
// keeps the path's own fragment sizes. The zero value is ready to use; it may be used
// concurrently.
type Fragments struct {
	mu      sync.Mutex
	waiting map[fragmentKey]*datagram
	dropped uint64
}

type fragmentKey struct {
	src, dst [16]byte
	proto    uint16
	id       uint32
}

type datagram struct {
	parts    []part // by offset
	total    int    // payload bytes, -1 until the last fragment is there
	have     int    // payload bytes so far
	deadline time.Time
	bad      bool // overlapped or too large: everything that still comes is dropped
}

type part struct {
	offset, size int
	frame        []byte
}

// Add takes a copy of a fragment. When the datagram is complete it returns all its frames, the
// first fragment first; until then nil. Overlapping fragments condemn the datagram (RFC 5722).
func (f *Fragments) Add(p *Packet, now time.Time) [][]byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.waiting == nil {
		f.waiting = make(map[fragmentKey]*datagram)
	}
	key := fragmentKey{p.Key.Src, p.Key.Dst, p.Key.Proto, p.FragmentID}
	if p.V6 {
		key.proto = 0 // the next header of a later fragment need not name the same protocol (RFC 8200 section 4.5)
	}
	d := f.waiting[key]
	if d != nil && now.After(d.deadline) {
		delete(f.waiting, key)
		f.dropped += uint64(len(d.parts))
		d = nil
	}
	if d == nil {
		if len(f.waiting) >= maxFragmentDatagrams {
			f.expire(now)
		}
		if len(f.waiting) >= maxFragmentDatagrams {
			f.dropped++
			return nil
		}
		d = &datagram{total: -1, deadline: now.Add(fragmentTimeout)}
		f.waiting[key] = d
	}
	if d.bad {
		f.dropped++
		return nil
	}
	if !d.insert(p) {
		f.dropped += uint64(len(d.parts)) + 1
		d.bad, d.parts = true, nil
		return nil
	}
	if d.have != d.total {
		return nil
	}
	delete(f.waiting, key)
	frames := make([][]byte, len(d.parts))
	for i := range d.parts {
		frames[i] = d.parts[i].frame
	}
	return frames
}

// insert puts the fragment in its place, or says that it contradicts what is there.
func (d *datagram) insert(p *Packet) bool {
	// In IPv6 the fragmentable part begins behind the fragment header, which is where the first
	// fragment's transport offset points as well, extension headers after it apart.
	size := len(p.IP) - fragmentStart(p)
	end := p.FragmentOffset + size
	switch {
	case size <= 0, end > maxDatagram, len(d.parts) >= maxFragments:
		return false
	case p.MoreFragments && size%8 != 0:
		return false
	case !p.MoreFragments && d.total >= 0 && d.total != end:
		return false
	case d.total >= 0 && end > d.total:
		return false
	}
	i, found := slices.BinarySearchFunc(d.parts, p.FragmentOffset, func(q part, offset int) int { return q.offset - offset })
	if found {
		return d.parts[i].size == size // a repeated fragment is kept once
	}
	if i > 0 && d.parts[i-1].offset+d.parts[i-1].size > p.FragmentOffset {
		return false
	}
	if i < len(d.parts) && end > d.parts[i].offset {
		return false
	}
	if !p.MoreFragments {
		if n := len(d.parts); n > 0 && d.parts[n-1].offset+d.parts[n-1].size > end {
			return false
		}
		d.total = end
	}
	d.parts = slices.Insert(d.parts, i, part{p.FragmentOffset, size, slices.Clone(p.Frame)})
	d.have += size
	return true
}

// fragmentStart is where the fragmentable part begins in the packet.
func fragmentStart(p *Packet) int {
	if !p.V6 {
		return int(p.IP[0]&15) * 4
	}
	next, at := p.IP[6], 40
	for at+8 <= len(p.IP) {
		if next == 44 {
			return at + 8
		}
		next, at = p.IP[at], at+8+int(p.IP[at+1])*8
	}
	return len(p.IP)
}

// expire forgets datagrams whose time is over. The caller holds the lock.
func (f *Fragments) expire(now time.Time) {
	for key, d := range f.waiting {
		if now.After(d.deadline) {
			f.dropped += uint64(len(d.parts))
			delete(f.waiting, key)
		}
	}
}

// Expire forgets datagrams whose time is over; it is called every few seconds.
func (f *Fragments) Expire(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.expire(now)
}

// Stats returns the datagrams waiting and the fragments dropped so far.
func (f *Fragments) Stats() (waiting int, dropped uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.waiting), f.dropped
}
