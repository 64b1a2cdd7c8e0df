package proxy

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"sluice/capture"
	"sluice/stack"
	"sluice/stack/offload"
	"sluice/store/schema"
)

// carriage is a Carrier that carries everything and notes what.
type carriage struct{ keys map[stack.Key]bool }

func (c *carriage) Attach(string) error                              { return nil }
func (c *carriage) Detach(string)                                    {}
func (c *carriage) Add(k, _ *stack.Key, _ int) error                 { c.keys[*k] = true; return nil }
func (c *carriage) Stats(*stack.Key) (s offload.Stats, carried bool) { return s, false }
func (c *carriage) Finished(func(stack.Key))                         {}
func (c *carriage) Remove(k *stack.Key) (s offload.Stats, ok bool) {
	delete(c.keys, *k)
	return s, false
}

// capturing makes the bench capture sessions of servers that were seen before.
func capturing(t *testing.T, p schema.PacketCapture) (b *bench, dir string) {
	t.Helper()
	b, dir = identifying(t), t.TempDir()
	engine := capture.New(capture.Options{Dir: dir, Unknown: func(netip.AddrPort, uint8) bool { return true }})
	t.Cleanup(engine.Close)
	p.MaxFiles, p.StorageLimit, p.BufferPacketsLimit, p.CaptureLimit = 10, 1<<30, 1<<30, 10
	engine.Configure(&p)
	b.captures = engine
	return b, dir
}

// The kernel carries a session only when no more of its packets are captured, and sessions that are
// not captured as ever.
func TestCapturedSessionsAreNotOffloaded(t *testing.T) { // AI-74, AI-77
	b, dir := capturing(t, schema.PacketCapture{Global: true, MaxBytes: 500})
	kernel := &carriage{keys: map[stack.Key]bool{}}
	b.kernel = kernel
	c := newConversation("192.0.2.10:40000", "198.51.100.20:80")
	c.connect(b)
	key := stack.NewKey(c.client, c.server, 6)
	s := b.table.find(&key).session
	random := "\xf3\x91\x07\xee\xa0\x13\x88\xfc\xd2\xc4\xbb\x95\x01\xfe\x9a\xe7"
	for range 3 {
		b.from(b.lan, c.carrying(random))
		b.from(b.wan, c.saying(random))
	}
	if s.identifying() || s.capture.Load() == nil {
		t.Fatal("the session should be unknown by now, with room in its capture: this test proves nothing")
	}
	if len(kernel.keys) != 0 {
		t.Error("a session is offloaded while it is captured")
	}
	for range 10 {
		b.from(b.lan, c.carrying(random))
	}
	if s.capture.Load() != nil || len(kernel.keys) != 2 {
		t.Errorf("with the limit reached, the kernel carries %d directions, want 2", len(kernel.keys))
	}
	b.captures.(*capture.Engine).Close()
	files, err := filepath.Glob(filepath.Join(dir, "198.51.100.20_80_6_*.pcap"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %v, %v", files, err)
	}
	if info, err := os.Stat(files[0]); err != nil || info.Size() < 500 {
		t.Errorf("the file is %v, %v", info, err)
	}
}

// A session whose application becomes known is forgotten, and then costs no more than others.
func TestKnownSessionsAreNotCaptured(t *testing.T) { // AI-72, AI-73
	b, dir := capturing(t, schema.PacketCapture{Global: true, MaxBytes: 6000})
	c := newConversation("192.0.2.10:40000", "198.51.100.20:80")
	c.connect(b)
	b.from(b.lan, c.carrying("SSH-2.0-OpenSSH_9.2\r\n"))
	b.from(b.wan, c.saying("SSH-2.0-OpenSSH_9.2\r\n"))
	b.table.each(func(s *Session) bool {
		if s.identifying() || s.capture.Load() != nil {
			t.Errorf("identifying: %v, capture: %v", s.identifying(), s.capture.Load())
		}
		return true
	})
	b.captures.(*capture.Engine).Close()
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("captured %v, %v", entries, err)
	}
	if n := b.captures.(*capture.Engine).Counters(); n.Active != 0 {
		t.Errorf("%d sessions are being captured", n.Active)
	}
	if b.config.Load().captures {
		t.Error("no policy asks for captures")
	}
}
