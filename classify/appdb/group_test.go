package appdb

import (
	"net/netip"
	"strings"
	"testing"
	"testing/fstest"

	"sluice/classify/decode"
)

const grouped = `
application SHOP
  category Web
  sub-category Shopping
  tags web money
  alias STORE
application FORUM
  category Web
  sub-category Social-Networking
  tags web people
  flags new
application DESKTOP
  category Remote
  tags remote people
protocol PLAIN
  risk 1
`

func groupedDatabase(t *testing.T) *Database {
	t.Helper()
	d, problems := LoadFS(fstest.MapFS{"a.apps": {Data: []byte(grouped)}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return d
}

func names(applications []*Application) string {
	var list []string
	for _, a := range applications {
		list = append(list, a.Short())
	}
	return strings.Join(list, " ")
}

// AG-4 to AG-9, AG-19, AI-132, AI-134: what is in predefined groups, in custom ones that hold
// applications, groups and tags, and in those that follow from the database.
func TestMembers(t *testing.T) {
	d, problems := groupedDatabase(t).With([]*Application{{Name: "mine", Custom: true}, {Name: "other", Custom: true}}, []Group{
		{Name: "my_web", Applications: []string{"junos:SHOP", "mine"}},
		{Name: "p2p", Groups: []string{"my_web", "junos:remote"}},
		{Name: "tagged", TagGroups: [][]string{{"web", "remote"}, {"people"}}},
		{Name: "empty"},
		{Name: "off", Disabled: true, Applications: []string{"mine"}},
		{Name: "around", Groups: []string{"off"}},
	})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for group, want := range map[string]string{
		"junos:web": "SHOP FORUM", "web": "SHOP FORUM", "junos:web:shopping": "SHOP", "JUNOS:Web": "SHOP FORUM",
		"my_web": "SHOP mine", "p2p": "SHOP DESKTOP mine", "tagged": "FORUM DESKTOP", "empty": "", "off": "", "around": "",
		"junos:all-new-apps": "FORUM", "unassigned": "PLAIN other", "any": "SHOP FORUM DESKTOP PLAIN mine other", "nothing": "",
	} {
		if got := names(d.Members(group)); got != want {
			t.Errorf("%s: %s, want %s", group, got, want)
		}
	}
}

// AG-13, AG-14: a predefined group that is disabled has no members, nor do the groups around it
// have those of its.
func TestDisabledGroup(t *testing.T) {
	d, problems := groupedDatabase(t).With(nil, []Group{{Name: "junos:web:shopping", Disabled: true}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for group, want := range map[string]string{"junos:web:shopping": "", "junos:web": "FORUM"} {
		if got := names(d.Members(group)); got != want {
			t.Errorf("%s: %s, want %s", group, got, want)
		}
	}
}

// CS-54: names in any case, with and without the prefix, and by alias; an overlay replaces what
// has the same name and leaves the database as it was.
func TestWith(t *testing.T) {
	d := groupedDatabase(t)
	shop, _ := d.Lookup("SHOP")
	off := *shop
	off.Disabled = true
	o, problems := d.With([]*Application{&off, {Name: "mine", Custom: true}}, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for name, want := range map[string]*Application{"junos:shop": &off, "Store": &off, "junos:STORE": &off, "MINE": o.Applications[len(o.Applications)-1]} {
		if a, ok := o.Lookup(name); !ok || a != want {
			t.Errorf("%s: %+v", name, a)
		}
	}
	if a, _ := d.Lookup("store"); a != shop || len(d.Applications) != 4 {
		t.Errorf("the database itself has changed: %+v", a)
	}
}

func TestWithProblems(t *testing.T) {
	_, problems := groupedDatabase(t).With([]*Application{{Name: "Mine"}, {Name: "mine2", Aliases: []string{"junos:SHOP"}}}, []Group{
		{Name: "g", Applications: []string{"nobody"}, Groups: []string{"nowhere"}},
		{Name: "a", Groups: []string{"b"}}, {Name: "b", Groups: []string{"c"}}, {Name: "c", Groups: []string{"a"}},
		{Name: "G"},
	})
	var got []string
	for _, p := range problems {
		got = append(got, p.Error())
	}
	want := []string{"junos:SHOP is already defined", "another group has this name", "g: there is no application nobody",
		"g: there is no group nowhere", "a: the group holds itself", "b: the group holds itself", "c: the group holds itself"}
	if len(got) != len(want) {
		t.Fatalf("%q", got)
	}
	for i := range want {
		if !strings.Contains(got[i], want[i]) {
			t.Errorf("%q, want %q", got[i], want[i])
		}
	}
}

// Signatures of a file become patterns of one member.
func TestPatterns(t *testing.T) {
	d, _ := LoadFS(fstest.MapFS{"a.apps": {Data: []byte(sample)}})
	a, _ := d.Lookup("FACEBOOK")
	if len(a.Patterns) != 1 || len(a.Patterns[0].Members) != 1 {
		t.Fatalf("%+v", a.Patterns)
	}
	if m := a.Patterns[0].Members[0]; m.Context != decode.HTTPUserAgent || m.Regexp != "^FB AN" || m.Depth != 64 || m.Directions != [2]bool{true, false} {
		t.Errorf("%+v", m)
	}
}

// CS-14: address and port must both match, where both are given.
func TestServerMapping(t *testing.T) {
	m := ServerMapping{Prefix: netip.MustParsePrefix("192.0.2.0/24"), Ports: []PortRange{{17, 5000, 6000}}}
	for server, want := range map[string]bool{"192.0.2.9:5500": true, "[::ffff:192.0.2.9]:5000": true, "192.0.2.9:6001": false, "192.0.3.9:5500": false} {
		if got := m.Has(17, netip.MustParseAddrPort(server)); got != want {
			t.Errorf("%s: %v", server, got)
		}
	}
	if m.Has(6, netip.MustParseAddrPort("192.0.2.9:5500")) {
		t.Error("the port of another protocol")
	}
}
