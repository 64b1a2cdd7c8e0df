package policy

import (
	"cmp"
	"slices"

	"sluice/classify/appdb"
)

// DynamicApplicationView is one name of dynamic-application as commands show it.
type DynamicApplicationView struct {
	Name   string `json:"name"`             // in full
	Number uint32 `json:"number,omitempty"` // of the application; 0 for a group, and for what has none
	Group  bool   `json:"group,omitempty"`
}

// ProfileView names what refused web requests are answered with.
type ProfileView struct {
	Name string `json:"name"`
	ID   uint32 `json:"id"`
}

// FirewallView is a rule set of the traditional application firewall as commands show it.
type FirewallView struct {
	Name    string             `json:"rule-set"`
	Profile string             `json:"profile,omitempty"`
	Rules   []FirewallRuleView `json:"rules"`
	Default FirewallRuleView   `json:"default-rule"`
}

// FirewallRuleView is one rule of a FirewallView.
type FirewallRuleView struct {
	Name         string   `json:"rule"`
	Applications []string `json:"dynamic-applications,omitempty"`
	Groups       []string `json:"dynamic-application-groups,omitempty"`
	Action       string   `json:"action"`
	BlockMessage bool     `json:"block-message,omitempty"`
	Matched      uint64   `json:"sessions-matched"`
	Redirected   uint64   `json:"sessions-redirected"`
}

// Firewalls are the rule sets of the traditional application firewall, in the order of the
// configuration.
func (e *Engine) Firewalls() []FirewallView {
	list := make([]FirewallView, 0, len(e.firewalls))
	for _, f := range e.firewalls {
		list = append(list, e.viewFirewall(f))
	}
	return list
}

func (e *Engine) viewFirewall(f *Firewall) FirewallView {
	v := FirewallView{Name: f.Name, Profile: f.Profile, Rules: []FirewallRuleView{}, Default: e.viewRule(f.Default)}
	for _, r := range f.Rules {
		v.Rules = append(v.Rules, e.viewRule(r))
	}
	return v
}

func (e *Engine) viewRule(r *FirewallRule) FirewallRuleView {
	v := FirewallRuleView{Name: r.Name, Action: r.Action.String(), BlockMessage: r.Message != nil,
		Matched: r.Counters.Sessions.Load(), Redirected: r.Counters.Redirects.Load()}
	for _, a := range e.viewDynamic(append(slices.Clone(r.Applications), r.Groups...)) {
		if a.Group {
			v.Groups = append(v.Groups, a.Name)
		} else {
			v.Applications = append(v.Applications, a.Name)
		}
	}
	return v
}

// viewDynamic shows names of dynamic-application, applications before groups, each by name.
func (e *Engine) viewDynamic(names []string) []DynamicApplicationView {
	var list []DynamicApplicationView
	for _, name := range names {
		list = append(list, e.viewApplication(name))
	}
	slices.SortFunc(list, func(a, b DynamicApplicationView) int {
		if a.Group != b.Group {
			if a.Group {
				return 1
			}
			return -1
		}
		return cmp.Compare(a.Name, b.Name)
	})
	return list
}

// viewApplication shows one name; what is not known any more, as it was typed.
func (e *Engine) viewApplication(name string) DynamicApplicationView {
	if isUnknown(name) {
		return DynamicApplicationView{Name: appdb.Unknown}
	}
	if e.apps == nil {
		return DynamicApplicationView{Name: name}
	}
	if a, ok := e.apps.Lookup(name); ok {
		return DynamicApplicationView{Name: a.Name, Number: a.Number}
	}
	_, group := e.apps.Group(name)
	return DynamicApplicationView{Name: name, Group: group}
}

// showContent adds to v what the policy says about applications and web addresses.
func (e *Engine) showContent(p *Policy, v *View) {
	if p.configured == nil {
		return
	}
	v.DynamicApplications, v.URLCategories = e.viewDynamic(p.configured.Match.DynamicApplication), p.configured.Match.URLCategory
	if p.Message != nil {
		v.RedirectProfile = &ProfileView{p.Message.Profile, p.Message.ID}
	}
	if p.Firewall != nil {
		firewall := e.viewFirewall(p.Firewall)
		v.Firewall = &firewall
	}
	v.LogOnly = p.LogOnly || p.rulesLogOnly && p.Firewall != nil
}
