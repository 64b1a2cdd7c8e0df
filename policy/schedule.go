package policy

import (
	"time"

	"sluice/store/schema"
)

// schedule says when the policies that name it hold.
type schedule struct {
	name    string
	windows []dateWindow     // empty: on every date
	days    [7]*[]timeWindow // by time.Weekday; nil: no times on that day
	users   []uint32         // positions of the policies that name it
}

// dateWindow is a period between two moments; a zero stop never comes.
type dateWindow struct{ start, stop time.Time }

// timeWindow is a period of a day, in time since midnight.
type timeWindow struct{ start, stop time.Duration }

var wholeDay = []timeWindow{{0, 24 * time.Hour}}

// compileSchedules reads the schedulers.
func (c *compiler) compileSchedules() {
	c.schedules = map[string]*schedule{}
	list := c.cfg.Schedulers.Schedulers
	for i := range list {
		s := &list[i]
		c.schedules[s.Name] = c.schedule(s)
	}
}

// schedule compiles one scheduler.
func (c *compiler) schedule(s *schema.Scheduler) *schedule {
	path := "schedulers scheduler " + s.Name
	out := &schedule{name: s.Name}
	for _, w := range s.StartDate {
		window := dateWindow{start: w.Start.Time}
		if w.Stop != nil {
			window.stop = w.Stop.Time
			if !window.stop.After(window.start) {
				c.problem(path+" start-date "+w.Start.Format("2006-01-02.15:04")+" stop-date", "", "the period ends before it begins")
			}
		}
		out.windows = append(out.windows, window)
	}
	days := [7]*schema.Day{s.Sunday, s.Monday, s.Tuesday, s.Wednesday, s.Thursday, s.Friday, s.Saturday}
	stated := s.Daily != nil
	for i, day := range days {
		stated = stated || day != nil
		if day == nil {
			day = s.Daily
		}
		out.days[i] = c.day(path, day)
	}
	if !stated {
		if len(out.windows) == 0 {
			c.problem(path, "add daily, a weekday or start-date", "the scheduler has no times")
		}
		for i := range out.days {
			out.days[i] = &wholeDay
		}
	}
	return out
}

// day compiles the times of one day.
func (c *compiler) day(path string, d *schema.Day) *[]timeWindow {
	switch {
	case d == nil || d.Exclude:
		return nil
	case d.AllDay || len(d.Times) == 0:
		return &wholeDay
	}
	var times []timeWindow
	for _, t := range d.Times {
		if t.Stop <= t.Start {
			text, _ := t.Start.MarshalText()
			c.problem(path+" start-time "+string(text)+" stop-time", "split a period at midnight: until 24:00 on one day, from 00:00 on the next", "the period ends before it begins")
			continue
		}
		times = append(times, timeWindow{time.Duration(t.Start), time.Duration(t.Stop)})
	}
	return &times
}

// at says whether the schedule holds at now, and until when that answer is good.
func (s *schedule) at(now time.Time) (active bool, until time.Time) {
	year, month, day := now.Date()
	until = time.Date(year, month, day+1, 0, 0, 0, 0, now.Location())
	sooner := func(t time.Time) {
		if t.After(now) && t.Before(until) {
			until = t
		}
	}
	inDate := len(s.windows) == 0
	for _, w := range s.windows {
		sooner(w.start)
		if !w.stop.IsZero() {
			sooner(w.stop)
		}
		inDate = inDate || !now.Before(w.start) && (w.stop.IsZero() || now.Before(w.stop))
	}
	inDay := false
	if times := s.days[now.Weekday()]; times != nil {
		for _, t := range *times {
			// Through time.Date, so that a time is what clocks show on days they are changed.
			start := time.Date(year, month, day, 0, 0, int(t.start/time.Second), 0, now.Location())
			stop := time.Date(year, month, day, 0, 0, int(t.stop/time.Second), 0, now.Location())
			sooner(start)
			sooner(stop)
			inDay = inDay || !now.Before(start) && now.Before(stop)
		}
	}
	return inDate && inDay, until
}

// holding is which policies hold by their schedules, from one moment until another.
type holding struct {
	from, until time.Time
	policies    bitmap
}

// holding returns the policies that hold at now. The answer is remembered until a schedule
// changes it or the clock is set back; lookups that find it outdated at the same time work out
// the same answer.
func (e *Engine) holding(now time.Time) bitmap {
	if h := e.held.Load(); h != nil && !now.Before(h.from) && now.Before(h.until) {
		return h.policies
	}
	h := &holding{from: now, until: now.AddDate(0, 0, 1)}
	set := newBitset(len(e.policies))
	for i := range e.policies {
		set.add(uint32(i))
	}
	for _, s := range e.schedules {
		active, until := s.at(now)
		if until.Before(h.until) {
			h.until = until
		}
		if !active {
			for _, p := range s.users {
				set.remove(p)
			}
		}
	}
	h.policies = set.bitmap()
	e.held.Store(h)
	return h.policies
}
