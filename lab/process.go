package lab

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// Process is a long-running program on a host. It ends at the latest when its lab closes.
type Process struct {
	name   string
	cmd    *exec.Cmd
	log    string // file with everything it printed
	exited chan struct{}
	err    error // how it ended; valid after exited is closed

	grace atomic.Int64 // how long it may take to end when the lab closes; 0 if it may be killed
}

// Start runs a program on h in the background; what it prints goes to a file that Output reads.
func (h *Host) Start(name string, args ...string) (*Process, error) {
	return h.StartEnv(nil, name, args...)
}

// StartEnv is Start with further environment variables, each "NAME=value".
func (h *Host) StartEnv(env []string, name string, args ...string) (*Process, error) {
	log, err := os.CreateTemp(h.lab.Dir, h.Role+"-"+filepath.Base(name)+"-*.log")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := h.Command(context.Background(), name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = log, log
	p := &Process{name: h.Role + ": " + filepath.Base(name), cmd: cmd, log: log.Name(), exited: make(chan struct{})}

	h.lab.mu.Lock()
	defer h.lab.mu.Unlock()
	if h.lab.closed {
		return nil, errors.New("the lab is closed")
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", p.name, err)
	}
	h.lab.processes = append(h.lab.processes, p)
	go func() {
		p.err = cmd.Wait()
		close(p.exited)
	}()
	return p, nil
}

// Pid is the process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Exited is closed when the process has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Wait waits until the process ended and says how: nil for exit code 0.
func (p *Process) Wait(ctx context.Context) error {
	select {
	case <-p.exited:
		return p.err
	case <-ctx.Done():
		return fmt.Errorf("%s still runs: %w", p.name, ctx.Err())
	}
}

// Output is what the process printed so far.
func (p *Process) Output() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Stop asks the process to end (SIGTERM), waits up to patience and then kills it. It returns how
// the process ended, or an error when it had to be killed.
func (p *Process) Stop(patience time.Duration) error {
	p.terminate()
	if !p.reap(patience) {
		return fmt.Errorf("%s did not end within %v of SIGTERM and was killed", p.name, patience)
	}
	return p.err
}

// Kill ends the process at once (SIGKILL) and waits until it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.exited
}

// terminate asks the process to end; one that ended already is no error.
func (p *Process) terminate() { _ = p.cmd.Process.Signal(syscall.SIGTERM) }

// reap waits until the process ended, killing it after patience; it says whether that was needless.
func (p *Process) reap(patience time.Duration) bool {
	select {
	case <-p.exited:
		return true
	case <-time.After(patience):
		p.Kill()
		return false
	}
}

// fault is what a program prints of its own failure: a panic, also one that it lives through, or a race that
// its detector found.
var fault = regexp.MustCompile(`(?m)^(.*\bpanic[:=]|fatal error: |WARNING: DATA RACE)`)

// finish waits until the process ended, which it was asked to, and kills it when it does not. It says what was
// wrong with it.
func (p *Process) finish() error {
	grace := time.Duration(p.grace.Load())
	killed := !p.reap(cmp.Or(grace, 3*time.Second))
	out := p.Output()
	if at := fault.FindStringIndex(out); at != nil {
		return fmt.Errorf("%s failed:\n%.10000s", p.name, out[at[0]:])
	}
	if killed && grace > 0 {
		return fmt.Errorf("%s did not end within %v of SIGTERM and was killed:\n%s", p.name, grace, out)
	}
	return nil
}

// CPU is the processor time that the process and those it started have used so far, user and system.
func (p *Process) CPU() (time.Duration, error) {
	var total time.Duration
	family, err := p.family()
	for _, stat := range family {
		// User and system time of the process, and of its children that have ended, are the 14th to
		// 17th field of /proc/PID/stat, in ticks of 10 ms.
		for _, field := range stat[11:15] {
			n, failure := strconv.ParseInt(field, 10, 64)
			total += time.Duration(n) * 10 * time.Millisecond
			err = errors.Join(err, failure)
		}
	}
	return total, err
}

// Memory is the resident memory of the process and of those it started, in bytes.
func (p *Process) Memory() (total int64, err error) {
	family, err := p.family()
	for _, stat := range family {
		pages, failure := strconv.ParseInt(stat[21], 10, 64)
		total += pages * int64(os.Getpagesize())
		err = errors.Join(err, failure)
	}
	return total, err
}

// family is the process and its descendants: process id → fields of /proc/PID/stat from the third on,
// which is the first behind the name in parentheses, as that may hold blanks.
func (p *Process) family() (map[int][]string, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	all, family := map[int][]string{}, map[int][]string{}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if text, err := os.ReadFile(filepath.Join("/proc", e.Name(), "stat")); err == nil { // or it has ended
			all[pid] = strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		}
	}
	if all[p.Pid()] == nil {
		return nil, fmt.Errorf("%s has ended", p.name)
	}
	family[p.Pid()] = all[p.Pid()]
	for more := true; more; {
		more = false
		for pid, stat := range all {
			parent, err := strconv.Atoi(stat[1])
			if err == nil && family[parent] != nil && family[pid] == nil {
				family[pid], more = stat, true
			}
		}
	}
	return family, nil
}

// WaitListening waits until something in the process's namespace listens on port; network is
// tcp or udp. It fails early when the process ends.
func (p *Process) WaitListening(ctx context.Context, network string, port uint16) error {
	return p.waitFor(ctx, fmt.Sprintf("listen on %s port %d", network, port), func() bool {
		return listening(p.Pid(), network, port)
	})
}

// waitFor polls ready until it holds, the process ends or ctx does.
func (p *Process) waitFor(ctx context.Context, what string, ready func() bool) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ready() {
		select {
		case <-p.exited:
			return fmt.Errorf("%s ended (%v) before it would %s: %s", p.name, p.cmd.ProcessState, what, p.Output())
		case <-ctx.Done():
			return fmt.Errorf("%s does not %s: %w: %s", p.name, what, ctx.Err(), p.Output())
		case <-tick.C:
		}
	}
	return nil
}

// listening looks for a listening TCP or bound UDP socket in the namespace of pid.
func listening(pid int, network string, port uint16) bool {
	const tcpListen, udpBound = "0A", "07" // socket states of /proc/net/tcp and udp
	state := map[string]string{"tcp": tcpListen, "udp": udpBound}[network]
	for _, family := range []string{"", "6"} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s%s", pid, network, family))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			if len(f) > 3 && f[3] == state && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) {
				return true
			}
		}
	}
	return false
}
