package view

import (
	"strconv"
	"strings"

	"sluice/policy"
)

// Policies is the answer of "show security policies".
type Policies struct {
	Default      string   `json:"default-policy"`        // permit-all or deny-all
	PreIDDefault string   `json:"pre-id-default-policy"` // what holds until the application is known
	Policies     []Policy `json:"policies"`
	Detail       bool     `json:"detail"`
}

// Policy is one policy; its action is a word, as it travels.
type Policy struct {
	policy.View
	Action string `json:"action-type"`
}

// PolicyList makes the policies of an engine ready to travel.
func PolicyList(list []policy.View) []Policy {
	out := make([]Policy, len(list))
	for i, p := range list {
		out[i] = Policy{p, p.Action.String()}
	}
	return out
}

// Text shows the policies in short or, with detail, in the layout of the guide.
func (v *Policies) Text(p *Page) {
	p.Line("Default policy: %s", v.Default)
	p.Line("Pre ID default policy: %s", v.PreIDDefault)
	heading := ""
	for i := range v.Policies {
		one := &v.Policies[i]
		if v.Detail {
			policyDetail(p, one)
			continue
		}
		if h := policyHeading(one); h != heading {
			heading = h
			p.Line("%s", h)
		}
		policyBrief(p, one)
	}
}

// policyHeading is the line above the policies of one context.
func policyHeading(v *Policy) string {
	if v.Global {
		return "Global policies:"
	}
	return "From zone: " + v.FromZone + ", To zone: " + v.ToZone
}

func policyBrief(p *Page, v *Policy) {
	p.Line("  Policy: %s, State: %s, Index: %d, Scope Policy: %d, Sequence number: %d", v.Name, v.State, v.Index, v.ScopePolicy, v.Sequence)
	if v.Global {
		p.Line("    From zones: %s, To zones: %s", v.FromZone, v.ToZone)
	}
	p.Line("    Source addresses: %s", names(v.SourceNames, v.SourceAddressExcluded))
	p.Line("    Destination addresses: %s", names(v.DestinationNames, v.DestinationAddressExcluded))
	p.Line("    Applications: %s", names(v.ApplicationNames, false))
	if len(v.DynamicApplications) > 0 {
		p.Line("    Dynamic Applications: %s", names(dynamicNames(v.DynamicApplications), false))
	}
	if len(v.URLCategories) > 0 {
		p.Line("    URL categories: %s", names(v.URLCategories, false))
	}
	if len(v.SourceIdentities) > 0 {
		p.Line("    Source identities: %s", names(v.SourceIdentities, false))
	}
	p.Line("    Action: %s", policyAction(v))
	if v.RedirectProfile != nil {
		p.Line("    Redirect profile: %s", redirectProfile(v))
	}
	if v.Firewall != nil {
		policyFirewall(p, "    ", v.Firewall)
	}
}

// names is a list on one line.
func names(list []string, excluded bool) string {
	text := or(strings.Join(list, ", "), "any")
	if excluded {
		return text + " (excluded)"
	}
	return text
}

// policyAction is the action with what goes with it.
func policyAction(v *Policy) string {
	parts := append([]string{v.Action}, v.Services...)
	if v.LogInit || v.LogClose {
		parts = append(parts, "log")
	}
	if v.Statistics != nil {
		parts = append(parts, "count")
	}
	if v.LogOnly {
		parts = append(parts, "log-only")
	}
	if v.Scheduler != "" {
		parts = append(parts, "scheduled")
	}
	return strings.Join(parts, ", ")
}

// policyDetail is one policy in the guide's layout, with lines of our own at the end.
func policyDetail(p *Page, v *Policy) {
	p.Line("Policy: %s, action-type: %s, State: %s, Index: %d, Scope Policy: %d", v.Name, v.Action, v.State, v.Index, v.ScopePolicy)
	p.Line("  Policy Type: %s", v.Type)
	if v.Description != "" {
		p.Line("  Description: %s", v.Description)
	}
	p.Line("  Sequence number: %d", v.Sequence)
	p.Line("  From zone: %s, To zone: %s", v.FromZone, v.ToZone)
	p.list("Source vrf group", v.SourceVRFGroups)
	p.list("Destination vrf group", v.DestinationVRFGroups)
	policyAddresses(p, "Source addresses", v.SourceAddresses, v.SourceAddressExcluded)
	policyAddresses(p, "Destination addresses", v.DestinationAddresses, v.DestinationAddressExcluded)
	for i := range v.Applications {
		policyApplication(p, &v.Applications[i])
	}
	policyDynamic(p, v)
	if len(v.URLCategories) > 0 {
		p.list("URL categories", v.URLCategories)
	}
	if len(v.SourceIdentities) > 0 {
		p.list("Source identities", v.SourceIdentities)
	}
	p.Line("  Per policy TCP Options: SYN check: %s, SEQ check: %s, Window scale: %s",
		yesNo(v.TCPOptions.SYNCheck), yesNo(v.TCPOptions.SEQCheck), yesNo(v.TCPOptions.WindowScale))
	if v.Scheduler != "" {
		p.Line("  Scheduler: %s", v.Scheduler)
	}
	if len(v.Services) > 0 {
		p.Line("  Application services: %s", strings.Join(v.Services, ", "))
	}
	if log := logWords(v.LogInit, v.LogClose); log != "" {
		p.Line("  Session log: %s", log)
	}
	if v.LogOnly {
		p.Line("  Refusals: logged only")
	}
	if v.Firewall != nil {
		policyFirewall(p, "  ", v.Firewall)
	}
	if st := v.Statistics; st != nil {
		p.Line("  Policy statistics:")
		p.Line("    Input  bytes       : %d", st.InputBytes)
		p.Line("    Output bytes       : %d", st.OutputBytes)
		p.Line("    Input  packets     : %d", st.InputPackets)
		p.Line("    Output packets     : %d", st.OutputPackets)
		p.Line("    Active sessions    : %d", st.ActiveSessions)
		p.Line("    Session deletions  : %d", st.SessionDeletions)
		p.Line("    Policy lookups     : %d", st.PolicyLookups)
	}
}

// list is a title with a line for each word below it.
func (p *Page) list(title string, words []string) {
	p.Line("  %s:", title)
	for _, word := range words {
		p.Line("    %s", word)
	}
}

func policyAddresses(p *Page, title string, list []policy.AddressView, excluded bool) {
	if excluded {
		title += " (excluded)"
	}
	p.Line("  %s:", title)
	for _, a := range list {
		name := a.Name
		if a.Book != "" {
			name += "(" + a.Book + ")"
		}
		for _, means := range a.Means {
			p.Line("    %s: %s", name, means)
		}
		if len(a.Means) == 0 {
			p.Line("    %s", name)
		}
	}
}

func policyApplication(p *Page, a *policy.ApplicationView) {
	p.Line("  Application: %s", a.Name)
	for i := range a.Terms {
		t := &a.Terms[i]
		timeout := strconv.FormatUint(t.InactivityTimeout, 10)
		if t.Never {
			timeout = "never"
		}
		p.Line("    IP protocol: %d, ALG: %s, Inactivity timeout: %s", t.Protocol, t.ALG, timeout)
		switch {
		case t.ICMPType == nil:
			p.Line("    Source port range: [%d-%d]", t.SourcePorts.Low, t.SourcePorts.High)
			p.Line("    Destination ports: [%d-%d]", t.DestinationPorts.Low, t.DestinationPorts.High)
		case t.ICMPCode == nil:
			p.Line("    ICMP Information: type=%d, code=any", *t.ICMPType)
		default:
			p.Line("    ICMP Information: type=%d, code=%d", *t.ICMPType, *t.ICMPCode)
		}
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
	Count    uint64 `json:"policy-count"`
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
// which decides. Where none fits it is the default policy.
type Matches struct {
	Policies []Policy `json:"policies"`
}

// Text shows each policy in the layout of "show security policies detail".
func (m *Matches) Text(p *Page) {
	for i := range m.Policies {
		policyDetail(p, &m.Policies[i])
	}
}
