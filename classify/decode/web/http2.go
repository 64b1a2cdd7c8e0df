package web

// HTTP/2 without encryption, begun with prior knowledge (RFC 9113 section 3.3); gRPC over it ("gRPC
// over HTTP2", Content-Type).

import (
	"bytes"

	"golang.org/x/net/http2/hpack"

	"sluice/classify/decode"
)

// preface is what a client begins with.
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

const (
	frameHeader = 9
	// longestFrame is the frame size that nobody may exceed before it was agreed on.
	longestFrame = 1 << 14

	frameHeaders, flagPadded, flagPriority = 1, 0x08, 0x20
)

// http2 is certain after the preface, and reads on to the first header fields.
func http2(s *decode.Session, client, _ []byte) decode.Verdict {
	switch decode.Prefix(client, preface) {
	case decode.None:
		return decode.No
	case decode.Partly:
		return decode.More
	}
	for rest := client[len(preface):]; len(rest) >= frameHeader; {
		length := int(decode.Uint24(rest, 0))
		if length > longestFrame {
			return decode.Match
		}
		if len(rest) < frameHeader+length {
			break
		}
		if rest[3] == frameHeaders {
			s.Side(decode.ToServer)
			tellFields(s, fragment(rest[4], rest[frameHeader:frameHeader+length]))
			if s.Followed && s.Framed {
				s.Transaction(decode.ToServer, len(client)-len(rest)+frameHeader+length)
			}
			return decode.Match
		}
		rest = rest[frameHeader+length:]
	}
	return decode.MatchMore
}

// fragment is the header block of a HEADERS frame.
func fragment(flags byte, payload []byte) []byte {
	if flags&flagPadded != 0 && len(payload) > 0 {
		padding := int(payload[0])
		payload = payload[1:]
		payload = payload[:max(len(payload)-padding, 0)]
	}
	if flags&flagPriority != 0 {
		payload = payload[min(len(payload), 5):]
	}
	return payload
}

// tellFields tells the header fields of a block that is the first of its connection.
func tellFields(s *decode.Session, block []byte) {
	const table, longest = 4096, 4096
	decoder := hpack.NewDecoder(table, func(f hpack.HeaderField) {
		value := []byte(f.Value)
		switch f.Name {
		case ":method":
			s.Value(decode.HTTPMethod, value)
		case ":path":
			s.Value(decode.HTTPURL, value)
		case ":authority", "host":
			s.Host(decode.HTTPHost, value)
		case "user-agent":
			s.Value(decode.HTTPUserAgent, value)
		case "content-type":
			s.Value(decode.HTTPContentType, value)
			if bytes.HasPrefix(value, []byte("application/grpc")) {
				s.Carries("GRPC")
			}
		}
	})
	decoder.SetMaxStringLength(longest)
	_, _ = decoder.Write(block) // what came before an error has been told
}
