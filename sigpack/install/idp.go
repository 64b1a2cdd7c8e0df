package install

import (
	"fmt"

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
		return fmt.Sprintf("Done;Successfully downloaded from(%s).\nVersion info:%d(%s, Detector=%s)", m.settings.Load().source.URL,
			staged.Version, ReleaseDate(staged.Released), staged.Engine.Version)
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
			"Updating data-plane with new attack or detector : successful", installed.Version, ReleaseDate(installed.Released), installed.Engine.Version)
	}
	return "Done;Attack DB update : failed - [" + s.Text + "]"
}

// IDPVersion is what is shown of the version in force, in the words of the intrusion detection package.
func (m *Manager) IDPVersion() string {
	installed := m.Details().Installed
	if installed == nil {
		installed = &sigpack.Info{}
	}
	if installed.Version == 0 {
		return "Attack database version:N/A(N/A)\nDetector version :N/A\nPolicy template version :N/A"
	}
	return fmt.Sprintf("Attack database version:%d(%s)\nDetector version :%s\nPolicy template version :%d", installed.Version,
		ReleaseDate(installed.Released), installed.Engine.Version, installed.Version)
}
