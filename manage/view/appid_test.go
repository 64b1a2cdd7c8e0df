package view

import (
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/internal/golden"
)

// day is midnight, UTC.
func day(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}

// guideStatus is the status of the guide's newest sample.
var guideStatus = AppIDStatus{
	Enabled: true, MaxMemory: 2097152, Interval: 1440,
	Cache:          CacheStatus{Enabled: true, Miscellaneous: true, Capacity: 131072, Timeout: 3600},
	DownloadServer: "https://signatures.juniper.net/cgi-bin/index.cgi",
	Installed: &PackageVersions{Version: 3666, Kind: "Major", Released: time.Date(2022, 10, 10, 14, 55, 29, 0, time.UTC),
		Bundle: Build{"1.550.2-31", day(2022, 10, 10)}, Engine: Build{"5.7.0-47", day(2022, 3, 25)}, MicroApps: "1.1.0-0", CustomAppsInfra: "1.0.0-0"},
	Rollback: &PackageVersions{Version: 3662, Kind: "Major", Bundle: Build{Version: "1.550.2-43"}, Engine: Build{Version: "5.7.1-47"},
		MicroApps: "1.2.0-1", CustomAppsInfra: "1.0.0-1"},
}

// appIDAnswers are the answers of application identification. The names that begin with "guide-"
// are samples of the guide: their files have its words in its order.
func appIDAnswers() map[string]View {
	proxied := guideStatus
	proxied.PerformanceMode, proxied.AutoUpdate, proxied.ProxyProfile, proxied.ProxyAddress = true, true, "Profile-1", "http://5.0.0.1:3128"
	proxied.Rollback, proxied.Compiling = nil, "being compiled since 2026-03-01 12:30:00 UTC"
	proxied.Draining = []DrainingSlot{{Package: &PackageVersions{Version: 3662, Kind: "Major"}, Sessions: 7}}
	one := 1
	released := time.Date(2023, 11, 23, 14, 7, 48, 0, time.UTC)
	installed := &PackageVersions{Version: 3654, Released: released}
	return map[string]View{
		"guide-appid-status":   &guideStatus,
		"appid-status-proxy":   &proxied,
		"appid-status-nothing": &AppIDStatus{},
		"guide-appid-version":  &AppIDVersion{Installed: &PackageVersions{Version: 3666, Kind: "Major", Released: released}},
		"guide-appid-version-detail": &AppIDVersion{Installed: installed, Detail: true, Failed: &PackageVersions{Version: 3620,
			Bundle: Build{"1.550.2-43", day(2023, 4, 5)}, Engine: Build{"5.7.1-47", day(2023, 3, 30)}}},
		"appid-version-no-failure":   &AppIDVersion{Installed: installed, Detail: true},
		"guide-appid-recent":         &RecentPackages{Versions: []uint64{3642, 3615, 3604, 3533, 3470, 3429, 3405, 3390, 3372, 3351}},
		"guide-appid-download":       &PackageOperation{Operation: "download", State: "succeeded", Version: 3058, Body: "Application package 3058 is downloaded successfully"},
		"guide-appid-cache":          &ApplicationCache{Status: guideStatus.Cache},
		"guide-appid-captures":       guideCaptures(),
		"guide-appid-detail":         &ApplicationDetail{Name: "test", Type: "TEST", ID: 16777219, Priority: "high"},
		"guide-appid-group":          &ApplicationGroups{Detail: true, Groups: []ApplicationGroup{{Name: "my_web", Applications: []string{"junos:HTTP", "junos:FTP", "junos:GOPHER"}}}},
		"guide-appid-micro":          &ApplicationNames{Heading: "Micro Applications", Names: []string{"junos:BACNET-GET-EVENT-INFORMATION", "junos:BACNET-SUBSCRIBE-COV-PROPERTY"}},
		"guide-appid-statistics":     guideStatistics(),
		"guide-appid-details":        &ApplicationStatistics{Details: true, Reset: time.Date(2020, 5, 8, 15, 55, 31, 0, time.UTC), Rows: []StatisticsOfName{{Name: "NTP", DPI: 1}, {Name: "SYSLOG", DPI: 5}}},
		"guide-idp-version":          &IDPVersion{Version: 2230, Released: time.Date(2013, 2, 4, 19, 40, 13, 0, time.UTC), Detector: "12.6.160121210"},
		"appid-cache":                &ApplicationCache{Entries: []CacheEntry{{Address: netip.MustParseAddr("192.0.2.80"), Port: 80, Protocol: "tcp", Application: "junos:HTTP"}, {Address: netip.MustParseAddr("2001:db8::53"), Port: 53, Protocol: "udp", Application: "junos:DNS"}}},
		"idp-version-nothing":        &IDPVersion{},
		"appid-obsolete":             &ApplicationNames{Heading: "Obsolete applications", Counted: true, Names: []string{"junos:GOPHER", "junos:WAIS"}},
		"appid-group-statistics":     &ApplicationStatistics{Groups: true, Interval: &one, Reset: released, From: released, Until: released.Add(time.Hour), Rows: []StatisticsOfName{{Name: "web", Sessions: 2, Bytes: 90}}},
		"appid-interval-now":         &ApplicationStatistics{Interval: new(int), Reset: released, From: released},
		"appid-applications":         &Applications{Applications: []ApplicationRow{{Name: "junos:HTTP", ID: 67, Risk: 2, Category: "Web"}, {Name: "junos:MODBUS-READ", ID: 9, Micro: true, Disabled: true}, {Name: "mine", ID: 16777219, Custom: true}}},
		"appid-groups":               &ApplicationGroups{Groups: []ApplicationGroup{{Name: "junos:web", Description: "The Web", Count: 60}, {Name: "my_web", Custom: true, Disabled: true, Count: 3}}},
		"appid-detail-of-predefined": &ApplicationDetail{Name: "junos:FTP", Type: "FTP", Description: "Transfers files.", ID: 9, Priority: "low", Kind: "protocol", Title: "FTP", Obsolete: true, New: true, Disabled: true, Of: "junos:TCP", Category: "Infrastructure", SubCategory: "File-Servers", Groups: []string{"junos:infrastructure", "junos:all"}, Risk: 4, Characteristics: []string{"file-transfer"}, Tags: []string{"files"}, Ports: []string{"tcp/21"}, Over: []string{"TCP"}, Aliases: []string{"FTP-CONTROL"}, References: []string{"https://www.rfc-editor.org/rfc/rfc959"}},
	}
}

func guideCaptures() View {
	return &AppIDCounters{Counters: []Counter{
		{"Total sessions captured", 47},
		{"Total packets captured", 282},
		{"Active sessions being captured", 1},
		{"Sessions ignored because of memory allocation failures", 0},
		{"Packets ignored because of memory allocation failures", 0},
		{"Ipc messages ignored because of storage limit", 0},
		{"Sessions ignored because of buffer-packets limit", 0},
		{"Packets ignored because of buffer-packets limit", 0},
		{"Inconclusive sessions captured", 4},
		{"Inconclusive sessions ignored", 0},
		{"Cache entries timed out", 0},
	}}
}

func guideStatistics() View {
	return &ApplicationStatistics{Reset: time.Date(2012, 2, 14, 21, 23, 45, 0, time.UTC), Rows: []StatisticsOfName{
		{Name: "HTTP", Sessions: 1, Bytes: 2291, Encrypted: true},
		{Name: "HTTP", Sessions: 1, Bytes: 942},
		{Name: "SSL", Sessions: 1, Bytes: 2291, Encrypted: true},
		{Name: "unknown", Sessions: 1, Bytes: 100},
		{Name: "unknown", Sessions: 1, Bytes: 100, Encrypted: true},
	}}
}

// TestApplicationText compares the answers of application identification with testdata/NAME.txt.
// Rows: 1/O-1 to 1/O-9, 1/O-14 to 1/O-16, 1/O-20, OC-1, OC-3, OC-5, OC-11 to OC-13, OC-15, OC-16,
// AI-30, AI-62, AI-66, AI-67, AI-114, AI-139, AI-147, AI-160, AI-161, MA-30, MA-31, MA-32.
func TestApplicationText(t *testing.T) {
	for name, v := range appIDAnswers() {
		t.Run(name, func(t *testing.T) {
			got := throughJSON(t, v)
			golden.Check(t, filepath.Join("testdata", name+".txt"), got)
			if strings.HasSuffix(got, "\n\n") || strings.Contains(got, " \n") {
				t.Error("blanks at the end of a line, or an empty last line")
			}
		})
	}
}
