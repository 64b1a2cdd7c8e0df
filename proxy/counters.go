package proxy

import "fmt"

// dropReason says why a packet was not forwarded.
type dropReason uint8

const (
	dropMalformed    dropReason = iota // headers do not parse
	dropNoZone                         // an interface on its way is in no zone
	dropNoSession                      // it belongs to no session and may not open one
	dropPolicy                         // a policy denied or rejected it
	dropSessionLimit                   // the session table is full
	dropHalfOpen                       // a half-open session that made room for another
	dropNATPorts                       // no translated port was free
	dropBadRST                         // a RST outside the window
	dropStopping                       // a new session while the gateway drains
	dropHTTP                           // not a packet but a web request that violates the protocol
	dropWrite                          // the kernel refused it
	dropRateLimit                      // it exceeded a rate limiter of application traffic control
	dropFragment                       // a fragment of a segment of a terminated session
	dropReasons
)

var dropNames = [dropReasons]string{
	"malformed", "no-zone", "no-session", "policy", "session-limit", "half-open-evicted", "nat-ports", "bad-rst", "stopping", "http-violation", "write-error", "rate-limit", "stream-fragment",
}

// String is the reason's name in counters.
func (r dropReason) String() string {
	if r < dropReasons {
		return dropNames[r]
	}
	return fmt.Sprintf("drop-%d", uint8(r))
}

func (e *Engine) drop(r dropReason) { e.drops[r].Add(1) }

// Counters are totals since the gateway started.
type Counters struct {
	SessionsCreated  uint64            `json:"sessions-created"`
	SessionsFailed   uint64            `json:"sessions-failed"`   // refused: no room, no port, no route
	FragmentsDropped uint64            `json:"fragments-dropped"` // incomplete, overlapping or too many
	FragmentsWaiting int               `json:"fragments-waiting"` // datagrams not complete yet
	Panics           uint64            `json:"panics"`            // sessions ended by an internal error
	Drops            map[string]uint64 `json:"drops"`             // packets not forwarded, by reason
}

// Counters reads the totals.
func (e *Engine) Counters() Counters {
	c := Counters{SessionsCreated: e.created.Load(), SessionsFailed: e.failed.Load(), Panics: e.panics.Load(), Drops: make(map[string]uint64, dropReasons)}
	c.FragmentsWaiting, c.FragmentsDropped = e.fragments.Stats()
	for r := range dropReasons {
		c.Drops[r.String()] = e.drops[r].Load()
	}
	return c
}
