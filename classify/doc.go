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
// (caches.go, protocols.go), bytes put in order (reassembly.go), which decoders are asked
// (dispatch.go), what they answer (inspect.go), what they tell (told.go), and what follows from
// all of it (combine.go).
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
