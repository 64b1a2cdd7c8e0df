package proxy

import (
	"net/netip"
	"sync"

	"sluice/policy"
)

// Users knows who sends from an address. No call may block.
type Users interface {
	// Lookup is the user of an address, or nil.
	Lookup(netip.Addr) *policy.User
}

// userOf is who sends from addr, or nil.
func (e *Engine) userOf(addr netip.Addr) *policy.User {
	if e.users == nil {
		return nil
	}
	return e.users.Lookup(addr)
}

// userChanges are addresses whose users are others now, and whose sessions are still to be judged
// again. One pass over the table takes all that have come together.
type userChanges struct {
	sync.Mutex
	addrs   map[netip.Addr]bool
	running bool
	done    sync.WaitGroup
}

// UsersChanged has the running sessions of addresses judged again, as their users are others now: a
// session moves to the policy that permits it, or ends. It does not wait for that.
func (e *Engine) UsersChanged(addrs []netip.Addr) {
	u := &e.userChanges
	u.Lock()
	defer u.Unlock()
	if u.addrs == nil {
		u.addrs = make(map[netip.Addr]bool)
	}
	for _, addr := range addrs {
		u.addrs[addr] = true
	}
	if !u.running && !e.stopping.Load() {
		u.running = true
		u.done.Go(e.followUsers)
	}
}

// followUsers works until no address is left.
func (e *Engine) followUsers() {
	u := &e.userChanges
	for {
		u.Lock()
		addrs := u.addrs
		u.addrs = nil
		u.running = len(addrs) > 0
		u.Unlock()
		cfg := e.config.Load()
		if len(addrs) == 0 || cfg == nil {
			return
		}
		r := newRematch(cfg)
		e.table.each(func(s *Session) bool {
			addr := s.client().Addr()
			if !addrs[addr] || s.has(stateClosing) {
				return true
			}
			if user := e.userOf(addr); s.user.Load() != user {
				r.judge(e, s, user, true)
			}
			return true
		})
	}
}

// noteUser makes sure that a session that has just entered the table has the user that its address
// has now, as the change may have passed over it.
func (e *Engine) noteUser(s *Session) {
	if addr := s.client().Addr(); e.userOf(addr) != s.user.Load() {
		e.UsersChanged([]netip.Addr{addr})
	}
}
