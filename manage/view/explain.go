package view

import (
	"strings"
	"time"

	"sluice/policy"
)

// Explanation is the answer of "show security flow session session-identifier N explain": each
// stage of a session, in the order in which they came.
type Explanation struct {
	Session        Session        `json:"session"`
	User           string         `json:"user,omitempty"`
	Roles          []string       `json:"roles,omitempty"`
	Device         string         `json:"device"`  // Linux interface towards the server
	Gateway        string         `json:"gateway"` // next hop; "" when the server is on the link
	Candidates     []Candidate    `json:"candidate-policies"`
	Identification Identification `json:"identification"`
	Lookups        []Lookup       `json:"policy-lookups"`
	Decision       Decision       `json:"decision"`
	RuleSetOf      string         `json:"application-traffic-control-by,omitempty"` // where its rule set of traffic control comes from; "" for none
	Refused        uint64         `json:"requests-refused,omitempty"`               // each by itself
	Refusals       []Refusal      `json:"refused-requests,omitempty"`               // the last of them
	Ended          *Ending        `json:"ended,omitempty"`                          // nil while it goes on
}

// Ending is how a session ended.
type Ending struct {
	At     time.Time `json:"at"`
	After  float64   `json:"after"` // milliseconds since the session began
	Reason string    `json:"reason"`
	Answer string    `json:"answer,omitempty"` // what a session that was refused was told; "" for nothing
}

// Refusal is a request of the session that was refused, while others may have passed.
type Refusal struct {
	After       float64 `json:"after"` // milliseconds since the session began
	Method      string  `json:"method"`
	Asked       string  `json:"asked"` // host and path
	Protocol    string  `json:"protocol,omitempty"`
	Application string  `json:"application,omitempty"`
	Micro       string  `json:"micro-application,omitempty"`
	Action      string  `json:"action"`
	Statement   string  `json:"statement"`
	Answer      string  `json:"answer,omitempty"` // what the client was told; "" for nothing
}

// Candidate is a policy that the session's addresses, zones and service fit.
type Candidate struct {
	Name         string   `json:"name"`
	Index        uint32   `json:"index"`
	Action       string   `json:"action"`
	Applications []string `json:"dynamic-applications,omitempty"` // those that it is limited to
	Categories   []string `json:"url-categories,omitempty"`
	Users        []string `json:"source-identities,omitempty"`
	RuleSet      string   `json:"rule-set,omitempty"`
}

// NewCandidate is what matters of a policy.
func NewCandidate(p *policy.View) Candidate {
	c := Candidate{Name: p.Name, Index: p.Index, Action: p.Action.String(), Applications: dynamicNames(p.DynamicApplications), Categories: p.URLCategories, Users: p.SourceIdentities}
	if p.Firewall != nil {
		c.RuleSet = p.Firewall.Name
	}
	return c
}

// Identification is what the session was found to carry, and how.
type Identification struct {
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
	Number      int     `json:"number"`
	After       float64 `json:"after"` // milliseconds since the session began
	Packets     int     `json:"packets"`
	Bytes       int     `json:"bytes"` // seen of the session by then
	Protocol    string  `json:"protocol,omitempty"`
	Application string  `json:"application,omitempty"`
	Micro       string  `json:"micro-application,omitempty"`
	State       string  `json:"state"`        // of the identification
	Completed   int     `json:"transactions"` // that were complete
	Policy      string  `json:"policy"`
	Rule        string  `json:"rule,omitempty"`
	Action      string  `json:"action"`
	Open        bool    `json:"open"`
	Final       bool    `json:"final"`
	Alone       bool    `json:"alone,omitempty"` // it refused one request, and the session went on as before
}

// Decision is what holds for the session.
type Decision struct {
	Found     bool    `json:"found"`
	Action    string  `json:"action"`
	LogOnly   bool    `json:"log-only,omitempty"`
	Statement string  `json:"statement"`
	After     float64 `json:"after"` // milliseconds since the session began
}

// Text shows a paragraph for each stage.
func (x *Explanation) Text(p *Page) {
	s := &x.Session
	p.Line("Session ID: %d, Policy name: %s, State: %s", s.ID, s.policy(), s.State)
	p.Line("First packet: %s", s.Start.Local().Format("2006-01-02 15:04:05.000 MST"))
	p.Line("  %s --> %s;%s, Service: %s", endpoint(s.In.Source), endpoint(s.In.Destination), s.Protocol, or(s.Service, "None"))
	p.Line("  From zone: %s (%s), To zone: %s (%s)", s.FromZone, or(s.In.Interface, "N/A"), s.ToZone, or(s.Out.Interface, "N/A"))
	p.Line("  Route: %s, Gateway: %s, Path: %s", x.Device, or(x.Gateway, "on the link"), s.Path)
	if s.NATRule != "" {
		p.Line("  Source NAT: %s, Rule: %s", endpoint(s.Out.Destination), s.NATRule)
	}
	if x.User != "" {
		p.Line("  User: %s, Roles: %s", x.User, or(strings.Join(x.Roles, ", "), "none"))
	}
	p.Line("Candidate policies, by zones, addresses and service:")
	for i := range x.Candidates {
		x.Candidates[i].text(p)
	}
	x.Identification.text(p)
	if len(x.Lookups) > 0 {
		p.Line("Policy lookups:")
	}
	for i := range x.Lookups {
		x.Lookups[i].text(p)
	}
	x.decision(p)
	x.refusals(p)
	x.treatment(p)
	if end := x.Ended; end != nil {
		p.Line("Ended: %s, after %.3f ms", end.At.Local().Format("2006-01-02 15:04:05.000 MST"), end.After)
		p.Line("  Reason: %s", end.Reason)
		if end.Answer != "" {
			p.Line("  The client was told: %s", end.Answer)
		}
	}
}

// refusals tells which requests were refused.
func (x *Explanation) refusals(p *Page) {
	if x.Refused == 0 {
		return
	}
	if n := len(x.Refusals); uint64(n) < x.Refused {
		p.Line("Requests refused: %d, of which the last %d:", x.Refused, n)
	} else {
		p.Line("Requests refused: %d", x.Refused)
	}
	for i := range x.Refusals {
		r := &x.Refusals[i]
		p.Line("  After %.3f ms: %s %s", r.After, r.Method, r.Asked)
		p.Line("     Application: %s", carried(or(r.Protocol, "junos:UNKNOWN"), r.Application, r.Micro))
		p.Line("     Decision: %s, by %s", r.Action, r.Statement)
		p.Line("     The client was told: %s", or(r.Answer, "nothing"))
	}
}

// treatment tells how traffic control treats the session, and why by that rule set.
func (x *Explanation) treatment(p *Page) {
	if x.RuleSetOf == "" {
		return
	}
	t := x.Session.Treatment
	if t == nil {
		p.Line("Application traffic control: %s", x.RuleSetOf)
		return
	}
	p.Line("Application traffic control: rule-set %s, by %s", t.RuleSet, x.RuleSetOf)
	p.Line("  Rule: %s", or(t.Rule, "none matches"))
}

// decision tells what decided about the session.
func (x *Explanation) decision(p *Page) {
	d := &x.Decision
	switch {
	case x.Session.Control != 0:
		p.Line("Decision: %s, in the name of control session %d", d.Action, x.Session.Control)
		p.Line("  By: %s", d.Statement)
		return
	case !d.Found && x.Ended != nil:
		p.Line("Decision: none, the session ended while several policies were possible")
		return
	case !d.Found:
		p.Line("Decision: open, the session passes under pre-id-default-policy meanwhile")
		return
	case d.LogOnly:
		p.Line("Decision: %s, which is logged only: the session passes", d.Action)
	default:
		p.Line("Decision: %s", d.Action)
	}
	if len(x.Lookups) == 0 {
		p.Line("  By: %s, with the first packet", d.Statement)
	} else {
		p.Line("  By: %s, after %.3f ms", d.Statement, d.After)
	}
}

func (c *Candidate) text(p *Page) {
	line := c.Name
	var limits []string
	if len(c.Applications) > 0 {
		limits = append(limits, "applications "+strings.Join(c.Applications, " "))
	}
	if len(c.Categories) > 0 {
		limits = append(limits, "url-categories "+strings.Join(c.Categories, " "))
	}
	if len(c.Users) > 0 {
		limits = append(limits, "users "+strings.Join(c.Users, " "))
	}
	if c.RuleSet != "" {
		limits = append(limits, "rule-set "+c.RuleSet)
	}
	p.Line("  %s/%d: %s, %s", line, c.Index, c.Action, or(strings.Join(limits, ", "), "any application"))
}

func (i *Identification) text(p *Page) {
	if !i.On {
		p.Line("Identification: off")
		return
	}
	p.Line("Identification: %s", carried(or(i.Protocol, "junos:UNKNOWN"), i.Application, i.Micro))
	p.Line("  State: %s, Transactions: %d", i.State, i.Transactions)
	p.Line("  Evidence: %s, Confidence: %s", or(i.Evidence, "none"), i.Confidence)
	p.Line("  Looked at: %d packets, %d bytes", i.Packets, i.Bytes)
	if i.Decrypted {
		p.Line("  TLS: opened by the SSL proxy")
	}
}

func (l *Lookup) text(p *Page) {
	state := "found"
	switch {
	case l.Alone:
		state = "this request alone"
	case l.Open:
		state = "open"
	case l.Final:
		state = "final"
	}
	by := "policy " + l.Policy
	if l.Rule != "" {
		by += ", rule " + l.Rule
	}
	known := "nothing known"
	if l.Protocol+l.Application+l.Micro != "" {
		known = carried(l.Protocol, l.Application, l.Micro)
	}
	p.Line("  %d. after %.3f ms, %d packets, %d bytes: %s", l.Number, l.After, l.Packets, l.Bytes, known)
	p.Line("     %s, Transactions: %d", or(l.State, "Pre-match"), l.Completed)
	p.Line("     %s: %s, %s", by, l.Action, state)
}

// carried is the path of applications, the outermost first.
func carried(names ...string) string {
	var path []string
	for _, name := range names {
		if name != "" {
			path = append(path, name)
		}
	}
	return strings.Join(path, " > ")
}
