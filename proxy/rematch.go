package proxy

import (
	"sluice/policy"
	"sluice/track"
)

// rematch judges running sessions by the policies of a new configuration. A session whose policy
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
		if s.has(stateClosing) {
			return true
		}
		if cfg.flow.NoServicesOffload {
			e.keep(s)
		}
		was := s.verdict.Load()
		now := cfg.policy.Lookup(&s.flow)
		same := now.Policy.Counters == was.Counters
		switch {
		case same && now.Policy.Action == policy.Permit:
			s.verdict.Store(now.Policy)
		case !on && survives(configured[was.Counters]):
		case extensive && now.Policy.Action == policy.Permit && now.Policy.TCPProxy == was.TCPProxy:
			s.verdict.Store(now.Policy)
		default:
			e.end(s, track.ReasonPolicyDelete)
		}
		return true
	})
}

// survives says whether a policy that let a session in is still there and permits.
func survives(p *policy.Policy) bool { return p != nil && p.Action == policy.Permit }
