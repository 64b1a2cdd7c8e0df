package stack

import (
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// Errors of a Stream. They are the system's own, so that both sides of a relay fail alike.
var (
	errReset   error = syscall.ECONNRESET
	errTimeout error = syscall.ETIMEDOUT
	errPipe    error = syscall.EPIPE
)

// ErrWouldBlock is returned by the operations of a Stream that never wait.
var ErrWouldBlock error = syscall.EAGAIN

// Stream is the client's side of a terminated TCP session. It is a net.Conn whose remote address
// is the client's and whose local address is the server's that the client wanted. Reads may go on
// beside writes. An idle stream holds no buffer.
type Stream struct {
	client, server netip.AddrPort

	endpoint tcpip.Endpoint
	events   waiter.Queue
	entry    waiter.Entry
	silences *silences

	read, write side
	failure     atomic.Pointer[error] // why the connection broke
	closed      atomic.Bool
	hangUp      atomic.Pointer[func()]
}

// side is one direction of a stream.
type side struct {
	mu       sync.Mutex    // one operation at a time
	ready    chan struct{} // holds a token when it is worth trying again
	deadline deadline
	bytes    atomic.Uint64
	last     atomic.Int64 // time of the last transfer, nanoseconds since epoch
}

// epoch makes the clock readings of streams monotonic.
var epoch = time.Now()

func (s *side) wake() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

func (s *side) moved(n int) {
	s.bytes.Add(uint64(n))
	s.last.Store(int64(time.Since(epoch)))
}

func (s *Stream) start(endpoint tcpip.Endpoint) {
	s.endpoint = endpoint
	now := int64(time.Since(epoch))
	for _, side := range []*side{&s.read, &s.write} {
		side.ready = make(chan struct{}, 1)
		side.last.Store(now)
	}
	s.entry.Init(s, waiter.ReadableEvents|waiter.WritableEvents|waiter.EventHUp|waiter.EventErr)
	s.events.EventRegister(&s.entry)
}

// NotifyEvent implements waiter.EventListener. It is called by the TCP stack and must not block.
func (s *Stream) NotifyEvent(mask waiter.EventMask) {
	if mask&(waiter.ReadableEvents|waiter.EventHUp|waiter.EventErr) != 0 {
		s.read.wake()
	}
	if mask&(waiter.WritableEvents|waiter.EventHUp|waiter.EventErr) != 0 {
		s.write.wake()
	}
	if mask&waiter.EventErr != 0 {
		if f := s.hangUp.Load(); f != nil {
			go (*f)()
		}
	}
}

// OnHangUp has f called in a goroutine of its own when the connection breaks, even while nobody
// reads or writes. f may be called more than once, and after a regular end too; Err tells.
func (s *Stream) OnHangUp(f func()) { s.hangUp.Store(&f) }

// Err returns why the connection broke: a syscall.Errno, ECONNRESET, ETIMEDOUT or another. It is
// nil for a connection that works or ended regularly.
func (s *Stream) Err() error {
	if failure := s.failure.Load(); failure != nil {
		return *failure
	}
	if s.closed.Load() || tcp.EndpointState(s.endpoint.State()) != tcp.StateError {
		return nil
	}
	return s.fail(s.endpoint.LastError())
}

// fail keeps the first error, as the stack tells it only once, and returns what is kept.
func (s *Stream) fail(err tcpip.Error) error {
	failure := errReset
	switch err.(type) {
	case *tcpip.ErrTimeout:
		failure = errTimeout
	case *tcpip.ErrHostUnreachable:
		failure = syscall.EHOSTUNREACH
	case *tcpip.ErrNetworkUnreachable:
		failure = syscall.ENETUNREACH
	}
	s.failure.CompareAndSwap(nil, &failure)
	return *s.failure.Load()
}

// readError translates an error of the stack's read side.
func (s *Stream) readError(err tcpip.Error) error {
	switch err.(type) {
	case *tcpip.ErrWouldBlock:
		return ErrWouldBlock
	case *tcpip.ErrClosedForReceive:
		// The stack says this of a broken connection too, when the writer was told the reason.
		if s.closed.Load() {
			return net.ErrClosed
		}
		if err := s.Err(); err != nil {
			return err
		}
		return io.EOF
	}
	if s.closed.Load() {
		return net.ErrClosed
	}
	return s.fail(err)
}

// writeError translates an error of the stack's write side.
func (s *Stream) writeError(err tcpip.Error) error {
	switch err.(type) {
	case *tcpip.ErrWouldBlock:
		return ErrWouldBlock
	case *tcpip.ErrClosedForSend:
		if s.closed.Load() {
			return net.ErrClosed
		}
		if err := s.Err(); err != nil {
			return err
		}
		return errPipe
	}
	if s.closed.Load() {
		return net.ErrClosed
	}
	return s.fail(err)
}

// CloseWrite sends a FIN after what is written. Reading goes on.
func (s *Stream) CloseWrite() error {
	if err := s.endpoint.Shutdown(tcpip.ShutdownWrite); err != nil {
		return s.writeError(err)
	}
	return nil
}

// Close ends the stream: what is written is still delivered, what was not read is lost. It does
// not wait.
func (s *Stream) Close() error {
	return s.end(s.release)
}

// release gives the connection up.
func (s *Stream) release() {
	// Data that the client never acknowledges must not keep the connection for minutes.
	orphan := tcpip.TCPUserTimeoutOption(orphanTimeout)
	_ = s.endpoint.SetSockOpt(&orphan) // refused by a connection that has ended
	s.endpoint.Close()
}

// Linger ends the stream as Close does, but lets the client come to the end of what is written: until
// it has finished too, for five seconds at most, what it still sends is thrown away, where Close would
// answer that, and what was not read, with a RST that overtakes the reader (RFC 9112 section 9.6). It
// does not wait.
func (s *Stream) Linger() error {
	return s.end(func() {
		_ = s.endpoint.Shutdown(tcpip.ShutdownWrite) // refused by a connection that has ended
		entry, arrived := waiter.NewChannelEntry(waiter.ReadableEvents | waiter.EventHUp | waiter.EventErr)
		s.events.EventRegister(&entry)
		go func() {
			s.discard(arrived, time.After(lingerTime))
			s.events.EventUnregister(&entry)
			s.release()
		}()
	})
}

// discard throws away what the client sends until it has finished, or over tells that it has not.
func (s *Stream) discard(arrived <-chan struct{}, over <-chan time.Time) {
	for {
		switch _, err := s.endpoint.Read(io.Discard, tcpip.ReadOptions{}); err.(type) {
		case nil:
		case *tcpip.ErrWouldBlock:
			select {
			case <-arrived:
			case <-over:
				return
			}
		default:
			return
		}
	}
}

// Abort ends the stream with a RST.
func (s *Stream) Abort() error {
	return s.end(func() {
		s.endpoint.SocketOptions().SetLinger(tcpip.LingerOption{Enabled: true})
		s.endpoint.Close()
	})
}

func (s *Stream) end(finish func()) error {
	if s.closed.Swap(true) {
		return net.ErrClosed
	}
	s.read.wake()
	s.write.wake()
	// A reader may be looking at received data that closing gives back.
	s.read.mu.Lock()
	defer s.read.mu.Unlock()
	finish()
	s.events.EventUnregister(&s.entry)
	s.hangUp.Store(nil) // the stack knows the stream until TIME-WAIT is over, but what it belonged to need not stay
	s.read.deadline.stop()
	s.write.deadline.stop()
	return nil
}

// StreamStats counts what a stream carried.
type StreamStats struct {
	Received, Sent   uint64        // bytes from and to the client
	Idle             time.Duration // since bytes moved in either direction
	RTT              time.Duration // smoothed round trip time to the client, 0 before the first measurement
	Retransmits      uint64        // segments sent again
	CongestionWindow uint32        // segments
}

// Stats returns the counters of the stream.
func (s *Stream) Stats() StreamStats {
	stats := StreamStats{Received: s.read.bytes.Load(), Sent: s.write.bytes.Load(), Idle: s.Idle()}
	var info tcpip.TCPInfoOption
	if err := s.endpoint.GetSockOpt(&info); err == nil {
		stats.RTT, stats.CongestionWindow = info.RTT, info.SndCwnd
	}
	if e, ok := s.endpoint.Stats().(*tcp.Stats); ok {
		stats.Retransmits = e.SendErrors.Retransmits.Value()
	}
	return stats
}

// Idle is the time since bytes moved in either direction.
func (s *Stream) Idle() time.Duration {
	return time.Since(epoch) - time.Duration(max(s.read.last.Load(), s.write.last.Load()))
}

// Client is the address of the client.
func (s *Stream) Client() netip.AddrPort { return s.client }

// Server is the address that the client connected to.
func (s *Stream) Server() netip.AddrPort { return s.server }

// LocalAddr is the address that the client connected to.
func (s *Stream) LocalAddr() net.Addr { return net.TCPAddrFromAddrPort(s.server) }

// RemoteAddr is the address of the client.
func (s *Stream) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(s.client) }
