package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

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
// has seen enough.
func Relay(ctx context.Context, client *stack.Stream, upstream *net.TCPConn, look Look) RelayResult {
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
		r.download()
	}()
	r.upload()
	<-done
	_ = client.Close() // aborted already after a failure
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
		_ = r.client.Close()
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

// upload carries the client's bytes to the server, straight from the receive queue of one
// connection into the socket of the other.
func (r *relay) upload() {
	var refused error // what the server's socket said
	var fd int
	writev := func(pieces [][]byte) (int, error) {
		if err := r.showPieces(pieces); err != nil {
			refused = err
			return 0, err
		}
		n, err := unix.Writev(fd, pieces)
		refused = err
		return max(n, 0), err
	}
	var received error // what the client's side said
	drain := func(socket uintptr) {
		fd = int(socket)
		var n int
		n, received = r.client.Drain(writev)
		r.fromClient.Add(uint64(n))
	}
	for {
		received, refused = nil, nil
		if err := r.raw.Control(drain); err != nil {
			r.fail(ServerLost, err)
			return
		}
		switch {
		case errors.Is(refused, unix.EAGAIN):
			if err := r.awaitUpstream(); err != nil {
				r.fail(serverEnd(err), err)
				return
			}
		case errors.Is(refused, errStopped):
			r.fail(RelayStopped, refused)
			return
		case errors.Is(refused, unix.EINTR), received == nil:
		case refused != nil:
			r.fail(serverEnd(refused), refused)
			return
		case errors.Is(received, stack.ErrWouldBlock):
			if err := r.client.WaitReadable(); err != nil {
				r.fail(clientEnd(err), err)
				return
			}
		case errors.Is(received, io.EOF):
			r.finish(ClientFIN)
			r.finSent.Store(true)
			if err := r.upstream.CloseWrite(); err != nil && !errors.Is(err, unix.ENOTCONN) {
				r.fail(serverEnd(err), err)
			}
			return
		default:
			r.fail(clientEnd(received), received)
			return
		}
	}
}

// showPieces shows what of the client's bytes, which begin at the first that was not written yet,
// has not been shown before.
func (r *relay) showPieces(pieces [][]byte) error {
	if r.look.Load() == nil {
		return nil
	}
	skip := r.shown - r.fromClient.Load()
	for _, piece := range pieces {
		n := min(skip, uint64(len(piece)))
		skip -= n
		if err := r.show(fromClient, piece[n:]); err != nil {
			return err
		}
		r.shown += uint64(len(piece)) - n
	}
	return nil
}

// show lets the look see bytes that are about to pass.
func (r *relay) show(from direction, data []byte) error {
	look := r.look.Load()
	if look == nil || len(data) == 0 {
		return nil
	}
	return r.obey((*look)(from, data))
}

// obey does what follows from a Look. It returns an error when nothing may pass any more.
func (r *relay) obey(s Sight) error {
	switch s {
	case LookDone:
		r.look.Store(nil)
	case LookStop:
		return errStopped
	case LookClose:
		r.answered.Store(true)
		return errStopped
	case LookSilence:
		return errSilenced
	}
	return nil
}

// awaitUpstream waits until the server's socket takes data.
func (r *relay) awaitUpstream() error {
	waited := false
	return r.raw.Write(func(uintptr) bool {
		done := waited
		waited = true
		return done
	})
}

// download carries the server's bytes to the client, straight from the socket into the send
// buffer of the client's connection.
func (r *relay) download() {
	var fd int
	read := func(b []byte) (int, error) {
		for {
			n, err := unix.Read(fd, b)
			switch {
			case err == unix.EINTR:
			case err != nil:
				return 0, err
			case n == 0:
				return 0, io.ErrUnexpectedEOF // there was less than the socket had announced
			default:
				return n, r.show(fromServer, b[:n])
			}
		}
	}
	var available, moved int
	var received, sent error // what the server's socket and the client's side said
	fill := func(socket uintptr) bool {
		fd = int(socket)
		moved, received, sent = 0, nil, nil
		available, received = announced(fd)
		if errors.Is(received, unix.EAGAIN) {
			return false // wait until readable
		}
		if received == nil {
			moved, sent = r.client.Fill(available, read)
			r.fromServer.Add(uint64(moved))
		}
		return true
	}
	for {
		if err := r.raw.Read(fill); err != nil {
			r.fail(serverEnd(err), err)
			return
		}
		switch {
		case errors.Is(received, io.EOF) && !r.finSent.Load() && r.upstreamClosed():
			// It was a RST whose error the other direction was told.
			r.fail(ServerRST, syscall.ECONNRESET)
			return
		case errors.Is(received, io.EOF):
			r.finish(ServerFIN)
			if err := r.client.CloseWrite(); err != nil {
				r.fail(clientEnd(err), err)
			}
			return
		case received != nil:
			r.fail(serverEnd(received), received)
			return
		case errors.Is(sent, stack.ErrWouldBlock):
			if err := r.awaitClient(); err != nil {
				return
			}
		case errors.Is(sent, errStopped):
			r.fail(RelayStopped, sent)
			return
		case sent != nil:
			r.fail(clientEnd(sent), sent)
			return
		}
	}
}

// upstreamClosed says whether the server's socket has no connection any more. After the server's
// FIN alone it still has.
func (r *relay) upstreamClosed() bool {
	closed := false
	err := r.raw.Control(func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		closed = err == nil && info.State == unix.BPF_TCP_CLOSE
	})
	return err == nil && closed
}

// announced is the number of bytes, up to relayChunk, that reading from a socket delivers without
// waiting. It returns io.EOF at the end of the stream and EAGAIN when there is nothing yet.
func announced(fd int) (int, error) {
	// Peeking with MSG_TRUNC makes TCP count what it would deliver and copy nothing (tcp(7)), so
	// that the buffer is never touched, whatever length is given.
	var untouched [1]byte
	for {
		n, _, errno := unix.Syscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&untouched)), relayChunk,
			unix.MSG_PEEK|unix.MSG_TRUNC|unix.MSG_DONTWAIT, 0, 0)
		switch {
		case errno == unix.EINTR:
		case errno != 0:
			return 0, errno
		case n == 0:
			return 0, io.EOF
		default:
			return int(n), nil
		}
	}
}

// awaitClient waits until the client takes data. While it does not, nobody reads from the server,
// so this looks now and then whether the server has reset the session.
func (r *relay) awaitClient() error {
	for {
		err := r.client.WaitWritable(stalledCheck)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			if err != nil {
				r.fail(clientEnd(err), err)
			}
			return err
		}
		if err := r.probeUpstream(); err != nil {
			r.fail(serverEnd(err), err)
			return err
		}
	}
}

// probeUpstream returns the pending error of the server's socket.
func (r *relay) probeUpstream() (err error) {
	control := r.raw.Control(func(fd uintptr) {
		var pending int
		if pending, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR); err == nil && pending != 0 {
			err = syscall.Errno(pending)
		}
	})
	return errors.Join(control, err)
}
