package kernel

import (
	"strings"
	"testing"
)

// Everything in transit passes the TUN of the interface it came by, both ways and in both
// families; without its TUN an interface passes nothing, and Set repairs it.
func TestTransitPassesTUNs(t *testing.T) {
	b := newBranch(t)
	b.up(t, b.desired(), pass, pass)
	for _, address := range []string{"198.51.100.10", "2001:db8:2::10"} {
		eventually(t, "the server answers at "+address, func() bool { return b.client.pings(address) })
	}
	isEcho := func(kind byte) func([]byte) bool {
		return func(p []byte) bool { return len(p) > 20 && p[0]>>4 == 4 && p[9] == 1 && p[20] == kind }
	}
	b.lan.received(t, "an echo request", isEcho(8))
	b.wan.received(t, "an echo reply", isEcho(0))

	b.lan.file.Close()
	eventually(t, "the TUN is gone", func() bool { _, err := b.run("ip link show slu-lan0"); return err != nil })
	out, err := b.client.run("ping -n -c1 -W1 198.51.100.10")
	if err == nil || !strings.Contains(out, "Unreachable") && !strings.Contains(out, "unreachable") {
		t.Errorf("without the TUN the client should be told unreachable:\n%s", out)
	}
	if b.client.pings("2001:db8:2::10") {
		t.Error("IPv6 passes without the TUN")
	}
	if err := b.kernel.Set(b.desired()); err == nil || !strings.Contains(err.Error(), "slu-lan0") {
		t.Errorf("Set without the TUN says %v", err)
	}
	b.lan = openTUN(t, "slu-lan0", pass)
	b.set(t, b.desired())
	for _, address := range []string{"198.51.100.10", "2001:db8:2::10"} {
		eventually(t, "the server answers again at "+address, func() bool { return b.client.pings(address) })
	}
}

// What does not go through a TUN does not pass between zones: not from an interface in no zone,
// and not past the rules.
func TestNothingPassesByTheTUNs(t *testing.T) {
	b := newBranch(t)
	outsider := newPeer(t)
	connect(t, b.host, "mgmt0", outsider, "eth0")
	b.must("ip addr add 203.0.113.1/24 dev mgmt0")
	outsider.must("ip addr add 203.0.113.10/24 dev eth0; ip route add default via 203.0.113.1")
	b.up(t, b.desired(), pass, pass)
	if !outsider.pings("203.0.113.1") {
		t.Error("the gateway does not answer on an interface that is in no zone")
	}
	if outsider.pings("198.51.100.10") {
		t.Error("an interface in no zone reaches the server")
	}
	b.must("ip rule flush; ip rule add pref 32766 lookup main; ip rule add pref 0 lookup local")
	if b.client.pings("198.51.100.10") {
		t.Error("without rules the client reaches the server by the kernel alone")
	}
	dropped, err := b.kernel.Dropped()
	if err != nil || dropped[""].Packets < 2 {
		t.Errorf("dropped %v, %v: want both packets counted", dropped, err)
	}
	b.set(t, b.desired())
	eventually(t, "the server answers again", func() bool { return b.client.pings("198.51.100.10") })
}

// Neither packets in transit nor those that come back from a TUN are tracked.
func TestTransitIsNotTracked(t *testing.T) {
	b := newBranch(t)
	d := b.desired()
	d.Interfaces[1].NATEgress = true
	b.up(t, d, pass, pass)
	b.server.serve("80")
	eventually(t, "the client connects", func() bool { return b.client.dials("198.51.100.10:80") })
	if !b.client.dials("[2001:db8:2::10]:80") {
		t.Error("the client does not connect over IPv6")
	}
	if n := strings.TrimSpace(b.must("cat /proc/sys/net/netfilter/nf_conntrack_count")); n != "0" {
		t.Errorf("%s connections are tracked, want 0", n)
	}
}
