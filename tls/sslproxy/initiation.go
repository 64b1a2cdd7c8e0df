package sslproxy

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"slices"

	"sluice/tls/profile"
	"sluice/tls/report"
	tls "sluice/tls/stdtls"
)

// initiate makes the handshake with the server, with what the client asks for, and judges what the
// server shows.
func (h *handshake) initiate(ctx context.Context) *fault {
	p, side := h.profile, h.towardsServer
	side.HandshakeStarted()
	server := tls.Client(h.session.To, &tls.Config{
		InsecureSkipVerify: true, // judge does it, to know why and what to do then
		ServerName:         h.hello.ServerName,
		NextProtos:         h.hello.SupportedProtos,
		MinVersion:         max(p.MinVersion, h.oldest()),
		MaxVersion:         p.MaxVersion,
		CipherSuites:       h.common(p.CipherSuites),
		CipherSuites13:     p.Suites13,
		CurvePreferences:   h.groups(),
		ClientSessionCache: h.tickets.of(h),
		Renegotiation:      renegotiation(p.Renegotiation),
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			h.warn("no certificate available for the server, which asks for one")
			return new(tls.Certificate), nil
		},
	})
	if err := server.HandshakeContext(ctx); err != nil {
		side.HandshakeFailed()
		return libraryFault(err)
	}
	h.server = server
	state := server.ConnectionState()
	side.HandshakeCompleted(state.DidResume)
	h.noteAgreed(report.InitiationSide, &state)
	if len(state.PeerCertificates) == 0 {
		return libraryFault(errors.New("tls: the server shows no certificate"))
	}
	_, ecdsa := state.PeerCertificates[0].PublicKey.(*ecdsa.PublicKey)
	side.Authenticated(ecdsa)
	return h.judge(ctx, &state)
}

// oldest is the oldest version that the client takes: with a server that speaks none but older ones it
// would have spoken to nobody.
func (h *handshake) oldest() uint16 {
	oldest := uint16(0)
	for _, v := range h.hello.SupportedVersions {
		if v >= tls.VersionTLS10 && v <= tls.VersionTLS13 && (oldest == 0 || v < oldest) { // others are GREASE (RFC 8701)
			oldest = v
		}
	}
	return oldest
}

// common are those of the profile's suites that the client offers too, so that the server's side is never
// protected by less than the client asks for. Suites of TLS 1.3 are all good.
func (h *handshake) common(suites []uint16) []uint16 {
	list := make([]uint16, 0, len(suites))
	for _, id := range suites {
		if slices.Contains(h.hello.CipherSuites, id) {
			list = append(list, id)
		}
	}
	return list
}

// groups are those that the server is offered for the exchange of keys: the post-quantum ones, which cost
// as much as the rest of the handshake's keys, where the client offers one too. nil is for all.
func (h *handshake) groups() []tls.CurveID {
	for _, group := range h.hello.SupportedCurves {
		switch group {
		case tls.X25519MLKEM768, tls.SecP256r1MLKEM768, tls.SecP384r1MLKEM1024:
			return nil
		}
	}
	return []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521}
}

// renegotiation is the profile's rule in the words of the TLS library, which answers a request only
// where RFC 5746 protects it.
func renegotiation(r profile.Renegotiation) tls.RenegotiationSupport {
	if r == profile.DropAll {
		return tls.RenegotiateNever
	}
	return tls.RenegotiateFreelyAsClient
}
