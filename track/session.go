package track

import (
	"net/netip"
	"time"
)

// Session is what a log record says about a session. The caller fills in what it knows and keeps
// ownership: every call of the Tracker copies the value. A field left empty is written the way
// its layout asks for: N/A, UNKNOWN, None or the address before translation.
type Session struct {
	ID uint64 `json:"session-id"`

	Source         netip.AddrPort `json:"source"`                   // client as received
	Destination    netip.AddrPort `json:"destination"`              // server as requested
	NATSource      netip.AddrPort `json:"nat-source,omitzero"`      // after source NAT; invalid: not translated
	NATDestination netip.AddrPort `json:"nat-destination,omitzero"` // after destination NAT; invalid: not translated
	Protocol       uint8          `json:"protocol"`                 // IP protocol number
	ICMPType       uint8          `json:"icmp-type,omitzero"`       // of the first packet, for ICMP and ICMPv6

	SourceNATRule      string `json:"src-nat-rule,omitzero"`
	DestinationNATRule string `json:"dst-nat-rule,omitzero"`

	Policy   string `json:"policy"`
	FromZone string `json:"from-zone"`
	ToZone   string `json:"to-zone"`
	User     string `json:"user,omitzero"`
	Roles    string `json:"roles,omitzero"`

	Service           string `json:"service,omitzero"`            // application by protocol and port (junos-http)
	Application       string `json:"application,omitzero"`        // identified application without junos: (HTTP)
	NestedApplication string `json:"nested-application,omitzero"` // application above it (FACEBOOK-ACCESS)
	Category          string `json:"category,omitzero"`
	SubCategory       string `json:"sub-category,omitzero"`
	Risk              uint8  `json:"risk,omitzero"` // 1 (lowest) to 5; 0 is not known
	Characteristics   string `json:"characteristics,omitzero"`
	Encrypted         string `json:"encrypted,omitzero"` // Yes, No, or empty for not known

	IngressInterface string `json:"ingress-interface,omitzero"` // logical interface (ge-0/0/1.0)
	EgressInterface  string `json:"egress-interface,omitzero"`
	RoutingInstance  string `json:"routing-instance,omitzero"` // empty: default

	// Application-based routing.
	RoutingProfile    string `json:"apbr-profile,omitzero"`
	RoutingRule       string `json:"apbr-rule,omitzero"`
	RoutingPolicy     string `json:"apbr-policy,omitzero"`
	RoutingRuleType   string `json:"apbr-rule-type,omitzero"` // application, dscp, application-dscp, default
	DSCP              string `json:"dscp,omitzero"`           // decimal value matched by the rule
	WebFilterCategory string `json:"webfilter-category,omitzero"`
	MultipathRule     string `json:"multipath-rule,omitzero"`
	UplinkInterface   string `json:"uplink-interface,omitzero"`
	UplinkTxBytes     uint64 `json:"uplink-tx-bytes,omitzero"`
	UplinkRxBytes     uint64 `json:"uplink-rx-bytes,omitzero"`
	SourceVRF         string `json:"source-vrf-group,omitzero"`
	DestinationVRF    string `json:"destination-vrf-group,omitzero"`

	// Before the change that RT_FLOW_NEXTHOP_CHANGE tells of.
	LastEgressInterface string `json:"last-egress-interface,omitzero"`
	LastUplinkInterface string `json:"last-uplink-interface,omitzero"`

	SSL SSL  `json:"ssl,omitzero"`  // what the SSL proxy did
	QoS *QoS `json:"qos,omitempty"` // of an AppQoS message; not changed any more

	// What arrived from each side; bytes are lengths of IP packets.
	PacketsFromClient uint64 `json:"packets-from-client"`
	BytesFromClient   uint64 `json:"bytes-from-client"`
	PacketsFromServer uint64 `json:"packets-from-server"`
	BytesFromServer   uint64 `json:"bytes-from-server"`

	Start   time.Time     `json:"start,omitzero"`
	Elapsed time.Duration `json:"elapsed"` // since Start; written in whole seconds
}

// Reason says why a session ended. Any string is allowed; these are the ones the log reference names.
type Reason string

// Close reasons.
const (
	ReasonClientRST    Reason = "TCP CLIENT RST"
	ReasonServerRST    Reason = "TCP SERVER RST"
	ReasonClientFIN    Reason = "TCP CLIENT FIN" // both sides finished, the client first
	ReasonServerFIN    Reason = "TCP SERVER FIN"
	ReasonResponse     Reason = "response received" // one-shot exchanges such as ICMP echo
	ReasonICMPError    Reason = "ICMP error"
	ReasonAgedOut      Reason = "idle Timeout"
	ReasonALG          Reason = "ALG"
	ReasonIDP          Reason = "IDP"
	ReasonParentClosed Reason = "parent closed"
	ReasonCLI          Reason = "CLI"
	ReasonPolicyDelete Reason = "policy delete"
	ReasonApplication  Reason = "application failure or action" // a verdict after identification, or a fault of the gateway
)

// Deny reasons, the last field of RT_FLOW_SESSION_DENY.
const (
	DenyPolicy              = "policy deny"
	DenyReject              = "policy reject"
	DenyAppFirewall         = "appfw deny"
	DenyAppFirewallRedirect = "appfw deny redirect"
	DenyAppFirewallReject   = "appfw reject"
	DenyAppRejectRedirect   = "appfw reject redirect"
)
