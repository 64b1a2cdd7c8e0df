package stack

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

var (
	client4 = netip.MustParseAddrPort("192.0.2.10:40000")
	server4 = netip.MustParseAddrPort("198.51.100.20:443")
	nat4    = netip.MustParseAddrPort("203.0.113.1:10007")
	client6 = netip.MustParseAddrPort("[2001:db8:1::10]:40000")
	server6 = netip.MustParseAddrPort("[2001:db8:2::20]:443")
	nat6    = netip.MustParseAddrPort("[2001:db8:3::1]:10007")
)

// makePacket builds a frame with an independent implementation of the headers (gVisor's).
func makePacket(t testing.TB, proto uint8, src, dst netip.AddrPort, payload []byte, partial bool) []byte {
	t.Helper()
	var transport []byte
	number := tcpip.TransportProtocolNumber(proto)
	from, to := tcpip.AddrFromSlice(src.Addr().AsSlice()), tcpip.AddrFromSlice(dst.Addr().AsSlice())
	start := 0
	switch proto {
	case protoTCP:
		transport = append(make([]byte, 20), payload...)
		header.TCP(transport).Encode(&header.TCPFields{SrcPort: src.Port(), DstPort: dst.Port(), SeqNum: 1000, AckNum: 2000, DataOffset: 20, Flags: header.TCPFlagAck, WindowSize: 512})
		start = 16
	case protoUDP:
		transport = append(make([]byte, 8), payload...)
		header.UDP(transport).Encode(&header.UDPFields{SrcPort: src.Port(), DstPort: dst.Port(), Length: uint16(len(transport))})
		start = 6
	case protoICMP:
		transport = append([]byte{8, 0, 0, 0, byte(src.Port() >> 8), byte(src.Port()), 0, 1}, payload...)
		binary.BigEndian.PutUint16(transport[2:], ^checksum.Checksum(transport, 0))
	case protoICMPv6:
		transport = append([]byte{128, 0, 0, 0, byte(src.Port() >> 8), byte(src.Port()), 0, 1}, payload...)
		start = 2
	}
	if start != 0 {
		pseudo := header.PseudoHeaderChecksum(number, from, to, uint16(len(transport)))
		if partial {
			binary.BigEndian.PutUint16(transport[start:], pseudo)
		} else {
			binary.BigEndian.PutUint16(transport[start:], ^checksum.Checksum(transport, pseudo))
		}
	}
	var ip []byte
	if src.Addr().Is4() {
		ip = append(make([]byte, 20), transport...)
		header.IPv4(ip).Encode(&header.IPv4Fields{TotalLength: uint16(len(ip)), TTL: 63, Protocol: proto, SrcAddr: from, DstAddr: to})
		header.IPv4(ip).SetChecksum(^header.IPv4(ip).CalculateChecksum())
	} else {
		ip = append(make([]byte, 40), transport...)
		header.IPv6(ip).Encode(&header.IPv6Fields{PayloadLength: uint16(len(transport)), HopLimit: 63, TransportProtocol: number, SrcAddr: from, DstAddr: to})
	}
	frame := append(make([]byte, VirtioHeaderLen), ip...)
	if partial {
		frame[vnetFlags] = vnetNeedsCsum
		binary.LittleEndian.PutUint16(frame[vnetCsumStart:], uint16(len(ip)-len(transport)))
		binary.LittleEndian.PutUint16(frame[vnetCsumOff:], uint16(start))
	}
	return frame
}

// completeChecksum does what a device does with a frame that needs its checksum.
func completeChecksum(frame []byte) {
	if frame[vnetFlags]&vnetNeedsCsum == 0 {
		return
	}
	start := VirtioHeaderLen + int(binary.LittleEndian.Uint16(frame[vnetCsumStart:]))
	at := start + int(binary.LittleEndian.Uint16(frame[vnetCsumOff:]))
	binary.BigEndian.PutUint16(frame[at:], ^checksum.Checksum(frame[start:], 0))
}

// verify fails the test unless every checksum of the frame is right.
func verify(t *testing.T, frame []byte) {
	t.Helper()
	frame = bytes.Clone(frame)
	completeChecksum(frame)
	var p Packet
	if err := p.Parse(frame); err != nil {
		t.Fatalf("parsing the result: %v", err)
	}
	var from, to tcpip.Address
	if p.V6 {
		from, to = header.IPv6(p.IP).SourceAddress(), header.IPv6(p.IP).DestinationAddress()
	} else {
		from, to = header.IPv4(p.IP).SourceAddress(), header.IPv4(p.IP).DestinationAddress()
		if !header.IPv4(p.IP).IsChecksumValid() {
			t.Error("IPv4 header checksum is wrong")
		}
	}
	transport := p.IP[p.Transport:]
	initial := uint16(0)
	if p.Key.Proto != protoICMP {
		initial = header.PseudoHeaderChecksum(tcpip.TransportProtocolNumber(p.Key.Proto), from, to, uint16(len(transport)))
	}
	if got := checksum.Checksum(transport, initial); got != 0xffff {
		t.Errorf("transport checksum of protocol %d is wrong: sum %#x", p.Key.Proto, got)
	}
}

func parse(t testing.TB, frame []byte) *Packet {
	t.Helper()
	p := new(Packet)
	if err := p.Parse(frame); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestParseKeys(t *testing.T) {
	for _, c := range []struct {
		name     string
		frame    []byte
		src, dst string
		payload  int
	}{
		{"tcp4", makePacket(t, protoTCP, client4, server4, []byte("hello"), false), "192.0.2.10:40000", "198.51.100.20:443", 5},
		{"udp6", makePacket(t, protoUDP, client6, server6, []byte("hi"), false), "[2001:db8:1::10]:40000", "[2001:db8:2::20]:443", 2},
		{"icmp", makePacket(t, protoICMP, client4, server4, []byte("ping"), false), "192.0.2.10:40000", "198.51.100.20:0", 4},
		{"icmp6", makePacket(t, protoICMPv6, client6, server6, []byte("ping"), false), "[2001:db8:1::10]:40000", "[2001:db8:2::20]:0", 4},
	} {
		p := parse(t, c.frame)
		if p.Key.Source().String() != c.src || p.Key.Destination().String() != c.dst {
			t.Errorf("%s: %v -> %v, want %s -> %s", c.name, p.Key.Source(), p.Key.Destination(), c.src, c.dst)
		}
		if got := len(p.IP) - p.Payload; got != c.payload {
			t.Errorf("%s: payload of %d bytes, want %d", c.name, got, c.payload)
		}
		if p.Key.Reverse().Reverse() != p.Key {
			t.Errorf("%s: reversing twice changes the key", c.name)
		}
	}
}

func TestSegmentTrainIsCountedAsItsSegments(t *testing.T) {
	frame := makePacket(t, protoTCP, client4, server4, make([]byte, 3000), true)
	frame[vnetGSOType] = 1
	binary.LittleEndian.PutUint16(frame[vnetGSOSize:], 1448)
	p := parse(t, frame)
	if p.Segments != 3 || p.Bytes != 3000+3*40 {
		t.Errorf("%d segments of %d bytes, want 3 of 3120", p.Segments, p.Bytes)
	}
}

func TestTranslateKeepsChecksums(t *testing.T) {
	for _, partial := range []bool{false, true} {
		for _, c := range []struct {
			proto         uint8
			src, dst, nat netip.AddrPort
		}{
			{protoTCP, client4, server4, nat4}, {protoUDP, client4, server4, nat4}, {protoICMP, client4, server4, nat4},
			{protoTCP, client6, server6, nat6}, {protoUDP, client6, server6, nat6}, {protoICMPv6, client6, server6, nat6},
		} {
			if partial && (c.proto == protoICMP || c.proto == protoICMPv6) {
				continue
			}
			frame := makePacket(t, c.proto, c.src, c.dst, []byte("some payload of odd length"), partial)
			p := parse(t, frame)
			to := p.Key
			to.Src, to.SrcPort = c.nat.Addr().As16(), c.nat.Port()
			p.Translate(to)
			p.RaiseTTL()
			verify(t, frame)
			if again := parse(t, frame); again.Key != to {
				t.Errorf("protocol %d: key after translation %v, want %v", c.proto, again.Key, to)
			}
			p.Translate(Key{Src: c.src.Addr().As16(), Dst: c.dst.Addr().As16(), SrcPort: c.src.Port(), DstPort: p.Key.DstPort, Proto: p.Key.Proto})
			verify(t, frame)
		}
	}
}

func TestTranslateLeavesAbsentUDPChecksumAbsent(t *testing.T) {
	frame := makePacket(t, protoUDP, client4, server4, []byte("x"), false)
	copy(frame[VirtioHeaderLen+26:], []byte{0, 0})
	p := parse(t, frame)
	to := p.Key
	to.SrcPort = 10001
	p.Translate(to)
	if frame[VirtioHeaderLen+26] != 0 || frame[VirtioHeaderLen+27] != 0 {
		t.Error("a checksum appeared where the sender had none")
	}
}

func TestRaiseTTLStopsAtTheMaximum(t *testing.T) {
	for _, frame := range [][]byte{makePacket(t, protoUDP, client4, server4, nil, false), makePacket(t, protoUDP, client6, server6, nil, false)} {
		p := parse(t, frame)
		at := 8
		if p.V6 {
			at = 7
		}
		before := p.IP[at]
		p.RaiseTTL()
		if p.IP[at] != before+1 {
			t.Errorf("hop limit %d, want %d", p.IP[at], before+1)
		}
		verify(t, frame)
		p.IP[at] = 255
		p.RaiseTTL()
		if p.IP[at] != 255 {
			t.Error("the hop limit wrapped")
		}
	}
}

func TestClampMSS(t *testing.T) {
	for name, options := range map[string][]byte{
		"even": {2, 4, 0x05, 0xb4, 1, 3, 3, 7},
		"odd":  {1, 2, 4, 0x05, 0xb4, 3, 3, 7},
	} {
		frame := makePacket(t, protoTCP, client4, server4, options, false)
		tcp := frame[VirtioHeaderLen+20:]
		tcp[12], tcp[13] = 7<<4, TCPSyn
		tcp[16], tcp[17] = 0, 0
		binary.BigEndian.PutUint16(tcp[16:], ^checksum.Checksum(tcp, header.PseudoHeaderChecksum(6, tcpip.AddrFromSlice(client4.Addr().AsSlice()), tcpip.AddrFromSlice(server4.Addr().AsSlice()), uint16(len(tcp)))))
		verify(t, frame)
		p := parse(t, frame)
		if p.WindowScale() != 7 {
			t.Errorf("%s: window scale %d, want 7", name, p.WindowScale())
		}
		p.ClampMSS(1300)
		verify(t, frame)
		if !bytes.Contains(tcp, []byte{2, 4, 0x05, 0x14}) {
			t.Errorf("%s: MSS was not lowered: % x", name, tcp[20:])
		}
		p.ClampMSS(1400)
		if !bytes.Contains(tcp, []byte{2, 4, 0x05, 0x14}) {
			t.Errorf("%s: MSS was raised", name)
		}
	}
}

func TestRepliesAreWellFormed(t *testing.T) {
	for _, c := range []struct {
		src, dst netip.AddrPort
		gateway  string
	}{{client4, server4, "192.0.2.1"}, {client6, server6, "2001:db8:1::1"}} {
		p := parse(t, makePacket(t, protoTCP, c.src, c.dst, nil, false))
		rst := p.Reset()
		verify(t, rst)
		if got := parse(t, rst); got.Key != p.Key.Reverse() || got.TCPFlags != TCPRst || got.Seq != 2000 {
			t.Errorf("RST %v flags %#x seq %d", got.Key, got.TCPFlags, got.Seq)
		}
		u := parse(t, makePacket(t, protoUDP, c.src, c.dst, make([]byte, 1400), false))
		frame := u.Unreachable(netip.MustParseAddr(c.gateway), UnreachPort)
		verify(t, frame)
		e := parse(t, frame)
		if !e.IsICMPError() || !e.IsHardICMPError() {
			t.Errorf("type %d code %d is not an unreachable", e.ICMPType, e.ICMPCode)
		}
		if inner, ok := e.Embedded(); !ok || inner.Key != u.Key {
			t.Errorf("embedded packet %v, want %v", inner.Key, u.Key)
		}
		if e.Unreachable(netip.MustParseAddr(c.gateway), UnreachPort) != nil {
			t.Error("an error answered an error")
		}
	}
}

// A packet passes a link where each of its segments fits, or where it may be fragmented; else the error tells the MTU.
func TestTooBig(t *testing.T) {
	for _, c := range []struct {
		what         string
		src, dst     netip.AddrPort
		payload      int
		mayFragment  bool
		segment, mtu int
		passes       bool
	}{
		{"IPv4", client4, server4, 1360, false, 0, 1400, true},
		{"IPv4, a byte more", client4, server4, 1361, false, 0, 1400, false},
		{"IPv4 that may be fragmented", client4, server4, 1361, true, 0, 1400, true},
		{"a train", client4, server4, 30000, false, 1360, 1400, true},
		{"a train of segments a byte longer", client4, server4, 30000, false, 1361, 1400, false},
		{"IPv6", client6, server6, 1340, false, 0, 1400, true},
		{"IPv6, a byte more", client6, server6, 1341, false, 0, 1400, false},
	} {
		frame := makePacket(t, protoTCP, c.src, c.dst, make([]byte, c.payload), false)
		if c.src.Addr().Is4() && !c.mayFragment {
			frame[VirtioHeaderLen+6] = 0x40
		}
		if c.segment != 0 {
			frame[vnetGSOType] = 1
			binary.LittleEndian.PutUint16(frame[vnetGSOSize:], uint16(c.segment))
		}
		p := parse(t, frame)
		if p.Passes(c.mtu) != c.passes {
			t.Errorf("%s: passes %v, want %v", c.what, !c.passes, c.passes)
		}
		router, kind, code := netip.MustParseAddr("192.0.2.1"), uint8(3), uint8(4)
		if p.V6 {
			router, kind, code = netip.MustParseAddr("2001:db8:1::1"), 2, 0
		}
		answer := p.TooBig(router, c.mtu)
		verify(t, answer)
		e := parse(t, answer)
		mtu := binary.BigEndian.Uint32(e.IP[e.Transport+4:])
		inner, _ := e.Embedded()
		if e.ICMPType != kind || e.ICMPCode != code || mtu != uint32(c.mtu) || inner.Key != p.Key || e.Key.Dst != p.Key.Src {
			t.Errorf("%s: the error has type %d, code %d, MTU %d, quotes %v", c.what, e.ICMPType, e.ICMPCode, mtu, inner.Key)
		}
	}
}

func TestTranslateError(t *testing.T) {
	for _, c := range []struct {
		client, nat, server netip.AddrPort
		router              string
	}{{client4, nat4, server4, "198.51.100.1"}, {client6, nat6, server6, "2001:db8:2::1"}} {
		for _, proto := range []uint8{protoTCP, protoUDP} {
			sent := parse(t, makePacket(t, proto, c.nat, c.server, []byte("payload"), false))
			frame := sent.Unreachable(netip.MustParseAddr(c.router), UnreachPort)
			p := parse(t, frame)
			inner, ok := p.Embedded()
			if !ok {
				t.Fatal("no embedded packet")
			}
			want := NewKey(c.client, c.server, proto)
			p.TranslateError(p.Key.Src, c.client.Addr().As16(), &inner, want)
			verify(t, frame)
			got := parse(t, frame)
			if in, _ := got.Embedded(); in.Key != want {
				t.Errorf("protocol %d: inner key %v, want %v", proto, in.Key, want)
			}
			if got.Key.Destination().Addr() != c.client.Addr() {
				t.Errorf("error goes to %v, want %v", got.Key.Destination(), c.client)
			}
		}
	}
}

// fragments cuts an IPv4 frame into pieces of size bytes.
func fragments(t *testing.T, frame []byte, size int) []*Packet {
	t.Helper()
	payload := frame[VirtioHeaderLen+20:]
	var parts []*Packet
	for at := 0; at < len(payload); at += size {
		end := min(at+size, len(payload))
		part := append(bytes.Clone(frame[:VirtioHeaderLen+20]), payload[at:end]...)
		ip := part[VirtioHeaderLen:]
		field := uint16(at / 8)
		if end < len(payload) {
			field |= 0x2000
		}
		binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)))
		binary.BigEndian.PutUint16(ip[6:], field)
		ip[10], ip[11] = 0, 0
		header.IPv4(ip).SetChecksum(^header.IPv4(ip).CalculateChecksum())
		parts = append(parts, parse(t, part))
	}
	return parts
}

func TestFragmentsWaitForTheWholeDatagram(t *testing.T) { // FW-24
	frame := makePacket(t, protoUDP, client4, server4, make([]byte, 4000), false)
	parts := fragments(t, frame, 1480)
	order := []int{2, 0, 0, 1}
	var f Fragments
	var frames [][]byte
	for i, n := range order {
		frames = f.Add(parts[n], time.Now())
		if done := i == len(order)-1; (frames != nil) != done {
			t.Fatalf("after %d parts complete is %v", i+1, frames != nil)
		}
	}
	if len(frames) != 3 {
		t.Fatalf("%d frames, want 3", len(frames))
	}
	if first := parse(t, frames[0]); first.FragmentOffset != 0 || first.Key.DstPort != 443 {
		t.Errorf("first frame has offset %d port %d", first.FragmentOffset, first.Key.DstPort)
	}
	if waiting, _ := f.Stats(); waiting != 0 {
		t.Errorf("%d datagrams still wait", waiting)
	}
}

func TestOverlappingFragmentsAreDropped(t *testing.T) {
	frame := makePacket(t, protoUDP, client4, server4, make([]byte, 4000), false)
	parts := fragments(t, frame, 1480)
	overlap := fragments(t, frame, 1472)[1]
	var f Fragments
	f.Add(parts[0], time.Now())
	for _, p := range []*Packet{overlap, parts[1], parts[2]} {
		if f.Add(p, time.Now()) != nil {
			t.Fatal("a datagram with overlapping fragments passed")
		}
	}
	if _, dropped := f.Stats(); dropped != 4 {
		t.Errorf("%d fragments counted as dropped, want 4", dropped)
	}
}

func TestFragmentsAreBounded(t *testing.T) {
	var f Fragments
	now := time.Now()
	frame := makePacket(t, protoUDP, client4, server4, make([]byte, 4000), false)
	for i := range 3 * maxFragmentDatagrams {
		p := fragments(t, frame, 1480)[0]
		p.FragmentID = uint32(i)
		f.Add(p, now)
	}
	if waiting, _ := f.Stats(); waiting != maxFragmentDatagrams {
		t.Errorf("%d datagrams wait, want at most %d", waiting, maxFragmentDatagrams)
	}
	f.Expire(now.Add(2 * fragmentTimeout))
	if waiting, _ := f.Stats(); waiting != 0 {
		t.Errorf("%d datagrams wait after their time", waiting)
	}
}

func FuzzPacket(f *testing.F) {
	for _, frame := range [][]byte{
		makePacket(f, protoTCP, client4, server4, []byte("x"), false), makePacket(f, protoUDP, client6, server6, nil, true),
		makePacket(f, protoICMP, client4, server4, []byte("ping"), false),
	} {
		f.Add(frame)
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		var p Packet
		if p.Parse(bytes.Clone(frame)) != nil {
			return
		}
		p.RaiseTTL()
		if p.Fragment {
			var fragments Fragments
			fragments.Add(&p, time.Now())
			return
		}
		if p.Key.Proto == protoTCP {
			p.ClampMSS(1300)
			p.WindowScale()
			p.Reset()
		}
		if inner, ok := p.Embedded(); ok && p.IsICMPError() {
			p.TranslateError(p.Key.Src, p.Key.Dst, &inner, inner.Key.Reverse())
		}
		p.Unreachable(netip.MustParseAddr("192.0.2.1"), UnreachPort)
		to := p.Key
		to.SrcPort++
		p.Translate(to)
	})
}
