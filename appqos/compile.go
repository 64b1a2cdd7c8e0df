package appqos

import (
	"fmt"

	"sluice/classify/appdb"
	"sluice/store/schema"
)

// What a configuration may have (guide, "Rate Limiters and Profiles").
const (
	maxProfiles = 16
	maxLimiters = 1000
)

// Applications are the applications that rules may name: those of the signature package and those of
// the configuration. A nil one has none.
type Applications interface {
	// Lookup finds an application by its name or an earlier one, in any case, with or without
	// "junos:".
	Lookup(name string) (*appdb.Application, bool)
	// Group lists the applications of a group and of the groups in it.
	Group(name string) ([]*appdb.Application, bool)
	// Names are the names of all applications and groups.
	Names() []string
}

// Engine is a compiled configuration. It is safe for concurrent use.
type Engine struct {
	state    *State
	sets     []*RuleSet
	byName   map[string]*RuleSet
	fallback *RuleSet         // the default; nil for none
	links    map[string]*link // by logical interface
	limiters []*Limiter
	names    map[string]bool // of applications, as configured
}

// RuleSets are the rule sets, in the order of the configuration.
func (e *Engine) RuleSets() []*RuleSet { return e.sets }

// Counters are the counters of all sessions.
func (e *Engine) Counters() *Counters { return &e.state.Counters }

// Activate lets the state forget what e does not have. It is called when e takes over, after a commit.
func (e *Engine) Activate() { e.state.keep(e) }

// compiler gathers an engine and what is wrong with its configuration.
type compiler struct {
	cfg      *schema.Config
	apps     Applications
	e        *Engine
	problems []schema.Problem
	classes  map[string]*Class
	points   map[string]CodePoint
	limiters map[string]*Limiter
	users    map[string]string // rule set that uses a limiter, by its name
}

const controlPath = "class-of-service application-traffic-control "

// Compile makes the engine of a configuration. It reports everything that is wrong at once; the engine
// is only to be used when no problem but warnings is reported. Names of applications are looked up in
// apps.
func Compile(cfg *schema.Config, st *State, apps Applications) (*Engine, []schema.Problem) {
	c := &compiler{
		cfg: cfg, apps: apps, e: &Engine{state: st, byName: map[string]*RuleSet{}, links: map[string]*link{}, names: map[string]bool{}},
		classes: map[string]*Class{}, points: map[string]CodePoint{}, limiters: map[string]*Limiter{}, users: map[string]string{},
	}
	c.compileClasses()
	c.compileAliases()
	c.compileLinks()
	c.compileLimiters()
	for i := range cfg.ClassOfService.TrafficControl.RuleSets {
		c.compileSet(&cfg.ClassOfService.TrafficControl.RuleSets[i])
	}
	if d := cfg.Security.NGFW.DefaultProfile.TrafficControl; d != nil {
		c.e.fallback = c.e.byName[d.RuleSet]
	}
	c.warnAboutPolicies()
	return c.e, c.problems
}

// problem notes what is wrong at path.
func (c *compiler) problem(path, hint, format string, args ...any) {
	c.problems = append(c.problems, schema.Problem{Path: path, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// warn notes something odd at path that a commit may go on with.
func (c *compiler) warn(path, hint, format string, args ...any) {
	c.problems = append(c.problems, schema.Problem{Path: path, Message: fmt.Sprintf(format, args...), Hint: hint, Warning: true})
}

// defaultClasses are the forwarding classes that need no statement, by their queue.
var defaultClasses = [...]string{"best-effort", "expedited-forwarding", "assured-forwarding", "network-control"}

// compileClasses reads the forwarding classes, in both spellings.
func (c *compiler) compileClasses() {
	for queue, name := range defaultClasses {
		c.classes[name] = &Class{name, uint8(queue)}
	}
	statement := map[string]string{}
	add := func(path, name string, queue uint8) {
		if other := statement[name]; other != "" && c.classes[name].Queue != queue {
			c.problem(path, "keep one of the two", "forwarding class %s is in queue %d by %s", name, c.classes[name].Queue, other)
			return
		}
		statement[name], c.classes[name] = path, &Class{name, queue}
	}
	classes := &c.cfg.ClassOfService.ForwardingClasses
	for _, q := range classes.Queues {
		add(fmt.Sprintf("class-of-service forwarding-classes queue %d", q.Number), q.Class, q.Number)
	}
	for _, f := range classes.Classes {
		if f.Queue != nil {
			add("class-of-service forwarding-classes class "+f.Name, f.Name, *f.Queue)
		}
	}
}

// compileAliases reads the names of code points; one of the configuration's own displaces another.
func (c *compiler) compileAliases() {
	for name, point := range aliases {
		c.points[name] = point
	}
	for _, a := range c.cfg.ClassOfService.CodePointAliases.DSCP {
		c.points[a.Name], _ = parseBits(a.Bits)
	}
}

// compileLimiters reads the rate limiters.
func (c *compiler) compileLimiters() {
	configured := c.cfg.ClassOfService.TrafficControl.Limiters
	profiles := map[Profile]bool{}
	for _, l := range configured {
		p := Profile{l.Bandwidth, l.Burst}
		if p.Bandwidth == 0 {
			continue // reported as missing
		}
		if p.Burst == 0 {
			p.Burst = defaultBurst(p.Bandwidth)
		}
		profiles[p] = true
		limiter := c.e.state.limiter(l.Name, p)
		c.limiters[l.Name] = limiter
		c.e.limiters = append(c.e.limiters, limiter)
	}
	if n := len(configured); n > maxLimiters {
		c.problem(controlPath+"rate-limiters", "let rules of a rule set share limiters", "there are %d rate limiters, and at most %d may be", n, maxLimiters)
	}
	if n := len(profiles); n > maxProfiles {
		c.problem(controlPath+"rate-limiters", "give limiters the same bandwidth-limit and burst-size-limit",
			"there are %d different pairs of bandwidth-limit and burst-size-limit, and at most %d may be", n, maxProfiles)
	}
}

// compileSet compiles one rule set.
func (c *compiler) compileSet(configured *schema.TrafficRuleSet) {
	set := &RuleSet{Name: configured.Name}
	path := controlPath + "rule-sets " + set.Name
	last := "" // rule after which none is reached
	for i := range configured.Rules {
		r := c.compileRule(path, set, &configured.Rules[i])
		if last != "" {
			c.warn(path+" rule "+r.Name, "insert it before rule "+last, "rule %s matches every session, so this one is never reached", last)
		}
		if r.any && last == "" {
			last = r.Name
		}
		set.Rules = append(set.Rules, r)
	}
	c.e.sets = append(c.e.sets, set)
	c.e.byName[set.Name] = set
}

// compileRule compiles one rule of a set.
func (c *compiler) compileRule(path string, set *RuleSet, configured *schema.TrafficRule) *Rule {
	path += " rule " + configured.Name
	match, then := &configured.Match, &configured.Then
	r := &Rule{
		Name: configured.Name, Set: set, CodePoint: Unmarked, LossPriority: lossPriority(then.LossPriority),
		Defer: then.RateLimit.LossPriorityHigh, Log: then.Log, names: map[string]bool{}, any: match.Any, known: match.Known, unknown: match.Unknown,
		hits: c.e.state.rule(set.Name, configured.Name),
	}
	if !r.any && !r.known && !r.unknown && len(match.Applications)+len(match.Groups) == 0 {
		c.problem(path+" match", "add application, application-group or application-any", "the rule matches nothing")
	}
	for _, name := range match.Applications {
		c.name(r, path+" match application", name, false)
	}
	for _, name := range match.Groups {
		c.name(r, path+" match application-group", name, true)
	}
	if then.ForwardingClass != "" {
		r.Class = c.class(path+" then forwarding-class", then.ForwardingClass)
	}
	if then.CodePoint != "" {
		r.CodePoint = c.point(path+" then dscp-code-point", then.CodePoint)
	}
	c.limit(r, ClientToServer, path+" then rate-limit client-to-server", then.RateLimit.ClientToServer)
	c.limit(r, ServerToClient, path+" then rate-limit server-to-client", then.RateLimit.ServerToClient)
	if r.Defer && r.Limiters == [2]*Limiter{} {
		c.warn(path+" then rate-limit loss-priority-high", "add client-to-server or server-to-client", "the rule names no rate limiter, so nothing exceeds one")
	}
	return r
}

// class is the forwarding class with a name; nil, and a problem, when there is none.
func (c *compiler) class(path, name string) *Class {
	class := c.classes[name]
	if class == nil {
		hint := schema.DidYouMean(name, sortedKeys(c.classes))
		if hint == "" {
			hint = "set class-of-service forwarding-classes queue 4 " + name
		}
		c.problem(path, hint, "forwarding class %q is not configured", name)
	}
	return class
}

// point is the code point that a text means; Unmarked, and a problem, when it means none.
func (c *compiler) point(path, text string) CodePoint {
	if point, ok := parseBits(text); ok {
		return point
	}
	if point, ok := c.points[text]; ok {
		return point
	}
	hint := "write six bits, such as 101110, or a name, such as af22"
	if near := schema.DidYouMean(text, sortedKeys(c.points)); near != "" {
		hint = near
	}
	c.problem(path, hint, "code point %q is not known", text)
	return Unmarked
}

// limit gives a direction of r its limiter. One limiter is for one rule set.
func (c *compiler) limit(r *Rule, d Direction, path, name string) {
	if name == "" {
		return
	}
	if other, used := c.users[name]; used && other != r.Set.Name {
		c.problem(path, "configure another limiter with the same limits", "rate limiter %s is used by rule set %s, and one limiter cannot serve two rule sets", name, other)
		return
	}
	c.users[name] = r.Set.Name
	r.Limiters[d] = c.limiters[name]
}
