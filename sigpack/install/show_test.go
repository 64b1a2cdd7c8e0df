package install

import (
	"strings"
	"testing"
	"time"

	"sluice/sigpack"
	"sluice/store/schema"
)

// AI-91, AI-114, AI-139, AI-147, AI-160, AI-161: what status and version show.
func TestDetails(t *testing.T) {
	run(t, func(w *world) {
		d := w.Details()
		if !d.Builtin || d.Rollback != nil || d.Server != "https://feed.example/sig" || d.AutoUpdate || d.ProxyProfile != "" || d.ProxyAddress != "" {
			t.Errorf("details %+v", d)
		}
		w.feed.publish(minor(3666, 1000))
		w.upgrade(3666)
		w.configure(func(c *schema.Config) {
			c.Services.Proxy.Profiles = []schema.ProxyProfile{{Name: "Profile-1",
				Protocol: schema.ProxyProtocol{HTTP: &schema.HTTPProxy{Host: "5.0.0.1", Port: 3128}}}}
			c.Services.ApplicationIdentification.Download.ProxyProfile = "Profile-1"
			c.Services.ApplicationIdentification.Download.URL = "https://intranet.example/feed"
		})
		d = w.Details()
		if d.Builtin || d.Server != "https://intranet.example/feed" || d.ProxyProfile != "Profile-1" || d.ProxyAddress != "http://5.0.0.1:3128" {
			t.Errorf("details %+v", d)
		}
		if *d.Installed != minor(3666, 1000) || *d.Rollback != major(1000) {
			t.Errorf("installed %+v, rollback %+v", d.Installed, d.Rollback)
		}
		if f := w.Faulty(); len(f) > 0 {
			t.Errorf("faulty %+v", f)
		}
	})
}

// AI-93, AI-110: the commands of the intrusion detection package work on the same packages.
func TestIDP(t *testing.T) {
	run(t, func(w *world) {
		w.feed.publish(major(2230), major(2231))
		w.feed.delay = time.Second
		w.started(w.Download(Want{Version: 2230}))
		if got := w.IDPDownloadStatus(); !strings.HasPrefix(got, "In progress:") {
			t.Errorf("status %q", got)
		}
		w.settle(Download)
		w.is("download", w.IDPDownloadStatus(), "Done;Successfully downloaded from(https://feed.example/sig).\n"+
			"Version info:2230(Mon Oct 10 14:55:29 2022 UTC, Detector=5.7.1-47)")
		w.started(w.Install(false))
		if got := w.IDPInstallStatus(); !strings.HasPrefix(got, "In progress:") {
			t.Errorf("status %q", got)
		}
		w.settle(Install)
		w.is("installation", w.IDPInstallStatus(), "Done;Attack DB update : successful - [UpdateNumber=2230,ExportDate=Mon Oct 10 14:55:29 2022 UTC,Detector=5.7.1-47]\n"+
			"Updating control-plane with new detector : successful\nUpdating data-plane with new attack or detector : successful")
		w.install()
		w.is("duplicate", w.IDPInstallStatus(), "Done;Attack DB update : failed - [Install Application package 2230 and Protocol bundle failed"+
			" (Application package 2230 is already installed)]")
		w.download(7)
		w.is("unavailable", w.IDPDownloadStatus(), "Done;Downloading application package 7 failed with error"+
			" (Requested application package 7 is not available for download)")
	})
}

// AI-95, AI-111, AI-112, AI-113, AI-116: where packages come from, and which way.
func TestSettings(t *testing.T) {
	profile := func(host string, port uint16) []schema.ProxyProfile {
		return []schema.ProxyProfile{{Name: "p", Protocol: schema.ProxyProtocol{HTTP: &schema.HTTPProxy{Host: host, Port: port}}}}
	}
	for name, c := range map[string]struct {
		change  func(c *schema.Config, d *schema.Download)
		want    string // URL, proxy
		problem string
	}{
		"default":     {func(*schema.Config, *schema.Download) {}, "https://feed.example/sig ", ""},
		"URL":         {func(_ *schema.Config, d *schema.Download) { d.URL = "http://192.0.2.1:8080/x" }, "http://192.0.2.1:8080/x ", ""},
		"directory":   {func(_ *schema.Config, d *schema.Download) { d.URL = "/var/tmp/feed" }, "/var/tmp/feed ", ""},
		"IDP":         {func(c *schema.Config, _ *schema.Download) { c.Security.IDP.Package.URL = "https://idp.example" }, "https://idp.example ", ""},
		"bad URL":     {func(_ *schema.Config, d *schema.Download) { d.URL = "feed.example" }, "", "neither a URL nor the path"},
		"no host":     {func(_ *schema.Config, d *schema.Download) { d.URL = "https://" }, "", "neither a URL nor the path"},
		"bad IDP URL": {func(c *schema.Config, _ *schema.Download) { c.Security.IDP.Package.URL = "ftp://x" }, "", "security idp security-package url"},
		"both": {func(c *schema.Config, d *schema.Download) {
			c.Security.IDP.Package.URL, d.URL = "https://idp.example", "https://own.example"
		}, "https://own.example ", ""},
		"proxy": {func(c *schema.Config, d *schema.Download) {
			c.Services.Proxy.Profiles, d.ProxyProfile = profile("proxy.example", 8080), "p"
		}, "https://feed.example/sig http://proxy.example:8080", ""},
		"IPv6 proxy": {func(c *schema.Config, d *schema.Download) {
			c.Services.Proxy.Profiles, d.ProxyProfile = profile("2001:db8::1", 3128), "p"
		}, "https://feed.example/sig http://[2001:db8::1]:3128", ""},
		"unused proxy": {func(c *schema.Config, _ *schema.Download) { c.Services.Proxy.Profiles = profile("proxy.example", 8080) },
			"https://feed.example/sig ", ""},
		"proxy without host": {func(c *schema.Config, d *schema.Download) {
			c.Services.Proxy.Profiles, d.ProxyProfile = profile("", 3128), "p"
		}, "", "needs a host"},
	} {
		t.Run(name, func(t *testing.T) {
			m := &Manager{opt: Options{DefaultURL: "https://feed.example/sig"}}
			cfg := &schema.Config{}
			c.change(cfg, &cfg.Services.ApplicationIdentification.Download)
			s, problems := m.read(cfg)
			if c.problem != "" {
				if len(problems) != 1 || !strings.Contains(problems[0].Error(), c.problem) || problems[0].Path == "" {
					t.Errorf("problems %v", problems)
				}
				return
			}
			if got := s.source.URL + " " + address(s.source.Proxy); len(problems) > 0 || got != c.want {
				t.Errorf("from %q, problems %v", got, problems)
			}
		})
	}
}

// Without a server, or without trust, a download says what is missing.
func TestConnect(t *testing.T) {
	opt := Options{Dir: t.TempDir()}
	if _, err := opt.connect(Source{}); err == nil || !strings.Contains(err.Error(), "download url") {
		t.Errorf("without a server: %v", err)
	}
	if _, err := opt.connect(Source{URL: "https://feed.example"}); err == nil || !strings.Contains(err.Error(), "root") {
		t.Errorf("without a root: %v", err)
	}
	opt.Root = []byte("{}")
	feed, err := opt.connect(Source{URL: "https://feed.example"})
	if err != nil {
		t.Fatal(err)
	}
	if c, ok := feed.(*sigpack.Client); !ok || c.URL != "https://feed.example" || string(c.Root) != "{}" {
		t.Errorf("client %+v", feed)
	}
}
