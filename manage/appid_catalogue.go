package manage

import (
	"cmp"
	"slices"
	"strings"

	"sluice/appid"
	"sluice/classify/appdb"
	"sluice/manage/view"
)

func showApplications(s *Server, _ *request) (view.View, error) {
	catalogue, err := s.catalogue()
	if err != nil {
		return nil, err
	}
	answer := &view.Applications{Applications: make([]view.ApplicationRow, 0, len(catalogue.DB.Applications))}
	for _, a := range catalogue.DB.Applications {
		answer.Applications = append(answer.Applications, view.ApplicationRow{
			Name: a.Name, ID: uint64(a.Number), Micro: a.Kind == appdb.Micro, Custom: a.Custom, Disabled: a.Disabled, Risk: a.Risk,
			Category: strings.TrimSuffix(a.Category+"/"+a.SubCategory, "/"),
		})
	}
	slices.SortFunc(answer.Applications, func(a, b view.ApplicationRow) int { return cmp.Compare(a.Name, b.Name) })
	return answer, nil
}

func showApplication(s *Server, r *request) (view.View, error) {
	catalogue, err := s.catalogue()
	if err != nil {
		return nil, err
	}
	a, err := lookUp(catalogue, r.args["application"])
	if err != nil {
		return nil, err
	}
	kind := a.Kind.String()
	if a.Kind == appdb.Micro {
		kind = "micro-application"
	}
	return &view.ApplicationDetail{
		Name: a.Name, Type: cmp.Or(a.Type, strings.ToUpper(a.Short())), Title: a.Title, Description: a.Description,
		ID: uint64(a.Number), Priority: a.Priority.String(), Kind: kind, Custom: a.Custom, Disabled: a.Disabled,
		Obsolete: a.Flags&appdb.FlagObsolete != 0, New: a.Flags&appdb.FlagNew != 0, Of: a.Of,
		Category: a.Category, SubCategory: a.SubCategory, Groups: a.Groups, Risk: a.Risk,
		Characteristics: a.Characteristics.Names(), Tags: a.Tags, Ports: texts(catalogue.DefaultPorts(a)),
		Over: a.Over, Aliases: a.Aliases, References: a.References,
	}, nil
}

func showMicroApplications(s *Server, _ *request) (view.View, error) {
	return s.applicationNames("Micro Applications", false, func(a *appdb.Application) bool { return a.Kind == appdb.Micro })
}

// showNonConfigurable shows what sessions may be identified as, and a configuration can name only
// until it leaves the signature package.
func showNonConfigurable(s *Server, _ *request) (view.View, error) {
	return s.applicationNames("Non-configurable Applications", false, func(a *appdb.Application) bool { return a.Flags&appdb.FlagObsolete != 0 })
}

// applicationNames are the names of the applications that belong, sorted.
func (s *Server) applicationNames(heading string, counted bool, belongs func(*appdb.Application) bool) (view.View, error) {
	catalogue, err := s.catalogue()
	if err != nil {
		return nil, err
	}
	answer := &view.ApplicationNames{Heading: heading, Counted: counted, Names: []string{}}
	for _, a := range catalogue.DB.Applications {
		if belongs(a) {
			answer.Names = append(answer.Names, a.Name)
		}
	}
	slices.Sort(answer.Names)
	return answer, nil
}

func showObsoleteApplications(s *Server, _ *request) (view.View, error) {
	applications, err := s.applications()
	if err != nil {
		return nil, err
	}
	names, _ := applications.Obsolete()
	return &view.ApplicationNames{Heading: "Obsolete applications", Counted: true, Names: append([]string{}, names...)}, nil
}

func showObsoleteGroups(s *Server, _ *request) (view.View, error) {
	applications, err := s.applications()
	if err != nil {
		return nil, err
	}
	_, names := applications.Obsolete()
	return &view.ApplicationNames{Heading: "Obsolete application groups", Counted: true, Names: append([]string{}, names...)}, nil
}

func showGroups(s *Server, _ *request) (view.View, error) {
	catalogue, err := s.catalogue()
	if err != nil {
		return nil, err
	}
	answer := &view.ApplicationGroups{}
	for _, name := range catalogue.GroupNames() {
		group := groupView(catalogue, name)
		group.Applications = nil
		answer.Groups = append(answer.Groups, group)
	}
	return answer, nil
}

// showGroup shows the applications of one group, or of all.
func showGroup(s *Server, r *request) (view.View, error) {
	catalogue, err := s.catalogue()
	if err != nil {
		return nil, err
	}
	names := catalogue.GroupNames()
	if r.args.Has("group") {
		name, err := lookUpGroup(catalogue, r.args["group"])
		if err != nil {
			return nil, err
		}
		names = []string{name}
	}
	answer := &view.ApplicationGroups{Detail: true}
	for _, name := range names {
		answer.Groups = append(answer.Groups, groupView(catalogue, name))
	}
	return answer, nil
}

// groupView is a group with its applications; those of a disabled group are shown though they do
// not match.
func groupView(catalogue *appid.Catalogue, name string) view.ApplicationGroup {
	var listed []string
	answer := view.ApplicationGroup{Name: name, Custom: !strings.HasPrefix(name, appdb.Prefix), Groups: []string{}, Applications: []string{}}
	for _, below := range catalogue.GroupNames() {
		if rest, ok := strings.CutPrefix(below, name+":"); ok && !strings.Contains(rest, ":") {
			answer.Groups = append(answer.Groups, below)
		}
	}
	if g, ok := catalogue.DB.LookupGroup(name); ok && g.Name == name {
		answer.Description, answer.Obsolete = g.Description, g.Obsolete
		answer.Groups = append(answer.Groups, g.Groups...)
		listed = g.Applications
	}
	members, _ := catalogue.Group(name)
	if answer.Disabled = disabledGroup(catalogue, name); answer.Disabled {
		members = slices.DeleteFunc(slices.Clone(catalogue.DB.Applications), func(a *appdb.Application) bool { return !inGroup(a, name) })
	}
	for _, a := range members {
		answer.Applications = append(answer.Applications, a.Name)
	}
	answer.Count = len(answer.Applications)
	sortMembers(answer.Applications, listed)
	return answer
}

// disabledGroup says whether a group, or one that it is in by its name, is disabled.
func disabledGroup(catalogue *appid.Catalogue, name string) bool {
	for ; name != ""; name = name[:max(strings.LastIndexByte(name, ':'), 0)] {
		if g, ok := catalogue.DB.LookupGroup(name); ok && g.Name == name && g.Disabled {
			return true
		}
	}
	return false
}

// sortMembers puts the names that a group lists first, in its order, and then the others by name.
func sortMembers(names, listed []string) {
	place := make(map[string]int, len(listed))
	for i, name := range listed {
		place[name] = i - len(listed)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(place[a], place[b]), cmp.Compare(a, b)) })
}
