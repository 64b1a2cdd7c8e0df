package appid

import (
	"fmt"
	"testing"
	"time"

	"sluice/classify"
	"sluice/store/schema"
)

// A commit does not wait for patterns that take long to compile: sessions go on with those in
// force, and the new ones follow.
func TestPatternsFollow(t *testing.T) {
	g := start(t, Options{})
	statements := []string{
		"application mine over TCP signature s member m01 context stream",
		"application mine over TCP signature s member m01 pattern hello-late",
	}
	talk := []message{client("hello-late, this is nobody's protocol")}
	g.patience = time.Millisecond
	g.compiling.Lock()
	g.commit(statements...)
	if !g.Status().Signatures.Compiling {
		t.Error("the status does not say that patterns are compiled")
	}
	if r := g.session(tcp("198.51.100.9:7003"), talk...); r.Application == "mine" {
		t.Errorf("found before it was compiled: %+v", r)
	}
	if r := g.session(tcp("198.51.100.9:2225"), ssh...); r.Protocol != "junos:SSH" {
		t.Errorf("while patterns are compiled: %+v", r)
	}
	g.compiling.Unlock()
	for end := time.Now().Add(time.Minute); g.Status().Signatures.Compiling; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the patterns do not follow")
		}
	}
	if r := g.session(tcp("198.51.100.9:7003"), talk...); r.Application != "mine" {
		t.Errorf("after it was compiled: %+v", r)
	}
}

// Commits and packages come while sessions go on. The race detector looks on.
func TestConcurrent(t *testing.T) {
	g := start(t, Options{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 3 {
			g.commit(fmt.Sprintf("application a icmp-mapping type %d", i))
			if err := g.Activate(without(t, 100+i)); err != nil {
				t.Error(err)
			}
		}
	}()
	for n := 0; ; n++ {
		select {
		case <-done:
			if s := g.Status(); s.UnderDetection != 0 {
				t.Errorf("status %+v", s)
			}
			return
		default:
		}
		if r := g.session(tcp("198.51.100.9:2226"), ssh...); r.Protocol != "junos:SSH" {
			t.Fatalf("session %d: %+v", n, r)
		}
		g.Status()
		g.Alarms()
	}
}

// Rows: AI-47, AI-48, AI-52, AI-55, AI-59, AI-60, AI-61, AI-63, AI-64, CS-37, UP-20, MA-9, MA-19:
// the statements reach the engine, defaults included.
func TestLimits(t *testing.T) {
	of := func(statements ...string) settings { return settingsOf(config(t, statements...)) }
	for _, test := range []struct {
		name       string
		statements []string
		want       classify.Limits
	}{
		{"default", nil, classify.DefaultLimits},
		{"given", []string{"inspection-limit tcp byte-limit 1", "inspection-limit tcp packet-limit 2", "inspection-limit udp byte-limit 3", "inspection-limit udp packet-limit 4", "global-offload-byte-limit 5"},
			classify.Limits{TCPBytes: 1, TCPPackets: 2, UDPBytes: 3, UDPPackets: 4, OtherBytes: 5}},
		{"performance", []string{"enable-performance-mode"},
			classify.Limits{TCPBytes: 6000, UDPPackets: 10, OtherBytes: 10000, Packets: 2, Lowest: true}},
		{"threshold", []string{"enable-performance-mode max-packet-threshold 5", "inspection-limit tcp packet-limit 3"},
			classify.Limits{TCPBytes: 6000, TCPPackets: 3, UDPPackets: 10, OtherBytes: 10000, Packets: 5, Lowest: true}},
	} {
		if got := *of(test.statements...).options.Limits; got != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
	}
	o := of("enable-cdn-application-detection", "max-memory 3", "custom-application-byte-limit 400", "micro-apps", "micro-app-max-transactions 7", "max-transactions 9").options
	if !o.CDN || o.MaxMemory != 3<<20 || o.CustomBytes != 400 || !o.MicroApps || o.MicroAppMaxTransactions != 7 || o.MaximumTransactions != 9 || o.Transactions {
		t.Errorf("options %+v", o)
	}
	if o := of().options; o.CDN || o.MaxMemory != 0 || o.CustomBytes != 0 || o.MicroApps || o.MaximumTransactions != 5 || o.MicroAppMaxTransactions != 5 {
		t.Errorf("default options %+v", o)
	}
	s := of("statistics interval 5", "application-system-cache-timeout 60")
	if s.interval != 5*time.Minute || s.timeout != time.Minute {
		t.Errorf("interval %s, timeout %s", s.interval, s.timeout)
	}
	if s := of(); s.interval != 24*time.Hour || s.timeout != time.Hour {
		t.Errorf("default interval %s, timeout %s", s.interval, s.timeout)
	}
}

// Rows: UP-9, UP-10, AG-6, AG-8, AG-17: what the catalogue tells policies.
func TestCatalogue(t *testing.T) {
	g := start(t, Options{},
		"application mine over HTTP signature s member m01 context http-header-host", "application mine over HTTP signature s member m01 pattern mine",
		"application mine tags web", "application tagged tags remote_access", "application tagged tags social_networking",
		"application-group first applications mine", "application-group first applications junos:SSH", "application-group second applications MINE",
		"application-group both application-groups first", "application-group tags tag-group A application-tags [ web remote_access ]",
		"application-group tags tag-group B application-tags social_networking")
	c := g.Catalogue()
	mine, _ := c.Lookup("Mine")
	if mine == nil {
		t.Fatal("there is no application mine")
	}
	for group, want := range map[string]bool{"first": true, "second": true, "both": true, "any": true, "tags": false, "unassigned": false, "junos:web": false, "nothing": false} {
		if got := c.Contains(group, mine); got != want {
			t.Errorf("mine in %s: %t", group, got)
		}
	}
	if tagged, _ := c.Lookup("tagged"); !c.Contains("tags", tagged) { // AI-134
		t.Error("tagged is not in group tags")
	}
	http, _ := c.Lookup("junos:HTTP")
	if over := c.Dependents(mine); len(over) != 1 || over[0] != http {
		t.Errorf("mine depends on %v", over)
	}
	if ports := c.DefaultPorts(mine); len(ports) == 0 || ports[0].String() != "tcp/80" {
		t.Errorf("ports of mine: %v", ports)
	}
	for _, name := range []string{"junos:HTTPS", "junos:SMTPS", "junos:IMAPS", "junos:POP3S"} {
		if _, ok := c.Lookup(name); !ok {
			t.Errorf("there is no %s", name)
		}
	}
}

func BenchmarkPrepare(b *testing.B) {
	g := start(b, Options{})
	cfg := config(b, "application a icmp-mapping type 3", "security zones security-zone a", "security zones security-zone b")
	pair := schema.ZonePair{From: "a", To: "b"}
	for i := range 5000 {
		pair.Policies = append(pair.Policies, schema.Policy{Name: fmt.Sprint("p", i), Match: schema.PolicyMatch{DynamicApplication: []string{"junos:SSH", "junos:HTTP"}}})
	}
	cfg.Security.Policies.ZonePairs = []schema.ZonePair{pair}
	change, problems := g.Prepare(cfg)
	if change == nil {
		b.Fatal(problems)
	}
	change.Apply()
	for b.Loop() {
		change, _ := g.Prepare(cfg)
		change.Apply()
	}
}
