package sslproxy

import (
	"context"
	"crypto/sha256"
	"crypto/x509"

	"sluice/tls/forge"
	"sluice/tls/profile"
	"sluice/tls/revoke"
	tls "sluice/tls/stdtls"
	"sluice/tls/verify"
	"sluice/track"
)

// verdict is what is thought of a server, and what its clients are shown.
type verdict struct {
	code    verify.Code
	text    string // what is wrong, for logs; "ok"
	kind    forge.Kind
	reverse bool // its own certificate is shown
	unsure  bool // nothing is known of revocation
}

// judge decides whether the server's certificate is good enough. The verdict of an earlier session
// with the same certificate holds as long as the certificate made for it.
func (h *handshake) judge(ctx context.Context, state *tls.ConnectionState) *fault {
	if !h.profile.Forward() {
		return h.judgeOwn(ctx, state)
	}
	leaf := state.PeerCertificates[0]
	key := verdictKey{h.profile.Fingerprint, sha256.Sum256(leaf.Raw), h.name()}
	if h.verdict = h.certificates.known(key); h.verdict == nil {
		h.verdict = h.examine(ctx, state)
		h.certificates.note(key, h.verdict, leaf)
	}
	if h.verdict.code == verify.OK {
		return nil
	}
	if h.verdict.code == verify.Revoked {
		h.Counters.Proxy.CertificateRevoked.Inc()
	}
	if h.profile.IgnoreServerAuthFailure {
		h.allowed(certificateFault(h.verdict))
		return nil
	}
	h.towardsServer.CertificateRefused()
	return certificateFault(h.verdict)
}

// examine judges a server's certificate anew.
func (h *handshake) examine(ctx context.Context, state *tls.ConnectionState) *verdict {
	p := h.profile
	r := verify.Check(verify.Request{
		Certificates: state.PeerCertificates, Name: h.hello.ServerName, Roots: p.Trusted, RootList: p.TrustedCAs,
		Forbidden: h.forbidden(), Now: h.Now(),
	})
	v := &verdict{code: r.Code, text: r.Code.String()}
	if r.Err != nil {
		v.text = r.Err.Error()
	}
	if r.Code == verify.OK {
		h.revocation(ctx, v, r.Chain, state.OCSPResponse)
	}
	switch {
	case v.code == verify.OK:
		v.kind = forge.Trusted
	case r.SelfSigned:
		v.kind = forge.SelfSigned
	default:
		v.kind = forge.Dummy
	}
	return v
}

// forbidden are the authorities that the gateway itself signs with: no server is vouched for by them.
func (v *Service) forbidden() (list []*x509.Certificate) {
	for _, p := range v.set.Load().Proxies() {
		for _, ca := range p.RootCAs {
			list = append(list, ca.Certificate)
		}
	}
	return list
}

// revocation asks whether the chain's certificates were revoked (guide section "Working with the
// certificate revocation lists for SSL proxy").
func (h *handshake) revocation(ctx context.Context, v *verdict, chain []*x509.Certificate, staple []byte) {
	rules := h.profile.CRL
	if rules.Disable || h.Revocation == nil {
		return
	}
	found := h.Revocation.Check(ctx, chain, staple, revoke.Policy{
		DropIfNotPresent: rules.DropIfNotPresent, IgnoreHold: rules.IgnoreHold, DisabledFor: rules.DisabledFor,
	})
	v.unsure = found.Status == revoke.NoInfo || found.Status == revoke.NoCA
	switch found.Status {
	case revoke.NoInfo:
		h.Counters.Proxy.NoCRL.Inc()
	case revoke.NoCA:
		h.Counters.Proxy.NoCACertificate.Inc()
	}
	switch {
	case found.Pass:
	case v.unsure:
		v.code, v.text = verify.Application, "no revocation information is at hand"
	default:
		v.code, v.text = verify.Revoked, verify.Revoked.String()
	}
	if v.code == verify.OK && found.MustStapleMissing {
		v.code, v.text = verify.OCSPNeeded, verify.OCSPNeeded.String()
	}
}

// judgeOwn decides about a server behind the gateway: it is believed if the gateway has the key of
// its certificate (guide section "Configuring SSL Reverse Proxy").
func (h *handshake) judgeOwn(ctx context.Context, state *tls.ConnectionState) *fault {
	leaf := state.PeerCertificates[0]
	own := ownKey(h.profile, leaf)
	if own == nil {
		h.towardsClient.Unprotected()
		return &fault{origin: track.FromCertificate, text: "no key is loaded for the certificate of the server, " + leaf.Subject.String(), alert: alertHandshakeFailure}
	}
	h.verdict = &verdict{text: verify.OK.String(), reverse: true}
	if len(h.profile.TrustedCAs) > 0 {
		h.revocation(ctx, h.verdict, state.PeerCertificates, state.OCSPResponse)
		if h.verdict.code != verify.OK {
			h.towardsServer.CertificateRefused()
			return certificateFault(h.verdict)
		}
	}
	return nil
}

// ownKey finds the key of a server's certificate among those of the profile.
func ownKey(p *profile.Proxy, leaf *x509.Certificate) *profile.Identity {
	for _, own := range p.ServerCertificates {
		if string(own.Certificate.RawSubjectPublicKeyInfo) == string(leaf.RawSubjectPublicKeyInfo) {
			return own
		}
	}
	return nil
}
