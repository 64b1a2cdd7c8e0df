package schema

// DynamicApplication is [edit security dynamic-application].
type DynamicApplication struct {
	Profiles []RedirectProfile `cfg:"profile" help:"What users are told when a policy refuses their application"`
}

// RedirectProfile is [edit security dynamic-application profile NAME].
type RedirectProfile struct {
	Name     string       `cfg:"name,key" help:"Name of the profile" range:"1..63"`
	Redirect BlockMessage `cfg:"redirect-message" help:"Answer to a web request that is refused"`
}

// BlockMessage is the answer to a web request that is refused: a text, or the address of a page.
type BlockMessage struct {
	Type BlockMessageType `cfg:"type" help:"Sort of answer"`
}

// BlockMessageType is [edit … block-message type]. Without either the default text is sent.
type BlockMessageType struct {
	CustomText  *BlockContent `cfg:"custom-text" help:"A page with a text of your own" choice:"type"`
	RedirectURL *BlockContent `cfg:"custom-redirect-url" help:"A redirect to a page of your own" choice:"type" alias:"redirect-url"`
}

// BlockContent is the text, or the address, of a BlockMessageType.
type BlockContent struct {
	Content string `cfg:"content" help:"Text of the page, or http:// or https:// address of it" range:"1..1024" mandatory:"true"`
}

// ApplicationFirewall is [edit security application-firewall], the rule sets that policies name as
// a service. Policies that match dynamic-application have taken its place.
type ApplicationFirewall struct {
	Profiles []FirewallProfile `cfg:"profile" help:"What users are told when a rule refuses their application"`
	RuleSets []FirewallRuleSet `cfg:"rule-sets" help:"Rules on applications, for policies to name"`
}

// FirewallProfile is [edit security application-firewall profile NAME].
type FirewallProfile struct {
	Name    string       `cfg:"name,key" help:"Name of the profile" range:"1..63"`
	Message BlockMessage `cfg:"block-message" help:"Answer to a web request that is refused"`
}

// FirewallRuleSet is [edit security application-firewall rule-sets NAME].
type FirewallRuleSet struct {
	Name    string          `cfg:"name,key" help:"Name of the rule set" range:"1..63"`
	Rules   []FirewallRule  `cfg:"rule" help:"Rule; the first that matches decides"`
	Default FirewallDefault `cfg:"default-rule" help:"What happens to an application that no rule matches"`
	Profile string          `cfg:"profile" help:"What the rules with block-message answer" ref:"security application-firewall profile"`
}

// FirewallRule is [edit … rule-sets NAME rule NAME].
type FirewallRule struct {
	Name  string        `cfg:"name,key" help:"Name of the rule" range:"1..63"`
	Match FirewallMatch `cfg:"match" help:"Applications that the rule matches"`
	Then  FirewallThen  `cfg:"then" help:"What happens to them"`
}

// FirewallMatch is [edit … rule NAME match]; either term may match.
type FirewallMatch struct {
	Applications []string `cfg:"dynamic-application" help:"Applications by their content"`
	Groups       []string `cfg:"dynamic-application-groups" help:"Groups of applications" alias:"dynamic-application-group"`
}

// FirewallThen is [edit … rule NAME then].
type FirewallThen struct {
	Permit bool           `cfg:"permit" help:"Let the session pass" choice:"action"`
	Deny   *FirewallBlock `cfg:"deny" help:"Drop silently" choice:"action"`
	Reject *FirewallBlock `cfg:"reject" help:"Refuse with RST or ICMP unreachable" choice:"action"`
}

// FirewallBlock is [edit … then deny], or reject.
type FirewallBlock struct {
	BlockMessage bool `cfg:"block-message" help:"Answer a web request with a page"`
}

// FirewallDefault is [edit … rule-sets NAME default-rule].
type FirewallDefault struct {
	Permit bool           `cfg:"permit" help:"Let the session pass" choice:"action"`
	Deny   *FirewallBlock `cfg:"deny" help:"Drop silently" choice:"action"`
	Reject *FirewallBlock `cfg:"reject" help:"Refuse with RST or ICMP unreachable" choice:"action"`
}

// PreIDPolicy is [edit security policies pre-id-default-policy]: what holds for a session while
// several policies are possible, as its application is not known.
type PreIDPolicy struct {
	Then PreIDThen `cfg:"then" help:"What happens to such a session"`
}

// PreIDThen is [edit … pre-id-default-policy then].
type PreIDThen struct {
	Log     PolicyLog    `cfg:"log" help:"Security log"`
	Timeout PreIDTimeout `cfg:"session-timeout" help:"Time without packets after which such a session ends"`
}

// PreIDTimeout is [edit … pre-id-default-policy then session-timeout]; 0 for the usual one.
type PreIDTimeout struct {
	TCP    uint32 `cfg:"tcp" help:"TCP sessions" unit:"seconds" range:"4..86400"`
	UDP    uint32 `cfg:"udp" help:"UDP sessions" unit:"seconds" range:"4..86400"`
	ICMP   uint32 `cfg:"icmp" help:"ICMP sessions" unit:"seconds" range:"4..86400"`
	ICMP6  uint32 `cfg:"icmp6" help:"ICMPv6 sessions" unit:"seconds" range:"4..86400"`
	OSPF   uint32 `cfg:"ospf" help:"OSPF sessions" unit:"seconds" range:"4..86400"`
	Others uint32 `cfg:"others" help:"Sessions of other protocols" unit:"seconds" range:"4..86400"`
}

// UnifiedPolicy is [edit security policies unified-policy].
type UnifiedPolicy struct {
	MaxLookups uint16 `cfg:"max-lookups" help:"Policy lookups of one session, as its application becomes known; then its policy is final" range:"1..65535" default:"20"`
}
