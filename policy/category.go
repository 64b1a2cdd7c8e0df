package policy

import (
	"slices"

	"sluice/urlcat"
)

// anyCategory is the word of url-category that matches every session.
const anyCategory = "any"

// located says whether the categories of the address asked for are known, for good.
func (c *Content) located() bool { return c != nil && (c.Located || c.Final) }

// Categories are the categories of a web address; see [urlcat.Table.Categories].
func (e *Engine) Categories(host, target string) []string {
	return e.addresses.Categories(host, target)
}

// CategoryNames are the names of the configured categories.
func (e *Engine) CategoryNames() []string { return e.addresses.Names() }

// MatchesCategories says whether some policy looks at the category of what is asked for.
func (e *Engine) MatchesCategories() bool { return e.categories.named != nil }

// categoryTable has the policies that a category admits.
type categoryTable struct {
	base  bitmap            // policies that match every category
	named map[string]bitmap // the others, by category; nil when there are none
}

// newCategoryTable makes the table of the policies' categories.
func newCategoryTable(policies []*Policy) categoryTable {
	var base []uint32
	named := map[string][]uint32{}
	for i, p := range policies {
		if p.categories == nil {
			base = append(base, uint32(i))
		}
		for _, name := range p.categories {
			named[name] = append(named[name], uint32(i))
		}
	}
	if len(named) == 0 {
		return categoryTable{}
	}
	blocks := blocksFor(len(policies))
	t := categoryTable{base: bitmapOf(blocks, base), named: make(map[string]bitmap, len(named))}
	for name, positions := range named {
		t.named[name] = bitmapOf(blocks, sorted(positions))
	}
	return t
}

// maxCategories bounds the categories of one address that policies look at.
const maxCategories = 16

// categoryQuery is which policies the category of what a session asks for admits.
type categoryQuery struct {
	on    bool // false: all of them
	base  bitmap
	named [maxCategories]bitmap
	n     int
}

func (q *categoryQuery) word(w int) uint64 {
	word := q.base.word(w)
	for i := range q.n {
		word |= q.named[i].word(w)
	}
	return word
}

// certain are the policies that match the categories of c; while these are not known, those that
// match every category.
func (t *categoryTable) certain(c *Content) categoryQuery {
	if t.named == nil {
		return categoryQuery{}
	}
	q := categoryQuery{on: true, base: t.base}
	if !c.located() {
		return q
	}
	for _, name := range c.Categories {
		if m := t.named[name]; m != nil && q.n < maxCategories {
			q.named[q.n] = m
			q.n++
		}
	}
	return q
}

// possible are the policies that may match later.
func (t *categoryTable) possible(c *Content) categoryQuery {
	if !c.located() {
		return categoryQuery{}
	}
	return t.certain(c)
}

// compileCategories reads the lists of web addresses.
func (c *compiler) compileCategories() {
	table, problems := urlcat.Compile(&c.cfg.Security.UTM.CustomObjects, c.st.restarted())
	c.e.addresses = table
	c.problems = append(c.problems, problems...)
}

// matchCategories finds the categories that a policy names; nil for every session.
func (c *compiler) matchCategories(path string, names []string) []string {
	if slices.Contains(names, anyCategory) {
		if len(names) > 1 {
			c.problem(path, "keep either any or the categories", "any stands alone")
		}
		return nil
	}
	known := c.e.addresses.Names()
	for _, name := range names {
		if !slices.Contains(known, name) {
			c.unknown(path, name, func() []string { return known }, "URL category %q is not configured", name)
		}
	}
	return names
}
