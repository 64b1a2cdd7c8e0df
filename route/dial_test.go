package route

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"sluice/internal/nstest"
)

// listen starts a server that tells every client its address.
func listen(t *testing.T, address string) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			io.WriteString(c, c.RemoteAddr().String())
			c.Close()
		}
	}()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// seen connects and returns the address that the server sees.
func seen(t *testing.T, opt DialOptions) (netip.AddrPort, error) {
	t.Helper()
	conn, err := Dial(context.Background(), opt)
	// In a namespace that was just made the kernel finds no IPv6 route for a moment, whatever its
	// tables say.
	for deadline := time.Now().Add(10 * time.Second); errors.Is(err, ErrNetUnreachable) && time.Now().Before(deadline); {
		conn, err = Dial(context.Background(), opt)
	}
	if err != nil {
		return netip.AddrPort{}, err
	}
	defer conn.Close()
	b, err := io.ReadAll(conn)
	if err != nil {
		return netip.AddrPort{}, err
	}
	return netip.ParseAddrPort(string(b))
}

// returnPath delivers what is sent to the clients' networks here, without making their addresses
// local: local addresses are those of the local table only.
func returnPath(t *testing.T, network netip.Prefix) {
	t.Helper()
	const table = 100
	rule := netlink.NewRule()
	rule.Table, rule.Priority, rule.Family = table, 200, netlink.FAMILY_V4
	if network.Addr().Is6() {
		rule.Family = netlink.FAMILY_V6
	}
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	destination := &net.IPNet{IP: network.Addr().AsSlice(), Mask: net.CIDRMask(network.Bits(), network.Addr().BitLen())}
	if err := errors.Join(netlink.RuleAdd(rule), netlink.RouteAdd(&netlink.Route{
		LinkIndex: lo.Attrs().Index, Dst: destination, Table: table, Type: unix.RTN_LOCAL, Scope: netlink.SCOPE_HOST,
	})); err != nil {
		t.Fatal(err)
	}
}

func TestDialAsClient(t *testing.T) {
	if !nstest.Isolate(t) {
		return
	}
	for _, c := range []struct{ network, client, server string }{
		{"192.0.2.0/24", "192.0.2.77", "203.0.113.1"},
		{"2001:db8:1::/64", "2001:db8:1::77", "2001:db8:3::1"},
	} {
		client, server := netip.MustParseAddr(c.client), netip.MustParseAddr(c.server)
		nstest.Address(t, "lo", netip.PrefixFrom(server, server.BitLen()))
		returnPath(t, netip.MustParsePrefix(c.network))
		first := listen(t, netip.AddrPortFrom(server, 0).String())
		second := listen(t, netip.AddrPortFrom(server, 0).String())

		source := netip.AddrPortFrom(client, 41000)
		if got, err := seen(t, DialOptions{Source: source, Destination: first}); err != nil || got != source {
			t.Errorf("server sees %v, %v, want %v", got, err, source)
		}
		mapped := DialOptions{
			Source:      netip.AddrPortFrom(netip.AddrFrom16(client.As16()), 41002),
			Destination: netip.AddrPortFrom(netip.AddrFrom16(server.As16()), first.Port()),
		}
		if got, err := seen(t, mapped); err != nil || got != netip.AddrPortFrom(client, 41002) {
			t.Errorf("IPv4-mapped: server sees %v, %v", got, err)
		}
		if got, err := seen(t, DialOptions{Source: netip.AddrPortFrom(client, 0), Destination: first}); err != nil || got.Addr() != client || got.Port() == 0 {
			t.Errorf("server sees %v, %v, want a port of %v", got, err, client)
		}
		if got, err := seen(t, DialOptions{Local: server, Destination: first, Mark: 7, Interface: "lo"}); err != nil || got.Addr() != server {
			t.Errorf("server sees %v, %v, want a port of %v", got, err, server)
		}
		if got, err := seen(t, DialOptions{Destination: first}); err != nil || got.Addr() != server {
			t.Errorf("server sees %v, %v, want a port of %v", got, err, server)
		}

		// One client port, two servers at once; the same server twice is one too many.
		held, err := Dial(context.Background(), DialOptions{Source: netip.AddrPortFrom(client, 41001), Destination: first})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := seen(t, DialOptions{Source: netip.AddrPortFrom(client, 41001), Destination: second}); err != nil {
			t.Errorf("second server from the same port: %v", err)
		}
		if _, err := seen(t, DialOptions{Source: netip.AddrPortFrom(client, 41001), Destination: first}); !errors.Is(err, ErrPortBusy) {
			t.Errorf("same addresses and ports again: %v, want ErrPortBusy", err)
		}
		// After a reset they are free at once.
		held.SetLinger(0)
		held.Close()
		if _, err := seen(t, DialOptions{Source: netip.AddrPortFrom(client, 41001), Destination: first}); err != nil {
			t.Errorf("reconnect after reset: %v", err)
		}
	}
}

func TestDialErrors(t *testing.T) {
	if !nstest.Isolate(t) {
		return
	}
	if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "slt0"}, PeerName: "slt1"}); err != nil {
		t.Fatal(err)
	}
	nstest.Up(t, "slt0")
	nstest.Up(t, "slt1")
	nstest.Address(t, "slt0", netip.MustParsePrefix("192.0.2.1/24"))
	nstest.Route(t, "slt0", netip.MustParsePrefix("198.51.100.0/24")) // where nobody answers
	_, destination, _ := net.ParseCIDR("203.0.113.0/24")
	if err := netlink.RouteAdd(&netlink.Route{Dst: destination, Type: unix.RTN_UNREACHABLE}); err != nil {
		t.Fatal(err)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	stopping, stop := context.WithCancelCause(context.Background())
	reason := errors.New("gateway stops")
	time.AfterFunc(20*time.Millisecond, func() { stop(reason) })
	short, release := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer release()

	for _, c := range []struct {
		name, to string
		ctx      context.Context
		want     []error
	}{
		{"refused", "127.0.0.1:9", context.Background(), []error{ErrRefused}},
		{"refused over IPv6", "[::1]:9", context.Background(), []error{ErrRefused}},
		{"no route", "[2001:db8:9::9]:9", context.Background(), []error{ErrNetUnreachable, ErrUnreachable}},
		{"unreachable route", "203.0.113.9:9", context.Background(), []error{ErrHostUnreachable, ErrUnreachable}},
		{"silence", "198.51.100.9:9", short, []error{ErrTimeout}},
		{"cancelled before", "198.51.100.9:9", cancelled, []error{context.Canceled}},
		{"cancelled", "198.51.100.9:9", stopping, []error{reason}},
	} {
		conn, err := Dial(c.ctx, DialOptions{Destination: netip.MustParseAddrPort(c.to)})
		if err == nil {
			conn.Close()
		}
		for _, want := range c.want {
			if !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", c.name, err, want)
			}
		}
	}
	if _, err := Dial(context.Background(), DialOptions{Destination: netip.MustParseAddrPort("127.0.0.1:9"), Interface: "absent"}); !errors.Is(err, syscall.ENODEV) {
		t.Errorf("absent interface: %v", err)
	}
}
