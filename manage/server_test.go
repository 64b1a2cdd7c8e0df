package manage

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sluice/manage/api"
	"sluice/manage/view"
	"sluice/policy"
	"sluice/proxy"
	"sluice/stack"
	"sluice/store"
	"sluice/store/schema"
	"sluice/track"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeSessions is a session table of fixed sessions.
type fakeSessions struct {
	list    []proxy.Info
	last    proxy.Filter // of the last call
	cleared int
	panics  bool

	explained   proxy.Explanation
	explainedTo netip.Prefix // whose session it is
}

func (f *fakeSessions) Sessions(filter proxy.Filter) []proxy.Info {
	if f.panics {
		panic("a broken table")
	}
	f.last = filter
	return f.list
}
func (f *fakeSessions) Explain(filter proxy.Filter) (proxy.Explanation, bool) {
	if f.last = filter; filter.ID != f.explained.ID && (filter.ID != 0 || filter.Source != f.explainedTo) {
		return proxy.Explanation{}, false
	}
	return f.explained, true
}
func (f *fakeSessions) Clear(filter proxy.Filter) int {
	f.last = filter
	f.cleared++
	return len(f.list)
}
func (f *fakeSessions) Summary() proxy.Summary {
	return proxy.Summary{Unicast: 1, Offloaded: 2, InUse: 1, Valid: 1, Maximum: 1000}
}
func (f *fakeSessions) Counters() proxy.Counters {
	return proxy.Counters{SessionsCreated: 7, Drops: map[string]uint64{"policy": 3}}
}
func (f *fakeSessions) Devices() map[string]*stack.Device { return nil }

// fakeLogs is a log with one entry.
type fakeLogs struct{ last track.Query }

func (*fakeLogs) Counters() track.Counters { return track.Counters{Create: 1, Close: 1} }
func (*fakeLogs) ClearCounters()           {}
func (f *fakeLogs) History(q track.Query) ([]track.Entry, error) {
	f.last = q
	return []track.Entry{{Number: 1, Time: time.Unix(1700000000, 0), Tag: track.FlowDeny, Session: track.Session{Source: netip.MustParseAddrPort("192.0.2.1:1024")}}}, nil
}
func (*fakeLogs) Outlets() []track.Outlet { return nil }
func (*fakeLogs) Alarms() []track.Alarm {
	return []track.Alarm{{Since: time.Unix(1700000000, 0), Class: "Minor", Text: "a collector is down"}}
}

// policyEngine compiles policies at commit, as the gateway does.
type policyEngine struct {
	state   *policy.State
	current atomic.Pointer[policy.Engine]
}

func (p *policyEngine) Name() string             { return "policy" }
func (p *policyEngine) Policies() *policy.Engine { return p.current.Load() }
func (p *policyEngine) Prepare(cfg *schema.Config) (store.Change, []schema.Problem) {
	compiled, problems := policy.Compile(cfg, p.state, nil)
	return store.ChangeFunc(func() { p.current.Store(compiled) }), problems
}

// fixture is a running server with its store, and the fakes behind it.
type fixture struct {
	client   *api.Client
	http     *http.Client
	server   *Server
	store    *store.Store
	sessions *fakeSessions
	logs     *fakeLogs
	socket   string
}

const testConfig = `set system host-name gw
set interfaces ge-0/0/1 device lo
set interfaces ge-0/0/1 unit 0 description loop
set security zones security-zone trust interfaces ge-0/0/1.0 host-inbound-traffic system-services ping
set security zones security-zone untrust tcp-rst
set security policies from-zone trust to-zone untrust policy web match source-address any destination-address any application junos-http
set security policies from-zone trust to-zone untrust policy web then permit
set security policies from-zone trust to-zone untrust policy web then log session-close
set security policies global policy last match source-address any destination-address any application any
set security policies global policy last then deny
set security nat source rule-set out from zone trust
set security nat source rule-set out to zone untrust
set security nat source rule-set out rule all match source-address 192.0.2.0/24
set security nat source rule-set out rule all then source-nat interface
set schedulers scheduler office daily start-time 08:00 stop-time 18:00
`

func start(t *testing.T) *fixture {
	t.Helper()
	dir := t.TempDir()
	st, err := store.Open(dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	engine := &policyEngine{state: policy.NewState()}
	t.Cleanup(engine.state.Close)
	st.Register(engine)
	if err := st.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	c, err := st.Edit(store.Who{User: "root", Client: "file"}, store.Private)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, line := range strings.Split(strings.TrimSpace(testConfig), "\n") {
		if err := c.Run(nil, line); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
	}
	if _, problems, err := c.Commit(store.CommitOptions{Comment: "first"}); err != nil {
		t.Fatal(err, problems)
	}
	logs := filepath.Join(dir, "log")
	if err := os.Mkdir(logs, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(logs, "security.log"), []byte("first line\nlast line\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := &fixture{store: st, sessions: &fakeSessions{}, logs: &fakeLogs{}, socket: filepath.Join(dir, "s.sock")}
	f.server = NewServer(Options{Version: "1.0", LogDir: logs, Store: st, Sessions: f.sessions, Policies: engine, Logs: f.logs})
	l, err := Listen(f.socket, "")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- f.server.Serve(l) }()
	t.Cleanup(func() {
		f.server.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	f.client = api.NewClient(f.socket)
	t.Cleanup(f.client.Close)
	f.http = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", f.socket)
	}}}
	return f
}

// run runs a command and returns its text.
func (f *fixture) run(t *testing.T, line string) string {
	t.Helper()
	result, err := f.client.Command(t.Context(), api.Command{Line: line})
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	var out bytes.Buffer
	if err := view.Render(&out, result.View, result.Data); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return out.String()
}

// TestCommands runs every command that needs no more than the fixture and looks for what its text
// must say.
// Rows: 1/O-12, O-7, S-107.
func TestCommands(t *testing.T) {
	f := start(t)
	f.sessions.list = []proxy.Info{{ID: 1, Policy: "web", PolicyIndex: 4, State: "Valid", Timeout: time.Minute, MaxTimeout: -1, Protocol: schema.ProtoTCP}}
	for line, wants := range map[string][]string{
		"show version":                                                {"Hostname: gw", "Sluice: 1.0"},
		"show system information":                                     {"Hostname: gw"},
		"show system uptime":                                          {"Current time: ", "Last configured: ", "by root"},
		"show system alarms":                                          {"1 alarm currently active", "a collector is down"},
		"show system commit":                                          {"0   ", "by root via file", "first"},
		"show security flow session":                                  {"Session ID: 1, Policy name: web/4, Timeout: 60, Valid", "Total sessions: 1"},
		"show sec fl ses ext":                                         {"Maximum timeout: never, Current timeout: 60"},
		"show security flow session summary":                          {"Services-offload-sessions: 2", "Maximum-sessions: 1000"},
		"show security flow statistics":                               {"Sessions created: 7", "Packets dropped, policy: 3"},
		"show security alg status":                                    {"ALG Status :\n  FTP      : Enabled\n"},
		"show security flow status":                                   {"Flow policy rematch: off"},
		"clear security flow session all":                             {"1 active sessions cleared"},
		"clear security flow session idp":                             {"0 active sessions cleared"},
		"show security policies":                                      {"Default policy: deny-all", "From zone: trust, To zone: untrust", "  Policy: web, State: enabled, Index: ", "    Action: permit, log", "Global policies:"},
		"show security policies policy-name web detail":               {"Policy: web, action-type: permit, State: enabled", "Application: junos-http"},
		"show security policies hit-count":                            {"trust      untrust  web", "Number of policy: 2"},
		"show security policies hit-count from-zone trust descending": {"Number of policy: 1"},
		"clear security policies hit-count":                           {"Hit counts of 2 policies set to zero"},
		"show security match-policies from-zone trust to-zone untrust source-ip 192.0.2.1 destination-ip 198.51.100.1 destination-port 80":                {"Policy: web, action-type: permit"},
		"show security match-policies from-zone trust to-zone untrust source-ip 192.0.2.1 destination-ip 198.51.100.1 destination-port 22 result-count 3": {"Policy: last, action-type: deny"},
		"show security match-policies protocol icmp source-ip 192.0.2.1 from-zone untrust to-zone junos-host destination-ip 198.51.100.1":                 {"Policy: last"},
		"show security zones":                          {"Security zone: trust", "    ge-0/0/1.0", "Host inbound traffic: ping", "Security zone: untrust", "TCP packets: On"},
		"show security zones untrust":                  {"Interfaces bound: 0"},
		"show security nat source rule all":            {"Total rules: 1", "source NAT rule: all", "Rule-set: out", "192.0.2.0/24", "Action                     : interface"},
		"show security nat source summary":             {"Total rules: 1"},
		"show schedulers":                              {"Scheduler name: office, State: unused"},
		"show interfaces terse":                        {"ge-0/0/1.0", "trust", "127.0.0.1/8"},
		"show interfaces ge-0/0/1":                     {"Logical interface ge-0/0/1.0, Device: lo", "Description: loop", "Security: Zone: trust"},
		"show route":                                   {""},
		"show security application-tracking counters":  {"Session create messages         1"},
		"clear security application-tracking counters": {"counters cleared"},
		"show security log":                            {"RT_FLOW_SESSION_DENY: session denied 192.0.2.1/1024"},
		"show security log message RT_FLOW_SESSION_DENY since 08:00 limit 5": {"RT_FLOW_SESSION_DENY"},
		"show security log streams":  {"Stream"},
		"show log":                   {"security.log"},
		"show log security.log":      {"first line\nlast line\n"},
		"clear log security.log":     {"security.log is empty now"},
		"show configuration system":  {"host-name gw;"},
		"show configuration sec zon": {"security-zone trust {"},
	} {
		t.Run(line, func(t *testing.T) {
			if strings.HasPrefix(line, "show log security") {
				if err := os.WriteFile(filepath.Join(f.server.options.LogDir, "security.log"), []byte("first line\nlast line\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got := f.run(t, line)
			for _, want := range wants {
				if !strings.Contains(got, want) {
					t.Errorf("%q is not in\n%s", want, got)
				}
			}
			if line == "clear log security.log" {
				if left := f.run(t, "show log security.log"); left != "" {
					t.Errorf("the log still holds %q", left)
				}
			}
		})
	}
}

// TestSessionFilters sees to it that every filter of the guide (O-9) reaches the session table.
// Rows: 4/C-12.
func TestSessionFilters(t *testing.T) {
	f := start(t)
	f.run(t, "show security flow session source-prefix 192.0.2.0/24 destination-prefix 2001:db8::1 source-port 1 destination-port 65535 "+
		"protocol udp family inet6 interface ge-0/0/1.0 application junos-dns-udp dynamic-application junos:DNS nat encrypted ssl session-identifier 9 application-firewall application-firewall-rule-set rs1 "+
		"policy-name web from-zone trust to-zone untrust resource-manager extensive")
	udp := schema.ProtoUDP
	got := f.sessions.last
	if got.Protocol == nil || *got.Protocol != udp {
		t.Errorf("protocol %v", got.Protocol)
	}
	got.Protocol = nil
	want := proxy.Filter{ID: 9, Source: netip.MustParsePrefix("192.0.2.0/24"), Destination: netip.MustParsePrefix("2001:db8::1/128"), SourcePort: 1,
		DestinationPort: 65535, Interface: "ge-0/0/1.0", Application: "junos-dns-udp", DynamicApplication: "junos:DNS", Family: 6, NAT: true, Encrypted: true, Decrypted: true, Firewall: true, RuleSet: "rs1",
		Policy: "web", FromZone: "trust", ToZone: "untrust", Arranging: true}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestForeignFilters: a filter for services that no session uses fits none, and ends none.
// Rows: FW-63, O-9, O-12.
func TestForeignFilters(t *testing.T) {
	f := start(t)
	f.sessions.list = []proxy.Info{{ID: 1, State: "Valid"}}
	for filter, total := range map[string]string{
		"application-firewall": "1", "application-traffic-control": "1", "idp": "0", "idp extensive": "0",
		"resource-manager": "1", "ssl": "1", "extensive ssl": "1", "tunnel": "0", "nat": "1",
	} {
		got := f.run(t, "show security flow session "+filter)
		if !strings.HasSuffix(got, "Total sessions: "+total+"\n") {
			t.Errorf("%s: no total of %s in\n%s", filter, total, got)
		}
	}
	for _, filter := range []string{"tunnel", "idp"} {
		if got := f.run(t, "clear security flow session "+filter); got != "0 active sessions cleared\n" || f.sessions.cleared != 0 {
			t.Errorf("clear %s: %s", filter, got)
		}
	}
}

// TestSessionStates: the brief list ends with counts by state, the extensive one and that of the
// filter ssl with the total alone.
// Rows: OC-17, O-8, 6/O-1, 6/O-2.
func TestSessionStates(t *testing.T) {
	f := start(t)
	f.sessions.list = []proxy.Info{{ID: 1, State: "Valid"}, {ID: 2, State: "Pending"}, {ID: 3, State: "Invalidated"}, {ID: 4, State: "Valid"}, {ID: 5, State: "Asleep"}}
	counts := "Valid sessions: 2\nPending sessions: 1\nInvalidated sessions: 1\nSessions in other states: 1\nTotal sessions: 5\n"
	if got := f.run(t, "show security flow session"); !strings.HasPrefix(got, "Flow Sessions on FPC0 PIC0:\n") || !strings.HasSuffix(got, counts) {
		t.Errorf("brief:\n%s", got)
	}
	for _, line := range []string{"show security flow session extensive", "show security flow session ssl", "show security flow session extensive ssl"} {
		if got := f.run(t, line); strings.Contains(got, "FPC0") || strings.Contains(got, "Valid sessions") || !strings.Contains(got, "Total sessions: ") {
			t.Errorf("%s:\n%s", line, got)
		}
	}
}

// TestErrors: every error says what is wrong, and where or what to do.
func TestErrors(t *testing.T) {
	f := start(t)
	for line, want := range map[string]api.Error{
		"show securty":  {Message: `unknown word "securty" after "show"`, Hint: "did you mean security?"},
		"show s":        {Message: `"s" is ambiguous after "show"`, Hint: "it may be schedulers, security, services, system"},
		"show security": {Message: "the command is not complete"},
		"show security flow session source-port 70000":  {Message: `"70000" is not a number from 1 to 65535`, Hint: "Port (1..65535)"},
		"show security flow session source-port":        {Message: `a value is missing after "source-port"`},
		"show security flow session brief extensive":    {Message: `unknown word "extensive" after "show security flow session"`},
		"show security match-policies from-zone trust":  {Message: `"to-zone" is missing`},
		"show security zones trsut":                     {Message: `there is no zone "trsut"`, Hint: "did you mean trust?"},
		"show log ../config.db":                         {Message: `there is no log file "../config.db"`},
		"show interfaces ge-0/0/9":                      {Message: `there is no interface "ge-0/0/9"`},
		"show configuration secrity":                    {},
		"clear security flow session all source-port 1": {Message: "all cannot be combined with filters"},
		"show security log message NO_SUCH":             {},
		`show log "security.log`:                        {Message: "this quote is not closed"},
		"":                                              {Message: "the command is not complete"},
	} {
		_, err := f.client.Command(t.Context(), api.Command{Line: line})
		var e *api.Error
		if !errors.As(err, &e) {
			t.Errorf("%q: %v", line, err)
			continue
		}
		if want.Message != "" && e.Message != want.Message || want.Hint != "" && e.Hint != want.Hint {
			t.Errorf("%q: message %q, hint %q", line, e.Message, e.Hint)
		}
	}
}

// TestPanic: a panic costs its own request only.
func TestPanic(t *testing.T) {
	f := start(t)
	f.sessions.panics = true
	_, err := f.client.Command(t.Context(), api.Command{Line: "show security flow session"})
	var e *api.Error
	if !errors.As(err, &e) || e.Status != http.StatusInternalServerError {
		t.Errorf("%v", err)
	}
	f.run(t, "show version")
}

// TestRequests: what is no request of ours is refused with an error that can be read.
func TestRequests(t *testing.T) {
	f := start(t)
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/v1/nothing", "", 404},
		{"POST", "/v1/command", "{", 400},
		{"POST", "/v1/command", `{"lien":"show version"}`, 400},
		{"POST", "/v1/command", `{"line":"` + strings.Repeat("x", api.MaxLine+1) + `"}`, 413},
		{"POST", "/v1/configure", `{}`, 428},
		{"POST", "/v1/configure/none/commit", `{}`, 404},
		{"DELETE", "/v1/configure/none", "", 404},
	} {
		req, err := http.NewRequestWithContext(t.Context(), c.method, "http://sluice"+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := f.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var e api.Error
		err = json.NewDecoder(resp.Body).Decode(&e)
		resp.Body.Close()
		if err != nil || resp.StatusCode != c.status || e.Message == "" {
			t.Errorf("%s %s: status %d, error %q, %v", c.method, c.path, resp.StatusCode, e.Message, err)
		}
	}
}

// TestListen: the socket is for its owner alone, a dead one is replaced, a living one is not.
func TestListen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "s.sock")
	l, err := Listen(path, "")
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if _, err := Listen(path, ""); err == nil {
		t.Error("a second gateway took the socket")
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
	l, err = Listen(path, "root")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// TestConfigure edits in one session, commits, and sees that others are told and the session ends with its client.
func TestConfigure(t *testing.T) {
	f := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if _, err := f.client.Events(ctx, func(api.Event) { t.Error("a client was told of its own commit") }); err != nil {
		t.Fatal(err)
	}
	told := make(chan api.Event, 4)
	other := api.NewClient(f.socket)
	defer other.Close()
	watching, stopWatching := context.WithCancel(t.Context())
	gone, err := other.Events(watching, func(e api.Event) { told <- e })
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.client.Configure(ctx, "exclusive")
	if err != nil {
		t.Fatal(err)
	}
	edit := func(verb string, req api.Edit) api.Edited {
		t.Helper()
		done, err := f.client.Edit(ctx, s.ID, verb, req)
		if err != nil {
			t.Fatalf("%s: %v", verb, err)
		}
		return done
	}
	at := edit("edit", api.Edit{Path: "sec pol from-zone trust to-zone untrust"}).At
	if got := strings.Join(at, " "); got != "security policies from-zone trust to-zone untrust" {
		t.Errorf("edit level %q", got)
	}
	edit("run", api.Edit{At: at, Statement: "set policy web then count"})
	if diff := edit("compare", api.Edit{}).Text; !strings.Contains(diff, "+") || !strings.Contains(diff, "count") {
		t.Errorf("compare:\n%s", diff)
	}
	if text := edit("show", api.Edit{At: at, Display: "set"}).Text; !strings.Contains(text, "policy web then count") {
		t.Errorf("show:\n%s", text)
	}
	list, err := f.client.CompleteEdit(ctx, s.ID, api.Complete{At: at, Verb: "set", Line: "policy web then "})
	if err != nil || len(list.Completions) == 0 {
		t.Errorf("completions %v, %v", list, err)
	}
	edit("check", api.Edit{})
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	done := edit("commit", api.Edit{Comment: "counted", Confirmed: 5})
	if r := done.Revision; r == nil || r.Number != 0 || r.User != me.Username || r.Client != "cli" || r.Comment != "counted" {
		t.Errorf("revision %+v", r)
	}
	if e := <-told; e.Kind != "commit" || e.User != me.Username || e.Until.IsZero() {
		t.Errorf("event %+v", e)
	}
	st, err := f.client.Status(ctx)
	if err != nil || st.ConfirmedUntil.IsZero() || st.User != me.Username {
		t.Errorf("status %+v, %v", st, err)
	}

	// Statements that are refused leave the candidate as it was.
	_, err = f.client.Edit(ctx, s.ID, "run", api.Edit{Statement: "set security zons"})
	var e *api.Error
	if !errors.As(err, &e) || e.Offset == nil || *e.Offset != len("set security ") || !strings.Contains(e.Hint, "zones") {
		t.Errorf("error %+v", e)
	}
	_, err = f.client.Edit(ctx, s.ID, "load", api.Edit{Mode: "merge", Text: "system {\n  host-nam x;\n}\nsecurity {\n  zons;\n}\n"})
	if !errors.As(err, &e) || len(e.Problems) != 2 {
		t.Errorf("all problems at once: %+v", e)
	}
	edit("run", api.Edit{Statement: "set security policies from-zone trust to-zone nowhere policy p then permit"})
	_, err = f.client.Edit(ctx, s.ID, "commit", api.Edit{})
	if !errors.As(err, &e) || len(e.Problems) == 0 {
		t.Errorf("commit of a zone that is not there: %v", err)
	}
	edit("rollback", api.Edit{})

	// The lock goes with the client.
	if _, err := other.Configure(ctx, "exclusive"); !errors.As(err, &e) || e.Status != http.StatusConflict {
		t.Errorf("a second exclusive session: %v", err)
	}
	if _, err := other.Edit(ctx, s.ID, "show", api.Edit{}); err == nil {
		t.Error("a session answered to another client")
	}
	cancel()
	until(t, "the session ends with its client", func() bool { return len(f.store.Editors()) == 0 })
	stopWatching()
	<-gone
}

// until waits for something to become true.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(what + ": it never came")
		}
	}
}

// TestManyClients lets clients come, edit and go at the same time.
func TestManyClients(t *testing.T) {
	f := start(t)
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			c := api.NewClient(f.socket)
			defer c.Close()
			ctx, cancel := context.WithCancel(t.Context())
			ended, err := c.Events(ctx, func(api.Event) {})
			if err != nil {
				t.Error(err)
				cancel()
				return
			}
			s, err := c.Configure(ctx, "private")
			if err != nil {
				t.Error(err)
			} else if _, err := c.Edit(ctx, s.ID, "run", api.Edit{Statement: "set security flow maximum-sessions 5000"}); err != nil {
				t.Error(err)
			}
			cancel()
			<-ended
		})
	}
	clients.Wait()
	until(t, "all sessions end", func() bool { return len(f.store.Editors()) == 0 })
}

// TestReminders: the times at which a rollback is announced.
func TestReminders(t *testing.T) {
	for _, c := range []struct {
		left, wait time.Duration
		ok         bool
	}{{10 * time.Minute, 5 * time.Minute, true}, {2 * time.Minute, time.Minute, true}, {20 * time.Second, 10 * time.Second, true}, {10 * time.Second, 0, false}} {
		if wait, ok := nextReminder(c.left); wait != c.wait || ok != c.ok {
			t.Errorf("%v left: %v %v", c.left, wait, ok)
		}
	}
}
