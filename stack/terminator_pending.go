package stack

import (
	"context"
	"errors"
	"net/netip"
	"sync"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// ErrAnswered is returned by Accept of a request that was answered before.
var ErrAnswered = errors.New("connection request already answered")

// ErrClientGone is the cause of a Pending's context when the client reset its request.
var ErrClientGone = errors.New("client withdrew its connection request")

// pendingTable holds the connection requests that wait for an answer. It recognises repeated
// SYNs and bounds the requests, in all and of one client.
type pendingTable struct {
	limit, limitPerClient int

	mu      sync.Mutex
	waiting map[stack.TransportEndpointID]*request
	clients map[tcpip.Address]int
	ignored uint64
	closed  bool
}

// request is one waiting connection request.
type request struct {
	sequence uint32 // of the client's SYN
	nic      tcpip.NICID
	ctx      context.Context
	cancel   context.CancelCauseFunc
}

func (t *pendingTable) init(limit, limitPerClient int) {
	t.limit, t.limitPerClient = limit, limitPerClient
	t.waiting = make(map[stack.TransportEndpointID]*request)
	t.clients = make(map[tcpip.Address]int)
}

// add reports whether id is a new request within the limits.
func (t *pendingTable) add(id stack.TransportEndpointID, sequence uint32, nic tcpip.NICID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, repeated := t.waiting[id]; repeated || t.closed {
		return false
	}
	if len(t.waiting) >= t.limit || t.clients[id.RemoteAddress] >= t.limitPerClient {
		t.ignored++
		return false
	}
	r := &request{sequence: sequence, nic: nic}
	r.ctx, r.cancel = context.WithCancelCause(context.Background())
	t.waiting[id] = r
	t.clients[id.RemoteAddress]++
	return true
}

func (t *pendingTable) remove(id stack.TransportEndpointID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r, ok := t.waiting[id]
	if !ok {
		return
	}
	r.cancel(context.Canceled)
	delete(t.waiting, id)
	if t.clients[id.RemoteAddress]--; t.clients[id.RemoteAddress] == 0 {
		delete(t.clients, id.RemoteAddress)
	}
}

// withdraw cancels the request that a client's RST belongs to.
func (t *pendingTable) withdraw(id stack.TransportEndpointID, sequence uint32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r, ok := t.waiting[id]; ok && sequence == r.sequence+1 {
		r.cancel(ErrClientGone)
	}
}

// of is the waiting request of id, or nil.
func (t *pendingTable) of(id stack.TransportEndpointID) *request {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.waiting[id]
}

func (t *pendingTable) context(id stack.TransportEndpointID) context.Context {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r, ok := t.waiting[id]; ok {
		return r.ctx
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(ErrClosed)
	return ctx
}

func (t *pendingTable) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for _, r := range t.waiting {
		r.cancel(ErrClosed)
	}
}

func (t *pendingTable) stats() (waiting int, ignored uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.waiting), t.ignored
}

// receive gets every segment that belongs to no connection. It reports false for those the stack
// shall answer with a RST.
func (t *Terminator) receive(id stack.TransportEndpointID, pkt *stack.PacketBuffer) bool {
	segment := header.TCP(pkt.TransportHeader().Slice())
	flags := segment.Flags()
	if flags.Contains(header.TCPFlagRst) {
		t.pending.withdraw(id, segment.SequenceNumber())
		return true
	}
	if !flags.Contains(header.TCPFlagSyn) || flags.Contains(header.TCPFlagAck) {
		return false
	}
	if !t.pending.add(id, segment.SequenceNumber(), pkt.NICID) {
		return true
	}
	if !t.forwarder.HandlePacket(id, pkt) {
		t.pending.remove(id) // malformed
	}
	return true
}

// Pending is a client's connection request that waits for an answer. Exactly one of Accept,
// Refuse and Drop answers it.
type Pending struct {
	terminator *Terminator
	id         stack.TransportEndpointID
	ctx        context.Context

	mu      sync.Mutex
	request *tcp.ForwarderRequest // nil once answered
}

func (t *Terminator) newPending(r *tcp.ForwarderRequest) *Pending {
	id := r.ID()
	return &Pending{terminator: t, id: id, ctx: t.pending.context(id), request: r}
}

// Client is the address the request came from.
func (p *Pending) Client() netip.AddrPort { return addrPort(p.id.RemoteAddress, p.id.RemotePort) }

// Server is the address the request is for.
func (p *Pending) Server() netip.AddrPort { return addrPort(p.id.LocalAddress, p.id.LocalPort) }

// Context is cancelled when the request is answered, with the cause ErrClientGone when the client
// withdraws it by a reset, and with ErrClosed when the terminator closes.
func (p *Pending) Context() context.Context { return p.ctx }

// take makes the caller the one who answers.
func (p *Pending) take() *tcp.ForwarderRequest {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.request
	p.request = nil
	return r
}

// Accept finishes the handshake with the client. It blocks until the client has answered, and
// returns an error when it does not or resets.
func (p *Pending) Accept() (*Stream, error) {
	r := p.take()
	if r == nil {
		return nil, ErrAnswered
	}
	defer p.terminator.pending.remove(p.id)
	defer r.Complete(false)
	s := &Stream{client: p.Client(), server: p.Server(), silences: &p.terminator.silences}
	if errors.Is(context.Cause(p.ctx), ErrClientGone) {
		return nil, ErrClientGone
	}
	endpoint, err := r.CreateEndpoint(&s.events)
	if err != nil {
		return nil, stackError("handshake with client", err)
	}
	s.start(endpoint)
	return s, nil
}

// Refuse answers with a RST, as a server without a listener.
func (p *Pending) Refuse() {
	if waiting := p.terminator.pending.of(p.id); waiting != nil && p.complete() {
		client, server := p.Client(), p.Server()
		p.terminator.reset(waiting.nic, NewReset(NewKey(server, client, protoTCP), client.Addr().Is6(), 0, waiting.sequence+1, TCPRst|TCPAck))
	}
}

// Drop does not answer. A SYN the client repeats is a new request.
func (p *Pending) Drop() { p.complete() }

// complete ends the request and says whether it was the first to do so.
func (p *Pending) complete() bool {
	r := p.take()
	if r == nil {
		return false
	}
	r.Complete(false) // the stack's own RST would be withheld, see linkEndpoint.write
	p.terminator.pending.remove(p.id)
	return true
}
