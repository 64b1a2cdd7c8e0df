package stack

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"sluice/internal/nstest"
)

// eachMode runs a test on a device with offloads and on a plain one.
func eachMode(t *testing.T, test func(t *testing.T, plain bool)) {
	t.Run("offload", func(t *testing.T) { test(t, false) })
	t.Run("plain", func(t *testing.T) { test(t, true) })
}

// testDevice opens a device that the networks of servers are routed to.
func testDevice(t *testing.T, plain bool) *Device {
	t.Helper()
	d, err := OpenDevice(DeviceOptions{Name: "slt0", Plain: plain})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		waitFor(t, "the device to disappear", func() bool {
			_, err := net.InterfaceByName("slt0")
			return err != nil
		})
	})
	if d.Offload() == plain {
		t.Fatalf("Offload() = %v with Plain: %v", d.Offload(), plain)
	}
	for _, address := range []string{"192.0.2.1/24", "2001:db8:1::1/64"} {
		nstest.Address(t, "slt0", netip.MustParsePrefix(address))
	}
	for _, network := range []string{"198.51.100.0/24", "2001:db8:2::/64"} {
		nstest.Route(t, "slt0", netip.MustParsePrefix(network))
	}
	return d
}

// waitFor polls until condition holds.
func waitFor(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func TestDeviceSettings(t *testing.T) {
	if !nstest.Isolate(t) {
		return
	}
	eachMode(t, func(t *testing.T, plain bool) {
		d, err := OpenDevice(DeviceOptions{Name: "slt1", MTU: 1400, Queues: 3, Plain: plain})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		link, err := netlink.LinkByName("slt1")
		if err != nil {
			t.Fatal(err)
		}
		a := link.Attrs()
		if a.MTU != 1400 || a.TxQLen != transmitQueueLen || a.Flags&net.FlagUp == 0 || a.Index != d.Index() || len(d.Queues()) != 3 {
			t.Errorf("device has %+v", a)
		}
		if addresses, err := netlink.AddrList(link, netlink.FAMILY_V6); err != nil || len(addresses) != 0 {
			t.Errorf("addresses %v, %v: want none", addresses, err)
		}
		if other, err := OpenDevice(DeviceOptions{Name: "slt1", Plain: plain}); !errors.Is(err, unix.EBUSY) {
			t.Errorf("opening a device that exists already: %v", err)
			if err == nil {
				other.Close()
			}
		}
	})
}

// A kernel that refuses some offloads, or all.
func TestDeviceFallsBack(t *testing.T) {
	if !nstest.Isolate(t) {
		return
	}
	const unknown = 1 << 30
	all := tunOffloads
	defer func() { tunOffloads = all }()
	for _, c := range []struct {
		accepted []int
		offload  bool
	}{
		{[]int{unknown, all[len(all)-1]}, true},
		{[]int{unknown}, false},
	} {
		tunOffloads = c.accepted
		d, err := OpenDevice(DeviceOptions{Name: "slt1"})
		if err != nil {
			t.Fatal(err)
		}
		if d.Offload() != c.offload || len(d.Queues()) != defaultQueues {
			t.Errorf("offloads %#x: Offload() = %v with %d queues", c.accepted, d.Offload(), len(d.Queues()))
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		waitFor(t, "the device to disappear", func() bool {
			_, err := net.InterfaceByName("slt1")
			return err != nil
		})
	}
}

func TestDeviceOptionsRefused(t *testing.T) {
	for want, opt := range map[string]DeviceOptions{
		"1 to 15":     {Name: "much-too-long-name"},
		"1 to 15 ":    {},
		"68..65535":   {Name: "slt2", MTU: 67},
		"68..65535 ":  {Name: "slt2", MTU: 65536},
		"1..256":      {Name: "slt2", Queues: -1},
		"1..256 ":     {Name: "slt2", Queues: 257},
		"not in 68..": {Name: "slt2", MTU: -1},
	} {
		if _, err := OpenDevice(opt); err == nil || !strings.Contains(err.Error(), strings.TrimSpace(want)) {
			t.Errorf("%+v: error %v, want one with %q", opt, err, want)
		}
	}
}

// readAll starts a reader for each queue and returns what ends them.
func readAll(d *Device) <-chan error {
	ended := make(chan error, len(d.Queues()))
	for _, q := range d.Queues() {
		go func() {
			frame := make([]byte, MaxFrameLen)
			for {
				if _, err := q.Read(frame); err != nil {
					ended <- err
					return
				}
			}
		}()
	}
	return ended
}

func TestDeviceClose(t *testing.T) {
	if !nstest.Isolate(t) {
		return
	}
	eachMode(t, func(t *testing.T, plain bool) {
		before := descriptors(t)
		d, err := OpenDevice(DeviceOptions{Name: "slt1", Plain: plain})
		if err != nil {
			t.Fatal(err)
		}
		ended := readAll(d)
		for range 2 {
			if err := d.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		}
		for range d.Queues() {
			if err := <-ended; !errors.Is(err, ErrClosed) {
				t.Errorf("reader ended with %v, want ErrClosed", err)
			}
		}
		packet := append(make([]byte, VirtioHeaderLen), 0x45, 0, 0, 20, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 9, 192, 0, 2, 1)
		if err := d.Queues()[0].Write(packet); !errors.Is(err, ErrClosed) {
			t.Errorf("write after close: %v, want ErrClosed", err)
		}
		waitFor(t, "the device to disappear", func() bool {
			_, err := net.InterfaceByName("slt1")
			return err != nil
		})
		if after := descriptors(t); after != before {
			t.Errorf("%d descriptors open, %d before", after, before)
		}
	})
}

func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, entry := range entries {
		target, err := os.Readlink("/proc/self/fd/" + entry.Name())
		if err == nil && !strings.HasPrefix(target, "anon_inode:[eventpoll]") && !strings.HasPrefix(target, "/proc/") {
			n++
		}
	}
	return n
}

func TestDeviceRemoved(t *testing.T) {
	if !nstest.Isolate(t) {
		return
	}
	eachMode(t, func(t *testing.T, plain bool) {
		d, err := OpenDevice(DeviceOptions{Name: "slt1", Plain: plain})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		ended := readAll(d)
		link, err := netlink.LinkByName("slt1")
		if err != nil {
			t.Fatal(err)
		}
		if err := netlink.LinkDel(link); err != nil {
			t.Fatal(err)
		}
		for range d.Queues() {
			if err := <-ended; !errors.Is(err, ErrDeviceGone) {
				t.Errorf("reader ended with %v, want ErrDeviceGone", err)
			}
		}
		packet := append(make([]byte, VirtioHeaderLen), 0x45, 0, 0, 20, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 9, 192, 0, 2, 1)
		if err := d.Queues()[0].Write(packet); !errors.Is(err, ErrDeviceGone) {
			t.Errorf("write: %v, want ErrDeviceGone", err)
		}
	})
}
