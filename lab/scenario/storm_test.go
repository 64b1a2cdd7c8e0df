package scenario

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sluice/lab"
)

// labhost starts the lab's helper on h.
func (w *world) labhost(h *lab.Host, args ...string) *lab.Process {
	w.t.Helper()
	tool, err := lab.Binary("labhost")
	if err != nil {
		w.t.Fatal(err)
	}
	p, err := h.Start(tool, args...)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// idle opens sessions from the client to the echo host and waits until all are open.
func (w *world) idle(count int, args ...string) *lab.IdleSessions {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	s, err := w.OpenIdle(ctx, count, args...)
	if err != nil {
		w.t.Fatal(err)
	}
	if s.Open != count {
		w.t.Fatalf("%d of %d sessions came up: %s", s.Open, count, s.Failure)
	}
	return s
}

// end closes idle sessions, all of which must be alive.
func (w *world) end(s *lab.IdleSessions) {
	w.t.Helper()
	if alive, err := s.Close(); err != nil || alive != s.Open {
		w.t.Errorf("%d of %d sessions lived to the end: %v", alive, s.Open, err)
	}
}

// affords is count, or where that is less how many sessions on the stream path, each of which takes
// a descriptor, the gateway may hold while as many others are still being closed.
func (w *world) affords(count int) int {
	w.t.Helper()
	var limit unix.Rlimit
	if err := unix.Prlimit(w.gw.Pid(), unix.RLIMIT_NOFILE, nil, &limit); err != nil {
		w.t.Fatal(err)
	}
	return min(count, int(limit.Cur)/2-500)
}

// memory is the resident memory of the gateway, in bytes.
func (w *world) memory() int64 {
	w.t.Helper()
	m, err := w.gw.Memory()
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

// 200,000 half-open connections from spoofed addresses: others are served meanwhile and after,
// and memory stays bounded.
func TestSYNFlood(t *testing.T) {
	onBothPaths(t, func(t *testing.T, config string) {
		w := start(t, lab.Options{}, config)
		flood := w.labhost(w.Client, "flood", "-to", lab.DeadAddr4+":80", "-from", "192.0.2.64/26", "-count", "200000", "-rate", "40000")
		served := 0
		for running := true; running; {
			select {
			case <-flood.Exited():
				running = false
			default:
				if _, err := w.try(w.Client, "curl", "-sS", "-m10", "http://"+lab.WebAddr4+"/"); err == nil {
					served++
				}
			}
		}
		if err := flood.Wait(t.Context()); err != nil {
			t.Fatalf("%v: %s", err, flood.Output())
		}
		if served == 0 {
			t.Error("during the flood nobody else was served")
		}
		w.do(w.Client, "curl", "-sS", "-m10", "http://"+lab.WebAddr4+"/")
		// 200,000 sessions of at most 2 KiB, and what the gateway holds anyway.
		const bound = 600 << 20
		if m := w.memory(); m > bound {
			t.Errorf("after the flood the gateway holds %d bytes, at most %d are expected", m, bound)
		}
	})
}

// 20,000 idle sessions live side by side at no more than 24 KiB each; on the stream path 10,000,
// or as many as the limit of open files leaves room for.
func TestIdleSessions(t *testing.T) {
	for _, c := range []struct {
		name, config string
		count        int
		limited      bool
	}{{"express", lab.PermitAll, 20000, false}, {"stream", lab.PermitAll + tcpProxy, 10000, true}} {
		t.Run(c.name, func(t *testing.T) {
			w := start(t, lab.Options{}, c.config)
			w.do(w.Client, "curl", "-sS", "-m10", "-o/dev/null", "http://"+lab.WebAddr4+"/download")
			count := c.count
			if c.limited {
				count = w.affords(count)
			}
			before := w.memory()
			sessions := w.idle(count)
			each := (w.memory() - before) / int64(count)
			t.Logf("%d bytes an idle session", each)
			if each > 24<<10 {
				t.Errorf("an idle session costs %d bytes, at most %d are expected", each, 24<<10)
			}
			w.end(sessions)
		})
	}
}

// 10,000 connections, or as many as can be open, reset at once leave nothing behind.
func TestResetsInFlight(t *testing.T) {
	onBothPaths(t, func(t *testing.T, config string) {
		w := start(t, lab.Options{}, config+"set security flow tcp-session rst-invalidate-session\n")
		files := w.openFiles()
		w.end(w.idle(w.affords(10000), "-reset"))
		w.eventually("the table is empty", func() bool {
			return !strings.Contains(w.show("show security flow session protocol tcp"), "Session ID")
		})
		w.eventually("the descriptors are closed", func() bool { return w.openFiles() <= files+50 })
		w.do(w.Client, "curl", "-sS", "-m5", "http://"+lab.WebAddr4+"/")
	})
}

// After some 50,000 sessions neither goroutines nor descriptors are left over.
func TestNothingLeaks(t *testing.T) {
	onBothPaths(t, func(t *testing.T, config string) {
		w := start(t, lab.Options{}, config+`
set security flow tcp-session rst-invalidate-session
set system services metrics address 127.0.0.1
`)
		goroutines := func() (n int) {
			out := w.do(w.Gateway, "curl", "-sS", "-m5", "http://127.0.0.1:9464/metrics")
			m := regexp.MustCompile(`(?m)^go_goroutines (\S+)$`).FindStringSubmatch(out)
			if m == nil {
				t.Fatalf("no go_goroutines in the metrics:\n%.2000s", out)
			}
			if _, err := fmt.Sscan(m[1], &n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		w.end(w.idle(1000, "-reset")) // warm up
		before, files := goroutines(), w.openFiles()
		for range 5 {
			w.end(w.idle(w.affords(10000), "-reset"))
		}
		w.eventually("goroutines and descriptors are as before", func() bool {
			return goroutines() <= before+20 && w.openFiles() <= files+20
		})
	})
}
