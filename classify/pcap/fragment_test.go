package pcap

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// fragments cuts an IPv4 packet, or an IPv6 packet made by ipv6, into fragments of n bytes.
func fragments(ip []byte, n int) [][]byte {
	header := ip[:20]
	if ip[0]>>4 == 6 {
		header = join(ip[:40], []byte{protoUDP, 0, 0, 0, 0, 0, 0, 7})
		header[6] = 44
		ip = ip[28:] // behind its options header, seen from 20
	}
	var pieces [][]byte
	for at := 20; at < len(ip); at += n {
		end := min(len(ip), at+n)
		piece := join(header, ip[at:end])
		more, offset := uint16(0), uint16(at-20)
		if end < len(ip) {
			more = 1
		}
		if piece[0]>>4 == 4 {
			binary.BigEndian.PutUint16(piece[2:], uint16(len(piece)))
			binary.BigEndian.PutUint16(piece[6:], more<<13|offset/8)
		} else {
			binary.BigEndian.PutUint16(piece[4:], uint16(len(piece)-40))
			binary.BigEndian.PutUint16(piece[42:], offset|more)
		}
		pieces = append(pieces, piece)
	}
	return pieces
}

func TestFragments(t *testing.T) {
	text := "a payload that is long enough to be cut into a few fragments of two dozen bytes"
	for name, ip := range map[string][]byte{"IPv4": ipv4(protoUDP, udp(53, text)), "IPv6": ipv6(protoUDP, udp(53, text))} {
		pieces := fragments(ip, 24)
		pieces = append([][]byte{pieces[2], pieces[2], pieces[0]}, append(pieces[3:], pieces[1])...)
		var f Fragments
		for i, piece := range pieces {
			whole, ok := f.Whole(piece)
			if last := i == len(pieces)-1; ok != last {
				t.Fatalf("%s: whole after %d of %d pieces", name, i+1, len(pieces))
			}
			if p, parsed := Parse(whole); ok && (!parsed || string(p.Payload) != text) {
				t.Errorf("%s: became %q", name, p.Payload)
			}
		}
		f.Whole(pieces[3])
		if rest := f.Rest(); len(rest) != 0 {
			t.Errorf("%s: a later fragment alone left %x", name, rest)
		}
		f.Whole(fragments(ip, 24)[0])
		rest := f.Rest()
		if len(rest) != 1 {
			t.Fatalf("%s: the first fragment left %x", name, rest)
		}
		if p, ok := Parse(rest[0]); !ok || p.Dst.Port() != 53 || !bytes.HasPrefix([]byte(text), p.Payload) {
			t.Errorf("%s: the first fragment became %+v", name, p)
		}
	}
	if whole, ok := new(Fragments).Whole(packet); !ok || !bytes.Equal(whole, packet) {
		t.Error("a packet that is no fragment did not stay as it was")
	}
}

// A datagram whose fragments overlap is refused.
func TestOverlappingFragments(t *testing.T) {
	pieces := fragments(ipv4(protoUDP, udp(53, "0123456789abcdef0123456789abcdef")), 16)
	wide := fragments(ipv4(protoUDP, udp(53, "0123456789abcdef0123456789abcdef")), 24)
	var f Fragments
	for _, piece := range [][]byte{pieces[0], wide[0], pieces[1], pieces[2]} {
		if _, ok := f.Whole(piece); ok {
			t.Error("overlapping fragments became a datagram")
		}
	}
}

func FuzzFragments(f *testing.F) {
	f.Add(packet, uint8(16), uint8(1))
	f.Fuzz(func(t *testing.T, ip []byte, size, drop uint8) {
		var all Fragments
		all.Whole(ip)
		if len(ip) >= 48 && (ip[0]>>4 == 4 || ip[0]>>4 == 6) {
			for i, piece := range fragments(ip, max(8, int(size)&^7)) {
				if i != int(drop) {
					all.Whole(piece)
				}
			}
		}
		all.Rest()
	})
}
