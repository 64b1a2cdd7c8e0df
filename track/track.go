// Package track records what happened: session logs and application-tracking messages travel
// through one asynchronous pipeline to syslog collectors, a file, the journal and a history that
// can be queried, and every counter of the program is registered here for Prometheus.
//
// # The life of a record
//
//	caller ─ copy ─► ring ─► worker ─ render once per form ─► batches of each outlet ─► UDP, TCP, TLS
//	                  │                                         │                        file, journal
//	                  └ full: counted drop                      └ too many:              history (SQLite)
//	                                                              counted drop
//
// Calls on the data path never block: they copy the session into a record and put it into a
// bounded ring. One worker renders each form of a message once and appends it, framed as it is to be
// written, to the open batch of every outlet that wants it; the history gets the record encoded. Every
// outlet has its own bounded queue of batches, goroutine and counters, so a
// collector that is slow, dead or gone costs its own messages and nothing else.
//
// What is kept while a collector is away is bounded by the queues; what does not fit is dropped,
// newest first, counted, and shown as an alarm.
package track

import (
	"context"
	"database/sql"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Limits of the pipeline. A record takes about 1.1 KB, a message about 1.2 KB: a ring that is full
// holds about 20 MB, an outlet that is stuck 10 MB.
const (
	ringSize   = 16384                 // records between the callers and the worker
	queueSize  = 8192                  // records waiting for one outlet
	ringLinger = 50 * time.Millisecond // how long the worker lets records gather, so that it wakes per burst and not per record
	drainLimit = 1024                  // records handed out before the worker looks for a new plan
	retireTime = 5 * time.Second       // how long an outlet that a commit took away may send what it still holds
)

// Options say where a Tracker keeps things. The zero value works: nothing is kept.
type Options struct {
	State    *sql.DB          // database of the history; nil: no history
	LogDir   string           // where log files with relative names go
	Hostname string           // name in messages while system host-name is not set; empty: the machine's name
	SDID     string           // structured-data identifier; empty: DefaultSDID
	Now      func() time.Time // clock; nil: time.Now
	Registry *Registry        // where the tracker's own counters go; nil: a new registry
	Logger   *slog.Logger     // the daemon's log; nil: slog.Default()

	// Secure makes TLS of a connection with a collector called name, as an SSL initiation profile says.
	// What it returns is closed in place of conn; where it fails, conn is closed by the caller.
	Secure func(ctx context.Context, conn net.Conn, name, profile string) (net.Conn, error)
	// SecureListener makes TLS of the connections of a listener, as an SSL termination profile says.
	SecureListener func(l net.Listener, profile string) net.Listener
}

// Tracker is the pipeline. Its methods may be called from any goroutine.
type Tracker struct {
	opts     Options
	registry *Registry

	ring   chan *record
	plan   atomic.Pointer[plan] // what the last commit asked for
	closed atomic.Bool

	plans  chan planChange
	quit   chan struct{} // closed by Close: the worker empties the ring and stops
	done   chan struct{} // closed when the worker and its outlets have stopped
	cancel context.CancelFunc
	ctx    context.Context // ended when what is still queued is to be given up

	outlets struct { // written by the worker, read by everybody
		sync.RWMutex
		active   []*outlet
		retiring sync.WaitGroup
	}
	metrics metricsServer

	counts   trackerCounts
	history  *historyStore
	rendered [formatCount][]byte // the message of a record; this and clock are the worker's
	clock    clock
}

// planChange is a plan on its way to the worker.
type planChange struct {
	plan    *plan
	applied chan struct{}
}

// New starts a tracker that keeps nothing until a configuration is applied. Close ends it.
func New(opts Options) *Tracker {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	if opts.Registry == nil {
		opts.Registry = NewRegistry()
	}
	if opts.SDID == "" {
		opts.SDID = DefaultSDID
	}
	if opts.Hostname == "" {
		opts.Hostname, _ = os.Hostname() // an empty name is written as "-"
	}
	t := &Tracker{
		opts:     opts,
		registry: opts.Registry,
		ring:     make(chan *record, ringSize),
		plans:    make(chan planChange),
		quit:     make(chan struct{}),
		done:     make(chan struct{}),
	}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	t.plan.Store(&plan{})
	if opts.State != nil {
		t.history = &historyStore{db: opts.State}
	}
	t.metrics.registry, t.metrics.log, t.metrics.secure = t.registry, opts.Logger, opts.SecureListener
	t.register()
	go t.work()
	return t
}

// FlowCreate logs that a session was created (RT_FLOW_SESSION_CREATE). The caller decides by
// policy whether it is to be logged.
func (t *Tracker) FlowCreate(s *Session) { t.put(FlowCreate, s, "") }

// FlowClose logs that a session ended (RT_FLOW_SESSION_CLOSE).
func (t *Tracker) FlowClose(s *Session, r Reason) { t.put(FlowClose, s, string(r)) }

// FlowDeny logs that a session was refused (RT_FLOW_SESSION_DENY); reason is one of the Deny constants.
func (t *Tracker) FlowDeny(s *Session, reason string) { t.put(FlowDeny, s, reason) }

// AppCreate sends APPTRACK_SESSION_CREATE where the configuration asks for it: the from-zone or
// the to-zone is tracked and create messages are on.
func (t *Tracker) AppCreate(s *Session) {
	if p := t.plan.Load(); p.tracking.create && p.tracking.zones.either(s) {
		t.put(AppCreate, s, "")
	}
}

// AppClose sends APPTRACK_SESSION_CLOSE where the configuration asks for it.
func (t *Tracker) AppClose(s *Session, r Reason) {
	if p := t.plan.Load(); p.tracking.close && p.tracking.zones.either(s) {
		t.put(AppClose, s, string(r))
	}
}

// AppVolumeUpdate sends APPTRACK_SESSION_VOL_UPDATE where the configuration asks for it; an
// UpdateClock says when it is due.
func (t *Tracker) AppVolumeUpdate(s *Session) {
	if p := t.plan.Load(); p.tracking.updates != nil && p.tracking.zones.either(s) {
		t.put(AppVolumeUpdate, s, "")
	}
}

// NextHopChange sends RT_FLOW_NEXTHOP_CHANGE when the route or the next hop of a session changed
// that application-based routing directs and application tracking follows.
func (t *Tracker) NextHopChange(s *Session) {
	if p := t.plan.Load(); p.tracking.zones.either(s) {
		t.put(NextHopChange, s, "")
	}
}

// AppRouteUpdate sends APPTRACK_SESSION_ROUTE_UPDATE when application-based routing moved a
// session of a tracked zone.
func (t *Tracker) AppRouteUpdate(s *Session) {
	if p := t.plan.Load(); p.tracking.zones.either(s) {
		t.put(AppRouteUpdate, s, "")
	}
}

// put counts a record, and copies s into the ring where the record is wanted.
func (t *Tracker) put(tag Tag, s *Session, reason string) {
	t.counts.records[tag].Inc()
	if t.plan.Load().wanted[tag] {
		t.send(newRecord(tag, t.opts.Now(), reason, s))
	}
}

// send puts r into the ring, or counts it as dropped.
func (t *Tracker) send(r *record) {
	if !t.closed.Load() {
		select {
		case t.ring <- r:
			return
		default:
		}
	}
	t.counts.ringDropped.Inc()
	t.counts.lastRingDrop.Store(r.Time.UnixNano())
	if r.Tag.application() {
		t.counts.appFailed.Inc()
	}
	r.release()
}

// fail counts the record of f as a message that did not reach one of its destinations, once.
func (t *Tracker) fail(f *fate) {
	if f != nil && f.failed.CompareAndSwap(false, true) {
		t.counts.appFailed.Inc()
	}
}

// Registry is the counter registry of the program.
func (t *Tracker) Registry() *Registry { return t.registry }

// Collector is the registry as Prometheus sees it.
func (t *Tracker) Collector() prometheus.Collector { return t.registry }

// Close stops taking records, sends what is queued as long as ctx lasts, counts the rest as
// dropped, and returns when every goroutine has ended. It returns ctx's error where something had
// to be given up.
func (t *Tracker) Close(ctx context.Context) error {
	if t.closed.Swap(true) {
		<-t.done
		return nil
	}
	t.metrics.stop()
	close(t.quit)
	var err error
	select {
	case <-t.done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	t.cancel()
	<-t.done
	return err
}
