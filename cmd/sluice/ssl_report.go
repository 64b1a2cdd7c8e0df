package main

import (
	"strings"
	"time"

	"sluice/manage/view"
	"sluice/store/schema"
	"sluice/tls/report"
	"sluice/track"
)

// Tags of messages about what the configuration asks of TLS and cannot be had.
const (
	tagProfileError  = "SSL_CONFIG_PROFILE_PROCESS_ERR"
	tagCertError     = "SSL_CONFIG_CERT_PROCESS_ERR"
	tagGlobalError   = "SSL_GLOBAL_CONFIG_PROCESS_ERR"
	tagKeyringFailed = "SSL_CONFIG_PKI_IPC_ERR"

	severityError track.Severity = 3
)

// certificateStatements are the statements that name certificates, as they stand in paths.
var certificateStatements = []string{" root-ca ", " server-certificate ", " client-certificate ", " trusted-ca "}

// complain sends a message of the system for each problem about TLS that refuses a configuration.
func complain(send func(tag string, severity track.Severity, text string), problems []schema.Problem) {
	for _, p := range problems {
		if p.Warning || !strings.HasPrefix(p.Path, "services ssl ") {
			continue
		}
		tag := tagProfileError
		if !strings.Contains(p.Path, " profile ") {
			tag = tagGlobalError
		}
		for _, statement := range certificateStatements {
			if strings.Contains(p.Path, statement) {
				tag = tagCertError
			}
		}
		send(tag, severityError, p.Error())
	}
}

// brokenProfiles says which profiles decrypt nothing, and why, by their names in statements.
func (d *decryption) brokenProfiles() map[string]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	broken := map[string]string{}
	add := func(name, why string) {
		if why != "" {
			broken[name] = why
		}
	}
	for _, p := range d.set.Proxies() {
		add("services ssl proxy profile "+p.Name, p.Broken)
	}
	for _, p := range d.set.Initiations() {
		add("services ssl initiation profile "+p.Name, p.Broken)
	}
	for _, p := range d.set.Terminations() {
		add("services ssl termination profile "+p.Name, p.Broken)
	}
	return broken
}

// Alarms are profiles that decrypt nothing, or sign with a root CA that nobody accepts any more.
func (d *decryption) Alarms() []view.Alarm {
	var list []view.Alarm
	for path, why := range d.brokenProfiles() {
		list = append(list, view.Alarm{Class: "Major", Text: path + " is out of service: " + why})
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range d.set.Proxies() {
		if p.RootExpired(time.Now()) {
			list = append(list, view.Alarm{Class: "Major", Text: "services ssl proxy profile " + p.Name + ": its root CA has expired"})
		}
	}
	return list
}

// registerSSLCounters puts the SSL proxy's counters into the registry.
func registerSSLCounters(r *track.Registry, c *report.Counters) {
	p := &c.Proxy
	r.Counters("sluice_ssl_sessions_total", "Sessions whose policy has an SSL proxy profile, by what became of them", []string{"outcome"}, func(emit track.Emit) {
		for outcome, counter := range map[string]*report.Counter{
			"matched": &p.Matched, "created": &p.Created, "ignored": &p.Ignored, "dropped": &p.Dropped, "non-ssl": &p.NonSSL,
			"whitelisted-address": &p.WhitelistedIP, "whitelisted-category": &p.WhitelistedURL,
			"no-default-profile": &p.NoDefaultProfile, "overflow": &p.BypassedOverflow,
		} {
			emit(float64(counter.Total()), outcome)
		}
	})
	r.Gauge("sluice_ssl_sessions_decrypted", "Sessions that are decrypted now", func() float64 { return float64(p.Active.Value()) })
	sides := map[string]*report.Leg{"client": &c.Termination, "server": &c.Initiation}
	r.Counters("sluice_ssl_handshakes_total", "TLS handshakes, by side and outcome", []string{"side", "outcome"}, func(emit track.Emit) {
		for side, leg := range sides {
			emit(float64(leg.HandshakesStarted.Total()), side, "started")
			emit(float64(leg.HandshakesCompleted.Total()), side, "completed")
			emit(float64(leg.Resumptions.Total()), side, "resumed")
			emit(float64(leg.HandshakeErrors.Total()), side, "failed")
		}
	})
	r.Counters("sluice_ssl_cache_total", "Look-ups in the caches of the SSL proxy, by cache and outcome", []string{"cache", "outcome"}, func(emit track.Emit) {
		for name, cache := range map[string]*report.Cache{"session": &c.SessionCache, "certificate": &c.CertificateCache} {
			emit(float64(cache.Hit.Total()), name, "hit")
			emit(float64(cache.Miss.Total()), name, "miss")
			emit(float64(cache.Full.Total()), name, "full")
		}
	})
}
