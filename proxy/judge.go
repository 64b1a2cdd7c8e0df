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
	content := e.content(cfg, s)
	i := s.identity
	if i.lookups++; i.lookups >= cfg.policy.MaxLookups() {
		content.Settled, content.Final = true, true
	}
	f := s.flow
	f.User = s.user.Load()
	f.Content = &content
	v := cfg.policy.Lookup(&f)
	i.trail.add(&i.flow, e.now()-s.born, &v, content.Final)
	if !v.Again {
		s.state.And(^stateOpen)
	}
	return v
}

// change is what a verdict changes for its session.
type change uint8

const (
	nothing change = iota
	found          // the policy is found that was open
	moved          // the session goes on under another policy, or another rule of its rule set
	stopped        // it may not go on
)

// adopt makes v, the answer of judge, the session's verdict, and counts what decided. A session whose
// policy was found stays with it while the next thing that it carries is not known. identity.mu is
// held; the caller lets go of it and calls noteChange.
func (e *Engine) adopt(s *Session, v *policy.Verdict) change {
	was, rule := s.verdict.Load(), s.rule.Load()
	open := s.has(statePotential)
	if v.Action == policy.Permit && v.Open && !open {
		return nothing
	}
	if v.Action != policy.Permit {
		s.set(stateBlocked) // before anybody can see that its policy does not permit it
	}
	s.verdict.Store(v.Policy)
	s.rule.Store(v.Rule)
	another := was.Counters != v.Policy.Counters
	if another {
		v.Policy.Counters.SessionsOpened.Add(1)
		was.Counters.SessionsClosed.Add(1)
	}
	switch anotherRule := v.Rule != nil && (rule == nil || rule.Counters != v.Rule.Counters); {
	case v.Action != policy.Permit:
		s.state.And(^statePotential)
		return stopped
	case v.Open:
		return nothing
	case open:
		s.state.And(^statePotential)
		s.retime(e.config.Load(), *v)
		count(v)
		return found
	case another:
		count(v)
		return moved
	case anotherRule:
		v.Rule.Counters.Sessions.Add(1)
		return moved
	}
	return nothing
}

// noteChange records what a verdict changed.
func (e *Engine) noteChange(s *Session, v *policy.Verdict, c change) {
	if c == found && v.Policy.LogInit {
		e.log.FlowCreate(e.record(s))
	}
	if c == found || c == moved {
		e.noteMonitored(s, v)
	}
}

// count adds a session to those that the policy of v, and its rule, decided about.
func count(v *policy.Verdict) {
	v.Policy.Counters.Hits.Add(1)
	if v.Rule != nil {
		v.Rule.Counters.Sessions.Add(1)
	}
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
func (e *Engine) content(cfg *config, s *Session) policy.Content {
	f := &s.identity.flow
	r := f.Result()
	protocol, application := f.Applications()
	c := policy.Content{Final: r.Final, Used: r.Micro != "" || r.State == classify.TransactionFinal, Coming: f.Coming()}
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
	if r.Application == "" || r.Application == r.Micro || tunnel {
		add(r.Protocol)
	}
	carrier := protocol != nil && protocol.Flags&appdb.FlagCarrier != 0
	c.Settled = r.Final || r.State == classify.TransactionFinal || sure && (r.Application != "" || protocol != nil && !carrier)
	if cfg.policy.MatchesCategories() {
		s.locate(cfg, &c, carrier)
	}
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
