package appid

import (
	"fmt"
	"slices"
	"strings"

	"sluice/classify/appdb"
	"sluice/classify/decode"
	"sluice/classify/scan"
	"sluice/store/schema"
)

// root is the path of the statements.
const root = "services application-identification"

// compiler makes applications and groups of statements, and gathers everything wrong with them.
type compiler struct {
	cfg      *schema.Config
	base     *appdb.Database // of the package, with what operators have decided
	version  int             // of the package; 0: none is installed
	numbers  numbering
	accepted map[string]bool // references that are in force already
	vanished []string        // of these, what the package does not have any more

	problems []schema.Problem
	hints    int // nearest names looked for

	applications []*appdb.Application
	groups       []appdb.Group
	names        map[string]string // of custom applications, by themselves in lower case
	twins        map[string]string // paths of signatures and mappings, by what they say

	groupsKnown map[string]string   // names of groups, by themselves in lower case
	tagsKnown   map[string]struct{} // tags that applications have
}

// problem notes what is wrong at a path.
func (c *compiler) problem(path, hint, format string, args ...any) {
	c.problems = append(c.problems, schema.Problem{Path: path, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// warn notes something odd that a commit may go on with.
func (c *compiler) warn(path, hint, format string, args ...any) {
	c.problems = append(c.problems, schema.Problem{Path: path, Message: fmt.Sprintf(format, args...), Hint: hint, Warning: true})
}

// maxHints bounds the search for nearest names, as every search looks at every name.
const maxHints = 50

// unknown notes that there is nothing of a name. Where the same statement is in force already, a
// signature package has lost the name, and the configuration must stay valid without it.
func (c *compiler) unknown(path, name, what string, known func() []string) {
	reference := path + " " + name
	if c.accepted[reference] {
		c.vanished = append(c.vanished, reference)
		c.warn(path, "it matches nothing", "the signature package does not have %s %s any more", what, name)
		return
	}
	hint := "no signature package is installed"
	if c.version > 0 {
		hint = ""
		if c.hints++; c.hints <= maxHints {
			hint = didYouMean(name, known())
		}
	}
	c.problem(path, hint, "there is no %s %s", what, name)
}

// didYouMean is the hint that names what is spelt most like name, with or without the prefix of
// predefined names.
func didYouMean(name string, known []string) string {
	hint := schema.DidYouMean(name, known)
	if hint == "" && !strings.HasPrefix(strings.ToLower(name), appdb.Prefix) {
		hint = schema.DidYouMean(appdb.Prefix+name, known)
	}
	return hint
}

// unique refuses what something else says already, word by word.
func (c *compiler) unique(path, what, content string) {
	if other, taken := c.twins[content]; taken {
		c.problem(path, "a session could be either", "the %s is the same as [edit %s]", what, other)
		return
	}
	c.twins[content] = path
}

// dependsOnPackage is the first statement that decides by what sessions carry; "" for none.
func dependsOnPackage(cfg *schema.Config) string {
	if sets := cfg.Security.ApplicationFirewall.RuleSets; len(sets) > 0 {
		return "security application-firewall rule-sets " + sets[0].Name
	}
	for _, pair := range cfg.Security.Policies.ZonePairs {
		for _, p := range pair.Policies {
			if len(p.Match.DynamicApplication) > 0 {
				return "security policies from-zone " + pair.From + " to-zone " + pair.To + " policy " + p.Name + " match dynamic-application"
			}
		}
	}
	for _, p := range cfg.Security.Policies.Global.Policies {
		if len(p.Match.DynamicApplication) > 0 {
			return "security policies global policy " + p.Name + " match dynamic-application"
		}
	}
	return ""
}

// compile reads all statements.
func (c *compiler) compile() {
	c.names, c.twins = map[string]string{}, map[string]string{}
	own := &c.cfg.Services.ApplicationIdentification
	c.remarks(own)
	if path := dependsOnPackage(c.cfg); path != "" && c.version == 0 {
		c.warn(path, "request services application-identification download, then install",
			"no application signature package is installed: what sessions carry is not known, and only unknown applications are matched")
	}
	if len(own.Applications) > 0 && c.version == 0 {
		c.problem(root+" application "+own.Applications[0].Name,
			"request services application-identification download, then install",
			"custom applications need an application signature package, and none is installed")
		return
	}
	for i := range own.Applications {
		c.application(&own.Applications[i])
	}
	c.gather(own)
	for i := range own.Groups {
		c.group(&own.Groups[i])
	}
	c.cycles()
	c.switchedOff()
}

// switchedOff warns of groups that are named and that an operator has disabled.
func (c *compiler) switchedOff() {
	if !slices.ContainsFunc(c.base.Groups, func(g appdb.Group) bool { return g.Disabled }) {
		return
	}
	for _, r := range references(c.cfg) {
		if _, custom := c.names[strings.ToLower(r.name)]; custom {
			continue
		}
		full, ok := c.groupNamed(r.name)
		if g, stanza := c.base.LookupGroup(full); ok && stanza && g.Disabled {
			c.warn(r.path, "request services application-identification group enable "+g.Name, "group %s is disabled and matches nothing", g.Name)
		}
	}
}

// catalogue is what came out.
func (c *compiler) catalogue() *Catalogue {
	if len(c.applications)+len(c.groups) == 0 {
		return newCatalogue(c.base)
	}
	db, _ := c.base.With(c.applications, c.groups) // its problems are reported with their paths
	return newCatalogue(db)
}

// remarks warns of statements that are allowed and may not do what somebody expects.
func (c *compiler) remarks(own *schema.ApplicationIdentification) {
	if own.Cache.SecurityServices && !own.NoCache {
		c.warn(root+" application-system-cache security-services",
			"needed only where inspection of every session is too slow",
			"a client can pass one application off as another to a server that is in the cache")
	}
	if !own.NoIdentification {
		return
	}
	path, hint := root+" no-application-identification", "every session counts as unknown"
	if matchesApplications(c.cfg) {
		c.warn(path, hint, "policies match dynamic applications, and none is identified")
	}
	for _, z := range c.cfg.Security.Zones.SecurityZones {
		if z.ApplicationTracking {
			c.warn(path, hint, "applications of zone %s are tracked, and none is identified", z.Name)
			return
		}
	}
}

// member reads what a signature's pattern looks for and where.
func (c *compiler) member(path, over string, m *schema.SignatureMember) (member appdb.Member, ok bool) {
	before := len(c.problems)
	if member.Context = decode.ContextNamed(m.Context); m.Context == "" {
		c.problem(path, "set "+path+" context stream", "the member has no context")
	} else if member.Context == decode.NoContext {
		c.unknown(path+" context", m.Context, "context", decode.ContextNames)
	} else {
		c.place(path, over, member.Context)
		member.Directions, ok = directions(member.Context, m.Direction)
		if !ok {
			c.problem(path+" direction", "set "+path+" direction any", "context %s is never sent %s", m.Context, m.Direction)
		}
	}
	member.Regexp, member.Depth = m.Pattern, int(m.Depth)
	switch {
	case m.Pattern == "":
		c.problem(path, "set "+path+" pattern EXPRESSION", "the member has no pattern")
	case len(m.Pattern) > maxPattern:
		c.problem(path+" pattern", "", "the pattern is %d characters long, at most %d are allowed", len(m.Pattern), maxPattern)
	case member.Context != decode.NoContext:
		if err := scan.Check(m.Pattern, member.Context); err != nil {
			c.problem(path+" pattern", "the syntax is that of Hyperscan", "pattern %q cannot be used: %v", m.Pattern, err)
		}
	}
	return member, member.Context != decode.NoContext && onlyWarnings(c.problems[before:])
}

// maxPattern is the length of a pattern, in bytes.
const maxPattern = 128

// place refuses a context that never occurs in what the signature is over.
func (c *compiler) place(path, over string, context decode.Context) {
	switch family, known := families[strings.SplitN(context.String(), "-", 2)[0]]; {
	case context == decode.Stream:
	case over == "TCP" || over == "UDP":
		hint := "use a signature over the protocol that has it"
		if known {
			hint = "use over " + family[0]
		}
		c.problem(path+" context", hint, "over %s there is only the context stream, not %s", over, context)
	case known && !hasFold(family, over):
		c.warn(path+" context", "use over "+family[0], "context %s does not occur over %s, so the member never matches", context, over)
	}
}

func onlyWarnings(problems []schema.Problem) bool {
	for _, p := range problems {
		if !p.Warning {
			return false
		}
	}
	return true
}

func hasFold(list []string, word string) bool {
	for _, w := range list {
		if strings.EqualFold(w, word) {
			return true
		}
	}
	return false
}
