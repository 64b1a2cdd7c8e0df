package proxy

import (
	"context"
	"errors"
	"net"

	"sluice/classify"
	"sluice/policy"
	"sluice/relay"
	"sluice/stack"
	"sluice/tls/sslproxy"
	"sluice/track"
)

// Decrypter opens the TLS of sessions: the SSL proxy.
type Decrypter interface {
	// Copies says whether sessions of a profile are opened even if nothing here looks at their plaintext.
	Copies(profile string) bool
	// Bypassed is told of a session that stays closed as nothing looks at its plaintext.
	Bypassed()
	// Serve opens the TLS of a session whose connections stand, or finds that it stays closed.
	Serve(context.Context, *sslproxy.Session) sslproxy.Outcome
}

// mayDecrypt says whether the TLS of a new session is to be opened, if it is TLS: a policy that it may come
// to have asks for that, and something is there to look at the plaintext.
func (e *Engine) mayDecrypt(cfg *config, s *Session, v *policy.Verdict) bool {
	if e.decrypter == nil || !cfg.policy.Decrypts() {
		return false
	}
	asked := e.decryption(cfg, s, false)
	if len(asked.Profiles) == 0 {
		return false
	}
	if v.Again || v.Policy.LooksInside() || asked.WebFilter || e.log.Tracks(s.fromZone.Name, s.toZone.Name) {
		return true
	}
	for _, profile := range asked.Profiles {
		if e.decrypter.Copies(profile) {
			return true
		}
	}
	e.decrypter.Bypassed()
	return false
}

// decryption is what the policies of s ask of the SSL proxy, with what is known of s by now. Where the
// client has named the server, the application that the name tells, or that it tells none, counts.
func (e *Engine) decryption(cfg *config, s *Session, named bool) policy.Decryption {
	f := s.flow
	f.User = s.user.Load()
	f.Content = e.contentNow(cfg, s)
	if named && s.identity != nil {
		f.Content.Settled = true
	}
	return cfg.policy.Decryption(&f)
}

// serve carries a terminated session whose both connections stand, until it is over.
func (e *Engine) serve(ctx context.Context, s *Session, client *stack.Stream, upstream *net.TCPConn) relay.Result {
	if !s.has(stateMayDecrypt) {
		return relay.Run(ctx, client, upstream, e.inspector(s, sayTo(client)), s.edit())
	}
	cut := context.AfterFunc(ctx, func() { relay.Stop(client, upstream, relay.Reset) })
	refused := relay.Continue
	outcome := e.decrypter.Serve(ctx, e.sessionTLS(s, client, upstream, &refused))
	if !cut() && outcome.Action != sslproxy.Opened { // which ends by its relay
		return relay.Result{End: relay.Stopped, Err: context.Cause(ctx)}
	}
	if v := e.deferredRefusal(s, &outcome); v != nil {
		refused = e.blockStream(s, v, sayTo(client))
		if outcome.Alerted {
			refused = relay.Close
		}
		return relay.Stop(client, upstream, refused)
	}
	switch outcome.Action {
	case sslproxy.Pass:
		if begun := outcome.Pending; len(begun) > 0 {
			if s.controls() {
				begun = s.control.pass(fromClient, begun)
			}
			if _, err := upstream.Write(begun); err != nil {
				return relay.ServerFailed(client, upstream, err)
			}
		}
		return relay.Run(ctx, client, upstream, e.inspector(s, sayTo(client)), s.edit())
	case sslproxy.Opened:
		e.decrypted(s)
		return e.relayPlaintext(ctx, s, &outcome, client, upstream)
	}
	if refused == relay.Continue {
		e.finish(s, track.ReasonApplication, lingerFIN)
		refused = relay.Reset
		if outcome.Alerted {
			refused = relay.Close
		}
	}
	return relay.Stop(client, upstream, refused)
}

// sessionTLS is what the SSL proxy is told of a session. When that is refused for what it carries,
// then is how.
func (e *Engine) sessionTLS(s *Session, client *stack.Stream, upstream *net.TCPConn, then *relay.Verdict) *sslproxy.Session {
	return &sslproxy.Session{
		ID: s.id, Client: s.client(), Server: s.server(), From: client, To: upstream, Mail: !s.controls(),
		Asked: func(named bool) sslproxy.Asked {
			d := e.decryption(e.config.Load(), s, named)
			return sslproxy.Asked{Profiles: d.Profiles, WebFilter: d.WebFilter}
		},
		Seen: func(fromServerSide bool, data []byte) (refused bool) {
			from := sender(!fromServerSide)
			if from == fromServer {
				s.set(stateAnswered)
			}
			if !s.identifying() {
				return false
			}
			v := e.learn(s, func(f *classify.Flow) bool { return f.Stream(from.classifierDirection(), data) })
			if v != nil {
				*then = e.blockStream(s, v, sayTo(client))
			}
			return v != nil
		},
		Categories: func(host string) []string { return e.config.Load().policy.Categories(host, "") },
		Record:     func() *track.Session { return e.record(s) },
	}
}

// defersRefusal says whether a session that v refuses goes on until its client can be told why: until its
// TLS is open, and a request has come. identity.mu is held.
func (s *Session) defersRefusal(v *policy.Verdict) bool {
	if v.Action == policy.Permit || v.Message == nil || !s.has(stateMayDecrypt) {
		return false
	}
	later := s.identity.flow.Result().Encrypted && !s.has(stateDecrypted)
	if later {
		s.set(stateOpen)
		s.set(stateDeferred)
	}
	return later
}

// deferredRefusal is the verdict about a session that was to be told of it once its TLS is open, and that stays
// closed; nil for any other.
func (e *Engine) deferredRefusal(s *Session, outcome *sslproxy.Outcome) *policy.Verdict {
	if outcome.Action == sslproxy.Opened || !s.has(stateDeferred) {
		return nil
	}
	s.state.And(^stateMayDecrypt)
	return e.learn(s, func(*classify.Flow) bool { return true })
}

// decrypted lets the identification of s go on with its plaintext, and its policy be judged by that.
func (e *Engine) decrypted(s *Session) {
	i := s.identity
	if i == nil {
		s.set(stateDecrypted)
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.flow.Close()
	e.noteIdentity(s)
	meta := s.meta()
	e.identifier.Decrypted(&i.flow, &meta)
	s.set(stateDecrypted)
	s.state.And(^(stateIdentified | stateAnswered))
	if e.config.Load().policy.LimitsContent() {
		s.set(stateOpen)
	}
}

// relayPlaintext carries the plaintext of s until it is over: message by message where its policies
// depend on what it asks for.
func (e *Engine) relayPlaintext(ctx context.Context, s *Session, outcome *sslproxy.Outcome, client *stack.Stream, upstream *net.TCPConn) relay.Result {
	inspect := e.inspector(s, sayNothing)
	var filter sslproxy.Filter
	if inspect != nil && s.has(stateOpen) {
		inspect, filter = nil, newRequests(e, s, outcome.Protocol(), inspect)
	}
	r := outcome.Relay(ctx, inspect, filter)
	if errors.Is(r.Err, relay.ErrDropped) {
		return relay.Stop(client, upstream, relay.Drop)
	}
	return r
}

// sender is the direction of what a side sends.
func sender(isClient bool) direction {
	if isClient {
		return fromClient
	}
	return fromServer
}
