package capture

import (
	"net/netip"
	"sync"
	"time"
)

// server is what sessions that repeat each other have in common.
type server struct {
	address  netip.AddrPort
	protocol uint8
}

// repeats remember how often sessions of servers were captured.
type repeats struct {
	mu      sync.Mutex
	servers map[server]*repeat
	order   []server // by the end of their time
	expired uint64   // entries since the counters were cleared
}

// repeat is one server, from its first capture until that was an interval ago.
type repeat struct {
	captures int
	until    time.Time
}

// refuses says whether a server was captured as often as it may be.
func (r *repeats) refuses(k server, now time.Time, s *settings) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	entry := r.find(k, now)
	return entry != nil && entry.captures >= int(s.CaptureLimit)
}

// take counts a capture of a server, if there may be another.
func (r *repeats) take(k server, now time.Time, s *settings) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	entry := r.find(k, now)
	if entry == nil {
		if len(r.servers) >= maxServers {
			return false // many servers, and each was captured
		}
		entry = &repeat{until: now.Add(s.interval)}
		r.servers[k] = entry
		r.order = append(r.order, k)
	}
	if entry.captures >= int(s.CaptureLimit) {
		return false
	}
	entry.captures++
	return true
}

// find returns the entry of a server, or nil; mu is held.
func (r *repeats) find(k server, now time.Time) *repeat {
	r.sweep(now)
	return r.servers[k]
}

// sweep forgets the servers whose time is over; mu is held.
func (r *repeats) sweep(now time.Time) {
	for len(r.order) > 0 && !now.Before(r.servers[r.order[0]].until) {
		delete(r.servers, r.order[0])
		r.order = r.order[1:]
		r.expired++
	}
}

// expire forgets the servers whose time is over.
func (r *repeats) expire(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sweep(now)
}

// resize lets no entry live longer than interval from now.
func (r *repeats) resize(now time.Time, interval time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, entry := range r.servers {
		if latest := now.Add(interval); entry.until.After(latest) {
			entry.until = latest
		}
	}
}

// forget forgets every server, as its captures are gone.
func (r *repeats) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.servers)
	r.order = nil
}
