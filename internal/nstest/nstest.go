// Package nstest runs tests in network namespaces of their own, where they may make devices,
// addresses and routes that disappear with them.
package nstest

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
)

// isolated names, in the environment of the test's own process, the test that it runs.
const isolated = "SLUICE_ISOLATED_TEST"

// Isolate starts the calling top-level test again in a process with a new network namespace,
// where only the loopback device is up, and reports its result. It returns true there, and false
// in the process that only waits, where the test has to return. It needs root.
func Isolate(t *testing.T) bool {
	t.Helper()
	if os.Getenv(isolated) == t.Name() {
		Up(t, "lo")
		return true
	}
	arguments := []string{"-test.run=^" + t.Name() + "$", "-test.v", "-test.count=1"}
	for _, a := range os.Args[1:] {
		if strings.HasPrefix(a, "-test.short=") {
			arguments = append(arguments, a)
		}
	}
	if deadline, ok := t.Deadline(); ok { // a process that hangs shows its goroutines while this one can still tell
		arguments = append(arguments, fmt.Sprint("-test.timeout=", time.Until(deadline)*9/10))
	}
	child := exec.Command(os.Args[0], arguments...)
	child.Env = append(os.Environ(), isolated+"="+t.Name())
	child.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	// The child is killed when the thread that started it ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	output, err := child.CombinedOutput()
	if err != nil || !strings.Contains(string(output), "--- PASS: "+t.Name()+" ") {
		t.Errorf("in its namespace: %v\n%s", err, output)
	} else if testing.Verbose() {
		t.Logf("in its namespace:\n%s", output)
	}
	return false
}

// find is a device of the test's own namespace: what tests do to devices, they do nowhere else.
func find(t *testing.T, device string) netlink.Link {
	t.Helper()
	if os.Getenv(isolated) == "" {
		t.Fatalf("the test changes %s outside a namespace of its own: it has to call Isolate first", device)
	}
	link, err := netlink.LinkByName(device)
	if err != nil {
		t.Fatalf("device %s: %v", device, err)
	}
	return link
}

// Up brings a device up.
func Up(t *testing.T, device string) {
	t.Helper()
	if err := netlink.LinkSetUp(find(t, device)); err != nil {
		t.Fatalf("bring up %s: %v", device, err)
	}
}

// Address gives a device an address.
func Address(t *testing.T, device string, prefix netip.Prefix) {
	t.Helper()
	link := find(t, device)
	address := &netlink.Addr{IPNet: netlink.NewIPNet(prefix.Addr().AsSlice())}
	address.Mask = mask(prefix)
	address.Flags = syscall.IFA_F_NODAD
	if err := netlink.AddrAdd(link, address); err != nil {
		t.Fatalf("address %s on %s: %v", prefix, device, err)
	}
	for deadline := time.Now().Add(10 * time.Second); tentative(link, prefix.Addr()); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("address %s on %s is still tentative", prefix, device)
		}
	}
}

// tentative says whether the kernel still makes up its mind about an IPv6 address (RFC 4862), which
// it does later, and for an address that needs no duplicate detection too.
func tentative(link netlink.Link, address netip.Addr) bool {
	if address.Is4() {
		return false
	}
	list, err := netlink.AddrList(link, netlink.FAMILY_V6)
	for _, a := range list {
		if a.IP.Equal(address.AsSlice()) {
			return a.Flags&syscall.IFA_F_TENTATIVE != 0
		}
	}
	return err != nil || len(list) == 0
}

// Route leads a prefix into a device.
func Route(t *testing.T, device string, prefix netip.Prefix) {
	t.Helper()
	destination := netlink.NewIPNet(prefix.Masked().Addr().AsSlice())
	destination.Mask = mask(prefix)
	if err := netlink.RouteAdd(&netlink.Route{LinkIndex: find(t, device).Attrs().Index, Dst: destination}); err != nil {
		t.Fatalf("route %s to %s: %v", prefix, device, err)
	}
}

// Pump reads frames of up to size bytes from each queue and hands them to inject, one at a time for a
// queue. At the end of the test it calls stop, which closes the queues, and each has to end with one
// of over.
func Pump[Q io.Reader](t *testing.T, queues []Q, size int, inject func(frame []byte), stop func(), over ...error) {
	ended := make(chan error, len(queues))
	for _, q := range queues {
		go func() {
			frame := make([]byte, size)
			for {
				n, err := q.Read(frame)
				if err != nil {
					ended <- err
					return
				}
				inject(frame[:n])
			}
		}()
	}
	t.Cleanup(func() {
		stop()
		for range queues {
			err := <-ended
			if !slices.ContainsFunc(over, func(o error) bool { return errors.Is(err, o) }) {
				t.Errorf("reader: %v", err)
			}
		}
	})
}

func mask(prefix netip.Prefix) []byte {
	m := make([]byte, prefix.Addr().BitLen()/8)
	for i := range prefix.Bits() {
		m[i/8] |= 0x80 >> (i % 8)
	}
	return m
}
