package manage

import (
	"slices"
	"strings"

	"sluice/appid"
	"sluice/appid/asc"
	"sluice/appid/usage"
	"sluice/classify/appdb"
	"sluice/manage/api"
	"sluice/manage/command"
	"sluice/store/schema"
)

// Applications is application identification, as [appid.Service] has it.
type Applications interface {
	Catalogue() *appid.Catalogue
	Cache() *asc.Cache
	Usage() *usage.Table
	GroupUsage(usage.Period) []usage.GroupRow
	Status() appid.Status
	Counters() appid.Counters
	ResetCounters()
	SetDisabled(kind appid.Kind, name string, disabled bool) error
	NewToProduction(names []string) error
	Obsolete() (applications, groups []string)
}

// applications is application identification, or an error when the gateway runs without.
func (s *Server) applications() (Applications, error) {
	if s.options.Applications == nil {
		return nil, &api.Error{Message: "the gateway identifies no applications"}
	}
	return s.options.Applications, nil
}

// catalogue is what applications and groups there are now.
func (s *Server) catalogue() (*appid.Catalogue, error) {
	applications, err := s.applications()
	if err != nil {
		return nil, err
	}
	return applications.Catalogue(), nil
}

// lookUp finds an application by its name or an earlier one, in any case, with or without prefix.
func lookUp(catalogue *appid.Catalogue, name string) (*appdb.Application, error) {
	if app, ok := catalogue.Lookup(name); ok {
		return app, nil
	}
	return nil, unknownName("application", name, catalogue.ApplicationNames())
}

// lookUpGroup finds the full name of a group in the same way.
func lookUpGroup(catalogue *appid.Catalogue, name string) (string, error) {
	names := catalogue.GroupNames()
	for _, full := range []string{name, appdb.Prefix + name} {
		if i := slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, full) }); i >= 0 {
			return names[i], nil
		}
	}
	return "", unknownName("application group", name, names)
}

// unknownName says that there is no such thing, and what may have been meant.
func unknownName(what, name string, names []string) error {
	hint := schema.DidYouMean(name, names)
	if hint == "" {
		hint = schema.DidYouMean(appdb.Prefix+name, names)
	}
	return &api.Error{Message: "there is no " + what + " " + name, Hint: hint}
}

// liveApplications completes names of applications and groups.
func (s *Server) liveApplications(source string, args command.Args) []command.Completion {
	if s.options.Applications == nil {
		return nil
	}
	catalogue := s.options.Applications.Catalogue()
	var list []command.Completion
	add := func(name, help string) {
		list = append(list, command.Completion{Text: name, Help: help, Kind: command.KindLive})
	}
	if source != "application-group" && source != "predefined-group" {
		last := lastWord(args["applications"])
		for _, a := range catalogue.DB.Applications {
			switch {
			case args.Has("enable") && !a.Disabled, args.Has("disable") && a.Disabled:
			case source == "new-application" && (a.Flags&appdb.FlagNew == 0 || !strings.HasPrefix(a.Name, last)):
			default:
				add(a.Name, a.Title)
			}
		}
	}
	if source != "dynamic-application" && source != "new-application" {
		for _, name := range catalogue.GroupNames() {
			if source != "predefined-group" || strings.HasPrefix(name, appdb.Prefix) {
				add(name, "Group")
			}
		}
	}
	return list
}

// lastWord is what is being typed at the end of a list of names: "" after a blank or a bracket.
func lastWord(list string) string { return list[strings.LastIndexAny(list, " \t[")+1:] }

// sessionNames tells what the filters of the session commands mean.
type sessionNames struct{ catalogue *appid.Catalogue }

// Means says whether name is an application, a part of it, or a group that has it.
func (n sessionNames) Means(name, application string) bool {
	found, ok := n.catalogue.Lookup(application)
	if !ok {
		return false
	}
	meant, ok := n.catalogue.Lookup(name)
	return ok && (found == meant || meant.Name == found.Of) || n.catalogue.Contains(name, found)
}

// check refuses the name of what does not exist.
func (n sessionNames) check(name string) error {
	switch _, ok := n.catalogue.Lookup(name); {
	case ok, name == "", n.catalogue.IsGroup(name), strings.EqualFold(name, appdb.Unknown), strings.EqualFold(appdb.Prefix+name, appdb.Unknown):
		return nil
	}
	return unknownName("application or group", name, n.catalogue.Names())
}
