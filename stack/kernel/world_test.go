package kernel

import (
	"bytes"
	"context"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// host is a machine of a test: a network namespace without a name, which ends with the test.
type host struct {
	t  *testing.T
	ns netns.NsHandle
}

// newGateway makes a namespace and moves the test's thread into it for good: the thread ends
// with the test.
func newGateway(t *testing.T) *host {
	t.Helper()
	runtime.LockOSThread()
	ns, err := netns.New()
	if err != nil {
		t.Fatalf("cannot make a network namespace: %v", err)
	}
	t.Cleanup(func() { ns.Close() })
	g := &host{t, ns}
	g.prepare()
	return g
}

// newPeer makes another machine.
func newPeer(t *testing.T) *host {
	t.Helper()
	made := make(chan netns.NsHandle, 1)
	failed := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and the thread ends here
		ns, err := netns.New()
		if err != nil {
			failed <- err
			return
		}
		made <- ns
	}()
	select {
	case err := <-failed:
		t.Fatalf("cannot make a network namespace: %v", err)
	case ns := <-made:
		t.Cleanup(func() { ns.Close() })
		p := &host{t, ns}
		p.prepare()
		return p
	}
	return nil
}

// prepare makes loopback work, and addresses usable at once.
func (h *host) prepare() {
	h.t.Helper()
	h.must("ip link set lo up")
	h.must("sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0")
}

// do runs f on a thread of the machine.
func (h *host) do(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if err := netns.Set(h.ns); err != nil {
			h.t.Errorf("cannot enter the network namespace: %v", err)
			return
		}
		f()
	}()
	<-done
}

// run runs a command on the machine.
func (h *host) run(command string) (out string, err error) {
	h.do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		cmd := exec.CommandContext(ctx, "sh", "-c", command)
		text, e := cmd.CombinedOutput()
		out, err = string(text), e
	})
	return out, err
}

func (h *host) must(command string) string {
	h.t.Helper()
	out, err := h.run(command)
	if err != nil {
		h.t.Fatalf("%s: %v\n%s", command, err, out)
	}
	return out
}

// connect joins two machines with a cable; both ends are up.
func connect(t *testing.T, a *host, aName string, b *host, bName string) {
	t.Helper()
	a.do(func() {
		veth := &netlink.Veth{
			LinkAttrs: netlink.LinkAttrs{Name: aName}, PeerName: bName, PeerNamespace: netlink.NsFd(int(b.ns)),
		}
		if err := netlink.LinkAdd(veth); err != nil {
			t.Errorf("cannot make a cable: %v", err)
		}
	})
	a.must("ip link set " + aName + " up")
	b.must("ip link set " + bName + " up")
}

// eventually waits until ok holds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("waited in vain: %s", what)
}

// pings says whether address answers.
func (h *host) pings(address string) bool {
	_, err := h.run("ping -n -c1 -W1 " + address)
	return err == nil
}

// tun is a TUN whose packets the test sees.
type tun struct {
	file *os.File
	got  chan []byte
}

// openTUN makes a TUN in the namespace of this thread and hands every packet to f; what f
// returns is written back.
func openTUN(t *testing.T, name string, f func([]byte) []byte) *tun {
	t.Helper()
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	request, err := unix.NewIfreq(name)
	if err != nil {
		t.Fatal(err)
	}
	request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, request); err != nil {
		t.Fatal(err)
	}
	d := &tun{os.NewFile(uintptr(fd), name), make(chan []byte, 1000)}
	t.Cleanup(func() { d.file.Close() })
	go func() {
		buffer := make([]byte, 1<<16)
		for {
			n, err := d.file.Read(buffer)
			if err != nil {
				return
			}
			packet := bytes.Clone(buffer[:n])
			select {
			case d.got <- packet:
			default: // nobody looks
			}
			if packet = f(packet); packet != nil {
				d.file.Write(packet)
			}
		}
	}()
	return d
}

// pass sends a packet on its way, as a gateway that permits everything.
func pass(packet []byte) []byte { return packet }

// swallow drops a packet.
func swallow([]byte) []byte { return nil }

// received waits for a packet that is wanted.
func (d *tun) received(t *testing.T, what string, wanted func([]byte) bool) []byte {
	t.Helper()
	timeout := time.After(10 * time.Second)
	for {
		select {
		case p := <-d.got:
			if wanted(p) {
				return p
			}
		case <-timeout:
			t.Fatalf("the TUN did not get %s", what)
		}
	}
}

// snapshot is all that this package may change, as text; two are equal when nothing differs.
func (h *host) snapshot() string {
	h.t.Helper()
	var b strings.Builder
	for _, command := range []string{
		"ip rule", "ip -6 rule", "ip route show table all", "ip -6 route show table all | sort", "ip -o addr | sort", "ip -o link", "nft list ruleset",
	} {
		// ip says so of an interface whose other end is in a namespace that another test removes meanwhile.
		b.WriteString("# " + command + "\n" + strings.ReplaceAll(h.must(command), "Error: Peer netns reference is invalid.\n", ""))
	}
	h.do(func() {
		for _, dir := range []string{"/proc/sys/net/ipv4", "/proc/sys/net/ipv6/conf"} {
			filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
				if err != nil {
					return fs.SkipDir // of an interface that went meanwhile
				}
				if entry.IsDir() || strings.Contains(path, "stable_secret") {
					return nil
				}
				if text, err := os.ReadFile(path); err == nil {
					b.WriteString(path + "=" + string(text))
				}
				return nil
			})
		}
	})
	return b.String()
}

// difference shows the lines that only one of two texts has.
func difference(before, after string) string {
	var out []string
	count := map[string]int{}
	for _, l := range strings.Split(before, "\n") {
		count[l]++
	}
	for _, l := range strings.Split(after, "\n") {
		if count[l]--; count[l] < 0 {
			out = append(out, "+ "+l)
		}
	}
	for _, l := range strings.Split(before, "\n") {
		if count[l] > 0 {
			out = append(out, "- "+l)
			count[l]--
		}
	}
	return strings.Join(out, "\n")
}

func prefixes(list ...string) (out []netip.Prefix) {
	for _, s := range list {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

// serve accepts TCP connections on port of this machine.
func (h *host) serve(port string) {
	h.t.Helper()
	h.do(func() {
		l, err := net.Listen("tcp", ":"+port)
		if err != nil {
			h.t.Error(err)
			return
		}
		h.t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				c.Write([]byte("hello\n"))
				c.Close()
			}
		}()
	})
}

// dials says whether address accepts a connection within half a second.
func (h *host) dials(address string) (ok bool) {
	h.do(func() {
		c, err := net.DialTimeout("tcp", address, 500*time.Millisecond)
		if err == nil {
			c.Close()
		}
		ok = err == nil
	})
	return ok
}
