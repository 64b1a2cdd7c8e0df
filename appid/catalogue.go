package appid

import (
	"slices"
	"strings"
	"sync"

	"sluice/classify/appdb"
)

// Catalogue is what applications and groups there are: those of the signature package and those
// of the configuration. It is immutable, and any number of goroutines may use it.
type Catalogue struct {
	// DB is the database, custom applications and groups included.
	DB *appdb.Database

	groups   map[string]string // full names by name in lower case
	obsolete []string          // groups that will leave the package

	mu      sync.Mutex
	members map[string]membership // by full name, of groups that somebody asked for
}

// membership is the applications of a group.
type membership struct {
	list []*appdb.Application
	set  map[*appdb.Application]bool
}

func newCatalogue(db *appdb.Database) *Catalogue {
	c := &Catalogue{DB: db, groups: map[string]string{}, members: map[string]membership{}}
	for _, name := range append(db.GroupNames(), appdb.GroupAny, appdb.GroupUnassigned, appdb.GroupNew) {
		c.groups[strings.ToLower(name)] = name
	}
	for i := range db.Groups {
		if db.Groups[i].Obsolete {
			c.obsolete = append(c.obsolete, db.Groups[i].Name)
		}
	}
	slices.Sort(c.obsolete)
	return c
}

// Lookup finds an application by its name or an earlier one, in any case, with or without
// "junos:".
func (c *Catalogue) Lookup(name string) (*appdb.Application, bool) { return c.DB.Lookup(name) }

// IsGroup says whether there is a group of that name, in any case, with or without "junos:".
func (c *Catalogue) IsGroup(name string) bool {
	_, ok := c.groupName(name)
	return ok
}

// Group returns the applications of a group, and of the groups in it. A disabled group has none.
// The result must not be changed.
func (c *Catalogue) Group(name string) ([]*appdb.Application, bool) {
	full, ok := c.groupName(name)
	if !ok {
		return nil, false
	}
	return c.membership(full).list, true
}

// Contains says whether an application is in a group.
func (c *Catalogue) Contains(group string, a *appdb.Application) bool {
	full, ok := c.groupName(group)
	return ok && c.membership(full).set[a]
}

// Names are the names of all applications and groups, to find what somebody meant.
func (c *Catalogue) Names() []string {
	return append(c.ApplicationNames(), c.GroupNames()...)
}

// ApplicationNames are the names of all applications, in the order of the database.
func (c *Catalogue) ApplicationNames() []string {
	names := make([]string, 0, len(c.DB.Applications))
	for _, a := range c.DB.Applications {
		names = append(names, a.Name)
	}
	return names
}

// GroupNames are the names of all groups, sorted.
func (c *Catalogue) GroupNames() []string {
	names := make([]string, 0, len(c.groups))
	for _, name := range c.groups {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Dependents are the applications over which an application may be found: the protocols that it
// runs over, and for a micro-application what it is part of.
func (c *Catalogue) Dependents(a *appdb.Application) []*appdb.Application {
	names := a.Over
	if a.Of != "" {
		names = append([]string{a.Of}, names...)
	}
	var over []*appdb.Application
	add := func(name string) {
		if d, ok := c.DB.Lookup(name); ok && d != a && !slices.Contains(over, d) {
			over = append(over, d)
		}
	}
	for _, name := range names {
		add(name)
	}
	for i := range a.Patterns {
		add(a.Patterns[i].Over)
	}
	return over
}

// DefaultPorts are the usual ports of an application; where it has none of its own, those of the
// applications over which it may be found.
func (c *Catalogue) DefaultPorts(a *appdb.Application) []appdb.PortRange {
	return c.defaultPorts(a, map[*appdb.Application]bool{})
}

func (c *Catalogue) defaultPorts(a *appdb.Application, seen map[*appdb.Application]bool) []appdb.PortRange {
	if len(a.Ports) > 0 || seen[a] {
		return a.Ports
	}
	seen[a] = true
	var ports []appdb.PortRange
	for _, d := range c.Dependents(a) {
		for _, r := range c.defaultPorts(d, seen) {
			if !slices.Contains(ports, r) {
				ports = append(ports, r)
			}
		}
	}
	return ports
}

// Obsolete are the applications and groups that will leave the signature package, sorted.
func (c *Catalogue) Obsolete() (applications, groups []string) {
	for _, a := range c.DB.Applications {
		if a.Flags&appdb.FlagObsolete != 0 {
			applications = append(applications, a.Name)
		}
	}
	slices.Sort(applications)
	return applications, c.obsolete
}

// groupName is the full name of a group.
func (c *Catalogue) groupName(name string) (string, bool) {
	name = strings.ToLower(name)
	full, ok := c.groups[name]
	if !ok {
		full, ok = c.groups[strings.ToLower(appdb.Prefix)+name]
	}
	return full, ok
}

func (c *Catalogue) membership(full string) membership {
	c.mu.Lock()
	defer c.mu.Unlock()
	m, ok := c.members[full]
	if !ok {
		m.list = c.DB.Members(full)
		m.set = make(map[*appdb.Application]bool, len(m.list))
		for _, a := range m.list {
			m.set[a] = true
		}
		c.members[full] = m
	}
	return m
}

// predefinedGroups are the predefined groups that an application is in, with those above them.
func (c *Catalogue) predefinedGroups(name string) []string {
	a, ok := c.DB.Lookup(name)
	if !ok {
		return nil
	}
	var groups []string
	for _, g := range a.Groups {
		for ; strings.HasPrefix(g, appdb.Prefix); g = g[:max(strings.LastIndexByte(g, ':'), 0)] {
			groups = append(groups, g)
		}
	}
	return groups
}
