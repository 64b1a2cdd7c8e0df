package appid

import (
	"time"

	"sluice/appid/asc"
	"sluice/sigpack"
)

// Status is what identification is doing.
type Status struct {
	// Enabled is false by configuration, and without a signature package.
	Enabled bool
	// Package is the signature package in force, nil when none is installed. It must not be
	// changed.
	Package *sigpack.Package
	// UnderDetection is the number of sessions whose application is not final.
	UnderDetection int64
	// InspectionMemory is what these hold, in bytes; MaxMemory the most they may, 0 for no limit.
	InspectionMemory, MaxMemory int64
	PerformanceMode             bool
	StatisticsInterval          time.Duration
	Cache                       CacheStatus
	Slots                       []Slot
	Signatures                  SignatureStatus
}

// CacheStatus is what the application system cache is doing.
type CacheStatus struct {
	Enabled               bool
	SecurityServices      bool // they rely on the cache
	MiscellaneousServices bool
	Entries, Capacity     int
	Timeout               time.Duration
}

// Slot is a state of the knowledge that sessions work with. Those that began before the last
// change finish with what they began with.
type Slot struct {
	Active   bool // new sessions begin with it
	Package  *sigpack.Package
	Sessions int64
}

// SignatureStatus is how far the patterns are that signatures look for.
type SignatureStatus struct {
	// Compiling is set while sessions still work with the patterns that were in force before.
	Compiling bool
	Since     time.Time // of the last change
	Patterns  int
	Error     string // why the patterns could not be compiled; those before stay in force
}

// Alarm is something that an operator should look at.
type Alarm struct {
	Since time.Time
	Class string // Major or Minor
	Text  string
}

// Status is what identification is doing.
func (s *Service) Status() Status {
	g := s.current.Load()
	s.mu.Lock()
	defer s.mu.Unlock()
	under := s.counters.underDetection()
	status := Status{
		Enabled: g.engine != nil, Package: s.pack, UnderDetection: under,
		InspectionMemory: s.state.Memory(), MaxMemory: g.settings.options.MaxMemory,
		PerformanceMode: g.settings.performance, StatisticsInterval: s.usage.Interval(),
		Cache: CacheStatus{
			Enabled: g.settings.cache, SecurityServices: g.settings.securityLookup, MiscellaneousServices: g.settings.miscLookup,
			Entries: s.cache.Len(), Capacity: asc.Capacity, Timeout: s.cache.Timeout(),
		},
	}
	if s.pack != nil {
		status.Slots = []Slot{{Active: true, Package: s.pack, Sessions: under}}
	}
	return status
}

// Alarms are what an operator should look at.
func (s *Service) Alarms() []Alarm {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Alarm, 0, len(s.alarms))
	for _, a := range s.alarms {
		list = append(list, a)
	}
	return list
}
