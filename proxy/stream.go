package proxy

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"sluice/relay"
	"sluice/route"
	"sluice/stack"
	"sluice/track"
)

// dialTimeout bounds the wait for a server's answer on the stream path; the client's own
// patience usually ends first.
const dialTimeout = 60 * time.Second

// relayed is the terminated side of a session: its upstream socket and the way to end it.
type relayed struct {
	cancel    context.CancelFunc
	local     netip.Addr                  // address to dial from instead of the client's, for source translation
	syn       []byte                      // the client's first frame, for an ICMP error to quote
	codePoint uint8                       // of the client's first frame
	source    netip.AddrPort              // what the server sees as client; set before the session shows it
	upstream  atomic.Pointer[net.TCPConn] // nil until the server answered
	packets   atomic.Uint64               // what the upstream socket had received when it was closed
	bytes     atomic.Uint64
}

// admitStream enters a session whose TCP connection ends in the gateway. The server's packets
// go to the upstream socket, so only the client's direction is in the table.
func (e *Engine) admitStream(a *arrival, s *Session, translated bool) *wing {
	p := a.packet
	r := &relayed{cancel: func() {}, syn: slices.Clone(p.Frame), codePoint: p.DSCP()}
	if translated {
		r.local = e.address(a.to.device, p.V6)
		if !r.local.IsValid() {
			e.failed.Add(1)
			e.drop(dropNATPorts)
			return nil
		}
		r.source = netip.AddrPortFrom(r.local, 0) // the port is known once the server is dialled
	}
	s.relay.Store(r)
	return e.enter(s, p)
}

// accept serves one terminated connection: the server is dialled first, so that refused is seen
// as refused and silence as silence; then the client is answered and the two are relayed.
func (e *Engine) accept(pending *stack.Pending) {
	key := stack.NewKey(pending.Client(), pending.Server(), unix.IPPROTO_TCP)
	w := e.table.find(&key)
	if w == nil || w.session.path != stream {
		pending.Drop()
		return
	}
	s := w.session
	ctx, cancel := context.WithCancel(context.Background())
	asked := s.relay.Load()
	r := &relayed{cancel: cancel, local: asked.local, source: asked.source, codePoint: asked.codePoint}
	s.relay.Store(r)
	if s.removed.Load() { // while its new relay could not be cancelled yet
		cancel()
	}
	e.relays.Add(1)
	client, upstream := e.connect(ctx, pending, s, r, asked.syn)
	if client == nil {
		cancel()
		e.relays.Done()
		return
	}
	// A goroutine of its own, as the stack of this one has grown by dialling and would stay so
	// for the session's life.
	go func() {
		defer e.relays.Done()
		defer cancel()
		defer upstream.Close()
		defer func() {
			if r := recover(); r != nil {
				e.notePanic(r, key)
				_ = client.Abort()
			}
		}()
		e.establish(s)
		result := e.serve(ctx, s, client, upstream)
		s.relay.Load().keepReceived(upstream)
		e.finish(s, closeReason(result.End), lingerFIN)
		if result.Lift != nil {
			<-ctx.Done() // the session is removed
			result.Lift()
		}
	}()
}

// closeReason is why a relayed session has ended, as the logs tell it.
func closeReason(end relay.End) track.Reason {
	switch end {
	case relay.ClientRST, relay.ClientTLS:
		return track.ReasonClientRST
	case relay.ServerRST, relay.ServerTLS:
		return track.ReasonServerRST
	case relay.ClientLost, relay.ServerLost:
		return track.ReasonAgedOut
	case relay.Stopped:
		return track.ReasonCLI
	case relay.ServerFIN:
		return track.ReasonServerFIN
	}
	return track.ReasonClientFIN
}

// connect dials the server and then answers the client. Without a client connection it has told
// both sides, and the session, what became of it.
func (e *Engine) connect(ctx context.Context, pending *stack.Pending, s *Session, r *relayed, syn []byte) (*stack.Stream, *net.TCPConn) {
	upstream, err := e.dial(ctx, pending, s, r)
	if err != nil {
		e.announce(s)
		e.refuseStream(s, pending, syn, err)
		return nil, nil
	}
	connected := &relayed{cancel: r.cancel, local: r.local, source: r.source, codePoint: r.codePoint}
	if r.local.IsValid() {
		connected.source = upstream.LocalAddr().(*net.TCPAddr).AddrPort()
	}
	connected.upstream.Store(upstream)
	s.relay.Store(connected)
	e.markUpstream(s) // its rule may have changed meanwhile
	e.announce(s)
	client, err := pending.Accept()
	if err != nil {
		_ = upstream.SetLinger(0) // the client reset meanwhile, and so do we
		_ = upstream.Close()
		connected.upstream.Store(nil)
		e.finish(s, track.ReasonClientRST, 0)
		return nil, nil
	}
	return client, upstream
}

// dial opens the upstream connection with the client's own address and port, or with the
// gateway's where the session is translated. It gives up when ctx ends and when the client does.
func (e *Engine) dial(ctx context.Context, pending *stack.Pending, s *Session, r *relayed) (*net.TCPConn, error) {
	asking, giveUp := context.WithTimeout(pending.Context(), dialTimeout)
	defer giveUp()
	defer context.AfterFunc(ctx, giveUp)()
	point, priority := e.upstreamMarks(s, r.codePoint)
	o := route.DialOptions{Source: s.client(), Destination: s.server(), CodePoint: point, Priority: priority}
	if r.local.IsValid() {
		o.Source, o.Local = netip.AddrPort{}, r.local
	}
	return route.Dial(asking, o)
}

// refuseStream tells the client what the server, or the way to it, said.
func (e *Engine) refuseStream(s *Session, pending *stack.Pending, syn []byte, err error) {
	switch {
	case errors.Is(err, route.ErrRefused):
		pending.Refuse()
		e.finish(s, track.ReasonServerRST, lingerRST)
	case errors.Is(err, route.ErrUnreachable):
		why := stack.UnreachHost
		if errors.Is(err, route.ErrNetUnreachable) {
			why = stack.UnreachNet
		}
		var p stack.Packet
		if in := s.wings[fromClient].port; p.Parse(syn) == nil {
			e.answer(in.tun.Queues()[0], p.Unreachable(e.address(in.device, p.V6), why))
		}
		pending.Drop()
		e.finish(s, track.ReasonICMPError, lingerError)
	default:
		pending.Drop()
		e.finish(s, track.ReasonAgedOut, 0)
	}
}

// received is what arrived from the server: the upstream socket's own count while it is open.
func (r *relayed) received() (packets, bytes uint64) {
	if c := r.upstream.Load(); c != nil {
		if packets, bytes, ok := socketReceived(c); ok {
			return packets, bytes
		}
	}
	return r.packets.Load(), r.bytes.Load()
}

// keepReceived keeps the socket's last count before it is closed.
func (r *relayed) keepReceived(c *net.TCPConn) {
	if packets, bytes, ok := socketReceived(c); ok {
		r.packets.Store(packets)
		r.bytes.Store(bytes)
	}
	r.upstream.Store(nil)
}

// Header bytes of a TCP segment with the timestamp option, as Linux sends them, and how many more
// the first one has.
const (
	segmentHeader4 = 20 + 32
	segmentHeader6 = 40 + 32
	openingOptions = 8
)

// socketReceived asks the kernel what a connection received (TCP_INFO). Header bytes are added
// a segment; a segment's options beyond the timestamp are not known.
func socketReceived(c *net.TCPConn) (packets, bytes uint64, ok bool) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, 0, false
	}
	var info *unix.TCPInfo
	if raw.Control(func(fd uintptr) { info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) }) != nil || err != nil {
		return 0, 0, false
	}
	header := uint64(segmentHeader4)
	if c.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().Unmap().Is6() {
		header = segmentHeader6
	}
	return uint64(info.Segs_in), info.Bytes_received + uint64(info.Segs_in)*header + openingOptions, true
}
