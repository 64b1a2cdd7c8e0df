package usage

import (
	"slices"
	"sync"
	"testing"
	"time"

	"sluice/classify"
)

type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func newTest() (*Table, *clock) {
	at := &clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	t := New(at.Now)
	t.SetInterval(time.Minute)
	return t, at
}

func expect[R comparable](t *testing.T, what string, got []R, want ...R) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

// Rows: AI-34, AI-37, AI-39: sessions and bytes by application and by group; a session counts for
// what is inside it and for what it is inside of, and once for each group.
func TestCount(t *testing.T) {
	table, _ := newTest()
	table.Count(&Session{Base: "junos:SSL", Nested: "junos:FACEBOOK", Encrypted: true, How: classify.ByInspection, Bytes: 1000})
	table.Count(&Session{Base: "junos:SSL", Encrypted: true, How: classify.ByPreMatch, Bytes: 10})
	table.Count(&Session{Base: "junos:HTTP", Nested: "junos:FACEBOOK", How: classify.ByInspection, Bytes: 100})
	table.Count(&Session{How: classify.ByLimits, Bytes: 1})
	table.Count(&Session{Nested: "junos:FACEBOOK", How: classify.ByPreMatch, Bytes: 5})
	expect(t, "applications", table.Applications(Cumulative),
		Row{"junos:FACEBOOK", false, Counts{2, 105, 1, 1, 0}},
		Row{"junos:FACEBOOK", true, Counts{1, 1000, 1, 0, 0}},
		Row{"junos:HTTP", false, Counts{1, 100, 1, 0, 0}},
		Row{"junos:SSL", true, Counts{2, 1010, 1, 1, 0}},
		Row{"unknown", false, Counts{1, 1, 0, 0, 1}},
	)
	groups := map[string][]string{"junos:FACEBOOK": {"junos:web:social", "junos:web"}, "junos:HTTP": {"junos:web"}, "junos:SSL": {"junos:infrastructure"}}
	expect(t, "groups", table.Groups(Cumulative, func(name string) []string { return groups[name] }),
		GroupRow{"junos:infrastructure", Counts{2, 1010, 1, 1, 0}},
		GroupRow{"junos:web", Counts{3, 1105, 2, 1, 0}},
		GroupRow{"junos:web:social", Counts{3, 1105, 2, 1, 0}},
	)
	// AI-38: a change of the members takes effect, and the counts stay.
	groups["junos:SSL"] = []string{"junos:web"}
	if got := table.Groups(Cumulative, func(name string) []string { return groups[name] })[0]; got != (GroupRow{"junos:web", Counts{4, 1115, 2, 2, 0}}) {
		t.Errorf("after a change of the members: %+v", got)
	}
}

// Rows: AI-36, AI-41: intervals end by the clock, one past interval is kept.
func TestIntervals(t *testing.T) {
	table, at := newTest()
	one := func(bytes uint64) { table.Count(&Session{Base: "junos:SSH", How: classify.ByInspection, Bytes: bytes}) }
	bytes := func() (of [3]uint64) {
		for p := range of {
			for _, row := range table.Applications(Period(p)) {
				of[p] += row.Bytes
			}
		}
		return of
	}
	check := func(what string, cumulative, current, past uint64) {
		t.Helper()
		if got := bytes(); got != [3]uint64{cumulative, current, past} {
			t.Errorf("%s: %v, want %d %d %d", what, got, cumulative, current, past)
		}
	}
	one(1)
	at.now = at.now.Add(59 * time.Second)
	one(2)
	check("first interval", 3, 3, 0)
	at.now = at.now.Add(time.Second)
	check("its end", 3, 0, 3)
	one(4)
	check("second interval", 7, 4, 3)
	at.now = at.now.Add(time.Minute)
	one(8)
	check("third interval", 15, 8, 4)
	at.now = at.now.Add(2 * time.Minute)
	check("after an interval without sessions", 15, 0, 0)
	one(16)
	check("fifth interval", 31, 16, 0)
}

// Rows: AI-42, AI-43: everything is reset by command and by another length of the intervals, and
// not by the same one.
func TestReset(t *testing.T) {
	table, at := newTest()
	begun := at.now
	count := func() int { return len(table.Applications(Cumulative)) }
	session := &Session{Base: "junos:SSH"}
	table.Count(session)
	at.now = at.now.Add(time.Second)
	table.SetInterval(time.Minute)
	if count() != 1 || !table.LastReset().Equal(begun) {
		t.Error("the same interval has reset the counts")
	}
	table.SetInterval(2 * time.Minute)
	if count() != 0 || !table.LastReset().Equal(at.now) || table.Interval() != 2*time.Minute {
		t.Error("another interval has not reset the counts")
	}
	table.Count(session)
	at.now = at.now.Add(time.Second)
	table.Reset()
	if count() != 0 || len(table.Applications(Past)) != 0 || !table.LastReset().Equal(at.now) {
		t.Error("counts are left after a reset")
	}
}

// Rows: AI-40: sessions end on all cores at once, and none is lost.
func TestConcurrent(t *testing.T) {
	table := New(nil)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 2000 {
				table.Count(&Session{Base: "junos:SSH", How: classify.ByInspection, Bytes: 3})
			}
		})
		all.Go(func() { table.Applications(Current) })
	}
	all.Wait()
	expect(t, "applications", table.Applications(Cumulative), Row{"junos:SSH", false, Counts{8000, 24000, 8000, 0, 0}})
}

func BenchmarkCount(b *testing.B) {
	table := New(nil)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		s := Session{Base: "junos:SSL", Nested: "junos:FACEBOOK", Encrypted: true, Bytes: 1000}
		for pb.Next() {
			table.Count(&s)
		}
	})
}
