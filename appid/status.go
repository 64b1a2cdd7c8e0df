package appid

import (
	"maps"
	"slices"
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

// Slot is a package that sessions work with. Those that began before another one came into force
// finish with what they began with.
type Slot struct {
	Active   bool // new sessions begin with it
	Package  *sigpack.Package
	Sessions int64 // under detection
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
	status := Status{
		Enabled: g.engine != nil, Package: g.pack,
		InspectionMemory: s.state.Memory(), MaxMemory: g.settings.options.MaxMemory,
		PerformanceMode: g.settings.performance, StatisticsInterval: s.usage.Interval(),
		Cache: CacheStatus{
			Enabled: g.settings.cache, SecurityServices: g.settings.securityLookup, MiscellaneousServices: g.settings.miscLookup,
			Entries: s.cache.Len(), Capacity: asc.Capacity, Timeout: s.cache.Timeout(),
		},
		Signatures: SignatureStatus{Compiling: g.pending != nil, Since: g.since, Error: g.failure},
	}
	if g.patterns != nil {
		status.Signatures.Patterns = g.patterns.count
	}
	status.Slots, status.UnderDetection = s.slots(g.pack)
	return status
}

// slots are the packages that sessions work with, the one in force first, and the sum of their
// sessions.
func (s *Service) slots(active *sigpack.Package) (slots []Slot, sum int64) {
	under := s.counters.underDetection()
	if active != nil {
		slots = append(slots, Slot{Active: true, Package: active, Sessions: under[active]})
	}
	for pack, n := range under {
		sum += n
		if pack != active {
			slots = append(slots, Slot{Package: pack, Sessions: n})
		}
	}
	slices.SortStableFunc(slots[min(len(slots), 1):], func(a, b Slot) int { return b.Package.Version - a.Package.Version })
	return slots, sum
}

// Alarms are what an operator should look at, the oldest first.
func (s *Service) Alarms() []Alarm {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := slices.Collect(maps.Values(s.alarms))
	slices.SortFunc(list, func(a, b Alarm) int { return a.Since.Compare(b.Since) })
	return list
}

// alarmIf raises the alarm about something while there is anything wrong with it, and clears it
// when there is not. text is told how many things are wrong, and the first of them.
func (s *Service) alarmIf(about string, wrong []string, text func(n int, first string) string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(wrong) == 0 {
		delete(s.alarms, about)
		return
	}
	a := Alarm{Since: s.clock(), Class: "Minor", Text: text(len(wrong), wrong[0])}
	if s.alarms[about].Text == a.Text {
		return
	}
	s.log.Warn("application identification", "alarm", a.Text, "all", wrong)
	s.alarms[about] = a
}
