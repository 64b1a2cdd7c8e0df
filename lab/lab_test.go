package lab

import (
	"bufio"
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// run runs a command on h that must succeed.
func run(t *testing.T, h *Host, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	out, err := h.Run(ctx, name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// startRouted starts a lab whose gateway is the kernel alone.
func startRouted(t *testing.T, o Options) *Lab {
	t.Helper()
	l := Start(t, o)
	if err := l.RouteInKernel(); err != nil {
		t.Fatal(err)
	}
	return l
}

// The lab without a gateway program is a branch behind a kernel router; everything the scenarios
// rely on must work there.
func TestWorldWithKernelForwarding(t *testing.T) {
	for _, flat := range []bool{false, true} {
		t.Run(fmt.Sprintf("flat=%v", flat), func(t *testing.T) {
			l := startRouted(t, Options{Flat: flat})
			for _, c := range []struct {
				name, want string
				command    []string
			}{
				{"HTTP by name", "hello from the internet", []string{"curl", "-sS", "-m5", "http://" + WebName + "/"}},
				{"HTTPS by name over IPv6", "hello from the internet", []string{"curl", "-6", "-sS", "-m5", "--cacert", l.CA, "https://" + WebName + "/"}},
				{"the server sees the client", ClientAddr4, []string{"curl", "-sS", "-m5", "http://" + WebAddr4 + "/whoami"}},
				{"the same over link 1", ClientAddr6, []string{"curl", "-sS", "-m5", "http://[" + WebAddr6Link1 + "]/whoami"}},
				{"DNS over UDP", WebAddr4, []string{"dig", "+short", "@" + DNSAddr4, WebName, "A"}},
				{"DNS that needs TCP", strings.Repeat("x", 250), []string{"dig", "+short", "+bufsize=512", "@" + DNSAddr4Link1, LargeName, "TXT"}},
				{"ping", " 0% packet loss", []string{"ping", "-c1", "-W2", EchoAddr4}},
				{"ping6", " 0% packet loss", []string{"ping", "-c1", "-W2", EchoAddr6Link1}},
			} {
				if out := run(t, l.Client, c.command[0], c.command[1:]...); !strings.Contains(out, c.want) {
					t.Errorf("%s: %q does not contain %q", c.name, out, c.want)
				}
			}
			if out, err := l.Client.Run(t.Context(), "ping", "-c1", "-W1", UnreachableAddr4); err == nil || !strings.Contains(out, "Destination Host Unreachable") {
				t.Errorf("the unreachable address answers %q", out)
			}
			if out, err := l.Client.Run(t.Context(), "ping", "-c1", "-W1", DeadAddr4); err == nil || strings.Contains(out, "nreachable") {
				t.Errorf("the dead address answers %q", out)
			}
		})
	}
}

// Replies of the servers' second addresses come back over link 1, those of the first over link 0.
func TestTwoLinks(t *testing.T) {
	l := startRouted(t, Options{Impair: true})
	run(t, l.Client, "ping", "-c30", "-i0.002", "-W2", EchoAddr4)
	run(t, l.Client, "ping", "-c60", "-i0.002", "-W2", EchoAddr4Link1)
	for n, want := range []uint64{30, 60} {
		out, in := l.Links[n].Stats()
		// ping does not wait for every answer once it has one.
		for end := time.Now().Add(10 * time.Second); min(out.Packets, in.Packets) < want && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			out, in = l.Links[n].Stats()
		}
		// Address resolution and multicast group messages pass too.
		const others = 20
		for _, s := range []LinkStats{out, in} {
			if s.Packets < want || s.Packets > want+others {
				t.Errorf("link %d carried %+v out, %+v in, want %d packets each way", n, out, in, want)
			}
		}
	}
}

func TestImpairment(t *testing.T) {
	l := startRouted(t, Options{Impair: true})
	link := l.Links[0]
	rtt := regexp.MustCompile(`= ([\d.]+)/([\d.]+)/`)
	loss := regexp.MustCompile(`([\d.]+)% packet loss`)
	number := func(re *regexp.Regexp, text string) float64 {
		t.Helper()
		m := re.FindStringSubmatch(text)
		if m == nil {
			t.Fatalf("no %v in %q", re, text)
		}
		n, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}

	t.Run("delay shows in the round trip", func(t *testing.T) {
		set(t, link, Impairment{Delay: 30 * time.Millisecond}, Impairment{Delay: 20 * time.Millisecond})
		if min := number(rtt, run(t, l.Client, "ping", "-c5", "-i0.01", "-W3", WebAddr4)); min < 50 {
			t.Errorf("shortest round trip %v ms, want at least 50", min)
		}
	})
	t.Run("loss is lost and counted", func(t *testing.T) {
		set(t, link, Impairment{Loss: 0.3}, Impairment{})
		before, _ := link.Stats()
		out, _ := l.Client.Run(t.Context(), "ping", "-c400", "-i0.002", "-W1", "-q", WebAddr4) // fails when all is lost
		after, _ := link.Stats()
		// 400 packets at 30 %: six standard deviations are 14 percentage points.
		if got := number(loss, out); math.Abs(got-30) > 14 {
			t.Errorf("ping lost %v %%, want about 30", got)
		}
		if n := after.Lost - before.Lost; n < 60 || n > 180 {
			t.Errorf("link lost %d of 400 packets, want about 120", n)
		}
	})
	t.Run("all lost", func(t *testing.T) {
		set(t, link, Impairment{}, Impairment{Loss: 1})
		if out, err := l.Client.Run(t.Context(), "ping", "-c1", "-W1", WebAddr4); err == nil {
			t.Errorf("ping answered over a dead link: %q", out)
		}
	})
	t.Run("rate bounds a download with large packets of the sender", func(t *testing.T) {
		const rate = 40e6
		set(t, link, Impairment{}, Impairment{Rate: rate})
		start := time.Now()
		out := run(t, l.Client, "curl", "-sS", "-m20", "-o", "/dev/null", "-r", "0-2499999", "-w", "%{size_download}", "http://"+WebAddr4+"/download")
		if out != "2500000" {
			t.Errorf("downloaded %s bytes, want 2500000", out)
		}
		if fastest := time.Duration(2.5e6 * 8 / rate * 0.85 * float64(time.Second)); time.Since(start) < fastest {
			t.Errorf("2.5 MB took %v at %v bit/s, want at least %v", time.Since(start), rate, fastest)
		}
	})
	t.Run("nothing impaired", func(t *testing.T) {
		set(t, link, Impairment{}, Impairment{})
		out := run(t, l.Client, "curl", "-sS", "-m20", "-o", "/dev/null", "-w", "%{size_download}", "http://"+WebAddr4+"/download")
		if out != strconv.Itoa(DownloadSize) {
			t.Errorf("downloaded %s bytes, want %d", out, DownloadSize)
		}
	})
}

func set(t *testing.T, link *Link, out, in Impairment) {
	t.Helper()
	if err := link.Set(out, in); err != nil {
		t.Fatal(err)
	}
}

func TestLinkWithoutRelayRefusesImpairment(t *testing.T) {
	if err := new(Link).Set(Impairment{Loss: 0.1}, Impairment{}); err == nil {
		t.Error("a link that cannot be impaired says nothing")
	}
}

func TestSchedule(t *testing.T) {
	start := time.Unix(1000, 0)
	ms := func(n float64) time.Time { return start.Add(time.Duration(n * float64(time.Millisecond))) }
	type packet struct {
		now            time.Time
		size           int
		chance, spread float64
		want           time.Time
		fate           fate
	}
	for _, c := range []struct {
		name       string
		impairment Impairment
		packets    []packet
	}{
		{"nothing", Impairment{}, []packet{{ms(0), 1500, 0, 0, ms(0), delivered}}},
		{"loss by chance", Impairment{Loss: 0.5}, []packet{
			{ms(0), 100, 0.49, 0, time.Time{}, lost}, {ms(0), 100, 0.5, 0, ms(0), delivered}}},
		{"jitter keeps order", Impairment{Delay: 10 * time.Millisecond, Jitter: 10 * time.Millisecond}, []packet{
			{ms(0), 100, 1, 0.9, ms(19), delivered}, {ms(1), 100, 1, 0, ms(19), delivered}, {ms(10), 100, 1, 0.5, ms(25), delivered}}},
		// 1000 bytes at 1 Mbit/s take 8 ms.
		{"rate queues", Impairment{Rate: 1e6, Queue: 2000}, []packet{
			{ms(0), 1000, 1, 0, ms(8), delivered}, {ms(0), 1000, 1, 0, ms(16), delivered},
			{ms(0), 1000, 1, 0, time.Time{}, overflown}, {ms(8), 1000, 1, 0, ms(24), delivered},
			{ms(100), 1000, 1, 0, ms(108), delivered}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s schedule
			for i, p := range c.packets {
				got, fate := s.next(p.now, p.size, c.impairment, p.chance, p.spread)
				if fate != p.fate || !got.Equal(p.want) {
					t.Errorf("packet %d: %v, fate %d; want %v, fate %d", i, got.Sub(start), fate, p.want.Sub(start), p.fate)
				}
			}
		})
	}
}

// Two labs at once do not meet, and closing them leaves nothing.
func TestParallelLabsAndClose(t *testing.T) {
	a, err := New(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := New(t.Context(), Options{NoServers: true})
	if err != nil {
		t.Fatal(err)
	}
	if a.Prefix() == b.Prefix() {
		t.Fatalf("both labs are %s", a.Prefix())
	}
	idle, err := a.Client.Start("sleep", "1000")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []*Lab{a, b} {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if left := leftovers(t, l.Prefix()); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}
	if err := syscall.Kill(idle.Pid(), 0); err != syscall.ESRCH {
		t.Errorf("a process of the closed lab still runs: %v", err)
	}
}

// A program that has panicked, and one that does not end in order though it should, are told when the lab
// closes; what else has to be killed is not.
func TestCloseTellsFaults(t *testing.T) {
	const deaf = "trap '' TERM; echo deaf; while :; do sleep 0.1; done"
	for _, c := range []struct {
		script, want string
		grace        time.Duration
	}{
		{"echo fine; sleep 1000", "", time.Minute},
		{"echo 'level=ERROR panic=\"index out of range\"'; sleep 1000", "index out of range", 0},
		{deaf, "", 0},
		{deaf, "did not end within", time.Second},
	} {
		t.Run(c.script, func(t *testing.T) {
			t.Parallel()
			l, err := New(t.Context(), Options{NoServers: true})
			if err != nil {
				t.Fatal(err)
			}
			p, err := l.Gateway.Start("sh", "-c", c.script)
			if err != nil {
				t.Fatal(err)
			}
			p.grace.Store(int64(c.grace))
			if err := p.waitFor(t.Context(), "print", func() bool { return p.Output() != "" }); err != nil {
				t.Fatal(err)
			}
			if err := l.Close(); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// leftovers lists what exists of a lab.
func leftovers(t *testing.T, prefix string) []string {
	t.Helper()
	var all []string
	for _, dir := range []string{netnsDir, etcDir, os.TempDir()} {
		found, err := filepath.Glob(filepath.Join(dir, prefix+"*"))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	return all
}

// TestHelperProcess is not a test of its own: TestSweep starts it as a process that makes a lab
// and is killed.
func TestHelperProcess(t *testing.T) {
	if os.Getenv("LAB_TO_ABANDON") == "" {
		return
	}
	l, err := New(t.Context(), Options{NoServers: true})
	if err != nil {
		t.Fatal(err)
	}
	p, err := l.Echo.Start("sleep", "1000")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("abandon %s %d\n", l.Prefix(), p.Pid())
	select {}
}

// A lab whose process was killed is removed by the next sweep, with its processes; a living lab
// stays.
func TestSweep(t *testing.T) {
	living := Start(t, Options{NoServers: true})
	cmd := exec.Command(os.Args[0], "-test.run=^TestHelperProcess$")
	cmd.Env = append(os.Environ(), "LAB_TO_ABANDON=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var prefix string
	var pid int
	for s := bufio.NewScanner(out); s.Scan(); {
		if _, err := fmt.Sscanf(s.Text(), "abandon %s %d", &prefix, &pid); err == nil {
			break
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	if pid == 0 {
		t.Fatal("the helper made no lab")
	}
	if err := syscall.Kill(pid, 0); err != nil {
		t.Fatalf("the abandoned process should still run: %v", err)
	}
	if err := Sweep(); err != nil {
		t.Fatal(err)
	}
	if left := leftovers(t, prefix); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil && !strings.Contains(string(text), ") Z ") {
		t.Errorf("the abandoned process still runs: %s", text)
	}
	if len(leftovers(t, living.Prefix())) == 0 {
		t.Error("the living lab is gone")
	}
}

// Idle sessions are open, alive and gone when they should be.
func TestIdleSessions(t *testing.T) {
	const count = idleLot + 100 // two lots
	l := startRouted(t, Options{})
	s, err := l.OpenIdle(t.Context(), count)
	if err != nil {
		t.Fatal(err)
	}
	if s.Open != count || s.Failed != 0 {
		t.Errorf("%d open, %d failed, want %d and 0", s.Open, s.Failed, count)
	}
	if alive, err := s.Close(); alive != count || err != nil {
		t.Errorf("%d alive (%v), want %d", alive, err, count)
	}
}

// What runs on a host can be confined to a processor, with all its threads, and let go again.
func TestConfine(t *testing.T) {
	l := Start(t, Options{NoServers: true})
	p, err := l.Gateway.Start("sleep", "1000")
	if err != nil {
		t.Fatal(err)
	}
	allowed := func() string {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Pid()))
		if err != nil {
			t.Fatal(err)
		}
		return regexp.MustCompile(`(?m)^Cpus_allowed_list:\s+(.*)$`).FindStringSubmatch(string(text))[1]
	}
	free := allowed()
	if err := p.waitFor(t.Context(), "enter its namespace", func() bool {
		pids, err := namespacePids(l.Gateway.Namespace)
		return err == nil && slices.Contains(pids, p.Pid())
	}); err != nil {
		t.Fatal(err)
	}
	if err := l.Gateway.Confine(0); err != nil || allowed() != "0" {
		t.Errorf("confined to processor 0 it may use %s, error %v", allowed(), err)
	}
	if err := l.Gateway.Confine(); err != nil || allowed() != free {
		t.Errorf("let go it may use %s of %s, error %v", allowed(), free, err)
	}
}
