package proxy

import (
	"bytes"
	"strconv"
	"sync"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// http2Watch follows the frames of an HTTP/2 session (RFC 9113 section 4), as far as it takes to answer
// a request in the server's place.
type http2Watch struct {
	mu             sync.Mutex
	client, server frameReader
	request        uint32 // stream of the last request; 0 before the first
	greeted        bool   // the server's SETTINGS have passed
	answered       bool   // the server has begun to answer a request
}

// newHTTP2Watch follows a session from its first byte.
func newHTTP2Watch() *http2Watch {
	return &http2Watch{client: frameReader{skip: len(http2.ClientPreface)}}
}

// note takes what one side sends. It says whether the server has begun to answer.
func (w *http2Watch) note(from direction, data []byte) (answered bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if from == fromClient {
		w.client.read(data, func(h http2.FrameHeader) {
			if h.Type == http2.FrameHeaders {
				w.request = h.StreamID
			}
		})
	} else {
		w.server.read(data, func(h http2.FrameHeader) {
			switch h.Type {
			case http2.FrameSettings:
				w.greeted = true
			case http2.FrameHeaders, http2.FrameData:
				w.answered = true
			}
		})
	}
	return w.answered
}

// asked says whether a request has come.
func (w *http2Watch) asked() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.request != 0
}

// answer is r as the answer to the last request, with the end of the session behind it. It is nil where
// nothing can be said: there was no request, or a frame of the server has passed in part.
func (w *http2Watch) answer(r *response) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.request == 0 || w.server.have > 0 || w.server.skip > 0 {
		return nil
	}
	var head, out bytes.Buffer
	encode := hpack.NewEncoder(&head)
	field := func(name, value string) {
		_ = encode.WriteField(hpack.HeaderField{Name: name, Value: value}) // writing to a buffer
	}
	field(":status", strconv.Itoa(r.status))
	field("content-type", "text/html; charset=utf-8")
	field("content-length", strconv.Itoa(len(r.body)))
	field("cache-control", "no-store")
	if r.location != "" {
		field("location", r.location)
	}
	framer := http2.NewFramer(&out, nil)
	var err error
	if !w.greeted {
		if err = framer.WriteSettings(); err == nil {
			err = framer.WriteSettingsAck()
		}
	}
	if err == nil {
		err = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: w.request, BlockFragment: head.Bytes(), EndHeaders: true})
	}
	if err == nil {
		err = framer.WriteData(w.request, true, r.body)
	}
	if err == nil {
		err = framer.WriteGoAway(w.request, http2.ErrCodeNo, nil)
	}
	if err != nil { // a page too long for a frame
		return nil
	}
	return out.Bytes()
}

// frameHeaderLen is the length of what precedes each frame (RFC 9113 section 4.1).
const frameHeaderLen = 9

// frameReader finds the headers of frames in what one side sends, which may come in any pieces.
type frameReader struct {
	skip   int // bytes until the next header
	header [frameHeaderLen]byte
	have   int // of the header
}

func (f *frameReader) read(data []byte, found func(http2.FrameHeader)) {
	for {
		n := min(f.skip, len(data))
		f.skip -= n
		data = data[n:]
		if len(data) == 0 {
			return
		}
		n = copy(f.header[f.have:], data)
		data = data[n:]
		if f.have += n; f.have < frameHeaderLen {
			return
		}
		h, err := http2.ReadFrameHeader(bytes.NewReader(f.header[:]))
		if err != nil { // cannot be: it is as long as a header
			return
		}
		f.have, f.skip = 0, int(h.Length)
		found(h)
	}
}
