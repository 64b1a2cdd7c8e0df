package install

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/store/schema"
)

// T-18, T-19: a start in the past is the next multiple of the interval.
func TestNext(t *testing.T) {
	s := &schedule{interval: 48 * time.Hour}
	start := time.Date(2019, 6, 30, 10, 0, 0, 0, time.UTC)
	for _, c := range []struct{ after, want string }{
		{"2019-06-01T00:00:00Z", "2019-06-30T10:00:00Z"},
		{"2019-06-30T09:59:59Z", "2019-06-30T10:00:00Z"},
		{"2019-06-30T10:00:00Z", "2019-07-02T10:00:00Z"},
		{"2019-07-01T10:00:00Z", "2019-07-02T10:00:00Z"},
		{"2019-07-02T09:59:59Z", "2019-07-02T10:00:00Z"},
		{"2026-11-22T20:00:00Z", "2026-11-24T10:00:00Z"},
	} {
		after, err := time.Parse(time.RFC3339, c.after)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.next(start, after).Format(time.RFC3339); got != c.want {
			t.Errorf("after %s: %s, want %s", c.after, got, c.want)
		}
	}
}

// automatic makes a schedule of an interval and a start.
func automatic(hours uint16, start time.Time) func(*schema.Config) {
	return func(c *schema.Config) {
		d := &schema.DownloadSchedule{Interval: hours}
		if !start.IsZero() {
			d.StartTime = &schema.StartTime{Time: start}
		}
		c.Services.ApplicationIdentification.Download.Automatic = d
	}
}

// AI-115: updates are downloaded and installed at their time, also by a start in the past.
func TestSchedule(t *testing.T) {
	run(t, func(w *world) {
		w.feed.publish(major(2000))
		w.Start()
		w.pass(24 * time.Hour)
		if len(w.feed.fetched) > 0 || w.Details().AutoUpdate {
			t.Errorf("without a schedule %v were fetched", w.feed.fetched)
		}
		w.configure(automatic(48, time.Now().Add(-47*time.Hour)))
		if !w.Details().AutoUpdate {
			t.Error("no automatic update")
		}
		w.pass(59 * time.Minute)
		if len(w.feed.fetched) > 0 {
			t.Errorf("%v were fetched before their time", w.feed.fetched)
		}
		w.pass(3 * time.Minute)
		w.slots(2000, 1000)
		w.is("download", w.Status(Download).Text, "Application package 2000 is downloaded successfully")
		w.is("installation", w.Status(Install).Text, "Install application package 2000 succeed")
		w.feed.publish(major(3000))
		w.pass(47 * time.Hour)
		w.slots(2000, 1000)
		w.pass(2 * time.Hour)
		w.slots(3000, 2000)
		w.pass(96 * time.Hour) // nothing new
		if !slices.Equal(w.feed.fetched, []int{2000, 3000}) {
			t.Errorf("%v were fetched", w.feed.fetched)
		}
		w.feed.publish(major(4000))
		w.configure(func(*schema.Config) {})
		w.pass(96 * time.Hour)
		w.slots(3000, 2000)
	})
}

// A schedule without a start counts from when it was configured, whatever is restarted meanwhile.
func TestScheduleWithoutStart(t *testing.T) {
	run(t, func(w *world) {
		w.feed.publish(major(2000))
		w.configure(automatic(24, time.Time{}))
		w.Start()
		w.pass(20 * time.Hour)
		w.Close()
		w.open()
		w.configure(automatic(24, time.Time{}))
		w.Start()
		w.pass(3 * time.Hour)
		w.slots(1000, 0)
		w.pass(2 * time.Hour)
		w.slots(2000, 1000)
	})
}

// AI-116: the schedule of the intrusion detection package; it needs to be enabled.
func TestIDPSchedule(t *testing.T) {
	run(t, func(w *world) {
		w.feed.publish(major(2000))
		w.Start()
		idp := func(enable bool) func(*schema.Config) {
			return func(c *schema.Config) {
				c.Security.IDP.Package.Automatic = schema.IDPAutomatic{Interval: 48, Enable: enable,
					StartTime: &schema.StartTime{Time: time.Now().Add(time.Hour)}}
			}
		}
		w.configure(idp(false))
		w.pass(48 * time.Hour)
		w.slots(1000, 0)
		w.configure(idp(true))
		w.pass(2 * time.Hour)
		w.slots(2000, 1000)
	})
}

// AI-148: a version that failed is not tried again; the next one is.
func TestScheduleFaulty(t *testing.T) {
	run(t, func(w *world) {
		w.feed.publish(major(2000))
		w.invalid[2000] = errors.New("bad")
		w.configure(automatic(24, time.Now()))
		w.Start()
		w.pass(5 * 24 * time.Hour)
		w.slots(1000, 0)
		if !slices.Equal(w.feed.fetched, []int{2000}) || !slices.Equal(w.validated, []int{2000}) {
			t.Errorf("fetched %v, validated %v", w.feed.fetched, w.validated)
		}
		if got := w.Status(Install).Text; !strings.Contains(got, "auto rollback triggered") {
			t.Errorf("status %q", got)
		}
		w.feed.publish(major(3000))
		w.pass(25 * time.Hour)
		w.slots(3000, 1000)
	})
}

// AI-128: after a rollback from Y to X, updates wait for a version newer than Y.
func TestScheduleAfterRollback(t *testing.T) {
	run(t, func(w *world) {
		w.feed.publish(major(2000), major(2500), major(3000))
		w.upgrade(2000)
		w.upgrade(3000)
		w.configure(automatic(24, time.Now()))
		w.Start()
		w.started(w.Rollback())
		w.settle(Rollback)
		w.pass(5 * 24 * time.Hour)
		w.slots(2000, 0)
		w.Close()
		w.open() // it is remembered
		w.configure(automatic(24, time.Now()))
		w.Start()
		w.pass(5 * 24 * time.Hour)
		w.slots(2000, 0)
		w.feed.publish(major(4000))
		w.pass(25 * time.Hour)
		w.slots(4000, 2000)
	})
}

// AI-157, AI-158: a schedule for minor versions only.
func TestScheduleMinorOnly(t *testing.T) {
	run(t, func(w *world) {
		w.feed.publish(major(3585), minor(3588, 3585), major(3598))
		w.upgrade(3585)
		w.configure(func(c *schema.Config) {
			automatic(24, time.Now())(c)
			c.Services.ApplicationIdentification.Download.Automatic.MinorOnly = true
		})
		w.Start()
		w.pass(25 * time.Hour)
		w.slots(3588, 3585)
		w.upgrade(3598)
		w.pass(25 * time.Hour)
		w.slots(3598, 3588)
		w.is("status", w.Status(Download).Text, "Downloading application package (latest) failed with error"+
			" (No suitable version available for this device, please re-try the download manually without minor)")
		w.feed.publish(minor(3605, 3598))
		w.pass(25 * time.Hour)
		w.slots(3605, 3598)
	})
}

// An update that finds another operation running is made when that has ended.
func TestScheduleBusy(t *testing.T) {
	run(t, func(w *world) {
		w.feed.publish(major(2000))
		w.feed.delay = 3 * time.Minute
		w.configure(automatic(24, time.Now().Add(time.Minute)))
		w.started(w.Download(Want{}))
		w.Start()
		w.pass(20 * time.Minute)
		w.slots(2000, 1000)
	})
}
