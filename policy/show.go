package policy

import (
	"cmp"
	"strings"
	"time"

	"sluice/store/schema"
)

// Policies lists the configured policies in the order of evaluation; the default policy is not
// among them.
func (e *Engine) Policies() []*Policy { return e.policies }

// DefaultPolicy is the policy of sessions that no configured policy matches.
func (e *Engine) DefaultPolicy() *Policy { return e.fallback }

// Filter chooses policies to show; the zero value chooses all.
type Filter struct {
	FromZone, ToZone string // of a zone pair
	Global           bool   // only global policies
	Name             string // of the policy
}

// chooses says whether the filter holds p.
func (f Filter) chooses(p *Policy) bool {
	return (f.FromZone == "" || f.FromZone == p.FromZone) && (f.ToZone == "" || f.ToZone == p.ToZone) &&
		(!f.Global || p.Global) && (f.Name == "" || f.Name == p.Name)
}

// Listing is what show security policies tells.
type Listing struct {
	DefaultPolicy      string `json:"default-policy"`        // permit-all or deny-all
	PreIDDefaultPolicy string `json:"pre-id-default-policy"` // what holds until the application is known
	Policies           []View `json:"policies"`
}

// View is one policy as commands show it, its fields in the order of the detailed listing.
type View struct {
	Name                       string            `json:"name"`
	Action                     Action            `json:"action-type"`
	State                      string            `json:"state"` // enabled, or disabled outside its scheduler's times
	Index                      uint32            `json:"index"`
	ScopePolicy                uint32            `json:"scope-policy"`
	Type                       string            `json:"policy-type"` // Configured or Default
	Description                string            `json:"description,omitempty"`
	Sequence                   int               `json:"sequence-number"` // place among the policies of its zones, from 1
	Global                     bool              `json:"global,omitempty"`
	FromZone                   string            `json:"from-zone"` // of a global policy: its zones, or any
	ToZone                     string            `json:"to-zone"`
	SourceVRFGroups            []string          `json:"source-vrf-group"`
	DestinationVRFGroups       []string          `json:"destination-vrf-group"`
	SourceNames                []string          `json:"source-names"` // as configured
	SourceAddresses            []AddressView     `json:"source-addresses"`
	SourceAddressExcluded      bool              `json:"source-address-excluded,omitempty"`
	DestinationNames           []string          `json:"destination-names"`
	DestinationAddresses       []AddressView     `json:"destination-addresses"`
	DestinationAddressExcluded bool              `json:"destination-address-excluded,omitempty"`
	ApplicationNames           []string          `json:"application-names"`
	Applications               []ApplicationView `json:"applications"`
	SourceIdentities           []string          `json:"source-identities,omitempty"`
	TCPOptions                 TCPOptionsView    `json:"tcp-options"`
	Scheduler                  string            `json:"scheduler-name,omitempty"`
	Services                   []string          `json:"application-services,omitempty"`
	LogInit                    bool              `json:"log-session-init,omitempty"`
	LogClose                   bool              `json:"log-session-close,omitempty"`
	Statistics                 *StatisticsView   `json:"statistics,omitempty"` // with then count
	Hits                       uint64            `json:"hits"`

	DynamicApplications []DynamicApplicationView `json:"dynamic-applications,omitempty"` // applications before groups, by name
	RedirectProfile     *ProfileView             `json:"dynapp-redir-profile,omitempty"`
	Firewall            *FirewallView            `json:"application-firewall,omitempty"`
	URLCategories       []string                 `json:"url-categories,omitempty"` // as configured
	LogOnly             bool                     `json:"log-only,omitempty"`
}

// AddressView is one address of a policy; sets are shown by their members.
type AddressView struct {
	Name  string   `json:"name"`
	Book  string   `json:"book,omitempty"` // "" for an address typed in place of a name
	Means []string `json:"means"`          // prefix, range ("A ~ B"), wildcard, or domain name and its addresses
}

// ApplicationView is one application of a policy; sets are shown by their members.
type ApplicationView struct {
	Name  string     `json:"name"`
	Terms []TermView `json:"terms"`
}

// TermView is one alternative of an application. Ports are 0-0 where there are none to match.
type TermView struct {
	Protocol          uint8            `json:"ip-protocol"`
	ALG               string           `json:"alg"`                // 0 for none
	InactivityTimeout uint64           `json:"inactivity-timeout"` // seconds, 0 when the protocol decides or for never
	Never             bool             `json:"never,omitempty"`    // sessions do not age
	SourcePorts       schema.PortRange `json:"source-port-range"`
	DestinationPorts  schema.PortRange `json:"destination-ports"`
	ICMPType          *uint8           `json:"icmp-type,omitempty"`
	ICMPCode          *uint8           `json:"icmp-code,omitempty"` // nil for all codes
}

// TCPOptionsView is what a policy asks of TCP sessions.
type TCPOptionsView struct {
	SYNCheck    bool `json:"syn-check"`
	SEQCheck    bool `json:"seq-check"`
	WindowScale bool `json:"window-scale"`
}

// StatisticsView is the counts of a policy with then count; input is what clients sent.
type StatisticsView struct {
	InputBytes       uint64 `json:"input-bytes"`
	OutputBytes      uint64 `json:"output-bytes"`
	InputPackets     uint64 `json:"input-packets"`
	OutputPackets    uint64 `json:"output-packets"`
	ActiveSessions   uint64 `json:"active-sessions"`
	SessionDeletions uint64 `json:"session-deletions"`
	PolicyLookups    uint64 `json:"policy-lookups"`
}

// List shows the policies that filter chooses, in the order of evaluation.
func (e *Engine) List(filter Filter) Listing {
	l := Listing{DefaultPolicy: "deny-all", PreIDDefaultPolicy: "permit-all", Policies: []View{}}
	if e.fallback.Action == Permit {
		l.DefaultPolicy = "permit-all"
	}
	now := e.st.now()
	for i, p := range e.policies {
		if filter.chooses(p) {
			l.Policies = append(l.Policies, e.view(i, now))
		}
	}
	return l
}

// MatchPolicies lists the policies that match a flow, at most count: the first decides, the
// others would without it. Without f.Content they are listed whatever application they match; with
// it, only those that match its names, where it has any, and its categories, where it is located. The
// default policy is listed when no other matches.
func (e *Engine) MatchPolicies(f *Flow, count int) []View {
	var q query
	e.ask(&q, f)
	if c := f.Content; e.content.limited != nil && c != nil {
		if len(c.Names) > 0 {
			q.content = e.content.certain(c)
		}
		if c.Located {
			q.category = e.categories.certain(c)
		}
	}
	var list []View
	now := e.st.now()
	for i := e.next(&q, 0); i >= 0 && len(list) < count; i = e.next(&q, i+1) {
		list = append(list, e.view(i, now))
	}
	if len(list) == 0 && count > 0 {
		v := e.fallback.view()
		v.Type, v.FromZone, v.ToZone = "Default", anyAddress, anyAddress
		list = append(list, v)
	}
	return list
}

// SchedulerView is one scheduler as commands show it.
type SchedulerView struct {
	Name     string   `json:"name"`
	Active   bool     `json:"active"`
	Policies []string `json:"policies"` // statements of the policies that name it
}

// Schedulers lists the schedulers that policies name.
func (e *Engine) Schedulers() []SchedulerView {
	views := make([]SchedulerView, len(e.schedules))
	for i, s := range e.schedules {
		views[i].Name = s.name
		views[i].Active, _ = s.at(e.st.now())
		for _, p := range s.users {
			views[i].Policies = append(views[i].Policies, strings.TrimPrefix(e.policies[p].path(), "security policies "))
		}
	}
	return views
}

// view shows the policy at position i.
func (e *Engine) view(i int, now time.Time) View {
	v := e.policies[i].view()
	e.showContent(e.policies[i], &v)
	if len(e.schedules) > 0 && e.holding(now).word(i/64)>>(i%64)&1 == 0 {
		v.State = "disabled"
	}
	return v
}

// view shows the policy, as if it held now.
func (p *Policy) view() View {
	any := []string{anyAddress}
	v := View{
		Name: p.Name, Action: p.Action, State: "enabled", Index: p.Index, Type: "Configured",
		Description: p.Description, Sequence: p.Sequence, Global: p.Global, FromZone: p.FromZone, ToZone: p.ToZone,
		SourceVRFGroups: any, DestinationVRFGroups: any,
		SourceNames: any, SourceAddresses: viewAddresses(p.sources),
		DestinationNames: any, DestinationAddresses: viewAddresses(p.destinations),
		ApplicationNames: any, Applications: viewApplications(p.services),
		SourceIdentities: p.users, Scheduler: p.Scheduler,
		TCPOptions: TCPOptionsView{p.TCPOptions.SYNCheckRequired, p.TCPOptions.SequenceCheckRequired, p.TCPOptions.WindowScale},
		LogInit:    p.LogInit, LogClose: p.LogClose,
		Hits: p.Counters.Hits.Load(),
	}
	if p.configured != nil {
		m := &p.configured.Match
		v.SourceNames, v.SourceAddressExcluded = m.SourceAddress, m.SourceAddressExcluded
		v.DestinationNames, v.DestinationAddressExcluded = m.DestinationAddress, m.DestinationAddressExcluded
		v.ApplicationNames = m.Application
	}
	if p.Global {
		v.FromZone = cmp.Or(strings.Join(p.fromZones, " "), anyAddress)
		v.ToZone = cmp.Or(strings.Join(p.toZones, " "), anyAddress)
	}
	v.Services = p.applicationServices()
	if p.Count {
		c := p.Counters
		opened, closed := c.SessionsOpened.Load(), c.SessionsClosed.Load()
		v.Statistics = &StatisticsView{
			InputBytes: c.BytesFromClient.Load(), OutputBytes: c.BytesFromServer.Load(),
			InputPackets: c.PacketsFromClient.Load(), OutputPackets: c.PacketsFromServer.Load(),
			ActiveSessions:   opened - min(opened, closed), // a session may end under another policy than let it in
			SessionDeletions: closed, PolicyLookups: v.Hits,
		}
	}
	return v
}

// applicationServices are the services on what the policy permits, as their statements name them; the
// application firewall is shown by itself.
func (p *Policy) applicationServices() (list []string) {
	for _, service := range []struct{ words, name string }{
		{"application-traffic-control rule-set ", p.TrafficControl}, {"ssl-proxy profile-name ", p.SSLProxy}, {"utm-policy ", p.WebFilter},
	} {
		if service.name != "" {
			list = append(list, service.words+service.name)
		}
	}
	if p.PacketCapture {
		list = append(list, "packet-capture")
	}
	if p.TCPProxy {
		list = append(list, "tcp-proxy")
	}
	return list
}

// viewAddresses shows addresses, the members of sets one by one; no address is any.
func viewAddresses(list []*address) []AddressView {
	if len(list) == 0 {
		list = []*address{allIPv4, allIPv6}
	}
	var views []AddressView
	seen := map[*address]bool{}
	var show func(a *address)
	show = func(a *address) {
		if seen[a] {
			return
		}
		seen[a] = true
		if !a.set {
			views = append(views, AddressView{a.name, a.book, a.means()})
		}
		for _, m := range a.members {
			show(m)
		}
	}
	for _, a := range list {
		show(a)
	}
	return views
}

// means is what a plain address stands for.
func (a *address) means() []string {
	switch {
	case a.entry != nil && a.entry.Range != nil:
		return []string{a.entry.Range.Low.String() + " ~ " + a.entry.Range.High.String()}
	case len(a.wildcards) > 0:
		text, _ := a.entry.Wildcard.Mask.MarshalText() // never fails
		return []string{string(text)}
	case len(a.names) > 0:
		list := []string{a.names[0].key.name}
		for _, addr := range a.names[0].addresses() {
			list = append(list, addr.String())
		}
		return list
	}
	return []string{a.prefixes[0].String()}
}

// viewApplications shows services; no service is any.
func viewApplications(list []*service) []ApplicationView {
	if len(list) == 0 {
		return []ApplicationView{{anyApplication, []TermView{{ALG: "0"}}}}
	}
	views := make([]ApplicationView, len(list))
	for i, s := range list {
		views[i].Name = s.name
		for j := range s.terms {
			views[i].Terms = append(views[i].Terms, s.terms[j].view())
		}
	}
	return views
}

// view shows one alternative.
func (t *term) view() TermView {
	v := TermView{Protocol: uint8(t.protocol), ALG: cmp.Or(t.alg, "0"), Never: t.timeout == Never}
	if !v.Never {
		v.InactivityTimeout = uint64(cmp.Or(t.timeout, protocolTimeout(t.protocol)) / time.Second)
	}
	switch {
	case hasPorts(t.protocol):
		v.SourcePorts = schema.PortRange{Low: t.source.low, High: t.source.high}
		v.DestinationPorts = schema.PortRange{Low: t.key.low, High: t.key.high}
	case t.key != everyPort:
		kind, code := uint8(t.key.low>>8), uint8(t.key.low)
		v.ICMPType = &kind
		if t.key.low == t.key.high {
			v.ICMPCode = &code
		}
	}
	return v
}
