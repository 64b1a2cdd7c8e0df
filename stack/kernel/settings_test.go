package kernel

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
)

// Addresses come and go with their statements; those that were there before stay.
// Rows: C-18, S-89, S-90, 5/S-63, 5/S-64.
func TestAddresses(t *testing.T) {
	b := newBranch(t)
	b.must("ip addr add 192.0.2.1/24 dev lan0; ip addr add 192.0.2.9/24 dev lan0")
	d := b.desired()
	d.Interfaces[0].Addresses = prefixes("192.0.2.1/24", "192.0.2.2/24", "203.0.113.1/24", "203.0.113.2/24", "2001:db8:1::1/64")
	b.up(t, d, swallow, swallow)
	expect := func(when string, want ...string) {
		t.Helper()
		lan, err := netlink.LinkByName("lan0")
		if err != nil {
			t.Fatal(err)
		}
		have, err := addressesOf(lan)
		if err != nil {
			t.Fatal(err)
		}
		found := map[netip.Prefix]bool{}
		for _, p := range have {
			found[p] = !p.Addr().IsLinkLocalUnicast()
		}
		for _, p := range prefixes(want...) {
			if !found[p] {
				t.Errorf("%s %s is missing", when, p)
			}
			delete(found, p)
		}
		for p, global := range found {
			if global {
				t.Errorf("%s %s is there", when, p)
			}
		}
	}
	expect("at first", "192.0.2.1/24", "192.0.2.9/24", "192.0.2.2/24", "203.0.113.1/24", "203.0.113.2/24", "2001:db8:1::1/64")
	d.Interfaces[0].Addresses = prefixes("192.0.2.2/24", "203.0.113.2/24")
	b.set(t, d)
	expect("then", "192.0.2.1/24", "192.0.2.9/24", "192.0.2.2/24", "203.0.113.2/24")
	b.must("ip addr flush dev lan0 scope global")
	b.set(t, d)
	expect("after a flush", "192.0.2.2/24", "203.0.113.2/24")
}

// Static routes of every kind are added, changed in place and removed; one in the place of
// somebody else's is refused, and the other stays.
// Rows: S-76.
func TestStaticRoutes(t *testing.T) {
	b := newBranch(t)
	d := b.desired()
	b.up(t, d, swallow, swallow)
	b.must("ip route add 203.0.113.128/25 via 198.51.100.99")
	d.Routes = []Route{
		{Destination: prefixes("0.0.0.0/0")[0], NextHops: []NextHop{hop("198.51.100.10"), hop("192.0.2.10")}},
		{Destination: prefixes("::/0")[0], NextHops: []NextHop{hop("2001:db8:2::10"), hop("2001:db8:1::10")}},
		{Destination: prefixes("203.0.113.7/26")[0], NextHops: []NextHop{{Device: "wan0"}}, Metric: 7},
		{Destination: prefixes("203.0.113.64/26")[0], Discard: true},
		{Destination: prefixes("2001:db8:3::/48")[0], Reject: true},
		{Destination: prefixes("2001:db8:4::/48")[0], NextHops: []NextHop{{Device: "wan0", Gateway: netip.MustParseAddr("fe80::1")}}},
	}
	b.set(t, d)
	b.set(t, d)
	main := func() string { return strings.Join(strings.Fields(b.must("ip route; ip -6 route")), " ") }
	for _, want := range []string{
		"default proto 201 nexthop via 198.51.100.10 dev wan0 weight 1 nexthop via 192.0.2.10 dev lan0 weight 1",
		"default proto 201 metric 1024 pref medium nexthop via 2001:db8:2::10 dev wan0 weight 1 nexthop via 2001:db8:1::10 dev lan0 weight 1",
		"203.0.113.0/26 dev wan0 proto 201 scope link metric 7",
		"blackhole 203.0.113.64/26 proto 201",
		"unreachable 2001:db8:3::/48 dev lo proto 201 metric 1024",
		"2001:db8:4::/48 via fe80::1 dev wan0 proto 201 metric 1024",
	} {
		if !strings.Contains(main(), want) {
			t.Errorf("there is no %s in\n%s", want, b.must("ip route; ip -6 route"))
		}
	}

	d.Routes = []Route{
		{Destination: prefixes("0.0.0.0/0")[0], NextHops: []NextHop{hop("192.0.2.10")}},
		{Destination: prefixes("::/0")[0], NextHops: []NextHop{hop("2001:db8:1::10")}},
		{Destination: prefixes("203.0.113.64/26")[0], Reject: true},
	}
	b.set(t, d)
	for _, want := range []string{"default via 192.0.2.10 dev lan0 proto 201", "default via 2001:db8:1::10 dev lan0 proto 201", "unreachable 203.0.113.64/26 proto 201"} {
		if !strings.Contains(main(), want) {
			t.Errorf("there is no %s in\n%s", want, b.must("ip route; ip -6 route"))
		}
	}
	if n := strings.Count(main(), "proto 201"); n != 3 {
		t.Errorf("%d routes are ours, want 3:\n%s", n, b.must("ip route; ip -6 route"))
	}

	d.Routes = []Route{
		{Destination: prefixes("203.0.113.128/25")[0], Discard: true},
		{Destination: prefixes("203.0.113.0/26")[0], NextHops: []NextHop{hop("203.0.113.200")}},
		{Destination: prefixes("203.0.113.64/26")[0], NextHops: []NextHop{{Device: "nowhere0"}}},
	}
	err := b.kernel.Set(d)
	if err == nil || !strings.Contains(err.Error(), "not made by statements") || !strings.Contains(err.Error(), "there is no Linux device nowhere0") {
		t.Errorf("Set says %v", err)
	}
	d.Routes = nil
	b.set(t, d)
	if !strings.Contains(main(), "203.0.113.128/25 via 198.51.100.99 dev wan0") || strings.Contains(main(), "proto 201") {
		t.Errorf("after all statements are gone there is\n%s", b.must("ip route; ip -6 route"))
	}
}

// The reverse path filter holds where it held, and not on the TUNs; a change of others to what
// we set stands.
func TestSysctls(t *testing.T) {
	b := newBranch(t)
	b.must("sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.lan0.rp_filter=2")
	b.up(t, b.desired(), pass, pass)
	for name, want := range map[string]string{
		"net/ipv4/conf/all/rp_filter":          "0",
		"net/ipv4/conf/lan0/rp_filter":         "2",
		"net/ipv4/conf/wan0/rp_filter":         "1",
		"net/ipv4/conf/default/rp_filter":      "1",
		"net/ipv4/conf/slu-lan0/rp_filter":     "0",
		"net/ipv4/conf/slu-lan0/accept_local":  "1",
		"net/ipv4/conf/wan0/send_redirects":    "0",
		"net/ipv4/ip_forward":                  "1",
		"net/ipv6/conf/all/forwarding":         "1",
		"net/ipv4/ip_early_demux":              "0",
		"net/ipv6/conf/slu-lan0/addr_gen_mode": "1",
	} {
		if got := readSysctl(name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	eventually(t, "the server answers", func() bool { return b.client.pings("198.51.100.10") })
	b.must("sysctl -qw net.ipv4.conf.all.rp_filter=2")
	b.set(t, b.desired())
	if got := readSysctl("net/ipv4/conf/all/rp_filter"); got != "0" {
		t.Errorf("rp_filter of all is %s after it was changed and set again, want 0", got)
	}
	b.must("sysctl -qw net.ipv4.ip_early_demux=2")
	if err := CleanUp(b.dir); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"net/ipv4/conf/all/rp_filter": "1", "net/ipv4/conf/wan0/rp_filter": "0", "net/ipv4/ip_early_demux": "2"} {
		if got := readSysctl(name); got != want {
			t.Errorf("%s is %s after CleanUp, want %s", name, got, want)
		}
	}
}

// A VLAN is made and removed, or refused with the reason where the kernel has none; a device
// that is missing does not keep the others from being set.
func TestVLANAndMissingDevice(t *testing.T) {
	b := newBranch(t)
	d := b.desired()
	d.Interfaces = append([]Interface{
		{Device: "gone0", TUN: "slu-gone0"},
		{Device: "lan0.100", Logical: "ge-0/0/1.100", Parent: "lan0", VLAN: 100},
	}, d.Interfaces...)
	b.lan, b.wan = openTUN(t, "slu-lan0", pass), openTUN(t, "slu-wan0", pass)
	err := b.kernel.Set(d)
	if err == nil || !strings.Contains(err.Error(), "there is no Linux device gone0") {
		t.Errorf("Set says %v", err)
	}
	if _, missing := b.run("ip link show lan0.100"); missing != nil {
		if !strings.Contains(err.Error(), "ge-0/0/1.100: this kernel has no VLANs") {
			t.Errorf("without a VLAN Set says %v", err)
		}
	}
	if rules := b.must("ip rule"); !strings.Contains(rules, "110:\tfrom all iif gone0 ") {
		t.Errorf("the missing interface is not guarded:\n%s", rules)
	}
	eventually(t, "the server answers", func() bool { return b.client.pings("198.51.100.10") })
	if err := CleanUp(b.dir); err != nil {
		t.Fatal(err)
	}
	if _, missing := b.run("ip link show lan0.100"); missing == nil {
		t.Error("the VLAN is left")
	}
}
