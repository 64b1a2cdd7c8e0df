package proxy

import (
	"bytes"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"sluice/web"
)

// headWriter writes heads of requests as the identification takes them.
type headWriter struct {
	text, block bytes.Buffer
	framer      *http2.Framer
	encoder     *hpack.Encoder
}

// Limits of what the identification is shown: of a head that is not written anew, and of each field that
// is, so that all of them fit into what it looks at.
const (
	maxHead  = 16 << 10
	maxShown = 3 << 10
)

// shown are the fields that say what is asked for, and of whom.
var shown = []string{"host", "user-agent", "content-type", "connection", "upgrade", "cookie"}

// write is the head of a request as it would stand at the beginning of a connection. One of HTTP/1 is as
// it came, unless it is long: its fields could hide behind others.
func (w *headWriter) write(x *web.Exchange, h *web.Head) []byte {
	w.text.Reset()
	if x.Version == web.HTTP2 {
		w.http2(h)
		return w.text.Bytes()
	}
	if len(h.Raw) <= maxHead {
		return h.Raw
	}
	w.text.WriteString(cut(x.Method) + " " + cut(x.Target) + " HTTP/1.1\r\n")
	for _, name := range shown {
		if value := h.Get(name); value != "" {
			w.text.WriteString(name + ": " + cut(value) + "\r\n")
		}
	}
	w.text.WriteString("\r\n")
	return w.text.Bytes()
}

// shorten is the head of a response, or its first lines where it is long; of a first line that is longer than
// that, its beginning.
func shorten(raw []byte) []byte {
	if len(raw) <= maxHead {
		return raw
	}
	end := bytes.LastIndex(raw[:maxHead], []byte("\r\n"))
	if end < 0 {
		end = maxHead
	}
	return append(raw[:end:end], "\r\n\r\n"...)
}

// cut is the beginning of a value.
func cut(value string) string { return value[:min(len(value), maxShown)] }

// http2 writes the preface of HTTP/2 and a frame.
func (w *headWriter) http2(h *web.Head) {
	if w.framer == nil {
		w.framer, w.encoder = http2.NewFramer(&w.text, nil), hpack.NewEncoder(&w.block)
	}
	w.block.Reset()
	for _, f := range h.Fields {
		switch f.Name {
		case ":method", ":path", ":authority", "host", "user-agent", "content-type":
			_ = w.encoder.WriteField(hpack.HeaderField{Name: f.Name, Value: cut(f.Value), Sensitive: true}) // not in the table
		}
	}
	w.text.WriteString(http2.ClientPreface)
	_ = w.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: w.block.Bytes(), EndHeaders: true}) // a buffer takes everything
}
