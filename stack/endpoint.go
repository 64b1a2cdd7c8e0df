package stack

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// maxTrain is the largest segment train the TCP stack builds, headers included: what fits one IP
// packet.
const maxTrain = 65535

// vnetDataValid says that the kernel, or the card, has verified the transport checksum.
const vnetDataValid = 2

// Port is the way between a device and the Terminator: packets of terminated sessions are
// injected, and what the TCP stack answers leaves through the device.
type Port struct {
	link *linkEndpoint
	tcp  *stack.Stack
	nic  tcpip.NICID
}

// Inject hands a frame that was read from a device to the TCP stack: the TCP segments of clients
// and the ICMP errors about what the stack sent them, and nothing else, as the stack answers for
// every address. The frame is copied. A TCP segment whose checksum is wrong is dropped: the kernel
// does not look at the checksums of packets it forwards.
func (p *Port) Inject(frame []byte) {
	if len(frame) < VirtioHeaderLen+header.IPv4MinimumSize {
		return
	}
	packet := frame[VirtioHeaderLen:]
	if frame[vnetFlags]&(vnetNeedsCsum|vnetDataValid) == 0 && !transportChecksumValid(packet) {
		return
	}
	dispatcher := p.link.dispatcher.Load()
	if dispatcher == nil {
		return
	}
	protocol := header.IPv4ProtocolNumber
	if packet[0]>>4 == 6 {
		protocol = header.IPv6ProtocolNumber
	}
	switch flags := segmentFlags(packet); {
	case flags&(header.TCPFlagSyn|header.TCPFlagAck) == header.TCPFlagSyn:
		p.forget(protocol, packet)
	case flags&header.TCPFlagRst != 0:
		var reset Packet
		if reset.Parse(frame) == nil {
			p.link.acknowledgements.forgetWaiting(reset.Key)
		}
	}
	pkt := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(packet)})
	(*dispatcher).DeliverNetworkPacket(protocol, pkt)
	pkt.DecRef()
}

// segmentFlags are the flags of a TCP segment, none of another packet.
func segmentFlags(packet []byte) header.TCPFlags {
	protocol, transport := packet[9], int(packet[0]&15)*4
	if packet[0]>>4 == 6 {
		protocol, transport = packet[6], header.IPv6MinimumSize
	}
	if protocol != protoTCP || len(packet) < transport+header.TCPMinimumSize {
		return 0
	}
	return header.TCP(packet[transport:]).Flags()
}

// forget ends the connection in TIME-WAIT that had the addresses and ports of a new one (RFC 9293
// section 3.6.1). The stack itself would look for a listener in its place, of which there is none.
func (p *Port) forget(protocol tcpip.NetworkProtocolNumber, packet []byte) {
	var id stack.TransportEndpointID
	var segment header.TCP
	if protocol == header.IPv4ProtocolNumber {
		ip := header.IPv4(packet)
		id.RemoteAddress, id.LocalAddress, segment = ip.SourceAddress(), ip.DestinationAddress(), header.TCP(packet[ip.HeaderLength():])
	} else {
		ip := header.IPv6(packet)
		id.RemoteAddress, id.LocalAddress, segment = ip.SourceAddress(), ip.DestinationAddress(), header.TCP(packet[header.IPv6MinimumSize:])
	}
	id.RemotePort, id.LocalPort = segment.SourcePort(), segment.DestinationPort()
	old, ok := p.tcp.FindTransportEndpoint(protocol, tcp.ProtocolNumber, id, p.nic).(tcpip.Endpoint)
	if ok && tcp.EndpointState(old.State()) == tcp.StateTimeWait {
		old.Abort()
	}
}

// Device is the device that the port belongs to.
func (p *Port) Device() *Device { return p.link.device }

// Lost is the number of packets of the TCP stack that the device refused.
func (p *Port) Lost() uint64 { return p.link.lost.Load() }

// transportChecksumValid verifies the checksum of a TCP segment. Other packets pass, the stack
// verifies them itself.
func transportChecksumValid(packet []byte) bool {
	transport, protocol, sum := 0, uint8(0), uint32(0)
	switch packet[0] >> 4 {
	case 4:
		transport, protocol = int(packet[0]&15)*4, packet[9]
		if total := int(binary.BigEndian.Uint16(packet[2:])); total >= transport && total <= len(packet) {
			packet = packet[:total]
		}
		if transport > len(packet) {
			return false
		}
		sum = pseudoHeaderSum(packet[12:16], packet[16:20], protocol, len(packet)-transport)
	case 6:
		if len(packet) < header.IPv6MinimumSize {
			return false
		}
		transport, protocol = header.IPv6MinimumSize, packet[6]
		sum = pseudoHeaderSum(packet[8:24], packet[24:40], protocol, len(packet)-transport)
	}
	return protocol != protoTCP || checksum.Checksum(packet[transport:], fold(sum)) == 0xffff
}

// linkEndpoint connects a TUN device to the TCP stack. Segment trains leave as they are, with
// checksum and segmentation left to the device.
type linkEndpoint struct {
	device     *Device
	mtu        uint32
	dispatcher atomic.Pointer[stack.NetworkDispatcher]
	lost       atomic.Uint64 // packets the device refused
	watch      func() bool   // whether sent is to see packets; nil for never
	sent       func(frame []byte)
	silences   *silences
	watched    *flows[func(*Packet) bool]

	acknowledgements acknowledgements
}

var _ stack.GSOEndpoint = (*linkEndpoint)(nil)

// answersSYN says whether pkt is the RST with which the stack answers a SYN by itself. It does so
// when a client uses a port again while the connection before is being taken down; without an
// answer the client asks again. Who is refused on purpose is told by Pending.Refuse.
func answersSYN(pkt *stack.PacketBuffer) bool {
	segment := header.TCP(pkt.TransportHeader().Slice())
	const both = header.TCPFlagRst | header.TCPFlagAck
	return len(segment) >= header.TCPMinimumSize && segment.Flags() == both && segment.SequenceNumber() == 0
}

// WritePackets implements stack.LinkWriter. All packets of an endpoint take the same queue, which
// teaches the kernel to deliver the other direction there too.
func (l *linkEndpoint) WritePackets(packets stack.PacketBufferList) (int, tcpip.Error) {
	for _, pkt := range packets.AsSlice() {
		l.write(pkt)
	}
	// A packet the device refuses is lost as on any wire; TCP repeats it.
	return packets.Len(), nil
}

// outgoing is a frame on its way to the device.
type outgoing struct {
	head   [VirtioHeaderLen]byte
	room   [maxPieces][]byte
	pieces [][]byte // the head, and where the packet lies
}

var outgoings = sync.Pool{New: func() any { return new(outgoing) }}

// release gives up the packet.
func (o *outgoing) release() {
	clear(o.pieces)
	o.head, o.pieces = [VirtioHeaderLen]byte{}, nil
	outgoings.Put(o)
}

func (l *linkEndpoint) write(pkt *stack.PacketBuffer) {
	if _, silent := l.silences.find(pkt); silent || answersSYN(pkt) {
		return
	}
	o := outgoings.Get().(*outgoing)
	defer o.release()
	if gso := pkt.GSOOptions; gso.Type != stack.GSONone {
		network := len(pkt.NetworkHeader().Slice())
		if gso.NeedsCsum {
			o.head[vnetFlags] = vnetNeedsCsum
			binary.LittleEndian.PutUint16(o.head[vnetCsumStart:], uint16(network))
			binary.LittleEndian.PutUint16(o.head[vnetCsumOff:], gso.CsumOffset)
		}
		if pkt.Data().Size() > int(gso.MSS) {
			o.head[vnetGSOType] = gsoTCPv4
			if gso.Type == stack.GSOTCPv6 {
				o.head[vnetGSOType] = gsoTCPv6
			}
			binary.LittleEndian.PutUint16(o.head[vnetHeaderLen:], uint16(network+len(pkt.TransportHeader().Slice())))
			binary.LittleEndian.PutUint16(o.head[vnetGSOSize:], gso.MSS)
		}
	}
	o.pieces = append(o.room[:0], o.head[:])
	views, skip := pkt.AsViewList()
	for view := views.Front(); view != nil; view = view.Next() {
		piece := view.AsSlice()
		if skip >= len(piece) {
			skip -= len(piece)
			continue
		}
		o.pieces = append(o.pieces, piece[skip:])
		skip = 0
	}
	if see, ok := l.watched.find(pkt); ok {
		room := frames.Get().(*[MaxFrameLen]byte)
		defer frames.Put(room)
		frame, send := show(o.pieces, room, see)
		if !send {
			return
		}
		clear(o.pieces)
		o.pieces = append(o.room[:0], frame)
	}
	queue := l.device.queues[pkt.Hash%uint32(len(l.device.queues))]
	segment := header.TCP(pkt.TransportHeader().Slice())
	switch {
	case len(segment) < header.TCPMinimumSize:
	case segment.Flags() == header.TCPFlagSyn|header.TCPFlagAck:
		// The stack holds a lock of the connection while it sends a SYN-ACK. The client's answer may be back
		// before the device has taken it, and who works on that would spin until the lock is free.
		frame := slices.Concat(o.pieces...)
		l.tell(frame)
		go func() { l.count(queue.Write(frame)) }()
		return
	case l.later(pkt, segment, o.pieces, queue):
		return
	}
	l.tell(o.pieces...)
	l.count(queue.writeVector(o.pieces))
}

// tell lets those see a frame that want to.
func (l *linkEndpoint) tell(pieces ...[]byte) {
	if l.watch != nil && l.watch() {
		l.sent(slices.Concat(pieces...))
	}
}

// count notes what became of a packet that was given to the device.
func (l *linkEndpoint) count(err error) {
	if err != nil {
		l.lost.Add(1)
	}
}

// GSOMaxSize implements stack.GSOEndpoint.
func (*linkEndpoint) GSOMaxSize() uint32 { return maxTrain }

// SupportedGSO implements stack.GSOEndpoint.
func (*linkEndpoint) SupportedGSO() stack.SupportedGSO { return stack.HostGSOSupported }

// Capabilities implements stack.LinkEndpoint. The transmit checksum is not offloaded as a whole:
// segments without GSO options (SYN-ACK, RST) would leave without one.
func (*linkEndpoint) Capabilities() stack.LinkEndpointCapabilities {
	return stack.CapabilityRXChecksumOffload
}

// Attach implements stack.LinkEndpoint.
func (l *linkEndpoint) Attach(dispatcher stack.NetworkDispatcher) {
	if dispatcher == nil {
		l.dispatcher.Store(nil)
		return
	}
	l.dispatcher.Store(&dispatcher)
}

// IsAttached implements stack.LinkEndpoint.
func (l *linkEndpoint) IsAttached() bool { return l.dispatcher.Load() != nil }

// MTU implements stack.LinkEndpoint.
func (l *linkEndpoint) MTU() uint32 { return l.mtu }

// The device has no link layer, and its MTU and end are the business of Device.

func (*linkEndpoint) SetMTU(uint32)                           {}
func (*linkEndpoint) MaxHeaderLength() uint16                 { return 0 }
func (*linkEndpoint) LinkAddress() tcpip.LinkAddress          { return "" }
func (*linkEndpoint) SetLinkAddress(tcpip.LinkAddress)        {}
func (*linkEndpoint) Wait()                                   {}
func (*linkEndpoint) ARPHardwareType() header.ARPHardwareType { return header.ARPHardwareNone }
func (*linkEndpoint) AddHeader(*stack.PacketBuffer)           {}
func (*linkEndpoint) ParseHeader(*stack.PacketBuffer) bool    { return true }
func (*linkEndpoint) Close()                                  {}
func (*linkEndpoint) SetOnCloseAction(func())                 {}

// stackError turns an error of the TCP stack into one of Go.
func stackError(operation string, err tcpip.Error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", operation, errors.New(err.String()))
}
