package report

// Statistics are the proxy's counters as the older command shows them.
type Statistics struct {
	Matched              uint64
	BypassedNonSSL       uint64
	BypassedOverflow     uint64
	BypassedLowMemory    uint64
	Created              uint64
	Ignored              uint64
	Active               uint64 // a gauge
	Dropped              uint64
	Whitelisted          uint64
	CategoryMatch        uint64 // of Whitelisted, by category
	DefaultProfileHit    uint64
	NoDefaultProfile     uint64
	PolicyWithoutProfile uint64
}

// Statistics are the numbers since they were cleared.
func (c *Counters) Statistics() Statistics {
	s := c.totals()
	c.mu.Lock()
	defer c.mu.Unlock()
	b := &c.cleared
	return Statistics{
		Matched:              s.Matched - b.Matched,
		BypassedNonSSL:       s.BypassedNonSSL - b.BypassedNonSSL,
		BypassedOverflow:     s.BypassedOverflow - b.BypassedOverflow,
		BypassedLowMemory:    s.BypassedLowMemory - b.BypassedLowMemory,
		Created:              s.Created - b.Created,
		Ignored:              s.Ignored - b.Ignored,
		Active:               s.Active,
		Dropped:              s.Dropped - b.Dropped,
		Whitelisted:          s.Whitelisted - b.Whitelisted,
		CategoryMatch:        s.CategoryMatch - b.CategoryMatch,
		DefaultProfileHit:    s.DefaultProfileHit - b.DefaultProfileHit,
		NoDefaultProfile:     s.NoDefaultProfile - b.NoDefaultProfile,
		PolicyWithoutProfile: s.PolicyWithoutProfile - b.PolicyWithoutProfile,
	}
}

// ClearStatistics clears the statistics. The proxy's counters keep their values.
func (c *Counters) ClearStatistics() {
	s := c.totals()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cleared = s
}

// totals are the statistics since the gateway started.
func (c *Counters) totals() Statistics {
	p := &c.Proxy
	byCategory := p.WhitelistedURL.Total()
	return Statistics{
		Matched:              p.Matched.Total(),
		BypassedNonSSL:       p.NonSSL.Total(),
		BypassedOverflow:     p.BypassedOverflow.Total(),
		BypassedLowMemory:    p.BypassedLowMemory.Total(),
		Created:              p.Created.Total(),
		Ignored:              p.Ignored.Total(),
		Active:               p.Active.Value(),
		Dropped:              p.Dropped.Total(),
		Whitelisted:          p.WhitelistedIP.Total() + byCategory,
		CategoryMatch:        byCategory,
		DefaultProfileHit:    p.DefaultProfileHit.Total(),
		NoDefaultProfile:     p.NoDefaultProfile.Total(),
		PolicyWithoutProfile: p.PolicyWithoutProfile.Total(),
	}
}
