package install

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sluice/sigpack"
)

// AI-94, AI-96, AI-163: the latest version, or one that is named, also an older one.
func TestDownload(t *testing.T) {
	run(t, func(w *world) {
		w.feed.publish(major(2000), minor(2001, 2000), major(3000))
		w.feed.versions[0].Withdrawn = true
		w.started(w.Download(Want{}))
		w.is("latest", w.settle(Download).Text, "Application package 2001 is downloaded successfully")
		w.is("withdrawn", w.download(3000), "Downloading application package 3000 failed with error (Requested application package 3000 is not available for download)")
		w.is("unknown", w.download(9), "Downloading application package 9 failed with error (Requested application package 9 is not available for download)")
		w.upgrade(2001)
		w.upgrade(2000)
		w.slots(2000, 2001)
		w.feed.versions = nil
		w.started(w.Download(Want{}))
		w.is("empty feed", w.settle(Download).Text, "Downloading application package (latest) failed with error (the download server has no application package)")
	})
}

// A download that fails leaves what was downloaded before, and says why.
func TestDownloadFails(t *testing.T) {
	run(t, func(w *world) {
		w.feed.publish(major(2000))
		w.download(2000)
		w.feed.publish(major(3000))
		w.feed.down = errors.New("connection refused")
		w.started(w.Download(Want{}))
		w.is("status", w.settle(Download).Text, "Downloading application package (latest) failed with error (connection refused)")
		w.logged("3 APPIDD_APPPACK_DOWNLOAD_RESULT: Downloading application package (latest) failed with error (connection refused)")
		if s := w.Status(Download); s.State != Failed {
			t.Errorf("state %v", s.State)
		}
		w.is("installation", w.install(), "Install application package 2000 succeed")
	})
}

// A server that never answers does not keep the manager for ever.
func TestDownloadHangs(t *testing.T) {
	run(t, func(w *world) {
		w.feed.publish(major(2000))
		w.feed.delay = 100 * downloadTimeout
		w.started(w.Download(Want{}))
		if s := w.settle(Download); s.State != Failed || !strings.Contains(s.Text, "deadline exceeded") {
			t.Errorf("status %+v", s)
		}
	})
}

// A server that sends another package than it was asked for is not believed.
func TestWrongVersion(t *testing.T) {
	run(t, func(w *world) {
		w.feed.publish(major(2000))
		feed := w.opt.Connect
		w.Close()
		w.opt.Connect = func(s Source) (Feed, error) {
			f, err := feed(s)
			return otherVersion{f}, err
		}
		w.open()
		if got := w.download(2000); !strings.Contains(got, "failed with error (the download server sent another version") {
			t.Errorf("status %q", got)
		}
		if w.journal.read().Staged != nil {
			t.Error("it is staged")
		}
		if entries, _ := os.ReadDir(w.opt.Dir); len(entries) != 1 {
			t.Errorf("left are %v", entries)
		}
	})
}

type otherVersion struct{ Feed }

func (o otherVersion) Fetch(_ context.Context, _ int, dir string) (*sigpack.Fetched, error) {
	return write(dir, major(7), baseApps)
}

// AI-144: a version that failed is refused, with a text that depends on whether it was named.
func TestFaultyDownload(t *testing.T) {
	run(t, func(w *world) {
		w.feed.publish(major(2000), major(3657))
		w.invalid[3657] = errors.New("bad")
		w.download(3657)
		w.install()
		w.feed.fetched = nil
		w.is("named", w.download(3657), "Requested application package 3657 failed data plane validation. Please download another version")
		w.started(w.Download(Want{}))
		w.is("latest", w.settle(Download).Text, "Downloading application package (latest) failed with error"+
			" (Requested application package 3657 failed data plane validation. Please download another version)")
		if len(w.feed.fetched) > 0 {
			t.Errorf("%v were downloaded", w.feed.fetched)
		}
		w.upgrade(2000)
		w.is("named, after an older version", w.download(3657), "Requested application package 3657 failed data plane validation. Please download another version")
	})
}

// AI-156, AI-157, AI-158, T-29: with minor-only, the latest minor of the installed major.
func TestMinorOnly(t *testing.T) {
	run(t, func(w *world) {
		w.feed.publish(major(3585), minor(3588, 3585), major(3598))
		w.upgrade(3598)
		const unsuitable = "Downloading application package (latest) failed with error" +
			" (No suitable version available for this device, please re-try the download manually without minor)"
		w.started(w.Download(Want{MinorOnly: true}))
		w.is("only an older minor", w.settle(Download).Text, unsuitable)
		w.feed.publish(minor(3605, 3598), minor(3604, 3598), major(3700))
		w.started(w.Download(Want{MinorOnly: true}))
		w.is("a suitable minor", w.settle(Download).Text, "Application package 3605 is downloaded successfully")
		w.is("installation", w.install(), "Install application package 3605 succeed")
		if d := w.Details(); d.Installed.Kind != sigpack.Minor || d.Rollback.Kind != sigpack.Major { // AI-160
			t.Errorf("details %+v", d)
		}
		w.feed.publish(minor(3606, 3598))
		w.started(w.Download(Want{MinorOnly: true}))
		w.is("the next of the same major", w.settle(Download).Text, "Application package 3606 is downloaded successfully")
		w.started(w.Uninstall())
		w.settle(Uninstall)
		w.started(w.Download(Want{MinorOnly: true}))
		w.is("with nothing installed", w.settle(Download).Text, unsuitable)
	})
}

// AI-164, AI-165, AI-166: a package from a file; installing it is another step.
func TestOffline(t *testing.T) {
	run(t, func(w *world) {
		file := filepath.Join(t.TempDir(), "282_3722_offline-update.tar.gz")
		if err := os.WriteFile(file, []byte("3722"), 0o600); err != nil {
			t.Fatal(err)
		}
		w.is("command", w.started(w.OfflineDownload(file)),
			`Please use command "request services application-identification offline-download status" to check offline download status`)
		w.is("status", w.settle(Offline).Text, "AppID sigpack offline download : Complete")
		w.logged("5 APPIDD_APPPACK_OFFLINE_DOWNLOAD_RESULT: AppID sigpack offline download : Complete")
		w.slots(1000, 0)
		w.is("installation", w.install(), "Install application package 3722 succeed")

		missing := filepath.Join(t.TempDir(), "none.tar.gz")
		w.started(w.OfflineDownload(missing))
		text := "AppID sigpack offline download : Failed with error (AppID offline download package <" + missing + "> does not exist)"
		w.is("missing", w.settle(Offline).Text, text)
		w.logged("3 APPIDD_APPPACK_OFFLINE_DOWNLOAD_RESULT: " + text)
	})
}

// Archives that are none, that failed before (AI-145), or that the feed has withdrawn (AI-155).
func TestOfflineRefused(t *testing.T) {
	run(t, func(w *world) {
		offline := func(text string) string {
			file := filepath.Join(t.TempDir(), "x.tar.gz")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			w.started(w.OfflineDownload(file))
			return w.settle(Offline).Text
		}
		w.is("none", offline("abc"), "AppID sigpack offline download : Failed with error (not a package)")
		w.invalid[3000] = errors.New("bad")
		offline("3000")
		w.install()
		w.is("faulty", offline("3000"), "AppID sigpack offline download : Failed with error"+
			" (Requested application package 3000 failed data plane validation. Please download another version)")
		w.feed.publish(major(4000))
		w.feed.versions[0].Withdrawn = true
		w.Recent(w.Context())
		w.is("withdrawn", offline("4000"), "AppID sigpack offline download : Failed with error (Requested application package 4000 is not available for download)")
	})
}

// AI-159, T-27: what the feed offers; what it offered last when it cannot be reached.
func TestRecent(t *testing.T) {
	run(t, func(w *world) {
		for _, v := range []int{3642, 3615, 3604, 3533, 3470} {
			w.feed.publish(major(v))
		}
		w.feed.versions[1].Withdrawn = true
		w.invalid[3533] = errors.New("bad")
		w.download(3533)
		w.install()
		for range 2 {
			if got := w.Recent(w.Context()); !slices.Equal(got, []int{3642, 3604, 3470}) {
				t.Errorf("versions %v", got)
			}
			w.Close()
			w.open()
			w.feed.down = errors.New("no route to host")
		}
	})
}

// AI-162, T-28: the latest of each kind, and nothing changes.
func TestCheckServer(t *testing.T) {
	run(t, func(w *world) {
		w.feed.publish(major(3598), major(3666), minor(3658, 3598), minor(3659, 3598), minor(3660, 3598))
		w.feed.versions[slices.IndexFunc(w.feed.versions, func(v sigpack.Version) bool { return v.Version == 3660 })].Withdrawn = true
		text, err := w.CheckServer(w.Context())
		if err != nil {
			t.Fatal(err)
		}
		w.is("server", text, `Download server URL: https://feed.example/sig
Sigpack Version: 3666 (Major)
Protobundle version: 1.550.2-43
Build Time: Apr 05 2023 06:28:09
Sigpack Version: 3659 (Minor)
Protobundle version: 1.550.2-43
Build Time: Apr 05 2023 06:28:09`)
		if entries, _ := os.ReadDir(w.opt.Dir); len(entries) > 0 {
			t.Errorf("on disk are %v", entries)
		}
		w.feed.down = errors.New("no route to host")
		if _, err := w.CheckServer(w.Context()); err == nil || !strings.Contains(err.Error(), "no route to host") {
			t.Errorf("error %v", err)
		}
	})
}
