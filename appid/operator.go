package appid

import (
	"fmt"
	"slices"
	"strings"

	"sluice/classify/appdb"
)

// Kind is what an operator decides about.
type Kind uint8

// The kinds.
const (
	Application Kind = iota
	Group
)

// String is the kind in one word.
func (k Kind) String() string {
	if k == Group {
		return "group"
	}
	return "application"
}

// SetDisabled switches an application or a predefined group off or on again, by its name in any
// form. Sessions of an application that is off are named by their protocol; a group that is off has
// no applications. It stays so over restarts and new signature packages.
func (s *Service) SetDisabled(kind Kind, name string, disabled bool) error {
	full, decision, err := s.subject(kind, name)
	if err != nil {
		return err
	}
	err = s.replace(func() error { return s.memory.set(decision, 0, disabled, full) })
	if err == nil && kind == Application {
		s.cache.Flush() // it may name what is off
	}
	return err
}

// subject is the full name of what a decision is about.
func (s *Service) subject(kind Kind, name string) (full string, decision mark, err error) {
	c := s.Catalogue()
	if kind == Application {
		a, ok := c.Lookup(name)
		if !ok {
			return "", "", notFound("application", name, c.ApplicationNames())
		}
		return a.Name, markApplication, nil
	}
	full, ok := c.groupName(name)
	switch {
	case !ok:
		return "", "", notFound("application group", name, c.GroupNames())
	case !strings.HasPrefix(full, appdb.Prefix):
		return "", "", fmt.Errorf("%s is not a predefined group; change it in the configuration", full)
	}
	return full, markGroup, nil
}

func notFound(what, name string, known []string) error {
	if hint := didYouMean(name, known); hint != "" {
		return fmt.Errorf("there is no %s %s (%s)", what, name, hint)
	}
	return fmt.Errorf("there is no %s %s", what, name)
}

// NewToProduction takes applications out of the group junos:all-new-apps, all of them when names
// is nil. They come back when a later package has them anew.
func (s *Service) NewToProduction(names []string) error {
	c := s.Catalogue()
	fresh, _ := c.Group(appdb.GroupNew)
	var chosen []string
	for _, a := range fresh {
		if names == nil {
			chosen = append(chosen, a.Name)
		}
	}
	for _, name := range names {
		a, ok := c.Lookup(name)
		switch {
		case !ok:
			return notFound("application", name, c.ApplicationNames())
		case !slices.Contains(fresh, a):
			return fmt.Errorf("%s is not among the new applications of group %s", a.Name, appdb.GroupNew)
		}
		chosen = append(chosen, a.Name)
	}
	if len(chosen) == 0 {
		return nil
	}
	return s.replace(func() error { return s.memory.set(markProduction, s.pack.Version, true, chosen...) })
}

// decided are the applications and groups of a package's database that operators have decided
// about, as they are then.
func (s *Service) decided(db *appdb.Database) (applications []*appdb.Application, groups []appdb.Group) {
	marks, version := s.memory.marks, s.pack.Version
	fresh := s.fresh()
	for _, a := range db.Applications {
		changed := *a
		changed.Disabled = marks.has(markApplication, a.Name, version)
		if fresh != nil {
			changed.Flags &^= appdb.FlagNew
			if fresh[a.Name] {
				changed.Flags |= appdb.FlagNew
			}
		}
		if marks.has(markProduction, a.Name, version) {
			changed.Flags &^= appdb.FlagNew
		}
		if changed.Disabled != a.Disabled || changed.Flags != a.Flags {
			applications = append(applications, &changed)
		}
	}
	names := append(db.GroupNames(), appdb.GroupNew)
	for _, name := range names {
		if !marks.has(markGroup, name, version) {
			continue
		}
		g := appdb.Group{Name: name}
		for i := range db.Groups {
			if db.Groups[i].Name == name {
				g = db.Groups[i]
			}
		}
		g.Disabled = true
		groups = append(groups, g)
	}
	return applications, groups
}

// fresh are the names of the applications that the package before had not; nil leaves it to the
// package's own marks.
func (s *Service) fresh() map[string]bool {
	if s.packages == nil {
		return nil
	}
	names := map[string]bool{}
	for _, name := range s.packages.New() {
		names[name] = true
	}
	return names
}
