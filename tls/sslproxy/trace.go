package sslproxy

import (
	"strings"

	"sluice/tls/profile"
	"sluice/tls/report"
	tls "sluice/tls/stdtls"
	"sluice/track"
)

// traces says whether something about the session is to be traced.
func (h *handshake) traces(part report.Flag, level report.Level) bool {
	if h.trace == nil && h.Tracer != nil {
		name, flowTracing := "(null)", false
		if h.profile != nil {
			name, flowTracing = h.profile.Name, h.profile.FlowTracing
		}
		h.trace = h.Tracer.Session(h.session.ID, h.session.Client, h.session.Server, name, flowTracing)
	}
	return h.trace.Wants(part, level)
}

// note traces something about the session.
func (h *handshake) note(part report.Flag, level report.Level, format string, args ...any) {
	if h.traces(part, level) {
		h.trace.Log(part, level, format, args...)
	}
}

// noteAgreed traces what a handshake came to.
func (h *handshake) noteAgreed(part report.Flag, c *tls.ConnectionState) {
	if !h.traces(part, report.Detail) {
		return
	}
	h.trace.Log(part, report.Detail, "handshake is complete: TLS %s, %s, group %s, resumed %t, protocol %q",
		profile.VersionName(c.Version), profile.SuiteName(c.CipherSuite), groupName(c.CurveID), c.DidResume, c.NegotiatedProtocol)
	if len(c.PeerCertificates) > 0 {
		h.trace.Log(part, report.Verbose, "the other side shows %d certificates, the first of %s", len(c.PeerCertificates), c.PeerCertificates[0].Subject)
	}
}

// groupName is what the IANA calls a group of the key exchange.
func groupName(group tls.CurveID) string {
	switch group {
	case 0:
		return "none"
	case tls.CurveP256, tls.CurveP384, tls.CurveP521:
		return "secp" + strings.TrimPrefix(group.String(), "CurveP") + "r1"
	}
	return group.String()
}

// part is the part of the gateway in which a fault is found.
func (f *fault) part() report.Flag {
	switch f.origin {
	case track.FromCertificate:
		return report.InitiationSide
	case track.FromHandshake:
		return report.TerminationSide | report.InitiationSide
	}
	return report.ProxyPolicy
}
