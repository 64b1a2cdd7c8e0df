package mirror

import (
	"math/rand/v2"
	"net/netip"
	"sync"
)

// Session is the copy of one session. Its methods may be called by several goroutines at once.
type Session struct {
	port *Port

	mu             sync.Mutex
	client, server end
	closed         bool
}

// end is one end of the conversation.
type end struct {
	address  netip.AddrPort
	sequence uint32 // of what it sends next
	id       uint16 // of its next IPv4 packet
}

// Session begins the copy of a session between a client and a server, both of one address family,
// with the addresses and ports that the client's packets have. It sends the handshake.
func (p *Port) Session(client, server netip.AddrPort) *Session {
	s := &Session{
		port:   p,
		client: end{address: unmap(client), sequence: rand.Uint32(), id: uint16(rand.Uint32())},
		server: end{address: unmap(server), sequence: rand.Uint32(), id: uint16(rand.Uint32())},
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.control(
		segment{from: &s.client, to: &s.server, flags: flagSYN},
		segment{from: &s.server, to: &s.client, flags: flagSYN | flagACK},
		segment{from: &s.client, to: &s.server, flags: flagACK},
	)
	return s
}

func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// Data copies what one end sent. It does not keep b.
func (s *Session) Data(fromClient bool, b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(b) == 0 {
		return
	}
	from, to := &s.server, &s.client
	if fromClient {
		from, to = to, from
	}
	largest := s.maxPayload()
	frames := s.newBlock(len(b), largest)
	for len(b) > 0 {
		piece := segment{from: from, to: to, flags: flagACK, payload: b[:min(len(b), largest)]}
		if b = b[len(piece.payload):]; len(b) == 0 {
			piece.flags |= flagPSH
		}
		if !frames.add(s.port, piece) {
			s.port.enqueue(frames)
			frames = s.newBlock(len(b)+len(piece.payload), largest)
			frames.add(s.port, piece)
		}
		from.sequence += uint32(len(piece.payload))
	}
	acknowledgement := segment{from: to, to: from, flags: flagACK}
	if !frames.add(s.port, acknowledgement) {
		s.port.enqueue(frames)
		frames = newBlock(frameOverhead)
		frames.add(s.port, acknowledgement)
	}
	s.port.enqueue(frames)
}

// newBlock returns a block for as much of a payload as it takes, with an acknowledgement.
func (s *Session) newBlock(payload, largest int) *block {
	return newBlock(payload + (payload/largest+2)*frameOverhead)
}

// maxPayload is the largest payload of a segment, in bytes.
func (s *Session) maxPayload() int {
	return int(s.port.mtu.Load()) - s.client.ipHeaderLen() - tcpHeaderLen
}

// Close ends the conversation: with a reset by the client, or with a FIN of each end.
func (s *Session) Close(reset bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	if reset {
		s.control(segment{from: &s.client, to: &s.server, flags: flagRST | flagACK})
		return
	}
	s.control(
		segment{from: &s.client, to: &s.server, flags: flagFIN | flagACK},
		segment{from: &s.server, to: &s.client, flags: flagFIN | flagACK},
		segment{from: &s.client, to: &s.server, flags: flagACK},
	)
}

// control sends segments without payload. SYN and FIN take a sequence number.
func (s *Session) control(segments ...segment) {
	frames := newBlock(len(segments) * frameOverhead)
	for _, segment := range segments {
		frames.add(s.port, segment)
		if segment.flags&(flagSYN|flagFIN) != 0 {
			segment.from.sequence++
		}
	}
	s.port.enqueue(frames)
}
