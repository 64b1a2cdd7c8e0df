package stack

import (
	"encoding/binary"
	"errors"
	"net/netip"
)

// IP protocol numbers that the packet path treats specially (IANA protocol numbers).
const (
	protoICMP   = 1
	protoTCP    = 6
	protoUDP    = 17
	protoICMPv6 = 58
)

// TCP header flags (RFC 9293 section 3.1).
const (
	TCPFin uint8 = 1 << iota
	TCPSyn
	TCPRst
	TCPPsh
	TCPAck
)

// Fields of the virtio_net_hdr in front of every frame (virtio 1.2 section 5.1.6, little endian).
const (
	vnetFlags     = 0
	vnetGSOType   = 1
	vnetHeaderLen = 2
	vnetGSOSize   = 4
	vnetCsumStart = 6
	vnetCsumOff   = 8

	vnetNeedsCsum = 1 // the transport checksum holds only the sum of the pseudo header
)

// Errors of Parse. A packet that cannot be parsed belongs to no session and is dropped.
var (
	ErrTruncated = errors.New("packet shorter than its headers say")
	ErrNotIP     = errors.New("neither IPv4 nor IPv6")
	ErrBadHeader = errors.New("malformed IP header")
)

// Key identifies the packets of one direction of a session: addresses (IPv4 as IPv4-mapped
// IPv6), ports and protocol. An ICMP echo request carries its identifier as source port, the
// reply as destination port, so that Reverse turns one into the other; other ICMP messages that
// are no errors have their type and code as both. Protocols without ports
// have zeros. It is comparable without padding, and so hashes in one pass.
type Key struct {
	Src, Dst         [16]byte
	SrcPort, DstPort uint16
	Proto            uint16
}

// Reverse is the key of the opposite direction.
func (k Key) Reverse() Key {
	return Key{Src: k.Dst, Dst: k.Src, SrcPort: k.DstPort, DstPort: k.SrcPort, Proto: k.Proto}
}

// Source and Destination return the ends with IPv4 addresses unmapped.
func (k *Key) Source() netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom16(k.Src).Unmap(), k.SrcPort)
}

// Destination is the other end of Source.
func (k *Key) Destination() netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom16(k.Dst).Unmap(), k.DstPort)
}

// Packet is one parsed frame: a single IP packet, or a train of TCP or UDP segments that the
// kernel handed over as one (generic segmentation offload). It points into the frame and is
// valid as long as the frame is.
type Packet struct {
	Frame []byte // virtio_net_hdr and IP packet
	IP    []byte // the IP packet, cut to the length its header gives
	Key   Key
	V6    bool

	Transport int // offset of the transport header in IP, after extension headers
	Payload   int // offset of the transport payload in IP

	TCPFlags uint8
	Seq, Ack uint32
	Window   uint16

	ICMPType, ICMPCode uint8
	ICMPSeq            uint16

	// Segments is the number of packets on the wire, Bytes their length with IP headers.
	Segments, Bytes uint64

	// Fragment is set for every part of a fragmented datagram; the transport fields are only
	// valid where FragmentOffset is 0.
	Fragment       bool
	FragmentOffset int  // bytes
	MoreFragments  bool // another fragment follows
	FragmentID     uint32
}

// Parse reads the headers of frame. Only what a session lookup needs is checked; checksums are
// the business of the receiving host.
func (p *Packet) Parse(frame []byte) error {
	*p = Packet{Frame: frame}
	if len(frame) < VirtioHeaderLen+20 {
		return ErrTruncated
	}
	p.IP = frame[VirtioHeaderLen:]
	var err error
	switch p.IP[0] >> 4 {
	case 4:
		err = p.parse4()
	case 6:
		err = p.parse6()
	default:
		err = ErrNotIP
	}
	if err != nil {
		return err
	}
	if !p.Fragment || p.FragmentOffset == 0 {
		if err := p.parseTransport(); err != nil {
			return err
		}
	}
	p.count()
	return nil
}

func (p *Packet) parse4() error {
	ip := p.IP
	headerLen := int(ip[0]&15) * 4
	total := int(binary.BigEndian.Uint16(ip[2:]))
	if total == 0 { // a segment train longer than 65,535 bytes
		total = len(ip)
	}
	if headerLen < 20 || total < headerLen {
		return ErrBadHeader
	}
	if total > len(ip) {
		return ErrTruncated
	}
	p.IP = ip[:total]
	p.Frame = p.Frame[:VirtioHeaderLen+total]
	p.Key.Src = map4(ip[12:16])
	p.Key.Dst = map4(ip[16:20])
	p.Key.Proto = uint16(ip[9])
	p.Transport = headerLen
	fragment := binary.BigEndian.Uint16(ip[6:])
	p.FragmentOffset = int(fragment&0x1fff) * 8
	p.MoreFragments = fragment&0x2000 != 0
	p.Fragment = p.MoreFragments || p.FragmentOffset != 0
	p.FragmentID = uint32(binary.BigEndian.Uint16(ip[4:]))
	return nil
}

// maxExtensionHeaders bounds the walk over IPv6 extension headers.
const maxExtensionHeaders = 8

func (p *Packet) parse6() error {
	ip := p.IP
	if len(ip) < 40 {
		return ErrTruncated
	}
	p.V6 = true
	total := 40 + int(binary.BigEndian.Uint16(ip[4:]))
	if total == 40 {
		total = len(ip)
	}
	if total > len(ip) {
		return ErrTruncated
	}
	ip = ip[:total]
	p.IP = ip
	p.Frame = p.Frame[:VirtioHeaderLen+total]
	copy(p.Key.Src[:], ip[8:24])
	copy(p.Key.Dst[:], ip[24:40])
	next, at := ip[6], 40
	for range maxExtensionHeaders {
		switch next {
		case 0, 43, 60, 135: // hop-by-hop, routing, destination options, mobility (RFC 8200 section 4)
			if at+8 > len(ip) {
				return ErrTruncated
			}
			next, at = ip[at], at+8+int(ip[at+1])*8
		case 44: // fragment (RFC 8200 section 4.5)
			if at+8 > len(ip) {
				return ErrTruncated
			}
			field := binary.BigEndian.Uint16(ip[at+2:])
			p.FragmentOffset = int(field &^ 7)
			p.MoreFragments = field&1 != 0
			p.Fragment = p.MoreFragments || p.FragmentOffset != 0
			p.FragmentID = binary.BigEndian.Uint32(ip[at+4:])
			next, at = ip[at], at+8
			if p.FragmentOffset != 0 {
				p.Key.Proto, p.Transport = uint16(next), at
				return nil
			}
		default:
			if at > len(ip) {
				return ErrTruncated
			}
			p.Key.Proto, p.Transport = uint16(next), at
			return nil
		}
	}
	return ErrBadHeader
}

func (p *Packet) parseTransport() error {
	t := p.IP[p.Transport:]
	p.Payload = p.Transport
	switch p.Key.Proto {
	case protoTCP:
		if len(t) < 20 {
			return ErrTruncated
		}
		p.Key.SrcPort, p.Key.DstPort = binary.BigEndian.Uint16(t), binary.BigEndian.Uint16(t[2:])
		p.Seq, p.Ack = binary.BigEndian.Uint32(t[4:]), binary.BigEndian.Uint32(t[8:])
		p.TCPFlags = t[13]
		p.Window = binary.BigEndian.Uint16(t[14:])
		headerLen := int(t[12]>>4) * 4
		if headerLen < 20 || headerLen > len(t) {
			return ErrBadHeader
		}
		p.Payload += headerLen
	case protoUDP:
		if len(t) < 8 {
			return ErrTruncated
		}
		p.Key.SrcPort, p.Key.DstPort = binary.BigEndian.Uint16(t), binary.BigEndian.Uint16(t[2:])
		p.Payload += 8
	case protoICMP, protoICMPv6:
		if len(t) < 8 {
			return ErrTruncated
		}
		p.ICMPType, p.ICMPCode = t[0], t[1]
		p.Payload += 8
		id := binary.BigEndian.Uint16(t[4:])
		switch {
		case p.IsEchoRequest():
			p.Key.SrcPort, p.ICMPSeq = id, binary.BigEndian.Uint16(t[6:])
		case p.IsEchoReply():
			p.Key.DstPort, p.ICMPSeq = id, binary.BigEndian.Uint16(t[6:])
		case !p.IsICMPError():
			p.Key.SrcPort = p.icmpKind()
			p.Key.DstPort = p.Key.SrcPort
		}
	}
	return nil
}

// icmpKind is the type and code of an ICMP message, of an answer those of what it answers, so that
// messages of one kind never pass in a session of another.
func (p *Packet) icmpKind() uint16 {
	kind := p.ICMPType
	switch {
	case !p.V6 && (kind == 14 || kind == 16 || kind == 18), p.V6 && kind == 140: // timestamp, information, mask; node information
		return uint16(kind-1) << 8
	case !p.V6 && (kind == 13 || kind == 15 || kind == 17), p.V6 && kind == 139:
		return uint16(kind) << 8
	}
	return uint16(kind)<<8 | uint16(p.ICMPCode)
}

// count works out what the frame was on the wire. A train of n segments carried n copies of
// the headers.
func (p *Packet) count() {
	p.Segments, p.Bytes = 1, uint64(len(p.IP))
	size := p.segmentSize()
	if payload := len(p.IP) - p.Payload; size != 0 && payload > size {
		p.Segments = uint64((payload + size - 1) / size)
		p.Bytes += (p.Segments - 1) * uint64(p.Payload)
	}
}

// segmentSize is the payload of each segment of a train but the last, 0 for a packet that is none.
func (p *Packet) segmentSize() int {
	if p.Frame[vnetGSOType] == 0 || p.Fragment {
		return 0
	}
	return int(binary.LittleEndian.Uint16(p.Frame[vnetGSOSize:]))
}

// Passes says whether a router may send the packet over a link of an MTU, in fragments if need be.
func (p *Packet) Passes(mtu int) bool {
	longest := len(p.IP)
	if size := p.segmentSize(); size != 0 {
		longest = min(longest, p.Payload+size)
	}
	const dontFragment = 0x40
	return longest <= mtu || !p.V6 && p.IP[6]&dontFragment == 0
}

// IsEchoRequest says whether the packet is an ICMP or ICMPv6 echo request.
func (p *Packet) IsEchoRequest() bool {
	return p.Key.Proto == protoICMP && !p.V6 && p.ICMPType == 8 || p.Key.Proto == protoICMPv6 && p.V6 && p.ICMPType == 128
}

// IsEchoReply says whether the packet is an ICMP or ICMPv6 echo reply.
func (p *Packet) IsEchoReply() bool {
	return p.Key.Proto == protoICMP && !p.V6 && p.ICMPType == 0 || p.Key.Proto == protoICMPv6 && p.V6 && p.ICMPType == 129
}

// IsICMPError says whether the packet reports an error about another packet, which it carries.
func (p *Packet) IsICMPError() bool {
	switch {
	case p.Key.Proto == protoICMP && !p.V6: // RFC 792
		return p.ICMPType == 3 || p.ICMPType == 4 || p.ICMPType == 5 || p.ICMPType == 11 || p.ICMPType == 12
	case p.Key.Proto == protoICMPv6 && p.V6: // RFC 4443 section 2.1
		return p.ICMPType < 128
	}
	return false
}

// IsHardICMPError says whether the error means that the packet it carries can never arrive
// (RFC 1122 section 4.2.3.9): protocol, port or administratively unreachable.
func (p *Packet) IsHardICMPError() bool {
	if p.V6 {
		return p.ICMPType == 1
	}
	return p.ICMPType == 3 && p.ICMPCode != 4
}

// Embedded parses the packet that an ICMP error carries. Only its addresses, protocol and ports
// are there for sure; it is returned by value with IP pointing into p.
func (p *Packet) Embedded() (inner Packet, ok bool) {
	if p.Payload >= len(p.IP) {
		return inner, false
	}
	ip := p.IP[p.Payload:]
	if len(ip) < 20 {
		return inner, false
	}
	inner.IP = ip
	switch ip[0] >> 4 {
	case 4:
		headerLen := int(ip[0]&15) * 4
		if headerLen < 20 || len(ip) < headerLen+8 || binary.BigEndian.Uint16(ip[6:])&0x1fff != 0 {
			return inner, false
		}
		inner.Key.Src, inner.Key.Dst = map4(ip[12:16]), map4(ip[16:20])
		inner.Key.Proto, inner.Transport = uint16(ip[9]), headerLen
	case 6:
		if len(ip) < 48 {
			return inner, false
		}
		inner.V6 = true
		copy(inner.Key.Src[:], ip[8:24])
		copy(inner.Key.Dst[:], ip[24:40])
		inner.Key.Proto, inner.Transport = uint16(ip[6]), 40
	default:
		return inner, false
	}
	t := ip[inner.Transport:]
	switch inner.Key.Proto {
	case protoTCP, protoUDP:
		inner.Key.SrcPort, inner.Key.DstPort = binary.BigEndian.Uint16(t), binary.BigEndian.Uint16(t[2:])
	case protoICMP, protoICMPv6:
		inner.ICMPType, inner.ICMPCode = t[0], t[1]
		id := binary.BigEndian.Uint16(t[4:])
		switch {
		case inner.IsEchoRequest():
			inner.Key.SrcPort = id
		case inner.IsEchoReply():
			inner.Key.DstPort = id
		case !inner.IsICMPError():
			inner.Key.SrcPort = inner.icmpKind()
			inner.Key.DstPort = inner.Key.SrcPort
		}
	}
	return inner, true
}

// SetKey tells a later fragment the ports that its first fragment carried.
func (p *Packet) SetKey(k Key) { p.Key = k }

func map4(a []byte) (m [16]byte) {
	m[10], m[11] = 0xff, 0xff
	copy(m[12:], a)
	return m
}

// NewKey is the key of packets from src to dst.
func NewKey(src, dst netip.AddrPort, proto uint8) Key {
	return Key{Src: src.Addr().As16(), Dst: dst.Addr().As16(), SrcPort: src.Port(), DstPort: dst.Port(), Proto: uint16(proto)}
}
