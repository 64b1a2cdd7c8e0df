package stack

import "encoding/binary"

// RaiseTTL gives back the hop that the kernel took when it routed the packet into the device,
// so that the gateway counts as one hop on the path. A packet at the maximum stays as it is.
func (p *Packet) RaiseTTL() {
	if p.V6 {
		if p.IP[7] < 255 {
			p.IP[7]++
		}
		return
	}
	if p.IP[8] == 255 {
		return
	}
	before := binary.BigEndian.Uint16(p.IP[8:])
	p.IP[8]++
	p.patchIPChecksum(before, binary.BigEndian.Uint16(p.IP[8:]))
}

// Translate rewrites the packet from its own key to the key to: addresses, ports and every
// checksum that covers them (RFC 1624). Later fragments have addresses only.
func (p *Packet) Translate(to Key) {
	if p.Key.Src != to.Src {
		p.setAddress(false, to.Src)
	}
	if p.Key.Dst != to.Dst {
		p.setAddress(true, to.Dst)
	}
	if p.Fragment && p.FragmentOffset != 0 {
		p.Key = to
		return
	}
	t := p.IP[p.Transport:]
	switch p.Key.Proto {
	case protoTCP, protoUDP:
		p.setPort(t[0:2], to.SrcPort)
		p.setPort(t[2:4], to.DstPort)
	case protoICMP, protoICMPv6:
		switch {
		case p.IsEchoRequest():
			p.setPort(t[4:6], to.SrcPort)
		case p.IsEchoReply():
			p.setPort(t[4:6], to.DstPort)
		}
	}
	p.Key = to
}

// TranslateError rewrites an ICMP error that travels from src to dst about a packet with key
// inner: the error's own addresses become src and dst, the inner packet's key becomes to. The
// ICMP checksum is made anew, as the error is a whole packet of its own.
func (p *Packet) TranslateError(src, dst [16]byte, inner *Packet, to Key) {
	whole := Packet{IP: inner.IP, V6: inner.V6, Transport: inner.Transport, Key: inner.Key, ICMPType: inner.ICMPType}
	whole.Frame = make([]byte, VirtioHeaderLen)
	truncated := len(inner.IP) < inner.Transport+20
	if truncated && inner.Key.Proto == protoTCP {
		whole.translateHead(to)
	} else {
		whole.Translate(to)
	}
	if p.Key.Src != src {
		p.setAddress(false, src)
	}
	if p.Key.Dst != dst {
		p.setAddress(true, dst)
	}
	p.Key.Src, p.Key.Dst = src, dst
	p.finishICMP()
}

// translateHead rewrites a TCP header of which only the first eight bytes are there; its
// checksum is not.
func (p *Packet) translateHead(to Key) {
	if p.V6 {
		copy(p.IP[8:24], to.Src[:])
		copy(p.IP[24:40], to.Dst[:])
	} else {
		copy(p.IP[12:16], to.Src[12:])
		copy(p.IP[16:20], to.Dst[12:])
		binary.BigEndian.PutUint16(p.IP[10:], 0)
		binary.BigEndian.PutUint16(p.IP[10:], ^fold(sum(p.IP[:p.Transport], 0)))
	}
	binary.BigEndian.PutUint16(p.IP[p.Transport:], to.SrcPort)
	binary.BigEndian.PutUint16(p.IP[p.Transport+2:], to.DstPort)
}

// finishICMP computes the ICMP or ICMPv6 checksum of the whole packet.
func (p *Packet) finishICMP() {
	t := p.IP[p.Transport:]
	t[2], t[3] = 0, 0
	var initial uint32
	if p.V6 {
		initial = pseudoHeaderSum(p.IP[8:24], p.IP[24:40], protoICMPv6, len(t))
	}
	binary.BigEndian.PutUint16(t[2:], ^fold(sum(t, initial)))
	p.Frame[vnetFlags] = 0
}

// ClampMSS lowers the maximum segment size option of a SYN to mss (RFC 9293 section 3.7.1).
func (p *Packet) ClampMSS(mss uint16) {
	t := p.IP[p.Transport:p.Payload]
	for at := 20; at < len(t); {
		switch kind := t[at]; {
		case kind == 0:
			return
		case kind == 1:
			at++
		case at+2 > len(t) || t[at+1] < 2 || at+int(t[at+1]) > len(t):
			return
		case kind == 2 && t[at+1] == 4:
			if binary.BigEndian.Uint16(t[at+2:]) > mss {
				p.patchOption(t, at+2, mss)
			}
			return
		default:
			at += int(t[at+1])
		}
	}
}

// WindowScale is the shift of the window scale option of a SYN, 0 where there is none (RFC 7323 section 2).
func (p *Packet) WindowScale() uint8 {
	t := p.IP[p.Transport:p.Payload]
	for at := 20; at < len(t); {
		switch kind := t[at]; {
		case kind == 0:
			return 0
		case kind == 1:
			at++
		case at+2 > len(t) || t[at+1] < 2 || at+int(t[at+1]) > len(t):
			return 0
		case kind == 3 && t[at+1] == 3:
			return min(t[at+2], 14)
		default:
			at += int(t[at+1])
		}
	}
	return 0
}

// patchOption writes a 16-bit option value that may stand at an odd offset.
func (p *Packet) patchOption(t []byte, at int, value uint16) {
	start := at &^ 1
	end := min(start+4, len(t))
	before := fold(sum(t[start:end], 0))
	binary.BigEndian.PutUint16(t[at:], value)
	after := fold(sum(t[start:end], 0))
	p.patchTransportChecksum(before, after, false)
}

func (p *Packet) setPort(field []byte, port uint16) {
	before := binary.BigEndian.Uint16(field)
	if before == port {
		return
	}
	binary.BigEndian.PutUint16(field, port)
	p.patchTransportChecksum(before, port, false)
}

func (p *Packet) setAddress(destination bool, addr [16]byte) {
	at, size := 12, 4
	if p.V6 {
		at, size = 8, 16
	}
	if destination {
		at += size
	}
	field, value := p.IP[at:at+size], addr[16-size:]
	carriesChecksum := !p.Fragment || p.FragmentOffset == 0
	for i := 0; i < size; i += 2 {
		before, after := binary.BigEndian.Uint16(field[i:]), binary.BigEndian.Uint16(value[i:])
		if !p.V6 {
			p.patchIPChecksum(before, after)
		}
		if carriesChecksum {
			p.patchTransportChecksum(before, after, true)
		}
	}
	copy(field, value)
}

func (p *Packet) patchIPChecksum(before, after uint16) {
	c := binary.BigEndian.Uint16(p.IP[10:])
	binary.BigEndian.PutUint16(p.IP[10:], patch(c, before, after))
}

// patchTransportChecksum follows a change of a word that the transport checksum covers, in the
// pseudo header or in the transport header. A checksum left to the device holds the plain sum
// of the pseudo header only.
func (p *Packet) patchTransportChecksum(before, after uint16, pseudo bool) {
	t := p.IP[p.Transport:]
	var at int
	switch p.Key.Proto {
	case protoTCP:
		at = 16
	case protoUDP:
		at = 6
	case protoICMPv6:
		at = 2
	case protoICMP:
		if pseudo {
			return // ICMP for IPv4 has no pseudo header
		}
		at = 2
	default:
		return
	}
	if at+2 > len(t) {
		return
	}
	c := binary.BigEndian.Uint16(t[at:])
	switch {
	case p.Frame[vnetFlags]&vnetNeedsCsum != 0:
		if pseudo {
			binary.BigEndian.PutUint16(t[at:], ^patch(^c, before, after))
		}
	case p.Key.Proto == protoUDP && c == 0 && !p.V6: // no checksum was sent (RFC 768)
	default:
		c = patch(c, before, after)
		if c == 0 && p.Key.Proto == protoUDP {
			c = 0xffff
		}
		binary.BigEndian.PutUint16(t[at:], c)
	}
}

// patch is RFC 1624 equation 3: the checksum c after one word changed.
func patch(c, before, after uint16) uint16 {
	return ^fold(uint32(^c) + uint32(^before) + uint32(after))
}

// sum adds the big-endian words of b to initial without folding.
func sum(b []byte, initial uint32) uint32 {
	s := uint64(initial)
	for len(b) >= 2 {
		s += uint64(binary.BigEndian.Uint16(b))
		b = b[2:]
	}
	if len(b) == 1 {
		s += uint64(b[0]) << 8
	}
	for s > 0xffffffff {
		s = s&0xffffffff + s>>32
	}
	return uint32(s)
}

// fold reduces a sum of words to one word, carries added back (RFC 1071).
func fold(s uint32) uint16 {
	for s > 0xffff {
		s = s&0xffff + s>>16
	}
	return uint16(s)
}

func pseudoHeaderSum(src, dst []byte, proto uint8, length int) uint32 {
	return sum(src, sum(dst, uint32(proto)+uint32(length)>>16+uint32(length)&0xffff))
}
