package offload

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netns"

	"sluice/stack"
)

// world is a client and a server on the two sides of a gateway, each a namespace of its own.
type world struct{ client, gateway, server string }

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func newWorld(t *testing.T) world {
	t.Helper()
	prefix := fmt.Sprintf("slt-%d-off-", os.Getpid())
	w := world{prefix + "c", prefix + "g", prefix + "s"}
	for _, ns := range []string{w.client, w.gateway, w.server} {
		run(t, "ip", "netns", "add", ns)
		t.Cleanup(func() { exec.Command("ip", "netns", "del", ns).Run() })
		run(t, "ip", "-n", ns, "link", "set", "lo", "up")
		run(t, "ip", "netns", "exec", ns, "sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0")
	}
	for _, l := range []struct{ ns, dev, peer, own, far, own6, far6 string }{
		{w.client, "c0", "lan0", "192.0.2.2/24", "192.0.2.1/24", "2001:db8:1::2/64", "2001:db8:1::1/64"},
		{w.server, "s0", "wan0", "198.51.100.2/24", "198.51.100.1/24", "2001:db8:2::2/64", "2001:db8:2::1/64"},
	} {
		run(t, "ip", "link", "add", l.dev, "netns", l.ns, "type", "veth", "peer", "name", l.peer, "netns", w.gateway)
		for _, a := range []struct{ ns, dev, addr string }{{l.ns, l.dev, l.own}, {w.gateway, l.peer, l.far}} {
			run(t, "ip", "-n", a.ns, "addr", "add", a.addr, "dev", a.dev)
		}
		for _, a := range []struct{ ns, dev, addr string }{{l.ns, l.dev, l.own6}, {w.gateway, l.peer, l.far6}} {
			run(t, "ip", "-n", a.ns, "addr", "add", a.addr, "dev", a.dev, "nodad")
			run(t, "ip", "-n", a.ns, "link", "set", a.dev, "up")
		}
		host := func(a string) string { return strings.Split(a, "/")[0] }
		run(t, "ip", "-n", l.ns, "route", "add", "default", "via", host(l.far))
		run(t, "ip", "-n", l.ns, "-6", "route", "add", "default", "via", host(l.far6))
	}
	run(t, "ip", "netns", "exec", w.gateway, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
	return w
}

// enter moves the test's thread into a namespace for good.
func enter(t *testing.T, name string) {
	t.Helper()
	runtime.LockOSThread() // never unlocked: the thread ends with its goroutine
	h, err := netns.GetFromName(name)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if err := netns.Set(h); err != nil {
		t.Fatal(err)
	}
}

// inNamespace runs f on a thread of the namespace.
func inNamespace(t *testing.T, name string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		enter(t, name)
		f()
	}()
	<-done
}

// carrying starts the programs in the gateway of a world in which packets that they do not mark go nowhere.
func carrying(t *testing.T) (w world, o *Offload) {
	t.Helper()
	w = newWorld(t)
	inNamespace(t, w.gateway, func() {
		var err error
		if o, err = New(); err != nil {
			t.Error(err)
			return
		}
		for _, device := range []string{"lan0", "wan0"} {
			if err := o.Attach(device); err != nil {
				t.Error(err)
			}
		}
	})
	if t.Failed() {
		t.FailNow()
	}
	t.Cleanup(func() { inNamespace(t, w.gateway, o.Close) })
	// What is not offloaded is led away, so that what arrives was.
	for _, family := range []string{"-4", "-6"} {
		for _, device := range []string{"lan0", "wan0"} {
			run(t, "ip", "-n", w.gateway, family, "rule", "add", "pref", "100", "iif", device, "unreachable")
		}
	}
	return w, o
}

func TestKernelCarriesOffloadedFlows(t *testing.T) {
	w, o := carrying(t)
	inNamespace(t, w.gateway, func() {
		if err := o.Attach("lo"); err == nil {
			t.Error("the loopback device was accepted")
		}
	})
	for _, c := range []struct{ client, server string }{
		{"192.0.2.2:4000", "198.51.100.2:5000"}, {"[2001:db8:1::2]:4000", "[2001:db8:2::2]:5000"},
	} {
		client, server := netip.MustParseAddrPort(c.client), netip.MustParseAddrPort(c.server)
		there := stack.NewKey(client, server, 17)
		back := there.Reverse()
		var a, b *net.UDPConn
		inNamespace(t, w.server, func() { a = listen(t, server) })
		inNamespace(t, w.client, func() { b = listen(t, client) })
		defer a.Close()
		defer b.Close()
		if delivered(b, a, server, "before") {
			t.Errorf("%v: a packet passed that was not offloaded", server)
		}
		for _, k := range []stack.Key{there, back} {
			if err := o.Add(&k, &k, 0); err != nil {
				t.Fatal(err)
			}
		}
		if !delivered(b, a, server, "hello") || !delivered(a, b, client, "answer") {
			t.Errorf("%v: an offloaded packet did not arrive", server)
		}
		header := uint64(28)
		if client.Addr().Is6() {
			header = 48
		}
		if s, ok := o.Stats(&there); !ok || s.Packets != 1 || s.Bytes != header+5 {
			t.Errorf("%v: counted %+v, want one packet of %d bytes", server, s, header+5)
		}
		if s, ok := o.Remove(&back); !ok || s.Packets != 1 || s.Bytes != header+6 {
			t.Errorf("%v: removed with %+v, want one packet of %d bytes", server, s, header+6)
		}
		if delivered(a, b, client, "after") {
			t.Errorf("%v: a packet passed after its flow was taken back", server)
		}
	}
	inNamespace(t, w.gateway, o.Close)
	for _, family := range []string{"-4", "-6"} {
		if out := run(t, "ip", "-n", w.gateway, family, "rule"); strings.Contains(out, "0x51ce") {
			t.Errorf("a rule was left behind:\n%s", out)
		}
	}
}

func listen(t *testing.T, at netip.AddrPort) *net.UDPConn {
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	if err != nil {
		t.Error(err)
	}
	return c
}

// delivered sends text and says whether it arrives within a moment.
func delivered(from, to *net.UDPConn, address netip.AddrPort, text string) bool {
	if _, err := from.WriteToUDPAddrPort([]byte(text), address); err != nil {
		return false
	}
	buf := make([]byte, 100)
	to.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
	n, err := to.Read(buf)
	return err == nil && string(buf[:n]) == text
}

func TestSegmentTrainsAreCountedAsTheirSegments(t *testing.T) {
	w := newWorld(t)
	inNamespace(t, w.gateway, func() {
		o, err := New()
		if err != nil {
			t.Error(err)
			return
		}
		defer o.Close()
		if err := o.Attach("lan0"); err != nil {
			t.Error(err)
			return
		}
		const size = 1 << 20
		server, client := netip.MustParseAddrPort("198.51.100.2:5001"), netip.MustParseAddrPort("192.0.2.2:4001")
		key := stack.NewKey(client, server, 6)
		if err := o.Add(&key, &key, 0); err != nil {
			t.Error(err)
			return
		}
		finished := make(chan stack.Key, 1)
		o.Finished(func(k stack.Key) { finished <- k })
		received := make(chan int64, 1)
		inNamespace(t, w.server, func() {
			l, err := net.Listen("tcp", server.String())
			if err != nil {
				t.Error(err)
				return
			}
			go func() {
				defer l.Close()
				c, err := l.Accept()
				if err != nil {
					received <- 0
					return
				}
				defer c.Close()
				n, _ := io.CopyN(io.Discard, c, size)
				received <- n
			}()
		})
		inNamespace(t, w.client, func() {
			d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(client)}
			c, err := d.Dial("tcp", server.String())
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			c.Write(make([]byte, size))
			if n := <-received; n != size {
				t.Errorf("received %d bytes, want %d", n, size)
			}
		})
		if finished := <-finished; finished != key {
			t.Errorf("the FIN of %v was told, want that of %v", finished, key)
		}
		s, _ := o.Stats(&key)
		if !s.FIN {
			t.Error("the FIN is not noted with the flow")
		}
		// 1,448 bytes a segment and 52 of headers; a retransmission or a short segment more is possible.
		if least := uint64(size / 1448); s.Packets < least || s.Packets > least*2 || s.Bytes < size+least*52 || s.Bytes > 2*size {
			t.Errorf("counted %d packets, %d bytes for %d bytes of payload", s.Packets, s.Bytes, size)
		}
	})
}

func TestCleanUpAfterACrash(t *testing.T) {
	w := newWorld(t)
	inNamespace(t, w.gateway, func() {
		o, err := New()
		if err != nil {
			t.Error(err)
			return
		}
		if err := o.Attach("lan0"); err != nil {
			t.Error(err)
		}
		// A process that was killed leaves its rules and filters as they are.
		if err := CleanUp(); err != nil {
			t.Error(err)
		}
		o.Close()
	})
	for _, hook := range []string{"ingress", "egress"} {
		if out := run(t, "tc", "-n", w.gateway, "filter", "show", "dev", "lan0", hook); strings.Contains(out, filterName) {
			t.Errorf("a filter was left behind:\n%s", out)
		}
	}
	if out := run(t, "ip", "-n", w.gateway, "rule"); strings.Contains(out, "0x51ce") {
		t.Errorf("a rule was left behind:\n%s", out)
	}
}
