package offload

import (
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"sluice/stack"
)

// Checksums that a packet may have.
const (
	whole   = iota // of all of it
	partial        // the sum of the pseudo header, which the device completes
	none           // UDP over IPv4 needs none
)

// The kernel translates the source of one direction and the destination of the other; addresses, ports
// and checksums are right on the wire, whole and partial ones, and a datagram without one stays without.
func TestKernelTranslates(t *testing.T) {
	w, o := carrying(t)
	for _, c := range []struct{ client, nat, server string }{
		{"192.0.2.2:4000", "198.51.100.1:12345", "198.51.100.2:5000"},
		{"[2001:db8:1::2]:4000", "[2001:db8:2::1]:12345", "[2001:db8:2::2]:5000"},
	} {
		client, nat, server := netip.MustParseAddrPort(c.client), netip.MustParseAddrPort(c.nat), netip.MustParseAddrPort(c.server)
		for _, proto := range []uint8{unix.IPPROTO_TCP, unix.IPPROTO_UDP} {
			there, thereAs := stack.NewKey(client, server, proto), stack.NewKey(nat, server, proto)
			back, backAs := thereAs.Reverse(), there.Reverse()
			for _, k := range [][2]stack.Key{{there, thereAs}, {back, backAs}} {
				if err := o.Add(&k[0], &k[1], 1500); err != nil {
					t.Fatal(err)
				}
			}
			kinds := []int{whole}
			if proto == unix.IPPROTO_UDP {
				if kinds = append(kinds, partial); client.Addr().Is4() {
					kinds = append(kinds, none)
				}
			}
			for _, kind := range kinds {
				for _, size := range []int{1, 1400} {
					for _, leg := range []struct {
						from, to, device string
						sent, want       stack.Key
					}{{w.client, w.server, "s0", there, thereAs}, {w.server, w.client, "c0", back, backAs}} {
						got := crosses(t, leg.from, leg.to, leg.device, leg.sent, leg.want, kind, size, 64)
						if got == nil {
							t.Errorf("%v, checksum %d: nothing arrived as %v", leg.sent, kind, leg.want)
							continue
						}
						checkSums(t, got, kind)
					}
				}
			}
			for _, k := range []stack.Key{there, back} {
				if s, ok := o.Remove(&k); !ok || s.Packets != uint64(2*len(kinds)) {
					t.Errorf("%v: %d packets were counted, want %d", k, s.Packets, 2*len(kinds))
				}
			}
		}
	}
}

// What the gateway has to answer is left to it: packets that are too long for the way out, and at their
// last hop. Once a flow is taken back nothing of it leaves, not even with the client's address.
func TestWhatCannotGoOnIsLeftToTheGateway(t *testing.T) {
	w, o := carrying(t)
	client, nat, server := netip.MustParseAddrPort("192.0.2.2:4000"), netip.MustParseAddrPort("198.51.100.1:12345"), netip.MustParseAddrPort("198.51.100.2:5000")
	there, as := stack.NewKey(client, server, unix.IPPROTO_UDP), stack.NewKey(nat, server, unix.IPPROTO_UDP)
	if err := o.Add(&there, &as, 1000); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		size int
		ttl  uint8
		pass bool
	}{{1000 - 28, 64, true}, {1001 - 28, 64, false}, {10, 2, true}, {10, 1, false}} {
		if got := crosses(t, w.client, w.server, "s0", there, as, whole, c.size, c.ttl); (got != nil) != c.pass {
			t.Errorf("%d bytes with TTL %d: passes %v, want %v", c.size, c.ttl, got != nil, c.pass)
		}
	}
	if s, _ := o.Remove(&there); s.Packets != 2 {
		t.Errorf("%d packets were counted as carried, want 2", s.Packets)
	}
	run(t, "ip", "-n", w.gateway, "rule", "del", "pref", "100", "iif", "lan0")
	// A host that marks packets by itself shows one that was on its way while the flow was taken back.
	run(t, "ip", "netns", "exec", w.gateway, "nft", "table inet late { chain c { type filter hook forward priority 0; meta mark set 0x51cf; }; }")
	if crosses(t, w.client, w.server, "s0", there, there, whole, 10, 64) != nil {
		t.Error("a packet left with its sender's address")
	}
}

// Both ends of a flow are not translated.
func TestOneEndIsTranslated(t *testing.T) {
	_, o := carrying(t)
	k := stack.NewKey(netip.MustParseAddrPort("192.0.2.2:4000"), netip.MustParseAddrPort("198.51.100.2:5000"), 17)
	to := stack.NewKey(netip.MustParseAddrPort("192.0.2.3:4000"), netip.MustParseAddrPort("198.51.100.3:5000"), 17)
	if o.Add(&k, &to, 1500) == nil {
		t.Error("a flow of which both ends change was taken")
	}
}

// crosses sends a packet with a key and returns it as it arrives at a device of another namespace, with
// the key that it should have there; nil when it does not arrive within a moment.
func crosses(t *testing.T, from, to, device string, sent, want stack.Key, kind, size int, ttl uint8) (got []byte) {
	t.Helper()
	tap := -1
	inNamespace(t, to, func() {
		var err error
		if tap, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM, int(htons(unix.ETH_P_ALL))); err != nil {
			t.Error(err)
			return
		}
		link, err := net.InterfaceByName(device)
		if err != nil {
			t.Error(err)
			return
		}
		if err := unix.Bind(tap, &unix.SockaddrLinklayer{Protocol: htons(unix.ETH_P_ALL), Ifindex: link.Index}); err != nil {
			t.Error(err)
		}
	})
	defer unix.Close(tap)
	inNamespace(t, from, func() {
		if kind == partial {
			sendByKernel(t, sent, size)
		} else {
			sendRaw(t, sent, kind, size, ttl)
		}
	})
	buf := make([]byte, 4096)
	for deadline := time.Now().Add(300 * time.Millisecond); ; {
		wait := time.Until(deadline)
		if wait <= 0 {
			return nil
		}
		timeout := unix.NsecToTimeval(int64(wait))
		if err := unix.SetsockoptTimeval(tap, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout); err != nil {
			t.Fatal(err)
		}
		n, peer, err := unix.Recvfrom(tap, buf, 0)
		if err != nil {
			continue
		}
		if a, ok := peer.(*unix.SockaddrLinklayer); ok && a.Pkttype == unix.PACKET_OUTGOING {
			continue
		}
		var p stack.Packet
		if p.Parse(append(make([]byte, stack.VirtioHeaderLen), buf[:n]...)) == nil && p.Key == want {
			return p.IP
		}
	}
}

func htons(n uint16) uint16 { return n<<8 | n>>8 }

// sendByKernel sends a datagram whose checksum the kernel leaves to the device.
func sendByKernel(t *testing.T, k stack.Key, size int) {
	c, err := net.DialUDP("udp", net.UDPAddrFromAddrPort(k.Source()), net.UDPAddrFromAddrPort(k.Destination()))
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	if _, err := c.Write(make([]byte, size)); err != nil {
		t.Error(err)
	}
}

// sendRaw sends a packet that is complete.
func sendRaw(t *testing.T, k stack.Key, kind, size int, ttl uint8) {
	src, dst := k.Source(), k.Destination()
	from, to := tcpip.AddrFromSlice(src.Addr().AsSlice()), tcpip.AddrFromSlice(dst.Addr().AsSlice())
	proto := tcpip.TransportProtocolNumber(k.Proto)
	var transport []byte
	sum := 16
	if proto == header.TCPProtocolNumber {
		transport = make([]byte, 20+size)
		header.TCP(transport).Encode(&header.TCPFields{SrcPort: src.Port(), DstPort: dst.Port(), SeqNum: 1000, AckNum: 2000, DataOffset: 20, Flags: header.TCPFlagAck, WindowSize: 512})
	} else {
		transport, sum = make([]byte, 8+size), 6
		header.UDP(transport).Encode(&header.UDPFields{SrcPort: src.Port(), DstPort: dst.Port(), Length: uint16(len(transport))})
	}
	if kind == whole {
		pseudo := header.PseudoHeaderChecksum(proto, from, to, uint16(len(transport)))
		binary.BigEndian.PutUint16(transport[sum:], ^checksum.Checksum(transport, pseudo))
	}
	var ip []byte
	var family int
	var peer unix.Sockaddr
	if src.Addr().Is4() {
		ip = append(make([]byte, 20), transport...)
		header.IPv4(ip).Encode(&header.IPv4Fields{TotalLength: uint16(len(ip)), TTL: ttl, Protocol: uint8(proto), SrcAddr: from, DstAddr: to})
		family, peer = unix.AF_INET, &unix.SockaddrInet4{Addr: dst.Addr().As4()}
	} else {
		ip = append(make([]byte, 40), transport...)
		header.IPv6(ip).Encode(&header.IPv6Fields{PayloadLength: uint16(len(transport)), HopLimit: ttl, TransportProtocol: proto, SrcAddr: from, DstAddr: to})
		family, peer = unix.AF_INET6, &unix.SockaddrInet6{Addr: dst.Addr().As16()}
	}
	socket, err := unix.Socket(family, unix.SOCK_RAW, unix.IPPROTO_RAW)
	if err != nil {
		t.Error(err)
		return
	}
	defer unix.Close(socket)
	if err := unix.Sendto(socket, ip, 0, peer); err != nil {
		t.Error(err)
	}
}

// checkSums says what is wrong with the checksums of an IP packet.
func checkSums(t *testing.T, ip []byte, kind int) {
	t.Helper()
	var from, to tcpip.Address
	var transport []byte
	var proto tcpip.TransportProtocolNumber
	if ip[0]>>4 == 4 {
		h := header.IPv4(ip)
		if !h.IsChecksumValid() {
			t.Errorf("the checksum of the IPv4 header is wrong: % x", ip[:20])
		}
		from, to, transport, proto = h.SourceAddress(), h.DestinationAddress(), ip[20:], h.TransportProtocol()
	} else {
		h := header.IPv6(ip)
		from, to, transport, proto = h.SourceAddress(), h.DestinationAddress(), ip[40:], tcpip.TransportProtocolNumber(h.NextHeader())
	}
	at := 6
	if proto == header.TCPProtocolNumber {
		at = 16
	}
	field := binary.BigEndian.Uint16(transport[at:])
	pseudo := header.PseudoHeaderChecksum(proto, from, to, uint16(len(transport)))
	switch {
	case kind == none:
		if field != 0 {
			t.Errorf("a datagram without checksum has got %#x", field)
		}
	case kind == partial:
		if field != pseudo {
			t.Errorf("the partial checksum is %#x, want %#x", field, pseudo)
		}
	case checksum.Checksum(transport, pseudo) != 0xffff:
		t.Errorf("the transport checksum %#x is wrong", field)
	}
}
