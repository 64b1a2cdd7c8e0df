package scenario

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

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

// idle opens connections from the client and waits until they are open.
func (w *world) idle(count int, args ...string) *lab.Process {
	w.t.Helper()
	p := w.labhost(w.Client, append([]string{"idle", "-to", "203.0.113.7:7", "-from", "192.0.2.10", "-count", fmt.Sprint(count)}, args...)...)
	deadline := time.Now().Add(time.Minute)
	for !strings.Contains(p.Output(), "open ") {
		select {
		case <-p.Exited():
			w.t.Fatalf("idle connections: %s", p.Output())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("%d connections are not open after a minute", count)
		}
	}
	return p
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

// 20,000 idle sessions live side by side at no more than 24 KiB each.
func TestIdleSessions(t *testing.T) {
	onBothPaths(t, func(t *testing.T, config string) {
		w := start(t, lab.Options{}, config)
		w.do(w.Client, "curl", "-sS", "-m10", "-o/dev/null", "http://"+lab.WebAddr4+"/download")
		before := w.memory()
		const count = 20000
		p := w.idle(count, "-check")
		if !strings.Contains(p.Output(), fmt.Sprintf("open %d failed 0", count)) {
			t.Fatalf("not all are open: %s", p.Output())
		}
		if each := (w.memory() - before) / count; each > 24<<10 {
			t.Errorf("an idle session costs %d bytes, at most %d are expected", each, 24<<10)
		}
		if err := p.Stop(time.Minute); err != nil {
			t.Error(err)
		}
		if !strings.Contains(p.Output(), fmt.Sprintf("alive %d", count)) {
			t.Errorf("not all lived to the end: %s", p.Output())
		}
	})
}

// 10,000 connections reset at once leave nothing behind.
func TestResetsInFlight(t *testing.T) {
	onBothPaths(t, func(t *testing.T, config string) {
		w := start(t, lab.Options{}, config+"set security flow tcp-session rst-invalidate-session\n")
		files := w.openFiles()
		p := w.idle(10000, "-reset")
		if err := p.Stop(time.Minute); err != nil {
			t.Fatal(err)
		}
		w.eventually("the table is empty", func() bool {
			return !strings.Contains(w.show("show security flow session destination-port 7"), "Session ID")
		})
		w.eventually("the descriptors are closed", func() bool { return w.openFiles() <= files+50 })
		w.do(w.Client, "curl", "-sS", "-m5", "http://"+lab.WebAddr4+"/")
	})
}

// After 50,000 sessions neither goroutines nor descriptors are left over.
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
		w.idle(1000, "-reset", "-hold", "1ms").Wait(t.Context()) // warm up
		before, files := goroutines(), w.openFiles()
		for range 5 {
			if err := w.idle(10000, "-reset", "-hold", "1ms").Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		w.eventually("goroutines and descriptors are as before", func() bool {
			return goroutines() <= before+20 && w.openFiles() <= files+20
		})
	})
}
