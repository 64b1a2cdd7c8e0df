package scan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"sluice/classify"
	"sluice/classify/appdb"
	"sluice/classify/decode"
)

// expression is one thing that Hyperscan looks for. The same regular expression in many patterns
// is looked for once.
type expression struct {
	regexp   string
	caseless bool
	depth    int  // a match must end here or before; 0: anywhere
	chain    bool // all matches are of interest, as their order counts
}

// compare puts those whose order counts first, so that they come into one database.
func (e expression) compare(o expression) int {
	return cmp.Or(
		cmp.Compare(bit(o.chain), bit(e.chain)),
		strings.Compare(e.regexp, o.regexp),
		cmp.Compare(e.depth, o.depth),
		cmp.Compare(bit(e.caseless), bit(o.caseless)),
	)
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// pattern is an alternative by which an application is recognised.
type pattern struct {
	hit   classify.Hit
	rank  int // precedence, smaller first
	of    *appdb.Pattern
	over  string   // short name of the protocol that the pattern is tied to; "": none
	among []string // those that the application is tied to; empty: any
	first uint32   // number of the first member; the others follow
}

// expression is what its i'th member looks for.
func (p *pattern) expression(i int) expression {
	m := &p.of.Members[i]
	return expression{m.Regexp, caseless(m.Context), m.Depth, p.of.Chain}
}

// member is a place of an expression in a pattern.
type member struct {
	pattern *pattern
	index   int
}

// number tells a member apart from those of all patterns. It begins with 1.
func (m member) number() uint32 { return m.pattern.first + uint32(m.index) }

// place is where expressions are looked for.
type place struct {
	context   decode.Context
	direction decode.Direction
}

// wanted is what is looked for in a place, and whose it is.
type wanted map[expression][]member

// collect makes the patterns of all applications, in the order of their precedence.
func collect(db *appdb.Database) (patterns []*pattern, problems []appdb.Problem) {
	for _, a := range db.Applications {
		for i := range a.Patterns {
			of := &a.Patterns[i]
			if err := checkPattern(of); err != nil {
				problems = append(problems, problem(a, of, err))
				continue
			}
			p := &pattern{of: of, hit: classify.Hit{Application: a, Name: of.Name, Order: cmp.Or(of.Order, a.Order)}}
			if !transport(of.Over) {
				p.over = of.Over
			}
			for _, o := range a.Over {
				p.among = append(p.among, strings.TrimPrefix(o, appdb.Prefix))
			}
			patterns = append(patterns, p)
		}
	}
	slices.SortStableFunc(patterns, precedence)
	next := uint32(1)
	for rank, p := range patterns {
		p.rank, p.first = rank, next
		next += uint32(len(p.of.Members))
	}
	return patterns, problems
}

// places says where to look for what. Expressions of a disabled application are looked for in
// vain, so that disabling one does not mean to compile anything anew.
func places(patterns []*pattern) map[place]wanted {
	places := map[place]wanted{}
	for _, p := range patterns {
		for i := range p.of.Members {
			e := p.expression(i)
			m := &p.of.Members[i]
			for d, on := range m.Directions {
				if !on {
					continue
				}
				at := place{m.Context, decode.Direction(d)}
				if places[at] == nil {
					places[at] = wanted{}
				}
				members := places[at][e]
				if !p.hit.Application.Disabled {
					members = append(members, member{p, i})
				}
				places[at][e] = members
			}
		}
	}
	return places
}

// problem tells why a pattern is left out.
func problem(a *appdb.Application, p *appdb.Pattern, err error) appdb.Problem {
	return appdb.Problem{Source: a.Source, Message: fmt.Sprintf("%s: signature %s: %v", a.Short(), p.Name, err)}
}

// wrong is what is wrong with a member.
func wrong(p *appdb.Pattern, i int, err error) error {
	return fmt.Errorf("member %d: %q: %w", i+1, p.Members[i].Regexp, err)
}

// checkPattern says what is wrong with a pattern, apart from what only Hyperscan knows.
func checkPattern(p *appdb.Pattern) error {
	switch {
	case len(p.Members) == 0:
		return fmt.Errorf("no members")
	case len(p.Members) > MaxMembers:
		return fmt.Errorf("%d members, at most %d", len(p.Members), MaxMembers)
	}
	for i, m := range p.Members {
		if m.Context.String() == "" {
			return fmt.Errorf("member %d: no context", i+1)
		}
		if err := checkSyntax(m.Regexp); err != nil {
			return wrong(p, i, err)
		}
	}
	return nil
}

// transport says whether a name says no more than what the packets do.
func transport(over string) bool { return over == "" || over == "TCP" || over == "UDP" }

// runsOver says whether a pattern may be found in a context over a protocol. Streams are shown once
// over TCP or UDP, and once more over the protocol that was found.
func (p *pattern) runsOver(c decode.Context, over string) bool {
	if over == "HTTP2" {
		over = "HTTP" // a version of it, to those who write signatures
	}
	switch {
	case c == decode.Stream && transport(over):
		return p.over == ""
	case c == decode.Stream || p.over != "":
		return p.over == over
	}
	return len(p.among) == 0 || slices.Contains(p.among, over)
}

// precedence orders patterns: those of custom applications with high priority, of predefined
// applications, of custom applications with low priority; among these by order (none is last);
// then by the name of the application and of the signature.
func precedence(p, o *pattern) int {
	return cmp.Or(
		cmp.Compare(class(p.hit.Application), class(o.hit.Application)),
		cmp.Compare(uint(p.hit.Order)-1, uint(o.hit.Order)-1),
		strings.Compare(p.hit.Application.Name, o.hit.Application.Name),
		strings.Compare(p.hit.Name, o.hit.Name),
	)
}

func class(a *appdb.Application) int {
	switch {
	case !a.Custom:
		return 1
	case a.Priority == appdb.High:
		return 0
	}
	return 2
}

// caseless says whether case is of no account in a context: it holds host names.
func caseless(c decode.Context) bool {
	switch c {
	case decode.HTTPHost, decode.SSLServerName, decode.SSLCommonName, decode.SSLSubjectAltName,
		decode.SSLECH, decode.QUICServerName, decode.DNSQuery, decode.DNSAnswer, decode.MailHost,
		decode.SIPHost, decode.MessagingHost, decode.ProxyTarget:
		return true
	}
	return false
}
