package sslproxy

import (
	"errors"
	"io"
	"net"
	"strings"

	"sluice/tls/profile"
	"sluice/tls/report"
	"sluice/tls/starttls"
	tls "sluice/tls/stdtls"
	"sluice/tls/verify"
	"sluice/track"
)

// fault is why a session is dropped, or would be.
type fault struct {
	origin track.MessageOrigin
	text   string
	alert  tls.AlertError // for the client
}

// Alerts of RFC 8446 section 6.
const (
	alertHandshakeFailure       tls.AlertError = 40
	alertBadCertificate         tls.AlertError = 42
	alertUnsupportedCertificate tls.AlertError = 43
	alertCertificateRevoked     tls.AlertError = 44
	alertCertificateExpired     tls.AlertError = 45
	alertCertificateUnknown     tls.AlertError = 46
	alertUnknownCA              tls.AlertError = 48
	alertAccessDenied           tls.AlertError = 49
)

func systemFault(text string) *fault {
	return &fault{origin: track.FromSystem, text: text, alert: alertAccessDenied}
}

// libraryFault is a handshake that failed. What the peer complained of goes on to the other side.
func libraryFault(err error) *fault {
	f := &fault{origin: track.FromHandshake, text: libraryText(err), alert: alertHandshakeFailure}
	var told tls.AlertError
	if errors.As(err, &told) {
		f.alert = told
	}
	return f
}

// libraryText is what happened in the words that the guide, or OpenSSL, has for it.
func libraryText(err error) string {
	text := err.Error()
	switch {
	case strings.Contains(text, "no cipher suite supported by both client and server"):
		return "no shared cipher"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "unexpected eof while reading"
	}
	return strings.TrimPrefix(text, "tls: ")
}

// certificateFault is a certificate that is not good enough.
func certificateFault(v *verdict) *fault {
	f := &fault{origin: track.FromCertificate, text: v.code.String(), alert: alertBadCertificate}
	if v.code == verify.Application || v.code == verify.Unspecified {
		f.text = v.text
	}
	switch v.code {
	case verify.HasExpired, verify.NotYetValid:
		f.alert = alertCertificateExpired
	case verify.Revoked:
		f.alert = alertCertificateRevoked
	case verify.DepthZeroSelfSigned, verify.SelfSignedInChain, verify.NoLocalIssuer, verify.UnverifiedLeaf:
		f.alert = alertUnknownCA
	}
	return f
}

// String is the fault with where it comes from, for traces.
func (f *fault) String() string { return f.origin.String() + ": " + f.text }

// reason is why a session is not opened.
type reason uint8

// Reasons. Sessions that end before anything was said count for nothing.
const (
	notBegun reason = iota
	notTLS
	noSTARTTLS
	noProfile
	overflow
)

// String is the reason in words, for traces.
func (r reason) String() string {
	return [...]string{"it ended before it began", "it is not TLS", "no STARTTLS came", "its policy has no profile", "too many sessions are decrypted"}[r]
}

// ignore lets a session pass as it is.
func (h *handshake) ignore(why reason) Outcome {
	count := &h.Counters.Proxy
	count.Ignored.Inc()
	switch why {
	case notTLS:
		count.NonSSL.Inc()
		h.tell(profile.LogIgnored, track.SSLIgnore, "non-ssl session ignored")
	case noProfile:
		count.PolicyWithoutProfile.Inc()
	case noSTARTTLS:
		h.tell(profile.LogIgnored, track.SSLIgnore, "session without STARTTLS ignored")
	case overflow:
		h.tell(profile.LogErrors, track.SSLError, "more sessions than may be decrypted at the same time")
	}
	h.note(report.ProxyPolicy, report.Detail, "session passes as it is: %s", why)
	return Outcome{Action: Pass, Pending: h.pending}
}

// whitelisted lets a session pass as it is because its server is exempt; kind counts why, if the guide has
// a counter for it.
func (h *handshake) whitelisted(p *profile.Proxy, kind *report.Counter, host, text string) Outcome {
	h.Counters.Proxy.Ignored.Inc()
	if kind != nil {
		kind.Inc()
	}
	h.profile = p
	h.send(profile.LogWhitelisted, track.SSLEvent{Kind: track.SSLWhitelist, URL: host, Origin: track.FromSystem, Message: text})
	h.note(report.ProxyPolicy, report.Detail, "session passes as it is: %s, %s", host, text)
	h.profile = nil
	return Outcome{Action: Pass, Pending: h.pending}
}

// drop ends a session. p is its profile; nil when none could be chosen.
func (h *handshake) drop(p *profile.Proxy, f *fault) Outcome {
	record := h.session.Record()
	h.Drops.Record(report.Drop{
		Time: h.Now(), Message: f.text, Client: h.session.Client, Server: h.session.Server,
		SourceInterface: record.IngressInterface, DestinationInterface: record.EgressInterface,
		SourceZone: record.FromZone, DestinationZone: record.ToZone, Services: services,
	})
	h.Counters.Proxy.Dropped.Inc() // what is counted can be looked up
	h.profile = p
	h.send(profile.LogDropped, track.SSLEvent{Kind: track.SSLDrop, Origin: f.origin, Message: f.text})
	h.note(f.part(), report.Brief, "session is dropped: %s", f)
	h.end()
	return Outcome{Action: Ended}
}

// services are the parts of the gateway that a session passes, from the client to the server.
var services = []report.Service{
	{Name: "junos-jdpi", Action: "none"}, {Name: "junos-tcp-svr-emul", Action: "none"}, {Name: "junos-ssl-proxy", Action: "none"},
	{Name: "junos-ssl-term", Action: "none"}, {Name: "junos-dpi-stream", Action: "none"}, {Name: "junos-ssl-init", Action: "none"},
	{Name: "junos-tcp-clt-emul", Action: "none"},
}

// begin counts that the session is taken.
func (h *handshake) begin() {
	count := &h.Counters.Proxy
	count.Created.Inc()
	count.Active.Up()
	switch h.mail {
	case starttls.None:
		count.SSL.Inc()
	case starttls.SMTP:
		count.SMTPOverSTARTTLS.Inc()
	case starttls.IMAP:
		count.IMAPOverSTARTTLS.Inc()
	case starttls.POP3:
		count.POP3OverSTARTTLS.Inc()
	}
	h.towardsClient = h.Counters.TerminationSide(h.profile.Name)
	h.towardsServer = h.Counters.InitiationSide(h.profile.Name)
	h.towardsClient.Begin()
	h.towardsServer.Begin()
	h.note(report.ProxyPolicy, report.Detail, "session is opened, server name %q", h.hello.ServerName)
	category := ""
	if classes := h.session.Categories(h.hello.ServerName); len(classes) > 0 {
		category = classes[0]
	}
	h.send(profile.LogInfo, track.SSLEvent{Kind: track.SSLInfo, SNI: h.hello.ServerName, Category: category})
}

// end counts that the session, if it was taken, is over.
func (h *handshake) end() {
	if h.towardsClient == nil || h.over {
		return
	}
	h.over = true
	h.towardsClient.End()
	h.towardsServer.End()
	h.Counters.Proxy.Destroyed.Inc()
	h.Counters.Proxy.Active.Down()
}

// countMail counts a mail session that began in the clear.
func (h *handshake) countMail(r *mailResult) {
	count := &h.Counters.Proxy
	switch r.protocol {
	case starttls.SMTP:
		count.SMTP.Inc()
	case starttls.IMAP:
		count.IMAP.Inc()
	case starttls.POP3:
		count.POP3.Inc()
	}
	switch {
	case r.end == mailAgreed:
	case r.asked:
		count.ServerNoSTARTTLS.Inc()
	default:
		count.ClientNoSTARTTLS.Inc()
	}
}

// allowed records that a session goes on in spite of a fault.
func (h *handshake) allowed(f *fault) {
	h.note(report.InitiationSide, report.Detail, "goes on in spite of: %s", f)
	h.send(profile.LogAllowed, track.SSLEvent{Kind: track.SSLAllow, Origin: f.origin, Message: f.text})
}

// warn records something odd.
func (h *handshake) warn(text string) {
	h.tell(profile.LogWarnings, track.SSLWarning, text)
}

// tell sends a log record of what the gateway itself found.
func (h *handshake) tell(option profile.Log, tag track.Tag, message string) {
	h.send(option, track.SSLEvent{Kind: tag, Origin: track.FromSystem, Message: message})
}

// send sends a log record, if the profile asks for it. A session without a profile is logged if any
// of the profiles that its policies ask for does.
func (h *handshake) send(option profile.Log, event track.SSLEvent) {
	wanted := h.profile != nil && h.profile.Log.Has(option)
	if h.profile == nil {
		for _, name := range h.session.Asked(false).Profiles {
			p := h.set.Load().Proxy(name)
			wanted = wanted || p != nil && p.Log.Has(option)
		}
	} else {
		event.Profile = h.profile.Name
	}
	if wanted {
		h.Log.SSL(event, h.session.Record())
	}
}

// clientFailed is the outcome of a session whose client broke off the handshake.
func (h *handshake) clientFailed(err error) Outcome {
	side := h.towardsClient
	side.HandshakeFailed()
	if h.shown && h.profile.PassThrough != nil && isRefusal(err) {
		if h.refusals.add(h.refusal(h.profile), h.profile.PassThrough) {
			h.warn("client refuses the certificate made for " + h.name() + "; its sessions to it pass from now on")
		}
	}
	outcome := h.drop(h.profile, libraryFault(err))
	var remote *net.OpError
	outcome.Alerted = !errors.As(err, &remote)
	return outcome
}
