package decode

import (
	"net/netip"
	"time"
)

// Direction says who sent something.
type Direction uint8

const (
	// ToServer is what the client sent, who opened the session.
	ToServer Direction = iota
	// ToClient is what the server sent.
	ToClient
)

// Reverse is the other direction.
func (d Direction) Reverse() Direction { return d ^ 1 }

// String is the direction as configuration statements write it.
func (d Direction) String() string {
	if d == ToServer {
		return "client-to-server"
	}
	return "server-to-client"
}

// IP protocol numbers (IANA) that decoders meet.
const (
	TCP  uint8 = 6
	UDP  uint8 = 17
	SCTP uint8 = 132
)

// Meta is what is known of a session before its first payload byte.
type Meta struct {
	// Client opened the session, Server was called. Ports are 0 for protocols without ports.
	Client, Server netip.AddrPort
	// Protocol is the IP protocol number.
	Protocol uint8
	// ICMPType and ICMPCode are those of the first packet of an ICMP or ICMPv6 session.
	ICMPType, ICMPCode uint8
	// Guessed is set when the start of the session was not seen, so that Client and Server may
	// be the wrong way round. The engine then asks decoders both ways.
	Guessed bool
}

// Port says whether either side of the session uses port.
func (m *Meta) Port(port uint16) bool {
	return m.Server.Port() == port || m.Client.Port() == port
}

// Sink takes what decoders tell. The engine is one; tests have another.
type Sink interface {
	Host(c Context, name []byte)
	Value(c Context, value []byte)
	Protocol(name string)
	Application(name string)
	Micro(name string)
	Carries(name string)
	Tunnel(client, server int, upgrade bool)
	TunnelDatagram(data []byte)
	Expect(e Expected)
	Resolved(host []byte, addr netip.Addr, ttl time.Duration)
	Wants(c Context, d Direction) bool
}

// Session is a decoder's view of the session it looks at, and the way to tell about it. It is
// valid during the call only.
type Session struct {
	*Meta
	// Direction in which the bytes or the datagram that caused this call went.
	Direction Direction
	// Index is the number of datagrams with payload before this one, both directions together.
	Index int
	// Followed is set when somebody follows transactions, so that Transaction is not told in vain.
	Followed bool
	// Framed is set when the messages of the session are told apart elsewhere, and what is shown are
	// their heads alone: no body lies between one transaction and the next.
	Framed bool
	// Transactions is the number of transactions that came before what is shown.
	Transactions int

	sink    Sink
	side    Direction
	wanted  [2]int
	next    int // where the next transaction begins, or -1
	asker   Direction
	skips   bool // next is where this transaction goes on
	insists bool
	lines   bool // an empty line is waited for
	memory  any
	scratch [512]byte
}

// Scratch is an empty slice with room for 512 bytes, for building values that do not stand in the
// input as they are told. It is the same one at every call.
func (s *Session) Scratch() []byte { return s.scratch[:0] }

// Host tells a host name that the session names (a server name, a Host header, a certificate's
// name), in any case, with or without a trailing dot or a port. It is looked up among the hosts
// of all applications. The first name of a context that belongs to an application counts.
func (s *Session) Host(c Context, name []byte) { s.sink.Host(c, name) }

// Value tells the content of a context that is not a host name, for signatures to look at.
func (s *Session) Value(c Context, value []byte) { s.sink.Value(c, value) }

// Side tells that what is told by Host and Value from now on was sent in direction d. At the start
// of a call it is Direction, which is right for datagrams; a stream decoder that reads both
// prefixes calls it before each.
func (s *Session) Side(d Direction) { s.side = d }

// Wants says whether somebody looks for context c of direction d, so that a decoder that is sure
// already should read on for it (answering MatchMore). Contexts that cost nothing extra are told
// without asking.
func (s *Session) Wants(c Context, d Direction) bool { return s.sink.Wants(c, d) }

// Protocol replaces the name of the protocol by another of the database, for decoders that
// recognise variants ("IMAPS" instead of "SSL"). It counts when the verdict is Maybe or Match.
func (s *Session) Protocol(name string) { s.sink.Protocol(name) }

// Application names the application over the protocol where the decoder itself knows it, from
// something that is neither a host name nor a pattern (an attribute, a magic number).
func (s *Session) Application(name string) { s.sink.Application(name) }

// Micro names what the application is doing ("MODBUS-READ-COILS"), a micro-application. It may be
// told many times in a session; the last one counts.
func (s *Session) Micro(name string) { s.sink.Micro(name) }

// Transaction tells, with a verdict of Match, that what was told is one transaction of perhaps many
// that the session carries one after another: a request. The next one begins with the n'th byte
// that side d has sent, which may not be there yet. Where somebody follows transactions, the
// decoder is asked again with the bytes from there on; of the other side it is then shown what
// that sends after it. For datagrams n is 0, and the next transaction comes in another datagram.
func (s *Session) Transaction(d Direction, n int) { s.asker, s.next = d, n }

// Skip tells, with a verdict of MatchMore, that a transaction of which was told goes on with the n'th byte
// that side d has sent, which may not be there yet, and that nothing before it matters any more. The
// decoder is asked again with the bytes from there on.
func (s *Session) Skip(d Direction, n int) { s.asker, s.next, s.skips = d, n, true }

// Insist tells, with a verdict of MatchMore, that what names the application is still to come, in what the
// client has begun to say: where transactions are followed, no limit ends the inspection before that is
// there, or a buffer is full.
func (s *Session) Insist() { s.insists = true }

// WantEmptyLine is Insist for what ends with an empty line: the decoder is not asked before that has come.
func (s *Session) WantEmptyLine() { s.insists, s.lines = true, true }

// Carries names the protocol inside this one where it is known by name only and its bytes cannot
// be read, as after ALPN.
func (s *Session) Carries(name string) { s.sink.Carries(name) }

// Tunnel tells that from the client'th byte of the client and the server'th byte of the server on
// another protocol runs inside this one (HTTP CONNECT, SOCKS). The decoder answers Match; the
// inner bytes are decoded anew, and what they are becomes the application.
func (s *Session) Tunnel(client, server int) { s.sink.Tunnel(client, server, false) }

// Upgrade is Tunnel for a protocol that goes on under encryption (STARTTLS): the inner protocol
// is decoded for its host names, but is not an application in itself.
func (s *Session) Upgrade(client, server int) { s.sink.Tunnel(client, server, true) }

// TunnelDatagram tells that data, a part of the datagram at hand, is a datagram of another
// protocol inside this one (TURN, SOCKS). The decoder answers Match or MatchMore.
func (s *Session) TunnelDatagram(data []byte) { s.sink.TunnelDatagram(data) }

// Expect announces a session that this one arranged: a data connection, a media stream.
func (s *Session) Expect(e Expected) { s.sink.Expect(e) }

// Resolved tells that host was resolved to addr, valid for ttl.
func (s *Session) Resolved(host []byte, addr netip.Addr, ttl time.Duration) {
	s.sink.Resolved(host, addr, ttl)
}

// Want tells, with a verdict of More, Maybe or MatchMore, that the decoder need not be asked
// before direction d has total bytes. Bytes of the other direction still cause a call, unless
// Want was called for both.
func (s *Session) Want(d Direction, total int) { s.wanted[d] = total }

// Memory is what the decoder put aside with Remember in an earlier call for this session, or nil.
func (s *Session) Memory() any { return s.memory }

// Remember puts v aside for the next call of this decoder for this session. Stream decoders do
// not need it, as they are shown the bytes from the start again; datagram decoders use it to
// compare datagrams. It costs memory until the session is identified: keep it below 256 bytes,
// or bounded by what the sender sent.
func (s *Session) Remember(v any) { s.memory = v }

// Expected is a session that another one arranged.
type Expected struct {
	// Addr and Port of the side that will be called; port 0 stands for any.
	Addr netip.Addr
	Port uint16
	// Protocol is the IP protocol number.
	Protocol uint8
	// Name of the protocol it will carry, "FTP-DATA", "RTP".
	Name string
	// Application over it, or "".
	Application string
	// Whole says that it carries one file as it is, so that its bytes may look like anything.
	Whole bool
}

// The engine's side of a Session.

// NewSession is a view of the session meta whose findings go to sink.
func NewSession(meta *Meta, sink Sink) Session { return Session{Meta: meta, sink: sink} }

// Ready prepares the view for one call of a decoder, with what it remembered.
func (s *Session) Ready(memory any) {
	s.memory, s.wanted, s.side, s.next, s.skips, s.insists, s.lines = memory, [2]int{}, s.Direction, -1, false, false, false
}

// Completed is what the decoder told by Transaction in its last call.
func (s *Session) Completed() (d Direction, n int, ok bool) {
	return s.asker, s.next, s.next >= 0 && !s.skips
}

// Skipped is what the decoder told by Skip in its last call.
func (s *Session) Skipped() (d Direction, n int, ok bool) { return s.asker, s.next, s.skips }

// Insists says whether the decoder told Insist in its last call, or even that it waits for an empty line.
func (s *Session) Insists() (insists, emptyLine bool) { return s.insists, s.lines }

// Told is the direction of what is being told.
func (s *Session) Told() Direction { return s.side }

// Wanted is what the decoder told by Want in its last call; 0 where it told nothing.
func (s *Session) Wanted() (client, server int) { return s.wanted[ToServer], s.wanted[ToClient] }
