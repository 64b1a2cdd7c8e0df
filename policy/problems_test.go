package policy

import (
	"slices"
	"strings"
	"testing"

	"sluice/store/schema"
)

const p1 = "security policies from-zone trust to-zone untrust policy p1"

// Each mistake is reported at its statement, with what is near or what to do.
// Rows: C-4.
func TestProblems(t *testing.T) {
	onePolicy := func(change func(*schema.Policy)) func(*schema.Config) {
		return func(cfg *schema.Config) { change(&cfg.Security.Policies.ZonePairs[0].Policies[0]) }
	}
	tests := []struct {
		name   string
		change func(*schema.Config)
		want   string // of Problem.Error
	}{
		{"unknown zone", func(cfg *schema.Config) { cfg.Security.Policies.ZonePairs[0].To = "untrusd" },
			`[edit security policies from-zone trust to-zone untrusd] zone "untrusd" is not configured (did you mean untrust?)`},
		{"unknown address", onePolicy(func(p *schema.Policy) { p.Match.SourceAddress = []string{"lam"} }),
			`[edit ` + p1 + ` match source-address] address "lam" is not in the address books of zone trust (did you mean lan?)`},
		{"unknown application", onePolicy(func(p *schema.Policy) { p.Match.Application = []string{"junos-htp"} }),
			`[edit ` + p1 + ` match application] application "junos-htp" is not configured (did you mean junos-ftp, junos-http, junos-ntp?)`},
		{"dynamic application", onePolicy(func(p *schema.Policy) { p.Match.Application = []string{"junos:HTTP"} }),
			`[edit ` + p1 + ` match application] "junos:HTTP" is a dynamic application, not one by protocol and port (the services here begin with junos-, such as junos-http)`},
		{"junos-defaults", onePolicy(func(p *schema.Policy) { p.Match.Application = []string{"junos-defaults"} }),
			`[edit ` + p1 + ` match application] junos-defaults stands for`},
		{"unknown scheduler", onePolicy(func(p *schema.Policy) { p.SchedulerName = "work" }),
			`[edit ` + p1 + ` scheduler-name] scheduler "work" is not configured`},
		{"an unknown kind of the gateways of the application layer", func(cfg *schema.Config) {
			tcp := schema.ProtoTCP
			cfg.Applications.Applications = append(cfg.Applications.Applications, schema.Application{Name: "phones", ApplicationMatch: schema.ApplicationMatch{Protocol: &tcp, ALG: "sccp"}})
		}, `[edit applications application phones application-protocol] there is no application layer gateway sccp in this version`},
		{"no source", onePolicy(func(p *schema.Policy) { p.Match.SourceAddress = nil }),
			`[edit ` + p1 + ` match] source-address is missing (set ` + p1 + ` match source-address any)`},
		{"no action", onePolicy(func(p *schema.Policy) { p.Then = schema.PolicyThen{} }),
			`[edit ` + p1 + ` then] the policy has no action`},
		{"two actions", onePolicy(func(p *schema.Policy) { p.Then.Deny = &schema.Deny{} }),
			`[edit ` + p1 + ` then] the policy has more than one action`},
		{"any excluded", onePolicy(func(p *schema.Policy) { p.Match.DestinationAddressExcluded = true }),
			`[edit ` + p1 + ` match destination-address] any cannot be excluded`},
		{"zones of a zone pair", onePolicy(func(p *schema.Policy) { p.Match.FromZone = []string{"trust"} }),
			`[edit ` + p1 + ` match from-zone] only global policies match zones`},
		{"any and more", onePolicy(func(p *schema.Policy) { p.Match.SourceAddress = []string{"any", "lan"} }),
			`[edit ` + p1 + ` match source-address] any already holds every other address`},
		{"policy from the gateway", func(cfg *schema.Config) { cfg.Security.Policies.ZonePairs[0].From = HostZone },
			`[edit security policies from-zone junos-host to-zone untrust] traffic of the gateway itself is decided by host-inbound-traffic, so a policy for junos-host has no effect in this version (use security zones`},
		{"policy to the gateway", func(cfg *schema.Config) { cfg.Security.Policies.ZonePairs[0].To = HostZone },
			`[edit security policies from-zone trust to-zone junos-host] traffic of the gateway itself`},
		{"global policy to the gateway", func(cfg *schema.Config) {
			cfg.Security.Policies.Global.Policies = []schema.Policy{rule("g", "any", "any", "any", Permit)}
			cfg.Security.Policies.Global.Policies[0].Match.ToZone = []string{"untrust", HostZone}
		}, `[edit security policies global policy g match to-zone] traffic of the gateway itself`},
		{"policy twice", func(cfg *schema.Config) {
			z := &cfg.Security.Policies.ZonePairs[0]
			z.Policies = append(z.Policies, z.Policies[0])
		}, `[edit ` + p1 + `] the policy is given twice`},
		{"global zone", func(cfg *schema.Config) {
			cfg.Security.Policies.Global.Policies = []schema.Policy{rule("g", "any", "any", "any", Permit)}
			cfg.Security.Policies.Global.Policies[0].Match.ToZone = []string{"dmz"}
		}, `[edit security policies global policy g match to-zone] zone "dmz" is not configured`},
		{"interface in two zones", func(cfg *schema.Config) {
			cfg.Security.Zones.SecurityZones[1].Interfaces = []schema.ZoneInterface{{Name: "eth1.0"}}
		}, `[edit security zones security-zone untrust interfaces eth1.0] the interface is in zone trust already`},
		{"address set cycle", func(cfg *schema.Config) {
			cfg.Security.AddressBooks[0].AddressSets = []schema.AddressSet{{Name: "a", Sets: entries("b")}, {Name: "b", Sets: entries("a")}}
		}, `[edit security address-book global address-set a] the set contains itself: a > b > a`},
		{"address set member", func(cfg *schema.Config) {
			cfg.Security.AddressBooks[0].AddressSets = []schema.AddressSet{{Name: "a", Addresses: entries("lann")}}
		}, `[edit security address-book global address-set a address lann] address "lann" is not in address book global (did you mean lan?)`},
		{"address without value", func(cfg *schema.Config) {
			cfg.Security.AddressBooks[0].Addresses[0].Prefix = nil
		}, `[edit security address-book global address lan] the address has no value`},
		{"range upside down", func(cfg *schema.Config) {
			cfg.Security.AddressBooks[0].Addresses[0] = addr("lan", "192.0.2.9-192.0.2.1")
		}, `[edit security address-book global address lan range-address] 192.0.2.9 to 192.0.2.1 is not a range`},
		{"name of address and set", func(cfg *schema.Config) {
			cfg.Security.AddressBooks[0].AddressSets = []schema.AddressSet{{Name: "lan"}}
		}, `[edit security address-book global address-set lan] "lan" is the name of an address too`},
		{"attached nowhere", func(cfg *schema.Config) {
			cfg.Security.AddressBooks[0].Name = "local"
			cfg.Security.AddressBooks[0].Attach.Zones = []schema.AttachedZone{{Name: "trast"}}
		}, `[edit security address-book local attach zone trast] zone "trast" is not configured (did you mean trust?)`},
		{"application set cycle", func(cfg *schema.Config) {
			cfg.Applications.Sets = []schema.ApplicationSet{{Name: "a", Sets: entries("a")}}
		}, `[edit applications application-set a] the set contains itself: a > a`},
		{"application without protocol", func(cfg *schema.Config) {
			cfg.Applications.Applications = []schema.Application{{Name: "x", ApplicationMatch: schema.ApplicationMatch{DestinationPort: ports("80")}}}
		}, `[edit applications application x] the application has no protocol`},
		{"ports of gre", func(cfg *schema.Config) {
			cfg.Applications.Applications = []schema.Application{app("x", 47, "", "80")}
		}, `[edit applications application x] protocol gre has no ports`},
		{"empty application", func(cfg *schema.Config) {
			cfg.Applications.Applications = []schema.Application{{Name: "x"}}
		}, `[edit applications application x] the application matches nothing`},
		{"predefined application", func(cfg *schema.Config) {
			cfg.Applications.Applications = []schema.Application{app("junos-http", schema.ProtoTCP, "", "8080")}
		}, `[edit applications application junos-http] "junos-http" is a predefined application`},
		{"scheduler without times", func(cfg *schema.Config) {
			cfg.Schedulers.Schedulers = []schema.Scheduler{{Name: "s"}}
		}, `[edit schedulers scheduler s] the scheduler has no times`},
		{"translation without action", func(cfg *schema.Config) {
			cfg.Security.NAT.Source.RuleSets = []schema.NATRuleSet{ruleSet("rs", []string{"trust"}, []string{"untrust"}, schema.NATRule{Name: "r"})}
		}, `[edit security nat source rule-set rs rule r then] the rule needs one action`},
		{"translation interface", func(cfg *schema.Config) {
			set := ruleSet("rs", nil, []string{"untrust"}, natRuleOf("r", true))
			set.From.Interfaces = []string{"eth3"}
			cfg.Security.NAT.Source.RuleSets = []schema.NATRuleSet{set}
		}, `[edit security nat source rule-set rs from interface eth3] interface "eth3" is in no zone (did you mean eth1, eth2?)`},
		{"translation twice", func(cfg *schema.Config) {
			cfg.Security.NAT.Source.RuleSets = []schema.NATRuleSet{
				ruleSet("one", []string{"trust"}, []string{"untrust"}, natRuleOf("r", true)),
				ruleSet("two", []string{"trust"}, []string{"untrust"}, natRuleOf("r", true)),
			}
		}, `[edit security nat source rule-set two] rule set one holds from zone trust to zone untrust already`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cfg := office(between("trust", "untrust", rule("p1", "any", "any", "any", Permit)))
			addGlobalBook(cfg, addr("lan", "192.0.2.0/24"))
			test.change(cfg)
			_, problems := Compile(cfg, NewState(), nil)
			if len(problems) != 1 || !strings.HasPrefix(problems[0].Error(), test.want) {
				t.Errorf("problems %v\nwant %s", problems, test.want)
			}
			if warning := test.name == "any and more" || strings.Contains(test.name, "the gateway"); len(problems) > 0 && problems[0].Warning != warning {
				t.Errorf("warning is %v", problems[0].Warning)
			}
		})
	}
}

// All problems are told at once.
func TestAllProblemsAtOnce(t *testing.T) {
	cfg := office(between("trust", "dmz",
		rule("p1", "nobody", "nowhere", "nothing", Permit), schema.Policy{Name: "p2"}))
	_, problems := Compile(cfg, NewState(), nil)
	var paths []string
	for _, p := range problems {
		paths = append(paths, strings.TrimPrefix(p.Path, "security policies from-zone trust to-zone dmz"))
	}
	want := []string{"", " policy p1 match source-address", " policy p1 match destination-address", " policy p1 match application",
		" policy p2 match", " policy p2 match", " policy p2 match", " policy p2 then"}
	if !slices.Equal(paths, want) {
		t.Errorf("paths %q\nwant %q", paths, want)
	}
}

// More wildcard masks than lookups have room for are refused, however they are spread.
// Rows: 5/S-54.
func TestTooManyWildcardMasks(t *testing.T) {
	cfg := office()
	book := addGlobalBook(cfg)
	for i := range maxWildcards + 2 {
		mask := schema.WildcardMask{Addr: ten(1), Mask: [4]byte{255, byte(i), 0, 1}}
		book.Addresses = append(book.Addresses, schema.Address{Name: string(rune('a' + i)), Wildcard: &schema.Wildcard{Mask: mask}})
	}
	_, problems := Compile(cfg, NewState(), nil)
	if len(problems) != 1 || !strings.Contains(problems[0].Message, "more than 8 different wildcard masks") {
		t.Errorf("problems %v", problems)
	}
}
