package install

import (
	"fmt"
	"net/url"

	"sluice/sigpack"
)

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
	d := Details{Server: sigpack.Shown(s.source.URL), AutoUpdate: s.schedule != nil, ProxyProfile: s.profile, ProxyAddress: address(s.source.Proxy)}
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
