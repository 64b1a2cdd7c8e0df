package kernel

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
)

// maxDeviceName is the longest name the kernel takes for a device, in bytes.
const maxDeviceName = 15

// check refuses what the kernel could not hold or what would be ambiguous.
func (d *Desired) check() error {
	seen := map[string]string{}
	for i := range d.Interfaces {
		ifc := &d.Interfaces[i]
		for _, name := range []string{ifc.Device, ifc.TUN, ifc.Parent} {
			if name != "" && !validDevice(name) {
				return fmt.Errorf("interface %s: %q cannot be the name of a Linux device (1..%d characters, without space, slash, colon, quote, * or \\)", ifc.name(), name, maxDeviceName)
			}
		}
		if ifc.Device == "" {
			return fmt.Errorf("interface %s has no Linux device", ifc.name())
		}
		for _, name := range []string{ifc.Device, ifc.TUN} {
			if other, used := seen[name]; used && name != "" {
				return fmt.Errorf("interfaces %s and %s both use the device %s", other, ifc.name(), name)
			}
			seen[name] = ifc.name()
		}
		if ifc.Parent != "" && (ifc.VLAN < 1 || ifc.VLAN > 4094) {
			return fmt.Errorf("interface %s: VLAN id %d is not in 1..4094", ifc.name(), ifc.VLAN)
		}
		for _, a := range ifc.Addresses {
			if !a.IsValid() {
				return fmt.Errorf("interface %s has an address without prefix length", ifc.name())
			}
		}
		for _, r := range ifc.Inbound {
			if r.PortLow > r.PortHigh {
				return fmt.Errorf("interface %s: port range %d-%d of %s ends before it begins", ifc.name(), r.PortLow, r.PortHigh, r.Name)
			}
		}
	}
	for _, lane := range d.Lanes {
		if other, used := seen[lane.TUN]; used {
			return fmt.Errorf("lane %d and interface %s both use the device %s", lane.Number, other, lane.TUN)
		}
	}
	routes := map[routeKey]bool{}
	for i := range d.Routes {
		r := &d.Routes[i]
		if !r.Destination.IsValid() {
			return fmt.Errorf("static route %d has no destination", i+1)
		}
		if !r.Discard && !r.Reject && len(r.NextHops) == 0 {
			return fmt.Errorf("static route %s has no next-hop, discard or reject", r.Destination)
		}
		for _, h := range r.NextHops {
			if h.Gateway.IsValid() && h.Gateway.Unmap().Is4() != r.Destination.Addr().Is4() {
				return fmt.Errorf("static route %s: next-hop %s is of the other address family", r.Destination, h.Gateway)
			}
		}
		if routes[r.key()] {
			return fmt.Errorf("static route %s is there twice with metric %d", r.Destination, r.Metric)
		}
		routes[r.key()] = true
	}
	return nil
}

// name is the interface as the user knows it.
func (i *Interface) name() string {
	if i.Logical != "" {
		return i.Logical
	}
	return i.Device
}

// zoned are the interfaces whose packets go through the gateway.
func (d *Desired) zoned() []*Interface {
	var list []*Interface
	for i := range d.Interfaces {
		if d.Interfaces[i].TUN != "" {
			list = append(list, &d.Interfaces[i])
		}
	}
	return list
}

// tuns are the TUNs that packets in transit come from.
func (d *Desired) tuns() []string {
	var list []string
	for _, ifc := range d.zoned() {
		list = append(list, ifc.TUN)
	}
	for _, lane := range d.Lanes {
		list = append(list, lane.TUN)
	}
	return list
}

// translates says whether any interface is the egress of source NAT.
func (d *Desired) translates() bool {
	return slices.ContainsFunc(d.zoned(), func(i *Interface) bool { return i.NATEgress })
}

// validDevice says whether the kernel and the nft language both take name as it is; nft reads
// quotes, backslashes and * as more than themselves.
func validDevice(name string) bool {
	if len(name) > maxDeviceName || name == "." || name == ".." {
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune(`/:"*\`, r)
	})
}

// shortHash tells names apart that are too long to be part of another name.
func shortHash(s string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(s))
	return h.Sum32()
}
