package install

import (
	"context"
	"fmt"
	"strings"

	"sluice/sigpack"
)

// CheckServer asks the feed for the latest major and minor version and returns what the command
// prints. Nothing is downloaded.
func (m *Manager) CheckServer(ctx context.Context) (string, error) {
	versions, err := m.versions(ctx)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Download server URL: %s", sigpack.Shown(m.settings.Load().source.URL))
	for _, kind := range []sigpack.Kind{sigpack.Major, sigpack.Minor} {
		for _, v := range versions {
			if v.Kind == kind && !v.Withdrawn {
				fmt.Fprintf(&b, "\nSigpack Version: %d (%s)\nProtobundle version: %s\nBuild Time: %s", v.Version, v.Kind,
					v.ProtocolBundle.Version, v.ProtocolBundle.Built.UTC().Format("Jan 02 2006 15:04:05"))
				break
			}
		}
	}
	return b.String(), nil
}

// Recent are the versions that the feed offers, the newest first; when it cannot be reached, those
// that it offered at the last contact. Versions that failed on this gateway are not among them.
func (m *Manager) Recent(ctx context.Context) []int {
	if _, err := m.contact(ctx); err != nil {
		m.opt.Logger.Info("the versions are those of the last contact with the download server", "error", err)
	}
	r := m.journal.read()
	var recent []int
	for _, o := range r.Offered {
		if _, is := r.faulty(o.Version); !is && !o.Withdrawn {
			recent = append(recent, o.Version)
		}
	}
	return recent
}
