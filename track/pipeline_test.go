package track

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sluice/store/schema"
)

// Every test closes its tracker, and nothing may be left running.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newTestTracker starts a tracker that the test closes, and that logs nowhere.
func newTestTracker(t testing.TB, opts Options) *Tracker {
	t.Helper()
	opts.Hostname = "gw1"
	opts.Logger = slog.New(slog.DiscardHandler)
	if opts.LogDir == "" {
		opts.LogDir = t.TempDir()
	}
	tracker := New(opts)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		tracker.Close(ctx) // tests of the end look at its error
	})
	return tracker
}

// commit applies cfg and fails on a problem that is not a warning.
func commit(t testing.TB, tracker *Tracker, cfg *schema.Config) {
	t.Helper()
	apply, problems := tracker.Prepare(cfg)
	for _, p := range problems {
		if !p.Warning {
			t.Fatal(p.Error())
		}
	}
	apply()
}

// eventually waits until ok holds.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("did not happen: %s", what)
		}
	}
}

// streamTo is a configuration with one stream to address.
func streamTo(address net.Addr, protocol string) *schema.Config {
	at := netip.MustParseAddrPort(address.String())
	cfg := &schema.Config{}
	cfg.Security.Log.UTCTimestamp = true
	cfg.Security.Log.Streams = []schema.LogStream{{
		Name: "s1", Host: schema.LogHost{Address: at.Addr(), Port: at.Port()},
		Transport: schema.LogTransport{Protocol: protocol},
	}}
	return cfg
}

// outletNamed is the status of one outlet.
func outletNamed(t testing.TB, tracker *Tracker, name string) Outlet {
	t.Helper()
	outlets := tracker.Outlets()
	i := slices.IndexFunc(outlets, func(o Outlet) bool { return o.Name == name })
	if i < 0 {
		t.Fatalf("there is no outlet %q among %v", name, outlets)
	}
	return outlets[i]
}

func listenUDP(t *testing.T) net.PacketConn {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func listenTCP(t *testing.T, address string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// readFrames reads n messages in octet counting (RFC 6587, 3.4.1), checking the count of each.
func readFrames(r io.Reader, n int) (messages []string, err error) {
	for range n {
		var length int
		for {
			var digit [1]byte
			if _, err := io.ReadFull(r, digit[:]); err != nil {
				return messages, err
			}
			if digit[0] == ' ' {
				break
			}
			d, err := strconv.Atoi(string(digit[:]))
			if err != nil {
				return messages, fmt.Errorf("the count is not a number: %w", err)
			}
			length = length*10 + d
		}
		body := make([]byte, length)
		if _, err := io.ReadFull(r, body); err != nil {
			return messages, err
		}
		messages = append(messages, string(body))
	}
	return messages, nil
}

// TestUDP sends one message a datagram from the configured source (TR-15, TR-16), over both address
// families (TR-18).
// Rows: C-41.
func TestUDP(t *testing.T) {
	t.Run("IPv4", func(t *testing.T) { testUDP(t, "127.0.0.1:0", "127.0.0.9") })
	t.Run("IPv6", func(t *testing.T) { testUDP(t, "[::1]:0", "::1") })
}

func testUDP(t *testing.T, listen, source string) {
	collector, err := net.ListenPacket("udp", listen)
	if err != nil {
		t.Fatal(err)
	}
	defer collector.Close()
	tracker := newTestTracker(t, Options{Now: func() time.Time { return testTime }})
	cfg := streamTo(collector.LocalAddr(), "udp")
	cfg.Security.Log.SourceAddress = netip.MustParseAddr(source)
	commit(t, tracker, cfg)
	s := fullSession()
	tracker.FlowCreate(s)
	s.Policy = "changed" // the caller keeps ownership
	tracker.FlowClose(s, ReasonClientFIN)

	buf := make([]byte, 4096)
	collector.SetReadDeadline(time.Now().Add(10 * time.Second))
	for _, want := range []string{renderOne(Structured, FlowCreate, "", fullSession()), renderOne(Structured, FlowClose, "TCP CLIENT FIN", s)} {
		n, from, err := collector.ReadFrom(buf)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(buf[:n]); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if ip := netip.MustParseAddrPort(from.String()).Addr().String(); ip != source {
			t.Errorf("came from %s", ip)
		}
	}
	eventually(t, "both are counted", func() bool { return outletNamed(t, tracker, "stream s1").Sent == 2 })
}

// TestUDPRefused counts what a host refused and says so, without stopping (TR-49: failed messages).
func TestUDPRefused(t *testing.T) {
	gone := listenUDP(t)
	address := gone.LocalAddr()
	gone.Close()
	tracker := newTestTracker(t, Options{})
	cfg := streamTo(address, "udp")
	cfg.Security.ApplicationTracking.LogSessionCreate = true
	cfg.Security.Zones.SecurityZones = []schema.Zone{{Name: "trust", ApplicationTracking: true}}
	commit(t, tracker, cfg)
	sends := 0
	eventually(t, "a refusal is counted", func() bool {
		tracker.AppCreate(fullSession())
		sends++
		return tracker.Counters().Failed > 0
	})
	eventually(t, "an alarm", func() bool { return len(tracker.Alarms()) > 0 })
	if o := outletNamed(t, tracker, "stream s1"); o.State != StateDown || !strings.Contains(o.Error, "refused") {
		t.Errorf("outlet is %+v", o)
	}
	if c := tracker.Counters(); c.Create != uint64(sends) {
		t.Errorf("%d create messages, want %d", c.Create, sends)
	}
	back, err := net.ListenPacket("udp", address.String())
	if err != nil {
		t.Fatal(err)
	}
	defer back.Close()
	eventually(t, "the outlet is up again", func() bool {
		tracker.AppCreate(fullSession())
		return outletNamed(t, tracker, "stream s1").State == StateUp
	})
}

// TestTCP sends with octet counting, sees the collector close, and goes on when it is back.
func TestTCP(t *testing.T) {
	listener := listenTCP(t, "127.0.0.1:0")
	tracker := newTestTracker(t, Options{Now: time.Now})
	cfg := streamTo(listener.Addr(), "tcp")
	commit(t, tracker, cfg)
	first, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the outlet is up before the first message", func() bool { return outletNamed(t, tracker, "stream s1").State == StateUp })
	for range 3 {
		tracker.FlowDeny(fullSession(), DenyPolicy)
	}
	messages, err := readFrames(first, 3)
	if err != nil || !strings.Contains(messages[2], `reason="policy deny"]`) {
		t.Fatalf("%v %v", messages, err)
	}

	listener.Close()
	first.Close()
	eventually(t, "the outlet is down without a message being sent", func() bool { return outletNamed(t, tracker, "stream s1").State == StateDown })
	if alarms := tracker.Alarms(); len(alarms) != 1 || alarms[0].Class != "Major" || !strings.Contains(alarms[0].Text, "stream s1") {
		t.Errorf("alarms are %v", alarms)
	}
	for range 5 {
		tracker.FlowDeny(fullSession(), DenyPolicy)
	}
	again := listenTCP(t, listener.Addr().String())
	second, err := again.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if _, err := readFrames(second, 5); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all is counted as sent", func() bool {
		o := outletNamed(t, tracker, "stream s1")
		return o.Sent == 8 && o.Dropped == 0 && o.State == StateUp
	})
}

// TestCollectorThatNeverReads shows that a stuck collector blocks neither the caller nor other
// outlets, and that what it does not take is counted.
func TestCollectorThatNeverReads(t *testing.T) {
	listener := listenTCP(t, "127.0.0.1:0")
	good := listenUDP(t)
	tracker := newTestTracker(t, Options{})
	cfg := streamTo(listener.Addr(), "tcp")
	other := streamTo(good.LocalAddr(), "udp").Security.Log.Streams[0]
	other.Name = "good"
	cfg.Security.Log.Streams = append(cfg.Security.Log.Streams, other)
	commit(t, tracker, cfg)
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	asked := uint64(0)
	eventually(t, "drops are counted", func() bool {
		for range 1000 {
			tracker.FlowCreate(fullSession())
		}
		asked += 1000
		return outletNamed(t, tracker, "stream s1").Dropped > 0
	})
	eventually(t, "the other outlet has taken everything that left the ring", func() bool {
		o := outletNamed(t, tracker, "stream good")
		return o.Sent+o.Dropped+tracker.counts.ringDropped.Load() == asked
	})
	stuck := outletNamed(t, tracker, "stream s1")
	if stuck.Queued == 0 || stuck.Sent+stuck.Dropped >= asked {
		t.Errorf("the stuck outlet is %+v after %d records", stuck, asked)
	}
	if !slices.ContainsFunc(tracker.Alarms(), func(a Alarm) bool { return strings.Contains(a.Text, "stream s1 drops messages") }) {
		t.Errorf("no alarm about the drops: %v", tracker.Alarms())
	}

	// The end does not wait for the collector longer than it may.
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := tracker.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("closing said %v", err)
	}
	tracker.FlowCreate(fullSession()) // after the end: a counted drop
}

// TestCloseSendsWhatIsQueued: nothing that was accepted before Close is lost while the collector reads.
func TestCloseSendsWhatIsQueued(t *testing.T) {
	listener := listenTCP(t, "127.0.0.1:0")
	tracker := newTestTracker(t, Options{})
	commit(t, tracker, streamTo(listener.Addr(), "tcp"))
	const n = 2000
	for range n {
		tracker.FlowCreate(fullSession())
	}
	received := make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			defer conn.Close()
			_, err = readFrames(conn, n)
		}
		received <- err
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := tracker.Close(ctx); err != nil {
		t.Error(err)
	}
	if err := <-received; err != nil {
		t.Error(err)
	}
}

// TestCommitKeepsUnchangedStreams: a commit leaves the connection of an unchanged stream alone, and a
// stream that it takes away sends what it holds.
func TestCommitKeepsUnchangedStreams(t *testing.T) {
	keep, drop := listenTCP(t, "127.0.0.1:0"), listenTCP(t, "127.0.0.1:0")
	tracker := newTestTracker(t, Options{})
	cfg := streamTo(keep.Addr(), "tcp")
	both := streamTo(keep.Addr(), "tcp")
	extra := streamTo(drop.Addr(), "tcp").Security.Log.Streams[0]
	extra.Name, extra.Format = "s2", "syslog"
	both.Security.Log.Streams = append(both.Security.Log.Streams, extra)
	commit(t, tracker, both)
	kept, err := keep.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	const n = 500
	for range n {
		tracker.FlowCreate(fullSession())
	}
	commit(t, tracker, cfg) // takes s2 away while it still holds messages
	for range n {
		tracker.FlowCreate(fullSession())
	}
	if _, err := readFrames(kept, 2*n); err != nil {
		t.Fatal(err)
	}
	gone, err := drop.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer gone.Close()
	messages, err := readFrames(gone, n)
	if err != nil {
		t.Fatalf("%d messages, then %v", len(messages), err)
	}
	if !strings.Contains(messages[0], "RT_FLOW: RT_FLOW_SESSION_CREATE: session created ") {
		t.Errorf("the format of the stream is not its own: %s", messages[0])
	}
	if _, err := gone.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("after its messages the stream that went says %v", err)
	}
}

// TestCommitsUnderLoad commits again and again while sessions are logged from everywhere: what the
// stream that stays does not get is counted, to the last record.
func TestCommitsUnderLoad(t *testing.T) {
	keep, other := listenUDP(t), listenUDP(t)
	tracker := newTestTracker(t, Options{State: openState(t, filepath.Join(t.TempDir(), "state.db"))})
	one := streamTo(keep.LocalAddr(), "udp")
	two := streamTo(keep.LocalAddr(), "udp")
	extra := streamTo(other.LocalAddr(), "udp").Security.Log.Streams[0]
	extra.Name = "s2"
	two.Security.Log.Streams = append(two.Security.Log.Streams, extra)
	two.Security.Log.History.Disable = true
	commit(t, tracker, one)

	const callers, each = 4, 2000
	var running sync.WaitGroup
	for range callers {
		running.Go(func() {
			for range each {
				tracker.FlowCreate(fullSession())
				tracker.Outlets()
			}
		})
	}
	finished := make(chan struct{})
	go func() { running.Wait(); close(finished) }()
	for commits := 0; ; commits++ {
		commit(t, tracker, []*schema.Config{two, one}[commits%2])
		select {
		case <-finished:
		default:
			continue
		}
		break
	}
	eventually(t, "every record is sent or counted as dropped", func() bool {
		o := outletNamed(t, tracker, "stream s1")
		return o.Sent+o.Dropped+tracker.counts.ringDropped.Load() == callers*each
	})
}

// TestFilters sends each stream the kinds and severities it asks for.
func TestFilters(t *testing.T) {
	collectors := map[string]net.PacketConn{}
	cfg := &schema.Config{}
	cfg.Security.ApplicationTracking.LogSessionCreate = true
	cfg.Security.Zones.SecurityZones = []schema.Zone{{Name: "trust", ApplicationTracking: true}}
	for name, set := range map[string]func(*schema.LogStream){
		"all":      func(*schema.LogStream) {},
		"session":  func(s *schema.LogStream) { s.Category = []string{"session", "idp"} },
		"apptrack": func(s *schema.LogStream) { s.Category = []string{"apptrack"} },
		"severe":   func(s *schema.LogStream) { s.Severity = "warning" },
	} {
		collectors[name] = listenUDP(t)
		s := streamTo(collectors[name].LocalAddr(), "udp").Security.Log.Streams[0]
		s.Name = name
		set(&s)
		cfg.Security.Log.Streams = append(cfg.Security.Log.Streams, s)
	}
	tracker := newTestTracker(t, Options{})
	commit(t, tracker, cfg)
	tracker.FlowCreate(fullSession())
	tracker.AppCreate(fullSession())
	eventually(t, "the messages arrive", func() bool { return outletNamed(t, tracker, "stream all").Sent == 2 })
	eventually(t, "the queues are empty", func() bool {
		return outletNamed(t, tracker, "stream session").Sent == 1 && outletNamed(t, tracker, "stream apptrack").Sent == 1
	})
	if o := outletNamed(t, tracker, "stream severe"); o.Sent != 0 || o.Queued != 0 {
		t.Errorf("the stream for warnings got %d messages", o.Sent)
	}
	buf := make([]byte, 4096)
	n, _, err := collectors["apptrack"].ReadFrom(buf)
	if err != nil || !strings.Contains(string(buf[:n]), "APPTRACK_SESSION_CREATE") {
		t.Errorf("%s %v", buf[:n], err)
	}
}
