package appqos

import (
	"fmt"
	"strings"
	"testing"

	"sluice/classify/appdb"
	"sluice/store/schema"
	"sluice/store/tree"
)

// apps knows a few applications and a group.
type apps struct{}

func (apps) Lookup(name string) (*appdb.Application, bool) {
	full := "junos:" + strings.ToUpper(strings.TrimPrefix(name, "junos:"))
	for _, a := range []appdb.Application{{Name: "junos:FTP"}, {Name: "junos:HTTP"}, {Name: "junos:GOOGLE"}, {Name: "junos:YOUTUBE"}, {Name: "junos:SSH"},
		{Name: "junos:MODBUS"}, {Name: "junos:MODBUS-READ-COILS", Of: "MODBUS", Kind: appdb.Micro}} {
		if a.Name == full {
			return &a, true
		}
	}
	return nil, false
}

func (a apps) Group(name string) ([]*appdb.Application, bool) {
	if name != "junos:web" {
		return nil, false
	}
	google, _ := a.Lookup("junos:GOOGLE")
	http, _ := a.Lookup("junos:HTTP")
	return []*appdb.Application{google, http}, true
}

func (apps) Names() []string {
	return []string{"junos:FTP", "junos:HTTP", "junos:GOOGLE", "junos:YOUTUBE", "junos:web"}
}

// decode reads statements.
func decode(t *testing.T, text string) *schema.Config {
	t.Helper()
	statements, problems := tree.Parse(text)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	cfg, problems := statements.Decode()
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return cfg
}

// compile compiles statements that nothing is wrong with.
func compile(t *testing.T, text string) *Engine {
	t.Helper()
	e, problems := Compile(decode(t, text), NewState(), apps{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return e
}

const (
	control = "set class-of-service application-traffic-control "
	anyRule = control + "rule-sets RS rule r match application-any\n"
	inRule  = control + "rule-sets RS rule r then "
)

// What a configuration may not have is refused, and what is odd is warned of, where it stands.
// Rows: QS-10, QS-13, QS-24, QS-30, QS-57, C-43 to C-58.
func TestProblems(t *testing.T) {
	numbered := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	policy := "set security zones security-zone a\nset security zones security-zone b\nset security policies from-zone a to-zone b policy p match source-address any destination-address any application any dynamic-application %s\n" +
		"set security policies from-zone a to-zone b policy p then permit application-services application-traffic-control rule-set RS\n"
	for name, c := range map[string]struct{ config, want string }{
		"16 profiles":   {numbered(32, control+"rate-limiters l%[1]d bandwidth-limit 100 burst-size-limit 2000\n") + numbered(15, control+"rate-limiters m%[1]d bandwidth-limit 20%02[1]d\n"), ""},
		"17 profiles":   {numbered(17, control+"rate-limiters l%[1]d bandwidth-limit 20%02[1]d\n"), "there are 17 different pairs"},
		"1001 limiters": {numbered(1001, control+"rate-limiters l%[1]d bandwidth-limit 100\n"), "there are 1001 rate limiters"},
		"one limiter in two rule sets": {control + "rate-limiters l bandwidth-limit 1\n" + anyRule + inRule + "rate-limit client-to-server l\n" +
			control + "rule-sets RS2 rule r match application-any\n" + control + "rule-sets RS2 rule r then rate-limit server-to-client l\n",
			"rule-sets RS2 rule r then rate-limit server-to-client] rate limiter l is used by rule set RS"},
		"unknown class":              {anyRule + inRule + "forwarding-class best-afort\n", `forwarding class "best-afort" is not configured (did you mean best-effort?)`},
		"default class":              {anyRule + inRule + "forwarding-class network-control\n", ""},
		"both spellings":             {"set class-of-service forwarding-classes queue 4 a\nset class-of-service forwarding-classes class b queue-num 4\n" + anyRule + inRule + "forwarding-class b\n", ""},
		"class in two queues":        {"set class-of-service forwarding-classes queue 4 a\nset class-of-service forwarding-classes class a queue-num 5\n", "forwarding class a is in queue 4 by class-of-service forwarding-classes queue 4"},
		"unknown code point":         {anyRule + inRule + "dscp-code-point af99\n", `code point "af99" is not known`},
		"seven bits":                 {anyRule + inRule + "dscp-code-point 1011101\n", `code point "1011101" is not known`},
		"alias of one's own":         {"set class-of-service code-point-aliases dscp voice 101110\n" + anyRule + inRule + "dscp-code-point voice\n", ""},
		"unknown application":        {control + "rule-sets RS rule r match application junos:FPT\n", `"junos:FPT" is neither in the signature package nor configured (did you mean`},
		"an application is no group": {control + "rule-sets RS rule r match application-group junos:FTP\n", `"junos:FTP" is neither`},
		"nothing to match":           {inRule + "log\n", "the rule matches nothing"},
		"never reached":              {anyRule + control + "rule-sets RS rule s match application junos:FTP\n", "rule s] rule r matches every session, so this one is never reached"},
		"nothing to exceed":          {anyRule + inRule + "rate-limit loss-priority-high\n", "the rule names no rate limiter"},
		"policy and rule do not fit": {control + "rule-sets RS rule r match application junos:GOOGLE\n" + fmt.Sprintf(policy, "junos:FTP"),
			"no rule of rule set RS names an application that the policy matches"},
		"policy and rule fit":                  {control + "rule-sets RS rule r match application junos:GOOGLE\n" + fmt.Sprintf(policy, "junos:web"), ""},
		"a rule for a use":                     {control + "rule-sets RS rule r match application junos:MODBUS-READ-COILS\n" + fmt.Sprintf(policy, "junos:MODBUS"), ""},
		"a rule for any under one application": {anyRule + fmt.Sprintf(policy, "junos:FTP"), ""},
		"a policy for none":                    {control + "rule-sets RS rule r match application junos:GOOGLE\n" + fmt.Sprintf(policy, "none"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := Compile(decode(t, c.config), NewState(), apps{})
			switch {
			case c.want == "" && len(problems) > 0:
				t.Errorf("refused: %v", problems)
			case c.want != "" && (len(problems) != 1 || !strings.Contains(problems[0].Error(), c.want)):
				t.Errorf("%v, want %q", problems, c.want)
			}
		})
	}
}

// Every alias of the guide's table is its code point.
// Rows: QS-13, QS-14.
func TestCodePoints(t *testing.T) {
	for alias, bits := range map[string]string{
		"ef": "101110", "af11": "001010", "af12": "001100", "af13": "001110", "af21": "010010", "af22": "010100", "af23": "010110",
		"af31": "011010", "af32": "011100", "af33": "011110", "af41": "100010", "af42": "100100", "af43": "100110", "be": "000000",
		"cs1": "001000", "cs2": "010000", "cs3": "011000", "cs4": "100000", "cs5": "101000", "nc1": "110000", "cs6": "110000", "nc2": "111000", "cs7": "111000",
		"110001": "110001",
	} {
		e := compile(t, anyRule+inRule+"dscp-code-point "+alias+"\n")
		if got := e.RuleSets()[0].Rules[0].CodePoint.String(); got != bits {
			t.Errorf("%s is %s, want %s", alias, got, bits)
		}
	}
}

// What outlives a commit: hits, and how full a bucket is as long as its limits stay the same. A name that
// a package took away warns where it was accepted before.
// Rows: QS-43, QS-60.
func TestCommits(t *testing.T) {
	st := NewState()
	const limited = control + "rate-limiters l bandwidth-limit 100 burst-size-limit 2000\n" + anyRule + inRule + "rate-limit client-to-server l\n" +
		control + "rule-sets RS rule q match application junos:SSH\n"
	first, _ := Compile(decode(t, limited), st, apps{})
	first.Activate()
	r := first.RuleSets()[0].Rules[0]
	r.Limiters[0].Take(0, single(2000))
	var s Session
	s.Follow(first, final("RS"), [2]string{}, func(*RuleSet) Found { return Found{Settled: true} })

	again, problems := Compile(decode(t, limited), st, nil)
	if len(problems) != 2 || !problems[0].Warning || !strings.Contains(problems[0].Message+problems[1].Message, "junos:SSH is no longer in the signature package") {
		t.Errorf("a name that is gone: %v", problems)
	}
	again.Activate()
	same := again.RuleSets()[0].Rules[0]
	if same.Hits() != 1 || same.Limiters[0].Take(0, single(1)) != 0 {
		t.Errorf("after a commit the rule has %d hits, or its bucket is full again", same.Hits())
	}
	s.Follow(again, final("RS"), [2]string{}, func(*RuleSet) Found { return Found{Settled: true} })
	if s.Rule() != same || same.Hits() != 1 {
		t.Error("a session does not go on under the rule of the new configuration, or counts twice")
	}
	other, _ := Compile(decode(t, strings.Replace(limited, "2000", "3000", 1)), st, apps{})
	if other.RuleSets()[0].Rules[0].Limiters[0].Take(0, single(3000)) != 1 {
		t.Error("other limits do not begin with a full bucket")
	}
	other.Activate()
	s.Follow(other, final("gone"), [2]string{}, func(*RuleSet) Found { return Found{} })
	if s.Rule() != nil || s.Set() != "" {
		t.Error("a session goes on under a rule set that is gone")
	}
}
