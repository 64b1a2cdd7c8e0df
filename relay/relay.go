// Package relay carries bytes between the two connections of a terminated session: the client's, which ends in
// the gateway's own TCP stack, and the one to the server. It says what an [Inspector] may see of them, and how
// a session ended; relays of plaintext speak of both in the same words.
package relay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"sluice/internal/panics"
	"sluice/stack"
)

// End says how a relayed session ended.
type End uint8

// Ways a relayed session ends.
const (
	ClientFIN  End = iota + 1 // both sides finished, the client first
	ServerFIN                 // both sides finished, the server first
	ClientRST                 // the client reset the session
	ServerRST                 // the server reset the session
	ClientLost                // the client stopped answering, or became unreachable
	ServerLost                // the server stopped answering, or became unreachable
	ClientTLS                 // the client sent a fatal alert, or what is not TLS
	ServerTLS                 // the server sent a fatal alert, or what is not TLS
	Stopped                   // by an Inspector, or by the end of the context
)

var endNames = [...]string{
	ClientFIN: "client FIN", ServerFIN: "server FIN", ClientRST: "client RST", ServerRST: "server RST",
	ClientLost: "client lost", ServerLost: "server lost", ClientTLS: "client TLS failure",
	ServerTLS: "server TLS failure", Stopped: "stopped",
}

// String returns a short English name.
func (e End) String() string {
	if int(e) < len(endNames) {
		return endNames[e]
	}
	return ""
}

// Result is what became of a relayed session.
type Result struct {
	FromClient, FromServer uint64 // bytes taken from each side
	End                    End
	Err                    error // what broke the session; nil after a FIN

	// Lift is not nil where neither side was told of the end. Both hear nothing until it is called
	// and the connection to the server is closed.
	Lift func()
}

// Inspector is shown the bytes of a session in the order in which they pass, each byte before it goes on. It
// must not change or keep them. It is called by one goroutine for each direction.
type Inspector func(fromClient bool, data []byte) Verdict

// Verdict is what an Inspector says of a session.
type Verdict uint8

// The verdicts.
const (
	Continue Verdict = iota // what comes next is to be shown
	Seen                    // enough was seen: nothing more is shown, of either direction
	Tell                    // there is something to tell the side whose bytes these are; of filters alone
	Reset                   // nothing passes any more: both sides are reset
	Close                   // nothing passes any more: the server is reset, the client, who was answered, is closed
	Drop                    // nothing passes any more, and neither side hears of it
)

// What breaks a session that an Inspector stops; ErrDropped, one of which neither side is to hear.
var (
	errStopped = errors.New("stopped by what the session carried")
	ErrDropped = fmt.Errorf("%w, in silence", errStopped)
)

// Err is what breaks a session by the verdict; nil for one that goes on.
func (v Verdict) Err() error {
	switch v {
	case Reset, Close:
		return errStopped
	case Drop:
		return ErrDropped
	}
	return nil
}

// relayChunk bounds the bytes moved at once, so that a fast session lets others in between.
const relayChunk = 256 << 10

// stalledCheck is how often a session whose client takes no data looks whether its server is
// still there.
const stalledCheck = time.Second

// Run carries bytes between the client and upstream until both sides have finished, one has
// broken, or ctx ends. A FIN travels through as a FIN while the other direction goes on, a reset
// as a reset. The client is closed when it returns; upstream is left to the caller, who must
// close it at once, which after a failure resets it. A side that does not take its data stops the
// other side only; the session then holds no more than the buffers of its two connections. A
// session without traffic holds no buffer at all.
//
// An inspector that is not nil is shown the bytes of each direction as they pass, until it has seen
// enough. An edit that is not nil writes anew what the client sends, after it was inspected. A panic of
// either ends the session as a failure does, and is then the caller's.
func Run(ctx context.Context, client *stack.Stream, upstream *net.TCPConn, inspect Inspector, edit func([]byte) []byte) Result {
	raw, err := upstream.SyscallConn()
	if err != nil {
		_ = client.Abort()
		return Result{End: ServerRST, Err: err}
	}
	r := &relay{client: client, upstream: upstream, raw: raw}
	if inspect != nil {
		r.inspector.Store(&inspect)
	}
	client.OnHangUp(func() {
		if err := client.Err(); err != nil {
			r.fail(clientEnd(err), err)
		}
	})
	stop := context.AfterFunc(ctx, func() { r.fail(Stopped, context.Cause(ctx)) })
	defer stop()

	done := make(chan struct{})
	go func() {
		defer close(done)
		defer panics.Catch(r.panicked)
		r.download()
	}()
	func() {
		defer panics.Catch(r.panicked)
		if edit != nil {
			r.uploadEdited(edit)
		} else {
			r.upload()
		}
	}()
	<-done
	_ = client.Close() // aborted already after a failure
	if p := r.caught.Load(); p != nil {
		panic(p)
	}
	result := Result{FromClient: r.fromClient.Load(), FromServer: r.fromServer.Load(), End: End(r.end.Load()), Lift: r.lift}
	if failure := r.failure.Load(); failure != nil {
		result.Err = *failure
	}
	return result
}

// Stop ends a session that is not relayed yet by a verdict, which is none to go on.
func Stop(client *stack.Stream, upstream *net.TCPConn, v Verdict) Result {
	r := &relay{client: client, upstream: upstream}
	err := r.obey(v)
	r.fail(Stopped, err)
	return Result{End: Stopped, Err: err, Lift: r.lift}
}

// ServerFailed ends a session that is not relayed yet by an error of its connection to the server.
func ServerFailed(client *stack.Stream, upstream *net.TCPConn, err error) Result {
	r := &relay{client: client, upstream: upstream}
	r.fail(serverEnd(err), err)
	return Result{End: serverEnd(err), Err: err}
}

// relay is a session between its two sides.
type relay struct {
	client   *stack.Stream
	upstream *net.TCPConn
	raw      syscall.RawConn

	inspector              atomic.Pointer[Inspector] // nil when nobody looks
	answered               atomic.Bool               // the client was told why nothing passes any more
	shown                  uint64                    // bytes of the client that were inspected
	fromClient, fromServer atomic.Uint64
	lift                   func()        // see Result.Lift
	finSent                atomic.Bool   // the client's FIN went on to the server
	end                    atomic.Uint32 // End; the first one counts
	failure                atomic.Pointer[error]
	caught                 atomic.Pointer[panics.Panic]
}

// panicked breaks both sides, as one of the two directions has panicked.
func (r *relay) panicked(p *panics.Panic) {
	r.caught.CompareAndSwap(nil, p)
	r.fail(Stopped, p)
}

// finish notes that a side has finished; the first one counts.
func (r *relay) finish(end End) { r.end.CompareAndSwap(0, uint32(end)) }

// longAgo is a deadline that ends what waits.
var longAgo = time.Unix(1, 0)

// fail breaks both sides: a session with one side broken ends as a reset of the other, even after
// a FIN. The first failure counts.
func (r *relay) fail(end End, err error) {
	if !r.failure.CompareAndSwap(nil, &err) {
		return
	}
	r.end.Store(uint32(end))
	if errors.Is(err, ErrDropped) {
		r.silence()
		return
	}
	// Errors mean that the connection is broken already.
	_ = r.upstream.SetLinger(0)
	_ = r.upstream.SetDeadline(longAgo)
	if r.answered.Load() {
		_ = r.client.Linger()
	} else {
		_ = r.client.Abort()
	}
}

func clientEnd(err error) End {
	if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		return ClientRST
	}
	return ClientLost
}

func serverEnd(err error) End {
	if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		return ServerRST
	}
	return ServerLost
}
