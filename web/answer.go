package web

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Answer is a response that is given in the server's place.
type Answer struct {
	Status   int
	Location string // "" for none
	Body     []byte // an HTML page; nil for none
}

// htmlType is the media type of a Body.
const htmlType = "text/html; charset=utf-8"

// AppendHTTP1 appends the answer in HTTP/1.1, after which the connection ends. toHEAD says that it is
// one to a HEAD request, which has no body.
func (a *Answer) AppendHTTP1(to []byte, toHEAD bool) []byte {
	b := bytes.NewBuffer(to)
	fmt.Fprintf(b, "HTTP/1.1 %d %s\r\n", a.Status, http.StatusText(a.Status))
	if a.Body != nil {
		b.WriteString("Content-Type: " + htmlType + "\r\n")
	}
	fmt.Fprintf(b, "Content-Length: %d\r\nCache-Control: no-store\r\n", len(a.Body))
	if a.Location != "" {
		fmt.Fprintf(b, "Location: %s\r\n", a.Location)
	}
	b.WriteString("Connection: close\r\n\r\n")
	if !toHEAD {
		b.Write(a.Body)
	}
	return b.Bytes()
}

// appendHTTP2 appends the answer to a stream of HTTP/2. A body of more than room bytes, which is what
// the client may be sent now, is left out. body is how many bytes of it were sent.
func (a *Answer) appendHTTP2(to []byte, stream uint32, toHEAD bool, room int64, table int) (_ []byte, body int) {
	page := a.Body
	if int64(len(page)) > room {
		page = nil
	}
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	if table >= 0 {
		encoder.SetMaxDynamicTableSize(uint32(table))
	}
	field := func(name, value string) { // never in the table, which the server fills
		_ = encoder.WriteField(hpack.HeaderField{Name: name, Value: value, Sensitive: true}) // a buffer takes everything
	}
	field(":status", strconv.Itoa(a.Status))
	if page != nil {
		field("content-type", htmlType)
	}
	field("content-length", strconv.Itoa(len(page)))
	field("cache-control", "no-store")
	if a.Location != "" {
		field("location", a.Location)
	}
	if toHEAD {
		page = nil
	}
	const longest = 16 << 10 // what everybody takes (RFC 9113 section 4.2)
	flags := http2.FlagHeadersEndHeaders
	if len(page) == 0 {
		flags |= http2.FlagHeadersEndStream
	}
	to = append(appendFrame(to, http2.FrameHeaders, flags, stream, block.Len()), block.Bytes()...)
	for rest := page; len(rest) > 0; {
		part := rest[:min(len(rest), longest)]
		rest = rest[len(part):]
		var end http2.Flags
		if len(rest) == 0 {
			end = http2.FlagDataEndStream
		}
		to = append(appendFrame(to, http2.FrameData, end, stream, len(part)), part...)
	}
	return to, len(page)
}
