package appid

import (
	"sync"
	"sync/atomic"
	"time"

	"sluice/classify"
	"sluice/sigpack"
)

// Counters count what identification has done since the last reset.
type Counters struct {
	Since time.Time `json:"since"`
	// Sessions that identification began with.
	Sessions uint64 `json:"sessions"`
	// Identified sessions have an application; the others are Unknown, some of them encrypted.
	Identified       uint64 `json:"identified"`
	Unknown          uint64 `json:"unknown"`
	EncryptedUnknown uint64 `json:"encrypted-unknown"`
	// CacheHits and CacheMisses are lookups in the application system cache on behalf of services.
	CacheHits   uint64 `json:"cache-hits"`
	CacheMisses uint64 `json:"cache-misses"`
	// Packets and Bytes of payload that were looked at.
	Packets uint64 `json:"packets"`
	Bytes   uint64 `json:"bytes"`
	// DecoderFailures are sessions whose inspection failed.
	DecoderFailures uint64 `json:"decoder-failures"`
}

// counters are kept in parts, so that cores do not wait for each other.
type counters struct {
	parts [partCount]part

	since          atomic.Int64 // nanoseconds since 1970
	failuresBefore atomic.Int64 // the last reset
}

const partCount = 64

// part is what concerns the sessions of some clients. It fills two cache lines.
type part struct {
	mu    sync.Mutex
	flows map[*classify.Flow]*generation // of sessions under detection: what they began with

	sessions                              atomic.Uint64
	identified, unknown, encryptedUnknown atomic.Uint64
	hits, misses                          atomic.Uint64
	packets, bytes                        atomic.Uint64
	_                                     [48]byte
}

// part is where a session is counted.
func (c *counters) part(m *classify.Meta) *part { return &c.parts[m.Client.Port()%partCount] }

// begun notes what a session under detection began with.
func (p *part) begun(f *classify.Flow, g *generation) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.flows == nil {
		p.flows = map[*classify.Flow]*generation{}
	}
	p.flows[f] = g
}

// decided forgets a session, as its answer is final.
func (p *part) decided(f *classify.Flow) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.flows, f)
}

// underDetection is the number of sessions whose answer is not final, by the package that they
// began with.
func (c *counters) underDetection() map[*sigpack.Package]int64 {
	sums := map[*sigpack.Package]int64{}
	for i := range c.parts {
		p := &c.parts[i]
		p.mu.Lock()
		for _, g := range p.flows {
			sums[g.pack]++
		}
		p.mu.Unlock()
	}
	return sums
}

// lookup counts one in the cache.
func (p *part) lookup(hit bool) {
	if hit {
		p.hits.Add(1)
	} else {
		p.misses.Add(1)
	}
}

// Counters are the counters now.
func (s *Service) Counters() Counters {
	c := &s.counters
	sum := Counters{Since: time.Unix(0, c.since.Load()), DecoderFailures: uint64(s.state.Failures() - c.failuresBefore.Load())}
	for i := range c.parts {
		p := &c.parts[i]
		sum.Sessions += p.sessions.Load()
		sum.Identified += p.identified.Load()
		sum.Unknown += p.unknown.Load()
		sum.EncryptedUnknown += p.encryptedUnknown.Load()
		sum.CacheHits += p.hits.Load()
		sum.CacheMisses += p.misses.Load()
		sum.Packets += p.packets.Load()
		sum.Bytes += p.bytes.Load()
	}
	return sum
}

// ResetCounters makes the counters zero.
func (s *Service) ResetCounters() {
	c := &s.counters
	for i := range c.parts {
		p := &c.parts[i]
		for _, n := range [...]*atomic.Uint64{&p.sessions, &p.identified, &p.unknown, &p.encryptedUnknown, &p.hits, &p.misses, &p.packets, &p.bytes} {
			n.Store(0)
		}
	}
	c.failuresBefore.Store(s.state.Failures())
	c.since.Store(s.clock().UnixNano())
}
