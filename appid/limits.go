package appid

import (
	"time"

	"sluice/classify"
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
	// The lowest of all limits ends the inspection then, where otherwise bytes and packets must
	// both be reached.
	l.Packets = int(c.PerformanceMode.MaxPacketThreshold)
	if l.TCPBytes > 0 && l.TCPPackets > 0 {
		l.Packets, l.TCPPackets = min(l.Packets, l.TCPPackets), 0
	}
	if l.UDPBytes > 0 && l.UDPPackets > 0 {
		l.Packets, l.UDPPackets = min(l.Packets, l.UDPPackets), 0
	}
	if l.TCPBytes > 0 && l.OtherBytes > 0 {
		l.TCPBytes = min(l.TCPBytes, l.OtherBytes)
	}
	if l.UDPBytes > 0 && l.OtherBytes > 0 {
		l.UDPBytes = min(l.UDPBytes, l.OtherBytes)
	}
	return l
}

// matchesApplications says whether a policy matches sessions by their application, so that it
// matters what later transactions of a session carry.
func matchesApplications(cfg *schema.Config) bool {
	for _, p := range policiesOf(cfg) {
		for _, name := range p.Match.DynamicApplication {
			if name != "any" && name != "none" {
				return true
			}
		}
	}
	return false
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
