package appdb

import (
	"net/netip"

	"sluice/classify/decode"
)

// Priority says how signatures of a custom application stand to predefined applications.
type Priority uint8

const (
	// Low gives way to a predefined application.
	Low Priority = iota
	// High comes before every predefined application.
	High
)

var priorityNames = [...]string{"low", "high"}

// String is the priority in one word.
func (p Priority) String() string { return priorityNames[p] }

// ICMPMapping is a sort of ICMP message; never of ICMPv6.
type ICMPMapping struct {
	Type uint8
	Code *uint8 // nil: every code
}

// ServerMapping is a set of servers, by address and port.
type ServerMapping struct {
	Prefix   netip.Prefix
	Protocol uint8       // IP protocol; 0: any
	Ports    []PortRange // nil: every port
}

// Has says whether a session over an IP protocol goes to one of the servers.
func (m *ServerMapping) Has(protocol uint8, server netip.AddrPort) bool {
	return m.Prefix.Contains(server.Addr().Unmap()) && (m.Protocol == 0 || m.Protocol == protocol) &&
		inPorts(m.Ports, protocol, server.Port())
}

// Pattern is one alternative by which signatures recognise an application: all its members must
// match, each somewhere in the session, in either direction.
type Pattern struct {
	Name    string      // of the signature
	Over    string      // "TCP", "UDP", or a protocol's name without Prefix; "": any
	Ports   []PortRange // destination ports of the session; nil: any
	Order   int         // precedence, smaller first; 0: after all others
	Chain   bool        // the members must match in their order
	Members []Member
}

// On says whether the pattern may be found in a session over an IP protocol to a server's port.
func (p *Pattern) On(protocol uint8, port uint16) bool {
	switch {
	case p.Over == "TCP" && protocol != decode.TCP, p.Over == "UDP" && protocol != decode.UDP:
		return false
	}
	return inPorts(p.Ports, protocol, port)
}

// Member is one regular expression of a pattern.
type Member struct {
	Context    decode.Context
	Directions [2]bool // by decode.Direction
	Regexp     string  // in the syntax of Hyperscan, not anchored
	Depth      int     // bytes from the start of the context in which the match must end; 0: all
}

func inPorts(ranges []PortRange, protocol uint8, port uint16) bool {
	for _, r := range ranges {
		if r.Has(protocol, port) {
			return true
		}
	}
	return len(ranges) == 0
}
