package web

import (
	"encoding/binary"

	"golang.org/x/net/http2"
)

// frameHeaderLen is the length of what precedes each frame, and longestFrame the length of payload that
// everybody takes (RFC 9113 sections 4.1 and 4.2).
const (
	frameHeaderLen = 9
	longestFrame   = 16 << 10
)

// frame is a frame of HTTP/2, or its header alone where its payload passes as it comes.
type frame struct {
	kind   http2.FrameType
	flags  http2.Flags
	stream uint32
	length int
	bytes  []byte // from the header on
}

// readFrame reads the header at the beginning of b.
func readFrame(b []byte) frame {
	return frame{
		kind: http2.FrameType(b[3]), flags: http2.Flags(b[4]), stream: binary.BigEndian.Uint32(b[5:]) & (1<<31 - 1),
		length: int(b[0])<<16 | int(b[1])<<8 | int(b[2]),
	}
}

// appendFrame appends the header of a frame.
func appendFrame(to []byte, kind http2.FrameType, flags http2.Flags, stream uint32, length int) []byte {
	to = append(to, byte(length>>16), byte(length>>8), byte(length), byte(kind), byte(flags))
	return binary.BigEndian.AppendUint32(to, stream)
}

// passes says whether the payload of a frame passes as it comes: nothing in it matters.
func (f *frame) passes() bool {
	return f.kind == http2.FrameData || f.kind > http2.FrameContinuation
}

func (f *frame) payload() []byte { return f.bytes[frameHeaderLen:] }

// fragment is the part of a header block that HEADERS or CONTINUATION has, and what HEADERS says of
// priority; ok is false where its padding is longer than the frame.
func (f *frame) fragment() (block, priority []byte, ok bool) {
	b := f.payload()
	if f.kind == http2.FrameContinuation {
		return b, nil, true
	}
	if f.flags.Has(http2.FlagHeadersPadded) {
		if len(b) == 0 || int(b[0]) >= len(b) {
			return nil, nil, false
		}
		b = b[1 : len(b)-int(b[0])]
	}
	if f.flags.Has(http2.FlagHeadersPriority) {
		if len(b) < 5 {
			return nil, nil, false
		}
		priority, b = b[:5], b[5:]
	}
	return b, priority, true
}

// fits says whether a frame has the stream and the length that its kind must have (RFC 9113 section 6).
func (f *frame) fits() bool {
	switch f.kind {
	case http2.FrameData, http2.FrameHeaders, http2.FrameContinuation, http2.FramePushPromise:
		return f.stream != 0
	case http2.FramePriority:
		return f.stream != 0 && f.length == 5
	case http2.FrameRSTStream:
		return f.stream != 0 && f.length == 4
	case http2.FrameSettings:
		return f.stream == 0 && f.length%6 == 0 && (!f.flags.Has(http2.FlagSettingsAck) || f.length == 0)
	case http2.FramePing:
		return f.stream == 0 && f.length == 8
	case http2.FrameGoAway:
		return f.stream == 0 && f.length >= 8
	case http2.FrameWindowUpdate:
		return f.length == 4
	}
	return true
}

// frames takes the frames of one side apart.
type frames struct {
	held []byte // of a frame that is not whole
	left int    // bytes of payload that are still to pass
	drop bool   // they do not
}

// next takes a frame, as far as it is needed, from the beginning of data: its header alone where its
// payload passes as it comes. ok is false while there is not enough of it.
func (s *frames) next(data []byte, limit int) (taken int, f frame, reason string, ok bool) {
	if len(s.held) == 0 && len(data) >= frameHeaderLen {
		if f = readFrame(data); f.oversize(limit) {
			return 0, f, tooLong, false
		}
		need := f.size()
		if len(data) >= need {
			f.bytes = data[:need]
			return need, f, "", true
		}
	}
	need := frameHeaderLen
	for {
		if len(s.held) >= frameHeaderLen {
			if f = readFrame(s.held); f.oversize(limit) {
				return taken, f, tooLong, false
			}
			need = f.size()
		}
		if len(s.held) == need {
			f.bytes, s.held = s.held, nil
			return taken, f, "", true
		}
		if taken == len(data) {
			return taken, f, "", false
		}
		n := min(need-len(s.held), len(data)-taken)
		s.held = append(s.held, data[taken:taken+n]...)
		taken += n
	}
}

// oversize says whether a frame is longer than limit, which the other side takes, or than is held for it.
func (f *frame) oversize(limit int) bool {
	return f.length > limit || !f.passes() && f.length > maxHead
}

const tooLong = "a frame of more bytes than the other side takes, or of more than 256 KiB"

// size is how many bytes of a frame are needed at once.
func (f *frame) size() int {
	if f.passes() {
		return frameHeaderLen
	}
	return frameHeaderLen + f.length
}
