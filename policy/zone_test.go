package policy

import (
	"slices"
	"strings"
	"testing"

	"sluice/store/schema"
)

// Zones know their interfaces by guide and Linux names (FW-16).
// Rows: C-15, S-60, 5/S-62.
func TestZones(t *testing.T) {
	cfg := office()
	cfg.Interfaces = []schema.Interface{{Name: "ge-0/0/0", Device: "eth7"}}
	cfg.Security.Zones.SecurityZones = []schema.Zone{zone("trust", "ge-0/0/0.0", "eth1.100"), zone("untrust", "eth2")}
	cfg.Security.Zones.SecurityZones[0].TCPReset = true
	e := compile(t, cfg)
	for name, want := range map[string]string{"ge-0/0/0.0": "trust", "eth1.100": "trust", "eth2": "untrust", "eth3": ""} {
		z, ok := e.Zone(name)
		if ok != (want != "") || ok && (z.Name != want || z.TCPReset != (want == "trust")) {
			t.Errorf("zone of %s: %+v", name, z)
		}
	}
	if z := e.Zones(); len(z) != 2 || !slices.Equal(z[0].Interfaces, []string{"ge-0/0/0.0", "eth1.100"}) {
		t.Errorf("zones %+v", z)
	}
	if r := e.HostInbound()[0]; r.Device != "eth7" || r.Interface != "ge-0/0/0.0" || r.Zone != "trust" {
		t.Errorf("rule %+v", r)
	}
}

// words makes host-inbound-traffic of services and protocols; "-name" is an exception.
func words(services, protocols string) schema.HostInbound {
	var h schema.HostInbound
	for w := range strings.FieldsSeq(services) {
		name, except := strings.CutPrefix(w, "-")
		h.SystemServices = append(h.SystemServices, schema.SystemService{Name: name, Except: except})
	}
	for w := range strings.FieldsSeq(protocols) {
		name, except := strings.CutPrefix(w, "-")
		h.Protocols = append(h.Protocols, schema.HostProtocol{Name: name, Except: except})
	}
	return h
}

// describe writes matches as "ssh tcp/22".
func describe(list []HostMatch) []string {
	var out []string
	for _, m := range list {
		text := m.Service + " " + m.Protocol.String()
		if m.Ports != (schema.PortRange{}) {
			text += "/" + m.Ports.String()
		}
		for _, kind := range m.Types {
			text += "/" + schema.PortRange{Low: uint16(kind), High: uint16(kind)}.String()
		}
		out = append(out, text)
	}
	return out
}

// What interfaces accept for the gateway itself, the interface's statements in place of its
// zone's (FW-16).
// Rows: WP-25, ST-55, C-16, S-59, S-61, S-62, 5/S-60, 5/S-61.
func TestHostInbound(t *testing.T) {
	cfg := office()
	zones := cfg.Security.Zones.SecurityZones
	zones[0].Interfaces = append(zones[0].Interfaces, schema.ZoneInterface{Name: "eth9", HostInbound: ptr(words("", "ospf router-discovery"))})
	zones[0].HostInbound = words("ssh ping metrics", "bgp")
	cfg.System.Services.Metrics = &schema.MetricsService{Port: 9999}
	rules := compile(t, cfg).HostInbound()
	if got, want := describe(rules[0].Accept), []string{"ssh tcp/22", "ping icmp/8", "ping icmp6/128", "metrics tcp/9999", "bgp tcp/179"}; !slices.Equal(got, want) {
		t.Errorf("zone: %q, want %q", got, want)
	}
	if got, want := describe(rules[1].Accept), []string{"ospf ospf", "router-discovery icmp/9/10", "router-discovery icmp6/133/134"}; !slices.Equal(got, want) {
		t.Errorf("interface: %q, want %q", got, want)
	}
	if len(rules[2].Accept)+len(rules[2].Except) != 0 {
		t.Errorf("a zone without statements accepts %q", describe(rules[2].Accept))
	}

	zones[0].HostInbound = words("all -telnet", "all -pim")
	zones[1].HostInbound = words("any-service -ssh", "")
	rules = compile(t, cfg).HostInbound()
	all := describe(rules[0].Accept)
	for _, want := range []string{"ssh tcp/22", "https tcp/443", "metrics tcp/9999", "vrrp vrrp", "ike esp"} {
		if !slices.Contains(all, want) {
			t.Errorf("all lacks %s: %q", want, all)
		}
	}
	for _, refused := range []string{"telnet tcp/23", "pim pim", "any-service tcp"} {
		if slices.Contains(all, refused) {
			t.Errorf("all has %s", refused)
		}
	}
	if got, want := describe(rules[0].Except), []string{"telnet tcp/23", "pim pim"}; !slices.Equal(got, want) {
		t.Errorf("all except: %q, want %q", got, want)
	}
	if got, want := describe(rules[2].Accept), []string{"any-service tcp", "any-service udp", "any-service icmp", "any-service icmp6"}; !slices.Equal(got, want) {
		t.Errorf("any-service: %q, want %q", got, want)
	}
	if got, want := describe(rules[2].Except), []string{"ssh tcp/22"}; !slices.Equal(got, want) {
		t.Errorf("any-service except: %q, want %q", got, want)
	}
}

// Every word that the configuration accepts means something.
// Rows: C-16, S-59.
func TestHostInboundWords(t *testing.T) {
	for _, test := range []struct {
		words string
		table []hostService
	}{
		{"any-service bootp dhcp dhcpv6 dns finger ftp http https ident-reset ike lsping netconf ntp ping r2cp reverse-ssh reverse-telnet rlogin rpm rsh snmp snmp-trap ssh tcp-encap telnet tftp traceroute webapi-clear-text webapi-ssl xnm-clear-text xnm-ssl metrics", hostServices(9464)},
		{"bfd bgp dvmrp igmp ldp msdp nhrp ospf ospf3 pgm pim rip ripng router-discovery rsvp sap vrrp", hostProtocols},
	} {
		for w := range strings.FieldsSeq(test.words) {
			at := slices.IndexFunc(test.table, func(s hostService) bool { return s.name == w })
			if at < 0 || len(test.table[at].matches()) == 0 {
				t.Errorf("%s means nothing", w)
			}
		}
	}
}
