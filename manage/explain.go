package manage

import (
	"strconv"
	"time"

	"sluice/manage/api"
	"sluice/manage/view"
)

// explainSession tells how it was decided about the session that the request names, or about the latest of
// those that it selects.
func explainSession(s *Server, table Sessions, r *request) (view.View, error) {
	if len(r.args) == 1 {
		return nil, &api.Error{Message: "explain is about one session", Hint: "give session-identifier, or what selects it: the latest is explained"}
	}
	f, none, err := s.filter(r)
	if err != nil {
		return nil, err
	}
	x, ok := table.Explain(f)
	if !ok || none {
		what := "that fits"
		if f.ID != 0 {
			what = strconv.FormatUint(f.ID, 10)
		}
		return nil, &api.Error{Message: "there is no session " + what, Hint: "it may have ended long ago: see show security log"}
	}
	answer := &view.Explanation{
		Session: sessionView(x.Info, s.started), User: x.User, Roles: x.Roles, Device: x.Device, Gateway: x.Gateway,
		Candidates: []view.Candidate{}, Lookups: []view.Lookup{}, Identification: view.Identification(x.Identified),
		Decision: view.Decision{Found: x.Decision.Found, Action: x.Decision.Action, LogOnly: x.Decision.LogOnly, Statement: x.Decision.Statement, After: milliseconds(x.Decision.After)},
	}
	answer.RuleSetOf, answer.Refused = x.RuleSetOf, x.Refused
	for _, one := range x.Refusals {
		answer.Refusals = append(answer.Refusals, view.Refusal{
			After: milliseconds(one.After), Method: one.Method, Asked: one.Asked, Protocol: one.Protocol, Application: one.Application, Micro: one.Micro,
			Action: one.Action, Statement: one.Statement, Answer: one.Answer,
		})
	}
	if x.Ended != nil {
		answer.Ended = &view.Ending{At: x.Start.Add(x.Ended.After), After: milliseconds(x.Ended.After), Reason: string(x.Ended.Reason), Answer: x.Ended.Answer}
	}
	for _, c := range x.Candidates {
		answer.Candidates = append(answer.Candidates, view.NewCandidate(&c))
	}
	for _, l := range x.Lookups {
		answer.Lookups = append(answer.Lookups, view.Lookup{
			Number: l.Number, After: milliseconds(l.After), Packets: l.Packets, Bytes: l.Bytes, Protocol: l.Protocol, Application: l.Application, Micro: l.Micro,
			Policy: l.Policy, Rule: l.Rule, Action: l.Action, Open: l.Open, Final: l.Final, Alone: l.Alone, State: l.State, Completed: l.Completed,
		})
	}
	return answer, nil
}

func milliseconds(d time.Duration) float64 { return float64(d/time.Microsecond) / 1000 }
