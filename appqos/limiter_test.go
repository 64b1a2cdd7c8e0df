package appqos

import (
	"sync"
	"testing"
	"time"
)

// single is a packet of so many bytes.
func single(bytes uint64) Train { return Train{Packets: 1, Size: bytes, Total: bytes} }

// A full bucket lets its burst pass at once, and then its rate; it holds no more than its burst.
// Rows: QS-22, QS-23.
func TestLimiterIsATokenBucket(t *testing.T) {
	l := newLimiter("test-r2", Profile{Bandwidth: 200, Burst: 26_000}) // 25 bytes a millisecond
	var now int64
	pass := func(bytes uint64, want uint64) {
		t.Helper()
		if got := l.Take(now, single(bytes)); got != want {
			t.Fatalf("at %v a packet of %d bytes: %d passed, want %d", time.Duration(now), bytes, got, want)
		}
	}
	for range 26 {
		pass(1000, 1)
	}
	pass(1, 0)
	now += int64(40 * time.Millisecond) // 1,000 bytes
	pass(1001, 0)                       // takes nothing
	pass(600, 1)
	pass(400, 1)
	pass(1, 0)
	now += int64(time.Hour)
	for range 26 {
		pass(1000, 1)
	}
	pass(1, 0)
	now -= int64(time.Millisecond) // packets of another queue, taken a moment ago
	pass(1, 0)
	if got := l.Exceeded.Load(); got != 5 {
		t.Errorf("%d packets exceeded the limiter, want 5", got)
	}
}

// Of a train pass as many packets as there are tokens for, from the first.
// Rows: QS-21, QS-33.
func TestLimiterCutsTrains(t *testing.T) {
	for _, c := range []struct {
		name  string
		train Train
		want  uint64
		left  uint64 // bytes
	}{
		{"all of it", Train{Packets: 10, Size: 1000, Total: 10_000}, 10, 0},
		{"all of it, with a short end", Train{Packets: 11, Size: 950, Total: 9_800}, 11, 200},
		{"some of it", Train{Packets: 40, Size: 1500, Total: 60_000}, 6, 1000},
		{"all but its short end", Train{Packets: 11, Size: 1000, Total: 10_001}, 10, 0},
		{"none of it", Train{Packets: 2, Size: 10_001, Total: 20_000}, 0, 10_000},
	} {
		l := newLimiter("l", Profile{Bandwidth: 8, Burst: 10_000})
		if got := l.Take(0, c.train); got != c.want {
			t.Errorf("%s: %d packets, want %d", c.name, got, c.want)
		}
		if l.Take(0, single(c.left+1)) != 0 || c.left > 0 && l.Take(0, single(c.left)) != 1 {
			t.Errorf("%s: there are not %d bytes left", c.name, c.left)
		}
	}
}

// What several queues take at once is never more than there is.
// Rows: QS-28, QS-29.
func TestLimiterIsShared(t *testing.T) {
	const size, burst = 100, 100_000
	l := newLimiter("l", Profile{Bandwidth: 1, Burst: burst})
	var all sync.WaitGroup
	passed := make([]uint64, 8)
	for i := range passed {
		all.Go(func() {
			for range 400 {
				passed[i] += l.Take(0, single(size))
			}
		})
	}
	all.Wait()
	var sum uint64
	for _, n := range passed {
		sum += n
	}
	if sum != burst/size {
		t.Errorf("%d packets passed at once, want %d", sum, burst/size)
	}
}

// A limiter without a burst has as much for its rate as the guide's samples, and no less than ten packets.
// Rows: QS-25, QS-26.
func TestDefaultBurst(t *testing.T) {
	for bandwidth, want := range map[uint32]uint32{1: 15_000, 100: 15_000, 200: 26_000, 400: 52_000, 2_147_483: 279_172_790} {
		if got := defaultBurst(bandwidth); got != want {
			t.Errorf("%d kbit/s: %d bytes, want %d", bandwidth, got, want)
		}
		l := newLimiter("l", Profile{bandwidth, 1<<31 - 1})
		if l.Take(0, single(1<<31-1)) != 1 || l.Take(int64(time.Second), single(uint64(bandwidth)*125)) != 1 || l.Take(int64(time.Second), single(50)) != 0 {
			t.Errorf("%d kbit/s with the largest burst: it is not what it holds, or not what it gains in a second", bandwidth)
		}
	}
}

// What a packet costs at a limiter.
func BenchmarkTake(b *testing.B) {
	l := newLimiter("l", Profile{Bandwidth: 2_000_000, Burst: 1 << 30})
	start := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		l.Take(int64(time.Since(start)), single(1500))
	}
}
