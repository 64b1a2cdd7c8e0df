package schema

import (
	"net/netip"
	"strconv"
	"strings"
)

// LogicalInterface is one logical interface as statements name it, and the Linux interface behind it.
type LogicalInterface struct {
	Name      string         // as statements and commands show it: "ge-0/0/1.0", "eth1"
	Device    string         // Linux interface: "eth1", or "eth1.100" for unit 100
	Parent    string         // Linux interface a VLAN stands on, "" for unit 0
	VLAN      uint16         // 802.1Q id, 0 for none
	MTU       int            // bytes, 0 to leave it as it is
	Disabled  bool           // to be taken down
	Addresses []netip.Prefix // to be set on the device, in order
}

// LogicalInterfaces lists every logical interface that the interfaces statements or the zones
// name, each once, in the order of its first mention.
func (c *Config) LogicalInterfaces() []LogicalInterface {
	var list []LogicalInterface
	at := map[string]int{}
	for i := range c.Interfaces {
		ifc := &c.Interfaces[i]
		for j := range ifc.Units {
			u := &ifc.Units[j]
			l := ifc.logical(u.Number)
			for _, f := range []*InetFamily{u.Family.Inet, u.Family.Inet6} {
				if f == nil {
					continue
				}
				if f.MTU != 0 {
					l.MTU = int(f.MTU)
				}
				for _, a := range f.Addresses {
					l.Addresses = append(l.Addresses, a.Prefix.Prefix)
				}
			}
			at[l.Name] = len(list)
			list = append(list, l)
		}
	}
	for i := range c.Security.Zones.SecurityZones {
		for _, z := range c.Security.Zones.SecurityZones[i].Interfaces {
			l := c.Logical(z.Name)
			if _, known := at[l.Name]; !known {
				at[l.Name] = len(list)
				list = append(list, l)
			}
		}
	}
	return list
}

// Logical resolves one logical interface name: NAME.UNIT of a configured interface, NAME alone
// for its unit 0, or a Linux interface that no interfaces statement mentions.
func (c *Config) Logical(name string) LogicalInterface {
	base, unit := name, uint16(0)
	if dot := strings.LastIndexByte(name, '.'); dot > 0 {
		if n, err := strconv.ParseUint(name[dot+1:], 10, 12); err == nil {
			base, unit = name[:dot], uint16(n)
		}
	}
	for i := range c.Interfaces {
		if c.Interfaces[i].Name == base {
			l := c.Interfaces[i].logical(unit)
			return l
		}
	}
	anonymous := Interface{Name: base}
	l := anonymous.logical(unit)
	if unit == 0 {
		l.Name = base
	}
	return l
}

// logical is unit of the interface. A guide name shows its unit always, a Linux name only when
// it is a VLAN.
func (i *Interface) logical(unit uint16) LogicalInterface {
	l := LogicalInterface{Name: i.Name, Device: i.Device, MTU: int(i.MTU), Disabled: i.Disable}
	if l.Device == "" {
		l.Device = i.Name
	}
	if unit != 0 || strings.Contains(i.Name, "/") {
		l.Name = i.Name + "." + strconv.Itoa(int(unit))
	}
	if unit != 0 {
		l.Parent, l.VLAN = l.Device, unit
		l.Device += "." + strconv.Itoa(int(unit))
	}
	return l
}
