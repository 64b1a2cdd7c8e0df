package classify

// What a session without ports is, its IP protocol number says (IANA protocol numbers).

// ICMP protocol numbers.
const (
	protoICMP   = 1
	protoICMPv6 = 58
)

// ipProtocols names the applications of IP protocols that have no decoder.
var ipProtocols = map[uint8]string{
	protoICMP: "ICMP", 2: "IPP-IGMP", 3: "IPP-GGP", 4: "IPP-IPIP", 8: "IPP-EGP", 9: "IPP-IGP",
	27: "IPP-RDP", 33: "IPP-DCCP", 36: "IPP-XTP", 41: "IPP-IPV6", 46: "IPP-RSVP", 47: "IPP-GRE",
	50: "IPP-ESP", 51: "IPP-AH", protoICMPv6: "ICMPV6", 88: "IPP-EIGRP", 89: "IPP-OSPF",
	94: "IPP-IPIP", 97: "IPP-ETHERIP", 98: "IPP-ENCAP", 103: "IPP-PIM", 108: "IPP-IPCOMP",
	112: "IPP-VRRP", 115: "IPP-L2TP", 124: "IPP-ISIS", 132: "IPP-SCTP", 133: "IPP-FC",
	136: "IPP-UDPLITE", 137: "IPP-MPLS",
}

// ICMP messages that have an application of their own, by type (RFC 792, RFC 4443).
var (
	icmpTypes   = map[uint8]string{0: "ICMP-ECHO", 8: "ICMP-ECHO"}
	icmpv6Types = map[uint8]string{128: "ICMPV6-ECHO", 129: "ICMPV6-ECHO"}
)

// protocolNames are the protocol and the application, perhaps "", of a session without ports.
func protocolNames(meta *Meta) (protocol, application string) {
	protocol = ipProtocols[meta.Protocol]
	switch meta.Protocol {
	case protoICMP:
		application = icmpTypes[meta.ICMPType]
	case protoICMPv6:
		application = icmpv6Types[meta.ICMPType]
	}
	return protocol, application
}
