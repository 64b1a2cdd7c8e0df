package messaging

import (
	"testing"

	"sluice/classify/decode"
	. "sluice/classify/decode/decodetest"
)

// Many fields in order may be Protocol Buffers, out of order they are not, and few say nothing yet.
func TestProtobuf(t *testing.T) {
	const message = "\x08\x01\x10\x02\x1a\x03abc\x20\x04\x29\x01\x02\x03\x04\x05\x06\x07\x08\x35\x01\x02\x03\x04\x38\x80\x01\x42\x02hi"
	for _, c := range []struct {
		data string
		want decode.Verdict
	}{
		{message, decode.Maybe},
		{message + "\x08\x01", decode.No},
		{message[:9], decode.More},
		{"\x08\x01\x10\x02\x1a\x00", decode.No},
		{"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", decode.No},
		{"\x0b\x01", decode.No},
	} {
		if o := Run(protobufs, TCP(7000), Client(c.data)); o.Verdict != c.want {
			t.Errorf("stream %x: %v, want %v", c.data, o.Verdict, c.want)
		}
	}
	if o := Run(protobufs, UDP(7000), Client(message)); o.Verdict != decode.Maybe {
		t.Errorf("datagram: %v", o.Verdict)
	}
	if o := Run(protobufs, UDP(7000), Client(message[:len(message)-1])); o.Verdict != decode.No {
		t.Errorf("cut datagram: %v", o.Verdict)
	}
	small := Client(message[:9])
	if o := Run(protobufs, UDP(7000), small, small, small, small); o.Verdict != decode.Maybe {
		t.Errorf("four datagrams: %v", o.Verdict)
	}
}

func FuzzProtobuf(f *testing.F) { Fuzz(f, protobufs, []byte("\x08\x01\x10\x02\x1a\x03abc")) }
