package stack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net/netip"
	"testing"
)

// trainFrame makes a frame with a transport payload that leaves checksum and segmentation to the
// receiver. size 0 makes a single packet.
func trainFrame(v6, udp bool, payload []byte, size int) []byte {
	ipLen, src, dst := 20, netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.7")
	if v6 {
		ipLen, src, dst = 40, netip.MustParseAddr("2001:db8:1::1"), netip.MustParseAddr("2001:db8:2::7")
	}
	proto, headerLen, sumAt, kind := uint8(protoTCP), 32, tcpChecksum, byte(gsoTCPv4)
	if v6 {
		kind = gsoTCPv6
	}
	if udp {
		proto, headerLen, sumAt, kind = protoUDP, 8, udpChecksum, gsoUDP
	}
	frame := make([]byte, VirtioHeaderLen+ipLen+headerLen+len(payload))
	frame[vnetFlags] = vnetNeedsCsum
	if size > 0 {
		frame[vnetGSOType] = kind
		if !udp {
			frame[vnetGSOType] |= gsoECN
		}
	}
	binary.LittleEndian.PutUint16(frame[vnetHeaderLen:], uint16(ipLen+headerLen))
	binary.LittleEndian.PutUint16(frame[vnetGSOSize:], uint16(size))
	binary.LittleEndian.PutUint16(frame[vnetCsumStart:], uint16(ipLen))
	binary.LittleEndian.PutUint16(frame[vnetCsumOff:], uint16(sumAt))
	ip := frame[VirtioHeaderLen:]
	if v6 {
		ip[0], ip[6], ip[7] = 0x60, proto, 64
		binary.BigEndian.PutUint16(ip[4:], uint16(len(ip)-40))
		copy(ip[8:], src.AsSlice())
		copy(ip[24:], dst.AsSlice())
	} else {
		ip[0], ip[8], ip[9] = 0x45, 64, proto
		binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)))
		binary.BigEndian.PutUint16(ip[4:], 0xfffe)
		copy(ip[12:], src.AsSlice())
		copy(ip[16:], dst.AsSlice())
		binary.BigEndian.PutUint16(ip[10:], ^fold(sum(ip[:20], 0)))
	}
	t := ip[ipLen:]
	binary.BigEndian.PutUint16(t, 40000)
	binary.BigEndian.PutUint16(t[2:], 443)
	if udp {
		binary.BigEndian.PutUint16(t[udpLength:], uint16(len(t)))
	} else {
		binary.BigEndian.PutUint32(t[tcpSequence:], 0xfffffff0)
		t[tcpOffset] = byte(headerLen / 4 << 4)
		t[tcpFlags] = TCPAck | TCPPsh | TCPFin | tcpCWR
		copy(t[20:], []byte{1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8})
	}
	binary.BigEndian.PutUint16(t[sumAt:], fold(pseudoHeaderSum(src.AsSlice(), dst.AsSlice(), proto, len(t))))
	copy(t[headerLen:], payload)
	return frame
}

// checkSegment verifies lengths and checksums of a complete packet and returns its headers and
// payload.
func checkSegment(t *testing.T, packet []byte) (Packet, []byte) {
	t.Helper()
	var p Packet
	if err := p.Parse(append(make([]byte, VirtioHeaderLen), packet...)); err != nil {
		t.Fatalf("%v: %x", err, packet)
	}
	if len(p.IP) != len(packet) {
		t.Fatalf("IP length %d in a packet of %d bytes", len(p.IP), len(packet))
	}
	if !p.V6 && fold(sum(p.IP[:p.Transport], 0)) != 0xffff {
		t.Errorf("IPv4 header checksum is wrong: %x", p.IP[:p.Transport])
	}
	pseudo := addressSum(p.Frame, p.V6, uint8(p.Key.Proto), len(p.IP)-p.Transport)
	if fold(sum(p.IP[p.Transport:], pseudo)) != 0xffff {
		t.Errorf("transport checksum is wrong: %x", p.IP)
	}
	return p, p.IP[p.Payload:]
}

func TestFinish(t *testing.T) {
	random := rand.NewChaCha8([32]byte{})
	for _, v6 := range []bool{false, true} {
		for _, udp := range []bool{false, true} {
			for _, c := range []struct{ length, size, segments int }{
				{0, 0, 1}, {1, 0, 1}, {1448, 0, 1},
				{1, 1, 1}, {7, 1, 7}, {1448, 1448, 1}, {1449, 1448, 2}, {65000, 1448, 45}, {65000, 999, 66}, {60, 100, 1},
			} {
				payload := make([]byte, c.length)
				random.Read(payload)
				var got []byte
				segments := 0
				err := finish(trainFrame(v6, udp, payload, c.size), func(packet []byte) error {
					p, data := checkSegment(t, packet)
					if c.size > 0 && len(data) > c.size {
						t.Errorf("segment of %d bytes, want at most %d", len(data), c.size)
					}
					if !udp {
						last := len(got)+len(data) == len(payload)
						if want := uint32(0xfffffff0) + uint32(len(got)); p.Seq != want {
							t.Errorf("sequence %d, want %d", p.Seq, want)
						}
						if p.TCPFlags&TCPFin != 0 != last || p.TCPFlags&TCPPsh != 0 != last || p.TCPFlags&tcpCWR != 0 != (segments == 0) {
							t.Errorf("segment %d, last: %v, has flags %#x", segments, last, p.TCPFlags)
						}
					}
					if id := binary.BigEndian.Uint16(packet[4:]); !v6 && id != uint16(0xfffe+segments) {
						t.Errorf("segment %d has IPv4 identification %#x", segments, id)
					}
					got = append(got, data...)
					segments++
					return nil
				})
				if err != nil || segments != c.segments || !bytes.Equal(got, payload) {
					t.Errorf("v6 %v, udp %v, %+v: %d segments, payload equal: %v, error %v", v6, udp, c, segments, bytes.Equal(got, payload), err)
				}
			}
		}
	}
}

func TestFinishStopsAtError(t *testing.T) {
	full := errors.New("full")
	calls := 0
	err := finish(trainFrame(false, false, make([]byte, 5000), 1000), func([]byte) error { calls++; return full })
	if !errors.Is(err, full) || calls != 1 {
		t.Errorf("error %v after %d calls", err, calls)
	}
}

func TestFinishRefusesMalformed(t *testing.T) {
	change := func(at int, value byte) []byte {
		frame := trainFrame(false, false, make([]byte, 100), 10)
		frame[at] = value
		return frame
	}
	for name, frame := range map[string][]byte{
		"short":                change(0, 1)[:VirtioHeaderLen+19],
		"family":               change(vnetGSOType, gsoTCPv6),
		"unknown type":         change(vnetGSOType, 3),
		"no checksum":          change(vnetFlags, 0),
		"checksum offset":      change(vnetCsumOff, 6),
		"no size":              change(vnetGSOSize, 0),
		"transport in header":  change(vnetCsumStart, 10),
		"transport outside":    change(vnetCsumStart+1, 1),
		"IP header length":     change(VirtioHeaderLen, 0x46),
		"TCP header too short": change(VirtioHeaderLen+20+tcpOffset, 0x10),
	} {
		if err := finish(frame, func([]byte) error { return nil }); !errors.Is(err, errBadFrame) {
			t.Errorf("%s: error %v, want %v", name, err, errBadFrame)
		}
	}
	single := trainFrame(false, false, nil, 0)
	binary.LittleEndian.PutUint16(single[vnetCsumStart:], 60)
	if err := finish(single, func([]byte) error { return nil }); !errors.Is(err, errBadFrame) {
		t.Errorf("checksum outside: error %v, want %v", err, errBadFrame)
	}
}

// FuzzFinish hands over any frame: every payload byte leaves exactly once, in packets inside the
// frame, or the frame is refused as a whole.
func FuzzFinish(f *testing.F) {
	for _, v6 := range []bool{false, true} {
		for _, udp := range []bool{false, true} {
			f.Add(trainFrame(v6, udp, make([]byte, 100), 30))
			f.Add(trainFrame(v6, udp, make([]byte, 100), 0))
		}
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		if len(frame) > MaxFrameLen {
			return
		}
		train, trainErr := train{}, error(nil)
		if len(frame) >= VirtioHeaderLen+20 && frame[vnetGSOType]&^gsoECN != gsoNone {
			train, trainErr = newTrain(frame)
		}
		whole := bytes.Clone(frame)
		var got []byte
		packets := 0
		err := finish(frame, func(packet []byte) error {
			packets++
			if len(packet)+VirtioHeaderLen > len(whole) || len(packet) < train.payload {
				t.Fatalf("packet of %d bytes", len(packet))
			}
			got = append(got, packet[train.payload:]...)
			return nil
		})
		switch {
		case err != nil:
			if packets != 0 || !errors.Is(err, errBadFrame) {
				t.Fatalf("%d packets left, then %v", packets, err)
			}
		case trainErr != nil:
			t.Fatalf("accepted a frame with %v", trainErr)
		case train.payload > 0 && !bytes.Equal(got, whole[VirtioHeaderLen+train.payload:]):
			t.Fatal("payload changed")
		case train.payload == 0 && packets != 1:
			t.Fatalf("%d packets of a single one", packets)
		}
	})
}
