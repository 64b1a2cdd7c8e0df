package kernel

import (
	"net/netip"
	"testing"
)

// branch is the small network of the tests: a client, the gateway, a server. The gateway's
// thread is the test's.
type branch struct {
	*host          // the gateway
	client, server *host
	lan, wan       *tun
	kernel         *Kernel
	dir            string
}

// newBranch makes the network, without anything set on the gateway but its cables.
func newBranch(t *testing.T) *branch {
	t.Helper()
	b := &branch{host: newGateway(t), client: newPeer(t), server: newPeer(t), dir: t.TempDir()}
	connect(t, b.host, "lan0", b.client, "eth0")
	connect(t, b.host, "wan0", b.server, "eth0")
	b.client.must("ip addr add 192.0.2.10/24 dev eth0; ip -6 addr add 2001:db8:1::10/64 dev eth0; ip route add default via 192.0.2.1; ip -6 route add default via 2001:db8:1::1")
	b.server.must("ip addr add 198.51.100.10/24 dev eth0; ip -6 addr add 2001:db8:2::10/64 dev eth0; ip route add default via 198.51.100.1; ip -6 route add default via 2001:db8:2::1")
	var err error
	if b.kernel, err = New(b.dir); err != nil {
		t.Fatal(err)
	}
	return b
}

// desired is the branch's configuration.
func (b *branch) desired() Desired {
	return Desired{Interfaces: []Interface{
		{Device: "lan0", TUN: "slu-lan0", Addresses: prefixes("192.0.2.1/24", "2001:db8:1::1/64")},
		{Device: "wan0", TUN: "slu-wan0", Addresses: prefixes("198.51.100.1/24", "2001:db8:2::1/64")},
	}}
}

// up opens both TUNs and sets d.
func (b *branch) up(t *testing.T, d Desired, lan, wan func([]byte) []byte) {
	t.Helper()
	b.lan = openTUN(t, "slu-lan0", lan)
	b.wan = openTUN(t, "slu-wan0", wan)
	b.set(t, d)
	eventually(t, "the addresses can be used", func() bool {
		return b.must("ip addr show dev lan0 tentative; ip addr show dev wan0 tentative") == ""
	})
}

func (b *branch) set(t *testing.T, d Desired) {
	t.Helper()
	if err := b.kernel.Set(d); err != nil {
		t.Fatal(err)
	}
}

func hop(gateway string) NextHop { return NextHop{Gateway: netip.MustParseAddr(gateway)} }
