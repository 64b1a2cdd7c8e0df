package endpoint

import (
	"net"
	"sync"

	"sluice/tls/profile"
	"sluice/tls/report"
	tls "sluice/tls/stdtls"
)

// Server makes TLS of the connections that services of the gateway accept.
type Server struct {
	Profile  func(name string) *profile.Termination // nil for a profile that there is not
	Counters *report.Counters
}

// Listen makes the connections of a listener TLS connections by a profile, as it is when they come. Those that
// come while it is out of service are closed.
func (s *Server) Listen(l net.Listener, profileName string) net.Listener {
	return &listener{Listener: l, server: s, profile: profileName}
}

type listener struct {
	net.Listener
	server  *Server
	profile string
}

// Accept waits for a connection. Its handshake is made by its first Read or Write.
func (l *listener) Accept() (net.Conn, error) {
	for {
		raw, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		p := l.server.Profile(l.profile)
		if p == nil || p.Broken != "" {
			_ = raw.Close()
			continue
		}
		config := &tls.Config{MinVersion: p.MinVersion, MaxVersion: p.MaxVersion, CipherSuites: p.CipherSuites, CipherSuites13: p.Suites13}
		for _, own := range p.ServerCertificates {
			config.Certificates = append(config.Certificates, *shown(own))
		}
		secure := tls.Server(raw, config)
		return &accepted{Conn: secure, side: l.server.Counters.TerminationSide(l.profile)}, nil
	}
}

// accepted is a connection with a client, counted until it is closed.
type accepted struct {
	*tls.Conn
	handshake sync.Once
	failure   error // of the handshake

	mu     sync.Mutex // guards what follows
	side   *report.Side
	closed bool
}

// Read reads plaintext.
func (c *accepted) Read(b []byte) (int, error) {
	if err := c.shake(); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

// Write writes plaintext.
func (c *accepted) Write(b []byte) (int, error) {
	if err := c.shake(); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

// Close ends the connection.
func (c *accepted) Close() error {
	c.mu.Lock()
	c.closed = true
	c.side.End()
	c.mu.Unlock()
	return c.Conn.Close()
}

// shake makes the handshake, once.
func (c *accepted) shake() error {
	c.handshake.Do(func() {
		c.mu.Lock()
		c.side.HandshakeStarted()
		c.mu.Unlock()
		c.failure = c.Conn.Handshake()
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.failure != nil {
			c.side.HandshakeFailed()
			return
		}
		c.side.HandshakeCompleted(c.ConnectionState().DidResume)
		if c.closed {
			c.side.End()
		}
	})
	return c.failure
}
