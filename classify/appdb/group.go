package appdb

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Groups whose members follow from the database alone.
const (
	// GroupAny holds every application.
	GroupAny = "any"
	// GroupUnassigned holds the applications that are in no other group.
	GroupUnassigned = "unassigned"
	// GroupNew holds the applications that are new in this package.
	GroupNew = Prefix + "all-new-apps"
)

// Group is a set of applications that a policy can name. Applications say themselves which
// predefined groups they belong to (Application.Groups); custom groups list their members.
type Group struct {
	Name        string // with Prefix where predefined
	Description string
	Obsolete    bool
	Disabled    bool // by the operator: it has no members

	Applications []string
	Groups       []string
	// TagGroups add the applications that have a tag of each of them.
	TagGroups [][]string
}

// lists says whether the group has members of its own, as custom groups do.
func (g *Group) lists() bool { return len(g.Applications)+len(g.Groups)+len(g.TagGroups) > 0 }

// GroupNames are the names of all groups and of the predefined groups these belong to, sorted.
func (d *Database) GroupNames() []string {
	seen := map[string]bool{}
	add := func(name string) {
		for ; strings.HasPrefix(name, Prefix); name = parent(name) {
			seen[name] = true
		}
	}
	for _, a := range d.Applications {
		for _, g := range a.Groups {
			add(g)
		}
	}
	for _, g := range d.Groups {
		seen[g.Name] = true
		add(g.Name)
	}
	names := make([]string, 0, len(seen))
	for name := range seen {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// LookupGroup finds the stanza or the definition of a group, by its name in any case, without
// Prefix where no other group has that name. Predefined groups need none; see GroupNames.
func (d *Database) LookupGroup(name string) (*Group, bool) {
	for _, full := range [...]string{name, Prefix + name} {
		for i := range d.Groups {
			if strings.EqualFold(d.Groups[i].Name, full) {
				return &d.Groups[i], true
			}
		}
	}
	return nil, false
}

// Members are the applications of a group and of the groups in it or below it, in database order.
// The group may be one of those that follow from the database, such as GroupAny; the name's case
// does not count, and Prefix may be left out.
func (d *Database) Members(group string) []*Application {
	in := map[*Application]bool{}
	d.gather(group, in, map[string]bool{})
	members := make([]*Application, 0, len(in))
	for _, a := range d.Applications {
		if in[a] {
			members = append(members, a)
		}
	}
	return members
}

// gather adds the members of a group. seen are the groups that were looked at already.
func (d *Database) gather(name string, in map[*Application]bool, seen map[string]bool) {
	name = strings.ToLower(name)
	if seen[name] {
		return
	}
	seen[name] = true
	g, ok := d.LookupGroup(name)
	switch short := strings.TrimPrefix(name, Prefix); {
	case ok && g.Disabled:
		return
	case ok:
		name = strings.ToLower(g.Name)
	case short == GroupAny:
		d.gatherIf(in, func(*Application) bool { return true })
	case short == GroupUnassigned:
		d.gatherUnassigned(in)
	case short == strings.TrimPrefix(GroupNew, Prefix):
		d.gatherIf(in, func(a *Application) bool { return a.Flags&FlagNew != 0 })
	default:
		name = Prefix + short
	}
	if !ok || strings.HasPrefix(g.Name, Prefix) {
		d.gatherIf(in, func(a *Application) bool { return slices.ContainsFunc(a.Groups, d.below(name)) })
	}
	if !ok {
		return
	}
	for _, member := range g.Applications {
		if a, ok := d.Lookup(member); ok {
			in[a] = true
		}
	}
	for _, member := range g.Groups {
		d.gather(member, in, seen)
	}
	if len(g.TagGroups) > 0 {
		d.gatherIf(in, func(a *Application) bool { return hasTags(a, g.TagGroups) })
	}
}

func (d *Database) gatherIf(in map[*Application]bool, member func(*Application) bool) {
	for _, a := range d.Applications {
		if member(a) {
			in[a] = true
		}
	}
}

// below tells the groups that are a predefined group or below it, apart from disabled ones.
func (d *Database) below(name string) func(string) bool {
	disabled := map[string]bool{}
	for i := range d.Groups {
		if d.Groups[i].Disabled {
			disabled[d.Groups[i].Name] = true
		}
	}
	return func(group string) bool {
		if group != name && !strings.HasPrefix(group, name+":") {
			return false
		}
		for g := group; len(disabled) > 0 && g != ""; g = parent(g) {
			if disabled[g] {
				return false
			}
		}
		return true
	}
}

// gatherUnassigned adds the applications that are in no group, predefined or custom.
func (d *Database) gatherUnassigned(in map[*Application]bool) {
	assigned, seen := map[*Application]bool{}, map[string]bool{}
	for i := range d.Groups {
		if d.Groups[i].lists() {
			d.gather(d.Groups[i].Name, assigned, seen)
		}
	}
	d.gatherIf(in, func(a *Application) bool { return len(a.Groups) == 0 && !assigned[a] })
}

func hasTags(a *Application, groups [][]string) bool {
	for _, tags := range groups {
		if !slices.ContainsFunc(tags, func(tag string) bool { return slices.Contains(a.Tags, tag) }) {
			return false
		}
	}
	return true
}

// parent is the group that a group belongs to: its name without the last level.
func parent(group string) string {
	i := strings.LastIndexByte(group, ':')
	return group[:max(i, 0)]
}

// With is the database with custom applications and groups. It shares the rest with d, which does
// not change. An application or a group that has the name of one in d replaces it: so applications
// and groups are disabled.
func (d *Database) With(custom []*Application, groups []Group) (*Database, []Problem) {
	o := &Database{
		Applications: slices.Clone(d.Applications), Groups: slices.Clone(d.Groups),
		byName: make(map[string]*Application, len(d.byName)+len(custom)),
	}
	for name, a := range d.byName {
		o.byName[name] = a
	}
	var problems []Problem
	for _, a := range custom {
		if i := slices.IndexFunc(d.Applications, func(b *Application) bool { return a.Name == b.Name }); i >= 0 {
			o.Applications[i] = a
			o.name(a)
			continue
		}
		if err := o.Add(a); err != nil {
			var p Problem
			errors.As(err, &p) // Add fails in no other way
			problems = append(problems, p)
		}
	}
	for _, g := range groups {
		i := slices.IndexFunc(o.Groups, func(h Group) bool { return strings.EqualFold(g.Name, h.Name) })
		switch {
		case i < 0:
			o.Groups = append(o.Groups, g)
		case i < len(d.Groups):
			o.Groups[i] = g
		default:
			problems = append(problems, Problem{g.Name, "another group has this name"})
		}
	}
	return o, append(problems, o.checkGroups(groups)...)
}

// checkGroups looks for members of groups that do not exist, and for groups that hold themselves.
func (d *Database) checkGroups(groups []Group) []Problem {
	var problems []Problem
	names := map[string]bool{GroupAny: true, GroupUnassigned: true, GroupNew: true}
	for _, name := range d.GroupNames() {
		names[strings.ToLower(name)] = true
	}
	for _, g := range groups {
		report := func(format string, args ...any) {
			problems = append(problems, Problem{g.Name, fmt.Sprintf(format, args...)})
		}
		for _, name := range g.Applications {
			if _, ok := d.Lookup(name); !ok {
				report("there is no application %s", name)
			}
		}
		for _, name := range g.Groups {
			if name = strings.ToLower(name); !names[name] && !names[Prefix+name] {
				report("there is no group %s", name)
			}
		}
		if d.holds(g.Name, g.Name, map[string]bool{}) {
			report("the group holds itself")
		}
	}
	return problems
}

// holds says whether group inner is in outer, at any depth.
func (d *Database) holds(outer, inner string, seen map[string]bool) bool {
	g, ok := d.LookupGroup(outer)
	if !ok || seen[g.Name] {
		return false
	}
	seen[g.Name] = true
	return slices.ContainsFunc(g.Groups, func(name string) bool {
		return strings.EqualFold(name, inner) || d.holds(name, inner, seen)
	})
}
