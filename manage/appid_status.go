package manage

import (
	"time"

	"sluice/appid"
	"sluice/manage/view"
)

// showIdentificationStatus shows how applications are identified, and by which package.
func showIdentificationStatus(s *Server, _ *request) (view.View, error) {
	applications, err := s.applications()
	if err != nil {
		return nil, err
	}
	status := applications.Status()
	answer := &view.AppIDStatus{
		Enabled: status.Enabled, Sessions: count(status.UnderDetection), MaxMemory: count(status.MaxMemory), PerformanceMode: status.PerformanceMode,
		Interval: int(status.StatisticsInterval / time.Minute), Cache: cacheStatus(applications), Compiling: compiling(&status.Signatures),
	}
	if status.Package != nil {
		answer.Installed = packageView(&status.Package.Info)
	}
	for _, slot := range status.Slots {
		switch {
		case slot.Active:
			answer.InUse += count(slot.Sessions)
		case slot.Package != nil:
			answer.Draining = append(answer.Draining, view.DrainingSlot{Package: packageView(&slot.Package.Info), Sessions: count(slot.Sessions)})
		default:
			answer.Draining = append(answer.Draining, view.DrainingSlot{Sessions: count(slot.Sessions)})
		}
	}
	if s.options.Packages != nil {
		d := s.options.Packages.Details()
		answer.Rollback = packageView(d.Rollback)
		answer.DownloadServer, answer.AutoUpdate, answer.ProxyProfile, answer.ProxyAddress = d.Server, d.AutoUpdate, d.ProxyProfile, d.ProxyAddress
	}
	return answer, nil
}

// count is n, which sums of counters that are read one after the other may have below zero.
func count(n int64) uint64 { return uint64(max(n, 0)) }

// compiling says what keeps the newest patterns from being in force.
func compiling(s *appid.SignatureStatus) string {
	switch {
	case s.Error != "":
		return "not compiled, those before are in force: " + s.Error
	case s.Compiling:
		return "being compiled since " + s.Since.Format("2006-01-02 15:04:05 MST")
	}
	return ""
}
