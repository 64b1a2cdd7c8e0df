package manage

import (
	"fmt"
	"time"

	"sluice/manage/api"
	"sluice/manage/view"
)

// explainSession tells how it was decided about the session that the request names.
func explainSession(s *Server, table Sessions, r *request) (view.View, error) {
	id := r.number("session-identifier")
	if id == 0 {
		return nil, &api.Error{Message: "explain is about one session", Hint: "give session-identifier"}
	}
	x, ok := table.Explain(id)
	if !ok {
		return nil, &api.Error{Message: fmt.Sprintf("there is no session %d", id), Hint: "it may have ended long ago: see show security log session-identifier"}
	}
	answer := &view.Explanation{
		Session: sessionView(x.Info, s.started), User: x.User, Roles: x.Roles, Device: x.Device, Gateway: x.Gateway,
		Candidates: []view.Candidate{}, Lookups: []view.Lookup{}, Identification: view.Identification(x.Identified),
		Decision: view.Decision{Found: x.Decision.Found, Action: x.Decision.Action, LogOnly: x.Decision.LogOnly, Statement: x.Decision.Statement, After: milliseconds(x.Decision.After)},
	}
	answer.RuleSetOf = x.RuleSetOf
	if x.Ended != nil {
		answer.Ended = &view.Ending{At: x.Start.Add(x.Ended.After), After: milliseconds(x.Ended.After), Reason: string(x.Ended.Reason), Answer: x.Ended.Answer}
	}
	for _, c := range x.Candidates {
		answer.Candidates = append(answer.Candidates, view.NewCandidate(&c))
	}
	for _, l := range x.Lookups {
		answer.Lookups = append(answer.Lookups, view.Lookup{
			Number: l.Number, After: milliseconds(l.After), Packets: l.Packets, Bytes: l.Bytes, Protocol: l.Protocol, Application: l.Application, Micro: l.Micro,
			Policy: l.Policy, Rule: l.Rule, Action: l.Action, Open: l.Open, Final: l.Final, State: l.State, Completed: l.Completed,
		})
	}
	return answer, nil
}

func milliseconds(d time.Duration) float64 { return float64(d/time.Microsecond) / 1000 }
