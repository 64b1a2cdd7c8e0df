package appid

import (
	"maps"
	"slices"
	"strings"

	"sluice/classify/appdb"
	"sluice/store/schema"
)

// group reads a custom group. What it names may be defined later; see members.
func (c *compiler) group(cfg *schema.ApplicationGroup) {
	path := root + " application-group " + cfg.Name
	lower := strings.ToLower(cfg.Name)
	switch {
	case strings.HasPrefix(lower, appdb.Prefix):
		c.problem(path, "choose a name without it; a copy of a predefined group begins with my:", "names that begin with %s belong to the signature package", appdb.Prefix)
		return
	case slices.Contains(reserved, lower):
		c.problem(path, "choose another name", "%s means something else where a group is named", cfg.Name)
		return
	case c.names[lower] != "":
		c.problem(path, "a policy that names it could mean either", "there is an application of this name")
		return
	case slices.ContainsFunc(c.groups, func(g appdb.Group) bool { return strings.EqualFold(g.Name, cfg.Name) }):
		c.problem(path, "case does not count", "there is a group of this name already")
		return
	}
	g := appdb.Group{Name: cfg.Name, Description: cfg.Description}
	for _, m := range cfg.Applications {
		if a, ok := c.named(m.Name); ok {
			g.Applications = append(g.Applications, a)
		} else {
			c.unknown(path+" applications", m.Name, "application", c.applicationNames)
		}
	}
	for _, m := range cfg.Groups {
		if name, ok := c.groupNamed(m.Name); ok {
			g.Groups = append(g.Groups, name)
		} else {
			c.unknown(path+" application-groups", m.Name, "application group", c.groupNames)
		}
	}
	for i := range cfg.TagGroups {
		c.tagGroup(path, &cfg.TagGroups[i], &g)
	}
	c.groups = append(c.groups, g)
}

// tagGroup reads tags of which an application must have one.
func (c *compiler) tagGroup(path string, cfg *schema.TagGroup, g *appdb.Group) {
	path += " tag-group " + cfg.Name
	if len(cfg.Tags) == 0 {
		c.problem(path, "set "+path+" application-tags TAG", "the tag group has no tags")
		return
	}
	for _, tag := range cfg.Tags {
		if _, known := c.tagsKnown[tag]; !known {
			c.unknown(path+" application-tags", tag, "tag", func() []string { return slices.Sorted(maps.Keys(c.tagsKnown)) })
		}
	}
	g.TagGroups = append(g.TagGroups, cfg.Tags)
}

// gather takes down which groups and tags there are. Custom groups come before predefined ones
// that are named without their prefix.
func (c *compiler) gather(own *schema.ApplicationIdentification) {
	c.groupsKnown, c.tagsKnown = map[string]string{}, map[string]struct{}{}
	for _, name := range append(c.base.GroupNames(), appdb.GroupNew, appdb.GroupUnassigned, appdb.GroupAny) {
		c.groupsKnown[strings.ToLower(name)] = name
	}
	for i := range own.Groups {
		c.groupsKnown[strings.ToLower(own.Groups[i].Name)] = own.Groups[i].Name
	}
	for _, list := range [...][]*appdb.Application{c.base.Applications, c.applications} {
		for _, a := range list {
			for _, tag := range a.Tags {
				c.tagsKnown[tag] = struct{}{}
			}
		}
	}
}

// named is the full name of an application, custom or predefined.
func (c *compiler) named(name string) (string, bool) {
	if full, ok := c.names[strings.ToLower(name)]; ok {
		return full, true
	}
	if a, ok := c.base.Lookup(name); ok {
		return a.Name, true
	}
	return "", false
}

// groupNamed is the full name of a group, custom or predefined.
func (c *compiler) groupNamed(name string) (full string, ok bool) {
	lower := strings.ToLower(name)
	if full, ok = c.groupsKnown[lower]; !ok {
		full, ok = c.groupsKnown[appdb.Prefix+lower]
	}
	return full, ok
}

func (c *compiler) applicationNames() []string {
	names := slices.Collect(maps.Values(c.names))
	for _, a := range c.base.Applications {
		names = append(names, a.Name)
	}
	return names
}

func (c *compiler) groupNames() []string { return slices.Collect(maps.Values(c.groupsKnown)) }

// cycles refuses groups that hold themselves.
func (c *compiler) cycles() {
	inner := map[string][]string{}
	for _, g := range c.groups {
		inner[g.Name] = g.Groups
	}
	for _, g := range c.groups {
		if way := wayTo(g.Name, g.Name, inner, map[string]bool{}); way != nil {
			c.problem(root+" application-group "+g.Name+" application-groups", "delete one of them",
				"the group holds itself: %s", strings.Join(append([]string{g.Name}, way...), " holds "))
		}
	}
}

// wayTo is how one group holds another, outermost first without the first; nil when it does not.
func wayTo(from, to string, inner map[string][]string, seen map[string]bool) []string {
	if seen[from] {
		return nil
	}
	seen[from] = true
	for _, next := range inner[from] {
		if next == to {
			return []string{to}
		}
		if way := wayTo(next, to, inner, seen); way != nil {
			return append([]string{next}, way...)
		}
	}
	return nil
}
