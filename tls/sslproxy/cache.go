package sslproxy

import (
	"container/list"
	"sync"
	"time"

	"sluice/tls/report"
)

// cache keeps values for a time, at most so many of them. The oldest make room.
type cache[K comparable, V any] struct {
	limit int
	now   func() time.Time
	count *report.Cache // nil: nobody counts

	mu      sync.Mutex
	entries map[K]*list.Element
	order   *list.List // of *cached, newest first
}

// cached is an entry of a cache.
type cached[K comparable, V any] struct {
	key   K
	value V
	ends  time.Time
}

func newCache[K comparable, V any](limit int, now func() time.Time, count *report.Cache) *cache[K, V] {
	return &cache[K, V]{limit: limit, now: now, count: count, entries: map[K]*list.Element{}, order: list.New()}
}

// get finds what is kept under a key and has not expired.
func (c *cache[K, V]) get(key K) (value V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[key]
	if e != nil && c.now().Before(e.Value.(*cached[K, V]).ends) {
		if c.count != nil {
			c.count.Hit.Inc()
		}
		return e.Value.(*cached[K, V]).value, true
	}
	if c.count != nil {
		c.count.Miss.Inc()
	}
	return value, false
}

// put keeps a value until a moment.
func (c *cache[K, V]) put(key K, value V, ends time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.entries[key]; e != nil {
		c.remove(e)
	}
	if c.order.Len() >= c.limit {
		if c.count != nil {
			c.count.Full.Inc()
		}
		c.remove(c.order.Back())
	}
	c.entries[key] = c.order.PushFront(&cached[K, V]{key, value, ends})
}

func (c *cache[K, V]) remove(e *list.Element) {
	delete(c.entries, e.Value.(*cached[K, V]).key)
	c.order.Remove(e)
}

// drop forgets the entries that gone says are gone, and says how many.
func (c *cache[K, V]) drop(gone func(key K, value V, ends time.Time) bool) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for e := c.order.Front(); e != nil; {
		next := e.Next()
		if v := e.Value.(*cached[K, V]); gone(v.key, v.value, v.ends) {
			c.remove(e)
			n++
		}
		e = next
	}
	return n
}

// each visits the entries, the newest first, with the moments when they end.
func (c *cache[K, V]) each(visit func(key K, value V, ends time.Time)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for e := c.order.Front(); e != nil; e = e.Next() {
		v := e.Value.(*cached[K, V])
		visit(v.key, v.value, v.ends)
	}
}
