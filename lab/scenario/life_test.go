package scenario

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/lab"
)

// clear security flow session ends the sessions its filters match, for both ends, and no others.
func TestClearSession(t *testing.T) {
	onBothPaths(t, func(t *testing.T, config string) {
		w := start(t, lab.Options{}, config)
		victim, other := w.connect("203.0.113.7:7"), w.connect("[2001:db8:f::7]:7")
		for _, c := range []net.Conn{victim, other} {
			if err := echoes(c); err != nil {
				t.Fatal(err)
			}
		}
		w.show("clear security flow session destination-prefix " + lab.EchoAddr4)
		w.eventually("the session is gone", func() bool {
			return !strings.Contains(w.show("show security flow session"), lab.EchoAddr4+"/7")
		})
		if echoesSoon(victim) {
			t.Error("the cleared session carries bytes")
		}
		if err := echoes(other); err != nil {
			t.Errorf("a session that was not named ended: %v", err)
		}
	})
}

// Above its limit the gateway refuses new sessions, says so and keeps serving those it has.
func TestSessionLimit(t *testing.T) {
	w := start(t, lab.Options{}, lab.PermitAll+"set security flow maximum-sessions 100\n")
	first := w.connect("203.0.113.7:7")
	tool, err := lab.Binary("labhost")
	if err != nil {
		t.Fatal(err)
	}
	flood, err := w.Client.Start(tool, "idle", "-to", "203.0.113.7:7", "-count", "150", "-parallel", "150")
	if err != nil {
		t.Fatal(err)
	}
	w.eventually("the table is full", func() bool {
		return regexp.MustCompile(`Sessions-in-use: 100\b`).MatchString(w.show("show security flow session summary"))
	})
	if err := echoes(first); err != nil {
		t.Errorf("an established session suffers: %v", err)
	}
	if failed := regexp.MustCompile(`Failed-sessions: [1-9]`); !failed.MatchString(w.show("show security flow session summary")) {
		t.Errorf("the refusals are not counted:\n%s", w.show("show security flow session summary"))
	}
	flood.Kill()
	w.show("clear security flow session destination-port 7")
	w.do(w.Client, "curl", "-sS", "-m5", "http://"+lab.WebAddr4+"/")
}

// A session without packets ends after the timeout of its application.
func TestInactivityTimeout(t *testing.T) {
	t.Parallel() // it mostly waits
	w := start(t, lab.Options{}, `
set applications application short protocol udp
set applications application short destination-port 7
set applications application short inactivity-timeout 4
`+permit("short", "short", "log session-close"))
	c, err := w.dial(w.Client, "udp", "203.0.113.7:7")
	if err != nil {
		t.Fatal(err)
	}
	if err := echoes(c); err != nil {
		t.Fatal(err)
	}
	if out := w.show("show security flow session"); !strings.Contains(out, lab.EchoAddr4+"/7") {
		t.Fatalf("the session is not in the table:\n%s", out)
	}
	w.eventually("the session aged out", func() bool {
		return !strings.Contains(w.show("show security flow session"), lab.EchoAddr4+"/7")
	})
}

// Asked to stop, the gateway lets running sessions finish for a moment, goes in order and leaves
// the kernel as it found it.
func TestGracefulStop(t *testing.T) {
	w := &world{Lab: lab.Start(t, lab.Options{}), t: t}
	before := w.settledState()
	gw, err := w.StartGateway(t.Context(), lab.BaseConfig+lab.PermitAll+hideBehindWAN1)
	if err != nil {
		t.Fatal(err)
	}
	w.gw = gw
	w.do(w.Client, "curl", "-sS", "-m5", "http://"+lab.WebAddr4+"/")
	if err := w.gw.Stop(30 * time.Second); err != nil {
		t.Errorf("%v:\n%s", err, w.gw.Output())
	}
	if after := w.kernelState(); after != before {
		t.Errorf("the kernel's state before:\n%s\nafter:\n%s", before, after)
	}
}

// Killed, the gateway fails closed: its devices are gone and nothing passes around the policies.
// "sluice cleanup" takes back what it left, and a new start works on the same state.
func TestKilled(t *testing.T) {
	w := &world{Lab: lab.Start(t, lab.Options{}), t: t}
	before := w.settledState()
	gw, err := w.StartGateway(t.Context(), lab.BaseConfig+lab.PermitAll+hideBehindWAN1)
	if err != nil {
		t.Fatal(err)
	}
	w.gw = gw
	get := func(want bool) error {
		_, err := w.try(w.Client, "curl", "-sS", within(want), "http://"+lab.WebAddr4+"/")
		return err
	}
	for range 2 {
		if err := get(true); err != nil {
			t.Fatal(err)
		}
		w.gw.Kill()
		if get(false) == nil {
			t.Error("with the gateway dead a client still reaches the internet")
		}
		if w.gw, err = w.RestartGateway(t.Context(), w.gw.Dir); err != nil {
			t.Fatal(err)
		}
	}
	if err := get(true); err != nil {
		t.Errorf("after the restart: %v", err)
	}
	w.gw.Kill()
	if err := w.gw.CleanUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := w.kernelState(); after != before {
		t.Errorf("the kernel's state before:\n%s\nafter kill and cleanup:\n%s", before, after)
	}
}

// The device is taken away under the gateway: it says so, and serves again.
func TestDeviceRemoved(t *testing.T) {
	w := start(t, lab.Options{}, lab.PermitAll)
	get := func() bool {
		_, err := w.try(w.Client, "curl", "-sS", "-m1", "http://"+lab.WebAddr4+"/")
		return err == nil
	}
	w.do(w.Client, "curl", "-sS", "-m5", "http://"+lab.WebAddr4+"/")
	links := w.do(w.Gateway, "ip", "-o", "link")
	device := regexp.MustCompile(`\d+: (slu[^:@]*)`).FindStringSubmatch(links)
	if device == nil {
		t.Fatalf("the gateway has no device of its own:\n%s", links)
	}
	if err := w.Gateway.IP("link del " + device[1]); err != nil {
		t.Fatal(err)
	}
	w.eventually("traffic passes again", get)
}

// A disk that is full refuses a commit with a message, keeps the running configuration, and costs
// traffic nothing. The records that the log file and the history lose are counted and alarmed, and both go on when
// there is room.
func TestDiskFull(t *testing.T) {
	w := start(t, lab.Options{}, lab.PermitAll+"set security log mode event\nset security log file name security.log\n")
	w.gw.Kill()
	small := filepath.Join(w.Dir, "small")
	if err := os.Mkdir(small, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", small, "tmpfs", 0, "size=48m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(small, syscall.MNT_DETACH) })
	state := filepath.Join(small, "state")
	if err := os.Remove(w.gw.Socket()); err != nil && !os.IsNotExist(err) {
		t.Fatal(err) // what a killed gateway leaves is no file to copy
	}
	if err := os.CopyFS(state, os.DirFS(w.gw.Dir)); err != nil {
		t.Fatal(err)
	}
	var err error
	if w.gw, err = w.RestartGateway(t.Context(), state); err != nil {
		t.Fatal(err)
	}
	fill, err := os.Create(filepath.Join(small, "fill"))
	if err != nil {
		t.Fatal(err)
	}
	defer fill.Close()
	for block := make([]byte, 4096); err == nil; {
		_, err = fill.Write(block)
	}
	w.record()
	for i := range 50 {
		w.do(w.Client, "curl", "-sS", "-m5", fmt.Sprintf("http://%s/?%d", lab.WebAddr4, i))
	}
	logs := []string{"file", "history"}
	for _, name := range logs {
		w.eventually("the "+name+" is down, and what it loses is counted and alarmed", func() bool {
			s, alarms := w.stream(name), w.show("show system alarms")
			return s.State == "down" && strings.Contains(s.Error, "full") && s.Dropped > 0 && strings.Contains(alarms, s.Error) && strings.Contains(alarms, "drops messages")
		})
	}
	err = w.gw.Configure(t.Context(), "set system host-name full", "set security policies default-policy permit-all")
	if err == nil {
		t.Error("a commit on a full disk is said to have worked")
	} else if !strings.Contains(err.Error(), "full") && !strings.Contains(err.Error(), "space") {
		t.Errorf("the message does not say why: %v", err)
	}
	if _, err := w.try(w.Guest, "curl", "-sS", "-m1", "http://"+lab.WebAddr4+"/"); err == nil {
		t.Error("the configuration that could not be stored is running")
	}
	if err := fill.Truncate(0); err != nil {
		t.Fatal(err)
	}
	for _, name := range logs {
		w.eventually("the "+name+" goes on", func() bool {
			s := w.stream(name)
			return s.State != "down" && s.Queued == 0
		})
	}
	w.configure("rollback 0", "set system host-name roomy")
	w.do(w.Client, "curl", "-sS", "-m5", "--local-port", "45678", "http://"+lab.WebAddr4+"/")
	if alarms := w.show("show system alarms"); strings.Contains(alarms, " is down") {
		t.Errorf("with room again:\n%s", alarms)
	}
	w.eventually("the new session is in both", func() bool {
		file, err := os.ReadFile(filepath.Join(state, "log", "security.log"))
		return err == nil && strings.Contains(string(file), `source-port="45678"`) &&
			strings.Contains(w.show("show security log message RT_FLOW_SESSION_CLOSE destination-address "+lab.WebAddr4+" limit 10"), "/45678->")
	})
}
