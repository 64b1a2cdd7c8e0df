// Package route decides the way out of a session.
package route

import (
	"errors"
	"fmt"
	"hash/maphash"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Egress is the way out to one destination, as the kernel's routing tables have it.
type Egress struct {
	Device  string     // Linux interface that packets leave by
	Index   int        // its index
	Gateway netip.Addr // next hop, invalid when the destination is on the link
	Source  netip.Addr // address the kernel would send from

	Local       bool  // the destination is an address of the gateway itself
	Unreachable bool  // there is no way
	Silent      bool  // unreachable, and nobody is to be told (discard routes, multicast)
	Code        uint8 // unreachable: the code of the ICMP or ICMPv6 destination unreachable that fits
}

// Cache geometry: a destination may be in either of two neighbouring slots. 64 Ki destinations
// take at most 8 MiB.
const cacheSlots = 1 << 16

// Table looks ways out up, as routes stand at this moment. What the kernel said is kept until
// anything about routes, rules, addresses or links changes.
type Table struct {
	generation atomic.Uint64 // counts changes; an entry of an earlier one is void
	slots      [cacheSlots]atomic.Pointer[cached]
	seed       maphash.Seed
	devices    atomic.Pointer[devices]

	kernel *netlink.Handle // asks
	news   *nl.NetlinkSocket
	done   sync.WaitGroup
	closed atomic.Bool
}

type cached struct {
	destination netip.Addr
	generation  uint64
	egress      Egress
}

// NewTable starts to watch the network namespace of the calling thread.
func NewTable() (*Table, error) {
	news, err := subscribe()
	if err != nil {
		return nil, fmt.Errorf("cannot watch routes: %w", err)
	}
	kernel, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		news.Close()
		return nil, fmt.Errorf("cannot ask for routes: %w", err)
	}
	t := &Table{seed: maphash.MakeSeed(), kernel: kernel, news: news}
	if err := t.loadDevices(); err != nil {
		t.Close()
		return nil, err
	}
	t.done.Go(t.watch)
	return t, nil
}

// Close stops watching. Lookups afterwards are not allowed.
func (t *Table) Close() error {
	if !t.closed.Swap(true) {
		t.news.Close()
		t.done.Wait()
		t.kernel.Close()
	}
	return nil
}

// Generation changes whenever a way out may have changed, so that who keeps an Egress knows when
// to look again.
func (t *Table) Generation() uint64 { return t.generation.Load() }

// Lookup is the way out to destination. A hit takes no lock and allocates nothing; a miss asks
// the kernel, which takes some microseconds.
func (t *Table) Lookup(destination netip.Addr) Egress {
	generation := t.generation.Load()
	slot := maphash.Comparable(t.seed, destination) % cacheSlots
	first, second := &t.slots[slot], &t.slots[slot^1]
	for _, s := range [...]*atomic.Pointer[cached]{first, second} {
		if c := s.Load(); c != nil && c.generation == generation && c.destination == destination {
			return c.egress
		}
	}
	egress, ok := t.ask(destination)
	if !ok {
		return egress
	}
	// A change during the question has made generation old, and so the entry void.
	entry := &cached{destination, generation, egress}
	if c := first.Load(); c != nil && c.generation == generation {
		second.Store(entry)
	} else {
		first.Store(entry)
	}
	return egress
}

// ask asks the kernel. No interface is given that the packet came in by, so the gateway's own
// rules, which lead packets from interfaces into TUNs, do not apply. It reports false for an
// answer that is not worth keeping.
func (t *Table) ask(destination netip.Addr) (Egress, bool) {
	destination = destination.Unmap().WithZone("")
	if !destination.IsValid() || destination.IsMulticast() || destination.IsLinkLocalUnicast() || destination.IsUnspecified() {
		return Egress{Unreachable: true, Silent: true}, true
	}
	routes, err := t.kernel.RouteGet(net.IP(destination.AsSlice()))
	if err != nil {
		return refused(destination, err)
	}
	if len(routes) == 0 {
		return refused(destination, unix.ENETUNREACH)
	}
	r := &routes[0]
	egress := Egress{Index: r.LinkIndex, Device: t.Name(r.LinkIndex), Gateway: address(r.Gw), Source: address(r.Src)}
	if egress.Device == "" { // so new that its news is still to come
		if link, err := t.kernel.LinkByIndex(r.LinkIndex); err == nil {
			egress.Device = link.Attrs().Name
		}
	}
	if via, ok := r.Via.(*netlink.Via); ok {
		egress.Gateway = address(via.Addr)
	}
	switch r.Type {
	case unix.RTN_UNICAST:
	case unix.RTN_LOCAL:
		egress.Local = true
	case unix.RTN_UNREACHABLE:
		return refused(destination, unix.EHOSTUNREACH)
	case unix.RTN_PROHIBIT:
		return refused(destination, unix.EACCES)
	default: // broadcast, anycast, blackhole
		return Egress{Unreachable: true, Silent: true}, true
	}
	return egress, true
}

// refused translates the kernel's refusal into what it would tell the sender of a packet.
func refused(destination netip.Addr, err error) (Egress, bool) {
	const (
		net4, host4, prohibited4    = 0, 1, 13
		noRoute6, address6, policy6 = 0, 3, 1
	)
	v4 := destination.Is4()
	pick := func(code4, code6 uint8) (Egress, bool) {
		code := code6
		if v4 {
			code = code4
		}
		return Egress{Unreachable: true, Code: code}, true
	}
	switch {
	case errors.Is(err, unix.EINVAL): // blackhole
		return Egress{Unreachable: true, Silent: true}, true
	case errors.Is(err, unix.EHOSTUNREACH):
		return pick(host4, address6)
	case errors.Is(err, unix.EACCES):
		return pick(prohibited4, policy6)
	case errors.Is(err, unix.ENETUNREACH), errors.Is(err, unix.ENETDOWN):
		return pick(net4, noRoute6)
	}
	egress, _ := pick(net4, noRoute6)
	return egress, false
}

// address is ip as a netip.Addr, invalid when there is none.
func address(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap()
}
