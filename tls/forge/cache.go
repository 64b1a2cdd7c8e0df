package forge

import (
	"container/list"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// DefaultSize is how many certificates a cache holds.
	DefaultSize = 4000
	// DefaultTimeout is how long it holds one.
	DefaultTimeout = 600 * time.Second
	// sweepEvery is how often certificates are removed whose time is over.
	sweepEvery = time.Minute
)

// Order is what a forged certificate is made from, and for whom.
type Order struct {
	// Profile is the proxy profile's initiation identifier; certificates are not shared among profiles.
	Profile   uint32
	Server    *x509.Certificate
	Authority *Authority
	Kind      Kind
	KeyType   KeyType
	// Name is the host that the client asked for; it may be empty.
	Name string
	// Verdict is what was found about the server, kept for those who list the cache.
	Verdict uint16
	// Updates is how many revocation lists had been taken in by then.
	Updates uint64
}

// key is what makes two orders the same.
type key struct {
	profile   uint32
	server    [sha256.Size]byte
	authority [sha256.Size]byte
	kind      Kind
	keyType   KeyType
	verdict   uint16
	name      string // only where the certificate depends on it
}

func (o *Order) key() key {
	k := key{profile: o.Profile, server: sha256.Sum256(o.Server.Raw), kind: o.Kind, keyType: o.KeyType, verdict: o.Verdict}
	if o.Authority != nil {
		k.authority = sha256.Sum256(o.Authority.Certificate.Raw)
	}
	if len(o.Server.DNSNames)+len(o.Server.IPAddresses) > maxNames {
		k.name = o.Name
	}
	return k
}

// Entry is a certificate in the cache, as it is listed.
type Entry struct {
	Certificate *Certificate
	Profile     uint32
	Verdict     uint16
	Updates     uint64
	// Uses is how many handshakes had it, with the one that it was made for.
	Uses    uint64
	Expires time.Time
}

// Statistics count what a cache did since it was made.
type Statistics struct {
	Hits, Misses uint64
	// Full is how often an entry had to go before its time to make room for another.
	Full uint64
	// Entries are in the cache now, of at most Size.
	Entries, Size int
}

// Cache keeps forged certificates for a time, and makes each only once however many ask for it at once.
// It is safe for concurrent use.
type Cache struct {
	minter       *Minter
	size         int
	now          func() time.Time
	hits, misses atomic.Uint64
	full         atomic.Uint64

	mu      sync.Mutex
	timeout time.Duration // 0: nothing is kept
	swept   time.Time     // when certificates whose time is over were last removed
	entries map[key]*list.Element
	recent  *list.List // of *slot, the last used one first
}

// slot is a place in the cache, whose certificate may still be in the making.
type slot struct {
	key     key
	updates uint64
	expires time.Time
	uses    atomic.Uint64
	made    chan struct{}
	result  *Certificate // result and err are set when made is closed
	err     error
}

// errUnmade is what those are told who waited for a certificate whose making broke off.
var errUnmade = errors.New("the certificate was not made")

// NewCache returns an empty cache for size certificates of a minter, with DefaultTimeout.
func NewCache(m *Minter, size int) *Cache {
	return &Cache{minter: m, size: size, now: time.Now, timeout: DefaultTimeout, entries: map[key]*list.Element{}, recent: list.New()}
}

// SetTimeout sets how long certificates are kept that are made from now on; 0: nothing is kept.
func (c *Cache) SetTimeout(d time.Duration) {
	c.mu.Lock()
	c.timeout = d
	c.mu.Unlock()
	if d <= 0 {
		c.Clear()
	}
}

// Get returns the forged certificate for an order, and whether the cache had it.
func (c *Cache) Get(o Order) (cert *Certificate, hit bool, err error) {
	k := o.key()
	c.mu.Lock()
	if c.timeout <= 0 {
		c.mu.Unlock()
		cert, err = c.minter.mint(o)
		return cert, false, err
	}
	now := c.now()
	if e, is := c.entries[k]; is {
		s := e.Value.(*slot)
		if now.Before(s.expires) {
			c.recent.MoveToFront(e)
			c.mu.Unlock()
			<-s.made
			if s.err == nil {
				s.uses.Add(1)
				c.hits.Add(1)
			}
			return s.result, true, s.err
		}
		c.remove(e)
	}
	s := &slot{key: k, updates: o.Updates, expires: now.Add(c.timeout), made: make(chan struct{}), err: errUnmade}
	e := c.recent.PushFront(s)
	c.entries[k] = e
	c.sweep(now)
	c.makeRoom(now)
	c.mu.Unlock()
	c.misses.Add(1)
	s.uses.Store(1)
	defer func() {
		close(s.made)
		if s.err != nil {
			c.mu.Lock()
			c.remove(e)
			c.mu.Unlock()
		}
	}()
	s.result, s.err = c.minter.mint(o)
	return s.result, false, s.err
}

// makeRoom removes the entry that was not used for longest while there are too many; c.mu is held.
func (c *Cache) makeRoom(now time.Time) {
	for c.recent.Len() > c.size {
		oldest := c.recent.Back()
		if now.Before(oldest.Value.(*slot).expires) {
			c.full.Add(1)
		}
		c.remove(oldest)
	}
}

// remove takes an entry out, unless it is out already; c.mu is held.
func (c *Cache) remove(e *list.Element) {
	s := e.Value.(*slot)
	if c.entries[s.key] == e {
		delete(c.entries, s.key)
		c.recent.Remove(e)
	}
}

// Flush removes the certificates of a profile.
func (c *Cache) Flush(profile uint32) {
	c.removeWhere(func(s *slot) bool { return s.key.profile == profile })
}

// Clear removes all certificates.
func (c *Cache) Clear() { c.removeWhere(func(*slot) bool { return true }) }

// sweep removes the certificates whose time is over, if that was not done lately; c.mu is held.
func (c *Cache) sweep(now time.Time) {
	if now.Sub(c.swept) < sweepEvery {
		return
	}
	c.swept = now
	c.removeAll(func(s *slot) bool { return !now.Before(s.expires) })
}

func (c *Cache) removeWhere(is func(*slot) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.removeAll(is)
}

// removeAll removes entries of a kind; c.mu is held.
func (c *Cache) removeAll(is func(*slot) bool) {
	for e := c.recent.Front(); e != nil; {
		next := e.Next()
		if is(e.Value.(*slot)) {
			c.remove(e)
		}
		e = next
	}
}

// List are the certificates in the cache, the last used one first.
func (c *Cache) List() []Entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	var all []Entry
	for e := c.recent.Front(); e != nil; e = e.Next() {
		s := e.Value.(*slot)
		select {
		case <-s.made:
			if s.err == nil && now.Before(s.expires) {
				all = append(all, Entry{
					Certificate: s.result, Profile: s.key.profile, Verdict: s.key.verdict,
					Updates: s.updates, Uses: s.uses.Load(), Expires: s.expires,
				})
			}
		default: // still in the making
		}
	}
	return all
}

// Statistics are the counters of the cache.
func (c *Cache) Statistics() Statistics {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sweep(c.now())
	return Statistics{
		Hits: c.hits.Load(), Misses: c.misses.Load(), Full: c.full.Load(),
		Entries: c.recent.Len(), Size: c.size,
	}
}

func (m *Minter) mint(o Order) (*Certificate, error) {
	return m.Mint(o.Server, o.Authority, o.Kind, o.KeyType, o.Name)
}
