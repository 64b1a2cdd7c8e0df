package appdb

import (
	"fmt"
	"slices"
	"strings"
)

// Database is a set of applications. It is filled by Load and is not changed after Check.
type Database struct {
	// Applications, in the order in which they were loaded.
	Applications []*Application
	// Groups that have a stanza.
	Groups []Group

	byName map[string]*Application
}

// Problem is one thing wrong with a database.
type Problem struct {
	Source  string // "file:line"
	Message string
}

// Error is the problem on one line.
func (p Problem) Error() string { return p.Source + ": " + p.Message }

// New is an empty database.
func New() *Database { return &Database{byName: map[string]*Application{}} }

// Lookup finds an application by its full name ("junos:HTTP"), its name without prefix, or an
// alias. Case counts.
func (d *Database) Lookup(name string) (*Application, bool) {
	a, ok := d.byName[name]
	if !ok {
		a, ok = d.byName[Prefix+name]
	}
	return a, ok
}

// Add puts an application into the database. It fails with a Problem when a name is taken.
func (d *Database) Add(a *Application) error {
	for _, name := range append([]string{a.Name}, a.Aliases...) {
		if other, taken := d.byName[name]; taken {
			return Problem{a.Source, fmt.Sprintf("%s is already defined at %s", name, other.Source)}
		}
	}
	d.Applications = append(d.Applications, a)
	d.byName[a.Name] = a
	for _, alias := range a.Aliases {
		d.byName[alias] = a
	}
	return nil
}

// Check looks for what only the whole database shows: names that do not exist, numbers and hosts
// given twice. It returns all problems.
func (d *Database) Check() []Problem {
	var problems []Problem
	numbers := map[uint32]*Application{}
	hosts := map[string]*Application{}
	for _, a := range d.Applications {
		report := func(format string, args ...any) {
			problems = append(problems, Problem{a.Source, a.Short() + ": " + fmt.Sprintf(format, args...)})
		}
		for _, over := range a.Over {
			if p, ok := d.Lookup(over); !ok || p.Kind != Protocol {
				report("over names no protocol: %s", strings.TrimPrefix(over, Prefix))
			}
		}
		if a.Kind == Micro {
			if _, ok := d.Lookup(a.Of); !ok {
				report("of names no application: %s", strings.TrimPrefix(a.Of, Prefix))
			}
		}
		if other, taken := numbers[a.Number]; taken && a.Number != 0 {
			report("number %d belongs to %s", a.Number, other.Short())
		}
		numbers[a.Number] = a
		for _, h := range a.Hosts {
			if other, taken := hosts[h]; taken {
				report("host %s belongs to %s", h, other.Short())
			}
			hosts[h] = a
		}
	}
	return problems
}

// GroupNames are the names of all groups and of the groups these belong to, sorted.
func (d *Database) GroupNames() []string {
	seen := map[string]bool{}
	add := func(name string) {
		for ; name != "" && name != strings.TrimSuffix(Prefix, ":"); name = parent(name) {
			seen[name] = true
		}
	}
	for _, a := range d.Applications {
		for _, g := range a.Groups {
			add(g)
		}
	}
	for _, g := range d.Groups {
		add(g.Name)
	}
	names := make([]string, 0, len(seen))
	for name := range seen {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Members are the applications of a group and of the groups below it, in database order.
func (d *Database) Members(group string) []*Application {
	var members []*Application
	for _, a := range d.Applications {
		for _, g := range a.Groups {
			if g == group || strings.HasPrefix(g, group+":") {
				members = append(members, a)
				break
			}
		}
	}
	return members
}

// parent is the group that a group belongs to: its name without the last level.
func parent(group string) string {
	i := strings.LastIndexByte(group, ':')
	return group[:max(i, 0)]
}
