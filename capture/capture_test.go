package capture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"sluice/store/schema"
)

// engine is an Engine under test. Its clock stands still.
type engine struct {
	*Engine
	t       *testing.T
	dir     string
	mu      sync.Mutex
	now     time.Time
	unknown bool // what the cache says
}

// start makes an engine with the default settings but for what change says.
func start(t *testing.T, change func(*schema.PacketCapture)) *engine {
	e := &engine{t: t, dir: filepath.Join(t.TempDir(), "pcap"), now: time.Unix(1_700_000_000, 5), unknown: true}
	e.Engine = New(Options{
		Dir:     e.dir,
		Unknown: func(netip.AddrPort, uint8) bool { return e.unknown },
		Clock: func() time.Time {
			e.mu.Lock()
			defer e.mu.Unlock()
			return e.now
		},
	})
	t.Cleanup(e.Close)
	e.set(change)
	return e
}

// set configures the defaults with a change.
func (e *engine) set(change func(*schema.PacketCapture)) {
	p := e.settings.Load().PacketCapture
	p.Global = true
	if change != nil {
		change(&p)
	}
	e.Configure(&p)
}

func (e *engine) pass(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.now = e.now.Add(d)
}

// written waits until everything handed over is in its file, and lists the files by name.
func (e *engine) written() []string {
	e.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); e.held.Load() > 0 || len(e.messages) > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			e.t.Fatal("the writer does not write")
		}
	}
	entries, _ := os.ReadDir(e.dir)
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func tcp(id uint64) Candidate {
	return Candidate{ID: id, Server: netip.MustParseAddrPort("203.0.113.7:4000"), Protocol: protocolTCP}
}

func udp(id uint64) Candidate {
	return Candidate{ID: id, Server: netip.MustParseAddrPort("[2001:db8::7]:53"), Protocol: protocolUDP}
}

// record captures one session with n packets of 100 bytes, and ends it with a verdict.
func (e *engine) record(c Candidate, n int, v Verdict) {
	e.t.Helper()
	s := e.Begin(c)
	if s == nil {
		e.t.Fatalf("session %d is not captured", c.ID)
	}
	for range n {
		s.Packet(e.options.Clock(), make([]byte, 100), 100)
	}
	s.Verdict(v)
	s.Close()
}

var unknown = Verdict{Unknown: true}

// packets are the lengths, kept and original, of the packets of a file.
func (e *engine) packets(name string) (kept, lengths []int) {
	e.t.Helper()
	data, err := os.ReadFile(filepath.Join(e.dir, name))
	if err != nil {
		e.t.Fatal(err)
	}
	if !bytes.HasPrefix(data, header) {
		e.t.Fatalf("%s does not begin as a capture file: % x", name, data[:min(len(data), 32)])
	}
	for data = data[len(header):]; len(data) > 0; {
		size := binary.LittleEndian.Uint32(data[4:])
		if end := binary.LittleEndian.Uint32(data[size-4:]); end != size || size%4 != 0 {
			e.t.Fatalf("block of %d bytes ends as one of %d", size, end)
		}
		kept = append(kept, int(binary.LittleEndian.Uint32(data[20:])))
		lengths = append(lengths, int(binary.LittleEndian.Uint32(data[24:])))
		data = data[size:]
	}
	return kept, lengths
}

// A session is in a file of its own, with its packets as they were.
// Rows: AI-69, AI-80, AI-83, T-11.
func TestFile(t *testing.T) {
	e := start(t, nil)
	s := e.Begin(udp(71))
	s.Packet(time.Unix(1_700_000_000, 123), []byte{0x60, 1, 2, 3, 4}, 9)
	if s.Verdict(unknown); len(e.written()) != 1 {
		t.Fatalf("files after the verdict: %v", e.written())
	}
	s.Packet(time.Unix(1_700_000_001, 0), []byte{0x60, 1, 2, 3}, 4)
	s.Close()
	const name = "2001-db8--7_53_17_71.pcap"
	if got := e.written(); !slices.Equal(got, []string{name}) {
		t.Fatalf("files %v, want %s", got, name)
	}
	kept, lengths := e.packets(name)
	if !slices.Equal(kept, []int{5, 4}) || !slices.Equal(lengths, []int{9, 4}) {
		t.Errorf("packets of %v of %v bytes", kept, lengths)
	}
	info, err := os.Stat(filepath.Join(e.dir, name))
	if err != nil || info.Mode() != 0o640 {
		t.Errorf("mode %v, want -rw-r-----", info.Mode())
	}
	data, _ := os.ReadFile(filepath.Join(e.dir, name))
	block := data[len(header):]
	at := uint64(binary.LittleEndian.Uint32(block[12:]))<<32 | uint64(binary.LittleEndian.Uint32(block[16:]))
	if at != 1_700_000_000_000_000_123 || !bytes.Equal(block[28:36], []byte{0x60, 1, 2, 3, 4, 0, 0, 0}) {
		t.Errorf("packet at %d: % x", at, block[28:36])
	}
}

// Which sessions are captured.
// Rows: AI-68, AI-72, AI-73, AI-74, AI-75, AI-84, AI-88, T-13.
func TestWhatIsCaptured(t *testing.T) {
	aggressive := func(p *schema.PacketCapture) { p.AggressiveMode = true }
	byPolicy := func(p *schema.PacketCapture) { p.Global = false }
	for _, test := range []struct {
		name   string
		change func(*schema.PacketCapture)
		first  bool // the server was not seen before
		wanted bool // by a policy, as the session begins
		v      Verdict
		want   bool
	}{
		{name: "unknown again", v: unknown, want: true},
		{name: "unknown for the first time", first: true, v: unknown},
		{name: "unknown for the first time, aggressive", first: true, change: aggressive, v: unknown, want: true},
		{name: "known after all", v: Verdict{}},
		{name: "known, aggressive", first: true, change: aggressive, want: true},
		{name: "no policy", change: byPolicy, v: unknown},
		{name: "policy", change: byPolicy, wanted: true, v: Verdict{Unknown: true, Wanted: true}, want: true},
		{name: "another policy in the end", change: byPolicy, wanted: true, v: unknown},
		{name: "inconclusive", v: Verdict{Unknown: true, Inconclusive: true}, want: true},
		{name: "inconclusive, switched off", v: Verdict{Unknown: true, Inconclusive: true},
			change: func(p *schema.PacketCapture) { p.NoInconclusive = true }},
		{name: "nothing but a handshake", v: Verdict{Unknown: true, Inconclusive: true, Empty: true}},
		{name: "strange name", first: true, v: Verdict{UnknownName: true}, want: true,
			change: func(p *schema.PacketCapture) { p.SSLUnknown = true }},
		{name: "strange name, switched off", v: Verdict{UnknownName: true}},
		{name: "waiting for a name, unknown for the first time", first: true, v: unknown,
			change: func(p *schema.PacketCapture) { p.SSLUnknown = true }},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := start(t, test.change)
			e.unknown = !test.first
			c := tcp(1)
			c.Wanted = test.wanted
			if s := e.Begin(c); s != nil {
				s.Packet(e.now, make([]byte, 60), 60)
				s.Verdict(test.v)
				s.Close()
			}
			if got := len(e.written()) == 1; got != test.want {
				t.Errorf("captured: %v, want %v", got, test.want)
			}
			if n := e.Counters(); n.Active != 0 || (n.SessionsCaptured == 1) != test.want {
				t.Errorf("counters %+v", n)
			}
		})
	}
}

// Before the verdict and after it, a session is captured up to its limit, and then costs nothing.
// Rows: AI-76, AI-77, AI-79, T-12, T-37.
func TestLimitsOfSessions(t *testing.T) {
	other := tcp(3)
	other.Protocol = 47
	for _, test := range []struct {
		c        Candidate
		kept     int
		packets  int
		last     int
		original int
	}{
		{c: tcp(1), kept: 2048, packets: 3, last: 48, original: 1000},
		{c: udp(2), kept: 10000, packets: 10, last: 1000, original: 1000},
		{c: other, kept: 10000, packets: 10, last: 1000, original: 1000},
	} {
		for _, early := range []int{0, 2, 40} {
			e := start(t, func(p *schema.PacketCapture) { p.MaxBytes = 2048 })
			s, more := e.Begin(test.c), true
			for i := range 40 {
				if i == early {
					s.Verdict(unknown)
				}
				more = s.Packet(e.now, make([]byte, 1000), 1000)
			}
			if early == 40 {
				more = s.Verdict(unknown)
			}
			if more || e.Counters().Active != 0 {
				t.Errorf("protocol %d goes on with its limit reached", test.c.Protocol)
			}
			files := e.written()
			if len(files) != 1 {
				t.Fatalf("files %v", files)
			}
			kept, lengths := e.packets(files[0])
			sum := 0
			for _, n := range kept {
				sum += n
			}
			if sum != test.kept || len(kept) != test.packets || kept[len(kept)-1] != test.last || lengths[len(kept)-1] != test.original {
				t.Errorf("protocol %d, verdict after %d packets: kept %v of %v", test.c.Protocol, early, kept, lengths)
			}
			if n := e.Counters(); n.PacketsCaptured != uint64(len(kept)) {
				t.Errorf("%d packets counted, %d in the file", n.PacketsCaptured, len(kept))
			}
		}
	}
}

// The newest files stay. Others in the directory are nobody's business.
// Rows: AI-78.
func TestNewestFilesStay(t *testing.T) {
	few := func(p *schema.PacketCapture) { p.MaxFiles, p.CaptureLimit = 3, 1000 }
	e := start(t, few)
	if err := os.MkdirAll(e.dir, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(e.dir, "mine.pcap"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for id := range uint64(8) {
		e.record(tcp(id), 1, unknown)
	}
	file := func(id int) string { return fmt.Sprintf("203.0.113.7_4000_6_%d.pcap", id) }
	if got, want := e.written(), []string{file(5), file(6), file(7), "mine.pcap"}; !slices.Equal(got, want) {
		t.Errorf("files %v, want %v", got, want)
	}

	// Another process goes on where this one ended, and its session of the same number replaces
	// the file.
	for i, id := range []int{5, 6, 7} {
		at := time.Unix(1_700_000_000+int64(i), 0)
		if err := os.Chtimes(filepath.Join(e.dir, file(id)), at, at); err != nil {
			t.Fatal(err)
		}
	}
	again := start(t, few)
	again.Close()
	again.Engine = New(Options{Dir: e.dir, Unknown: again.options.Unknown, Clock: again.options.Clock})
	t.Cleanup(again.Close)
	again.set(few)
	again.dir = e.dir
	again.record(tcp(6), 2, unknown)
	again.record(tcp(9), 1, unknown)
	if got, want := again.written(), []string{file(6), file(7), file(9), "mine.pcap"}; !slices.Equal(got, want) {
		t.Errorf("files after a restart %v, want %v", got, want)
	}
	if kept, _ := again.packets(file(6)); len(kept) != 2 {
		t.Errorf("the replaced file has %d packets, want 2", len(kept))
	}
}

// Beyond storage-limit nothing is written, and a directory that cannot be written costs nothing but
// a count.
// Rows: AI-87.
func TestStorage(t *testing.T) {
	e := start(t, func(p *schema.PacketCapture) { p.StorageLimit, p.CaptureLimit = 600, 1000 })
	for id := range uint64(10) {
		e.record(tcp(id), 1, unknown)
	}
	files := len(e.written())
	n := e.Counters()
	if size := len(header) + blockSize(100); files != 600/size || n.StorageLimit != uint64(10-files) || n.SessionsCaptured != uint64(files) {
		t.Errorf("%d files, counters %+v", files, n)
	}

	e = start(t, nil)
	if err := os.WriteFile(e.dir, nil, 0o600); err != nil { // no directory
		t.Fatal(err)
	}
	e.record(tcp(1), 1, unknown)
	e.written()
	if n := e.Counters(); n.StorageLimit != 1 || n.SessionsCaptured != 0 || n.PacketsCaptured != 0 {
		t.Errorf("counters without a directory %+v", n)
	}
}

// Packets in memory are bounded, over all sessions.
// Rows: AI-87.
func TestMemory(t *testing.T) {
	limit := 2 * blockSize(100)
	e := start(t, func(p *schema.PacketCapture) { p.BufferPacketsLimit = uint64(limit) })
	a, b := e.Begin(tcp(1)), e.Begin(tcp(2))
	for range 3 {
		a.Packet(e.now, make([]byte, 100), 100)
	}
	b.Packet(e.now, make([]byte, 100), 100)
	if e.Begin(tcp(3)) != nil {
		t.Error("a session begins with the memory full")
	}
	if n := e.Counters(); n.PacketsBeyondBuffer != 2 || n.SessionsBeyondBuffer != 1 || n.Active != 2 {
		t.Errorf("counters %+v", n)
	}
	a.Verdict(Verdict{})
	b.Close()
	if held := e.held.Load(); held != 0 {
		t.Errorf("%d bytes held after all was forgotten", held)
	}
	e.counters.active.Store(maxSessions)
	if e.Begin(tcp(4)) != nil || e.Counters().SessionsWithoutMemory != 1 {
		t.Errorf("a session begins beyond the bound: %+v", e.Counters())
	}
	e.counters.active.Store(0)
}

// A server is captured capture-limit times in capture-interval.
// Rows: AI-82, AI-87.
func TestRepeats(t *testing.T) {
	e := start(t, func(p *schema.PacketCapture) { p.CaptureLimit, p.CaptureInterval = 2, 5 })
	early := e.Begin(tcp(1))
	early.Packet(e.now, make([]byte, 60), 60)
	e.record(tcp(2), 1, unknown)
	e.record(tcp(3), 1, unknown)
	early.Verdict(unknown)
	if e.Begin(tcp(4)) != nil {
		t.Error("captured a third time")
	}
	e.record(udp(5), 1, unknown) // another server
	if got := len(e.written()); got != 3 {
		t.Errorf("%d files, want 3", got)
	}
	e.pass(5*time.Minute - 1)
	if e.Begin(tcp(6)) != nil || e.Counters().CacheTimedOut != 0 {
		t.Error("captured before the interval is over")
	}
	e.pass(1)
	e.record(tcp(7), 1, unknown)
	if n := e.Counters().CacheTimedOut; n != 2 {
		t.Errorf("%d entries timed out, want 2", n)
	}

	e.set(func(p *schema.PacketCapture) { p.CaptureInterval = 1 }) // holds for what is remembered, too
	e.pass(time.Minute)
	e.repeats.expire(e.options.Clock())
	if n := e.Counters().CacheTimedOut; n != 3 || len(e.repeats.servers) != 0 || len(e.repeats.order) != 0 {
		t.Errorf("%d entries timed out, want 3", n)
	}
}

// Files and counters are cleared while sessions are being captured.
// Rows: AI-89.
func TestClear(t *testing.T) {
	e := start(t, func(p *schema.PacketCapture) { p.CaptureLimit = 1 })
	running := e.Begin(tcp(1))
	running.Packet(e.now, make([]byte, 60), 60)
	running.Verdict(unknown)
	e.record(udp(2), 1, unknown)
	if got := len(e.written()); got != 2 {
		t.Fatalf("%d files, want 2", got)
	}
	if err := e.Clear(); err != nil {
		t.Fatal(err)
	}
	e.ClearCounters()
	running.Packet(e.now, make([]byte, 60), 60) // of a file that is gone
	running.Close()
	if files := e.written(); len(files) != 0 || e.Counters() != (Counters{}) {
		t.Errorf("after clearing: %v, %+v", files, e.Counters())
	}
	e.record(tcp(3), 1, unknown)
	if files := e.written(); len(files) != 1 || e.Counters().SessionsCaptured != 1 {
		t.Errorf("the next session: %v, %+v", files, e.Counters())
	}
	e.Close()
	if err := e.Clear(); err == nil {
		t.Error("cleared after the end")
	}
}

// Both directions of many sessions at once.
func TestConcurrency(t *testing.T) {
	e := start(t, func(p *schema.PacketCapture) { p.CaptureLimit, p.MaxFiles, p.MaxPackets = 1000, 2500, 7 })
	var sessions sync.WaitGroup
	for id := range uint64(100) {
		sessions.Go(func() {
			c := udp(id)
			s := e.Begin(c)
			var wings sync.WaitGroup
			for range 2 {
				wings.Go(func() {
					for s.Packet(time.Now(), make([]byte, 200), 200) {
						s.Verdict(unknown)
					}
				})
			}
			wings.Wait()
			s.Close()
		})
	}
	sessions.Wait()
	files := e.written()
	if n := e.Counters(); len(files) != 100 || n.SessionsCaptured != 100 || n.PacketsCaptured != 700 || n.Active != 0 {
		t.Errorf("%d files, counters %+v", len(files), n)
	}
}

// A packet of a session that is captured costs its copy.
func BenchmarkPacket(b *testing.B) {
	e := New(Options{Dir: b.TempDir()})
	defer e.Close()
	e.Configure(&schema.PacketCapture{Global: true, AggressiveMode: true, MaxBytes: 1 << 30, BufferPacketsLimit: 1 << 30, CaptureLimit: 1})
	packet := make([]byte, 1500)
	now := time.Now()
	for b.Loop() {
		s := e.Begin(tcp(1))
		for range 4 {
			s.Packet(now, packet, len(packet))
		}
		s.Close()
	}
}

// A commit tells of captures that could never be, and captures without their own statements have
// the defaults.
// Rows: AI-71, AI-79, T-12, T-13.
func TestPrepare(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*schema.ApplicationIdentification)
		want   string
	}{
		{"nothing said", func(a *schema.ApplicationIdentification) { a.PacketCapture, a.NoCache = nil, true }, ""},
		{"cache", func(*schema.ApplicationIdentification) {}, ""},
		{"no cache", func(a *schema.ApplicationIdentification) { a.NoCache = true }, "set " + statement + " aggressive-mode"},
		{"aggressive without a cache", func(a *schema.ApplicationIdentification) { a.NoCache, a.PacketCapture.AggressiveMode = true, true }, ""},
		{"no identification", func(a *schema.ApplicationIdentification) { a.NoIdentification = true }, "delete services application-identification no-application-identification"},
	} {
		e := start(t, nil)
		cfg := &schema.Config{}
		apps := &cfg.Services.ApplicationIdentification
		apps.PacketCapture = &schema.PacketCapture{MaxPackets: 7}
		test.change(apps)
		change, problems := e.Prepare(cfg)
		switch {
		case test.want == "" && len(problems) != 0, test.want != "" && (len(problems) != 1 || !problems[0].Warning || problems[0].Hint != test.want):
			t.Errorf("%s: %v, want a warning with %q", test.name, problems, test.want)
		}
		change.Apply()
		got := e.settings.Load().PacketCapture
		if apps.PacketCapture != nil && got != *apps.PacketCapture {
			t.Errorf("%s: in force is %+v", test.name, got)
		}
		defaults := schema.PacketCapture{MaxPackets: 10, MaxBytes: 6000, MaxFiles: 100, StorageLimit: 50 << 20, BufferPacketsLimit: 16 << 20, CaptureInterval: 1440, CaptureLimit: 10}
		if apps.PacketCapture == nil && got != defaults {
			t.Errorf("%s: in force is %+v", test.name, got)
		}
	}
}
