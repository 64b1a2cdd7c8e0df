package view

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Never is the timeout of a session that does not age, in seconds.
const Never = -1

// Wing is one direction of a session: In as the client sends, Out as the server answers.
type Wing struct {
	Source      netip.AddrPort `json:"source"`
	Destination netip.AddrPort `json:"destination"`
	Interface   string         `json:"interface"`
	Gateway     netip.Addr     `json:"gateway,omitzero"` // next hop towards Source, when it is not Source itself
	Packets     uint64         `json:"packets"`
	Bytes       uint64         `json:"bytes"`
}

// Session is one session of the gateway.
type Session struct {
	ID                  uint64     `json:"id"`
	Policy              string     `json:"policy"`
	PolicyIndex         uint32     `json:"policy-index"`
	State               string     `json:"state"`           // Valid, Pending or Invalidated
	Timeout             int64      `json:"timeout"`         // seconds until it ages out, Never
	MaximumTimeout      int64      `json:"maximum-timeout"` // seconds, Never
	Protocol            string     `json:"protocol"`
	In                  Wing       `json:"in"`
	Out                 Wing       `json:"out"`
	FromZone            string     `json:"from-zone"`
	ToZone              string     `json:"to-zone"`
	Service             string     `json:"service"`
	DynamicApplication  string     `json:"dynamic-application"`                   // the protocol, as policies name it
	NestedApplication   string     `json:"nested-application"`                    // what runs over it, "" where nothing is known of that
	ExtendedApplication string     `json:"extended-application"`                  // custom application of the server's address beside another, or ""
	Encryption          string     `json:"encryption"`                            // Yes, No, "" while unknown
	RuleSet             string     `json:"rule-set,omitempty"`                    // of the application firewall; "" without one
	Rule                string     `json:"rule,omitempty"`                        // of the rule set
	Treatment           *Treatment `json:"application-traffic-control,omitempty"` // nil without one
	NATRule             string     `json:"nat-rule"`                              // "" without translation
	Path                string     `json:"path"`                                  // express: forwarded as packets; stream: relayed
	ALG                 string     `json:"alg,omitempty"`                         // application layer gateway that watches it, or has let it through
	Control             uint64     `json:"control-session,omitempty"`             // that has arranged it; 0 for none
	TCPState            string     `json:"tcp-state"`
	Start               time.Time  `json:"start"`
	StartUptime         int64      `json:"start-uptime"` // seconds the gateway had been up
	Duration            int64      `json:"duration"`     // seconds
}

// Sessions is the answer of "show security flow session".
type Sessions struct {
	Sessions    []Session `json:"sessions"`
	Extensive   bool      `json:"extensive"`
	TLS         bool      `json:"tls"`     // only sessions whose TLS the gateway decrypts were asked for
	Matched     int       `json:"matched"` // sessions that the filter fits; Sessions may hold fewer
	Valid       int       `json:"valid"`   // of those that the filter fits
	Pending     int       `json:"pending"`
	Invalidated int       `json:"invalidated"`
	Other       int       `json:"other"`
}

// Count adds a session in state, as [Session] has it, to the counts by state.
func (s *Sessions) Count(state string) {
	switch state {
	case "Valid":
		s.Valid++
	case "Pending":
		s.Pending++
	case "Invalidated":
		s.Invalidated++
	default:
		s.Other++
	}
}

// Text shows the sessions in the layout of the guide, which frames the brief list with a heading
// and the counts by state, and ends the others with the total alone.
func (s *Sessions) Text(p *Page) {
	framed := !s.Extensive && !s.TLS
	if framed {
		p.Line("Flow Sessions on FPC0 PIC0:")
	}
	for i := range s.Sessions {
		if i > 0 {
			p.Line("")
		}
		if s.Extensive {
			s.Sessions[i].extensive(p)
		} else {
			s.Sessions[i].brief(p)
		}
	}
	if len(s.Sessions) < s.Matched {
		p.Line("(the first %d of %d sessions: narrow the filter to see the others)", len(s.Sessions), s.Matched)
	}
	if framed {
		p.Line("Valid sessions: %d", s.Valid)
		p.Line("Pending sessions: %d", s.Pending)
		p.Line("Invalidated sessions: %d", s.Invalidated)
		p.Line("Sessions in other states: %d", s.Other)
	}
	p.Line("Total sessions: %d", s.Matched)
}

func (s *Session) brief(p *Page) {
	p.Line("Session ID: %d, Policy name: %s, Timeout: %s, %s", s.ID, s.policy(), seconds(s.Timeout), s.State)
	s.resource(p)
	for _, wing := range s.wings() {
		p.Line("  %s: %s --> %s;%s, Conn Tag: 0x0, If: %s, Pkts: %d, Bytes: %d,", wing.name,
			endpoint(wing.Source), endpoint(wing.Destination), s.Protocol, or(wing.Interface, "N/A"), wing.Packets, wing.Bytes)
	}
}

// resource tells of an application layer gateway: the control session, and whether this is it (0) or one
// that it has arranged.
func (s *Session) resource(p *Page) {
	switch {
	case s.ALG == "":
	case s.Control == 0:
		p.Line("Resource information : %s ALG, %d, 0", strings.ToUpper(s.ALG), s.ID)
	default:
		p.Line("Resource information : %s ALG, %d, %d", strings.ToUpper(s.ALG), s.Control, s.ID)
	}
}

func (s *Session) extensive(p *Page) {
	p.Line("Session ID: %d, Status: Normal", s.ID)
	p.Line("Flags: 0x0/0x0/0x0/0x0")
	p.Line("Policy name: %s", s.policy())
	s.resource(p)
	if s.NATRule == "" {
		p.Line("Source NAT pool: Null")
	} else {
		p.Line("Source NAT pool: interface, Rule: %s", s.NATRule)
	}
	nested := ""
	if s.NestedApplication != "" {
		nested = " Dynamic nested application: " + s.NestedApplication + ","
	}
	if s.ExtendedApplication != "" {
		nested += " Extended application: " + s.ExtendedApplication + ","
	}
	p.Line("Dynamic application: %s,%s", or(s.DynamicApplication, "junos:UNKNOWN"), nested)
	p.Line("Encryption: %s", or(s.Encryption, "Unknown"))
	if s.RuleSet != "" {
		p.Line("Application firewall rule-set: %s, Rule: %s", s.RuleSet, s.Rule)
	}
	s.Treatment.lines(p)
	p.Line("Maximum timeout: %s, Current timeout: %s", seconds(s.MaximumTimeout), seconds(s.Timeout))
	p.Line("Session State: %s", s.State)
	p.Line("Start time: %d, Duration: %d", s.StartUptime, s.Duration)
	for _, wing := range s.wings() {
		gateway := wing.Gateway
		if !gateway.IsValid() {
			gateway = wing.Source.Addr()
		}
		p.Line("  %s: %s --> %s;%s,", wing.name, endpoint(wing.Source), endpoint(wing.Destination), s.Protocol)
		p.Line("    Conn Tag: 0x0, Interface: %s,", or(wing.Interface, "N/A"))
		p.Line("    Session token: 0x0, Flag: 0x0")
		p.Line("    Route: 0x0, Gateway: %s, Tunnel: 0", gateway)
		p.Line("    Port sequence: 0, FIN sequence: 0,")
		p.Line("    FIN state: 0,")
		p.Line("    Pkts: %d, Bytes: %d", wing.Packets, wing.Bytes)
	}
	tcp := ""
	if s.TCPState != "" {
		tcp = ", TCP state: " + s.TCPState
	}
	p.Line("Path: %s, From zone: %s, To zone: %s, Service: %s%s", or(s.Path, "N/A"), or(s.FromZone, "N/A"), or(s.ToZone, "N/A"), or(s.Service, "None"), tcp)
}

// policy is the policy's name and index, as sessions show them.
func (s *Session) policy() string {
	return s.Policy + "/" + strconv.FormatUint(uint64(s.PolicyIndex), 10)
}

// namedWing is a wing under the name it is shown by.
type namedWing struct {
	name string
	*Wing
}

func (s *Session) wings() [2]namedWing {
	return [2]namedWing{{"In", &s.In}, {"Out", &s.Out}}
}

// endpoint is an address and port, with a slash as the guide writes them.
func endpoint(a netip.AddrPort) string {
	return fmt.Sprintf("%s/%d", a.Addr(), a.Port())
}

func seconds(n int64) string {
	if n == Never {
		return "never"
	}
	return strconv.FormatInt(n, 10)
}

// SessionSummary is the answer of "show security flow session summary".
type SessionSummary struct {
	Unicast     uint64 `json:"unicast"`
	Multicast   uint64 `json:"multicast"`
	Offloaded   uint64 `json:"services-offload"`
	Failed      uint64 `json:"failed"`
	InUse       uint64 `json:"in-use"`
	Valid       uint64 `json:"valid"`
	Pending     uint64 `json:"pending"`
	Invalidated uint64 `json:"invalidated"`
	Other       uint64 `json:"other"`
	Maximum     uint64 `json:"maximum"`
}

// Text shows the totals.
func (s *SessionSummary) Text(p *Page) {
	p.Line("Unicast-sessions: %d", s.Unicast)
	p.Line("Multicast-sessions: %d", s.Multicast)
	p.Line("Services-offload-sessions: %d", s.Offloaded)
	p.Line("Failed-sessions: %d", s.Failed)
	p.Line("Sessions-in-use: %d", s.InUse)
	p.Line("  Valid sessions: %d", s.Valid)
	p.Line("  Pending sessions: %d", s.Pending)
	p.Line("  Invalidated sessions: %d", s.Invalidated)
	p.Line("  Sessions in other states: %d", s.Other)
	p.Line("Maximum-sessions: %d", s.Maximum)
}

// Cleared is the answer of "clear security flow session".
type Cleared struct {
	Sessions int `json:"sessions"`
}

// Text shows how many sessions ended.
func (c *Cleared) Text(p *Page) {
	p.Line("%d active sessions cleared", c.Sessions)
}

// FlowStatus is the answer of "show security flow status".
type FlowStatus struct {
	Forwarding []Forwarding `json:"forwarding"`
	TCP        []string     `json:"tcp-session"` // what deviates from the default, in words
	Rematch    string       `json:"policy-rematch"`
}

// Forwarding is how packets reach the gateway on one interface.
type Forwarding struct {
	Interface string `json:"interface"`
	Device    string `json:"device"`
	Queues    int    `json:"queues"`
	Offload   bool   `json:"offload"`
	MTU       int    `json:"mtu"`
}

// Text shows the state of every device.
func (f *FlowStatus) Text(p *Page) {
	p.Line("Flow forwarding mode:")
	p.Line("  Inet forwarding mode: flow based")
	p.Line("  Inet6 forwarding mode: flow based")
	p.Line("Flow policy rematch: %s", or(f.Rematch, "off"))
	for _, line := range f.TCP {
		p.Line("Flow TCP session: %s", line)
	}
	if len(f.Forwarding) == 0 {
		return
	}
	p.Line("Packet devices:")
	rows := make([][]string, 0, len(f.Forwarding))
	for _, d := range f.Forwarding {
		mode := "offloads"
		if !d.Offload {
			mode = "plain (no offloads: slower)"
		}
		rows = append(rows, []string{d.Interface, d.Device, strconv.Itoa(d.Queues), strconv.Itoa(d.MTU), mode})
	}
	p.Table([]string{"Interface", "Device", "Queues", "MTU", "Mode"}, rows)
}

// ALGs is the answer of "show security alg status".
type ALGs struct {
	Gateways []ALG `json:"application-layer-gateways"`
}

// ALG is one application layer gateway.
type ALG struct {
	Name    string `json:"name"`
	Enabled bool   `json:"enabled"`
}

// Text shows a line for each.
func (a *ALGs) Text(p *Page) {
	p.Line("ALG Status :")
	for _, g := range a.Gateways {
		state := "Enabled"
		if !g.Enabled {
			state = "Disabled"
		}
		p.Line("  %-8s : %s", strings.ToUpper(g.Name), state)
	}
}

// FlowStatistics is the answer of "show security flow statistics".
type FlowStatistics struct {
	Counters []Counter `json:"counters"`
}

// Counter is one number under its name.
type Counter struct {
	Name  string `json:"name"` // as shown: "Packets dropped: no route"
	Value uint64 `json:"value"`
}

// counters is a table of counters as the guide lays it out: a column of names of a width, and their values.
func (p *Page) counters(indent string, width int, heading string, rows []Counter) {
	p.Line("%s%-*s%s", indent, width, heading, "Value")
	for _, c := range rows {
		p.Line("%s%-*s%d", indent, width, c.Name, c.Value)
	}
}

// Text shows a line for each counter.
func (f *FlowStatistics) Text(p *Page) {
	for _, c := range f.Counters {
		p.Line("%s: %d", c.Name, c.Value)
	}
}
