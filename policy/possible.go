package policy

import "slices"

// eachPossible shows the policies that a flow may turn out to have while its content is not known, and
// then the certain one, until see has seen enough. It returns the certain one if it came to that, and
// there is one.
func (e *Engine) eachPossible(f *Flow, see func(*Policy) (more bool)) (certain *Policy) {
	var q query
	e.ask(&q, f)
	limited := e.content.limited != nil
	if limited {
		q.content = e.content.certain(f.Content)
		q.category = e.categories.certain(f.Content)
	}
	last := e.next(&q, 0)
	if limited && (f.Content == nil || !f.Content.Final) {
		q.content = e.content.possible(f.Content, false)
		q.category = e.categories.possible(f.Content)
		for i := e.next(&q, 0); i >= 0 && (last < 0 || i < last); i = e.next(&q, i+1) {
			if !see(e.policies[i]) {
				return nil
			}
		}
	}
	if last < 0 {
		return nil
	}
	see(e.policies[last])
	return e.policies[last]
}

// ControlsTraffic says whether some policy has a rule set of application traffic control.
func (e *Engine) ControlsTraffic() bool { return e.controls }

// TrafficControl is the rule sets of application traffic control that the policies name which a flow
// may turn out to have: none, one, or two where they disagree. More than two are not looked for.
// Policies that name none do not disagree with others (guide, "Understanding Default Application
// Quality of Service Rule Set for Unified Policies").
func (e *Engine) TrafficControl(f *Flow) (sets []string) {
	e.eachPossible(f, func(p *Policy) (more bool) {
		if p.Action == Permit && p.TrafficControl != "" && !slices.Contains(sets, p.TrafficControl) {
			sets = append(sets, p.TrafficControl)
		}
		return len(sets) < 2
	})
	return sets
}
