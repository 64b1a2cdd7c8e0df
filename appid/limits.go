package appid

import (
	"slices"
	"strings"
	"time"

	"sluice/classify"
	"sluice/classify/appdb"
	"sluice/store/schema"
)

// settings are the statements that are not about applications.
type settings struct {
	enabled                    bool
	performance                bool
	cache                      bool // servers' applications are remembered
	securityLookup, miscLookup bool // by whom they are relied on
	statistics                 bool
	timeout, interval          time.Duration
	options                    classify.Options
}

// settingsOf reads the statements. Durations that are absent, in a configuration that was not
// decoded, are the usual ones.
func settingsOf(cfg *schema.Config) settings {
	c := &cfg.Services.ApplicationIdentification
	limits := limitsOf(c)
	s := settings{
		enabled: !c.NoIdentification, performance: c.PerformanceMode != nil, cache: !c.NoCache,
		securityLookup: !c.NoCache && c.Cache.SecurityServices, miscLookup: !c.NoCache && !c.Cache.NoMiscellaneousServices,
		statistics: !c.NoStatistics,
		timeout:    time.Duration(c.CacheTimeout) * time.Second, interval: time.Duration(max(c.Statistics.Interval, 1)) * time.Minute,
		options: classify.Options{
			Limits: &limits, CDN: c.CDN, MaxMemory: int64(c.MaxMemory) << 20, CustomBytes: int(c.CustomByteLimit),
			MicroApps: c.MicroApps, MicroAppMaxTransactions: int(c.MicroAppMaxTransactions),
			Sites:        len(cfg.Security.UTM.CustomObjects.Categories) > 0,
			Transactions: matchesApplications(cfg), MaximumTransactions: int(c.MaximumTransactions),
		},
	}
	return s
}

// limitsOf are the limits of inspection.
func limitsOf(c *schema.ApplicationIdentification) classify.Limits {
	l := classify.Limits{
		TCPBytes: int(c.InspectionLimit.TCP.Bytes), TCPPackets: int(c.InspectionLimit.TCP.Packets),
		UDPBytes: int(c.InspectionLimit.UDP.Bytes), UDPPackets: int(c.InspectionLimit.UDP.Packets),
		OtherBytes: int(c.GlobalOffloadLimit),
	}
	if c.PerformanceMode == nil {
		return l
	}
	l.Packets, l.Lowest = int(c.PerformanceMode.MaxPacketThreshold), true
	return l
}

// matchesApplications says whether a policy, or the rule set of one, matches sessions by their
// application, or by the web address that they ask for, so that it matters what later transactions of
// a session carry.
func matchesApplications(cfg *schema.Config) bool {
	for _, p := range policiesOf(cfg) {
		if permit := p.Then.Permit; permit != nil && permit.ApplicationServices.ApplicationFirewall != nil {
			return true
		}
		for _, name := range slices.Concat(p.Match.DynamicApplication, p.Match.URLCategory) {
			if name != "any" && name != "none" {
				return true
			}
		}
	}
	return false
}

// followed are the names of the micro-applications that are told: where statements name some, all
// those of the same applications, as sessions of others need not be looked at for so long. nil
// stands for all.
func followed(cfg *schema.Config, c *Catalogue) []string {
	parents, looked := map[string]bool{}, map[string]bool{}
	for _, r := range references(cfg) {
		if looked[r.name] || strings.HasPrefix(r.path, root) {
			continue
		}
		looked[r.name] = true // many policies may name the same large group
		members, _ := c.Group(r.name)
		if a, ok := c.Lookup(r.name); ok {
			members = []*appdb.Application{a}
		}
		for _, a := range members {
			if a.Kind == appdb.Micro {
				parents[a.Of] = true
			}
		}
	}
	if len(parents) == 0 {
		return nil
	}
	var names []string
	for _, a := range c.DB.Applications {
		if a.Kind == appdb.Micro && parents[a.Of] {
			names = append(names, a.Name)
		}
	}
	return names
}

func policiesOf(cfg *schema.Config) (all []*schema.Policy) {
	for i := range cfg.Security.Policies.ZonePairs {
		pair := &cfg.Security.Policies.ZonePairs[i]
		for k := range pair.Policies {
			all = append(all, &pair.Policies[k])
		}
	}
	for i := range cfg.Security.Policies.Global.Policies {
		all = append(all, &cfg.Security.Policies.Global.Policies[i])
	}
	return all
}
