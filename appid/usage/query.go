package usage

import (
	"cmp"
	"slices"
	"strings"
)

// Row is the count of one application. An application that was met both ways has two.
type Row struct {
	Name      string `json:"name"` // full ("junos:HTTP"), or Unknown
	Encrypted bool   `json:"encrypted"`
	Counts
}

// GroupRow is the count of one group.
type GroupRow struct {
	Name string `json:"name"`
	Counts
}

// Applications are the counts by application, sorted by name. A session counts for its base
// protocol and for its application.
func (t *Table) Applications(p Period) []Row {
	type line struct {
		name      string
		encrypted bool
	}
	sums := map[line]*Counts{}
	t.each(p, func(k *combination, c *Counts) {
		for _, name := range k.names() {
			add(sums, line{name, k.encrypted}, c)
		}
	})
	rows := make([]Row, 0, len(sums))
	for l, c := range sums {
		rows = append(rows, Row{l.name, l.encrypted, *c})
	}
	slices.SortFunc(rows, func(a, b Row) int {
		if order := strings.Compare(a.Name, b.Name); order != 0 {
			return order
		}
		return cmp.Compare(rank(a.Encrypted), rank(b.Encrypted))
	})
	return rows
}

// Groups are the counts by group, sorted by name. groupsOf tells the groups of an application as
// they are now; a session counts once for each group that one of its applications is in.
func (t *Table) Groups(p Period, groupsOf func(application string) []string) []GroupRow {
	sums := map[string]*Counts{}
	t.each(p, func(k *combination, c *Counts) {
		var groups []string
		for _, name := range k.names() {
			groups = append(groups, groupsOf(name)...)
		}
		slices.Sort(groups)
		for _, group := range slices.Compact(groups) {
			add(sums, group, c)
		}
	})
	rows := make([]GroupRow, 0, len(sums))
	for name, c := range sums {
		rows = append(rows, GroupRow{name, *c})
	}
	slices.SortFunc(rows, func(a, b GroupRow) int { return strings.Compare(a.Name, b.Name) })
	return rows
}

// each shows what was counted in a period; what has no session in it is left out.
func (t *Table) each(p Period, show func(*combination, *Counts)) {
	now := t.clock()
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		interval := s.renew(t.epoch.Load()).intervals(now)
		for k, of := range s.tallies {
			of.roll(interval)
			if c := of.of(p); c.Sessions > 0 {
				show(&k, c)
			}
		}
		s.mu.Unlock()
	}
}

func (t *tally) of(p Period) *Counts {
	switch p {
	case Current:
		return &t.current
	case Past:
		return &t.past
	}
	return &t.total
}

// names are the applications that a session counts for.
func (k *combination) names() []string {
	switch {
	case k.base == "" && k.nested == "":
		return []string{Unknown}
	case k.nested == "" || k.nested == k.base:
		return []string{k.base}
	case k.base == "":
		return []string{k.nested}
	}
	return []string{k.base, k.nested}
}

func add[K comparable](sums map[K]*Counts, k K, c *Counts) {
	if sums[k] == nil {
		sums[k] = new(Counts)
	}
	sums[k].add(c)
}

func rank(b bool) int {
	if b {
		return 1
	}
	return 0
}
