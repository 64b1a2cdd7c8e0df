package stack

import (
	"encoding/binary"
	"net/netip"
)

// replyTTL is the time to live of packets that the gateway makes itself.
const replyTTL = 64

// maxQuote is how much of a packet an ICMP error carries back: all that fits the smallest MTU
// (RFC 1812 section 4.3.2.3, RFC 4443 section 2.4).
const (
	maxQuote4 = 576 - 20 - 8
	maxQuote6 = 1280 - 40 - 8
)

// Reset makes the frame of a TCP RST that answers p, as the packet's destination would send it
// (RFC 9293 section 3.10.7.1). It returns nil for a segment that is itself a RST.
func (p *Packet) Reset() []byte {
	if p.Key.Proto != protoTCP || p.TCPFlags&TCPRst != 0 {
		return nil
	}
	seq, ack, flags := p.Ack, uint32(0), TCPRst
	if p.TCPFlags&TCPAck == 0 {
		length := uint32(len(p.IP) - p.Payload)
		if p.TCPFlags&TCPSyn != 0 {
			length++
		}
		if p.TCPFlags&TCPFin != 0 {
			length++
		}
		seq, ack, flags = 0, p.Seq+length, TCPRst|TCPAck
	}
	return NewReset(p.Key.Reverse(), p.V6, seq, ack, flags)
}

// NewReset makes the frame of a TCP RST with key k. Flags are TCPRst, or TCPRst and TCPAck.
func NewReset(k Key, v6 bool, seq, ack uint32, flags uint8) []byte {
	return NewSegment(k, v6, seq, ack, flags, nil)
}

// answerWindow is the receive window of segments that the gateway makes itself. What they answer
// is over, so that little more is expected.
const answerWindow = 8192

// NewSegment makes the frame of a TCP segment with key k, which must not be longer than the
// smallest MTU on its way.
func NewSegment(k Key, v6 bool, seq, ack uint32, flags uint8, payload []byte) []byte {
	frame, t := newPacket(v6, k.Src, k.Dst, protoTCP, 20+len(payload))
	binary.BigEndian.PutUint16(t, k.SrcPort)
	binary.BigEndian.PutUint16(t[2:], k.DstPort)
	binary.BigEndian.PutUint32(t[4:], seq)
	binary.BigEndian.PutUint32(t[8:], ack)
	t[12] = 5 << 4
	t[13] = flags
	if flags&TCPRst == 0 {
		binary.BigEndian.PutUint16(t[14:], answerWindow)
	}
	copy(t[20:], payload)
	binary.BigEndian.PutUint16(t[16:], ^fold(sum(t, addressSum(frame, v6, protoTCP, len(t)))))
	return frame
}

// Unreach says why a destination is unreachable.
type Unreach uint8

// Reasons of Unreachable.
const (
	UnreachNet   Unreach = iota // there is no route
	UnreachHost                 // the last router cannot reach the host
	UnreachPort                 // nothing listens there
	UnreachAdmin                // communication is administratively prohibited
)

// The codes of the reasons in ICMP (RFC 792, RFC 1812) and in ICMPv6 (RFC 4443).
var (
	unreachCode4 = [...]uint8{UnreachNet: 0, UnreachHost: 1, UnreachPort: 3, UnreachAdmin: 13}
	unreachCode6 = [...]uint8{UnreachNet: 0, UnreachHost: 3, UnreachPort: 4, UnreachAdmin: 1}
)

// Unreachable makes the frame of an ICMP or ICMPv6 destination unreachable that answers p from
// the address from. It returns nil where no error may be sent: about an error, a fragment that
// is not the first, a multicast or broadcast (RFC 1122 section 3.2.2, RFC 4443 section 2.4).
func (p *Packet) Unreachable(from netip.Addr, why Unreach) []byte {
	if p.V6 {
		return p.icmpError(from, 1, unreachCode6[why], 0)
	}
	return p.icmpError(from, 3, unreachCode4[why], 0)
}

// TooBig makes the frame of the error that answers p, from the address from, where it does not pass
// a link of an MTU: fragmentation needed (RFC 1191 section 4), packet too big (RFC 4443 section 3.2).
// It returns nil where no error may be sent.
func (p *Packet) TooBig(from netip.Addr, mtu int) []byte {
	if p.V6 {
		return p.icmpError(from, 2, 0, uint32(mtu))
	}
	return p.icmpError(from, 3, 4, uint32(mtu))
}

// icmpError makes the frame of an error about p, whose parameter is the second word of its header.
func (p *Packet) icmpError(from netip.Addr, kind, code uint8, parameter uint32) []byte {
	dst := netip.AddrFrom16(p.Key.Dst).Unmap()
	if p.IsICMPError() || p.FragmentOffset != 0 || dst.IsMulticast() || dst == netip.AddrFrom4([4]byte{255, 255, 255, 255}) || from.Is4() == p.V6 {
		return nil
	}
	quote := p.IP[:min(len(p.IP), maxQuote4)]
	proto := uint8(protoICMP)
	if p.V6 {
		quote = p.IP[:min(len(p.IP), maxQuote6)]
		proto = protoICMPv6
	}
	frame, t := newPacket(p.V6, from.As16(), p.Key.Src, proto, 8+len(quote))
	t[0], t[1] = kind, code
	binary.BigEndian.PutUint32(t[4:], parameter)
	copy(t[8:], quote)
	var initial uint32
	if p.V6 {
		initial = addressSum(frame, true, protoICMPv6, len(t))
	}
	binary.BigEndian.PutUint16(t[2:], ^fold(sum(t, initial)))
	return frame
}

// newPacket makes a frame with an IP header and size zero bytes of payload.
func newPacket(v6 bool, src, dst [16]byte, proto uint8, size int) (frame, payload []byte) {
	headerLen := 20
	if v6 {
		headerLen = 40
	}
	frame = make([]byte, VirtioHeaderLen+headerLen+size)
	ip := frame[VirtioHeaderLen:]
	if v6 {
		ip[0] = 6 << 4
		binary.BigEndian.PutUint16(ip[4:], uint16(size))
		ip[6], ip[7] = proto, replyTTL
		copy(ip[8:], src[:])
		copy(ip[24:], dst[:])
	} else {
		ip[0] = 4<<4 | 5
		binary.BigEndian.PutUint16(ip[2:], uint16(headerLen+size))
		binary.BigEndian.PutUint16(ip[6:], 0x4000) // do not fragment
		ip[8], ip[9] = replyTTL, proto
		copy(ip[12:], src[12:])
		copy(ip[16:], dst[12:])
		binary.BigEndian.PutUint16(ip[10:], ^fold(sum(ip[:headerLen], 0)))
	}
	return frame, ip[headerLen:]
}

func addressSum(frame []byte, v6 bool, proto uint8, length int) uint32 {
	ip := frame[VirtioHeaderLen:]
	if v6 {
		return pseudoHeaderSum(ip[8:24], ip[24:40], proto, length)
	}
	return pseudoHeaderSum(ip[12:16], ip[16:20], proto, length)
}
