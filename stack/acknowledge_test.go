package stack

import (
	"encoding/binary"
	"io"
	"net/netip"
	"testing"
	"time"
)

// conversation is a client on a wire with the stream that serves it.
type conversation struct {
	key      Key
	out      wire
	link     *linkEndpoint
	stream   *Stream
	seq, ack uint32
}

func converse(t *testing.T) *conversation {
	c := &conversation{key: NewKey(netip.MustParseAddrPort("[2001:db8:1::9]:4000"), servers["IPv6"], protoTCP), out: make(wire, 64), seq: 1001}
	streams := make(chan *Stream, 1)
	terminator, err := NewTerminator(serve(t, func(s *Stream) { streams <- s }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(terminator.Close)
	port, err := terminator.Attach(&Device{name: "wire", mtu: 1500, offload: true, queues: []queue{c.out}})
	if err != nil {
		t.Fatal(err)
	}
	c.link = port.link
	c.link.acknowledgements.tick = time.Hour // the test says when it is over
	port.Inject(segment(c.key, true, 1000, 0, TCPSyn))
	c.ack = c.next(t).Seq + 1
	port.Inject(segment(c.key, true, c.seq, c.ack, TCPAck))
	c.stream = <-streams
	return c
}

// next is the next packet that goes to the client.
func (c *conversation) next(t *testing.T) *Packet {
	t.Helper()
	var p Packet
	if err := p.Parse(<-c.out); err != nil {
		t.Fatal(err)
	}
	return &p
}

// say has the client send text.
func (c *conversation) say(port *Port, text string) {
	frame := append(segment(c.key, true, c.seq, c.ack, TCPAck|TCPPsh), text...)
	binary.BigEndian.PutUint16(frame[VirtioHeaderLen+4:], uint16(len(frame)-VirtioHeaderLen-40))
	frame[vnetFlags] = vnetDataValid
	port.Inject(frame)
	c.seq += uint32(len(text))
}

// answer has the server send text, and the client's next segment acknowledge it.
func (c *conversation) answer(t *testing.T, text string) {
	t.Helper()
	if _, err := io.WriteString(c.stream, text); err != nil {
		t.Fatal(err)
	}
	p := c.next(t)
	if len(p.IP) != p.Payload+len(text) || p.Ack != c.seq {
		t.Errorf("sent %d bytes that acknowledge %d, want %d and %d", len(p.IP)-p.Payload, p.Ack, len(text), c.seq)
	}
	c.ack += uint32(len(text))
}

// expectACK waits for a segment that does nothing but acknowledge all that the client has said.
func (c *conversation) expectACK(t *testing.T) {
	t.Helper()
	if p := c.next(t); p.TCPFlags != TCPAck || len(p.IP) != p.Payload || p.Ack != c.seq {
		t.Errorf("sent %+v, want an acknowledgement of %d", p, c.seq)
	}
}

// expectWait waits until an acknowledgement waits.
func (c *conversation) expectWait() {
	a := &c.link.acknowledgements
	for waiting := false; !waiting; time.Sleep(time.Millisecond) {
		a.mu.Lock()
		waiting = len(a.newest) > 0
		a.mu.Unlock()
	}
}

func (c *conversation) expectRead(t *testing.T, text string) {
	t.Helper()
	b := make([]byte, len(text))
	if _, err := io.ReadFull(c.stream, b); err != nil || string(b) != text {
		t.Fatalf("read %q, error %v; want %q", b, err, text)
	}
}

// What a client says after it was sent something is acknowledged with the answer, not by a segment of its own.
func TestAcknowledgementGoesWithTheAnswer(t *testing.T) {
	c := converse(t)
	port := &Port{link: c.link}
	c.say(port, "first words") // nothing was sent before: acknowledged at once
	c.expectACK(t)
	c.expectRead(t, "first words")
	for range 3 {
		c.answer(t, "an answer")
		c.say(port, "a request")
		c.expectRead(t, "a request")
	}
	c.answer(t, "the last answer")
}

// Who gets no answer is acknowledged all the same after a while, and who sends more, at once.
func TestAcknowledgementWithoutAnswer(t *testing.T) {
	c := converse(t)
	port := &Port{link: c.link}
	c.answer(t, "welcome")
	c.say(port, "part one")
	c.expectRead(t, "part one")
	c.expectWait()
	c.say(port, "part two")
	c.expectACK(t)
	c.expectRead(t, "part two")
	c.link.sendDue() // forgets what has been sent
	c.link.sendDue()

	c.answer(t, "go on")
	c.say(port, "a request that takes long")
	c.expectRead(t, "a request that takes long")
	c.expectWait()
	c.link.sendDue()
	if len(c.out) > 0 {
		t.Error("sent after less than a tick")
	}
	c.link.sendDue()
	c.expectACK(t)
	c.answer(t, "the answer")
}

// A client that is to hear nothing is sent no acknowledgement that still waited.
func TestAcknowledgementOfASilencedClient(t *testing.T) {
	c := converse(t)
	c.answer(t, "welcome")
	c.say(&Port{link: c.link}, "something forbidden")
	c.expectRead(t, "something forbidden")
	c.expectWait()
	defer c.stream.Silence()()
	c.link.sendDue()
	c.link.sendDue()
	if len(c.out) > 0 {
		t.Errorf("sent %+v", c.next(t))
	}
}

// A client that has reset the connection is not sent what waited, which it would answer with another RST.
func TestAcknowledgementOfAClientThatResets(t *testing.T) {
	c := converse(t)
	port := &Port{link: c.link}
	c.answer(t, "welcome")
	c.say(port, "bye")
	c.expectRead(t, "bye")
	c.expectWait()
	port.Inject(segment(c.key, true, c.seq, 0, TCPRst))
	c.link.sendDue()
	c.link.sendDue()
	if len(c.out) > 0 {
		t.Errorf("sent %+v", c.next(t))
	}
}
