package profile

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	"sluice/store/schema"
	"sluice/tls/pki"
)

// Environment is what profiles are compiled against.
type Environment struct {
	PKI      *pki.Store              // nil: not at hand, so that certificates are not looked up
	Names    Names                   // of domain names in whitelists; nil: none is known
	Supports func(suite uint16) bool // whether the TLS library can use a suite; nil: every one
	Now      func() time.Time        // nil: time.Now
	Accepted bool                    // the configuration was accepted before: certificates that went since are warnings, and their profiles Broken
}

// compiler reads the statements and gathers everything wrong with them.
type compiler struct {
	cfg      *schema.Config
	env      Environment
	set      *Set
	problems []schema.Problem
	broken   string // the first fault of the profile that is being read

	trusts      map[string]*trust
	unchecked   map[string]bool            // authorities whose revocation lists are not looked at, by their bytes
	addresses   map[string]*schema.Address // of the global address book
	addressSets map[string]*schema.AddressSet
}

// Compile makes the profiles of a configuration, and reports everything that is wrong at once. The
// set is only to be used when no problem but warnings is reported. Profiles keep their numbers
// from previous, which may be nil.
func Compile(cfg *schema.Config, previous *Set, env Environment) (*Set, []schema.Problem) {
	c := &compiler{cfg: cfg, env: env, set: &Set{}, trusts: map[string]*trust{}}
	c.set.numbers.after(previous)
	c.unchecked = c.uncheckedAuthorities()
	c.books()
	c.global()
	ssl := &cfg.Services.SSL
	for i := range ssl.Proxy.Profiles {
		c.set.proxies = append(c.set.proxies, c.proxy(&ssl.Proxy.Profiles[i]))
	}
	for i := range ssl.Initiations.Profiles {
		c.set.initiations = append(c.set.initiations, c.initiation(&ssl.Initiations.Profiles[i]))
	}
	for i := range ssl.Terminations.Profiles {
		c.set.terminations = append(c.set.terminations, c.termination(&ssl.Terminations.Profiles[i]))
	}
	slices.SortFunc(c.set.proxies, func(a, b *Proxy) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(c.set.initiations, func(a, b *Initiation) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(c.set.terminations, func(a, b *Termination) int { return cmp.Compare(a.ID, b.ID) })
	if d := cfg.Security.NGFW.DefaultProfile.SSLProxy; d != nil {
		c.set.standard = c.set.Proxy(d.Profile)
	}
	c.policies()
	return c.set, c.problems
}

// problem notes what is wrong at path.
func (c *compiler) problem(path, hint, format string, args ...any) {
	c.problems = append(c.problems, schema.Problem{Path: path, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// warn notes something odd that a commit may go on with.
func (c *compiler) warn(path, hint, format string, args ...any) {
	c.problems = append(c.problems, schema.Problem{Path: path, Message: fmt.Sprintf(format, args...), Hint: hint, Warning: true})
}

// fault notes what is wrong with a certificate. A configuration that was accepted before goes on
// holding, with a profile that decrypts nothing.
func (c *compiler) fault(path, hint, format string, args ...any) {
	if !c.env.Accepted {
		c.problem(path, hint, format, args...)
		return
	}
	c.warn(path, hint, format, args...)
	c.broken = cmp.Or(c.broken, fmt.Sprintf(format, args...))
}

// books finds the addresses that whitelists may name.
func (c *compiler) books() {
	c.addresses, c.addressSets = map[string]*schema.Address{}, map[string]*schema.AddressSet{}
	for i := range c.cfg.Security.AddressBooks {
		b := &c.cfg.Security.AddressBooks[i]
		if b.Name != globalBook {
			continue
		}
		for j := range b.Addresses {
			c.addresses[b.Addresses[j].Name] = &b.Addresses[j]
		}
		for j := range b.AddressSets {
			c.addressSets[b.AddressSets[j].Name] = &b.AddressSets[j]
		}
	}
}

// global reads what holds for every profile.
func (c *compiler) global() {
	g := &c.cfg.Services.SSL.Proxy.Global
	c.set.Global = Global{
		CertificateCache:         !g.DisableCertificateCache,
		CertificateCacheTimeout:  time.Duration(g.CertificateCacheTimeout) * time.Second,
		InvalidateOnCRLUpdate:    g.InvalidateCacheOnCRL,
		SessionCacheTimeout:      time.Duration(g.SessionCacheTimeout) * time.Second,
		MailBytes:                int(g.MailThreshold.Bytes),
		MailPackets:              int(g.MailThreshold.Packets),
		MaximumDecryptedSessions: int(g.MaximumDecryptedSessions),
		TraceOptions:             c.cfg.Services.SSL.TraceOptions,
	}
}

// proxyPath is where SSL proxy profiles are configured.
const proxyPath = "services ssl proxy profile "

// proxy compiles one SSL proxy profile.
func (c *compiler) proxy(s *schema.SSLProxyProfile) *Proxy {
	path := proxyPath + s.Name
	c.broken = ""
	id := c.set.numbers.proxies.of(s.Name)
	leg := id - firstProxy + firstLeg
	p := &Proxy{
		Name: s.Name, ID: id, TerminationID: leg, InitiationID: leg,
		IgnoreServerAuthFailure: s.Actions.IgnoreServerAuthFailure,
		DisableResumption:       s.Actions.DisableSessionResumption,
		AllowStrongCertificate:  s.Actions.AllowStrongCertificate,
		CRL:                     c.crl(&s.Actions.CRL),
		Renegotiation:           renegotiationOf[s.Actions.Renegotiation],
		Log:                     logOf(&s.Actions.Log),
		FlowTracing:             s.EnableFlowTracing,
		Whitelist:               c.whitelist(path, s.Whitelist),
		WhitelistCategories:     s.WhitelistCategories,
	}
	if s.Name == "all" {
		c.problem(path, "choose another name", "a profile cannot be called all, which the show commands need")
	}
	c.kind(path, s, p)
	p.Protocols = c.proxyProtocols(path, s)
	c.fit(path, &p.Protocols, p.ServerCertificates)
	trusted := c.trusted(path+" trusted-ca", s.TrustedCA)
	p.Trusted, p.TrustedCAs = trusted.pool, trusted.list
	if len(s.RootCA) > 0 && len(s.TrustedCA) == 0 {
		c.warn(path, "set "+path+" trusted-ca all", "no CA is trusted without trusted-ca, so that no server is")
	}
	if s.Mirror != nil {
		p.Mirror = c.mirror(path+" mirror-decrypt-traffic", s.Mirror)
	}
	if s.PassThrough != nil {
		p.PassThrough = &PassThrough{Failures: int(s.PassThrough.Failures), Timeout: time.Duration(s.PassThrough.Timeout) * time.Second}
	}
	parts := appendIdentities(appendIdentities(nil, p.RootCAs), p.ServerCertificates)
	parts = p.Protocols.append(trusted.append(parts))
	p.Fingerprint = fingerprint(append(parts, flags(p.IgnoreServerAuthFailure, p.CRL.Disable, p.CRL.DropIfNotPresent, p.CRL.IgnoreHold))...)
	p.Broken = c.broken
	return p
}

// kind reads the certificates that make a profile a forward or a reverse proxy.
func (c *compiler) kind(path string, s *schema.SSLProxyProfile, p *Proxy) {
	switch {
	case len(s.RootCA) == 0 && len(s.ServerCertificates) == 0:
		c.problem(path, "set "+path+" root-ca CERTIFICATE-ID", "one of root-ca (forward proxy) and server-certificate (reverse proxy) must be set")
	case len(s.RootCA) > 0 && len(s.ServerCertificates) > 0:
		c.problem(path, "make two profiles of it", "root-ca (forward proxy) and server-certificate (reverse proxy) cannot both be set")
	default:
		p.RootCAs = c.rootCAs(path+" root-ca", s.RootCA)
		p.ServerCertificates = c.identities(path+" server-certificate", s.ServerCertificates, nil)
	}
}

// proxyProtocols reads what an SSL proxy profile may speak.
func (c *compiler) proxyProtocols(path string, s *schema.SSLProxyProfile) Protocols {
	switch {
	case s.PreferredCiphers == "custom" && len(s.CustomCiphers) == 0:
		c.problem(path+" preferred-ciphers", "set "+path+" custom-ciphers CIPHER", "preferred-ciphers custom needs custom-ciphers")
		return Protocols{}
	case s.PreferredCiphers != "custom" && len(s.CustomCiphers) > 0:
		c.problem(path+" custom-ciphers", "set "+path+" preferred-ciphers custom", "custom-ciphers hold with preferred-ciphers custom only")
	}
	return c.protocols(spoken{path, s.PreferredCiphers, s.ProtocolVersion, customOf(s.CustomCiphers)})
}

// initiation compiles one SSL initiation profile.
func (c *compiler) initiation(s *schema.SSLInitiation) *Initiation {
	path := "services ssl initiation profile " + s.Name
	c.broken = ""
	p := &Initiation{
		Name: s.Name, ID: c.set.numbers.initiations.of(s.Name),
		IgnoreServerAuthFailure: s.Actions.IgnoreServerAuthFailure, CRL: c.crl(&s.Actions.CRL), FlowTracing: s.EnableFlowTracing,
		Protocols: c.plainProtocols(path, s.PreferredCiphers, s.ProtocolVersion, s.CustomCiphers),
	}
	trusted := c.trusted(path+" trusted-ca", s.TrustedCA)
	p.Trusted, p.TrustedCAs = trusted.pool, trusted.list
	if len(s.TrustedCA) == 0 {
		c.warn(path, "set "+path+" trusted-ca all", "no CA is trusted without trusted-ca, so that no server is")
	}
	if s.ClientCertificate != "" {
		if list := c.identities(path+" client-certificate", []string{s.ClientCertificate}, nil); len(list) > 0 {
			p.ClientCertificate = list[0]
		}
	}
	var own []*Identity
	if p.ClientCertificate != nil {
		own = append(own, p.ClientCertificate)
	}
	parts := p.Protocols.append(trusted.append(appendIdentities(nil, own)))
	p.Fingerprint = fingerprint(append(parts, flags(p.IgnoreServerAuthFailure, p.CRL.Disable, p.CRL.DropIfNotPresent, p.CRL.IgnoreHold))...)
	p.Broken = c.broken
	return p
}

// termination compiles one SSL termination profile.
func (c *compiler) termination(s *schema.SSLTermination) *Termination {
	path := "services ssl termination profile " + s.Name
	c.broken = ""
	if len(s.ServerCertificates) == 0 {
		c.problem(path, "set "+path+" server-certificate CERTIFICATE-ID", "the profile has no server-certificate")
	}
	p := &Termination{
		Name: s.Name, ID: c.set.numbers.terminations.of(s.Name), FlowTracing: s.EnableFlowTracing,
		ServerCertificates: c.identities(path+" server-certificate", s.ServerCertificates, nil),
		Protocols:          c.plainProtocols(path, s.PreferredCiphers, s.ProtocolVersion, s.CustomCiphers),
	}
	c.fit(path, &p.Protocols, p.ServerCertificates)
	p.Fingerprint = fingerprint(p.Protocols.append(appendIdentities(nil, p.ServerCertificates))...)
	p.Broken = c.broken
	return p
}

// plainProtocols reads what another profile may speak; its custom-ciphers hold by themselves.
func (c *compiler) plainProtocols(path, preferred, version string, custom []schema.PlainCipherName) Protocols {
	if preferred == "custom" && len(custom) == 0 {
		c.problem(path+" preferred-ciphers", "set "+path+" custom-ciphers CIPHER", "preferred-ciphers custom needs custom-ciphers")
		return Protocols{}
	}
	if len(custom) > 0 {
		preferred = "custom"
	}
	return c.protocols(spoken{path, preferred, version, plainCustomOf(custom)})
}

// crl reads what revocation means.
func (c *compiler) crl(s *schema.SSLCRL) CRL {
	unchecked := c.unchecked // and not the whole compiler
	return CRL{
		Disable: s.Disable, DropIfNotPresent: s.IfNotPresent == "drop", IgnoreHold: s.IgnoreHoldInstructionCode,
		DisabledFor: func(issuer *x509.Certificate) bool { return unchecked[string(issuer.Raw)] },
	}
}

// uncheckedAuthorities are the certificates of CA profiles with revocation-check disable.
func (c *compiler) uncheckedAuthorities() map[string]bool {
	unchecked := map[string]bool{}
	for _, p := range c.cfg.Security.PKI.CAProfiles {
		if !p.Revocation.Disable || c.env.PKI == nil {
			continue
		}
		for _, ca := range c.env.PKI.CAProfile(p.Name) {
			unchecked[string(ca.Certificate.Raw)] = true
		}
	}
	return unchecked
}

// renegotiationOf are the words of actions renegotiation.
var renegotiationOf = map[string]Renegotiation{"allow": AllowAll, "allow-secure": AllowSecure, "drop": DropAll}

// logOf reads which messages are sent.
func logOf(s *schema.SSLProxyLog) Log {
	var l Log
	for _, o := range []struct {
		set  bool
		kind Log
	}{
		{s.All, LogAll}, {s.SessionsDropped, LogDropped}, {s.SessionsAllowed, LogAllowed}, {s.SessionsIgnored, LogIgnored},
		{s.SessionsWhitelisted, LogWhitelisted}, {s.Errors, LogErrors}, {s.Warning, LogWarnings}, {s.Info, LogInfo},
	} {
		if o.set {
			l |= o.kind
		}
	}
	return l
}

// mirror reads where decrypted traffic is copied to.
func (c *compiler) mirror(path string, s *schema.SSLMirror) *Mirror {
	logical := c.cfg.Logical(s.Interface)
	at := path + " interface " + s.Interface
	base, _, _ := strings.Cut(s.Interface, ".")
	configured := slices.ContainsFunc(c.cfg.Interfaces, func(i schema.Interface) bool { return i.Name == base })
	switch {
	case slices.ContainsFunc(tunnels, func(t string) bool { return strings.HasPrefix(base, t) }):
		c.problem(at, "use an Ethernet interface", "a copy of decrypted traffic cannot be sent into a tunnel or loopback interface")
	case !configured && strings.Contains(base, "/"):
		c.problem(at, didYouMean(base, interfaceNames(c.cfg)), "interface %s is not configured", base)
	}
	m := &Mirror{Interface: s.Interface, Device: logical.Device, AfterEnforcement: s.AfterEnforcement}
	if s.DestinationMAC != nil {
		m.MAC = net.HardwareAddr(s.DestinationMAC[:])
	}
	return m
}

// tunnels are how the names of interfaces begin that are no Ethernet.
var tunnels = []string{"st0", "lo", "gr-", "ip-", "tun", "wg", "ppp"}

func interfaceNames(cfg *schema.Config) []string {
	var names []string
	for i := range cfg.Interfaces {
		names = append(names, cfg.Interfaces[i].Name)
	}
	return names
}

// names are the keys of both maps.
func names[A, B any](a map[string]A, b map[string]B) []string {
	return slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
}

// didYouMean is the hint that names what is spelt most like name.
func didYouMean(name string, known []string) string { return schema.DidYouMean(name, known) }
