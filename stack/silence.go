package stack

import (
	"sync"
	"sync/atomic"

	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// silences are the clients that hear nothing more from the TCP stack: neither data nor
// acknowledgements, neither FIN nor RST.
type silences struct {
	n     atomic.Int32 // a packet looks no further while there are none
	flows sync.Map     // Key of the packets that are withheld
}

func (s *silences) add(flow Key) {
	if _, known := s.flows.LoadOrStore(flow, true); !known {
		s.n.Add(1)
	}
}

func (s *silences) remove(flow Key) {
	if _, known := s.flows.LoadAndDelete(flow); known {
		s.n.Add(-1)
	}
}

// withhold says whether a packet of the TCP stack is for one of the silenced clients.
func (s *silences) withhold(pkt *stack.PacketBuffer) bool {
	if s.n.Load() == 0 {
		return false
	}
	segment := header.TCP(pkt.TransportHeader().Slice())
	if len(segment) < header.TCPMinimumSize {
		return false
	}
	network := pkt.Network()
	_, silent := s.flows.Load(NewKey(addrPort(network.SourceAddress(), segment.SourcePort()),
		addrPort(network.DestinationAddress(), segment.DestinationPort()), protoTCP))
	return silent
}

// Silence ends the stream without a word to the client, who cannot tell it from a broken line. What
// the client still sends must not be injected any more. It lasts until the function that it returns
// is called.
func (s *Stream) Silence() (lift func()) {
	flow := NewKey(s.server, s.client, protoTCP)
	s.silences.add(flow)
	_ = s.Abort() // its RST is withheld
	return func() { s.silences.remove(flow) }
}
