package track

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"sluice/store/schema"
)

// trackedZones is a configuration in which the zone trust is tracked.
func trackedZones(set func(*schema.ApplicationTracking)) *schema.Config {
	cfg := &schema.Config{}
	cfg.Security.Zones.SecurityZones = []schema.Zone{{Name: "trust", ApplicationTracking: true}, {Name: "untrust"}, {Name: "dmz"}}
	set(&cfg.Security.ApplicationTracking)
	return cfg
}

// TestTracking sends exactly the configured messages, for tracked zones only: TR-2, TR-3 (either
// side), TR-4 (switch), TR-5, TR-6 (off by default), TR-7 (on by default), TR-13 (first-update).
// Rows: CS-49, ST-54, LM-2, TR-49, C-17, C-32, C-35, C-36, C-37, C-38, S-63, S-92.
func TestTracking(t *testing.T) {
	tests := []struct {
		name     string
		from, to string
		set      func(*schema.ApplicationTracking)
		want     Counters
	}{
		{"defaults", "trust", "untrust", func(*schema.ApplicationTracking) {}, Counters{Volume: 1, Route: 1}},
		{"to-zone is tracked", "untrust", "trust", func(*schema.ApplicationTracking) {}, Counters{Volume: 1, Route: 1}},
		{"neither is tracked", "untrust", "dmz", func(a *schema.ApplicationTracking) { a.LogSessionCreate = true }, Counters{}},
		{"all", "trust", "untrust", func(a *schema.ApplicationTracking) { a.LogSessionCreate, a.LogSessionClose = true, true },
			Counters{Create: 1, Close: 1, Volume: 1, Route: 1}},
		{"no updates", "trust", "untrust", func(a *schema.ApplicationTracking) { a.NoVolumeUpdates = true }, Counters{Route: 1}},
		{"first-update", "trust", "untrust", func(a *schema.ApplicationTracking) { a.FirstUpdate = true }, Counters{Create: 1, Volume: 1, Route: 1}},
		{"disabled", "trust", "untrust", func(a *schema.ApplicationTracking) { a.Disable, a.LogSessionClose = true, true }, Counters{}},
	}
	for _, test := range tests {
		tracker := newTestTracker(t, Options{})
		commit(t, tracker, trackedZones(test.set))
		s := fullSession()
		s.FromZone, s.ToZone = test.from, test.to
		tracker.AppCreate(s)
		tracker.AppVolumeUpdate(s)
		tracker.AppRouteUpdate(s)
		tracker.AppClose(s, ReasonClientFIN)
		if got := tracker.Counters(); got != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
		if got, want := tracker.Tracks(test.from, test.to), test.want.Route > 0; got != want {
			t.Errorf("%s: Tracks says %v", test.name, got)
		}
		tracker.ClearCounters()
		if got := tracker.Counters(); got != (Counters{}) {
			t.Errorf("%s: after clearing %+v", test.name, got)
		}
	}
}

// TestUpdateRule reads the intervals: TR-8 (default five minutes), TR-11 (first update like the
// others unless configured), TR-13 (the interval is ignored beside first-update).
// Rows: C-33, C-34, C-35, C-38, S-92, S-93.
func TestUpdateRule(t *testing.T) {
	minute := time.Minute
	tests := []struct {
		name     string
		set      func(*schema.ApplicationTracking)
		want     *UpdateRule
		warnings int
	}{
		{"defaults", func(*schema.ApplicationTracking) {}, &UpdateRule{5 * minute, 5 * minute}, 0},
		{"guide", func(a *schema.ApplicationTracking) { a.SessionUpdateInterval, a.FirstUpdateInterval = 4, 1 }, &UpdateRule{minute, 4 * minute}, 0},
		{"first-update", func(a *schema.ApplicationTracking) { a.FirstUpdateInterval, a.FirstUpdate = 1, true }, &UpdateRule{5 * minute, 5 * minute}, 2},
		{"not smaller", func(a *schema.ApplicationTracking) { a.FirstUpdateInterval = 5 }, &UpdateRule{5 * minute, 5 * minute}, 1},
		{"off", func(a *schema.ApplicationTracking) { a.NoVolumeUpdates = true }, nil, 0},
	}
	for _, test := range tests {
		tracker := newTestTracker(t, Options{})
		apply, problems := tracker.Prepare(trackedZones(test.set))
		if len(problems) != test.warnings {
			t.Errorf("%s: problems %v", test.name, problems)
		}
		apply()
		got := tracker.UpdateRule()
		if (got == nil) != (test.want == nil) || got != nil && *got != *test.want {
			t.Errorf("%s: rule is %+v, want %+v", test.name, got, test.want)
		}
	}
}

// TestUpdateClock follows sessions packet by packet: TR-9 (only packets cause updates, strictly
// after the interval), TR-10 (short sessions), TR-11 and TR-12 (first interval, then the others).
func TestUpdateClock(t *testing.T) {
	rule := &UpdateRule{First: time.Minute, Interval: 4 * time.Minute}
	second := time.Second
	tests := []struct {
		name    string
		packets []time.Duration // arrivals since the session's start
		want    []time.Duration // those that bring an update
	}{
		{"short", []time.Duration{0, 30 * second, 60 * second}, nil},
		{"first, then every four minutes", []time.Duration{10 * second, 61 * second, 200 * second, 301 * second, 302 * second, 543 * second},
			[]time.Duration{61 * second, 302 * second, 543 * second}},
		{"a pause of two intervals brings one update", []time.Duration{61 * second, 700 * second, 701 * second},
			[]time.Duration{61 * second, 700 * second}},
	}
	for _, test := range tests {
		var clock UpdateClock
		var got []time.Duration
		for _, at := range test.packets {
			if clock.Due(at, rule) {
				got = append(got, at)
			}
		}
		if len(got) != len(test.want) {
			t.Errorf("%s: updates at %v, want %v", test.name, got, test.want)
			continue
		}
		for i := range got {
			if got[i] != test.want[i] {
				t.Errorf("%s: updates at %v, want %v", test.name, got, test.want)
			}
		}
	}
	if new(UpdateClock).Due(time.Hour, nil) {
		t.Error("without a rule an update is due")
	}
}

// TestPrepareStream reads streams: TR-16, TR-17 (port 514 unless one is configured).
// Rows: C-39, C-40, C-42.
func TestPrepareStream(t *testing.T) {
	host := netip.MustParseAddr("192.0.2.2")
	tests := []struct {
		name   string
		stream schema.LogStream
		source string
		want   string // target, or the problem
	}{
		{"default port", schema.LogStream{Host: schema.LogHost{Address: host}}, "", "192.0.2.2:514 udp"},
		{"port of the stream", schema.LogStream{Host: schema.LogHost{Address: host}, Port: 1514}, "", "192.0.2.2:1514 udp"},
		{"port of the host wins", schema.LogStream{Host: schema.LogHost{Address: host, Port: 2514}, Port: 1514}, "", "192.0.2.2:2514 udp"},
		{"IPv6", schema.LogStream{Host: schema.LogHost{Address: netip.MustParseAddr("2001:db8::2")}}, "", "[2001:db8::2]:514 udp"},
		{"no host", schema.LogStream{}, "", "[edit security log stream s] host is missing (set security log stream s host ADDRESS)"},
		{"other family", schema.LogStream{Host: schema.LogHost{Address: host}}, "2001:db8::1", "different address families"},
		{"no certificates", schema.LogStream{Host: schema.LogHost{Address: host}, Transport: schema.LogTransport{Protocol: "tls", CAFile: "/nonexistent"}}, "", "no such file"},
		{"certificates for nothing", schema.LogStream{Host: schema.LogHost{Address: host}, Transport: schema.LogTransport{CAFile: "/nonexistent"}}, "", "no effect without protocol tls"},
	}
	tracker := newTestTracker(t, Options{})
	for _, test := range tests {
		cfg := &schema.Config{}
		test.stream.Name = "s"
		cfg.Security.Log.Streams = []schema.LogStream{test.stream}
		if test.source != "" {
			cfg.Security.Log.SourceAddress = netip.MustParseAddr(test.source)
		}
		p, problems := tracker.compile(cfg)
		got := p.outlets[0].target()
		if len(problems) > 0 {
			got = problems[0].Error()
		}
		if !strings.Contains(got, test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// TestPrepareLocal reads file, journal and mode.
// Rows: C-39.
func TestPrepareLocal(t *testing.T) {
	tracker := newTestTracker(t, Options{LogDir: "/var/log/gateway"})
	cfg := &schema.Config{}
	cfg.Security.Log.File = &schema.LogFile{}
	p, problems := tracker.compile(cfg)
	if len(p.outlets) != 0 || len(problems) != 1 || !problems[0].Warning {
		t.Errorf("a file in mode stream: %v, %v", p.outlets, problems)
	}
	cfg.Security.Log.Mode, cfg.Security.Log.Journal = "event", true
	p, problems = tracker.compile(cfg)
	if len(problems) != 0 || len(p.outlets) != 2 || p.outlets[0].path != "/var/log/gateway/security.log" || p.outlets[1].target() != "systemd journal" {
		t.Errorf("file and journal: %+v, %v", p.outlets, problems)
	}
	cfg.Security.Log.File.Name = "../../etc/passwd"
	if _, problems = tracker.compile(cfg); len(problems) != 1 || problems[0].Warning {
		t.Errorf("a name that leads out of the directory: %v", problems)
	}
	cfg.Security.Log.Disable = true
	if p, _ = tracker.compile(cfg); len(p.outlets) != 0 || p.wanted[FlowCreate] {
		t.Errorf("disabled: %+v", p.outlets)
	}
}
