package view

import "strconv"

// unit heads the answers of application traffic control, which are those of one unit here.
const unit = "pic: 0/0"

// TrafficCounters is the answer of "show class-of-service application-traffic-control counter".
type TrafficCounters struct {
	Processed   uint64 `json:"sessions-processed"`
	Marked      uint64 `json:"sessions-marked"`
	Honored     uint64 `json:"sessions-honored"`
	RateLimited uint64 `json:"sessions-rate-limited"`
	ClientFlows uint64 `json:"client-to-server-flows-rate-limited"`
	ServerFlows uint64 `json:"server-to-client-flows-rate-limited"`
	DefaultHit  uint64 `json:"session-default-ruleset-hit"`
	Ignored     uint64 `json:"session-ignored-no-default-ruleset"`
}

// Text shows the counters in the layout of the guide.
func (c *TrafficCounters) Text(p *Page) {
	p.Line(unit)
	p.counters("  ", 36, "Counter type", []Counter{
		{"Sessions processed", c.Processed},
		{"Sessions marked", c.Marked},
		{"Sessions honored", c.Honored},
		{"Sessions rate limited", c.RateLimited},
		{"Client-to-server flows rate limited", c.ClientFlows},
		{"Server-to-client flows rate limited", c.ServerFlows},
		{"Session default ruleset hit", c.DefaultHit},
		{"Session ignored no default ruleset", c.Ignored},
	})
}

// RateLimiters is the answer of "show class-of-service application-traffic-control statistics rate-limiter".
type RateLimiters struct {
	Rows []RateLimiter `json:"rate-limiters"`
}

// RateLimiter is what sessions of an application are limited to by a rule set.
type RateLimiter struct {
	RuleSet       string `json:"rule-set"`
	Application   string `json:"application"` // without junos:
	ClientLimiter string `json:"client-to-server,omitempty"`
	ClientRate    uint32 `json:"rate-client-to-server,omitempty"` // kbit/s
	ServerLimiter string `json:"server-to-client,omitempty"`
	ServerRate    uint32 `json:"rate-server-to-client,omitempty"` // kbit/s
}

// Text shows a line for each; a direction without a limiter is N/A.
func (l *RateLimiters) Text(p *Page) {
	p.Line(unit)
	rows := make([][]string, len(l.Rows))
	for i, r := range l.Rows {
		rows[i] = []string{"  " + r.RuleSet, r.Application, or(r.ClientLimiter, "N/A"), rate(r.ClientLimiter, r.ClientRate), or(r.ServerLimiter, "N/A"), rate(r.ServerLimiter, r.ServerRate)}
	}
	p.Table([]string{"  Ruleset", "Application", "Client-to-server", "Rate(kbps)", "Server-to-client", "Rate(kbps)"}, rows)
}

// rate is the rate of a limiter, if there is one.
func rate(limiter string, kbps uint32) string {
	if limiter == "" {
		return "N/A"
	}
	return strconv.FormatUint(uint64(kbps), 10)
}

// TrafficRules is the answer of "show class-of-service application-traffic-control statistics rule".
type TrafficRules struct {
	Rules []TrafficRule `json:"rules"`
}

// TrafficRule is how many sessions a rule decided about.
type TrafficRule struct {
	RuleSet string `json:"rule-set"`
	Rule    string `json:"rule"`
	Hits    uint64 `json:"hits"`
}

// Text shows a line for each rule.
func (t *TrafficRules) Text(p *Page) {
	p.Line(unit)
	rows := make([][]string, len(t.Rules))
	for i, r := range t.Rules {
		rows[i] = []string{"  " + r.RuleSet, r.Rule, strconv.FormatUint(r.Hits, 10)}
	}
	p.Table([]string{"  Ruleset", "Rule", "Hits"}, rows)
}

// Treatment is how application traffic control treats a session.
type Treatment struct {
	RuleSet       string `json:"rule-set"`
	Rule          string `json:"rule,omitempty"` // "" while none matches
	Class         string `json:"forwarding-class,omitempty"`
	Queue         uint8  `json:"queue"`
	CodePoint     string `json:"dscp-code-point,omitempty"`
	LossPriority  string `json:"loss-priority,omitempty"`
	ClientLimiter string `json:"rate-limiter-client-to-server,omitempty"`
	ClientRate    uint32 `json:"rate-client-to-server,omitempty"` // kbit/s
	ServerLimiter string `json:"rate-limiter-server-to-client,omitempty"`
	ServerRate    uint32 `json:"rate-server-to-client,omitempty"` // kbit/s
}

// lines shows it among what is shown of a session; nil for a session without.
func (t *Treatment) lines(p *Page) {
	const invalid = "INVALID"
	if t == nil {
		t = &Treatment{RuleSet: invalid}
	}
	p.Line("Application traffic control rule-set: %s, Rule: %s", t.RuleSet, or(t.Rule, invalid))
	for _, one := range []struct{ name, value string }{
		{"Forwarding class", t.Class},
		{"DSCP code point", t.CodePoint},
		{"Loss priority", t.LossPriority},
		{"Rate limiter client to server", t.ClientLimiter},
		{"Rate limiter server to client", t.ServerLimiter},
	} {
		if one.value != "" {
			p.Line("%s: %s", one.name, one.value)
		}
	}
}
