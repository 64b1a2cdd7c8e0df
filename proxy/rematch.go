package proxy

import (
	"sluice/policy"
	"sluice/track"
)

// rematch judges the sessions that earlier configurations let in by the policies of a new one. A session whose policy
// went ends in any case. With policy-rematch a session ends as well when another policy, or a
// refusal, answers it now; with its extensive option it moves to the policy that permits it.
func (e *Engine) rematch(cfg *config) {
	on, extensive := cfg.policy.Rematch()
	configured := make(map[*policy.Counters]*policy.Policy) // a policy's counters live as long as it does
	for _, p := range cfg.policy.Policies() {
		configured[p.Counters] = p
	}
	configured[cfg.policy.DefaultPolicy().Counters] = cfg.policy.DefaultPolicy()
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
		was := s.verdict.Load()
		f, moved, ok := s.flowIn(cfg)
		if !ok {
			e.end(s, track.ReasonPolicyDelete)
			return true
		}
		f.Content = e.contentNow(s)
		now := cfg.policy.Lookup(&f)
		same := now.Policy.Counters == was.Counters
		switch {
		case same && now.Action == policy.Permit:
			s.move(&now)
		case !on && !moved && survives(configured[was.Counters]):
		case (extensive || moved) && now.Action == policy.Permit && now.Policy.TCPProxy == was.TCPProxy:
			s.move(&now)
		default:
			e.end(s, track.ReasonPolicyDelete)
		}
		return true
	})
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
}

// contentNow is what policies may match of what the session carries, as far as it is known; where
// the session is not identified, that is nothing, for good.
func (e *Engine) contentNow(s *Session) *policy.Content {
	i := s.identity
	if i == nil {
		return policy.UnknownContent
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	content := e.content(s)
	return &content
}

// flowIn is what the policies of cfg judge: the session's flow between the zones that its
// interfaces are in now. moved says that a zone is another one, ok that both are in a zone.
func (s *Session) flowIn(cfg *config) (f policy.Flow, moved, ok bool) {
	f = s.flow
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
