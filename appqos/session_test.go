package appqos

import (
	"slices"
	"testing"
)

// Statements of the tests: two rule sets that mark differently, and a third.
const threeSets = `
set class-of-service application-traffic-control rule-sets RS1 rule video match application junos:YOUTUBE
set class-of-service application-traffic-control rule-sets RS1 rule video then dscp-code-point ef
set class-of-service application-traffic-control rule-sets RS1 rule rest match application-any
set class-of-service application-traffic-control rule-sets RS1 rule rest then dscp-code-point cs1
set class-of-service application-traffic-control rule-sets RS1 rule rest then log
set class-of-service application-traffic-control rule-sets RS2 rule all match application-any
set class-of-service application-traffic-control rule-sets RS2 rule all then dscp-code-point cs2
set class-of-service application-traffic-control rule-sets RS3 rule all match application-any
set class-of-service application-traffic-control rule-sets RS3 rule all then dscp-code-point cs3
`

const defaultRS1 = "set security ngfw default-profile application-traffic-control rule-set RS1\n"

// open and final are what policies ask for before and after the session's policy is found.
func open(sets ...string) Asked  { return Asked{Sets: sets, Open: true} }
func final(sets ...string) Asked { return Asked{Sets: sets} }

// The guide's table of rule sets in unified policies, one row after the other.
// Rows: QS-45, QS-46, QS-48 to QS-56, QS-41.
func TestRuleSetOfUnifiedPolicies(t *testing.T) {
	for _, c := range []struct {
		name             string
		config           string
		asked            []Asked
		want             []string // code point after each
		fallback, ignore uint64
	}{
		{"the policy is known at once", threeSets, []Asked{final("RS2")}, []string{"010000"}, 0, 0},
		{"all that are possible agree; the default is not used", threeSets + defaultRS1, []Asked{open("RS2"), final("RS2")}, []string{"010000", "010000"}, 0, 0},
		{"all that are possible agree, and the final one names none", threeSets, []Asked{open("RS1"), final()}, []string{"001000", ""}, 0, 0},
		{"they disagree and there is no default: ignored for good", threeSets, []Asked{open("RS1", "RS2"), final("RS2")}, []string{"", ""}, 0, 1},
		{"they disagree: the default", threeSets + defaultRS1, []Asked{open("RS2", "RS3")}, []string{"001000"}, 1, 0},
		{"the final one names the default", threeSets + defaultRS1, []Asked{open("RS1", "RS2"), final("RS1")}, []string{"001000", "001000"}, 1, 0},
		{"the final one names another", threeSets + defaultRS1, []Asked{open("RS1", "RS2"), final("RS3")}, []string{"001000", "001000"}, 1, 0},
		{"the final one names none", threeSets + defaultRS1, []Asked{open("RS1", "RS2"), final()}, []string{"001000", ""}, 1, 0},
		{"the default holds while fewer are possible", threeSets + defaultRS1, []Asked{open("RS2", "RS3"), open("RS2"), open(), final("RS2")}, []string{"001000", "001000", "001000", "001000"}, 1, 0},
		{"none, and then one", threeSets, []Asked{open(), final("RS3")}, []string{"", "011000"}, 0, 0},
		{"a session that moves from one policy to another", threeSets, []Asked{final("RS2"), final("RS3"), final()}, []string{"010000", "011000", ""}, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := compile(t, c.config)
			var s Session
			var got []string
			for _, asked := range c.asked {
				s.Follow(e, asked, [2]string{}, func(*RuleSet) Found { return Found{} })
				point := ""
				if r := s.Rule(); r != nil {
					point = r.CodePoint.String()
				}
				got = append(got, point)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("code points %q, want %q", got, c.want)
			}
			if n := e.Counters(); n.DefaultHit.Load() != c.fallback || n.Ignored.Load() != c.ignore {
				t.Errorf("default %d, ignored %d; want %d, %d", n.DefaultHit.Load(), n.Ignored.Load(), c.fallback, c.ignore)
			}
		})
	}
}

// The rule follows what becomes known: before anything is, one for any application holds. A session
// counts once for each rule that decided about it, as soon as its application is settled.
// Rows: QS-18, QS-19, QS-35, QS-40, QS-43, QS-47.
func TestRuleFollowsTheApplication(t *testing.T) {
	e := compile(t, threeSets)
	set := e.RuleSets()[0]
	hits := func() [2]uint64 { return [2]uint64{set.Rules[0].Hits(), set.Rules[1].Hits()} }
	var s Session
	follow := func(f Found, want string) {
		t.Helper()
		s.Follow(e, final("RS1"), [2]string{}, func(*RuleSet) Found { return f })
		if r := s.Rule(); r.Name != want {
			t.Errorf("%v: rule %s, want %s", f, r.Name, want)
		}
	}
	follow(Found{}, "rest")
	if hits() != [2]uint64{} || len(s.Logged()) > 0 {
		t.Errorf("%v hits while nothing is known", hits())
	}
	follow(Found{Names: []string{"junos:YOUTUBE", "junos:HTTP"}, Settled: true}, "video")
	follow(Found{Names: []string{"junos:HTTP"}, Settled: true}, "rest")
	follow(Found{Names: []string{"junos:YOUTUBE"}, Settled: true}, "video")
	s.End()
	if hits() != [2]uint64{1, 1} {
		t.Errorf("%v hits, want one each", hits())
	}
	if logged := s.Logged(); len(logged) != 1 || logged[0].Name != "rest" || len(s.Logged()) > 0 {
		t.Errorf("%d rules to be logged, want the one that says so, once", len(logged))
	}
	if c := e.Counters(); c.Processed.Load() != 1 || c.Marked.Load() != 1 || c.RateLimited.Load() != 0 {
		t.Errorf("processed %d, marked %d, rate limited %d", c.Processed.Load(), c.Marked.Load(), c.RateLimited.Load())
	}
	// A session that ends before anything is known counts for the rule that it was under.
	var short Session
	short.Follow(e, final("RS1"), [2]string{}, func(*RuleSet) Found { return Found{} })
	short.End()
	if hits() != [2]uint64{1, 2} {
		t.Errorf("%v hits after a session that nothing is known of", hits())
	}
}

// application-known and application-unknown, and the name of what is unknown.
// Rows: QS-18.
func TestKnownAndUnknown(t *testing.T) {
	e := compile(t, `
set class-of-service application-traffic-control rule-sets RS rule named match application junos:UNKNOWN
set class-of-service application-traffic-control rule-sets RS rule known match application-known
set class-of-service application-traffic-control rule-sets RS rule open match application-unknown
`)
	for _, c := range []struct {
		names []string
		want  string
	}{{nil, "open"}, {[]string{"junos:UNKNOWN"}, "named"}, {[]string{"junos:SSH"}, "known"}} {
		if r := e.RuleSets()[0].match(&Found{Names: c.names}); r.Name != c.want {
			t.Errorf("%v: rule %s, want %s", c.names, r.Name, c.want)
		}
	}
}

// Limiters count a session once, and each of its directions.
// Rows: QS-27, QS-40.
func TestCountersOfLimiters(t *testing.T) {
	e := compile(t, `
set class-of-service application-traffic-control rate-limiters L bandwidth-limit 100
set class-of-service application-traffic-control rule-sets RS rule up match application junos:SSH
set class-of-service application-traffic-control rule-sets RS rule up then rate-limit client-to-server L
set class-of-service application-traffic-control rule-sets RS rule both match application-any
set class-of-service application-traffic-control rule-sets RS rule both then rate-limit client-to-server L server-to-client L
`)
	var s Session
	for _, names := range [][]string{{"junos:SSH"}, nil, {"junos:SSH"}} {
		s.Follow(e, final("RS"), [2]string{}, func(*RuleSet) Found { return Found{Names: names} })
	}
	c := e.Counters()
	if c.RateLimited.Load() != 1 || c.Flows[ClientToServer].Load() != 1 || c.Flows[ServerToClient].Load() != 1 {
		t.Errorf("%d sessions, %d and %d flows, want one each", c.RateLimited.Load(), c.Flows[0].Load(), c.Flows[1].Load())
	}
	if r := e.RuleSets()[0].Rules[1]; r.Limiters[ClientToServer] != r.Limiters[ServerToClient] {
		t.Error("one name in both directions is two buckets (QS-28)")
	}
	for range 2 {
		s.Honor(e)
	}
	if c.Honored.Load() != 1 {
		t.Errorf("%d sessions honored, want 1", c.Honored.Load())
	}
	c.Clear()
	if c.Processed.Load()+c.RateLimited.Load()+c.Honored.Load() != 0 {
		t.Error("counters are not cleared")
	}
}
