package stack

import (
	"fmt"
	"net/netip"
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// Defaults of TerminatorOptions.
const (
	defaultBuffer              = 256 << 10
	defaultMaxBuffer           = 8 << 20
	defaultMaxPending          = 16384
	defaultMaxPendingPerClient = 1024
)

// Times of the client side of a session. The gateway keeps no connection longer than needed to
// answer a client's repeated last segments.
const (
	timeWait       = 2 * time.Second
	finWait        = 10 * time.Second // for the FIN of a client that was closed
	orphanTimeout  = 30 * time.Second // for the acknowledgement of the last data after Close
	lingerTime     = 5 * time.Second  // for the client to finish after Linger
	synAckAttempts = 3                // repeated after 1, 2 and 4 s: a client is given 15 s to finish the handshake
	minimumBuffer  = 4 << 10
)

// TerminatorOptions configure NewTerminator. Zero values mean the defaults.
type TerminatorOptions struct {
	// Accept is called for every new connection request, in a goroutine of its own. It must end
	// the Pending with one of Accept, Refuse or Drop; returning without is Drop. It must be set.
	Accept func(*Pending)

	// Watch says whether Sent is to see what is sent now; nil for never.
	Watch func() bool
	// Sent is called with each frame that goes to a client, before it does. It must not block.
	Sent func(frame []byte)

	Buffer    int // bytes each direction of a session may hold at first; default 256 KiB
	MaxBuffer int // bytes each direction may grow to on long paths; default 8 MiB

	MaxPending          int // requests waiting for an answer; default 16,384. More are ignored, clients repeat them
	MaxPendingPerClient int // of one client address; default 1,024
}

// Terminator ends the TCP sessions of clients: it speaks TCP in place of the servers they address.
type Terminator struct {
	stack     *stack.Stack
	forwarder *tcp.Forwarder
	pending   pendingTable
	watch     func() bool
	sent      func(frame []byte)
	silences  silences
	watched   flows[func(*Packet) bool]

	mu      sync.Mutex
	nextNIC tcpip.NICID
	links   map[tcpip.NICID]*linkEndpoint
	closed  bool
}

// NewTerminator makes a TCP stack without devices; Attach adds them.
func NewTerminator(opt TerminatorOptions) (*Terminator, error) {
	setDefault(&opt.Buffer, defaultBuffer)
	setDefault(&opt.MaxBuffer, max(defaultMaxBuffer, opt.Buffer))
	setDefault(&opt.MaxPending, defaultMaxPending)
	setDefault(&opt.MaxPendingPerClient, defaultMaxPendingPerClient)
	t := &Terminator{
		stack: stack.New(stack.Options{
			NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol, ipv6.NewProtocol},
			TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol},
		}),
		watch:   opt.Watch,
		sent:    opt.Sent,
		nextNIC: 1,
		links:   make(map[tcpip.NICID]*linkEndpoint),
	}
	if err := t.tune(opt); err != nil {
		t.stack.Destroy()
		return nil, err
	}
	t.pending.init(opt.MaxPending, opt.MaxPendingPerClient)
	// The forwarder's own limit counts the same requests as ours, so it never applies.
	t.forwarder = tcp.NewForwarder(t.stack, opt.Buffer, opt.MaxPending+1, func(request *tcp.ForwarderRequest) {
		p := t.newPending(request)
		defer p.Drop()
		opt.Accept(p)
	})
	t.stack.SetTransportProtocolHandler(tcp.ProtocolNumber, t.receive)
	return t, nil
}

func setDefault(option *int, value int) {
	if *option == 0 {
		*option = value
	}
}

func (t *Terminator) tune(opt TerminatorOptions) error {
	sack := tcpip.TCPSACKEnabled(true)
	// RACK takes the reordering between queues for loss.
	recovery := tcpip.TCPRecovery(0)
	control := tcpip.CongestionControlOption("cubic")
	moderate := tcpip.TCPModerateReceiveBufferOption(true)
	receive := tcpip.TCPReceiveBufferSizeRangeOption{Min: minimumBuffer, Default: opt.Buffer, Max: opt.MaxBuffer}
	send := tcpip.TCPSendBufferSizeRangeOption{Min: minimumBuffer, Default: opt.Buffer, Max: opt.MaxBuffer}
	wait := tcpip.TCPTimeWaitTimeoutOption(timeWait)
	linger := tcpip.TCPLingerTimeoutOption(finWait)
	retries := tcpip.TCPSynRetriesOption(synAckAttempts)
	for name, option := range map[string]tcpip.SettableTransportProtocolOption{
		"selective acknowledgement": &sack,
		"loss recovery":             &recovery,
		"congestion control":        &control,
		"receive buffer moderation": &moderate,
		"receive buffer":            &receive,
		"send buffer":               &send,
		"TIME-WAIT":                 &wait,
		"FIN-WAIT":                  &linger,
		"SYN-ACK repetitions":       &retries,
	} {
		if err := t.stack.SetTransportProtocolOption(tcp.ProtocolNumber, option); err != nil {
			return stackError("TCP stack: "+name, err)
		}
	}
	return nil
}

// Attach connects a device. The TCP stack answers through it what is injected into the port,
// whatever the addresses. Closing the device detaches it; its sessions end by their timeouts.
func (t *Terminator) Attach(d *Device) (*Port, error) {
	link := &linkEndpoint{device: d, mtu: uint32(d.MTU()), watch: t.watch, sent: t.sent, silences: &t.silences, watched: &t.watched}
	link.acknowledgements.tick = acknowledgeTick
	t.mu.Lock()
	nic := t.nextNIC
	t.nextNIC++
	t.links[nic] = link
	t.mu.Unlock()
	if err := t.stack.CreateNICWithOptions(nic, link, stack.NICOptions{Name: d.Name()}); err != nil {
		return nil, fmt.Errorf("attach device %s: %w", d.Name(), stackError("create", err))
	}
	detach := func() {
		t.stack.RemoveRoutes(func(r tcpip.Route) bool { return r.NIC == nic })
		t.stack.RemoveNIC(nic)
		t.mu.Lock()
		delete(t.links, nic)
		t.mu.Unlock()
	}
	for _, set := range []func(tcpip.NICID, bool) tcpip.Error{t.stack.SetPromiscuousMode, t.stack.SetSpoofing} {
		if err := set(nic, true); err != nil {
			detach()
			return nil, fmt.Errorf("attach device %s: %w", d.Name(), stackError("answer for any address", err))
		}
	}
	t.stack.AddRoute(tcpip.Route{Destination: header.IPv4EmptySubnet, NIC: nic})
	t.stack.AddRoute(tcpip.Route{Destination: header.IPv6EmptySubnet, NIC: nic})
	if !d.beforeClose(detach) {
		detach()
		return nil, fmt.Errorf("attach device %s: %w", d.Name(), ErrClosed)
	}
	return &Port{link: link, tcp: t.stack, nic: nic}, nil
}

// reset sends a RST of the gateway's own making through the device of nic.
func (t *Terminator) reset(nic tcpip.NICID, frame []byte) {
	t.mu.Lock()
	link := t.links[nic]
	t.mu.Unlock()
	if link == nil {
		return
	}
	if err := link.device.queues[0].Write(frame); err != nil {
		link.lost.Add(1)
	}
}

// Close resets all sessions and stops the stack. The devices stay open.
func (t *Terminator) Close() {
	t.mu.Lock()
	closed := t.closed
	t.closed = true
	t.mu.Unlock()
	if closed {
		return
	}
	t.pending.close()
	t.stack.Close()
	t.stack.Wait()
}

// TerminatorStats counts since the start of a Terminator.
type TerminatorStats struct {
	Pending        int    // connection requests waiting for an answer now
	Established    uint64 // sessions connected now, closing ones included
	Ignored        uint64 // connection requests beyond a limit
	Retransmits    uint64 // segments sent again
	Timeouts       uint64 // retransmissions because nothing was acknowledged in time
	ResetsSent     uint64
	ResetsReceived uint64
}

// Stats returns the counters.
func (t *Terminator) Stats() TerminatorStats {
	s := t.stack.Stats().TCP
	waiting, ignored := t.pending.stats()
	return TerminatorStats{
		Pending:        waiting,
		Established:    s.CurrentConnected.Value(),
		Ignored:        ignored,
		Retransmits:    s.Retransmits.Value(),
		Timeouts:       s.Timeouts.Value(),
		ResetsSent:     s.ResetsSent.Value(),
		ResetsReceived: s.ResetsReceived.Value(),
	}
}

func addrPort(address tcpip.Address, port uint16) netip.AddrPort {
	a, _ := netip.AddrFromSlice(address.AsSlice())
	return netip.AddrPortFrom(a, port)
}
