package manage

import (
	"fmt"
	"slices"
	"strings"

	"sluice/appid"
	"sluice/classify/appdb"
	"sluice/manage/api"
	"sluice/manage/view"
	"sluice/store"
	"sluice/store/tree"
)

// switchApplication disables an application, or enables it again.
func switchApplication(s *Server, r *request) (view.View, error) {
	catalogue, err := s.catalogue()
	if err != nil {
		return nil, err
	}
	verb, err := r.verb("disable", "enable")
	if err != nil {
		return nil, err
	}
	if !r.args.Has("application") {
		return nil, missingName("application")
	}
	app, err := lookUp(catalogue, r.args["application"])
	if err != nil {
		return nil, err
	}
	return s.disable(appid.Application, app.Name, verb == "disable")
}

// changeGroup disables, enables or copies a predefined group.
func changeGroup(s *Server, r *request) (view.View, error) {
	catalogue, err := s.catalogue()
	if err != nil {
		return nil, err
	}
	verb, err := r.verb("copy", "disable", "enable")
	if err != nil {
		return nil, err
	}
	if !r.args.Has("group") {
		return nil, missingName("group")
	}
	name, err := lookUpGroup(catalogue, r.args["group"])
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(name, appdb.Prefix) {
		return nil, &api.Error{Message: name + " is not a predefined group", Hint: "groups of your own are changed in the configuration"}
	}
	if verb == "copy" {
		return s.copyGroup(catalogue, name, r)
	}
	return s.disable(appid.Group, name, verb == "disable")
}

// verb is the one of words that the request has.
func (r *request) verb(words ...string) (string, error) {
	for _, word := range words {
		if r.args.Has(word) {
			return word, nil
		}
	}
	return "", &api.Error{Message: "the command is not complete", Hint: "it goes on with " + strings.Join(words, ", ")}
}

func missingName(what string) error {
	return &api.Error{Message: "the name of the " + what + " is missing"}
}

// disable disables or enables something predefined. What is being edited was checked against what
// is enabled now, so it must be committed or discarded first.
func (s *Server) disable(kind appid.Kind, name string, disabled bool) (view.View, error) {
	if err := s.nothingUncommitted(); err != nil {
		return nil, err
	}
	if err := s.options.Applications.SetDisabled(kind, name, disabled); err != nil {
		return nil, err
	}
	if !disabled {
		return &view.Message{Message: name + " is enabled"}, nil
	}
	answer := name + " is disabled"
	for _, statement := range s.mentions(name) {
		answer += "\nwarning: it is named by: " + statement
	}
	return &view.Message{Message: answer}, nil
}

// unlocked refuses while somebody edits the configuration alone.
func (s *Server) unlocked() error {
	for _, e := range s.options.Store.Editors() {
		if e.Mode == store.Exclusive {
			return conflict(&store.LockedError{Holder: e})
		}
	}
	return nil
}

// nothingUncommitted refuses while the candidate configuration has changes.
func (s *Server) nothingUncommitted() error {
	if err := s.unlocked(); err != nil {
		return err
	}
	candidate, err := s.options.Store.Edit(store.Who{}, store.Shared)
	if err != nil {
		return conflict(err)
	}
	defer candidate.Close()
	if !candidate.Changed() {
		return nil
	}
	var names []string
	for _, w := range s.options.Store.Authors() {
		names = append(names, w.String())
	}
	return &api.Error{Message: "the candidate configuration has uncommitted changes (" + strings.Join(names, ", ") + ")",
		Hint: `commit them, or discard them with "rollback 0", and try again`}
}

// mentions are the statements of the active configuration that name an application or group.
func (s *Server) mentions(name string) []string {
	text, err := s.options.Store.ActiveTree().Show(tree.Set, nil)
	if err != nil {
		return nil
	}
	var lines []string
	for line := range strings.Lines(text) {
		if slices.ContainsFunc(strings.Fields(line), func(word string) bool { return strings.EqualFold(strings.Trim(word, `"`), name) }) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// copyPrefix is what the names of copies begin with in place of appdb.Prefix.
const copyPrefix = "my:"

// copyGroup puts a group of the same applications into the candidate configuration. Obsolete ones
// are left out: they could not be committed after they have left the package.
func (s *Server) copyGroup(catalogue *appid.Catalogue, name string, r *request) (view.View, error) {
	if err := s.unlocked(); err != nil {
		return nil, err
	}
	own := copyPrefix + strings.TrimPrefix(name, appdb.Prefix)
	path := "services application-identification application-group " + own
	candidate, err := s.options.Store.Edit(store.Who{User: r.peer.User, Client: "cli"}, store.Shared)
	if err != nil {
		return nil, conflict(err)
	}
	defer candidate.Close()
	if there, err := candidate.Tree().Show(tree.Set, strings.Fields(path)); err == nil && there != "" {
		return nil, &api.Error{Message: "the configuration has an application-group " + own + " already", Hint: "rename or delete it first"}
	}
	var text strings.Builder
	fmt.Fprintf(&text, "set %s\n", path)
	count := 0
	for _, a := range catalogue.DB.Applications {
		if a.Flags&appdb.FlagObsolete == 0 && inGroup(a, name) {
			fmt.Fprintf(&text, "set %s applications %s\n", path, a.Name)
			count++
		}
	}
	if problems := candidate.Load(tree.LoadSet, nil, text.String()); len(problems) > 0 {
		return nil, &api.Error{Message: "the group could not be copied", Problems: problems}
	}
	return &view.Message{Message: fmt.Sprintf("The candidate configuration has the application-group %s with %s; commit puts it in force", own, countOf(count, "application", "applications"))}, nil
}

// inGroup says whether a is in a predefined group or in one below it, whether that is disabled or
// not.
func inGroup(a *appdb.Application, group string) bool {
	return slices.ContainsFunc(a.Groups, func(g string) bool { return g == group || strings.HasPrefix(g, group+":") })
}

// promote takes new applications out of the group of new ones.
func promote(s *Server, r *request) (view.View, error) {
	catalogue, err := s.catalogue()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, word := range applicationWords(r.args["applications"]) {
		app, err := lookUp(catalogue, word)
		if err != nil {
			return nil, err
		}
		if app.Flags&appdb.FlagNew == 0 {
			return nil, &api.Error{Message: app.Name + " is not a new application", Hint: "the new ones are those of the group " + appdb.GroupNew}
		}
		names = append(names, app.Name)
	}
	if len(names) == 0 {
		return nil, missingName("application")
	}
	return s.promote(names, len(names))
}

// promoteAll takes all applications out of the group of new ones.
func promoteAll(s *Server, _ *request) (view.View, error) {
	catalogue, err := s.catalogue()
	if err != nil {
		return nil, err
	}
	return s.promote(nil, len(catalogue.DB.Members(appdb.GroupNew)))
}

// promote does so for names, nil for all, which are count.
func (s *Server) promote(names []string, count int) (view.View, error) {
	if err := s.options.Applications.NewToProduction(names); err != nil {
		return nil, err
	}
	return &view.Message{Message: "No longer new: " + countOf(count, "application", "applications")}, nil
}

// applicationWords are the names of a list: [ a b ], [a b], a b.
func applicationWords(list string) []string {
	return strings.Fields(strings.NewReplacer("[", " ", "]", " ", `"`, "").Replace(list))
}
