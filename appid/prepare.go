package appid

import (
	"reflect"
	"time"

	"sluice/classify"
	"sluice/classify/appdb"
	"sluice/sigpack"
	"sluice/store"
	"sluice/store/schema"
)

// generation is a state of the knowledge. It is replaced whole and never changed.
type generation struct {
	settings settings
	micros   []string         // told; nil: all
	pack     *sigpack.Package // nil: none is installed
	base     *appdb.Database  // of pack, with what operators have decided

	customs      []schema.CustomApplication
	applications []*appdb.Application // made of customs
	catalogue    *Catalogue

	patterns *patterns // nil: nothing is looked for
	pending  *job      // compiles the patterns that are to replace these; nil: they are those of the catalogue
	failure  string    // why that has failed
	since    time.Time

	engine *classify.Engine // nil when nothing is identified
}

// quick is how long a commit waits for patterns to be compiled, before it goes on with those that
// were in force.
const quick = 2 * time.Second

// Compile makes the catalogue of a configuration and reports everything that is wrong with it. It
// changes nothing.
func (s *Service) Compile(cfg *schema.Config) (*Catalogue, []schema.Problem) {
	s.making.Lock()
	defer s.making.Unlock()
	c := s.compile(cfg)
	return c.catalogue(), c.problems
}

// Prepare compiles a configuration. It changes nothing until the change is applied.
func (s *Service) Prepare(cfg *schema.Config) (store.Change, []schema.Problem) {
	s.making.Lock()
	defer s.making.Unlock()
	c := s.compile(cfg)
	if !onlyWarnings(c.problems) {
		return nil, c.problems
	}
	g := s.next(c, s.patience)
	return store.ChangeFunc(func() { s.apply(c, g) }), c.problems
}

// compile reads a configuration; s.making is held.
func (s *Service) compile(cfg *schema.Config) *compiler {
	c := &compiler{cfg: cfg, base: s.base, numbers: s.memory.numbering(), accepted: accepted(s.config)}
	if s.pack != nil {
		c.version = s.pack.Version
	}
	c.compile()
	return c
}

// next makes the generation of what was compiled. It waits some time for its patterns; s.making is
// held.
func (s *Service) next(c *compiler, wait time.Duration) *generation {
	before := s.current.Load()
	g := &generation{
		settings: settingsOf(c.cfg), pack: s.pack, base: s.base,
		customs: c.cfg.Services.ApplicationIdentification.Applications, applications: c.applications, since: s.clock(),
	}
	same := before.base == g.base && before.pending == nil && before.failure == "" && reflect.DeepEqual(before.customs, g.customs)
	if same { // so that the patterns in force are about these very applications
		c.applications, g.applications = before.applications, before.applications
	}
	g.catalogue = c.catalogue()
	g.micros = followed(c.cfg, g.catalogue)
	if !g.settings.enabled || g.pack == nil {
		return g
	}
	if g.patterns = before.patterns; !same || g.patterns == nil {
		g.pending = s.compilePatterns(g.catalogue.DB)
		g.settle(g.pending.wait(wait))
	}
	s.build(g)
	return g
}

// settle takes over the patterns when they are compiled.
func (g *generation) settle(done bool) {
	switch {
	case !done:
	case g.pending.err != nil:
		g.failure, g.pending = g.pending.err.Error(), nil
	default:
		g.patterns, g.pending = g.pending.patterns, nil
	}
}

// build makes the engine.
func (s *Service) build(g *generation) {
	options := g.settings.options
	if options.MicroApps {
		options.Micros = g.micros
	}
	if g.patterns != nil {
		options.Signatures = g.patterns
	}
	if g.settings.securityLookup {
		options.Cache = &cacheView{s, g.catalogue.DB}
	}
	if g.failure != "" {
		s.log.Error("signatures cannot be compiled, those before stay in force", "reason", g.failure)
	}
	var problems []appdb.Problem
	g.engine, problems = classify.Compile(g.catalogue.DB, s.state, options)
	for _, p := range problems {
		s.log.Warn("application database", "problem", p)
	}
}
