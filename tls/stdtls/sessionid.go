package tls

import (
	"bytes"
	"io"
)

// ServerSessionCache keeps the sessions of a server up to TLS 1.2 by their identifiers (RFC 5246
// section 7.3), for clients that have no session tickets. Its methods may be called from many
// goroutines.
type ServerSessionCache interface {
	// Get finds the session that a client asks for on a connection. nil is for none, or one that
	// does not fit the connection; what it returns is not changed.
	Get(id []byte, cs ConnectionState) *SessionState
	// Put keeps a session under an identifier of 32 bytes that no other has.
	Put(id []byte, cs ConnectionState, session *SessionState)
}

// usesSessionID says whether the client can take its session up again by an identifier alone.
func (hs *serverHandshakeState) usesSessionID() bool {
	return hs.c.config.ServerSessionCache != nil && !hs.c.config.SessionTicketsDisabled && !hs.clientHello.ticketSupported
}

// cachedSession is the session that the client asks for, nil for none.
func (hs *serverHandshakeState) cachedSession() *SessionState {
	if len(hs.clientHello.sessionId) == 0 {
		return nil
	}
	return hs.c.config.ServerSessionCache.Get(hs.clientHello.sessionId, hs.c.connectionStateLocked())
}

// newSessionID names a session that may be taken up again.
func (hs *serverHandshakeState) newSessionID() error {
	if !hs.usesSessionID() {
		return nil
	}
	hs.hello.sessionId = make([]byte, 32)
	_, err := io.ReadFull(hs.c.config.rand(), hs.hello.sessionId)
	return err
}

// cacheSession keeps a session whose handshake the client has finished.
func (hs *serverHandshakeState) cacheSession() {
	if !hs.usesSessionID() {
		return
	}
	session := hs.c.sessionState()
	session.secret = hs.masterSecret
	hs.c.config.ServerSessionCache.Put(hs.hello.sessionId, hs.c.connectionStateLocked(), session)
}

// newSessionID is what the server calls the new session, nil where it gives a ticket, or nothing.
func (hs *clientHandshakeState) newSessionID() []byte {
	c, id := hs.c, hs.serverHello.sessionId
	if hs.ticket != nil || c.didResume || len(id) == 0 || bytes.Equal(id, hs.hello.sessionId) ||
		c.config.ClientSessionCache == nil || c.config.SessionTicketsDisabled || c.handshakes != 0 {
		return nil
	}
	return id
}
