package view

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"sluice/internal/golden"
	"sluice/policy"
)

// wing makes a direction of a session.
func wing(source, destination, ifc string, packets, bytes uint64) Wing {
	return Wing{Source: netip.MustParseAddrPort(source), Destination: netip.MustParseAddrPort(destination), Interface: ifc, Packets: packets, Bytes: bytes}
}

// guideSession is the session that the guide shows in both its layouts.
var guideSession = Session{
	ID: 1, Policy: "default-permit", PolicyIndex: 5, State: "Valid", Timeout: 1746, MaximumTimeout: 1800, Protocol: "tcp",
	In:       wing("4.0.0.1:37369", "5.0.0.1:4433", "xe-0/0/0.0", 6, 671),
	Out:      wing("5.0.0.1:4433", "4.0.0.1:37369", "xe-0/0/1.0", 7, 1635),
	FromZone: "trust", ToZone: "untrust", Path: "express", TCPState: "Established", StartUptime: 587131, Duration: 163,
}

// guidePolicy is the policy that the guide shows in detail.
var guidePolicy = Policy{View: policy.View{
	Name: "policy-1", State: "enabled", Index: 7, Type: "Configured", Sequence: 1, FromZone: "trust", ToZone: "untrust",
	SourceVRFGroups: []string{"any"}, DestinationVRFGroups: []string{"any"},
	SourceAddresses:      []policy.AddressView{{Name: "any-ipv4", Book: "global", Means: []string{"0.0.0.0/0"}}, {Name: "any-ipv6", Book: "global", Means: []string{"::/0"}}},
	DestinationAddresses: []policy.AddressView{{Name: "any-ipv4", Book: "global", Means: []string{"0.0.0.0/0"}}, {Name: "any-ipv6", Book: "global", Means: []string{"::/0"}}},
	Applications:         []policy.ApplicationView{{Name: "any", Terms: []policy.TermView{{ALG: "0"}}}},
}, Action: "reject"}

// localUsers is a table as the guide describes it.
var localUsers = []LocalUser{
	{Address: netip.MustParseAddr("192.0.2.2"), User: "user1", Roles: []string{"role1"}},
	{Address: netip.MustParseAddr("192.0.2.10"), User: "Ada Lovelace", Roles: []string{"staff", "eng"}},
	{Address: netip.MustParseAddr("2001:db8::1"), User: "bob"},
}

// TestText compares texts with testdata/NAME.txt. The layouts of the guide are those of rows O-2,
// O-7/TR-49, O-8 and O-12 to O-15; the file of a layout differs from the guide only in what it says.
// Rows: 1/O-12, FW-10, PR-96, 4/C-12.
func TestText(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 30, 0, 0, time.UTC)
	busy := guidePolicy
	busy.Action, busy.Services, busy.LogClose, busy.Scheduler, busy.Description = "permit", []string{"tcp-proxy"}, true, "office", "to the web"
	busy.Statistics = &policy.StatisticsView{InputBytes: 10, OutputBytes: 20, InputPackets: 1, OutputPackets: 2, ActiveSessions: 3, SessionDeletions: 4, PolicyLookups: 5}
	kind, code := uint8(8), uint8(0)
	busy.Applications = []policy.ApplicationView{{Name: "ping", Terms: []policy.TermView{{Protocol: 1, ALG: "0", InactivityTimeout: 60, ICMPType: &kind}, {Protocol: 1, ALG: "0", Never: true, ICMPType: &kind, ICMPCode: &code}}}}
	six := guideSession
	six.ID, six.In, six.Out = 2, wing("[2001:db8::1]:40000", "[2001:db8:1::2]:443", "eth1", 1, 80), wing("[2001:db8:1::2]:443", "[2001:db8::1]:40000", "eth2", 0, 0)
	six.Timeout, six.NATRule = Never, "out/all"
	treated := guideSession
	treated.Treatment = &Treatment{RuleSet: "app-test1", Rule: "0", Class: "my-app-fc", Queue: 4, CodePoint: "010100", LossPriority: "low", ClientLimiter: "test-r2", ClientRate: 200, ServerLimiter: "test-r2", ServerRate: 200}
	unmatched := guideSession
	unmatched.Treatment = &Treatment{RuleSet: "app-test1"}
	for name, v := range map[string]View{
		"sessions-treated": &Sessions{Sessions: []Session{treated, unmatched}, Matched: 2, Extensive: true},
		"traffic-counters": &TrafficCounters{Processed: 300, Marked: 200, RateLimited: 100, ClientFlows: 100, ServerFlows: 100, DefaultHit: 1, Ignored: 1},
		"traffic-rules":    &TrafficRules{Rules: []TrafficRule{{RuleSet: "app-test1", Rule: "0", Hits: 100}, {RuleSet: "app-test1", Rule: "1", Hits: 200}}},
		"rate-limiters": &RateLimiters{Rows: []RateLimiter{{RuleSet: "app-test1", Application: "FTP", ClientLimiter: "test-r1", ClientRate: 100, ServerLimiter: "test-r1", ServerRate: 100},
			{RuleSet: "RS1", Application: "HTTP", ServerLimiter: "test-r2", ServerRate: 200}}},
		"sessions":              &Sessions{Sessions: []Session{guideSession, six}, Matched: 7, Valid: 3, Pending: 2, Invalidated: 1, Other: 1},
		"sessions-ssl":          &Sessions{Sessions: []Session{guideSession}, Matched: 1, Valid: 1, TLS: true},
		"sessions-extensive":    &Sessions{Sessions: []Session{guideSession, six}, Matched: 3, Extensive: true},
		"session-summary":       &SessionSummary{Unicast: 3, Multicast: 1, Offloaded: 2, Failed: 2, InUse: 4, Valid: 2, Pending: 1, Invalidated: 1, Maximum: 1000000},
		"policies-detail":       &Policies{Default: "permit-all", PreIDDefault: "permit-all", Detail: true, Policies: []Policy{guidePolicy, busy}},
		"policies":              &Policies{Default: "deny-all", PreIDDefault: "permit-all", Policies: []Policy{guidePolicy, busy}},
		"hit-counts":            &HitCounts{Policies: []HitCount{{FromZone: "trust", ToZone: "untrust", Name: "web", Count: 20, Action: "permit"}, {Name: "last", Action: "deny"}}},
		"track-counters":        &TrackCounters{Create: 1, Close: 1},
		"alarms":                &Alarms{Alarms: []Alarm{{Since: at, Class: "Minor", Text: "collector is down"}}},
		"no-alarms":             &Alarms{},
		"interfaces-terse":      &Interfaces{Terse: true, Interfaces: []Interface{{Name: "ge-0/0/1.0", Admin: "up", Link: "up", Zone: "trust", Addresses: []string{"192.0.2.1/24", "2001:db8::1/64"}}, {Name: "eth9", Admin: "down", Link: "down"}}},
		"routes":                &Routes{Routes: []Route{{Destination: "0.0.0.0/0", Protocol: "Static", Metric: 5, NextHops: []string{"to 192.0.2.254 via ge-0/0/0.0", "to 198.51.100.254 via eth2"}}, {Destination: "2001:db8::/32", Protocol: "Direct", NextHops: []string{"via eth1"}}}},
		"commits":               &Commits{ConfirmedUntil: at.Add(time.Minute), Commits: []Commit{{Number: 0, Time: at, User: "root", Client: "cli", Comment: "more"}, {Number: 1, Time: at, User: "root", Client: "file"}}},
		"local-users":           &LocalUsers{Entries: localUsers},
		"local-users-extensive": &LocalUsers{Entries: localUsers, Extensive: true},
		"nat-rules":             &NATRules{Rules: []NATRule{{Name: "all", RuleSet: "out", Position: 1, From: "zone trust", To: "zone untrust", Match: []string{"Source addresses: 192.0.2.0/24"}, Action: "interface", Hits: 3}}},
	} {
		t.Run(name, func(t *testing.T) {
			golden.Check(t, filepath.Join("testdata", name+".txt"), throughJSON(t, v))
		})
	}
}

// throughJSON is the text of v after it has travelled.
func throughJSON(t *testing.T, v View) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := Render(&out, Name(v), data); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestEmpty: an answer with nothing in it has a text, and travels.
func TestEmpty(t *testing.T) {
	for _, name := range Names() {
		v := views[name]()
		if Name(v) != name {
			t.Errorf("%s is called %q", name, Name(v))
		}
		throughJSON(t, v)
	}
	if err := Render(&strings.Builder{}, "of the future", nil); err == nil {
		t.Error("an unknown answer was rendered")
	}
}

// TestNames: every field of every answer has a JSON name in small letters, which is never changed
// by renaming the field.
func TestNames(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var check func(path string, typ reflect.Type)
	check = func(path string, typ reflect.Type) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || seen[typ] || !strings.HasPrefix(typ.PkgPath(), "sluice/manage") {
			return
		}
		seen[typ] = true
		for i := range typ.NumField() {
			f := typ.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if !f.Anonymous && (name == "" || name != strings.ToLower(name) || strings.Contains(name, "_")) {
				t.Errorf("%s.%s has the JSON name %q", path, f.Name, name)
			}
			check(path+"."+f.Name, f.Type)
		}
	}
	for name, empty := range views {
		check(name, reflect.TypeOf(empty()))
	}
}

func Example_span() {
	fmt.Println(span(90*time.Second), span(50*time.Hour))
	// Output: 00:01:30 2d 02:00:00
}
