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
	DefaultPolicy      string       `json:"default-policy"`        // permit-all or deny-all
	PreIDDefaultPolicy string       `json:"pre-id-default-policy"` // what holds until the application is known
	Policies           []PolicyView `json:"policies"`
}

// PolicyView is one policy as commands show it, its fields in the order of the detailed listing.
type PolicyView struct {
	Name                       string            `json:"name"`
	Action                     Action            `json:"action-type"`
	State                      string            `json:"state"` // enabled, or disabled outside its scheduler's times
	Index                      uint32            `json:"index"`
	ScopePolicy                uint32            `json:"scope-policy"`
	Type                       string            `json:"policy-type"`
	Description                string            `json:"description,omitempty"`
	Sequence                   int               `json:"sequence-number"`
	Global                     bool              `json:"global,omitempty"`
	FromZone                   string            `json:"from-zone"` // of a global policy: its zones, or any
	ToZone                     string            `json:"to-zone"`
	SourceVRFGroups            []string          `json:"source-vrf-group"`
	DestinationVRFGroups       []string          `json:"destination-vrf-group"`
	SourceAddresses            []AddressView     `json:"source-addresses"`
	SourceAddressExcluded      bool              `json:"source-address-excluded,omitempty"`
	DestinationAddresses       []AddressView     `json:"destination-addresses"`
	DestinationAddressExcluded bool              `json:"destination-address-excluded,omitempty"`
	Applications               []ApplicationView `json:"applications"`
	SourceIdentities           []string          `json:"source-identities,omitempty"`
	Scheduler                  string            `json:"scheduler-name,omitempty"`
	TCPProxy                   bool              `json:"tcp-proxy,omitempty"`
	TCPOptions                 TCPOptionsView    `json:"tcp-options"`
	LogInit                    bool              `json:"log-session-init,omitempty"`
	LogClose                   bool              `json:"log-session-close,omitempty"`
	Statistics                 *StatisticsView   `json:"statistics,omitempty"` // with then count
	Hits                       uint64            `json:"hits"`
}

// AddressView is one address of a policy.
type AddressView struct {
	Name  string `json:"name"`
	Book  string `json:"book,omitempty"` // "" for an address typed in place of a name
	Value string `json:"value"`
}

// ApplicationView is one application of a policy.
type ApplicationView struct {
	Name  string     `json:"name"`
	Terms []TermView `json:"terms"`
}

// TermView is one alternative of an application.
type TermView struct {
	Protocol          uint8            `json:"ip-protocol"`
	ALG               string           `json:"alg"`                // "0" for none
	InactivityTimeout uint64           `json:"inactivity-timeout"` // seconds, 0 when the protocol decides
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

// StatisticsView is the counts of a policy with then count.
type StatisticsView struct {
	InputBytes       uint64 `json:"input-bytes"` // from clients
	OutputBytes      uint64 `json:"output-bytes"`
	InputPackets     uint64 `json:"input-packets"`
	OutputPackets    uint64 `json:"output-packets"`
	ActiveSessions   uint64 `json:"active-sessions"`
	SessionDeletions uint64 `json:"session-deletions"`
	PolicyLookups    uint64 `json:"policy-lookups"`
}

// List shows the policies that filter chooses, in the order of evaluation.
func (e *Engine) List(filter Filter) Listing {
	l := Listing{DefaultPolicy: e.fallbackName(), PreIDDefaultPolicy: "permit-all", Policies: []PolicyView{}}
	now := e.st.now()
	for i, p := range e.policies {
		if filter.chooses(p) {
			l.Policies = append(l.Policies, e.view(i, now))
		}
	}
	return l
}

// fallbackName is the default policy as configured.
func (e *Engine) fallbackName() string {
	if e.fallback.Action == Permit {
		return "permit-all"
	}
	return "deny-all"
}

// MatchPolicies lists the policies that match a flow, the one that decides first, count at most; the
// default policy is listed when it decides.
func (e *Engine) MatchPolicies(f *Flow, count int) []PolicyView {
	var q query
	e.ask(&q, f)
	var list []PolicyView
	now := e.st.now()
	for i := e.next(&q, 0); i >= 0 && len(list) < count; i = e.next(&q, i+1) {
		list = append(list, e.view(i, now))
	}
	if len(list) == 0 && count > 0 {
		list = append(list, e.fallbackView())
	}
	return list
}

// fallbackView shows the default policy.
func (e *Engine) fallbackView() PolicyView {
	v := e.fallback.view()
	v.Type, v.FromZone, v.ToZone = "Default", anyAddress, anyAddress
	return v
}

// view shows the policy at position i.
func (e *Engine) view(i int, now time.Time) PolicyView {
	p := e.policies[i]
	v := p.view()
	if len(e.schedules) > 0 && e.holding(now).word(i/64)>>(i%64)&1 == 0 {
		v.State = "disabled"
	}
	return v
}

// view shows the policy, as if it held now.
func (p *Policy) view() PolicyView {
	v := PolicyView{
		Name: p.Name, Action: p.Action, State: "enabled", Index: p.Index, Type: "Configured",
		Description: p.Description, Sequence: p.Sequence, Global: p.Global, FromZone: p.FromZone, ToZone: p.ToZone,
		SourceVRFGroups: []string{anyAddress}, DestinationVRFGroups: []string{anyAddress},
		SourceAddresses: viewAddresses(p.sources), DestinationAddresses: viewAddresses(p.destinations),
		Applications: viewApplications(p.services), SourceIdentities: p.users, Scheduler: p.Scheduler,
		TCPProxy:   p.TCPProxy,
		TCPOptions: TCPOptionsView{p.TCPOptions.SYNCheckRequired, p.TCPOptions.SequenceCheckRequired, p.TCPOptions.WindowScale},
		LogInit:    p.LogInit, LogClose: p.LogClose,
		Hits: p.Counters.Hits.Load(),
	}
	if p.configured != nil {
		v.SourceAddressExcluded = p.configured.Match.SourceAddressExcluded
		v.DestinationAddressExcluded = p.configured.Match.DestinationAddressExcluded
	}
	if p.Global {
		v.FromZone, v.ToZone = zoneList(p.fromZones), zoneList(p.toZones)
	}
	if p.Count {
		c := p.Counters
		closed := c.SessionsClosed.Load()
		v.Statistics = &StatisticsView{
			InputBytes: c.BytesFromClient.Load(), OutputBytes: c.BytesFromServer.Load(),
			InputPackets: c.PacketsFromClient.Load(), OutputPackets: c.PacketsFromServer.Load(),
			ActiveSessions: c.SessionsOpened.Load() - closed, SessionDeletions: closed, PolicyLookups: v.Hits,
		}
	}
	return v
}

// zoneList is the zones of a global policy.
func zoneList(zones []string) string {
	if len(zones) == 0 {
		return anyAddress
	}
	return strings.Join(zones, " ")
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
		if a.members == nil {
			views = append(views, AddressView{a.name, a.book, a.value()})
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

// value is what a plain address stands for.
func (a *address) value() string {
	switch {
	case a.entry != nil && a.entry.Range != nil:
		return a.entry.Range.Low.String() + " ~ " + a.entry.Range.High.String()
	case len(a.wildcards) > 0:
		text, _ := a.entry.Wildcard.Mask.MarshalText()
		return string(text)
	case len(a.names) > 0:
		value := a.names[0].key.name
		for _, addr := range a.names[0].addresses() {
			value += " " + addr.String()
		}
		return value
	case len(a.prefixes) == 1:
		return a.prefixes[0].String()
	}
	return ""
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
	v := TermView{Protocol: uint8(t.protocol), ALG: cmp.Or(t.alg, "0")}
	timeout := cmp.Or(t.timeout, protocolTimeout(t.protocol))
	if timeout != Never {
		v.InactivityTimeout = uint64(timeout / time.Second)
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
