package proxy

import (
	"slices"

	"sluice/classify/appdb"
	"sluice/policy"
)

// webProtocols are the protocols whose sessions ask for web addresses.
var webProtocols = []string{appdb.Prefix + "HTTP", appdb.Prefix + "HTTP-PROXY", appdb.Prefix + "HTTP2", appdb.Prefix + "SSL", appdb.Prefix + "QUIC"}

// locate tells the categories of the web address that the session asks for, when that is known. A
// request that names no host goes to the address of its server. carrier says that the protocol
// found may still turn out to carry a web session.
func (s *Session) locate(cfg *config, c *policy.Content, carrier bool) {
	flow := &s.identity.flow
	host, target := flow.Site()
	web := slices.Contains(webProtocols, flow.Result().Protocol)
	switch {
	case host != "":
	case c.Final && web:
		host = s.server().Addr().String()
	case c.Final, c.Settled && !web && !carrier:
		c.Located = true
		return
	default:
		return
	}
	c.Located, c.Categories = true, cfg.policy.Categories(host, target)
}
