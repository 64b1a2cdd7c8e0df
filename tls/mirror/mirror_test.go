package mirror

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"sluice/internal/nstest"
)

const patience = 20 * time.Second

// wire is a pair of Ethernet devices: what leaves through one arrives at the other.
type wire struct {
	port, collector string
	portMAC, mac    net.HardwareAddr
}

func newWire(t *testing.T, mtu int) *wire {
	t.Helper()
	w := &wire{port: "slm0", collector: "slm1"}
	pair := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: w.port, MTU: mtu}, PeerName: w.collector}
	if err := netlink.LinkAdd(pair); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = netlink.LinkDel(pair) }) // it may be gone already
	for _, name := range []string{w.port, w.collector} {
		link, err := netlink.LinkByName(name)
		if err != nil {
			t.Fatal(err)
		}
		if w.mac = link.Attrs().HardwareAddr; name == w.port {
			w.portMAC = w.mac
		}
		if err := netlink.LinkSetMTU(link, mtu); err != nil {
			t.Fatal(err)
		}
		nstest.Up(t, name)
	}
	return w
}

// capture has tcpdump write what the collector is sent. stop waits until it has the frames of stats
// and returns the file.
func (w *wire) capture(t *testing.T) (stop func(Stats) string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "mirror.pcap")
	command := exec.Command("tcpdump", "-i", w.collector, "-Q", "in", "-U", "--immediate-mode", "-Z", "root", "-w", file, "-B", "65536", "tcp")
	var mu sync.Mutex
	var said bytes.Buffer
	command.Stderr = writer(func(b []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return said.Write(b)
	})
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill() }) // it may have ended
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		mu.Lock()
		text := said.String()
		mu.Unlock()
		if strings.Contains(text, "listening on") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("tcpdump said %q", text)
		}
	}
	return func(sent Stats) string {
		const fileHeader, recordHeader = 24, 16
		complete := fileHeader + recordHeader*int64(sent.Frames) + int64(sent.Bytes)
		for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
			info, err := os.Stat(file)
			if err == nil && info.Size() >= complete {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("the collector was sent %d bytes of %d", info.Size(), complete)
			}
		}
		if err := command.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		if err := command.Wait(); err != nil {
			t.Fatal(err)
		}
		return file
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

func tshark(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("tshark", append([]string{"-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE"}, args...)...).Output()
	if err != nil {
		t.Fatalf("tshark: %v", err)
	}
	return string(out)
}

// frame is what tshark makes of one frame.
type frame struct {
	length                           int
	destination, source, from, flags string
	checksums, experts               string
}

// frames analyses a capture.
func frames(t *testing.T, file string) []frame {
	t.Helper()
	args := []string{"-r", file, "-T", "fields", "-E", "separator=|"}
	for _, field := range []string{"frame.len", "eth.dst", "eth.src", "ip.src", "ipv6.src", "tcp.srcport", "tcp.flags", "ip.checksum.status", "tcp.checksum.status", "_ws.expert.severity", "_ws.expert.message"} {
		args = append(args, "-e", field)
	}
	var list []frame
	for line := range strings.Lines(tshark(t, args...)) {
		f := strings.Split(strings.TrimSpace(line), "|")
		length, err := strconv.Atoi(f[0])
		if err != nil {
			t.Fatalf("tshark said %q", line)
		}
		one := frame{length: length, destination: f[1], source: f[2], from: f[3] + f[4] + " " + f[5], flags: f[6], checksums: f[7] + f[8]}
		for severity := range strings.SplitSeq(f[9], ",") {
			// More than a chat, and not what is said of every FIN.
			if n, err := strconv.Atoi(severity); err == nil && n > 0x200000 && !strings.HasSuffix(f[10], " the connection closing") {
				one.experts += f[10] + "; "
			}
		}
		list = append(list, one)
	}
	return list
}

// follow is what each end sent, as tshark puts the stream together.
func follow(t *testing.T, file string) (client, server []byte) {
	t.Helper()
	for line := range strings.Lines(tshark(t, "-r", file, "-q", "-z", "follow,tcp,raw,0")) {
		text := strings.TrimSpace(line)
		data, err := hex.DecodeString(text)
		switch {
		case err != nil || text == "":
		case strings.HasPrefix(line, "\t"):
			server = append(server, data...)
		default:
			client = append(client, data...)
		}
	}
	return client, server
}

// The collector sees a well-formed conversation that carries what was said, in frames that fit the
// interface (DM-1, DM-4, DM-5, DM-6, DM-9, DM-11, DM-18).
func TestConversation(t *testing.T) {
	if !nstest.Isolate(t) {
		return
	}
	families := map[string][2]netip.AddrPort{
		"IPv4": {netip.MustParseAddrPort("192.0.2.10:49152"), netip.MustParseAddrPort("198.51.100.7:443")},
		"IPv6": {netip.MustParseAddrPort("[2001:db8:1::10]:49152"), netip.MustParseAddrPort("[2001:db8:2::7]:443")},
	}
	for family, addresses := range families {
		for _, mtu := range []int{576, 1500, 9000} {
			for _, reset := range []bool{false, true} {
				if mtu != 1500 && reset {
					continue
				}
				t.Run(fmt.Sprintf("%s MTU %d reset %v", family, mtu, reset), func(t *testing.T) {
					w := newWire(t, mtu)
					stop := w.capture(t)
					port, err := Open(w.port, w.mac)
					if err != nil {
						t.Fatal(err)
					}
					session := port.Session(addresses[0], addresses[1])
					var said [2][]byte // by the server, by the client
					random := rand.NewChaCha8([32]byte{byte(mtu)})
					for i, size := range []int{1, 2, mtu, 16384, 3, 40_000, 131_072, 100} {
						data := make([]byte, size)
						_, _ = random.Read(data) // never fails
						said[i%2] = append(said[i%2], data...)
						session.Data(i%2 == 1, data)
						clear(data) // it is not kept
					}
					session.Close(reset)
					session.Data(true, []byte("after the end"))
					if err := port.Close(); err != nil {
						t.Fatal(err)
					}
					file := stop(port.Stats())

					list := frames(t, file)
					stats, total := port.Stats(), 0
					for i, f := range list {
						total += f.length
						if f.length > mtu+14 || f.destination != w.mac.String() || f.source != w.portMAC.String() {
							t.Errorf("frame %d: %+v", i, f)
						}
						wantChecksums := "11" // good, good
						if family == "IPv6" {
							wantChecksums = "1"
						}
						last := i == len(list)-1
						if !slices.ContainsFunc(addresses[:], func(a netip.AddrPort) bool { return f.from == fmt.Sprint(a.Addr(), " ", a.Port()) }) {
							t.Errorf("frame %d is from %s", i, f.from)
						}
						if f.checksums != wantChecksums || f.experts != "" && !(reset && last) {
							t.Errorf("frame %d: checksums %q, experts %q", i, f.checksums, f.experts)
						}
						if isReset := strings.HasSuffix(f.flags, "14"); isReset != (reset && last) {
							t.Errorf("frame %d of %d has flags %s", i, len(list), f.flags)
						}
					}
					if stats != (Stats{Frames: uint64(len(list)), Bytes: uint64(total)}) {
						t.Errorf("%+v for %d frames of %d bytes", stats, len(list), total)
					}
					client, server := follow(t, file)
					if !bytes.Equal(client, said[1]) || !bytes.Equal(server, said[0]) {
						t.Errorf("the stream has %d and %d bytes, said were %d and %d", len(client), len(server), len(said[1]), len(said[0]))
					}
				})
			}
		}
	}
}

// Frames that wait are bounded, what is too much is dropped and counted, and nobody waits.
func TestDrops(t *testing.T) {
	port := &Port{source: make([]byte, 6), destination: make([]byte, 6), queue: make(chan *block, queueBlocks)}
	port.mtu.Store(1500)
	session := port.Session(netip.MustParseAddrPort("192.0.2.10:1"), netip.MustParseAddrPort("192.0.2.20:2"))
	data := make([]byte, 100_000)
	for range 2 * queueLimit / len(data) {
		session.Data(true, data)
	}
	if queued := port.queued.Load(); queued > queueLimit || queued < queueLimit/2 {
		t.Errorf("%d bytes are queued", queued)
	}
	if stats := port.Stats(); stats.Drops < 2*queueLimit/1514/3 {
		t.Errorf("%+v", stats)
	}
	for range 2 * queueBlocks { // small ones too
		session.Data(false, data[:1])
	}
	if n := len(port.queue); n > queueBlocks {
		t.Errorf("%d blocks are queued", n)
	}
}

// An interface that is gone costs its frames and nothing else, and is used again when it is back,
// with the MTU that it has then.
func TestInterfaceComesBack(t *testing.T) {
	if !nstest.Isolate(t) {
		return
	}
	w := newWire(t, 1500)
	port, err := Open(w.port, w.mac)
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	session := port.Session(netip.MustParseAddrPort("192.0.2.10:1"), netip.MustParseAddrPort("192.0.2.20:2"))
	await := func(what string, happened func(before, now Stats) bool) {
		t.Helper()
		before := port.Stats()
		for deadline := time.Now().Add(patience); !happened(before, port.Stats()); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("waited in vain for %s: %+v, then %+v", what, before, port.Stats())
			}
			session.Data(true, make([]byte, 3000))
		}
	}
	sent := func(before, now Stats) bool { return now.Frames > before.Frames+3 }
	refused := func(before, now Stats) bool { return now.Errors > before.Errors }
	await("frames", sent)
	link, err := netlink.LinkByName(w.port)
	if err != nil {
		t.Fatal(err)
	}
	if err := netlink.LinkDel(link); err != nil {
		t.Fatal(err)
	}
	await("errors without an interface", refused)
	newWire(t, 800)
	await("frames through the new interface", sent)
	await("frames that fit it", func(_, now Stats) bool { return port.mtu.Load() == 800 && now.Frames > 10 })
	before := port.Stats()
	await("frames without an error", func(_, now Stats) bool { return now.Frames > before.Frames+20 })
	if now := port.Stats(); now.Errors > before.Errors {
		t.Errorf("%d frames were refused at the new MTU", now.Errors-before.Errors)
	}
}

// What cannot be a port is refused, with a reason (DM-13).
func TestOpenRefuses(t *testing.T) {
	if !nstest.Isolate(t) {
		return
	}
	w := newWire(t, 1500)
	tunnel := &netlink.Tuntap{LinkAttrs: netlink.LinkAttrs{Name: "sltun0"}, Mode: netlink.TUNTAP_MODE_TUN}
	if err := netlink.LinkAdd(tunnel); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		device string
		mac    net.HardwareAddr
		want   string
	}{
		"loopback":    {"lo", w.mac, "not an Ethernet interface"},
		"tunnel":      {"sltun0", w.mac, "not an Ethernet interface"},
		"missing":     {"slnone", w.mac, "no such network interface"},
		"no address":  {w.port, nil, "is no Ethernet address"},
		"zero":        {w.port, make(net.HardwareAddr, 6), "is no Ethernet address"},
		"not as long": {w.port, make(net.HardwareAddr, 8), "is no Ethernet address"},
	} {
		port, err := Open(test.device, test.mac)
		if err == nil {
			port.Close()
			t.Errorf("%s: no error", name)
		} else if !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), test.device) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
