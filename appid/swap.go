package appid

import (
	"fmt"
	"reflect"

	"sluice/classify/appdb"
	"sluice/internal/lull"
	"sluice/sigpack"
	"sluice/store/schema"
)

// forever has next wait for patterns however long they take.
const forever = -1

// apply puts a prepared configuration in force.
func (s *Service) apply(c *compiler, g *generation) {
	s.making.Lock()
	defer s.making.Unlock()
	if g.base != s.base { // a package came between
		c = s.compile(c.cfg)
		g = s.next(c, s.patience)
	}
	s.install(c, g)
}

// install lets new sessions begin with g; s.making is held. Those in progress finish with the
// engine they began with.
func (s *Service) install(c *compiler, g *generation) {
	before := s.current.Load()
	if err := s.memory.keep(c.numbers.fresh); err != nil {
		s.log.Warn("numbers of custom applications are not kept and may change at the next start", "error", err)
	}
	s.config = c.cfg
	s.cache.SetTimeout(g.settings.timeout)
	s.usage.SetInterval(g.settings.interval)
	s.current.Store(g)
	if !g.settings.cache || !reflect.DeepEqual(before.customs, g.customs) {
		s.cache.Flush()
	}
	s.alarmIf("vanished", lost(c.cfg, g.catalogue), func(n int, first string) string {
		more := ""
		if n > 1 {
			more = fmt.Sprintf(" and %d more", n-1)
		}
		return fmt.Sprintf("the signature package does not have what is named by %s%s", first, more)
	})
	s.watch(g)
}

// watch has the patterns of a generation follow when they are compiled.
func (s *Service) watch(g *generation) {
	var failures []string
	if g.failure != "" {
		failures = []string{g.failure}
	}
	s.alarmIf("signatures", failures, func(_ int, reason string) string {
		return "signatures cannot be compiled, those before stay in force: " + reason
	})
	if g.pending == nil {
		return
	}
	go func() {
		g.pending.wait(forever)
		s.making.Lock()
		defer s.making.Unlock()
		if s.current.Load() != g {
			return // what came after it compiles its own
		}
		next := *g
		next.settle(true)
		next.since = s.clock()
		s.build(&next)
		s.current.Store(&next)
		s.cache.Flush() // what sessions without these patterns have found
		s.watch(&next)
	}()
}

// Resume tells the service which configuration was in force when the gateway stopped. What it
// names and the signature package does not have any more is then a warning and an alarm, and does
// not keep the gateway from starting. Call it once, before the first commit.
func (s *Service) Resume(cfg *schema.Config) {
	s.making.Lock()
	defer s.making.Unlock()
	s.config = cfg
}

// Activate puts a signature package in force, nil for none, with the configuration as it is.
// Sessions in progress finish with what they began with. When it fails, nothing has changed.
func (s *Service) Activate(p *sigpack.Package) error {
	return s.replace(func() error {
		s.pack = p
		return nil
	})
}

// replace makes the next generation after a change of what the configuration builds upon.
func (s *Service) replace(change func() error) error {
	defer lull.Begin()() // the work on a large package is long
	if err := s.replaceLocked(change); err != nil {
		return err
	}
	s.mu.Lock()
	told := s.onChange
	s.mu.Unlock()
	for _, f := range told {
		f()
	}
	return nil
}

func (s *Service) replaceLocked(change func() error) error {
	s.making.Lock()
	defer s.making.Unlock()
	pack, base := s.pack, s.base
	if err := change(); err != nil {
		return err
	}
	s.base = s.database()
	c := s.compile(s.config)
	for _, p := range c.problems {
		s.log.Warn("configuration and signature package", "problem", p.Error())
	}
	g := s.next(c, forever)
	if g.failure != "" {
		s.pack, s.base = pack, base
		return fmt.Errorf("compiling the signatures: %s", g.failure)
	}
	s.install(c, g)
	return nil
}

// database is that of the package, with what operators have decided.
func (s *Service) database() *appdb.Database {
	if s.pack == nil {
		return appdb.New()
	}
	changed, groups := s.decided(s.pack.Database)
	if len(changed)+len(groups) == 0 {
		return s.pack.Database
	}
	db, problems := s.pack.Database.With(changed, groups)
	for _, p := range problems {
		s.log.Warn("application database", "problem", p)
	}
	return db
}
