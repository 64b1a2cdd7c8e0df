// Package replay shows the engine the packets of a capture file, and tells what it made of each
// flow.
package replay

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"time"

	"sluice/classify"
	"sluice/classify/decode"
	"sluice/classify/pcap"
)

// Flow is a flow of a capture and what it was found to be.
type Flow struct {
	Client, Server netip.AddrPort
	Protocol       uint8 // IP protocol number
	Result         classify.Result
	Packets, Bytes uint64 // of the whole flow, IP packets with their headers
	// AnswerPackets and AnswerBytes are the packets with payload, and the bytes of these, after
	// which the answer stood as it is in Result.
	AnswerPackets, AnswerBytes int
	Payload                    bool // some packet had payload

	state   classify.Flow
	from    key  // the direction of the client
	started bool // its first packet was seen
}

// key identifies one direction of a flow.
type key struct {
	src, dst netip.AddrPort
	protocol uint8
}

func (k key) reverse() key { return key{k.dst, k.src, k.protocol} }

// File replays a capture file. Flows come in the order of their first packets. The caches of the
// engine begin empty and follow the clock of the capture. When the file is damaged, the flows up
// to the damage are returned with the error.
func File(engine *classify.Engine, name string) ([]*Flow, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	flows, err := Replay(engine, f)
	if err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return flows, err
}

// Replay replays a capture.
func Replay(engine *classify.Engine, capture io.Reader) ([]*Flow, error) {
	return NewTable(engine).replay(capture)
}

func (t *Table) replay(capture io.Reader) ([]*Flow, error) {
	reader, err := pcap.NewReader(capture)
	if err != nil {
		return nil, err
	}
	for {
		frame, err := reader.Next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return t.Close(), err
		}
		if ip, ok := frame.IP(); ok {
			t.Packet(frame.Time, ip)
		}
	}
}

// Table is a table of flows to which IP packets are shown.
type Table struct {
	engine    *classify.Engine
	now       time.Time
	flows     map[key]*Flow
	order     []*Flow
	fragments pcap.Fragments
	recut     *recutter // nil: segments are shown as they were
}

// NewTable is an empty table with caches of its own.
func NewTable(engine *classify.Engine) *Table {
	t := &Table{flows: map[key]*Flow{}}
	t.engine = engine.WithState(classify.NewState(func() time.Time { return t.now }))
	return t
}

// Packet shows an IP packet that was captured at a time.
func (t *Table) Packet(at time.Time, ip []byte) {
	t.now = at
	if whole, ok := t.fragments.Whole(ip); ok {
		t.whole(whole)
	}
}

// whole shows an IP packet that is no fragment.
func (t *Table) whole(ip []byte) {
	p, ok := pcap.Parse(ip)
	if !ok {
		return
	}
	f, d := t.find(&p)
	f.Packets++
	f.Bytes += uint64(p.Length)
	f.Payload = f.Payload || p.Protocol == decode.TCP && len(p.Payload) > 0 || p.Protocol == decode.UDP && len(p.Payload) > 0
	if f.state.Final() {
		return
	}
	changed := false
	switch p.Protocol {
	case decode.TCP:
		s := classify.Segment{Direction: d, Seq: p.Seq, Ack: p.Ack, Flags: p.TCPFlags, Payload: p.Payload}
		if t.recut != nil {
			changed = t.recut.show(&f.state, &s, f.started)
		} else {
			changed = f.state.Segment(&s)
		}
	case decode.UDP:
		changed = f.state.Datagram(d, p.Payload)
	case decode.SCTP:
		changed = f.state.Chunks(d, p.Payload)
	}
	if changed {
		t.note(f)
	}
}

// note takes the answer over.
func (t *Table) note(f *Flow) {
	before := f.Result
	f.Result = f.state.Result()
	if before.Protocol != f.Result.Protocol || before.Application != f.Result.Application {
		f.AnswerPackets, f.AnswerBytes = f.state.Inspected()
	}
}

// find finds the flow of a packet, or begins it.
func (t *Table) find(p *pcap.Packet) (*Flow, classify.Direction) {
	k := key{p.Src, p.Dst, p.Protocol}
	f, ok := t.flows[k]
	if !ok {
		f = t.begin(k, p)
		t.flows[k], t.flows[k.reverse()] = f, f
		t.order = append(t.order, f)
	}
	if f.from == k {
		return f, classify.ToServer
	}
	return f, classify.ToClient
}

const flagSyn, flagAck = 1 << 1, 1 << 4

// begin begins a flow with its first packet. Who is the client, a SYN tells; otherwise the ports
// may.
func (t *Table) begin(k key, p *pcap.Packet) *Flow {
	guessed := true
	switch syn := p.TCPFlags & (flagSyn | flagAck); {
	case p.Protocol != decode.TCP && p.Protocol != decode.UDP:
		guessed = false
	case p.Protocol == decode.TCP && syn == flagSyn:
		guessed = false
	case p.Protocol == decode.TCP && syn == flagSyn|flagAck:
		guessed, k = false, k.reverse()
	case t.server(k.protocol, k.src.Port()) && !t.server(k.protocol, k.dst.Port()):
		k = k.reverse()
	}
	f := &Flow{Client: k.src, Server: k.dst, Protocol: k.protocol, from: k, started: !guessed}
	t.engine.Begin(&f.state, &classify.Meta{
		Client: k.src, Server: k.dst, Protocol: k.protocol,
		ICMPType: p.ICMPType, ICMPCode: p.ICMPCode, Guessed: guessed,
	})
	f.Result = f.state.Result()
	return f
}

// server says whether a port looks like that of a server.
func (t *Table) server(protocol uint8, port uint16) bool {
	return port < 1024 || t.engine.UsualPort(protocol, port)
}

// Close ends all flows and returns them in the order of their first packets.
func (t *Table) Close() []*Flow {
	for _, first := range t.fragments.Rest() {
		t.whole(first)
	}
	for _, f := range t.order {
		f.state.Close()
		t.note(f)
		if f.Result.Turned {
			f.Client, f.Server = f.Server, f.Client
		}
	}
	return t.order
}
