package asc

import (
	"net/netip"
	"sync"
	"time"
	"unique"
)

// key is a server in 20 bytes.
type key struct {
	addr       [16]byte // IPv4 mapped
	port       uint16
	ipProtocol uint8
}

func keyOf(server netip.AddrPort, ipProtocol uint8) key {
	return key{server.Addr().As16(), server.Port(), ipProtocol}
}

// value is what a server serves. A handle is one word for a name, however many entries have it.
type value struct{ protocol, application unique.Handle[string] }

func (v value) found() Found { return Found{v.protocol.Value(), v.application.Value()} }

// slot is an entry in 40 bytes.
type slot struct {
	key
	born uint32 // seconds, rounded up
	value
}

func (s *slot) entry(now, timeout int64) Entry {
	return Entry{
		Server:     netip.AddrPortFrom(netip.AddrFrom16(s.addr).Unmap(), s.port),
		IPProtocol: s.ipProtocol, Found: s.found(),
		Left: time.Duration(min(int64(s.born)+timeout-now, timeout)) * time.Second,
	}
}

// expired says whether an entry is over. As births are rounded up, none lives too short.
func expired(born uint32, now, timeout int64) bool { return timeout == 0 || now-int64(born) >= timeout }

// shard is a part of the cache: a queue in which entries stand by age, as none is ever renewed,
// and an index into it. Entries are numbered in the order in which they came.
type shard struct {
	mu    sync.Mutex
	index map[key]uint32 // numbers
	ring  []slot
	head  int    // place of the oldest entry in ring
	first uint32 // its number
	count uint32
}

// at is the entry with a number.
func (s *shard) at(number uint32) *slot {
	return &s.ring[(s.head+int(number-s.first))%len(s.ring)]
}

func (s *shard) get(k key) (*slot, bool) {
	number, ok := s.index[k]
	if !ok {
		return nil, false
	}
	return s.at(number), true
}

// replace changes the value of an entry that is there.
func (s *shard) replace(k key, v value) bool {
	e, ok := s.get(k)
	if ok {
		e.value = v
	}
	return ok
}

func (s *shard) push(e slot) {
	if int(s.count) == len(s.ring) {
		s.grow()
	}
	number := s.first + s.count
	s.count++
	*s.at(number) = e
	s.index[e.key] = number
}

// grow makes the ring a quarter larger: doubling it would waste what the entries were made small
// for.
func (s *shard) grow() {
	larger := make([]slot, len(s.ring)+len(s.ring)/4+16)
	n := copy(larger, s.ring[s.head:])
	copy(larger[n:], s.ring[:s.head])
	s.ring, s.head = larger, 0
}

// pop drops the oldest entry, if there is one.
func (s *shard) pop() bool {
	if s.count == 0 {
		return false
	}
	delete(s.index, s.ring[s.head].key)
	s.ring[s.head] = slot{}
	s.head = (s.head + 1) % len(s.ring)
	s.first++
	s.count--
	return true
}

// expire drops what is over and says how many entries that were.
func (s *shard) expire(now, timeout int64) (dropped int64) {
	for s.count > 0 && expired(s.ring[s.head].born, now, timeout) {
		s.pop()
		dropped++
	}
	return dropped
}

func (s *shard) clear() {
	s.first += s.count
	s.index, s.ring, s.head, s.count = map[key]uint32{}, nil, 0, 0
}
