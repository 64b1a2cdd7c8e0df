package manage

import (
	"errors"
	"strings"
	"testing"

	"sluice/appqos"
	"sluice/manage/api"
	"sluice/proxy"
	"sluice/store/tree"
)

// compiledTraffic is traffic control that was compiled from statements.
type compiledTraffic struct{ engine *appqos.Engine }

func (c compiledTraffic) Traffic() *appqos.Engine { return c.engine }

// The commands of application traffic control show and clear counters and hits, and what the sessions of
// now are limited to; without traffic control they say so.
// Rows: QS-40, QS-42, QS-43, O-13, O-14, O-15.
func TestTrafficCommands(t *testing.T) {
	f := start(t)
	const show, clear = "show class-of-service application-traffic-control ", "clear class-of-service application-traffic-control "
	for _, command := range []string{show + "counter", show + "statistics rule", show + "statistics rate-limiter", clear + "counter", clear + "statistics rule"} {
		_, err := f.client.Command(t.Context(), api.Command{Line: command})
		var e *api.Error
		if !errors.As(err, &e) || !strings.Contains(e.Message, "controls no traffic") {
			t.Errorf("%s without traffic control: %v", command, err)
		}
	}
	statements, problems := tree.Parse(`
set class-of-service application-traffic-control rate-limiters l bandwidth-limit 100
set class-of-service application-traffic-control rule-sets RS rule 1 match application-any
set class-of-service application-traffic-control rule-sets RS rule 1 then rate-limit server-to-client l
`)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	cfg, problems := statements.Decode()
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	engine, problems := appqos.Compile(cfg, appqos.NewState(), nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	f.server.options.Traffic = compiledTraffic{engine}
	var s appqos.Session
	s.Follow(engine, appqos.Asked{Sets: []string{"RS"}}, [2]string{}, func(*appqos.RuleSet) appqos.Found { return appqos.Found{Settled: true} })
	limited := proxy.Treatment{RuleSet: "RS", Rule: "1", ServerLimiter: "l", ServerRate: 100}
	f.sessions.list = []proxy.Info{
		{ID: 1, Application: "junos:HTTP", NestedApplication: "junos:YOUTUBE", Treatment: &limited}, {ID: 2, Application: "junos:HTTP", Treatment: &limited},
		{ID: 3, Application: "junos:HTTP", Treatment: &limited}, {ID: 4, Application: "junos:SSH", Treatment: &proxy.Treatment{RuleSet: "RS"}}, {ID: 5},
	}
	for _, c := range []struct{ command, want string }{
		{show + "counter", "  Sessions processed                  1\n"},
		{show + "counter", "  Server-to-client flows rate limited 1\n"},
		{show + "statistics rule", "pic: 0/0\n  Ruleset  Rule  Hits\n  RS       1     1\n"},
		{show + "statistics rate-limiter", "  RS       HTTP         N/A               N/A         l                 100\n  RS       YOUTUBE      N/A               N/A         l                 100\n"},
		{clear + "counter", "Application traffic control counters cleared\n"},
		{clear + "statistics rule", "Hits of 1 rule set to zero\n"},
		{show + "counter", "  Sessions processed                  0\n"},
		{show + "statistics rule", "  RS       1     0\n"},
	} {
		if got := f.run(t, c.command); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q is not in\n%s", c.command, c.want, got)
		}
	}
	if rows := strings.Count(f.run(t, show+"statistics rate-limiter"), "\n"); rows != 4 {
		t.Errorf("%d lines for two applications, want 4", rows)
	}
}
