package proxy

import (
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/stack"
	"sluice/web"
)

// denying refuses what goes to the ports 22, in silence, and 23, with a RST.
var denying = unified("no-shell application junos-ssh then deny", "no-telnet application junos-telnet then reject", "rest then permit")

// A session that was refused with its first packet is explained by the number that its record has, and by
// its addresses and ports; packets that come again belong to the same one.
func TestExplainDenied(t *testing.T) {
	b := judging(t, denying)
	for _, c := range []struct{ client, server, policy, action, answer string }{
		{"192.0.2.10:40000", "198.51.100.20:22", "no-shell", "deny", ""},
		{"192.0.2.10:40001", "198.51.100.20:23", "no-telnet", "reject", "RST"},
		{"[2001:db8:1::10]:40000", "[2001:db8:2::20]:22", "no-shell", "deny", ""},
	} {
		w := newConversation(c.client, c.server)
		var id uint64
		for range 3 {
			b.from(b.lan, w.up(stack.TCPSyn))
			record := b.logged("deny policy " + c.action)
			if record.ID == 0 || id != 0 && record.ID != id {
				t.Errorf("%s: the record of session %d has the number %d", c.server, id, record.ID)
			}
			id = record.ID
		}
		host := w.client.Addr()
		for _, f := range []Filter{{ID: id}, {Source: netip.PrefixFrom(host, host.BitLen()), SourcePort: w.client.Port(), DestinationPort: w.server.Port()}} {
			x, ok := b.Explain(f)
			if !ok || x.ID != id || x.State != "Closed" || x.In.Packets != 3 || x.In.Source != w.client || x.In.Destination != w.server || x.Policy != c.policy {
				t.Errorf("%s: %+v", c.server, x)
				continue
			}
			if d := x.Decision; !d.Found || d.Action != c.action || !strings.HasSuffix(d.Statement, "policy "+c.policy) || len(x.Lookups) > 0 || len(x.Candidates) != 2 {
				t.Errorf("%s: %+v, candidates %+v", c.server, d, x.Candidates)
			}
			if e := x.Ended; e == nil || string(e.Reason) != "policy "+c.action || e.Answer != c.answer || x.Start.IsZero() {
				t.Errorf("%s: ended %+v", c.server, e)
			}
		}
	}
	if n := len(b.Sessions(Filter{})); n != 0 {
		t.Errorf("%d sessions in the table", n)
	}
	for range keptCommits + 1 {
		b.configure(denying)
	}
	if x, ok := b.Explain(Filter{DestinationPort: 22}); ok {
		t.Errorf("after other commits: %+v", x)
	}
}

// Of the sessions that a filter selects the latest is explained.
func TestExplainLatest(t *testing.T) {
	b := judging(t, denying)
	for port, want := range map[int]string{22: "deny", 80: "permit", 23: "reject"} {
		newConversation("192.0.2.10:40000", "198.51.100.20:80").connect(b)
		b.Clear(Filter{})
		b.from(b.lan, newConversation("192.0.2.10:40000", "198.51.100.20:"+strconv.Itoa(port)).up(stack.TCPSyn))
		if x, ok := b.Explain(Filter{Source: netip.MustParsePrefix("192.0.2.0/24")}); !ok || x.Decision.Action != want {
			t.Errorf("port %d: %+v", port, x.Decision)
		}
		b.Clear(Filter{})
	}
}

// Whatever comes, what is remembered of it is bounded and costs no memory, and one host that tries again
// and again does not push out what others have tried.
func TestDenialsAreBounded(t *testing.T) {
	b := judging(t, denying)
	other := newConversation("192.0.2.20:40000", "198.51.100.20:22")
	b.from(b.lan, other.up(stack.TCPSyn))
	kept := b.logged("deny policy deny").ID
	var p stack.Packet
	if err := p.Parse(newConversation("192.0.2.10:40000", "198.51.100.20:22").up(stack.TCPSyn)); err != nil {
		t.Fatal(err)
	}
	note := func(host byte, port uint16) {
		p.Key.Src[15], p.Key.SrcPort = host, port
		cfg := b.config.Load()
		b.denied.note(denial{key: p.Key, from: cfg.byDevice["lan0"], to: cfg.byDevice["wan0"], started: time.Now(), packets: 1}, b.number)
	}
	for port := range uint16(20000) {
		note(10, port)
	}
	if x, ok := b.Explain(Filter{ID: kept}); !ok || x.In.Source != other.client {
		t.Errorf("the other host's session: %+v", x)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for n := range 20000 {
		note(byte(n), uint16(n))
	}
	runtime.ReadMemStats(&after)
	if n := after.Mallocs - before.Mallocs; n > 1000 { // the runtime's own
		t.Errorf("%d allocations for 20000 refusals", n)
	}
}

// The requests of a session that were refused are remembered, up to a number, as they were asked for.
func TestRefusedRequestsAreBounded(t *testing.T) {
	b := judging(t, unified("no-video dynamic-application junos:YOUTUBE then reject", "rest then permit"))
	webClient().connect(b)
	s := b.firstKey().session
	v := b.judge(b.config.Load(), s)
	for i := range 3 * maxRefused {
		b.noteRefused(s, &web.Exchange{Method: strings.Repeat("M", 99), Authority: "www.example.org", Target: "/" + strconv.Itoa(i) + "\u009b\n" + strings.Repeat("x", 9999)}, &v, false)
	}
	x := b.explained()
	if x.Refused != 3*maxRefused || len(x.Refusals) != maxRefused {
		t.Fatalf("%d of %d are told", len(x.Refusals), x.Refused)
	}
	if last := x.Lookups[len(x.Lookups)-1]; !last.Alone || x.Decision.After != 0 {
		t.Errorf("lookup %+v decided, after %v", last, x.Decision.After)
	}
	for i, r := range x.Refusals {
		if want := "www.example.org/" + strconv.Itoa(2*maxRefused+i) + "%C2%9B%0Axx"; !strings.HasPrefix(r.Asked, want) || len(r.Asked) > 2*longestTarget || len(r.Method) != longestMethod || r.Answer != "" {
			t.Errorf("request %d: %+v, want %s", i, r, want)
		}
	}
}
