package manage

import (
	"fmt"
	"slices"
	"sort"
	"time"

	"sluice/manage/api"
	"sluice/manage/view"
	"sluice/proxy"
	"sluice/stack"
	"sluice/store/schema"
)

// maxSessions is how many sessions one answer holds; the filters are for finding the others.
const maxSessions = 20_000

// Sessions is the session table, as [proxy.Engine] has it.
type Sessions interface {
	Sessions(proxy.Filter) []proxy.Info
	Clear(proxy.Filter) int
	Summary() proxy.Summary
	Explain(proxy.Filter) (proxy.Explanation, bool)
	Counters() proxy.Counters
	Devices() map[string]*stack.Device
}

// sessions is the session table, or an error when the gateway runs without one.
func (s *Server) sessions() (Sessions, error) {
	if s.options.Sessions == nil {
		return nil, &api.Error{Message: "the gateway forwards nothing: it has no session table"}
	}
	return s.options.Sessions, nil
}

// foreign are filters for services that no session uses: nothing fits them.
var foreign = []string{
	"idp", "tunnel",
}

// filter is what the request selects; none says that no session can fit.
func (s *Server) filter(r *request) (f proxy.Filter, none bool, err error) {
	f = proxy.Filter{
		ID: r.number("session-identifier"), Source: r.prefix("source-prefix").Masked(), Destination: r.prefix("destination-prefix").Masked(),
		SourcePort: uint16(r.number("source-port")), DestinationPort: uint16(r.number("destination-port")), Protocol: r.protocol(),
		Interface: r.args["interface"], Application: r.args["application"], DynamicApplication: r.args["dynamic-application"],
		TrafficControl: r.args.Has("application-traffic-control"),
		Firewall:       r.args.Has("application-firewall"), RuleSet: r.args["application-firewall-rule-set"],
		NAT: r.args.Has("nat"), Encrypted: r.args.Has("encrypted"), Decrypted: r.args.Has("ssl"), Policy: r.args["policy-name"],
		Arranging: r.args.Has("resource-manager"),
		FromZone:  r.args["from-zone"], ToZone: r.args["to-zone"],
	}
	switch r.args["family"] {
	case "inet":
		f.Family = 4
	case "inet6":
		f.Family = 6
	}
	if s.options.Applications != nil {
		names := sessionNames{s.options.Applications.Catalogue()}
		f.Names, err = names, names.check(f.DynamicApplication)
	}
	return f, slices.ContainsFunc(foreign, r.args.Has), err
}

func showSessions(s *Server, r *request) (view.View, error) {
	table, err := s.sessions()
	if err != nil {
		return nil, err
	}
	if r.args.Has("summary") {
		sum := table.Summary()
		return &view.SessionSummary{Unicast: sum.Unicast, Multicast: sum.Multicast, Offloaded: sum.Offloaded, Failed: sum.Failed, InUse: sum.InUse, Valid: sum.Valid,
			Pending: sum.Pending, Invalidated: sum.Invalidated, Other: sum.Other, Maximum: sum.Maximum}, nil
	}
	if r.args.Has("explain") {
		return explainSession(s, table, r)
	}
	answer := &view.Sessions{Sessions: []view.Session{}, Extensive: r.args.Has("extensive"), TLS: r.args.Has("ssl")}
	f, none, err := s.filter(r)
	if none || err != nil {
		return answer, err
	}
	list := table.Sessions(f)
	answer.Matched = len(list)
	for i := range list {
		answer.Count(list[i].State)
	}
	for _, info := range list[:min(len(list), maxSessions)] {
		answer.Sessions = append(answer.Sessions, sessionView(info, s.started))
	}
	return answer, nil
}

// sessionView is info as commands show it; started is when the gateway came up.
func sessionView(info proxy.Info, started time.Time) view.Session {
	return view.Session{
		ID: info.ID, Policy: info.Policy, PolicyIndex: info.PolicyIndex, State: info.State,
		Timeout: wholeSeconds(info.Timeout), MaximumTimeout: wholeSeconds(info.MaxTimeout), Protocol: info.Protocol.String(),
		In: wingView(info.In), Out: wingView(info.Out), FromZone: info.FromZone, ToZone: info.ToZone, Service: info.Service,
		DynamicApplication: info.Application, NestedApplication: info.NestedApplication, ExtendedApplication: info.ExtendedApplication,
		Encryption: info.Encryption, RuleSet: info.RuleSet, Rule: info.Rule, NATRule: info.NATRule, Path: info.Path, ALG: info.ALG, Control: info.Control, TCPState: info.TCPState, Start: info.Start,
		Treatment:   treatmentView(info.Treatment),
		StartUptime: max(0, int64(info.Start.Sub(started)/time.Second)), Duration: int64(info.Duration / time.Second),
	}
}

func wingView(w proxy.Wing) view.Wing {
	return view.Wing{Source: w.Source, Destination: w.Destination, Interface: w.Interface, Packets: w.Packets, Bytes: w.Bytes}
}

// wholeSeconds is d in seconds; what is negative never ends.
func wholeSeconds(d time.Duration) int64 {
	if d < 0 {
		return view.Never
	}
	return int64(d / time.Second)
}

func clearSessions(s *Server, r *request) (view.View, error) {
	table, err := s.sessions()
	if err != nil {
		return nil, err
	}
	if r.args.Has("all") && len(r.args) > 1 {
		return nil, &api.Error{Message: "all cannot be combined with filters", Hint: "give all, or filters"}
	}
	f, none, err := s.filter(r)
	if none || err != nil {
		return &view.Cleared{}, err
	}
	return &view.Cleared{Sessions: table.Clear(f)}, nil
}

func showFlowStatistics(s *Server, _ *request) (view.View, error) {
	table, err := s.sessions()
	if err != nil {
		return nil, err
	}
	c := table.Counters()
	answer := &view.FlowStatistics{Counters: []view.Counter{
		{Name: "Current sessions", Value: table.Summary().InUse},
		{Name: "Sessions created", Value: c.SessionsCreated},
		{Name: "Sessions failed", Value: c.SessionsFailed},
		{Name: "Sessions ended by an internal error", Value: c.Panics},
		{Name: "Fragmented datagrams waiting", Value: uint64(c.FragmentsWaiting)},
		{Name: "Fragmented datagrams dropped", Value: c.FragmentsDropped},
	}}
	reasons := make([]string, 0, len(c.Drops))
	for reason := range c.Drops {
		reasons = append(reasons, reason)
	}
	sort.Strings(reasons)
	for _, reason := range reasons {
		answer.Counters = append(answer.Counters, view.Counter{Name: "Packets dropped, " + reason, Value: c.Drops[reason]})
	}
	return answer, nil
}

func showFlowStatus(s *Server, _ *request) (view.View, error) {
	table, err := s.sessions()
	if err != nil {
		return nil, err
	}
	cfg, _ := s.options.Store.Active()
	answer := &view.FlowStatus{TCP: tcpChoices(&cfg.Security.Flow), Rematch: "off"}
	if rematch := cfg.Security.Policies.Rematch; rematch != nil {
		answer.Rematch = "on"
		if rematch.Extensive {
			answer.Rematch = "extensive"
		}
	}
	devices := table.Devices()
	for _, l := range cfg.LogicalInterfaces() {
		if d := devices[l.Device]; d != nil {
			answer.Forwarding = append(answer.Forwarding, view.Forwarding{Interface: l.Name, Device: d.Name(), Queues: len(d.Queues()), Offload: d.Offload(), MTU: d.MTU()})
		}
	}
	return answer, nil
}

func showALG(s *Server, _ *request) (view.View, error) {
	cfg, _ := s.options.Store.Active()
	answer := &view.ALGs{}
	for _, name := range schema.ALGNames {
		answer.Gateways = append(answer.Gateways, view.ALG{Name: name, Enabled: cfg.Security.ALG.Enabled(name)})
	}
	return answer, nil
}

// tcpChoices are the choices about TCP sessions that differ from the default, in words.
func tcpChoices(f *schema.Flow) []string {
	lines := []string{}
	for _, choice := range []struct {
		on   bool
		text string
	}{
		{f.TCPSession.NoSYNCheck, "sessions may begin without SYN"},
		{f.TCPSession.NoSequenceCheck, "sequence numbers are not checked"},
		{f.TCPSession.RSTInvalidateSession, "RST ends a session at once"},
		{f.TCPSession.FINInvalidateSession, "the second FIN ends a session at once"},
		{f.TCPMSS.AllTCP.MSS != 0, fmt.Sprintf("MSS is at most %d bytes", f.TCPMSS.AllTCP.MSS)},
	} {
		if choice.on {
			lines = append(lines, choice.text)
		}
	}
	return lines
}
