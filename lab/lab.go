// Package lab is a branch office in network namespaces: clients, the gateway, two WAN links and an
// internet of web, DNS and echo servers, for the demo, the scenario tests and the benchmarks.
//
//	client (192.0.2.10) ─ lan0 ┐            ┌ wan0 ═ link 0 ═ isp0 ┐            ┌ web  (203.0.113.80)
//	                           ├─ gateway ──┤                      ├─ internet ─┼ dns  (203.0.113.53)
//	guest (192.0.2.130) ─ gst0 ┘            └ wan1 ═ link 1 ═ isp1 ┘            └ echo (203.0.113.7)
//
// Every server has a second address 128 higher (2001:db8:f:1::/64 in IPv6) whose replies the
// internet sends over link 1, so that a route in the gateway decides which link a session takes.
// Labs are named after the process that made them: any number may live side by side, Close
// removes all of one, and New removes what crashed processes left behind.
package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// namePrefix begins the name of every namespace and directory of a lab: slt-<pid>-<n>-<role>.
const namePrefix = "slt-"

// Options says how a lab differs from the usual one.
type Options struct {
	// Impair puts a relay into each WAN link, so that Link.Set can delay, lose and slow packets.
	// Without it a link is a plain veth pair, as fast as the machine.
	Impair bool
	// Flat puts the servers into the internet namespace itself: three namespaces between client
	// and server rather than four, for measurements.
	Flat bool
	// NoServers leaves web, DNS and echo servers unstarted; their namespaces exist.
	NoServers bool
}

// Lab is one running laboratory.
type Lab struct {
	Client, Guest  *Host      // in the zones that are usually trust and guest
	Gateway        *Host      // runs the gateway: lan0, gst0, wan0, wan1
	Internet       *Host      // the router between the WAN links and the servers
	Web, DNS, Echo *Host      // the same as Internet when Options.Flat
	Links          [2]*Link   // the WAN links; impairable when Options.Impair
	Dir            string     // scratch directory: logs, keys, state; removed by Close
	CA             string     // PEM file of the authority that signed the web server's certificate
	prefix         string     // "slt-<pid>-<n>"
	lock           *os.File   // held while the lab lives, so that no sweep takes it away
	hosts          []*Host    // in order of creation
	idleServers    []*Process // of OpenIdle, one a lot
	mu             sync.Mutex
	processes      []*Process // guarded by mu
	closed         bool       // guarded by mu
}

var labs atomic.Int32

// New builds a lab and starts its servers. It needs root. Whatever it made before an error is
// removed again.
func New(ctx context.Context, o Options) (*Lab, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("the lab makes network namespaces and needs root: run it with sudo")
	}
	if err := Sweep(); err != nil {
		return nil, err
	}
	l := &Lab{prefix: fmt.Sprintf("%s%d-%d", namePrefix, os.Getpid(), labs.Add(1))}
	if err := l.build(ctx, o); err != nil {
		return nil, errors.Join(fmt.Errorf("building the lab: %w", err), l.Close())
	}
	return l, nil
}

// build makes directory, namespaces, links and servers, in this order.
func (l *Lab) build(ctx context.Context, o Options) error {
	l.Dir = filepath.Join(os.TempDir(), l.prefix)
	if err := os.Mkdir(l.Dir, 0o755); err != nil {
		return err
	}
	// Under its name the lock is held from the first: who sweeps takes a lab with a free one for abandoned.
	free := filepath.Join(l.Dir, "free")
	lock, err := os.OpenFile(free, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	l.lock = lock
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return err
	}
	if err := os.Rename(free, filepath.Join(l.Dir, "lock")); err != nil {
		return err
	}
	if err := l.wire(ctx, o); err != nil {
		return err
	}
	if o.NoServers {
		return nil
	}
	return l.startServers(ctx)
}

// Prefix is what the names of this lab's namespaces begin with.
func (l *Lab) Prefix() string { return l.prefix }

// Close ends every process of the lab and removes its namespaces and files. It may be called
// more than once.
func (l *Lab) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	processes := slices.Clone(l.processes)
	l.mu.Unlock()

	for _, p := range processes {
		p.terminate()
	}
	var errs []error
	for _, p := range processes {
		errs = append(errs, p.finish())
	}
	for _, link := range l.Links {
		if link != nil {
			errs = append(errs, link.close())
		}
	}
	for _, h := range slices.Backward(l.hosts) {
		errs = append(errs, removeNamespace(h.Namespace))
	}
	if l.Dir != "" {
		errs = append(errs, os.RemoveAll(l.Dir))
	}
	if l.lock != nil {
		errs = append(errs, l.lock.Close())
	}
	return errors.Join(errs...)
}

// TB is what Start needs of a test or benchmark.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
	Cleanup(func())
	Context() context.Context
}

// Start is New for tests: the lab lives until the test ends.
func Start(tb TB, o Options) *Lab {
	tb.Helper()
	l, err := New(tb.Context(), o)
	if err != nil {
		tb.Fatalf("%v", err)
	}
	tb.Cleanup(func() {
		if err := l.Close(); err != nil {
			tb.Errorf("removing the lab: %v", err)
		}
	})
	return l
}
