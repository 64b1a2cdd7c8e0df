package policy

import (
	"sluice/store/schema"
)

// HostZone is the zone of the gateway itself.
const HostZone = "junos-host"

// Zone is one security zone.
type Zone struct {
	Name                string   `json:"name"`
	Description         string   `json:"description,omitempty"`
	TCPReset            bool     `json:"tcp-rst"`              // answer TCP segments that belong to no session with RST
	ApplicationTracking bool     `json:"application-tracking"` // track the applications of its sessions
	Interfaces          []string `json:"interfaces"`           // logical interfaces, in order
}

// compileZones reads the zones and which interface is in which.
func (c *compiler) compileZones() {
	list := c.cfg.Security.Zones.SecurityZones
	c.e.zoneByInterface = map[string]*Zone{}
	c.zones = map[string]*Zone{}
	owner := map[string]string{} // by Linux interface
	for i := range list {
		z := &list[i]
		path := "security zones security-zone " + z.Name
		if z.Name == HostZone || z.Name == anyAddress {
			c.problem(path, "choose another name", "%q is not a name for a zone", z.Name)
			continue
		}
		zone := &Zone{Name: z.Name, Description: z.Description, TCPReset: z.TCPReset, ApplicationTracking: z.ApplicationTracking}
		c.zones[z.Name] = zone
		c.e.zones = append(c.e.zones, zone)
		for j := range z.Interfaces {
			logical := c.cfg.Logical(z.Interfaces[j].Name)
			if other, taken := owner[logical.Device]; taken {
				c.problem(path+" interfaces "+z.Interfaces[j].Name, "delete it from one of them", "the interface is in zone %s already", other)
				continue
			}
			owner[logical.Device] = z.Name
			zone.Interfaces = append(zone.Interfaces, logical.Name)
			c.e.zoneByInterface[logical.Name] = zone
			c.e.hostInbound = append(c.e.hostInbound, c.hostInbound(z, &z.Interfaces[j], logical))
		}
	}
}

// isZone says whether a zone is configured.
func (c *compiler) isZone(name string) bool { return c.zones[name] != nil }

// Zone is the zone that a logical interface is in, named as [schema.LogicalInterface] names it.
func (e *Engine) Zone(logicalInterface string) (*Zone, bool) {
	z, ok := e.zoneByInterface[logicalInterface]
	return z, ok
}

// Zones lists the zones in the order of the configuration.
func (e *Engine) Zones() []*Zone { return e.zones }

// HostInboundRule says which traffic to the gateway itself an interface accepts. What it does
// not accept is dropped; replies to the gateway's own sessions, and the neighbour discovery
// that IPv6 lives on, are no business of these rules.
type HostInboundRule struct {
	Interface string      `json:"interface"` // logical interface
	Device    string      `json:"device"`    // Linux interface
	Zone      string      `json:"zone"`
	Except    []HostMatch `json:"except,omitempty"` // refused before Accept is asked
	Accept    []HostMatch `json:"accept,omitempty"`
}

// HostMatch is some traffic to the gateway. An empty range of ports (0 to 0) is every port; with
// ICMP, Types lists the message types, all when empty.
type HostMatch struct {
	Service  string           `json:"service"` // the word it was configured by
	Protocol schema.Protocol  `json:"protocol"`
	Ports    schema.PortRange `json:"ports,omitzero"`
	Types    []uint8          `json:"icmp-types,omitempty"`
}

// HostInbound lists what every interface in a zone accepts for the gateway itself.
func (e *Engine) HostInbound() []HostInboundRule { return e.hostInbound }

// hostInbound compiles the rule of one interface: its own statements in place of the zone's.
func (c *compiler) hostInbound(z *schema.Zone, i *schema.ZoneInterface, logical schema.LogicalInterface) HostInboundRule {
	rule := HostInboundRule{Interface: logical.Name, Device: logical.Device, Zone: z.Name}
	stated := &z.HostInbound
	if i.HostInbound != nil {
		stated = i.HostInbound
	}
	metrics := uint16(9464)
	if m := c.cfg.System.Services.Metrics; m != nil && m.Port != 0 {
		metrics = m.Port
	}
	var services, protocols []hostWord
	for _, s := range stated.SystemServices {
		services = append(services, hostWord{s.Name, s.Except})
	}
	for _, p := range stated.Protocols {
		protocols = append(protocols, hostWord{p.Name, p.Except})
	}
	rule.add(services, hostServices(metrics))
	rule.add(protocols, hostProtocols)
	return rule
}

// hostWord is one word of host-inbound-traffic.
type hostWord struct {
	name   string
	except bool
}

// add adds what words accept and refuse; table lists what each word means.
func (r *HostInboundRule) add(words []hostWord, table []hostService) {
	refused := map[string]bool{}
	for _, w := range words {
		refused[w.name] = refused[w.name] || w.except
	}
	for _, w := range words {
		for _, s := range table {
			switch {
			case w.except && s.name == w.name:
				r.Except = append(r.Except, s.matches()...)
			case w.except || refused[s.name]:
			case s.name == w.name || w.name == "all" && s.name != anyService:
				r.Accept = append(r.Accept, s.matches()...)
			}
		}
	}
}
