package proxy

import (
	"fmt"
	"strings"
	"testing"

	"sluice/stack"
)

const (
	traffic = "set class-of-service application-traffic-control "
	ruled   = ", permit application-services application-traffic-control rule-set "

	// videoFirst marks video, and in the other direction only what nobody else has marked.
	videoFirst = traffic + "rule-sets RS1 rule video match application junos:YOUTUBE\n" +
		traffic + "rule-sets RS1 rule video then dscp-code-point ef log\n"
)

// point is the code point of the one packet that came out; -1 for none.
func point(out []*stack.Packet) int {
	if len(out) != 1 {
		return -1
	}
	return int(out[0].DSCP())
}

// marked gives a frame a code point.
func marked(frame []byte, code uint8) []byte {
	var p stack.Packet
	if p.Parse(frame) == nil {
		p.SetDSCP(code)
	}
	return frame
}

// A session is marked in both directions as soon as its application is known, and its rule counts and is
// logged once; the kernel does not get it. One that no rule matches keeps its own code points.
// Rows: QS-1, QS-12, QS-35, QS-38, QS-40, QS-43.
func TestRuleMarksBothDirections(t *testing.T) {
	b := judging(t, unified("web then permit"+ruled+"RS1")+videoFirst)
	kernel := &carriage{keys: map[stack.Key]bool{}}
	b.kernel = kernel
	c := webClient()
	c.connect(b)
	b.logged("create")
	if got := point(b.from(b.lan, marked(c.carrying(youtube), 0b001010))); got != 0b101110 {
		t.Errorf("the request has code point %06b", got)
	}
	if got := point(b.from(b.wan, c.down(stack.TCPAck))); got != 0b101110 {
		t.Errorf("the answer has code point %06b", got)
	}
	b.logged("qos RS1/video mark")
	i := b.only().Treatment
	if i == nil || i.RuleSet != "RS1" || i.Rule != "video" || i.CodePoint != "101110" {
		t.Errorf("treated as %+v", i)
	}
	if len(kernel.keys) > 0 {
		t.Error("the kernel carries packets that have to be marked")
	}
	if n := len(b.Sessions(Filter{TrafficControl: true})); n != 1 {
		t.Errorf("the filter fits %d sessions, want 1", n)
	}

	other := newConversation("192.0.2.10:40001", "198.51.100.20:22")
	other.connect(b)
	if got := point(b.from(b.wan, marked(other.saying("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"), 0b001010))); got != 0b001010 {
		t.Errorf("a session that no rule matches has code point %06b", got)
	}
	if rule := b.config.Load().qos.RuleSets()[0].Rules[0]; rule.Hits() != 1 {
		t.Errorf("%d hits, want 1", rule.Hits())
	}
}

// While several policies are possible the rule set that all of them name holds; when the final one names
// none, packets keep their own code points again.
// Rows: QS-46, QS-50, QS-51, QS-55.
func TestMarksAreTakenBack(t *testing.T) {
	b := judging(t, unified("no-mark dynamic-application junos:SSH then permit", "video dynamic-application junos:YOUTUBE then permit"+ruled+"RS1")+
		traffic+"rule-sets RS1 rule all match application-any\n"+traffic+"rule-sets RS1 rule all then dscp-code-point cs1\n")
	c := newConversation("192.0.2.10:40000", "198.51.100.20:2222")
	if got := point(b.from(b.lan, c.up(stack.TCPSyn))); got != 0b001000 {
		t.Errorf("the first packet has code point %06b", got)
	}
	b.from(b.wan, c.down(stack.TCPSyn|stack.TCPAck))
	b.from(b.lan, c.up(stack.TCPAck))
	b.from(b.wan, c.saying("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"))
	b.from(b.lan, c.carrying("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"))
	if got := point(b.from(b.lan, marked(c.up(stack.TCPAck), 0b001010))); got != 0b001010 {
		t.Errorf("after the policy without a rule set was found: code point %06b", got)
	}
	if i := b.only(); i.Treatment != nil || i.Policy != "no-mark" {
		t.Errorf("session %+v", i)
	}
	if n := b.config.Load().qos.Counters(); n.Processed.Load() != 1 || n.Marked.Load() != 1 {
		t.Errorf("processed %d, marked %d", n.Processed.Load(), n.Marked.Load())
	}
}

// What exceeds a limiter is dropped, or passes where the rule says so; either way the other direction is
// not limited. A rule without a code point honors what packets come with.
// Rows: QS-21, QS-27, QS-32, QS-33, QS-34, QS-40.
func TestLimiterDropsPackets(t *testing.T) {
	for _, action := range []string{"", "loss-priority-high"} {
		b := judging(t, unified("all then permit"+ruled+"RS")+
			traffic+"rate-limiters L bandwidth-limit 8 burst-size-limit 1500\n"+
			traffic+"rule-sets RS rule r match application-any\n"+traffic+"rule-sets RS rule r then rate-limit client-to-server L\n"+
			traffic+"rule-sets RS rule r then loss-priority low\n"+
			strings.Repeat(traffic+"rule-sets RS rule r then rate-limit "+action+"\n", min(1, len(action))))
		client, server := "192.0.2.10:50000", "198.51.100.20:9999"
		passed := 0
		for range 10 {
			if out := b.from(b.lan, marked(datagramOf(t, client, server, 1000), 0b001010)); len(out) == 1 {
				passed++
				if point(out) != 0b001010 {
					t.Error("the code point of a packet was changed")
				}
			}
			if out := b.from(b.wan, datagramOf(t, server, client, 1000)); len(out) != 1 {
				t.Error("what the server sends is dropped")
			}
		}
		dropped := b.Counters().Drops["rate-limit"]
		if action == "" && (passed != 1 || dropped != 9) || action != "" && (passed != 10 || dropped != 0) {
			t.Errorf("%q: %d of 10 datagrams passed, %d were dropped", action, passed, dropped)
		}
		n := b.config.Load().qos.Counters()
		if n.RateLimited.Load() != 1 || n.Flows[0].Load() != 1 || n.Flows[1].Load() != 0 || n.Honored.Load() != 1 || n.Marked.Load() != 0 {
			t.Errorf("rate limited %d, flows %d and %d, honored %d", n.RateLimited.Load(), n.Flows[0].Load(), n.Flows[1].Load(), n.Honored.Load())
		}
	}
}

// A commit reaches the sessions that run: one that the kernel carries comes back to be marked, and goes to
// it again when nothing is to be done any more.
// Rows: QS-36, QS-46.
func TestCommitTreatsRunningSessions(t *testing.T) {
	plain := unified("ssh then permit")
	treated := unified("ssh then permit"+ruled+"RS") + traffic + "rule-sets RS rule r match application junos:SSH\n" + traffic + "rule-sets RS rule r then dscp-code-point ef\n"
	b := judging(t, plain)
	kernel := &carriage{keys: map[stack.Key]bool{}}
	b.kernel = kernel
	c := newConversation("192.0.2.10:40000", "198.51.100.20:22")
	c.connect(b)
	const banner = "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"
	b.from(b.wan, c.saying(banner))
	b.from(b.lan, c.carrying(banner))
	b.from(b.lan, c.up(stack.TCPAck))
	if len(kernel.keys) == 0 {
		t.Fatal("the kernel does not carry the session")
	}
	b.reconfigure(treated)
	if got := point(b.from(b.lan, c.up(stack.TCPAck))); got != 0b101110 || len(kernel.keys) > 0 {
		t.Errorf("after the commit: code point %06b, the kernel carries %d directions", got, len(kernel.keys))
	}
	b.reconfigure(plain)
	if got := point(b.from(b.lan, c.up(stack.TCPAck))); got != 0 || len(kernel.keys) == 0 {
		t.Errorf("after the second commit: code point %06b, the kernel carries %d directions", got, len(kernel.keys))
	}
}

// reconfigure puts statements in force and waits until running sessions are judged by them.
func (b *bench) reconfigure(text string) {
	b.t.Helper()
	b.configure(text)
	b.rematch(b.config.Load())
}

// datagramOf is a UDP datagram of n bytes.
func datagramOf(t testing.TB, from, to string, n int) []byte {
	return withPayload(udp(t, from, to), strings.Repeat("x", n))
}

// What a packet costs that is marked, and that passes a limiter. Without a rule set that is the clock and a load.
func BenchmarkTreat(b *testing.B) {
	for _, c := range []struct{ name, policy string }{{"without", ""}, {"mark", ruled + "M"}, {"limit", ruled + "L"}, {"both", ruled + "B"}} {
		b.Run(c.name, func(b *testing.B) {
			var sets strings.Builder
			fmt.Fprint(&sets, traffic, "rate-limiters L bandwidth-limit 2147483 burst-size-limit 2147483647\n", traffic, "rate-limiters L2 bandwidth-limit 2147483 burst-size-limit 2147483647\n")
			for set, then := range map[string]string{"M": "dscp-code-point ef", "L": "rate-limit client-to-server L", "B": "dscp-code-point ef rate-limit client-to-server L2"} {
				fmt.Fprint(&sets, traffic, "rule-sets ", set, " rule r match application-any\n", traffic, "rule-sets ", set, " rule r then ", then, "\n")
			}
			e := newBench(b, unified("all then permit"+c.policy)+sets.String())
			var p stack.Packet
			frame := datagramOf(b, "192.0.2.10:50000", "198.51.100.20:9999", 1400)
			e.from(e.lan, frame)
			if err := p.Parse(frame); err != nil {
				b.Fatal(err)
			}
			w := e.table.find(&p.Key)
			b.ReportAllocs()
			for b.Loop() {
				e.treat(w, &p, e.now())
			}
		})
	}
}
