package schema

import "net/netip"

// Security is [edit security].
type Security struct {
	ALG                 ALG                 `cfg:"alg" help:"Application layer gateways, which let the data sessions of control sessions through"`
	Log                 Log                 `cfg:"log" help:"Security log"`
	AddressBooks        []AddressBook       `cfg:"address-book" help:"Named addresses"`
	ApplicationTracking ApplicationTracking `cfg:"application-tracking" help:"Application tracking"`
	DynamicApplication  DynamicApplication  `cfg:"dynamic-application" help:"Answers to web requests that policies refuse"`
	ApplicationFirewall ApplicationFirewall `cfg:"application-firewall,hidden" help:"Rule sets on applications (deprecated: match dynamic-application in policies)"`
	IDP                 IDP                 `cfg:"idp" help:"Signature package, by the name of the intrusion detection package"`
	Flow                Flow                `cfg:"flow" help:"Session handling"`
	NAT                 NAT                 `cfg:"nat" help:"Network address translation"`
	NGFW                NGFW                `cfg:"ngfw" help:"What holds while several policies are possible"`
	PKI                 PKI                 `cfg:"pki" help:"Certificates, and whom the gateway trusts"`
	Policies            Policies            `cfg:"policies" help:"Security policies"`
	UTM                 UTM                 `cfg:"utm" help:"Categories of web addresses"`
	Zones               Zones               `cfg:"zones" help:"Security zones"`
}

// Zones is [edit security zones].
type Zones struct {
	SecurityZones []Zone `cfg:"security-zone" help:"Security zone"`
}

// Zone is [edit security zones security-zone NAME].
type Zone struct {
	Name                string          `cfg:"name,key" help:"Name of the zone" range:"1..63"`
	Description         string          `cfg:"description" help:"Text about this zone"`
	TCPReset            bool            `cfg:"tcp-rst" help:"Answer TCP segments that belong to no session with RST"`
	AddressBook         ZoneAddressBook `cfg:"address-book" help:"Addresses of this zone (use security address-book … attach zone)"`
	Interfaces          []ZoneInterface `cfg:"interfaces,grouped" help:"Interfaces of this zone"`
	HostInbound         HostInbound     `cfg:"host-inbound-traffic" help:"Traffic accepted for the gateway itself"`
	ApplicationTracking bool            `cfg:"application-tracking" help:"Track applications in this zone"`
}

// ZoneInterface is [edit security zones security-zone NAME interfaces IF].
type ZoneInterface struct {
	Name        string       `cfg:"name,key" help:"Logical interface (ge-0/0/1.0 or eth1)"`
	HostInbound *HostInbound `cfg:"host-inbound-traffic" help:"Traffic accepted for the gateway itself on this interface, in place of the zone's"`
}

// HostInbound says which traffic to the gateway itself is accepted; everything else is dropped.
type HostInbound struct {
	SystemServices []SystemService `cfg:"system-services,grouped" help:"Services of the gateway"`
	Protocols      []HostProtocol  `cfg:"protocols,grouped" help:"Routing protocols"`
}

// SystemService is one service of the gateway; except takes it out of all.
type SystemService struct {
	Name   string `cfg:"name,key" help:"Service" enum:"all any-service bootp dhcp dhcpv6 dns finger ftp http https ident-reset ike lsping netconf ntp ping r2cp reverse-ssh reverse-telnet rlogin rpm rsh snmp snmp-trap ssh tcp-encap telnet tftp traceroute webapi-clear-text webapi-ssl xnm-clear-text xnm-ssl metrics"`
	Except bool   `cfg:"except" help:"Refuse this service although all is accepted"`
}

// HostProtocol is one routing protocol accepted by the gateway.
type HostProtocol struct {
	Name   string `cfg:"name,key" help:"Protocol" enum:"all bfd bgp dvmrp igmp ldp msdp nhrp ospf ospf3 pgm pim rip ripng router-discovery rsvp sap vrrp"`
	Except bool   `cfg:"except" help:"Refuse this protocol although all is accepted"`
}

// ZoneAddressBook is the address book inside a zone; its names hold before the global book's.
type ZoneAddressBook struct {
	Addresses   []Address    `cfg:"address" help:"Named address"`
	AddressSets []AddressSet `cfg:"address-set" help:"Set of named addresses"`
}

// AddressBook is [edit security address-book NAME]; the book named global holds in every zone.
type AddressBook struct {
	Name        string       `cfg:"name,key" help:"Name of the address book (global holds everywhere)" range:"1..63"`
	Description string       `cfg:"description" help:"Text about this address book"`
	Addresses   []Address    `cfg:"address" help:"Named address"`
	AddressSets []AddressSet `cfg:"address-set" help:"Set of named addresses"`
	Attach      Attach       `cfg:"attach" help:"Zones whose policies use this book"`
}

// Attach is [edit security address-book NAME attach].
type Attach struct {
	Zones []AttachedZone `cfg:"zone" help:"Zone" `
}

// AttachedZone is one zone an address book is attached to.
type AttachedZone struct {
	Name string `cfg:"name,key" help:"Zone" ref:"security zones security-zone"`
}

// Address is one named address: exactly one of its forms.
type Address struct {
	Name        string        `cfg:"name,key" help:"Name of the address" range:"1..63"`
	Description string        `cfg:"description" help:"Text about this address"`
	Prefix      *HostPrefix   `cfg:"ip-prefix,value" help:"Address or prefix (192.0.2.0/24, 2001:db8::/32)" choice:"form"`
	DNSName     *DNSName      `cfg:"dns-name,oneliner" help:"Name whose addresses are looked up" choice:"form"`
	Range       *AddressRange `cfg:"range-address,oneliner" help:"Range of addresses" choice:"form"`
	Wildcard    *Wildcard     `cfg:"wildcard-address,oneliner" help:"Address with a wildcard mask (192.0.2.0/255.255.0.255) or prefix" choice:"form"`
}

// DNSName is an address given by name, followed through the lifetime of its records.
type DNSName struct {
	Name     string `cfg:"name,value" help:"Domain name" range:"1..253"`
	IPv4Only bool   `cfg:"ipv4-only" help:"Use A records only" choice:"family"`
	IPv6Only bool   `cfg:"ipv6-only" help:"Use AAAA records only" choice:"family"`
}

// AddressRange is a range of addresses, both ends included.
type AddressRange struct {
	Low  netip.Addr `cfg:"low,value" help:"First address"`
	High netip.Addr `cfg:"to" help:"Last address" mandatory:"true"`
}

// Wildcard is an address whose mask bits need not be contiguous.
type Wildcard struct {
	Mask WildcardMask `cfg:"mask,value" help:"Address/mask (192.0.2.0/255.255.0.255)"`
}

// AddressSet is a named set of addresses and of other sets.
type AddressSet struct {
	Name        string       `cfg:"name,key" help:"Name of the set" range:"1..63"`
	Description string       `cfg:"description" help:"Text about this set"`
	Addresses   []NamedEntry `cfg:"address" help:"Address in this set"`
	Sets        []NamedEntry `cfg:"address-set" help:"Other set in this set"`
}

// NamedEntry is a list entry that is only a name.
type NamedEntry struct {
	Name string `cfg:"name,key" help:"Name"`
}

// Policies is [edit security policies].
type Policies struct {
	ZonePairs     []ZonePair    `cfg:"from-zone" help:"Policies between two zones"`
	Global        GlobalPolicy  `cfg:"global" help:"Policies that hold between all zones, after those between two"`
	DefaultPolicy DefaultPolicy `cfg:"default-policy" help:"What happens to a session that no policy matches"`
	PreID         PreIDPolicy   `cfg:"pre-id-default-policy" help:"What holds while the application of a session is not known"`
	Unified       UnifiedPolicy `cfg:"unified-policy" help:"Policies that match dynamic-application"`
	LogOnly       bool          `cfg:"log-only" help:"Refuse nothing that a policy or rule refuses for its application: only log it"`
	Rematch       *Rematch      `cfg:"policy-rematch" help:"Judge running sessions again when policies change"`
}

// ZonePair is [edit security policies from-zone A to-zone B].
type ZonePair struct {
	From     string   `cfg:"from-zone,key" help:"Zone that sessions come from" ref:"security zones security-zone" literal:"junos-host"`
	To       string   `cfg:"to-zone,key" help:"Zone that sessions go to" ref:"security zones security-zone" literal:"junos-host"`
	Policies []Policy `cfg:"policy" help:"Security policy; the first that matches decides"`
}

// GlobalPolicy is [edit security policies global].
type GlobalPolicy struct {
	Policies []Policy `cfg:"policy" help:"Security policy; the first that matches decides"`
}

// DefaultPolicy is [edit security policies default-policy].
type DefaultPolicy struct {
	PermitAll bool `cfg:"permit-all" help:"Permit" choice:"action"`
	DenyAll   bool `cfg:"deny-all" help:"Drop silently (the default)" choice:"action"`
}

// Rematch is [edit security policies policy-rematch].
type Rematch struct {
	Extensive bool `cfg:"extensive" help:"Move sessions to the policy that matches them now, rather than end those whose policy went"`
}

// Policy is one security policy.
type Policy struct {
	Name          string      `cfg:"name,key" help:"Name of the policy" range:"1..63"`
	Description   string      `cfg:"description" help:"Text about this policy"`
	Match         PolicyMatch `cfg:"match" help:"What the policy matches"`
	Then          PolicyThen  `cfg:"then" help:"What happens to a session that matches"`
	SchedulerName string      `cfg:"scheduler-name" help:"Scheduler that says when the policy holds" ref:"schedulers scheduler"`
}

// PolicyMatch is [edit … policy NAME match]. Sources, destinations and applications must all be given.
type PolicyMatch struct {
	SourceAddress              []string `cfg:"source-address" help:"Source addresses" literal:"any any-ipv4 any-ipv6" ref:"security address-book address|security address-book address-set|security zones security-zone address-book address|security zones security-zone address-book address-set|*"`
	DestinationAddress         []string `cfg:"destination-address" help:"Destination addresses" literal:"any any-ipv4 any-ipv6" ref:"security address-book address|security address-book address-set|security zones security-zone address-book address|security zones security-zone address-book address-set|*"`
	SourceAddressExcluded      bool     `cfg:"source-address-excluded" help:"Match every source but those named"`
	DestinationAddressExcluded bool     `cfg:"destination-address-excluded" help:"Match every destination but those named"`
	Application                []string `cfg:"application" help:"Applications by protocol and port" literal:"any junos-defaults" ref:"applications application|applications application-set"`
	DynamicApplication         []string `cfg:"dynamic-application" help:"Applications by their content, and groups of them" literal:"any none"`
	URLCategory                []string `cfg:"url-category" help:"Categories of the web address asked for" literal:"any" ref:"security utm custom-objects custom-url-category"`
	SourceIdentity             []string `cfg:"source-identity" help:"Users and roles" literal:"any authenticated-user unauthenticated-user unknown-user"`
	FromZone                   []string `cfg:"from-zone" help:"Zones that sessions come from (global policies)" literal:"any" ref:"security zones security-zone"`
	ToZone                     []string `cfg:"to-zone" help:"Zones that sessions go to (global policies)" literal:"any" ref:"security zones security-zone"`
}

// PolicyThen is [edit … policy NAME then].
type PolicyThen struct {
	Permit  *Permit   `cfg:"permit" help:"Let the session pass" choice:"action"`
	Deny    *Deny     `cfg:"deny" help:"Drop silently" choice:"action"`
	Reject  *Reject   `cfg:"reject" help:"Refuse with RST or ICMP unreachable" choice:"action"`
	Log     PolicyLog `cfg:"log" help:"Security log"`
	Count   *Count    `cfg:"count" help:"Count packets and bytes"`
	LogOnly bool      `cfg:"log-only" help:"Let sessions pass that this policy refuses, and log what it would have done"`
}

// Permit is [edit … then permit].
type Permit struct {
	ApplicationServices ApplicationServices `cfg:"application-services" help:"Services that work on the session"`
	TCPOptions          TCPOptions          `cfg:"tcp-options" help:"TCP handling"`
}

// ApplicationServices is [edit … then permit application-services].
type ApplicationServices struct {
	ApplicationFirewall *RuleSetName        `cfg:"application-firewall" help:"Rules on applications"`
	TrafficControl      *TrafficRuleSetName `cfg:"application-traffic-control" help:"Quality of service by application"`
	PacketCapture       bool                `cfg:"packet-capture" help:"Capture sessions of this policy whose application is unknown"`
	SSLProxy            *SSLProxyName       `cfg:"ssl-proxy" help:"Decryption of TLS"`
	UTMPolicy           string              `cfg:"utm-policy" help:"Web filter; where one is named, whitelist-url-categories of the SSL proxy profile hold" ref:"security utm utm-policy"`
	TCPProxy            bool                `cfg:"tcp-proxy" help:"Terminate TCP sessions on the gateway and relay them as streams, each leg with its own loss recovery"`
}

// RuleSetName names a rule set of a service.
type RuleSetName struct {
	RuleSet string `cfg:"rule-set" help:"Rule set" mandatory:"true" ref:"security application-firewall rule-sets"`
}

// TCPOptions is [edit … then permit tcp-options].
type TCPOptions struct {
	InitialTCPMSS         uint16 `cfg:"initial-tcp-mss" help:"MSS written into the client's SYN" unit:"bytes" range:"64..65535"`
	ReverseTCPMSS         uint16 `cfg:"reverse-tcp-mss" help:"MSS written into the server's SYN" unit:"bytes" range:"64..65535"`
	SYNCheckRequired      bool   `cfg:"syn-check-required" help:"Require a SYN to open a session although flow tcp-session no-syn-check is set"`
	SequenceCheckRequired bool   `cfg:"sequence-check-required" help:"Check sequence numbers although flow tcp-session no-sequence-check is set"`
	WindowScale           bool   `cfg:"window-scale,inert" help:"Follow the window scale option in sequence checks"`
}

// Deny is [edit … then deny].
type Deny struct {
	Profile  string        `cfg:"profile" help:"What users are told" ref:"security dynamic-application profile"`
	SSLProxy *SSLProxyName `cfg:"ssl-proxy" help:"Decryption of TLS, in which users are told; without it, that of the policies which the session might have come to"`
}

// Reject is [edit … then reject].
type Reject struct {
	Profile  string        `cfg:"profile" help:"What users are told" ref:"security dynamic-application profile"`
	SSLProxy *SSLProxyName `cfg:"ssl-proxy" help:"Decryption of TLS, in which users are told; without it, that of the policies which the session might have come to"`
}

// Count is [edit … then count].
type Count struct{}

// PolicyLog is [edit … then log].
type PolicyLog struct {
	SessionInit  bool `cfg:"session-init" help:"Log when a session is created, and when one is refused"`
	SessionClose bool `cfg:"session-close" help:"Log when a session ends, with its counts"`
}

// NAT is [edit security nat].
type NAT struct {
	Source SourceNAT `cfg:"source" help:"Source address translation"`
}

// SourceNAT is [edit security nat source].
type SourceNAT struct {
	RuleSets []NATRuleSet `cfg:"rule-set" help:"Source translation rules for sessions between two places"`
}

// NATRuleSet is [edit security nat source rule-set NAME].
type NATRuleSet struct {
	Name  string     `cfg:"name,key" help:"Name of the rule set" range:"1..31"`
	From  NATContext `cfg:"from" help:"Where sessions come from"`
	To    NATContext `cfg:"to" help:"Where sessions go to"`
	Rules []NATRule  `cfg:"rule" help:"Rule; the first that matches decides"`
}

// NATContext names zones or interfaces.
type NATContext struct {
	Zones      []string `cfg:"zone" help:"Zones" ref:"security zones security-zone" choice:"context"`
	Interfaces []string `cfg:"interface" help:"Logical interfaces" choice:"context"`
}

// NATRule is one source translation rule.
type NATRule struct {
	Name  string   `cfg:"name,key" help:"Name of the rule" range:"1..31"`
	Match NATMatch `cfg:"match" help:"What the rule matches"`
	Then  NATThen  `cfg:"then" help:"What happens to a session that matches"`
}

// NATMatch is [edit … rule NAME match]; a term that is absent matches everything.
type NATMatch struct {
	SourceAddress          []HostPrefix `cfg:"source-address" help:"Source prefixes"`
	SourceAddressName      []string     `cfg:"source-address-name" help:"Source addresses of the global address book" ref:"security address-book address|security address-book address-set"`
	DestinationAddress     []HostPrefix `cfg:"destination-address" help:"Destination prefixes"`
	DestinationAddressName []string     `cfg:"destination-address-name" help:"Destination addresses of the global address book" ref:"security address-book address|security address-book address-set"`
	SourcePort             []PortRange  `cfg:"source-port" help:"Source ports (1024 or 1024-2048)"`
	DestinationPort        []PortRange  `cfg:"destination-port" help:"Destination ports (80 or 80-90)"`
	Protocol               []Protocol   `cfg:"protocol" help:"IP protocols"`
	Application            []string     `cfg:"application" help:"Applications" literal:"any" ref:"applications application|applications application-set"`
}

// NATThen is [edit … rule NAME then].
type NATThen struct {
	SourceNAT SourceNATAction `cfg:"source-nat" help:"Source translation"`
}

// SourceNATAction is [edit … then source-nat].
type SourceNATAction struct {
	Off       bool `cfg:"off" help:"Keep the client's address" choice:"action"`
	Interface bool `cfg:"interface" help:"Use the address of the interface the session leaves by" choice:"action"`
}

// Applications is [edit applications].
type Applications struct {
	Applications []Application    `cfg:"application" help:"Application by protocol and port"`
	Sets         []ApplicationSet `cfg:"application-set" help:"Set of applications"`
}

// Application is one custom application: terms of its own, or a single one written directly.
type Application struct {
	Name        string `cfg:"name,key" help:"Name of the application" range:"1..63"`
	Description string `cfg:"description" help:"Text about this application"`
	ApplicationMatch
	Terms []ApplicationTerm `cfg:"term" help:"One of several alternatives"`
}

// ApplicationTerm is one alternative of an application.
type ApplicationTerm struct {
	Name string `cfg:"name,key" help:"Name of the term" range:"1..63"`
	ApplicationMatch
}

// ApplicationMatch is the protocol, ports and timeout of an application or a term. An embedded
// struct without a cfg tag adds its fields to the statement it stands in.
type ApplicationMatch struct {
	ALG               string     `cfg:"application-protocol" help:"Application layer gateway (ftp, rtsp, sip and tftp have effect)" enum:"dns ftp ftp-data h323 http https ignore ike-esp-nat mgcp-ca mgcp-ua ms-rpc none pptp q931 ras realaudio rsh rtsp sccp sip sqlnet-v2 sun-rpc talk tftp"`
	Protocol          *Protocol  `cfg:"protocol" help:"IP protocol by name or number"`
	SourcePort        *PortRange `cfg:"source-port" help:"Source port or range"`
	DestinationPort   *PortRange `cfg:"destination-port" help:"Destination port or range"`
	ICMPType          *uint8     `cfg:"icmp-type" help:"ICMP type"`
	ICMPCode          *uint8     `cfg:"icmp-code" help:"ICMP code"`
	ICMP6Type         *uint8     `cfg:"icmp6-type" help:"ICMPv6 type"`
	ICMP6Code         *uint8     `cfg:"icmp6-code" help:"ICMPv6 code"`
	InactivityTimeout *Timeout   `cfg:"inactivity-timeout" help:"Time without packets after which a session ends" unit:"seconds" range:"4..129600" literal:"never"`
}

// ApplicationSet is a named set of applications and of other sets.
type ApplicationSet struct {
	Name         string       `cfg:"name,key" help:"Name of the set" range:"1..63"`
	Description  string       `cfg:"description" help:"Text about this set"`
	Applications []NamedEntry `cfg:"application" help:"Application in this set"`
	Sets         []NamedEntry `cfg:"application-set" help:"Other set in this set"`
}

// Flow is [edit security flow].
type Flow struct {
	AllowDNSReply     bool       `cfg:"allow-dns-reply,inert" help:"Let DNS replies pass that no query was seen for"`
	AllowEmbeddedICMP bool       `cfg:"allow-embedded-icmp" help:"Let ICMP errors pass whose inner packet belongs to no session"`
	SyncICMPSession   bool       `cfg:"sync-icmp-session" help:"Keep an ICMP session only until its reply arrived"`
	TCPMSS            TCPMSS     `cfg:"tcp-mss" help:"Limits on the TCP maximum segment size"`
	TCPSession        TCPSession `cfg:"tcp-session" help:"TCP sessions"`
	Aging             Aging      `cfg:"aging" help:"Ending sessions early when the table fills"`
	NoServicesOffload bool       `cfg:"no-services-offload" help:"Keep the packets of every session in the gateway process, rather than let the kernel carry those that are judged"`
	MaximumSessions   uint32     `cfg:"maximum-sessions" help:"Sessions at most; further ones are refused and counted" range:"100..10000000" default:"1000000"`
}

// ALG is [edit security alg].
type ALG struct {
	FTP  ALGSwitch `cfg:"ftp" help:"File Transfer Protocol"`
	RTSP ALGSwitch `cfg:"rtsp" help:"Real-Time Streaming Protocol"`
	SIP  ALGSwitch `cfg:"sip" help:"Session Initiation Protocol"`
	TFTP ALGSwitch `cfg:"tftp" help:"Trivial File Transfer Protocol"`
}

// ALGSwitch is [edit security alg NAME].
type ALGSwitch struct {
	Disable bool `cfg:"disable" help:"Judge its data sessions each by itself"`
}

// ALGNames are the application layer gateways there are.
var ALGNames = []string{"ftp", "rtsp", "sip", "tftp"}

// Enabled says whether there is an application layer gateway with a name, and it is on.
func (a *ALG) Enabled(name string) bool {
	switch name {
	case "ftp":
		return !a.FTP.Disable
	case "rtsp":
		return !a.RTSP.Disable
	case "sip":
		return !a.SIP.Disable
	case "tftp":
		return !a.TFTP.Disable
	}
	return false
}

// TCPMSS is [edit security flow tcp-mss].
type TCPMSS struct {
	AllTCP   MSS `cfg:"all-tcp" help:"All TCP sessions"`
	IPsecVPN MSS `cfg:"ipsec-vpn,inert" help:"Sessions through IPsec tunnels"`
}

// MSS is one maximum segment size.
type MSS struct {
	MSS uint16 `cfg:"mss" help:"Maximum segment size" unit:"bytes" range:"64..65535"`
}

// TCPSession is [edit security flow tcp-session].
type TCPSession struct {
	NoSYNCheck           bool   `cfg:"no-syn-check" help:"Let a segment other than SYN open a session"`
	NoSYNCheckInTunnel   bool   `cfg:"no-syn-check-in-tunnel,inert" help:"The same for sessions inside tunnels"`
	NoSequenceCheck      bool   `cfg:"no-sequence-check" help:"Do not check sequence numbers"`
	RSTInvalidateSession bool   `cfg:"rst-invalidate-session" help:"End a session at once when RST is seen"`
	FINInvalidateSession bool   `cfg:"fin-invalidate-session" help:"End a session at once when both FINs are seen"`
	InitialTimeout       uint16 `cfg:"tcp-initial-timeout" help:"Time for the handshake to complete" unit:"seconds" range:"4..300" default:"20"`
}

// Aging is [edit security flow aging].
type Aging struct {
	EarlyAgeout   uint16 `cfg:"early-ageout" help:"Timeout of every session while the table is above high-watermark" unit:"seconds" range:"1..65535" default:"20"`
	LowWatermark  uint8  `cfg:"low-watermark" help:"Fill at which early ageing ends" unit:"percent" range:"0..100" default:"100"`
	HighWatermark uint8  `cfg:"high-watermark" help:"Fill at which early ageing begins" unit:"percent" range:"0..100" default:"100"`
}

// ApplicationTracking is [edit security application-tracking].
type ApplicationTracking struct {
	Disable               bool   `cfg:"disable" help:"Track nothing, whatever the zones say"`
	FirstUpdate           bool   `cfg:"first-update" help:"Send a message when a session starts (deprecated: log-session-create)"`
	FirstUpdateInterval   uint16 `cfg:"first-update-interval" help:"Time until the first update" unit:"minutes" range:"1..1440"`
	SessionUpdateInterval uint16 `cfg:"session-update-interval" help:"Time between updates" unit:"minutes" range:"1..1440" default:"5"`
	LogSessionCreate      bool   `cfg:"log-session-create" help:"Send a message when a session starts"`
	LogSessionClose       bool   `cfg:"log-session-close" help:"Send a message when a session ends"`
	NoVolumeUpdates       bool   `cfg:"no-volume-updates" help:"Send no updates while sessions run"`
}

// Log is [edit security log].
type Log struct {
	Disable       bool        `cfg:"disable" help:"Write no security log"`
	Mode          string      `cfg:"mode" help:"Where security logs go: stream sends them to the streams, event to file and journal too" enum:"stream event" default:"stream"`
	Format        string      `cfg:"format" help:"Layout of security logs" enum:"syslog sd-syslog" default:"sd-syslog"`
	SourceAddress netip.Addr  `cfg:"source-address" help:"Source address of packets to collectors"`
	UTCTimestamp  bool        `cfg:"utc-timestamp" help:"Write times in UTC"`
	Streams       []LogStream `cfg:"stream" help:"Syslog collector"`
	File          *LogFile    `cfg:"file" help:"Write security logs to a file"`
	Journal       bool        `cfg:"journal" help:"Write security logs to the systemd journal"`
	History       LogHistory  `cfg:"history" help:"Security logs kept for show commands"`
}

// LogStream is [edit security log stream NAME].
type LogStream struct {
	Name      string       `cfg:"name,key" help:"Name of the stream" range:"1..63"`
	Host      LogHost      `cfg:"host,oneliner" help:"Collector"`
	Port      uint16       `cfg:"port" help:"Port of the collector" range:"1..65535" default:"514"`
	Format    string       `cfg:"format" help:"Layout of this stream" enum:"syslog sd-syslog"`
	Severity  string       `cfg:"severity" help:"Least severity that is sent" enum:"emergency alert critical error warning notice info debug" default:"info"`
	Category  []string     `cfg:"category" help:"Kinds of messages that are sent (all when absent)" enum:"all session apptrack content-security idp sslproxy"`
	Transport LogTransport `cfg:"transport" help:"How messages travel"`
}

// LogHost is the address of a collector.
type LogHost struct {
	Address netip.Addr `cfg:"address,value" help:"Address of the collector"`
	Port    uint16     `cfg:"port" help:"Port of the collector" range:"1..65535"`
}

// LogTransport is [edit security log stream NAME transport].
type LogTransport struct {
	Protocol   string `cfg:"protocol" help:"Transport protocol" enum:"udp tcp tls" default:"udp"`
	CAFile     string `cfg:"ca-file" help:"PEM file with the certificates that the collector's certificate must chain to (system bundle when absent)"`
	ServerName string `cfg:"server-name" help:"Name that the collector's certificate must carry (its address when absent)"`
	TLSProfile string `cfg:"tls-profile" help:"SSL initiation profile that says whom the gateway trusts and what it shows of itself, in place of ca-file" ref:"services ssl initiation profile"`
}

// LogFile is [edit security log file].
type LogFile struct {
	Name  string `cfg:"name" help:"File name, absolute or inside the gateway's log directory" default:"security.log"`
	Size  uint16 `cfg:"size" help:"Size at which the file is rotated" unit:"megabytes" range:"1..1024" default:"10"`
	Files uint16 `cfg:"files" help:"Files kept, the current one included" range:"2..1000" default:"3"`
}

// LogHistory is [edit security log history].
type LogHistory struct {
	Disable    bool   `cfg:"disable" help:"Keep no history"`
	MaxRecords uint32 `cfg:"max-records" help:"Records kept, the oldest going first" range:"1000..100000000" default:"1000000"`
}

// Schedulers is [edit schedulers].
type Schedulers struct {
	Schedulers []Scheduler `cfg:"scheduler" help:"Times at which policies hold"`
}

// Scheduler is [edit schedulers scheduler NAME]: a policy that names it holds only at its times.
type Scheduler struct {
	Name        string       `cfg:"name,key" help:"Name of the scheduler" range:"1..63"`
	Description string       `cfg:"description" help:"Text about this scheduler"`
	StartDate   []DateWindow `cfg:"start-date,compact" help:"First moment of a period (YYYY-MM-DD.hh:mm)"`
	Daily       *Day         `cfg:"daily" help:"Every day without a statement of its own"`
	Sunday      *Day         `cfg:"sunday" help:"Every Sunday"`
	Monday      *Day         `cfg:"monday" help:"Every Monday"`
	Tuesday     *Day         `cfg:"tuesday" help:"Every Tuesday"`
	Wednesday   *Day         `cfg:"wednesday" help:"Every Wednesday"`
	Thursday    *Day         `cfg:"thursday" help:"Every Thursday"`
	Friday      *Day         `cfg:"friday" help:"Every Friday"`
	Saturday    *Day         `cfg:"saturday" help:"Every Saturday"`
}

// DateWindow is a period between two moments of local time.
type DateWindow struct {
	Start DateTime  `cfg:"start,key" help:"First moment (YYYY-MM-DD.hh:mm)"`
	Stop  *DateTime `cfg:"stop-date" help:"Last moment (YYYY-MM-DD.hh:mm)"`
}

// Day is one day's times.
type Day struct {
	AllDay  bool         `cfg:"all-day" help:"The whole day" choice:"day"`
	Exclude bool         `cfg:"exclude" help:"Not on this day" choice:"day"`
	Times   []TimeWindow `cfg:"start-time,compact" help:"First moment of a period (hh:mm or hh:mm:ss)"`
}

// TimeWindow is a period of a day, local time.
type TimeWindow struct {
	Start TimeOfDay `cfg:"start,key" help:"First moment (hh:mm or hh:mm:ss)"`
	Stop  TimeOfDay `cfg:"stop-time" help:"Last moment (hh:mm or hh:mm:ss)" mandatory:"true"`
}
