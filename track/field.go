package track

import (
	"cmp"
	"net/netip"
	"strconv"
	"time"

	"sluice/store/schema"
)

// A field writes one value of a record: a text, a number, always the same, or what append makes.
// Texts are names that people or the network chose, so rendering escapes them; the others are made of
// digits and addresses.
type field struct {
	name   string // as written; layouts may know the field by another name
	fixed  string
	text   func(e *Entry) string
	absent string // written for an empty text
	number func(s *Session) uint64
	append func(dst []byte, e *Entry) []byte
}

// appendTo appends the value that the field has in e; escape, unless it is nil, makes a text that
// begins at from fit for its form.
func (f *field) appendTo(dst []byte, e *Entry, escape func(dst []byte, from int) []byte) []byte {
	switch {
	case f.text != nil:
		v := f.text(e)
		if v == "" {
			return append(dst, f.absent...)
		}
		if dst = append(dst, v...); escape != nil {
			dst = escape(dst, len(dst)-len(v))
		}
		return dst
	case f.number != nil:
		return strconv.AppendUint(dst, f.number(&e.Session), 10)
	case f.append != nil:
		return f.append(dst, e)
	}
	return append(dst, f.fixed...)
}

// constant says whether the field is always the same.
func (f *field) constant() bool { return f.text == nil && f.number == nil && f.append == nil }

// text is a text field that says absent where the value is empty.
func text(name, absent string, value func(s *Session) string) field {
	return field{name: name, absent: absent, text: func(e *Entry) string { return value(&e.Session) }}
}

// number is a decimal number.
func number(name string, value func(s *Session) uint64) field {
	return field{name: name, number: value}
}

// fixed is a field of a feature that the gateway does not have: always the same.
func fixed(name, value string) field { return field{name: name, fixed: value} }

// address is the address of an endpoint, port its port.
func address(name string, endpoint func(s *Session) netip.AddrPort) field {
	return field{name: name, append: func(dst []byte, e *Entry) []byte {
		a := endpoint(&e.Session).Addr()
		if !a.IsValid() {
			return append(dst, "0.0.0.0"...)
		}
		return a.Unmap().AppendTo(dst)
	}}
}

func port(name string, endpoint func(s *Session) netip.AddrPort) field {
	return number(name, func(s *Session) uint64 { return uint64(endpoint(s).Port()) })
}

func source(s *Session) netip.AddrPort      { return s.Source }
func destination(s *Session) netip.AddrPort { return s.Destination }

func natSource(s *Session) netip.AddrPort {
	if s.NATSource.IsValid() {
		return s.NATSource
	}
	return s.Source
}

func natDestination(s *Session) netip.AddrPort {
	if s.NATDestination.IsValid() {
		return s.NATDestination
	}
	return s.Destination
}

// natType is the kind of rule that translated the session, if one did.
func natType(rule, kind string) string {
	if rule == "" {
		return ""
	}
	return kind
}

// Values of fields that are absent.
const (
	notApplicable = "N/A"
	unknown       = "UNKNOWN"
)

// fields holds every field by the name that layouts use.
var fields = indexFields(
	field{name: "reason", text: func(e *Entry) string { return e.Reason }},

	address("source-address", source), port("source-port", source),
	address("destination-address", destination), port("destination-port", destination),
	address("nat-source-address", natSource), port("nat-source-port", natSource),
	address("nat-destination-address", natDestination), port("nat-destination-port", natDestination),
	fixed("connection-tag", "0"), fixed("nat-connection-tag", "0"),

	text("src-nat-rule-type", notApplicable, func(s *Session) string { return natType(s.SourceNATRule, "source rule") }),
	text("src-nat-rule-name", notApplicable, func(s *Session) string { return s.SourceNATRule }),
	text("dst-nat-rule-type", notApplicable, func(s *Session) string { return natType(s.DestinationNATRule, "destination rule") }),
	text("dst-nat-rule-name", notApplicable, func(s *Session) string { return s.DestinationNATRule }),

	number("protocol-id", func(s *Session) uint64 { return uint64(s.Protocol) }),
	number("icmp-type", func(s *Session) uint64 { return uint64(s.ICMPType) }),
	text("policy-name", notApplicable, func(s *Session) string { return s.Policy }),
	text("source-zone-name", notApplicable, func(s *Session) string { return s.FromZone }),
	text("destination-zone-name", notApplicable, func(s *Session) string { return s.ToZone }),
	number("session-id", func(s *Session) uint64 { return s.ID }),
	number("session-id-32", func(s *Session) uint64 { return s.ID }),
	text("username", notApplicable, func(s *Session) string { return s.User }),
	text("roles", notApplicable, func(s *Session) string { return s.Roles }),

	text("service-name", "None", func(s *Session) string { return s.Service }),
	text("application", unknown, func(s *Session) string { return s.Application }),
	text("nested-application", unknown, func(s *Session) string { return s.NestedApplication }),
	text("encrypted", unknown, func(s *Session) string { return s.Encrypted }),
	text("category", notApplicable, func(s *Session) string { return s.Category }),
	text("sub-category", notApplicable, func(s *Session) string { return s.SubCategory }),
	text("application-category", notApplicable, func(s *Session) string { return s.Category }),
	text("application-sub-category", notApplicable, func(s *Session) string { return s.SubCategory }),
	field{name: "application-risk", append: func(dst []byte, e *Entry) []byte {
		if e.Session.Risk == 0 {
			return append(dst, "-1"...)
		}
		return strconv.AppendUint(dst, uint64(e.Session.Risk), 10)
	}},
	text("application-characteristics", notApplicable, func(s *Session) string { return s.Characteristics }),

	text("packet-incoming-interface", "", func(s *Session) string { return s.IngressInterface }),
	text("destination-interface-name", "", func(s *Session) string { return s.EgressInterface }),
	text("routing-instance", "default", func(s *Session) string { return s.RoutingInstance }),
	text("profile-name", notApplicable, func(s *Session) string { return s.RoutingProfile }),
	text("rule-name", notApplicable, func(s *Session) string { return s.RoutingRule }),
	text("apbr-policy-name", notApplicable, func(s *Session) string { return s.RoutingPolicy }),
	text("apbr-rule-type", notApplicable, func(s *Session) string { return s.RoutingRuleType }),
	text("dscp-value", notApplicable, func(s *Session) string { return s.DSCP }),
	text("webfilter-category", notApplicable, func(s *Session) string { return s.WebFilterCategory }),
	text("multipath-rule-name", notApplicable, func(s *Session) string { return s.MultipathRule }),
	text("last-destination-interface-name", "", func(s *Session) string { return s.LastEgressInterface }),
	text("last-incoming-interface-name", notApplicable, func(s *Session) string { return s.LastUplinkInterface }),
	text("uplink-incoming-interface-name", "", func(s *Session) string { return s.UplinkInterface }),
	number("uplink-tx-bytes", func(s *Session) uint64 { return s.UplinkTxBytes }),
	number("uplink-rx-bytes", func(s *Session) uint64 { return s.UplinkRxBytes }),
	text("source-l3vpn-vrf-group-name", notApplicable, func(s *Session) string { return s.SourceVRF }),
	text("destination-l3vpn-vrf-group-name", notApplicable, func(s *Session) string { return s.DestinationVRF }),
	text("src-vrf-grp", notApplicable, func(s *Session) string { return s.SourceVRF }),
	text("dst-vrf-grp", notApplicable, func(s *Session) string { return s.DestinationVRF }),

	number("packets-from-client", func(s *Session) uint64 { return s.PacketsFromClient }),
	number("bytes-from-client", func(s *Session) uint64 { return s.BytesFromClient }),
	number("packets-from-server", func(s *Session) uint64 { return s.PacketsFromServer }),
	number("bytes-from-server", func(s *Session) uint64 { return s.BytesFromServer }),
	number("elapsed-time", func(s *Session) uint64 { return uint64(max(0, s.Elapsed/time.Second)) }),

	fixed("secure-web-proxy-session-type", "NA"), fixed("peer-session-id", "0"),
	fixed("peer-source-address", "0.0.0.0"), fixed("peer-source-port", "0"),
	fixed("peer-destination-address", "0.0.0.0"), fixed("peer-destination-port", "0"),
	fixed("hostname", "NA NA"), fixed("tunnel-inspection", "Off"), fixed("tunnel-inspection-policy-set", "root"),

	fixed("logical-system-name", "root-logical-system"),
	text("source-interface-name", "", func(s *Session) string { return s.IngressInterface }),
	text("url", notApplicable, func(s *Session) string { return s.SSL.URL }),
	field{name: "message", absent: "NA", text: func(e *Entry) string { return e.Reason }},
	text("sni", "NULL", func(s *Session) string { return s.SSL.SNI }),
	text("url-category", "NULL", func(s *Session) string { return s.SSL.Category }),

	field{name: "timestamp", append: func(dst []byte, e *Entry) []byte { return e.Time.AppendFormat(dst, "2006-01-02T15:04:05.000Z07:00") }},
	fixed("message-type", ruleMatch),
	text("protocol-name", notApplicable, func(s *Session) string { return schema.Protocol(s.Protocol).String() }),
	text("application-name", unknown, func(s *Session) string { return cmp.Or(s.NestedApplication, s.Application) }),
	qos("rule-set-name", func(q *QoS) string { return q.RuleSet }),
	qos("action", func(q *QoS) string { return q.Action }),
	qos("argument", func(q *QoS) string { return q.Marks }),
	qos("argument1", func(q *QoS) string { return q.Limits }),
)

// fieldVariants are fields that a layout writes in another way than under their own name.
var fieldVariants = map[string]field{
	"connection-tag-hex":       fixed("connection-tag", "0x0"),
	"nat-connection-tag-hex":   fixed("nat-connection-tag", "0x0"),
	"encrypted-not-applicable": fixed("encrypted", notApplicable),
	"qos-rule-name":            qos("rule-name", func(q *QoS) string { return q.Rule }),
	"ssl-profile-name":         text("profile-name", "(null)", func(s *Session) string { return s.SSL.Profile }),
	"message-origin": {name: "message", append: func(dst []byte, e *Entry) []byte {
		if o := e.Session.SSL.Origin.String(); o != "" {
			dst = append(append(dst, o...), ": "...)
		}
		return dst
	}},
}

func indexFields(list ...field) map[string]field {
	index := make(map[string]field, len(list))
	for _, f := range list {
		index[f.name] = f
	}
	return index
}

// fieldNamed finds the field that a layout means; a name that no field has is a mistake in the
// layouts, found when the program starts.
func fieldNamed(name string) field {
	if f, ok := fieldVariants[name]; ok {
		return f
	}
	f, ok := fields[name]
	if !ok {
		panic("track: a layout names the field " + name + ", which does not exist")
	}
	return f
}
