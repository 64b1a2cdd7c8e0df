package proxy

import (
	"slices"
	"testing"
	"time"

	"sluice/classify"
	"sluice/classify/data"
	"sluice/stack"
)

// identifying makes the bench identify the sessions it tracks.
func identifying(t *testing.T) *bench {
	t.Helper()
	b := newBench(t, statements)
	database, problems := data.Load()
	engine, more := classify.Compile(database, classify.NewState(time.Now), classify.Options{})
	if problems := append(slices.Clone(problems), more...); len(problems) > 0 {
		t.Fatal(problems)
	}
	b.identifier = &recorder{Engine: engine}
	return b
}

// recorder is an Identifier that remembers what it was told.
type recorder struct {
	*classify.Engine
	off          bool
	inconclusive bool // nothing is concluded of what nothing matched
	identified   []string
	ended        []uint64 // bytes
	open         int      // begun and not identified
}

func (r *recorder) Enabled() bool { return !r.off }

func (r *recorder) ConcludesUnknown() bool { return !r.inconclusive }

func (r *recorder) Begin(f *classify.Flow, m *classify.Meta) {
	r.open++
	r.Engine.Begin(f, m)
}

func (r *recorder) Identified(f *classify.Flow, _ *classify.Meta) {
	r.open--
	result := f.Result()
	r.identified = append(r.identified, result.Name())
}

func (r *recorder) Ended(_ *classify.Flow, _ *classify.Meta, bytes uint64) {
	r.ended = append(r.ended, bytes)
}

// carrying is a segment of the client with payload.
func (c *conversation) carrying(payload string) []byte {
	frame := withPayload(c.up(stack.TCPAck), payload)
	c.cseq += uint32(len(payload))
	return frame
}

// saying is a segment of the server with payload.
func (c *conversation) saying(payload string) []byte {
	frame := withPayload(c.down(stack.TCPAck), payload)
	c.sseq += uint32(len(payload))
	return frame
}

// withPayload is an IPv4 segment with payload.
func withPayload(frame []byte, payload string) []byte {
	frame = append(frame, payload...)
	ip := frame[stack.VirtioHeaderLen:]
	ip[2], ip[3] = byte(len(ip)>>8), byte(len(ip))
	return frame
}

// videos knows a group.
type videos struct{}

func (videos) Means(name, application string) bool {
	return name == "videos" && application == "junos:YOUTUBE"
}

func TestSessionsAreIdentified(t *testing.T) { // AI-16, TR-20, TR-48
	b := identifying(t)
	b.log.tracked = true
	c := newConversation("192.0.2.10:40000", "198.51.100.20:80")
	c.connect(b)
	if i := b.only(); i.Application != unknownApplication {
		t.Errorf("before the first byte: %s", i.Application)
	}
	if out := b.from(b.lan, c.carrying("GET / HTTP/1.1\r\nHost: www.youtube.com\r\n\r\n")); len(out) != 1 {
		t.Fatal("the request did not pass")
	}
	i := b.only()
	if i.Application != "junos:HTTP" || i.NestedApplication != "junos:YOUTUBE" {
		t.Errorf("identified as %s, %s", i.Application, i.NestedApplication)
	}
	for name, want := range map[string]int{"junos:YOUTUBE": 1, "junos:http": 1, "Youtube": 1, "videos": 1, "junos:SSL": 0, unknownApplication: 0} {
		if got := len(b.Sessions(Filter{DynamicApplication: name, Names: videos{}})); got != want {
			t.Errorf("dynamic-application %s selects %d sessions, want %d", name, got, want)
		}
		if got := len(b.Sessions(Filter{Application: name, Names: videos{}})); got != want {
			t.Errorf("application %s selects %d sessions, want %d", name, got, want)
		}
	}
	b.log.take()
	b.Clear(Filter{})
	last := b.logged("close CLI", "app close CLI")
	if last.Application != "HTTP" || last.NestedApplication != "YOUTUBE" || last.Category == "" || last.Risk == 0 {
		t.Errorf("logged as %+v", last)
	}
	r := b.identifier.(*recorder)
	if want := []string{"junos:YOUTUBE"}; !slices.Equal(r.identified, want) {
		t.Errorf("told of %v, want %v", r.identified, want)
	}
	if want := []uint64{last.BytesFromClient + last.BytesFromServer}; !slices.Equal(r.ended, want) || want[0] == 0 {
		t.Errorf("told of ends with %d bytes, want %d", r.ended, want)
	}
}

// Whether a session is encrypted shows when its application is known.
func TestEncryptionIsShown(t *testing.T) {
	for payload, want := range map[string]string{
		"": "Unknown", "GET / HTTP/1.1\r\nHost: www.youtube.com\r\n\r\n": "No", "SSH-2.0-OpenSSH_9.6\r\n": "Yes",
	} {
		b := identifying(t)
		c := newConversation("192.0.2.10:40000", "198.51.100.20:80")
		c.connect(b)
		if payload != "" {
			b.from(b.lan, c.carrying(payload))
			b.from(b.wan, c.saying(payload))
		}
		if i := b.only(); i.Encryption != want {
			t.Errorf("after %q: %s", payload, i.Encryption)
		}
	}
}

// The identification of a session that does not come about ends with it.
func TestIdentificationEndsWithWhatIsRefused(t *testing.T) {
	b := judging(t, unified("no-ping dynamic-application junos:ICMP then deny", "rest then permit"))
	r := b.identifier.(*recorder)
	for range 3 {
		b.from(b.lan, echo("192.0.2.10", "198.51.100.20", 8, 1))
	}
	if b.Summary().InUse != 0 || len(r.identified) != 3 || r.open != 0 {
		t.Errorf("%d sessions in use, %d identified, %d begun and not ended", b.Summary().InUse, len(r.identified), r.open)
	}
}

func TestNoSessionIsLookedIntoWhenIdentificationIsOff(t *testing.T) { // AI-17
	b := identifying(t)
	b.identifier.(*recorder).off = true
	c := newConversation("192.0.2.10:40000", "198.51.100.20:80")
	c.connect(b)
	b.from(b.lan, c.carrying("GET / HTTP/1.1\r\nHost: www.youtube.com\r\n\r\n"))
	if i := b.only(); i.Application != unknownApplication {
		t.Errorf("identified as %s", i.Application)
	}
}

func TestSessionsStayUntilTheyAreIdentified(t *testing.T) {
	b := identifying(t)
	c := newConversation("192.0.2.10:40000", "198.51.100.20:80")
	c.connect(b)
	w := b.table.find(&b.firstKey().key)
	if w.offloadable() {
		t.Error("the kernel may have a session whose application is not known")
	}
	b.from(b.lan, c.carrying("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"))
	for n := 0; n < 20 && w.session.identifying(); n++ {
		b.from(b.wan, c.down(stack.TCPAck))
		b.from(b.lan, c.carrying("\x00\x00\x04\xfc\x0a\x14 and so on, until the limit of what is looked at is reached"))
	}
	b.Clear(Filter{})
	if w.session.identifying() {
		t.Error("identification goes on after the session's end")
	}
}

// firstKey is the client's direction of the only session.
func (b *bench) firstKey() (w *wing) {
	b.table.each(func(s *Session) bool {
		w = &s.wings[fromClient]
		return false
	})
	return w
}
