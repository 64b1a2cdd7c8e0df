package policy

import (
	"strings"
	"testing"

	"sluice/classify/appdb"
	"sluice/store/schema"
)

// oneApplication is a catalogue of one application.
type oneApplication struct{ appdb.Application }

func (o *oneApplication) Lookup(name string) (*appdb.Application, bool) {
	return &o.Application, name == o.Name
}
func (o *oneApplication) Group(string) ([]*appdb.Application, bool) { return nil, false }
func (o *oneApplication) Names() []string                           { return []string{o.Name} }

// categories is a configuration with the categories NEWS and SHOP.
func categories(policies ...schema.Policy) *schema.Config {
	cfg := office(between("trust", "untrust", policies...))
	cfg.Security.UTM.CustomObjects = schema.UTMObjects{
		Patterns:   []schema.URLPattern{{Name: "news", Value: []string{"*.news.example"}}, {Name: "cart", Value: []string{"shop.example/cart"}}},
		Categories: []schema.URLCategory{{Name: "NEWS", Value: []string{"news"}}, {Name: "SHOP", Value: []string{"cart", "news"}}},
	}
	return cfg
}

// about makes a policy for any addresses that matches applications and categories.
func about(name string, action Action, application string, category ...string) schema.Policy {
	p := rule(name, "any", "any", "any", action)
	if application != "" {
		p.Match.DynamicApplication = []string{application}
	}
	p.Match.URLCategory = category
	return p
}

// Each stage of what is known decides as far as it can; a policy with an application and a category
// needs both, and none of it allocates.
func TestURLCategory(t *testing.T) {
	st := NewState()
	t.Cleanup(st.Close)
	e, problems := Compile(categories(
		about("both", Deny, "junos:TUBE", "NEWS"), about("news", Reject, "", "NEWS"),
		about("cart", Permit, "", "SHOP"), about("rest", Permit, "", "any"),
	), st, &oneApplication{appdb.Application{Name: "junos:TUBE"}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	known := func(application string, categories []string) *Content {
		return &Content{Names: []string{application}, Settled: true, Used: true, Located: true, Categories: categories}
	}
	for _, c := range []struct {
		name    string
		content *Content
		policy  string
		open    bool
	}{
		{"nothing", nil, "cart", true},
		{"the application", &Content{Names: []string{"junos:TUBE"}, Settled: true, Used: true}, "cart", true},
		{"the category, which is none", &Content{Located: true}, "rest", false},
		{"the category", &Content{Located: true, Categories: []string{"NEWS"}}, "news", false},
		{"both, another application", known("junos:HTTP", e.Categories("www.news.example", "")), "news", false},
		{"both, as the policy says", known("junos:TUBE", []string{"NEWS"}), "both", false},
		{"both, another category", known("junos:TUBE", e.Categories("shop.example", "/cart/1")), "cart", false},
		{"both, another page", known("junos:HTTP", e.Categories("shop.example", "/")), "rest", false},
		{"all, without category", &Content{Final: true, Names: []string{"junos:SSH"}}, "rest", false},
	} {
		f := flow("tcp 192.0.2.1 1024 198.51.100.1 80")
		f.Content = c.content
		if v := e.Lookup(f); v.Policy.Name != c.policy || v.Open != c.open {
			t.Errorf("%s is known: policy %s, open %v; want %s, %v", c.name, v.Policy.Name, v.Open, c.policy, c.open)
		}
		if n := testing.AllocsPerRun(10, func() { e.Lookup(f) }); n != 0 {
			t.Errorf("%s is known: %v allocations", c.name, n)
		}
	}
	if !e.MatchesCategories() || !e.LimitsContent() {
		t.Error("policies match categories, and the engine does not say so")
	}
	if e := compile(t, categories(about("rest", Permit, "", "any"))); e.MatchesCategories() || e.LimitsContent() {
		t.Error("any is taken for a category")
	}
}

func TestUnknownCategory(t *testing.T) {
	st := NewState()
	t.Cleanup(st.Close)
	for want, names := range map[string][]string{"NEWS": {"NEW"}, "any": {"any", "NEWS"}} {
		_, problems := Compile(categories(about("p", Permit, "", names...)), st, nil)
		if len(problems) != 1 || problems[0].Warning || !strings.Contains(problems[0].Hint, want) {
			t.Errorf("%q: %v, want one that names %s", names, problems, want)
		}
	}
}
