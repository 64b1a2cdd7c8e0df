package stack

import (
	"slices"
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// acknowledgements are those that wait for data to go with. The TCP stack acknowledges all that it
// receives at once, a request too that is about to be answered. Here such a segment waits for the answer
// (RFC 9293 section 3.8.6.3), which acknowledges as much. It does so in the turns of a conversation only:
// the client has been sent data and has then said something. Who sends more meanwhile, or something out
// of order, is answered at once.
type acknowledgements struct {
	tick  time.Duration // the least that one waits, and half the most
	turns [1024]turn

	mu            sync.Mutex
	older, newest []*turn // have something to send; the older ones at the next tick
	ticking       bool
}

// turn is what is known of the connection that used this place last. Another that comes to it makes the
// gateway forget, and then one acknowledgement more is sent.
type turn struct {
	mu      sync.Mutex
	of      Key  // of what is sent
	ours    bool // what went last was data
	waiting []byte
	through queue
}

// turn is the place of the connection whose packets to the client have a key.
func (a *acknowledgements) turn(k Key) *turn {
	last := len(k.Dst) - 1
	return &a.turns[(uint(k.DstPort)+uint(k.Dst[last])*61+uint(k.Dst[last-1])*251+uint(k.SrcPort)*31)%uint(len(a.turns))]
}

// acknowledgeTick is how long acknowledgements wait at least. RFC 9293 allows half a second; Linux waits 40 ms.
const acknowledgeTick = 5 * time.Millisecond

// later says whether a packet waits. If so it is out of the caller's hands. One that is already waiting
// is out of date.
func (l *linkEndpoint) later(pkt *stack.PacketBuffer, segment header.TCP, pieces [][]byte, through queue) bool {
	network := pkt.Network()
	key := NewKey(addrPort(network.SourceAddress(), segment.SourcePort()), addrPort(network.DestinationAddress(), segment.DestinationPort()), protoTCP)
	t := l.acknowledgements.turn(key)
	data := pkt.Data().Size() > 0
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.of == key:
		t.waiting = nil
	case data:
		l.send(t)
		t.of = key
	default:
		return false
	}
	answered := t.ours
	t.ours = data
	if !answered || !isBareAcknowledgement(segment, data) {
		return false
	}
	t.waiting, t.through = slices.Concat(pieces...), through
	l.await(t)
	return true
}

// isBareAcknowledgement says whether a segment does nothing but acknowledge what came in its order.
func isBareAcknowledgement(segment header.TCP, data bool) bool {
	if data || segment.Flags() != header.TCPFlagAck {
		return false
	}
	const timestamp = 2 + header.TCPOptionTSLength // behind two of no meaning
	options := segment.Options()
	return len(options) == 0 || len(options) == timestamp && options[2] == header.TCPOptionTS
}

// forgetWaiting drops what waits for a client that has reset the connection of a key, of what it sends.
func (a *acknowledgements) forgetWaiting(k Key) {
	k = k.Reverse()
	t := a.turn(k)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of == k {
		t.waiting, t.ours = nil, false
	}
}

// send sends what waits. The caller holds the lock of t.
func (l *linkEndpoint) send(t *turn) {
	if t.waiting == nil {
		return
	}
	frame := t.waiting
	t.waiting = nil
	var p Packet
	if l.silences.n.Load() > 0 && p.Parse(frame) == nil {
		if _, silent := l.silences.of.Load(p.Key); silent {
			return
		}
	}
	l.tell(frame)
	l.count(t.through.Write(frame))
}

// await has t sent at the tick after the next one.
func (l *linkEndpoint) await(t *turn) {
	a := &l.acknowledgements
	a.mu.Lock()
	defer a.mu.Unlock()
	a.newest = append(a.newest, t)
	if !a.ticking {
		a.ticking = true
		time.AfterFunc(a.tick, l.sendDue)
	}
}

// sendDue sends what has waited for more than a tick.
func (l *linkEndpoint) sendDue() {
	a := &l.acknowledgements
	a.mu.Lock()
	due := a.older
	a.older, a.newest = a.newest, nil
	if a.ticking = len(a.older) > 0; a.ticking {
		time.AfterFunc(a.tick, l.sendDue)
	}
	a.mu.Unlock()
	for _, t := range due {
		t.mu.Lock()
		l.send(t)
		t.mu.Unlock()
	}
}
