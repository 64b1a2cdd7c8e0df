package scenario

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"

	"sluice/lab"
)

// hideBehindWAN1 translates the sources of what leaves by the second WAN link.
const hideBehindWAN1 = `
set security nat source rule-set hide from zone trust
set security nat source rule-set hide to interface ge-0/0/2.0
set security nat source rule-set hide rule all match source-address 0.0.0.0/0
set security nat source rule-set hide rule all match source-address ::/0
set security nat source rule-set hide rule all then source-nat interface
`

// With source NAT the server sees the gateway, over TCP and UDP, in both families and on both
// paths; over the other link it sees the client.
func TestSourceNAT(t *testing.T) {
	onBothPaths(t, func(t *testing.T, config string) {
		w := start(t, lab.Options{}, config+hideBehindWAN1)
		for _, c := range []struct{ network, to, want string }{
			{"tcp", lab.EchoAddr4Link1, lab.WAN1Gateway4},
			{"tcp", lab.EchoAddr6Link1, lab.WAN1Gateway6},
			{"udp", lab.EchoAddr4Link1, lab.WAN1Gateway4},
			{"udp", lab.EchoAddr6Link1, lab.WAN1Gateway6},
			{"tcp", lab.EchoAddr4, lab.ClientAddr4},
			{"udp", lab.EchoAddr6, lab.ClientAddr6},
		} {
			seen := w.whoami(w.Client, c.network, nil, c.to)
			if seen.Addr().String() != c.want {
				t.Errorf("%s to %s: the server sees %v, want %s", c.network, c.to, seen, c.want)
			}
			if shown := w.show("show security flow session"); !strings.Contains(shown, fmt.Sprintf("--> %s/%d;%s", seen.Addr(), seen.Port(), c.network)) {
				t.Errorf("%s to %s: the session table does not show %v:\n%s", c.network, c.to, seen, shown)
			}
		}
		w.do(w.Client, "ping", "-c3", "-i0.01", "-W2", lab.EchoAddr4Link1)
		w.do(w.Client, "ping", "-c3", "-i0.01", "-W2", lab.EchoAddr6Link1)
		w.do(w.Client, "ping", "-c1", "-W2", "-s4000", lab.EchoAddr4Link1)
	})
}

// Two clients with the same port are told apart, and ICMP errors find their way back through the
// translation: a closed port is refused and traceroute sees the hops.
func TestSourceNATKeepsClientsApart(t *testing.T) {
	w := start(t, lab.Options{}, lab.PermitAll+hideBehindWAN1)
	var seen []netip.AddrPort
	for _, source := range []string{"192.0.2.10:5555", "192.0.2.11:5555"} {
		seen = append(seen, w.whoami(w.Client, "udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(source)), lab.EchoAddr4Link1))
	}
	if seen[0] == seen[1] {
		t.Errorf("both clients leave as %v", seen[0])
	}
	c, err := w.dial(w.Client, "udp", lab.EchoAddr4Link1+":7999")
	if err != nil {
		t.Fatal(err)
	}
	if err := echoes(c); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("a closed UDP port: %v, want a refusal", err)
	}
	out := w.do(w.Client, "traceroute", "-n", "-q1", "-w2", "-m5", lab.WebAddr4Link1)
	for _, hop := range []string{lab.LAN4, lab.WAN1ISP4, lab.WebAddr4Link1} {
		if !strings.Contains(out, hop) {
			t.Errorf("traceroute does not see %s:\n%s", hop, out)
		}
	}
	// The gateway's own connections by that link are not taken for translated ones.
	if _, err := w.try(w.Gateway, "curl", "-sS", "-m5", "http://"+lab.WebAddr4Link1+"/"); err != nil {
		t.Errorf("the gateway's own request: %v", err)
	}
}

// narrowWAN1 gives the gateway's second WAN link an MTU of 1400 bytes.
func narrowWAN1(w *world) error {
	return errors.Join(w.Gateway.IP("link set wan1 mtu 1400"), w.Internet.IP("link set isp1 mtu 1400"))
}

// Who sends too much for a link of the gateway or beyond is told, though the other side knows the client by another
// address: the client of the way to the server, the server of the way to the client.
func TestPathMTUThroughTranslation(t *testing.T) {
	for _, c := range []struct {
		name  string
		place func(w *world) error
	}{
		{"on the gateway's WAN link", narrowWAN1},
		{"in the internet", func(w *world) error { return w.Internet.IP("link set to-web mtu 1400") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := start(t, lab.Options{}, lab.PermitAll+hideBehindWAN1)
			if err := c.place(w); err != nil {
				t.Fatal(err)
			}
			w.meetsSmallMTU(lab.WebAddr4Link1, lab.WebAddr6Link1)
		})
	}
	t.Run("on the gateway's LAN", func(t *testing.T) {
		w := start(t, lab.Options{}, lab.PermitAll+hideBehindWAN1)
		if err := errors.Join(w.Gateway.IP("link set lan0 mtu 1400"), w.Client.IP("link set eth0 mtu 1400")); err != nil {
			t.Fatal(err)
		}
		for _, server := range []string{lab.EchoAddr4Link1, lab.EchoAddr6Link1} {
			// The request leaves in fragments, the answer begins as one packet.
			if out := w.do(w.Client, "ping", "-c3", "-i0.2", "-W2", "-s1440", server); strings.Contains(out, " 0 received") {
				t.Errorf("%s was not told that its answers are too large:\n%s", server, out)
			}
		}
	})
}

// whoami asks the echo server which address and port it sees.
func (w *world) whoami(h *lab.Host, network string, local net.Addr, server string) netip.AddrPort {
	w.t.Helper()
	c, err := w.dialFrom(h, network, local, net.JoinHostPort(server, fmt.Sprint(lab.PortWho)))
	if err != nil {
		w.t.Fatal(err)
	}
	if network == "udp" {
		if _, err := c.Write([]byte("?")); err != nil {
			w.t.Fatal(err)
		}
	}
	answer := make([]byte, 100)
	n, err := c.Read(answer)
	if err != nil && !errors.Is(err, io.EOF) {
		w.t.Fatalf("%s whoami at %s: %v", network, server, err)
	}
	seen, err := netip.ParseAddrPort(strings.TrimSpace(string(answer[:n])))
	if err != nil {
		w.t.Fatal(err)
	}
	return netip.AddrPortFrom(seen.Addr().Unmap(), seen.Port())
}
