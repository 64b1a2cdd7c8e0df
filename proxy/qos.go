package proxy

import (
	"slices"
	"strings"

	"sluice/appqos"
	"sluice/policy"
	"sluice/route"
	"sluice/stack"
	"sluice/stack/egress"
	"sluice/track"
)

// qualify finds the rule by which s is treated, as far as its policy and what it carries are known by
// now. identity.mu is held, or nobody else knows the session yet; the caller lets go of it and calls
// logTreatment.
func (e *Engine) qualify(cfg *config, s *Session) {
	q := s.qos.Load()
	if q == nil && !cfg.policy.ControlsTraffic() {
		return
	}
	content := policy.UnknownContent
	if s.identity != nil {
		c := e.content(cfg, s)
		content = &c
	}
	asked := s.askedTreatment(cfg, content)
	if q == nil {
		if len(asked.Sets) == 0 {
			return
		}
		q = new(appqos.Session)
	}
	q.Follow(cfg.qos, asked, s.links(), func(set *appqos.RuleSet) appqos.Found {
		return appqos.Found{Names: slices.Concat(content.Sure(set.Names), s.arrangedBy()), Settled: content.Settled || content.Final}
	})
	if s.qos.Swap(q) == nil && s.id != 0 {
		e.watchTreatment(s)
	}
	e.markUpstream(s)
}

// watchTreatment lets what is sent to the client of a terminated session be treated.
func (e *Engine) watchTreatment(s *Session) {
	if s.path == stream && s.qos.Load() != nil && !s.has(stateRecorded) {
		e.terminator.Watch(s.toClient(), func(p *stack.Packet) (send bool) {
			lane, passes := e.treat(&s.wings[fromServer], p, e.now())
			if lane == nil || !passes {
				return passes
			}
			e.write(lane, p.Frame)
			return false
		})
	}
}

// arrangedBy is what the control session of s carries, which rules may name for its data sessions too;
// nil for a session of its own.
func (s *Session) arrangedBy() []string {
	p := s.parent()
	if p == nil {
		return nil
	}
	found, _, _ := p.found()
	return []string{found.Protocol}
}

// links are the logical interfaces by which the directions of s leave.
func (s *Session) links() (links [2]string) {
	links[s.sends(fromClient)], links[s.sends(fromServer)] = s.egress, s.ingress
	return links
}

// sends is the direction of what a side sends, for rules: of a data session that of its control session.
func (s *Session) sends(side direction) appqos.Direction {
	if s.has(stateInbound) {
		side = side.opposite()
	}
	return appqos.Direction(side)
}

// askedTreatment is the rule sets that the policies name which s has, or may come to have.
func (s *Session) askedTreatment(cfg *config, content *policy.Content) appqos.Asked {
	if !s.has(statePotential) {
		if set := s.verdict.Load().TrafficControl; set != "" {
			return appqos.Asked{Sets: []string{set}}
		}
		return appqos.Asked{}
	}
	f := s.flow
	f.User, f.Content = s.user.Load(), content
	return appqos.Asked{Sets: cfg.policy.TrafficControl(&f), Open: true}
}

// requalify is qualify for callers without identity.mu.
func (e *Engine) requalify(cfg *config, s *Session) {
	if i := s.identity; i != nil {
		i.mu.Lock()
		defer i.mu.Unlock()
	}
	e.qualify(cfg, s)
}

// treatAnew lets a session that runs be treated by a new configuration, or a new policy. One that the
// kernel carries comes back if something is to be done to its packets.
func (e *Engine) treatAnew(cfg *config, s *Session) {
	e.requalify(cfg, s)
	if s.treated() && s.has(stateOffloaded) {
		e.takeBack(s)
		s.state.And(^stateOffloadAsked)
	}
	e.logTreatment(s)
}

// treated says whether something is done to the packets of s, so that they have to come here.
func (s *Session) treated() bool {
	q := s.qos.Load()
	return q != nil && q.Treats()
}

// toClient is the key of what a terminated session sends to its client.
func (s *Session) toClient() stack.Key { return s.wings[fromClient].key.Reverse() }

// treat marks a packet as the session's rule says, and takes from it what exceeds the rule's limiter.
// It says whether something is left to send, and by which lane if not as usual; nil for as usual. now is
// in ticks.
func (e *Engine) treat(w *wing, p *stack.Packet, now int64) (lane stack.Queue, passes bool) {
	q := w.session.qos.Load()
	if q == nil {
		return nil, true
	}
	t := q.Treatment()
	if t == nil {
		return nil, true
	}
	exceeding := false
	d := w.session.sends(w.direction)
	if l := t.Limiters[d]; l != nil {
		n := l.Take(now, appqos.Train{Packets: p.Segments, Size: p.SegmentBytes(), Total: p.Bytes})
		if exceeding = n < p.Segments; exceeding && !t.Defer {
			e.drops[dropRateLimit].Add(p.Segments - n)
			if n == 0 {
				return nil, false
			}
			p.Shorten(n)
			exceeding = false
		}
	}
	switch point := t.Points[d]; {
	case point != appqos.Unmarked:
		p.SetDSCP(uint8(point))
	case p.DSCP() != 0:
		q.Honor(e.config.Load().qos)
	}
	if lanes := e.lanes.Load(); lanes != nil {
		lane = lanes[LaneOf(t.Place(exceeding))]
	}
	return lane, true
}

// Lanes are the devices by which packets go to their place in the queue of a link: what is written to
// one waits there. A lane without a device is nil.
type Lanes [egress.Queues * egress.Losses]stack.Queue

// LaneOf is the lane that leads to a place.
func LaneOf(p appqos.Place) egress.Lane { return egress.NewLane(p.Queue, uint8(p.Loss-appqos.LossLow)) }

// SetLanes makes packets of sessions that wait elsewhere than most take these lanes; nil for none.
func (e *Engine) SetLanes(l *Lanes) { e.lanes.Store(l) }

// upstreamMarks are what the packets of s towards the server are marked with, and the priority that
// they wait with; client is the code point of the client's own.
func (e *Engine) upstreamMarks(s *Session, client uint8) (point uint8, priority uint32) {
	q := s.qos.Load()
	if q == nil {
		return client, 0
	}
	t := q.Treatment()
	if t == nil {
		return client, 0
	}
	if e.lanes.Load() != nil {
		priority = LaneOf(t.Place(false)).Priority()
	}
	if own := t.Points[appqos.ClientToServer]; own != appqos.Unmarked {
		return uint8(own), priority
	}
	return client, priority
}

// markUpstream marks what a terminated session sends to its server from now on.
func (e *Engine) markUpstream(s *Session) {
	r := s.relay.Load()
	if r == nil {
		return
	}
	if c := r.upstream.Load(); c != nil {
		point, priority := e.upstreamMarks(s, r.codePoint)
		_ = route.Mark(c, point, priority) // one that has ended needs no mark
	}
}

// logTreatment logs the rules that have decided about s.
func (e *Engine) logTreatment(s *Session) {
	q := s.qos.Load()
	if q == nil {
		return
	}
	for _, r := range q.Logged() {
		e.log.AppQoS(e.record(s), treatmentRecord(r))
	}
}

// endTreatment counts s, which is over, for the rule that it was under last.
func (e *Engine) endTreatment(s *Session) {
	q := s.qos.Load()
	if q == nil {
		return
	}
	e.requalify(e.config.Load(), s) // what it carried may be certain only now
	q.End()
	e.logTreatment(s)
	if s.path == stream {
		e.terminator.Unwatch(s.toClient())
	}
}

// treatmentRecord is what the logs say of a rule.
func treatmentRecord(r *appqos.Rule) track.QoS {
	t := newTreatment(r.Set.Name, r)
	marks := words("dscp-code-point", t.CodePoint, "forwarding-class", t.Class, "loss-priority", t.LossPriority)
	limits := words("client-to-server", t.ClientLimiter, "server-to-client", t.ServerLimiter)
	action := "none"
	switch {
	case marks != "" && limits != "":
		action = "mark rate-limit"
	case marks != "":
		action = "mark"
	case limits != "":
		action = "rate-limit"
	}
	return track.QoS{RuleSet: t.RuleSet, Rule: t.Rule, Action: action, Marks: marks, Limits: limits}
}

// words are pairs of a name and its value as name=value, those without a value left out.
func words(pairs ...string) string {
	var list []string
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			list = append(list, pairs[i]+"="+pairs[i+1])
		}
	}
	return strings.Join(list, " ")
}

// Treatment is how AppQoS treats a session, as commands show it.
type Treatment struct {
	RuleSet       string `json:"rule-set"`
	Rule          string `json:"rule,omitempty"` // "" while none matches; the others then too
	Class         string `json:"forwarding-class,omitempty"`
	Queue         uint8  `json:"queue"` // of Class
	CodePoint     string `json:"dscp-code-point,omitempty"`
	LossPriority  string `json:"loss-priority,omitempty"`
	ClientLimiter string `json:"rate-limiter-client-to-server,omitempty"`
	ClientRate    uint32 `json:"rate-client-to-server,omitempty"` // kbit/s
	ServerLimiter string `json:"rate-limiter-server-to-client,omitempty"`
	ServerRate    uint32 `json:"rate-server-to-client,omitempty"` // kbit/s
}

// newTreatment shows a rule of a rule set; nil for none.
func newTreatment(set string, r *appqos.Rule) *Treatment {
	t := &Treatment{RuleSet: set}
	if r == nil {
		return t
	}
	t.Rule, t.CodePoint, t.LossPriority = r.Name, r.CodePoint.String(), r.LossPriority.String()
	if r.Class != nil {
		t.Class, t.Queue = r.Class.Name, r.Class.Queue
	}
	if l := r.Limiters[appqos.ClientToServer]; l != nil {
		t.ClientLimiter, t.ClientRate = l.Name, l.Bandwidth
	}
	if l := r.Limiters[appqos.ServerToClient]; l != nil {
		t.ServerLimiter, t.ServerRate = l.Name, l.Bandwidth
	}
	return t
}

// treatment is how s is treated; nil for a session without a rule set.
func (s *Session) treatment() *Treatment {
	q := s.qos.Load()
	if q == nil {
		return nil
	}
	if set := q.Set(); set != "" {
		return newTreatment(set, q.Rule())
	}
	return nil
}
