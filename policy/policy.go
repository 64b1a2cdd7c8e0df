package policy

import (
	"slices"

	"sluice/classify/appdb"
	"sluice/store/schema"
)

// DefaultPolicy is the name of the policy of sessions that no configured policy matches.
const DefaultPolicy = "default-policy"

// Policy is one compiled policy.
type Policy struct {
	Name              string
	Index             uint32 // stays the same as long as the policy is configured
	Sequence          int    // place among the policies of its zone pair, or the global ones, from 1
	FromZone, ToZone  string // "" for global policies and the default policy
	Global            bool
	Action            Action
	LogInit, LogClose bool      // log sessions when they begin and are refused; when they end
	Count             bool      // count packets and bytes
	TCPProxy          bool      // terminate TCP sessions and relay them as streams
	SSLProxy          string    // profile by which TLS of its sessions is opened; "" for none
	WebFilter         string    // utm-policy; "" for none
	TrafficControl    string    // rule set that its sessions are treated by; "" for none
	PacketCapture     bool      // capture sessions whose application is unknown
	LogOnly           bool      // what it refuses passes, and is logged
	Firewall          *Firewall // rules on applications, for what the policy permits; nil for none
	Message           *Message  // answer to web requests that it refuses; nil for none
	TCPOptions        schema.TCPOptions
	Counters          *Counters
	Scheduler         string // "" when the policy always holds
	Description       string

	rulesLogOnly          bool              // what its rule set refuses passes, and is logged
	configured            *schema.Policy    // nil for the default policy
	sources, destinations []*address        // as configured, "any" left out
	services              []*service        // as configured, sets expanded; none for "any"
	naming                []namedTerm       // terms of services in the order they name sessions
	fromZones, toZones    []string          // of a global policy; none for every zone
	exact                 bool              // the port tables admit more than the terms do
	users                 []string          // source-identity; none for any
	categories            []string          // url-category; nil for any
	applications          []*applicationSet // dynamic applications; nil for any
}

// key names the policy in the State.
func (p *Policy) key() string {
	if p.configured == nil {
		return DefaultPolicy
	}
	if p.Global {
		return "global " + p.Name
	}
	return p.FromZone + " " + p.ToZone + " " + p.Name
}

// Statement is the statement that the policy is configured by.
func (p *Policy) Statement() string {
	if p.configured == nil {
		return "security policies default-policy"
	}
	return p.path()
}

// path is the statement of a configured policy.
func (p *Policy) path() string {
	if p.Global {
		return "security policies global policy " + p.Name
	}
	return "security policies from-zone " + p.FromZone + " to-zone " + p.ToZone + " policy " + p.Name
}

// compilePolicies reads the policies, those of zone pairs first, and gives them their positions.
func (c *compiler) compilePolicies() {
	policies := &c.cfg.Security.Policies
	c.e.preID, c.e.maxLookups = newPreID(&policies.PreID), int(policies.Unified.MaxLookups)
	c.e.pairs = map[pair]span{}
	for i := range policies.ZonePairs {
		z := &policies.ZonePairs[i]
		path := "security policies from-zone " + z.From + " to-zone " + z.To
		for _, name := range []string{z.From, z.To} {
			if name != HostZone && !c.isZone(name) {
				c.unknownZone(path, name)
			}
		}
		if z.From == HostZone || z.To == HostZone {
			c.warnHost(path)
		}
		first := len(c.e.policies)
		if _, again := c.e.pairs[pair{z.From, z.To}]; again {
			c.problem(path, "", "the zone pair is given twice")
			continue
		}
		c.compileList(z.Policies, Policy{FromZone: z.From, ToZone: z.To})
		c.e.pairs[pair{z.From, z.To}] = span{first, len(c.e.policies)}
	}
	c.e.global.low = len(c.e.policies)
	c.compileList(policies.Global.Policies, Policy{Global: true})
	c.e.global.high = len(c.e.policies)

	fallback := &Policy{Name: DefaultPolicy, Action: Deny}
	if policies.DefaultPolicy.PermitAll {
		fallback.Action = Permit
	}
	c.adopt(fallback)
	c.e.fallback = fallback
	if policies.Rematch != nil {
		c.e.rematch, c.e.rematchExtensive = true, policies.Rematch.Extensive
	}
}

// compileList compiles the policies of one context, which template tells.
func (c *compiler) compileList(list []schema.Policy, template Policy) {
	seen := map[string]bool{}
	for i := range list {
		p := template
		p.configured, p.Name, p.Description, p.Sequence = &list[i], list[i].Name, list[i].Description, i+1
		if seen[p.Name] {
			c.problem(p.path(), "rename one of them", "the policy is given twice")
			continue
		}
		seen[p.Name] = true
		c.compilePolicy(&p)
		c.adopt(&p)
		c.e.policies = append(c.e.policies, &p)
	}
}

// adopt gives p the index and counters it has had so far.
func (c *compiler) adopt(p *Policy) {
	state := c.st.policy(p.key())
	p.Index, p.Counters = state.index, state.counters
}

// compilePolicy compiles what one policy matches and does.
func (c *compiler) compilePolicy(p *Policy) {
	path, match, then := p.path(), &p.configured.Match, &p.configured.Then
	for _, t := range []struct {
		keyword string
		values  []string
	}{
		{"source-address", match.SourceAddress},
		{"destination-address", match.DestinationAddress},
		{"application", match.Application},
	} {
		if len(t.values) == 0 {
			c.problem(path+" match", "set "+path+" match "+t.keyword+" any", "%s is missing", t.keyword)
		}
	}
	p.sources = c.matchAddresses(path+" match source-address", p.FromZone, match.SourceAddress, match.SourceAddressExcluded)
	p.destinations = c.matchAddresses(path+" match destination-address", p.ToZone, match.DestinationAddress, match.DestinationAddressExcluded)
	p.applications = c.matchContent(path+" match dynamic-application", match.DynamicApplication)
	c.warnAboutPackets(path+" match dynamic-application", match.DynamicApplication)
	p.categories = c.matchCategories(path+" match url-category", match.URLCategory)
	c.matchApplications(p, path+" match application", match.Application)
	p.fromZones = c.matchZones(p, path+" match from-zone", match.FromZone)
	p.toZones = c.matchZones(p, path+" match to-zone", match.ToZone)
	p.users = c.matchIdentity(path+" match source-identity", match)

	actions := 0
	if then.Permit != nil {
		p.Action, actions = Permit, actions+1
		p.TCPProxy, p.TCPOptions = then.Permit.ApplicationServices.TCPProxy, then.Permit.TCPOptions
		c.applicationServices(p, path+" then permit application-services", &then.Permit.ApplicationServices)
	}
	if then.Deny != nil {
		p.Action, actions = Deny, actions+1
		c.refusal(p, path+" then deny", then.Deny.Profile, then.Deny.SSLProxy)
	}
	if then.Reject != nil {
		p.Action, actions = Reject, actions+1
		c.refusal(p, path+" then reject", then.Reject.Profile, then.Reject.SSLProxy)
	}
	switch {
	case actions == 0:
		c.problem(path+" then", "set "+path+" then permit, deny or reject", "the policy has no action")
	case actions > 1:
		c.problem(path+" then", "keep one of permit, deny and reject", "the policy has more than one action")
	}
	p.LogInit, p.LogClose = then.Log.SessionInit, then.Log.SessionClose
	p.Count = then.Count != nil
	everywhere := c.cfg.Security.Policies.LogOnly
	p.LogOnly = then.LogOnly || everywhere && p.applications != nil
	p.rulesLogOnly = then.LogOnly || everywhere
	if p.Scheduler = p.configured.SchedulerName; p.Scheduler != "" && c.schedules[p.Scheduler] == nil {
		c.unknown(path+" scheduler-name", p.Scheduler, func() []string { return sortedKeys(c.schedules) }, "scheduler %q is not configured", p.Scheduler)
	}
}

// refusal reads what users are told of a refusal, and how TLS is opened for that.
func (c *compiler) refusal(p *Policy, path, profile string, proxy *schema.SSLProxyName) {
	p.Message = c.messages[profile]
	if proxy == nil {
		return
	}
	c.decryption(p, proxy)
	if p.Message == nil {
		c.warn(path+" ssl-proxy", "set "+path+" profile PROFILE", "sessions are opened to tell users why they are refused, and nothing is to be told")
	}
}

// decryption reads by which profile the TLS of the policy's sessions is opened.
func (c *compiler) decryption(p *Policy, proxy *schema.SSLProxyName) {
	p.SSLProxy = proxy.Profile
	c.e.decrypts = true
}

// applicationServices reads the services on what the policy permits that look at applications.
func (c *compiler) applicationServices(p *Policy, path string, services *schema.ApplicationServices) {
	if rules := services.ApplicationFirewall; rules != nil {
		p.Firewall = c.firewalls[rules.RuleSet]
		c.e.ruled = c.e.ruled || p.Firewall != nil
		if p.applications != nil {
			c.problem(p.path(), "keep one of the two", "Traditional AppFW and dynamic-application can't be applied to same policy")
		}
	}
	if services.SSLProxy != nil {
		c.decryption(p, services.SSLProxy)
	}
	p.WebFilter = services.UTMPolicy
	if control := services.TrafficControl; control != nil {
		p.TrafficControl = control.RuleSet
		c.e.controls = true
	}
	p.PacketCapture = services.PacketCapture
	if p.PacketCapture && !has(p.applications, appdb.Unknown) {
		c.problem(path+" packet-capture", "set "+p.path()+" match dynamic-application junos:UNKNOWN",
			"only sessions whose application is unknown are captured, and the policy does not match them")
	}
}

// matchAddresses finds the addresses that names mean in zone; none when they hold "any".
func (c *compiler) matchAddresses(path, zone string, names []string, excluded bool) []*address {
	if slices.Contains(names, anyAddress) {
		if excluded {
			c.problem(path, "name the addresses to exclude", "any cannot be excluded, as nothing would match")
		}
		if len(names) > 1 {
			c.warn(path, "delete any or the other addresses", "any already holds every other address")
		}
		return nil
	}
	if zone == HostZone {
		zone = ""
	}
	var list []*address
	for _, name := range names {
		if a := c.address(path, zone, name); a != nil {
			list = append(list, a)
		}
	}
	return list
}

// matchApplications finds the services that names mean; none when they hold "any".
func (c *compiler) matchApplications(p *Policy, path string, names []string) {
	if slices.Contains(names, anyApplication) {
		if len(names) > 1 {
			c.warn(path, "delete any or the other applications", "any already holds every other application")
		}
		return
	}
	for _, name := range names {
		if name == junosDefaults {
			if p.applications == nil {
				c.problem(path, "name the applications, or any", "junos-defaults stands for the ports of dynamic applications, and the policy matches none")
				continue
			}
			p.services = append(p.services, c.defaultServices(path, p.configured.Match.DynamicApplication))
			continue
		}
		p.services = append(p.services, c.application(path, name)...)
	}
	p.services = uniqueServices(p.services)
	p.naming = namingOrder(p.services)
	p.exact = len(p.naming) > 1 && slices.ContainsFunc(p.naming, func(t namedTerm) bool { return t.source != everyPort })
}

// matchZones checks the zones that a global policy is limited to; none for every zone.
func (c *compiler) matchZones(p *Policy, path string, names []string) []string {
	if len(names) > 0 && !p.Global {
		c.problem(path, "delete it", "only global policies match zones, this one is between %s and %s", p.FromZone, p.ToZone)
		return nil
	}
	if slices.Contains(names, anyAddress) {
		return nil
	}
	for _, name := range names {
		switch {
		case name == HostZone:
			c.warnHost(path)
		case !c.isZone(name):
			c.unknownZone(path, name)
		}
	}
	return names
}

// warnHost notes that policies do not judge what the gateway itself receives and sends.
func (c *compiler) warnHost(path string) {
	c.warn(path, "use security zones security-zone … host-inbound-traffic",
		"traffic of the gateway itself is decided by host-inbound-traffic, so a policy for "+HostZone+" has no effect in this version")
}

// fits says whether one of the policy's terms fits the flow.
func (p *Policy) fits(f *Flow, key uint16) bool {
	for i := range p.naming {
		if p.naming[i].matches(f, key) {
			return true
		}
	}
	return false
}
