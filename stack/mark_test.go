package stack

import (
	"bytes"
	"testing"
)

// Marking changes the code point and nothing else, and the header stays right.
// Rows: QS-12, QS-13.
func TestSetDSCP(t *testing.T) {
	for _, frame := range [][]byte{makePacket(t, protoTCP, client4, server4, []byte("x"), true), makePacket(t, protoUDP, client6, server6, []byte("x"), false)} {
		before := bytes.Clone(frame)
		p := parse(t, frame)
		p.IP[1] |= 0x10 // of the flow label, for IPv6
		if !p.V6 {
			p.IP[1] = 0x02 // ECN-capable
			p.patchIPChecksum(0x4500, 0x4502)
		}
		for _, code := range []uint8{63, 0, 0b101110, 0b101110} {
			p.SetDSCP(code)
			if again := parse(t, frame); again.DSCP() != code || again.Key != p.Key {
				t.Errorf("code point %06b, want %06b", again.DSCP(), code)
			}
			verify(t, frame)
		}
		p.SetDSCP(0)
		want := bytes.Clone(before)
		want[VirtioHeaderLen+1] = p.IP[1]
		if kept := p.IP[1]; p.V6 && kept != 0x10 || !p.V6 && kept != 0x02 {
			t.Errorf("the rest of the second octet became %#x", kept)
		}
		if p.V6 && !bytes.Equal(frame, want) {
			t.Error("something else changed")
		}
	}
}

// A train that is cut is what its first segments would have been.
// Rows: QS-21, QS-33.
func TestShorten(t *testing.T) {
	const size = 100
	for _, v6 := range []bool{false, true} {
		for _, udp := range []bool{false, true} {
			for _, n := range []uint64{1, 2, 9, 10} {
				payload := bytes.Repeat([]byte("0123456789"), 101) // ten segments and a short one
				frame := trainFrame(v6, udp, payload, size)
				p := parse(t, frame)
				whole, segment := p.Bytes, p.SegmentBytes()
				if p.Segments != 11 || whole != 11*segment-90 {
					t.Fatalf("%d segments of %d bytes, %d in all", p.Segments, segment, whole)
				}
				p.Shorten(n)
				if p.Segments != n || p.Bytes != n*segment {
					t.Errorf("%d segments, %d bytes; want %d, %d", p.Segments, p.Bytes, n, n*segment)
				}
				again := parse(t, p.Frame)
				if again.Segments != n || again.Bytes != n*segment || again.TCPFlags != p.TCPFlags || len(p.Frame) != VirtioHeaderLen+len(again.IP) {
					t.Errorf("the frame says %d segments, %d bytes, flags %#x", again.Segments, again.Bytes, again.TCPFlags)
				}
				var got []byte
				segments := uint64(0)
				if err := finish(p.Frame, func(packet []byte) error {
					part, data := checkSegment(t, packet)
					if part.TCPFlags&(TCPFin|TCPPsh) != 0 {
						t.Error("a segment has the flags of the last one, which is cut off")
					}
					got = append(got, data...)
					segments++
					return nil
				}); err != nil || segments != n || !bytes.Equal(got, payload[:n*size]) {
					t.Errorf("v6 %v, udp %v: %d segments, %d bytes, %v; want %d", v6, udp, segments, len(got), err, n)
				}
			}
		}
	}
}
