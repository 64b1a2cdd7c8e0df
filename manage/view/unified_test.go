package view

import (
	"path/filepath"
	"testing"
	"time"

	"sluice/internal/golden"
	"sluice/policy"
)

// ruleSet is a rule set with every sort of rule.
var ruleSet = policy.FirewallView{
	Name: "rs1", Profile: "told",
	Rules: []policy.FirewallRuleView{
		{Name: "r1", Applications: []string{"junos:FACEBOOK-CHAT", "junos:UNKNOWN"}, Groups: []string{"junos:social-networking"}, Action: "reject", BlockMessage: true, Matched: 10, Redirected: 3},
		{Name: "r2", Applications: []string{"junos:HTTP"}, Action: "permit"},
	},
	Default: policy.FirewallRuleView{Name: "default-rule", Action: "deny", Matched: 2},
}

// TestUnifiedText compares texts with testdata/NAME.txt: policies by application, in the layout of
// the guide (policies-applications begins with the guide's own sample), rule sets, and how it was
// decided about sessions.
// Rows: O-1, O-2, O-3, FW-15, FW-65.
func TestUnifiedText(t *testing.T) {
	named := guidePolicy
	named.DynamicApplications = []policy.DynamicApplicationView{{Name: "junos:FACEBOOK-ACCESS", Number: 244}, {Name: "junos:YAHOO-MAIL", Number: 236}}
	named.RedirectProfile = &policy.ProfileView{Name: "profile1", ID: 1}
	grouped := guidePolicy
	grouped.DynamicApplications = []policy.DynamicApplicationView{{Name: "my-app", Number: 16777219}, {Name: "junos:UNKNOWN"}, {Name: "junos:web", Group: true}}
	grouped.LogOnly = true
	ruled := guidePolicy
	ruled.Action, ruled.Firewall = "permit", &ruleSet
	list := []Policy{named, grouped, ruled}

	decided := Explanation{
		Session: guideSession, User: "alice", Roles: []string{"staff"}, Device: "eth1", Gateway: "198.51.100.1",
		Candidates:     []Candidate{{Name: "no-video", Index: 4, Action: "deny", Applications: []string{"junos:YOUTUBE"}, Users: []string{"alice"}}, {Name: "rest", Index: 5, Action: "permit", RuleSet: "rs1"}},
		Identification: Identification{On: true, Protocol: "junos:HTTP", Application: "junos:YOUTUBE", Evidence: "decoder", Confidence: "high", State: "Final match", Transactions: 1, Packets: 2, Bytes: 340},
		Lookups: []Lookup{
			{Number: 1, Policy: "rest", Rule: "rs1/r2", Action: "permit", Open: true},
			{Number: 2, After: 12.25, Packets: 1, Bytes: 120, Protocol: "junos:HTTP", Application: "junos:YOUTUBE", Policy: "no-video", Action: "deny", Final: true},
		},
		Decision: Decision{Found: true, Action: "deny", Statement: "security policies from-zone trust to-zone untrust policy no-video", After: 12.25},
	}
	decided.Session.NATRule, decided.Session.Start = "out/all", time.Date(2026, 3, 1, 12, 30, 0, 250e6, time.Local)
	plain := Explanation{Session: guideSession, Device: "eth1", Decision: Decision{Found: true, Action: "permit", Statement: "security policies default-policy"}}
	plain.Session.Start = decided.Session.Start
	tried := decided
	tried.Decision.LogOnly, tried.User = true, ""
	refused := decided
	refused.Ended = &Ending{At: decided.Session.Start.Add(12 * time.Millisecond), After: 12.25, Reason: "application failure or action", Answer: "a page"}
	refused.Identification.Decrypted = true
	refused.Lookups[1].State, refused.Lookups[1].Completed = "Transaction final", 1
	arranged := plain
	arranged.Session.ALG, arranged.Session.Control = "ftp", 7
	undecided := plain
	undecided.Decision.Found = false

	treated := plain
	treated.Session.Treatment, treated.RuleSetOf = &Treatment{RuleSet: "RS1", Rule: "video"}, "its policy, or all that it may come to have"
	for name, v := range map[string]View{
		"policies-applications":        &Policies{Default: "permit-all", PreIDDefault: "permit-all", Detail: true, Policies: list},
		"policies-applications-brief":  &Policies{Default: "permit-all", PreIDDefault: "permit-all", Policies: list},
		"firewall":                     &Firewalls{RuleSets: []Firewall{{FirewallView: ruleSet, Pending: 1}, {FirewallView: policy.FirewallView{Name: "rs2", Default: policy.FirewallRuleView{Action: "permit"}}}}},
		"explanation":                  &decided,
		"explanation-of-first-packet":  &plain,
		"explanation-of-trial":         &tried,
		"explanation-of-refusal":       &refused,
		"explanation-of-treatment":     &treated,
		"explanation-of-data-session":  &arranged,
		"explanation-of-open-decision": &undecided,
	} {
		t.Run(name, func(t *testing.T) {
			golden.Check(t, filepath.Join("testdata", name+".txt"), throughJSON(t, v))
		})
	}
}
