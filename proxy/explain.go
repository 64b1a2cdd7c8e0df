package proxy

import (
	"time"

	"sluice/classify"
	"sluice/classify/appdb"
	"sluice/policy"
)

// maxTrail bounds the lookups that a session remembers; of more it keeps the first, and the last.
const maxTrail = 12

// trail is how the policy of a session was found: the lookups of a policy that was open when the
// session began. Sessions whose first packet told everything have none.
type trail struct{ steps []step }

// step is one lookup of a session's policy.
type step struct {
	protocol, application, micro *appdb.Application // what was known of the content; nil for nothing
	policy                       *policy.Policy
	stage                        classify.Stage
	rule                         *policy.FirewallRule
	after                        int64 // ticks since the session began
	bytes                        uint32
	packets                      uint16
	transactions                 uint16        // that were complete
	number                       uint16        // of the lookup, from 1
	action                       policy.Action // that is configured, though it may only be logged
	open, final                  bool
	alone                        bool // it refused one request, and the session went on as before
}

// add notes a lookup that answered v, with what f knew. final says that no later one was to come.
func (t *trail) add(f *classify.Flow, after int64, v *policy.Verdict, final bool) {
	packets, bytes := f.Inspected()
	s := step{
		micro: f.Micro(), policy: v.Policy, rule: v.Rule, after: after, bytes: uint32(bytes), packets: uint16(min(packets, 1<<16-1)),
		number: 1, action: v.WouldBe, open: v.Open, final: final,
	}
	r := f.Result()
	s.stage, s.transactions = r.State, uint16(r.Transactions)
	s.protocol, s.application = f.Applications()
	n := len(t.steps)
	if n > 0 {
		s.number = t.steps[n-1].number + 1
	}
	if n == maxTrail {
		t.steps[n-1] = s
		return
	}
	t.steps = append(t.steps, s)
}

// Explanation tells how it was decided about a session.
type Explanation struct {
	Info
	User       string        `json:"user,omitempty"`
	Roles      []string      `json:"roles,omitempty"`
	Device     string        `json:"device"`             // Linux interface towards the server
	Gateway    string        `json:"gateway"`            // next hop to the server now; "" for the server itself, or none
	Candidates []policy.View `json:"candidate-policies"` // those that its addresses, zones and service fit, in their order
	Identified Identified    `json:"identification"`
	Lookups    []Lookup      `json:"policy-lookups"` // none where the first packet told everything
	Decision   Decision      `json:"decision"`
	RuleSetOf  string        `json:"application-traffic-control-by,omitempty"` // where its rule set of traffic control comes from; "" for none
	Refused    uint64        `json:"requests-refused,omitempty"`               // each by itself
	Refusals   []Refusal     `json:"refused-requests,omitempty"`               // the last of them
	Ended      *Ending       `json:"ended,omitempty"`                          // nil while it goes on
}

// Identified is what the session was found to carry, and how.
type Identified struct {
	On           bool   `json:"on"` // whether it was looked into at all
	Protocol     string `json:"protocol"`
	Application  string `json:"application,omitempty"`
	Micro        string `json:"micro-application,omitempty"`
	Evidence     string `json:"evidence,omitempty"`
	Confidence   string `json:"confidence"`
	Decrypted    bool   `json:"decrypted,omitempty"` // its TLS is opened
	State        string `json:"state"`               // Pre-match, Transaction final, Final match
	Transactions int    `json:"transactions"`
	Packets      int    `json:"packets"` // with payload, that were looked at
	Bytes        int    `json:"bytes"`   // of them
}

// Lookup is one lookup of the session's policy.
type Lookup struct {
	Number      int           `json:"number"` // from 1; later ones in between may be left out
	After       time.Duration `json:"after"`  // the session began
	Packets     int           `json:"packets"`
	Bytes       int           `json:"bytes"` // seen of the session by then
	Protocol    string        `json:"protocol,omitempty"`
	Application string        `json:"application,omitempty"`
	Micro       string        `json:"micro-application,omitempty"`
	State       string        `json:"state"`        // of the identification
	Completed   int           `json:"transactions"` // that were complete
	Policy      string        `json:"policy"`
	Rule        string        `json:"rule,omitempty"` // "set/rule"
	Action      string        `json:"action"`
	Open        bool          `json:"open"`  // another policy was still possible
	Final       bool          `json:"final"` // no further lookup was to come
	Alone       bool          `json:"alone"` // it refused one request, and the session went on as before
}

// Decision is what holds for the session.
type Decision struct {
	Found     bool          `json:"found"`  // false while its policy is open
	Action    string        `json:"action"` // of the statement
	LogOnly   bool          `json:"log-only,omitempty"`
	Statement string        `json:"statement"` // what decided
	After     time.Duration `json:"after"`     // the session began
}

// maxCandidates bounds the policies that an explanation lists.
const maxCandidates = 16

// Explain tells how it was decided about the latest session that f selects, of those that go on, have ended
// lately, or were refused lately with their first packet.
func (e *Engine) Explain(f Filter) (x Explanation, ok bool) {
	var s *Session
	consider := func(one *Session) {
		if (s == nil || one.id > s.id) && f.matches(one) {
			s = one
		}
	}
	e.table.each(func(one *Session) bool {
		consider(one)
		return true
	})
	e.finished.each(consider)
	e.denied.each(consider)
	if s == nil {
		return x, false
	}
	x.Info, x.Device, x.Ended = e.info(s), s.egressDevice, s.ending()
	if s.removed.Load() {
		x.State, x.TCPState = "Closed", ""
	}
	if u := s.user.Load(); u != nil {
		x.User, x.Roles = u.Name, u.Roles
	}
	if out := e.egress.Lookup(s.server().Addr()); out.Gateway.IsValid() {
		x.Gateway = out.Gateway.String()
	}
	flow := s.flow
	flow.User = s.user.Load()
	x.Candidates = e.config.Load().policy.MatchPolicies(&flow, maxCandidates)
	x.Identified = s.identified()
	for _, one := range s.steps() {
		x.Lookups = append(x.Lookups, one.lookup())
	}
	x.Refused, x.Refusals = s.refusals()
	x.Decision = s.decision()
	if q := s.qos.Load(); q != nil {
		x.RuleSetOf = q.Origin()
	}
	return x, true
}

// identified is what is known of the session's content now.
func (s *Session) identified() Identified {
	i := s.identity
	if i == nil {
		return Identified{Protocol: unknownApplication, Confidence: classify.NoConfidence.String(), State: classify.FinalMatch.String()}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	r := i.flow.Result()
	x := Identified{On: true, Protocol: r.Protocol, Application: r.Application, Micro: r.Micro, Evidence: r.Evidence,
		Confidence: r.Confidence.String(), State: r.State.String(), Transactions: r.Transactions, Decrypted: s.has(stateDecrypted)}
	x.Packets, x.Bytes = i.flow.Inspected()
	return x
}

// steps are the lookups that the session remembers.
func (s *Session) steps() []step {
	i := s.identity
	if i == nil {
		return nil
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]step(nil), i.trail.steps...)
}

// refusals are the requests of the session that were refused, and those of them that it remembers.
func (s *Session) refusals() (count uint64, list []Refusal) {
	i := s.identity
	if i == nil {
		return 0, nil
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.refused == nil {
		return 0, nil
	}
	return i.refused.count, i.refused.list()
}

// lookup is a step as commands show it.
func (s *step) lookup() Lookup {
	l := Lookup{Number: int(s.number), After: time.Duration(s.after), Packets: int(s.packets), Bytes: int(s.bytes),
		State: s.stage.String(), Completed: int(s.transactions), Policy: s.policy.Name, Action: s.action.String(), Open: s.open, Final: s.final, Alone: s.alone}
	l.Protocol, l.Application, l.Micro = nameOf(s.protocol), nameOf(s.application), nameOf(s.micro)
	if s.rule != nil {
		l.Rule = s.rule.Set.Name + "/" + s.rule.Name
	}
	return l
}

// decision is what holds for the session now, and since when.
func (s *Session) decision() Decision {
	p, rule := s.verdict.Load(), s.rule.Load()
	d := Decision{Found: !s.has(statePotential), Action: p.Action.String(), Statement: p.Statement()}
	if rule != nil {
		d.Action, d.Statement = rule.Action.String(), rule.Statement()
	}
	d.LogOnly = d.Found && d.Action != policy.Permit.String() && !s.has(stateBlocked)
	var before *step // that decided
	steps := s.steps()
	for i := range steps {
		one := &steps[i]
		if one.open && one.action == policy.Permit || one.alone {
			continue // what it passed under meanwhile
		}
		if before == nil || before.policy != one.policy || before.rule != one.rule {
			d.After = time.Duration(one.after)
		}
		before = one
	}
	return d
}

// ruleOf is the rule set and the rule that decide about the session; "" without one.
func (s *Session) ruleOf() (set, rule string) {
	if r := s.rule.Load(); r != nil {
		return r.Set.Name, r.Name
	}
	return "", ""
}

// encryption says whether what the session carries is encrypted: Yes, No, or Unknown.
func (s *Session) encryption() string {
	found, _, _ := s.found()
	switch {
	case found.Encrypted:
		return "Yes"
	case found.Final && found.Name() != appdb.Unknown:
		return "No"
	}
	return "Unknown"
}
