package policy

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/gaissmai/bart"

	"sluice/store/schema"
)

// NATRule is a source translation rule.
type NATRule struct {
	Name      string    // "set/rule"
	Interface bool      // use the address of the egress interface; false: keep the client's address
	Counters  *Counters // Hits counts sessions
}

// translation is one rule set.
type translation struct {
	name     string
	from, to place
	rules    []*natRule
}

// place is where sessions come from or go to; nowhere in particular when both are empty.
type place struct{ zones, interfaces []string }

// rank orders places, the most specific highest.
func (p place) rank() int {
	switch {
	case len(p.interfaces) > 0:
		return 2
	case len(p.zones) > 0:
		return 1
	}
	return 0
}

// holds says whether an interface in a zone is the place.
func (p place) holds(zone, logicalInterface string) bool {
	switch p.rank() {
	case 2:
		return slices.Contains(p.interfaces, logicalInterface)
	case 1:
		return slices.Contains(p.zones, zone)
	}
	return true
}

// natRule is a compiled rule. A term without values matches everything.
type natRule struct {
	NATRule
	source, destination           *addressSet
	sourcePorts, destinationPorts []schema.PortRange
	protocols                     []schema.Protocol
	anyApplication                bool
	services                      []namedTerm
}

// addressSet is the addresses that one term of a rule matches.
type addressSet struct {
	prefixes  bart.Lite
	wildcards []wildcard
	names     []*nameEntry
}

// contains says whether addr is in the set; a nil set has every address.
func (s *addressSet) contains(addr netip.Addr) bool {
	if s == nil || s.prefixes.Contains(addr) {
		return true
	}
	if addr.Is4() {
		value := bits4(addr)
		for _, w := range s.wildcards {
			if value&w.mask == w.value {
				return true
			}
		}
	}
	for _, n := range s.names {
		if _, found := slices.BinarySearchFunc(n.addresses(), addr, netip.Addr.Compare); found {
			return true
		}
	}
	return false
}

// compileTranslations reads the source translation rule sets, the most specific first.
func (c *compiler) compileTranslations() {
	list := c.cfg.Security.NAT.Source.RuleSets
	taken := map[string]string{}
	for i := range list {
		s := &list[i]
		path := "security nat source rule-set " + s.Name
		t := &translation{name: s.Name, from: c.place(path+" from", &s.From), to: c.place(path+" to", &s.To)}
		for _, from := range append(prefixed("zone ", t.from.zones), prefixed("interface ", t.from.interfaces)...) {
			for _, to := range append(prefixed("zone ", t.to.zones), prefixed("interface ", t.to.interfaces)...) {
				context := "from " + from + " to " + to
				if other, again := taken[context]; again {
					c.problem(path, "move its rules there", "rule set %s holds %s already", other, context)
				}
				taken[context] = s.Name
			}
		}
		for j := range s.Rules {
			t.rules = append(t.rules, c.natRule(path, s.Name, &s.Rules[j]))
		}
		if len(s.Rules) == 0 {
			c.problem(path, "add a rule", "the rule set has no rules")
		}
		c.e.translations = append(c.e.translations, t)
	}
	slices.SortStableFunc(c.e.translations, func(a, b *translation) int {
		return cmp.Or(b.from.rank()-a.from.rank(), b.to.rank()-a.to.rank())
	})
}

// prefixed is every word of list after prefix.
func prefixed(prefix string, list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = prefix + s
	}
	return out
}

// place compiles from or to of a rule set.
func (c *compiler) place(path string, n *schema.NATContext) place {
	if len(n.Zones)+len(n.Interfaces) == 0 {
		c.problem(path, "add zone or interface", "no zone and no interface is named")
	}
	p := place{zones: n.Zones}
	for _, z := range n.Zones {
		if !c.isZone(z) {
			c.unknownZone(path+" zone "+z, z)
		}
	}
	for _, name := range n.Interfaces {
		logical := c.cfg.Logical(name).Name
		if c.e.zoneByInterface[logical] == nil {
			c.unknown(path+" interface "+name, name, func() []string { return sortedKeys(c.e.zoneByInterface) }, "interface %q is in no zone", name)
		}
		p.interfaces = append(p.interfaces, logical)
	}
	return p
}

// natRule compiles one rule.
func (c *compiler) natRule(setPath, set string, r *schema.NATRule) *natRule {
	path := setPath + " rule " + r.Name
	out := &natRule{
		NATRule:          NATRule{Name: set + "/" + r.Name, Interface: r.Then.SourceNAT.Interface},
		sourcePorts:      r.Match.SourcePort,
		destinationPorts: r.Match.DestinationPort,
		protocols:        r.Match.Protocol,
	}
	out.Counters = c.st.rule(out.Name)
	if r.Then.SourceNAT.Off == r.Then.SourceNAT.Interface {
		c.problem(path+" then", "set "+path+" then source-nat interface or off", "the rule needs one action")
	}
	out.source = c.natAddresses(path+" match source-address-name", r.Match.SourceAddress, r.Match.SourceAddressName)
	out.destination = c.natAddresses(path+" match destination-address-name", r.Match.DestinationAddress, r.Match.DestinationAddressName)
	out.anyApplication = len(r.Match.Application) == 0 || slices.Contains(r.Match.Application, anyApplication)
	if !out.anyApplication {
		var services []*service
		for _, name := range r.Match.Application {
			services = append(services, c.application(path+" match application", name)...)
		}
		out.services = namingOrder(uniqueServices(services))
	}
	return out
}

// natAddresses compiles an address term; nil when it matches everything.
func (c *compiler) natAddresses(path string, prefixes []schema.HostPrefix, names []string) *addressSet {
	if len(prefixes)+len(names) == 0 || slices.Contains(names, anyAddress) {
		return nil
	}
	s := new(addressSet)
	for _, p := range prefixes {
		s.prefixes.Insert(unmapped(p.Prefix))
	}
	for _, name := range names {
		a := c.address(path, "", name)
		if a == nil {
			continue
		}
		for _, p := range a.prefixes {
			s.prefixes.Insert(p)
		}
		s.wildcards = append(s.wildcards, a.wildcards...)
		s.names = append(s.names, a.names...)
	}
	return s
}

// matches says whether the rule matches f.
func (r *natRule) matches(f *Flow, key uint16) bool {
	return (len(r.protocols) == 0 || slices.Contains(r.protocols, f.Protocol)) &&
		inPorts(r.sourcePorts, f.SrcPort) && inPorts(r.destinationPorts, f.DstPort) &&
		(r.anyApplication || slices.ContainsFunc(r.services, func(t namedTerm) bool { return t.matches(f, key) })) &&
		r.source.contains(f.Src.Unmap()) && r.destination.contains(f.Dst.Unmap())
}

// inPorts says whether port is in one of the ranges, or there are none.
func inPorts(ranges []schema.PortRange, port uint16) bool {
	for _, r := range ranges {
		if r.Contains(port) {
			return true
		}
	}
	return len(ranges) == 0
}

// SourceNAT finds the rule that translates the source of a session arriving by one logical
// interface and leaving by another, and counts the hit. Of the rule sets that hold both places
// only the most specific is asked: interfaces before zones, where it comes from before where it
// goes to. Without a rule the client's address is kept.
func (e *Engine) SourceNAT(f *Flow, fromInterface, toInterface string) (rule NATRule, ok bool) {
	key := f.key()
	for _, t := range e.translations {
		if !t.from.holds(f.FromZone, fromInterface) || !t.to.holds(f.ToZone, toInterface) {
			continue
		}
		for _, r := range t.rules {
			if r.matches(f, key) {
				r.Counters.Hits.Add(1)
				return r.NATRule, true
			}
		}
		break
	}
	return NATRule{}, false
}

// NATRules lists the source translation rules in the order in which they are asked.
func (e *Engine) NATRules() []NATRule {
	var list []NATRule
	for _, t := range e.translations {
		for _, r := range t.rules {
			list = append(list, r.NATRule)
		}
	}
	return list
}

// Translates says whether any rule set may translate sessions that leave by a logical interface.
func (e *Engine) Translates(toInterface string) bool {
	zone := ""
	if z := e.zoneByInterface[toInterface]; z != nil {
		zone = z.Name
	}
	for _, t := range e.translations {
		if t.to.holds(zone, toInterface) && slices.ContainsFunc(t.rules, func(r *natRule) bool { return r.Interface }) {
			return true
		}
	}
	return false
}
