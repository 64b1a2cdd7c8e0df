package track

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// Counter counts events. It fills a cache line of its own, so that cores counting different
// things do not wait for each other. The zero value is ready.
type Counter struct {
	n atomic.Uint64
	_ [56]byte
}

// Inc adds one.
func (c *Counter) Inc() { c.n.Add(1) }

// Add adds n.
func (c *Counter) Add(n uint64) { c.n.Add(n) }

// Load returns the count.
func (c *Counter) Load() uint64 { return c.n.Load() }

// Registry holds every counter and gauge of the program as functions that read them: counting
// costs an atomic addition, and names and labels are looked up only when somebody asks. It is a
// [prometheus.Collector].
//
// Names start with sluice_, counters end in _total, and units are base units written out
// (seconds, bytes). A name that breaks these rules, or that is taken, is a mistake in the program:
// registering it panics.
type Registry struct {
	mu       sync.RWMutex
	families []family
}

// family is one metric with all its label values.
type family struct {
	name string
	help string
	kind prometheus.ValueType
	desc *prometheus.Desc
	each func(Emit)
}

// Emit reports one value with the values of its labels, in the order they were registered.
type Emit func(value float64, labels ...string)

// NewRegistry returns an empty registry.
func NewRegistry() *Registry { return &Registry{} }

// Counter registers a counter; value may be called from any goroutine.
func (r *Registry) Counter(name, help string, value func() uint64) {
	r.Counters(name, help, nil, func(emit Emit) { emit(float64(value())) })
}

// Gauge registers a gauge; value may be called from any goroutine.
func (r *Registry) Gauge(name, help string, value func() float64) {
	r.Gauges(name, help, nil, func(emit Emit) { emit(value()) })
}

// Counters registers a counter with labels; each emits every combination that exists, once.
func (r *Registry) Counters(name, help string, labels []string, each func(Emit)) {
	r.add(name, help, prometheus.CounterValue, labels, each)
}

// Gauges registers a gauge with labels; each emits every combination that exists, once.
func (r *Registry) Gauges(name, help string, labels []string, each func(Emit)) {
	r.add(name, help, prometheus.GaugeValue, labels, each)
}

func (r *Registry) add(name, help string, kind prometheus.ValueType, labels []string, each func(Emit)) {
	if err := checkName(name, help, kind, labels); err != nil {
		panic("track: " + err.Error())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if slices.ContainsFunc(r.families, func(f family) bool { return f.name == name }) {
		panic("track: the metric " + name + " is registered twice")
	}
	r.families = append(r.families, family{name, help, kind, prometheus.NewDesc(name, help, labels, nil), each})
}

var (
	namePattern  = regexp.MustCompile(`^sluice(_[a-z][a-z0-9]*)+$`)
	labelPattern = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
)

// checkName holds the rules for names, so that they cannot be forgotten.
func checkName(name, help string, kind prometheus.ValueType, labels []string) error {
	switch {
	case !namePattern.MatchString(name):
		return fmt.Errorf("the metric name %q is not of the form sluice_part_part", name)
	case kind == prometheus.CounterValue && !strings.HasSuffix(name, "_total"):
		return fmt.Errorf("the counter %s does not end in _total", name)
	case kind != prometheus.CounterValue && strings.HasSuffix(name, "_total"):
		return fmt.Errorf("%s ends in _total but is no counter", name)
	case help == "" || strings.HasSuffix(help, "."):
		return fmt.Errorf("the help of %s is not a phrase without a full stop", name)
	}
	for _, part := range strings.Split(name, "_") {
		switch part {
		case "ms", "us", "ns", "milliseconds", "microseconds", "minutes", "hours", "kb", "mb", "kbytes", "bits":
			return fmt.Errorf("the metric %s is not in a base unit (seconds, bytes)", name)
		}
	}
	for _, label := range labels {
		if !labelPattern.MatchString(label) {
			return fmt.Errorf("the label %q of %s is not lower case", label, name)
		}
	}
	return nil
}

// Describe sends nothing: families may be registered at any time.
func (r *Registry) Describe(chan<- *prometheus.Desc) {}

// Collect reads every counter.
func (r *Registry) Collect(out chan<- prometheus.Metric) {
	r.mu.RLock()
	families := r.families
	r.mu.RUnlock()
	for _, f := range families {
		f.each(func(value float64, labels ...string) {
			m, err := prometheus.NewConstMetric(f.desc, f.kind, value, labels...)
			if err != nil {
				m = prometheus.NewInvalidMetric(f.desc, err)
			}
			out <- m
		})
	}
}
