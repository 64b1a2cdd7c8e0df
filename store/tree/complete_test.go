package tree

import (
	"slices"
	"strings"
	"testing"
)

// texts is what completions would insert or show, in order.
func texts(found []Completion) string {
	var out []string
	for _, c := range found {
		out = append(out, c.Text)
	}
	return strings.Join(out, " ")
}

func TestComplete(t *testing.T) {
	tr := load(t, `
set interfaces eth1 mtu 1400
set interfaces eth2 description "my lab"
set security zones security-zone trust
set security zones security-zone untrust
set security address-book global address a1 192.0.2.0/24
set security address-book global address-set s1 address a1
set security policies from-zone trust to-zone untrust policy p1 match application [ x y ]
set security policies from-zone trust to-zone untrust policy p2 then permit
set groups g system host-name h
`)
	const pair = "security policies from-zone trust to-zone untrust"
	for _, c := range []struct{ at, verb, line, want string }{
		{"", "set", "sec", "security"},
		{"", "set", "s", "schedulers security services system"},
		{"", "set", "nothing", ""},
		{"", "set", "nothing at all ", ""},
		{"", "set", "interfaces ", "<[Enter]> <name> eth1 eth2 apply-groups apply-groups-except"},
		{"interfaces", "set", "e", "<name> eth1 eth2"},
		{"", "set", "interfaces eth1 m", "mtu"},
		{"", "set", "interfaces eth1 mtu ", "<mtu>"},
		{"", "set", "interfaces eth1 mtu 1400 ", "<[Enter]> apply-groups apply-groups-except description device disable mtu unit"},
		{"", "set", "security policies from-zone ", "<from-zone> trust untrust junos-host"},
		{"", "set", "security policies from-zone t", "<from-zone> trust"},
		{"", "set", "security policies from-zone trust ", "to-zone"},
		{"", "set", "security policies from-zone trust to-zone u", "<to-zone> untrust"},
		{"", "set", "security policies from-zone dmz to-zone dmz policy ", "<name>"},
		{pair, "set", "policy ", "<name> p1 p2"},
		{pair, "set", "policy p1 match source-address ", "<source-address> a1 s1 any any-ipv4 any-ipv6 ["},
		{pair, "set", "policy p1 match source-address [ a1 ", "<source-address> a1 s1 any any-ipv4 any-ipv6 ]"},
		{pair, "set", "policy p1 then ", "<[Enter]> apply-groups apply-groups-except count deny log log-only permit reject"},
		{"", "set", "security address-book global address a9 ", "<[Enter]> <ip-prefix> apply-groups apply-groups-except description dns-name range-address wildcard-address"},
		{"", "set", "security log mode ", "stream event"},
		{"", "set", "security log mo", "mode"},
		{"", "set", "apply-groups ", "<apply-groups> g ["},
		{"", "set", "groups g system ", "<[Enter]> apply-groups apply-groups-except host-name services syslog"},
		{"", "delete", "", "<[Enter]> groups interfaces security"},
		{"", "delete", "interfaces ", "<[Enter]> eth1 eth2"},
		{"", "delete", "interfaces eth1 ", "<[Enter]> mtu"},
		{"", "delete", "interfaces eth1 mtu ", "<[Enter]> 1400"},
		{"", "delete", "interfaces eth2 description ", `<[Enter]> "my lab"`},
		{pair, "delete", "policy p1 match application ", "<[Enter]> x y"},
		{pair, "delete", "policy p1 match application [ x ", "x y"},
		{"", "edit", "interfaces eth1 ", "<[Enter]> unit"},
		{"", "edit", "security zones security-zone ", "<name> trust untrust"},
		{"", "show", "", "<[Enter]> groups interfaces security |"},
		{"", "show", "interfaces eth1 mtu 1400 ", "<[Enter]> |"},
		{pair, "insert", "policy p2 ", "after before then"},
		{pair, "insert", "policy p2 before ", "policy"},
		{pair, "insert", "policy p2 before policy ", "p1 p2"},
		{pair, "insert", "policy p2 before policy p1 ", "<[Enter]> match"},
		{"", "annotate", "interfaces eth1 ", "<text> mtu"},
		{pair, "rename", "policy p2 to policy ", "<name> p1 p2"},
		{"", "copy", "interfaces eth1 t", "to"},
		{pair, "deactivate", "policy p", "p1 p2"},
	} {
		if got := texts(tr.Complete(strings.Fields(c.at), c.verb, c.line)); got != c.want {
			t.Errorf("[edit %s] %s %q:\n got %s\nwant %s", c.at, c.verb, c.line, got, c.want)
		}
	}
	mtu := tr.Complete(nil, "set", "interfaces eth1 mtu ")[0]
	if mtu.Help != "Maximum transmission unit (576..65535 bytes)" || mtu.Kind != ValueCompletion || mtu.Completable() {
		t.Errorf("%+v", mtu)
	}
	mode := tr.Complete(nil, "set", "security log stream s port ")[0]
	if mode.Help != "Port of the collector (1..65535, default 514)" {
		t.Errorf("%+v", mode)
	}
}

// Help says of statements without effect that they have none.
func TestCompleteInert(t *testing.T) {
	for _, c := range []struct{ line, text, want string }{
		{"security flow ", "allow-dns-reply", "Let DNS replies pass that no query was seen for (no effect yet)"},
		{"security flow ", "allow-embedded-icmp", "Let ICMP errors pass whose inner packet belongs to no session"},
		{"security flow tcp-mss ", "ipsec-vpn", "Sessions through IPsec tunnels (no effect yet)"},
		{"routing-options static route 192.0.2.0/24 ", "preference", "Preference of the route (no effect yet)"},
		{"routing-options static route 192.0.2.0/24 preference ", "<preference>", "Preference of the route (0..4294967295, default 5, no effect yet)"},
	} {
		found := New().Complete(nil, "set", c.line)
		i := slices.IndexFunc(found, func(f Completion) bool { return f.Text == c.text })
		if i < 0 || found[i].Help != c.want {
			t.Errorf("%s%s: %+v", c.line, c.text, found)
		}
	}
}

func TestCheckEdit(t *testing.T) {
	tr := load(t, "set interfaces eth1 mtu 1400")
	for _, c := range []struct{ at, path, want, problem string }{
		{"", "sec zones", "security zones", ""},
		{"", "interfaces eth1", "interfaces eth1", ""},
		{"interfaces", "eth9", "interfaces eth9", ""},
		{"", "int", "interfaces", ""},
		{"security", "pol from a to b", "security policies from-zone a to-zone b", ""},
		{"security policies", "from-zone a", "", "from-zone is not complete"},
		{"security", "pol from a to b policy p th perm", "security policies from-zone a to-zone b policy p then permit", ""},
		{"", "groups g interfaces <*> unit 0", "groups g interfaces <*> unit 0", ""},
		{"", "interfaces eth1 mtu 1400", "", "holds no others"},
		{"", "interfaces eth1 mtu", "", "mtu needs a value"},
		{"", "secrity", "", `column 1: "secrity" is not a statement here`},
		{"security", "", "security", ""},
		{"", "", "", ""},
	} {
		got, err := tr.CheckEdit(strings.Fields(c.at), strings.Fields(c.path))
		if (err != nil) != (c.problem != "") || err != nil && !strings.Contains(err.Error(), c.problem) {
			t.Errorf("%q at %q: %v, want %q", c.path, c.at, err, c.problem)
		}
		if err == nil && !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("%q at %q: %q, want %q", c.path, c.at, got, c.want)
		}
	}
	if got, err := tr.CheckEdit(nil, []string{"groups", "two words"}); err != nil || len(got) != 2 || got[1] != "two words" {
		t.Errorf("%q, %v", got, err)
	}
}
