// Package profile answers: what do the ssl statements ask for? It compiles them into profiles that
// never change, which sessions keep for as long as they live.
//
// The file names follow a profile: compile reads its statements, identity the certificates that it
// names, cipher and version what may be spoken, whitelist which servers are left alone, and number
// what it is called in the tables of the show commands.
package profile

import (
	"crypto/x509"
	"net"
	"time"

	"sluice/store/schema"
)

// Set is all profiles of one configuration.
type Set struct {
	Global Global

	proxies      []*Proxy // by ID
	initiations  []*Initiation
	terminations []*Termination
	standard     *Proxy
	numbers      numbers
}

// Global is what holds for every profile.
type Global struct {
	CertificateCache         bool          // certificates made for clients are used again
	CertificateCacheTimeout  time.Duration // for so long
	InvalidateOnCRLUpdate    bool          // and no longer than until a revocation list was updated
	SessionCacheTimeout      time.Duration // for so long sessions can be resumed
	MailBytes, MailPackets   int           // from a mail client without STARTTLS, then its session passes as it is
	MaximumDecryptedSessions int           // further sessions pass as they are
	TraceOptions             schema.SSLTraceOptions
}

// Proxy is [edit services ssl proxy profile NAME]. It never changes.
type Proxy struct {
	Name string
	// Numbers in the tables of the show commands. They stay the same from one commit to the next.
	ID, TerminationID, InitiationID uint32

	// RootCAs sign what clients are shown, at most one with an RSA key and one with an ECDSA key
	// (forward proxy); ServerCertificates are those of servers behind the gateway (reverse proxy).
	// One of the two is empty.
	RootCAs, ServerCertificates []*Identity

	// Trusted is whom certificates of servers must lead to, TrustedCAs the same as a list; nobody
	// without trusted-ca.
	Trusted    *x509.CertPool
	TrustedCAs []*x509.Certificate

	IgnoreServerAuthFailure bool
	DisableResumption       bool
	AllowStrongCertificate  bool
	CRL                     CRL
	Renegotiation           Renegotiation
	Log                     Log
	FlowTracing             bool
	Protocols

	Whitelist           *Whitelist
	WhitelistCategories []string

	Mirror      *Mirror      // nil: nothing is mirrored
	PassThrough *PassThrough // nil: nobody is let pass

	// Fingerprint changes when the certificates, the ciphers, the trusted CAs or the rules of
	// authentication do. What was cached under another one must not be used again.
	Fingerprint Fingerprint

	// Broken says why no session can be decrypted with this profile: its certificates went after
	// it was committed. Empty where they can.
	Broken string
}

// Forward says whether clients are protected rather than servers.
func (p *Proxy) Forward() bool { return len(p.ServerCertificates) == 0 }

// TerminationName is the name of the side that faces clients.
func (p *Proxy) TerminationName() string { return legName(p.Name, p.TerminationID, "t") }

// InitiationName is the name of the side that faces servers.
func (p *Proxy) InitiationName() string { return legName(p.Name, p.InitiationID, "i") }

// RootExpired says whether a root CA of the profile is not valid at now.
func (p *Proxy) RootExpired(now time.Time) bool {
	for _, ca := range p.RootCAs {
		if now.After(ca.Certificate.NotAfter) {
			return true
		}
	}
	return false
}

// Initiation is [edit services ssl initiation profile NAME]: TLS that the gateway itself speaks
// with a server.
type Initiation struct {
	Name string
	ID   uint32

	Trusted                 *x509.CertPool
	TrustedCAs              []*x509.Certificate
	ClientCertificate       *Identity // nil: none
	IgnoreServerAuthFailure bool
	CRL                     CRL
	FlowTracing             bool
	Protocols
	Fingerprint Fingerprint
	Broken      string // as of a Proxy
}

// Termination is [edit services ssl termination profile NAME]: TLS that the gateway itself speaks
// with a client.
type Termination struct {
	Name string
	ID   uint32

	ServerCertificates []*Identity
	FlowTracing        bool
	Protocols
	Fingerprint Fingerprint
	Broken      string // as of a Proxy
}

// CRL says what revocation means for a session.
type CRL struct {
	Disable          bool // nothing is looked up
	DropIfNotPresent bool // a session is dropped when nothing is known
	IgnoreHold       bool // a certificate that is on hold is accepted

	// DisabledFor says whether nothing is looked up for certificates that issuer has signed. It is
	// never nil.
	DisabledFor func(issuer *x509.Certificate) bool
}

// Renegotiation says what happens when a server asks for another handshake within the session.
type Renegotiation uint8

// The ways to treat renegotiation (RFC 5746).
const (
	AllowSecure Renegotiation = iota // servers that do not protect it are refused
	AllowAll
	DropAll // servers that ask for it too
)

// String is the way in the words of the show commands.
func (r Renegotiation) String() string {
	return [...]string{"only secure allowed", "allowed", "drop"}[r]
}

// Log is a set of kinds of log messages.
type Log uint8

// The kinds of log messages.
const (
	LogDropped     Log = 1 << iota // SSL_PROXY_SSL_SESSION_DROP
	LogAllowed                     // SSL_PROXY_SSL_SESSION_ALLOW
	LogIgnored                     // SSL_PROXY_SESSION_IGNORE
	LogWhitelisted                 // SSL_PROXY_SESSION_WHITELIST
	LogErrors                      // SSL_PROXY_ERROR
	LogWarnings                    // SSL_PROXY_WARNING
	LogInfo                        // SSL_PROXY_INFO

	LogAll Log = 1<<iota - 1
)

// Has says whether messages of the kind are sent.
func (l Log) Has(kind Log) bool { return l&kind != 0 }

// Mirror is where decrypted traffic is copied to.
type Mirror struct {
	Interface        string // logical interface, as configured (ge-0/0/2.0)
	Device           string // Linux interface behind it
	MAC              net.HardwareAddr
	AfterEnforcement bool // what goes on is copied, rather than what arrived
}

// PassThrough says when sessions of a client pass as they are that keeps refusing the certificate
// made for a server.
type PassThrough struct {
	Failures int           // handshakes broken off in a row
	Timeout  time.Duration // from the last of them
}

// Proxy is the SSL proxy profile called name, or nil.
func (s *Set) Proxy(name string) *Proxy {
	return named(s.proxies, name, func(p *Proxy) string { return p.Name })
}

// Initiation is the SSL initiation profile called name, or nil.
func (s *Set) Initiation(name string) *Initiation {
	return named(s.initiations, name, func(p *Initiation) string { return p.Name })
}

// Termination is the SSL termination profile called name, or nil.
func (s *Set) Termination(name string) *Termination {
	return named(s.terminations, name, func(p *Termination) string { return p.Name })
}

// Default is the profile that holds while policies ask for different ones, or nil.
func (s *Set) Default() *Proxy { return s.standard }

// Proxies lists the SSL proxy profiles by their numbers.
func (s *Set) Proxies() []*Proxy { return s.proxies }

// Initiations lists the SSL initiation profiles by their numbers.
func (s *Set) Initiations() []*Initiation { return s.initiations }

// Terminations lists the SSL termination profiles by their numbers.
func (s *Set) Terminations() []*Termination { return s.terminations }

func named[P any](list []*P, name string, of func(*P) string) *P {
	for _, p := range list {
		if of(p) == name {
			return p
		}
	}
	return nil
}
