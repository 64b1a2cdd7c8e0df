package mirror

import (
	"encoding/binary"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

const (
	flagFIN = header.TCPFlagFin
	flagSYN = header.TCPFlagSyn
	flagRST = header.TCPFlagRst
	flagPSH = header.TCPFlagPsh
	flagACK = header.TCPFlagAck
)

const (
	tcpHeaderLen = header.TCPMinimumSize
	// synOptionsLen is the length of the options of a SYN: maximum segment size, window scale, and
	// one byte of padding.
	synOptionsLen = header.TCPOptionMSSLength + header.TCPOptionWSLength + 1
	// frameOverhead is more than what a frame has beside its payload.
	frameOverhead = header.EthernetMinimumSize + header.IPv6MinimumSize + tcpHeaderLen + synOptionsLen

	// Both ends announce the largest window, which is never full as everything is acknowledged at
	// once.
	windowScale = 14
	window      = 65535

	timeToLive = 64
)

// segment is a TCP segment of a conversation.
type segment struct {
	from, to *end
	flags    header.TCPFlags
	payload  []byte
}

func (e *end) ipHeaderLen() int {
	if e.address.Addr().Is4() {
		return header.IPv4MinimumSize
	}
	return header.IPv6MinimumSize
}

// ethertype is the type of a frame with packets of the end's family.
func (e *end) ethertype() uint16 {
	if e.address.Addr().Is4() {
		return uint16(header.IPv4ProtocolNumber)
	}
	return uint16(header.IPv6ProtocolNumber)
}

// add appends the frame of a segment to the block. It returns false if there is no room.
func (b *block) add(p *Port, s segment) bool {
	options := 0
	if s.flags&flagSYN != 0 {
		options = synOptionsLen
	}
	transport := tcpHeaderLen + options + len(s.payload)
	frame := b.grow(header.EthernetMinimumSize + s.from.ipHeaderLen() + transport)
	if frame == nil {
		return false
	}
	copy(frame, p.destination)
	copy(frame[6:], p.source)
	binary.BigEndian.PutUint16(frame[12:], s.from.ethertype())
	packet := frame[header.EthernetMinimumSize:]
	source, destination := s.from.encodeIP(s.to, packet, transport)

	tcp := header.TCP(packet[s.from.ipHeaderLen():])
	fields := header.TCPFields{
		SrcPort: s.from.address.Port(), DstPort: s.to.address.Port(), SeqNum: s.from.sequence,
		DataOffset: uint8(tcpHeaderLen + options), Flags: s.flags, WindowSize: window,
	}
	if s.flags&flagACK != 0 {
		fields.AckNum = s.to.sequence
	}
	clear(tcp[:tcpHeaderLen]) // the block was used before
	tcp.Encode(&fields)
	if options > 0 {
		room := tcp[tcpHeaderLen:]
		n := header.EncodeMSSOption(uint32(int(p.mtu.Load())-s.from.ipHeaderLen()-tcpHeaderLen), room)
		n += header.EncodeWSOption(windowScale, room[n:])
		header.EncodeNOP(room[n:])
	}
	copy(tcp[tcpHeaderLen+options:], s.payload)
	sum := header.PseudoHeaderChecksum(header.TCPProtocolNumber, source, destination, uint16(transport))
	tcp.SetChecksum(^checksum.Checksum(tcp, sum))
	return true
}

// encodeIP writes the IP header of a packet with so many bytes of transport.
func (e *end) encodeIP(to *end, packet []byte, transport int) (source, destination tcpip.Address) {
	if !e.address.Addr().Is4() {
		source, destination = tcpip.AddrFrom16(e.address.Addr().As16()), tcpip.AddrFrom16(to.address.Addr().As16())
		header.IPv6(packet).Encode(&header.IPv6Fields{
			PayloadLength: uint16(transport), TransportProtocol: header.TCPProtocolNumber,
			HopLimit: timeToLive, SrcAddr: source, DstAddr: destination,
		})
		return source, destination
	}
	source, destination = tcpip.AddrFrom4(e.address.Addr().As4()), tcpip.AddrFrom4(to.address.Addr().As4())
	ip := header.IPv4(packet)
	clear(ip[:header.IPv4MinimumSize])
	ip.Encode(&header.IPv4Fields{
		TotalLength: uint16(header.IPv4MinimumSize + transport), ID: e.id, Flags: header.IPv4FlagDontFragment,
		TTL: timeToLive, Protocol: uint8(header.TCPProtocolNumber), SrcAddr: source, DstAddr: destination,
	})
	ip.SetChecksum(^ip.CalculateChecksum())
	e.id++
	return source, destination
}
