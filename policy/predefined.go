package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"

	"sluice/store/schema"
)

// definition is one row of the table of predefined applications.
type definition struct {
	name string
	// terms are alternatives, separated by blanks: PROTOCOL[/PORT[-PORT]] or icmp/TYPE[.CODE].
	terms string
	alg   string
}

// definitions are the applications that exist in every configuration. Where several fit a port
// equally well, the first names the session. Services of remote procedure calls, which a port
// mapper moves to changing ports, stand for the mapper's port.
var definitions = []definition{
	{"junos-ftp", "tcp/21", "ftp"},
	{"junos-ftp-data", "tcp/20", "ftp-data"},
	{"junos-tftp", "udp/69", "tftp"},
	{"junos-rtsp", "tcp/554", "rtsp"},
	{"junos-netbios-session", "tcp/139", ""},
	{"junos-smb-session", "tcp/445", ""},
	{"junos-ssh", "tcp/22", ""},
	{"junos-telnet", "tcp/23", ""},
	{"junos-smtp", "tcp/25", ""},
	{"junos-smtps", "tcp/465", ""},
	{"junos-tacacs", "tcp/49", ""},
	{"junos-tacacs-ds", "tcp/65", ""},
	{"junos-dhcp-client", "udp/68", ""},
	{"junos-dhcp-server", "udp/67", ""},
	{"junos-dhcp-relay", "udp/67", ""},
	{"junos-bootpc", "udp/68", ""},
	{"junos-bootps", "udp/67", ""},
	{"junos-finger", "tcp/79", ""},
	{"junos-http", "tcp/80", ""},
	{"junos-https", "tcp/443", ""},
	{"junos-http-ext", "tcp/7001", ""},
	{"junos-pop3", "tcp/110", ""},
	{"junos-ident", "tcp/113", ""},
	{"junos-nntp", "tcp/119", ""},
	{"junos-ntp", "udp/123", ""},
	{"junos-imap", "tcp/143", ""},
	{"junos-imaps", "tcp/993", ""},
	{"junos-bgp", "tcp/179", ""},
	{"junos-ldap", "tcp/389", ""},
	{"junos-snpp", "tcp/444", ""},
	{"junos-biff", "udp/512", ""},
	{"junos-who", "udp/513", ""},
	{"junos-syslog", "udp/514", ""},
	{"junos-printer", "tcp/515", ""},
	{"junos-rip", "udp/520", ""},
	{"junos-radius", "udp/1812", ""},
	{"junos-radacct", "udp/1813", ""},
	{"junos-nfsd-tcp", "tcp/2049", ""},
	{"junos-nfsd-udp", "udp/2049", ""},
	{"junos-cvspserver", "tcp/2401", ""},
	{"junos-ldp-tcp", "tcp/646", ""},
	{"junos-ldp-udp", "udp/646", ""},
	{"junos-xnm-ssl", "tcp/3220", ""},
	{"junos-xnm-clear-text", "tcp/3221", ""},
	{"junos-ike", "udp/500", ""},
	{"junos-ike-nat", "udp/4500", ""},
	{"junos-aol", "tcp/5190-5193", ""},
	{"junos-chargen", "udp/19", ""},
	{"junos-discard", "udp/9", ""},
	{"junos-dns-udp", "udp/53", "dns"},
	{"junos-dns-tcp", "tcp/53", "dns"},
	{"junos-echo", "udp/7", ""},
	{"junos-gopher", "tcp/70", ""},
	{"junos-gnutella", "udp/6346-6347", ""},
	{"junos-gre", "gre", ""},
	{"junos-gprs-gtp-c-tcp", "tcp/2123", ""},
	{"junos-gprs-gtp-c-udp", "udp/2123", ""},
	{"junos-gprs-gtp-u-tcp", "tcp/2152", ""},
	{"junos-gprs-gtp-u-udp", "udp/2152", ""},
	{"junos-gprs-gtp-v0-tcp", "tcp/3386", ""},
	{"junos-gprs-gtp-v0-udp", "udp/3386", ""},
	{"junos-gprs-sctp", "sctp", ""},
	{"junos-ping", "icmp/8", ""},
	{"junos-icmp-ping", "icmp/8", ""},
	{"junos-icmp-all", "icmp", ""},
	{"junos-pingv6", "icmp6/128", ""},
	{"junos-icmp6-echo-request", "icmp6/128", ""},
	{"junos-icmp6-echo-reply", "icmp6/129", ""},
	{"junos-icmp6-dst-unreach-route", "icmp6/1.0", ""},
	{"junos-icmp6-dst-unreach-admin", "icmp6/1.1", ""},
	{"junos-icmp6-dst-unreach-beyond", "icmp6/1.2", ""},
	{"junos-icmp6-dst-unreach-addr", "icmp6/1.3", ""},
	{"junos-icmp6-dst-unreach-port", "icmp6/1.4", ""},
	{"junos-icmp6-packet-too-big", "icmp6/2", ""},
	{"junos-icmp6-time-exceed-transit", "icmp6/3.0", ""},
	{"junos-icmp6-time-exceed-reassembly", "icmp6/3.1", ""},
	{"junos-icmp6-param-prob-header", "icmp6/4.0", ""},
	{"junos-icmp6-param-prob-nexthdr", "icmp6/4.1", ""},
	{"junos-icmp6-param-prob-option", "icmp6/4.2", ""},
	{"junos-icmp6-all", "icmp6", ""},
	{"junos-internet-locator-service", "tcp/389", ""},
	{"junos-irc", "tcp/6660-6669", ""},
	{"junos-l2tp", "udp/1701", ""},
	{"junos-lpr", "tcp/515", ""},
	{"junos-mail", "tcp/25", ""},
	{"junos-h323", "tcp/1720 udp/1719 tcp/1503 tcp/389 tcp/522 tcp/1731", "h323"},
	{"junos-mgcp-ua", "udp/2427", "mgcp-ua"},
	{"junos-mgcp-ca", "udp/2727", "mgcp-ca"},
	{"junos-msn", "tcp/1863", ""},
	{"junos-ms-rpc-tcp", "tcp/135", "ms-rpc"},
	{"junos-ms-rpc-udp", "udp/135", "ms-rpc"},
	{"junos-ms-rpc-epm", "tcp/135", "ms-rpc"},
	{"junos-ms-rpc-msexchange-directory-rfr", "tcp/135", "ms-rpc"},
	{"junos-ms-rpc-msexchange-info-store", "tcp/135", "ms-rpc"},
	{"junos-ms-rpc-msexchange-directory-nsp", "tcp/135", "ms-rpc"},
	{"junos-ms-rpc-wmic-admin", "tcp/135", "ms-rpc"},
	{"junos-ms-rpc-wmic-admin2", "tcp/135", "ms-rpc"},
	{"junos-ms-rpc-wmic-mgmt", "tcp/135", "ms-rpc"},
	{"junos-ms-rpc-wmic-webm-callresult", "tcp/135", "ms-rpc"},
	{"junos-ms-rpc-wmic-webm-classobject", "tcp/135", "ms-rpc"},
	{"junos-ms-rpc-wmic-webm-level1login", "tcp/135", "ms-rpc"},
	{"junos-ms-rpc-wmic-webm-login-clientid", "tcp/135", "ms-rpc"},
	{"junos-ms-rpc-wmic-webm-login-helper", "tcp/135", "ms-rpc"},
	{"junos-ms-rpc-wmic-webm-objectsink", "tcp/135", "ms-rpc"},
	{"junos-ms-rpc-wmic-webm-refreshing-services", "tcp/135", "ms-rpc"},
	{"junos-ms-rpc-wmic-webm-remote-refresher", "tcp/135", "ms-rpc"},
	{"junos-ms-rpc-wmic-webm-services", "tcp/135", "ms-rpc"},
	{"junos-ms-rpc-wmic-webm-shutdown", "tcp/135", "ms-rpc"},
	{"junos-ms-rpc-iis-com-1", "tcp/135", "ms-rpc"},
	{"junos-ms-rpc-iis-com-adminbase", "tcp/135", "ms-rpc"},
	{"junos-ms-rpc-uuid-any-tcp", "tcp/135", "ms-rpc"},
	{"junos-ms-rpc-uuid-any-udp", "udp/135", "ms-rpc"},
	{"junos-ms-sql", "tcp/1433", ""},
	{"junos-sql-monitor", "udp/1434", ""},
	{"junos-mysql", "tcp/3306", ""},
	{"junos-rdp", "tcp/3389", ""},
	{"junos-nbname", "udp/137", ""},
	{"junos-nbds", "udp/138", ""},
	{"junos-sun-rpc-tcp", "tcp/111", "sun-rpc"},
	{"junos-sun-rpc-udp", "udp/111", "sun-rpc"},
	{"junos-nfs", "udp/111", ""},
	{"junos-ns-global", "tcp/15397", ""},
	{"junos-ns-global-pro", "tcp/15397", ""},
	{"junos-nsm", "udp/69", ""},
	{"junos-ospf", "ospf", ""},
	{"junos-pc-anywhere", "udp/5632", ""},
	{"junos-pptp", "tcp/1723", "pptp"},
	{"junos-realaudio", "tcp/554", "realaudio"},
	{"junos-sccp", "tcp/2000", "sccp"},
	{"junos-sctp-any", "sctp", ""},
	{"junos-sip", "udp/5060 tcp/5060", "sip"},
	{"junos-rsh", "tcp/514", "rsh"},
	{"junos-smb", "tcp/139 tcp/445", ""},
	{"junos-snmp", "udp/161", ""},
	{"junos-snmp-trap", "udp/162", ""},
	{"junos-snmp-agentx", "tcp/705", ""},
	{"junos-sqlnet-v1", "tcp/1525", ""},
	{"junos-sqlnet-v2", "tcp/1521", "sqlnet-v2"},
	{"junos-sun-rpc-any-tcp", "tcp/111", "sun-rpc"},
	{"junos-sun-rpc-any-udp", "udp/111", "sun-rpc"},
	{"junos-sun-rpc-portmap-tcp", "tcp/111", "sun-rpc"},
	{"junos-sun-rpc-portmap-udp", "udp/111", "sun-rpc"},
	{"junos-sun-rpc-nfs-tcp", "tcp/111 tcp/2049", "sun-rpc"},
	{"junos-sun-rpc-nfs-udp", "udp/111 udp/2049", "sun-rpc"},
	{"junos-sun-rpc-mountd-tcp", "tcp/111", "sun-rpc"},
	{"junos-sun-rpc-mountd-udp", "udp/111", "sun-rpc"},
	{"junos-sun-rpc-ypbind-tcp", "tcp/111", "sun-rpc"},
	{"junos-sun-rpc-ypbind-udp", "udp/111", "sun-rpc"},
	{"junos-sun-rpc-ypserv-tcp", "tcp/111", "sun-rpc"},
	{"junos-sun-rpc-ypserv-udp", "udp/111", "sun-rpc"},
	{"junos-sun-rpc-status-tcp", "tcp/111", "sun-rpc"},
	{"junos-sun-rpc-status-udp", "udp/111", "sun-rpc"},
	{"junos-sun-rpc-rquotad-tcp", "tcp/111", "sun-rpc"},
	{"junos-sun-rpc-rquotad-udp", "udp/111", "sun-rpc"},
	{"junos-sun-rpc-nlockmgr-tcp", "tcp/111", "sun-rpc"},
	{"junos-sun-rpc-nlockmgr-udp", "udp/111", "sun-rpc"},
	{"junos-sun-rpc-ruserd-tcp", "tcp/111", "sun-rpc"},
	{"junos-sun-rpc-ruserd-udp", "udp/111", "sun-rpc"},
	{"junos-sun-rpc-sadmind-tcp", "tcp/111", "sun-rpc"},
	{"junos-sun-rpc-sadmind-udp", "udp/111", "sun-rpc"},
	{"junos-sun-rpc-sprayd-tcp", "tcp/111", "sun-rpc"},
	{"junos-sun-rpc-sprayd-udp", "udp/111", "sun-rpc"},
	{"junos-sun-rpc-walld-tcp", "tcp/111", "sun-rpc"},
	{"junos-sun-rpc-walld-udp", "udp/111", "sun-rpc"},
	{"junos-stun", "udp/3478-3479 tcp/3478-3479", ""},
	{"junos-talk", "udp/517 tcp/517", "talk"},
	{"junos-ntalk", "udp/518 tcp/518", "talk"},
	{"junos-tcp-any", "tcp", ""},
	{"junos-udp-any", "udp", ""},
	{"junos-uucp", "udp/540", ""},
	{"junos-vdo-live", "udp/7000-7010", ""},
	{"junos-vnc", "tcp/5800", ""},
	{"junos-vxlan", "udp/4789", ""},
	{"junos-wais", "tcp/210", ""},
	{"junos-whois", "tcp/43", ""},
	{"junos-winframe", "tcp/1494", ""},
	{"junos-wxcontrol", "tcp/3578", ""},
	{"junos-x-windows", "tcp/6000-6063", ""},
	{"junos-ymsg", "tcp/5000-5010 tcp/5050 udp/5000-5010 udp/5050", ""},
	{"junos-persistent-nat", "255", ""},
	{"junos-r2cp", "udp/28672", ""},
}

// definitionSets are the predefined sets: name and members, separated by blanks.
var definitionSets = [][2]string{
	{"junos-cifs", "junos-netbios-session junos-smb-session"},
	{"junos-routing-inbound", "junos-bgp junos-rip junos-ldp-tcp junos-ldp-udp"},
	{"junos-mgcp", "junos-mgcp-ua junos-mgcp-ca"},
	{"junos-gprs-gtp-c", "junos-gprs-gtp-c-tcp junos-gprs-gtp-c-udp"},
	{"junos-gprs-gtp-u", "junos-gprs-gtp-u-tcp junos-gprs-gtp-u-udp"},
	{"junos-gprs-gtp-v0", "junos-gprs-gtp-v0-tcp junos-gprs-gtp-v0-udp"},
	{"junos-gprs-gtp", "junos-gprs-gtp-c junos-gprs-gtp-u junos-gprs-gtp-v0"},
	{"junos-ms-rpc", "junos-ms-rpc-tcp junos-ms-rpc-udp"},
	{"junos-ms-rpc-any", "junos-ms-rpc-uuid-any-tcp junos-ms-rpc-uuid-any-udp"},
	{"junos-ms-rpc-iis-com", "junos-ms-rpc-epm junos-ms-rpc-iis-com-1 junos-ms-rpc-iis-com-adminbase"},
	{"junos-ms-rpc-msexchange", "junos-ms-rpc-epm junos-ms-rpc-msexchange-directory-rfr junos-ms-rpc-msexchange-info-store junos-ms-rpc-msexchange-directory-nsp"},
	{"junos-ms-rpc-wmic", "junos-ms-rpc-epm junos-ms-rpc-wmic-admin junos-ms-rpc-wmic-admin2 junos-ms-rpc-wmic-mgmt junos-ms-rpc-wmic-webm-callresult junos-ms-rpc-wmic-webm-classobject junos-ms-rpc-wmic-webm-level1login junos-ms-rpc-wmic-webm-login-clientid junos-ms-rpc-wmic-webm-login-helper junos-ms-rpc-wmic-webm-objectsink junos-ms-rpc-wmic-webm-refreshing-services junos-ms-rpc-wmic-webm-remote-refresher junos-ms-rpc-wmic-webm-services junos-ms-rpc-wmic-webm-shutdown"},
	{"junos-sun-rpc", "junos-sun-rpc-tcp junos-sun-rpc-udp"},
	{"junos-sun-rpc-any", "junos-sun-rpc-any-tcp junos-sun-rpc-any-udp"},
	{"junos-sun-rpc-portmap", "junos-sun-rpc-portmap-tcp junos-sun-rpc-portmap-udp"},
	{"junos-sun-rpc-nfs", "junos-sun-rpc-portmap junos-sun-rpc-nfs-tcp junos-sun-rpc-nfs-udp"},
	{"junos-sun-rpc-nfs-access", "junos-sun-rpc-nfs junos-sun-rpc-mountd"},
	{"junos-sun-rpc-mountd", "junos-sun-rpc-portmap junos-sun-rpc-mountd-tcp junos-sun-rpc-mountd-udp"},
	{"junos-sun-rpc-ypbind", "junos-sun-rpc-portmap junos-sun-rpc-ypbind-tcp junos-sun-rpc-ypbind-udp"},
	{"junos-sun-rpc-ypserv", "junos-sun-rpc-portmap junos-sun-rpc-ypserv-tcp junos-sun-rpc-ypserv-udp"},
	{"junos-sun-rpc-status", "junos-sun-rpc-portmap junos-sun-rpc-status-tcp junos-sun-rpc-status-udp"},
	{"junos-sun-rpc-rquotad", "junos-sun-rpc-portmap junos-sun-rpc-rquotad-tcp junos-sun-rpc-rquotad-udp"},
	{"junos-sun-rpc-nlockmgr", "junos-sun-rpc-portmap junos-sun-rpc-nlockmgr-tcp junos-sun-rpc-nlockmgr-udp"},
	{"junos-sun-rpc-ruserd", "junos-sun-rpc-portmap junos-sun-rpc-ruserd-tcp junos-sun-rpc-ruserd-udp"},
	{"junos-sun-rpc-sadmind", "junos-sun-rpc-portmap junos-sun-rpc-sadmind-tcp junos-sun-rpc-sadmind-udp"},
	{"junos-sun-rpc-sprayd", "junos-sun-rpc-portmap junos-sun-rpc-sprayd-tcp junos-sun-rpc-sprayd-udp"},
	{"junos-sun-rpc-walld", "junos-sun-rpc-portmap junos-sun-rpc-walld-tcp junos-sun-rpc-walld-udp"},
}

// predefinedTable is the predefined applications, found by name and by what they match.
type predefinedTable struct {
	byName map[string][]*service
	byKey  map[uint32]namedTerm // by serviceKey: the most specific term
}

// serviceKey is a protocol and a key in one number.
func serviceKey(p schema.Protocol, key uint16) uint32 { return uint32(p)<<16 | uint32(key) }

// predefined is the table, made on first use.
var predefined = sync.OnceValue(func() *predefinedTable {
	t := &predefinedTable{byName: map[string][]*service{}, byKey: map[uint32]namedTerm{}}
	for _, d := range definitions {
		s := &service{name: d.name, predefined: true}
		for text := range strings.FieldsSeq(d.terms) {
			s.terms = append(s.terms, d.term(text))
		}
		t.byName[d.name] = []*service{s}
		for i := range s.terms {
			t.index(namedTerm{&s.terms[i], s})
		}
	}
	var members func(name string) []*service
	members = func(name string) []*service {
		at := slices.IndexFunc(definitionSets, func(s [2]string) bool { return s[0] == name })
		if at < 0 {
			return t.byName[name]
		}
		var list []*service
		for m := range strings.FieldsSeq(definitionSets[at][1]) {
			list = append(list, members(m)...)
		}
		return uniqueServices(list)
	}
	for _, s := range definitionSets {
		t.byName[s[0]] = members(s[0])
	}
	return t
})

// index notes what term names, unless it is broad (a whole protocol with ports or messages).
func (t *predefinedTable) index(n namedTerm) {
	if n.key == everyPort && (hasPorts(n.protocol) || n.protocol == schema.ProtoICMP || n.protocol == schema.ProtoICMPv6) {
		return
	}
	first, last := int(n.key.low), int(n.key.high)
	if n.key == everyPort {
		last = first // a protocol without ports has the one key 0
	}
	for key := first; key <= last; key++ {
		k := serviceKey(n.protocol, uint16(key))
		if known, taken := t.byKey[k]; !taken || n.breadth() < known.breadth() {
			t.byKey[k] = n
		}
	}
}

// term reads one alternative of the table.
func (d definition) term(text string) term {
	protocol, rest, limited := strings.Cut(text, "/")
	t := term{source: everyPort, key: everyPort, alg: d.alg}
	must(t.protocol.UnmarshalText([]byte(protocol)))
	if !limited {
		return t
	}
	if hasPorts(t.protocol) {
		var ports schema.PortRange
		must(ports.UnmarshalText([]byte(rest)))
		t.key = portSpan{ports.Low, ports.High}
		return t
	}
	var kind, code uint8
	if _, err := fmt.Sscanf(rest, "%d.%d", &kind, &code); err == nil {
		t.key = icmpKeys(kind, &code)
		return t
	}
	_, err := fmt.Sscanf(rest, "%d", &kind)
	must(err)
	t.key = icmpKeys(kind, nil)
	return t
}

// must panics: the table above is wrong.
func must(err error) {
	if err != nil {
		panic("policy: predefined applications: " + err.Error())
	}
}

// isPredefined says whether name is a predefined application or set.
func isPredefined(name string) bool { return predefined().byName[name] != nil }

// PredefinedApplications lists the names of the predefined applications and sets, sorted.
func PredefinedApplications() []string { return sortedKeys(predefined().byName) }

// sortedKeys lists the keys of m in order.
func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
