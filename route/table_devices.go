package route

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// devices is a snapshot of the links and their addresses; it is replaced, never changed.
type devices struct {
	byIndex map[int]*device
	byName  map[string]*device
}

type device struct {
	name  string
	index int
	mtu   int
	addrs Addresses
}

// Addresses are the addresses of one device that packets of the gateway itself may carry.
type Addresses struct {
	IPv4      netip.Addr // primary address, invalid when there is none
	IPv6      netip.Addr // first global address that is ready for use, invalid when there is none
	LinkLocal netip.Addr // IPv6 link-local address, invalid when there is none
}

// Name is the device with index, "" when there is none.
func (t *Table) Name(index int) string {
	if d := t.devices.Load().byIndex[index]; d != nil {
		return d.name
	}
	return ""
}

// Index is the index of device, 0 when there is none.
func (t *Table) Index(name string) int {
	if d := t.devices.Load().byName[name]; d != nil {
		return d.index
	}
	return 0
}

// MTU is the MTU of device in bytes, 0 when there is none.
func (t *Table) MTU(name string) int {
	if d := t.devices.Load().byName[name]; d != nil {
		return d.mtu
	}
	return 0
}

// Addrs are the addresses of device: what source NAT translates to, and what ICMP errors of the
// gateway come from.
func (t *Table) Addrs(name string) Addresses {
	if d := t.devices.Load().byName[name]; d != nil {
		return d.addrs
	}
	return Addresses{}
}

// loadDevices replaces the snapshot.
func (t *Table) loadDevices() error {
	links, err := dump(func() ([]netlink.Link, error) { return t.kernel.LinkList() })
	if err != nil {
		return fmt.Errorf("cannot list interfaces: %w", err)
	}
	addrs, err := dump(func() ([]netlink.Addr, error) { return t.kernel.AddrList(nil, netlink.FAMILY_ALL) })
	if err != nil {
		return fmt.Errorf("cannot list addresses: %w", err)
	}
	snapshot := &devices{map[int]*device{}, map[string]*device{}}
	for _, l := range links {
		a := l.Attrs()
		d := &device{name: a.Name, index: a.Index, mtu: a.MTU}
		snapshot.byIndex[a.Index], snapshot.byName[a.Name] = d, d
	}
	for i := range addrs {
		if d := snapshot.byIndex[addrs[i].LinkIndex]; d != nil {
			d.addrs.add(&addrs[i])
		}
	}
	t.devices.Store(snapshot)
	return nil
}

// add takes a in, where it is the first of its kind. The kernel lists primary addresses first.
func (a *Addresses) add(from *netlink.Addr) {
	addr := address(from.IP)
	const unready = unix.IFA_F_TENTATIVE | unix.IFA_F_DADFAILED | unix.IFA_F_DEPRECATED
	switch {
	case addr.Is4() && !a.IPv4.IsValid() && from.Scope < int(netlink.SCOPE_LINK):
		a.IPv4 = addr
	case addr.Is4(), from.Flags&unready != 0:
	case addr.IsLinkLocalUnicast():
		if !a.LinkLocal.IsValid() {
			a.LinkLocal = addr
		}
	case addr.Is6() && !a.IPv6.IsValid():
		a.IPv6 = addr
	}
}

// dump runs one netlink listing, and again while the kernel says that the list changed
// underneath.
func dump[T any](list func() ([]T, error)) (got []T, err error) {
	const tries = 10
	for range tries {
		if got, err = list(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			return got, err
		}
	}
	return got, err
}
