package policy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/classify/appdb"
	"sluice/store/schema"
)

// package1 is a small signature package: two protocols, applications over them, two uses of one, and
// a group.
type package1 map[string]*appdb.Application

func applications() package1 {
	p := package1{}
	for i, a := range []appdb.Application{
		{Name: "junos:HTTP", Kind: appdb.Protocol, Flags: appdb.FlagCarrier, Ports: []appdb.PortRange{{Protocol: 6, Low: 80, High: 80}}},
		{Name: "junos:SSH", Kind: appdb.Protocol, Ports: []appdb.PortRange{{Protocol: 6, Low: 22, High: 22}}},
		{Name: "junos:MODBUS", Kind: appdb.Protocol, Ports: []appdb.PortRange{{Protocol: 6, Low: 502, High: 502}}},
		{Name: "junos:VIDEO", Over: []string{"HTTP"}},
		{Name: "junos:MAIL", Over: []string{"HTTP"}, Ports: []appdb.PortRange{{Protocol: 6, Low: 8025, High: 8026}}},
		{Name: "junos:MODBUS-READ", Kind: appdb.Micro, Of: "MODBUS"},
		{Name: "junos:MODBUS-WRITE", Kind: appdb.Micro, Of: "MODBUS"},
		{Name: "own"},
	} {
		a.Number = uint32(100 + i)
		p[strings.ToLower(a.Name)] = &a
	}
	return p
}

func (p package1) Lookup(name string) (*appdb.Application, bool) {
	name = strings.ToLower(name)
	a, ok := p[name]
	if !ok {
		a, ok = p[appdb.Prefix+name]
	}
	return a, ok
}

func (p package1) Group(name string) ([]*appdb.Application, bool) {
	if name != "junos:web" {
		return nil, false
	}
	var list []*appdb.Application
	for _, name := range []string{"junos:video", "junos:mail"} {
		if a, ok := p[name]; ok {
			list = append(list, a)
		}
	}
	return list, true
}

func (p package1) Names() []string {
	names := []string{"junos:web"}
	for _, a := range p {
		names = append(names, a.Name)
	}
	return names
}

// dynamic makes a policy for any session whose application has one of the names.
func dynamic(name, applications string, action Action) schema.Policy {
	p := rule(name, "any", "any", "any", action)
	p.Match.DynamicApplication = strings.Fields(applications)
	return p
}

// compileContent compiles policies between trust and untrust with applications.
func compileContent(t testing.TB, cfg *schema.Config) *Engine {
	t.Helper()
	st := NewState()
	t.Cleanup(st.Close)
	e, problems := Compile(cfg, st, applications())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return e
}

// of is the final content of an application, the most special name first.
func of(names ...string) *Content { return &Content{Names: names, Settled: true, Final: true} }

// limitedTo says whether a policy is limited to applications, and to which, as its statements say.
func limitedTo(p *schema.Policy) (limited bool, names []string) {
	for _, name := range p.Match.DynamicApplication {
		switch name {
		case "any", "none":
			return false, nil
		case "junos:web":
			names = append(names, "junos:VIDEO", "junos:MAIL")
		case "UNKNOWN":
			names = append(names, appdb.Unknown)
		default:
			names = append(names, name)
		}
	}
	return len(names) > 0, names
}

// The engine decides as walking the statements does: by a final content, the first policy that
// matches; while nothing is known, the first that may let the session pass before the one that
// holds in any case.
// Rows: UP-1, UP-3, UP-8, UP-16, UP-17, FW-5, FW-7, FW-9.
func TestLookupByContentEqualsNaive(t *testing.T) {
	names := []string{"junos:HTTP", "junos:SSH", "junos:VIDEO", "junos:MAIL", "junos:MODBUS", "junos:MODBUS-READ", "junos:web", "UNKNOWN", "own"}
	contents := []*Content{
		of("junos:HTTP"), of("junos:SSH"), of("junos:VIDEO"), of("junos:MAIL"), of("junos:MODBUS-READ", "junos:MODBUS"), of("junos:MODBUS"), UnknownContent, of("own"), of(), nil,
	}
	for seed, policies := range []int{1, 3, 20, 20, 70, 150, 1200} {
		g := generator{rand.New(rand.NewPCG(uint64(seed), 11))}
		cfg := g.config(policies)
		limit := func(list []schema.Policy) {
			for i := range list {
				switch g.IntN(5) {
				case 0:
					list[i].Match.DynamicApplication = []string{"any"}
				case 1:
				default:
					list[i].Match.DynamicApplication = g.some(3, names)
				}
			}
		}
		for i := range cfg.Security.Policies.ZonePairs {
			limit(cfg.Security.Policies.ZonePairs[i].Policies)
		}
		limit(cfg.Security.Policies.Global.Policies)
		e, reference := compileContent(t, cfg), naive{cfg}
		for range 2000 {
			f := g.flow()
			f.Content = contents[g.IntN(len(contents))]
			want, open := reference.lookupContent(&f)
			v := e.Lookup(&f)
			got := v.Policy.Name
			if v.Policy.Global {
				got = "global " + got
			}
			if got != want || v.Open != open {
				t.Fatalf("seed %d, %d policies, %+v carrying %+v: %s (open %v), want %s (open %v)", seed, policies, f, f.Content, got, v.Open, want, open)
			}
		}
	}
}

// lookupContent is the deciding policy as the statements say, and whether another is possible.
func (n naive) lookupContent(f *Flow) (name string, open bool) {
	type candidate struct {
		name string
		p    *schema.Policy
	}
	var list []candidate
	for i := range n.cfg.Security.Policies.ZonePairs {
		z := &n.cfg.Security.Policies.ZonePairs[i]
		for j := range z.Policies {
			if p := &z.Policies[j]; z.From == f.FromZone && z.To == f.ToZone && n.matches(p, z.From, z.To, f) {
				list = append(list, candidate{p.Name, p})
			}
		}
	}
	for i := range n.cfg.Security.Policies.Global.Policies {
		p := &n.cfg.Security.Policies.Global.Policies[i]
		m := &p.Match
		if (len(m.FromZone) == 0 || slices.Contains(m.FromZone, f.FromZone)) && (len(m.ToZone) == 0 || slices.Contains(m.ToZone, f.ToZone)) && n.matches(p, "", "", f) {
			list = append(list, candidate{"global " + p.Name, p})
		}
	}
	passing, possible := "", false
	for _, c := range list {
		limited, names := limitedTo(c.p)
		switch {
		case f.Content == nil && limited:
			possible = true
			if passing == "" && c.p.Then.Permit != nil {
				passing = c.name
			}
		case !limited, slices.ContainsFunc(names, func(name string) bool { return slices.Contains(f.Content.Names, name) }):
			if passing != "" {
				return passing, true
			}
			return c.name, possible && c.p.Then.Permit != nil
		}
	}
	if passing != "" {
		return passing, true
	}
	return DefaultPolicy, false // which denies, whatever else may come
}

// As long as what an application is used for may still come, the policies of its uses are possible;
// then the application's own decides.
// Rows: UP-40.
func TestUsesOfAnApplication(t *testing.T) {
	e := compileContent(t, office(between("trust", "untrust",
		dynamic("read", "junos:MODBUS-READ", Permit), dynamic("no-write", "junos:MODBUS-WRITE", Deny), dynamic("modbus", "junos:MODBUS", Reject))))
	f := flow("tcp 192.0.2.1 1024 198.51.100.1 502")
	for _, c := range []struct {
		content *Content
		policy  string
		open    bool
	}{
		{nil, "read", true},
		{&Content{Names: []string{"junos:MODBUS"}, Settled: true}, "read", true},
		{&Content{Names: []string{"junos:MODBUS-READ", "junos:MODBUS"}, Settled: true, Used: true}, "read", false},
		{&Content{Names: []string{"junos:MODBUS-WRITE", "junos:MODBUS"}, Settled: true, Used: true}, "no-write", false},
		{of("junos:MODBUS"), "modbus", false},
		{of("junos:HTTP"), DefaultPolicy, false},
	} {
		f.Content = c.content
		if v := e.Lookup(f); v.Policy.Name != c.policy || v.Open != c.open {
			t.Errorf("%+v: %s (open %v), want %s (open %v)", c.content, v.Policy.Name, v.Open, c.policy, c.open)
		}
	}
}

// junos-defaults is the usual ports of the policy's applications, or of what they run over.
// Rows: UP-10, UP-23.
func TestDefaultPorts(t *testing.T) {
	video, mail := dynamic("video", "junos:VIDEO", Permit), dynamic("mail", "mail", Permit)
	video.Match.Application, mail.Match.Application = []string{"junos-defaults"}, []string{"junos-defaults"}
	e := compileContent(t, office(between("trust", "untrust", video, mail)))
	for port, want := range map[int]string{80: "video", 8026: "mail", 8027: DefaultPolicy, 443: DefaultPolicy} {
		f := flow(fmt.Sprintf("tcp 192.0.2.1 1024 198.51.100.1 %d", port))
		if v := e.Lookup(f); v.Policy.Name != want {
			t.Errorf("port %d: %s, want %s", port, v.Policy.Name, want)
		}
	}
}

// What is wrong with policies by application is said with its place, and with what may have been
// meant.
// Rows: UP-8, FW-20, FW-28, FW-35, C-5, C-9.
func TestProblemsOfContent(t *testing.T) {
	set := func(name string, change func(*schema.FirewallRuleSet)) func(*schema.Config) {
		return func(cfg *schema.Config) {
			s := schema.FirewallRuleSet{Name: name, Default: schema.FirewallDefault{Permit: true}}
			change(&s)
			cfg.Security.ApplicationFirewall.RuleSets = append(cfg.Security.ApplicationFirewall.RuleSets, s)
		}
	}
	policy := func(change func(*schema.Policy)) func(*schema.Config) {
		return func(cfg *schema.Config) { change(&cfg.Security.Policies.ZonePairs[0].Policies[0]) }
	}
	const p, rs = "[edit security policies from-zone trust to-zone untrust policy p", "[edit security application-firewall rule-sets"
	for name, test := range map[string]struct {
		change func(*schema.Config)
		want   string
	}{
		"unknown application": {policy(func(p *schema.Policy) { p.Match.DynamicApplication = []string{"junos:VIDEOS"} }), p + ` match dynamic-application] application "junos:VIDEOS" is neither in the signature package nor configured (did you mean junos:VIDEO`},
		"any and more":        {policy(func(p *schema.Policy) { p.Match.DynamicApplication = []string{"any", "junos:SSH"} }), p + ` match dynamic-application] any and none stand alone`},
		"both styles": {func(cfg *schema.Config) {
			set("rs", func(*schema.FirewallRuleSet) {})(cfg)
			p := &cfg.Security.Policies.ZonePairs[0].Policies[0]
			p.Match.DynamicApplication, p.Then = []string{"junos:SSH"}, schema.PolicyThen{Permit: &schema.Permit{}}
			p.Then.Permit.ApplicationServices.ApplicationFirewall = &schema.RuleSetName{RuleSet: "rs"}
		}, p + `] Traditional AppFW and dynamic-application can't be applied to same policy`},
		"defaults of nothing": {policy(func(p *schema.Policy) { p.Match.Application = []string{"junos-defaults"} }), p + ` match application] junos-defaults stands for the ports of dynamic applications, and the policy matches none`},
		"defaults without ports": {policy(func(p *schema.Policy) {
			p.Match.Application, p.Match.DynamicApplication = []string{"junos-defaults"}, []string{"own"}
		}), p + ` match application] junos-defaults stands for the usual ports`},
		"no default rule": {set("rs", func(s *schema.FirewallRuleSet) { s.Default.Permit = false }), rs + ` rs] default-rule is missing`},
		"rule without match": {set("rs", func(s *schema.FirewallRuleSet) {
			s.Rules = []schema.FirewallRule{{Name: "r", Then: schema.FirewallThen{Permit: true}}}
		}), rs + ` rs rule r match] the rule matches nothing`},
		"rule without action": {set("rs", func(s *schema.FirewallRuleSet) {
			s.Rules = []schema.FirewallRule{{Name: "r", Match: schema.FirewallMatch{Groups: []string{"junos:web"}}}}
		}), rs + ` rs rule r then] the rule has no action`},
		"unknown group in a rule": {set("rs", func(s *schema.FirewallRuleSet) {
			s.Rules = []schema.FirewallRule{{Name: "r", Match: schema.FirewallMatch{Groups: []string{"junos:wed"}}, Then: schema.FirewallThen{Permit: true}}}
		}), rs + ` rs rule r match dynamic-application-groups] application "junos:wed" is neither in the signature package nor configured (did you mean junos:web`},
		"too many rule sets": {func(cfg *schema.Config) {
			for i := range maxRuleSets + 1 {
				set(fmt.Sprint("rs", i), func(*schema.FirewallRuleSet) {})(cfg)
			}
		}, rs + `] there are 1001 rule sets, and at most 1000 may be`},
		"too many rules": {set("rs", func(s *schema.FirewallRuleSet) {
			for i := range maxFirewallRules + 1 {
				s.Rules = append(s.Rules, schema.FirewallRule{Name: fmt.Sprint("r", i), Match: schema.FirewallMatch{Applications: []string{"junos:SSH"}}, Then: schema.FirewallThen{Permit: true}})
			}
		}), rs + `] there are 10001 rules, and at most 10000 may be`},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := office(between("trust", "untrust", rule("p", "any", "any", "any", Deny)))
			test.change(cfg)
			st := NewState()
			defer st.Close()
			_, problems := Compile(cfg, st, applications())
			if len(problems) != 1 || problems[0].Warning || !strings.HasPrefix(problems[0].Error(), test.want) {
				t.Errorf("problems %v\nwant %s", problems, test.want)
			}
		})
	}
}

// The first rule that matches decides; while an earlier one may still match, the session passes if
// that would let it pass.
// Rows: FW-29, FW-30, FW-31, FW-34, FW-36, FW-51.
func TestFirewallDecides(t *testing.T) {
	cfg := office(between("trust", "untrust", rule("p", "any", "any", "any", Permit)))
	cfg.Security.Policies.ZonePairs[0].Policies[0].Then.Permit.ApplicationServices.ApplicationFirewall = &schema.RuleSetName{RuleSet: "rs"}
	cfg.Security.ApplicationFirewall.RuleSets = []schema.FirewallRuleSet{{Name: "rs", Rules: []schema.FirewallRule{
		{Name: "mail", Match: schema.FirewallMatch{Applications: []string{"junos:MAIL"}}, Then: schema.FirewallThen{Permit: true}},
		{Name: "web", Match: schema.FirewallMatch{Applications: []string{"junos:UNKNOWN"}, Groups: []string{"junos:web"}}, Then: schema.FirewallThen{Deny: &schema.FirewallBlock{}}},
	}, Default: schema.FirewallDefault{Reject: &schema.FirewallBlock{BlockMessage: true}}}}
	e := compileContent(t, cfg)
	f := flow("tcp 192.0.2.1 1024 198.51.100.1 80")
	for _, c := range []struct {
		content *Content
		rule    string
		action  Action
		open    bool
	}{
		{nil, "mail", Permit, true}, {of("junos:MAIL"), "mail", Permit, false}, {of("junos:VIDEO"), "web", Deny, false},
		{UnknownContent, "web", Deny, false}, {of("junos:SSH"), "default-rule", Reject, false},
	} {
		f.Content = c.content
		v := e.Lookup(f)
		if v.Rule.Name != c.rule || v.Action != c.action || v.Open != c.open || (v.Message != nil) != (c.action == Reject) {
			t.Errorf("%+v: rule %s, %s (open %v), want %s, %s (open %v)", c.content, v.Rule.Name, v.Action, v.Open, c.rule, c.action, c.open)
		}
	}
	if got := e.policies[0].Firewall.Rules[1].Statement(); got != "security application-firewall rule-sets rs rule web" {
		t.Errorf("statement %q", got)
	}
	counters := e.policies[0].Firewall.Rules[0].Counters
	if e.Activate(); compileFirewallAgain(t, e, cfg).Rules[0].Counters != counters {
		t.Error("a commit sets the rule's counters to zero")
	}
}

// compileFirewallAgain is the first rule set of cfg compiled with the state of e.
func compileFirewallAgain(t *testing.T, e *Engine, cfg *schema.Config) *Firewall {
	t.Helper()
	again, problems := Compile(cfg, e.st, applications())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return again.firewalls[0]
}

// What holds before the policy is found has timeouts of its own, by protocol.
// Rows: FW-11.
func TestPreIDTimeouts(t *testing.T) {
	cfg := office()
	timeouts := &cfg.Security.Policies.PreID.Then.Timeout
	timeouts.TCP, timeouts.UDP, timeouts.Others, timeouts.OSPF = 10, 20, 30, 40
	pre := compileContent(t, cfg).PreID()
	for protocol, want := range map[schema.Protocol]time.Duration{schema.ProtoTCP: 10, schema.ProtoUDP: 20, schema.ProtoICMP: 0, 89: 40, 47: 30} {
		if got := pre.Timeout(protocol); got != want*time.Second {
			t.Errorf("protocol %d: %v, want %d s", protocol, got, want)
		}
	}
}
