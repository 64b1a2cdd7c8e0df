// Package classify finds out which application a session carries, from its first bytes in both
// directions, on any port.
//
// The engine is passive: it is shown copies of packets, or bytes that somebody else has put in
// order, and never holds anything back. A Flow is what it knows of one session:
//
//	engine, problems := classify.Compile(database, state, classify.Options{})
//	var flow classify.Flow
//	engine.Begin(&flow, &meta)
//	for … {
//		if flow.Segment(&segment) { … flow.Result() … } // or Datagram, or Stream
//	}
//	flow.Close()
//
// The life of the evidence is the order of the files: what is known before the first byte
// (caches.go, protocols.go, custom.go), bytes put in order (reassembly.go), which decoders are
// asked (dispatch.go), what they answer (inspect.go), what they tell (told.go), what signatures
// find (signatures.go, scanning.go), how one request follows another (transactions.go), when
// enough was looked at (limits.go), and what follows from all of it (combine.go).
//
// Custom applications come in a fixed order: ICMP messages, IP protocols, servers, patterns. The
// first three are known with the first packet, come before everything predefined and end the
// inspection, unless patterns or micro-applications may still say more. A pattern of high priority
// comes before everything predefined. One of low priority gives way to a predefined application,
// and to the mere protocol only when it is over TCP or UDP: one over HTTP looks for what HTTP
// carries. While patterns may match, the answer is not final.
//
// The web over TLS is the application HTTPS over the protocol SSL where nothing more special is
// known: ALPN says so or, less certainly, the port does. Mail over TLS is a protocol of its own:
// SMTPS, IMAPS, POP3S. A policy for HTTP therefore never means HTTPS; one for HTTPS means
// the sessions that are not found to be something else.
package classify

import "sluice/classify/decode"

// Direction says who sent something; see decode.Direction.
type Direction = decode.Direction

// The two directions of a session.
const (
	ToServer = decode.ToServer
	ToClient = decode.ToClient
)

// Meta is what is known of a session before its first payload byte; see decode.Meta.
type Meta = decode.Meta
