package main

import (
	"log/slog"
	"path/filepath"
	"strings"
	"sync"

	"sluice/store"
	"sluice/store/schema"
	"sluice/tls/endpoint"
	"sluice/tls/pki"
	"sluice/tls/profile"
	"sluice/tls/report"
	"sluice/tls/revoke"
	"sluice/tls/sslproxy"
	tls "sluice/tls/stdtls"
	"sluice/track"
)

// decryption is the SSL proxy in the gateway: its profiles follow the configuration, and the
// certificates that they name.
type decryption struct {
	*sslproxy.Service
	client     *endpoint.Client // for the gateway's own connections
	server     *endpoint.Server
	keys       *pki.Store
	names      profile.Names
	tracker    *track.Tracker
	revocation *revoke.Checker
	tracer     *report.Tracer
	counters   *report.Counters
	drops      *report.Drops
	logger     *slog.Logger

	mu  sync.Mutex     // guards what follows, and orders changes of profiles
	cfg *schema.Config // in force; nil before the first
	set *profile.Set

	accepted bool // the first configuration was in force before
}

// openDecryption makes an SSL proxy without profiles.
func openDecryption(o gatewayOptions, logs string, keys *pki.Store, names profile.Names, tracker *track.Tracker, logger *slog.Logger) (*decryption, error) {
	revocation, err := revoke.New(revoke.Options{Dir: filepath.Join(o.state, "pki", "crl"), Logger: logger})
	if err != nil {
		return nil, err
	}
	d := &decryption{
		keys: keys, names: names, tracker: tracker, revocation: revocation, logger: logger, set: new(profile.Set),
		tracer: report.NewTracer(logs, logger), counters: new(report.Counters), drops: new(report.Drops),
	}
	d.Service = sslproxy.New(sslproxy.Options{
		Counters: d.counters, Drops: d.drops, Tracer: d.tracer, Log: tracker, Revocation: revocation, Logger: logger,
	})
	d.client = &endpoint.Client{Profile: func(name string) *profile.Initiation { return d.profiles().Initiation(name) }, Counters: d.counters, Revocation: revocation}
	d.server = &endpoint.Server{Profile: func(name string) *profile.Termination { return d.profiles().Termination(name) }, Counters: d.counters}
	for _, fault := range keys.Faults() {
		tracker.System(tagKeyringFailed, severityError, fault.Error())
	}
	keys.OnChange(d.renew)
	return d, nil
}

// profiles are those in force.
func (d *decryption) profiles() *profile.Set {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.set
}

// Close ends what runs in the background.
func (d *decryption) Close() {
	d.Service.Close()
	d.revocation.Close()
	d.tracer.Close()
}

// Name names the engine in logs.
func (*decryption) Name() string { return "ssl" }

// Resume says that the first configuration was in force before, so that it holds although
// certificates may be gone since.
func (d *decryption) Resume() { d.accepted = true }

// Prepare compiles the profiles.
func (d *decryption) Prepare(cfg *schema.Config) (store.Change, []schema.Problem) {
	d.mu.Lock()
	previous, resumed := d.set, d.accepted && d.cfg == nil
	d.mu.Unlock()
	set, problems := profile.Compile(cfg, previous, d.environment(resumed))
	problems = append(problems, report.CheckTrace(&cfg.Services.SSL.TraceOptions)...)
	complain(d.tracker.System, problems)
	return store.ChangeFunc(func() { d.apply(cfg, set) }), problems
}

func (d *decryption) environment(accepted bool) profile.Environment {
	return profile.Environment{PKI: d.keys, Names: d.names, Supports: supportsSuite, Accepted: accepted}
}

// renew compiles the profiles anew, as certificates have changed other than by a commit.
func (d *decryption) renew() {
	d.mu.Lock()
	cfg, previous := d.cfg, d.set
	d.mu.Unlock()
	if cfg == nil {
		return
	}
	set, problems := profile.Compile(cfg, previous, d.environment(true))
	for _, p := range problems {
		d.logger.Warn("SSL profiles after a change of certificates", "problem", p)
	}
	d.apply(cfg, set)
}

func (d *decryption) apply(cfg *schema.Config, set *profile.Set) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cfg, d.set = cfg, set
	d.tracer.Configure(&cfg.Services.SSL.TraceOptions)
	d.Configure(set)
	var names []string
	for _, p := range set.Proxies() {
		names = append(names, p.Name)
		d.tracer.Commit(report.Extensive, "profile %s: number %d, forward %t, %d trusted CAs, %d ciphers", p.Name, p.ID, p.Forward(), len(p.TrustedCAs), len(p.CipherSuites)+len(p.Suites13))
		if p.Broken != "" {
			d.tracer.Commit(report.Brief, "profile %s is out of service: %s", p.Name, p.Broken)
			d.tracker.System(tagCertError, severityError, "services ssl proxy profile "+p.Name+" is out of service: "+p.Broken)
		}
	}
	for _, p := range set.Initiations() {
		names = append(names, p.Name)
	}
	for _, p := range set.Terminations() {
		names = append(names, p.Name)
	}
	d.counters.Keep(names)
	d.tracer.Commit(report.Detail, "profiles in force: %s", strings.Join(names, ", "))
}

// supportsSuite says whether the TLS library can use a suite.
func supportsSuite(id uint16) bool {
	for _, list := range [][]*tls.CipherSuite{tls.CipherSuites(), tls.InsecureCipherSuites()} {
		for _, suite := range list {
			if suite.ID == id {
				return true
			}
		}
	}
	return false
}
