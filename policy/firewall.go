package policy

import (
	"maps"
	"net/url"
	"slices"
	"sync/atomic"

	"sluice/store/schema"
)

// Firewall is a rule set of the traditional application firewall: what happens, by application, to
// the sessions of the policies that name it.
type Firewall struct {
	Name    string
	Rules   []*FirewallRule
	Default *FirewallRule // what no rule matches
	Profile string        // "" for none
}

// RuleCounters count the sessions that a rule of an application firewall decided about, each once,
// and those of them that were answered with a page. They live as long as the rule is configured.
type RuleCounters struct {
	Sessions, Redirects atomic.Uint64
}

// FirewallRule is one rule of a Firewall.
type FirewallRule struct {
	Name                 string // "default-rule" for the default
	Set                  *Firewall
	Applications, Groups []string // as configured
	Action               Action
	Message              *Message // answer to a refused web request; nil for none
	Counters             *RuleCounters

	matches map[string]string // each full name of an application, with the one that it is a use of, or ""
}

// defaultRule is the name of a rule set's default rule in logs.
const defaultRule = "default-rule"

// Message is the answer to a web request that is refused.
type Message struct {
	Profile  string // "" for the default text
	ID       uint32 // of the profile, from 1
	Text     string // page; "" for the default text
	Redirect string // address that the client is sent to; "" for none
}

// Statement is the statement that the rule is configured by.
func (r *FirewallRule) Statement() string {
	path := firewallPath + "rule-sets " + r.Set.Name + " "
	if r == r.Set.Default {
		return path + defaultRule
	}
	return path + "rule " + r.Name
}

// decide finds the rule for a content. certain is false when a later content may find another.
func (f *Firewall) decide(c *Content) (rule *FirewallRule, certain bool) {
	var possible *FirewallRule // the first that may match and lets the session pass
	open := false
	sure := c.Sure(f.names)
	for _, r := range f.Rules {
		switch {
		case r.admits(sure):
			return passing(possible, r), !open
		case r.mayAdmit(c):
			open = true
			if possible == nil && r.Action == Permit {
				possible = r
			}
		}
	}
	return passing(possible, f.Default), !open
}

// passing is the rule that holds while one that lets the session pass is possible.
func passing(possible, certain *FirewallRule) *FirewallRule {
	if possible != nil {
		return possible
	}
	return certain
}

// names says whether some rule names an application.
func (f *Firewall) names(name string) bool {
	return slices.ContainsFunc(f.Rules, func(r *FirewallRule) bool { return r.admits([]string{name}) })
}

// admits says whether the rule names one of the applications.
func (r *FirewallRule) admits(names []string) bool {
	for _, name := range names {
		if _, ok := r.matches[name]; ok {
			return true
		}
	}
	return false
}

// mayAdmit says whether the rule may match once more is known than c.
func (r *FirewallRule) mayAdmit(c *Content) bool {
	switch {
	case c == nil:
		return true
	case c.Final:
		return false
	case !c.Settled, len(c.Coming) > 0 && r.admits(c.Names), r.admits(c.Coming):
		return true
	}
	return !c.Used && r.uses(c)
}

// uses says whether the rule names a use of an application of c.
func (r *FirewallRule) uses(c *Content) bool {
	for _, of := range r.matches {
		if of != "" && slices.Contains(c.Names, of) {
			return true
		}
	}
	return false
}

const firewallPath = "security application-firewall "

// The most that a configuration may have.
const (
	maxRuleSets      = 1_000
	maxFirewallRules = 10_000 // in all rule sets together, default rules not counted
)

// compileFirewalls reads the rule sets, and the answers of their profiles and of those of policies.
func (c *compiler) compileFirewalls() {
	security := &c.cfg.Security
	c.firewalls, c.messages = map[string]*Firewall{}, map[string]*Message{}
	for i := range security.DynamicApplication.Profiles {
		p := &security.DynamicApplication.Profiles[i]
		c.messages[p.Name] = c.message("security dynamic-application profile "+p.Name+" redirect-message", p.Name, uint32(i+1), &p.Redirect)
	}
	messages := map[string]*Message{}
	for i := range security.ApplicationFirewall.Profiles {
		p := &security.ApplicationFirewall.Profiles[i]
		messages[p.Name] = c.message(firewallPath+"profile "+p.Name+" block-message", p.Name, uint32(i+1), &p.Message)
	}
	rules := 0
	for i := range security.ApplicationFirewall.RuleSets {
		set := &security.ApplicationFirewall.RuleSets[i]
		rules += len(set.Rules)
		f := c.firewall(set, messages[set.Profile])
		c.firewalls[set.Name] = f
		c.e.firewalls = append(c.e.firewalls, f)
	}
	if sets := len(c.e.firewalls); sets > maxRuleSets {
		c.problem(firewallPath+"rule-sets", "let policies share rule sets", "there are %d rule sets, and at most %d may be", sets, maxRuleSets)
	}
	if rules > maxFirewallRules {
		c.problem(firewallPath+"rule-sets", "name several applications, or groups, in a rule", "there are %d rules, and at most %d may be", rules, maxFirewallRules)
	}
}

// message reads an answer.
func (c *compiler) message(path, profile string, id uint32, m *schema.BlockMessage) *Message {
	message := &Message{Profile: profile, ID: id}
	switch {
	case m.Type.CustomText != nil:
		message.Text = m.Type.CustomText.Content
	case m.Type.RedirectURL != nil:
		message.Redirect = m.Type.RedirectURL.Content
		if u, err := url.Parse(message.Redirect); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			c.problem(path+" type custom-redirect-url", "write it as http://host/path", "%q is not the address of a page", message.Redirect)
		}
	}
	return message
}

// firewall compiles one rule set; message is its profile's, or nil.
func (c *compiler) firewall(set *schema.FirewallRuleSet, message *Message) *Firewall {
	path := firewallPath + "rule-sets " + set.Name
	if message == nil {
		message = &Message{}
	}
	f := &Firewall{Name: set.Name, Profile: set.Profile}
	for i := range set.Rules {
		r := &set.Rules[i]
		rulePath := path + " rule " + r.Name
		rule := &FirewallRule{Name: r.Name, Set: f, Counters: c.st.firewallRule(set.Name, r.Name), Applications: r.Match.Applications, Groups: r.Match.Groups, matches: map[string]string{}}
		for _, set := range slices.Concat(c.matchContent(rulePath+" match dynamic-application", r.Match.Applications),
			c.matchContent(rulePath+" match dynamic-application-groups", r.Match.Groups)) {
			maps.Copy(rule.matches, set.of)
		}
		if len(r.Match.Applications)+len(r.Match.Groups) == 0 {
			c.problem(rulePath+" match", "add dynamic-application or dynamic-application-groups", "the rule matches nothing")
		}
		if !rule.then(r.Then.Permit, r.Then.Deny, r.Then.Reject, message) {
			c.problem(rulePath+" then", "add permit, deny or reject", "the rule has no action")
		}
		f.Rules = append(f.Rules, rule)
	}
	f.Default = &FirewallRule{Name: defaultRule, Set: f, Counters: c.st.firewallRule(set.Name, "")}
	if d := &set.Default; !f.Default.then(d.Permit, d.Deny, d.Reject, message) {
		c.problem(path, "set "+path+" default-rule permit, deny or reject", "default-rule is missing: it decides about applications that no rule matches")
	}
	return f
}

// then gives the rule its action, and says whether there is one.
func (r *FirewallRule) then(permit bool, deny, reject *schema.FirewallBlock, message *Message) bool {
	block := deny
	switch {
	case permit:
		r.Action = Permit
		return true
	case deny != nil:
		r.Action = Deny
	case reject != nil:
		r.Action, block = Reject, reject
	default:
		return false
	}
	if block.BlockMessage {
		r.Message = message
	}
	return true
}
