package sslproxy

import (
	"context"
	"crypto/ecdsa"
	"errors"

	"sluice/tls/profile"
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
		MinVersion:         p.MinVersion,
		MaxVersion:         p.MaxVersion,
		CipherSuites:       p.CipherSuites,
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
	if len(state.PeerCertificates) == 0 {
		return libraryFault(errors.New("tls: the server shows no certificate"))
	}
	_, ecdsa := state.PeerCertificates[0].PublicKey.(*ecdsa.PublicKey)
	side.Authenticated(ecdsa)
	return h.judge(ctx, &state)
}

// renegotiation is the profile's rule in the words of the TLS library, which answers a request only
// where RFC 5746 protects it.
func renegotiation(r profile.Renegotiation) tls.RenegotiationSupport {
	if r == profile.DropAll {
		return tls.RenegotiateNever
	}
	return tls.RenegotiateFreelyAsClient
}
