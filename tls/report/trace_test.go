package report

import (
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sluice/store/schema"
)

var (
	client = netip.MustParseAddrPort("192.0.2.1:40000")
	server = netip.MustParseAddrPort("198.51.100.2:443")
)

// traced is what a tracer wrote to the file of its options.
func traced(t *testing.T, o schema.SSLTraceOptions, do func(*Tracer)) []string {
	t.Helper()
	dir := t.TempDir()
	if o.File == nil {
		o.File = &schema.TraceFile{Name: "ssl", Size: 128 << 10, Files: 3}
	}
	for _, p := range CheckTrace(&o) {
		t.Fatal(p)
	}
	tracer := NewTracer(dir, slog.Default())
	tracer.Configure(&o)
	do(tracer)
	tracer.Close()
	if tracer.Lost() > 0 {
		t.Errorf("%d lines are lost", tracer.Lost())
	}
	text, err := os.ReadFile(filepath.Join(dir, "ssl"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

// speak says something of every part and level, of a profile with and one without flow tracing.
func speak(t *Tracer) {
	for level := Brief; level <= Verbose; level++ {
		t.Commit(level, "commit%d", level)
		for _, tracing := range []bool{false, true} {
			profile := map[bool]string{false: "plain", true: "chosen"}[tracing]
			trace := t.Session(7, client, server, profile, tracing)
			trace.Log(ProxyPolicy, level, "proxy%d", level)
			trace.Log(TerminationSide, level, "term%d", level)
			trace.Log(InitiationSide, level, "init%d", level)
		}
	}
}

// The file has the lines of the level and those before it, of the parts that are flagged, and with
// selected-profile of profiles with enable-flow-tracing alone.
// Rows: SP-66.
func TestTraceLevelsAndFlags(t *testing.T) {
	for _, c := range []struct {
		level    string
		flags    []string
		lines    int
		some, no string // regular expressions
	}{
		{"brief", nil, 1 + 2*3, "commit0", "[1-3]$"},
		{"detail", nil, 2 * (1 + 2*3), "commit1", "[23]$"},
		{"extensive", nil, 3 * (1 + 2*3), "init2", "3$"},
		{"verbose", []string{"all"}, 4 * (1 + 2*3), "term3", "^$"},
		{"verbose", []string{"cli-configuration"}, 4, "commit3", "session"},
		{"verbose", []string{"proxy"}, 4 * 2, "proxy3", "init|term|commit"},
		{"verbose", []string{"initiation", "termination"}, 4 * 4, "term2", "proxy|commit"},
		{"verbose", []string{"selected-profile"}, 4 * (1 + 3), "profile chosen", "profile plain"},
		{"brief", []string{"selected-profile", "termination"}, 1, "profile chosen: term0", "init"},
	} {
		lines := traced(t, schema.SSLTraceOptions{Level: c.level, Flags: c.flags}, speak)
		matches := func(expr string) func(string) bool { return regexp.MustCompile(expr).MatchString }
		if len(lines) != c.lines || !slices.ContainsFunc(lines, matches(c.some)) || slices.ContainsFunc(lines, matches(c.no)) {
			t.Errorf("%s %v: %d lines, want %d with %s and without %s:\n%s", c.level, c.flags, len(lines), c.lines, c.some, c.no, strings.Join(lines, "\n"))
		}
	}
	form := regexp.MustCompile(`^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d\.\d{6} termination session 7 192\.0\.2\.1:40000->198\.51\.100\.2:443 profile chosen: term0$`)
	if lines := traced(t, schema.SSLTraceOptions{Level: "brief", Flags: []string{"termination", "selected-profile"}}, speak); !form.MatchString(lines[0]) {
		t.Errorf("a line is %q", lines[0])
	}
}

// Packet filters choose sessions and match chooses lines.
func TestTraceFilters(t *testing.T) {
	prefix := func(text string) *schema.HostPrefix {
		var p schema.HostPrefix
		if err := p.UnmarshalText([]byte(text)); err != nil {
			t.Fatal(err)
		}
		return &p
	}
	session := func(tracer *Tracer) {
		tracer.Session(1, client, server, "p", false).Log(ProxyPolicy, Brief, "first")
		tracer.Session(2, netip.MustParseAddrPort("[2001:db8::1]:50000"), netip.MustParseAddrPort("[2001:db8::2]:8443"), "p", false).Log(ProxyPolicy, Brief, "second")
	}
	for _, c := range []struct {
		filter schema.TracePacketFilter
		match  string
		want   string
	}{
		{schema.TracePacketFilter{SourceIP: prefix("192.0.2.0/24")}, "", "first"},
		{schema.TracePacketFilter{DestinationIP: prefix("2001:db8::2")}, "", "second"},
		{schema.TracePacketFilter{SourcePort: &schema.PortRange{Low: 1, High: 40000}}, "", "first"},
		{schema.TracePacketFilter{DestinationPort: &schema.PortRange{Low: 8443, High: 8443}}, "", "second"},
		{schema.TracePacketFilter{SourceIP: prefix("192.0.2.0/24"), DestinationPort: &schema.PortRange{Low: 8443, High: 8443}}, "", ""},
		{schema.TracePacketFilter{}, "session 2 .*second$", "second"},
	} {
		o := schema.SSLTraceOptions{Level: "brief", PacketFilters: []schema.TracePacketFilter{c.filter}}
		o.File = &schema.TraceFile{Name: "ssl", Size: 128 << 10, Files: 3, Match: c.match}
		lines := traced(t, o, session)
		if len(lines) != 1 || !strings.HasSuffix(lines[0], c.want) || c.want == "" && lines[0] != "" {
			t.Errorf("%+v: %q, want %q", c.filter, lines, c.want)
		}
	}
}

// A peer's words stay on the line that tells of them.
func TestTraceOneLine(t *testing.T) {
	lines := traced(t, schema.SSLTraceOptions{Level: "brief"}, func(tracer *Tracer) {
		tracer.Session(1, client, server, "p", false).Log(ProxyPolicy, Brief, "name %s", "a\nb\x1b[2J\u0085c")
	})
	if len(lines) != 1 || !strings.HasSuffix(lines[0], "name a b [2J c") {
		t.Errorf("%q", lines)
	}
}

// Files are rotated at their size, so many are kept, and their mode is what the statements say.
func TestTraceRotation(t *testing.T) {
	dir := t.TempDir()
	tracer := NewTracer(dir, slog.Default())
	defer tracer.Close()
	o := schema.SSLTraceOptions{Level: "brief", File: &schema.TraceFile{Name: "ssl", Size: 10 << 10, Files: 3}}
	tracer.Configure(&o)
	for range 10 {
		for range 100 {
			tracer.Commit(Brief, "%s", strings.Repeat("x", 80))
		}
		tracer.Flush()
	}
	for name, there := range map[string]bool{"ssl": true, "ssl.0": true, "ssl.1": true, "ssl.2": false} {
		info, err := os.Stat(filepath.Join(dir, name))
		if (err == nil) != there {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && (info.Size() > 10<<10 || info.Mode() != 0o640) {
			t.Errorf("%s has %d bytes and mode %v", name, info.Size(), info.Mode())
		}
	}
	o.File = &schema.TraceFile{Name: "other", Size: 10 << 10, Files: 2, WorldReadable: true}
	tracer.Configure(&o)
	tracer.Commit(Brief, "to another file")
	tracer.Flush()
	if info, err := os.Stat(filepath.Join(dir, "other")); err != nil || info.Mode() != 0o644 {
		t.Errorf("the other file: %v, %v", info, err)
	}
	tracer.Configure(&schema.SSLTraceOptions{Level: "verbose"})
	if tracer.Commit(Brief, "to none"); tracer.Session(1, client, server, "p", true) != nil {
		t.Error("sessions are traced without a file")
	}
}

// A file that cannot be written costs its lines, which are counted.
func TestTraceNoFile(t *testing.T) {
	tracer := NewTracer(filepath.Join(t.TempDir(), "gone"), slog.New(slog.DiscardHandler))
	defer tracer.Close()
	tracer.Configure(&schema.SSLTraceOptions{Level: "brief", File: &schema.TraceFile{Name: "ssl", Size: 10 << 10, Files: 3}})
	tracer.Commit(Brief, "lost")
	tracer.Flush()
	if tracer.Lost() != 1 {
		t.Errorf("%d lines are lost", tracer.Lost())
	}
}

// What cannot be traced is said at commit.
func TestCheckTrace(t *testing.T) {
	if p := CheckTrace(&schema.SSLTraceOptions{Flags: []string{"proxy"}}); len(p) != 1 || !p[0].Warning {
		t.Errorf("flags without a file: %v", p)
	}
	o := schema.SSLTraceOptions{File: &schema.TraceFile{Name: "ssl", Match: "["}}
	if p := CheckTrace(&o); len(p) != 1 || p[0].Warning || !strings.Contains(p[0].Message, "not a regular expression") {
		t.Errorf("a bad match: %v", p)
	}
}
