package schema

// ClassOfService is [edit class-of-service].
type ClassOfService struct {
	ForwardingClasses ForwardingClasses  `cfg:"forwarding-classes" help:"Classes of packets, and the egress queues they wait in"`
	CodePointAliases  CodePointAliases   `cfg:"code-point-aliases" help:"Names of code points"`
	RewriteRules      RewriteRules       `cfg:"rewrite-rules" help:"Code points that links give to the classes of packets"`
	Interfaces        []QoSInterface     `cfg:"interfaces,grouped" help:"Links"`
	TrafficControl    ApplicationTraffic `cfg:"application-traffic-control" help:"Quality of service by application"`
}

// ForwardingClasses is [edit class-of-service forwarding-classes]. Both spellings mean the same; the
// classes best-effort, expedited-forwarding, assured-forwarding and network-control are there without
// a statement, in the queues 0 to 3.
type ForwardingClasses struct {
	Queues  []ForwardingQueue `cfg:"queue" help:"Egress queue and the class that waits in it"`
	Classes []ForwardingClass `cfg:"class" help:"Class and the egress queue that it waits in"`
}

// ForwardingQueue is [edit … forwarding-classes queue NUMBER CLASS].
type ForwardingQueue struct {
	Number uint8  `cfg:"queue,key" help:"Egress queue" range:"0..7"`
	Class  string `cfg:"class-name,value" help:"Name of the class" range:"1..64"`
}

// ForwardingClass is [edit … forwarding-classes class NAME].
type ForwardingClass struct {
	Name  string `cfg:"name,key" help:"Name of the class" range:"1..64"`
	Queue *uint8 `cfg:"queue-num" help:"Egress queue" range:"0..7" mandatory:"true"`
}

// CodePointAliases is [edit class-of-service code-point-aliases].
type CodePointAliases struct {
	DSCP []CodePointAlias `cfg:"dscp" help:"Name of a code point of differentiated services"`
}

// CodePointAlias is [edit … code-point-aliases dscp NAME BITS].
type CodePointAlias struct {
	Name string `cfg:"name,key" help:"Name of the code point" range:"1..64"`
	Bits string `cfg:"bits,value" help:"Code point (six bits, such as 101110)" pattern:"[01]{6}"`
}

// RewriteRules is [edit class-of-service rewrite-rules].
type RewriteRules struct {
	DSCP []RewriteRule `cfg:"dscp" help:"Code points of differentiated services, for links to name"`
}

// RewriteRule is [edit … rewrite-rules dscp NAME].
type RewriteRule struct {
	Name    string         `cfg:"name,key" help:"Name of the rewrite rule" range:"1..64"`
	Classes []RewriteClass `cfg:"forwarding-class" help:"Class whose packets are marked anew"`
}

// RewriteClass is [edit … rewrite-rules dscp NAME forwarding-class CLASS].
type RewriteClass struct {
	Class  string         `cfg:"class-name,key" help:"Name of the class" literal:"best-effort expedited-forwarding assured-forwarding network-control" ref:"class-of-service forwarding-classes class|*"`
	Levels []RewriteLevel `cfg:"loss-priority,compact" help:"Loss priority"`
}

// RewriteLevel is [edit … forwarding-class CLASS loss-priority LEVEL].
type RewriteLevel struct {
	Level     string `cfg:"level,key" help:"Loss priority" enum:"high medium-high medium-low low"`
	CodePoint string `cfg:"code-point" help:"Code point (six bits, or a name such as af22)" mandatory:"true"`
}

// QoSInterface is [edit class-of-service interfaces NAME].
type QoSInterface struct {
	Name  string    `cfg:"name,key" help:"Interface (ge-0/0/1 or eth1)"`
	Units []QoSUnit `cfg:"unit" help:"Logical interface"`
}

// QoSUnit is [edit class-of-service interfaces NAME unit NUMBER].
type QoSUnit struct {
	Number       uint16       `cfg:"unit,key" help:"Number of the logical interface" range:"0..4094"`
	ShapingRate  *BitRate     `cfg:"shaping-rate" help:"Rate of the link in bit/s (10m): what it cannot carry waits here, in the queues of its classes"`
	RewriteRules UnitRewriter `cfg:"rewrite-rules" help:"Rewrite rule of the link"`
}

// UnitRewriter is [edit … unit NUMBER rewrite-rules].
type UnitRewriter struct {
	DSCP string `cfg:"dscp" help:"Code points of differentiated services" ref:"class-of-service rewrite-rules dscp"`
}

// ApplicationTraffic is [edit class-of-service application-traffic-control].
type ApplicationTraffic struct {
	Limiters []RateLimiter    `cfg:"rate-limiters" help:"Rate limiter, for rules to name"`
	RuleSets []TrafficRuleSet `cfg:"rule-sets" help:"Rules on applications, for policies to name"`
}

// RateLimiter is [edit … application-traffic-control rate-limiters NAME]: a token bucket. Its two
// parameters are its profile.
type RateLimiter struct {
	Name      string `cfg:"name,key" help:"Name of the rate limiter" range:"1..63"`
	Bandwidth uint32 `cfg:"bandwidth-limit" help:"Rate of the traffic" unit:"kbit/s" range:"1..2147483" mandatory:"true"`
	Burst     uint32 `cfg:"burst-size-limit" help:"Largest burst (130 bytes for each kbit/s, and at least 15000, when absent)" unit:"bytes" range:"1500..2147483647"`
}

// TrafficRuleSet is [edit … application-traffic-control rule-sets NAME].
type TrafficRuleSet struct {
	Name  string        `cfg:"name,key" help:"Name of the rule set" range:"1..63"`
	Rules []TrafficRule `cfg:"rule" help:"Rule; the first that matches decides"`
}

// TrafficRule is [edit … rule-sets NAME rule NAME].
type TrafficRule struct {
	Name  string       `cfg:"name,key" help:"Name of the rule" range:"1..63"`
	Match TrafficMatch `cfg:"match" help:"Applications that the rule matches"`
	Then  TrafficThen  `cfg:"then" help:"How their sessions are treated"`
}

// TrafficMatch is [edit … rule NAME match]; any of its terms may match.
type TrafficMatch struct {
	Applications []string `cfg:"application" help:"Applications by their content"`
	Groups       []string `cfg:"application-group" help:"Groups of applications"`
	Any          bool     `cfg:"application-any" help:"Every session that reaches the rule"`
	Known        bool     `cfg:"application-known" help:"Every session whose application is known"`
	Unknown      bool     `cfg:"application-unknown" help:"Every session whose application is not known"`
}

// TrafficThen is [edit … rule NAME then]; any of them may be given.
type TrafficThen struct {
	ForwardingClass string    `cfg:"forwarding-class" help:"Class of the packets" literal:"best-effort expedited-forwarding assured-forwarding network-control" ref:"class-of-service forwarding-classes class|*"`
	CodePoint       string    `cfg:"dscp-code-point" help:"Code point that packets are marked with (six bits, or a name such as af22)"`
	LossPriority    string    `cfg:"loss-priority" help:"How readily packets are dropped when the link is congested" enum:"high medium-high medium-low low"`
	RateLimit       RateLimit `cfg:"rate-limit" help:"Rate limiters"`
	Log             bool      `cfg:"log" help:"Log the sessions that the rule decides about"`
}

// RateLimit is [edit … then rate-limit]. What exceeds a limiter is dropped unless LossPriorityHigh is set.
type RateLimit struct {
	ClientToServer   string `cfg:"client-to-server" help:"Limiter of what the client sends" ref:"class-of-service application-traffic-control rate-limiters"`
	ServerToClient   string `cfg:"server-to-client" help:"Limiter of what the server sends" ref:"class-of-service application-traffic-control rate-limiters"`
	LossPriorityHigh bool   `cfg:"loss-priority-high" help:"Let what exceeds a limiter pass with loss priority high, to be dropped first when the link is congested"`
}

// TrafficRuleSetName names a rule set of application traffic control.
type TrafficRuleSetName struct {
	RuleSet string `cfg:"rule-set" help:"Rule set" mandatory:"true" ref:"class-of-service application-traffic-control rule-sets"`
}
