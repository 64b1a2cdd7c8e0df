package web

import (
	"encoding/binary"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// passBlock takes a frame of a head, and passes the head on when it is whole.
func (h *h2) passBlock(from Side, f *frame, on [][]byte) ([][]byte, error) {
	s := &h.sides[from]
	b := &s.block
	fragment, priority, ok := f.fragment()
	if !ok {
		return on, &Violation{from, "padding longer than its frame"}
	}
	if f.kind == http2.FrameHeaders {
		b.first, b.priority = *f, priority
		if !f.flags.Has(http2.FlagHeadersEndHeaders) {
			b.priority = slices.Clone(priority)
		}
		s.fields, s.size = s.fields[:0], 0
	} else if f.stream != b.first.stream {
		return on, &Violation{from, "frames within a head"}
	}
	if _, err := s.decoder.Write(fragment); err != nil {
		return on, &Violation{from, "header fields that cannot be decoded: " + err.Error()}
	}
	raw := f.bytes
	whole := f.flags.Has(http2.FlagHeadersEndHeaders)
	if b.open || !whole {
		b.frames = append(b.frames, f.bytes...)
		raw = b.frames
	}
	b.open = !whole
	if b.fragments++; b.fragments > maxFragments || len(b.frames) > maxHead || s.size > maxHead {
		return on, &Violation{from, "a head of more than 256 KiB, or in more than 64 frames"}
	}
	if !whole {
		return on, nil
	}
	if err := s.decoder.Close(); err != nil {
		return on, &Violation{from, "header fields that cannot be decoded: " + err.Error()}
	}
	first, head := b.first, Head{Fields: s.fields}
	var err error
	if from == Server {
		if err = h.response(&first, &head); err == nil {
			on = join(on, raw)
		}
	} else {
		on, err = h.request(&first, &head, raw, on)
	}
	*b = headerBlock{}
	return on, err
}

// request takes a head of the client: one that opens a stream, or trailers.
func (h *h2) request(f *frame, head *Head, raw []byte, on [][]byte) ([][]byte, error) {
	last := f.flags.Has(http2.FlagHeadersEndStream)
	if _, refused := h.refused[f.stream]; refused {
		return on, nil
	}
	if x := h.streams[f.stream]; x != nil || f.stream <= h.highest {
		if slices.ContainsFunc(head.Fields, func(f Field) bool { return f.IsPseudo() }) {
			return on, &Violation{Client, "a request on a stream that is not new"}
		}
		if last {
			defer h.finish(Client, f.stream)
		}
		return h.forward(f, head, raw, on), nil
	}
	if f.stream%2 == 0 {
		return on, &Violation{Client, "a stream with the number of a server's"}
	}
	if len(h.streams)+len(h.refused) >= maxStreams {
		return on, &Violation{Client, "more than 4096 streams that are open or were refused"}
	}
	h.highest = f.stream
	x := h.begin(f.stream)
	if reason := x.read(head); reason != "" {
		v := &Violation{Client, reason}
		h.refuse(f.stream, x)
		h.refused[f.stream] = bodyOver
		h.resetStream(f.stream, protocolError)
		h.conn.service.Refused(v)
		return on, nil
	}
	switch v := h.conn.ask(&x.Exchange, head); {
	case v.Answer != nil:
		h.refuse(f.stream, x)
		h.answer(f.stream, v.Answer, x.Method == http.MethodHead)
		if v.End {
			h.conn.due[Client] = h.goAway(h.conn.due[Client], noError)
			return on, errAnswered
		}
		return on, nil
	case v.End:
		return on, errEnded
	}
	if last {
		h.finish(Client, f.stream)
	}
	return h.forward(f, head, raw, on), nil
}

// begin is a new stream.
func (h *h2) begin(stream uint32) *exchange2 {
	x := new(exchange2)
	if n := len(h.idle); n > 0 {
		x, h.idle = h.idle[n-1], h.idle[:n-1]
	}
	*x = exchange2{Exchange: Exchange{Version: HTTP2, Stream: stream}}
	h.streams[stream] = x
	return x
}

// read reads the head of a request (RFC 9113 section 8). reason says why it is malformed.
func (x *exchange2) read(head *Head) (reason string) {
	var scheme, host string
	regular, lengths := false, 0
	once := func(to *string, value string) {
		if *to != "" {
			reason = "a pseudo-header field that comes twice"
		}
		*to = value
	}
	for i := range head.Fields {
		f := &head.Fields[i]
		if f.IsPseudo() {
			if regular || f.Value == "" && f.Name != ":authority" {
				return "a pseudo-header field out of its place, or empty"
			}
			switch f.Name {
			case ":method":
				once(&x.Method, f.Value)
			case ":scheme":
				once(&scheme, f.Value)
			case ":authority":
				once(&x.Authority, f.Value)
			case ":path":
				once(&x.Target, f.Value)
			case ":protocol":
				once(&x.Protocol, f.Value)
			default:
				return "a pseudo-header field that is not known"
			}
			if !visible([]byte(f.Value)) {
				return "a pseudo-header field with blanks or control characters"
			}
			if reason != "" {
				return reason
			}
			continue
		}
		regular = true
		if reason = sound(f); reason != "" {
			return reason
		}
		switch f.Name {
		case "host":
			if host != "" {
				return "more than one Host"
			}
			if !visible([]byte(f.Value)) {
				return "a Host with blanks"
			}
			host = f.Value
		case "content-length":
			if _, ok := decimal([]byte(f.Value)); !ok {
				return "a Content-Length that is no number"
			}
			if lengths++; lengths > 1 {
				return "more than one Content-Length"
			}
		}
	}
	return x.check(scheme, host)
}

// check says what is wrong with the fields of a request together, and takes its Host for its authority where it
// has no other.
func (x *exchange2) check(scheme, host string) (reason string) {
	connect := x.Method == http.MethodConnect && x.Protocol == ""
	switch {
	case !isToken([]byte(x.Method)):
		return "a method has other characters than those of a token, or there is none"
	case connect && (scheme != "" || x.Target != "" || x.Authority == ""), !connect && (scheme == "" || x.Target == ""):
		return "a request without the pseudo-header fields of its kind"
	case (scheme == "http" || scheme == "https") && x.Target[0] != '/' && x.Target != "*":
		return "a path that does not begin with a slash"
	case host != "" && x.Authority != "" && !strings.EqualFold(host, x.Authority):
		return "a Host and an :authority that contradict each other"
	case x.Authority == "":
		x.Authority = host
	}
	return ""
}

// sound says what is wrong with a field (RFC 9113 section 8.2).
func sound(f *Field) (reason string) {
	for i := range len(f.Name) {
		if c := f.Name[i]; !token[c] || c >= 'A' && c <= 'Z' {
			return "a field name that has other characters than those of a token in lower case"
		}
	}
	for i := range len(f.Value) {
		if c := f.Value[i]; c < ' ' && c != '\t' || c == 0x7f {
			return "a field value has control characters"
		}
	}
	switch f.Name {
	case "":
		return "a field without a name"
	case "connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade":
		return "a field that is one of HTTP/1 connections"
	case "te":
		if f.Value != "trailers" {
			return "a TE other than trailers"
		}
	}
	return ""
}

// forward appends a head of the client, as it came or encoded anew.
func (h *h2) forward(f *frame, head *Head, raw []byte, on [][]byte) [][]byte {
	if h.encoder == nil {
		return join(on, raw)
	}
	h.encoded.Reset()
	for _, field := range head.Fields {
		_ = h.encoder.WriteField(field) // a buffer takes everything
	}
	priority := h.sides[Client].block.priority
	rest := h.encoded.Bytes()
	out := make([]byte, 0, len(rest)+len(priority)+frameHeaderLen*(2+len(rest)/longestFrame))
	for kind := http2.FrameHeaders; ; kind = http2.FrameContinuation {
		part := rest[:min(len(rest), longestFrame-len(priority))]
		rest = rest[len(part):]
		var flags http2.Flags
		if kind == http2.FrameHeaders {
			flags = f.flags & (http2.FlagHeadersEndStream | http2.FlagHeadersPriority)
		}
		if len(rest) == 0 {
			flags |= http2.FlagHeadersEndHeaders
		}
		out = append(append(appendFrame(out, kind, flags, f.stream, len(priority)+len(part)), priority...), part...)
		if priority = nil; len(rest) == 0 {
			return append(on, out)
		}
	}
}

// refuse has the request of a stream go nowhere. From then on the server's table is not the client's any
// more: it begins anew, empty.
func (h *h2) refuse(stream uint32, x *exchange2) {
	h.forget(stream, x)
	h.refused[stream] = 0
	if h.encoder == nil {
		h.encoder = hpack.NewEncoder(&h.encoded)
		h.encoder.SetMaxDynamicTableSize(0)
		h.encoder.SetMaxDynamicTableSizeLimit(h.serverTable)
		h.encoder.SetMaxDynamicTableSize(min(h.serverTable, 4096))
	}
}

// answer answers a stream in the server's place.
func (h *h2) answer(stream uint32, a *Answer, toHEAD bool) {
	table := -1
	if h.table >= 0 && h.table < 4096 && !h.answered { // the server would say so with its first response
		table = h.table
	}
	due, body := a.appendHTTP2(h.conn.due[Client], stream, toHEAD, min(h.credit, h.window), table)
	h.conn.due[Client] = due
	h.credit -= int64(body)
	h.debt += int64(body)
}

// resetStream ends a stream towards the client.
func (h *h2) resetStream(stream uint32, code http2.ErrCode) {
	due := appendFrame(h.conn.due[Client], http2.FrameRSTStream, 0, stream, 4)
	h.conn.due[Client] = binary.BigEndian.AppendUint32(due, uint32(code))
}

// response takes a head of the server: an interim or the final response, or trailers.
func (h *h2) response(f *frame, head *Head) error {
	h.answered = true
	x := h.streams[f.stream]
	if x == nil {
		return nil
	}
	if len(head.Fields) > 0 && head.Fields[0].Name == ":status" && !x.answered {
		status, ok := decimal([]byte(head.Fields[0].Value))
		if !ok || status < 100 || status > 999 {
			return &Violation{Server, "a status that is no number"}
		}
		x.Status = int(status)
		if x.answered = status >= 200; x.answered && h.resets > 0 {
			h.resets--
		}
		if err := h.conn.tell(&x.Exchange, head); err != nil {
			return err
		}
	}
	if f.flags.Has(http2.FlagHeadersEndStream) {
		h.finish(Server, f.stream)
	}
	return nil
}
