package lab

import (
	"context"
	"fmt"
	"net/netip"
)

// Addresses of the lab. Clients are 192.0.2.0/24, the WAN links 198.51.100.0/24, servers
// 203.0.113.0/24.
const (
	ClientAddr4 = "192.0.2.10"
	ClientAddr6 = "2001:db8:1::10"
	GuestAddr4  = "192.0.2.130"
	GuestAddr6  = "2001:db8:2::10"
	LAN4        = "192.0.2.1" // the gateway on lan0
	LAN6        = "2001:db8:1::1"
	Guest4      = "192.0.2.129" // the gateway on gst0
	Guest6      = "2001:db8:2::1"

	WAN0Gateway4 = "198.51.100.2" // the gateway on wan0
	WAN0Gateway6 = "2001:db8:a0::2"
	WAN0ISP4     = "198.51.100.1" // its next hop
	WAN0ISP6     = "2001:db8:a0::1"
	WAN1Gateway4 = "198.51.100.6" // the gateway on wan1
	WAN1Gateway6 = "2001:db8:a1::2"
	WAN1ISP4     = "198.51.100.5" // its next hop
	WAN1ISP6     = "2001:db8:a1::1"

	WebAddr4  = "203.0.113.80"
	WebAddr6  = "2001:db8:f::80"
	DNSAddr4  = "203.0.113.53"
	DNSAddr6  = "2001:db8:f::53"
	EchoAddr4 = "203.0.113.7"
	EchoAddr6 = "2001:db8:f::7"

	// The servers' second addresses, reached back over link 1.
	WebAddr4Link1  = "203.0.113.208"
	WebAddr6Link1  = "2001:db8:f:1::80"
	DNSAddr4Link1  = "203.0.113.181"
	DNSAddr6Link1  = "2001:db8:f:1::53"
	EchoAddr4Link1 = "203.0.113.135"
	EchoAddr6Link1 = "2001:db8:f:1::7"

	// Addresses without a host: packets to the dead ones vanish, those to the unreachable ones
	// are answered by the internet with ICMP host unreachable.
	DeadAddr4        = "203.0.113.99"
	DeadAddr6        = "2001:db8:f::99"
	UnreachableAddr4 = "203.0.113.98"
	UnreachableAddr6 = "2001:db8:f::98"
)

// wire makes the hosts and the wires between them. The gateway's devices come up without
// addresses, as on a fresh machine: a configuration or RouteInKernel sets them.
func (l *Lab) wire(ctx context.Context, o Options) error {
	roles := []struct {
		role         string
		host         **Host
		addr4, addr6 string
	}{
		{"client", &l.Client, ClientAddr4, ClientAddr6},
		{"guest", &l.Guest, GuestAddr4, GuestAddr6},
		{"gw", &l.Gateway, LAN4, LAN6},
		{"inet", &l.Internet, WAN0ISP4, WAN0ISP6},
		{"web", &l.Web, WebAddr4, WebAddr6},
		{"dns", &l.DNS, DNSAddr4, DNSAddr6},
		{"echo", &l.Echo, EchoAddr4, EchoAddr6},
	}
	for _, r := range roles {
		if o.Flat && (r.host == &l.Web || r.host == &l.DNS || r.host == &l.Echo) {
			*r.host = l.Internet
			continue
		}
		h, err := l.newHost(r.role)
		if err != nil {
			return err
		}
		h.Addr4, h.Addr6 = netip.MustParseAddr(r.addr4), netip.MustParseAddr(r.addr6)
		*r.host = h
	}
	for _, router := range []*Host{l.Gateway, l.Internet} {
		for _, key := range []string{"net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"} {
			if err := router.Sysctl(key, "1"); err != nil {
				return err
			}
		}
	}
	steps := []func() error{
		func() error { return l.wireBranch(l.Client, "lan0", ClientAddr4, ClientAddr6, LAN4, LAN6) },
		func() error { return l.wireBranch(l.Guest, "gst0", GuestAddr4, GuestAddr6, Guest4, Guest6) },
		func() error { return l.wireLink(0, o.Impair, WAN0ISP4, WAN0ISP6) },
		func() error { return l.wireLink(1, o.Impair, WAN1ISP4, WAN1ISP6) },
		func() error { return l.wireServer(l.Web, WebAddr4, WebAddr6, WebAddr4Link1, WebAddr6Link1) },
		func() error { return l.wireServer(l.DNS, DNSAddr4, DNSAddr6, DNSAddr4Link1, DNSAddr6Link1) },
		func() error { return l.wireServer(l.Echo, EchoAddr4, EchoAddr6, EchoAddr4Link1, EchoAddr6Link1) },
		func() error { return l.routeInternet(ctx) },
		func() error { return l.Gateway.resolver(netip.MustParseAddr(DNSAddr4)) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// wireBranch connects a client to the gateway's device and routes everything to it. The client
// has nine further addresses, one higher each.
func (l *Lab) wireBranch(client *Host, device, addr4, addr6, gw4, gw6 string) error {
	commands := []string{"link add eth0 type veth peer name " + device + " netns " + l.Gateway.Namespace, "link set eth0 up"}
	a4, a6 := netip.MustParseAddr(addr4), netip.MustParseAddr(addr6)
	for range 10 {
		commands = append(commands, "addr add "+a4.String()+"/25 dev eth0", "addr add "+a6.String()+"/64 dev eth0 nodad")
		a4, a6 = a4.Next(), a6.Next()
	}
	if err := client.IP(commands...); err != nil {
		return err
	}
	if err := l.Gateway.IP("link set " + device + " up"); err != nil {
		return err
	}
	if err := client.IP("route add default via "+gw4+" src "+addr4, "route add ::/0 via "+gw6+" src "+addr6); err != nil {
		return err
	}
	return client.resolver(netip.MustParseAddr(DNSAddr4))
}

// wireLink connects wan<n> of the gateway with isp<n> of the internet, through a relay's
// namespace where packets shall be impaired.
func (l *Lab) wireLink(n int, impair bool, isp4, isp6 string) error {
	wan, isp := fmt.Sprintf("wan%d", n), fmt.Sprintf("isp%d", n)
	link := &Link{}
	if impair {
		relay, err := l.newHost(fmt.Sprintf("w%d", n))
		if err != nil {
			return err
		}
		if err := relay.Sysctl("net/ipv6/conf/all/disable_ipv6", "1"); err != nil {
			return err
		}
		if err := relay.IP(
			"link add near type veth peer name "+wan+" netns "+l.Gateway.Namespace,
			"link add far type veth peer name "+isp+" netns "+l.Internet.Namespace,
			"link set near up", "link set far up",
		); err != nil {
			return err
		}
		link.host = relay
	} else if err := l.Gateway.IP("link add " + wan + " type veth peer name " + isp + " netns " + l.Internet.Namespace); err != nil {
		return err
	}
	l.Links[n] = link
	if err := l.Gateway.IP("link set " + wan + " up"); err != nil {
		return err
	}
	if err := l.Internet.IP("addr add "+isp4+"/30 dev "+isp, "addr add "+isp6+"/64 dev "+isp+" nodad", "link set "+isp+" up"); err != nil {
		return err
	}
	if !impair {
		return nil
	}
	// What the relay reads must be packets as they would be on a wire.
	if err := l.Gateway.Do(func() error { return disableOffloads(wan) }); err != nil {
		return err
	}
	if err := l.Internet.Do(func() error { return disableOffloads(isp) }); err != nil {
		return err
	}
	return link.open()
}

// wireServer connects a server to the internet with its two addresses in each family; in a flat
// lab they become addresses of the internet itself.
func (l *Lab) wireServer(server *Host, addr4, addr6, second4, second6 string) error {
	if server == l.Internet {
		return server.IP(
			"addr add "+addr4+"/32 dev lo", "addr add "+addr6+"/128 dev lo nodad",
			"addr add "+second4+"/32 dev lo", "addr add "+second6+"/128 dev lo nodad",
		)
	}
	device := "to-" + server.Role
	if err := l.Internet.IP("link add "+device+" type veth peer name eth0 netns "+server.Namespace, "link set "+device+" up",
		"addr add 203.0.113.1/32 dev "+device, "addr add 2001:db8:f::1/128 dev "+device+" nodad"); err != nil {
		return err
	}
	if err := server.IP(
		"addr add "+addr4+"/32 dev eth0", "addr add "+addr6+"/128 dev eth0 nodad",
		"addr add "+second4+"/32 dev eth0", "addr add "+second6+"/128 dev eth0 nodad",
		"link set eth0 up",
		"route add default via 203.0.113.1 dev eth0 onlink",
		"route add 2001:db8:f::1 dev eth0", "route add ::/0 via 2001:db8:f::1 dev eth0",
	); err != nil {
		return err
	}
	var routes []string
	for _, a := range []string{addr4, addr6, second4, second6} {
		routes = append(routes, "route add "+a+" dev "+device)
	}
	return l.Internet.IP(routes...)
}

// routeInternet leads replies back: link 0 for everything, link 1 for what the servers' second
// addresses send; and it makes the dead and the unreachable addresses so.
func (l *Lab) routeInternet(ctx context.Context) error {
	// In a batch "ip rule" knows IPv4 only.
	if _, err := l.Internet.Run(ctx, "ip", "-6", "rule", "add", "from", "2001:db8:f:1::/64", "lookup", "101", "pref", "101"); err != nil {
		return err
	}
	return l.Internet.IP(
		"route add 192.0.2.0/24 via "+WAN0Gateway4,
		"route add 2001:db8:1::/64 via "+WAN0Gateway6,
		"route add 2001:db8:2::/64 via "+WAN0Gateway6,
		"route add 192.0.2.0/24 via "+WAN1Gateway4+" table 101",
		"route add 2001:db8:1::/64 via "+WAN1Gateway6+" table 101",
		"route add 2001:db8:2::/64 via "+WAN1Gateway6+" table 101",
		"rule add from 203.0.113.128/25 lookup 101 pref 101",
		"route add blackhole "+DeadAddr4, "route add blackhole "+DeadAddr6,
		"route add unreachable "+UnreachableAddr4, "route add unreachable "+UnreachableAddr6,
	)
}

// RouteInKernel gives the gateway's namespace the addresses and routes that a configuration would
// otherwise give it, and lets the kernel forward: a lab without the gateway program.
func (l *Lab) RouteInKernel() error {
	return l.Gateway.IP(
		"addr add "+LAN4+"/25 dev lan0", "addr add "+LAN6+"/64 dev lan0 nodad",
		"addr add "+Guest4+"/25 dev gst0", "addr add "+Guest6+"/64 dev gst0 nodad",
		"addr add "+WAN0Gateway4+"/30 dev wan0", "addr add "+WAN0Gateway6+"/64 dev wan0 nodad",
		"addr add "+WAN1Gateway4+"/30 dev wan1", "addr add "+WAN1Gateway6+"/64 dev wan1 nodad",
		"route add default via "+WAN0ISP4, "route add ::/0 via "+WAN0ISP6,
		"route add 203.0.113.128/25 via "+WAN1ISP4, "route add 2001:db8:f:1::/64 via "+WAN1ISP6,
	)
}
