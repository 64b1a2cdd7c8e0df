// Package report keeps account of what the SSL proxy does: counters, the sessions that it dropped,
// and traces.
//
// Everything is counted once. What several commands show comes from the same counters, so that
// they agree: a family of counters is cleared by remembering where it stood, and gauges are never
// cleared. The names under which counters are shown are those of the commands.
package report

import (
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
)

// Counter counts events. It never goes back: clearing it only moves the point from which Value
// counts.
type Counter struct{ total, base atomic.Uint64 }

// Inc counts one event.
func (c *Counter) Inc() { c.total.Add(1) }

// Add counts n events.
func (c *Counter) Add(n uint64) { c.total.Add(n) }

// Value is the number of events since the counter was cleared.
func (c *Counter) Value() uint64 { return c.total.Load() - c.base.Load() }

// Total is the number of events since the gateway started.
func (c *Counter) Total() uint64 { return c.total.Load() }

func (c *Counter) clear() { c.base.Store(c.total.Load()) }

// Gauge is how many there are of something now.
type Gauge struct{ n atomic.Int64 }

// Up adds one.
func (g *Gauge) Up() { g.n.Add(1) }

// Down takes one away.
func (g *Gauge) Down() { g.n.Add(-1) }

// Value is how many there are.
func (g *Gauge) Value() uint64 { return uint64(max(0, g.n.Load())) }

// Counters are all counters of the SSL proxy. The zero value is ready.
type Counters struct {
	Proxy       Proxy
	Termination Leg // towards clients
	Initiation  Leg // towards servers

	SessionCache     Cache // of sessions that can be resumed
	CertificateCache Cache // of certificates made for clients

	mu       sync.Mutex
	profiles map[string]*profileLegs // by the names of profiles
	cleared  Statistics              // where the statistics stood when they were cleared
}

// profileLegs is the counters of both sides of one profile.
type profileLegs struct{ termination, initiation ProfileLeg }

// profile is the counters of the profile called name.
func (c *Counters) profile(name string) *profileLegs {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.profiles[name]
	if p == nil {
		if c.profiles == nil {
			c.profiles = map[string]*profileLegs{}
		}
		p = new(profileLegs)
		c.profiles[name] = p
	}
	return p
}

// ProfileTermination is the counters of a profile towards clients.
func (c *Counters) ProfileTermination(name string) *ProfileLeg { return &c.profile(name).termination }

// ProfileInitiation is the counters of a profile towards servers.
func (c *Counters) ProfileInitiation(name string) *ProfileLeg { return &c.profile(name).initiation }

// Keep forgets the counters of profiles that are not among names. Sessions that still have one of
// those go on counting, unseen.
func (c *Counters) Keep(names []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name := range c.profiles {
		if !slices.Contains(names, name) {
			delete(c.profiles, name)
		}
	}
}

// ClearProxy clears the proxy's counters. The statistics keep their values.
func (c *Counters) ClearProxy() { clearFamily(&c.Proxy) }

// ClearTermination clears the counters of the side towards clients, those of profiles among them.
func (c *Counters) ClearTermination() {
	clearFamily(&c.Termination)
	c.eachProfile(func(p *profileLegs) { clearFamily(&p.termination) })
}

// ClearInitiation clears the counters of the side towards servers, those of profiles among them.
func (c *Counters) ClearInitiation() {
	clearFamily(&c.Initiation)
	c.eachProfile(func(p *profileLegs) { clearFamily(&p.initiation) })
}

// ClearSessionCache clears the counters of the session cache.
func (c *Counters) ClearSessionCache() { clearFamily(&c.SessionCache) }

// ClearCertificateCache clears the counters of the certificate cache.
func (c *Counters) ClearCertificateCache() { clearFamily(&c.CertificateCache) }

func (c *Counters) eachProfile(do func(*profileLegs)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.profiles {
		do(p)
	}
}

// clearFamily clears every counter of the struct that family points to; gauges stay.
func clearFamily(family any) {
	v := reflect.ValueOf(family).Elem()
	for i := range v.NumField() {
		if counter, ok := v.Field(i).Addr().Interface().(*Counter); ok {
			counter.clear()
		}
	}
}
