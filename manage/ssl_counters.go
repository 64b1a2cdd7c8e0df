package manage

import (
	"sluice/manage/view"
	"sluice/tls/report"
)

// Widths of the columns of names, as the guide has them.
const (
	proxyWidth = 37
	legWidth   = 33
)

// side is one of the two sides of sessions.
type side uint8

const (
	termination side = iota // towards clients
	initiation              // towards servers
)

// String is the side as the commands call it.
func (s side) String() string { return [...]string{"termination", "initiation"}[s] }

// Names that differ from one command to another.
type spellings struct{ createFailed, nonSSL, memory string }

// proxyErrors are the counters of errors.
func proxyErrors(c *report.Proxy, names spellings) []view.Counter {
	return []view.Counter{
		{Name: names.createFailed, Value: c.SessionCreateFailed.Value()},
		{Name: names.nonSSL, Value: c.NonSSL.Value()},
		{Name: names.memory, Value: c.MemoryFailures.Value()},
		{Name: "session dropped", Value: c.Dropped.Value()},
	}
}

// proxyInfo are the counters of sessions.
func proxyInfo(c *report.Proxy) []view.Counter {
	return []view.Counter{
		{Name: "sessions matched", Value: c.Matched.Value()},
		{Name: "sessions created", Value: c.Created.Value()},
		{Name: "sessions destroyed", Value: c.Destroyed.Value()},
		{Name: "sessions ignored", Value: c.Ignored.Value()},
		{Name: "sessions ignored : backup only", Value: c.BackupOnly.Value()},
		{Name: "sessions whitelisted : IP based", Value: c.WhitelistedIP.Value()},
		{Name: "sessions whitelisted : url based", Value: c.WhitelistedURL.Value()},
		{Name: "crl : data added", Value: c.CRLAdded.Value()},
		{Name: "crl : certificate revoked", Value: c.CertificateRevoked.Value()},
		{Name: "crl : no crl info present", Value: c.NoCRL.Value()},
		{Name: "crl : no CA certificate", Value: c.NoCACertificate.Value()},
		{Name: "SSL sessions", Value: c.SSL.Value()},
		{Name: "SMTP over STARTTLS", Value: c.SMTPOverSTARTTLS.Value()},
		{Name: "IMAP over STARTTLS", Value: c.IMAPOverSTARTTLS.Value()},
		{Name: "POP3 over STARTTLS", Value: c.POP3OverSTARTTLS.Value()},
		{Name: "SMTP sessions", Value: c.SMTP.Value()},
		{Name: "IMAP sessions", Value: c.IMAP.Value()},
		{Name: "POP3 sessions", Value: c.POP3.Value()},
		{Name: "Server not supporting STARTTLS", Value: c.ServerNoSTARTTLS.Value()},
		{Name: "Client not supporting STARTTLS", Value: c.ClientNoSTARTTLS.Value()},
		{Name: "Unified policy : default profile hit", Value: c.DefaultProfileHit.Value()},
		{Name: "Unified policy : no default profile", Value: c.NoDefaultProfile.Value()},
	}
}

// showProxyCounters shows the proxy's counters; the three forms of the guide spell names differently.
func showProxyCounters(s *Server, r *request) (view.View, error) {
	proxy, err := s.ssl()
	if err != nil {
		return nil, err
	}
	c := &proxy.Counters().Proxy
	switch {
	case r.args.Has("errors"):
		return &view.SSLCounters{Counters: proxyErrors(c, spellings{"Session create failed", "non SSL sessions received", "memory failures"})}, nil
	case r.args.Has("info"):
		return &view.SSLCounters{Counters: proxyInfo(c)}, nil
	}
	list := proxyErrors(c, spellings{"session create failed", "non SSL sessions recieved", "Memory failures"}) //nolint:misspell // as the guide spells it
	return &view.SSLCounters{Counters: append(list, proxyInfo(c)...), Width: proxyWidth}, nil
}

// legErrors are the counters of errors of one side.
func legErrors(l *report.Leg) []view.Counter {
	return []view.Counter{
		{Name: "Memory errors", Value: l.MemoryErrors.Value()},
		{Name: "Handshake errors", Value: l.HandshakeErrors.Value()},
		{Name: "Cert Cache errors", Value: l.CertificateCacheErrors.Value()},
		{Name: "Server Protection errors", Value: l.ServerProtectionErrors.Value()},
		{Name: "Proxy errors", Value: l.ProxyErrors.Value()},
		{Name: "Crypto errors", Value: l.CryptoErrors.Value()},
		{Name: "Certificate errors", Value: l.CertificateErrors.Value()},
		{Name: "One-Crypto errors", Value: l.OneCryptoErrors.Value()},
		{Name: "Async-Crypto errors", Value: l.AsyncCryptoErrors.Value()},
		{Name: "Mirror errors", Value: l.MirrorErrors.Value()},
	}
}

// legHandshakes are the counters of handshakes and sessions of one side.
func legHandshakes(l *report.Leg, of side) []view.Counter {
	afterResumption := "proxy: reneg after resumption"
	if of == initiation {
		afterResumption = "proxy: renege after resumption"
	}
	return []view.Counter{
		{Name: "handshakes started", Value: l.HandshakesStarted.Value()},
		{Name: "handshakes completed", Value: l.HandshakesCompleted.Value()},
		{Name: "active sessions", Value: l.Active.Value()},
		{Name: "Interdicted cert generated", Value: l.InterdictedGenerated.Value()},
		{Name: "proxy: sessions created", Value: l.ProxyCreated.Value()},
		{Name: "proxy: sessions active", Value: l.ProxyActive.Value()},
		{Name: "proxy: sessions ignored", Value: l.ProxyIgnored.Value()},
		{Name: "proxy: renegotiation ignored", Value: l.RenegotiationsIgnored.Value()},
		{Name: "proxy: session resumption", Value: l.Resumptions.Value()},
		{Name: "proxy: secure renegotiation", Value: l.SecureRenegotiations.Value()},
		{Name: "proxy: insecure renegotiation", Value: l.InsecureRenegotiations.Value()},
		{Name: "proxy: multiple renegotiation", Value: l.MultipleRenegotiations.Value()},
		{Name: afterResumption, Value: l.RenegotiationsAfterResumption.Value()},
		{Name: "init: passthrough requests", Value: l.PassthroughRequests.Value()},
		{Name: "init: start requests", Value: l.StartRequests.Value()},
		{Name: "proxy: ECDSA based srvr auth", Value: l.ECDSAAuthentications.Value()},
		{Name: "proxy: RSA based srvr auth", Value: l.RSAAuthentications.Value()},
	}
}

// showLegCounters makes the handler that shows the counters of one side.
func showLegCounters(of side) handler {
	return func(s *Server, r *request) (view.View, error) {
		proxy, err := s.ssl()
		if err != nil {
			return nil, err
		}
		leg := &proxy.Counters().Termination
		if of == initiation {
			leg = &proxy.Counters().Initiation
		}
		switch {
		case r.args.Has("errors"):
			return &view.SSLCounters{Counters: legErrors(leg)}, nil
		case r.args.Has("handshake"):
			return &view.SSLCounters{Counters: legHandshakes(leg, of)}, nil
		}
		return &view.SSLCounters{Counters: append(legErrors(leg), legHandshakes(leg, of)...), Width: legWidth}, nil
	}
}

// profileCounters are the counters of one side of a profile.
func profileCounters(c *report.Counters, profile string, of side) []view.Counter {
	p, afterResumption, drop := c.ProfileTermination(profile), "reneg after resumption", "drop on reneg"
	if of == initiation {
		p, afterResumption, drop = c.ProfileInitiation(profile), "renegot after resumption", "drop on renegot"
	}
	return []view.Counter{
		{Name: "handshakes started", Value: p.HandshakesStarted.Value()},
		{Name: "handshakes completed", Value: p.HandshakesCompleted.Value()},
		{Name: "active sessions", Value: p.Active.Value()},
		{Name: "total handshake errors", Value: p.HandshakeErrors.Value()},
		{Name: "Data Errors", Value: p.DataErrors.Value()},
		{Name: "session resumption", Value: p.Resumptions.Value()},
		{Name: "secure renegotiation", Value: p.SecureRenegotiations.Value()},
		{Name: "insecure renegotiation", Value: p.InsecureRenegotiations.Value()},
		{Name: "multiple renegotiation", Value: p.MultipleRenegotiations.Value()},
		{Name: afterResumption, Value: p.RenegotiationsAfterResumption.Value()},
		{Name: "no_reneg alert by peer", Value: p.NoRenegotiationAlerts.Value()},
		{Name: drop, Value: p.DropsOnRenegotiation.Value()},
	}
}

// showStatistics shows the proxy's counters under the names of the older command.
func showStatistics(s *Server, _ *request) (view.View, error) {
	proxy, err := s.ssl()
	if err != nil {
		return nil, err
	}
	n := proxy.Counters().Statistics()
	return &view.SSLStatistics{Counters: []view.Counter{
		{Name: "sessions matched", Value: n.Matched},
		{Name: "sessions bypassed:non-ssl", Value: n.BypassedNonSSL},
		{Name: "sessions bypassed:mem overflow", Value: n.BypassedOverflow},
		{Name: "sessions bypassed:low memory", Value: n.BypassedLowMemory},
		{Name: "sessions created", Value: n.Created},
		{Name: "sessions ignored", Value: n.Ignored},
		{Name: "sessions active", Value: n.Active},
		{Name: "sessions dropped", Value: n.Dropped},
		{Name: "sessions whitelisted", Value: n.Whitelisted},
		{Name: "whitelisted url category match", Value: n.CategoryMatch},
		{Name: "default profile hit", Value: n.DefaultProfileHit},
		{Name: "session dropped no default profile", Value: n.NoDefaultProfile},
		{Name: "policy hit no profile configured", Value: n.PolicyWithoutProfile},
	}}, nil
}

func showSessionCacheCounters(s *Server, _ *request) (view.View, error) {
	proxy, err := s.ssl()
	if err != nil {
		return nil, err
	}
	return cacheCounters(&proxy.Counters().SessionCache, false), nil
}

func showCertificateCacheCounters(s *Server, _ *request) (view.View, error) {
	proxy, err := s.ssl()
	if err != nil {
		return nil, err
	}
	return cacheCounters(&proxy.Counters().CertificateCache, true), nil
}

func cacheCounters(c *report.Cache, certificates bool) view.View {
	return &view.SSLCacheCounters{Certificates: certificates, Hit: c.Hit.Value(), Miss: c.Miss.Value(), Full: c.Full.Value()}
}
