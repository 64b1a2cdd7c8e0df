package route

import (
	"net/netip"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"github.com/vishvananda/netns"
	"go.uber.org/goleak"
)

// newNetwork moves the test's thread into a network namespace of its own, which ends with the
// test, and gives it two links.
func newNetwork(t testing.TB) {
	t.Helper()
	runtime.LockOSThread() // and the thread ends with the test
	ns, err := netns.New()
	if err != nil {
		t.Fatalf("cannot make a network namespace: %v", err)
	}
	t.Cleanup(func() { ns.Close() })
	must(t, `
		sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
		ip link set lo up
		ip link add eth1 type veth peer name peer1
		ip link add eth2 type veth peer name peer2
		for i in eth1 peer1 eth2 peer2; do ip link set $i up; done
		ip addr add 192.0.2.1/24 dev eth1
		ip addr add 192.0.2.2/24 dev eth1
		ip -6 addr add 2001:db8:1::1/64 dev eth1
		ip addr add 198.51.100.1/24 dev eth2
		ip route add 203.0.113.0/25 via 198.51.100.9
		ip -6 route add 2001:db8:9::/48 via 2001:db8:1::9`)
}

func must(t testing.TB, script string) {
	t.Helper()
	if out, err := exec.Command("sh", "-ec", script).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
}

func newTable(t testing.TB) *Table {
	t.Helper()
	table, err := NewTable()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { table.Close() })
	return table
}

// eventually waits until ok holds: news of the kernel take a moment.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("waited in vain: %s", what)
}

func TestLookup(t *testing.T) {
	newNetwork(t)
	must(t, `
		ip route add unreachable 203.0.113.128/28
		ip route add blackhole 203.0.113.144/28
		ip route add prohibit 203.0.113.160/28
		ip -6 route add unreachable 2001:db8:a::/48
		ip -6 route add blackhole 2001:db8:b::/48
		ip -6 route add prohibit 2001:db8:c::/48
		ip rule add pref 100 iif eth1 lookup 10000
		ip rule add pref 110 iif eth1 unreachable
		ip route add blackhole default table 10000`)
	table := newTable(t)
	eth1, eth2 := table.Index("eth1"), table.Index("eth2")
	addr := netip.MustParseAddr
	for destination, want := range map[string]Egress{
		"192.0.2.77":         {Device: "eth1", Index: eth1, Source: addr("192.0.2.1")},
		"203.0.113.5":        {Device: "eth2", Index: eth2, Gateway: addr("198.51.100.9"), Source: addr("198.51.100.1")},
		"::ffff:203.0.113.6": {Device: "eth2", Index: eth2, Gateway: addr("198.51.100.9"), Source: addr("198.51.100.1")},
		"2001:db8:9::5":      {Device: "eth1", Index: eth1, Gateway: addr("2001:db8:1::9"), Source: addr("2001:db8:1::1")},
		"192.0.2.1":          {Device: "lo", Index: 1, Source: addr("192.0.2.1"), Local: true},
		"2001:db8:1::1":      {Device: "lo", Index: 1, Source: addr("2001:db8:1::1"), Local: true},
		"192.0.2.255":        {Unreachable: true, Silent: true},
		"224.0.0.5":          {Unreachable: true, Silent: true},
		"fe80::1":            {Unreachable: true, Silent: true},
		"ff02::1":            {Unreachable: true, Silent: true},
		"0.0.0.0":            {Unreachable: true, Silent: true},
		"203.0.113.250":      {Unreachable: true, Code: 0},
		"203.0.113.129":      {Unreachable: true, Code: 1},
		"203.0.113.145":      {Unreachable: true, Silent: true},
		"203.0.113.161":      {Unreachable: true, Code: 13},
		"2001:db8:d::1":      {Unreachable: true, Code: 0},
		"2001:db8:a::1":      {Unreachable: true, Code: 3},
		"2001:db8:b::1":      {Unreachable: true, Silent: true},
		"2001:db8:c::1":      {Unreachable: true, Code: 1},
	} {
		for _, time := range []string{"first", "second"} {
			if got := table.Lookup(addr(destination)); got != want {
				t.Errorf("%s, the %s time, leaves by %+v, want %+v", destination, time, got, want)
			}
		}
	}
	if got := table.Lookup(netip.Addr{}); !got.Unreachable {
		t.Errorf("no address leaves by %+v", got)
	}
}

// Whatever changes the way out is seen.
func TestLookupFollowsChanges(t *testing.T) {
	newNetwork(t)
	table := newTable(t)
	destination := netip.MustParseAddr("203.0.113.200")
	for _, step := range []struct {
		script string
		want   func(Egress) bool
	}{
		{"true", func(e Egress) bool { return e.Unreachable }},
		{"ip route add 203.0.113.128/25 via 192.0.2.9", func(e Egress) bool { return e.Device == "eth1" }},
		{"ip route add 203.0.113.200 via 198.51.100.9", func(e Egress) bool { return e.Device == "eth2" }},
		{"ip rule add pref 10 to 203.0.113.200 unreachable", func(e Egress) bool { return e.Unreachable }},
		{"ip rule del pref 10", func(e Egress) bool { return e.Device == "eth2" }},
		{"ip addr add 203.0.113.200/32 dev eth1", func(e Egress) bool { return e.Local }},
		{"ip addr del 203.0.113.200/32 dev eth1", func(e Egress) bool { return e.Device == "eth2" }},
		{"ip link set eth2 down", func(e Egress) bool { return e.Device == "eth1" }},
		{"ip link set eth1 down; ip link set eth1 name wan7; ip link set wan7 up; ip route replace 203.0.113.128/25 via 192.0.2.9", func(e Egress) bool { return e.Device == "wan7" }},
	} {
		generation := table.Generation()
		must(t, step.script)
		eventually(t, step.script, func() bool { return step.want(table.Lookup(destination)) })
		if step.script != "true" && table.Generation() == generation {
			t.Errorf("%s: the generation stays", step.script)
		}
	}
}

func TestAddrs(t *testing.T) {
	newNetwork(t)
	table := newTable(t)
	got := table.Addrs("eth1")
	if got.IPv4.String() != "192.0.2.1" || got.IPv6.String() != "2001:db8:1::1" || !got.LinkLocal.IsLinkLocalUnicast() {
		t.Errorf("eth1 has %+v", got)
	}
	if got := table.Addrs("eth2"); got.IPv4.String() != "198.51.100.1" || got.IPv6.IsValid() {
		t.Errorf("eth2 has %+v", got)
	}
	if got := table.Addrs("lo"); got.IPv4.IsValid() {
		t.Errorf("lo has %+v, but nobody can answer to that", got)
	}
	if got := table.Addrs("nowhere0"); got != (Addresses{}) || table.Name(9999) != "" || table.Index("nowhere0") != 0 || table.MTU("nowhere0") != 0 {
		t.Errorf("a device that is not there has %+v", got)
	}
	if table.Name(table.Index("eth1")) != "eth1" || table.MTU("eth1") != 1500 {
		t.Errorf("eth1 is %q with MTU %d", table.Name(table.Index("eth1")), table.MTU("eth1"))
	}
	must(t, "ip addr flush dev eth1 scope global; ip addr add 192.0.2.3/24 dev eth1; ip -6 addr add 2001:db8:1::3/64 dev eth1 preferred_lft 0; ip -6 addr add 2001:db8:1::4/64 dev eth1; ip link set eth1 mtu 1400")
	eventually(t, "eth1 has its new addresses", func() bool {
		got := table.Addrs("eth1")
		return got.IPv4.String() == "192.0.2.3" && got.IPv6.String() == "2001:db8:1::4" && table.MTU("eth1") == 1400
	})
	must(t, "ip link add new0 type veth peer name new1; ip link set new0 up; ip link set new1 up; ip route add 203.0.113.240/28 dev new0")
	if got := table.Lookup(netip.MustParseAddr("203.0.113.241")).Device; got != "new0" {
		eventually(t, "the new link is the way out", func() bool { return table.Lookup(netip.MustParseAddr("203.0.113.241")).Device == "new0" })
	}
}

// A hit allocates nothing, and the cache stays right when more destinations come than it holds.
func TestLookupIsCached(t *testing.T) {
	newNetwork(t)
	must(t, "ip -6 addr add 2001:db8:2::1/64 dev eth2; ip -6 route add 2001:db8:100::/40 via 2001:db8:2::9; ip -6 route add 2001:db8:140::/42 via 2001:db8:1::9")
	table := newTable(t)
	destination := netip.MustParseAddr("2001:db8:140::1")
	table.Lookup(destination)
	if n := testing.AllocsPerRun(1000, func() { table.Lookup(destination) }); n != 0 {
		t.Errorf("a hit allocates %v times", n)
	}
	for i := range 3 * cacheSlots / 2 {
		a := netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 1, byte(i), 14: byte(i >> 8), 15: byte(i >> 16)})
		want := "eth2"
		if byte(i)>>6 == 1 {
			want = "eth1"
		}
		if got := table.Lookup(a).Device; got != want {
			t.Fatalf("%s leaves by %q, want %s", a, got, want)
		}
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	newNetwork(t)
	for range 5 {
		table, err := NewTable()
		if err != nil {
			t.Fatal(err)
		}
		table.Lookup(netip.MustParseAddr("192.0.2.77"))
		table.Close()
		table.Close()
	}
}

func BenchmarkLookupHit(b *testing.B) {
	newNetwork(b)
	table := newTable(b)
	destination := netip.MustParseAddr("203.0.113.5")
	for b.Loop() {
		table.Lookup(destination)
	}
}

func BenchmarkLookupMiss(b *testing.B) {
	newNetwork(b)
	table := newTable(b)
	destination := netip.MustParseAddr("203.0.113.5")
	for b.Loop() {
		table.generation.Add(1)
		table.Lookup(destination)
	}
}
