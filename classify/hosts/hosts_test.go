package hosts

import (
	"fmt"
	"strings"
	"testing"
)

func table(t testing.TB) *Table[string] {
	t.Helper()
	var table Table[string]
	for _, pattern := range []string{
		"example.com", "=exact.example.com", "cdn.example.com", "rr*.play.example.net", "=a*b.*.x.example.net",
		"search.*", "=maps.find.*", "mail.find.*",
	} {
		if err := table.Add(pattern, &pattern); err != nil {
			t.Fatal(err)
		}
	}
	return &table
}

func TestLookup(t *testing.T) {
	table := table(t)
	for host, want := range map[string]string{
		"example.com":                "example.com",
		"WWW.Example.COM.":           "example.com",
		"www.example.com:8443":       "example.com",
		"notexample.com":             "",
		"com":                        "",
		"":                           "",
		"..":                         "",
		"exact.example.com":          "=exact.example.com",
		"below.exact.example.com":    "example.com",
		"a.b.cdn.example.com":        "cdn.example.com",
		"rr4---sn.play.example.net":  "rr*.play.example.net",
		"x.rr4.play.example.net":     "rr*.play.example.net",
		"r4.play.example.net":        "",
		"play.example.net":           "",
		"axxb.any.x.example.net":     "=a*b.*.x.example.net",
		"z.axxb.any.x.example.net":   "",
		"axxc.any.x.example.net":     "",
		"search.de":                  "search.*",
		"www.search.co.uk":           "search.*",
		"search.example.org":         "",
		"research.de":                "",
		"maps.find.fr":               "=maps.find.*",
		"x.maps.find.fr":             "",
		"in.mail.find.com":           "mail.find.*",
		"find.com":                   "",
		string(make([]byte, 300)):    "",
		"example.com" + ".localhost": "",
	} {
		got := ""
		if v := table.Lookup([]byte(host)); v != nil {
			got = *v
		}
		if got != want {
			t.Errorf("%q belongs to %q, want %q", host, got, want)
		}
	}
}

func TestAddRefusesMalformedPatterns(t *testing.T) {
	table := table(t)
	for _, pattern := range []string{"", "=", ".com", "a..b", "a.b.", "a.b*", "example.com"} {
		if err := table.Add(pattern, new(string)); err == nil {
			t.Errorf("%q was accepted", pattern)
		}
	}
}

func TestLookupDoesNotAllocate(t *testing.T) {
	table, host := table(t), []byte("one.two.WWW.example.com:443")
	if n := testing.AllocsPerRun(100, func() { table.Lookup(host) }); n > 0 {
		t.Errorf("%v allocations a look-up", n)
	}
}

// A label is matched in reasonable time however many stars its pattern has.
func TestManyStars(t *testing.T) {
	pattern := strings.Repeat("*a", 60)
	label := []byte(strings.Repeat("a", 200))
	for _, c := range []struct {
		pattern string
		want    bool
	}{{pattern, true}, {pattern + "*", true}, {"**" + pattern, true}, {pattern + "*b", false}, {"b" + pattern, false}, {strings.Repeat("a", 200) + "*", true}} {
		if got := glob(c.pattern, label); got != c.want {
			t.Errorf("%s: %v", c.pattern, got)
		}
	}
}

func FuzzLookup(f *testing.F) {
	f.Add("www.search.co.uk:80", "s*.co.uk")
	f.Fuzz(func(t *testing.T, host, pattern string) {
		table := table(t)
		table.Add(pattern, &pattern)
		table.Lookup([]byte(host))
	})
}

func BenchmarkLookup(b *testing.B) {
	var table Table[string]
	for i := range 20000 {
		name := fmt.Sprintf("service%d.example.com", i)
		table.Add(name, &name)
	}
	hosts := [][]byte{[]byte("www.service123.example.com"), []byte("a.b.unknown.example.org")}
	for i := 0; b.Loop(); i++ {
		table.Lookup(hosts[i&1])
	}
}
