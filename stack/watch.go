package stack

import (
	"sync"
	"sync/atomic"

	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// flows keeps something about some of the connections of the TCP stack, by the key of what they send
// to their clients.
type flows[V any] struct {
	n  atomic.Int32 // a packet looks no further while there are none
	of sync.Map     // V by Key
}

func (f *flows[V]) add(key Key, value V) {
	if _, known := f.of.Swap(key, value); !known {
		f.n.Add(1)
	}
}

func (f *flows[V]) remove(key Key) {
	if _, known := f.of.LoadAndDelete(key); known {
		f.n.Add(-1)
	}
}

// find is what is kept about the connection of a packet of the TCP stack.
func (f *flows[V]) find(pkt *stack.PacketBuffer) (value V, ok bool) {
	if f.n.Load() == 0 {
		return value, false
	}
	segment := header.TCP(pkt.TransportHeader().Slice())
	if len(segment) < header.TCPMinimumSize {
		return value, false
	}
	network := pkt.Network()
	found, ok := f.of.Load(NewKey(addrPort(network.SourceAddress(), segment.SourcePort()),
		addrPort(network.DestinationAddress(), segment.DestinationPort()), protoTCP))
	if ok {
		value = found.(V)
	}
	return value, ok
}

// Watch lets see have every packet that the TCP stack sends with the key, before it goes out: it may
// change the packet, and says whether it is to be sent. What is not sent is lost as on any wire. see
// must not block, nor keep the packet.
func (t *Terminator) Watch(key Key, see func(*Packet) (send bool)) { t.watched.add(key, see) }

// Unwatch ends Watch.
func (t *Terminator) Unwatch(key Key) { t.watched.remove(key) }

// frames are buffers for the frames that somebody watches.
var frames = sync.Pool{New: func() any { return new([MaxFrameLen]byte) }}

// show puts the pieces of a frame together in room for see. It returns what is left of it, and whether
// it is to be sent.
func show(pieces [][]byte, room *[MaxFrameLen]byte, see func(*Packet) bool) (frame []byte, send bool) {
	frame = room[:0]
	for _, piece := range pieces {
		frame = append(frame, piece...)
	}
	var p Packet
	if p.Parse(frame) != nil {
		return frame, true
	}
	send = see(&p)
	return p.Frame, send
}
