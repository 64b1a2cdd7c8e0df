package view

import (
	"strconv"
	"strings"
)

// Applications is the answer of "show services application-identification application".
type Applications struct {
	Applications []ApplicationRow `json:"applications"`
}

// ApplicationRow is an application in a list.
type ApplicationRow struct {
	Name     string `json:"name"`
	ID       uint64 `json:"id"`
	Micro    bool   `json:"micro-application"`
	Custom   bool   `json:"custom"`
	Disabled bool   `json:"disabled"`
	Risk     int    `json:"risk"`     // 1 to 5, 0 where not said
	Category string `json:"category"` // Web, with its sub-category: Web/Social-Networking
}

// Text shows how many there are, and a line for each.
func (a *Applications) Text(p *Page) {
	var micro, custom int
	rows := make([][]string, len(a.Applications))
	for i, app := range a.Applications {
		if app.Micro {
			micro++
		}
		if app.Custom {
			custom++
		}
		rows[i] = []string{app.Name, yesNo(app.Disabled), strconv.FormatUint(app.ID, 10), or(strings.TrimPrefix(strconv.Itoa(app.Risk), "0"), "N/A"), or(app.Category, "N/A")}
	}
	p.Line("Application(s): %d", len(a.Applications)-micro)
	p.Line("Micro-Application(s): %d", micro)
	p.Line("Custom application(s) among them: %d", custom)
	p.Table([]string{"Application", "Disabled", "ID", "Risk", "Category"}, rows)
}

// ApplicationDetail is the answer of "show services application-identification application detail".
type ApplicationDetail struct {
	Name            string   `json:"name"`
	Type            string   `json:"type"`
	Title           string   `json:"title"`
	Description     string   `json:"description"`
	ID              uint64   `json:"id"`
	Priority        string   `json:"priority"` // high or low
	Kind            string   `json:"kind"`     // application, protocol or micro-application
	Custom          bool     `json:"custom"`
	Disabled        bool     `json:"disabled"`
	Obsolete        bool     `json:"obsolete"`
	New             bool     `json:"new"`
	Of              string   `json:"of"` // the application of a micro-application
	Category        string   `json:"category"`
	SubCategory     string   `json:"sub-category"`
	Groups          []string `json:"groups"`
	Risk            int      `json:"risk"` // 1 to 5, 0 where not said
	Characteristics []string `json:"characteristics"`
	Tags            []string `json:"tags"`
	Ports           []string `json:"ports"` // tcp/80
	Over            []string `json:"over"`
	Aliases         []string `json:"aliases"` // earlier names
	References      []string `json:"references"`
}

// Text shows the fields of the guide's sample, and then what else is known.
func (a *ApplicationDetail) Text(p *Page) {
	p.Line("Application Name: %s", a.Name)
	p.Line("Application type: %s", a.Type)
	p.Line("Description: %s", or(a.Description, "N/A"))
	p.Line("Application ID: %d", a.ID)
	p.Line("Priority: %s", a.Priority)
	kind := a.Kind
	if kind == "application" {
		kind = ""
	}
	for _, field := range []struct{ name, value string }{
		{"Title", a.Title},
		{"Kind", kind},
		{"Parent application", a.Of},
		{"Category", a.Category},
		{"Sub-category", a.SubCategory},
		{"Risk", strings.TrimPrefix(strconv.Itoa(a.Risk), "0")},
		{"Groups", strings.Join(a.Groups, ", ")},
		{"Characteristics", strings.Join(a.Characteristics, ", ")},
		{"Tags", strings.Join(a.Tags, ", ")},
		{"Default ports", strings.Join(a.Ports, ", ")},
		{"Runs over", strings.Join(a.Over, ", ")},
		{"Earlier names", strings.Join(a.Aliases, ", ")},
		{"References", strings.Join(a.References, " ")},
	} {
		if field.value != "" {
			p.Line("%s: %s", field.name, field.value)
		}
	}
	for _, mark := range []struct {
		name string
		set  bool
	}{{"Disabled", a.Disabled}, {"New", a.New}, {"Obsolete", a.Obsolete}} {
		if mark.set {
			p.Line("%s: Yes", mark.name)
		}
	}
}

// ApplicationNames is a list of applications or groups of one sort.
type ApplicationNames struct {
	Heading string   `json:"heading"`
	Counted bool     `json:"counted"` // the heading tells how many there are
	Names   []string `json:"names"`
}

// Text shows one name on a line.
func (n *ApplicationNames) Text(p *Page) {
	if n.Counted {
		p.Line("%s: %d", n.Heading, len(n.Names))
	} else {
		p.Line("%s", n.Heading)
	}
	for _, name := range n.Names {
		p.Line("%s", name)
	}
}

// ApplicationGroups is the answer of "show services application-identification group".
type ApplicationGroups struct {
	Groups []ApplicationGroup `json:"groups"`
	Detail bool               `json:"detail"`
}

// ApplicationGroup is a set of applications that policies can name.
type ApplicationGroup struct {
	Name         string   `json:"name"`
	Description  string   `json:"description"`
	Custom       bool     `json:"custom"`
	Disabled     bool     `json:"disabled"`
	Obsolete     bool     `json:"obsolete"`
	Groups       []string `json:"groups"`       // groups right below it
	Applications []string `json:"applications"` // with those of the groups below it
	Count        int      `json:"count"`        // of Applications, which a plain list leaves out
}

// Text shows a line for each group, or in detail its applications in the layout of the guide.
func (g *ApplicationGroups) Text(p *Page) {
	if g.Detail {
		for i := range g.Groups {
			p.Line("  application group %s {", g.Groups[i].Name)
			for _, name := range g.Groups[i].Applications {
				p.Line("    %s;", name)
			}
			p.Line("  }")
		}
		return
	}
	rows := make([][]string, len(g.Groups))
	for i := range g.Groups {
		group := &g.Groups[i]
		rows[i] = []string{group.Name, yesNo(group.Disabled), strconv.Itoa(group.Count), or(group.Description, "N/A")}
	}
	p.Line("Application Group(s): %d", len(g.Groups))
	p.Table([]string{"Application Group", "Disabled", "Applications", "Description"}, rows)
}
