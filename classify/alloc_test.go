//go:build !race

package classify

import "testing"

// The race detector empties pools on purpose; without it a session allocates nothing.
func TestNoAllocation(t *testing.T) {
	b := newBench(t, Options{})
	meta, payload := testMeta(6, 80), []byte("GET / HTTP/1.1\r\nHost: www.shop.example\r\nAccept: */*\r\n\r\n")
	var f Flow
	one := func() {
		b.Begin(&f, meta)
		f.Segment(&Segment{Flags: flagSyn, Seq: 1})
		f.Segment(&Segment{Direction: ToClient, Flags: flagSyn | flagAck, Seq: 1, Ack: 2})
		f.Segment(&Segment{Flags: flagAck, Seq: 2, Ack: 2, Payload: payload[:30]})
		f.Segment(&Segment{Flags: flagAck, Seq: 32, Ack: 2, Payload: payload[30:]})
		f.Close()
	}
	one()
	if n := testing.AllocsPerRun(200, one); n > 0.5 { // the collector may empty a pool
		t.Errorf("%v allocations a session", n)
	}
}
