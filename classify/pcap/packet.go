package pcap

import (
	"encoding/binary"
	"net/netip"
)

// IP protocol numbers that matter here (IANA protocol numbers).
const (
	protoICMP   = 1
	protoIPIP   = 4
	protoTCP    = 6
	protoUDP    = 17
	protoIPv6   = 41
	protoGRE    = 47
	protoICMPv6 = 58
	protoSCTP   = 132
)

// Packet is the innermost IP packet of a frame, taken apart.
type Packet struct {
	Src, Dst netip.AddrPort // ports 0 where the protocol has none
	Protocol uint8
	Payload  []byte // behind the transport header, as much as was captured
	Length   int    // of the IP packet, as its header says

	TCPFlags uint8
	Seq, Ack uint32
	// ICMPType and ICMPCode of an ICMP or ICMPv6 message.
	ICMPType, ICMPCode uint8
	// Later is set for every fragment but the first; it has no ports and no payload.
	Later bool
}

// maxTunnels is how many tunnels are opened, one inside the other.
const maxTunnels = 4

// Parse takes an IP packet apart, and opens the tunnels it may be in: IP in IP, GRE, GTP-U, VXLAN,
// CAPWAP and TZSP. ok is false when there is no intact header.
func Parse(ip []byte) (p Packet, ok bool) {
	for range maxTunnels {
		if p, ok = parse(ip); !ok {
			return p, false
		}
		inner, tunnelled := open(&p)
		if !tunnelled {
			return p, true
		}
		if _, ok := parse(inner); !ok {
			return p, true
		}
		ip = inner
	}
	return p, true
}

func parse(ip []byte) (p Packet, ok bool) {
	var transport []byte
	switch {
	case len(ip) >= 20 && ip[0]>>4 == 4:
		transport, ok = p.parse4(ip)
	case len(ip) >= 40 && ip[0]>>4 == 6:
		transport, ok = p.parse6(ip)
	}
	if ok && !p.Later {
		ok = p.parseTransport(transport)
	}
	return p, ok
}

func (p *Packet) parse4(ip []byte) (transport []byte, ok bool) {
	header, total := int(ip[0]&15)*4, int(binary.BigEndian.Uint16(ip[2:]))
	if total == 0 { // left to the network card (segmentation offload)
		total = len(ip)
	}
	if header < 20 || header > len(ip) || total < header {
		return nil, false
	}
	src, _ := netip.AddrFromSlice(ip[12:16])
	dst, _ := netip.AddrFromSlice(ip[16:20])
	p.Src, p.Dst = netip.AddrPortFrom(src, 0), netip.AddrPortFrom(dst, 0)
	p.Protocol, p.Length = ip[9], total
	p.Later = binary.BigEndian.Uint16(ip[6:])&0x1fff != 0
	return ip[header:min(total, len(ip))], true
}

func (p *Packet) parse6(ip []byte) (transport []byte, ok bool) {
	total := 40 + int(binary.BigEndian.Uint16(ip[4:]))
	if total == 40 {
		total = len(ip)
	}
	src, _ := netip.AddrFromSlice(ip[8:24])
	dst, _ := netip.AddrFromSlice(ip[24:40])
	p.Src, p.Dst = netip.AddrPortFrom(src, 0), netip.AddrPortFrom(dst, 0)
	p.Length = total
	rest, next := ip[40:min(total, len(ip))], ip[6]
	for range maxLayers {
		switch next {
		case 0, 43, 60, 135: // extension headers (RFC 8200 section 4)
			if len(rest) < 8 {
				return nil, false
			}
			length := 8 + int(rest[1])*8
			if len(rest) < length {
				return nil, false
			}
			next, rest = rest[0], rest[length:]
		case 44: // fragment
			if len(rest) < 8 {
				return nil, false
			}
			p.Later = binary.BigEndian.Uint16(rest[2:])&^7 != 0
			next, rest = rest[0], rest[8:]
			if p.Later {
				p.Protocol = next
				return rest, true
			}
		default:
			p.Protocol = next
			return rest, true
		}
	}
	return nil, false
}

func (p *Packet) parseTransport(t []byte) bool {
	switch p.Protocol {
	case protoTCP:
		if len(t) < 20 {
			return false
		}
		header := int(t[12]>>4) * 4
		if header < 20 {
			return false
		}
		p.setPorts(t)
		p.Seq, p.Ack, p.TCPFlags = binary.BigEndian.Uint32(t[4:]), binary.BigEndian.Uint32(t[8:]), t[13]
		p.Payload = t[min(header, len(t)):]
	case protoUDP:
		if len(t) < 8 {
			return false
		}
		p.setPorts(t)
		p.Payload = t[8:]
		if length := int(binary.BigEndian.Uint16(t[4:])); length >= 8 && length < len(t) {
			p.Payload = t[8:length]
		}
	case protoSCTP:
		if len(t) < 12 {
			return false
		}
		p.setPorts(t)
		p.Payload = t[12:]
	case protoICMP, protoICMPv6:
		if len(t) >= 2 {
			p.ICMPType, p.ICMPCode = t[0], t[1]
		}
		p.Payload = t
	default:
		p.Payload = t
	}
	return true
}

func (p *Packet) setPorts(t []byte) {
	p.Src = netip.AddrPortFrom(p.Src.Addr(), binary.BigEndian.Uint16(t))
	p.Dst = netip.AddrPortFrom(p.Dst.Addr(), binary.BigEndian.Uint16(t[2:]))
}
