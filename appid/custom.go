package appid

import (
	"fmt"
	"slices"
	"strings"

	"sluice/classify/appdb"
	"sluice/classify/decode"
	"sluice/store/schema"
)

// reserved are words that mean something else where an application may be named.
var reserved = []string{"any", "none", "all", "unassigned", "junos-defaults", "unknown"}

// application reads a custom application.
func (c *compiler) application(cfg *schema.CustomApplication) {
	path := root + " application " + cfg.Name
	lower := strings.ToLower(cfg.Name)
	switch {
	case strings.HasPrefix(lower, appdb.Prefix):
		c.problem(path, "choose a name without it", "names that begin with %s belong to the signature package", appdb.Prefix)
		return
	case slices.Contains(reserved, lower):
		c.problem(path, "choose another name", "%s means something else where an application is named", cfg.Name)
		return
	case c.names[lower] != "":
		c.problem(path, "case does not count", "there is an application of this name already")
		return
	}
	c.names[lower] = cfg.Name
	if a, taken := c.base.Lookup(appdb.Prefix + cfg.Name); taken {
		c.warn(path, "write "+a.Name+" for that of the package",
			"the signature package has an application of this name too; without prefix the name now means yours")
	}
	a := &appdb.Application{
		Name: cfg.Name, Description: cfg.Description, Type: cfg.Type, Risk: int(cfg.Risk), Tags: cfg.Tags,
		Order: int(cfg.Order), Number: c.numbers.of(cfg.Name), Custom: true, Cacheable: cfg.Cacheable, Source: path,
	}
	if cfg.Priority == appdb.High.String() {
		a.Priority = appdb.High
	}
	c.mappings(path, cfg, a)
	for i := range cfg.Over {
		c.over(path, &cfg.Over[i], a)
	}
	c.idle(path, cfg)
	c.applications = append(c.applications, a)
}

// idle warns of attributes that have nothing to work on: those of signatures, where sessions are
// recognised by their first packet only.
func (c *compiler) idle(path string, cfg *schema.CustomApplication) {
	mapped := len(cfg.Addresses) > 0 || cfg.ICMP != nil || cfg.IPProtocol != nil
	if !mapped || len(cfg.Over) > 0 {
		return
	}
	const hint = "it is about signatures, and the application has none"
	if cfg.Priority == appdb.High.String() {
		c.warn(path+" priority", hint, "applications that are mapped always come before predefined ones; priority is ignored")
	}
	if cfg.Cacheable {
		c.warn(path+" cacheable", hint, "applications that are mapped are never kept in the application system cache")
	}
}

// mappings reads what recognises a session by its first packet.
func (c *compiler) mappings(path string, cfg *schema.CustomApplication, a *appdb.Application) {
	if m := cfg.ICMP; m != nil && m.Type != nil {
		a.ICMP = append(a.ICMP, appdb.ICMPMapping{Type: *m.Type, Code: m.Code})
		code := "any"
		if m.Code != nil {
			code = fmt.Sprint(*m.Code)
		}
		c.unique(path+" icmp-mapping", "mapping", fmt.Sprintf("icmp %d %s", *m.Type, code))
	} else if m != nil {
		c.problem(path+" icmp-mapping", "set "+path+" icmp-mapping type NUMBER", "the mapping has no type")
	}
	if m := cfg.IPProtocol; m != nil && m.Protocol != nil {
		a.IPProtocols = append(a.IPProtocols, uint8(*m.Protocol))
		c.unique(path+" ip-protocol-mapping", "mapping", fmt.Sprintf("protocol %d", *m.Protocol))
	} else if m != nil {
		c.problem(path+" ip-protocol-mapping", "set "+path+" ip-protocol-mapping protocol NUMBER", "the mapping has no protocol")
	}
	for i := range cfg.Addresses {
		c.address(path+" address-mapping "+cfg.Addresses[i].Name, &cfg.Addresses[i].Filter, a)
	}
}

// address reads one mapping of servers.
func (c *compiler) address(path string, cfg *schema.AddressFilter, a *appdb.Application) {
	switch {
	case cfg.IP == nil:
		c.problem(path+" filter", "set "+path+" filter ip PREFIX", "the mapping has no ip")
		return
	case cfg.IP.Bits() == 0:
		c.problem(path+" filter ip", "name the servers", "%s is every address", cfg.IP)
		return
	}
	m := appdb.ServerMapping{Prefix: cfg.Prefix(), Ports: ports(&cfg.Ports)}
	a.Servers = append(a.Servers, m)
	c.unique(path, "mapping", fmt.Sprintf("servers %v %v", m.Prefix, sorted(m.Ports)))
}

// ports are the ranges of both protocols.
func ports(cfg *schema.PortMappings) (ranges []appdb.PortRange) {
	for _, r := range cfg.TCP {
		ranges = append(ranges, appdb.PortRange{Protocol: decode.TCP, Low: r.Low, High: r.High})
	}
	for _, r := range cfg.UDP {
		ranges = append(ranges, appdb.PortRange{Protocol: decode.UDP, Low: r.Low, High: r.High})
	}
	return ranges
}

// sorted are the texts of ranges, in an order that does not depend on how they were written.
func sorted(ranges []appdb.PortRange) []string {
	var texts []string
	for _, r := range ranges {
		texts = append(texts, r.String())
	}
	slices.Sort(texts)
	return texts
}
