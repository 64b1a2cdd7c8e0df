package egress

import (
	"errors"
	"os"
	"runtime"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// inNamespace runs f in a network namespace of its own, which goes with its thread. It has the links a
// and b.
func inNamespace(t *testing.T, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("this test makes network namespaces: run it as root")
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			t.Error(err)
			return
		}
		attributes := netlink.NewLinkAttrs()
		attributes.Name = "a"
		if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: attributes, PeerName: "b"}); err != nil {
			t.Error(err)
			return
		}
		f()
	}()
	<-done
}

// root is the kind of queueing discipline at the root of a link, and the rates of its classes in bytes a
// second by their minor number.
func root(t *testing.T, name string) (kind string, rates map[uint16]uint64) {
	t.Helper()
	link, err := netlink.LinkByName(name)
	if err != nil {
		t.Error(err)
		return "", nil
	}
	list, err := netlink.QdiscList(link)
	if err != nil {
		t.Error(err)
	}
	for _, q := range list {
		if q.Attrs().Parent == netlink.HANDLE_ROOT {
			kind = q.Type()
		}
	}
	rates = map[uint16]uint64{}
	classes, err := netlink.ClassList(link, 0)
	if err != nil {
		t.Error(err)
	}
	for _, c := range classes {
		if h, ok := c.(*netlink.HtbClass); ok {
			_, minor := netlink.MajorMinor(h.Handle)
			rates[minor] = h.Rate
		}
	}
	return kind, rates
}

// A shaped link has its queues and their lanes, another rate displaces the first, and a link that is not
// to be shaped any more is as it was; one that somebody else shapes is left alone.
// Rows: QS-9, QS-11, QS-15.
func TestShaper(t *testing.T) {
	inNamespace(t, func() {
		before, _ := root(t, "a")
		var s Shaper
		for _, rate := range []uint64{8_000_000, 8_000_000, 80_000_000} {
			if err := s.Set(map[string]uint64{"a": rate}); err != nil {
				t.Error(err)
				return
			}
			kind, rates := root(t, "a")
			if kind != "htb" || len(rates) != 1+Queues+Queues*Losses || rates[rootClass] != rate/8 || rates[queueClass+7] != rate/64 {
				t.Errorf("rate %d: %s with %d classes: %v", rate, kind, len(rates), rates)
			}
			if own, low := rates[leafClass+uint16(NewLane(7, 3))], rates[leafClass+uint16(NewLane(7, 0))]; own != rate/640 || low != rate/64*7/10 {
				t.Errorf("rate %d: the lanes of a queue have %d and %d", rate, low, own)
			}
		}
		if got := NewLane(7, 3); got.String() != "5150:3f" || got.Priority() != 0x5150003f {
			t.Errorf("the last lane is %s, %#x", got, got.Priority())
		}
		if err := s.Set(map[string]uint64{"b": 1000}); err != nil {
			t.Error(err)
		}
		if kind, _ := root(t, "a"); kind != before {
			t.Errorf("a link that is not shaped any more has %q, and had %q", kind, before)
		}
		if err := CleanUp(); err != nil {
			t.Error(err)
		}
		if kind, _ := root(t, "b"); kind == "htb" {
			t.Error("a link is shaped after everything was taken back")
		}

		link, err := netlink.LinkByName("a")
		if err != nil {
			t.Error(err)
			return
		}
		if err := netlink.QdiscAdd(netlink.NewHtb(netlink.QdiscAttrs{LinkIndex: link.Attrs().Index, Handle: netlink.MakeHandle(1, 0), Parent: netlink.HANDLE_ROOT})); err != nil {
			t.Error(err)
		}
		if err := new(Shaper).Set(map[string]uint64{"a": 1_000_000}); !errors.Is(err, ErrForeign) {
			t.Errorf("a link that somebody else shapes: %v", err)
		}
		if err := CleanUp(); err != nil {
			t.Error(err)
		}
		if _, rates := root(t, "a"); len(rates) != 0 {
			t.Error("somebody else's classes changed")
		}
		if kind, _ := root(t, "a"); kind != "htb" {
			t.Error("somebody else's queueing discipline is gone")
		}
		if err := new(Shaper).Set(map[string]uint64{"none": 1_000_000}); err == nil {
			t.Error("a link that is not there is shaped")
		}
	})
}
