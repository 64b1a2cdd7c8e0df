package manage

import (
	"net/http"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"sluice/manage/api"
	"sluice/manage/command"
	"sluice/manage/view"
	"sluice/store/tree"
)

func showVersion(s *Server, _ *request) (view.View, error) {
	return &view.Version{Host: s.host(), Model: "sluice", Version: s.options.Version, Go: runtime.Version(), Kernel: kernelRelease(), CPUs: runtime.NumCPU()}, nil
}

// kernelRelease is what uname -r prints.
func kernelRelease() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(u.Release[:])
}

func showUptime(s *Server, _ *request) (view.View, error) {
	now := s.options.Now()
	var up unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &up); err != nil {
		return nil, err
	}
	answer := &view.Uptime{Now: now, Booted: now.Add(-time.Duration(up.Nano())), Started: s.started}
	if _, revision := s.options.Store.Active(); revision.ID != 0 {
		answer.Configured, answer.By = revision.Time, revision.User
	}
	return answer, nil
}

// alarms are those of every part, the oldest first.
func (s *Server) alarms() []view.Alarm {
	list := []view.Alarm{}
	if s.options.Alarms != nil {
		list = append(list, s.options.Alarms()...)
	}
	list = append(list, s.logAlarms()...)
	for i := range list {
		if list[i].Since.IsZero() {
			list[i].Since = s.started
		}
	}
	slices.SortStableFunc(list, func(a, b view.Alarm) int { return a.Since.Compare(b.Since) })
	return list
}

func showAlarms(s *Server, _ *request) (view.View, error) {
	return &view.Alarms{Alarms: s.alarms()}, nil
}

func showCommits(s *Server, _ *request) (view.View, error) {
	answer := &view.Commits{Commits: []view.Commit{}}
	for _, r := range s.options.Store.Revisions() {
		answer.Commits = append(answer.Commits, view.Commit{Number: r.Number, Time: r.Time, User: r.User, Client: r.Client, Comment: r.Comment})
	}
	if until, ok := s.options.Store.ConfirmedPending(); ok {
		answer.ConfirmedUntil = until
	}
	return answer, nil
}

// showConfiguration shows the active configuration, whole or a part, as it is or compared.
func showConfiguration(s *Server, r *request) (view.View, error) {
	active := s.options.Store.ActiveTree()
	at, err := words(r.args["path"])
	if err != nil {
		return nil, err
	}
	if r.compare == nil {
		text, err := showTree(active, at, r.display)
		return &view.Configuration{Body: text}, err
	}
	if r.display != "" {
		return nil, &api.Error{Status: http.StatusBadRequest, Message: "compare and display cannot be combined"}
	}
	old, err := s.options.Store.Rollback(*r.compare)
	if err != nil {
		return nil, err
	}
	return &view.Configuration{Body: tree.Compare(old, active, at)}, nil
}

// live lists the values that exist now.
func (s *Server) live(source string, args command.Args) []command.Completion {
	switch source {
	case "configuration":
		return completions(s.options.Store.ActiveTree().Complete(nil, "show", args["path"]))
	case "log-file":
		return liveNames(s.logFiles(), "Log file")
	case "log-message":
		return liveNames(logMessages(), "")
	case "dynamic-application", "dynamic-application-or-group", "application-group", "predefined-group", "new-application":
		return s.liveApplications(source, args)
	case "key-pair", "certificate", "ca-profile", "ca-profile-group":
		return s.livePKI(source)
	case "ssl-proxy", "ssl-termination", "ssl-initiation", "ssl-exempt-server":
		return s.liveSSL(source)
	case "local-user":
		return s.liveUsers()
	}
	cfg, _ := s.options.Store.Active()
	var list []command.Completion
	add := func(name, help string) {
		if !slices.ContainsFunc(list, func(c command.Completion) bool { return c.Text == name }) {
			list = append(list, command.Completion{Text: name, Help: help, Kind: command.KindLive})
		}
	}
	switch source {
	case "zone":
		for _, z := range cfg.Security.Zones.SecurityZones {
			add(z.Name, z.Description)
		}
	case "interface":
		for _, l := range cfg.LogicalInterfaces() {
			add(l.Name, description(cfg, l.Name))
		}
	case "policy":
		for _, pair := range cfg.Security.Policies.ZonePairs {
			for _, p := range pair.Policies {
				add(p.Name, p.Description)
			}
		}
		for _, p := range cfg.Security.Policies.Global.Policies {
			add(p.Name, p.Description)
		}
	case "session-application":
		for _, a := range cfg.Applications.Applications {
			add(a.Name, a.Description)
		}
		list = append(list, s.liveApplications("dynamic-application", args)...)
	case "nat-rule":
		for _, set := range cfg.Security.NAT.Source.RuleSets {
			for _, r := range set.Rules {
				add(r.Name, "Rule of "+set.Name)
			}
		}
	case "rule-set":
		for _, set := range cfg.Security.ApplicationFirewall.RuleSets {
			add(set.Name, "Rule set")
		}
	case "url-category":
		for _, c := range cfg.Security.UTM.CustomObjects.Categories {
			add(c.Name, "URL category")
		}
	case "scheduler":
		for _, sch := range cfg.Schedulers.Schedulers {
			add(sch.Name, sch.Description)
		}
	}
	return list
}

func liveNames(names []string, help string) []command.Completion {
	list := make([]command.Completion, len(names))
	for i, name := range names {
		list[i] = command.Completion{Text: name, Help: help, Kind: command.KindLive}
	}
	return list
}
