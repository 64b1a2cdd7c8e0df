package install

import (
	"errors"
	"os"
	"strings"
	"testing"

	"sluice/sigpack"
	"sluice/store/schema"
)

// AI-126, AI-127, AI-131, T-22, T-32: one step back, and no further.
func TestRollback(t *testing.T) {
	run(t, func(w *world) {
		w.is("nothing", w.started(w.Rollback()), "No application package available to rollback.")
		w.feed.publish(major(3265), major(3297))
		w.upgrade(3265)
		w.upgrade(3297)
		w.is("command", w.started(w.Rollback()), `Please use command "request services application-identification rollback status" to check rollback status`)
		w.is("status", w.settle(Rollback).Text, "Application package rollback to version 3265 success")
		w.logged("5 APPIDD_APPPACK_ROLLBACK_RESULT: Application package rollback to version 3265 success")
		w.slots(3265, 0)
		w.is("again", w.started(w.Rollback()), "No application package available to rollback.")
		w.Close()
		w.open()
		w.slots(3265, 0)
		w.upgrade(3297)
		w.slots(3297, 3265)
	})
}

// The built-in package is a way back, too.
func TestRollbackToBuiltin(t *testing.T) {
	run(t, func(w *world) {
		w.feed.publish(major(2000))
		w.upgrade(2000)
		w.started(w.Rollback())
		w.is("status", w.settle(Rollback).Text, "Application package rollback to version 1000 success")
		w.slots(1000, 0)
	})
}

// A rollback that cannot be done leaves what is in force.
func TestRollbackFails(t *testing.T) {
	run(t, func(w *world) {
		w.feed.publish(major(2000), major(3000))
		w.feed.apps[3000] = baseApps + "application FRESH\n  category Web\n"
		w.upgrade(2000)
		w.upgrade(3000)
		rollback := func() string {
			w.started(w.Rollback())
			return w.settle(Rollback).Text
		}
		w.uses["junos:FRESH"] = "[edit security policies global policy p match dynamic-application junos:FRESH]"
		w.is("references", rollback(), `Application package rollback to version 2000 failed (no longer valid: junos:FRESH)
Please resolve following references and try it again
[edit security policies global policy p match dynamic-application junos:FRESH]`)
		w.slots(3000, 2000)
		clear(w.uses)
		w.rejected[2000] = errors.New("does not compile")
		w.is("activation", rollback(), "Application package rollback to version 2000 failed (does not compile)")
		w.slots(3000, 2000)
		clear(w.rejected)
		if err := os.RemoveAll(w.journal.path(w.journal.read().Previous)); err != nil {
			t.Fatal(err)
		}
		if got := rollback(); !strings.HasPrefix(got, "Application package rollback to version 2000 failed (") {
			t.Errorf("status %q", got)
		}
		w.slots(3000, 2000)
	})
}

// AI-123, T-21, CS-6: an uninstallation, and what keeps it from being done.
func TestUninstall(t *testing.T) {
	run(t, func(w *world) {
		w.feed.publish(major(2345))
		w.upgrade(2345)
		uninstall := func() string {
			w.is("command", w.started(w.Uninstall()), `Please use command "request services application-identification uninstall status"`+
				` to check status and use command "request services application-identification proto-bundle-status" to check protocol bundle status`)
			return w.settle(Uninstall).Text
		}
		w.uses["junos:HTTP"] = "[edit security policies global policy p match dynamic-application junos:HTTP]"
		w.is("references", uninstall(), `Uninstall application package 2345 failed (no longer valid: junos:HTTP)
Please resolve following references and try it again
[edit security policies global policy p match dynamic-application junos:HTTP]`)
		w.slots(2345, 1000)
		clear(w.uses)
		w.configure(func(c *schema.Config) {
			c.Services.ApplicationIdentification.Applications = []schema.CustomApplication{{Name: "mine"}}
		})
		w.is("custom applications", uninstall(), "Uninstall application package 2345 failed (custom application signatures are configured: mine)")
		w.slots(2345, 1000)
		w.configure(func(*schema.Config) {})
		w.is("status", uninstall(), "Uninstall application package 2345 succeed")
		w.logged("5 APPIDD_APPPACK_UNINSTALL_RESULT: Uninstall application package 2345 succeed")
		for range 2 {
			w.slots(0, 0)
			if p, _ := w.Current(); p != nil {
				t.Errorf("version %d is in force", p.Version)
			}
			w.is("bundle", w.ProtocolBundle(), "Protocol Bundle Version (1.550.2-43 (build date Apr  5 2023)) and application secpack version (2345) is unloaded and deactivated")
			w.is("rollback", w.started(w.Rollback()), "No application package available to rollback.")
			if _, err := w.Install(false); !errors.Is(err, ErrNotDownloaded) {
				t.Errorf("installation: %v", err)
			}
			if _, err := w.Uninstall(); !errors.Is(err, ErrNotInstalled) {
				t.Errorf("uninstallation: %v", err)
			}
			w.Close()
			w.open()
		}
		w.upgrade(2345)
		w.slots(2345, 0)
		if len(w.New()) > 0 {
			t.Errorf("new applications after an uninstallation: %v", w.New())
		}
	})
}

// An uninstallation that the engine refuses leaves what is in force.
func TestUninstallFails(t *testing.T) {
	run(t, func(w *world) {
		w.Close()
		w.opt.Activate = func(*sigpack.Package) error { return errors.New("cannot") }
		w.open()
		w.started(w.Uninstall())
		w.is("status", w.settle(Uninstall).Text, "Uninstall application package 1000 failed (cannot)")
		w.slots(1000, 0)
	})
}
