package report

import (
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"testing"
)

// each calls do with every counter and gauge of the struct that family points to.
func each(family any, do func(name string, c *Counter, g *Gauge)) {
	v := reflect.ValueOf(family).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i).Addr().Interface().(type) {
		case *Counter:
			do(v.Type().Field(i).Name, f, nil)
		case *Gauge:
			do(v.Type().Field(i).Name, nil, f)
		}
	}
}

// Each family is cleared by itself, and gauges stay as they are.
// Rows: 6/O-7, 6/O-19, 6/O-25, 6/O-32.
func TestClear(t *testing.T) {
	var c Counters
	families := map[string]struct {
		family any
		clear  func()
	}{
		"proxy":             {&c.Proxy, c.ClearProxy},
		"termination":       {&c.Termination, c.ClearTermination},
		"initiation":        {&c.Initiation, c.ClearInitiation},
		"session cache":     {&c.SessionCache, c.ClearSessionCache},
		"certificate cache": {&c.CertificateCache, c.ClearCertificateCache},
	}
	for _, f := range families {
		each(f.family, func(_ string, c *Counter, g *Gauge) {
			if c != nil {
				c.Add(3)
			} else {
				g.Up()
			}
		})
	}
	cleared := map[string]bool{}
	for name, f := range families {
		f.clear()
		cleared[name] = true
		for other, f := range families {
			each(f.family, func(field string, c *Counter, g *Gauge) {
				want := uint64(3)
				if cleared[other] {
					want = 0
				}
				if c != nil && (c.Value() != want || c.Total() != 3) {
					t.Errorf("%s cleared: %s of %s is %d, in all %d", name, field, other, c.Value(), c.Total())
				}
				if g != nil && g.Value() != 1 {
					t.Errorf("%s cleared: the gauge %s of %s is %d", name, field, other, g.Value())
				}
			})
		}
	}
	if s := c.Statistics(); s.Matched != 3 || s.Whitelisted != 6 {
		t.Errorf("the statistics were cleared with the counters: %+v", s)
	}
	c.ClearStatistics()
	c.Proxy.Matched.Inc()
	if s := c.Statistics(); s != (Statistics{Matched: 1, Active: 1}) {
		t.Errorf("statistics after they were cleared: %+v", s)
	}
}

// The statistics agree with the counters: they are the same numbers.
// Rows: SP-73, SP-99, T-37.
func TestStatistics(t *testing.T) {
	var c Counters
	p := &c.Proxy
	for i, counter := range []*Counter{
		&p.Matched, &p.NonSSL, &p.BypassedOverflow, &p.BypassedLowMemory, &p.Created, &p.Ignored, &p.Dropped,
		&p.WhitelistedIP, &p.WhitelistedURL, &p.DefaultProfileHit, &p.NoDefaultProfile, &p.PolicyWithoutProfile,
	} {
		counter.Add(uint64(i + 1))
	}
	p.Active.Up()
	want := Statistics{
		Matched: 1, BypassedNonSSL: 2, BypassedOverflow: 3, BypassedLowMemory: 4, Created: 5, Ignored: 6, Active: 1, Dropped: 7,
		Whitelisted: 17, CategoryMatch: 9, DefaultProfileHit: 10, NoDefaultProfile: 11, PolicyWithoutProfile: 12,
	}
	if got := c.Statistics(); got != want {
		t.Errorf("statistics are %+v, want %+v", got, want)
	}
}

// What happens on the sides of sessions is counted for the side and for the profile alike, and
// when all are over the gauges are zero.
func TestSides(t *testing.T) {
	var c Counters
	var wait sync.WaitGroup
	for i := range 8 {
		profile := "p" + string(rune('a'+i%2))
		wait.Go(func() {
			for _, side := range []*Side{c.TerminationSide(profile), c.InitiationSide(profile)} {
				side.Begin()
				side.HandshakeStarted()
				if i == 0 {
					side.CertificateRefused()
				} else {
					side.HandshakeCompleted(i == 1)
					side.Authenticated(i%2 == 0)
				}
				if i == 1 {
					side.Renegotiated(true)
					side.Renegotiated(false)
				}
				side.End()
				side.End()
			}
		})
	}
	wait.Wait()
	for name, leg := range map[string]*Leg{"termination": &c.Termination, "initiation": &c.Initiation} {
		of := c.ProfileTermination
		if name == "initiation" {
			of = c.ProfileInitiation
		}
		a, b := of("pa"), of("pb")
		for _, n := range []struct {
			what          string
			want          uint64
			whole         *Counter
			first, second *Counter
		}{
			{"started", 8, &leg.HandshakesStarted, &a.HandshakesStarted, &b.HandshakesStarted},
			{"completed", 7, &leg.HandshakesCompleted, &a.HandshakesCompleted, &b.HandshakesCompleted},
			{"errors", 1, &leg.HandshakeErrors, &a.HandshakeErrors, &b.HandshakeErrors},
			{"resumed", 1, &leg.Resumptions, &a.Resumptions, &b.Resumptions},
			{"secure", 1, &leg.SecureRenegotiations, &a.SecureRenegotiations, &b.SecureRenegotiations},
			{"insecure", 1, &leg.InsecureRenegotiations, &a.InsecureRenegotiations, &b.InsecureRenegotiations},
			{"multiple", 1, &leg.MultipleRenegotiations, &a.MultipleRenegotiations, &b.MultipleRenegotiations},
			{"after resumption", 2, &leg.RenegotiationsAfterResumption, &a.RenegotiationsAfterResumption, &b.RenegotiationsAfterResumption},
		} {
			if n.whole.Value() != n.want || n.first.Value()+n.second.Value() != n.want {
				t.Errorf("%s %s: %d, of profiles %d and %d, want %d", name, n.what, n.whole.Value(), n.first.Value(), n.second.Value(), n.want)
			}
		}
		if leg.CertificateErrors.Value() != 1 || leg.ECDSAAuthentications.Value()+leg.RSAAuthentications.Value() != 7 || leg.ProxyCreated.Value() != 8 {
			t.Errorf("%s: %d certificate errors, %d and %d authentications, %d created", name, leg.CertificateErrors.Value(),
				leg.ECDSAAuthentications.Value(), leg.RSAAuthentications.Value(), leg.ProxyCreated.Value())
		}
		if leg.Active.Value()+leg.ProxyActive.Value()+a.Active.Value()+b.Active.Value() != 0 {
			t.Errorf("%s: gauges are not zero", name)
		}
	}
	c.Keep([]string{"pb"})
	if c.ProfileInitiation("pa").HandshakesStarted.Value() != 0 || c.ProfileInitiation("pb").HandshakesStarted.Value() != 4 {
		t.Error("Keep forgot the wrong profile")
	}
}

// The last dropped sessions are remembered, with the place in the program that dropped them.
// Rows: 6/O-31.
func TestDrops(t *testing.T) {
	var d Drops
	if len(d.List()) != 0 {
		t.Error("a drop before there was one")
	}
	for i := range dropsKept + 5 {
		d.Record(Drop{Message: "unable to get local issuer certificate", Client: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), uint16(i))})
	}
	list := d.List()
	if len(list) != dropsKept || list[0].Client.Port() != 5 || list[dropsKept-1].Client.Port() != dropsKept+4 {
		t.Errorf("%d remembered, from port %d to port %d", len(list), list[0].Client.Port(), list[len(list)-1].Client.Port())
	}
	if last := list[0]; last.File != "tls/report/report_test.go" || last.Function != "report.TestDrops" || last.Line == 0 {
		t.Errorf("dropped at %s %s:%d", last.Function, last.File, last.Line)
	}
	if d.Clear(); len(d.List()) != 0 || strings.Contains(list[0].File, "//") {
		t.Error("drops are there after they were cleared")
	}
}
