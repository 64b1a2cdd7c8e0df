package stack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"slices"
	"testing"
)

// wire is a queue whose other end is the test.
type wire chan []byte

func (w wire) Read([]byte) (int, error) { return 0, ErrClosed }
func (w wire) Write(frame []byte) error { w <- bytes.Clone(frame); return nil }
func (w wire) close() error             { return nil }
func (w wire) writeVector(pieces [][]byte) error {
	return w.Write(slices.Concat(pieces...))
}

// segment makes the frame of a client's TCP segment with a window of 65,535 bytes.
func segment(k Key, v6 bool, seq, ack uint32, flags uint8) []byte {
	frame := NewReset(k, v6, seq, ack, flags)
	t := frame[len(frame)-20:]
	binary.BigEndian.PutUint16(t[14:], 0xffff)
	binary.BigEndian.PutUint16(t[tcpChecksum:], 0)
	binary.BigEndian.PutUint16(t[tcpChecksum:], ^fold(sum(t, addressSum(frame, v6, protoTCP, len(t)))))
	return frame
}

// What the stack sends is right on any wire: once the header's demands are met, every segment has
// correct checksums and respects the client's MSS. Local delivery by the kernel would not show it.
func TestSegmentsAreRightOnTheWire(t *testing.T) {
	for family, server := range servers {
		t.Run(family, func(t *testing.T) {
			v6 := server.Addr().Is6()
			client := netip.MustParseAddrPort("192.0.2.9:4000")
			mss := 536 // of a client that announces none (RFC 9293 section 3.7.1)
			if v6 {
				client, mss = netip.MustParseAddrPort("[2001:db8:1::9]:4000"), 1220
			}
			key := NewKey(client, server, protoTCP)
			streams := make(chan *Stream, 1)
			terminator, err := NewTerminator(serve(t, func(s *Stream) { streams <- s }))
			if err != nil {
				t.Fatal(err)
			}
			defer terminator.Close()
			out := make(wire, 64)
			port, err := terminator.Attach(&Device{name: "wire", mtu: 1500, offload: true, queues: []queue{out}})
			if err != nil {
				t.Fatal(err)
			}

			port.Inject(segment(key, v6, 1000, 0, TCPSyn))
			synAck, _ := checkSegment(t, (<-out)[VirtioHeaderLen:])
			if synAck.Key != key.Reverse() || synAck.TCPFlags != TCPSyn|TCPAck || synAck.Ack != 1001 {
				t.Fatalf("SYN answered with %+v", synAck)
			}
			port.Inject(segment(key, v6, 1001, synAck.Seq+1, TCPAck))
			s := <-streams
			sent := bytes.Repeat([]byte("0123456789abcdef"), 4<<10)
			go func() {
				s.Write(sent)
				s.CloseWrite()
			}()
			var got []byte
			trains, finished := 0, false
			for !finished {
				frame := <-out
				if frame[vnetGSOType] != gsoNone {
					trains++
				}
				if err := finish(frame, func(packet []byte) error {
					p, data := checkSegment(t, packet)
					if want := synAck.Seq + 1 + uint32(len(got)); p.Seq != want {
						t.Fatalf("sequence %d, want %d", p.Seq, want)
					}
					if len(data) > mss {
						t.Errorf("segment of %d bytes, the client takes %d", len(data), mss)
					}
					got = append(got, data...)
					finished = p.TCPFlags&TCPFin != 0
					return nil
				}); err != nil {
					t.Fatal(err)
				}
				port.Inject(segment(key, v6, 1001, synAck.Seq+1+uint32(len(got)), TCPAck))
			}
			if !bytes.Equal(got, sent) || trains == 0 {
				t.Errorf("received %d of %d bytes, equal: %v, in %d trains", len(got), len(sent), bytes.Equal(got, sent), trains)
			}
			port.Inject(segment(key, v6, 1001, synAck.Seq+2+uint32(len(got)), TCPFin|TCPAck))
			if n, err := s.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
				t.Errorf("read %d, %v after the client's FIN", n, err)
			}
			s.Close()
			if lost := port.Lost(); lost != 0 {
				t.Errorf("%d packets lost", lost)
			}
		})
	}
}

// slowWire is a wire that keeps who writes until the test lets go.
type slowWire struct {
	wire
	hold chan struct{}
}

func (w slowWire) Write(frame []byte) error {
	w.wire <- bytes.Clone(frame)
	<-w.hold
	return nil
}

// What a client answers to a SYN-ACK is heard although the device has not finished with that yet, as
// happens where the client is quick: nobody waits for a lock meanwhile.
func TestClientIsHeardWhileTheDeviceIsBusy(t *testing.T) {
	client, server := netip.MustParseAddrPort("192.0.2.9:4000"), servers["IPv4"]
	key := NewKey(client, server, protoTCP)
	streams := make(chan *Stream, 1)
	terminator, err := NewTerminator(serve(t, func(s *Stream) { streams <- s }))
	if err != nil {
		t.Fatal(err)
	}
	defer terminator.Close()
	out := slowWire{make(wire, 64), make(chan struct{})}
	port, err := terminator.Attach(&Device{name: "wire", mtu: 1500, offload: true, queues: []queue{out}})
	if err != nil {
		t.Fatal(err)
	}
	port.Inject(segment(key, false, 1000, 0, TCPSyn))
	synAck, _ := checkSegment(t, (<-out.wire)[VirtioHeaderLen:])
	port.Inject(segment(key, false, 1001, synAck.Seq+1, TCPAck))
	s := <-streams
	close(out.hold)
	s.Close()
}
