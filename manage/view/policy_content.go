package view

import (
	"strconv"
	"strings"

	"sluice/policy"
)

// policyDynamic shows the applications of a policy as the guide does: at the margin, each with its
// number.
func policyDynamic(p *Page, v *Policy) {
	if len(v.DynamicApplications) > 0 {
		p.Line("  Dynamic Application:")
		groups := false
		for _, a := range v.DynamicApplications {
			if a.Group && !groups {
				groups = true
				p.Line("  Dynamic Application Group:")
			}
			if a.Number == 0 {
				p.Line("%s", a.Name)
			} else {
				p.Line("%s: %d", a.Name, a.Number)
			}
		}
	}
	if v.RedirectProfile != nil {
		p.Line("dynapp-redir-profile: %s", redirectProfile(v))
	}
}

// redirectProfile is the profile's name and number.
func redirectProfile(v *Policy) string {
	return v.RedirectProfile.Name + "(" + strconv.FormatUint(uint64(v.RedirectProfile.ID), 10) + ")"
}

func dynamicNames(list []policy.DynamicApplicationView) []string {
	names := make([]string, len(list))
	for i, a := range list {
		names[i] = a.Name
	}
	return names
}

// policyFirewall shows the rule set of a policy.
func policyFirewall(p *Page, indent string, f *policy.FirewallView) {
	p.Line("%sApplication firewall:", indent)
	p.Line("%s  Rule-set: %s", indent, f.Name)
	for i := range f.Rules {
		r := &f.Rules[i]
		p.Line("%s    Rule: %s", indent, r.Name)
		if len(r.Applications) > 0 {
			p.Line("%s      Dynamic Applications: %s", indent, strings.Join(r.Applications, ", "))
		}
		if len(r.Groups) > 0 {
			p.Line("%s      Dynamic Application Groups: %s", indent, strings.Join(r.Groups, ", "))
		}
		p.Line("%s      Action: %s", indent, ruleAction(r))
	}
	p.Line("%s    Default rule: %s", indent, ruleAction(&f.Default))
}

func ruleAction(r *policy.FirewallRuleView) string {
	if r.BlockMessage {
		return r.Action + ", block-message"
	}
	return r.Action
}

// Firewalls is the answer of "show security application-firewall rule-set".
type Firewalls struct {
	RuleSets []Firewall `json:"rule-sets"`
}

// Firewall is one rule set, with how many sessions wait for their application.
type Firewall struct {
	policy.FirewallView
	Pending int `json:"sessions-with-appid-pending"`
}

// Text shows every rule of every rule set with what it decided.
func (f *Firewalls) Text(p *Page) {
	for i := range f.RuleSets {
		if i > 0 {
			p.Line("")
		}
		f.RuleSets[i].text(p)
	}
}

func (f *Firewall) text(p *Page) {
	p.Line("Rule-set: %s", f.Name)
	p.Line("    Logical system: root-logical-system")
	p.Line("    Profile: %s", or(f.Profile, "N/A"))
	for i := range f.Rules {
		r := &f.Rules[i]
		p.Line("    Rule: %s", r.Name)
		if len(r.Applications) > 0 {
			p.Line("        Dynamic Applications: %s", strings.Join(r.Applications, ", "))
		}
		if len(r.Groups) > 0 {
			p.Line("        Dynamic Application Groups: %s", strings.Join(r.Groups, ", "))
		}
		p.Line("        SSL-Encryption: any")
		p.Line("        Action: %s", ruleAction(r))
		counts(p, r)
	}
	p.Line("    Default rule: %s", ruleAction(&f.Default))
	counts(p, &f.Default)
	p.Line("    Number of sessions with appid pending: %d", f.Pending)
}

func counts(p *Page, r *policy.FirewallRuleView) {
	p.Line("        Number of sessions matched: %d", r.Matched)
	p.Line("        Number of sessions redirected: %d", r.Redirected)
}
