package sslproxy

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"sync"

	"sluice/relay"
	"sluice/tls/report"
	tls "sluice/tls/stdtls"
	"sluice/tls/verify"
)

// Info is a session that is decrypted now.
type Info struct {
	ID             uint64
	Profile        string
	Resumed        bool // by the client
	Renegotiations int
	Subject        []byte // of the server's certificate, as it is encoded
	Code           verify.Code
	CRL            bool // revocation is looked up
	Client, Server Agreed
}

// Agreed is what the gateway and one side have agreed on.
type Agreed struct {
	KeyBits        int // of the key in the server's certificate, real or made
	Suite, Version uint16
}

// agreed is what a connection has agreed on, with a key for authentication.
func agreed(c *tls.ConnectionState, bits int) Agreed { return Agreed{bits, c.CipherSuite, c.Version} }

// table is the sessions that are decrypted now.
type table struct {
	mu       sync.Mutex
	sessions map[uint64]*handshake
}

func (t *table) add(h *handshake) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sessions == nil {
		t.sessions = map[uint64]*handshake{}
	}
	t.sessions[h.session.ID] = h
}

func (t *table) remove(id uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.sessions, id)
}

// Session is the session with an id, if it is decrypted now.
func (v *Service) Session(id uint64) (Info, bool) {
	v.open.mu.Lock()
	h := v.open.sessions[id]
	v.open.mu.Unlock()
	if h == nil {
		return Info{}, false
	}
	client, server := h.client.ConnectionState(), h.server.ConnectionState()
	return Info{
		ID: id, Profile: h.profile.Name, Resumed: client.DidResume, Renegotiations: h.towardsServer.Renegotiations(),
		Subject: server.PeerCertificates[0].RawSubject, Code: h.verdict.code, CRL: !h.profile.CRL.Disable,
		Client: agreed(&client, h.keyBits), Server: agreed(&server, keyBits(server.PeerCertificates[0].PublicKey)),
	}, true
}

// keyBits is the size of a public key.
func keyBits(key any) int {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return k.N.BitLen()
	case *ecdsa.PublicKey:
		return k.Curve.Params().BitSize
	}
	return 0
}

// opened hands a session over whose TLS is open on both sides.
func (h *handshake) opened(client *tls.Conn) Outcome {
	h.client = client
	state := client.ConnectionState()
	h.towardsClient.HandshakeCompleted(state.DidResume)
	if h.profile.PassThrough != nil {
		h.refusals.forget(h.refusal(h.profile))
	}
	h.noteAgreed(report.TerminationSide, &state)
	h.open.add(h)
	return Outcome{Action: Opened, opened: h}
}

// relayed notes how the relaying of a session has ended.
func (h *handshake) relayed(r *relay.Result) {
	switch r.End {
	case relay.ClientTLS:
		h.towardsClient.DataFailed()
		h.note(report.TerminationSide, report.Brief, "the session ends: %v", r.Err)
	case relay.ServerTLS:
		if h.wantsCertificate && r.FromServer == 0 {
			h.towardsServer.HandshakeFailed() // in TLS 1.3 its verdict comes after our side of the handshake
			h.drop(h.profile, libraryFault(r.Err))
			break
		}
		h.towardsServer.DataFailed()
		h.note(report.InitiationSide, report.Brief, "the session ends: %v", r.Err)
	}
	h.note(report.ProxyPolicy, report.Extensive, "%d bytes from the client, %d from the server, ended by %v: %v", r.FromClient, r.FromServer, r.End, r.Err)
}
