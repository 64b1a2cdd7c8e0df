package install

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"sluice/sigpack"
)

// dateLayout is how release dates are shown: "Mon Oct 10 14:55:29 2022 UTC".
const dateLayout = "Mon Jan _2 15:04:05 2006 MST"

// Details are what the status of application identification shows of packages.
type Details struct {
	// Installed is the package in force; nil when there is none.
	Installed *sigpack.Info `json:"installed"`
	// Builtin says that it is the one that the program carries.
	Builtin bool `json:"builtin"`
	// Rollback is the package that a rollback leads to; nil when there is none.
	Rollback *sigpack.Info `json:"rollback"`
	// Server is where packages come from; "" when nothing is configured.
	Server string `json:"download-server"`
	// AutoUpdate says whether updates are scheduled.
	AutoUpdate bool `json:"auto-update"`
	// ProxyProfile and ProxyAddress name the web proxy; "" when there is none.
	ProxyProfile string `json:"proxy-profile,omitempty"`
	ProxyAddress string `json:"proxy-address,omitempty"`
}

// Details returns which packages there are and where they come from.
func (m *Manager) Details() Details {
	r, s := m.journal.read(), m.settings.Load()
	d := Details{Server: s.source.URL, AutoUpdate: s.schedule != nil, ProxyProfile: s.profile, ProxyAddress: address(s.source.Proxy)}
	if p, _ := m.Current(); p != nil {
		d.Installed, d.Builtin = &p.Info, p.Dir == ""
	}
	if r.Previous != nil {
		d.Rollback = &r.Previous.Info
	}
	return d
}

func address(proxy *url.URL) string {
	if proxy == nil {
		return ""
	}
	return proxy.String()
}

// PackageVersion is a version as it is shown: "3666 (Major)", and 0 for none.
func PackageVersion(i *sigpack.Info) string {
	if i == nil {
		return "0"
	}
	return fmt.Sprintf("%d (%s)", i.Version, i.Kind)
}

// ReleaseDate is a moment as release dates are shown.
func ReleaseDate(at time.Time) string { return at.UTC().Format(dateLayout) }

// Version is what is shown of the version in force.
func (m *Manager) Version() string {
	installed := m.Details().Installed
	text := "Application package version: " + PackageVersion(installed)
	if installed != nil {
		text += "\nRelease date: " + ReleaseDate(installed.Released)
	}
	return text
}

// VersionDetail is Version, and which version failed its installation last, if any did.
func (m *Manager) VersionDetail() string {
	faulty := m.Faulty()
	if len(faulty) == 0 {
		return m.Version()
	}
	last := faulty[len(faulty)-1]
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\nDataplane validation failure version details:\n", m.Version())
	fmt.Fprintf(&b, "%-33s%d\n", "Application package version", last.Version)
	fmt.Fprintf(&b, "%-33s%s\n", "PB Version", last.ProtocolBundle)
	fmt.Fprintf(&b, "%-33s%s", "Engine version", last.Engine)
	return b.String()
}

// Faulty are the versions that failed an installation and are refused, the newest failure last.
func (m *Manager) Faulty() []sigpack.Info { return m.journal.read().Faulty }

// ProtocolBundle is what is shown of the protocol bundle.
func (m *Manager) ProtocolBundle() string {
	if p, _ := m.Current(); p != nil {
		return protocolBundle(&p.Info) + " is loaded and activated."
	}
	if last := m.journal.read().Uninstalled; last != nil {
		return protocolBundle(last) + " is unloaded and deactivated"
	}
	return "Protocol Bundle is unloaded and deactivated"
}

func protocolBundle(i *sigpack.Info) string {
	return fmt.Sprintf("Protocol Bundle Version (%s) and application secpack version (%d)", i.ProtocolBundle, i.Version)
}
