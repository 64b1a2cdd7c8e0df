package proxy

import (
	"strings"
	"testing"
	"time"

	"sluice/stack"
)

// zones are the interfaces and zones of statements, without its policies.
var zones = func() string {
	var kept []string
	for line := range strings.Lines(statements) {
		if !strings.Contains(line, "security policies") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}()

// unified is zones with the policies that lines describe, each "NAME MATCH… then ACTION", where
// matches that are not given are any.
func unified(lines ...string) string {
	var b strings.Builder
	b.WriteString(zones)
	for _, line := range lines {
		name, rest, _ := strings.Cut(line, " ")
		match, then, _ := strings.Cut(rest, "then ")
		path := "set security policies from-zone trust to-zone untrust policy " + name + " "
		for _, m := range []string{"source-address", "destination-address", "application"} {
			if !strings.Contains(" "+match, " "+m+" ") {
				b.WriteString(path + "match " + m + " any\n")
			}
		}
		for term := range strings.SplitSeq(match, ",") {
			if term = strings.TrimSpace(term); term != "" {
				b.WriteString(path + "match " + term + "\n")
			}
		}
		for action := range strings.SplitSeq(then, ",") {
			b.WriteString(path + "then " + strings.TrimSpace(action) + "\n")
		}
		b.WriteString(path + "then log session-init session-close\n")
	}
	return b.String()
}

// judging is an engine with policies on applications.
func judging(t *testing.T, text string) *bench {
	t.Helper()
	b := identifying(t)
	b.configure(text)
	return b
}

const youtube = "GET / HTTP/1.1\r\nHost: www.youtube.com\r\n\r\n"

func webClient() *conversation { return newConversation("192.0.2.10:40000", "198.51.100.20:80") }

// ended is the record of the end of a session that was refused for what it carries; it comes at once.
const ended = "close application failure or action"

// A denied application stops silently: its handshake passed, its request does not, and neither
// side hears anything.
func TestDeniedApplicationStopsSilently(t *testing.T) { // UP-3, UP-16, UP-17, FW-1, FW-9, FW-53
	b := judging(t, unified("no-video dynamic-application junos:YOUTUBE then deny", "rest then permit"))
	c := webClient()
	c.connect(b)
	b.logged()
	for range 3 { // and its retransmissions
		if out := b.from(b.lan, c.carrying(youtube)); len(out) != 0 {
			t.Fatalf("%d packets came out of a request that is denied", len(out))
		}
	}
	if out := b.from(b.wan, c.down(stack.TCPFin|stack.TCPAck)); len(out) != 0 {
		t.Error("the server's packets still pass")
	}
	last := b.logged("deny policy deny", ended)
	if last.Policy != "no-video" || last.NestedApplication != "YOUTUBE" {
		t.Errorf("denied as %+v", last)
	}
	if i := b.only(); i.Policy != "no-video" || i.State != "Invalidated" {
		t.Errorf("session: %+v", i)
	}
	b.expire(lingerBlocked)
	b.logged()
	if n := b.Summary().InUse; n != 0 {
		t.Errorf("%d sessions are left", n)
	}
}

// Another application on the same port keeps every byte, and is logged under its own policy once
// that is known.
func TestPermittedApplicationKeepsItsBytes(t *testing.T) { // FW-3, UP-17, AI-10
	b := judging(t, unified("no-video dynamic-application junos:YOUTUBE then deny", "rest then permit"))
	c := webClient()
	c.connect(b)
	request := "GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n"
	out := b.from(b.lan, c.carrying(request))
	if len(out) != 1 || string(out[0].IP[out[0].Payload:]) != request {
		t.Fatal("the request did not pass as it was")
	}
	last := b.logged("create")
	if last.Policy != "rest" || last.Application != "HTTP" {
		t.Errorf("created as %+v", last)
	}
	if i := b.only(); i.Policy != "rest" || i.State != "Valid" || i.MaxTimeout != timeoutTCP {
		t.Errorf("session: %+v", i)
	}
}

// A rejected application is told to both sides at once.
func TestRejectedApplicationIsReset(t *testing.T) { // UP-17, FW-23
	b := judging(t, unified("no-ssh dynamic-application junos:SSH then reject", "rest then permit"))
	c := newConversation("192.0.2.10:40000", "198.51.100.20:2222")
	c.connect(b)
	out := b.from(b.wan, c.saying("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"))
	var toClient, toServer bool
	for _, p := range out {
		if p.TCPFlags&stack.TCPRst == 0 {
			t.Errorf("a segment with flags %#x came out", p.TCPFlags)
		}
		toClient = toClient || p.Key.Destination() == c.client && p.Seq == 9001
		toServer = toServer || p.Key.Destination() == c.server && p.Seq == 1001
	}
	if len(out) != 2 || !toClient || !toServer {
		t.Errorf("%d packets came out (client %v, server %v), want a RST each way, each in its place", len(out), toClient, toServer)
	}
	b.logged("deny policy reject", ended)
	if out := b.from(b.lan, c.carrying("SSH-2.0-client\r\n")); len(out) != 1 || out[0].TCPFlags&stack.TCPRst == 0 {
		t.Error("what the client still sends is not answered with RST")
	}
}

// While every policy that may match refuses, the first packet is refused already; while one may
// permit, the session passes.
func TestFirstPacketOfOpenPolicies(t *testing.T) { // UP-2, UP-16, T-14 of the guide
	for _, c := range []struct {
		name     string
		policies []string
		want     int // packets that come out
	}{
		{"all refuse", []string{"a dynamic-application junos:YOUTUBE then deny", "b dynamic-application junos:SSH then deny"}, 0},
		{"one permits", []string{"a dynamic-application junos:YOUTUBE then deny", "b dynamic-application junos:SSH then permit"}, 1},
		{"one permits, but on another port", []string{"b application junos-ssh, dynamic-application junos:SSH then permit"}, 0},
		{"permitted by port, refused by content", []string{"a dynamic-application junos:SSH then deny", "b application junos-http then permit"}, 1},
	} {
		b := judging(t, unified(c.policies...))
		if out := b.from(b.lan, webClient().up(stack.TCPSyn)); len(out) != c.want {
			t.Errorf("%s: %d packets came out, want %d", c.name, len(out), c.want)
		}
	}
}

// Only what is permitted by name passes, on any port; the protocol that carries it is let through
// as long as it may be that.
func TestPermittedByNameAlone(t *testing.T) { // FW-2, FW-8, FW-51, AG-17
	policies := unified("video dynamic-application junos:YOUTUBE then permit")
	b := judging(t, policies)
	c := newConversation("192.0.2.10:40000", "198.51.100.20:4711")
	c.connect(b)
	if out := b.from(b.lan, c.carrying(youtube)); len(out) != 1 {
		t.Error("the permitted application did not pass")
	}
	b = judging(t, policies)
	c = webClient()
	c.connect(b)
	if out := b.from(b.lan, c.carrying("GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n")); len(out) != 0 {
		t.Error("another application of the same protocol passed")
	}
}

// junos:UNKNOWN is what nothing is known of at the end.
func TestUnknownContent(t *testing.T) { // FW-50, FW-51, AI-54
	b := judging(t, unified("odd dynamic-application junos:UNKNOWN then deny", "rest then permit"))
	c := newConversation("192.0.2.10:40000", "198.51.100.20:4711")
	c.connect(b)
	passed := 0
	for range 40 {
		passed += len(b.from(b.lan, c.carrying(strings.Repeat("\x9c\x01\xfe", 150))))
	}
	if passed == 0 || passed > 14 {
		t.Errorf("%d segments of something unknown passed, want as many as it took to give up", passed)
	}
	if last := b.logged("deny policy deny", ended); last.Policy != "odd" {
		t.Errorf("refused by %s", last.Policy)
	}
	b = judging(t, unified("odd dynamic-application junos:UNKNOWN then deny", "rest then permit"))
	b.identifier.(*recorder).inconclusive = true
	c.connect(b)
	for n := range 40 {
		if len(b.from(b.lan, c.carrying(strings.Repeat("\x9c\x01\xfe", 150)))) != 1 {
			t.Fatalf("segment %d of something that nothing is concluded of did not pass", n)
		}
	}
}

// A web request is answered with the profile's page in the server's place, whose session number
// the session table knows; the server is reset.
func TestBlockPage(t *testing.T) { // FW-12, FW-14, FW-43, FW-44
	b := judging(t, "set security dynamic-application profile told redirect-message type custom-text content \"<not> here\"\n"+
		unified("no-video dynamic-application junos:YOUTUBE then reject profile told", "rest then permit"))
	c := webClient()
	c.connect(b)
	out := b.from(b.lan, c.carrying(youtube))
	if len(out) != 2 || out[0].TCPFlags&stack.TCPRst == 0 || out[0].Key.Destination() != c.server {
		t.Fatalf("%d packets came out, want a RST to the server and the page", len(out))
	}
	page := out[1]
	text := string(page.IP[page.Payload:])
	if page.Key.Source() != c.server || page.Seq != 9001 || page.Ack != c.cseq || page.TCPFlags&stack.TCPFin == 0 {
		t.Errorf("the page came as %+v", page)
	}
	if !strings.HasPrefix(text, "HTTP/1.1 403 ") || !strings.Contains(text, "&lt;not&gt; here") || !strings.Contains(text, "Session 1<") {
		t.Errorf("page: %s", text)
	}
	last := b.logged("deny policy reject redirect", ended)
	if last.ID != 1 {
		t.Errorf("logged as session %d", last.ID)
	}
	c.sseq += uint32(len(text)) + 1
	if out := b.from(b.lan, c.up(stack.TCPAck)); len(out) != 0 {
		t.Error("an acknowledgement was answered")
	}
	if out := b.from(b.lan, c.up(stack.TCPFin|stack.TCPAck)); len(out) != 1 || out[0].TCPFlags != stack.TCPAck || out[0].Ack != c.cseq {
		t.Error("the client's FIN was not acknowledged")
	}
}

// A page that was lost on its way is sent again.
func TestBlockPageIsRepeated(t *testing.T) {
	b := judging(t, "set security dynamic-application profile away redirect-message type custom-redirect-url content http://intra.example/why\n"+
		unified("no-video dynamic-application junos:YOUTUBE then deny profile away", "rest then permit"))
	c := webClient()
	c.connect(b)
	again := *c
	b.from(b.lan, c.carrying(youtube))
	out := b.from(b.lan, again.carrying(youtube))
	if len(out) != 1 || !strings.Contains(string(out[0].IP[out[0].Payload:]), "302 Found\r\n") || !strings.Contains(string(out[0].IP), "Location: http://intra.example/why\r\n") {
		t.Errorf("%d packets came out of a repeated request, want the redirect", len(out))
	}
}

// No page after the answer has begun, and none into something that is not HTTP.
func TestNoPageIntoOtherTraffic(t *testing.T) { // FW-49
	b := judging(t, "set security dynamic-application profile told redirect-message type custom-text content no\n"+
		unified("no-ssh dynamic-application junos:SSH then deny profile told", "rest then permit"))
	c := newConversation("192.0.2.10:40000", "198.51.100.20:2222")
	c.connect(b)
	if out := b.from(b.wan, c.saying("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")); len(out) != 0 {
		t.Errorf("%d packets came out", len(out))
	}
	b.logged("deny policy deny", ended)
}

// What a policy on trial would refuse passes, and is logged.
func TestLogOnly(t *testing.T) {
	b := judging(t, unified("no-video dynamic-application junos:YOUTUBE then deny, log-only", "rest then permit"))
	c := webClient()
	c.connect(b)
	if out := b.from(b.lan, c.carrying(youtube)); len(out) != 1 {
		t.Fatal("the request did not pass")
	}
	if last := b.logged("create", "deny policy deny (log-only)"); last.Policy != "no-video" {
		t.Errorf("logged under %s", last.Policy)
	}
}

// The policy of a session is looked up so many times, and is final then.
func TestMaximumLookups(t *testing.T) { // MA-12
	b := judging(t, "set security policies unified-policy max-lookups 1\n"+
		unified("no-video dynamic-application junos:YOUTUBE then deny", "rest then permit"))
	c := webClient()
	c.connect(b)
	if out := b.from(b.lan, c.carrying(youtube)); len(out) != 1 {
		t.Error("a policy was found by a lookup too many")
	}
}

// The statement for sessions whose policy is not found yet holds for their logs and timeouts.
func TestPreIDDefaultPolicy(t *testing.T) { // FW-11
	b := judging(t, "set security policies pre-id-default-policy then log session-init\n"+
		"set security policies pre-id-default-policy then session-timeout udp 7\n"+
		unified("no-dns dynamic-application junos:YOUTUBE then deny", "rest then permit"))
	b.from(b.lan, udp(t, "192.0.2.10:40000", "198.51.100.20:5353"))
	if last := b.logged("create"); last.Policy != "pre-id-default-policy" {
		t.Errorf("created under %s", last.Policy)
	}
	if i := b.only(); i.MaxTimeout != 7*time.Second {
		t.Errorf("timeout %v", i.MaxTimeout)
	}
}

// The rule set of a policy decides by application, and its default rule about the rest.
func TestApplicationFirewall(t *testing.T) { // FW-18, FW-22, FW-25, FW-29, FW-35, FW-45, FW-53
	rules := `
set security application-firewall rule-sets rs rule video match dynamic-application junos:YOUTUBE
set security application-firewall rule-sets rs rule video then reject block-message
set security application-firewall rule-sets rs rule web match dynamic-application [ junos:HTTP junos:UNKNOWN ]
set security application-firewall rule-sets rs rule web then permit
set security application-firewall rule-sets rs default-rule deny
`
	for _, c := range []struct {
		name, bytes string
		out         int
		log         []string
	}{
		{"a rule refuses", youtube, 2, []string{"deny appfw reject redirect", ended}},
		{"a rule permits", "GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n", 1, []string{"create"}},
		{"the default rule denies", "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", 0, []string{"deny appfw deny", ended}},
	} {
		b := judging(t, rules+unified("all then permit application-services application-firewall rule-set rs"))
		w := webClient()
		w.connect(b)
		out := b.from(b.lan, w.carrying(c.bytes))
		if strings.HasPrefix(c.bytes, "SSH") {
			out = append(out, b.from(b.wan, w.saying("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"))...)
			out = append(out, b.from(b.lan, w.carrying("x"))...)
		}
		if len(out) != c.out {
			t.Errorf("%s: %d packets came out, want %d", c.name, len(out), c.out)
		}
		b.logged(c.log...)
		if c.out == 2 {
			want := "Dear user, Application Firewall has blocked your request to application YOUTUBE at 198.51.100.20:80 accessed from 192.0.2.10:40000."
			if text := string(out[1].IP[out[1].Payload:]); !strings.Contains(text, want) {
				t.Errorf("page: %s", text)
			}
		}
	}
}

// A new configuration finds sessions by what they carry.
func TestRematchByContent(t *testing.T) { // UP-11
	b := judging(t, unified("rest then permit"))
	c := webClient()
	c.connect(b)
	b.from(b.lan, c.carrying(youtube))
	b.log.take()
	b.configure("set security policies policy-rematch\n" + unified("no-video dynamic-application junos:YOUTUBE then deny", "rest then permit"))
	for deadline := time.Now().Add(10 * time.Second); b.Summary().InUse > 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	b.logged("close policy delete")
}
