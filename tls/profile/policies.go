package profile

import (
	"strings"

	"sluice/store/schema"
)

// policies checks what policies say of the profiles that they name. (That a profile exists is
// checked where the statements are decoded.)
func (c *compiler) policies() {
	filters := map[string]bool{} // web filters, and whether they filter requests
	for _, u := range c.cfg.Security.UTM.Policies {
		filters[u.Name] = u.WebFiltering.Profile != ""
	}
	p := &c.cfg.Security.Policies
	for i := range p.ZonePairs {
		pair := &p.ZonePairs[i]
		path := "security policies from-zone " + pair.From + " to-zone " + pair.To
		for j := range pair.Policies {
			c.policy(path, &pair.Policies[j], filters)
		}
	}
	for i := range p.Global.Policies {
		c.policy("security policies global", &p.Global.Policies[i], filters)
	}
}

// policy warns of categories on the whitelist of a policy's profile that can never match.
func (c *compiler) policy(path string, s *schema.Policy, filters map[string]bool) {
	if s.Then.Permit == nil || s.Then.Permit.ApplicationServices.SSLProxy == nil {
		return
	}
	services := &s.Then.Permit.ApplicationServices
	profile := c.set.Proxy(services.SSLProxy.Profile)
	if profile == nil || len(profile.WhitelistCategories) == 0 || filters[services.UTMPolicy] {
		return
	}
	path += " policy " + s.Name + " then permit application-services"
	c.warn(path, "set "+path+" utm-policy POLICY, with security utm utm-policy POLICY web-filtering http-profile PROFILE",
		"profile %s exempts the categories %s, which are not looked at without a web filter on the policy",
		profile.Name, strings.Join(profile.WhitelistCategories, ", "))
}
