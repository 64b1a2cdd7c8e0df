package proxy

import (
	"slices"

	"sluice/classify"
	"sluice/classify/appdb"
	"sluice/policy"
)

// judge looks the session's policy up with what is known of its content by now. The policy of a
// session that was looked up as often as one may is final. identity.mu is held, or nobody else
// knows the session yet.
func (e *Engine) judge(cfg *config, s *Session) policy.Verdict {
	content := e.content(s)
	if s.lookups++; s.lookups >= cfg.policy.MaxLookups() {
		content.Settled, content.Final = true, true
	}
	f := s.flow
	f.User = s.user.Load()
	f.Content = &content
	v := cfg.policy.Lookup(&f)
	s.rule.Store(v.Rule)
	return v
}

// adopt makes v, the answer of judge, the session's verdict, and records a policy that is found at
// last. It says whether the session may go on.
func (e *Engine) adopt(s *Session, v *policy.Verdict) bool {
	was := s.verdict.Swap(v.Policy)
	if v.Action != policy.Permit {
		return false
	}
	if was != v.Policy {
		v.Policy.Counters.Hits.Add(1)
		v.Policy.Counters.SessionsOpened.Add(1)
		was.Counters.SessionsClosed.Add(1)
	}
	if !v.Again {
		s.state.And(^stateOpen)
	}
	if !v.Open && s.state.And(^statePotential)&statePotential != 0 {
		s.retime(e.config.Load(), *v)
		if v.Policy.LogInit {
			e.log.FlowCreate(e.record(s))
		}
		e.noteMonitored(s, v)
	}
	return true
}

// retime gives a session whose policy is found the timeout of that.
func (s *Session) retime(cfg *config, v policy.Verdict) {
	half := !s.has(stateEstablished)
	before := s.timeout.Load()
	s.setTimeouts(cfg, v)
	if half {
		s.timeout.Store(before) // of the handshake
	} else if s.has(stateClosing) {
		s.timeout.Store(before)
	} else {
		s.timeout.Store(s.life.Load())
	}
}

// monitored records what v, which is not open, would have done with the session of a wing if it were
// not only to be logged.
func (e *Engine) monitored(w *wing, v *policy.Verdict) *wing {
	if w != nil && !v.Open {
		e.noteMonitored(w.session, v)
	}
	return w
}

// noteMonitored records what a policy that only logs would have done.
func (e *Engine) noteMonitored(s *Session, v *policy.Verdict) {
	if v.WouldBe != policy.Permit {
		would := *v
		would.Action = v.WouldBe
		e.log.FlowDeny(e.record(s), refusal(would)+" (log-only)")
	}
}

// content is what policies may match of what the session carries, as far as it is known.
func (e *Engine) content(s *Session) policy.Content {
	f := &s.identity.flow
	r := f.Result()
	protocol, application := f.Applications()
	c := policy.Content{Final: r.Final, Used: r.Micro != "", Coming: f.Coming()}
	concludes := e.identifier.ConcludesUnknown()
	add := func(name string) {
		if name != "" && (name != appdb.Unknown || concludes) && !slices.Contains(c.Names, name) {
			c.Names = append(c.Names, name)
		}
	}
	sure := r.Confidence == classify.High
	add(r.Extended)
	if application != nil && application.Custom && sure && r.Evidence == "address" {
		add(r.Application)
	}
	tunnel := protocol != nil && protocol.Characteristics&appdb.Tunnels != 0
	if tunnel && sure {
		add(r.Protocol)
	}
	c.Lasting = len(c.Names)
	add(r.Micro)
	add(r.Application)
	if r.Application == "" || r.Micro != "" || tunnel {
		add(r.Protocol)
	}
	carrier := protocol != nil && protocol.Flags&appdb.FlagCarrier != 0
	c.Settled = r.Final || r.State == classify.TransactionFinal || sure && (r.Application != "" || protocol != nil && !carrier)
	return c
}

// refusal is the reason that the logs give for a verdict.
func refusal(v policy.Verdict) string {
	who := "policy"
	if v.Rule != nil {
		who = "appfw"
	}
	return who + " " + v.Action.String()
}
