package sslproxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"sluice/internal/panics"
	tls "sluice/tls/stdtls"
)

// RelayEnd says how the relaying of a session's plaintext ended.
type RelayEnd uint8

// Ways the relaying ends.
const (
	ClientFIN    RelayEnd = iota + 1 // both sides finished, the client first
	ServerFIN                        // both sides finished, the server first
	ClientRST                        // the client reset the session
	ServerRST                        // the server reset the session
	ClientLost                       // the client stopped answering, or became unreachable
	ServerLost                       // the server stopped answering, or became unreachable
	ClientTLS                        // the client sent a fatal alert, or what is not TLS
	ServerTLS                        // the server sent a fatal alert, or what is not TLS
	RelayStopped                     // a Look or the end of the context stopped it
)

var relayEndNames = [...]string{
	ClientFIN: "client FIN", ServerFIN: "server FIN", ClientRST: "client RST", ServerRST: "server RST",
	ClientLost: "client lost", ServerLost: "server lost", ClientTLS: "client TLS failure",
	ServerTLS: "server TLS failure", RelayStopped: "stopped",
}

// String returns a short English name.
func (e RelayEnd) String() string {
	if int(e) < len(relayEndNames) {
		return relayEndNames[e]
	}
	return ""
}

// RelayResult is what became of a relayed session.
type RelayResult struct {
	FromClient, FromServer uint64 // bytes of plaintext taken from each side
	End                    RelayEnd
	Err                    error // what broke the session; nil after a regular end
}

// Look is shown the plaintext of a session in the order in which it passes, each byte before it
// goes on. It must not change or keep data. It is called by one goroutine for each direction.
type Look func(fromClient bool, data []byte) Sight

// Sight is what follows from a Look.
type Sight uint8

// What may follow from a Look.
const (
	LookOn    Sight = iota // show what comes next
	LookDone               // enough was seen: nothing more is shown, of either direction
	LookTell               // a Filter has something to tell the side that was looked at
	LookStop               // nothing passes any more: both sides are reset
	LookClose              // nothing passes any more: the server is reset, the client, who was answered, is closed
	LookLeave              // nothing passes any more, and what becomes of the connections is up to the caller of Relay
)

// errStopped is what breaks a session that a Look stops, errLeft one whose connections stay.
var (
	errStopped = errors.New("stopped by what the session carried")
	errLeft    = fmt.Errorf("%w, without an end", errStopped)
)

// answerTime is how long a client that was answered has to take the end of the answer.
const answerTime = time.Second

// Relay carries plaintext between the TLS connection with the client and that with the server
// until both sides have finished, one has broken, or ctx ends. Handshakes are over. A close_notify
// travels through as a close_notify and a FIN as a FIN, while the other direction goes on, so that
// an end without close_notify is seen as one; a reset travels as a reset. Both connections are
// closed when it returns, unless the look leaves them. A session without traffic holds no buffer.
//
// A look that is not nil is shown the plaintext of each direction as it passes, until it says that
// it has seen enough; a filter that is not nil, until it says so, decides what goes on. A panic of either
// ends the session as a failure does, and is then the caller's.
func Relay(ctx context.Context, client, server *tls.Conn, look Look, filter Filter) RelayResult {
	r := &relay{
		client: side{Conn: client, raw: client.NetConn(), finished: ClientFIN, reset: ClientRST, lost: ClientLost, garbled: ClientTLS},
		server: side{Conn: server, raw: server.NetConn(), finished: ServerFIN, reset: ServerRST, lost: ServerLost, garbled: ServerTLS},
	}
	if look != nil {
		r.look.Store(&look)
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
	stop := context.AfterFunc(ctx, func() { r.fail(RelayStopped, context.Cause(ctx)) })
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
	result := RelayResult{FromClient: r.client.taken.Load(), FromServer: r.server.taken.Load(), End: RelayEnd(r.end.Load())}
	if failure := r.failure.Load(); failure != nil {
		result.Err = *failure
	}
	if !errors.Is(result.Err, errLeft) {
		_, _ = r.client.raw.Close(), r.server.raw.Close() // aborted already after another failure
	}
	return result
}

// relay is a session between its two sides.
type relay struct {
	client, server side

	look     atomic.Pointer[Look]   // nil when nobody looks
	filter   atomic.Pointer[Filter] // nil when everything passes
	answered atomic.Bool            // the client was told why nothing passes any more
	notified atomic.Int32           // directions that a close_notify ended
	end      atomic.Uint32          // RelayEnd; the first one counts
	failure  atomic.Pointer[error]
	caught   atomic.Pointer[panics.Panic]
}

// panicked breaks both sides, as one of the two directions has panicked.
func (r *relay) panicked(p *panics.Panic) {
	r.caught.CompareAndSwap(nil, p)
	r.fail(RelayStopped, p)
}

// fail breaks both sides: a session with one side broken ends as a reset of the other, even after
// its regular end. The first failure counts.
func (r *relay) fail(end RelayEnd, err error) {
	if !r.failure.CompareAndSwap(nil, &err) {
		return
	}
	r.end.Store(uint32(end))
	if filter := r.filter.Load(); filter != nil {
		(*filter).Close()
	}
	if errors.Is(err, errLeft) {
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
func (r *relay) carry(from, to *side) {
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
func (r *relay) move(from, to *side, watch *stallWatch) bool {
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
			r.fail(RelayStopped, err)
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

// show lets the look see plaintext that is about to pass.
func (r *relay) show(fromClient bool, data []byte) error {
	look := r.look.Load()
	if look == nil {
		return nil
	}
	return r.obey((*look)(fromClient, data))
}

// obey does what follows from a Look. It returns an error when nothing may pass any more.
func (r *relay) obey(s Sight) error {
	switch s {
	case LookDone:
		r.look.Store(nil)
		r.filter.Store(nil)
	case LookStop:
		return errStopped
	case LookClose:
		r.answered.Store(true)
		return errStopped
	case LookLeave:
		return errLeft
	}
	return nil
}

// finish passes on the end of what one side sends.
func (r *relay) finish(from, to *side) {
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
