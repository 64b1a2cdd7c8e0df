package manage

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"sluice/policy"
	"sluice/proxy"
	"sluice/store"
	"sluice/store/schema"
	"sluice/store/tree"
)

// unifiedConfig is policies by application, and a rule set.
const unifiedConfig = `
set security dynamic-application profile told redirect-message type custom-text content "not here"
set security policies from-zone trust to-zone untrust policy video match source-address any destination-address any application any
set security policies from-zone trust to-zone untrust policy video match dynamic-application [ junos:YOUTUBE junos:HTTP ]
set security policies from-zone trust to-zone untrust policy video then reject profile told
set security policies from-zone trust to-zone untrust policy staff match source-address any destination-address any application any source-identity staff
set security policies from-zone trust to-zone untrust policy staff then permit application-services application-firewall rule-set rs1
set security application-firewall rule-sets rs1 rule r1 match dynamic-application junos:HTTP
set security application-firewall rule-sets rs1 rule r1 then reject
set security application-firewall rule-sets rs1 default-rule permit
set class-of-service application-traffic-control rule-sets rs2 rule 1 match application-any
set class-of-service application-traffic-control rule-sets rs2 rule 1 then log
set security policies from-zone trust to-zone untrust policy treated match source-address any destination-address any application junos-ftp
set security policies from-zone trust to-zone untrust policy treated then permit application-services application-traffic-control rule-set rs2
set services ssl proxy profile opened root-ca ours
set security policies from-zone trust to-zone untrust policy treated then permit application-services ssl-proxy profile-name opened
`

// categoryConfig is a policy by web address.
const categoryConfig = `
set security utm custom-objects url-pattern games value games.example
set security utm custom-objects url-pattern ads value ads.example
set security utm custom-objects custom-url-category GAMES value games
set security utm custom-objects custom-url-category ADS value ads
set security policies from-zone trust to-zone untrust policy leisure match source-address any destination-address any application junos-https url-category GAMES
set security policies from-zone trust to-zone untrust policy leisure then deny
`

// cataloguedPolicies compiles policies with the applications of the fixture.
type cataloguedPolicies struct {
	*policyEngine
	apps policy.Applications
}

func (p cataloguedPolicies) Prepare(cfg *schema.Config) (store.Change, []schema.Problem) {
	compiled, problems := policy.Compile(cfg, p.state, p.apps)
	return store.ChangeFunc(func() { p.current.Store(compiled) }), problems
}

// startUnified is a server that identifies, with unifiedConfig in force.
func startUnified(t *testing.T) *identifying {
	t.Helper()
	f := startIdentifying(t)
	engine := cataloguedPolicies{&policyEngine{state: policy.NewState()}, f.applications.catalogue}
	t.Cleanup(engine.state.Close)
	statements, problems := tree.Parse(testConfig + unifiedConfig + categoryConfig)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	cfg, problems := statements.Decode()
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	change, problems := engine.Prepare(cfg)
	for _, p := range problems {
		if !p.Warning {
			t.Fatal(problems)
		}
	}
	change.Apply()
	f.server.options.Policies = engine
	return f
}

// Policies are shown with the applications that they match, and found by them.
// Rows: O-1, O-2, FW-15, FW-65.
func TestPoliciesByApplication(t *testing.T) {
	f := startUnified(t)
	for line, wants := range map[string][]string{
		"show security policies detail policy-name video":   {"  Dynamic Application:\njunos:HTTP: 67\njunos:YOUTUBE\n", "\ndynapp-redir-profile: told(1)\n"},
		"show security policies detail policy-name treated": {"  Application services: application-traffic-control rule-set rs2, ssl-proxy profile-name opened\n"},
		"show security policies detail policy-name leisure": {"  URL categories:\n    GAMES\n"},
		"show security policies":                            {"    Dynamic Applications: junos:HTTP, junos:YOUTUBE\n", "    Redirect profile: told(1)\n", "    Action: permit, application-traffic-control rule-set rs2, ssl-proxy profile-name opened\n", "      Rule-set: rs1\n        Rule: r1\n"},
	} {
		got := f.run(t, line)
		for _, want := range wants {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q is not in\n%s", line, want, got)
			}
		}
	}
	const match = "show security match-policies from-zone trust to-zone untrust source-ip 192.0.2.1 destination-ip 203.0.113.1 destination-port 81"
	for options, first := range map[string]string{
		"":                                   "video", // it may turn out to be
		" dynamic-application youtube":       "video",
		" dynamic-application junos:MODBUS":  "last",
		" dynamic-application junos:unknown": "last",
		" user bob role staff dynamic-application modbus-read-coils": "staff",
		" user staff dynamic-application modbus":                     "staff",
		" user bob dynamic-application modbus":                       "last",
		" user bob role staff dynamic-application youtube":           "video",
	} {
		if got := f.run(t, match+options); !strings.HasPrefix(got, "Policy: "+first+",") {
			t.Errorf("%s: %q decides, want %s", options, strings.SplitN(got, ",", 2)[0], first)
		}
	}
	secure := strings.TrimSuffix(match, "81") + "443"
	for options, first := range map[string]string{
		" url-category GAMES dynamic-application modbus": "leisure",
		" url-category ADS dynamic-application modbus":   "last",
		" dynamic-application modbus":                    "leisure", // it may turn out to be
		" url-category GAMES":                            "video",
	} {
		if got := f.run(t, secure+options); !strings.HasPrefix(got, "Policy: "+first+",") {
			t.Errorf("%s: %q decides, want %s", options, strings.SplitN(got, ",", 2)[0], first)
		}
	}
	if err := f.fails(t, match+" url-category GAME"); !strings.Contains(err, `there is no URL category "GAME"`) || !strings.Contains(err, "GAMES") {
		t.Errorf("an unknown category: %s", err)
	}
	if err := f.fails(t, match+" dynamic-application YOUTUB"); !strings.Contains(err, "there is no application YOUTUB") || !strings.Contains(err, "junos:YOUTUBE") {
		t.Errorf("an unknown application: %s", err)
	}
}

// Rule sets are shown with what their rules decided, all of them or one.
// Rows: O-3, FW-65.
func TestShowFirewall(t *testing.T) {
	f := startUnified(t)
	f.sessions.list = []proxy.Info{{ID: 1, State: "Valid", RuleSet: "rs1", Open: true}, {ID: 2, State: "Valid", RuleSet: "rs1"}}
	for _, which := range []string{"all", "rs1"} {
		got := f.run(t, "show security application-firewall rule-set "+which)
		for _, want := range []string{"Rule-set: rs1\n", "        Dynamic Applications: junos:HTTP\n", "        Action: reject\n        Number of sessions matched: 0\n", "    Default rule: permit\n", "appid pending: 1\n"} {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q is not in\n%s", which, want, got)
			}
		}
	}
	if err := f.fails(t, "show security application-firewall rule-set rs"); !strings.Contains(err, `there is no rule set "rs"`) {
		t.Errorf("an unknown rule set: %s", err)
	}
}

// How it was decided about one session is told, and only about one that there is.
func TestExplainSession(t *testing.T) {
	f := startUnified(t)
	f.sessions.explained = proxy.Explanation{
		Info:   proxy.Info{ID: 7, Policy: "video", PolicyIndex: 4, State: "Valid", In: proxy.Wing{Source: netip.MustParseAddrPort("192.0.2.1:1024"), Destination: netip.MustParseAddrPort("203.0.113.1:80")}},
		Device: "eth1", Candidates: []policy.View{{Name: "video", Index: 4}},
		Lookups:  []proxy.Lookup{{Number: 1, After: 1500 * time.Microsecond, Policy: "video", Action: "reject", Final: true}},
		Decision: proxy.Decision{Found: true, Action: "reject", Statement: "security policies here", After: 1500 * time.Microsecond},
		Refused:  9, Refusals: []proxy.Refusal{{After: 2 * time.Millisecond, Method: "GET", Asked: "www.example.org/x", Protocol: "junos:HTTP2", Action: "reject", Statement: "security policies there", Answer: "a page"}},
	}
	f.sessions.explainedTo = netip.MustParsePrefix("192.0.2.1/32")
	got := f.run(t, "show security flow session session-identifier 7 explain")
	if by := f.run(t, "show security flow session source-prefix 192.0.2.1 explain"); by != got {
		t.Errorf("by its address it is\n%s", by)
	}
	for _, want := range []string{
		"Requests refused: 9, of which the last 1:\n  After 2.000 ms: GET www.example.org/x\n     Application: junos:HTTP2\n     Decision: reject, by security policies there\n     The client was told: a page\n",
		"Session ID: 7, Policy name: video/4, State: Valid\n", "  video/4: permit, any application\n", "  1. after 1.500 ms,", "Decision: reject\n  By: security policies here, after 1.500 ms\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	for line, want := range map[string]string{
		"show security flow session session-identifier 8 explain":                     "there is no session 8",
		"show security flow session explain":                                          "explain is about one session",
		"show security flow session source-port 9999 source-prefix 192.0.2.9 explain": "there is no session that fits",
	} {
		if err := f.fails(t, line); !strings.Contains(err, want) {
			t.Errorf("%s: %s", line, err)
		}
	}
}
