package appid

import (
	"fmt"
	"slices"
	"strings"

	"sluice/classify/appdb"
	"sluice/classify/decode"
	"sluice/store/schema"
)

// over reads the signatures that are looked for in one protocol.
func (c *compiler) over(path string, cfg *schema.SignatureOver, a *appdb.Application) {
	name, found := c.protocol(path, cfg.Protocol)
	path += " over " + cfg.Protocol
	if len(cfg.Signatures) == 0 {
		c.warn(path, "set "+path+" signature NAME member m01 …", "there is no signature")
	}
	for i := range cfg.Signatures {
		s := &cfg.Signatures[i]
		if p, ok := c.signature(path+" signature "+s.Name, name, s); ok && found {
			a.Patterns = append(a.Patterns, p)
		}
	}
}

// protocol finds what signatures are over: TCP, UDP, or the short name of a protocol.
func (c *compiler) protocol(path, name string) (short string, found bool) {
	upper := strings.ToUpper(name)
	if upper == "TCP" || upper == "UDP" {
		return upper, true
	}
	if a, ok := c.base.Lookup(name); ok && a.Kind == appdb.Protocol && !a.Custom {
		return a.Short(), true
	}
	c.unknown(path+" over", name, "protocol", func() []string {
		names := []string{"TCP", "UDP"}
		for _, a := range c.base.Applications {
			if a.Kind == appdb.Protocol {
				names = append(names, a.Short())
			}
		}
		return names
	})
	return upper, false
}

// signature reads one signature as a pattern.
func (c *compiler) signature(path, over string, cfg *schema.CustomSignature) (p appdb.Pattern, ok bool) {
	p = appdb.Pattern{Name: cfg.Name, Over: over, Ports: ports(&cfg.PortRange), Chain: cfg.Chain}
	if cfg.Order != nil {
		p.Order = int(*cfg.Order)
	}
	c.portRange(path, over, p.Ports)
	if len(cfg.Members) == 0 {
		c.problem(path, "set "+path+" member m01 context CONTEXT", "the signature has no members")
		return p, false
	}
	members := slices.Clone(cfg.Members)
	slices.SortFunc(members, func(a, b schema.SignatureMember) int { return strings.Compare(a.Name, b.Name) })
	ok = true
	for i := range members {
		m, good := c.member(path+" member "+members[i].Name, over, &members[i])
		p.Members = append(p.Members, m)
		ok = ok && good
	}
	if ok {
		c.unique(path, "signature", content(&p))
	}
	return p, ok
}

// portRange refuses ports where a signature does not know of any.
func (c *compiler) portRange(path, over string, ranges []appdb.PortRange) {
	for _, r := range ranges {
		switch own := map[string]uint8{"TCP": decode.TCP, "UDP": decode.UDP}[over]; own {
		case 0:
			c.problem(path+" port-range", "delete "+path+" port-range",
				"a signature over %s finds the protocol on any port; port-range is for signatures over TCP and UDP", over)
			return
		case r.Protocol:
		default:
			c.problem(path+" port-range", "", "ports %s are never those of a session over %s", r, over)
			return
		}
	}
}

// content is what a signature says, apart from its name and precedence.
func content(p *appdb.Pattern) string {
	var members []string
	for _, m := range p.Members {
		members = append(members, fmt.Sprintf("%s %v %d %q", m.Context, m.Directions, m.Depth, m.Regexp))
	}
	if !p.Chain {
		slices.Sort(members)
	}
	return fmt.Sprintf("signature %s %v %t %q", p.Over, sorted(p.Ports), p.Chain, members)
}
