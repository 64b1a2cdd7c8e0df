package policy

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sluice/store/schema"
)

// How often domain names are looked up: when their records expire, within these bounds, and a
// while after a failure.
const (
	shortestLife = 5 * time.Second
	longestLife  = 24 * time.Hour
	retryAfter   = 30 * time.Second
	quickRetries = 5 // the first failures in a row are followed sooner, half as soon each time
	maxLookups   = 8 // at the same time
)

// A Resolver looks up the addresses of domain names.
type Resolver interface {
	// Resolve returns the addresses of one family that name has, and how long they hold. A name
	// without addresses of the family is no error; a server that fails or does not answer is.
	Resolve(ctx context.Context, name string, family Family) ([]netip.Addr, time.Duration, error)
}

// Family is an address family.
type Family uint8

// The address families.
const (
	IPv4 Family = 4
	IPv6 Family = 6
)

// nameKey is a domain name as address books give it.
type nameKey struct {
	name               string // lower case, without the final dot
	ipv4Only, ipv6Only bool
}

// keyOf is the key of a domain name in an address book.
func keyOf(n *schema.DNSName) nameKey {
	return nameKey{name: strings.ToLower(strings.TrimSuffix(n.Name, ".")), ipv4Only: n.IPv4Only, ipv6Only: n.IPv6Only}
}

// families are those whose addresses are wanted.
func (k nameKey) families() []Family {
	switch {
	case k.ipv4Only:
		return []Family{IPv4}
	case k.ipv6Only:
		return []Family{IPv6}
	}
	return []Family{IPv4, IPv6}
}

// nameEntry is a domain name and the addresses it has now.
type nameEntry struct {
	key   nameKey
	addrs atomic.Pointer[[]netip.Addr]
	stop  context.CancelFunc // of its follower; nil when nobody follows it
}

// addresses are the last known addresses, sorted; none before the first answer.
func (n *nameEntry) addresses() []netip.Addr {
	if p := n.addrs.Load(); p != nil {
		return *p
	}
	return nil
}

// names follows the domain names of the active engine.
type names struct {
	resolver        Resolver
	shortest, retry time.Duration
	lookups         chan struct{} // limits lookups at the same time

	mu       sync.Mutex
	followed map[nameKey]*nameEntry
	engine   *Engine
	closed   bool
	running  sync.WaitGroup
}

// newNames follows nothing yet.
func newNames() *names {
	return &names{
		resolver: SystemResolver{},
		shortest: shortestLife, retry: retryAfter,
		lookups:  make(chan struct{}, maxLookups),
		followed: map[nameKey]*nameEntry{},
	}
}

// entry is the followed entry of key, or a new one.
func (n *names) entry(key nameKey) *nameEntry {
	n.mu.Lock()
	defer n.mu.Unlock()
	if e := n.followed[key]; e != nil {
		return e
	}
	return &nameEntry{key: key}
}

// Addresses are the addresses that a domain name of an address book has now; none while they are
// not known.
func (s *State) Addresses(n *schema.DNSName) []netip.Addr {
	s.names.mu.Lock()
	defer s.names.mu.Unlock()
	if e := s.names.followed[keyOf(n)]; e != nil {
		return e.addresses()
	}
	return nil
}

// follow makes e's names the followed ones.
func (n *names) follow(e *Engine) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return
	}
	n.engine = e
	wanted := map[nameKey]bool{}
	for _, entry := range e.names {
		wanted[entry.key] = true
		known := n.followed[entry.key]
		if known == entry {
			continue
		}
		if known != nil { // e was compiled before the engine that made known took over
			entry.addrs.Store(known.addrs.Load())
			known.stop()
		}
		ctx, cancel := context.WithCancel(context.Background())
		entry.stop = cancel
		n.followed[entry.key] = entry
		n.running.Go(func() { n.run(ctx, entry) })
	}
	for key, entry := range n.followed {
		if !wanted[key] {
			entry.stop()
			delete(n.followed, key)
		}
	}
	e.refreshNames()
}

// run keeps the addresses of entry current until ctx ends. The addresses of a family whose
// lookup fails stay as they are.
func (n *names) run(ctx context.Context, entry *nameEntry) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	failures := 0 // in a row
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		addrs, wait, failed := n.resolve(ctx, entry)
		if ctx.Err() != nil {
			return
		}
		n.publish(entry, addrs)
		failures++
		if !failed {
			failures = 0
		} else if failures <= quickRetries {
			wait = min(wait, n.retry>>(quickRetries-failures+1))
		}
		timer.Reset(wait)
	}
}

// resolve looks up every family of entry, and says when to do so again and whether a lookup failed.
func (n *names) resolve(ctx context.Context, entry *nameEntry) (addrs []netip.Addr, wait time.Duration, failed bool) {
	select {
	case n.lookups <- struct{}{}:
		defer func() { <-n.lookups }()
	case <-ctx.Done():
		return nil, 0, false
	}
	wait = longestLife
	for _, family := range entry.key.families() {
		found, life, err := n.resolver.Resolve(ctx, entry.key.name, family)
		if err != nil {
			found, life, failed = entry.family(family), n.retry, true
		}
		for _, a := range found {
			addrs = append(addrs, a.Unmap())
		}
		wait = min(wait, max(life, n.shortest))
	}
	slices.SortFunc(addrs, netip.Addr.Compare)
	return slices.Compact(addrs), wait, failed
}

// family is the known addresses of one family.
func (n *nameEntry) family(f Family) []netip.Addr {
	var list []netip.Addr
	for _, a := range n.addresses() {
		if a.Is4() == (f == IPv4) {
			list = append(list, a)
		}
	}
	return list
}

// publish gives entry its addresses, and the active engine its new tables when they changed.
func (n *names) publish(entry *nameEntry, addrs []netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if slices.Equal(entry.addresses(), addrs) {
		return
	}
	entry.addrs.Store(&addrs)
	n.engine.refreshNames()
}

// close ends every follower and waits for them.
func (n *names) close() {
	n.mu.Lock()
	n.closed = true
	for _, entry := range n.followed {
		entry.stop()
	}
	n.mu.Unlock()
	n.running.Wait()
}
