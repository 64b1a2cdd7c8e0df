package web

import (
	"bytes"
	"encoding/binary"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// h2 is a connection in HTTP/2. Frames pass from one side to the other as they are, so that its two ends
// control the flow of each other, and share their tables of header fields. A request that does not go on
// leaves the server without what it has put into the client's table: from then on the fields of requests
// are encoded anew.
type h2 struct {
	conn    *Conn
	sides   [2]h2Side
	preface int // bytes of the client's that are still to come
	streams map[uint32]*exchange2
	idle    []*exchange2   // for use again
	refused map[uint32]int // bytes of bodies that went nowhere, by stream; bodyOver when nothing more is taken
	highest uint32         // stream that the client has opened
	resets  int            // requests that were taken back, less those that were answered

	encoder     *hpack.Encoder // towards the server, once its table is not the client's any more
	encoded     bytes.Buffer
	serverTable uint32 // that the server allows

	greeted  bool // the server's SETTINGS have passed
	pushing  bool // the client has not said yet that it takes no pushes
	answered bool // the server has used its table
	table    int  // that the client allows the server
	window   int64
	credit   int64 // bytes that the client may be sent
	debt     int64 // of these, those sent here that the server does not know of
	wanted   int64 // by the server's next frame
}

// h2Side is what one side sends.
type h2Side struct {
	frames
	limit   int // of the frames that the other side takes
	decoder *hpack.Decoder
	fields  []Field
	size    int // of the fields
	block   headerBlock
}

// headerBlock is a header block that is not whole.
type headerBlock struct {
	open      bool
	first     frame // HEADERS
	priority  []byte
	frames    []byte // all of them as they came
	fragments int
}

// exchange2 is a stream.
type exchange2 struct {
	Exchange
	ended    [2]bool
	answered bool // the final response has begun
}

// Codes of HTTP/2 that say why something ended.
const (
	noError       = http2.ErrCodeNo
	protocolError = http2.ErrCodeProtocol
)

// firstWindow is how much each side may send before it was told more (RFC 9113 section 6.9.2).
const firstWindow = 1<<16 - 1

func newHTTP2(c *Conn) *h2 {
	h := &h2{
		conn: c, preface: len(http2.ClientPreface), streams: map[uint32]*exchange2{}, refused: map[uint32]int{},
		pushing: true, table: -1, serverTable: 4096, window: firstWindow, credit: firstWindow,
	}
	for i := range h.sides {
		s := &h.sides[i]
		s.limit = longestFrame
		s.decoder = hpack.NewDecoder(4096, s.emit)
		s.decoder.SetMaxStringLength(maxHead)
	}
	return h
}

// emit takes a field that was decoded.
func (s *h2Side) emit(f Field) {
	if s.size += int(f.Size()); s.size <= maxHead {
		s.fields = append(s.fields, f)
	}
}

func (h *h2) pass(from Side, data []byte, on [][]byte) (taken int, _ [][]byte, err error) {
	s := &h.sides[from]
	if from == Client && h.preface > 0 {
		if taken, on, err = h.passPreface(data, on); err != nil {
			return taken, on, err
		}
	}
	for {
		if s.left > 0 {
			n := min(s.left, len(data)-taken)
			if s.left -= n; !s.drop {
				on = join(on, data[taken:taken+n])
			}
			if taken += n; s.left > 0 {
				return taken, on, nil
			}
		}
		if len(s.held) == 0 && !s.block.open {
			on = h.conn.takeDue(1-from, on)
		}
		n, f, reason, ok := s.next(data[taken:], s.limit)
		if reason != "" {
			return taken, on, &Violation{from, reason}
		}
		if ok && from == Server && h.exceeds(&f) {
			if h.wanted = int64(f.length); n < frameHeaderLen {
				s.held = f.bytes // its header is not offered again
				taken += n
			}
			return taken, on, nil
		}
		if taken += n; !ok {
			return taken, on, nil
		}
		if from == Server {
			h.wanted = 0
		}
		if f.passes() {
			s.left, s.drop = f.length, false
		}
		if on, err = h.handle(from, &f, on); err != nil {
			return taken, on, err
		}
	}
}

// passPreface takes what the client begins with.
func (h *h2) passPreface(data []byte, on [][]byte) (taken int, _ [][]byte, err error) {
	part := http2.ClientPreface[len(http2.ClientPreface)-h.preface:]
	taken = min(len(part), len(data))
	if string(data[:taken]) != part[:taken] {
		return 0, on, &Violation{Client, "a connection that does not begin with the preface of HTTP/2"}
	}
	h.preface -= taken
	return taken, join(on, data[:taken]), nil
}

// exceeds says whether the server sends more than the client takes, as something was sent here that the
// server does not know of.
func (h *h2) exceeds(f *frame) bool {
	return f.kind == http2.FrameData && h.debt > 0 && int64(f.length) > h.credit
}

// handle appends what a frame is to the other side.
func (h *h2) handle(from Side, f *frame, on [][]byte) ([][]byte, error) {
	s := &h.sides[from]
	switch {
	case !f.fits():
		return on, &Violation{from, "a frame of another length, or on another stream, than its kind has"}
	case s.block.open != (f.kind == http2.FrameContinuation):
		return on, &Violation{from, "frames within a head"}
	}
	_, refused := h.refused[f.stream]
	switch f.kind {
	case http2.FrameHeaders, http2.FrameContinuation:
		return h.passBlock(from, f, on)
	case http2.FramePushPromise:
		return on, &Violation{from, "a push, which was refused"}
	case http2.FrameSettings:
		return h.settings(from, f, on)
	case http2.FrameWindowUpdate:
		if from == Client && f.stream == 0 {
			return h.grant(f, on), nil
		}
	case http2.FrameData:
		h.data(from, f, refused)
	case http2.FrameRSTStream:
		if err := h.reset(from, f); err != nil {
			return on, err
		}
	}
	if refused {
		s.drop = f.passes()
		return on, nil
	}
	return join(on, f.bytes), nil
}

// data notes a frame of a body.
func (h *h2) data(from Side, f *frame, refused bool) {
	switch {
	case refused:
		h.swallow(f)
	case from == Server:
		h.credit -= int64(f.length)
	}
	if f.flags.Has(http2.FlagDataEndStream) {
		h.finish(from, f.stream)
	}
}

// bodyOver is the length of a body of which nothing more is taken.
const bodyOver = -1

// swallow lets the client send as much again as it has sent to nowhere: on other streams, and on the same
// one up to its end, as there are clients that take no answer before, unless it is long.
func (h *h2) swallow(f *frame) {
	if f.length == 0 {
		return
	}
	h.allow(0, f.length)
	n := h.refused[f.stream]
	if n == bodyOver || f.flags.Has(http2.FlagDataEndStream) {
		return
	}
	if n += f.length; n <= maxSwallowed {
		h.allow(f.stream, f.length)
	} else {
		h.resetStream(f.stream, noError) // it need not send the rest (RFC 9113 section 8.1)
		n = bodyOver
	}
	h.refused[f.stream] = n
}

// allow lets the client send more.
func (h *h2) allow(stream uint32, n int) {
	due := appendFrame(h.conn.due[Client], http2.FrameWindowUpdate, 0, stream, 4)
	h.conn.due[Client] = binary.BigEndian.AppendUint32(due, uint32(n))
}

// reset notes that a stream was ended.
func (h *h2) reset(from Side, f *frame) error {
	x := h.streams[f.stream]
	if x == nil {
		return nil
	}
	if from == Client && !x.answered {
		if h.resets++; h.resets > maxResets {
			return &Violation{Client, "requests that are taken back again and again"}
		}
	}
	h.forget(f.stream, x)
	return nil
}

// finish notes that a side has sent its last on a stream.
func (h *h2) finish(from Side, stream uint32) {
	if x := h.streams[stream]; x != nil {
		x.ended[from] = true
		if x.ended[1-from] {
			h.forget(stream, x)
		}
	}
}

func (h *h2) forget(stream uint32, x *exchange2) {
	delete(h.streams, stream)
	if len(h.idle) < 16 {
		h.idle = append(h.idle, x)
	}
}

// grant passes on what more the client takes, less what was sent here.
func (h *h2) grant(f *frame, on [][]byte) [][]byte {
	n := int64(binary.BigEndian.Uint32(f.payload()) & (1<<31 - 1))
	h.credit += n
	if h.debt == 0 {
		return join(on, f.bytes)
	}
	repaid := min(n, h.debt)
	h.debt -= repaid
	if n == repaid {
		return on
	}
	less := appendFrame(nil, http2.FrameWindowUpdate, 0, 0, 4)
	return append(on, binary.BigEndian.AppendUint32(less, uint32(n-repaid)))
}

func (h *h2) waits(from Side) bool { return from == Server && h.debt > 0 && h.wanted > h.credit }

func (h *h2) end(Side) {}

func (h *h2) between(to Side) bool {
	s := &h.sides[1-to]
	return s.left == 0 && len(s.held) == 0 && !s.block.open && (to == Server || h.greeted)
}

func (h *h2) settled(last bool) bool {
	for i := range h.sides {
		if s := &h.sides[i]; len(s.held) > 0 || s.block.open || s.drop && s.left > 0 {
			return false
		}
	}
	return last && h.encoder == nil && h.debt == 0 && h.greeted && h.preface == 0
}

func (h *h2) apology(*Violation) []byte {
	if !h.between(Client) {
		return nil
	}
	return h.goAway(nil, protocolError)
}

// goAway appends the end of the connection.
func (h *h2) goAway(to []byte, code http2.ErrCode) []byte {
	to = appendFrame(to, http2.FrameGoAway, 0, 0, 8)
	to = binary.BigEndian.AppendUint32(to, h.highest)
	return binary.BigEndian.AppendUint32(to, uint32(code))
}
