package view

import (
	"strconv"
	"strings"
)

// Zones is the answer of "show security zones".
type Zones struct {
	Zones []Zone `json:"zones"`
}

// Zone is one security zone.
type Zone struct {
	Name                string          `json:"name"`
	Description         string          `json:"description,omitempty"`
	TCPReset            bool            `json:"tcp-rst"`
	ApplicationTracking bool            `json:"application-tracking"`
	Interfaces          []ZoneInterface `json:"interfaces"`
}

// ZoneInterface is one interface of a zone, with the traffic it accepts for the gateway itself.
type ZoneInterface struct {
	Name        string   `json:"name"`
	HostInbound []string `json:"host-inbound-traffic,omitempty"`
}

// Text shows zone after zone.
func (z *Zones) Text(p *Page) {
	for i := range z.Zones {
		zone := &z.Zones[i]
		if i > 0 {
			p.Line("")
		}
		p.Line("Security zone: %s", zone.Name)
		if zone.Description != "" {
			p.Line("  Description: %s", zone.Description)
		}
		p.Line("  Send reset for non-SYN session TCP packets: %s", onOff(zone.TCPReset))
		p.Line("  Policy configurable: Yes")
		p.Line("  Application tracking: %s", onOff(zone.ApplicationTracking))
		p.Line("  Interfaces bound: %d", len(zone.Interfaces))
		p.Line("  Interfaces:")
		for _, ifc := range zone.Interfaces {
			p.Line("    %s", ifc.Name)
			if len(ifc.HostInbound) > 0 {
				p.Line("      Host inbound traffic: %s", strings.Join(ifc.HostInbound, " "))
			}
		}
	}
}

// NATRules is the answer of "show security nat source rule".
type NATRules struct {
	Rules []NATRule `json:"rules"`
}

// NATRule is one source translation rule.
type NATRule struct {
	Name     string   `json:"name"`
	RuleSet  string   `json:"rule-set"`
	Position int      `json:"position"` // from 1, over all rule sets
	From     string   `json:"from"`     // "zone trust" or "interface eth1"
	To       string   `json:"to"`
	Match    []string `json:"match"` // "Source addresses: 192.0.2.0/24"
	Action   string   `json:"action"`
	Hits     uint64   `json:"translation-hits"`
	Sessions uint64   `json:"sessions"`
}

// Text shows rule after rule.
func (n *NATRules) Text(p *Page) {
	p.Line("Total rules: %d", len(n.Rules))
	for _, r := range n.Rules {
		p.Line("")
		p.Line("source NAT rule: %-20s Rule-set: %s", r.Name, r.RuleSet)
		p.Line("  Rule position              : %d", r.Position)
		p.Line("  From                       : %s", or(r.From, "any"))
		p.Line("  To                         : %s", or(r.To, "any"))
		for _, m := range r.Match {
			name, value, _ := strings.Cut(m, ": ")
			p.Line("    %-25s: %s", name, value)
		}
		p.Line("  Action                     : %s", r.Action)
		p.Line("  Translation hits           : %d", r.Hits)
	}
}

// NATSummary is the answer of "show security nat source summary".
type NATSummary struct {
	RuleSets int    `json:"rule-sets"`
	Rules    int    `json:"rules"`
	Hits     uint64 `json:"translation-hits"`
}

// Text shows the totals.
func (n *NATSummary) Text(p *Page) {
	p.Line("Total rule sets: %d", n.RuleSets)
	p.Line("Total rules: %d", n.Rules)
	p.Line("Total pools: 0")
	p.Line("Total translation hits: %d", n.Hits)
}

// Schedulers is the answer of "show schedulers".
type Schedulers struct {
	Schedulers []Scheduler `json:"schedulers"`
}

// Scheduler is one scheduler.
type Scheduler struct {
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	State       string   `json:"state"`    // active, inactive, or unused: no policy names it
	Policies    []string `json:"policies"` // that hold at its times only
}

// Text shows scheduler after scheduler.
func (s *Schedulers) Text(p *Page) {
	for _, sch := range s.Schedulers {
		p.Line("Scheduler name: %s, State: %s", sch.Name, sch.State)
		if sch.Description != "" {
			p.Line("  Description: %s", sch.Description)
		}
		for _, policy := range sch.Policies {
			p.Line("  Policy: %s", policy)
		}
	}
}

// Interfaces is the answer of "show interfaces".
type Interfaces struct {
	Interfaces []Interface `json:"interfaces"`
	Terse      bool        `json:"terse"`
}

// Interface is one logical interface.
type Interface struct {
	Name        string   `json:"name"`
	Device      string   `json:"device"`
	Description string   `json:"description,omitempty"`
	Zone        string   `json:"zone,omitempty"`
	Admin       string   `json:"admin"` // up or down
	Link        string   `json:"link"`  // up or down
	MTU         int      `json:"mtu"`
	MAC         string   `json:"mac,omitempty"`
	Addresses   []string `json:"addresses"`
	RxPackets   uint64   `json:"rx-packets"`
	RxBytes     uint64   `json:"rx-bytes"`
	RxDropped   uint64   `json:"rx-dropped"`
	TxPackets   uint64   `json:"tx-packets"`
	TxBytes     uint64   `json:"tx-bytes"`
	TxDropped   uint64   `json:"tx-dropped"`
}

// Text shows a table, or a block for each interface.
func (v *Interfaces) Text(p *Page) {
	if v.Terse {
		v.terse(p)
		return
	}
	for i := range v.Interfaces {
		ifc := &v.Interfaces[i]
		if i > 0 {
			p.Line("")
		}
		p.Line("Logical interface %s, Device: %s, Administrative: %s, Link: %s", ifc.Name, ifc.Device, ifc.Admin, ifc.Link)
		if ifc.Description != "" {
			p.Line("  Description: %s", ifc.Description)
		}
		p.Line("  Security: Zone: %s", or(ifc.Zone, "none"))
		p.Line("  MTU: %d, Hardware address: %s", ifc.MTU, or(ifc.MAC, "none"))
		p.Line("  Input packets: %d, Bytes: %d, Dropped: %d", ifc.RxPackets, ifc.RxBytes, ifc.RxDropped)
		p.Line("  Output packets: %d, Bytes: %d, Dropped: %d", ifc.TxPackets, ifc.TxBytes, ifc.TxDropped)
		for _, a := range ifc.Addresses {
			p.Line("  Address: %s", a)
		}
	}
}

func (v *Interfaces) terse(p *Page) {
	var rows [][]string
	for _, ifc := range v.Interfaces {
		row := []string{ifc.Name, ifc.Admin, ifc.Link, or(ifc.Zone, "-"), "-", ""}
		for i, a := range ifc.Addresses {
			if i > 0 {
				row = []string{"", "", "", "", "", ""}
			}
			row[4], row[5] = family(a), a
			rows = append(rows, row)
		}
		if len(ifc.Addresses) == 0 {
			rows = append(rows, row)
		}
	}
	p.Table([]string{"Interface", "Admin", "Link", "Zone", "Proto", "Local"}, rows)
}

func family(address string) string {
	if strings.Contains(address, ":") {
		return "inet6"
	}
	return "inet"
}

// Routes is the answer of "show route".
type Routes struct {
	Routes []Route `json:"routes"`
}

// Route is one route of the kernel's main table.
type Route struct {
	Destination string   `json:"destination"`
	Protocol    string   `json:"protocol"` // Static, Direct or the kernel's name of another origin
	Metric      int      `json:"metric"`
	NextHops    []string `json:"next-hops"` // "to 192.0.2.1 via eth1", "via eth1", "Discard"
}

// Text shows IPv4 before IPv6.
func (r *Routes) Text(p *Page) {
	for _, table := range []struct {
		name string
		v6   bool
	}{{"inet.0", false}, {"inet6.0", true}} {
		var routes []Route
		for _, route := range r.Routes {
			if strings.Contains(route.Destination, ":") == table.v6 {
				routes = append(routes, route)
			}
		}
		if len(routes) == 0 {
			continue
		}
		p.Line("%s: %d routes", table.name, len(routes))
		for _, route := range routes {
			for i, hop := range route.NextHops {
				if i == 0 {
					p.Line("%-24s [%s/%s] %s", route.Destination, route.Protocol, strconv.Itoa(route.Metric), hop)
				} else {
					p.Line("%-24s %s", "", hop)
				}
			}
		}
	}
}
