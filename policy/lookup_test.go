package policy

import (
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/store/schema"
)

// verdictTest is a flow and what becomes of it.
type verdictTest struct {
	flow    string
	policy  string
	service string
}

// judge runs verdict tests.
func judge(t *testing.T, e *Engine, tests []verdictTest) {
	t.Helper()
	for _, test := range tests {
		v := e.Lookup(flow(test.flow))
		if v.Policy.Name != test.policy || v.Service != test.service {
			t.Errorf("%s: policy %s, service %s; want %s, %s", test.flow, v.Policy.Name, v.Service, test.policy, test.service)
		}
	}
}

// The guide's unified policy example without its dynamic applications: policy-1 between trust
// and untrust matches everything and rejects; everything else is for the default policy (FW-10,
// FW-16).
// Rows: 1/S-37, C-14, S-104, 5/S-47.
func TestGuideExample(t *testing.T) {
	cfg := office(between("trust", "untrust", rule("policy-1", "any", "any", "any", Reject)))
	cfg.Security.Policies.DefaultPolicy.PermitAll = true
	e := compile(t, cfg)
	v := e.Lookup(flow("tcp 192.0.2.1 40000 198.51.100.7 80"))
	if v.Policy.Name != "policy-1" || v.Policy.Action != Reject || v.Service != "junos-http" {
		t.Errorf("verdict %+v", v)
	}
	back := flow("tcp 192.0.2.1 40000 198.51.100.7 80")
	back.FromZone, back.ToZone = back.ToZone, back.FromZone
	if v := e.Lookup(back); v.Policy.Name != DefaultPolicy || v.Policy.Action != Permit {
		t.Errorf("other direction: %+v", v.Policy)
	}
}

// Without default-policy everything that no policy matches is dropped (FW-10).
// Rows: ST-53.
func TestDefaultDeny(t *testing.T) {
	v := compile(t, office()).Lookup(flow("udp 192.0.2.1 5353 198.51.100.7 53"))
	if v.Policy.Name != DefaultPolicy || v.Policy.Action != Deny || v.Service != "junos-dns-udp" {
		t.Errorf("verdict %+v", v)
	}
}

// The first policy that matches decides, and policies of the zone pair come before global ones
// (FW-34).
func TestOrder(t *testing.T) {
	cfg := office(between("trust", "untrust",
		rule("no-telnet", "any", "any", "junos-telnet", Deny),
		rule("lan", "192.0.2.0/24", "any", "any", Permit),
		rule("never", "192.0.2.0/25", "any", "any", Deny),
	))
	cfg.Security.Policies.Global.Policies = []schema.Policy{
		rule("web", "any", "any", "junos-http junos-https", Permit),
		rule("rest", "any", "any", "any", Reject),
	}
	cfg.Security.Policies.Global.Policies[0].Match.FromZone = []string{"untrust"}
	e := compile(t, cfg)
	judge(t, e, []verdictTest{
		{"tcp 192.0.2.9 1024 198.51.100.1 23", "no-telnet", "junos-telnet"},
		{"tcp 192.0.2.9 1024 198.51.100.1 22", "lan", "junos-ssh"},
		{"tcp 203.0.113.9 1024 198.51.100.1 22", "rest", "junos-ssh"},
		{"tcp 203.0.113.9 1024 198.51.100.1 80", "rest", "junos-http"},
	})
	in := flow("tcp 203.0.113.9 1024 192.0.2.1 80")
	in.FromZone, in.ToZone = "untrust", "trust"
	if v := e.Lookup(in); v.Policy.Name != "web" {
		t.Errorf("global policy of a zone: %s", v.Policy.Name)
	}
}

// Every form of address, on both sides, in sets, excluded, and as a literal.
// Rows: 1/S-37, ST-44, ST-45, C-2, C-3, 5/S-40, 5/S-41, 5/S-52, 5/S-53, 5/S-54.
func TestAddresses(t *testing.T) {
	cfg := office(between("trust", "untrust",
		rule("prefix", "lan", "any", "any", Permit),
		rule("range", "printers", "any", "any", Permit),
		rule("wildcard", "routers", "any", "any", Permit),
		rule("plain-mask", "masked", "any", "any", Permit),
		rule("literal", "10.4.0.1", "10.5.0.0/16", "any", Permit),
		rule("set", "branch", "any", "any", Permit),
		rule("not-here", "any", "branch", "any", Permit),
		rule("six", "any-ipv6", "any", "any", Permit),
		rule("four", "any-ipv4", "any", "any", Permit),
	))
	cfg.Security.Policies.ZonePairs[0].Policies[6].Match.DestinationAddressExcluded = true
	book := addGlobalBook(cfg, addr("lan", "192.0.2.5/28"), addr("printers", "192.0.2.117-192.0.2.199"),
		addr("routers", "10.0.0.1/255.0.0.255"), addr("masked", "203.0.113.0/255.255.255.0"),
		addr("host", "172.16.0.1"), addr("six", "2001:db8::/32"))
	book.AddressSets = []schema.AddressSet{
		{Name: "branch", Addresses: entries("host"), Sets: entries("inner")},
		{Name: "inner", Addresses: entries("six")},
	}
	judge(t, compile(t, cfg), []verdictTest{
		{"tcp 192.0.2.15 1 198.51.100.1 9999", "prefix", "None"},
		{"tcp 192.0.2.16 1 172.16.0.1 9999", "four", "None"},
		{"tcp 192.0.2.116 1 172.16.0.1 9999", "four", "None"},
		{"tcp 192.0.2.117 1 172.16.0.1 9999", "range", "None"},
		{"tcp 192.0.2.199 1 172.16.0.1 9999", "range", "None"},
		{"tcp 192.0.2.200 1 172.16.0.1 9999", "four", "None"},
		{"tcp 10.77.88.1 1 172.16.0.1 9999", "wildcard", "None"},
		{"tcp 10.77.88.2 1 172.16.0.1 9999", "four", "None"},
		{"tcp 203.0.113.200 1 172.16.0.1 9999", "plain-mask", "None"},
		{"tcp 10.4.0.1 1 10.5.3.4 9999", "wildcard", "None"},
		{"tcp 172.16.0.1 1 10.6.3.4 9999", "set", "None"},
		{"tcp 2001:db8::7 1 2001:db9::1 9999", "set", "None"},
		{"tcp 172.17.0.1 1 10.6.3.4 9999", "not-here", "None"},
		{"tcp 2001:db9::1 1 2001:db8::1 9999", "six", "None"},
		{"tcp ::ffff:192.0.2.15 1 198.51.100.1 9999", "prefix", "None"},
	})
}

// A zone's own addresses hold before attached ones, and those before the global book's.
func TestAddressBookScopes(t *testing.T) {
	cfg := office(
		between("trust", "untrust", rule("p", "server", "server", "any", Permit)),
		between("untrust", "trust", rule("q", "server", "server", "any", Permit)))
	addGlobalBook(cfg, addr("server", "198.51.100.1"))
	cfg.Security.AddressBooks = append(cfg.Security.AddressBooks, schema.AddressBook{
		Name: "branch", Addresses: []schema.Address{addr("server", "192.0.2.1")},
		Attach: schema.Attach{Zones: []schema.AttachedZone{{Name: "trust"}}},
	})
	e := compile(t, cfg)
	judge(t, e, []verdictTest{
		{"tcp 192.0.2.1 1 198.51.100.1 9999", "p", "None"},
		{"tcp 198.51.100.1 1 198.51.100.1 9999", DefaultPolicy, "None"},
	})
	cfg.Security.Zones.SecurityZones[0].AddressBook.Addresses = []schema.Address{addr("server", "192.0.2.77")}
	judge(t, compile(t, cfg), []verdictTest{
		{"tcp 192.0.2.77 1 198.51.100.1 9999", "p", "None"},
		{"tcp 192.0.2.1 1 198.51.100.1 9999", DefaultPolicy, "None"},
	})
}

// Applications: terms, sets, source ports, ICMP types, protocols without ports; and how the
// service is named, a custom application first.
// Rows: 1/S-37, ST-57, C-4, 5/S-42.
func TestApplications(t *testing.T) {
	cfg := office(between("trust", "untrust",
		rule("mine", "any", "any", "web-apps", Permit),
		rule("ping", "any", "any", "junos-ping junos-pingv6", Permit),
		rule("frag-needed", "any", "any", "too-big", Permit),
		rule("sourced", "any", "any", "from-ntp both", Permit),
		rule("tunnel", "any", "any", "junos-gre junos-cifs", Permit),
		rule("tcp", "any", "any", "junos-tcp-any", Permit),
	))
	both := schema.Application{Name: "both", Terms: []schema.ApplicationTerm{{Name: "t1"}, {Name: "t2"}}}
	both.Terms[0].ApplicationMatch = app("", schema.ProtoUDP, "1000-2000", "7").ApplicationMatch
	both.Terms[1].ApplicationMatch = app("", schema.ProtoUDP, "3000", "8").ApplicationMatch
	tooBig := schema.Application{Name: "too-big"}
	tooBig.ICMPType, tooBig.ICMPCode = ptr(uint8(3)), ptr(uint8(4))
	wide := app("wide", schema.ProtoTCP, "", "8000-9000")
	wide.InactivityTimeout = ptr(schema.Timeout(300 * time.Second))
	narrow := app("narrow", schema.ProtoTCP, "", "8080")
	narrow.InactivityTimeout = ptr(schema.Never)
	cfg.Applications.Applications = []schema.Application{wide, narrow, app("from-ntp", schema.ProtoUDP, "123", ""), both, tooBig}
	cfg.Applications.Sets = []schema.ApplicationSet{
		{Name: "web-apps", Applications: entries("wide", "junos-http"), Sets: entries("inner")},
		{Name: "inner", Applications: entries("narrow")},
	}
	e := compile(t, cfg)
	judge(t, e, []verdictTest{
		{"tcp 192.0.2.1 1 198.51.100.1 8080", "mine", "narrow"},
		{"tcp 192.0.2.1 1 198.51.100.1 8081", "mine", "wide"},
		{"tcp 192.0.2.1 1 198.51.100.1 80", "mine", "junos-http"},
		{"icmp 192.0.2.1 8 198.51.100.1 0", "ping", "junos-ping"},
		{"icmp 192.0.2.1 13 198.51.100.1 0", DefaultPolicy, "None"},
		{"icmp 192.0.2.1 3 198.51.100.1 4", "frag-needed", "too-big"},
		{"icmp 192.0.2.1 3 198.51.100.1 5", DefaultPolicy, "None"},
		{"icmp6 2001:db8::1 128 2001:db8::2 0", "ping", "junos-pingv6"},
		{"udp 192.0.2.1 123 198.51.100.1 5555", "sourced", "from-ntp"},
		{"udp 192.0.2.1 1500 198.51.100.1 7", "sourced", "both"},
		{"udp 192.0.2.1 1500 198.51.100.1 8", DefaultPolicy, "None"},
		{"udp 192.0.2.1 3000 198.51.100.1 8", "sourced", "both"},
		{"gre 192.0.2.1 0 198.51.100.1 0", "tunnel", "junos-gre"},
		{"tcp 192.0.2.1 1 198.51.100.1 445", "tunnel", "junos-smb-session"},
		{"tcp 192.0.2.1 1 198.51.100.1 22", "tcp", "junos-ssh"},
		{"tcp 192.0.2.1 1 198.51.100.1 60000", "tcp", "junos-tcp-any"},
		{"esp 192.0.2.1 0 198.51.100.1 0", DefaultPolicy, "None"},
	})
	for text, want := range map[string]time.Duration{
		"tcp 192.0.2.1 1 198.51.100.1 8080": Never,
		"tcp 192.0.2.1 1 198.51.100.1 8081": 300 * time.Second,
		"tcp 192.0.2.1 1 198.51.100.1 80":   0,
	} {
		if got := e.Lookup(flow(text)).Timeout; got != want {
			t.Errorf("%s: timeout %v, want %v", text, got, want)
		}
	}
}

// While nobody is known everyone is unauthenticated and unknown; later users and roles match.
func TestSourceIdentity(t *testing.T) {
	cfg := office(between("trust", "untrust",
		rule("ada", "any", "any", "any", Permit),
		rule("staff", "any", "any", "any", Permit),
		rule("guests", "any", "any", "any", Deny),
		rule("everyone", "any", "any", "any", Permit),
	))
	for i, id := range []string{"ada", "staff", "unauthenticated-user", "any"} {
		cfg.Security.Policies.ZonePairs[0].Policies[i].Match.SourceIdentity = []string{id}
	}
	e := compile(t, cfg)
	for want, user := range map[string]*User{
		"ada":    {Name: "Ada", Roles: []string{"staff"}},
		"staff":  {Name: "bob", Roles: []string{"staff"}},
		"guests": nil,
	} {
		f := flow("tcp 192.0.2.1 1 198.51.100.1 80")
		f.User = user
		if got := e.Lookup(f).Policy.Name; got != want {
			t.Errorf("user %+v: %s, want %s", user, got, want)
		}
	}
}

// Every word of source-identity, for somebody, nobody, and an address that no user table knows.
func TestSourceIdentityWords(t *testing.T) {
	known, nobody := &User{Name: "ada", Roles: []string{"staff"}}, &User{}
	for _, c := range []struct {
		identities string
		matches    []*User
	}{
		{"any", []*User{nil, nobody, known}},
		{"authenticated-user", []*User{known}},
		{"unauthenticated-user", []*User{nil, nobody}},
		{"unknown-user", []*User{nil, nobody}},
		{"staff", []*User{known}},
		{"bob", nil},
		{"bob unknown-user", []*User{nil, nobody}},
		{"authenticated-user unauthenticated-user", []*User{nil, nobody, known}},
	} {
		cfg := office(between("trust", "untrust", rule("p", "any", "any", "any", Permit)))
		cfg.Security.Policies.ZonePairs[0].Policies[0].Match.SourceIdentity = strings.Fields(c.identities)
		e := compile(t, cfg)
		for _, user := range []*User{nil, nobody, known} {
			f := flow("tcp 192.0.2.1 1 198.51.100.1 80")
			f.User = user
			if got, want := e.Lookup(f).Policy.Name == "p", slices.Contains(c.matches, user); got != want {
				t.Errorf("source-identity %s, user %+v: matches %v, want %v", c.identities, user, got, want)
			}
		}
	}
}

// A lookup allocates nothing.
func TestLookupAllocatesNothing(t *testing.T) {
	e := compile(t, large(1000))
	flows := largeFlows(1000, 64)
	i := 0
	if n := testing.AllocsPerRun(1000, func() { e.Lookup(&flows[i%len(flows)]); i++ }); n != 0 {
		t.Errorf("%v allocations a lookup", n)
	}
}
