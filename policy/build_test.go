package policy

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"sluice/store/schema"
)

// ptr is a pointer to v.
func ptr[T any](v T) *T { return &v }

// hostPrefix reads an address or prefix.
func hostPrefix(text string) schema.HostPrefix {
	var p schema.HostPrefix
	must(p.UnmarshalText([]byte(text)))
	return p
}

// addr makes a book entry of what text looks like: A-B, a dns name, a/mask or a prefix.
func addr(name, text string) schema.Address {
	a := schema.Address{Name: name}
	var w schema.WildcardMask
	_, mask, _ := strings.Cut(text, "/")
	switch low, high, ranged := strings.Cut(text, "-"); {
	case ranged:
		a.Range = &schema.AddressRange{Low: netip.MustParseAddr(low), High: netip.MustParseAddr(high)}
	case strings.Contains(mask, "."):
		must(w.UnmarshalText([]byte(text)))
		a.Wildcard = &schema.Wildcard{Mask: w}
	case strings.HasSuffix(text, ".example"):
		a.DNSName = &schema.DNSName{Name: text}
	default:
		a.Prefix = ptr(hostPrefix(text))
	}
	return a
}

// entries makes a list of names.
func entries(names ...string) []schema.NamedEntry {
	var list []schema.NamedEntry
	for _, n := range names {
		list = append(list, schema.NamedEntry{Name: n})
	}
	return list
}

// rule makes a policy: words of sources, destinations and applications, and an action.
func rule(name, sources, destinations, applications string, action Action) schema.Policy {
	p := schema.Policy{Name: name}
	p.Match.SourceAddress = strings.Fields(sources)
	p.Match.DestinationAddress = strings.Fields(destinations)
	p.Match.Application = strings.Fields(applications)
	switch action {
	case Permit:
		p.Then.Permit = &schema.Permit{}
	case Deny:
		p.Then.Deny = &schema.Deny{}
	case Reject:
		p.Then.Reject = &schema.Reject{}
	}
	return p
}

// app makes a custom application of one term.
func app(name string, protocol schema.Protocol, source, destination string) schema.Application {
	a := schema.Application{Name: name}
	a.Protocol = ptr(protocol)
	a.SourcePort, a.DestinationPort = ports(source), ports(destination)
	return a
}

// ports reads a range, nil when text is empty.
func ports(text string) *schema.PortRange {
	if text == "" {
		return nil
	}
	var p schema.PortRange
	must(p.UnmarshalText([]byte(text)))
	return &p
}

// zone makes a zone with interfaces.
func zone(name string, interfaces ...string) schema.Zone {
	z := schema.Zone{Name: name}
	for _, i := range interfaces {
		z.Interfaces = append(z.Interfaces, schema.ZoneInterface{Name: i})
	}
	return z
}

// between makes the policies of a zone pair.
func between(from, to string, policies ...schema.Policy) schema.ZonePair {
	return schema.ZonePair{From: from, To: to, Policies: policies}
}

// office is a configuration of two zones with the policies given.
func office(pairs ...schema.ZonePair) *schema.Config {
	cfg := new(schema.Config)
	cfg.Security.Zones.SecurityZones = []schema.Zone{zone("trust", "eth1"), zone("untrust", "eth2")}
	cfg.Security.Policies.ZonePairs = pairs
	return cfg
}

// book adds the global address book.
func addGlobalBook(cfg *schema.Config, addresses ...schema.Address) *schema.AddressBook {
	cfg.Security.AddressBooks = append(cfg.Security.AddressBooks, schema.AddressBook{Name: globalBook, Addresses: addresses})
	return &cfg.Security.AddressBooks[len(cfg.Security.AddressBooks)-1]
}

// compile compiles cfg, which must have no problems.
func compile(t testing.TB, cfg *schema.Config, options ...Option) *Engine {
	t.Helper()
	st := NewState(options...)
	t.Cleanup(st.Close)
	return compileWith(t, cfg, st)
}

// compileWith compiles cfg, which must have no problems, with the state of other engines.
func compileWith(t testing.TB, cfg *schema.Config, st *State) *Engine {
	t.Helper()
	e, problems := Compile(cfg, st, nil)
	for _, p := range problems {
		t.Error(p.Error())
	}
	if t.Failed() {
		t.FailNow()
	}
	return e
}

// flow is a session from trust to untrust: "tcp 192.0.2.1 1024 198.51.100.1 80", or with
// "icmp SRC TYPE DST CODE".
func flow(text string) *Flow {
	words := strings.Fields(text)
	f := &Flow{FromZone: "trust", ToZone: "untrust", Src: netip.MustParseAddr(words[1]), Dst: netip.MustParseAddr(words[3])}
	must(f.Protocol.UnmarshalText([]byte(words[0])))
	a, b := ports(words[2]).Low, ports(words[4]).Low
	if f.Protocol == schema.ProtoICMP || f.Protocol == schema.ProtoICMPv6 {
		f.ICMPType, f.ICMPCode = uint8(a), uint8(b)
	} else {
		f.SrcPort, f.DstPort = a, b
	}
	return f
}

// fixedClock is a clock that stands at the moment the pointer has.
func fixedClock(now *time.Time) Option { return WithClock(func() time.Time { return *now }) }
