package appqos

import "sync/atomic"

// Profile is the two parameters of a rate limiter.
type Profile struct {
	Bandwidth uint32 // kbit/s
	Burst     uint32 // bytes
}

// defaultBurst is the burst of a limiter that is given none: as much for its rate as in the guide's
// samples, which is what it carries in about a second, and at least ten packets of an Ethernet. TCP does
// not come up to the rate of a limiter with a bucket that is much smaller.
func defaultBurst(bandwidth uint32) uint32 {
	const packets, bytesPerKilobit = 10 * 1500, 130
	return max(packets, bandwidth*bytesPerKilobit)
}

// Limiter is a token bucket of Burst bytes that fills at Bandwidth (RFC 2697, with one colour). All
// sessions and directions of the rules that name it share it. It is kept as the time at which the
// bucket would be full (the virtual scheduling of the generic cell rate algorithm, ITU-T I.371), one
// word that packets of several queues change without a lock.
type Limiter struct {
	Name string
	Profile
	Exceeded atomic.Uint64 // packets that found too few tokens

	full atomic.Int64 // ticks
}

func newLimiter(name string, p Profile) *Limiter { return &Limiter{Name: name, Profile: p} }

// ticks is how long the bucket takes to fill by n bytes, in nanoseconds, rounded up.
func (l *Limiter) ticks(n uint64) int64 {
	rate := uint64(l.Bandwidth)
	return int64((n*8_000_000 + rate - 1) / rate)
}

// bytes is by how much the bucket fills in some nanoseconds.
func (l *Limiter) bytes(ticks int64) uint64 {
	return uint64(ticks) * uint64(l.Bandwidth) / 8_000_000
}

// Train is packets that arrive at once: so many, each of size bytes but the last, which makes total.
type Train struct{ Packets, Size, Total uint64 }

// Take takes tokens for as many packets of a train as there are, from the first, and returns their
// number. Packets beyond them take none. now is in nanoseconds, of a clock that never goes back.
func (l *Limiter) Take(now int64, t Train) uint64 {
	span := l.ticks(uint64(l.Burst))
	for {
		was := l.full.Load()
		full := max(was, now)
		tokens := l.bytes(max(0, now+span-full))
		packets, taken := t.Packets, t.Total
		if tokens < t.Total {
			packets = min(tokens/t.Size, t.Packets-1)
			taken = packets * t.Size
		}
		if packets > 0 && !l.full.CompareAndSwap(was, full+l.ticks(taken)) {
			continue // another packet was faster
		}
		if packets < t.Packets {
			l.Exceeded.Add(t.Packets - packets)
		}
		return packets
	}
}
