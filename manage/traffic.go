package manage

import (
	"cmp"
	"slices"
	"strings"

	"sluice/appqos"
	"sluice/classify/appdb"
	"sluice/manage/api"
	"sluice/manage/command"
	"sluice/manage/view"
	"sluice/proxy"
)

// Traffic knows the application traffic control in force; every commit makes another. It is nil until
// the first configuration is in force.
type Traffic interface{ Traffic() *appqos.Engine }

// traffic is the traffic control, or an error when the gateway runs without one.
func (s *Server) traffic() (*appqos.Engine, error) {
	if s.options.Traffic == nil {
		return nil, &api.Error{Message: "the gateway controls no traffic"}
	}
	if engine := s.options.Traffic.Traffic(); engine != nil {
		return engine, nil
	}
	return nil, &api.Error{Message: "no configuration is in force yet"}
}

var trafficHelp = map[string]string{
	"clear class-of-service":                                                    "Clear quality of service information",
	"clear class-of-service application-traffic-control":                        "Clear application traffic control information",
	"clear class-of-service application-traffic-control counter":                "Set the session counters to zero",
	"clear class-of-service application-traffic-control statistics":             "Clear application traffic control statistics",
	"clear class-of-service application-traffic-control statistics rule":        "Set the hits of rules to zero",
	"show class-of-service":                                                     "Show quality of service information",
	"show class-of-service application-traffic-control":                         "Show application traffic control information",
	"show class-of-service application-traffic-control counter":                 "Show how many sessions were treated, and how",
	"show class-of-service application-traffic-control statistics":              "Show application traffic control statistics",
	"show class-of-service application-traffic-control statistics rate-limiter": "Show which applications are limited now, and to which rates",
	"show class-of-service application-traffic-control statistics rule":         "Show how many sessions each rule decided about",
}

var trafficCommands = []command.Command[handler]{
	{Words: "clear class-of-service application-traffic-control counter", Do: clearTrafficCounters},
	{Words: "clear class-of-service application-traffic-control statistics rule", Do: clearTrafficRules},
	{Words: "show class-of-service application-traffic-control counter", Do: showTrafficCounters},
	{Words: "show class-of-service application-traffic-control statistics rate-limiter", Do: showRateLimiters},
	{Words: "show class-of-service application-traffic-control statistics rule", Do: showTrafficRules},
}

// treatmentView is how a session is treated, as commands show it.
func treatmentView(t *proxy.Treatment) *view.Treatment {
	if t == nil {
		return nil
	}
	return (*view.Treatment)(t)
}

func showTrafficCounters(s *Server, _ *request) (view.View, error) {
	engine, err := s.traffic()
	if err != nil {
		return nil, err
	}
	c := engine.Counters()
	return &view.TrafficCounters{
		Processed: c.Processed.Load(), Marked: c.Marked.Load(), Honored: c.Honored.Load(), RateLimited: c.RateLimited.Load(),
		ClientFlows: c.Flows[appqos.ClientToServer].Load(), ServerFlows: c.Flows[appqos.ServerToClient].Load(),
		DefaultHit: c.DefaultHit.Load(), Ignored: c.Ignored.Load(),
	}, nil
}

func clearTrafficCounters(s *Server, _ *request) (view.View, error) {
	engine, err := s.traffic()
	if err != nil {
		return nil, err
	}
	engine.Counters().Clear()
	return &view.Message{Message: "Application traffic control counters cleared"}, nil
}

func showTrafficRules(s *Server, _ *request) (view.View, error) {
	engine, err := s.traffic()
	if err != nil {
		return nil, err
	}
	answer := &view.TrafficRules{Rules: []view.TrafficRule{}}
	for _, set := range engine.RuleSets() {
		for _, r := range set.Rules {
			answer.Rules = append(answer.Rules, view.TrafficRule{RuleSet: set.Name, Rule: r.Name, Hits: r.Hits()})
		}
	}
	return answer, nil
}

func clearTrafficRules(s *Server, _ *request) (view.View, error) {
	engine, err := s.traffic()
	if err != nil {
		return nil, err
	}
	rules := 0
	for _, set := range engine.RuleSets() {
		for _, r := range set.Rules {
			r.Clear()
			rules++
		}
	}
	return &view.Message{Message: "Hits of " + countOf(rules, "rule", "rules") + " set to zero"}, nil
}

// showRateLimiters lists what the sessions of now are limited to, a row for each rule set, application
// and pair of limiters.
func showRateLimiters(s *Server, _ *request) (view.View, error) {
	if _, err := s.traffic(); err != nil {
		return nil, err
	}
	table, err := s.sessions()
	if err != nil {
		return nil, err
	}
	answer := &view.RateLimiters{Rows: []view.RateLimiter{}}
	for _, info := range table.Sessions(proxy.Filter{TrafficControl: true}) {
		t := info.Treatment
		if t == nil || t.ClientLimiter == "" && t.ServerLimiter == "" {
			continue
		}
		row := view.RateLimiter{
			RuleSet: t.RuleSet, Application: strings.TrimPrefix(cmp.Or(info.NestedApplication, info.Application), appdb.Prefix),
			ClientLimiter: t.ClientLimiter, ClientRate: t.ClientRate, ServerLimiter: t.ServerLimiter, ServerRate: t.ServerRate,
		}
		if !slices.Contains(answer.Rows, row) {
			answer.Rows = append(answer.Rows, row)
		}
	}
	slices.SortFunc(answer.Rows, func(a, b view.RateLimiter) int {
		return cmp.Or(strings.Compare(a.RuleSet, b.RuleSet), strings.Compare(a.Application, b.Application), strings.Compare(a.ClientLimiter, b.ClientLimiter))
	})
	return answer, nil
}
