package track

import (
	"cmp"
	"fmt"
	"slices"
	"sync/atomic"
	"time"
)

// trackerCounts count what the pipeline did since the start.
type trackerCounts struct {
	records      [tagCount]Counter // asked for, whether or not an outlet wanted them
	ringDropped  Counter
	appFailed    Counter
	lastRingDrop atomic.Int64 // Unix nanoseconds
	cleared      atomic.Pointer[Counters]
}

// Counters are what show security application-tracking counters shows, since they were last cleared.
type Counters struct {
	Create uint64 `json:"session-create-messages"`
	Close  uint64 `json:"session-close-messages"`
	Volume uint64 `json:"session-volume-updates"`
	Route  uint64 `json:"session-route-updates"`
	Failed uint64 `json:"failed-messages"` // messages that did not reach one of their destinations
}

// Counters returns the message counters of application tracking.
func (t *Tracker) Counters() Counters {
	c := t.totals()
	if base := t.counts.cleared.Load(); base != nil {
		c.Create -= base.Create
		c.Close -= base.Close
		c.Volume -= base.Volume
		c.Route -= base.Route
		c.Failed -= base.Failed
	}
	return c
}

// ClearCounters makes Counters start from zero; the counters for Prometheus go on.
func (t *Tracker) ClearCounters() {
	c := t.totals()
	t.counts.cleared.Store(&c)
}

func (t *Tracker) totals() Counters {
	return Counters{
		Create: t.counts.records[AppCreate].Load(),
		Close:  t.counts.records[AppClose].Load(),
		Volume: t.counts.records[AppVolumeUpdate].Load(),
		Route:  t.counts.records[AppRouteUpdate].Load(),
		Failed: t.counts.appFailed.Load(),
	}
}

// Outlet is how one destination of security logs is doing.
type Outlet struct {
	Name    string    `json:"name"`   // "stream NAME", "file", "journal", "history"
	Kind    string    `json:"kind"`   // udp, tcp, tls, file, journal, history
	Target  string    `json:"target"` // where messages go
	Format  Format    `json:"format"`
	State   State     `json:"state"`
	Since   time.Time `json:"since"` // of State
	Error   string    `json:"error,omitzero"`
	Sent    uint64    `json:"sent"`
	Dropped uint64    `json:"dropped"` // since the queue was full or the destination lost them
	Queued  int       `json:"queued"`
}

// Outlets returns every destination in the order of the configuration.
func (t *Tracker) Outlets() []Outlet {
	t.outlets.RLock()
	defer t.outlets.RUnlock()
	list := make([]Outlet, 0, len(t.outlets.active))
	for _, o := range t.outlets.active {
		list = append(list, o.status())
	}
	return list
}

func (o *outlet) status() Outlet {
	queued, _ := o.waiting()
	o.health.Lock()
	defer o.health.Unlock()
	s := Outlet{
		Name: o.spec.name, Kind: string(o.spec.kind), Target: o.spec.target(), Format: o.spec.format,
		State: o.health.state, Since: o.health.since,
		Sent: o.counts.sent.Load(), Dropped: o.counts.dropped.Load(), Queued: queued,
	}
	if o.health.err != nil {
		s.Error = o.health.err.Error()
	}
	return s
}

// Alarm is something an operator should look at.
type Alarm struct {
	Since time.Time `json:"since"`
	Class string    `json:"class"` // Major or Minor
	Text  string    `json:"text"`
}

// dropAlarm is how long dropped records keep an alarm up.
const dropAlarm = 5 * time.Minute

// Alarms returns what is wrong now, oldest first.
func (t *Tracker) Alarms() []Alarm {
	now := t.opts.Now()
	var alarms []Alarm
	dropped := func(who string, last int64, count uint64) {
		if at := time.Unix(0, last); last != 0 && now.Sub(at) < dropAlarm {
			alarms = append(alarms, Alarm{Since: at, Class: "Minor",
				Text: fmt.Sprintf("%s drops messages (%d so far)", who, count)})
		}
	}
	dropped("security log", t.counts.lastRingDrop.Load(), t.counts.ringDropped.Load())
	t.outlets.RLock()
	for _, o := range t.outlets.active {
		s := o.status()
		if s.State == StateDown {
			alarms = append(alarms, Alarm{Since: s.Since, Class: "Major",
				Text: fmt.Sprintf("%s (%s) is down: %s", o.spec.title(), s.Target, s.Error)})
		}
		dropped(o.spec.title(), o.counts.lastDrop.Load(), s.Dropped)
	}
	t.outlets.RUnlock()
	if since, err := t.metrics.failure(); err != nil {
		alarms = append(alarms, Alarm{Since: since, Class: "Minor", Text: "metrics are not served: " + err.Error()})
	}
	slices.SortStableFunc(alarms, func(a, b Alarm) int { return cmp.Compare(a.Since.UnixNano(), b.Since.UnixNano()) })
	return alarms
}

// register exposes the pipeline's own counters.
func (t *Tracker) register() {
	r := t.registry
	r.Counters("sluice_log_records_total", "Security log records asked for, by tag", []string{"tag"}, func(emit Emit) {
		for _, tag := range Tags() {
			emit(float64(t.counts.records[tag].Load()), tag.String())
		}
	})
	r.Counter("sluice_log_ring_dropped_total", "Security log records dropped because the ring was full", t.counts.ringDropped.Load)
	r.Counter("sluice_apptrack_failed_total", "Application tracking messages that did not reach one of their destinations", t.counts.appFailed.Load)
	perOutlet := func(value func(o Outlet) float64) func(Emit) {
		return func(emit Emit) {
			for _, o := range t.Outlets() {
				emit(value(o), o.Name)
			}
		}
	}
	labels := []string{"outlet"}
	r.Counters("sluice_log_outlet_sent_total", "Messages that an outlet of the security log took", labels,
		perOutlet(func(o Outlet) float64 { return float64(o.Sent) }))
	r.Counters("sluice_log_outlet_dropped_total", "Messages that an outlet of the security log dropped", labels,
		perOutlet(func(o Outlet) float64 { return float64(o.Dropped) }))
	r.Gauges("sluice_log_outlet_queued", "Messages that wait for an outlet of the security log", labels,
		perOutlet(func(o Outlet) float64 { return float64(o.Queued) }))
	r.Gauges("sluice_log_outlet_up", "Whether an outlet of the security log works: 1, or 0", labels,
		perOutlet(func(o Outlet) float64 {
			if o.State == StateUp {
				return 1
			}
			return 0
		}))
}
