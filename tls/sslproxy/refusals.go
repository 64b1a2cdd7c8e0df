package sslproxy

import (
	"cmp"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"

	"sluice/tls/profile"
	tls "sluice/tls/stdtls"
)

// refusal is a client that refuses the certificate made for a server, as programs do that know the
// server's own (pinning).
type refusal struct {
	client  netip.Addr
	server  string // its name, or its address where the client names none
	profile string
}

// refusals remembers clients that refuse certificates, and lets their sessions pass.
type refusals struct {
	now func() time.Time

	mu      sync.Mutex
	known   map[refusal]*refused
	sweepAt int // entries at which those that are over are looked for
}

// refused is how often a client has refused, and until when its sessions pass.
type refused struct {
	times int
	last  time.Time
	until time.Time // zero: they do not pass
}

// Refusals are remembered for a time, and not too many of them.
const (
	refusalMemory = time.Hour
	maxRefusals   = 20000
)

func newRefusals(now func() time.Time) *refusals {
	return &refusals{now: now, known: map[refusal]*refused{}}
}

// refusal is what h is about.
func (h *handshake) refusal(p *profile.Proxy) refusal {
	return refusal{client: h.session.Client.Addr(), server: h.name(), profile: p.Name}
}

// exempt says whether sessions of r pass.
func (l *refusals) exempt(r refusal) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	known := l.known[r]
	return known != nil && l.now().Before(known.until)
}

// add counts a refusal. It says whether that is the one from which on sessions pass.
func (l *refusals) add(r refusal, rule *profile.PassThrough) (passes bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	l.sweep(now)
	known := l.known[r]
	if known == nil || now.Sub(known.last) > refusalMemory || !known.until.IsZero() && now.After(known.until) {
		if len(l.known) >= maxRefusals {
			return false
		}
		known = new(refused)
		l.known[r] = known
	}
	known.times, known.last = known.times+1, now
	if known.times < rule.Failures {
		return false
	}
	known.until = now.Add(rule.Timeout)
	return true
}

// sweep forgets what is over, whenever twice as much is known as was left the last time, or all that may be.
func (l *refusals) sweep(now time.Time) {
	if len(l.known) < l.sweepAt {
		return
	}
	for r, known := range l.known {
		if now.After(known.until) && now.Sub(known.last) > refusalMemory {
			delete(l.known, r)
		}
	}
	l.sweepAt = min(2*len(l.known)+64, maxRefusals)
}

// forget is told that a client took the certificate made for a server.
func (l *refusals) forget(r refusal) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.known, r)
}

// Exemption is a client whose sessions to a server pass as they are.
type Exemption struct {
	Client      netip.Addr
	Server      string // its name, or its address where the client names none
	Profile     string
	Failures    int
	Last, Until time.Time // of the failures, and of the exemption
}

// Exemptions are the clients that refuse certificates, whose sessions pass as they are.
func (v *Service) Exemptions() (list []Exemption) {
	l := v.refusals
	l.mu.Lock()
	defer l.mu.Unlock()
	for r, known := range l.known {
		if l.now().Before(known.until) {
			list = append(list, Exemption{r.client, r.server, r.profile, known.times, known.last, known.until})
		}
	}
	slices.SortFunc(list, func(a, b Exemption) int {
		return cmp.Or(a.Client.Compare(b.Client), cmp.Compare(a.Server, b.Server), cmp.Compare(a.Profile, b.Profile))
	})
	return list
}

// EndExemptions makes sessions be opened again: of a client if it is valid, to a server if it is not
// "". It says how many exemptions ended.
func (v *Service) EndExemptions(client netip.Addr, server string) (n int) {
	l := v.refusals
	l.mu.Lock()
	defer l.mu.Unlock()
	for r, known := range l.known {
		if (!client.IsValid() || r.client == client) && (server == "" || r.server == server) {
			if l.now().Before(known.until) {
				n++
			}
			delete(l.known, r)
		}
	}
	return n
}

// isRefusal says whether the end of a handshake means that the client does not accept the
// certificate: it says so, or it hangs up when it has seen it.
func isRefusal(err error) bool {
	var alert tls.AlertError
	if errors.As(err, &alert) {
		switch alert {
		case alertBadCertificate, alertUnsupportedCertificate, alertCertificateRevoked, alertCertificateExpired, alertCertificateUnknown, alertUnknownCA, alertAccessDenied:
			return true
		}
		return false
	}
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, net.ErrClosed)
}
