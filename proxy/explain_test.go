package proxy

import (
	"strings"
	"testing"

	"sluice/stack"
	"sluice/store/schema"
)

// explained is how it was decided about the only session.
func (b *bench) explained() Explanation {
	b.t.Helper()
	x, ok := b.Explain(Filter{ID: b.only().ID})
	if !ok {
		b.t.Fatal("the session is not found")
	}
	return x
}

// A session whose policy was open tells each lookup: what was known, what stood, and what decided.
func TestExplainOpenSession(t *testing.T) {
	b := judging(t, unified("no-video dynamic-application junos:YOUTUBE then deny", "rest then permit"))
	c := webClient()
	c.connect(b)
	x := b.explained()
	if x.Decision.Found || len(x.Lookups) != 1 || !x.Lookups[0].Open || x.Lookups[0].Policy != "rest" || x.Lookups[0].Protocol != "" {
		t.Errorf("before the first byte: %+v", x)
	}
	if len(x.Candidates) != 2 || x.Candidates[0].Name != "no-video" || x.Candidates[1].Name != "rest" {
		t.Errorf("candidates: %+v", x.Candidates)
	}
	b.from(b.lan, c.carrying(youtube))
	x = b.explained()
	last := x.Lookups[len(x.Lookups)-1]
	if len(x.Lookups) != 2 || last.Application != "junos:YOUTUBE" || last.Packets != 1 || last.Bytes != len(youtube) || last.Action != "deny" || last.Open {
		t.Errorf("lookups: %+v", x.Lookups)
	}
	if d := x.Decision; !d.Found || d.Action != "deny" || d.LogOnly || d.After != last.After || d.Statement != "security policies from-zone trust to-zone untrust policy no-video" {
		t.Errorf("decision: %+v", d)
	}
	if i := x.Identified; !i.On || i.Application != "junos:YOUTUBE" || i.Confidence != "high" || i.Evidence == "" || i.Packets != 1 {
		t.Errorf("identification: %+v", i)
	}
	if _, ok := b.Explain(Filter{ID: 99}); ok {
		t.Error("a session that there is not is explained")
	}
}

// A rule, and that it only logs, are named.
func TestExplainRule(t *testing.T) {
	b := judging(t, `
set security application-firewall rule-sets rs rule video match dynamic-application junos:YOUTUBE
set security application-firewall rule-sets rs rule video then reject
set security application-firewall rule-sets rs default-rule permit
`+unified("all then permit application-services application-firewall rule-set rs, log-only"))
	c := webClient()
	c.connect(b)
	b.from(b.lan, c.carrying(youtube))
	if d := b.explained().Decision; !d.Found || !d.LogOnly || d.Action != "reject" || d.Statement != "security application-firewall rule-sets rs rule video" {
		t.Errorf("decision: %+v", d)
	}
	if i := b.only(); i.RuleSet != "rs" || i.Rule != "video" || i.Open {
		t.Errorf("session: %+v", i)
	}
}

// A session whose first packet told everything keeps no lookups.
func TestExplainPlainSession(t *testing.T) {
	b := judging(t, unified("rest then permit"))
	webClient().connect(b)
	x := b.explained()
	if len(x.Lookups) != 0 || !x.Decision.Found || x.Decision.After != 0 || !strings.HasSuffix(x.Decision.Statement, "policy rest") || x.Protocol != schema.ProtoTCP {
		t.Errorf("explained as %+v", x)
	}
	if i := b.only(); i.Open {
		t.Errorf("session: %+v", i)
	}
}

// However a session ended, it is told afterwards what decided, when it ended, and why.
func TestExplainEndedSession(t *testing.T) {
	const message = "set security dynamic-application profile told redirect-message type custom-text content no\n" +
		"set security dynamic-application profile sent redirect-message type redirect-url content http://intra.example/why\n"
	const refuses = "video dynamic-application junos:YOUTUBE then "
	for name, c := range map[string]struct {
		policy, action, reason, answer string
		end                            func(b *bench, c *conversation)
	}{
		"denied":     {policy: refuses + "deny", action: "deny", reason: ended[len("close "):]},
		"rejected":   {policy: refuses + "reject", action: "reject", reason: ended[len("close "):], answer: "RST"},
		"page":       {policy: refuses + "deny profile told", action: "deny", reason: ended[len("close "):], answer: "a page"},
		"redirected": {policy: refuses + "reject profile sent", action: "reject", reason: ended[len("close "):], answer: "go to http://intra.example/why"},
		"log-only":   {policy: refuses + "deny, log-only", action: "deny", reason: "CLI", end: func(b *bench, _ *conversation) { b.Clear(Filter{}) }},
		"finished": {policy: refuses + "permit", action: "permit", reason: "TCP CLIENT FIN", end: func(b *bench, c *conversation) {
			b.from(b.lan, c.up(stack.TCPFin|stack.TCPAck))
			b.from(b.wan, c.down(stack.TCPFin|stack.TCPAck))
		}},
		"expired": {policy: refuses + "permit", action: "permit", reason: "idle Timeout", end: func(b *bench, _ *conversation) { b.expire(timeoutTCP) }},
	} {
		b := judging(t, message+unified(c.policy, "rest then permit"))
		w := webClient()
		w.connect(b)
		id := b.only().ID
		b.from(b.lan, w.carrying(youtube))
		if x := b.explained(); x.Ended != nil != (c.end == nil) {
			t.Errorf("%s: meanwhile ended %+v", name, x.Ended)
		}
		if c.end != nil {
			c.end(b, w)
		}
		b.expire(lingerBlocked)
		if n := len(b.Sessions(Filter{})); n != 0 {
			t.Errorf("%s: %d sessions are left", name, n)
		}
		x, ok := b.Explain(Filter{ID: id})
		if !ok || x.Ended == nil {
			t.Errorf("%s: %+v", name, x)
			continue
		}
		if e := x.Ended; string(e.Reason) != c.reason || e.Answer != c.answer || e.After < x.Decision.After || x.State != "Closed" {
			t.Errorf("%s: %s, ended %+v, want %s, %s", name, x.State, e, c.reason, c.answer)
		}
		if d := x.Decision; d.Action != c.action || !strings.HasSuffix(d.Statement, "policy video") || len(x.Lookups) < 2 {
			t.Errorf("%s: decision %+v, lookups %+v", name, d, x.Lookups)
		}
	}
}

// A session that has ended is forgotten after some commits, and after many other sessions.
func TestEndedSessionsAreForgotten(t *testing.T) {
	text := unified("rest then permit")
	b := judging(t, text)
	end := func() uint64 {
		webClient().connect(b)
		id := b.only().ID
		b.Clear(Filter{})
		return id
	}
	first := end()
	for n := range keptCommits + 1 {
		if _, ok := b.Explain(Filter{ID: first}); !ok {
			t.Fatalf("forgotten after %d commits", n)
		}
		b.configure(text)
	}
	if _, ok := b.Explain(Filter{ID: first}); ok {
		t.Error("its configuration is still held")
	}
	first = end()
	for range keptFinished {
		end()
	}
	if _, ok := b.Explain(Filter{ID: first}); ok {
		t.Error("there is no end to those that are remembered")
	}
}

// The trail of a session is bounded: the first lookups stay, and the last.
func TestTrailIsBounded(t *testing.T) {
	b := judging(t, unified("no-video dynamic-application junos:YOUTUBE then deny", "rest then permit"))
	webClient().connect(b)
	var s *Session
	b.table.each(func(one *Session) bool { s = one; return true })
	v := b.judge(b.config.Load(), s)
	for range 100 {
		s.identity.trail.add(&s.identity.flow, 5, &v, false)
	}
	steps := s.steps()
	if len(steps) != maxTrail || steps[0].number != 1 || steps[maxTrail-1].number != 102 || cap(s.identity.trail.steps) > 2*maxTrail {
		t.Errorf("%d steps, from %d to %d", len(steps), steps[0].number, steps[len(steps)-1].number)
	}
}

// A session counts once for the policy, and the rule, that decided about it: not while it is open.
func TestHitsAreCountedOnce(t *testing.T) { // UP-17, FW-34
	b := judging(t, unified("no-video dynamic-application junos:YOUTUBE then deny", "mail dynamic-application junos:YAHOO-MAIL then permit", "rest then permit"))
	hits := func() (list []uint64) {
		for _, p := range b.config.Load().policy.Policies() {
			list = append(list, p.Counters.Hits.Load())
		}
		return list
	}
	check := func(when string, want ...uint64) {
		t.Helper()
		for i, n := range hits() {
			if n != want[i] {
				t.Errorf("%s: hits %v, want %v", when, hits(), want)
				return
			}
		}
	}
	c := webClient()
	c.connect(b)
	check("while open", 0, 0, 0)
	b.from(b.lan, c.carrying("GET / HTTP/1.1\r\nHost: mail.yahoo.com\r\n\r\n"))
	check("mail", 0, 1, 0)
	b.Clear(Filter{})
	check("cleared", 0, 1, 0)
	c = newConversation("192.0.2.10:40001", "198.51.100.20:80")
	c.connect(b)
	b.from(b.lan, c.carrying(youtube))
	b.expire(lingerBlocked)
	check("video", 1, 1, 0)
	newConversation("192.0.2.10:40002", "198.51.100.20:80").connect(b)
	b.Clear(Filter{})
	if list := hits(); list[0]+list[1]+list[2] != 3 {
		t.Errorf("a session that ends while open: hits %v", list)
	}
}
