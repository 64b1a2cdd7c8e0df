package tree

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/store/schema"
)

func prefix(text string) *schema.HostPrefix {
	return &schema.HostPrefix{Prefix: netip.MustParsePrefix(text)}
}

// Rows: C-2, C-3, C-18, S-89.
func TestDecode(t *testing.T) {
	tr := load(t, `
set system host-name branch-1
set system services metrics
set interfaces ge-0/0/1 device eth1
set interfaces ge-0/0/1 unit 0 family inet address 192.0.2.1/24
set interfaces eth2 mtu 1400
set security zones security-zone trust interfaces ge-0/0/1.0 host-inbound-traffic system-services all
set security zones security-zone untrust tcp-rst
set security address-book global address a1 192.0.2.0/24
set security address-book global address a2 range-address 192.0.2.117 to 192.0.2.199
set security policies from-zone trust to-zone untrust policy p1 match source-address a1 destination-address any application [ web junos-https ]
set security policies from-zone trust to-zone untrust policy p1 then permit tcp-options initial-tcp-mss 1300
set security policies from-zone trust to-zone junos-host policy p2 then deny
set applications application web protocol tcp destination-port 8080-8090 inactivity-timeout never
`)
	cfg, problems := tr.Decode()
	if len(problems) > 0 {
		t.Fatal(joinProblems(problems))
	}
	if got := cfg.Interfaces[0].Units[0].Family.Inet.Addresses[0].Prefix; got != *prefix("192.0.2.1/24") {
		t.Errorf("address %v", got)
	}
	if cfg.Interfaces[1].MTU != 1400 || cfg.Interfaces[1].Name != "eth2" {
		t.Errorf("eth2 is %+v", cfg.Interfaces[1])
	}
	wantPolicies := []schema.ZonePair{
		{From: "trust", To: "untrust", Policies: []schema.Policy{{
			Name:  "p1",
			Match: schema.PolicyMatch{SourceAddress: []string{"a1"}, DestinationAddress: []string{"any"}, Application: []string{"web", "junos-https"}},
			Then:  schema.PolicyThen{Permit: &schema.Permit{TCPOptions: schema.TCPOptions{InitialTCPMSS: 1300}}},
		}}},
		{From: "trust", To: "junos-host", Policies: []schema.Policy{{Name: "p2", Then: schema.PolicyThen{Deny: &schema.Deny{}}}}},
	}
	if diff := cmp.Diff(wantPolicies, cfg.Security.Policies.ZonePairs); diff != "" {
		t.Error(diff)
	}
	app := cfg.Applications.Applications[0]
	if *app.Protocol != schema.ProtoTCP || *app.DestinationPort != (schema.PortRange{Low: 8080, High: 8090}) || *app.InactivityTimeout != schema.Never {
		t.Errorf("application %+v", app)
	}
	// What is not said has its default, in containers that are there.
	if m := cfg.System.Services.Metrics; m.Port != 9464 || m.Address != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("metrics %+v", m)
	}
	if cfg.Security.Flow.MaximumSessions != 1000000 || cfg.Security.Log.File != nil {
		t.Errorf("flow %+v", cfg.Security.Flow)
	}
	services := cfg.Security.Zones.SecurityZones[0].Interfaces[0].HostInbound.SystemServices
	if diff := cmp.Diff([]schema.SystemService{{Name: "all"}}, services); diff != "" {
		t.Error(diff)
	}
}

func TestDecodeSchedulers(t *testing.T) {
	tr := load(t, `
set schedulers scheduler work start-date 2030-01-02.03:04 stop-date 2031-01-02.03:04
set schedulers scheduler work daily start-time 08:00 stop-time 17:30:05
set schedulers scheduler work sunday exclude
set security policies global policy p scheduler-name work
`)
	cfg, problems := tr.Decode()
	if len(problems) > 0 {
		t.Fatal(joinProblems(problems))
	}
	s := cfg.Schedulers.Schedulers[0]
	want := []schema.TimeWindow{{Start: schema.TimeOfDay(8 * time.Hour), Stop: schema.TimeOfDay(17*time.Hour + 30*time.Minute + 5*time.Second)}}
	if diff := cmp.Diff(want, s.Daily.Times); diff != "" || !s.Sunday.Exclude || s.StartDate[0].Stop == nil {
		t.Errorf("%s\n%+v", diff, s)
	}
}

// All problems of a configuration are named at once, with place and nearest names.
func TestDecodeProblems(t *testing.T) {
	tr := load(t, `
set security zones security-zone trust
set security zones security-zone untrust
set security policies from-zone trsut to-zone untrust policy p then permit
set security policies from-zone trust to-zone untrust policy p scheduler-name night
set security policies from-zone trust to-zone untrust policy p match application [ junos-http any web ]
set security policies from-zone trust to-zone untrust policy p match source-address 192.0.2.0/24
set security address-book global address a range-address 192.0.2.1
set security address-book global address b dns-name ipv4-only
set security address-book global address c dns-name x
set security address-book global attach zone dmz
set schedulers scheduler s daily start-time 08:00
set applications application wbe protocol tcp
`)
	// Only a stored text can hold what its tags refuse.
	text := tr.Text() + "interfaces { 9eth; eth1 { mtu 5; unit many; } }"
	tr, problems := Parse(text)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	_, problems = tr.Decode()
	wantText(t, joinProblems(problems), `
		[edit schedulers scheduler s daily start-time 08:00] stop-time is missing (expected Last moment (hh:mm or hh:mm:ss))
		[edit interfaces 9eth] "9eth" does not have the form of name (expected Interface name, as Linux or the guide spells it (eth1, ge-0/0/1), matching [A-Za-z][A-Za-z0-9_./:-]*)
		[edit interfaces eth1 mtu 5] mtu 5 is out of range (range 576..65535 bytes)
		[edit interfaces eth1 unit many] "many" is not a number (expected 0..4094)
		[edit security address-book global address a range-address] to is missing (expected Last address)
		[edit security address-book global address b dns-name] name is missing (expected Domain name)
		[edit security address-book global attach zone dmz] security-zone "dmz" is not defined (define it under security zones security-zone)
		[edit security policies from-zone trsut to-zone untrust] security-zone "trsut" is not defined (did you mean trust?)
		[edit security policies from-zone trust to-zone untrust policy p match application] application "web" is not defined (did you mean wbe?)
		[edit security policies from-zone trust to-zone untrust policy p scheduler-name night] scheduler "night" is not defined (define it under schedulers scheduler)`)
}

// Statements without effect are accepted and decoded, and each place of one is warned about once.
// Rows: S-96, S-100, S-102, PL-16, CF-18.
func TestDecodeWarnsOfInertStatements(t *testing.T) {
	tr := load(t, `
set groups g security flow tcp-session no-syn-check-in-tunnel
set groups unused security flow sync-icmp-session
set security flow apply-groups g
set security flow allow-dns-reply
set security flow tcp-mss ipsec-vpn mss 1350
set security flow tcp-mss all-tcp mss 1400
set interfaces eth1 unit 0 family inet address 192.0.2.1/24 primary
set interfaces eth1 unit 0 family inet address 192.0.2.2/24 preferred
set interfaces eth1 unit 0 family inet6 address 2001:db8::1/64 primary
set routing-options static route 203.0.113.0/24 next-hop 192.0.2.254 preference 10
set routing-options static route 198.51.100.0/24 next-hop 192.0.2.254
set security policies global policy p then permit tcp-options window-scale
deactivate interfaces eth1 unit 0 family inet address 192.0.2.2/24 preferred
`)
	cfg, problems := tr.Decode()
	for _, p := range problems {
		if !p.Warning {
			t.Errorf("not a warning: %v", p)
		}
	}
	wantText(t, joinProblems(problems), `
		[edit interfaces eth1 unit 0 family inet address 192.0.2.1/24 primary] primary has no effect in this version
		[edit interfaces eth1 unit 0 family inet6 address 2001:db8::1/64 primary] primary has no effect in this version
		[edit routing-options static route 203.0.113.0/24 preference 10] preference has no effect in this version
		[edit security flow allow-dns-reply] allow-dns-reply has no effect in this version
		[edit security flow tcp-mss ipsec-vpn] ipsec-vpn has no effect in this version
		[edit security flow tcp-session no-syn-check-in-tunnel] no-syn-check-in-tunnel has no effect in this version
		[edit security policies global policy p then permit tcp-options window-scale] window-scale has no effect in this version`)
	if !cfg.Security.Flow.AllowDNSReply || cfg.Security.Flow.TCPMSS.IPsecVPN.MSS != 1350 || cfg.RoutingOptions.Static.Routes[0].Preference != 10 {
		t.Error("a statement without effect was left out of the configuration")
	}
}

// Warnings follow the errors, whatever the order of the statements.
func TestDecodeErrorsComeFirst(t *testing.T) {
	_, problems := load(t, "set security flow allow-dns-reply\nset applications application-set s application none").Decode()
	if len(problems) < 1 || problems[len(problems)-1].Path != "security flow allow-dns-reply" {
		t.Error(joinProblems(problems))
	}
}

// References are judged by what holds: inherited names exist, inactive ones do not.
// Rows: S-106.
func TestReferencesFollowWhatHolds(t *testing.T) {
	tr := load(t, `
set groups g security zones security-zone trust
set apply-groups g
set security zones security-zone untrust
set security policies from-zone trust to-zone untrust policy p then permit
deactivate security zones security-zone untrust
`)
	_, problems := tr.Decode()
	wantText(t, joinProblems(problems), `[edit security policies from-zone trust to-zone untrust] security-zone "untrust" is not defined (did you mean trust?)`)
}
