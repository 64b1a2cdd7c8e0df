package proxy

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"sluice/appqos"
	"sluice/capture"
	"sluice/policy"
	"sluice/stack"
	"sluice/store/schema"
	"sluice/track"
)

// direction says which side a packet comes from. It indexes the wings of a session.
type direction uint8

const (
	fromClient direction = iota // the side that opened the session
	fromServer
)

// opposite is the other direction.
func (d direction) opposite() direction { return 1 - d }

// path is how the packets of a session travel.
type path uint8

const (
	express path = iota // forwarded as packets, end to end
	stream              // terminated and relayed, so that services can work on the bytes
)

func (p path) String() string {
	if p == stream {
		return "stream"
	}
	return "express"
}

// wing is one direction of a session: the key its packets arrive with, and what arrived.
type wing struct {
	session   *Session
	key       stack.Key // as packets arrive
	leave     stack.Key // as they go on; differs from key when addresses are translated
	direction direction
	port      *port // where packets of this direction arrive, and are written back to
	limit     int   // of their length, as the kernel was told it; guarded by tcpMu

	packets atomic.Uint64
	bytes   atomic.Uint64
	tcp     tcpHalf
}

// count adds what p was on the wire.
func (w *wing) count(p *stack.Packet) {
	w.packets.Add(p.Segments)
	w.bytes.Add(p.Bytes)
}

// Session is one conversation through the gateway, from its first packet until it is removed
// from the table. Its fields are fixed at creation but for the atomics and what a lock of their own guards.
//
// Locks are taken in this order: control.mu of a control session, identity.mu of a data session, identity.mu
// of its control session, tcpMu, and last those of the tables of gates and of wings.
type Session struct {
	id       uint64
	wings    [2]wing
	path     path
	protocol schema.Protocol
	flow     policy.Flow // what the policy judged, kept for judging again; without user and content

	fromZone, toZone *policy.Zone
	ingress, egress  string // logical interfaces
	egressDevice     string // Linux interface towards the server
	service          string // L4 application
	natRule          string // "" when addresses are kept
	icmpSeq          uint16 // of the first echo request
	opensWithSYN     bool
	admitted         uint32 // number of the configuration that let it in
	started          time.Time
	born             int64 // ticks

	verdict  atomic.Pointer[policy.Policy]
	rule     atomic.Pointer[policy.FirewallRule] // of the policy's rule set; nil without one
	page     atomic.Pointer[page]                // the answer to a request that was refused; nil for none
	user     atomic.Pointer[policy.User]         // who sends; nil while nobody is known
	lastSeen atomic.Int64                        // ticks
	timeout  atomic.Int64                        // ticks without packets after which the session ends; noTimeout for never
	life     atomic.Int64                        // what timeout is while the session is established
	state    atomic.Uint32
	removed  atomic.Bool
	reason   atomic.Pointer[track.Reason]    // why it ends, or has
	ended    atomic.Int64                    // ticks; when that was recorded
	updates  track.UpdateClock               // when volume updates are due
	tcpMu    sync.Mutex                      // orders changes of state by segments with SYN, FIN or RST, and offloading
	identity *identity                       // nil for a session that is not looked into
	capture  atomic.Pointer[capture.Session] // nil when no packets are kept
	relay    atomic.Pointer[relayed]         // the terminated session, on the stream path
	control  *control                        // that it is, or in whose name it passes; nil for most sessions
	qos      atomic.Pointer[appqos.Session]  // nil for a session whose policies name no rule set
}

// Bits of Session.state.
const (
	stateSYN         uint32 = 1 << iota // the client's SYN was seen
	stateSYNACK                         // the server answered it
	stateEstablished                    // the handshake is complete, or the protocol has none
	stateFINClient
	stateFINServer
	stateReplied      // the server sent something
	stateClosing      // over; kept for a moment so that stray segments find it
	stateTracked      // AppTrack follows it
	stateOffloadAsked // the kernel was asked to carry it, or will not be
	stateOffloaded    // the kernel carries it
	stateIdentified   // its application is settled
	stateOpen         // which policy it has depends on what it carries, now or later
	statePotential    // its policy is not found yet; it passes as one that may be would let it
	stateAnswered     // the server sent data
	stateBlocked      // refused for what it carries: nothing passes any more
	stateHalfOpen     // counted among the sessions that wait for their handshake
	stateRefused      // its ends were told that it is blocked
	stateMayDecrypt   // its TLS is to be opened, if it is TLS
	stateDecrypted    // its TLS is opened, and its plaintext is looked at
	stateServerFIN    // both sides have finished, or will, and the server did first
	stateRecorded     // its end is in the logs
	statePageSent     // refused, and its client is answered by a page on its own connection
	stateInbound      // a data session that the client of its control session is called by
	stateAsked        // a web request has come whose answer has not begun
	stateDeferred     // refused, but its TLS is opened first so that its client can be told why
)

const stateFINBoth = stateFINClient | stateFINServer

func (s *Session) has(bits uint32) bool { return s.state.Load()&bits == bits }

// set turns bits on and says whether any of them was off.
func (s *Session) set(bits uint32) bool { return s.state.Or(bits)&bits != bits }

// pending says whether the session still waits for its handshake.
func (s *Session) pending() bool { return s.has(stateHalfOpen) }

// establish gives the session its full timeout.
func (s *Session) establish() {
	if s.set(stateEstablished) {
		s.timeout.Store(s.life.Load())
	}
}

// finish says that the session is over for a reason, and leaves it for linger so that stray
// packets do not count as new sessions.
func (s *Session) finish(reason track.Reason, linger time.Duration) {
	if s.set(stateClosing) {
		if !s.has(stateRecorded) {
			s.reason.Store(&reason)
		}
		s.timeout.Store(int64(linger))
	}
}

// client and server are the ends as the client sees them.
func (s *Session) client() netip.AddrPort { return s.wings[fromClient].key.Source() }
func (s *Session) server() netip.AddrPort { return s.wings[fromClient].key.Destination() }
