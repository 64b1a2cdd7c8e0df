package scenario

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/lab"
)

// world is a lab with a running gateway.
type world struct {
	*lab.Lab
	t  *testing.T
	gw *lab.Gateway
}

// start makes a lab and a gateway with lab.BaseConfig and further set statements. When the test
// fails it shows what the gateway printed.
func start(t *testing.T, o lab.Options, config string) *world {
	t.Helper()
	w := &world{Lab: lab.Start(t, o), t: t}
	gw, err := w.StartGateway(t.Context(), lab.BaseConfig+config)
	if err != nil {
		t.Fatal(err)
	}
	w.gw = gw
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the gateway printed:\n%s", w.gw.Output())
		}
	})
	return w
}

// tcpProxy makes the sessions of lab.PermitAll take the stream path.
const tcpProxy = `
set security policies from-zone trust to-zone untrust policy all then permit application-services tcp-proxy
`

// onBothPaths runs a test over the express path and over the stream path.
func onBothPaths(t *testing.T, test func(t *testing.T, config string)) {
	t.Run("express", func(t *testing.T) { test(t, lab.PermitAll) })
	t.Run("stream", func(t *testing.T) { test(t, lab.PermitAll+tcpProxy) })
}

// permit is a policy from trust to untrust for one application.
func permit(name, application string, then ...string) string {
	return policy("trust", "untrust", name, "any", application, append([]string{"permit"}, then...)...)
}

// policy is the statements of one policy for any source.
func policy(from, to, name, destination, application string, then ...string) string {
	p := fmt.Sprintf("set security policies from-zone %s to-zone %s policy %s ", from, to, name)
	text := p + "match source-address any\n" + p + "match destination-address " + destination + "\n" + p + "match application " + application + "\n"
	for _, action := range then {
		text += p + "then " + action + "\n"
	}
	return text
}

// patience is how long a client waits: for what should come as long as a slow machine may need, for what
// should not come, where nothing says that it will not, a second.
func patience(comes bool) time.Duration {
	if comes {
		return 10 * time.Second
	}
	return time.Second
}

// within is patience as an option of curl.
func within(comes bool) string { return fmt.Sprint("-m", patience(comes).Seconds()) }

// do runs a client that must succeed and returns what it printed.
func (w *world) do(h *lab.Host, name string, args ...string) string {
	w.t.Helper()
	out, err := w.try(h, name, args...)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// try runs a client that may fail, for 30 s at most.
func (w *world) try(h *lab.Host, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	return h.Run(ctx, name, args...)
}

// show runs an operational command.
func (w *world) show(command string) string {
	w.t.Helper()
	out, err := w.gw.Show(w.t.Context(), command)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// configure commits configuration mode commands.
func (w *world) configure(commands ...string) {
	w.t.Helper()
	if err := w.gw.Configure(w.t.Context(), commands...); err != nil {
		w.t.Fatal(err)
	}
}

// dial opens a connection from h. Addresses are literals.
func (w *world) dial(h *lab.Host, network, address string) (net.Conn, error) {
	return w.dialFrom(h, network, nil, address)
}

// dialFrom is dial from a given local address.
func (w *world) dialFrom(h *lab.Host, network string, local net.Addr, address string) (net.Conn, error) {
	var c net.Conn
	err := h.Do(func() (err error) {
		d := net.Dialer{Timeout: 10 * time.Second, LocalAddr: local}
		c, err = d.DialContext(w.t.Context(), network, address)
		return err
	})
	if err != nil {
		return nil, err
	}
	w.t.Cleanup(func() { c.Close() })
	return c, c.SetDeadline(time.Now().Add(20 * time.Second))
}

// connect opens a TCP connection from the client that must come up.
func (w *world) connect(address string) *net.TCPConn {
	w.t.Helper()
	c, err := w.dial(w.Client, "tcp", address)
	if err != nil {
		w.t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

// listener opens a TCP listener on h.
func (w *world) listener(h *lab.Host, address string) net.Listener {
	w.t.Helper()
	var l net.Listener
	if err := h.Do(func() (err error) {
		l, err = net.Listen("tcp", address)
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { l.Close() })
	return l
}

// listen opens a TCP server on h that hands every connection to serve.
func (w *world) listen(h *lab.Host, address string, serve func(*net.TCPConn)) {
	w.t.Helper()
	l := w.listener(h, address)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c.(*net.TCPConn))
			}()
		}
	}()
}

// capture starts tcpdump for what arrives at a device and waits until it listens. It prints each packet as
// it comes; of its bytes it takes the headers alone, so that a burst has room.
func (w *world) capture(h *lab.Host, device, flags, filter string) *lab.Process {
	w.t.Helper()
	p, err := h.Start("tcpdump", "-lnn"+flags, "--immediate-mode", "-s", "128", "-Q", "in", "-i", device, filter)
	if err != nil {
		w.t.Fatal(err)
	}
	w.eventually("the capture runs", func() bool { return strings.Contains(p.Output(), "listening on") })
	return p
}

// eventually waits until f holds, 15 s at most.
func (w *world) eventually(what string, f func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(15 * time.Second); !f(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("after 15 s still not: %s", what)
		}
	}
}

// echoes says whether a byte over c, which should come back, does.
func echoes(c net.Conn) error { return echo(c, patience(true)) }

// echoesSoon says whether a byte over c, which should not come back, does.
func echoesSoon(c net.Conn) bool { return echo(c, patience(false)) == nil }

// echo sends a byte over c and waits until it is back.
func echo(c net.Conn, patience time.Duration) error {
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := c.Write([]byte{'x'}); err != nil {
		return err
	}
	_, err := io.ReadFull(c, make([]byte, 1))
	return err
}

// kernelState is what a gateway may leave in its namespace: policy rules, tables, devices and
// firewall rules, as text.
func (w *world) settledState() string {
	w.t.Helper()
	w.eventually("every link of the gateway is up", func() bool {
		state := w.kernelState()
		for _, device := range []string{"lan0", "gst0", "wan0", "wan1"} {
			if !strings.Contains(state, "multicast ff00::/8 dev "+device) || !regexp.MustCompile(`local fe80::\S+ dev `+device).MatchString(state) {
				return false
			}
		}
		return true
	})
	return w.kernelState()
}

// kernelState is what the gateway changes in the kernel: rules, routes, devices and firewall.
func (w *world) kernelState() string {
	w.t.Helper()
	var all strings.Builder
	for _, command := range [][]string{
		{"ip", "rule"}, {"ip", "-6", "rule"}, {"ip", "route", "show", "table", "all"}, {"ip", "-o", "link"}, {"nft", "list", "ruleset"},
	} {
		out := w.do(w.Gateway, command[0], command[1:]...)
		if command[1] == "-o" {
			// Only the names: counters and states of the veth devices are the lab's.
			for line := range strings.Lines(out) {
				all.WriteString(strings.SplitN(line, ": ", 3)[1] + "\n")
			}
			continue
		}
		all.WriteString(out)
	}
	return all.String()
}

// openFiles counts the descriptors of the gateway.
func (w *world) openFiles() int {
	w.t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", w.gw.Pid()))
	if err != nil {
		w.t.Fatal(err)
	}
	return len(entries)
}
