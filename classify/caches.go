package classify

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"sluice/classify/appdb"
	"sluice/classify/decode"
)

// State is what sessions tell each other, on purpose and with a time limit: which addresses an
// application's name was resolved to, and which sessions another one has arranged. It lives
// across engines, and may be used by any number of goroutines.
type State struct {
	clock    func() time.Time
	resolved *timed[netip.Addr, *appdb.Application]
	expected *timed[expectation, arrangement]
	memory   atomic.Int64 // bytes held by inspections
	failures atomic.Int64 // decoders that panicked
}

// Limits of what State remembers.
const (
	maxResolved = 1 << 17
	maxExpected = 1 << 14

	// Names are remembered at least and at most this long, whatever their answer's lifetime is:
	// clients use an address for longer than it is valid.
	minResolved = 5 * time.Minute
	maxLifetime = 2 * time.Hour
	// expectedFor is how long an arranged session may take to begin.
	expectedFor = 2 * time.Minute
)

// expectation identifies a session that was arranged. Port 0 stands for any.
type expectation struct {
	to       netip.AddrPort
	protocol uint8
}

// arranged is what such a session will carry, by names.
type arranged struct{ protocol, application string }

// arrangement is what a session has told of another one.
type arrangement struct {
	arranged
	whole bool          // see decode.Expected
	ends  [2]netip.Addr // of the session that told
}

// between says whether a session has the ends of the one that arranged it.
func (a *arrangement) between(meta *Meta) bool {
	client, server := meta.Client.Addr(), meta.Server.Addr()
	return a.ends == [2]netip.Addr{client, server} || a.ends == [2]netip.Addr{server, client}
}

// NewState is empty. clock tells the time; nil stands for the system's clock.
func NewState(clock func() time.Time) *State {
	if clock == nil {
		clock = time.Now
	}
	return &State{
		clock:    clock,
		resolved: newTimed[netip.Addr, *appdb.Application](maxResolved),
		expected: newTimed[expectation, arrangement](maxExpected),
	}
}

// Memory is the number of bytes that sessions under inspection hold.
func (s *State) Memory() int64 { return s.memory.Load() }

// Failures is the number of sessions that were left unidentified because a decoder failed.
func (s *State) Failures() int64 { return s.failures.Load() }

// resolve remembers that an application's name was resolved to addr.
func (s *State) resolve(a *appdb.Application, addr netip.Addr, ttl time.Duration) {
	s.resolved.put(addr.Unmap(), a, s.clock().Add(min(max(ttl, minResolved), maxLifetime)))
}

// expect remembers that a session was arranged, by the one of meta.
func (s *State) expect(e *decode.Expected, meta *Meta) {
	key := expectation{netip.AddrPortFrom(e.Addr.Unmap(), e.Port), e.Protocol}
	ends := [2]netip.Addr{meta.Client.Addr(), meta.Server.Addr()}
	s.expected.put(key, arrangement{arranged{e.Name, e.Application}, e.Whole, ends}, s.clock().Add(expectedFor))
}

// applicationAt is the application whose name was resolved to addr lately, or nil.
func (s *State) applicationAt(addr netip.Addr) *appdb.Application {
	if s.resolved.empty() {
		return nil
	}
	a, _ := s.resolved.get(addr.Unmap(), s.clock())
	return a
}

// arrangement finds out whether another session arranged this one.
func (s *State) arrangement(meta *Meta) (arrangement, bool) {
	if s.expected.empty() {
		return arrangement{}, false
	}
	now := s.clock()
	for _, end := range [...]netip.AddrPort{meta.Server, meta.Client} {
		for _, port := range [...]uint16{end.Port(), 0} {
			key := expectation{netip.AddrPortFrom(end.Addr().Unmap(), port), meta.Protocol}
			if a, ok := s.expected.get(key, now); ok {
				return a, true
			}
		}
	}
	return arrangement{}, false
}

// timed is a bounded map whose entries have an end. When it is full, entries that are over go
// first, and then any.
type timed[K comparable, V any] struct {
	seed   maphash.Seed
	shards []timedShard[K, V]
	size   atomic.Int64
}

type timedShard[K comparable, V any] struct {
	sync.Mutex
	limit   int
	entries map[K]timedEntry[V]
}

type timedEntry[V any] struct {
	value V
	until time.Time
}

const timedShards = 64

func newTimed[K comparable, V any](limit int) *timed[K, V] {
	t := &timed[K, V]{seed: maphash.MakeSeed(), shards: make([]timedShard[K, V], timedShards)}
	for i := range t.shards {
		t.shards[i].limit = limit / timedShards
		t.shards[i].entries = map[K]timedEntry[V]{}
	}
	return t
}

func (t *timed[K, V]) empty() bool { return t.size.Load() == 0 }

func (t *timed[K, V]) shard(key K) *timedShard[K, V] {
	return &t.shards[maphash.Comparable(t.seed, key)%timedShards]
}

func (t *timed[K, V]) get(key K, now time.Time) (value V, ok bool) {
	s := t.shard(key)
	s.Lock()
	defer s.Unlock()
	e, ok := s.entries[key]
	if !ok || now.After(e.until) {
		return value, false
	}
	return e.value, true
}

func (t *timed[K, V]) put(key K, value V, until time.Time) {
	s := t.shard(key)
	s.Lock()
	defer s.Unlock()
	before := len(s.entries)
	if _, there := s.entries[key]; !there && before >= s.limit {
		s.makeRoom(until)
	}
	s.entries[key] = timedEntry[V]{value, until}
	t.size.Add(int64(len(s.entries) - before))
}

// makeRoom removes an entry: of a few, in no order, the one that ends first.
func (s *timedShard[K, V]) makeRoom(until time.Time) {
	const looked = 8
	var victim K
	n := 0
	for key, e := range s.entries {
		if n == 0 || e.until.Before(until) {
			victim, until = key, e.until
		}
		if n++; n == looked {
			break
		}
	}
	delete(s.entries, victim)
}
