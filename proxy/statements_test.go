package proxy

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"sluice/stack"
)

func TestNoSequenceCheckTrustsEveryRST(t *testing.T) { // S-103
	b := newBench(t, statements+"set security flow tcp-session no-sequence-check\n")
	c := newConversation("192.0.2.10:40000", "198.51.100.20:80")
	c.connect(b)
	c.sseq += 1 << 30
	if out := b.from(b.wan, c.down(stack.TCPRst)); len(out) != 1 || b.only().State != "Invalidated" {
		t.Error("a RST out of place did not end the session")
	}
}

func TestEmbeddedICMP(t *testing.T) { // S-97
	stray := new(stack.Packet)
	if err := stray.Parse(udp(t, "192.0.2.10:40000", "198.51.100.20:53")); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]int{statements: 0, statements + "set security flow allow-embedded-icmp\n": 1} {
		b := newBench(t, text)
		frame := stray.Unreachable(netip.MustParseAddr("198.51.100.1"), stack.UnreachHost)
		if out := b.from(b.wan, frame); len(out) != want {
			t.Errorf("%d errors about no session passed, want %d", len(out), want)
		}
	}
}

func TestSyncICMPSession(t *testing.T) { // S-98
	b := newBench(t, statements+"set security flow sync-icmp-session\n")
	b.from(b.lan, echo("192.0.2.10", "198.51.100.20", 8, 77))
	b.from(b.wan, echo("198.51.100.20", "192.0.2.10", 0, 77))
	if i := b.only(); i.State != "Invalidated" || i.MaxTimeout != lingerReply {
		t.Errorf("after its reply: %+v", i)
	}
}

func TestAgingBeginsAboveTheHighWatermark(t *testing.T) {
	b := newBench(t, statements+`
set security flow maximum-sessions 100
set security flow aging high-watermark 80
set security flow aging low-watermark 50
set security flow aging early-ageout 5
`)
	open := func(count int) {
		for n := range count {
			frame := udp(t, "192.0.2.10:1000", "198.51.100.20:53")
			frame[stack.VirtioHeaderLen+20], frame[stack.VirtioHeaderLen+21] = byte((2000+n)>>8), byte(2000+n)
			b.from(b.lan, frame)
		}
	}
	for _, step := range []struct {
		sessions int
		before   bool
		want     bool
	}{{80, false, false}, {81, false, true}, {81, true, true}} {
		open(step.sessions)
		if got := b.ageEarly(step.before); got != step.want {
			t.Errorf("with %d of 100 sessions, early ageing is %v, want %v", step.sessions, got, step.want)
		}
	}
	left := 0
	b.table.each(func(s *Session) bool {
		if left++; left > 50 {
			b.Clear(Filter{ID: s.id})
		}
		return true
	})
	if b.ageEarly(true) {
		t.Error("early ageing goes on below the low watermark")
	}
	b.table.each(func(s *Session) bool {
		s.lastSeen.Add(-int64(5 * time.Second))
		b.ageOne(s, b.now(), true)
		return true
	})
	if n := b.Summary().InUse; n != 0 {
		t.Errorf("%d sessions outlived the early timeout", n)
	}
}

func TestFullTableAtTheDefaultsDoesNotAge(t *testing.T) {
	b := newBench(t, statements+"set security flow maximum-sessions 100\n")
	for n := range 100 {
		frame := udp(t, "192.0.2.10:1000", "198.51.100.20:53")
		frame[stack.VirtioHeaderLen+21] = byte(n)
		b.from(b.lan, frame)
	}
	if b.ageEarly(false) {
		t.Error("sessions of a full table age early although nothing asks for it")
	}
}

func TestPanicEndsOneSession(t *testing.T) {
	b := newBench(t, statements)
	victim, other := newConversation("192.0.2.10:40000", "198.51.100.20:80"), newConversation("192.0.2.11:40000", "198.51.100.20:80")
	victim.connect(b)
	other.connect(b)
	b.table.each(func(s *Session) bool {
		if s.client() == victim.client {
			s.path, s.wings[fromClient].port = stream, nil // whatever makes the code fail
		}
		return true
	})
	b.from(b.lan, victim.up(stack.TCPAck))
	if got := b.Counters().Panics; got != 1 {
		t.Errorf("%d panics counted, want 1", got)
	}
	if i := b.only(); i.In.Source != other.client {
		t.Errorf("left: %+v", i)
	}
	if out := b.from(b.lan, other.up(stack.TCPAck)); len(out) != 1 {
		t.Error("the other session suffered")
	}
}

func TestRematchFollowsInterfacesToTheirZones(t *testing.T) {
	for _, c := range []struct {
		name, zone string
		left       int
	}{{"a zone without policies", "guest", 0}, {"a zone with the same policy", "branch", 1}} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, statements)
			newConversation("192.0.2.10:40000", "198.51.100.20:80").connect(b)
			moved := strings.Replace(statements, "security-zone trust interfaces lan0", "security-zone "+c.zone+" interfaces lan0\nset security zones security-zone trust", 1)
			moved += strings.ReplaceAll(statements[strings.Index(statements, "set security policies"):], "from-zone trust", "from-zone branch")
			moved += "set security zones security-zone branch\n"
			b.configure(moved)
			b.rematch(b.config.Load())
			if got := len(b.Sessions(Filter{})); got != c.left {
				t.Errorf("%d sessions left, want %d", got, c.left)
			}
		})
	}
}

func TestTranslationOffIsNoTranslation(t *testing.T) {
	b := newBench(t, statements+strings.ReplaceAll(nat, "source-nat interface", "source-nat off"))
	newConversation("192.0.2.10:40000", "198.51.100.20:80").connect(b)
	if list := b.Sessions(Filter{NAT: true}); len(list) != 0 {
		t.Errorf("shown as translated: %+v", list)
	}
	if last := b.logged("create"); last.SourceNATRule != "" {
		t.Errorf("logged as translated by %s", last.SourceNATRule)
	}
}

// synWithMSS is the SYN of c with an MSS option of 1,460 bytes.
func synWithMSS(t *testing.T, c *conversation, flags uint8) []byte {
	t.Helper()
	frame := c.up(flags)
	if flags&stack.TCPAck != 0 {
		frame = c.down(flags)
	}
	frame = append(frame, 2, 4, 0x05, 0xb4)
	ip := frame[stack.VirtioHeaderLen:]
	ip[3] = byte(len(ip))
	ip[20+12] = 6 << 4
	return frame
}

func mssOf(t *testing.T, list []*stack.Packet) int {
	t.Helper()
	if len(list) != 1 {
		t.Fatalf("%d packets came out, want 1", len(list))
	}
	p := list[0]
	return int(p.IP[p.Payload-2])<<8 | int(p.IP[p.Payload-1])
}

func TestMSSIsLimited(t *testing.T) { // S-99
	const own = "set security policies from-zone trust to-zone untrust policy web then permit tcp-options "
	for _, c := range []struct {
		name, statements string
		client, server   int
	}{
		{"no limit", "", 1460, 1460},
		{"of all sessions", "set security flow tcp-mss all-tcp mss 1300\n", 1300, 1300},
		{"of a policy", own + "initial-tcp-mss 1200\n" + own + "reverse-tcp-mss 1100\n", 1200, 1100},
		{"of both", "set security flow tcp-mss all-tcp mss 1300\n" + own + "initial-tcp-mss 1200\n", 1200, 1200},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, statements+c.statements)
			talk := newConversation("192.0.2.10:40000", "198.51.100.20:80")
			if got := mssOf(t, b.from(b.lan, synWithMSS(t, talk, stack.TCPSyn))); got != c.client {
				t.Errorf("the client's SYN left with %d, want %d", got, c.client)
			}
			if got := mssOf(t, b.from(b.wan, synWithMSS(t, talk, stack.TCPSyn|stack.TCPAck))); got != c.server {
				t.Errorf("the server's SYN left with %d, want %d", got, c.server)
			}
		})
	}
}

// A rule of the application firewall names an IP protocol.
func TestRuleOnIPProtocol(t *testing.T) { // CS-23
	b := judging(t, `
set security application-firewall rule-sets RS-1 rule R1 match dynamic-application junos:IPP-IGMP
set security application-firewall rule-sets RS-1 rule R1 then deny
set security application-firewall rule-sets RS-1 default-rule permit
`+unified("all then permit application-services application-firewall rule-set RS-1"))
	for protocol, passes := range map[byte]int{2: 0, 47: 1} {
		frame := udp(t, "192.0.2.10:0", "198.51.100.20:0")
		frame[stack.VirtioHeaderLen+9] = protocol
		if out := b.from(b.lan, frame); len(out) != passes {
			t.Errorf("of IP protocol %d %d packets passed, want %d", protocol, len(out), passes)
		}
	}
}

func TestOtherProtocolsPassUnderPolicy(t *testing.T) {
	gre := func(src, dst string) []byte {
		frame := udp(t, src, dst)
		frame[stack.VirtioHeaderLen+9] = 47
		return frame
	}
	b := newBench(t, statements)
	if out := b.from(b.lan, gre("192.0.2.10:0", "198.51.100.20:0")); len(out) != 0 {
		t.Error("GRE passed without a policy")
	}
	b.configure(strings.Replace(statements, "junos-http junos-dns-udp", "junos-gre junos-http junos-dns-udp", 1))
	if out := b.from(b.lan, gre("192.0.2.10:0", "198.51.100.20:0")); len(out) != 1 {
		t.Fatal("GRE did not pass")
	}
	if out := b.from(b.wan, gre("198.51.100.20:0", "192.0.2.10:0")); len(out) != 1 {
		t.Error("the answer did not pass")
	}
	if i := b.only(); i.Protocol != 47 || i.Service != "junos-gre" || i.Out.Packets != 1 {
		t.Errorf("shown as %+v", i)
	}
}
