package main

import (
	"log/slog"
	"path/filepath"
	"sync"

	"sluice/store"
	"sluice/store/schema"
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
	keys       *pki.Store
	names      profile.Names
	revocation *revoke.Checker
	tracer     *report.Tracer
	counters   *report.Counters
	drops      *report.Drops
	logger     *slog.Logger

	mu  sync.Mutex     // guards what follows, and orders changes of profiles
	cfg *schema.Config // in force; nil before the first
	set *profile.Set
}

// openDecryption makes an SSL proxy without profiles.
func openDecryption(o gatewayOptions, logs string, keys *pki.Store, names profile.Names, tracker *track.Tracker, logger *slog.Logger) (*decryption, error) {
	revocation, err := revoke.New(revoke.Options{Dir: filepath.Join(o.state, "pki", "crl"), Logger: logger})
	if err != nil {
		return nil, err
	}
	d := &decryption{
		keys: keys, names: names, revocation: revocation, logger: logger, set: new(profile.Set),
		tracer: report.NewTracer(logs, logger), counters: new(report.Counters), drops: new(report.Drops),
	}
	d.Service = sslproxy.New(sslproxy.Options{
		Counters: d.counters, Drops: d.drops, Tracer: d.tracer, Log: tracker, Revocation: revocation, Logger: logger,
	})
	keys.OnChange(d.renew)
	return d, nil
}

// Close ends what runs in the background.
func (d *decryption) Close() {
	d.Service.Close()
	d.revocation.Close()
	d.tracer.Close()
}

// Name names the engine in logs.
func (*decryption) Name() string { return "ssl" }

// Prepare compiles the profiles.
func (d *decryption) Prepare(cfg *schema.Config) (store.Change, []schema.Problem) {
	d.mu.Lock()
	previous := d.set
	d.mu.Unlock()
	set, problems := profile.Compile(cfg, previous, d.environment(false))
	problems = append(problems, report.CheckTrace(&cfg.Services.SSL.TraceOptions)...)
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
