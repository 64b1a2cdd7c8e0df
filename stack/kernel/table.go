package kernel

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// setTables brings up the TUNs, leads each transit table into its TUN, and fills the table of
// stream services. A TUN that does not exist is an error, but the guard rule keeps its
// interface's packets from going anywhere.
func setTables(d *Desired) error {
	have, err := ourRoutes()
	if err != nil {
		return err
	}
	var errs []error
	want := map[tableRoute]bool{}
	for _, ifc := range d.zoned() {
		link, err := netlink.LinkByName(ifc.Device)
		if err != nil {
			continue // setLinks has told
		}
		tun, err := netlink.LinkByName(ifc.TUN)
		if err == nil && tun.Attrs().Flags&net.FlagUp == 0 {
			err = netlink.LinkSetUp(tun)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("interface %s: its TUN does not work, so nothing passes: %w", ifc.name(), linkError(ifc.TUN, err)))
			continue
		}
		for _, family := range usedFamilies() {
			want[tableRoute{family, transitTable + link.Attrs().Index, tun.Attrs().Index, unix.RTN_UNICAST}] = true
		}
	}
	if d.streams() {
		for _, family := range usedFamilies() {
			lo, err := netlink.LinkByName("lo")
			if err != nil {
				return linkError("lo", err)
			}
			want[tableRoute{family, streamTable, lo.Attrs().Index, unix.RTN_LOCAL}] = true
		}
	}
	found := map[tableRoute]bool{}
	for i := range have {
		r := &have[i]
		if r.Table == unix.RT_TABLE_MAIN {
			continue
		}
		key := tableRoute{r.Family, r.Table, r.LinkIndex, r.Type}
		if found[key] = true; !want[key] {
			errs = append(errs, netlink.RouteDel(r))
		}
	}
	for key := range want {
		if !found[key] {
			errs = append(errs, key.add())
		}
	}
	return errors.Join(errs...)
}

// tableRoute is the default route that is all of one of our tables.
type tableRoute struct {
	family, table, device, kind int
}

func (r tableRoute) add() error {
	everything := netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	scope := netlink.SCOPE_UNIVERSE
	if r.family == netlink.FAMILY_V4 {
		everything = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
		scope = netlink.SCOPE_LINK
		if r.kind == unix.RTN_LOCAL {
			scope = netlink.SCOPE_HOST
		}
	}
	err := netlink.RouteAdd(&netlink.Route{
		Family: r.family, Dst: ipNet(everything), Table: r.table, LinkIndex: r.device,
		Type: r.kind, Scope: scope, Protocol: protocol,
	})
	if err != nil {
		return fmt.Errorf("cannot add the default route of table %d: %w", r.table, err)
	}
	return nil
}

// ourRoutes are the routes of all tables that the gateway made.
func ourRoutes() ([]netlink.Route, error) {
	var list []netlink.Route
	for _, family := range usedFamilies() {
		routes, err := dump(func() ([]netlink.Route, error) {
			return netlink.RouteListFiltered(family, &netlink.Route{Protocol: protocol, Table: unix.RT_TABLE_UNSPEC},
				netlink.RT_FILTER_PROTOCOL|netlink.RT_FILTER_TABLE)
		})
		if err != nil {
			return nil, err
		}
		list = append(list, routes...)
	}
	return list, nil
}

// deleteRoutes removes every route that the gateway made.
func deleteRoutes() error {
	list, err := ourRoutes()
	errs := []error{err}
	for i := range list {
		if err := netlink.RouteDel(&list[i]); err != nil && !errors.Is(err, unix.ESRCH) {
			errs = append(errs, fmt.Errorf("cannot remove route %s: %w", list[i].Dst, err))
		}
	}
	return errors.Join(errs...)
}
