// Package asc is the application system cache: it remembers which application a server was found
// to serve, by the server's address, port and IP protocol.
//
// An entry lives for a time that is counted from its making, however often it is used. When the
// cache is full, the oldest entries make room. Names are kept rather than applications, so that the
// cache outlives the signature package they are from.
package asc

import (
	"hash/maphash"
	"net/netip"
	"sync/atomic"
	"time"
	"unique"
)

// Capacity is the number of entries that a cache holds at most.
const Capacity = 131072

// DefaultTimeout is how long an entry lives where nothing else is set.
const DefaultTimeout = time.Hour

// shardCount parts the cache so that sessions seldom wait for each other.
const shardCount = 64

// Found is what a server was found to serve. Names are full ("junos:SSL").
type Found struct {
	Protocol    string // the base protocol; "junos:UNKNOWN" where nothing matched
	Application string // the nested application, or ""
}

// Entry is one line of the cache.
type Entry struct {
	Server     netip.AddrPort
	IPProtocol uint8
	Found
	Left time.Duration // until it expires
}

// Cache is the application system cache. Any number of goroutines may use it.
type Cache struct {
	clock    func() time.Time
	start    time.Time // from which entries count their seconds
	capacity int64
	seed     maphash.Seed
	timeout  atomic.Int64 // seconds
	size     atomic.Int64 // entries, expired ones included
	shards   [shardCount]shard
}

// New is an empty cache. clock tells the time; nil stands for the system's clock.
func New(clock func() time.Time) *Cache { return newCache(clock, Capacity) }

func newCache(clock func() time.Time, capacity int) *Cache {
	if clock == nil {
		clock = time.Now
	}
	c := &Cache{clock: clock, start: clock(), capacity: int64(capacity), seed: maphash.MakeSeed()}
	for i := range c.shards {
		c.shards[i].index = map[key]uint32{}
	}
	c.SetTimeout(DefaultTimeout)
	return c
}

// SetTimeout sets how long entries live, in whole seconds; those that are there as well. With 0
// they are never found again.
func (c *Cache) SetTimeout(timeout time.Duration) { c.timeout.Store(int64(timeout / time.Second)) }

// Timeout is how long entries live.
func (c *Cache) Timeout() time.Duration { return time.Duration(c.timeout.Load()) * time.Second }

// Put remembers what a server was found to serve. The lifetime of an entry that is there already
// goes on as it was.
func (c *Cache) Put(server netip.AddrPort, ipProtocol uint8, found Found) {
	timeout := c.timeout.Load()
	if timeout == 0 {
		return
	}
	k := keyOf(server, ipProtocol)
	i := c.shardOf(k)
	s := &c.shards[i]
	value := value{unique.Make(found.Protocol), unique.Make(found.Application)}
	s.mu.Lock()
	now := c.now()
	dropped := s.expire(now, timeout)
	added := int64(0)
	if !s.replace(k, value) {
		if c.size.Load()-dropped >= c.capacity && s.pop() {
			dropped++
		}
		s.push(slot{k, uint32(now) + 1, value})
		added = 1
	}
	s.mu.Unlock()
	if c.size.Add(added-dropped) > c.capacity {
		c.makeRoom(i + 1)
	}
}

// makeRoom drops the oldest entry of the first shard from a place on that has any.
func (c *Cache) makeRoom(from uint64) {
	for i := range uint64(shardCount) {
		s := &c.shards[(from+i)%shardCount]
		s.mu.Lock()
		popped := s.pop()
		s.mu.Unlock()
		if popped {
			c.size.Add(-1)
			return
		}
	}
}

// Get returns what a server was found to serve.
func (c *Cache) Get(server netip.AddrPort, ipProtocol uint8) (Found, bool) {
	if c.size.Load() == 0 {
		return Found{}, false
	}
	k := keyOf(server, ipProtocol)
	s := &c.shards[c.shardOf(k)]
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.get(k)
	if !ok || expired(e.born, c.now(), c.timeout.Load()) {
		return Found{}, false
	}
	return e.value.found(), true
}

// Len is the number of entries.
func (c *Cache) Len() int {
	now, timeout, dropped := c.now(), c.timeout.Load(), int64(0)
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		dropped += s.expire(now, timeout)
		s.mu.Unlock()
	}
	return int(c.size.Add(-dropped))
}

// Flush removes all entries.
func (c *Cache) Flush() {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		c.size.Add(-int64(s.count))
		s.clear()
		s.mu.Unlock()
	}
}

// Cursor is a place between entries; the zero value is the beginning.
type Cursor struct {
	shard int
	next  uint32 // number of the entry in its shard
	begun bool   // next is set
}

// Page returns up to limit entries after a place, and the place after these. more is false at the
// end. Entries that come and go meanwhile may be in no page, but none is in two.
func (c *Cache) Page(from Cursor, limit int) (page []Entry, next Cursor, more bool) {
	now, timeout := c.now(), c.timeout.Load()
	for next = from; next.shard < shardCount; next = (Cursor{shard: next.shard + 1}) {
		s := &c.shards[next.shard]
		s.mu.Lock()
		c.size.Add(-s.expire(now, timeout))
		if !next.begun || int32(next.next-s.first) < 0 {
			next.next, next.begun = s.first, true
		}
		for ; next.next != s.first+s.count && len(page) < limit; next.next++ {
			page = append(page, s.at(next.next).entry(now, timeout))
		}
		done := next.next == s.first+s.count
		s.mu.Unlock()
		if !done {
			return page, next, true
		}
	}
	return page, next, false
}

// now is the time in whole seconds since the cache was made.
func (c *Cache) now() int64 { return int64(c.clock().Sub(c.start) / time.Second) }

func (c *Cache) shardOf(k key) uint64 { return maphash.Comparable(c.seed, k) % shardCount }
