package kernel

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// everything is a configuration that uses all there is, in two variants.
func (b *branch) everything(variant int) Desired {
	d := b.desired()
	d.StreamServices = variant == 0
	d.Interfaces[0].MTU = 1400
	d.Interfaces[1].NATEgress = variant == 0
	d.Interfaces[0].Inbound = []InboundRule{{Name: "ping", Protocol: 1}}
	d.Interfaces = append(d.Interfaces, Interface{Device: "spare0", Disabled: variant == 1, MTU: 1300 + variant})
	d.Routes = []Route{
		{Destination: netip.MustParsePrefix("203.0.113.0/24"), NextHops: []NextHop{hop("198.51.100.10")}},
		{Destination: netip.MustParsePrefix("2001:db8:9::/48"), Reject: true},
	}
	if variant == 1 {
		d.Interfaces[1].Addresses = prefixes("198.51.100.2/24", "2001:db8:2::2/64")
		d.Routes = d.Routes[:1]
		d.Routes[0].NextHops = []NextHop{hop("198.51.100.10"), hop("198.51.100.11")}
	}
	return d
}

// newCrowdedBranch is a branch whose kernel has things of others.
func newCrowdedBranch(t *testing.T) *branch {
	t.Helper()
	b := newBranch(t)
	connect(t, b.host, "spare0", b.server, "spare0")
	b.must(`
		ip addr add 192.0.2.200/24 dev lan0
		ip -6 addr add 2001:db8:1::200/64 dev lan0
		ip rule add pref 105 from 192.0.2.77 lookup main
		ip route add 203.0.113.128/25 via 192.0.2.10
		ip route add default via 192.0.2.10 table 10001
		nft add table inet filter
		sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.lan0.rp_filter=2 net.ipv4.ip_local_reserved_ports=80,9990-10010 net.ipv4.conf.wan0.send_redirects=0`)
	return b
}

// CleanUp leaves the kernel as it was before Set, whatever was set in between.
func TestCleanUpRestoresEverything(t *testing.T) {
	b := newCrowdedBranch(t)
	before := b.snapshot()
	for range 2 {
		b.lan, b.wan = openTUN(t, "slu-lan0", swallow), openTUN(t, "slu-wan0", swallow)
		for _, variant := range []int{0, 1, 0} {
			b.set(t, b.everything(variant))
		}
		b.closeTUNs(t)
		if err := CleanUp(b.dir); err != nil {
			t.Fatal(err)
		}
		if diff := difference(before, b.snapshot()); diff != "" {
			t.Fatalf("CleanUp leaves a difference:\n%s", diff)
		}
		b.kernel, _ = New(b.dir)
	}
	if err := CleanUp(b.dir); err != nil {
		t.Errorf("a second CleanUp fails: %v", err)
	}
	if _, err := os.Stat(filepath.Join(b.dir, "kernel.json")); err == nil {
		t.Error("the record is left")
	}
}

func (b *branch) closeTUNs(t *testing.T) {
	t.Helper()
	b.lan.file.Close()
	b.wan.file.Close()
	eventually(t, "the TUNs are gone", func() bool { return !strings.Contains(b.must("ip -o link"), "slu-") })
}

// crashingVariable tells a child of the test in which directory to set and set again, until it
// is killed.
const crashingVariable = "SLUICE_TEST_KERNEL_CRASH"

// A process killed at any moment leaves nothing that CleanUp does not find, and nothing that a
// successor cannot take over.
func TestKilledAtAnyMoment(t *testing.T) {
	b := newCrowdedBranch(t)
	before := b.snapshot()
	for round := range 12 {
		b.crash(t, time.Duration(rand.IntN(120))*time.Millisecond)
		if round%3 == 2 { // the successor goes on without cleaning up
			b.lan, b.wan = openTUN(t, "slu-lan0", pass), openTUN(t, "slu-wan0", pass)
			k, err := New(b.dir)
			if err != nil {
				t.Fatal(err)
			}
			d := b.everything(1)
			d.Interfaces[1].Addresses = b.desired().Interfaces[1].Addresses
			if err := k.Set(d); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the server answers", func() bool { return b.client.pings("198.51.100.10") && b.client.pings("2001:db8:2::10") })
			b.closeTUNs(t)
		}
		if err := CleanUp(b.dir); err != nil {
			t.Fatal(err)
		}
		if diff := difference(before, b.snapshot()); diff != "" {
			t.Fatalf("round %d: CleanUp leaves a difference:\n%s", round, diff)
		}
	}
}

// crash runs a child that sets one variant after the other, and kills it some time after its
// first change.
func (b *branch) crash(t *testing.T, after time.Duration) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestCrashingChild$")
	cmd.Env = append(os.Environ(), crashingVariable+"="+b.dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil { // in the namespace of this thread
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Errorf("the child does not start: %v", err)
	}
	time.Sleep(after) // the moment of the crash is what is tested
	cmd.Process.Kill()
	cmd.Wait()
	eventually(t, "the child's TUNs are gone", func() bool { return !strings.Contains(b.must("ip -o link"), "slu-") })
}

// TestCrashingChild is the child of [TestKilledAtAnyMoment].
func TestCrashingChild(t *testing.T) {
	dir := os.Getenv(crashingVariable)
	if dir == "" {
		t.Skip("it runs as a child only")
	}
	b := &branch{dir: dir}
	openTUN(t, "slu-lan0", pass)
	openTUN(t, "slu-wan0", pass)
	k, err := New(dir)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("begins")
	for variant := 0; ; variant = 1 - variant {
		if err := k.Set(b.everything(variant)); err != nil {
			fmt.Fprintln(os.Stderr, "child:", err)
		}
	}
}

// A second Set with the same wishes changes nothing: the kernel has no news to tell.
func TestSetTwiceChangesNothing(t *testing.T) {
	b := newCrowdedBranch(t)
	b.up(t, b.everything(0), swallow, swallow)
	before := b.snapshot() + b.must("nft -a list ruleset; ls -i --time-style=full-iso "+b.dir)
	links, addrs, routes := make(chan netlink.LinkUpdate, 100), make(chan netlink.AddrUpdate, 100), make(chan netlink.RouteUpdate, 100)
	done := make(chan struct{})
	defer close(done)
	for _, err := range []error{netlink.LinkSubscribe(links, done), netlink.AddrSubscribe(addrs, done), netlink.RouteSubscribe(routes, done)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	b.set(t, b.everything(0))
	if diff := difference(before, b.snapshot()+b.must("nft -a list ruleset; ls -i --time-style=full-iso "+b.dir)); diff != "" {
		t.Errorf("the second Set makes a difference:\n%s", diff)
	}
	// Our own change comes after all that Set may have caused.
	b.must("ip route add 203.0.113.1 via 198.51.100.10 table 77; ip addr add 203.0.113.99/32 dev lo; ip link set lo alias seen")
	if r := <-routes; r.Table != 77 || r.Type != unix.RTM_NEWROUTE {
		t.Errorf("the second Set changed the route %v", r.Route)
	}
	if a := <-addrs; a.LinkAddress.IP.String() != "203.0.113.99" {
		t.Errorf("the second Set changed the address %v", a.LinkAddress)
	}
	if l := <-links; l.Attrs().Name != "lo" {
		t.Errorf("the second Set changed the link %s", l.Attrs().Name)
	}
}

// A record of another boot tells of a kernel that is gone.
func TestRecordOfAnotherBoot(t *testing.T) {
	b := newBranch(t)
	b.up(t, b.desired(), swallow, swallow)
	path := filepath.Join(b.dir, "kernel.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other := strings.Replace(string(text), b.kernel.state.World, "00000000-0000-0000-0000-000000000000/1", 1)
	if err := os.WriteFile(path, []byte(other), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := CleanUp(b.dir); err != nil {
		t.Fatal(err)
	}
	if now := readSysctl("net/ipv4/ip_forward"); now != "1" {
		t.Error("CleanUp restored a sysctl of another boot")
	}
	if rules := b.must("ip rule"); strings.Contains(rules, "201") {
		t.Errorf("CleanUp left rules:\n%s", rules)
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(b.dir); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a damaged record: %v", err)
	}
}
