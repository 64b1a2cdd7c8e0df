// Package appid is what the gateway knows of applications now: a signature package and the
// configuration, made into an engine that finds out what sessions carry, and a catalogue of what
// there is to find. It keeps the cache of servers' applications and the statistics.
//
// The life of that knowledge is the order of the files: statements are checked and become
// applications (compile.go, custom.go, signature.go, group.go, limits.go), these an engine
// (prepare.go) that sessions use (session.go) until the next one takes over (swap.go). What
// operators decide by command rather than by statement is in operator.go.
package appid

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"sluice/appid/asc"
	"sluice/appid/usage"
	"sluice/classify"
	"sluice/classify/appdb"
	"sluice/sigpack"
	"sluice/store/schema"
)

// Packages knows the installed signature package.
type Packages interface {
	// Current is the package in force, or nil when it was uninstalled, and a number that grows
	// with every change.
	Current() (*sigpack.Package, uint64)
	// New are the names of its applications that the package before it had not.
	New() []string
}

// Options of a service.
type Options struct {
	// Dir is where compiled signatures are kept between starts; "": nowhere.
	Dir string
	// DB is the state database, for what operators decide by command; nil: it is forgotten at the
	// end of the process.
	DB *sql.DB
	// Logger; nil: slog.Default().
	Logger *slog.Logger
	// Clock tells the time; nil: time.Now.
	Clock func() time.Time
	// Packages knows the installed signature package; nil: the one that the program carries.
	Packages Packages
}

// Service is application identification on this gateway. It is an engine of the store, and any
// number of goroutines may use it.
type Service struct {
	dir      string
	log      *slog.Logger
	clock    func() time.Time
	packages Packages // nil: there is only one

	cache    *asc.Cache
	usage    *usage.Table
	state    *classify.State
	counters counters

	current   atomic.Pointer[generation] // never nil
	compiling sync.Mutex                 // held while patterns are compiled
	patience  time.Duration              // how long a commit waits for them

	// making is held while the next generation is made, and never by sessions. It guards what
	// follows.
	making sync.Mutex
	config *schema.Config // in force; never nil
	pack   *sigpack.Package
	base   *appdb.Database
	memory *memory

	// mu guards what follows, and is taken after making.
	mu       sync.Mutex
	alarms   map[string]Alarm
	onChange []func()
}

// New opens application identification with the installed package and an empty configuration.
// Nothing is identified until a configuration is applied.
func New(options Options) (*Service, error) {
	s := &Service{
		dir: options.Dir, log: options.Logger, clock: options.Clock, packages: options.Packages,
		patience: quick, config: &schema.Config{}, alarms: map[string]Alarm{},
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.clock == nil {
		s.clock = time.Now
	}
	s.cache, s.usage, s.state = asc.New(s.clock), usage.New(s.clock), classify.NewState(s.clock)
	s.ResetCounters()
	var err error
	if s.packages != nil {
		s.pack, _ = s.packages.Current()
	} else if s.pack, err = sigpack.Builtin(); err != nil {
		return nil, fmt.Errorf("signature package of the program: %w", err)
	}
	if s.memory, err = openMemory(context.Background(), options.DB); err != nil {
		return nil, err
	}
	s.base = s.database()
	s.current.Store(&generation{pack: s.pack, base: s.base, catalogue: newCatalogue(s.base), since: s.clock()})
	return s, nil
}

// Name names the engine in logs.
func (*Service) Name() string { return "appid" }

// Catalogue is what applications and groups there are now.
func (s *Service) Catalogue() *Catalogue { return s.current.Load().catalogue }

// Cache is the application system cache.
func (s *Service) Cache() *asc.Cache { return s.cache }

// Usage are the statistics of applications.
func (s *Service) Usage() *usage.Table { return s.usage }

// GroupUsage are the statistics of the predefined groups, by the members they have now.
func (s *Service) GroupUsage(p usage.Period) []usage.GroupRow {
	return s.usage.Groups(p, s.Catalogue().predefinedGroups)
}

// Obsolete are the applications and groups that will leave the signature package, sorted.
func (s *Service) Obsolete() (applications, groups []string) { return s.Catalogue().Obsolete() }

// OnChange has f called when the catalogue has changed other than by a commit: a package was
// installed, or an application was disabled. f is called without locks, and may ask the service.
func (s *Service) OnChange(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onChange = append(s.onChange, f)
}
