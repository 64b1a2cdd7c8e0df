package schema

import (
	"reflect"
	"strings"
	"testing"
)

// Every tag of the schema is complete and means something.
func TestGrammarIsSound(t *testing.T) {
	_, problems := build(reflect.TypeFor[Config]())
	for _, p := range problems {
		t.Error(p)
	}
}

// Each kind of mistake in a tag is noticed.
func TestMistakesInTagsAreNoticed(t *testing.T) {
	type entry struct {
		Name string `cfg:"name,key" help:"Name"`
	}
	type inertKey struct {
		Name string `cfg:"name,key,inert" help:"Name"`
	}
	type keyless struct {
		Name string `cfg:"name" help:"Name"`
	}
	for _, c := range []struct {
		name, want string
		of         any
	}{
		{"no help", "no help", struct {
			A string `cfg:"a"`
		}{}},
		{"reference to nothing", `ref "nowhere" is not a list`, struct {
			A string `cfg:"a" help:"A" ref:"nowhere"`
		}{}},
		{"reference to a leaf", `ref "b" is not a list`, struct {
			A string `cfg:"a" help:"A" ref:"b"`
			B string `cfg:"b" help:"B"`
		}{}},
		{"two of one keyword", `"a" names both a and a`, struct {
			A string `cfg:"a" help:"A"`
			B string `cfg:"a" help:"B"`
		}{}},
		{"alias is a keyword", `"a" names both a and b`, struct {
			A string `cfg:"a" help:"A"`
			B string `cfg:"b" help:"B" alias:"a"`
		}{}},
		{"keyword of every level", `"apply-groups" names both`, struct {
			A string `cfg:"apply-groups" help:"A"`
		}{}},
		{"unknown option", `unknown option "groupd"`, struct {
			A []entry `cfg:"a,groupd" help:"A"`
		}{}},
		{"unknown tag", `unknown tag "rnage"`, struct {
			A string `cfg:"a" help:"A" rnage:"1..2"`
		}{}},
		{"bad default", `"70000" is promised and refused`, struct {
			A uint16 `cfg:"a" help:"A" default:"70000"`
		}{}},
		{"default out of range", `"9" is promised and refused`, struct {
			A uint16 `cfg:"a" help:"A" default:"9" range:"1..8"`
		}{}},
		{"default of a pointer", "not a pointer", struct {
			A *uint16 `cfg:"a" help:"A" default:"9"`
		}{}},
		{"literal the type refuses", `"any" is promised and refused`, struct {
			A uint16 `cfg:"a" help:"A" literal:"any"`
		}{}},
		{"bad range", `range "8..1"`, struct {
			A uint16 `cfg:"a" help:"A" range:"8..1"`
		}{}},
		{"bad pattern", "pattern: error parsing regexp", struct {
			A string `cfg:"a" help:"A" pattern:"("`
		}{}},
		{"list without key", "a list needs keys", struct {
			A []keyless `cfg:"a" help:"A"`
		}{}},
		{"container with key", "a list needs keys", struct {
			A entry `cfg:"a" help:"A"`
		}{}},
		{"field without cfg", "field A has no cfg tag", struct{ A string }{}},
		{"impossible type", "cannot be a statement", struct {
			A float64 `cfg:"a" help:"A"`
		}{}},
		{"key without effect", "a key or value cannot be inert", struct {
			A []inertKey `cfg:"a" help:"A"`
		}{}},
		{"value without effect", "a key or value cannot be inert", struct {
			A string `cfg:"a,value,inert" help:"A"`
		}{}},
		{"capital letters", "is not a keyword", struct {
			A string `cfg:"Name" help:"A"`
		}{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, problems := build(reflect.TypeOf(c.of))
			if !strings.Contains(strings.Join(problems, "\n"), c.want) {
				t.Errorf("problems %q, want %q among them", problems, c.want)
			}
		})
	}
}

// Rows: ST-56.
func TestNormalize(t *testing.T) {
	at := func(path string) *Node {
		n := Root()
		for _, w := range strings.Fields(path) {
			if key := strings.TrimPrefix(w, "@"); key != w {
				for _, k := range n.Keys {
					if k.Keyword == key {
						n = k
					}
				}
				continue
			}
			if n = n.Child(w); n == nil {
				t.Fatalf("no %q in %q", w, path)
			}
		}
		return n
	}
	for _, c := range []struct{ path, text, want, problem string }{
		{"interfaces mtu", "1500", "1500", ""},
		{"interfaces mtu", "01500", "1500", ""},
		{"interfaces mtu", "70000", "", "mtu 70000 is out of range (range 576..65535 bytes)"},
		{"interfaces mtu", "big", "", `"big" is not a number (expected 576..65535 bytes)`},
		{"interfaces device", "a/b", "", "does not have the form of device"},
		{"interfaces device", "much-too-long-a-name", "", "device of 20 characters is out of range (1..15 characters)"},
		{"interfaces unit @number", "0", "0", ""},
		{"interfaces unit family inet address @prefix", "192.0.2.1", "192.0.2.1/32", ""},
		{"interfaces unit family inet address @prefix", "192.0.2.300/24", "", "is not an address or prefix"},
		{"security policies from-zone @from-zone", "", "", "an empty name"},
		{"applications application protocol", "6", "tcp", ""},
		{"applications application destination-port", "http", "80", ""},
		{"applications application icmp-type", "300", "", `"300" is not a number (expected 0..255)`},
		{"applications application inactivity-timeout", "never", "never", ""},
		{"applications application inactivity-timeout", "3", "", "out of range (range 4..129600 seconds)"},
		{"applications application application-protocol", "htpp", "", "did you mean http"},
		{"security log source-address", "2001:DB8::1", "2001:db8::1", ""},
		{"security log source-address", "", "", "is not an address"},
		{"routing-options static route @destination", "default", "0.0.0.0/0", ""},
		{"schedulers scheduler daily start-time @start", "08:00:00", "08:00", ""},
	} {
		got, err := at(c.path).Normalize(c.text)
		if got != c.want || (err == nil) != (c.problem == "") || err != nil && !strings.Contains(err.Error(), c.problem) {
			t.Errorf("%s %q: %q, %v; want %q, %q", c.path, c.text, got, err, c.want, c.problem)
		}
	}
}

func TestDefaultsFillFreshStructs(t *testing.T) {
	var c Config
	Root().SetDefaults(reflect.ValueOf(&c).Elem())
	if c.Security.Flow.MaximumSessions != 1000000 || c.Security.Log.Mode != "stream" || c.Security.Log.History.MaxRecords != 1000000 {
		t.Errorf("defaults are missing: %+v", c.Security.Flow)
	}
	if c.Security.Log.File != nil {
		t.Error("a default made a container exist whose presence means something")
	}
}

func TestMatchFindsAbbreviations(t *testing.T) {
	var got []string
	for _, n := range Root().Match("s") {
		got = append(got, n.Keyword)
	}
	if want := []string{"schedulers", "security", "services", "system"}; !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
