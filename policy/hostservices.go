package policy

import (
	"strconv"
	"strings"

	"sluice/store/schema"
)

// anyService is the system service that stands for every port.
const anyService = "any-service"

// hostService is what one word of host-inbound-traffic means, as terms separated by blanks:
// PROTOCOL[/PORT[-PORT]] or icmp/TYPE[,TYPE].
type hostService struct{ name, terms string }

// hostServices is the table of system services, with the gateway's metrics at their own port.
func hostServices(metrics uint16) []hostService {
	return append([]hostService{{"metrics", "tcp/" + strconv.Itoa(int(metrics))}}, systemServices...)
}

var systemServices = []hostService{
	{anyService, "tcp udp icmp icmp6"},
	{"bootp", "udp/67-68"},
	{"dhcp", "udp/67-68"},
	{"dhcpv6", "udp/546-547"},
	{"dns", "udp/53 tcp/53"},
	{"finger", "tcp/79"},
	{"ftp", "tcp/21"},
	{"http", "tcp/80"},
	{"https", "tcp/443"},
	{"ident-reset", "tcp/113"},
	{"ike", "udp/500 udp/4500 esp ah"},
	{"lsping", "udp/3503"},
	{"netconf", "tcp/830"},
	{"ntp", "udp/123"},
	{"ping", "icmp/8 icmp6/128"},
	{"r2cp", "udp/28672"},
	{"reverse-ssh", "tcp/2901"},
	{"reverse-telnet", "tcp/2900"},
	{"rlogin", "tcp/513"},
	{"rpm", "tcp/7 udp/7"},
	{"rsh", "tcp/514"},
	{"snmp", "udp/161"},
	{"snmp-trap", "udp/162"},
	{"ssh", "tcp/22"},
	{"tcp-encap", "tcp/500 tcp/4500"},
	{"telnet", "tcp/23"},
	{"tftp", "udp/69"},
	{"traceroute", "udp/33434-33523"},
	{"webapi-clear-text", "tcp/3000"},
	{"webapi-ssl", "tcp/3001"},
	{"xnm-clear-text", "tcp/3221"},
	{"xnm-ssl", "tcp/3220"},
}

// hostProtocols is the table of routing protocols.
var hostProtocols = []hostService{
	{"bfd", "udp/3784-3785 udp/4784"},
	{"bgp", "tcp/179"},
	{"dvmrp", "igmp"},
	{"igmp", "igmp"},
	{"ldp", "udp/646 tcp/646"},
	{"msdp", "tcp/639"},
	{"nhrp", "54"},
	{"ospf", "ospf"},
	{"ospf3", "ospf"},
	{"pgm", "113"},
	{"pim", "pim"},
	{"rip", "udp/520"},
	{"ripng", "udp/521"},
	{"router-discovery", "icmp/9,10 icmp6/133,134"},
	{"rsvp", "rsvp"},
	{"sap", "udp/9875"},
	{"vrrp", "vrrp"},
}

// matches is the service's terms.
func (s hostService) matches() []HostMatch {
	var list []HostMatch
	for text := range strings.FieldsSeq(s.terms) {
		protocol, rest, limited := strings.Cut(text, "/")
		m := HostMatch{Service: s.name}
		must(m.Protocol.UnmarshalText([]byte(protocol)))
		switch {
		case !limited:
		case m.Protocol == schema.ProtoICMP || m.Protocol == schema.ProtoICMPv6:
			for kind := range strings.SplitSeq(rest, ",") {
				n, err := strconv.ParseUint(kind, 10, 8)
				must(err)
				m.Types = append(m.Types, uint8(n))
			}
		default:
			must(m.Ports.UnmarshalText([]byte(rest)))
		}
		list = append(list, m)
	}
	return list
}
