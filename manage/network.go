package manage

import (
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"sluice/manage/api"
	"sluice/manage/view"
	"sluice/store/schema"
)

func showInterfaces(s *Server, r *request) (view.View, error) {
	cfg, _ := s.options.Store.Active()
	zones := zoneOf(cfg)
	answer := &view.Interfaces{Interfaces: []view.Interface{}, Terse: r.args.Has("terse")}
	wanted := r.args["interface"]
	var names []string
	for _, l := range cfg.LogicalInterfaces() {
		names = append(names, l.Name)
		if wanted != "" && l.Name != wanted && !strings.HasPrefix(l.Name, wanted+".") && l.Device != wanted {
			continue
		}
		ifc := interfaceView(l)
		ifc.Zone, ifc.Description = zones[l.Name], description(cfg, l.Name)
		answer.Interfaces = append(answer.Interfaces, ifc)
	}
	if wanted != "" && len(answer.Interfaces) == 0 {
		return nil, &api.Error{Message: fmt.Sprintf("there is no interface %q", wanted), Hint: schema.DidYouMean(wanted, names)}
	}
	return answer, nil
}

// zoneOf maps logical interfaces to their zones.
func zoneOf(cfg *schema.Config) map[string]string {
	zones := map[string]string{}
	for i := range cfg.Security.Zones.SecurityZones {
		z := &cfg.Security.Zones.SecurityZones[i]
		for _, ifc := range z.Interfaces {
			zones[cfg.Logical(ifc.Name).Name] = z.Name
		}
	}
	return zones
}

// description is the text about a logical interface: the unit's, or the interface's.
func description(cfg *schema.Config, name string) string {
	for i := range cfg.Interfaces {
		ifc := &cfg.Interfaces[i]
		for j := range ifc.Units {
			if cfg.Logical(fmt.Sprintf("%s.%d", ifc.Name, ifc.Units[j].Number)).Name != name {
				continue
			}
			if text := ifc.Units[j].Description; text != "" {
				return text
			}
			return ifc.Description
		}
	}
	return ""
}

// interfaceView asks the kernel about l. An interface that does not exist is down.
func interfaceView(l schema.LogicalInterface) view.Interface {
	ifc := view.Interface{Name: l.Name, Device: l.Device, Admin: "down", Link: "down", MTU: l.MTU, Addresses: []string{}}
	link, err := netlink.LinkByName(l.Device)
	if err != nil {
		return ifc
	}
	a := link.Attrs()
	ifc.MTU, ifc.MAC = a.MTU, a.HardwareAddr.String()
	if a.Flags&net.FlagUp != 0 {
		ifc.Admin = "up"
	}
	if a.RawFlags&unix.IFF_LOWER_UP != 0 && ifc.Admin == "up" {
		ifc.Link = "up"
	}
	if st := a.Statistics; st != nil {
		ifc.RxPackets, ifc.RxBytes, ifc.RxDropped = st.RxPackets, st.RxBytes, st.RxDropped
		ifc.TxPackets, ifc.TxBytes, ifc.TxDropped = st.TxPackets, st.TxBytes, st.TxDropped
	}
	addresses, err := netlink.AddrList(link, netlink.FAMILY_ALL)
	if err != nil {
		return ifc
	}
	for _, a := range addresses {
		ifc.Addresses = append(ifc.Addresses, a.IPNet.String())
	}
	return ifc
}

func showRoute(s *Server, r *request) (view.View, error) {
	routes, err := netlink.RouteListFiltered(netlink.FAMILY_ALL, &netlink.Route{Table: unix.RT_TABLE_MAIN}, netlink.RT_FILTER_TABLE)
	if err != nil {
		return nil, fmt.Errorf("routes cannot be read: %w", err)
	}
	cfg, _ := s.options.Store.Active()
	names := map[string]string{}
	for _, l := range cfg.LogicalInterfaces() {
		names[l.Device] = l.Name
	}
	destination := r.address("destination")
	answer := &view.Routes{Routes: []view.Route{}}
	for i := range routes {
		prefix := routePrefix(&routes[i])
		if destination.IsValid() && !prefix.Contains(destination) {
			continue
		}
		answer.Routes = append(answer.Routes, view.Route{
			Destination: prefix.String(), Protocol: routeOrigin(int(routes[i].Protocol)), Metric: routes[i].Priority, NextHops: nextHops(&routes[i], names),
		})
	}
	return answer, nil
}

// routePrefix is the destination of a route of the kernel.
func routePrefix(r *netlink.Route) netip.Prefix {
	if r.Dst == nil {
		if r.Family == netlink.FAMILY_V6 {
			return netip.PrefixFrom(netip.IPv6Unspecified(), 0)
		}
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	addr, _ := netip.AddrFromSlice(r.Dst.IP)
	if r.Family == netlink.FAMILY_V4 {
		addr = addr.Unmap()
	}
	ones, _ := r.Dst.Mask.Size()
	return netip.PrefixFrom(addr, ones)
}

// routeOrigin names who made a route.
func routeOrigin(protocol int) string {
	switch protocol {
	case unix.RTPROT_KERNEL:
		return "Direct"
	case unix.RTPROT_RA:
		return "Router advertisement"
	case unix.RTPROT_DHCP:
		return "DHCP"
	}
	return "Static"
}

// nextHops are where r leads; names are those of logical interfaces by their Linux interface.
func nextHops(r *netlink.Route, names map[string]string) []string {
	switch r.Type {
	case unix.RTN_BLACKHOLE:
		return []string{"Discard"}
	case unix.RTN_UNREACHABLE, unix.RTN_PROHIBIT:
		return []string{"Reject"}
	}
	hop := func(gateway net.IP, index int) string {
		device := fmt.Sprintf("interface %d", index)
		if link, err := netlink.LinkByIndex(index); err == nil {
			device = link.Attrs().Name
		}
		if name, ok := names[device]; ok {
			device = name
		}
		if len(gateway) == 0 {
			return "via " + device
		}
		return "to " + gateway.String() + " via " + device
	}
	if len(r.MultiPath) == 0 {
		return []string{hop(r.Gw, r.LinkIndex)}
	}
	hops := make([]string, len(r.MultiPath))
	for i, p := range r.MultiPath {
		hops[i] = hop(p.Gw, p.LinkIndex)
	}
	return hops
}
