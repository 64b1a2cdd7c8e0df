package proxy

import (
	"sluice/policy"
	"sluice/track"
)

// rematch judges the sessions that earlier configurations let in by the policies of a new one. A session whose policy
// went ends in any case. With policy-rematch a session ends as well when another policy, or a
// refusal, answers it now; with its extensive option it moves to the policy that permits it.
func (e *Engine) rematch(cfg *config) {
	r := newRematch(cfg)
	e.table.each(func(s *Session) bool {
		if e.config.Load() != cfg {
			return false // a newer commit judges them all
		}
		if s.has(stateClosing) || s.admitted >= cfg.number {
			return true
		}
		if cfg.flow.NoServicesOffload {
			e.keep(s)
		}
		r.judge(e, s, s.user.Load(), false)
		return true
	})
}

// rematch is how running sessions are judged by the policies of a configuration.
type rematch struct {
	cfg           *config
	on, extensive bool
	configured    map[*policy.Counters]*policy.Policy // a policy's counters live as long as it does
}

func newRematch(cfg *config) *rematch {
	r := &rematch{cfg: cfg, configured: make(map[*policy.Counters]*policy.Policy)}
	r.on, r.extensive = cfg.policy.Rematch()
	for _, p := range cfg.policy.Policies() {
		r.configured[p.Counters] = p
	}
	r.configured[cfg.policy.DefaultPolicy().Counters] = cfg.policy.DefaultPolicy()
	return r
}

// judge judges a session of a user again. changed says that the session itself is another one than the
// one that was let in, so that the policy that did no longer speaks for it. One that goes on is the
// user's from then on; one that ends was that of the user before.
func (r *rematch) judge(e *Engine, s *Session, user *policy.User, changed bool) {
	was := s.verdict.Load()
	if s.has(stateBlocked) || s.parent() != nil { // which is judged with its control session
		return
	}
	f, moved, ok := s.flowIn(r.cfg, user)
	if !ok {
		e.end(s, track.ReasonPolicyDelete)
		return
	}
	moved = moved || changed
	f.Content = e.contentNow(r.cfg, s)
	now := r.cfg.policy.Lookup(&f)
	same := now.Policy.Counters == was.Counters
	switch {
	case same && now.Action == policy.Permit:
		s.move(&now)
	case !r.on && !moved && survives(r.configured[was.Counters]):
		if now.Again && s.identity != nil { // what it carries next is judged by the policies there are then
			s.set(stateOpen)
		}
	case (r.extensive || moved) && now.Action == policy.Permit && now.Policy.TCPProxy == was.TCPProxy:
		s.move(&now)
	default:
		e.end(s, track.ReasonPolicyDelete)
		return
	}
	s.user.Store(user)
	e.treatAnew(r.cfg, s)
	if s.controls() {
		for _, data := range s.control.carried() {
			e.treatAnew(r.cfg, data)
		}
	}
}

// move makes v the session's verdict.
func (s *Session) move(v *policy.Verdict) {
	s.verdict.Store(v.Policy)
	s.rule.Store(v.Rule)
	if v.Again {
		s.set(stateOpen)
	} else {
		s.state.And(^stateOpen)
	}
	if s.controls() {
		for _, data := range s.control.carried() {
			data.verdict.Store(v.Policy)
			data.rule.Store(v.Rule)
		}
	}
}

// contentNow is what policies may match of what the session carries, as far as it is known; where
// the session is not identified, that is nothing, for good.
func (e *Engine) contentNow(cfg *config, s *Session) *policy.Content {
	i := s.identity
	if i == nil {
		return policy.UnknownContent
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	content := e.content(cfg, s)
	if i.lookups >= cfg.policy.MaxLookups() {
		content.Settled, content.Final = true, true
	}
	return &content
}

// flowIn is what the policies of cfg judge: the session's flow, a user's, between the zones that its
// interfaces are in now. moved says that a zone is another one, ok that both are in a zone.
func (s *Session) flowIn(cfg *config, user *policy.User) (f policy.Flow, moved, ok bool) {
	f = s.flow
	f.User = user
	from, to := cfg.byDevice[s.wings[fromClient].port.device], cfg.byDevice[s.egressDevice]
	if from == nil || to == nil {
		return f, true, false
	}
	moved = f.FromZone != from.zone.Name || f.ToZone != to.zone.Name
	f.FromZone, f.ToZone = from.zone.Name, to.zone.Name
	return f, moved, true
}

// survives says whether a policy that let a session in is still there and permits.
func survives(p *policy.Policy) bool { return p != nil && p.Action == policy.Permit }
