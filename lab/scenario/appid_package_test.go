package scenario

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sluice/lab"
	"sluice/manage/view"
)

// feed is a feed of signature packages that the web server serves, and a gateway that trusts it.
type feed struct {
	*world
	dir   string // of the feed
	state string // of the gateway
}

const (
	feedPort = 8090
	feedURL  = "http://203.0.113.80:8090"

	feedApps = `
protocol HTTP
  number 1
  category Web
protocol SSL
  number 2
  category Web
protocol SSH
  number 3
  category Infrastructure
application SHOP
  number 4
  category Web
  hosts shop.example
application OLD-SHOP
  number 5
  category Web
  hosts old-shop.example
  flags obsolete
`
	bank = "application BANK\n  number 6\n  category Web\n  hosts bank.example\n"
)

// startFeed makes a feed, serves it, and starts a gateway that knows where it is.
func startFeed(t *testing.T, config string) *feed {
	t.Helper()
	l := lab.Start(t, lab.Options{NoServers: true})
	f := &feed{world: &world{Lab: l, t: t}, dir: filepath.Join(l.Dir, "feed"), state: filepath.Join(l.Dir, "state-feed")}
	f.sigpack("keys", f.dir)
	f.publish(feedApps, "--version", "2000")
	binary, err := lab.Binary("sluice")
	if err != nil {
		t.Fatal(err)
	}
	server, err := f.Web.Start(binary, "sigpack", "serve", f.dir, "--listen", fmt.Sprint(":", feedPort))
	if err != nil {
		t.Fatal(err)
	}
	if err := server.WaitListening(t.Context(), "tcp", feedPort); err != nil {
		t.Fatal(err)
	}
	first := filepath.Join(l.Dir, "first.set")
	config = lab.BaseConfig + lab.PermitAll + "set services application-identification download url " + feedURL + "\n" + config
	if err := os.WriteFile(first, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	f.run("--config", first)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the gateway printed:\n%s", f.gw.Output())
		}
	})
	return f
}

// run starts the gateway on its state.
func (f *feed) run(args ...string) {
	f.t.Helper()
	gw, err := f.RestartGateway(f.t.Context(), f.state, append(args,
		"--feed-root", filepath.Join(f.dir, "metadata/1.root.json"), "--package-trial", "50ms")...)
	if err != nil {
		f.t.Fatal(err)
	}
	f.gw = gw
}

// sigpack runs "sluice sigpack" where the feed is.
func (f *feed) sigpack(args ...string) string {
	f.t.Helper()
	binary, err := lab.Binary("sluice")
	if err != nil {
		f.t.Fatal(err)
	}
	return f.do(f.Web, binary, append([]string{"sigpack"}, args...)...)
}

// publish adds a package with some applications to the feed.
func (f *feed) publish(apps string, args ...string) {
	f.t.Helper()
	from := f.t.TempDir()
	if err := os.WriteFile(filepath.Join(from, "lab.apps"), []byte(apps), 0o600); err != nil {
		f.t.Fatal(err)
	}
	f.sigpack(append([]string{"publish", f.dir, "--from", from}, args...)...)
}

// request runs a request of application identification.
func (f *feed) request(command string) string {
	f.t.Helper()
	return f.show("request" + identification + command)
}

// result waits until an operation is over and says how it ended.
func (f *feed) result(operation string) string {
	f.t.Helper()
	var status view.PackageOperation
	f.eventually(operation+" is over", func() bool {
		f.answer("request"+identification+operation+" status", &status)
		return status.State != "running"
	})
	return status.Body
}

// done starts an operation and waits until it ended in some way.
func (f *feed) done(command, want string) {
	f.t.Helper()
	operation, _, _ := strings.Cut(command, " ")
	if started := f.request(command); !strings.Contains(started, operation+" status") {
		f.t.Errorf("%s: %q", command, started)
	}
	if got := f.result(operation); got != want {
		f.t.Errorf("%s: %q, want %q", command, got, want)
	}
}

// prints checks what a command prints, each line of want as a regular expression.
func (f *feed) prints(command string, want ...string) {
	f.t.Helper()
	shown := f.show(command)
	for _, line := range want {
		if !regexp.MustCompile(`(?m)^` + line + `$`).MatchString(shown) {
			f.t.Errorf("%s: no line %q in:\n%s", command, line, shown)
		}
	}
}

// visit opens a page of a host at the web server.
func (f *feed) visit(host string) {
	f.t.Helper()
	f.do(f.Client, "curl", "-sS", "-m5", "--resolve", host+":8081:"+lab.WebAddr4, "http://"+host+":8081/")
}

// A package is downloaded from a feed, installed, replaced, taken back and removed, while sessions
// go on; what it knows is what sessions are.
// Rows: AI-7, AI-8, AI-15, AI-66, AI-67, AI-90, AI-91, AI-92, AI-94, AI-95, AI-96, AI-97, AI-98, AI-99,
// AI-103, AI-109, AI-122, AI-123, AI-126, AI-127, AI-131, AI-132, AI-133, AI-135, AI-138, AI-139, AI-140,
// AI-156, AI-159, AI-160, AI-161, AI-162, AI-163, AI-167, 1/S-24, 1/S-39,
// 1/O-1, 1/O-3, 1/O-4, 1/O-5, 1/O-7, 1/O-17, 1/O-18, 1/O-20, 1/O-21, 1/O-22, 1/O-23, 1/O-24, 1/O-25,
// 1/O-26, 1/O-27, 1/O-28, 1/O-29, 1/O-32, 1/O-33.
func TestPackageLifeCycle(t *testing.T) {
	f := startFeed(t, "")
	f.listen(f.Web, ":8081", answers(okPage))
	f.listen(f.Web, ":7", func(c *net.TCPConn) {
		for b := make([]byte, 1); ; {
			if _, err := c.Read(b); err != nil {
				return
			}
			_, _ = c.Write(b) // a client that is gone is no matter
		}
	})
	held := f.connect(lab.WebAddr4 + ":7")
	undisturbed := func() {
		t.Helper()
		if err := echoes(held); err != nil {
			t.Errorf("a session from before does not go on: %v", err)
		}
	}

	f.publish(feedApps+bank, "--version", "2001", "--minor", "2000", "--date", "2026-11-22T12:00:00Z")
	f.prints("request"+identification+"download check-server", "Download server URL: "+feedURL,
		`Sigpack Version: 2000 \(Major\)`, `Sigpack Version: 2001 \(Minor\)`, `Protobundle version: 1\.0\.0-1`, `Build Time: .*2026.*`)
	f.prints("show"+identification+"recent-appid-sigpack-versions", "appid sigpack version: 2001", "appid sigpack version: 2000")

	// The first package is chosen by its version.
	f.done("download version 2000", "Application package 2000 is downloaded successfully")
	f.prints("show"+identification+"version", `Application package version: 1000 \(Major\)`)
	f.done("install", "Install application package 2000 succeed")
	f.prints("show"+identification+"version", `Application package version: 2000 \(Major\)`)
	f.prints("request"+identification+"proto-bundle-status",
		`Protocol Bundle Version \(1\.0\.0-1 \(build date Nov 22 2026\)\) and application secpack version \(2000\) is loaded and activated\.`)
	f.prints("show"+identification+"application obsolete-applications", "Obsolete applications: 1", "junos:OLD-SHOP")
	undisturbed()
	f.visit("bank.example")
	f.remembers(8081, "HTTP")

	// The newest adds to it; sessions that are being identified finish with what they began with.
	pending := f.connect(lab.WebAddr4 + ":8081")
	if _, err := pending.Write([]byte("GET / HTTP/1.1\r\n")); err != nil {
		t.Fatal(err)
	}
	f.done("download", "Application package 2001 is downloaded successfully")
	f.done("install", "Install application package 2001 succeed")
	f.prints("show"+identification+"version detail", `Application package version: 2001 \(Minor\)`, `Release date: Sun Nov 22 12:00:00 2026 UTC`)
	f.prints("show"+identification+"status", "Download Server +"+feedURL, "AutoUpdate +Disabled", "Slot 1:", `Application package version +2001 \(Minor\)`,
		"Status +Active", `PB Version +1\.0\.0-1 \(build date Nov 22 2026\)`, `Engine version .*`, `Micro-App Version .*`, `Custom-App Infra Version .*`,
		"Rollback version details:", `Application package version +2000 \(Major\)`, `Slot 2:`, "Status +Draining")
	undisturbed()
	f.visit("bank.example")
	f.remembers(8081, "BANK")
	if _, err := pending.Write([]byte("Host: bank.example\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	f.carries(fmt.Sprint("source-port ", pending.LocalAddr().(*net.TCPAddr).Port), "HTTP")
	for _, message := range []string{
		"APPIDD_APPPACK_DOWNLOAD_RESULT: Application package 2001 is downloaded successfully",
		"APPIDD_APPPACK_INSTALL_RESULT: Install application package 2001 succeed",
		"APPIDD_DEPRECATED_APPLIST: Obsolete apps: junos:OLD-SHOP",
	} {
		if !strings.Contains(f.gw.Output(), message) {
			t.Errorf("not in the log: %s", message)
		}
	}

	// The same version again, only when it is asked for.
	f.request("install")
	if got := f.result("install"); strings.HasSuffix(got, "succeed") {
		t.Errorf("the same version again: %q", got)
	}
	f.done("install ignore-duplicate-version-check", "Install application package 2001 succeed")

	// New applications may be matched together, and become ordinary.
	f.prints("show"+identification+"application-group junos:all-new-apps", ".*junos:BANK.*")
	f.configure("set security policies from-zone trust to-zone untrust policy new match source-address any destination-address any application any",
		"set security policies from-zone trust to-zone untrust policy new match dynamic-application junos:all-new-apps",
		"set security policies from-zone trust to-zone untrust policy new then reject", "insert security policies from-zone trust to-zone untrust policy new before policy all")
	if out, err := f.try(f.Client, "curl", "-sS", "-m5", "--resolve", "bank.example:8081:"+lab.WebAddr4, "http://bank.example:8081/"); err == nil {
		t.Errorf("a new application passes: %q", out)
	}
	f.request("new-to-production applications-list [ junos:BANK ]")
	f.visit("bank.example")
	if shown := f.show("show" + identification + "application-group junos:all-new-apps"); strings.Contains(shown, "BANK") {
		t.Errorf("it is still new:\n%s", shown)
	}
	f.request("new-to-production all")
	f.configure("delete security policies from-zone trust to-zone untrust policy new")

	// What policies name is not removed.
	f.configure("set security policies from-zone trust to-zone untrust policy all match dynamic-application [ junos:BANK junos:SHOP ]")
	f.request("uninstall")
	if got := f.result("uninstall"); !strings.Contains(got, "junos:BANK") || !strings.Contains(got, "policy all") {
		t.Errorf("uninstalling what a policy names: %q", got)
	}
	f.configure("delete security policies from-zone trust to-zone untrust policy all match dynamic-application")

	f.done("rollback", "Application package rollback to version 2000 success")
	f.prints("show"+identification+"version", `Application package version: 2000 \(Major\)`)
	undisturbed()
	f.visit("bank.example")
	f.remembers(8081, "HTTP")
	f.done("uninstall", "Uninstall application package 2000 succeed")
	f.prints("request"+identification+"proto-bundle-status", ".* is unloaded and deactivated")
	f.prints("show"+identification+"version", "Application package version: 0")
	if out, err := f.gw.Show(t.Context(), "request"+identification+"rollback"); !strings.Contains(fmt.Sprint(out, err), "No application package available to rollback.") {
		t.Errorf("nothing to go back to: %q, %v", out, err)
	}
	undisturbed()
	f.done("download", "Application package 2001 is downloaded successfully")
	f.done("install", "Install application package 2001 succeed")
	f.visit("bank.example")
	f.remembers(8081, "BANK")
}

// Packages come by other ways: through a web proxy, from an archive, at a time, minor ones only;
// and one that was changed on the way, or after it, is not installed.
// Rows: AI-93, AI-95, AI-110, AI-111, AI-113, AI-114, AI-115, AI-130, AI-141, AI-157, AI-158, AI-164, AI-165, AI-166,
// 1/S-24, 1/S-25, 1/S-26, 1/S-28, 1/S-30, 1/S-31, 1/S-32, 1/O-14, 1/O-19, 1/O-21, 1/O-22, 1/O-30, 1/O-31,
// 1/O-35, 1/O-36, 1/O-37, 1/O-38.
func TestPackageSources(t *testing.T) {
	f := startFeed(t, "set services proxy profile office protocol http host "+lab.EchoAddr4+"\n"+
		"set services proxy profile office protocol http port 3128\n"+
		"set services application-identification download proxy-profile office\n")
	requests := f.proxy(3128)
	f.prints("show"+identification+"status", "Proxy Profile +office", `Proxy Address +http://203\.0\.113\.7:3128`)
	f.done("download", "Application package 2000 is downloaded successfully")
	if requests.Load() == 0 {
		t.Error("the download did not go through the proxy")
	}

	// One byte of what was downloaded is changed.
	files, err := filepath.Glob(filepath.Join(f.state, "appid/packages/*/apps/*.apps"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no package is on disk: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text[len(text)/2] ^= 1
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := f.gw.Show(t.Context(), "request"+identification+"install")
	if text := fmt.Sprint(out, err, f.result("install")); !strings.Contains(text, "Checksum validation failed for downloaded files.") {
		t.Errorf("a package that was changed: %q", text)
	}
	f.prints("show"+identification+"version", `Application package version: 1000 \(Major\)`)

	// Without the proxy, and by the commands of intrusion detection.
	f.configure("delete services application-identification download proxy-profile")
	f.prints("show"+identification+"status", "Proxy Profile +Not Configured")
	before := requests.Load()
	started := "Will be processed in async mode. Check the status using the status checking CLI"
	f.prints("request security idp security-package download", started)
	f.eventually("the download is done", func() bool {
		return strings.Contains(f.show("request security idp security-package download status"), "Done;Successfully downloaded from("+feedURL+").")
	})
	f.prints("request security idp security-package install", started)
	f.eventually("the installation is done", func() bool {
		return strings.Contains(f.show("request security idp security-package install status"), "Done;Attack DB update : successful - [UpdateNumber=2000,")
	})
	f.prints("show security idp security-package-version", `Attack database version:2000\(.*\)`, "Detector version :.*", "Policy template version :.*")
	if requests.Load() != before {
		t.Error("the proxy is still asked")
	}

	// From a file, without a network.
	f.publish(feedApps+bank, "--version", "2001", "--minor", "2000")
	archive := filepath.Join(f.Dir, "offline.tar.gz")
	f.sigpack("archive", f.dir, "2001", "-o", archive)
	f.done("offline-download package-path /nowhere.tar.gz",
		"AppID sigpack offline download : Failed with error (AppID offline download package </nowhere.tar.gz> does not exist)")
	f.done("offline-download package-path "+archive, "AppID sigpack offline download : Complete")
	if !strings.Contains(f.gw.Output(), "APPIDD_APPPACK_OFFLINE_DOWNLOAD_RESULT: AppID sigpack offline download : Complete") {
		t.Error("the result is not in the log")
	}
	f.done("install", "Install application package 2001 succeed")

	// Minor ones only: the next major one brings another protocol bundle.
	f.publish(feedApps+bank, "--version", "2002", "--minor", "2000")
	f.publish(feedApps+bank, "--version", "3000")
	f.done("download minor-only", "Application package 2002 is downloaded successfully")

	// At a time.
	at := time.Now().UTC().Add(2 * time.Second).Format("2006-01-02.15:04:05")
	f.configure("set services application-identification download automatic interval 48",
		"set services application-identification download automatic start-time "+at)
	f.prints("show"+identification+"status", "AutoUpdate +Enabled")
	f.eventually("the newest is installed by itself", func() bool {
		return strings.Contains(f.show("show"+identification+"version"), "3000 (Major)")
	})
	f.eventually("the update is over", func() bool {
		_, err := f.gw.Show(t.Context(), "request"+identification+"download minor-only")
		return err == nil
	})
	f.result("download")
	f.done("download minor-only", "Downloading application package (latest) failed with error (No suitable version available for this device, please re-try the download manually without minor)")
}

// proxy starts a web proxy on the echo host and counts what it is asked.
func (f *feed) proxy(port int) *atomic.Int64 {
	f.t.Helper()
	var l net.Listener
	if err := f.Echo.Do(func() (err error) {
		l, err = net.Listen("tcp", fmt.Sprint(":", port))
		return err
	}); err != nil {
		f.t.Fatal(err)
	}
	var requests atomic.Int64
	server := &http.Server{Handler: &httputil.ReverseProxy{
		Rewrite: func(*httputil.ProxyRequest) { requests.Add(1) },
		Transport: &http.Transport{DialContext: func(_ context.Context, network, address string) (net.Conn, error) {
			return f.dial(f.Echo, network, address)
		}},
	}}
	f.t.Cleanup(func() { server.Close() })
	go server.Serve(l) //nolint:errcheck // it ends when it is closed
	return &requests
}

// A gateway that is killed in the midst of an installation comes back with the package from before
// or the new one, and the installation can be made again.
// Rows: AI-120, AI-124, AI-142.
func TestKilledDuringInstall(t *testing.T) {
	f := startFeed(t, "")
	f.done("download", "Application package 2000 is downloaded successfully")
	f.request("install")
	f.gw.Kill()
	f.run()
	shown := f.show("show" + identification + "version")
	if !regexp.MustCompile(`version: (1000|2000) \(Major\)`).MatchString(shown) {
		t.Errorf("after the kill:\n%s", shown)
	}
	if strings.Contains(shown, "1000") {
		f.done("download", "Application package 2000 is downloaded successfully")
		f.done("install", "Install application package 2000 succeed")
	}
	f.listen(f.Web, ":8081", answers(okPage))
	f.visit("shop.example")
	f.remembers(8081, "SHOP")
}

// What a content network carries is told instead of the network, where the statement is set.
// Rows: AI-63, 1/S-17.
func TestContentNetwork(t *testing.T) {
	f := startFeed(t, "")
	apps := strings.Replace(feedApps, "protocol HTTP\n", "protocol HTTP\n  flags carrier\n", 1)
	f.publish(apps+"application DELIVERY\n  number 7\n  category Web\n  addresses "+lab.WebAddr4+"/32\n  flags cdn\n", "--version", "2001")
	f.done("download", "Application package 2001 is downloaded successfully")
	f.done("install", "Install application package 2001 succeed")
	f.listen(f.Web, ":8081", answers(okPage))
	f.visit("shop.example")
	f.remembers(8081, "DELIVERY")
	f.configure("set services application-identification enable-cdn-application-detection")
	f.visit("shop.example")
	f.remembers(8081, "SHOP")
}
