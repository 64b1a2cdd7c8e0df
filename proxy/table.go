package proxy

import (
	"encoding/binary"
	"sync"
	"sync/atomic"

	"sluice/stack"
)

// shards is the number of independently locked parts of the session table; a power of two.
const shards = 256

// table finds the wing of a session by the key of an arriving packet. Every session is in it
// under two keys, one a direction.
type table struct {
	shard    [shards]shard
	sessions atomic.Int64
	pending  atomic.Int64 // TCP sessions whose handshake is not complete
}

type shard struct {
	mu    sync.RWMutex
	wings map[stack.Key]*wing
	_     [64]byte // keeps the locks of two shards off one cache line
}

func newTable() *table {
	t := new(table)
	for i := range t.shard {
		t.shard[i].wings = make(map[stack.Key]*wing)
	}
	return t
}

// shardOf spreads keys by the bytes that differ between sessions: the low address bytes and ports.
func (t *table) shardOf(k *stack.Key) *shard {
	return &t.shard[spread(k)>>24%shards]
}

// spread is a number that differs between keys.
func spread(k *stack.Key) uint32 {
	h := binary.LittleEndian.Uint32(k.Src[12:])*0x9e3779b1 ^ binary.LittleEndian.Uint32(k.Dst[12:])*0x85ebca6b ^
		(uint32(k.SrcPort)<<16|uint32(k.DstPort))*0xc2b2ae35 ^ uint32(k.Proto)
	h ^= h >> 15
	return h * 0x2c1b3c6d
}

// find returns the wing that packets with key k belong to, or nil.
func (t *table) find(k *stack.Key) *wing {
	s := t.shardOf(k)
	s.mu.RLock()
	w := s.wings[*k]
	s.mu.RUnlock()
	return w
}

// insert adds w under its key, unless the key is taken.
func (t *table) insert(w *wing) bool {
	s := t.shardOf(&w.key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := s.wings[w.key]; taken {
		return false
	}
	s.wings[w.key] = w
	return true
}

// remove takes w out again; another session that has taken its key since stays.
func (t *table) remove(w *wing) {
	s := t.shardOf(&w.key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wings[w.key] == w {
		delete(s.wings, w.key)
	}
}

// each calls f for every session, a shard at a time, until f returns false. The sessions of one
// shard are collected first, so that f may take as long as it needs.
func (t *table) each(f func(*Session) bool) {
	var batch []*Session
	for i := range t.shard {
		batch = t.shard[i].collect(batch[:0])
		for _, s := range batch {
			if !f(s) {
				return
			}
		}
	}
}

// collect appends the sessions whose client direction is kept in the shard.
func (s *shard) collect(batch []*Session) []*Session {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, w := range s.wings {
		if w.direction == fromClient {
			batch = append(batch, w.session)
		}
	}
	return batch
}

// evictionSample is how many entries of a shard are looked at for a half-open session to evict.
const evictionSample = 32

// oldestPending returns the half-open session of a small random sample of the shard that has
// waited longest, or nil.
func (t *table) oldestPending(k *stack.Key) *Session {
	s := t.shardOf(k)
	s.mu.RLock()
	defer s.mu.RUnlock()
	var oldest *Session
	looked := 0
	for _, w := range s.wings { // map iteration starts at a random place
		if looked++; looked > evictionSample {
			break
		}
		if candidate := w.session; candidate.pending() && (oldest == nil || candidate.lastSeen.Load() < oldest.lastSeen.Load()) {
			oldest = candidate
		}
	}
	return oldest
}
