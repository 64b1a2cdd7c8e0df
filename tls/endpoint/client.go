// Package endpoint is the TLS that the gateway speaks for itself: as a client, by an SSL initiation profile, and
// as a server, by an SSL termination profile. They say whom it trusts, what it shows of itself, and what it
// agrees to.
package endpoint

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"sluice/tls/profile"
	"sluice/tls/report"
	"sluice/tls/revoke"
	tls "sluice/tls/stdtls"
	"sluice/tls/verify"
)

// Client makes connections with servers.
type Client struct {
	Profile    func(name string) *profile.Initiation // nil for a profile that there is not
	Counters   *report.Counters
	Revocation *revoke.Checker  // nil: nothing is looked up
	Now        func() time.Time // nil: time.Now
}

// Connect makes the handshake over conn, as the profile says; name is the host name or address that the
// server's certificate must carry. Closing what it returns closes conn. Where it fails, conn is the caller's.
func (c *Client) Connect(ctx context.Context, conn net.Conn, name, profileName string) (net.Conn, error) {
	p := c.Profile(profileName)
	switch {
	case p == nil:
		return nil, fmt.Errorf("there is no SSL initiation profile %s", profileName)
	case p.Broken != "":
		return nil, fmt.Errorf("the SSL initiation profile %s cannot be used: %s", profileName, p.Broken)
	}
	side := c.Counters.InitiationSide(profileName)
	refused := false
	config := &tls.Config{
		InsecureSkipVerify: true, // judge does it, as the profile says
		MinVersion:         p.MinVersion, MaxVersion: p.MaxVersion,
		CipherSuites: p.CipherSuites, CipherSuites13: p.Suites13,
		RequireSecureRenegotiation: true,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return shown(p.ClientCertificate), nil
		},
		VerifyConnection: func(state tls.ConnectionState) error {
			err := c.judge(ctx, p, name, &state)
			refused = err != nil
			return err
		},
	}
	if net.ParseIP(name) == nil {
		config.ServerName = name
	}
	side.HandshakeStarted()
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		if refused {
			side.CertificateRefused()
		} else {
			side.HandshakeFailed()
		}
		return nil, err
	}
	side.HandshakeCompleted(false)
	return &connection{Conn: secure, side: side}, nil
}

// shown is what the other side sees of the gateway: a certificate with its issuers, so that it needs to know the
// root alone, or none.
func shown(own *profile.Identity) *tls.Certificate {
	if own == nil {
		return new(tls.Certificate)
	}
	certificate := &tls.Certificate{PrivateKey: own.Key, Leaf: own.Certificate, Certificate: [][]byte{own.Certificate.Raw}}
	for _, issuer := range own.Chain {
		certificate.Certificate = append(certificate.Certificate, issuer.Raw)
	}
	return certificate
}

// judge decides whether the server is believed.
func (c *Client) judge(ctx context.Context, p *profile.Initiation, name string, state *tls.ConnectionState) error {
	if p.IgnoreServerAuthFailure {
		return nil
	}
	var now time.Time
	if c.Now != nil {
		now = c.Now()
	}
	r := verify.Check(verify.Request{Certificates: state.PeerCertificates, Name: name, Roots: p.Trusted, RootList: p.TrustedCAs, Now: now})
	if r.Code != verify.OK {
		return fmt.Errorf("certificate of %s: %w", name, r.Err)
	}
	if c.Revocation == nil || p.CRL.Disable {
		return nil
	}
	found := c.Revocation.Check(ctx, r.Chain, state.OCSPResponse, revoke.Policy{
		DropIfNotPresent: p.CRL.DropIfNotPresent, IgnoreHold: p.CRL.IgnoreHold, DisabledFor: p.CRL.DisabledFor,
	})
	switch {
	case !found.Pass && (found.Status == revoke.NoInfo || found.Status == revoke.NoCA):
		return errors.New("certificate of " + name + ": no revocation information is at hand")
	case !found.Pass:
		return errors.New("certificate of " + name + ": " + verify.Revoked.String())
	case found.MustStapleMissing:
		return errors.New("certificate of " + name + ": " + verify.OCSPNeeded.String())
	}
	return nil
}

// connection is a connection that is counted until it is closed.
type connection struct {
	*tls.Conn
	side *report.Side
	once sync.Once
}

// Close ends the connection.
func (c *connection) Close() error {
	c.once.Do(c.side.End)
	return c.Conn.Close()
}
