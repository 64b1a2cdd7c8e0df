// Package proxy is the life of a session: its first packet is judged, its packets are forwarded
// or its stream is relayed, and its end is recorded.
//
// A session that no service works on takes the express path: its packets are forwarded as they
// come, so that handshake, half-close, resets and path MTU are the end hosts' own. A session
// whose policy asks for a stream service takes the stream path: both legs end here, and the
// bytes between them pass the services.
//
// The files follow a session. Its packets: receive, open and admit (the first one), control (one that
// another session has arranged), tcp and icmp (later ones). What it carries: identify, locate and judge,
// which judges it again, block and blockpage, which refuse it then, and qos. Its path: offload, or stream
// with decrypt and requests. Its end: aging and finished; rematch and users, where a commit or a user
// changes it while it runs. What is shown of it: info, explain and counters.
package proxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"sluice/appqos"
	"sluice/policy"
	"sluice/route"
	"sluice/stack"
	"sluice/store/schema"
	"sluice/track"
)

// noTimeout is the timeout of a session that never ages.
const noTimeout = int64(1<<63 - 1)

// Egress finds the way out for a destination, and the gateway's own addresses.
type Egress interface {
	// Lookup returns the interface that packets to dst leave by.
	Lookup(dst netip.Addr) route.Egress
	// Addrs are the addresses of device: what source translation uses, and where errors come from.
	Addrs(device string) route.Addresses
	// MTU is the MTU of device in bytes, 0 when there is none.
	MTU(device string) int
	// Generation changes whenever a way out or an MTU may have changed.
	Generation() uint64
}

// Log takes the records of sessions. No call may block.
type Log interface {
	FlowCreate(*track.Session)
	FlowClose(*track.Session, track.Reason)
	FlowDeny(*track.Session, string)
	AppCreate(*track.Session)
	AppClose(*track.Session, track.Reason)
	AppVolumeUpdate(*track.Session)
	AppQoS(*track.Session, track.QoS)
	// Tracks says whether sessions between two zones are tracked.
	Tracks(fromZone, toZone string) bool
	// UpdateRule says when volume updates are due; nil for never.
	UpdateRule() *track.UpdateRule
}

// Options are what an Engine works with.
type Options struct {
	Egress Egress
	Log    Log
	Logger *slog.Logger // nil for slog.Default
	Kernel Carrier      // nil where the kernel cannot carry sessions

	Identifier Identifier // nil for a gateway that does not identify applications
	Captures   Captures   // nil for a gateway that captures nothing
	Users      Users      // nil for a gateway that knows no users
	Decrypter  Decrypter  // nil for a gateway that opens no TLS
}

// Engine owns the session table and moves packets. Make one with New.
type Engine struct {
	egress    Egress
	log       Log
	logger    *slog.Logger
	table     *table
	fragments stack.Fragments
	config    atomic.Pointer[config]
	drops     [dropReasons]atomic.Uint64
	ids       atomic.Uint64 // the last session id given
	created   atomic.Uint64 // sessions since start
	failed    atomic.Uint64 // sessions refused for want of room, ports or a way out
	panics    atomic.Uint64
	epoch     time.Time // ticks are counted from here, on the monotonic clock

	identifier Identifier
	captures   Captures
	users      Users
	decrypter  Decrypter
	kernel     Carrier
	lanes      atomic.Pointer[Lanes]
	offloaded  atomic.Int64 // sessions that the kernel carries now
	terminator *stack.Terminator
	relays     sync.WaitGroup
	stopping   atomic.Bool

	userChanges userChanges
	gates       gates
	finished    finished
	denied      denied

	ports struct {
		sync.Mutex
		byDevice map[string]*port
	}
	readers    sync.WaitGroup
	background sync.WaitGroup     // aging, and judging again after commits
	stop       context.CancelFunc // of aging
}

// config is everything a commit decides; it is replaced whole.
type config struct {
	policy   *policy.Engine
	qos      *appqos.Engine
	flow     schema.Flow
	alg      schema.ALG
	byDevice map[string]*place
	maximum  int64  // sessions
	captures bool   // a policy wants captures
	number   uint32 // of the commit, from 1
}

// place is one logical interface in its zone.
type place struct {
	logical, device string
	zone            *policy.Zone
}

// checkSequence says whether sequence numbers are checked for sessions of p.
func (c *config) checkSequence(p *policy.Policy) bool {
	return !c.flow.TCPSession.NoSequenceCheck || p.TCPOptions.SequenceCheckRequired
}

// checkSYN says whether a session of p must begin with a SYN.
func (c *config) checkSYN(p *policy.Policy) bool {
	return !c.flow.TCPSession.NoSYNCheck || p.TCPOptions.SYNCheckRequired
}

// New makes an engine that forwards nothing until Configure and Attach were called.
func New(o Options) (*Engine, error) {
	e := &Engine{egress: o.Egress, log: o.Log, logger: o.Logger, kernel: o.Kernel, identifier: o.Identifier, captures: o.Captures, users: o.Users, decrypter: o.Decrypter, table: newTable(), epoch: time.Now()}
	if e.logger == nil {
		e.logger = slog.Default()
	}
	e.ports.byDevice = make(map[string]*port)
	terminal := stack.TerminatorOptions{Accept: e.accept}
	if e.captures != nil {
		terminal.Watch, terminal.Sent = e.captures.Capturing, e.captureSent
	}
	terminator, err := stack.NewTerminator(terminal)
	if err != nil {
		return nil, fmt.Errorf("making the TCP stack for stream services: %w", err)
	}
	e.terminator = terminator
	if e.kernel != nil {
		e.kernel.Finished(e.carriedFIN)
	}
	ctx, stop := context.WithCancel(context.Background())
	e.stop = stop
	e.background.Go(func() { e.age(ctx) })
	return e, nil
}

// Configure makes cfg, with the policies and the traffic control compiled from it, decide from the next
// packet on.
func (e *Engine) Configure(cfg *schema.Config, p *policy.Engine, q *appqos.Engine) {
	next := &config{
		policy:   p,
		qos:      q,
		flow:     cfg.Security.Flow,
		alg:      cfg.Security.ALG,
		byDevice: make(map[string]*place),
		maximum:  int64(cfg.Security.Flow.MaximumSessions),
		captures: wantsCaptures(p),
	}
	if next.maximum == 0 {
		next.maximum = defaultMaximumSessions
	}
	for _, l := range cfg.LogicalInterfaces() {
		if zone, ok := p.Zone(l.Name); ok {
			next.byDevice[l.Device] = &place{l.Name, l.Device, zone}
		}
	}
	before := e.config.Load()
	if before == nil {
		next.number = 1
		e.config.Store(next)
		return
	}
	next.number = before.number + 1
	e.config.Store(next)
	e.finished.forget(next.number)
	e.denied.forget(next.number)
	e.background.Go(func() { e.rematch(next) })
}

// defaultMaximumSessions is the session limit where the configuration gives none.
const defaultMaximumSessions = 1_000_000

// address is the gateway's own address on device for the packet's family.
func (e *Engine) address(device string, v6 bool) netip.Addr {
	addrs := e.egress.Addrs(device)
	if v6 {
		return addrs.IPv6
	}
	return addrs.IPv4
}

// mtu is the MTU of the link that packets of w leave by now, in bytes; 0 where there is none.
func (e *Engine) mtu(w *wing) int {
	return e.egress.MTU(e.egress.Lookup(w.leave.Destination().Addr()).Device)
}

// now is the monotonic time since the engine was made, in nanoseconds ("ticks").
func (e *Engine) now() int64 { return int64(time.Since(e.epoch)) }

// port is one ingress device with its readers.
type port struct {
	device   string // Linux interface whose packets arrive here
	tun      *stack.Device
	terminal *stack.Port // the device's way into the TCP stack
	lost     atomic.Bool // the device went away under us
	hooked   bool        // the kernel recognises sessions at the Linux interface
}

// carries says whether the kernel can carry sessions that arrive here, or leave by the interface.
func (p *port) carries() bool { return p != nil && p.hooked }

// Attach starts forwarding the packets that the kernel leads from the Linux interface device
// into tun. The engine owns tun from here on. The reader of a device that goes away ends, and
// gone is called.
func (e *Engine) Attach(device string, tun *stack.Device, gone func()) error {
	terminal, err := e.terminator.Attach(tun)
	if err != nil {
		return fmt.Errorf("attaching interface %s: %w", device, err)
	}
	p := &port{device: device, tun: tun, terminal: terminal}
	e.ports.Lock()
	defer e.ports.Unlock()
	if _, exists := e.ports.byDevice[device]; exists {
		return errors.New("interface " + device + " is attached already")
	}
	e.ports.byDevice[device] = p
	if e.kernel != nil {
		if err := e.kernel.Attach(device); err != nil {
			e.logger.Info("the kernel cannot carry sessions of this interface", "interface", device, "err", err)
		} else {
			p.hooked = true
		}
	}
	for _, q := range tun.Queues() {
		e.readers.Add(1)
		go func() {
			defer e.readers.Done()
			err := e.read(p, q)
			if !errors.Is(err, stack.ErrClosed) && p.lost.CompareAndSwap(false, true) {
				e.logger.Error("ingress device went away", "interface", device, "device", tun.Name(), "err", err)
				gone()
			}
		}()
	}
	return nil
}

// Detach stops forwarding what arrives on device. Sessions stay; their packets from this side
// just do not come any more.
func (e *Engine) Detach(device string) {
	e.ports.Lock()
	p := e.ports.byDevice[device]
	delete(e.ports.byDevice, device)
	e.ports.Unlock()
	if p == nil {
		return
	}
	p.lost.Store(true)
	if e.kernel != nil {
		e.kernel.Detach(device)
	}
	p.tun.Close()
}

// Devices lists the Linux interfaces attached now.
func (e *Engine) Devices() map[string]*stack.Device {
	e.ports.Lock()
	defer e.ports.Unlock()
	devices := make(map[string]*stack.Device, len(e.ports.byDevice))
	for name, p := range e.ports.byDevice {
		if !p.lost.Load() {
			devices[name] = p.tun
		}
	}
	return devices
}

// Drain refuses new sessions and returns when all have ended, or when ctx is done.
func (e *Engine) Drain(ctx context.Context) {
	e.stopping.Store(true)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for e.live() > 0 {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// live counts the sessions that are neither over nor waiting for a handshake.
func (e *Engine) live() (n int) {
	e.table.each(func(s *Session) bool {
		if !s.has(stateClosing) && !s.pending() {
			n++
		}
		return true
	})
	return n
}

// Close ends every session and all forwarding.
func (e *Engine) Close() {
	e.stopping.Store(true)
	e.table.each(func(s *Session) bool {
		e.remove(s, track.ReasonCLI)
		return true
	})
	for device := range e.Devices() {
		e.Detach(device)
	}
	e.readers.Wait()
	e.relays.Wait()
	e.userChanges.done.Wait()
	e.terminator.Close()
	e.stop()
	e.background.Wait()
}
