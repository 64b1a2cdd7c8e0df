package sslproxy

import (
	"context"
	"net"
	"net/netip"

	"sluice/relay"
	"sluice/stack"
	"sluice/track"
)

// Session is a terminated TCP session, and what is to be known of it.
type Session struct {
	ID     uint64
	Client netip.AddrPort
	Server netip.AddrPort // after destination translation
	From   *stack.Stream  // the client's connection
	To     *net.TCPConn   // the server's
	Mail   bool           // it may be mail, which turns to TLS in its midst; any other begins with TLS or stays as it is

	Asked      func(named bool) Asked                            // what policies ask for, with what is known of the session by then
	Seen       func(fromServer bool, data []byte) (refused bool) // is shown what passes before the session is opened
	Categories func(host string) []string                        // of a web address
	Record     func() *track.Session                             // for log records
}

// Asked is what the policies that a session may come to have ask for.
type Asked struct {
	Profiles  []string // distinct ones; none where nothing is to be opened
	WebFilter bool     // categories of web addresses are looked at
}

// Action is what happens to a session.
type Action uint8

// The actions.
const (
	Pass   Action = iota // it passes as it is, beginning with the pending bytes of the client
	Opened               // its plaintext is to be relayed
	Ended                // it is over, and both sides are to be closed
)

// Outcome is what became of the beginning of a session.
type Outcome struct {
	Action  Action
	Pending []byte // Pass: of the client, not passed on yet
	Alerted bool   // Ended: the client was told by a TLS alert, so that it need not be reset

	opened *handshake // Opened
}

// Relay carries the plaintext of an opened session until it is over, as [Relay] does.
func (o *Outcome) Relay(ctx context.Context, inspect relay.Inspector, filter Filter) relay.Result {
	h := o.opened
	defer h.end()
	defer h.open.remove(h.session.ID)
	c := h.copied()
	switch {
	case c != nil && filter != nil:
		filter = &copiedFilter{Filter: filter, copied: c}
	case c != nil:
		inspect = c.watch(inspect)
	}
	r := Relay(ctx, h.client, h.server, inspect, filter)
	if c != nil && !c.end(r.Err != nil) {
		h.towardsServer.MirrorFailed()
	}
	if len(h.session.Asked(true).Profiles) == 0 {
		h.Counters.Proxy.PolicyWithoutProfile.Inc() // it was decrypted all the same
	}
	h.relayed(&r)
	return r
}

// Protocol is what both sides of an opened session have agreed to speak (RFC 7301); "" where they have
// not said.
func (o *Outcome) Protocol() string { return o.opened.client.ConnectionState().NegotiatedProtocol }
