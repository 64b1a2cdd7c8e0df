package asc

import (
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"
)

type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func newTest(capacity int) (*Cache, *clock) {
	at := &clock{now: time.Date(2026, 1, 2, 3, 4, 5, 600_000_000, time.UTC)}
	return newCache(at.Now, capacity), at
}

func server(n int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}), 443)
}

var web = Found{"junos:SSL", "junos:FACEBOOK"}

// Rows: AI-19: address, port and IP protocol together are a server.
func TestKey(t *testing.T) {
	c, _ := newTest(Capacity)
	c.Put(netip.MustParseAddrPort("192.0.2.1:443"), 6, web)
	c.Put(netip.MustParseAddrPort("[2001:db8::1]:443"), 6, Found{"junos:SSH", ""})
	for _, test := range []struct {
		server   string
		protocol uint8
		want     Found
	}{
		{"192.0.2.1:443", 6, web},
		{"[::ffff:192.0.2.1]:443", 6, web},
		{"192.0.2.1:443", 17, Found{}},
		{"192.0.2.1:444", 6, Found{}},
		{"192.0.2.2:443", 6, Found{}},
		{"[2001:db8::1]:443", 6, Found{"junos:SSH", ""}},
	} {
		got, ok := c.Get(netip.MustParseAddrPort(test.server), test.protocol)
		if got != test.want || ok != (test.want != Found{}) {
			t.Errorf("%s protocol %d: %v %t, want %v", test.server, test.protocol, got, ok, test.want)
		}
	}
}

// Rows: AI-20, AI-21: an entry lives for the timeout, counted from its making, however often it is
// found or found to be true again.
func TestAbsoluteTimeout(t *testing.T) {
	c, at := newTest(Capacity)
	c.SetTimeout(60 * time.Second)
	c.Put(server(1), 6, web)
	for range 5 {
		at.now = at.now.Add(10 * time.Second)
		if _, ok := c.Get(server(1), 6); !ok {
			t.Fatalf("gone after less than its time")
		}
		c.Put(server(1), 6, web)
	}
	c.Put(server(1), 6, Found{"junos:SSH", ""})
	if got, _ := c.Get(server(1), 6); got.Protocol != "junos:SSH" {
		t.Errorf("the entry was not corrected: %v", got)
	}
	at.now = at.now.Add(11 * time.Second)
	if got, ok := c.Get(server(1), 6); ok {
		t.Errorf("still %v after 61 seconds", got)
	}
	if n := c.Len(); n != 0 {
		t.Errorf("%d entries are left", n)
	}
}

// Rows: T-5: with a timeout of 0 nothing is ever found again, also of what was there before.
func TestTimeoutZero(t *testing.T) {
	c, _ := newTest(Capacity)
	c.Put(server(1), 6, web)
	c.SetTimeout(0)
	c.Put(server(2), 6, web)
	for n := range 3 {
		if got, ok := c.Get(server(n), 6); ok {
			t.Errorf("server %d: %v", n, got)
		}
	}
	if n := c.Len(); n != 0 {
		t.Errorf("%d entries", n)
	}
}

// Rows: AI-33: the cache never holds more than its capacity, and what goes is older than what stays
// in the same part of it.
func TestOldestGoFirst(t *testing.T) {
	const capacity = 1000
	c, at := newTest(capacity)
	for n := range 5 * capacity {
		c.Put(server(n), 6, web)
		at.now = at.now.Add(time.Millisecond)
		if size := c.size.Load(); size > capacity {
			t.Fatalf("%d entries", size)
		}
	}
	if n := c.Len(); n != capacity {
		t.Errorf("%d entries, want %d", n, capacity)
	}
	oldest := map[uint64]int{} // by shard
	for n := range 5 * capacity {
		shard := c.shardOf(keyOf(server(n), 6))
		_, there := c.Get(server(n), 6)
		if _, known := oldest[shard]; there && !known {
			oldest[shard] = n
		} else if !there && known {
			t.Fatalf("server %d is gone, older %d of its part is there", n, oldest[shard])
		}
	}
	for n := 5*capacity - 100; n < 5*capacity; n++ {
		if _, there := c.Get(server(n), 6); !there {
			t.Errorf("server %d of the last hundred is gone", n)
		}
	}
}

// A cache of one entry has room for another one's shard.
func TestRoomElsewhere(t *testing.T) {
	c, _ := newTest(1)
	for n := range 200 {
		c.Put(server(n), 6, web)
		if _, there := c.Get(server(n), 6); !there || c.Len() != 1 {
			t.Fatalf("server %d: there %t, %d entries", n, there, c.Len())
		}
	}
}

// Rows: AI-32: a hundred thousand entries are listed in pages, each once, also while others come
// and go.
func TestPages(t *testing.T) {
	c, at := newTest(Capacity)
	const n = 100_000
	for i := range n {
		c.Put(server(i), 6, web)
	}
	at.now = at.now.Add(100 * time.Second)
	seen := map[netip.AddrPort]bool{}
	var next Cursor
	for more := true; more; {
		var page []Entry
		page, next, more = c.Page(next, 999)
		if len(page) > 999 || more && len(page) == 0 {
			t.Fatalf("a page of %d, more %t", len(page), more)
		}
		for _, e := range page {
			if seen[e.Server] {
				t.Fatalf("%s twice", e.Server)
			}
			seen[e.Server] = true
			if e.Found != web || e.IPProtocol != 6 || e.Left > 3501*time.Second && e.Left != DefaultTimeout || e.Left < 3499*time.Second {
				t.Fatalf("entry %+v", e)
			}
		}
		c.Put(server(n+len(seen)), 6, web)
	}
	for i := range n {
		if !seen[server(i)] {
			t.Fatalf("server %d is in no page", i)
		}
	}
	c.Flush()
	if page, _, more := c.Page(Cursor{}, 10); len(page) != 0 || more || c.Len() != 0 {
		t.Errorf("after a flush: %v, more %t, %d entries", page, more, c.Len())
	}
}

// An entry takes about a hundred bytes when the cache is full.
func TestSize(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	const capacity = 32768
	before := heap()
	c := newCache(nil, capacity)
	for n := range 2 * capacity {
		c.Put(server(n), 6, web)
	}
	each := float64(heap()-before) / capacity
	t.Logf("%.0f bytes an entry", each)
	if each > 128 || c.Len() != capacity {
		t.Errorf("%.0f bytes an entry, %d entries", each, c.Len())
	}
}

// Many goroutines use the cache at once. The race detector looks on.
func TestConcurrent(t *testing.T) {
	c := newCache(nil, 500)
	var all sync.WaitGroup
	for g := range 4 {
		all.Go(func() {
			for n := range 3000 {
				c.Put(server(n*(g+1)), 6, Found{fmt.Sprint("junos:", g), ""})
				c.Get(server(n), 6)
				if n%1000 == 999 {
					c.Page(Cursor{}, 100)
					c.Len()
					c.SetTimeout(time.Duration(n) * time.Second)
				}
				if n == 2000 && g == 0 {
					c.Flush()
				}
			}
		})
	}
	all.Wait()
	entries, _, more := c.Page(Cursor{}, 10000)
	if n := c.Len(); n > 500 || n != len(entries) || more {
		t.Errorf("%d entries, %d listed", n, len(entries))
	}
}

func BenchmarkPut(b *testing.B) {
	c := New(nil)
	b.RunParallel(func(pb *testing.PB) {
		for n := 0; pb.Next(); n++ {
			c.Put(server(n), 6, web)
		}
	})
}

func BenchmarkGet(b *testing.B) {
	c := New(nil)
	for n := range Capacity {
		c.Put(server(n), 6, web)
	}
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for n := 0; pb.Next(); n++ {
			c.Get(server(n%Capacity), 6)
		}
	})
}
