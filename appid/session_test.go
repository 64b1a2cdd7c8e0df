package appid

import (
	"net/netip"
	"testing"
	"time"

	"sluice/appid/asc"
	"sluice/appid/usage"
	"sluice/classify"
)

const ssl = "198.51.100.9:22"

// Rows: AI-12, AI-19, AI-20, AI-24, AI-25, AI-26, AI-28, AI-29: what is found is remembered; who
// relies on it is configured.
func TestCache(t *testing.T) {
	for _, test := range []struct {
		name, statement           string
		entries                   int
		misc, security, remembers bool
	}{
		{"default", "cacheless", 1, true, false, true},
		{"security services", "application-system-cache security-services", 1, true, true, true},
		{"no miscellaneous services", "application-system-cache no-miscellaneous-services", 1, false, false, true},
		{"off", "no-application-system-cache", 0, false, false, false},
		{"timeout 0", "application-system-cache-timeout 0", 0, false, false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			var statements []string
			if test.statement != "cacheless" {
				statements = append(statements, test.statement)
			}
			g := start(t, Options{}, statements...)
			m := tcp(ssl)
			if r := g.session(m, ssh...); r.Protocol != "junos:SSH" {
				t.Fatalf("first session: %+v", r)
			}
			if n := g.Cache().Len(); n != test.entries {
				t.Errorf("%d entries, want %d", n, test.entries)
			}
			if protocol, _, ok := g.LookupMisc(m); ok != test.misc || ok && protocol != "junos:SSH" {
				t.Errorf("miscellaneous services: %s %t, want %t", protocol, ok, test.misc)
			}
			// Another protocol at the same server: who relies on the cache takes it for SSH.
			r := g.session(m, http("www.example.com", "/")...)
			if cached := r.Protocol == "junos:SSH" && r.Evidence == "cache"; cached != test.security {
				t.Errorf("second session: %+v, want it from the cache: %t", r, test.security)
			}
			if status := g.Status().Cache; status.Enabled != test.remembers || status.SecurityServices != test.security {
				t.Errorf("status: %+v", status)
			}
		})
	}
}

// Rows: AI-21: what is known only from the cache does not lengthen its own life.
func TestCacheDoesNotFeedItself(t *testing.T) {
	g := start(t, Options{}, "application-system-cache security-services", "application-system-cache-timeout 60")
	m := tcp(ssl)
	g.session(m, ssh...)
	f := new(classify.Flow)
	g.Begin(f, m)
	g.clock.add(time.Minute + time.Second)
	g.finish(f, m)
	if n := g.Cache().Len(); n != 0 {
		t.Errorf("%d entries", n)
	}
}

// Rows: AI-33, AI-68, T-6: what nothing matches is remembered as unknown, for captures, and never
// spares the inspection of a later session.
func TestUnknown(t *testing.T) {
	g := start(t, Options{}, "application-system-cache security-services")
	m := tcp("198.51.100.9:7777")
	if g.UnknownCached(m) {
		t.Error("unknown before the first session")
	}
	noise := []message{client("\x00\x81\xfe\x13\x99 nothing that anybody knows \xff\xfe"), server("\x01\x80 nor this")}
	if r := g.session(m, noise...); r.Name() != "junos:UNKNOWN" {
		t.Fatalf("noise is %+v", r)
	}
	if !g.UnknownCached(m) {
		t.Error("not remembered")
	}
	if r := g.session(m, ssh...); r.Protocol != "junos:SSH" || r.Evidence == "cache" {
		t.Errorf("later session: %+v", r)
	}
	if g.UnknownCached(m) {
		t.Error("still unknown after something was found")
	}
	silent := tcp("198.51.100.9:7778")
	g.session(silent)
	if g.UnknownCached(silent) {
		t.Error("a session without a word makes its server unknown")
	}
}

// Rows: CS-46: a custom application is remembered only where it says so, and never one that the
// address has told.
func TestCustomInCache(t *testing.T) {
	signature := []string{
		"application mine over TCP signature s member m01 context stream",
		"application mine over TCP signature s member m01 pattern hello-mine",
	}
	for _, test := range []struct {
		name       string
		statements []string
		want       bool
	}{
		{"not cacheable", signature, false},
		{"cacheable", append([]string{"application mine cacheable"}, signature...), true},
		{"address", []string{"application mine cacheable", "application mine address-mapping A filter ip 198.51.100.0/24"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := start(t, Options{}, test.statements...)
			r := g.session(tcp("198.51.100.9:7001"), client("hello-mine, this is nobody's protocol"), server("hello-mine to you"))
			if r.Application != "mine" {
				t.Fatalf("session is %+v", r)
			}
			if got := g.Cache().Len() == 1; got != test.want {
				t.Errorf("remembered: %t, want %t", got, test.want)
			}
		})
	}
}

// Rows: AI-22, CS-57: a new, changed or deleted custom application clears the cache, whoever's
// entries are there; other commits, and those that fail, do not.
func TestFlush(t *testing.T) {
	g := start(t, Options{})
	fill := func() {
		g.Cache().Put(netip.MustParseAddrPort(ssl), 6, asc.Found{Protocol: "junos:SSH"})
	}
	step := func(name string, flushed bool, statements ...string) {
		t.Helper()
		fill()
		g.commit(statements...)
		if got := g.Cache().Len() == 0; got != flushed {
			t.Errorf("%s: flushed %t, want %t", name, got, flushed)
		}
	}
	step("unrelated", false, "statistics interval 5")
	step("new", true, "application a icmp-mapping type 3")
	step("the same", false, "application a icmp-mapping type 3")
	step("changed", true, "application a icmp-mapping type 4")
	fill()
	if change, _ := g.Prepare(config(t, "application a icmp-mapping type 5", "application b icmp-mapping type 5")); change != nil {
		t.Fatal("not refused")
	}
	if g.Cache().Len() != 1 {
		t.Error("a commit that failed has cleared the cache") // AI-23, CS-58
	}
	step("deleted", true)
}

// Rows: AI-34, AI-35, AI-39, T-2: a session is counted when it ends, under what it was found to be.
func TestStatistics(t *testing.T) {
	g := start(t, Options{})
	f, m := new(classify.Flow), tcp("198.51.100.9:2222")
	g.Begin(f, m)
	for _, said := range ssh {
		f.Stream(said.direction, []byte(said.data))
	}
	f.Close()
	g.Identified(f, m)
	if rows := g.Usage().Applications(usage.Cumulative); len(rows) != 0 {
		t.Errorf("counted before the end: %+v", rows)
	}
	if c := g.Counters(); c.Sessions != 1 || c.Identified != 1 || c.Unknown != 0 {
		t.Errorf("counters %+v", c)
	}
	g.Ended(f, m, 5000)
	g.session(tcp("198.51.100.9:7779"), client("\x00\x81\xfe\x13\x99 nothing that anybody knows"))
	rows := g.Usage().Applications(usage.Cumulative)
	if len(rows) != 2 || rows[0].Name != "junos:SSH" || rows[0].Bytes != 5000 || !rows[0].Encrypted || rows[1].Name != usage.Unknown || rows[1].Limits != 1 {
		t.Errorf("rows %+v", rows)
	}
	groups := g.GroupUsage(usage.Cumulative)
	if len(groups) == 0 || groups[0].Sessions != 1 {
		t.Errorf("groups %+v", groups)
	}
	g.commit("no-application-statistics")
	g.session(m, ssh...)
	if again := g.Usage().Applications(usage.Cumulative); again[0].Sessions != 1 {
		t.Errorf("counted though statistics are off: %+v", again)
	}
	g.ResetCounters()
	if c := g.Counters(); c.Sessions != 0 || c.Identified != 0 || c.Bytes != 0 {
		t.Errorf("counters after a reset %+v", c)
	}
}

// Rows: AI-16, AI-17, T-3: identification is on by default, and off and on again by commit.
func TestOff(t *testing.T) {
	g := start(t, Options{})
	for _, on := range []bool{true, false, true} {
		if on {
			g.commit()
		} else {
			g.commit("no-application-identification")
		}
		r := g.session(tcp("198.51.100.9:2223"), ssh...)
		if got := r.Protocol == "junos:SSH"; got != on || g.Enabled() != on || g.Status().Enabled != on {
			t.Errorf("on %t: %+v, enabled %t", on, r, g.Enabled())
		}
	}
}

// Rows: AI-7, AI-67: a session finishes with the engine it began with, and the next begins with the
// new one.
func TestSwap(t *testing.T) {
	g := start(t, Options{})
	f, m := new(classify.Flow), tcp("198.51.100.9:7002")
	g.Begin(f, m)
	if n := g.Status().UnderDetection; n != 1 {
		t.Errorf("%d sessions under detection", n)
	}
	g.commit("application mine over TCP signature s member m01 context stream",
		"application mine over TCP signature s member m01 pattern hello-mine")
	talk := []message{client("hello-mine, this is nobody's protocol")}
	if r := g.finish(f, m, talk...); r.Application == "mine" {
		t.Errorf("the old session: %+v", r)
	}
	if r := g.session(m, talk...); r.Application != "mine" {
		t.Errorf("the new session: %+v", r)
	}
	if n := g.Status().UnderDetection; n != 0 {
		t.Errorf("%d sessions under detection", n)
	}
}

func BenchmarkSession(b *testing.B) {
	g := start(b, Options{})
	m := tcp("198.51.100.9:22")
	hello := []byte("SSH-2.0-OpenSSH_9.6\r\n")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		var f classify.Flow
		for pb.Next() {
			g.Begin(&f, m)
			f.Stream(classify.ToClient, hello)
			f.Stream(classify.ToServer, hello)
			f.Close()
			g.Identified(&f, m)
			g.Ended(&f, m, 1000)
		}
	})
}

// BenchmarkService is what the service adds to a session.
func BenchmarkService(b *testing.B) {
	g := start(b, Options{})
	m := tcp("198.51.100.9:22")
	var done classify.Flow
	g.Begin(&done, m)
	done.Stream(classify.ToClient, []byte("SSH-2.0-OpenSSH_9.6\r\n"))
	done.Stream(classify.ToServer, []byte("SSH-2.0-OpenSSH_9.6\r\n"))
	done.Close()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		f := done
		for pb.Next() {
			g.Identified(&f, m)
			g.Ended(&f, m, 1000)
		}
	})
}
