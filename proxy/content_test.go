package proxy

import (
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/classify"
	"sluice/classify/appdb"
	"sluice/classify/data"
	"sluice/classify/decode"
	"sluice/classify/scan"
	"sluice/stack"
)

// knowing is a bench whose sessions are identified with options and custom applications.
func knowing(t *testing.T, text string, options classify.Options, customs ...*appdb.Application) *bench {
	t.Helper()
	database, _ := data.Load()
	for _, a := range customs {
		a.Custom = true
	}
	database, problems := database.With(customs, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if len(customs) > 0 {
		only := appdb.New()
		only, _ = only.With(customs, nil)
		set, problems, err := scan.Compile(t.Context(), only, scan.Options{})
		if err != nil || len(problems) > 0 {
			t.Fatal(err, problems)
		}
		t.Cleanup(set.Close)
		options.Signatures = set
	}
	engine, _ := classify.Compile(database, classify.NewState(time.Now), options)
	b := newBench(t, statements)
	b.identifier = &recorder{Engine: engine}
	b.apps = catalogue{database}
	b.configure(text)
	return b
}

// inStream is a custom application by a pattern in the first bytes of the clients of TCP sessions.
func inStream(name, expression string, depth int, priority appdb.Priority) *appdb.Application {
	return &appdb.Application{Name: name, Priority: priority, Patterns: []appdb.Pattern{{
		Name: "s1", Over: "TCP", Members: []appdb.Member{{Context: decode.Stream, Directions: [2]bool{decode.ToServer: true}, Regexp: expression, Depth: depth}},
	}}}
}

const (
	modbusRead  = "\x00\x01\x00\x00\x00\x06\x11\x01\x00\x13\x00\x25"
	modbusWrite = "\x00\x02\x00\x00\x00\x06\x11\x05\x00\xac\xff\x00"
)

// What an application does is judged request by request, in mid-session: one is permitted, another is
// not, nor is what has no name of its own.
func TestFunctionsAreJudgedOneByOne(t *testing.T) { // MA-1, MA-3, MA-4, MA-7, MA-13, MA-21, MA-24, UP-40
	options := classify.Options{MicroApps: true, Transactions: true, MaximumTransactions: 5}
	reading := unified("p1 dynamic-application junos:MODBUS-READ-COILS then permit")
	for _, c := range []struct {
		name, policies string
		requests       []string
		passed         []int
	}{
		{"read, then write", reading, []string{modbusRead, modbusRead, modbusWrite, modbusRead}, []int{1, 1, 0, 0}},
		{"write", reading, []string{modbusWrite}, []int{0}},
		{"write denied by name", unified("no dynamic-application junos:MODBUS-WRITE-SINGLE-COIL then deny", "rest then permit"), []string{modbusRead, modbusWrite}, []int{1, 0}},
		{"write denied behind its protocol", unified("modbus dynamic-application junos:MODBUS then permit", "no dynamic-application junos:MODBUS-WRITE-SINGLE-COIL then deny"), []string{modbusRead, modbusWrite}, []int{1, 1}},
		{"another application", reading, []string{"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", "x"}, []int{0, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := knowing(t, c.policies, options)
			session := newConversation("192.0.2.10:40000", "198.51.100.20:502")
			session.connect(b)
			var passed []int
			for _, request := range c.requests {
				passed = append(passed, len(b.from(b.lan, session.carrying(request))))
			}
			if !slices.Equal(passed, c.passed) {
				t.Errorf("of the requests %v passed, want %v", passed, c.passed)
			}
		})
	}
}

// Applications change with the requests of one session, and its policy follows them.
func TestRequestsAreJudgedOneByOne(t *testing.T) { // UP-14, UP-16, UP-18
	const other = "GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n"
	options := classify.Options{Transactions: true, MaximumTransactions: 5}
	for _, c := range []struct {
		name, policies string
		requests       []string
		passed         []int
	}{
		{"denied in the second request", unified("no-video dynamic-application junos:YOUTUBE then deny", "rest then permit"), []string{other, youtube}, []int{1, 0}},
		{"permitted alone", unified("video dynamic-application junos:YOUTUBE then permit"), []string{youtube, other}, []int{1, 0}},
		{"not permitted from the start", unified("video dynamic-application junos:YOUTUBE then permit"), []string{other, youtube}, []int{0, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := knowing(t, c.policies, options)
			session := webClient()
			session.connect(b)
			var passed []int
			for _, request := range c.requests {
				passed = append(passed, len(b.from(b.lan, session.carrying(request))))
			}
			if !slices.Equal(passed, c.passed) {
				t.Errorf("of the requests %v passed, want %v", passed, c.passed)
			}
		})
	}
}

// A custom application that may still be found keeps its policies possible, but only where a policy
// names it, and only as long as its patterns may match.
func TestCustomApplicationsThatMayStillCome(t *testing.T) { // CS-28, CS-38 to CS-41, CS-48
	const banner, padding = "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", "0123456789012345678901234567890123456789"
	denied := unified("no dynamic-application custom then deny", "rest then permit")
	permitted := unified("ours dynamic-application custom then permit")
	for _, c := range []struct {
		name, policies string
		priority       appdb.Priority
		segments       []string // of the client, the server says banner before
		passed         []int
	}{
		{"of high priority, denied later", denied, appdb.High, []string{padding, "install"}, []int{1, 0}},
		{"of high priority, permitted while it may come", permitted, appdb.High, []string{padding, "install", padding}, []int{1, 1, 1}},
		{"of high priority, beyond its depth", permitted, appdb.High, []string{padding, padding, padding + padding, padding}, []int{1, 1, 0, 0}},
		{"of low priority, gives way", permitted, appdb.Low, []string{padding}, []int{0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := knowing(t, c.policies, classify.Options{}, inStream("custom", "install", 100, c.priority))
			session := newConversation("192.0.2.10:40000", "198.51.100.20:2222")
			session.connect(b)
			b.from(b.wan, session.saying(banner))
			var passed []int
			for _, segment := range c.segments {
				passed = append(passed, len(b.from(b.lan, session.carrying(segment))))
			}
			if !slices.Equal(passed, c.passed) {
				t.Errorf("of the segments %v passed, want %v", passed, c.passed)
			}
		})
	}
}

// A session that goes on under its policy, as running sessions are not judged again, is judged by the new
// policies with its next request.
func TestNextRequestMeetsNewPolicies(t *testing.T) {
	b := knowing(t, unified("no-mail dynamic-application junos:YAHOO-MAIL then deny", "rest then permit"), classify.Options{Transactions: true, MaximumTransactions: 5})
	c := webClient()
	c.connect(b)
	if len(b.from(b.lan, c.carrying(youtube))) != 1 {
		t.Fatal("the first request does not pass")
	}
	for _, policies := range [][]string{{"rest then permit"}, {"no-video dynamic-application junos:YOUTUBE then deny", "rest then permit"}} {
		b.configure(unified(policies...))
		open := len(policies) > 1
		for deadline := time.Now().Add(10 * time.Second); b.firstKey().session.has(stateOpen) != open && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
	}
	if n := b.Summary().Valid; n != 1 {
		t.Fatalf("%d sessions go on", n)
	}
	if len(b.from(b.lan, c.carrying(youtube))) != 0 {
		t.Error("the next request passes")
	}
}

// A page answers the request that was refused, never one before it that still waits for its answer.
func TestNoPageForAnotherRequest(t *testing.T) { // FW-49
	const other = "GET / HTTP/1.1\r\nHost: www.example.org\r\n\r\n"
	const posted = "POST / HTTP/1.1\r\nHost: www.example.org\r\nContent-Length: 4\r\n\r\n"
	named := youtube[:len(youtube)-2] // its head is not over, but it names its application
	for name, c := range map[string]struct {
		maximum  int // transactions
		segments []string
		page     bool
	}{
		"alone":                             {5, []string{youtube}, true},
		"alone, and the last":               {1, []string{youtube}, true},
		"in two segments":                   {5, []string{youtube[:20], youtube[20:]}, true},
		"before its head is over":           {5, []string{named}, true},
		"behind another":                    {5, []string{other, youtube}, false},
		"behind another, and the last":      {2, []string{other, youtube}, false},
		"behind a body":                     {5, []string{posted, "body", youtube}, false},
		"behind another, not over":          {5, []string{other, named}, false},
		"in another's segment":              {5, []string{other + youtube}, false},
		"in another's segment and not over": {5, []string{other + named}, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := knowing(t, "set security dynamic-application profile told redirect-message type custom-text content no\n"+
				unified("no-video dynamic-application junos:YOUTUBE then reject profile told", "rest then permit"),
				classify.Options{Transactions: true, MaximumTransactions: c.maximum})
			w := webClient()
			w.connect(b)
			last := len(c.segments) - 1
			for _, segment := range c.segments[:last] {
				if out := b.from(b.lan, w.carrying(segment)); len(out) != 1 {
					t.Fatalf("%q did not pass", segment)
				}
			}
			out := b.from(b.lan, w.carrying(c.segments[last]))
			if len(out) != 2 {
				t.Fatalf("%d packets came out, want one for each side", len(out))
			}
			for _, p := range out {
				toClient := p.Key.Destination() == w.client
				if page := p.Payload < len(p.IP); page != (c.page && toClient) || !page && p.TCPFlags&stack.TCPRst == 0 {
					t.Errorf("to %s, a packet with %d bytes and flags %#x", p.Key.Destination(), len(p.IP)-p.Payload, p.TCPFlags)
				}
			}
			want := []string{"deny policy reject", ended}
			if c.page {
				want[0] += redirected
			}
			if last > 0 && strings.HasSuffix(c.segments[0], "\r\n\r\n") { // another request was permitted
				want = slices.Insert(want, 0, "create")
			}
			b.logged(want...)
		})
	}
}
