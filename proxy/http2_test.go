package proxy

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// A request is answered on its stream, after what the server has said (FW-30).
func TestHTTP2Answer(t *testing.T) {
	frames := func(write func(*http2.Framer)) []byte {
		var b bytes.Buffer
		write(http2.NewFramer(&b, nil))
		return b.Bytes()
	}
	settings := frames(func(f *http2.Framer) { _ = f.WriteSettings() })
	request := append([]byte(http2.ClientPreface), frames(func(f *http2.Framer) {
		_ = f.WriteSettings()
		_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 5, BlockFragment: []byte{0x82}, EndHeaders: true, EndStream: true})
	})...)
	r := &response{http.StatusFound, "http://example.net/why", []byte("see there")}

	for _, greeted := range []bool{false, true} {
		w := newHTTP2Watch()
		if w.answer(r) != nil {
			t.Error("an answer to no request")
		}
		for i := range request {
			w.note(fromClient, request[i:i+1])
		}
		if greeted && w.note(fromServer, settings) {
			t.Error("SETTINGS are taken for an answer")
		}
		framer := http2.NewFramer(nil, bytes.NewReader(w.answer(r)))
		framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
		var kinds []http2.FrameType
		for {
			frame, err := framer.ReadFrame()
			if errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			kinds = append(kinds, frame.Header().Type)
			switch f := frame.(type) {
			case *http2.MetaHeadersFrame:
				if f.StreamID != 5 || f.PseudoValue("status") != "302" || f.Fields[len(f.Fields)-1].Value != r.location {
					t.Errorf("%+v", f)
				}
			case *http2.DataFrame:
				if f.StreamID != 5 || string(f.Data()) != "see there" || !f.StreamEnded() {
					t.Errorf("%+v", f)
				}
			}
		}
		if want := map[bool]int{false: 5, true: 3}[greeted]; len(kinds) != want {
			t.Errorf("frames %v, want %d", kinds, want)
		}
		if w.note(fromServer, settings[:3]); w.answer(r) != nil {
			t.Error("an answer within a frame of the server")
		}
		if w.note(fromServer, append(settings[3:], frames(func(f *http2.Framer) { _ = f.WriteData(5, false, nil) })...)); !w.answered {
			t.Error("DATA is not taken for an answer")
		}
	}
}

func FuzzFrameReader(f *testing.F) {
	f.Add([]byte("\x00\x00\x01\x00\x00\x00\x00\x00\x01x\x00\x00\x00\x04\x00\x00\x00\x00\x00"), uint8(3))
	f.Fuzz(func(t *testing.T, data []byte, piece uint8) {
		var whole, pieces []http2.FrameHeader
		var a, b frameReader
		a.read(data, func(h http2.FrameHeader) { whole = append(whole, h) })
		for rest := data; len(rest) > 0; {
			n := min(int(piece)+1, len(rest))
			b.read(rest[:n], func(h http2.FrameHeader) { pieces = append(pieces, h) })
			rest = rest[n:]
		}
		if len(whole) != len(pieces) || a.skip != b.skip || a.have != b.have {
			t.Fatalf("%v as a whole, %v in pieces", whole, pieces)
		}
	})
}
