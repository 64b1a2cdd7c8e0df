package install

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"sluice/sigpack"
	"sluice/store"
	"sluice/store/schema"
)

// Source says where packages come from, and which way.
type Source struct {
	// URL is a feed (http, https), or the absolute path of a repository's directory.
	URL string
	// Proxy is the web proxy to go through; nil: none.
	Proxy *url.URL
	// Insecure leaves the server's certificate unchecked; packages are verified all the same.
	Insecure bool
}

// settings are what the configuration says of packages.
type settings struct {
	source   Source
	profile  string // name of the proxy profile; "": none
	report   bool
	schedule *schedule
	custom   []string // applications that the operator defined
}

// schedule is when updates are made.
type schedule struct {
	interval  time.Duration
	start     time.Time // zero: not given
	minorOnly bool
}

// Name is the name of this part of the gateway in logs.
func (m *Manager) Name() string { return "signature-package" }

// Prepare reads what the configuration says about packages. The manager is one of the store's
// engines.
func (m *Manager) Prepare(cfg *schema.Config) (store.Change, []schema.Problem) {
	next, problems := m.read(cfg)
	if len(problems) > 0 {
		return nil, problems
	}
	return store.ChangeFunc(func() {
		m.settings.Store(next)
		select {
		case m.changed <- struct{}{}:
		default: // it will look anyway
		}
	}), nil
}

func (m *Manager) read(cfg *schema.Config) (*settings, []schema.Problem) {
	const at = "services application-identification download"
	var problems []schema.Problem
	download, idp := &cfg.Services.ApplicationIdentification.Download, &cfg.Security.IDP.Package
	s := &settings{report: download.ReportResults, profile: download.ProxyProfile}
	s.source = Source{URL: m.opt.DefaultURL, Insecure: download.IgnoreServerValidation}
	switch {
	case download.URL != "":
		s.source.URL = download.URL
		problems = checkURL(problems, at+" url", download.URL)
	case idp.URL != "":
		s.source.URL = idp.URL
		problems = checkURL(problems, "security idp security-package url", idp.URL)
	}
	if s.profile != "" {
		proxy, problem := proxyURL(cfg, s.profile)
		if problem != nil {
			problems = append(problems, *problem)
		}
		s.source.Proxy = proxy
	}
	switch automatic := download.Automatic; {
	case automatic != nil:
		s.schedule = newSchedule(automatic.Interval, automatic.StartTime, automatic.MinorOnly)
	case idp.Automatic.Enable:
		s.schedule = newSchedule(idp.Automatic.Interval, idp.Automatic.StartTime, idp.Automatic.MinorOnly)
	}
	for _, a := range cfg.Services.ApplicationIdentification.Applications {
		s.custom = append(s.custom, a.Name)
	}
	return s, problems
}

// checkURL adds a problem when text names no feed.
func checkURL(problems []schema.Problem, path, text string) []schema.Problem {
	u, err := url.Parse(text)
	web := err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
	if web || filepath.IsAbs(text) {
		return problems
	}
	p := schema.Errorf(path, "%q is neither a URL nor the path of a directory", text)
	p.Hint = "such as https://host.example/feed or /var/tmp/feed"
	return append(problems, p)
}

// proxyURL is the web proxy of a profile. Profiles that do not exist are found by the grammar.
func proxyURL(cfg *schema.Config, name string) (*url.URL, *schema.Problem) {
	for _, p := range cfg.Services.Proxy.Profiles {
		if p.Name != name {
			continue
		}
		path := "services proxy profile " + name + " protocol http"
		if p.Protocol.HTTP == nil || p.Protocol.HTTP.Host == "" {
			problem := schema.Errorf(path, "the profile is used for downloads and needs a host")
			problem.Hint = "set " + path + " host ADDRESS"
			return nil, &problem
		}
		host := strings.Trim(p.Protocol.HTTP.Host, "[]")
		return &url.URL{Scheme: "http", Host: net.JoinHostPort(host, strconv.Itoa(int(p.Protocol.HTTP.Port)))}, nil
	}
	return nil, nil
}

func newSchedule(hours uint16, start *schema.StartTime, minorOnly bool) *schedule {
	s := &schedule{interval: time.Duration(hours) * time.Hour, minorOnly: minorOnly}
	if start != nil {
		s.start = start.Time
	}
	return s
}

// Times after which a connection to a feed is given up.
const (
	dialTimeout   = 30 * time.Second
	headerTimeout = time.Minute
	idleTimeout   = 10 * time.Second
)

// trust is what packages are believed by.
func (o *Options) trust() sigpack.Trust {
	return sigpack.Trust{Root: o.Root, Dir: filepath.Join(o.Dir, "trust")}
}

var (
	errNoURL  = errors.New("no download server is configured: set services application-identification download url URL")
	errNoRoot = errors.New("the gateway has no root of trust for signature packages: start it with the feed's root.json")
)

// connect makes the client of a feed.
func (o *Options) connect(s Source) (Feed, error) {
	if s.URL == "" {
		return nil, errNoURL
	}
	if len(o.Root) == 0 {
		return nil, errNoRoot
	}
	transport := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSHandshakeTimeout: dialTimeout, ResponseHeaderTimeout: headerTimeout, IdleConnTimeout: idleTimeout,
		ForceAttemptHTTP2: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: s.Insecure, MinVersion: tls.VersionTLS12},
	}
	if s.Proxy != nil {
		transport.Proxy = http.ProxyURL(s.Proxy)
	}
	return &sigpack.Client{Trust: o.trust(), URL: s.URL, HTTP: &http.Client{Transport: transport}}, nil
}

// feed connects to the feed that is configured.
func (m *Manager) feed() (Feed, error) {
	f, err := m.opt.Connect(m.settings.Load().source)
	if err != nil {
		return nil, fmt.Errorf("download server: %w", err)
	}
	return f, nil
}
