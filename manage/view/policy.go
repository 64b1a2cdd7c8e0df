package view

import (
	"strconv"
	"strings"
)

// Policies is the answer of "show security policies".
type Policies struct {
	Default  string   `json:"default-policy"` // permit-all or deny-all
	Policies []Policy `json:"policies"`
	Detail   bool     `json:"detail"`
}

// Policy is one security policy.
type Policy struct {
	Name           string        `json:"name"`
	Description    string        `json:"description,omitempty"`
	Index          uint32        `json:"index"`
	Sequence       int           `json:"sequence"` // place among the policies of its zones, from 1
	FromZone       string        `json:"from-zone"`
	ToZone         string        `json:"to-zone"`
	Global         bool          `json:"global"`
	Action         string        `json:"action"` // permit, deny or reject
	Services       []string      `json:"services,omitempty"`
	Enabled        bool          `json:"enabled"`
	Scheduler      string        `json:"scheduler,omitempty"`
	Source         []Address     `json:"source-addresses"`
	Destination    []Address     `json:"destination-addresses"`
	SourceExcluded bool          `json:"source-excluded,omitempty"`
	DestExcluded   bool          `json:"destination-excluded,omitempty"`
	Identities     []string      `json:"source-identities,omitempty"`
	Applications   []Application `json:"applications"`
	SYNCheck       bool          `json:"syn-check"`
	SequenceCheck  bool          `json:"sequence-check"`
	WindowScale    bool          `json:"window-scale"`
	LogInit        bool          `json:"log-session-init"`
	LogClose       bool          `json:"log-session-close"`
	Counters       *PolicyCounts `json:"counters,omitempty"` // of a policy that counts
	HitCount       uint64        `json:"hit-count"`
}

// PolicyCounts is what then count counts.
type PolicyCounts struct {
	Sessions  uint64 `json:"sessions"`
	PacketsIn uint64 `json:"packets-from-client"`
	BytesIn   uint64 `json:"bytes-from-client"`
	PacketsUp uint64 `json:"packets-from-server"`
	BytesUp   uint64 `json:"bytes-from-server"`
}

// Address is one address of a policy, by name, with what it stands for.
type Address struct {
	Name  string   `json:"name"`
	Book  string   `json:"book,omitempty"`
	Means []string `json:"means,omitempty"` // prefixes, ranges, names
}

// Application is one application of a policy, with its terms.
type Application struct {
	Name  string            `json:"name"`
	Terms []ApplicationTerm `json:"terms,omitempty"`
}

// ApplicationTerm is one alternative of an application.
type ApplicationTerm struct {
	Protocol        string `json:"protocol"` // "0" for any
	ALG             string `json:"alg,omitempty"`
	SourcePort      string `json:"source-port,omitempty"`      // "0-0" for any
	DestinationPort string `json:"destination-port,omitempty"` // "0-0" for any
	Timeout         int64  `json:"inactivity-timeout"`         // seconds, 0 for the protocol's, Never
}

// Text shows the policies in short or, with detail, in the layout of the guide.
func (v *Policies) Text(p *Page) {
	p.Line("Default policy: %s", v.Default)
	if v.Detail {
		p.Line("Pre ID default policy: permit-all")
		for i := range v.Policies {
			v.Policies[i].detail(p)
		}
		return
	}
	heading := ""
	for i := range v.Policies {
		policy := &v.Policies[i]
		if h := policy.zones(); h != heading {
			heading = h
			p.Line("%s", h)
		}
		p.Line("  Policy: %s, State: %s, Index: %d, Scope Policy: 0, Sequence number: %d", policy.Name, policy.state(), policy.Index, policy.Sequence)
		if policy.Global {
			p.Line("    From zones: %s, To zones: %s", or(policy.FromZone, "any"), or(policy.ToZone, "any"))
		}
		p.Line("    Source addresses: %s", addressNames(policy.Source, policy.SourceExcluded))
		p.Line("    Destination addresses: %s", addressNames(policy.Destination, policy.DestExcluded))
		p.Line("    Applications: %s", applicationNames(policy.Applications))
		if len(policy.Identities) > 0 {
			p.Line("    Source identities: %s", strings.Join(policy.Identities, ", "))
		}
		p.Line("    Action: %s", policy.action())
	}
}

func (v *Policy) zones() string {
	if v.Global {
		return "Global policies:"
	}
	return "From zone: " + v.FromZone + ", To zone: " + v.ToZone
}

func (v *Policy) state() string {
	if v.Enabled {
		return "enabled"
	}
	return "disabled"
}

// action is the action with what goes with it.
func (v *Policy) action() string {
	parts := append([]string{v.Action}, v.Services...)
	if v.LogInit || v.LogClose {
		parts = append(parts, "log")
	}
	if v.Counters != nil {
		parts = append(parts, "count")
	}
	if v.Scheduler != "" {
		parts = append(parts, "scheduled")
	}
	return strings.Join(parts, ", ")
}

func addressNames(list []Address, excluded bool) string {
	names := make([]string, len(list))
	for i, a := range list {
		names[i] = a.Name
	}
	text := or(strings.Join(names, ", "), "any")
	if excluded {
		return text + " (excluded)"
	}
	return text
}

func applicationNames(list []Application) string {
	names := make([]string, len(list))
	for i, a := range list {
		names[i] = a.Name
	}
	return or(strings.Join(names, ", "), "any")
}

// detail is one policy in the guide's layout, lines of our own at the end.
func (v *Policy) detail(p *Page) {
	p.Line("Policy: %s, action-type: %s, State: %s, Index: %d, Scope Policy: 0", v.Name, v.Action, v.state(), v.Index)
	p.Line("  Policy Type: Configured")
	if v.Description != "" {
		p.Line("  Description: %s", v.Description)
	}
	p.Line("  Sequence number: %d", v.Sequence)
	p.Line("  From zone: %s, To zone: %s", or(v.FromZone, "any"), or(v.ToZone, "any"))
	p.Line("  Source vrf group:")
	p.Line("    any")
	p.Line("  Destination vrf group:")
	p.Line("    any")
	addresses(p, "Source addresses", v.Source, v.SourceExcluded)
	addresses(p, "Destination addresses", v.Destination, v.DestExcluded)
	for _, a := range v.Applications {
		a.detail(p)
	}
	if len(v.Identities) > 0 {
		p.Line("  Source identities:")
		for _, name := range v.Identities {
			p.Line("    %s", name)
		}
	}
	p.Line("  Per policy TCP Options: SYN check: %s, SEQ check: %s, Window scale: %s", yesNo(v.SYNCheck), yesNo(v.SequenceCheck), yesNo(v.WindowScale))
	if v.Scheduler != "" {
		p.Line("  Scheduler: %s", v.Scheduler)
	}
	if len(v.Services) > 0 {
		p.Line("  Application services: %s", strings.Join(v.Services, ", "))
	}
	if log := logWords(v.LogInit, v.LogClose); log != "" {
		p.Line("  Session log: %s", log)
	}
	if c := v.Counters; c != nil {
		p.Line("  Policy statistics:")
		p.Line("    Input  bytes: %d, packets: %d", c.BytesIn, c.PacketsIn)
		p.Line("    Output bytes: %d, packets: %d", c.BytesUp, c.PacketsUp)
		p.Line("    Sessions: %d", c.Sessions)
	}
}

func addresses(p *Page, title string, list []Address, excluded bool) {
	if excluded {
		title += " (excluded)"
	}
	p.Line("  %s:", title)
	for _, a := range list {
		name := a.Name
		if a.Book != "" {
			name += "(" + a.Book + ")"
		}
		if len(a.Means) == 0 {
			p.Line("    %s", name)
			continue
		}
		for _, means := range a.Means {
			p.Line("    %s: %s", name, means)
		}
	}
}

func (a *Application) detail(p *Page) {
	p.Line("  Application: %s", a.Name)
	for _, t := range a.Terms {
		p.Line("    IP protocol: %s, ALG: %s, Inactivity timeout: %s", or(t.Protocol, "0"), or(t.ALG, "0"), seconds(t.Timeout))
		p.Line("    Source port range: [%s]", or(t.SourcePort, "0-0"))
		p.Line("    Destination ports: [%s]", or(t.DestinationPort, "0-0"))
	}
}

func logWords(init, end bool) string {
	var words []string
	if init {
		words = append(words, "at-create")
	}
	if end {
		words = append(words, "at-close")
	}
	return strings.Join(words, ", ")
}

// HitCounts is the answer of "show security policies hit-count".
type HitCounts struct {
	Policies []HitCount `json:"policies"`
}

// HitCount says how often a policy decided.
type HitCount struct {
	FromZone string `json:"from-zone"`
	ToZone   string `json:"to-zone"`
	Name     string `json:"name"`
	Count    uint64 `json:"count"`
	Action   string `json:"action"`
}

// Text shows a line for each policy.
func (h *HitCounts) Text(p *Page) {
	rows := make([][]string, len(h.Policies))
	for i, c := range h.Policies {
		rows[i] = []string{strconv.Itoa(i + 1), or(c.FromZone, "any"), or(c.ToZone, "any"), c.Name, strconv.FormatUint(c.Count, 10), title(c.Action)}
	}
	p.Table([]string{"Index", "From zone", "To zone", "Name", "Policy count", "Action"}, rows)
	p.Line("")
	p.Line("Number of policy: %d", len(h.Policies))
}

// title is text with a capital at its start.
func title(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// Matches is the answer of "show security match-policies": the policies that fit, the first of
// which decides.
type Matches struct {
	Policies []Policy `json:"policies"`
	Default  string   `json:"default-policy"` // decides when none fits
}

// Text shows each policy in the layout of "show security policies detail".
func (m *Matches) Text(p *Page) {
	if len(m.Policies) == 0 {
		p.Line("No policy matches; the default policy decides: %s", m.Default)
		return
	}
	for i := range m.Policies {
		m.Policies[i].detail(p)
	}
}
