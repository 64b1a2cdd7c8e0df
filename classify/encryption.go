package classify

import (
	"sluice/classify/appdb"
	"sluice/classify/decode"
)

// encryptedProtocols are those whose content is encrypted.
var encryptedProtocols = []string{
	"SSL", "DTLS", "QUIC", "GQUIC", "HTTP3", "HTTPS", "SMTPS", "IMAPS", "POP3S", "FTPS", "LDAPS", "TELNETS", "SIPS",
	"NNTPS", "DNS-OVER-TLS", "DNS-OVER-HTTPS", "DNS-OVER-QUIC", "DNSCRYPT", "DNS-ENCRYPTED", "SSH", "IPP-ESP", "ESP",
	"WIREGUARD", "OPENVPN", "TOR", "SRTP", "CISCO-VPN", "IPSEC", "TAILSCALE", "TINC", "ZEROTIER", "SSTP", "RADSEC",
}

// encrypts says whether a protocol, or nil, encrypts what it carries.
func (e *Engine) encrypts(protocol *appdb.Application) bool {
	return protocol != nil && e.encrypted[protocol]
}

// webALPN are the protocols of ALPN that are HTTP (IANA TLS ALPN Protocol IDs).
var webALPN = map[string]bool{"h2": true, "http/1.1": true, "http/1.0": true, "http/0.9": true}

// secure is what a TLS session says of what is inside, besides names.
type secure struct {
	web  bool // ALPN offers or chooses HTTP
	alpn bool // ALPN is there
}

// note takes what ALPN names.
func (s *secure) note(protocol []byte) {
	s.alpn = true
	s.web = s.web || webALPN[string(protocol)]
}

// secureWeb is the application of web sessions over TLS that name nothing more special.
const secureWeb = "HTTPS"

// https says whether a TLS session that names nothing more special is the web: ALPN says so, or,
// with less certainty, a server name without ALPN on the port of the web.
func (w *inspection) https(f *finding) (is, certain bool) {
	switch {
	case f.protocol.Short() != "SSL" || w.meta.Protocol != decode.TCP:
		return false, false
	case f.secure.web:
		return true, true
	}
	return !f.secure.alpn && f.serverNamed && w.meta.Server.Port() == 443, false
}
