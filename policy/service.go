package policy

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"sluice/store/schema"
)

// service is one application: a name for some protocols and ports.
type service struct {
	name       string
	predefined bool
	terms      []term
}

// term is one alternative of a service.
type term struct {
	protocol    schema.Protocol
	source, key portSpan      // key: destination ports, or ICMP types and codes
	timeout     time.Duration // 0 for the protocol's default
	alg         string        // application layer gateway, "" for none
}

// matches says whether the term fits a flow whose key is key.
func (t *term) matches(f *Flow, key uint16) bool {
	return t.protocol == f.Protocol && t.key.contains(key) && t.source.contains(f.SrcPort)
}

// namedTerm is a term and the service it belongs to.
type namedTerm struct {
	*term
	service *service
}

// breadth orders terms by how much they match, the most specific first.
func (t namedTerm) breadth() int {
	return t.key.width() + t.source.width()
}

// protocolTimeout is the inactivity timeout of sessions whose application states none.
func protocolTimeout(p schema.Protocol) time.Duration {
	if p == schema.ProtoTCP {
		return 30 * time.Minute
	}
	return time.Minute
}

// hasPorts says whether sessions of p have ports.
func hasPorts(p schema.Protocol) bool {
	switch p {
	case schema.ProtoTCP, schema.ProtoUDP, 33 /* DCCP */, 132 /* SCTP */, 136 /* UDP-Lite */ :
		return true
	}
	return false
}

// anyApplication is the name that every flow fits; junosDefaults stands for the ports of a
// policy's dynamic applications.
const (
	anyApplication = "any"
	junosDefaults  = "junos-defaults"
)

const applicationsPath = "applications "

// compileServices reads the custom applications and sets.
func (c *compiler) compileServices() {
	c.services = map[string]*service{}
	c.serviceSets = map[string]*schema.ApplicationSet{}
	c.expanded = map[string][]*service{}
	apps, sets := c.cfg.Applications.Applications, c.cfg.Applications.Sets
	for i := range apps {
		a := &apps[i]
		if isPredefined(a.Name) || a.Name == anyApplication {
			c.problem(applicationsPath+"application "+a.Name, "choose another name", "%q is a predefined application", a.Name)
			continue
		}
		c.services[a.Name] = c.customService(a)
	}
	for i := range sets {
		s := &sets[i]
		switch {
		case isPredefined(s.Name) || s.Name == anyApplication:
			c.problem(applicationsPath+"application-set "+s.Name, "choose another name", "%q is a predefined application", s.Name)
		case c.services[s.Name] != nil:
			c.problem(applicationsPath+"application-set "+s.Name, "rename one of them", "%q is the name of an application too", s.Name)
		default:
			c.serviceSets[s.Name] = s
		}
	}
	for i := range sets {
		if c.serviceSets[sets[i].Name] == &sets[i] {
			c.expandSet(&sets[i])
		}
	}
}

// customService compiles one configured application.
func (c *compiler) customService(a *schema.Application) *service {
	s := &service{name: a.Name}
	path := applicationsPath + "application " + a.Name
	direct := a.ApplicationMatch != schema.ApplicationMatch{}
	switch {
	case direct && len(a.Terms) > 0:
		c.problem(path, "write every alternative as a term", "protocol and ports are given both directly and in terms")
	case !direct && len(a.Terms) == 0:
		c.problem(path, "add protocol and destination-port, or terms", "the application matches nothing")
	}
	if direct {
		c.customTerm(s, path, &a.ApplicationMatch)
	}
	for i := range a.Terms {
		c.customTerm(s, path+" term "+a.Terms[i].Name, &a.Terms[i].ApplicationMatch)
	}
	return s
}

// customTerm compiles one alternative of s.
func (c *compiler) customTerm(s *service, path string, m *schema.ApplicationMatch) {
	t := term{source: everyPort, key: everyPort, alg: m.ALG}
	if m.ALG != "" && m.ALG != "ignore" && m.ALG != "none" && !slices.Contains(schema.ALGNames, m.ALG) {
		c.warn(path+" application-protocol", "", "there is no application layer gateway "+m.ALG+" in this version: data sessions are judged each by itself")
	}
	if m.InactivityTimeout != nil {
		t.timeout = time.Duration(*m.InactivityTimeout)
	}
	icmp4, icmp6 := m.ICMPType != nil || m.ICMPCode != nil, m.ICMP6Type != nil || m.ICMP6Code != nil
	ports := m.SourcePort != nil || m.DestinationPort != nil
	switch {
	case m.Protocol == nil && icmp4 && !icmp6 && !ports:
		t.protocol = schema.ProtoICMP
	case m.Protocol == nil && icmp6 && !icmp4 && !ports:
		t.protocol = schema.ProtoICMPv6
	case m.Protocol == nil:
		c.problem(path, "add protocol tcp, udp, icmp, icmp6 or a number", "the application has no protocol")
		return
	default:
		t.protocol = *m.Protocol
	}
	switch {
	case ports && !hasPorts(t.protocol):
		c.problem(path, "use protocol tcp or udp, or delete the ports", "protocol %s has no ports", t.protocol)
		return
	case icmp4 && t.protocol != schema.ProtoICMP:
		c.problem(path, "use protocol icmp", "icmp-type and icmp-code do not go with protocol %s", t.protocol)
		return
	case icmp6 && t.protocol != schema.ProtoICMPv6:
		c.problem(path, "use protocol icmp6", "icmp6-type and icmp6-code do not go with protocol %s", t.protocol)
		return
	case icmp4:
		t.key = c.icmpSpan(path+" icmp-code", m.ICMPType, m.ICMPCode)
	case icmp6:
		t.key = c.icmpSpan(path+" icmp6-code", m.ICMP6Type, m.ICMP6Code)
	}
	if m.SourcePort != nil {
		t.source = portSpan{m.SourcePort.Low, m.SourcePort.High}
	}
	if m.DestinationPort != nil {
		t.key = portSpan{m.DestinationPort.Low, m.DestinationPort.High}
	}
	s.terms = append(s.terms, t)
}

// icmpSpan is the keys of an ICMP type with one code or all of them.
func (c *compiler) icmpSpan(path string, kind, code *uint8) portSpan {
	if kind == nil {
		c.problem(path, "add the ICMP type that the code belongs to", "an ICMP code has a meaning only with its type")
		return everyPort
	}
	return icmpKeys(*kind, code)
}

// icmpKeys is the keys of an ICMP type with one code, or all codes when code is nil.
func icmpKeys(kind uint8, code *uint8) portSpan {
	first := uint16(kind) << 8
	if code != nil {
		return portSpan{first | uint16(*code), first | uint16(*code)}
	}
	return portSpan{first, first | 255}
}

// expandSet lists the services in a set, in order, each once.
func (c *compiler) expandSet(set *schema.ApplicationSet) []*service {
	if list, done := c.expanded[set.Name]; done {
		return list
	}
	path := applicationsPath + "application-set " + set.Name
	if at := slices.Index(c.openSets, set.Name); at >= 0 {
		c.problem(path, "take one of them out", "the set contains itself: %s", strings.Join(append(slices.Clone(c.openSets[at:]), set.Name), " > "))
		return nil
	}
	c.openSets = append(c.openSets, set.Name)
	var list []*service
	for _, m := range set.Applications {
		list = append(list, c.application(path+" application "+m.Name, m.Name)...)
	}
	for _, m := range set.Sets {
		list = append(list, c.application(path+" application-set "+m.Name, m.Name)...)
	}
	c.openSets = c.openSets[:len(c.openSets)-1]
	list = uniqueServices(list)
	c.expanded[set.Name] = list
	return list
}

// application lists the services that name means; none, and a problem at path, when it is unknown.
func (c *compiler) application(path, name string) []*service {
	if s := c.services[name]; s != nil {
		return []*service{s}
	}
	if set := c.serviceSets[name]; set != nil {
		return c.expandSet(set)
	}
	if list := predefined().byName[name]; list != nil {
		return list
	}
	if strings.Contains(name, ":") {
		c.problem(path, "the services here begin with junos-, such as junos-http", "%q is a dynamic application, not one by protocol and port", name)
		return nil
	}
	c.unknown(path, name, c.applicationNames, "application %q is not configured", name)
	return nil
}

// applicationNames lists every name that match application accepts.
func (c *compiler) applicationNames() []string {
	names := append([]string{anyApplication}, sortedKeys(c.services)...)
	names = append(names, sortedKeys(c.serviceSets)...)
	return append(names, PredefinedApplications()...)
}

// controlPorts are the TCP ports of control sessions: of every application with an application layer
// gateway, whether that is on or not, so that sessions go on where it is switched off.
func (c *compiler) controlPorts() []schema.PortRange {
	var spans []portSpan
	add := func(s *service) {
		for i := range s.terms {
			if t := &s.terms[i]; t.protocol == schema.ProtoTCP && slices.Contains(schema.ALGNames, t.alg) {
				spans = append(spans, t.key)
			}
		}
	}
	for _, s := range c.services {
		add(s)
	}
	for _, list := range predefined().byName {
		for _, s := range list {
			add(s)
		}
	}
	slices.SortFunc(spans, func(a, b portSpan) int { return cmp.Or(cmp.Compare(a.low, b.low), cmp.Compare(a.high, b.high)) })
	var ports []schema.PortRange
	for _, s := range spans {
		if n := len(ports); n > 0 && s.low <= ports[n-1].High {
			ports[n-1].High = max(ports[n-1].High, s.high)
			continue
		}
		ports = append(ports, schema.PortRange{Low: s.low, High: s.high})
	}
	return ports
}

// ControlPorts are the ports of TCP servers whose sessions may arrange others, in order.
func (e *Engine) ControlPorts() []schema.PortRange { return e.controlPorts }

// uniqueServices removes repeats, keeping the order.
func uniqueServices(list []*service) []*service {
	seen := make(map[*service]bool, len(list))
	return slices.DeleteFunc(list, func(s *service) bool {
		again := seen[s]
		seen[s] = true
		return again
	})
}

// namingOrder lists the terms of the services a policy names in the order in which they name
// its sessions: custom applications before predefined ones, specific ones before broad ones.
func namingOrder(services []*service) []namedTerm {
	var terms []namedTerm
	for _, s := range services {
		for i := range s.terms {
			terms = append(terms, namedTerm{&s.terms[i], s})
		}
	}
	slices.SortStableFunc(terms, func(a, b namedTerm) int {
		if a.service.predefined != b.service.predefined {
			if b.service.predefined {
				return -1
			}
			return 1
		}
		return a.breadth() - b.breadth()
	})
	return terms
}
