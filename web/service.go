package web

import (
	"strings"

	"golang.org/x/net/http2/hpack"
)

// Service is asked about what passes on a connection. It is called by one goroutine at a time, and must
// not wait for anything.
type Service interface {
	// Request is asked about a request, of which nothing has gone to the server.
	Request(*Exchange, *Head) Verdict
	// Response is told of a response before it goes to the client: of interim ones (1xx), and of the
	// final one. It says whether the connection is over instead.
	Response(*Exchange, *Head) (end bool)
	// Refused is told of a request that does not go on as it violates the protocol, while the
	// connection does.
	Refused(*Violation)
}

// Exchange is a request and what comes back for it.
type Exchange struct {
	Version   Version
	Stream    uint32 // of HTTP/2
	Method    string
	Authority string // host and port that are asked for; "" where none is named
	Target    string // as it stands in the request: "/path?query"
	Protocol  string // that the connection, or the stream, is to be turned into (RFC 9110 section 7.8, RFC 8441); or ""
	Status    int    // of the last response; 0 before there was one
}

// Head is what precedes the body of a message. It holds during the call that it is given to.
type Head struct {
	Raw    []byte  // of HTTP/1, as it came
	Fields []Field // of HTTP/2, pseudo-header fields among them
}

// Field is a header field of HTTP/2.
type Field = hpack.HeaderField

// Get is the value of the first field of a name, in any case; "" where there is none.
func (h *Head) Get(name string) string {
	for _, f := range h.Fields {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	for line := range h.lines {
		if n, value, ok := cutField(line); ok && strings.EqualFold(string(n), name) {
			return string(value)
		}
	}
	return ""
}

// Verdict is what becomes of a request. The zero Verdict lets it pass.
type Verdict struct {
	Answer *Answer // given in the server's place, and the request goes nowhere
	End    bool    // the connection is over, with the answer or without another word
	// Last says that no other message of the connection need be offered: where nothing of it was
	// answered here, it is a stream of bytes from then on.
	Last bool
}

// Next is what becomes of a connection.
type Next uint8

// What may become of a connection.
const (
	Continue Next = iota // it goes on
	Tell                 // it goes on, and the side is to be told what is due
	Stream               // what was not taken, and whatever comes in both directions, goes on as it is
	Close                // it is over, and the client is to be told why by what is due
	Abort                // it is over
)
