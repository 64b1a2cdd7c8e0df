package sslproxy

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"sluice/internal/panics"
	"sluice/relay"
	tls "sluice/tls/stdtls"
)

// answerTime is how long a client that was answered has to take the end of the answer.
const answerTime = time.Second

// Relay carries plaintext between the TLS connection with the client and that with the server
// until both sides have finished, one has broken, or ctx ends. Handshakes are over. A close_notify
// travels through as a close_notify and a FIN as a FIN, while the other direction goes on, so that
// an end without close_notify is seen as one; a reset travels as a reset. Both connections are
// closed when it returns, unless the session was dropped, of which the caller has to keep both sides from
// hearing. A session without traffic holds no buffer.
//
// An inspector that is not nil is shown the plaintext of each direction as it passes, until it has seen
// enough; a filter that is not nil, until it says so, decides what goes on. A panic of either ends the
// session as a failure does, and is then the caller's.
func Relay(ctx context.Context, client, server *tls.Conn, inspect relay.Inspector, filter Filter) relay.Result {
	r := &plaintext{
		client: side{Conn: client, raw: client.NetConn(), finished: relay.ClientFIN, reset: relay.ClientRST, lost: relay.ClientLost, garbled: relay.ClientTLS},
		server: side{Conn: server, raw: server.NetConn(), finished: relay.ServerFIN, reset: relay.ServerRST, lost: relay.ServerLost, garbled: relay.ServerTLS},
	}
	if inspect != nil {
		r.inspector.Store(&inspect)
	}
	if filter != nil {
		r.filter.Store(&filter)
		defer filter.Close()
	}
	for _, s := range []*side{&r.client, &r.server} {
		if raw, ok := s.raw.(hangUpTeller); ok {
			raw.OnHangUp(func() {
				if err := raw.Err(); err != nil {
					r.fail(s.reason(err), err)
				}
			})
		}
	}
	stop := context.AfterFunc(ctx, func() { r.fail(relay.Stopped, context.Cause(ctx)) })
	defer stop()

	done := make(chan struct{})
	go func() {
		defer close(done)
		r.carry(&r.server, &r.client)
	}()
	r.carry(&r.client, &r.server)
	<-done
	if p := r.caught.Load(); p != nil {
		panic(p)
	}
	result := relay.Result{FromClient: r.client.taken.Load(), FromServer: r.server.taken.Load(), End: relay.End(r.end.Load())}
	if failure := r.failure.Load(); failure != nil {
		result.Err = *failure
	}
	if !errors.Is(result.Err, relay.ErrDropped) {
		_, _ = r.client.raw.Close(), r.server.raw.Close() // aborted already after another failure
	}
	return result
}

// plaintext is a session between its two sides.
type plaintext struct {
	client, server side

	inspector atomic.Pointer[relay.Inspector] // nil when nobody looks
	filter    atomic.Pointer[Filter]          // nil when everything passes
	answered  atomic.Bool                     // the client was told why nothing passes any more
	notified  atomic.Int32                    // directions that a close_notify ended
	end       atomic.Uint32                   // relay.End; the first one counts
	failure   atomic.Pointer[error]
	caught    atomic.Pointer[panics.Panic]
}

// panicked breaks both sides, as one of the two directions has panicked.
func (r *plaintext) panicked(p *panics.Panic) {
	r.caught.CompareAndSwap(nil, p)
	r.fail(relay.Stopped, p)
}

// fail breaks both sides: a session with one side broken ends as a reset of the other, even after
// its regular end. The first failure counts.
func (r *plaintext) fail(end relay.End, err error) {
	if !r.failure.CompareAndSwap(nil, &err) {
		return
	}
	r.end.Store(uint32(end))
	if filter := r.filter.Load(); filter != nil {
		(*filter).Close()
	}
	if errors.Is(err, relay.ErrDropped) {
		_, _ = r.client.raw.SetDeadline(longAgo), r.server.raw.SetDeadline(longAgo) // wakes what waits
		return
	}
	r.server.abort()
	if r.answered.Load() {
		_ = r.client.raw.SetWriteDeadline(time.Now().Add(answerTime))
		_ = r.client.CloseNotify()
		r.client.linger()
	} else {
		r.client.abort()
	}
}

// pieceList has room for what one call of ReadRecords returns.
type pieceList [tls.MaxPieces][]byte

var pieceLists = sync.Pool{New: func() any { return new(pieceList) }}

// carry moves what one side sends to the other, until its end.
func (r *plaintext) carry(from, to *side) {
	defer panics.Catch(r.panicked)
	watch := stallWatch{of: from, broken: func(err error) { r.fail(from.reason(err), err) }}
	for {
		switch err := from.WaitReadable(); { // nothing is held while this waits
		case errors.Is(err, io.EOF):
			r.finish(from, to)
			return
		case err != nil:
			r.fail(from.reason(err), err)
			return
		}
		if !r.move(from, to, &watch) {
			return
		}
	}
}

// move passes on what has been received. It returns false when the session is broken.
func (r *plaintext) move(from, to *side, watch *stallWatch) bool {
	list := pieceLists.Get().(*pieceList)
	defer func() {
		clear(list[:])
		pieceLists.Put(list)
	}()
	pieces, err := from.ReadRecords(list[:0])
	if err != nil {
		r.fail(from.reason(err), err)
		return false
	}
	if filter := r.filter.Load(); filter != nil {
		watch.start()
		defer watch.stop()
		return r.sift(*filter, from, to, pieces)
	}
	for _, piece := range pieces {
		from.taken.Add(uint64(len(piece)))
		if err := r.show(from == &r.client, piece); err != nil {
			r.fail(relay.Stopped, err)
			return false
		}
	}
	watch.start()
	defer watch.stop()
	if err := to.WriteRecords(pieces, from.ReleaseRecords); err != nil {
		r.fail(to.reason(err), err)
		return false
	}
	return true
}

// show lets the inspector see plaintext that is about to pass.
func (r *plaintext) show(fromClient bool, data []byte) error {
	inspect := r.inspector.Load()
	if inspect == nil {
		return nil
	}
	return r.obey((*inspect)(fromClient, data))
}

// obey does what a verdict says. It returns an error when nothing may pass any more.
func (r *plaintext) obey(v relay.Verdict) error {
	switch v {
	case relay.Seen:
		r.inspector.Store(nil)
		r.filter.Store(nil)
	case relay.Close:
		r.answered.Store(true)
	}
	return v.Err()
}

// finish passes on the end of what one side sends.
func (r *plaintext) finish(from, to *side) {
	r.end.CompareAndSwap(0, uint32(from.finished)) // the first one counts
	if filter := r.filter.Load(); filter != nil {
		if err := to.tell(func(on [][]byte) [][]byte { return (*filter).End(from == &r.client, on) }); err != nil {
			r.fail(to.reason(err), err)
			return
		}
	}
	if from.CloseNotified() {
		if err := to.CloseNotify(); err != nil {
			r.fail(to.reason(err), err)
			return
		}
		if r.notified.Add(1) == 2 {
			// Nothing can follow in either direction.
			_, _ = from.raw.Close(), to.raw.Close()
			return
		}
		// The FIN may come much later, or never.
		if err := from.awaitFIN(); err != nil {
			if !errors.Is(err, net.ErrClosed) {
				r.fail(from.reason(err), err)
			}
			return
		}
	}
	if err := to.sendFIN(); err != nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, syscall.ENOTCONN) {
		r.fail(to.reason(err), err)
	}
}
