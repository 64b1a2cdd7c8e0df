package policy

import (
	"slices"
	"strings"
	"testing"

	"sluice/store/schema"
)

// Well-known services have the ports everybody knows, and name the flows to them.
func TestPredefinedApplications(t *testing.T) {
	names := PredefinedApplications()
	if len(names) < 130 || !slices.IsSorted(names) {
		t.Errorf("%d predefined applications", len(names))
	}
	for name, flowText := range map[string]string{
		"junos-ftp":             "tcp 192.0.2.1 1 192.0.2.2 21",
		"junos-ssh":             "tcp 192.0.2.1 1 192.0.2.2 22",
		"junos-smtp":            "tcp 192.0.2.1 1 192.0.2.2 25",
		"junos-dns-udp":         "udp 192.0.2.1 1 192.0.2.2 53",
		"junos-dns-tcp":         "tcp 192.0.2.1 1 192.0.2.2 53",
		"junos-dhcp-server":     "udp 192.0.2.1 1 192.0.2.2 67",
		"junos-tftp":            "udp 192.0.2.1 1 192.0.2.2 69",
		"junos-pop3":            "tcp 192.0.2.1 1 192.0.2.2 110",
		"junos-ntp":             "udp 192.0.2.1 1 192.0.2.2 123",
		"junos-ms-rpc-tcp":      "tcp 192.0.2.1 1 192.0.2.2 135",
		"junos-sun-rpc-udp":     "udp 192.0.2.1 1 192.0.2.2 111",
		"junos-nbds":            "udp 192.0.2.1 1 192.0.2.2 138",
		"junos-netbios-session": "tcp 192.0.2.1 1 192.0.2.2 139",
		"junos-imap":            "tcp 192.0.2.1 1 192.0.2.2 143",
		"junos-snmp":            "udp 192.0.2.1 1 192.0.2.2 161",
		"junos-bgp":             "tcp 192.0.2.1 1 192.0.2.2 179",
		"junos-ldap":            "tcp 192.0.2.1 1 192.0.2.2 389",
		"junos-https":           "tcp 192.0.2.1 1 192.0.2.2 443",
		"junos-ike":             "udp 192.0.2.1 1 192.0.2.2 500",
		"junos-syslog":          "udp 192.0.2.1 1 192.0.2.2 514",
		"junos-rsh":             "tcp 192.0.2.1 1 192.0.2.2 514",
		"junos-rtsp":            "tcp 192.0.2.1 1 192.0.2.2 554",
		"junos-imaps":           "tcp 192.0.2.1 1 192.0.2.2 993",
		"junos-ms-sql":          "tcp 192.0.2.1 1 192.0.2.2 1433",
		"junos-h323":            "tcp 192.0.2.1 1 192.0.2.2 1720",
		"junos-radius":          "udp 192.0.2.1 1 192.0.2.2 1812",
		"junos-sip":             "udp 192.0.2.1 1 192.0.2.2 5060",
		"junos-x-windows":       "tcp 192.0.2.1 1 192.0.2.2 6063",
		"junos-ping":            "icmp 192.0.2.1 8 192.0.2.2 0",
		"junos-pingv6":          "icmp6 2001:db8::1 128 2001:db8::2 0",
		"junos-gre":             "gre 192.0.2.1 0 192.0.2.2 0",
		"junos-ospf":            "ospf 192.0.2.1 0 192.0.2.2 0",
		NoService:               "tcp 192.0.2.1 1 192.0.2.2 6064",
	} {
		e := compile(t, office(between("trust", "untrust", rule("p", "any", "any", "any", Permit))))
		if v := e.Lookup(flow(flowText)); v.Service != name {
			t.Errorf("%s: service %s, want %s", flowText, v.Service, name)
		}
	}
}

// Every row of the table makes sense: it is a well-formed name, given once, and every member
// of a set exists.
func TestPredefinedTable(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range definitions {
		if seen[d.name] || !strings.HasPrefix(d.name, "junos-") || len(predefined().byName[d.name][0].terms) == 0 {
			t.Errorf("%s is given twice, misnamed or empty", d.name)
		}
		seen[d.name] = true
	}
	for _, s := range definitionSets {
		if seen[s[0]] {
			t.Errorf("set %s is given twice", s[0])
		}
		seen[s[0]] = true
	}
	for _, s := range definitionSets {
		for m := range strings.FieldsSeq(s[1]) {
			if !seen[m] {
				t.Errorf("%s: member %s does not exist", s[0], m)
			}
		}
	}
	var members []string
	for _, s := range predefined().byName["junos-gprs-gtp"] {
		members = append(members, s.name)
	}
	if len(members) != 6 || members[0] != "junos-gprs-gtp-c-tcp" {
		t.Errorf("junos-gprs-gtp holds %v", members)
	}
	if p := predefined().byName["junos-persistent-nat"][0].terms[0].protocol; p != schema.Protocol(255) {
		t.Errorf("junos-persistent-nat is protocol %d", p)
	}
}
