package policy

import (
	"strings"
	"testing"
)

const categoryBase = `
set security zones security-zone a interfaces eth0
set security zones security-zone b interfaces eth1
set security utm custom-objects url-pattern news value [ news.example *.news.example ]
set security utm custom-objects url-pattern shop value shop.example/cart
set security utm custom-objects custom-url-category NEWS value news
set security utm custom-objects custom-url-category SHOP value [ shop news ]
`

// pol is a policy from a to b.
func pol(name, match, then string) string {
	p := "set security policies from-zone a to-zone b policy " + name + " "
	return p + "match source-address any destination-address any application any " + match + "\n" + p + "then " + then + "\n"
}

// Each stage of what is known decides as far as it can; a policy with application and category needs
// both.
func TestURLCategory(t *testing.T) {
	e := compiled(t, categoryBase+
		pol("both", "dynamic-application junos:YOUTUBE url-category NEWS", "deny")+
		pol("news", "url-category NEWS", "reject")+
		pol("cart", "url-category SHOP", "permit")+
		pol("rest", "url-category any", "permit"))
	for _, c := range []struct {
		name    string
		content *Content
		policy  string
		open    bool
	}{
		{"nothing", nil, "cart", true},
		{"application only", &Content{Names: []string{"junos:YOUTUBE"}, Settled: true}, "cart", true},
		{"located in none, application open", &Content{Located: true}, "rest", false},
		{"located in news, application open", &Content{Located: true, Categories: e.Categories("www.news.example", "")}, "news", true},
		{"located in news, another application", &Content{Located: true, Names: []string{"junos:HTTP"}, Settled: true, Used: true, Categories: []string{"NEWS", "SHOP"}}, "news", false},
		{"both", &Content{Located: true, Names: []string{"junos:YOUTUBE"}, Settled: true, Used: true, Categories: []string{"NEWS"}}, "both", false},
		{"the application in another category", &Content{Located: true, Names: []string{"junos:YOUTUBE"}, Settled: true, Used: true, Categories: e.Categories("shop.example", "/cart/1")}, "cart", false},
		{"another page", &Content{Located: true, Names: []string{"junos:HTTP"}, Settled: true, Used: true, Categories: e.Categories("shop.example", "/")}, "rest", false},
		{"never located", &Content{Final: true, Names: []string{"junos:SSH"}}, "rest", false},
	} {
		f := flowFor(c.content)
		v := e.Lookup(&f)
		if v.Policy.Name != c.policy || v.Open != c.open {
			t.Errorf("%s: policy %s, open %v; want %s, %v", c.name, v.Policy.Name, v.Open, c.policy, c.open)
		}
		if n := testing.AllocsPerRun(10, func() { e.Lookup(&f) }); n != 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
	}
	if !e.MatchesCategories() || !e.LimitsContent() {
		t.Error("categories are matched, and the engine says not")
	}
}

func TestUnknownCategory(t *testing.T) {
	problems := problemsOf(t, categoryBase+pol("p", "url-category NEW", "permit"))
	if len(problems) == 0 || !strings.Contains(problems[0].Error()+problems[0].Hint, "NEWS") {
		t.Errorf("problems %v, want one that names NEWS", problems)
	}
}
