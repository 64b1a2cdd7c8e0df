package track

// A layout is data: the names of the fields in order, and the words of the plain form with the
// fields in braces. Collectors parse by name, but older ones by position, so the order is part of
// the contract with them.
type layout struct {
	process    string // who sends it; "" for RT_FLOW
	severity   Severity
	structured string // field names in order
	plain      string // text with {field-name}
}

// base are the fields that every APPTRACK record starts with.
const base = "source-address source-port destination-address destination-port service-name application nested-application " +
	"nat-source-address nat-source-port nat-destination-address nat-destination-port src-nat-rule-name dst-nat-rule-name " +
	"protocol-id policy-name source-zone-name destination-zone-name session-id-32 "

const basePlain = "{source-address}/{source-port}->{destination-address}/{destination-port} {service-name} {application} {nested-application} " +
	"{nat-source-address}/{nat-source-port}->{nat-destination-address}/{nat-destination-port} {src-nat-rule-name} {dst-nat-rule-name} " +
	"{protocol-id} {policy-name} {source-zone-name} {destination-zone-name} {session-id-32} "

const counters = "packets-from-client bytes-from-client packets-from-server bytes-from-server elapsed-time "

const countersPlain = "{packets-from-client}({bytes-from-client}) {packets-from-server}({bytes-from-server}) {elapsed-time} "

// flow are the fields that RT_FLOW_SESSION_CREATE and _CLOSE share.
const flow = "source-address source-port destination-address destination-port connection-tag service-name " +
	"nat-source-address nat-source-port nat-destination-address nat-destination-port nat-connection-tag " +
	"src-nat-rule-type src-nat-rule-name dst-nat-rule-type dst-nat-rule-name protocol-id policy-name " +
	"source-zone-name destination-zone-name session-id "

const flowPlain = "{source-address}/{source-port}->{destination-address}/{destination-port} {connection-tag-hex} {service-name} " +
	"{nat-source-address}/{nat-source-port}->{nat-destination-address}/{nat-destination-port} {nat-connection-tag-hex} " +
	"{src-nat-rule-type} {src-nat-rule-name} {dst-nat-rule-type} {dst-nat-rule-name} {protocol-id} {policy-name} " +
	"{source-zone-name} {destination-zone-name} {session-id} "

// flowProcess is who sends messages whose layout names nobody else.
const flowProcess = "RT_FLOW"

// layouts holds the layout of every tag.
var layouts = [tagCount]layout{
	FlowCreate: {
		severity: severityInfo,
		structured: flow + "username roles packet-incoming-interface application nested-application encrypted " +
			"application-category application-sub-category application-risk application-characteristics " +
			"src-vrf-grp dst-vrf-grp tunnel-inspection tunnel-inspection-policy-set",
		plain: "session created " + flowPlain + "{username}({roles}) {packet-incoming-interface} {application} {nested-application} {encrypted} " +
			"{application-category} {application-sub-category} {application-risk} {application-characteristics} " +
			"{src-vrf-grp} {dst-vrf-grp} {tunnel-inspection} {tunnel-inspection-policy-set}",
	},
	FlowClose: {
		severity: severityInfo,
		structured: "reason " + flow + counters + "application nested-application username roles packet-incoming-interface encrypted " +
			"application-category application-sub-category application-risk application-characteristics " +
			"secure-web-proxy-session-type peer-session-id peer-source-address peer-source-port peer-destination-address peer-destination-port " +
			"hostname src-vrf-grp dst-vrf-grp tunnel-inspection tunnel-inspection-policy-set",
		plain: "session closed {reason}: " + flowPlain + countersPlain + "{application} {nested-application} {username}({roles}) " +
			"{packet-incoming-interface} {encrypted} {application-category} {application-sub-category} {application-risk} {application-characteristics} " +
			"{secure-web-proxy-session-type} {peer-session-id} {peer-source-address}/{peer-source-port}->{peer-destination-address}/{peer-destination-port} " +
			"{hostname} {src-vrf-grp} {dst-vrf-grp} {tunnel-inspection} {tunnel-inspection-policy-set}",
	},
	FlowDeny: {
		severity: severityInfo,
		structured: "source-address source-port destination-address destination-port connection-tag service-name protocol-id icmp-type policy-name " +
			"source-zone-name destination-zone-name application nested-application username roles packet-incoming-interface encrypted reason",
		plain: "session denied {source-address}/{source-port}->{destination-address}/{destination-port} {connection-tag-hex} {service-name} " +
			"{protocol-id}({icmp-type}) {policy-name} {source-zone-name} {destination-zone-name} {application} {nested-application} " +
			"{username}({roles}) {packet-incoming-interface} {encrypted} {reason}",
	},
	AppCreate: {
		severity: severityInfo,
		structured: base + "username roles encrypted destination-interface-name category sub-category " +
			"source-l3vpn-vrf-group-name destination-l3vpn-vrf-group-name",
		plain: "AppTrack session created " + basePlain + "{username} {roles} {encrypted} {destination-interface-name} {category} {sub-category} " +
			"{source-l3vpn-vrf-group-name} {destination-l3vpn-vrf-group-name}",
	},
	AppClose: {
		severity: severityInfo,
		structured: "reason " + base + counters + "username roles encrypted profile-name rule-name routing-instance destination-interface-name " +
			"uplink-incoming-interface-name uplink-tx-bytes uplink-rx-bytes category sub-category multipath-rule-name " +
			"source-l3vpn-vrf-group-name destination-l3vpn-vrf-group-name dscp-value apbr-rule-type",
		plain: "AppTrack session closed {reason}: " + basePlain + countersPlain + "{username} {roles} {encrypted} {profile-name} {rule-name} " +
			"{routing-instance} {destination-interface-name} {uplink-incoming-interface-name} {uplink-tx-bytes} {uplink-rx-bytes} " +
			"{category} {sub-category} {multipath-rule-name} {source-l3vpn-vrf-group-name} {destination-l3vpn-vrf-group-name} {dscp-value} {apbr-rule-type}",
	},
	AppVolumeUpdate: {
		severity: severityInfo,
		structured: base + counters + "username roles encrypted profile-name rule-name routing-instance destination-interface-name " +
			"category sub-category source-l3vpn-vrf-group-name destination-l3vpn-vrf-group-name dscp-value apbr-rule-type",
		plain: "AppTrack volume update: " + basePlain + countersPlain + "{username} {roles} {encrypted} {profile-name} {rule-name} " +
			"{routing-instance} {destination-interface-name} {category} {sub-category} " +
			"{source-l3vpn-vrf-group-name} {destination-l3vpn-vrf-group-name} {dscp-value} {apbr-rule-type}",
	},
	AppRouteUpdate: {
		severity: severityInfo,
		structured: base + "username roles encrypted-not-applicable profile-name rule-name routing-instance destination-interface-name " +
			"category sub-category apbr-policy-name webfilter-category " +
			"source-l3vpn-vrf-group-name destination-l3vpn-vrf-group-name dscp-value apbr-rule-type",
		plain: "AppTrack route update: " + basePlain + "{username} {roles} {encrypted-not-applicable} {profile-name} {rule-name} " +
			"{routing-instance} {destination-interface-name} {category} {sub-category} {apbr-policy-name} {webfilter-category} " +
			"{source-l3vpn-vrf-group-name} {destination-l3vpn-vrf-group-name} {dscp-value} {apbr-rule-type}",
	},
	NextHopChange: {
		severity: severityInfo,
		structured: base + counters + "username roles encrypted profile-name rule-name routing-instance destination-interface-name " +
			"last-destination-interface-name uplink-incoming-interface-name last-incoming-interface-name uplink-tx-bytes uplink-rx-bytes " +
			"apbr-policy-name dscp-value apbr-rule-type",
		plain: "AppTrack next hop changed: " + basePlain + countersPlain + "{username} {roles} {encrypted} {profile-name} {rule-name} " +
			"{routing-instance} {destination-interface-name} {last-destination-interface-name} {uplink-incoming-interface-name} " +
			"{last-incoming-interface-name} {uplink-tx-bytes} {uplink-rx-bytes} {apbr-policy-name} {dscp-value} {apbr-rule-type}",
	},
	SSLDrop:    sslLayout(severityInfo),
	SSLAllow:   sslLayout(severityInfo),
	SSLIgnore:  sslLayout(severityInfo),
	SSLError:   sslLayout(severityError),
	SSLWarning: sslLayout(severityWarning),
	SSLWhitelist: {
		process: sslProxy, severity: severityInfo,
		structured: "logical-system-name session-id url " + sslBase,
		plain:      "lsys:root {session-id} host:{url}/{destination-port}" + sslBasePlain,
	},
	SSLInfo: {
		process: sslProxy, severity: severityInfo,
		structured: "logical-system-name session-id " + sslBase + "sni url-category",
		plain:      "lsys:root {session-id} " + sslBasePlain + " sni:{sni} url-category:{url-category}",
	},
	AppQoS: qosLayout(),
}

// Severity is a syslog severity (RFC 5424, 6.2.1); a smaller number is more severe.
type Severity uint8

const (
	severityError   Severity = 3
	severityWarning Severity = 4
	severityInfo    Severity = 6
)

// severityNames are the severities as statements name them, by number.
var severityNames = [...]string{"emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"}

// Syslog facilities: session records are user-level messages, the gateway's own those of a daemon.
const (
	facility       = 1
	facilityDaemon = 3
)
