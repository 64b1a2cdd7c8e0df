package policy

import (
	"fmt"
	"net/netip"

	"sluice/store/schema"
)

// compiler gathers an engine and everything wrong with its configuration.
type compiler struct {
	cfg      *schema.Config
	st       *State
	e        *Engine
	problems []schema.Problem
	hints    int // nearest names looked for

	zones  map[string]*Zone
	books  []*book
	scopes map[string][]*book // by zone, "" for none
	masks  []uint32           // of wildcard addresses

	names       map[nameKey]*nameEntry
	literals    map[netip.Prefix]*address
	services    map[string]*service
	serviceSets map[string]*schema.ApplicationSet
	expanded    map[string][]*service
	openSets    []string // sets being expanded, to recognise cycles
	schedules   map[string]*schedule
	apps        Applications
	contents    []string // names of applications in use
	sets        map[string]*applicationSet
	firewalls   map[string]*Firewall
	messages    map[string]*Message
}

// problem notes what is wrong at path.
func (c *compiler) problem(path, hint, format string, args ...any) {
	c.problems = append(c.problems, schema.Problem{Path: path, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// warn notes something odd at path that a commit may go on with.
func (c *compiler) warn(path, hint, message string) {
	c.problems = append(c.problems, schema.Problem{Path: path, Message: message, Hint: hint, Warning: true})
}

// maxHints bounds the search for nearest names, as every search looks at every name.
const maxHints = 50

// unknown notes that name is not among known. The message says what was looked for and where.
func (c *compiler) unknown(path, name string, known func() []string, format string, args ...any) {
	hint := ""
	if c.hints++; c.hints <= maxHints {
		hint = schema.DidYouMean(name, known())
	}
	c.problem(path, hint, format, args...)
}

// unknownZone notes that a zone is not configured.
func (c *compiler) unknownZone(path, name string) {
	c.unknown(path, name, func() []string { return sortedKeys(c.zones) }, "zone %q is not configured", name)
}

// Compile makes the engine of a configuration. It reports everything that is wrong at once; the
// engine is only to be used when no problem but warnings is reported. Compile changes nothing
// that runs: an engine takes over by [Engine.Activate].
//
// Names of applications are looked up in apps.
func Compile(cfg *schema.Config, st *State, apps Applications) (*Engine, []schema.Problem) {
	c := &compiler{cfg: cfg, st: st, apps: apps, sets: map[string]*applicationSet{}, e: &Engine{st: st, apps: apps}}
	c.compileZones()
	c.compileBooks()
	c.compileServices()
	c.e.controlPorts = c.controlPorts()
	c.compileSchedules()
	c.compileCategories()
	c.compileFirewalls()
	c.compilePolicies()
	c.compileTranslations()
	c.buildTables()
	return c.e, c.problems
}

// buildTables turns the policies into the sets that lookups intersect.
func (c *compiler) buildTables() {
	e, n := c.e, len(c.e.policies)
	e.blocks = blocksFor(n)
	var source, destination sideBuilder
	var identified []uint32
	for i, p := range e.policies {
		at := uint32(i)
		match := &p.configured.Match
		source.policy(at, p.sources, match.SourceAddressExcluded)
		destination.policy(at, p.destinations, match.DestinationAddressExcluded)
		if !p.admits(nil) {
			identified = append(identified, at)
		}
		if s := c.schedules[p.Scheduler]; s != nil {
			s.users = append(s.users, at)
		}
	}
	e.source, e.destination = source.build(n), destination.build(n)
	e.identified = bitmapOf(e.blocks, identified)
	e.fromZone = newZoneTable(e.policies, func(p *Policy) []string { return p.fromZones })
	e.toZone = newZoneTable(e.policies, func(p *Policy) []string { return p.toZones })
	e.services = newServiceTable(e.policies)
	e.content = newContentTable(e.policies)
	e.categories = newCategoryTable(e.policies)
	e.contents = c.contents
	for _, name := range sortedKeys(c.schedules) {
		if s := c.schedules[name]; len(s.users) > 0 {
			e.schedules = append(e.schedules, s)
		}
	}
}

// policy notes what the policy at position p matches on this side.
func (b *sideBuilder) policy(p uint32, addresses []*address, excluded bool) {
	if len(addresses) == 0 || excluded {
		b.base = append(b.base, p)
	}
	for _, a := range addresses {
		b.name(p, a)
	}
}
