package kernel

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// defaultMetric6 is the metric that the kernel gives an IPv6 route that has none.
const defaultMetric6 = 1024

// routeKey is what the kernel tells the routes of a table apart by.
type routeKey struct {
	destination netip.Prefix
	metric      uint32
}

func (r *Route) key() routeKey {
	k := routeKey{r.Destination.Masked(), r.Metric}
	if k.metric == 0 && k.destination.Addr().Is6() {
		k.metric = defaultMetric6
	}
	return k
}

// setStaticRoutes adds, changes and removes the static routes of the main table.
func setStaticRoutes(d *Desired) error {
	list, err := ourRoutes()
	if err != nil {
		return err
	}
	var errs []error
	have := map[routeKey]*netlink.Route{}
	for i := range list {
		if list[i].Table == unix.RT_TABLE_MAIN {
			have[keyOf(&list[i])] = &list[i]
		}
	}
	want := map[routeKey]bool{}
	for i := range d.Routes {
		r := &d.Routes[i]
		want[r.key()] = true
		if err := r.set(have[r.key()]); err != nil {
			errs = append(errs, fmt.Errorf("static route %s: %w", r.Destination, err))
		}
	}
	for key, route := range have {
		if want[key] {
			continue
		}
		if err := netlink.RouteDel(route); err != nil && !errors.Is(err, unix.ESRCH) {
			errs = append(errs, fmt.Errorf("cannot remove static route %s: %w", key.destination, err))
		}
	}
	return errors.Join(errs...)
}

// set adds the route, or changes the one of ours that stands in its place.
func (r *Route) set(have *netlink.Route) error {
	want, err := r.toNetlink()
	if err != nil {
		return err
	}
	if have != nil && sameWay(have, want) {
		return nil
	}
	if have != nil {
		err = netlink.RouteReplace(want)
	} else {
		err = netlink.RouteAdd(want)
	}
	switch {
	case errors.Is(err, unix.EEXIST):
		return errors.New("there is already a route to this destination that was not made by statements: set another metric")
	case errors.Is(err, unix.ENETUNREACH), errors.Is(err, unix.EHOSTUNREACH), errors.Is(err, unix.EINVAL) && len(r.NextHops) > 0:
		return fmt.Errorf("next-hop %s is not on the network of any interface that is up", r.hops())
	case errors.Is(err, unix.ENETDOWN):
		return fmt.Errorf("the interface to next-hop %s is down", r.hops())
	}
	return err
}

func (r *Route) toNetlink() (*netlink.Route, error) {
	key := r.key()
	out := &netlink.Route{
		Family: netlink.FAMILY_V6, Dst: ipNet(key.destination), Priority: int(key.metric),
		Table: unix.RT_TABLE_MAIN, Protocol: protocol, Type: unix.RTN_UNICAST,
	}
	if key.destination.Addr().Is4() {
		out.Family = netlink.FAMILY_V4
	}
	switch {
	case r.Discard:
		out.Type = unix.RTN_BLACKHOLE
		return out, nil
	case r.Reject:
		out.Type = unix.RTN_UNREACHABLE
		return out, nil
	}
	for _, h := range r.NextHops {
		hop := &netlink.NexthopInfo{}
		if h.Gateway.IsValid() {
			hop.Gw = h.Gateway.Unmap().AsSlice()
		}
		if h.Device != "" {
			link, err := netlink.LinkByName(h.Device)
			if err != nil {
				return nil, linkError(h.Device, err)
			}
			hop.LinkIndex = link.Attrs().Index
		}
		out.MultiPath = append(out.MultiPath, hop)
	}
	if len(out.MultiPath) == 1 {
		hop := out.MultiPath[0]
		out.MultiPath, out.Gw, out.LinkIndex = nil, hop.Gw, hop.LinkIndex
		if hop.Gw == nil && out.Family == netlink.FAMILY_V4 {
			out.Scope = netlink.SCOPE_LINK
		}
	}
	return out, nil
}

// hops are the next-hops as typed.
func (r *Route) hops() string {
	var names []string
	for _, h := range r.NextHops {
		if h.Gateway.IsValid() {
			names = append(names, h.Gateway.String())
		} else {
			names = append(names, h.Device)
		}
	}
	return strings.Join(names, ", ")
}

func keyOf(r *netlink.Route) routeKey {
	addr, _ := netip.AddrFromSlice(r.Dst.IP)
	bits, _ := r.Dst.Mask.Size()
	return routeKey{netip.PrefixFrom(addr.Unmap(), bits), uint32(r.Priority)}
}

// sameWay says whether have leads where want does; the kernel fills in the device of a gateway.
func sameWay(have, want *netlink.Route) bool {
	if have.Type != want.Type {
		return false
	}
	if want.Type != unix.RTN_UNICAST {
		return true
	}
	return slices.EqualFunc(hopsOf(have), hopsOf(want), func(h, w *netlink.NexthopInfo) bool {
		return h.Gw.Equal(w.Gw) && (w.LinkIndex == 0 || h.LinkIndex == w.LinkIndex)
	})
}

func hopsOf(r *netlink.Route) []*netlink.NexthopInfo {
	if len(r.MultiPath) > 0 {
		return r.MultiPath
	}
	return []*netlink.NexthopInfo{{Gw: r.Gw, LinkIndex: r.LinkIndex}}
}
