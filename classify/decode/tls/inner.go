package tls

// What runs inside TLS: by the protocol that ALPN names (IANA TLS ALPN Protocol IDs), or by the
// port where the standards give a protocol over TLS a port of its own (IANA port numbers, RFC
// 8314 for mail). A port alone never decides: it is looked at once TLS is certain.

import (
	"net/netip"

	"sluice/classify/decode"
)

const dnsOverTLS = "DNS-OVER-TLS"

// inside are the protocols that ALPN can name. HTTP is left out: it is what TLS carries unless it
// says otherwise, and naming it would say nothing of the application.
var inside = []struct{ alpn, name string }{
	{"dot", dnsOverTLS},
	{"ftp", "FTP"},
	{"imap", "IMAP"},
	{"pop3", "POP3"},
	{"managesieve", "MANAGESIEVE"},
	{"xmpp-client", "XMPP"},
	{"xmpp-server", "XMPP"},
	{"stun.turn", "STUN"},
	{"stun.nat-discovery", "STUN"},
	{"sip/2", "SIP"},
	{"mqtt", "MQTT"},
	{"x-amzn-mqtt-ca", "MQTT"},
	{"amqp", "AMQP"},
	{"irc", "IRC"},
	{"nntp", "NNTP"},
	{"nnsp", "NNTP"},
	{"coap", "COAP"},
	{"co", "COAP"},
	{"postgresql", "POSTGRESQL"},
	{"tds/8.0", "TDS"},
	{"ntske/1", "NTP"},
	{"radius/1.0", "RADIUS"},
	{"radius/1.1", "RADIUS"},
	{"sunrpc", "SUN-RPC"},
	{"smb", "SMB"},
	{"rdp", "RDP"},
}

// variant names TLS that carries mail, by port.
func variant(port uint16) string {
	switch port {
	case 465, 587:
		return "SMTPS"
	case 585, 993:
		return "IMAPS"
	case 995:
		return "POP3S"
	}
	return ""
}

// byPort names a protocol that has a port for TLS.
func byPort(port uint16) string {
	switch port {
	case 853:
		return dnsOverTLS
	case 3389:
		return "RDP"
	case 4172:
		return "PCOIP"
	case 563:
		return "NNTPS"
	case 636, 3269:
		return "LDAPS"
	case 989, 990:
		return "FTPS"
	case 992:
		return "TELNETS"
	case 994, 6697:
		return "IRC"
	case 5061:
		return "SIPS"
	case 5349:
		return "STUN"
	case 5671:
		return "AMQP"
	case 6514:
		return "SYSLOG"
	case 8883:
		return "MQTT"
	case 2083:
		return "RADIUS"
	case 5658:
		return "DIAMETER"
	}
	return ""
}

// name names the variant of TLS by the server's port.
func name(s *decode.Session) {
	if v := variant(s.Server.Port()); v != "" && s.Meta.Protocol == decode.TCP {
		s.Protocol(v)
	}
}

// push says whether the server is Apple's for notifications, by the port and the networks that
// Apple names for it ("Use Apple products on enterprise networks").
func push(server netip.AddrPort) bool {
	if server.Port() != 5223 {
		return false
	}
	for _, p := range pushNetworks {
		if p.Contains(server.Addr().Unmap()) {
			return true
		}
	}
	return false
}

var pushNetworks = [...]netip.Prefix{
	netip.MustParsePrefix("17.0.0.0/8"),
	netip.MustParsePrefix("2620:149:a44::/48"),
	netip.MustParsePrefix("2403:300:a42::/48"),
	netip.MustParsePrefix("2403:300:a51::/48"),
	netip.MustParsePrefix("2a01:b740:a42::/48"),
}

// carried names the protocol inside, given the list of protocols offered or chosen.
func carried(s *decode.Session, alpn []byte) {
	if Offers(alpn, "h2") || Offers(alpn, "http/1.1") {
		return
	}
	for i := range inside {
		if p := &inside[i]; Offers(alpn, p.alpn) {
			carry(s, p.name)
			return
		}
	}
	if push(s.Server) {
		s.Carries("APPLE-PUSH")
	} else if p := byPort(s.Server.Port()); p != "" {
		carry(s, p)
	}
}

// carry names the protocol inside. Whose resolver it is says less than that names are asked for.
func carry(s *decode.Session, name string) {
	if s.Carries(name); name == dnsOverTLS {
		s.Application(name)
		s.Micro("DNS-ENCRYPTED")
	}
}
