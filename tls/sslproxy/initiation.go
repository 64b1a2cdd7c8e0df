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
		InsecureSkipVerify:         true, // judge does it, to know why and what to do then
		ServerName:                 h.hello.ServerName,
		NextProtos:                 h.hello.SupportedProtos,
		MinVersion:                 max(p.MinVersion, h.oldest()),
		MaxVersion:                 p.MaxVersion,
		CipherSuites:               h.common(p.CipherSuites),
		CipherSuites13:             h.suites13(),
		CurvePreferences:           h.groups(),
		ClientSessionCache:         h.tickets.of(h),
		Renegotiation:              renegotiation(p.Renegotiation),
		RequireSecureRenegotiation: p.Renegotiation != profile.AllowAll,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			h.wantsCertificate = true
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

// suites13 are the suites of TLS 1.3 for the server: those that the client offers too, or those that every
// client has, where it does not speak TLS 1.3.
func (h *handshake) suites13() []uint16 {
	suites := h.profile.Suites13
	if list := h.common(suites); len(list) > 0 {
		return list
	}
	usual := []uint16{tls.TLS_AES_128_GCM_SHA256, tls.TLS_AES_256_GCM_SHA384, tls.TLS_CHACHA20_POLY1305_SHA256}
	if list := slices.DeleteFunc(slices.Clone(suites), func(id uint16) bool { return !slices.Contains(usual, id) }); len(list) > 0 {
		return list
	}
	return suites
}

// common are those of the profile's suites that the client offers too, so that the server's side is never
// protected by less than the client asks for.
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

// renegotiation is the profile's rule in the words of the TLS library. What RFC 5746 does not protect is
// refused from the beginning, but for profile.AllowAll.
func renegotiation(r profile.Renegotiation) tls.RenegotiationSupport {
	if r == profile.DropAll {
		return tls.RenegotiateNever
	}
	return tls.RenegotiateFreelyAsClient
}
