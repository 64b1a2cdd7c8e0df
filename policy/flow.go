// Package policy decides what a session may do: it compiles the zones, address books,
// applications, schedulers, policies and source translation rules of a configuration into an
// immutable [Engine], whose lookups neither allocate nor lock.
//
// In reading order: [Flow] is the question and [Verdict] the answer; [Compile] builds the
// engine (zones, books, services, schedules, policies, the applications, categories and users that they
// match, firewall rule sets, translation rules) and its tables (side, ports, bitmap); [Engine.Lookup] asks
// it, by what is certain and what is possible while the content is not known; show is what commands show;
// [State] keeps what outlives one engine.
package policy

import (
	"net/netip"
	"time"

	"sluice/store/schema"
)

// Flow is the beginning of a session, as its first packet shows it.
type Flow struct {
	FromZone, ToZone   string // zones of the interfaces it arrives and leaves by, "junos-host" for the gateway itself
	Src, Dst           netip.Addr
	Protocol           schema.Protocol
	SrcPort, DstPort   uint16   // 0 for protocols without ports
	ICMPType, ICMPCode uint8    // of ICMP and ICMPv6
	User               *User    // who sends; nil while no user table tells
	Content            *Content // what it carries; nil while nothing is known of that
}

// User is what a user table knows about a source address.
type User struct {
	Name  string   // "" when nobody has logged in from the address
	Roles []string // roles and groups of the user
}

// key is the second half of what applications match: the destination port, or type and code
// of an ICMP message.
func (f *Flow) key() uint16 {
	if f.Protocol == schema.ProtoICMP || f.Protocol == schema.ProtoICMPv6 {
		return uint16(f.ICMPType)<<8 | uint16(f.ICMPCode)
	}
	return f.DstPort
}

// Action is what happens to a session that a policy matches.
type Action uint8

// The actions of policies.
const (
	Permit Action = iota // the session passes
	Deny                 // its packets are dropped silently
	Reject               // it is refused with RST or ICMP unreachable
)

// String is the action as commands show it.
func (a Action) String() string {
	switch a {
	case Permit:
		return "permit"
	case Deny:
		return "deny"
	default:
		return "reject"
	}
}

// MarshalText writes the action as commands show it.
func (a Action) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// Never is the [Verdict] timeout of a session that does not age.
const Never = time.Duration(schema.Never)

// NoService is the [Verdict] service of a flow that no known application fits.
const NoService = "None"

// Verdict is the answer to a flow.
type Verdict struct {
	Policy  *Policy       // the first policy that matches, or the default policy; never nil
	Service string        // most specific application that fits protocol and port, or NoService
	Timeout time.Duration // inactivity timeout of that application; 0 for the protocol's default
	ALG     string        // application layer gateway of that application; "" for none
	Action  Action        // what happens: the policy's action, or that of its rule set's rule
	WouldBe Action        // what would happen if it were not only to be logged
	Rule    *FirewallRule // of the policy's rule set; nil without one
	Message *Message      // answer to a refused web request; nil for none
	Open    bool          // another answer is possible once more is known of the content
	Again   bool          // another answer is possible later, at the latest when the session carries something else
}
