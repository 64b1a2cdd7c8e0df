// Package web stands between the two ends of an HTTP connection and knows what they say to each other,
// message by message. What nobody objects to passes byte for byte as it came.
//
// A [Conn] is such a connection, in HTTP/1.1 (RFC 9112) or HTTP/2 (RFC 9113). It does no input or output:
// [Conn.Pass] is given what a side has sent and says what goes on, so that any relay can have one. A
// [Service] is offered each request before a byte of it reaches the server. Bodies are not held.
//
// In reading order: service has what a Service sees and says, conn is the connection, http1 with head and
// chunked the older version, http2 with frames, requests, responses and settings the newer one, and
// answer what is said in the server's place.
package web

import "fmt"

// Side is an end of a connection.
type Side uint8

// The ends of a connection.
const (
	Client Side = iota
	Server
)

var sideNames = [...]string{"client", "server"}

// String is "client" or "server".
func (s Side) String() string { return sideNames[s] }

// Version is a version of HTTP.
type Version uint8

// Versions of HTTP.
const (
	HTTP1 Version = iota + 1 // HTTP/1.0 and HTTP/1.1
	HTTP2
)

// Violation is why a connection, or a request, does not go on: a side did not keep to the protocol where
// the two ends could understand different things, or asked for more than is held for it.
type Violation struct {
	By     Side
	Reason string
}

// Error says who did what.
func (v *Violation) Error() string {
	return fmt.Sprintf("HTTP violation by the %s: %s", v.By, v.Reason)
}

// Limits of what is held for a connection.
const (
	maxHead      = 256 << 10 // bytes of a message's head, as it is sent and as it is meant (RFC 9113 section 6.5.2)
	maxFragments = 64        // frames of a head (CONTINUATION)
	maxStreams   = 4096      // of HTTP/2 that are open at once, or were refused
	maxSwallowed = 16 << 20  // bytes of the body of a request that was answered here
	maxResets    = 500       // requests that were taken back, beyond those that were answered
	maxTable     = 64 << 10  // bytes of a table of header fields (RFC 7541 section 4.2)
)
