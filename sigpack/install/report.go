package install

import (
	"context"
	"slices"
	"strings"
	"time"

	"sluice/classify/appdb"
	"sluice/sigpack"
	"sluice/track"
)

// Severity is how serious a message is, as in RFC 5424.
type Severity uint8

// The severities of messages about packages.
const (
	Error  Severity = 3
	Notice Severity = 5
	Info   Severity = 6
)

// Tags of messages.
const (
	tagDownload   = "APPIDD_APPPACK_DOWNLOAD_RESULT"
	tagOffline    = "APPIDD_APPPACK_OFFLINE_DOWNLOAD_RESULT"
	tagInstall    = "APPIDD_APPPACK_INSTALL_RESULT"
	tagUninstall  = "APPIDD_APPPACK_UNINSTALL_RESULT"
	tagRollback   = "APPIDD_APPPACK_ROLLBACK_RESULT"
	tagDeprecated = "APPIDD_DEPRECATED_APPLIST"
	tagGroups     = "APPIDD_DEPRECATED_GROUPS"
)

var resultTags = [operations]string{
	Download: tagDownload, Offline: tagOffline, Install: tagInstall, Uninstall: tagUninstall, Rollback: tagRollback,
}

// logResult writes the message about an operation that ended.
func (m *Manager) logResult(op Operation, s Status) {
	severity := Notice
	if s.State == Failed {
		severity = Error
	}
	m.opt.Log(resultTags[op], severity, strings.ReplaceAll(s.Text, "\n", "; "))
}

// logObsolete writes which applications and groups of a package will leave it.
func (m *Manager) logObsolete(p *sigpack.Package) {
	applications, groups := obsolete(p)
	if len(applications) > 0 {
		m.opt.Log(tagDeprecated, Notice, "Obsolete apps: "+strings.Join(applications, ", "))
	}
	if len(groups) > 0 {
		m.opt.Log(tagGroups, Notice, "Obsolete groups: "+strings.Join(groups, ", "))
	}
}

// obsolete are the names of applications and groups that will leave a package, sorted.
func obsolete(p *sigpack.Package) (applications, groups []string) {
	for _, a := range p.Database.Applications {
		if a.Flags&appdb.FlagObsolete != 0 {
			applications = append(applications, a.Name)
		}
	}
	for _, g := range p.Database.Groups {
		if g.Obsolete {
			groups = append(groups, g.Name)
		}
	}
	slices.Sort(applications)
	slices.Sort(groups)
	return applications, groups
}

// Alarms are what an operator should look at.
func (m *Manager) Alarms() []track.Alarm {
	since := m.journal.read().Alarm
	if since.IsZero() {
		return nil
	}
	return []track.Alarm{{Since: since, Class: "Minor", Text: "APPIDD auto-rollback to previous version on install failure"}}
}

// reportTimeout bounds a report to the feed.
const reportTimeout = time.Minute

// report tells the feed how an installation ended, where the configuration wants that. The
// installation does not wait for it, and nothing depends on it.
func (m *Manager) report(version int, err error) {
	if !m.settings.Load().report || m.ctx.Err() != nil {
		return
	}
	r := sigpack.Report{Device: m.journal.read().Device, Version: version, OK: err == nil}
	if err != nil {
		r.Reason = err.Error()
	}
	m.groups.Go(func() {
		ctx, cancel := context.WithTimeout(m.ctx, reportTimeout)
		defer cancel()
		feed, err := m.feed()
		if err == nil {
			err = feed.Report(ctx, r)
		}
		if err != nil {
			m.opt.Logger.Warn("result of an installation could not be reported", "version", version, "error", err)
		}
	})
}
