package install

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/sigpack"
	"sluice/store/schema"
)

// AI-92: there is a package before any was downloaded.
func TestBuiltin(t *testing.T) {
	run(t, func(w *world) {
		p, generation := w.Current()
		if p == nil || p.Version != 1000 || generation == 0 {
			t.Fatalf("in force is %v, generation %d", p, generation)
		}
		w.is("bundle", w.ProtocolBundle(), "Protocol Bundle Version (1.550.2-43 (build date Apr  5 2023)) and application secpack version (1000) is loaded and activated.")
		for op := Download; op < operations; op++ {
			if s := w.Status(op); s.State != Idle || s.Text == "" {
				t.Errorf("%s: %+v", op, s)
			}
		}
		if _, err := w.Install(false); !errors.Is(err, ErrNotDownloaded) {
			t.Errorf("installing nothing: %v", err)
		}
	})
}

// AI-97, AI-98, AI-99, AI-143: download and install run in the background; status, messages.
func TestInstall(t *testing.T) {
	run(t, func(w *world) {
		w.feed.publish(major(2345))
		w.feed.delay = time.Second
		w.is("download", w.started(w.Download(Want{})),
			`Please use command "request services application-identification download status" to check status`)
		w.is("status", w.Status(Download).Text, "Downloading application package (latest) is in progress ...")
		if _, err := w.Install(false); err == nil {
			t.Error("two operations at once")
		}
		w.is("status", w.settle(Download).Text, "Application package 2345 is downloaded successfully")
		w.logged("5 APPIDD_APPPACK_DOWNLOAD_RESULT: Application package 2345 is downloaded successfully")
		w.slots(1000, 0)
		if len(w.active) > 0 {
			t.Errorf("a download puts %v in force", w.active) // T-20
		}
		w.is("install", w.started(w.Install(false)), `Please use command "request services application-identification install status"`+
			` to check status and use command "request services application-identification proto-bundle-status" to check protocol bundle status`)
		w.is("status", w.Status(Install).Text, "Checking compatibility of application package version 2345 ...")
		w.pass(5 * time.Second)
		w.is("status", w.Status(Install).Text, "Data plane validation of application package version (2345) is in progress ...")
		if _, err := w.Rollback(); err != nil { // there is nothing to roll back to
			t.Error(err)
		}
		if _, err := w.Download(Want{}); !errors.Is(err, ErrBusy) {
			t.Errorf("two operations at once: %v", err)
		}
		w.is("status", w.settle(Install).Text, "Install application package 2345 succeed")
		w.logged("5 APPIDD_APPPACK_INSTALL_RESULT: Install application package 2345 succeed")
		w.is("bundle", w.ProtocolBundle(), "Protocol Bundle Version (1.550.2-43 (build date Apr  5 2023)) and application secpack version (2345) is loaded and activated.")
		w.slots(2345, 1000)
		if _, generation := w.Current(); generation != 2 {
			t.Errorf("generation %d", generation)
		}
		w.Close()
		w.open() // all of it outlives the process
		w.slots(2345, 1000)
		w.is("status", w.Status(Download).Text, "Application package 2345 is downloaded successfully")
		w.is("status", w.Status(Install).Text, "Install application package 2345 succeed")
	})
}

// AI-138: the same version again only when asked for; what a rollback leads to stays.
func TestDuplicate(t *testing.T) {
	run(t, func(w *world) {
		w.feed.publish(major(2345))
		w.feed.apps[2345] = baseApps + "application FRESH\n  category Web\n"
		w.upgrade(2345)
		w.is("again", w.install(), "Install Application package 2345 and Protocol bundle failed (Application package 2345 is already installed)")
		w.started(w.Install(true))
		w.is("forced", w.settle(Install).Text, "Install application package 2345 succeed")
		w.slots(2345, 1000)
		if got := w.New(); !slices.Equal(got, []string{"junos:FRESH"}) {
			t.Errorf("new applications after a reinstallation: %v", got)
		}
	})
}

// AI-100, AI-101, T-42: what the configuration refers to must stay, under its number.
func TestReferences(t *testing.T) {
	run(t, func(w *world) {
		w.feed.publish(major(2345), major(2346))
		w.feed.apps[2345] = strings.ReplaceAll(baseApps, "number 2", "number 3")
		w.feed.apps[2346] = "protocol HTTP\n  number 1\n  category Web\n  group other\n"
		w.uses["junos:OLD"] = "[edit class-of-service application-traffic-control rule-sets RS8 rule 1 match application junos:OLD]"
		w.download(2345)
		w.is("renumbered", w.install(), `Install Application package 2345 and Protocol bundle failed (application ID changed: junos:OLD)
Please resolve following references and try it again
[edit class-of-service application-traffic-control rule-sets RS8 rule 1 match application junos:OLD]`)
		w.download(2346)
		w.is("removed", w.install(), `Install Application package 2346 and Protocol bundle failed (no longer valid: junos:OLD)
Please resolve following references and try it again
[edit class-of-service application-traffic-control rule-sets RS8 rule 1 match application junos:OLD]`)
		clear(w.uses)
		w.uses["junos:web"] = "[edit security policies global policy p match dynamic-application junos:web]"
		if got := w.install(); !strings.Contains(got, "no longer valid: junos:web") {
			t.Errorf("a group that is gone: %q", got)
		}
		if w.slots(1000, 0); len(w.active) > 0 || len(w.validated) > 0 {
			t.Errorf("%v were put in force, %v validated", w.active, w.validated)
		}
		if len(w.Faulty()) > 0 || len(w.Alarms()) > 0 {
			t.Error("the package is called faulty for what the configuration says")
		}
		clear(w.uses)
		w.is("resolved", w.install(), "Install application package 2346 succeed")
	})
}

// AI-102: an application that was renamed is found by its alias, so it was not removed and is not new.
func TestRenamed(t *testing.T) {
	run(t, func(w *world) {
		w.feed.publish(major(2345))
		w.feed.apps[2345] = strings.ReplaceAll(baseApps, "application OLD\n", "application NEWNAME\n  alias OLD\n")
		w.uses["junos:OLD"], w.uses["junos:OLDER"] = "[edit a junos:OLD]", "[edit a junos:OLDER]"
		w.upgrade(2345)
		if got := w.New(); len(got) > 0 {
			t.Errorf("new applications: %v", got)
		}
	})
}

// AI-132, AI-133: new applications are those that the package installed before had not.
func TestNew(t *testing.T) {
	run(t, func(w *world) {
		w.feed.publish(major(2345), major(2346))
		w.feed.apps[2345] = baseApps + "application B\n  category Web\napplication A\n  category Web\n"
		w.feed.apps[2346] = w.feed.apps[2345] + "application C\n  category Web\n"
		w.upgrade(2345)
		if got := w.New(); !slices.Equal(got, []string{"junos:A", "junos:B"}) {
			t.Errorf("new applications: %v", got)
		}
		w.upgrade(2346)
		if got := w.New(); !slices.Equal(got, []string{"junos:C"}) {
			t.Errorf("new applications: %v", got)
		}
		w.started(w.Rollback())
		w.settle(Rollback)
		w.Close()
		w.open()
		if got := w.New(); !slices.Equal(got, []string{"junos:A", "junos:B"}) {
			t.Errorf("new applications after a rollback: %v", got)
		}
	})
}

// AI-130: downloaded files that were changed, removed or added are not installed.
func TestChecksum(t *testing.T) {
	for name, harm := range map[string]func(dir string) error{
		"changed": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "apps", "all.apps"), []byte(strings.ToLower(baseApps)), 0o600)
		},
		"removed":  func(dir string) error { return os.Remove(filepath.Join(dir, "apps", "all.apps")) },
		"added":    func(dir string) error { return os.WriteFile(filepath.Join(dir, "apps", "more.apps"), nil, 0o600) },
		"manifest": func(dir string) error { return os.Remove(filepath.Join(dir, "manifest.json")) },
		"all":      os.RemoveAll,
		"exchanged": func(dir string) error {
			os.RemoveAll(dir)
			_, err := write(dir, major(2345), "application EVIL\n  category Web\n")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(w *world) {
				w.feed.publish(major(2345))
				w.download(2345)
				if err := harm(w.journal.path(w.journal.read().Staged)); err != nil {
					t.Fatal(err)
				}
				_, err := w.Install(false)
				if err == nil {
					t.Fatal("a damaged package is installed")
				}
				w.is("error", err.Error(), "Checksum validation failed for downloaded files.")
				w.slots(1000, 0)
				w.upgrade(2345) // another download repairs it
			})
		})
	}
}

// AI-124, AI-125, AI-126, AI-142, AI-145, AI-146, AI-147, AI-149, T-31, T-35: a version that fails is
// rolled back and refused from then on; what was kept for a way back stays.
func TestAutomaticRollback(t *testing.T) {
	fault := errors.New("it crashes")
	for name, break3 := range map[string]func(w *world){
		"validation": func(w *world) { w.invalid[3000] = fault },
		"activation": func(w *world) { w.rejected[3000] = fault },
		"watch": func(w *world) {
			time.AfterFunc(30*time.Second, func() {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.sick = fault
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(w *world) {
				w.feed.publish(major(2000), major(3000), major(4000))
				w.upgrade(2000)
				w.download(3000)
				break3(w)
				w.is("installation", w.install(), "Install Application package 3000 and Protocol bundle failed"+
					" ( Install Application package (3000) failed in data plane validation, auto rollback triggered)")
				w.meet()
				w.sick = nil
				w.slots(2000, 1000)
				w.is("rollback", w.Status(Rollback).Text, "Application package rollback to version 2000 success")
				if a := w.Alarms(); len(a) != 1 || a[0].Class != "Minor" || a[0].Text != "APPIDD auto-rollback to previous version on install failure" {
					t.Errorf("alarms: %+v", a)
				}
				if f := w.Faulty(); len(f) != 1 || f[0] != major(3000) {
					t.Errorf("faulty %+v", f)
				}
				w.Close()
				w.open()
				w.is("installation", w.install(), "Install Application package 3000 and Protocol bundle failed"+
					" (Requested application package 3000 failed data plane validation. Please install another version)")
				w.slots(2000, 1000)
				w.upgrade(4000)
				w.slots(4000, 2000)
				if len(w.Alarms()) > 0 || len(w.Faulty()) > 0 {
					t.Errorf("after a newer version: alarms %v, faulty %v", w.Alarms(), w.Faulty())
				}
			})
		})
	}
}

// An installation that fails where nothing was installed leaves nothing in force.
func TestFailureAfterUninstallation(t *testing.T) {
	run(t, func(w *world) {
		w.feed.publish(major(2000))
		w.started(w.Uninstall())
		w.settle(Uninstall)
		w.invalid[2000] = errors.New("bad")
		w.download(2000)
		w.install()
		w.slots(0, 0)
	})
}

// A manager that is closed gives up what runs; the version is not at fault.
func TestClose(t *testing.T) {
	run(t, func(w *world) {
		w.feed.publish(major(2000))
		w.download(2000)
		w.started(w.Install(false))
		w.pass(20 * time.Second) // it is on trial
		if p, _ := w.Current(); p.Version != 2000 {
			t.Errorf("version %d is in force", p.Version)
		}
		w.Close()
		if _, err := w.Install(false); !errors.Is(err, ErrClosed) {
			t.Errorf("an installation after the end: %v", err)
		}
		w.slots(1000, 0)
		w.open()
		w.slots(1000, 0)
		w.is("status", w.Status(Install).Text, "Install Application package 2000 and Protocol bundle failed (the gateway is stopping)")
		w.is("again", w.install(), "Install application package 2000 succeed")
	})
}

// What cannot be written does not happen, and the status says so.
func TestDiskFull(t *testing.T) {
	run(t, func(w *world) {
		w.feed.publish(major(2000))
		w.download(2000)
		blocker := filepath.Join(w.opt.Dir, journalName+".new")
		if err := os.Mkdir(blocker, 0o700); err != nil {
			t.Fatal(err)
		}
		if got := w.install(); !strings.Contains(got, "Install Application package 2000 and Protocol bundle failed (journal:") {
			t.Errorf("status %q", got)
		}
		w.slots(1000, 0)
		if len(w.active) > 0 {
			t.Errorf("%v were put in force", w.active)
		}
		os.Remove(blocker)
		w.is("again", w.install(), "Install application package 2000 succeed")
	})
}

// AI-154: results go to the feed where the configuration wants that.
func TestReports(t *testing.T) {
	run(t, func(w *world) {
		w.feed.publish(major(2000), major(3000), major(4000))
		w.upgrade(2000)
		if len(w.feed.reports) > 0 {
			t.Fatalf("reported without leave: %v", w.feed.reports)
		}
		w.configure(func(c *schema.Config) { c.Services.ApplicationIdentification.Download.ReportResults = true })
		w.install() // a duplicate: no fault of the package
		w.invalid[3000] = errors.New("bad signature in x")
		w.download(3000)
		w.install()
		w.upgrade(4000)
		if n := len(w.feed.reports); n != 2 {
			t.Fatalf("%d reports: %v", n, w.feed.reports)
		}
		bad, good := w.feed.reports[0], w.feed.reports[1]
		if bad.OK || bad.Version != 3000 || bad.Reason != "bad signature in x" || bad.Device == "" {
			t.Errorf("report %+v", bad)
		}
		if !good.OK || good.Version != 4000 || good.Reason != "" || good.Device != bad.Device {
			t.Errorf("report %+v", good)
		}
	})
}

// AI-167, AI-168, T-34: applications and groups that will leave the package.
func TestObsolete(t *testing.T) {
	run(t, func(w *world) {
		w.feed.publish(major(2000), major(3000))
		w.feed.apps[2000] = baseApps + "application ZETA\n  category Web\n  flags obsolete\napplication ALPHA\n  category Web\n  flags obsolete\n" +
			"group web:old\n  flags obsolete\ngroup web:older\n  flags obsolete\n"
		w.upgrade(2000)
		w.logged("5 APPIDD_DEPRECATED_APPLIST: Obsolete apps: junos:ALPHA, junos:ZETA")
		w.logged("5 APPIDD_DEPRECATED_GROUPS: Obsolete groups: junos:web:old, junos:web:older")
		w.log = nil
		w.upgrade(3000)
		for _, line := range w.log {
			if strings.Contains(line, "Obsolete") {
				t.Errorf("message %q", line)
			}
		}
	})
}

// Packages that nothing refers to are removed.
func TestSweep(t *testing.T) {
	run(t, func(w *world) {
		for v := 2000; v < 2006; v++ {
			w.feed.publish(major(v))
			w.upgrade(v)
		}
		if err := os.Mkdir(filepath.Join(w.opt.Dir, packagePrefix+"leftover"), 0o700); err != nil {
			t.Fatal(err)
		}
		w.Close()
		w.open()
		entries, err := os.ReadDir(w.opt.Dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) != 3 { // two packages and the journal
			t.Errorf("left are %v", entries)
		}
	})
}

// AI-124: an installed package that is damaged on disk gives way to the one before it, or to the
// built-in one.
func TestDamaged(t *testing.T) {
	run(t, func(w *world) {
		w.feed.publish(major(2000), major(3000))
		w.upgrade(2000)
		w.upgrade(3000)
		for _, want := range []int{2000, 1000} {
			w.Close()
			file := filepath.Join(w.journal.path(w.journal.read().Installed), "apps", "all.apps")
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			w.active = nil
			w.open()
			w.slots(want, 0)
			if len(w.Alarms()) != 1 {
				t.Errorf("alarms: %v", w.Alarms())
			}
		}
		w.upgrade(3000)
	})
}

// A journal of another program is not touched.
func TestForeignJournal(t *testing.T) {
	for _, text := range []string{"", "{", `{"format":2}`} {
		dir := t.TempDir()
		file := filepath.Join(dir, journalName)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := New(Options{Dir: dir, Builtin: func() (*sigpack.Package, error) { return nil, errors.New("none") }}); err == nil ||
			!strings.Contains(err.Error(), file) {
			t.Errorf("journal %q: %v", text, err)
		}
	}
}
