package track

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
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
	// write takes the first sent+lost of what is not done of b and says how many of these were lost
	// for good. What an error leaves is tried again after a pause.
	write(ctx context.Context, b *batch) (sent, lost int, err error)
	// broken is ready to receive when an idle connection ended; nil where that cannot happen.
	broken() <-chan struct{}
	close()
}

// Pauses between attempts to reach a place that failed.
const (
	backoffFirst = 250 * time.Millisecond
	backoffLast  = 15 * time.Second
)

// batchSize is the number of records that a writer gets at once, at most.
const batchSize = 512

// outlet feeds one writer from a bounded queue.
type outlet struct {
	spec    outletSpec
	tracker *Tracker
	writer  writer
	codec   codec         // of the history's last batch; the worker's
	wake    chan struct{} // there is something to take
	retired chan struct{}
	before  *outlet // the outlet of the same name that this one replaces; it finishes first
	done    chan struct{}
	ctx     context.Context
	cancel  context.CancelFunc
	counts  *outletCounts

	queue struct {
		sync.Mutex
		batches []*batch // oldest first; the worker fills the last one
		records int      // in them, and in the batch that is being written
	}
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
		wake:    make(chan struct{}, 1),
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

// add puts r into the outlet's last batch, or counts it as dropped. Message is r as the outlet's
// format has it. Only the worker calls it, between begin and end.
func (o *outlet) add(r *record, message []byte, f *fate) {
	if o.queue.records >= queueSize {
		o.drop(item{fate: f})
		return
	}
	var b *batch
	if n := len(o.queue.batches); n > 0 {
		b = o.queue.batches[n-1]
	}
	if b == nil || len(b.items) == batchSize {
		b = batches.Get().(*batch)
		o.queue.batches = append(o.queue.batches, b)
	}
	switch o.spec.kind {
	case kindTCP, kindTLS: // octet counting (RFC 6587, 3.4.1; RFC 5425)
		b.data = strconv.AppendInt(b.data, int64(len(message)), 10)
		b.data = append(append(b.data, ' '), message...)
	case kindFile:
		b.data = append(append(b.data, message...), '\n')
	case kindHistory:
		if len(b.items) == 0 {
			b.data = o.codec.begin(b.data)
		}
		b.data = o.codec.encode(b.data, &r.Entry)
		b.span.include(&r.Entry)
	case kindJournal:
		b.notes = append(b.notes, noteOf(r))
		fallthrough
	default:
		b.data = append(b.data, message...)
	}
	b.items = append(b.items, item{end: len(b.data), fate: f})
	o.queue.records++
}

// begin keeps the outlet from its queue while the worker fills it; end tells it if there is something to take.
func (o *outlet) begin() { o.queue.Lock() }

func (o *outlet) end() {
	some := len(o.queue.batches) > 0
	o.queue.Unlock()
	if !some {
		return
	}
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// waiting is how many records the outlet holds, and whether there is a batch to take.
func (o *outlet) waiting() (records int, some bool) {
	o.queue.Lock()
	defer o.queue.Unlock()
	return o.queue.records, len(o.queue.batches) > 0
}

// take removes the oldest batch from the queue; nil when there is none.
func (o *outlet) take() *batch {
	o.queue.Lock()
	defer o.queue.Unlock()
	if len(o.queue.batches) == 0 {
		return nil
	}
	b := o.queue.batches[0]
	o.queue.batches = append(o.queue.batches[:0], o.queue.batches[1:]...)
	return b
}

// drop counts a record as dropped.
func (o *outlet) drop(i item) {
	o.counts.dropped.Inc()
	o.counts.lastDrop.Store(o.tracker.opts.Now().UnixNano())
	o.tracker.fail(i.fate)
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
	var b *batch
	for b != nil || !o.finished() {
		fresh, err := o.writer.open(o.ctx)
		if err == nil {
			if fresh {
				o.up()
			}
			if b == nil {
				if b = o.next(); b == nil {
					continue
				}
			}
			var sent, lost int
			sent, lost, err = o.writer.write(o.ctx, b)
			if b = o.settle(b, sent, lost); err != nil && b == nil {
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
			o.abandon(b)
			return
		}
		pause = min(2*pause, backoffLast)
	}
}

// next is the oldest batch. Without one it waits for records, for the connection to break, or for the
// end; nil where there are none.
func (o *outlet) next() *batch {
	if b := o.take(); b != nil {
		return b
	}
	select {
	case <-o.wake:
	case <-o.writer.broken():
	case <-o.retired:
	case <-o.ctx.Done():
	}
	return o.take()
}

// settle counts the records of b that were written or lost, and returns b while it has others.
func (o *outlet) settle(b *batch, sent, lost int) *batch {
	o.counts.sent.Add(uint64(sent))
	for i := range lost {
		o.drop(b.items[b.done+sent+i])
	}
	o.queue.Lock()
	o.queue.records -= sent + lost
	o.queue.Unlock()
	if b.done += sent + lost; b.rest() > 0 {
		return b
	}
	b.release()
	return nil
}

// finished says that nothing more will come and nothing is left.
func (o *outlet) finished() bool {
	ending := o.ending()
	_, some := o.waiting()
	return ending && !some
}

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
func (o *outlet) abandon(b *batch) {
	for ; b != nil; b = o.take() {
		o.settle(b, 0, b.rest())
	}
	<-o.retired
	for b = o.take(); b != nil; b = o.take() {
		o.settle(b, 0, b.rest())
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
