package sslproxy

import (
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"sluice/tls/forge"
	"sluice/tls/profile"
	"sluice/tls/report"
	"sluice/tls/verify"
)

// listed is a service at a time that the test sets.
func listed(now *time.Time) *Service {
	return New(Options{Counters: new(report.Counters), Drops: new(report.Drops), Logger: slog.Default(), Now: func() time.Time { return *now }})
}

// Sessions that can be resumed are listed until they are cleared, those that have expired too.
// Rows: 6/O-13, 6/O-14.
func TestCachedSessions(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	v := listed(&now)
	server := netip.MustParseAddrPort("192.0.2.1:443")
	for i := range 3 {
		v.sessions.cache.put(sessionID{byte(i)}, &Resumable{
			ID: sessionID{byte(i)}, Server: server, ServerName: "www.example.com", TerminationID: 65536, InitiationID: 65537, Code: verify.HasExpired, Kind: forge.Dummy,
			Client: Agreed{2048, 0xc02f, 0x303}, Initiated: Agreed{256, 0x1301, 0x304},
		}, now.Add(time.Duration(i)*time.Minute))
	}
	list, limit := v.CachedSessions()
	if len(list) != 3 || limit != 19660 {
		t.Fatalf("%d sessions of at most %d", len(list), limit)
	}
	first := list[0]
	if first.ID[0] != 2 || !first.Expires.Equal(now.Add(2*time.Minute)) || first.Server != server || first.TerminationID != 65536 || first.InitiationID != 65537 ||
		first.Code != verify.HasExpired || first.Kind != forge.Dummy || first.Client != (Agreed{2048, 0xc02f, 0x303}) || first.Initiated != (Agreed{256, 0x1301, 0x304}) {
		t.Errorf("the newest is %+v", first)
	}
	if n := v.ClearSessions(true); n != 1 {
		t.Errorf("%d had expired", n)
	}
	if n := v.ClearSessions(false); n != 2 {
		t.Errorf("%d were left", n)
	}
	if list, _ = v.CachedSessions(); len(list) != 0 || v.ClearCertificates() != 0 {
		t.Errorf("%d sessions are there after all were cleared", len(list))
	}
}

// Clients that refuse certificates are listed once their sessions pass, until that ends by time or
// by command.
func TestExemptions(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	v := listed(&now)
	rule := &profile.PassThrough{Failures: 2, Timeout: time.Hour}
	client, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	for _, r := range []refusal{{client, "a.example", "p"}, {client, "b.example", "p"}, {other, "a.example", "p"}} {
		v.refusals.add(r, rule)
		if n := len(v.Exemptions()); n != 0 && v.refusals.exempt(r) {
			t.Errorf("%v passes after one refusal", r)
		}
		now = now.Add(time.Minute)
		v.refusals.add(r, rule)
	}
	list := v.Exemptions()
	if len(list) != 3 || list[2].Client != other || list[2].Failures != 2 || !list[2].Last.Equal(now) || !list[2].Until.Equal(now.Add(time.Hour)) || list[0].Server != "a.example" {
		t.Errorf("exemptions are %+v", list)
	}
	if n := v.EndExemptions(other, "b.example"); n != 0 {
		t.Errorf("%d ended that never began", n)
	}
	if n := v.EndExemptions(netip.Addr{}, "a.example"); n != 2 || len(v.Exemptions()) != 1 {
		t.Errorf("%d ended, %d are left", n, len(v.Exemptions()))
	}
	if now = now.Add(2 * time.Hour); len(v.Exemptions()) != 0 || v.EndExemptions(client, "") != 0 {
		t.Errorf("after their time: %+v", v.Exemptions())
	}
}
