// Package decode is what a protocol decoder is written against: it says what a decoder sees of a
// session, what it may answer, and what it can tell the engine besides.
//
// A decoder is a pure function of what it is shown. For a stream it is shown the first bytes of
// both directions, in order and without holes, and is asked again whenever more have arrived; for
// datagrams it is shown one at a time. It never keeps what it was shown, never blocks, never
// allocates in the ordinary case and answers nonsense with No.
//
//	var Decoders = []decode.Decoder{{
//		Name:   "ECHO-EXAMPLE",
//		Ports:  []uint16{7},
//		Client: decode.FirstBytes("E"),
//		Stream: echo,
//	}}
//
//	func echo(s *decode.Session, client, server []byte) decode.Verdict {
//		switch decode.Prefix(client, "ECHO ") {
//		case decode.Partly:
//			return decode.More
//		case decode.Whole:
//			return decode.Match
//		}
//		return decode.No
//	}
//
// Each family of protocols is a package of its own below this one, exporting one table named
// Decoders; the engine lists the families, in the order in which they are asked, in one place.
package decode

// Verdict is a decoder's answer.
type Verdict uint8

const (
	// No says that this is not the protocol. The decoder is not asked again for this session.
	No Verdict = iota
	// More says that it may be the protocol, but what was shown is too short. Session.Want says
	// how much is needed. For a datagram: this one says nothing, the next may.
	More
	// Maybe says that it looks like the protocol, but other protocols look the same. The decoder is asked
	// again; its name becomes the answer when all others have said No, or at the limit.
	Maybe
	// Match says that it is the protocol, and there is nothing more to learn about it.
	Match
	// MatchMore says that it is the protocol, and more bytes will tell more about the application (a
	// certificate, a response). Only this decoder is asked from now on, until it says Match or
	// the limit is reached. Answering No later keeps the protocol, and ends the inspection.
	MatchMore
)

var verdictNames = [...]string{"no", "more", "maybe", "match", "match-more"}

// String is the verdict as tests and logs print it.
func (v Verdict) String() string { return verdictNames[v] }

// StreamFunc looks at the first bytes of both directions of a TCP session. client holds what the
// client sent, server what the server sent; either may be empty, not both. Both begin with the
// first byte of their direction (or of the inner protocol after Session.Tunnel) and only ever
// grow from call to call. Neither may be kept or changed.
type StreamFunc func(s *Session, client, server []byte) Verdict

// DatagramFunc looks at the payload of one datagram, never empty. s.Direction says who sent it,
// s.Index how many datagrams with payload came before it, in both directions together. data may
// not be kept or changed.
type DatagramFunc func(s *Session, data []byte) Verdict

// Decoder recognises one protocol.
type Decoder struct {
	// Name of the protocol in the application database, without "junos:", for example "HTTP".
	Name string

	// Ports are those on which the protocol is usual. Its decoder is asked before others there.
	// They are a hint only and never decide.
	Ports []uint16
	// PortsOnly restricts the decoder to its Ports, for protocols that have no feature strong
	// enough to be recognised elsewhere.
	PortsOnly bool

	// Client and Server are the bytes that the first message of either side may begin with; the
	// zero set stands for any. A decoder is not asked when the first byte is not in the set:
	// this is what keeps hundreds of decoders cheap. A Stream decoder that gives one of the two
	// only is not asked before that side has spoken; one that gives both or none is asked when
	// either has. For datagrams, Client holds for those of the client, Server for those of the
	// server; the first datagram seen decides.
	Client, Server ByteSet

	// Stream is asked for TCP sessions, Datagram for UDP. A protocol may have both.
	Stream   StreamFunc
	Datagram DatagramFunc
	// SCTP is asked for the user data of SCTP DATA chunks.
	SCTP DatagramFunc
}

// ByteSet is a set of byte values. The zero set stands for all of them.
type ByteSet struct {
	bits  [4]uint64
	given bool
}

// FirstBytes is the set of the bytes in s.
func FirstBytes(s string) ByteSet {
	b := ByteSet{given: true}
	for i := range len(s) {
		b.bits[s[i]>>6] |= 1 << (s[i] & 63)
	}
	return b
}

// FirstRange is the set of the bytes from low to high, both included.
func FirstRange(low, high byte) ByteSet {
	b := ByteSet{given: true}
	for c := int(low); c <= int(high); c++ {
		b.bits[c>>6] |= 1 << (c & 63)
	}
	return b
}

// Or is the union of two sets.
func (b ByteSet) Or(o ByteSet) ByteSet {
	if !b.given || !o.given {
		return ByteSet{}
	}
	for i := range b.bits {
		b.bits[i] |= o.bits[i]
	}
	return b
}

// Any says whether the set stands for all bytes.
func (b *ByteSet) Any() bool { return !b.given }

// Has says whether c is in the set.
func (b *ByteSet) Has(c byte) bool {
	return !b.given || b.bits[c>>6]&(1<<(c&63)) != 0
}
