package appqos

import (
	"maps"
	"slices"
	"strings"

	"sluice/store/schema"
)

// name lets r match an application, or the applications of a group. A name that an earlier
// configuration was accepted with, and that a package took away since, only warns.
func (c *compiler) name(r *Rule, path, name string, group bool) {
	c.e.names[name] = true
	if isUnknown(name) {
		r.names[unknown] = true
		return
	}
	found := c.lookup(name, group)
	for _, full := range found {
		r.names[full] = true
	}
	switch {
	case len(found) > 0:
	case c.e.state.accepted(name):
		c.warn(path, "delete it, or install a package that has it", "%s is no longer in the signature package: it matches nothing", name)
	default:
		hint := ""
		if c.apps != nil {
			hint = schema.DidYouMean(name, c.apps.Names())
		}
		c.problem(path, hint, "%q is neither in the signature package nor configured", name)
	}
}

// lookup lists the full names of the applications that a name means.
func (c *compiler) lookup(name string, group bool) (full []string) {
	if c.apps == nil {
		return nil
	}
	if a, ok := c.apps.Lookup(name); ok && !group {
		return []string{a.Name}
	}
	list, _ := c.apps.Group(name)
	for _, a := range list {
		full = append(full, a.Name)
	}
	return full
}

// isUnknown says whether a name stands for sessions that nothing matched.
func isUnknown(name string) bool {
	return strings.EqualFold(name, unknown) || strings.EqualFold("junos:"+name, unknown)
}

// warnAboutPolicies warns of policies whose applications no rule of their rule set names: their
// sessions are treated by none (guide, "Limitation of AppQoS with Unified Policies").
func (c *compiler) warnAboutPolicies() {
	policies := &c.cfg.Security.Policies
	for i := range policies.ZonePairs {
		z := &policies.ZonePairs[i]
		for j := range z.Policies {
			c.warnAboutPolicy("security policies from-zone "+z.From+" to-zone "+z.To, &z.Policies[j])
		}
	}
	for i := range policies.Global.Policies {
		c.warnAboutPolicy("security policies global", &policies.Global.Policies[i])
	}
}

func (c *compiler) warnAboutPolicy(path string, p *schema.Policy) {
	if p.Then.Permit == nil || p.Then.Permit.ApplicationServices.TrafficControl == nil {
		return
	}
	set := c.e.byName[p.Then.Permit.ApplicationServices.TrafficControl.RuleSet]
	matched := p.Match.DynamicApplication
	if set == nil || len(matched) == 0 || slices.Contains(matched, "any") || slices.Contains(matched, "none") {
		return
	}
	fits := slices.ContainsFunc(set.Rules, func(r *Rule) bool { return r.any || r.known })
	for _, name := range matched {
		if fits {
			return
		}
		if isUnknown(name) {
			fits = set.Names(unknown) || slices.ContainsFunc(set.Rules, func(r *Rule) bool { return r.unknown })
			continue
		}
		fits = slices.ContainsFunc(append(c.lookup(name, false), c.lookup(name, true)...), func(full string) bool { return set.Names(full) || c.used(set, full) })
	}
	if !fits {
		c.warn(path+" policy "+p.Name+" then permit application-services application-traffic-control", "match the same applications in both",
			"no rule of rule set %s names an application that the policy matches, so none treats its sessions", set.Name)
	}
}

// used says whether a rule of a set names a use (a micro-application) of an application.
func (c *compiler) used(set *RuleSet, application string) bool {
	return slices.ContainsFunc(set.Rules, func(r *Rule) bool {
		for name := range r.names {
			if a, ok := c.apps.Lookup(name); ok && a.Of != "" && strings.EqualFold("junos:"+strings.TrimPrefix(a.Of, "junos:"), application) {
				return true
			}
		}
		return false
	})
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
