package appdb

import (
	"fmt"
	"strings"
)

// Database is a set of applications. It is filled by Load and is not changed after Check.
type Database struct {
	// Applications, in the order in which they were loaded.
	Applications []*Application
	// Groups that have a stanza, and custom groups.
	Groups []Group

	byName map[string]*Application // by name and alias in lower case
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
// alias, in any case.
func (d *Database) Lookup(name string) (*Application, bool) {
	name = strings.ToLower(name)
	a, ok := d.byName[name]
	if !ok {
		a, ok = d.byName[Prefix+name]
	}
	return a, ok
}

// Add puts an application into the database, and makes its Patterns of its Signatures where it has
// none yet. It fails with a Problem when a name is taken.
func (d *Database) Add(a *Application) error {
	for _, name := range append([]string{a.Name}, a.Aliases...) {
		if other, taken := d.byName[strings.ToLower(name)]; taken {
			return Problem{a.Source, fmt.Sprintf("%s is already defined at %s", name, other.Source)}
		}
	}
	if a.Patterns == nil {
		for i := range a.Signatures {
			a.Patterns = append(a.Patterns, a.Signatures[i].pattern(a))
		}
	}
	d.Applications = append(d.Applications, a)
	d.name(a)
	return nil
}

func (d *Database) name(a *Application) {
	d.byName[strings.ToLower(a.Name)] = a
	for _, alias := range a.Aliases {
		d.byName[strings.ToLower(alias)] = a
	}
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
