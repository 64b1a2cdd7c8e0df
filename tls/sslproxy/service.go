// Package sslproxy opens the TLS of sessions that pass the gateway: it speaks TLS with the server as
// a client, judges what the server shows, and then speaks TLS with the client as that server would.
// What is in between is plaintext, which the other services see.
//
// The files follow a session: session is what it is told of one, opening waits for the first bytes and
// keeps them until it is decided, mail follows those that begin in the clear, decide chooses the
// profile and the exemptions, initiation is the side of the server, verdict what is thought of its
// certificate, termination the side of the client, refusals the clients that do not take its certificate,
// resume the sessions that may be taken up again, relay carries the plaintext, and copies sends it to
// collectors. What happens is counted and logged in events, and traced in trace; table has the sessions that
// are open now.
package sslproxy

import (
	"log/slog"
	"sync/atomic"
	"time"

	"sluice/tls/profile"
	"sluice/tls/report"
	"sluice/tls/revoke"
	"sluice/track"
)

// Log takes the records of the SSL proxy. No call may block.
type Log interface {
	SSL(track.SSLEvent, *track.Session)
}

// Options are what a Service works with.
type Options struct {
	Counters   *report.Counters
	Drops      *report.Drops
	Tracer     *report.Tracer
	Log        Log
	Revocation *revoke.Checker
	Logger     *slog.Logger     // nil for slog.Default
	Now        func() time.Time // nil for time.Now
}

// Service is the SSL proxy. Make one with New.
type Service struct {
	Options
	set atomic.Pointer[profile.Set]

	certificates *certificates // made for clients
	sessions     *resumption   // that clients may take up again
	tickets      *serverTickets
	refusals     *refusals
	copies       *copies
	open         table // sessions that are decrypted now
}

// New makes an SSL proxy without profiles.
func New(o Options) *Service {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	v := &Service{Options: o, refusals: newRefusals(o.Now), copies: newCopies()}
	v.certificates = newCertificates(v)
	v.sessions, v.tickets = newResumption(v), newServerTickets(v)
	v.set.Store(new(profile.Set))
	if o.Revocation != nil {
		o.Revocation.OnUpdate(v.listUpdated)
	}
	return v
}

// Configure makes the profiles of set decide from the next session on. What was cached under a
// profile that has changed is forgotten.
func (v *Service) Configure(set *profile.Set) {
	v.set.Store(set)
	current := map[profile.Fingerprint]bool{}
	for _, p := range set.Proxies() {
		current[p.Fingerprint] = true
	}
	v.certificates.configure(&set.Global)
	v.sessions.keep(current)
	v.tickets.keep(current)
	v.copies.keep(set.Proxies())
}

// Copies says whether sessions of a profile are opened even where no service of the gateway looks
// at their plaintext, as it is copied to a collector.
func (v *Service) Copies(name string) bool {
	p := v.set.Load().Proxy(name)
	return p != nil && p.Mirror != nil
}

// Close gives back what the service holds.
func (v *Service) Close() { v.copies.keep(nil) }

// listUpdated follows an update of a revocation list: what was thought of servers may not hold any more.
func (v *Service) listUpdated() {
	v.Counters.Proxy.CRLAdded.Inc()
	v.certificates.updates.Add(1)
	v.certificates.forgetVerdicts()
	if v.set.Load().Global.InvalidateOnCRLUpdate {
		v.certificates.forged.Clear()
	}
}

// Bypassed is told of a session that stays closed although its policy has a profile, as nothing looks
// at its plaintext.
func (v *Service) Bypassed() {
	v.Counters.Proxy.Matched.Inc()
	v.Counters.Proxy.Ignored.Inc()
}
