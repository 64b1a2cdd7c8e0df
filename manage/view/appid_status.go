package view

import (
	"strconv"
	"time"
)

// AppIDStatus is the answer of "show services application-identification status".
type AppIDStatus struct {
	Enabled         bool             `json:"enabled"`
	Sessions        uint64           `json:"sessions-under-detection"`
	MaxMemory       uint64           `json:"max-tcp-session-packet-memory"` // bytes; 0 is no limit
	ForcePacket     bool             `json:"force-packet-plugin"`
	ForceStream     bool             `json:"force-stream-plugin"`
	PerformanceMode bool             `json:"performance-mode"`
	Interval        int              `json:"statistics-interval"` // minutes
	Cache           CacheStatus      `json:"application-system-cache"`
	DownloadServer  string           `json:"download-server"`
	AutoUpdate      bool             `json:"auto-update"`
	ProxyProfile    string           `json:"proxy-profile"` // "" without a proxy
	ProxyAddress    string           `json:"proxy-address"` // http://192.0.2.1:3128
	Installed       *PackageVersions `json:"installed"`     // nil when no package is installed
	InUse           uint64           `json:"sessions"`      // sessions that the installed package identifies
	Draining        []DrainingSlot   `json:"draining"`      // what older sessions still work with
	Compiling       string           `json:"compiling"`     // what is still to be said of the patterns of signatures, "" when they are in force
	Rollback        *PackageVersions `json:"rollback"`      // nil when there is nothing to go back to
}

// DrainingSlot is knowledge of applications that was replaced; sessions finish with what they began
// with.
type DrainingSlot struct {
	Package  *PackageVersions `json:"package"`
	Sessions uint64           `json:"sessions"`
}

// CacheStatus is how the application system cache is configured.
type CacheStatus struct {
	Enabled       bool   `json:"enabled"`
	Security      bool   `json:"security-services"`
	Miscellaneous bool   `json:"miscellaneous-services"`
	Capacity      int    `json:"capacity"` // entries
	Timeout       uint64 `json:"timeout"`  // seconds
}

// PackageVersions is a signature package, by the versions of what it holds.
type PackageVersions struct {
	Version         uint64    `json:"version"`
	Kind            string    `json:"kind"` // Major or Minor
	Released        time.Time `json:"release-date,omitzero"`
	Bundle          Build     `json:"protocol-bundle"`
	Engine          Build     `json:"engine"`
	MicroApps       string    `json:"micro-app-version"`
	CustomAppsInfra string    `json:"custom-app-infra-version"`
}

// number is the package's version with its kind.
func (v *PackageVersions) number() string {
	text := strconv.FormatUint(v.Version, 10)
	if v.Kind != "" {
		text += " (" + v.Kind + ")"
	}
	return text
}

// Build is a version and the day it was built.
type Build struct {
	Version string    `json:"version"`
	Date    time.Time `json:"build-date,omitzero"`
}

// String is the version, with the day when it is known.
func (b Build) String() string {
	if b.Date.IsZero() {
		return b.Version
	}
	return b.Version + " (build date " + b.Date.Format("Jan _2 2006") + ")"
}

// released is a release date as the guide writes it.
func released(t time.Time) string { return t.UTC().Format("Mon Jan _2 15:04:05 2006 MST") }

// Text shows the status in the newest layout of the guide, whose values stand in two columns.
func (s *AppIDStatus) Text(p *Page) {
	field := func(name, value string) { p.Line("%-36s %s", name, value) }
	p.Line("Application Identification")
	field("Status", enabled(s.Enabled))
	field("Sessions under app detection", strconv.FormatUint(s.Sessions, 10))
	field("Max TCP session packet memory", strconv.FormatUint(s.MaxMemory, 10))
	field("Force packet plugin", enabled(s.ForcePacket))
	field("Force stream plugin", enabled(s.ForceStream))
	if s.PerformanceMode {
		field("DPI Performance mode:", enabled(true))
	}
	field("Statistics collection interval", strconv.Itoa(s.Interval)+" (in minutes)")
	if s.Compiling != "" {
		field("Signature patterns", s.Compiling)
	}
	p.Line("")
	p.Line("Application System Cache")
	field("Status", enabled(s.Cache.Enabled))
	field("  Cache lookup security-services", enabled(s.Cache.Security))
	field("  Cache lookup miscellaneous-services", enabled(s.Cache.Miscellaneous))
	field("Max Number of entries in cache", strconv.Itoa(s.Cache.Capacity))
	field("Cache timeout", strconv.FormatUint(s.Cache.Timeout, 10)+" (in seconds)")
	p.Line("")
	p.Line("Protocol Bundle")
	field("Download Server", or(s.DownloadServer, "Not Configured"))
	field("AutoUpdate", enabled(s.AutoUpdate))
	p.Line("")
	p.Line("Proxy Details")
	s.slots(p)
}

// slots shows where packages come through, and which are there.
func (s *AppIDStatus) slots(p *Page) {
	field := func(name, value string) { p.Line("%-28s %s", name, value) }
	field("Proxy Profile", or(s.ProxyProfile, "Not Configured"))
	if s.ProxyAddress != "" {
		field("Proxy Address", s.ProxyAddress)
	}
	p.Line("Slot 1:")
	if v := s.Installed; v == nil {
		field("Application package version", "0")
		field("Status", "Free")
	} else {
		field("Application package version", v.number())
		field("Release date", released(v.Released))
		field("Status", "Active")
		field("PB Version", v.Bundle.String())
		field("Engine version", v.Engine.String())
		field("Micro-App Version", v.MicroApps)
		field("Sessions", strconv.FormatUint(s.InUse, 10))
		field("Custom-App Infra Version", v.CustomAppsInfra)
	}
	for i, slot := range s.Draining {
		p.Line("Slot %d:", i+2)
		if slot.Package != nil {
			field("Application package version", slot.Package.number())
		}
		field("Status", "Draining")
		field("Sessions", strconv.FormatUint(slot.Sessions, 10))
	}
	if v := s.Rollback; v != nil {
		p.Line("Rollback version details:")
		field("Application package version", v.number())
		field("PB Version", v.Bundle.Version)
		field("Engine version", v.Engine.Version)
		field("Micro-App Version", v.MicroApps)
		field("Custom-App Infra Version", v.CustomAppsInfra)
	}
}

func enabled(on bool) string {
	if on {
		return "Enabled"
	}
	return "Disabled"
}

// AppIDVersion is the answer of "show services application-identification version".
type AppIDVersion struct {
	Installed *PackageVersions `json:"installed"` // nil when no package is installed
	Detail    bool             `json:"detail"`
	Failed    *PackageVersions `json:"failed"` // the version that failed validation last, nil when none did
}

// Text shows the version and its date, and in detail what failed.
func (v *AppIDVersion) Text(p *Page) {
	if v.Installed == nil {
		p.Line("Application package version: 0")
	} else {
		p.Line("Application package version: %s", v.Installed.number())
		p.Line("Release date: %s", released(v.Installed.Released))
	}
	if !v.Detail {
		return
	}
	p.Line("")
	p.Line("Dataplane validation failure version details:")
	if v.Failed == nil {
		p.Line("%-32s %s", "Application package version", "None")
		return
	}
	p.Line("%-32s %d", "Application package version", v.Failed.Version)
	p.Line("%-32s %s", "PB Version", v.Failed.Bundle)
	p.Line("%-32s %s", "Engine version", v.Failed.Engine)
}

// RecentPackages is the answer of "show services application-identification
// recent-appid-sigpack-versions".
type RecentPackages struct {
	Versions []uint64 `json:"versions"` // newest first
}

// Text shows a line for each.
func (r *RecentPackages) Text(p *Page) {
	for _, v := range r.Versions {
		p.Line("appid sigpack version: %d", v)
	}
	if len(r.Versions) == 0 {
		p.Line("no version is known: the server has not been asked yet")
	}
}

// PackageOperation is the answer of "request services application-identification download status"
// and its like.
type PackageOperation struct {
	Operation string    `json:"operation"` // download, offline-download, install, uninstall or rollback
	State     string    `json:"state"`     // idle, running, succeeded or failed
	Version   uint64    `json:"version"`   // of the package, 0 where that is not known
	Body      string    `json:"text"`
	At        time.Time `json:"at,omitzero"` // when the state was reached
}

// Text shows how the operation is doing, or how it ended.
func (o *PackageOperation) Text(p *Page) { p.Line("%s", o.Body) }

// IDPVersion is the answer of "show security idp security-package-version": the signature package
// by its other name.
type IDPVersion struct {
	Version  uint64    `json:"version"` // 0 when no package is installed
	Released time.Time `json:"release-date,omitzero"`
	Detector string    `json:"detector"`
}

// Text shows the versions.
func (v *IDPVersion) Text(p *Page) {
	if v.Version == 0 {
		p.Line("Attack database version:N/A(N/A)")
		p.Line("Detector version :N/A")
		p.Line("Policy template version :N/A")
		return
	}
	p.Line("Attack database version:%d(%s)", v.Version, released(v.Released))
	p.Line("Detector version :%s", v.Detector)
	p.Line("Policy template version :%d", v.Version)
}
