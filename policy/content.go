package policy

import (
	"slices"
	"strings"

	"sluice/classify/appdb"
	"sluice/store/schema"
)

// Applications are the applications that dynamic-application may name: those of the signature
// package and those of the configuration. A nil one has none.
type Applications interface {
	// Lookup finds an application by its name or an earlier one, in any case, with or without
	// "junos:".
	Lookup(name string) (*appdb.Application, bool)
	// Group lists the applications of a group and of the groups in it.
	Group(name string) ([]*appdb.Application, bool)
	// Names are the names of all applications and groups.
	Names() []string
}

// Content is what is known of a session's application.
type Content struct {
	// Names are the full names that dynamic-application may match: the application, what it is
	// used for, a tunnel around it; or the protocol where no application is known.
	Names []string
	// Lasting is how many of Names, from the first, hold whatever else becomes known, such as the
	// custom application of the server's address.
	Lasting int
	// Settled says that the application itself is known: all that may still come is what it is
	// used for, or one of Coming in its place.
	Settled bool
	// Coming are the full names of custom applications that may still be found.
	Coming []string
	// Used says that what the application is used for is known, too.
	Used bool
	// Categories are the categories of the web address that is asked for, as Located says that they
	// are known.
	Categories []string
	Located    bool
	// Final says that nothing more will be known. Until then the session may carry something else
	// later, one transaction after another.
	Final bool
}

// Sure are the names that hold; the others give way to what may still come. named says whether
// somebody asks for a name.
func (c *Content) Sure(named func(name string) bool) []string {
	switch {
	case c == nil:
		return nil
	case c.Final, c.Settled && !slices.ContainsFunc(c.Coming, named):
		return c.Names
	}
	return c.Names[:c.Lasting]
}

// UnknownContent is the content of a session that is not identified.
var UnknownContent = &Content{Names: []string{appdb.Unknown}, Settled: true, Final: true}

// Words of dynamic-application that match every session.
const (
	anyContent = "any"
	noContent  = "none"
)

// contentTable has the policies that an application admits.
type contentTable struct {
	base    bitmap            // policies that match every application
	limited bitmap            // policies that do not match everything: an application or a category
	permits bitmap            // those of these that let sessions pass
	named   map[string]bitmap // policies that match an application, by its full name
	uses    map[string]bitmap // those that match a use (a micro-application) of an application
}

// newContentTable makes the table of the policies' applications.
func newContentTable(policies []*Policy) contentTable {
	var base, limited, permits []uint32
	var sets applicationTable
	for i, p := range policies {
		at := uint32(i)
		if p.applications == nil {
			base = append(base, at)
		}
		if p.applications == nil && p.categories == nil {
			continue
		}
		limited = append(limited, at)
		if p.Action == Permit || p.LogOnly {
			permits = append(permits, at)
		}
		for _, set := range p.applications {
			sets.add(set, at)
		}
	}
	blocks := blocksFor(len(policies))
	t := contentTable{base: bitmapOf(blocks, base), limited: bitmapOf(blocks, limited), permits: bitmapOf(blocks, permits)}
	t.named, t.uses = sets.build(blocks)
	return t
}

// maxNames bounds the names of a session that are matched.
const maxNames = 24

// contentQuery is which policies a content admits: those of base and those of named, and of these,
// where that is given, only those of within.
type contentQuery struct {
	on     bool // false: all of them
	base   bitmap
	named  [maxNames]bitmap
	n      int
	within bitmap
}

func (q *contentQuery) add(m bitmap) {
	if m != nil && q.n < maxNames {
		q.named[q.n] = m
		q.n++
	}
}

func (q *contentQuery) word(w int) uint64 {
	word := q.base.word(w)
	for i := range q.n {
		word |= q.named[i].word(w)
	}
	if q.within != nil {
		word &= q.within.word(w)
	}
	return word
}

// limits says whether some policy names an application.
func (t *contentTable) limits(name string) bool { return t.named[name] != nil }

// certain are the policies that match c whatever else becomes known. Where only the protocol is
// known, the application in it will be matched in its place, so the protocol's policies are not
// among them.
func (t *contentTable) certain(c *Content) contentQuery {
	q := contentQuery{on: true, base: t.base}
	for _, name := range c.Sure(t.limits) {
		q.add(t.named[name])
	}
	return q
}

// possible are the policies that may match later; passing: those of them that would let the session
// pass.
func (t *contentTable) possible(c *Content, passing bool) contentQuery {
	q := contentQuery{on: true}
	if c == nil || !c.Settled || len(c.Names)+len(c.Coming) > maxNames/3 {
		q.base = t.limited
		if passing {
			q.base = t.permits
		}
		return q
	}
	for _, name := range c.Names {
		if !c.Used {
			q.add(t.uses[name])
		}
		if len(c.Coming) > 0 {
			q.add(t.named[name])
		}
	}
	for _, name := range c.Coming {
		q.add(t.named[name])
	}
	if !c.located() { // those that match the application wait for the category
		q.base = t.base
		for _, name := range c.Names {
			q.add(t.named[name])
		}
	}
	if passing {
		q.within = t.permits
		if t.permits == nil {
			q.base, q.n = nil, 0
		}
	}
	return q
}

// LimitsContent says whether some policy or rule set looks at the application of sessions, so that
// sessions are worth identifying for their policy.
func (e *Engine) LimitsContent() bool { return e.content.limited != nil || e.ruled }

// warnAboutPackets warns of names of a policy's dynamic-application that are known by addresses, ports
// or the IP protocol alone, which the other terms of the policy say as well. Those by ICMP type have no
// other way.
func (c *compiler) warnAboutPackets(path string, names []string) {
	if c.apps == nil {
		return
	}
	for _, name := range names {
		a, ok := c.apps.Lookup(name)
		if !ok || len(a.Patterns)+len(a.ICMP) > 0 {
			continue
		}
		if len(a.IPProtocols)+len(a.Servers) > 0 || strings.HasPrefix(a.Name, ipProtocols) {
			c.warn(path, "match destination-address and application, or junos-defaults, instead",
				"application "+a.Name+" is known by addresses, ports or the IP protocol alone, with the first packet")
		}
	}
}

// ipProtocols begins the names of predefined applications that are IP protocols.
const ipProtocols = appdb.Prefix + "IPP-"

// defaultServices is the service that junos-defaults stands for in a policy: the usual ports of its
// dynamic applications, or of the protocols that these run over where they have none.
func (c *compiler) defaultServices(path string, names []string) *service {
	s := &service{name: junosDefaults}
	seen := map[term]bool{}
	add := func(a *appdb.Application) {
		for _, r := range a.Ports {
			t := term{protocol: schema.Protocol(r.Protocol), source: everyPort, key: portSpan{r.Low, r.High}}
			if !seen[t] {
				seen[t] = true
				s.terms = append(s.terms, t)
			}
		}
	}
	for _, name := range names {
		list, _ := c.find(name)
		for _, a := range list {
			add(a)
			if len(a.Ports) > 0 {
				continue
			}
			for _, over := range append([]string{a.Of}, a.Over...) {
				if p, ok := c.apps.Lookup(over); ok && over != "" {
					add(p)
				}
			}
		}
	}
	if len(s.terms) == 0 {
		c.problem(path, "name the applications by protocol and port, or any",
			"junos-defaults stands for the usual ports of dynamic applications, and those of the policy have none")
	}
	return s
}
