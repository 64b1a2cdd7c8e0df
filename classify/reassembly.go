package classify

import "slices"

// A direction of a TCP session is put in order in one buffer of bounded size, indexed by the
// distance from the first byte. Spans say which parts are filled. A byte that is there is never
// overwritten: of overlapping segments the first wins, which is what most hosts do with data
// they have already acknowledged, and all do with data they have delivered.

const (
	// maxBuffer is the most that is kept of a direction, whatever limit is configured.
	maxBuffer = 32 << 10
	// maxSpans bounds the number of holes in a direction. Segments that would make more are
	// ignored, as if they had been lost.
	maxSpans = 64
	// holePatience is the number of later segments of a direction after which a hole that the
	// peer has acknowledged is taken for a packet that the capture missed.
	holePatience = 4
)

// span is the filled part [from, to) of a buffer.
type span struct{ from, to int }

// stream is one direction.
type stream struct {
	start  uint32 // sequence number of the first byte
	ack    uint32 // what the other side has acknowledged
	known  bool   // start is valid
	acked  bool   // ack is valid
	spans  []span
	buf    []byte
	own    *[]byte // buf where it is ours, nil where it is the caller's
	beyond int     // segments that came behind a hole
	owed   int     // bytes in order that are still to be let go by
	paused bool    // nothing is looked at before the other side has spoken
	probe  bool    // all there is is a byte that may be the garbage of a keep-alive
}

// prefix is the part of the direction that has no holes.
func (s *stream) prefix() []byte {
	if len(s.spans) == 0 || s.spans[0].from != 0 {
		return nil
	}
	return s.buf[:s.spans[0].to]
}

// begin tells the sequence number of the first byte, from a SYN.
func (s *stream) begin(start uint32) {
	if !s.known {
		s.start, s.known = start, true
	}
}

// add puts a segment in its place, as far as it lies within the first limit bytes. It says
// whether the prefix grew. data may be borrowed until keep is called.
func (s *stream) add(seq uint32, data []byte, limit int) bool {
	if len(data) == 0 || s.paused {
		return false
	}
	if !s.known {
		// The start was not seen. The other side may have told where it expects the next byte.
		s.begin(seq)
		if behind := int32(seq - s.ack); s.acked && behind > 0 && int(behind) < limit {
			s.start = s.ack
		}
	}
	limit = min(limit, maxBuffer)
	from := int(int32(seq - s.start))
	if from < 0 {
		if -from >= len(data) {
			return false
		}
		data, from = data[-from:], 0
	}
	if from >= limit {
		return false
	}
	data = data[:min(len(data), limit-from)]
	before := len(s.prefix())
	if len(s.spans) == 0 && from == 0 {
		s.buf, s.spans = data, append(s.spans, span{0, len(data)})
		return true
	}
	s.fill(from, data)
	if grown := len(s.prefix()) > before; grown {
		s.beyond = 0
		return true
	}
	s.beyond++
	return false
}

// append adds bytes that are in order already.
func (s *stream) append(data []byte, limit int) bool {
	s.begin(0)
	return s.add(s.start+uint32(len(s.prefix())), data, limit)
}

// pass is what remains of bytes that are in order when those that are let go by are gone.
func (s *stream) pass(data []byte) []byte {
	n := min(s.owed, len(data))
	s.owed -= n
	return data[n:]
}

// fill copies the parts of data that are not there yet.
func (s *stream) fill(from int, data []byte) {
	to := from + len(data)
	s.grow(to)
	i, _ := slices.BinarySearchFunc(s.spans, from, func(p span, at int) int { return p.to - at })
	at, merged := from, span{from, to}
	last := i
	for ; last < len(s.spans) && s.spans[last].from <= to; last++ {
		p := s.spans[last]
		if at < p.from {
			copy(s.buf[at:p.from], data[at-from:])
		}
		at = max(at, p.to)
		merged = span{min(merged.from, p.from), max(merged.to, p.to)}
	}
	if at < to {
		copy(s.buf[at:to], data[at-from:])
	}
	if last == i && len(s.spans) >= maxSpans {
		return
	}
	s.spans = slices.Replace(s.spans, i, last, merged)
}

// grow makes the buffer ours, and at least n bytes long.
func (s *stream) grow(n int) {
	if s.own != nil && n <= len(s.buf) {
		return
	}
	bigger := takeBuffer(n)
	copy(*bigger, s.buf)
	s.release()
	s.buf, s.own = *bigger, bigger
}

// keep makes a borrowed buffer ours, as the caller takes his back.
func (s *stream) keep() {
	if s.own == nil && len(s.buf) > 0 {
		s.grow(len(s.buf))
	}
}

// size is the number of bytes that our buffer takes.
func (s *stream) size() int {
	if s.own == nil {
		return 0
	}
	return len(*s.own)
}

// acknowledge notes that the other side has got everything before ack. It says whether bytes that
// were missed for good were skipped, so that the prefix changed.
func (s *stream) acknowledge(ack uint32) bool {
	if !s.acked || int32(ack-s.ack) > 0 {
		s.ack, s.acked = ack, true
	}
	if s.probe && ack == s.start+1 && len(s.spans) == 1 && s.spans[0].to == 1 {
		s.skip(1)
	}
	if s.beyond < holePatience || len(s.spans) == 0 || s.spans[0].from == 0 {
		return false
	}
	first := s.spans[0]
	if int32(s.ack-s.start) < int32(first.to) {
		return false
	}
	copy(s.buf, s.buf[first.from:])
	for i := range s.spans {
		s.spans[i].from -= first.from
		s.spans[i].to -= first.from
	}
	s.start += uint32(first.from)
	s.beyond = 0
	return true
}

// passes says whether n bytes at seq are let go by: they come before what is looked at, or while
// nothing is.
func (s *stream) passes(seq uint32, n int) bool {
	return s.paused || s.known && int32(seq-s.start) <= -int32(n)
}

// lacks says whether a segment of length n goes on behind what is there in order, as there was no room.
func (s *stream) lacks(seq uint32, n int) bool {
	from, end := int(int32(seq-s.start)), len(s.prefix())
	return from <= end && from+n > end
}

// skip lets go of the first n bytes, whether they are there yet or not.
func (s *stream) skip(n int) {
	s.owed += max(n-len(s.prefix()), 0)
	s.start += uint32(n)
	s.probe = false
	kept := s.spans[:0]
	for _, p := range s.spans {
		if p.to > n {
			kept = append(kept, span{max(p.from-n, 0), p.to - n})
		}
	}
	if s.spans = kept; len(kept) == 0 {
		s.release()
		return
	}
	if s.own == nil {
		s.buf = s.buf[n:]
		return
	}
	copy(s.buf, s.buf[n:])
}

// pause lets go of everything, up to what comes after the other side has spoken again.
func (s *stream) pause() {
	s.release()
	s.spans, s.owed, s.paused = s.spans[:0], 0, true
}

// resume goes on with the byte that the other side expects next.
func (s *stream) resume(next uint32) {
	if s.paused {
		s.paused, s.known, s.start, s.beyond = false, true, next, 0
	}
}

// release gives the buffer back.
func (s *stream) release() {
	if s.own != nil {
		giveBuffer(s.own)
	}
	s.buf, s.own = nil, nil
}

// reset forgets everything but the capacity of the span list.
func (s *stream) reset() {
	s.release()
	*s = stream{spans: s.spans[:0]}
}
