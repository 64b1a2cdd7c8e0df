package policy

import (
	"testing"
	"time"

	"sluice/store/schema"
)

// moment reads a local time.
func moment(text string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04:05", text, time.Local)
	must(err)
	return t
}

// times makes a day of periods "09:00", "17:00", ….
func times(list ...string) *schema.Day {
	d := new(schema.Day)
	for i := 0; i < len(list); i += 2 {
		var w schema.TimeWindow
		must(w.Start.UnmarshalText([]byte(list[i])))
		must(w.Stop.UnmarshalText([]byte(list[i+1])))
		d.Times = append(d.Times, w)
	}
	return d
}

// A policy holds at its scheduler's times only, through every change and when the clock is set
// back.
func TestSchedules(t *testing.T) {
	office9to5 := schema.Scheduler{Name: "s", Daily: times("09:00", "12:00", "13:00", "17:00:30"), Sunday: &schema.Day{Exclude: true}, Saturday: &schema.Day{AllDay: true}}
	holidays := schema.Scheduler{Name: "s", StartDate: []schema.DateWindow{{Start: schema.DateTime{Time: moment("2026-07-01 08:00:00")}, Stop: &schema.DateTime{Time: moment("2026-07-03 18:00:00")}}}}
	evenings := holidays
	evenings.Daily = times("18:00", "24:00")
	open := schema.Scheduler{Name: "s", StartDate: []schema.DateWindow{{Start: schema.DateTime{Time: moment("2026-07-01 08:00:00")}}}, Monday: times("00:00", "24:00")}
	for _, test := range []struct {
		name      string
		scheduler schema.Scheduler
		at        string
		active    bool
	}{
		{"before work", office9to5, "2026-06-03 08:59:59", false},
		{"at work", office9to5, "2026-06-03 09:00:00", true},
		{"lunch", office9to5, "2026-06-03 12:00:00", false},
		{"last second", office9to5, "2026-06-03 17:00:29", true},
		{"after work", office9to5, "2026-06-03 17:00:30", false},
		{"clock set back", office9to5, "2026-06-03 10:00:00", true},
		{"Saturday night", office9to5, "2026-06-06 23:59:59", true},
		{"Sunday", office9to5, "2026-06-07 10:00:00", false},
		{"before the date", holidays, "2026-07-01 07:59:59", false},
		{"first moment", holidays, "2026-07-01 08:00:00", true},
		{"night between", holidays, "2026-07-02 03:00:00", true},
		{"last moment", holidays, "2026-07-03 17:59:59", true},
		{"after the date", holidays, "2026-07-03 18:00:00", false},
		{"date but not time", evenings, "2026-07-02 17:59:59", false},
		{"date and time", evenings, "2026-07-02 23:59:59", true},
		{"no last date, Monday", open, "2027-07-05 00:00:00", true},
		{"no last date, Tuesday", open, "2027-07-06 00:00:00", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			now := moment("2026-01-01 00:00:00")
			cfg := office(between("trust", "untrust", rule("timed", "any", "any", "any", Permit), rule("else", "any", "any", "any", Deny)))
			cfg.Schedulers.Schedulers = []schema.Scheduler{test.scheduler}
			cfg.Security.Policies.ZonePairs[0].Policies[0].SchedulerName = "s"
			e := compile(t, cfg, fixedClock(&now))
			f := flow("tcp 192.0.2.1 1 198.51.100.1 80")
			for _, now = range []time.Time{moment("2026-06-03 08:00:00"), moment("2026-06-03 14:00:00"), moment(test.at)} {
				e.Lookup(f)
			}
			want, state := "else", "disabled"
			if test.active {
				want, state = "timed", "enabled"
			}
			if got := e.Lookup(f).Policy.Name; got != want {
				t.Errorf("at %s: %s, want %s", test.at, got, want)
			}
			if got := e.List(Filter{}).Policies[0].State; got != state {
				t.Errorf("at %s: state %s, want %s", test.at, got, state)
			}
			if got := e.Schedulers(); len(got) != 1 || got[0].Active != test.active || got[0].Policies[0] != "from-zone trust to-zone untrust policy timed" {
				t.Errorf("schedulers %+v", got)
			}
		})
	}
}

// Minute by minute through a week with a change of the clocks, the remembered answer is the
// fresh one.
func TestScheduleMemory(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones here: ", err)
	}
	cfg := office(between("trust", "untrust", rule("timed", "any", "any", "any", Permit)))
	cfg.Schedulers.Schedulers = []schema.Scheduler{{Name: "s", Daily: times("01:30", "02:30", "07:00", "19:15"), Sunday: times("00:00", "03:30", "22:00", "24:00")}}
	cfg.Security.Policies.ZonePairs[0].Policies[0].SchedulerName = "s"
	now := time.Date(2026, 3, 26, 0, 0, 0, 0, berlin)
	e := compile(t, cfg, fixedClock(&now))
	f := flow("tcp 192.0.2.1 1 198.51.100.1 80")
	for end := now.AddDate(0, 0, 7); now.Before(end); now = now.Add(time.Minute) {
		clock := now.Format("15:04")
		want := clock >= "01:30" && clock < "02:30" || clock >= "07:00" && clock < "19:15"
		if now.Weekday() == time.Sunday {
			want = clock < "03:30" || clock >= "22:00"
		}
		if got := e.Lookup(f).Policy.Name == "timed"; got != want {
			t.Fatalf("%s: %v, want %v", now, got, want)
		}
	}
}
