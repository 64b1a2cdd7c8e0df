package kernel

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// Answers to translated sessions come to the gateway's own address and go into the TUN, in whole
// and in fragments; all else that is local stays local.
func TestAnswersToTranslatedSessions(t *testing.T) {
	b := newBranch(t)
	d := b.desired()
	d.Interfaces[1].NATEgress = true
	d.Interfaces[1].Inbound = []InboundRule{{Name: "all", All: true}}
	b.up(t, d, swallow, swallow)

	udp := func(port uint16, size int) func([]byte) bool {
		return func(p []byte) bool {
			switch {
			case p[0]>>4 == 4 && p[9] == 17:
				return int(p[22])<<8|int(p[23]) == int(port) && len(p) >= size
			case p[0]>>4 == 6 && p[6] == 17:
				return int(p[42])<<8|int(p[43]) == int(port) && len(p) >= size
			}
			return false
		}
	}
	for _, gateway := range []string{"198.51.100.1", "2001:db8:2::1"} {
		b.server.send(t, gateway, 10000, 10)
		b.wan.received(t, "a datagram to the first translated port", udp(10000, 10))
		b.server.send(t, gateway, 31999, 10)
		b.wan.received(t, "a datagram to the last translated port", udp(31999, 10))
		if !b.server.pings(gateway) {
			t.Errorf("%s does not answer ping", gateway)
		}
		if !b.listensTo(t, b.server, gateway, 9999) || !b.listensTo(t, b.server, gateway, 32000) {
			t.Errorf("%s does not get what is outside the translated ports", gateway)
		}
	}
	b.server.send(t, "198.51.100.1", 20000, 4000)
	fragments := 0
	b.wan.received(t, "every fragment of a large datagram", func(p []byte) bool {
		if p[0]>>4 == 4 && p[9] == 17 && (p[6]&0x3f != 0 || p[7] != 0) {
			fragments++
		}
		return fragments == 3
	})
	// Answers to the gateway's own pings need no detour, echo replies to nobody take it.
	for _, peer := range []string{"198.51.100.10", "2001:db8:2::10"} {
		if !b.pings(peer) {
			t.Errorf("the gateway does not hear the echo reply of %s", peer)
		}
	}
	b.server.do(func() {
		c, err := net.Dial("ip4:icmp", "198.51.100.1")
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		c.Write([]byte{0, 0, 0xff, 0xfd, 0, 1, 0, 1}) // echo reply, identifier 1, number 1
	})
	b.wan.received(t, "an echo reply to a translated session", func(p []byte) bool { return p[0]>>4 == 4 && p[9] == 1 && p[20] == 0 })
	if n := strings.TrimSpace(b.must("cat /proc/sys/net/ipv4/ip_local_reserved_ports")); n != "10000-31999" {
		t.Errorf("reserved ports are %q", n)
	}
}

// The rule of local addresses is moved only for source NAT, and put back after it.
func TestLocalRuleMoves(t *testing.T) {
	b := newBranch(t)
	before := b.must("ip rule list pref 0; ip -6 rule list pref 0")
	d := b.desired()
	b.up(t, d, swallow, swallow)
	if now := b.must("ip rule list pref 0; ip -6 rule list pref 0"); now != before {
		t.Errorf("without NAT the first rules are\n%s", now)
	}
	d.Interfaces[1].NATEgress = true
	b.set(t, d)
	for _, family := range []string{"-4", "-6"} {
		rules := b.must("ip " + family + " rule")
		if first, _, _ := strings.Cut(rules, "\n"); !strings.HasPrefix(first, "80:") {
			t.Errorf("with NAT the rules begin with\n%s", first)
		}
		if !strings.Contains(rules, "90:\tfrom all lookup local proto 201") {
			t.Errorf("with NAT there is no local rule at 90:\n%s", rules)
		}
	}
	d.Interfaces[1].NATEgress = false
	b.set(t, d)
	if now := b.must("ip rule list pref 0; ip -6 rule list pref 0"); now != before {
		t.Errorf("after NAT the first rules are\n%s", now)
	}
	if rules := b.must("ip rule; ip -6 rule"); strings.Contains(rules, "\n90:") || strings.Contains(rules, "\n80:") {
		t.Errorf("rules of NAT are left:\n%s", rules)
	}
}

// send sends one datagram.
func (h *host) send(t *testing.T, address string, port, size int) {
	t.Helper()
	h.do(func() {
		c, err := net.Dial("udp", net.JoinHostPort(address, fmt.Sprint(port)))
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		if _, err := c.Write(make([]byte, size)); err != nil {
			t.Error(err)
		}
	})
}

// listensTo says whether a socket on this machine gets what from sends to its port.
func (h *host) listensTo(t *testing.T, from *host, address string, port int) (ok bool) {
	t.Helper()
	h.do(func() {
		c, err := net.ListenPacket("udp", fmt.Sprintf(":%d", port))
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		from.send(t, address, port, 10)
		c.SetReadDeadline(time.Now().Add(2 * time.Second))
		_, _, err = c.ReadFrom(make([]byte, 100))
		ok = err == nil
	})
	return ok
}
