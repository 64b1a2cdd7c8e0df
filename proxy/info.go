package proxy

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"sluice/classify/appdb"
	"sluice/store/schema"
	"sluice/track"
)

// Wing is one direction of a session as commands show it: "In" is what the client sends, "Out"
// what the server sends, each with the addresses it arrives with.
type Wing struct {
	Source      netip.AddrPort `json:"source"`
	Destination netip.AddrPort `json:"destination"`
	Interface   string         `json:"interface"` // logical interface it arrives on
	Packets     uint64         `json:"packets"`
	Bytes       uint64         `json:"bytes"` // of IP packets, headers included
}

// Info is a session as commands show it.
type Info struct {
	ID                  uint64          `json:"session-identifier"`
	Policy              string          `json:"policy"`
	PolicyIndex         uint32          `json:"policy-index"`
	State               string          `json:"state"` // Valid, Pending or Invalidated
	Timeout             time.Duration   `json:"timeout"`
	MaxTimeout          time.Duration   `json:"maximum-timeout"` // negative: never
	Protocol            schema.Protocol `json:"protocol"`
	In                  Wing            `json:"in"`
	Out                 Wing            `json:"out"`
	FromZone            string          `json:"from-zone"`
	ToZone              string          `json:"to-zone"`
	Service             string          `json:"service"` // application by protocol and port
	Application         string          `json:"application"`
	NestedApplication   string          `json:"nested-application"`
	ExtendedApplication string          `json:"extended-application"` // custom application of the server's address beside another
	Encryption          string          `json:"encryption"`
	NATRule             string          `json:"nat-rule,omitempty"`
	RuleSet             string          `json:"rule-set,omitempty"`                    // of the application firewall
	Rule                string          `json:"rule,omitempty"`                        // of RuleSet
	Treatment           *Treatment      `json:"application-traffic-control,omitempty"` // nil without one
	Open                bool            `json:"open"`                                  // its policy, or rule, is not found yet
	Path                string          `json:"path"`                                  // express, offload or stream
	ALG                 string          `json:"alg,omitempty"`                         // application layer gateway that watches it, or has let it through
	Control             uint64          `json:"control-session,omitempty"`             // that has arranged it; 0 for none
	TCPState            string          `json:"tcp-state,omitempty"`
	Start               time.Time       `json:"start"`
	Duration            time.Duration   `json:"duration"`
}

// Filter selects sessions; a field left zero selects all.
type Filter struct {
	ID                          uint64
	Source, Destination         netip.Prefix
	SourcePort, DestinationPort uint16
	Protocol                    *schema.Protocol
	Interface                   string // logical interface, in or out
	Application                 string // application by protocol and port, or as DynamicApplication
	DynamicApplication          string // application by content, in any case, with or without prefix
	Names                       Names  // what else these names stand for; nil: nothing
	Family                      int    // 4 or 6
	NAT, Encrypted              bool
	Arranging                   bool   // it is a control session, or one that such a session has arranged
	Decrypted                   bool   // the SSL proxy opens its TLS
	Firewall                    bool   // under a rule set of the application firewall
	RuleSet                     string // of the application firewall
	TrafficControl              bool   // under a rule set of application traffic control
	Policy                      string
	FromZone, ToZone            string
}

// Names knows what the names of applications stand for.
type Names interface {
	// Means says whether somebody who says name may mean an application, given by its full name:
	// name may be an earlier name of it, a group that it is in, or what it is a part of.
	Means(name, application string) bool
}

func (f *Filter) matches(s *Session) bool {
	c := &s.wings[fromClient]
	src, dst := c.key.Source(), c.key.Destination()
	switch {
	case f.ID != 0 && f.ID != s.id,
		f.Source.IsValid() && !f.Source.Contains(src.Addr()),
		f.Destination.IsValid() && !f.Destination.Contains(dst.Addr()),
		f.SourcePort != 0 && f.SourcePort != src.Port(),
		f.DestinationPort != 0 && f.DestinationPort != dst.Port(),
		f.Protocol != nil && *f.Protocol != s.protocol,
		f.Interface != "" && f.Interface != s.ingress && f.Interface != s.egress,
		f.Application != "" && !strings.EqualFold(f.Application, s.service) && !f.carries(s, f.Application),
		f.DynamicApplication != "" && !f.carries(s, f.DynamicApplication),
		f.Family == 4 && !src.Addr().Is4(),
		f.Family == 6 && !src.Addr().Is6(),
		f.NAT && s.natRule == "",
		f.Encrypted && s.encryption() != "Yes",
		f.Arranging && s.control == nil,
		f.Decrypted && !s.has(stateDecrypted),
		f.TrafficControl && s.treatment() == nil,
		(f.Firewall || f.RuleSet != "") && !f.rules(s),
		f.Policy != "" && f.Policy != s.verdict.Load().Name,
		f.FromZone != "" && f.FromZone != s.fromZone.Name,
		f.ToZone != "" && f.ToZone != s.toZone.Name:
		return false
	}
	return true
}

// rules says whether a rule set of the application firewall decides about s, and is the one.
func (f *Filter) rules(s *Session) bool {
	set, _ := s.ruleOf()
	return set != "" && (f.RuleSet == "" || f.RuleSet == set)
}

// unknownApplication is the dynamic application of a session that nothing has identified.
const unknownApplication = "junos:UNKNOWN"

// carries says whether name is the session's protocol or application.
func (f *Filter) carries(s *Session, name string) bool {
	application, nested, extended := s.applications()
	return f.means(name, application) || nested != "" && f.means(name, nested) || extended != "" && f.means(name, extended)
}

func (f *Filter) means(name, application string) bool {
	return strings.EqualFold(name, application) || strings.EqualFold(appdb.Prefix+name, application) ||
		f.Names != nil && f.Names.Means(name, application)
}

// Sessions lists the sessions that f selects, by identifier.
func (e *Engine) Sessions(f Filter) []Info {
	var list []Info
	e.table.each(func(s *Session) bool {
		if f.matches(s) {
			list = append(list, e.info(s))
		}
		return true
	})
	slices.SortFunc(list, func(a, b Info) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// Clear ends the sessions that f selects and says how many they were.
func (e *Engine) Clear(f Filter) (cleared int) {
	e.table.each(func(s *Session) bool {
		if f.matches(s) && (!s.has(stateClosing) || s.has(stateBlocked)) {
			e.end(s, track.ReasonCLI)
			cleared++
		}
		return true
	})
	return cleared
}

// lasted is how long s has gone on, or went on until it ended.
func (e *Engine) lasted(s *Session) time.Duration {
	if ended := s.ended.Load(); ended != 0 {
		return time.Duration(ended - s.born)
	}
	return time.Duration(e.now() - s.born)
}

func (e *Engine) info(s *Session) Info {
	c, r := &s.wings[fromClient], &s.wings[fromServer]
	p := s.verdict.Load()
	i := Info{
		ID: s.id, Policy: p.Name, PolicyIndex: p.Index, State: "Valid", Protocol: s.protocol,
		FromZone: s.fromZone.Name, ToZone: s.toZone.Name, Service: s.service,
		Encryption: s.encryption(), Open: s.has(statePotential), NATRule: s.natRule, Path: s.path.String(),
		Start: s.started, Duration: e.lasted(s),
	}
	found, _, _ := s.found()
	i.Application, i.NestedApplication, i.ExtendedApplication = found.Protocol, nested(&found), found.Extended
	i.RuleSet, i.Rule = s.ruleOf()
	i.Treatment = s.treatment()
	if c := s.control; c != nil {
		i.ALG = c.name
		if c.session != s {
			i.Control = c.session.id
		}
	}
	switch {
	case s.has(stateClosing):
		i.State = "Invalidated"
	case s.pending():
		i.State = "Pending"
	}
	if s.has(stateOffloaded) {
		i.Path = "offload"
		e.refresh(s)
	}
	i.MaxTimeout, i.Timeout = time.Duration(s.timeout.Load()), 0
	if int64(i.MaxTimeout) == noTimeout {
		i.MaxTimeout, i.Timeout = -1, -1
	} else {
		i.Timeout = max(0, i.MaxTimeout-time.Duration(e.now()-s.lastSeen.Load()))
	}
	i.In = Wing{Source: c.key.Source(), Destination: c.key.Destination(), Interface: s.ingress}
	i.In.Packets, i.In.Bytes = e.total(c)
	i.Out = Wing{Source: c.leave.Destination(), Destination: s.natSource(), Interface: s.egress}
	i.Out.Packets, i.Out.Bytes = e.total(r)
	switch s.protocol {
	case schema.ProtoTCP:
		i.TCPState = s.tcpState()
	case schema.ProtoICMP, schema.ProtoICMPv6:
		// The guide shows an echo session as source/sequence --> destination/identifier.
		id := c.key.SrcPort
		i.In.Source = netip.AddrPortFrom(i.In.Source.Addr(), s.icmpSeq)
		i.In.Destination = netip.AddrPortFrom(i.In.Destination.Addr(), id)
		i.Out.Source = netip.AddrPortFrom(i.Out.Source.Addr(), c.leave.SrcPort)
		i.Out.Destination = netip.AddrPortFrom(i.Out.Destination.Addr(), s.icmpSeq)
	}
	return i
}

// tcpState names where the connection is in its life (RFC 9293 section 3.3.2).
func (s *Session) tcpState() string {
	state := s.state.Load()
	switch {
	case state&stateClosing != 0:
		return "Closed"
	case state&(stateFINClient|stateFINServer) != 0:
		return "Half-closed"
	case state&stateEstablished != 0:
		return "Established"
	case state&stateSYNACK != 0:
		return "SYN-ACK seen"
	}
	return "SYN seen"
}

// Summary counts sessions by state.
type Summary struct {
	Unicast     uint64 `json:"unicast-sessions"`
	Multicast   uint64 `json:"multicast-sessions"`
	Offloaded   uint64 `json:"services-offload-sessions"` // carried by the kernel
	Failed      uint64 `json:"failed-sessions"`           // refused since start
	InUse       uint64 `json:"sessions-in-use"`
	Valid       uint64 `json:"valid-sessions"`
	Pending     uint64 `json:"pending-sessions"`
	Invalidated uint64 `json:"invalidated-sessions"`
	Other       uint64 `json:"sessions-in-other-states"`
	Maximum     uint64 `json:"maximum-sessions"`
}

// Summary counts the sessions of the table.
func (e *Engine) Summary() Summary {
	sum := Summary{Offloaded: uint64(max(0, e.offloaded.Load())), Failed: e.failed.Load(), Maximum: defaultMaximumSessions}
	if cfg := e.config.Load(); cfg != nil {
		sum.Maximum = uint64(cfg.maximum)
	}
	e.table.each(func(s *Session) bool {
		sum.InUse++
		if s.server().Addr().IsMulticast() {
			sum.Multicast++
		} else {
			sum.Unicast++
		}
		switch {
		case s.has(stateClosing):
			sum.Invalidated++
		case s.pending():
			sum.Pending++
		default:
			sum.Valid++
		}
		return true
	})
	return sum
}
