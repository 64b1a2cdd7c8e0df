package track

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A writer takes messages to one place. Only its outlet calls it, from one goroutine; it may
// block until ctx ends.
type writer interface {
	// open makes the writer ready; it is called before every batch and is cheap when all is well.
	// fresh says that it was not ready before.
	open(ctx context.Context) (fresh bool, err error)
	// write takes the first sent+lost of batch and says how many of these were lost for good. What
	// an error leaves of batch is tried again after a pause.
	write(ctx context.Context, batch []*record) (sent, lost int, err error)
	// broken is ready to receive when an idle connection ended; nil where that cannot happen.
	broken() <-chan struct{}
	close()
}

// Pauses between attempts to reach a place that failed.
const (
	backoffFirst = 250 * time.Millisecond
	backoffLast  = 15 * time.Second
)

// batchSize is the number of records that a writer gets at once.
const batchSize = 512

// outlet feeds one writer from a bounded queue.
type outlet struct {
	spec    outletSpec
	tracker *Tracker
	writer  writer
	queue   chan *record // only the worker sends
	retired chan struct{}
	before  *outlet // the outlet of the same name that this one replaces; it finishes first
	done    chan struct{}
	ctx     context.Context
	cancel  context.CancelFunc
	counts  *outletCounts

	health struct {
		sync.Mutex
		state State
		since time.Time
		err   error
	}
}

// outletCounts count what happened to the messages of one outlet, across commits.
type outletCounts struct {
	sent, dropped Counter
	lastDrop      atomic.Int64 // Unix nanoseconds
}

// State is how an outlet is doing.
type State string

// States of an outlet.
const (
	StateConnecting State = "connecting"
	StateUp         State = "up"
	StateDown       State = "down"
)

func (t *Tracker) newOutlet(spec outletSpec, before *outlet) *outlet {
	o := &outlet{
		spec: spec, tracker: t, before: before,
		queue:   make(chan *record, queueSize),
		retired: make(chan struct{}),
		done:    make(chan struct{}),
		counts:  new(outletCounts),
	}
	if before != nil {
		o.counts = before.counts
	}
	o.ctx, o.cancel = context.WithCancel(t.ctx)
	o.writer = t.newWriter(spec)
	o.health.state, o.health.since = StateConnecting, t.opts.Now()
	return o
}

// offer queues r, or counts it as dropped. Only the worker calls it.
func (o *outlet) offer(r *record) {
	r.hold()
	select {
	case o.queue <- r:
	default:
		o.drop(r)
	}
}

func (o *outlet) drop(r *record) {
	o.counts.dropped.Inc()
	o.counts.lastDrop.Store(o.tracker.opts.Now().UnixNano())
	o.tracker.fail(r)
	r.release()
}

// retire lets the outlet send what it holds, for a while, and end. The worker calls it after its last offer.
func (o *outlet) retire() {
	close(o.retired)
	time.AfterFunc(retireTime, o.cancel)
}

// run writes what is queued until the outlet is retired and empty, or given up.
func (o *outlet) run() {
	defer close(o.done)
	defer o.cancel()
	defer o.writer.close()
	if o.before != nil {
		<-o.before.done
		o.before = nil
	}
	pause := backoffFirst
	var batch []*record
	for len(batch) > 0 || !o.finished() {
		fresh, err := o.writer.open(o.ctx)
		if err == nil {
			if fresh {
				o.up()
			}
			if batch = o.collect(batch); len(batch) == 0 {
				continue
			}
			var sent, lost int
			sent, lost, err = o.writer.write(o.ctx, batch)
			if batch = o.settle(batch, sent, lost); err != nil && len(batch) == 0 {
				o.down(err) // nothing is left to try again
				continue
			}
		}
		if err == nil {
			o.up()
			pause = backoffFirst
			continue
		}
		o.down(err)
		if o.ending() || !o.wait(pause) {
			o.abandon(batch)
			return
		}
		pause = min(2*pause, backoffLast)
	}
}

// collect fills batch from the queue. With an empty batch it waits for a first record, for the
// connection to break, or for the end.
func (o *outlet) collect(batch []*record) []*record {
	if len(batch) == 0 {
		select {
		case r := <-o.queue:
			batch = append(batch, r)
			if o.spec.linger() > 0 && !o.ending() {
				time.Sleep(o.spec.linger())
			}
		case <-o.writer.broken():
			return batch
		case <-o.retired:
		case <-o.ctx.Done():
		}
	}
	for len(batch) < batchSize {
		select {
		case r := <-o.queue:
			batch = append(batch, r)
		default:
			return batch
		}
	}
	return batch
}

// settle counts and releases the records of batch that were written or lost, and returns the rest.
func (o *outlet) settle(batch []*record, sent, lost int) []*record {
	o.counts.sent.Add(uint64(sent))
	if lost > 0 {
		o.counts.dropped.Add(uint64(lost))
		o.counts.lastDrop.Store(o.tracker.opts.Now().UnixNano())
	}
	for i, r := range batch[:sent+lost] {
		if i >= sent {
			o.tracker.fail(r)
		}
		r.release()
	}
	return append(batch[:0], batch[sent+lost:]...)
}

// finished says that nothing more will come and nothing is left.
func (o *outlet) finished() bool { return o.ending() && len(o.queue) == 0 }

// ending says that the outlet is retired or given up.
func (o *outlet) ending() bool {
	select {
	case <-o.retired:
		return true
	case <-o.ctx.Done():
		return true
	default:
		return false
	}
}

// wait pauses for d, give or take a quarter; it returns false when the outlet is to end.
func (o *outlet) wait(d time.Duration) bool {
	timer := time.NewTimer(d*3/4 + rand.N(d/2))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-o.retired: // one more attempt, without waiting
		return true
	case <-o.ctx.Done():
		return false
	}
}

// abandon drops what is left. It returns when the worker can send no more.
func (o *outlet) abandon(batch []*record) {
	for _, r := range batch {
		o.drop(r)
	}
	<-o.retired
	for {
		select {
		case r := <-o.queue:
			o.drop(r)
		default:
			return
		}
	}
}

func (o *outlet) up() {
	o.health.Lock()
	defer o.health.Unlock()
	if o.health.state == StateUp {
		return
	}
	if o.health.state == StateDown {
		o.tracker.opts.Logger.Info("security log outlet is back", "outlet", o.spec.name, "target", o.spec.target())
	}
	o.health.state, o.health.since, o.health.err = StateUp, o.tracker.opts.Now(), nil
}

func (o *outlet) down(err error) {
	if errors.Is(err, syscall.ENOSPC) {
		err = fmt.Errorf("disk full: %w", err)
	}
	o.health.Lock()
	defer o.health.Unlock()
	o.health.err = err
	if o.health.state == StateDown {
		return
	}
	o.health.state, o.health.since = StateDown, o.tracker.opts.Now()
	o.tracker.opts.Logger.Warn("security log outlet failed", "outlet", o.spec.name, "target", o.spec.target(), "error", err)
}
