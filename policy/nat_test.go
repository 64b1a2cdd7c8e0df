package policy

import (
	"testing"

	"sluice/store/schema"
)

// ruleSet makes a rule set between zones.
func ruleSet(name string, from, to []string, rules ...schema.NATRule) schema.NATRuleSet {
	return schema.NATRuleSet{Name: name, From: schema.NATContext{Zones: from}, To: schema.NATContext{Zones: to}, Rules: rules}
}

// natRuleOf makes a rule that matches everything.
func natRuleOf(name string, translate bool) schema.NATRule {
	return schema.NATRule{Name: name, Then: schema.NATThen{SourceNAT: schema.SourceNATAction{Interface: translate, Off: !translate}}}
}

// The most specific rule set decides alone, its rules in order; hits are counted.
func TestSourceNAT(t *testing.T) {
	cfg := office()
	cfg.Security.Zones.SecurityZones = append(cfg.Security.Zones.SecurityZones, zone("dmz", "eth3", "eth4"))
	addGlobalBook(cfg, addr("servers", "198.51.100.0/28"), addr("spread", "10.0.0.9/255.0.0.255"))

	keep := natRuleOf("keep", false)
	keep.Match.SourceAddress = []schema.HostPrefix{hostPrefix("192.0.2.128/25")}
	web := natRuleOf("web", true)
	web.Match.Application = []string{"junos-http"}
	web.Match.DestinationAddressName = []string{"servers"}
	high := natRuleOf("high", true)
	high.Match.Protocol = []schema.Protocol{schema.ProtoUDP}
	high.Match.SourcePort, high.Match.DestinationPort = []schema.PortRange{*ports("1024-65535")}, []schema.PortRange{*ports("53")}
	spread := natRuleOf("spread", true)
	spread.Match.SourceAddressName = []string{"spread"}

	byInterface := ruleSet("by-interface", nil, []string{"untrust"}, natRuleOf("off", false))
	byInterface.From.Interfaces = []string{"eth3"}
	out := ruleSet("out", []string{"trust"}, nil, natRuleOf("all", true))
	out.To.Interfaces = []string{"eth4.0"}
	cfg.Security.NAT.Source.RuleSets = []schema.NATRuleSet{
		ruleSet("lan", []string{"trust", "dmz"}, []string{"untrust", "dmz"}, keep, web, high, spread),
		byInterface, out,
	}
	e := compile(t, cfg)
	for _, test := range []struct {
		flow             string
		fromZone, toZone string
		from, to         string
		rule             string // "" for none
		translate        bool
	}{
		{"tcp 192.0.2.200 1 198.51.100.1 80", "trust", "untrust", "eth1", "eth2", "lan/keep", false},
		{"tcp 192.0.2.1 1 198.51.100.1 80", "trust", "untrust", "eth1", "eth2", "lan/web", true},
		{"tcp 192.0.2.1 1 198.51.100.99 80", "trust", "untrust", "eth1", "eth2", "", false},
		{"udp 192.0.2.1 5000 198.51.100.99 53", "trust", "untrust", "eth1", "eth2", "lan/high", true},
		{"udp 192.0.2.1 500 198.51.100.99 53", "trust", "untrust", "eth1", "eth2", "", false},
		{"tcp 10.3.2.9 1 198.51.100.99 22", "trust", "untrust", "eth1", "eth2", "lan/spread", true},
		{"tcp 192.0.2.1 1 198.51.100.1 80", "dmz", "untrust", "eth3", "eth2", "by-interface/off", false},
		{"tcp 192.0.2.1 1 198.51.100.1 80", "dmz", "untrust", "eth4", "eth2", "lan/web", true},
		{"tcp 192.0.2.1 1 198.51.100.1 22", "trust", "dmz", "eth1", "eth4", "out/all", true},
		{"tcp 192.0.2.1 1 198.51.100.1 22", "untrust", "trust", "eth2", "eth1", "", false},
	} {
		f := flow(test.flow)
		f.FromZone, f.ToZone = test.fromZone, test.toZone
		got, ok := e.SourceNAT(f, test.from, test.to)
		if got.Name != test.rule || got.Interface != test.translate || ok != (test.rule != "") {
			t.Errorf("%s from %s to %s: rule %q, translate %v; want %q, %v", test.flow, test.from, test.to, got.Name, got.Interface, test.rule, test.translate)
		}
	}
	hits := map[string]uint64{}
	for _, r := range e.NATRules() {
		hits[r.Name] = r.Counters.Hits.Load()
	}
	if hits["lan/web"] != 2 || hits["out/all"] != 1 || len(hits) != 6 {
		t.Errorf("hits %v", hits)
	}
	for name, want := range map[string]bool{"eth1": false, "eth2": true, "eth4": true} {
		if got := e.Translates(name); got != want {
			t.Errorf("translates on %s: %v", name, got)
		}
	}
}
