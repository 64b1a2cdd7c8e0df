// Package mirror sends a copy of decrypted sessions to a collector: each session as a TCP
// conversation in clear text, in Ethernet frames that leave through one interface.
//
// The copy never holds up the session. What the interface does not take in time is dropped and
// counted, and then the conversation has a gap there.
package mirror

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// Port is an Ethernet interface that copies leave through, and the collector behind it. Sessions
// may use it at once.
type Port struct {
	name        string
	source      net.HardwareAddr // of the interface
	destination net.HardwareAddr // of the collector
	mtu         atomic.Int32

	socket *os.File
	raw    syscall.RawConn
	queue  chan *block
	done   chan struct{} // closed when the sender has ended

	mu     sync.RWMutex // held for writing while the queue is closed
	closed bool

	queued                        atomic.Int64 // bytes in the queue
	frames, bytes, drops, refused atomic.Uint64
}

// Stats counts the frames of a port.
type Stats struct {
	Frames uint64 // sent
	Bytes  uint64 // of these frames, Ethernet header included
	Drops  uint64 // frames that were dropped because the interface takes them too slowly
	Errors uint64 // frames that the interface refused
}

const (
	// minMTU leaves room for headers and options (RFC 791 asks every host to take so much).
	minMTU = 576
	// maxMTU bounds frames on interfaces with jumbo frames.
	maxMTU = 16 << 10
	// queueLimit bounds the bytes that wait for the interface.
	queueLimit = 8 << 20
	// queueBlocks bounds the pieces that wait for the interface.
	queueBlocks = 4096
)

// Open makes a port of a network device, whose frames go to the Ethernet address of the collector.
// The device must be an Ethernet interface. It needs CAP_NET_RAW.
func Open(device string, collector net.HardwareAddr) (*Port, error) {
	fail := func(err error) (*Port, error) { return nil, fmt.Errorf("mirror port %s: %w", device, err) }
	if len(collector) != 6 || slices.Equal(collector, make(net.HardwareAddr, 6)) {
		return fail(fmt.Errorf("collector address %q is no Ethernet address", collector))
	}
	link, err := net.InterfaceByName(device)
	if err != nil {
		return fail(err)
	}
	if len(link.HardwareAddr) != 6 || link.Flags&(net.FlagLoopback|net.FlagPointToPoint) != 0 {
		return fail(errors.New("not an Ethernet interface; name one that is, not a tunnel or loopback interface"))
	}
	if link.MTU < minMTU {
		return fail(fmt.Errorf("its MTU of %d is less than %d", link.MTU, minMTU))
	}
	// Protocol 0: nothing is received.
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return fail(os.NewSyscallError("socket", err))
	}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: link.Index}); err != nil {
		_ = unix.Close(fd)
		return fail(os.NewSyscallError("bind", err))
	}
	p := &Port{
		name: device, source: link.HardwareAddr, destination: slices.Clone(collector),
		socket: os.NewFile(uintptr(fd), "mirror port "+device),
		queue:  make(chan *block, queueBlocks), done: make(chan struct{}),
	}
	p.mtu.Store(int32(min(link.MTU, maxMTU)))
	if p.raw, err = p.socket.SyscallConn(); err != nil {
		_ = p.socket.Close()
		return fail(err)
	}
	go p.send()
	return p, nil
}

// Stats returns the counters of the port.
func (p *Port) Stats() Stats {
	return Stats{Frames: p.frames.Load(), Bytes: p.bytes.Load(), Drops: p.drops.Load(), Errors: p.refused.Load()}
}

// Close sends what is queued, unless the interface does not take it, and ends the port. What
// sessions still send is dropped.
func (p *Port) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return net.ErrClosed
	}
	p.closed = true
	close(p.queue)
	p.mu.Unlock()
	// An interface that takes nothing does not hold up the end.
	_ = p.socket.SetWriteDeadline(closeDeadline())
	<-p.done
	return p.socket.Close()
}

// enqueue hands frames to the sender, or drops them if too many wait.
func (p *Port) enqueue(b *block) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	size := int64(len(b.data))
	if !p.closed && p.queued.Add(size) <= queueLimit {
		select {
		case p.queue <- b:
			return
		default:
		}
	}
	if !p.closed {
		p.queued.Add(-size)
	}
	p.drops.Add(uint64(len(b.lengths)))
	b.free()
}
