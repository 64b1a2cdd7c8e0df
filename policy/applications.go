package policy

import (
	"encoding/binary"
	"slices"
	"strings"

	"sluice/classify/appdb"
)

// applicationSet is what one name of dynamic-application stands for: each full name of an application
// with the application that it is a use of, or "". Policies that say the same name share it.
type applicationSet struct{ of map[string]string }

// has says whether an application, by its full name, is in one of the sets.
func has(sets []*applicationSet, name string) bool {
	return slices.ContainsFunc(sets, func(s *applicationSet) bool { _, ok := s.of[name]; return ok })
}

// matchContent finds the applications that dynamic-application names. It is nil for what matches every
// session.
func (c *compiler) matchContent(path string, names []string) []*applicationSet {
	if slices.Contains(names, anyContent) || slices.Contains(names, noContent) {
		if len(names) > 1 {
			c.problem(path, "keep either that word or the applications", "any and none stand alone")
		}
		return nil
	}
	if len(names) == 0 {
		return nil
	}
	sets := make([]*applicationSet, len(names))
	for i, name := range names {
		sets[i] = c.applicationSet(path, name)
	}
	return sets
}

// applicationSet is the set that a name stands for.
func (c *compiler) applicationSet(path, name string) *applicationSet {
	if s := c.sets[name]; s != nil {
		return s
	}
	s := &applicationSet{of: map[string]string{}}
	if isUnknown(name) {
		s.of[appdb.Unknown] = ""
	} else {
		before := len(c.problems)
		for _, a := range c.dynamic(path, name) {
			s.of[a.Name] = useOf(a)
		}
		if len(c.problems) > before { // to be told wherever the name stands
			return s
		}
	}
	c.sets[name] = s
	return s
}

// applicationTable gathers which positions name which sets.
type applicationTable struct {
	positions map[*applicationSet][]uint32
	order     []*applicationSet // of first mention, so that builds repeat
}

// add notes that the policy at position p names set.
func (t *applicationTable) add(set *applicationSet, p uint32) {
	if t.positions == nil {
		t.positions = map[*applicationSet][]uint32{}
	}
	if _, known := t.positions[set]; !known {
		t.order = append(t.order, set)
	}
	t.positions[set] = append(t.positions[set], p)
}

// build makes the sets of positions that name each application, and a use of each. Applications that
// the same names stand for share theirs, however many policies name a large group.
func (t *applicationTable) build(blocks int) (named, uses map[string]bitmap) {
	namedBy, usedBy := map[string][]uint32{}, map[string][]uint32{}
	for i, set := range t.order {
		for name, of := range set.of {
			namedBy[name] = append(namedBy[name], uint32(i))
			if of != "" {
				usedBy[of] = append(usedBy[of], uint32(i))
			}
		}
	}
	shared := map[string]bitmap{}
	bitmaps := func(by map[string][]uint32) map[string]bitmap {
		m := make(map[string]bitmap, len(by))
		for name, sets := range by {
			sets = sorted(sets)
			key := string(binaryKey(sets))
			union, ok := shared[key]
			if !ok {
				union = t.union(blocks, sets)
				shared[key] = union
			}
			m[name] = union
		}
		return m
	}
	return bitmaps(namedBy), bitmaps(usedBy)
}

// union is the positions that name one of some sets.
func (t *applicationTable) union(blocks int, sets []uint32) bitmap {
	var positions []uint32
	for _, i := range sets {
		positions = append(positions, t.positions[t.order[i]]...)
	}
	return bitmapOf(blocks, sorted(positions))
}

// binaryKey is numbers as bytes, to find them by.
func binaryKey(numbers []uint32) (key []byte) {
	for _, n := range numbers {
		key = binary.BigEndian.AppendUint32(key, n)
	}
	return key
}

// useOf is the full name of the application that a is a use of, or "".
func useOf(a *appdb.Application) string {
	if a.Kind != appdb.Micro || a.Of == "" {
		return ""
	}
	return appdb.Prefix + strings.TrimPrefix(a.Of, appdb.Prefix)
}

// isUnknown says whether a name of dynamic-application stands for sessions that nothing matched.
func isUnknown(name string) bool {
	return strings.EqualFold(strings.TrimPrefix(name, appdb.Prefix), strings.TrimPrefix(appdb.Unknown, appdb.Prefix))
}

// find lists the applications that a name means.
func (c *compiler) find(name string) (list []*appdb.Application, ok bool) {
	if c.apps == nil {
		return nil, false
	}
	if a, ok := c.apps.Lookup(name); ok {
		return []*appdb.Application{a}, true
	}
	return c.apps.Group(name)
}

// dynamic lists the applications that a name of dynamic-application means; none, and a problem,
// when it is unknown. A name that an earlier configuration was accepted with, and that a package
// took away since, only warns.
func (c *compiler) dynamic(path, name string) []*appdb.Application {
	if list, ok := c.find(name); ok {
		c.contents = append(c.contents, name)
		return list
	}
	if c.st.hadContent(name) {
		c.contents = append(c.contents, name)
		c.warn(path, "delete it, or install a package that has it",
			"application "+name+" is no longer in the signature package: it matches nothing")
		return nil
	}
	known := func() []string { return nil }
	if c.apps != nil {
		known = c.apps.Names
	}
	c.unknown(path, name, known, "application %q is neither in the signature package nor configured", name)
	return nil
}
