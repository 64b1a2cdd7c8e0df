package policy

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"sluice/store/schema"
)

// naive judges flows by walking the statements themselves, policy by policy.
type naive struct{ cfg *schema.Config }

// lookup is the name of the deciding policy, global ones marked.
func (n naive) lookup(f *Flow) string {
	for i := range n.cfg.Security.Policies.ZonePairs {
		z := &n.cfg.Security.Policies.ZonePairs[i]
		if z.From != f.FromZone || z.To != f.ToZone {
			continue
		}
		for j := range z.Policies {
			if n.matches(&z.Policies[j], z.From, z.To, f) {
				return z.Policies[j].Name
			}
		}
	}
	for i := range n.cfg.Security.Policies.Global.Policies {
		p := &n.cfg.Security.Policies.Global.Policies[i]
		m := &p.Match
		if (len(m.FromZone) == 0 || slices.Contains(m.FromZone, f.FromZone)) && (len(m.ToZone) == 0 || slices.Contains(m.ToZone, f.ToZone)) && n.matches(p, "", "", f) {
			return "global " + p.Name
		}
	}
	return DefaultPolicy
}

func (n naive) matches(p *schema.Policy, from, to string, f *Flow) bool {
	m := &p.Match
	in := func(zone string, names []string, a netip.Addr, excluded bool) bool {
		return slices.ContainsFunc(names, func(name string) bool { return n.address(zone, name, a) }) != excluded
	}
	return in(from, m.SourceAddress, f.Src, m.SourceAddressExcluded) && in(to, m.DestinationAddress, f.Dst, m.DestinationAddressExcluded) &&
		slices.ContainsFunc(m.Application, func(name string) bool { return n.application(name, f) })
}

func (n naive) address(zone, name string, a netip.Addr) bool {
	switch name {
	case "any":
		return true
	case "any-ipv4":
		return a.Is4()
	case "any-ipv6":
		return a.Is6()
	}
	for _, z := range n.cfg.Security.Zones.SecurityZones {
		if z.Name == zone {
			if found, in := n.inBook(z.AddressBook.Addresses, z.AddressBook.AddressSets, name, a); found {
				return in
			}
		}
	}
	for _, b := range n.cfg.Security.AddressBooks {
		if b.Name == globalBook {
			if found, in := n.inBook(b.Addresses, b.AddressSets, name, a); found {
				return in
			}
		}
	}
	return hostPrefix(name).Masked().Contains(a)
}

func (n naive) inBook(addresses []schema.Address, sets []schema.AddressSet, name string, a netip.Addr) (found, in bool) {
	for _, e := range addresses {
		if e.Name != name {
			continue
		}
		switch {
		case e.Prefix != nil:
			return true, e.Prefix.Masked().Contains(a)
		case e.Range != nil:
			return true, a.Is4() == e.Range.Low.Is4() && e.Range.Low.Compare(a) <= 0 && a.Compare(e.Range.High) <= 0
		default:
			return true, e.Wildcard.Mask.Contains(a)
		}
	}
	for _, s := range sets {
		if s.Name != name {
			continue
		}
		for _, m := range append(slices.Clone(s.Addresses), s.Sets...) {
			if _, member := n.inBook(addresses, sets, m.Name, a); member {
				in = true
			}
		}
		return true, in
	}
	return false, false
}

func (n naive) application(name string, f *Flow) bool {
	switch name {
	case "any":
		return true
	case "junos-tcp-any":
		return f.Protocol == schema.ProtoTCP
	case "junos-ping":
		return f.Protocol == schema.ProtoICMP && f.ICMPType == 8
	}
	for _, a := range n.cfg.Applications.Applications {
		if a.Name != name {
			continue
		}
		terms := []schema.ApplicationMatch{a.ApplicationMatch}
		for _, t := range a.Terms {
			terms = append(terms, t.ApplicationMatch)
		}
		return slices.ContainsFunc(terms, func(m schema.ApplicationMatch) bool {
			return m.Protocol != nil && *m.Protocol == f.Protocol &&
				(m.SourcePort == nil || m.SourcePort.Contains(f.SrcPort)) && (m.DestinationPort == nil || m.DestinationPort.Contains(f.DstPort))
		})
	}
	for _, s := range n.cfg.Applications.Sets {
		if s.Name == name {
			return slices.ContainsFunc(s.Applications, func(m schema.NamedEntry) bool { return n.application(m.Name, f) })
		}
	}
	return false
}

// generator makes random configurations and flows in a small world, so that much of it collides.
type generator struct{ *rand.Rand }

func (g generator) ip() netip.Addr {
	if g.IntN(4) == 0 {
		return netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 14: byte(g.IntN(2)), 15: byte(g.IntN(16))})
	}
	return netip.AddrFrom4([4]byte{10, 0, byte(g.IntN(2)), byte(g.IntN(32))})
}

func (g generator) prefix() netip.Prefix {
	a := g.ip()
	return netip.PrefixFrom(a, a.BitLen()-g.IntN(11))
}

func (g generator) address(name string) schema.Address {
	switch g.IntN(5) {
	case 0:
		a, b := netip.AddrFrom4([4]byte{10, 0, 0, byte(g.IntN(32))}), netip.AddrFrom4([4]byte{10, 0, byte(g.IntN(2)), byte(32 + g.IntN(32))})
		return addr(name, a.String()+"-"+b.String())
	case 1:
		mask := []string{"255.0.255.1", "255.255.0.3", "255.0.0.255", "255.255.255.240"}[g.IntN(4)]
		return addr(name, fmt.Sprintf("10.0.%d.%d/%s", g.IntN(2), g.IntN(32), mask))
	}
	return addr(name, g.prefix().String())
}

// some picks up to n of list, without repeats.
func (g generator) some(n int, list []string) []string {
	var out []string
	for range 1 + g.IntN(n) {
		if s := list[g.IntN(len(list))]; !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func (g generator) book(prefix string) (list []schema.Address, sets []schema.AddressSet) {
	var names []string
	for i := range 12 {
		names = append(names, fmt.Sprint(prefix, i))
		list = append(list, g.address(names[i]))
	}
	for i := range 4 {
		s := schema.AddressSet{Name: fmt.Sprint(prefix, "set", i), Addresses: entries(g.some(4, names)...)}
		if i > 0 {
			s.Sets = entries(fmt.Sprint(prefix, "set", g.IntN(i)))
		}
		sets = append(sets, s)
	}
	return list, sets
}

func (g generator) port() string {
	low := g.IntN(24)
	return fmt.Sprintf("%d-%d", low, low+g.IntN(6))
}

func (g generator) term() schema.ApplicationMatch {
	m := app("", []schema.Protocol{schema.ProtoTCP, schema.ProtoUDP}[g.IntN(2)], "", "").ApplicationMatch
	if g.IntN(3) == 0 {
		m.SourcePort = ports(g.port())
	}
	if g.IntN(4) > 0 {
		m.DestinationPort = ports(g.port())
	}
	return m
}

func (g generator) config(policies int) *schema.Config {
	cfg := new(schema.Config)
	zones := []string{"a", "b", "c"}
	for i, z := range zones {
		cfg.Security.Zones.SecurityZones = append(cfg.Security.Zones.SecurityZones, zone(z, fmt.Sprint("eth", i)))
	}
	global := schema.AddressBook{Name: globalBook}
	global.Addresses, global.AddressSets = g.book("x")
	cfg.Security.AddressBooks = []schema.AddressBook{global}
	// Zone a has the same names with other meanings.
	own := &cfg.Security.Zones.SecurityZones[0].AddressBook
	own.Addresses, own.AddressSets = g.book("x")

	applications := []string{"junos-tcp-any", "junos-ping"}
	for i := range 10 {
		a := schema.Application{Name: fmt.Sprint("app", i)}
		if g.IntN(2) == 0 {
			a.ApplicationMatch = g.term()
		} else {
			for j := range 1 + g.IntN(3) {
				a.Terms = append(a.Terms, schema.ApplicationTerm{Name: fmt.Sprint("t", j), ApplicationMatch: g.term()})
			}
		}
		cfg.Applications.Applications = append(cfg.Applications.Applications, a)
		applications = append(applications, a.Name)
	}
	cfg.Applications.Sets = []schema.ApplicationSet{{Name: "apps", Applications: entries(g.some(4, applications)...)}}
	applications = append(applications, "apps")

	for _, from := range zones {
		for _, to := range zones[:2] {
			cfg.Security.Policies.ZonePairs = append(cfg.Security.Policies.ZonePairs, between(from, to, g.policies(policies, applications)...))
		}
	}
	cfg.Security.Policies.Global.Policies = g.policies(policies, applications)
	for i := range cfg.Security.Policies.Global.Policies {
		m := &cfg.Security.Policies.Global.Policies[i].Match
		if g.IntN(2) == 0 {
			m.FromZone = g.some(2, zones)
		}
		if g.IntN(3) == 0 {
			m.ToZone = g.some(2, zones)
		}
	}
	return cfg
}

func (g generator) policies(n int, applications []string) []schema.Policy {
	var names []string
	for i := range 12 {
		names = append(names, fmt.Sprint("x", i))
	}
	names = append(names, "xset0", "xset1", "xset2", "xset3", "10.0.0.7", "10.0.1.0/28", "any-ipv4", "any-ipv6")
	match := func() ([]string, bool) {
		if g.IntN(4) == 0 {
			return []string{"any"}, false
		}
		return g.some(3, names), g.IntN(6) == 0
	}
	var list []schema.Policy
	for i := range n {
		p := rule(fmt.Sprint("p", i), "", "", "", Action(g.IntN(3)))
		p.Match.SourceAddress, p.Match.SourceAddressExcluded = match()
		p.Match.DestinationAddress, p.Match.DestinationAddressExcluded = match()
		p.Match.Application = g.some(3, applications)
		if g.IntN(20) == 0 {
			p.Match.Application = []string{"any"}
		}
		list = append(list, p)
	}
	return list
}

func (g generator) flow() Flow {
	f := Flow{
		FromZone: []string{"a", "b", "c", "nowhere"}[g.IntN(4)], ToZone: []string{"a", "b", "c"}[g.IntN(3)],
		Src: g.ip(), Dst: g.ip(),
		Protocol: []schema.Protocol{schema.ProtoTCP, schema.ProtoTCP, schema.ProtoUDP, schema.ProtoICMP, 47}[g.IntN(5)],
	}
	switch f.Protocol {
	case schema.ProtoTCP, schema.ProtoUDP:
		f.SrcPort, f.DstPort = uint16(g.IntN(30)), uint16(g.IntN(30))
	case schema.ProtoICMP:
		f.ICMPType = uint8(g.IntN(10))
	}
	return f
}

// The engine decides as walking the statements does, on random configurations that span several
// words and, once, several blocks of policies.
func TestLookupEqualsNaive(t *testing.T) {
	for seed, policies := range []int{1, 3, 20, 20, 20, 20, 70, 150, 1200} {
		g := generator{rand.New(rand.NewPCG(uint64(seed), 7))}
		cfg := g.config(policies)
		e := compile(t, cfg)
		reference := naive{cfg}
		for range 3000 {
			f := g.flow()
			got := e.Lookup(&f).Policy
			name := got.Name
			if got.Global {
				name = "global " + name
			}
			if want := reference.lookup(&f); name != want {
				t.Fatalf("seed %d, flow %+v: %s, want %s", seed, f, name, want)
			}
		}
	}
}

// MatchPolicies lists exactly the policies that would match one by one, in order.
func TestMatchPoliciesEqualsNaive(t *testing.T) {
	g := generator{rand.New(rand.NewPCG(11, 7))}
	cfg := g.config(40)
	e := compile(t, cfg)
	reference := naive{cfg}
	for range 300 {
		f := g.flow()
		var want []string
		for _, p := range e.Policies() {
			inZones := p.FromZone == f.FromZone && p.ToZone == f.ToZone
			if p.Global {
				inZones = (len(p.fromZones) == 0 || slices.Contains(p.fromZones, f.FromZone)) && (len(p.toZones) == 0 || slices.Contains(p.toZones, f.ToZone))
			}
			if inZones && reference.matches(p.configured, p.FromZone, p.ToZone, &f) {
				want = append(want, p.Name)
			}
		}
		var got []string
		for _, v := range e.MatchPolicies(&f, 1000) {
			if v.Type == "Configured" {
				got = append(got, v.Name)
			}
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Fatalf("flow %+v: %v, want %v", f, got, want)
		}
	}
}

// Lookups run while names resolve, counters count and other engines take over.
func TestConcurrentLookups(t *testing.T) {
	g := generator{rand.New(rand.NewPCG(3, 7))}
	cfg := g.config(20)
	cfg.Security.AddressBooks[0].Addresses = append(cfg.Security.AddressBooks[0].Addresses, addr("named", "www.example"))
	cfg.Security.Policies.ZonePairs[0].Policies[0].Match.SourceAddress = []string{"named"}
	st := NewState(WithResolver(&fakeResolver{life: 0}))
	st.names.shortest = 0
	defer st.Close()
	e := compileWith(t, cfg, st)
	e.Activate()
	var workers sync.WaitGroup
	for i := range 4 {
		g := generator{rand.New(rand.NewPCG(uint64(i), 9))}
		workers.Go(func() {
			for range 5000 {
				f := g.flow()
				e.Lookup(&f).Policy.Counters.Hits.Add(1)
			}
		})
	}
	for range 3 {
		next := compileWith(t, cfg, st)
		next.Activate()
	}
	workers.Wait()
}
