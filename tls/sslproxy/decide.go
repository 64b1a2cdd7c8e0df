package sslproxy

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"time"

	"sluice/internal/depth"
	"sluice/internal/panics"
	"sluice/tls/profile"
	"sluice/tls/report"
	"sluice/tls/starttls"
	tls "sluice/tls/stdtls"
)

// handshakeTime bounds a handshake with both sides, from the client's first byte.
const handshakeTime = 60 * time.Second

// Serve takes a session whose two connections stand, and returns when its TLS is open, or when it is
// clear that it stays closed. Whatever a side sends is shown to the session first. When ctx ends, the
// caller breaks both connections.
func (v *Service) Serve(ctx context.Context, s *Session) (outcome Outcome) {
	// On a goroutine of its own, as the caller's stack would grow by the handshakes and stay so for the
	// session's life.
	var panicked *panics.Panic
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer panics.Catch(func(p *panics.Panic) { panicked = p })
		depth.Prepare()
		outcome = v.serve(ctx, s)
	}()
	<-done
	if panicked != nil {
		panic(panicked) // it is the caller's to deal with
	}
	return outcome
}

// serve is Serve on a stack that is large enough.
func (v *Service) serve(ctx context.Context, s *Session) Outcome {
	v.Counters.Proxy.Matched.Inc()
	h := &handshake{Service: v, session: s}
	who, err := first(s.From, s.To)
	if err != nil {
		return h.ignore(notBegun)
	}
	if who == clientFirst {
		return h.run(ctx)
	}
	return h.clear(ctx, nil)
}

// clear follows a session that does not begin with TLS, as long as it may turn to it. early is what the
// client has sent.
func (h *handshake) clear(ctx context.Context, early []byte) Outcome {
	s, global := h.session, &h.set.Load().Global
	m := &mail{client: s.From, server: s.To, seen: s.Seen, limits: mailLimits{global.MailBytes, global.MailPackets}}
	if !s.Mail || len(early) > m.limits.bytes {
		h.pending = early
		return h.ignore(notTLS)
	}
	r, err := m.run(early)
	h.mail, h.pending = r.protocol, r.pending
	switch {
	case errors.Is(err, errRefused):
		return Outcome{Action: Ended}
	case err != nil, r.protocol == starttls.None:
		return h.ignore(notTLS)
	}
	h.countMail(&r)
	switch r.end {
	case mailAgreed:
		return h.run(ctx)
	case mailViolated:
		return h.drop(nil, systemFault("commands around STARTTLS in the clear"))
	}
	return h.ignore(noSTARTTLS)
}

// handshake is a session from its ClientHello until its TLS is open.
type handshake struct {
	*Service
	session          *Session
	mail             starttls.Protocol // what it was before it turned to TLS
	pending          []byte
	opening          *opening
	hello            *tls.ClientHelloInfo
	profile          *profile.Proxy
	outcome          *Outcome // decided before the handshake was over
	verdict          *verdict
	shown            bool // the client was shown a certificate of ours
	wantsCertificate bool // the server asked for one of the client, which it did not get
	keyBits          int  // of that certificate
	over             bool

	client, server               *tls.Conn
	towardsClient, towardsServer *report.Side // nil until the session is taken
	trace                        *report.Trace
}

// everySuite are the suites that the TLS library knows.
var everySuite = func() (list []uint16) {
	for _, suite := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		list = append(list, suite.ID)
	}
	return list
}()

// errDecided breaks off a handshake whose outcome is decided.
var errDecided = errors.New("decided")

// run reads the ClientHello, decides, and makes both handshakes.
func (h *handshake) run(ctx context.Context) Outcome {
	s := h.session
	h.opening = &opening{Stream: s.From, seen: func(data []byte) bool { return s.Seen(false, data) }}
	deadline := time.Now().Add(handshakeTime)
	_ = s.From.SetDeadline(deadline)
	_ = s.To.SetDeadline(deadline)
	client := tls.Server(h.opening, &tls.Config{
		MinVersion: tls.VersionTLS10, CipherSuites: everySuite, // the profile decides later
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) { return h.answer(ctx, hello) },
	})
	err := client.HandshakeContext(ctx)
	_ = s.From.SetDeadline(time.Time{})
	_ = s.To.SetDeadline(time.Time{})
	switch {
	case h.outcome != nil:
		return *h.outcome
	case errors.Is(h.opening.problem, errRefused):
		return Outcome{Action: Ended}
	case err != nil && h.profile == nil:
		return h.unread(ctx, err)
	case err != nil:
		return h.clientFailed(err)
	}
	return h.opened(client)
}

// unread goes on with a session whose ClientHello could not be read for a reason. One that begins as TLS
// and then is not, as far as can be told, does not pass: its server may understand it all the same.
func (h *handshake) unread(ctx context.Context, err error) Outcome {
	problem := h.opening.problem
	var timeout net.Error
	switch {
	case errors.Is(problem, errNotTLS) && h.mail == starttls.None:
		return h.clear(ctx, h.opening.kept)
	case errors.Is(problem, errNotTLS), // what comes after STARTTLS is no TLS
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &timeout) && timeout.Timeout():
		h.pending = h.opening.kept
		return h.ignore(notTLS)
	case problem != nil:
		err = problem
	}
	return h.drop(nil, libraryFault(err))
}

// answer decides about a session by its ClientHello. It returns the configuration to answer it with.
func (h *handshake) answer(ctx context.Context, hello *tls.ClientHelloInfo) (*tls.Config, error) {
	if h.opening.problem != nil {
		return nil, h.opening.problem
	}
	h.hello, h.pending = hello, h.opening.kept
	p, outcome := h.choose()
	if p == nil {
		h.outcome = &outcome
		return nil, errDecided
	}
	if outcome, exempt := h.exempt(p); exempt {
		h.outcome = &outcome
		return nil, errDecided
	}
	h.profile = p
	h.opening.engage()
	h.begin()
	if fault := h.initiate(ctx); fault != nil {
		outcome := h.drop(p, fault)
		outcome.Alerted = true
		h.outcome = &outcome
		return nil, fault.alert
	}
	config, fault := h.termination()
	if fault != nil {
		outcome := h.drop(p, fault)
		outcome.Alerted = true
		h.outcome = &outcome
		return nil, fault.alert
	}
	h.shown = true
	return config, nil
}

// choose finds the profile (guide section "SSL Proxy Support for Unified Policies"): the one that
// the policies agree on, by now that the ClientHello tells the application; the default profile
// where they do not.
func (h *handshake) choose() (*profile.Proxy, Outcome) {
	set, asked := h.set.Load(), h.session.Asked(h.hello.ServerName != "")
	switch len(asked.Profiles) {
	case 0:
		return nil, h.ignore(noProfile)
	case 1:
		return h.usable(set.Proxy(asked.Profiles[0]), asked.Profiles[0])
	}
	p := set.Default()
	if p == nil {
		h.Counters.Proxy.NoDefaultProfile.Inc()
		return nil, h.drop(nil, systemFault("default ssl-proxy profile is not configured"))
	}
	h.Counters.Proxy.DefaultProfileHit.Inc()
	return h.usable(p, p.Name)
}

// usable is the profile called name, unless it went by a commit (p is nil), or its certificates did.
func (h *handshake) usable(p *profile.Proxy, name string) (*profile.Proxy, Outcome) {
	if p == nil || p.Broken != "" {
		h.Counters.Proxy.SessionCreateFailed.Inc()
		return nil, h.drop(p, systemFault("ssl-proxy profile "+name+" cannot be used"))
	}
	return p, Outcome{}
}

// exempt says whether the session passes as it is although its policy has a profile.
func (h *handshake) exempt(p *profile.Proxy) (Outcome, bool) {
	s := h.session
	if host, ok := p.Whitelist.Match(s.Server.Addr()); ok {
		return h.whitelisted(p, &h.Counters.Proxy.WhitelistedIP, host, "session whitelisted"), true
	}
	if h.hello.ServerName != "" && len(p.WhitelistCategories) > 0 && s.Asked(true).WebFilter {
		for _, class := range s.Categories(h.hello.ServerName) {
			if slices.Contains(p.WhitelistCategories, class) {
				return h.whitelisted(p, &h.Counters.Proxy.WhitelistedURL, h.hello.ServerName,
					"session whitelisted url category match SNI "+h.hello.ServerName+" URL_CATEGORY "+class), true
			}
		}
	}
	if p.PassThrough != nil && h.refusals.exempt(h.refusal(p)) {
		return h.whitelisted(p, nil, h.name(), "session passes as its client refuses the certificate made for "+h.name()), true
	}
	if limit := h.set.Load().Global.MaximumDecryptedSessions; limit > 0 && h.Counters.Proxy.Active.Value() >= uint64(limit) {
		h.Counters.Proxy.BypassedOverflow.Inc()
		h.Counters.Proxy.MemoryFailures.Inc()
		return h.ignore(overflow), true
	}
	return Outcome{}, false
}

// name is whom the client wants: the server name that it gave, or the server's address.
func (h *handshake) name() string {
	if h.hello != nil && h.hello.ServerName != "" {
		return h.hello.ServerName
	}
	return h.session.Server.Addr().String()
}
