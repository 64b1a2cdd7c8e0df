package proxy

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
	"sluice/track"
)

// RelayEnd says how a relayed session ended.
type RelayEnd uint8

// Ways a relayed session ends.
const (
	ClientFIN    RelayEnd = iota + 1 // both sides finished, the client first
	ServerFIN                        // both sides finished, the server first
	ClientRST                        // the client reset the session
	ServerRST                        // the server reset the session
	ClientLost                       // the client stopped answering, or became unreachable
	ServerLost                       // the server stopped answering, or became unreachable
	RelayStopped                     // the context ended
)

var relayEndNames = [...]string{
	ClientFIN: "client FIN", ServerFIN: "server FIN", ClientRST: "client RST", ServerRST: "server RST",
	ClientLost: "client lost", ServerLost: "server lost", RelayStopped: "stopped",
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
	FromClient, FromServer uint64 // bytes taken from each side
	End                    RelayEnd
	Err                    error // what broke the session; nil after a FIN

	// Lift is not nil where neither side was told of the end. Both hear nothing until it is called
	// and upstream is closed.
	Lift func()
}

// Reason is the close reason that the logs give.
func (r RelayResult) Reason() track.Reason {
	switch r.End {
	case ClientRST:
		return track.ReasonClientRST
	case ServerRST:
		return track.ReasonServerRST
	case ClientLost, ServerLost:
		return track.ReasonAgedOut
	case RelayStopped:
		return track.ReasonCLI
	case ServerFIN:
		return track.ReasonServerFIN
	}
	return track.ReasonClientFIN
}

// Look is shown bytes of a relayed session in the order in which they pass, each byte before it
// goes on. It is called by one goroutine for each direction.
type Look func(from direction, data []byte) Sight

// Sight is what follows from a Look.
type Sight uint8

// What may follow from a Look.
const (
	LookOn      Sight = iota // show what comes next
	LookDone                 // enough was seen: nothing more is shown, of either direction
	LookStop                 // nothing passes any more: both sides are reset
	LookClose                // nothing passes any more: the server is reset, the client, who was answered, is closed
	LookSilence              // nothing passes any more, and neither side hears of it
)

// errStopped is what breaks a session that a Look stops, errSilenced one of which nobody is to hear.
var (
	errStopped  = errors.New("stopped by what the session carried")
	errSilenced = fmt.Errorf("%w, in silence", errStopped)
)

// relayChunk bounds the bytes moved at once, so that a fast session lets others in between.
const relayChunk = 256 << 10

// stalledCheck is how often a session whose client takes no data looks whether its server is
// still there.
const stalledCheck = time.Second

// Relay carries bytes between the client and upstream until both sides have finished, one has
// broken, or ctx ends. A FIN travels through as a FIN while the other direction goes on, a reset
// as a reset. The client is closed when it returns; upstream is left to the caller, who must
// close it at once, which after a failure resets it. A side that does not take its data stops the
// other side only; the session then holds no more than the buffers of its two connections. A
// session without traffic holds no buffer at all.
//
// A look that is not nil is shown the bytes of each direction as they pass, until it says that it
// has seen enough. An edit that is not nil writes anew what the client sends, after it was looked at. A
// panic of either ends the session as a failure does, and is then the caller's.
func Relay(ctx context.Context, client *stack.Stream, upstream *net.TCPConn, look Look, edit func([]byte) []byte) RelayResult {
	raw, err := upstream.SyscallConn()
	if err != nil {
		_ = client.Abort()
		return RelayResult{End: ServerRST, Err: err}
	}
	r := &relay{client: client, upstream: upstream, raw: raw}
	if look != nil {
		r.look.Store(&look)
	}
	client.OnHangUp(func() {
		if err := client.Err(); err != nil {
			r.fail(clientEnd(err), err)
		}
	})
	stop := context.AfterFunc(ctx, func() { r.fail(RelayStopped, context.Cause(ctx)) })
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
	result := RelayResult{FromClient: r.fromClient.Load(), FromServer: r.fromServer.Load(), End: RelayEnd(r.end.Load()), Lift: r.lift}
	if failure := r.failure.Load(); failure != nil {
		result.Err = *failure
	}
	return result
}

// breakRelay ends a session that is not relayed yet, as a relay does.
func breakRelay(client *stack.Stream, upstream *net.TCPConn, end RelayEnd, err error) RelayResult {
	r := &relay{client: client, upstream: upstream}
	r.fail(end, err)
	return RelayResult{End: end, Err: err, Lift: r.lift}
}

// stopRelay is breakRelay for a session that a Look stops.
func stopRelay(client *stack.Stream, upstream *net.TCPConn, s Sight) RelayResult {
	r := &relay{client: client, upstream: upstream}
	err := r.obey(s)
	r.fail(RelayStopped, err)
	return RelayResult{End: RelayStopped, Err: err, Lift: r.lift}
}

// relay is a session between its two sides.
type relay struct {
	client   *stack.Stream
	upstream *net.TCPConn
	raw      syscall.RawConn

	look                   atomic.Pointer[Look] // nil when nobody looks
	answered               atomic.Bool          // the client was told why nothing passes any more
	shown                  uint64               // bytes of the client that were looked at
	fromClient, fromServer atomic.Uint64
	lift                   func()        // see RelayResult.Lift
	finSent                atomic.Bool   // the client's FIN went on to the server
	end                    atomic.Uint32 // RelayEnd; the first one counts
	failure                atomic.Pointer[error]
	caught                 atomic.Pointer[panics.Panic]
}

// panicked breaks both sides, as one of the two directions has panicked.
func (r *relay) panicked(p *panics.Panic) {
	r.caught.CompareAndSwap(nil, p)
	r.fail(RelayStopped, p)
}

// finish notes that a side has finished; the first one counts.
func (r *relay) finish(end RelayEnd) { r.end.CompareAndSwap(0, uint32(end)) }

// longAgo is a deadline that ends what waits.
var longAgo = time.Unix(1, 0)

// fail breaks both sides: a session with one side broken ends as a reset of the other, even after
// a FIN. The first failure counts.
func (r *relay) fail(end RelayEnd, err error) {
	if !r.failure.CompareAndSwap(nil, &err) {
		return
	}
	r.end.Store(uint32(end))
	if errors.Is(err, errSilenced) {
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

func clientEnd(err error) RelayEnd {
	if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		return ClientRST
	}
	return ClientLost
}

func serverEnd(err error) RelayEnd {
	if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		return ServerRST
	}
	return ServerLost
}
