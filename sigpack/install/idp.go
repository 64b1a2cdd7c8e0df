package install

import (
	"fmt"
	"time"

	"sluice/sigpack"
)

// IDPStarted is what the commands of the intrusion detection package print when they have started
// an operation. They work on the same packages.
const IDPStarted = "Will be processed in async mode. Check the status using the status checking CLI"

// IDPDownloadStatus is how the download is doing, in the words of the intrusion detection package.
func (m *Manager) IDPDownloadStatus() string {
	s := m.Status(Download)
	switch staged := m.journal.read().Staged; {
	case s.State == Running:
		return "In progress:" + s.Text
	case s.State == Idle:
		return s.Text
	case s.State == Succeeded && staged != nil && staged.Version == s.Version:
		return fmt.Sprintf("Done;Successfully downloaded from(%s).\nVersion info:%d(%s, Detector=%s)", sigpack.Shown(m.settings.Load().source.URL),
			staged.Version, releaseDate(staged.Released), staged.Engine.Version)
	}
	return "Done;" + s.Text
}

// IDPInstallStatus is how the installation is doing, in the words of the intrusion detection package.
func (m *Manager) IDPInstallStatus() string {
	s := m.Status(Install)
	switch installed := m.journal.read().Installed; {
	case s.State == Running:
		return "In progress:" + s.Text
	case s.State == Idle:
		return s.Text
	case s.State == Succeeded && installed != nil && installed.Version == s.Version:
		return fmt.Sprintf("Done;Attack DB update : successful - [UpdateNumber=%d,ExportDate=%s,Detector=%s]\n"+
			"Updating control-plane with new detector : successful\n"+
			"Updating data-plane with new attack or detector : successful", installed.Version, releaseDate(installed.Released), installed.Engine.Version)
	}
	return "Done;Attack DB update : failed - [" + s.Text + "]"
}

// releaseDate is a moment as release dates are shown: "Mon Oct 10 14:55:29 2022 UTC".
func releaseDate(at time.Time) string { return at.UTC().Format("Mon Jan _2 15:04:05 2006 MST") }
