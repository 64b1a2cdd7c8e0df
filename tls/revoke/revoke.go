// Package revoke answers: was this certificate withdrawn? It asks what the certificates name: revocation
// lists (CRLs, RFC 5280) from their distribution points over HTTP, and OCSP (RFC 6960) by the response that
// the server stapled or by asking the responder.
//
// Lists are kept on disk and renewed in the background before they run out. A check never waits longer
// than a bound, and waits for a source only when it is seen for the first time; what is not known by then
// is decided by policy.
package revoke

import (
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Defaults of Options.
const (
	DefaultWait     = 3 * time.Second
	DefaultTimeout  = time.Minute
	DefaultMaxList  = 32 << 20
	DefaultMaxLists = 128 << 20
)

// Options say how a Checker works. The zero value of each field is a default.
type Options struct {
	// Dir keeps lists across restarts; it is made when it is not there. "": they are kept in memory only.
	Dir string
	// Client fetches lists and asks responders. The default goes nowhere on the gateway itself: it
	// refuses loopback, link-local and multicast addresses, which a server's certificate could name.
	Client *http.Client
	// Now is the clock that validity is judged by.
	Now func() time.Time
	// Wait is the longest time that a check waits.
	Wait time.Duration
	// Timeout ends a download.
	Timeout time.Duration
	// MaxList is the greatest size of a list in bytes, and MaxLists that of all lists kept.
	MaxList, MaxLists int64
	// Logger gets what goes wrong in the background.
	Logger *slog.Logger
}

// Policy says what is checked, and what passes. The zero value checks, and lets pass what nothing is
// known about.
type Policy struct {
	// Disable checks nothing.
	Disable bool
	// DropIfNotPresent refuses certificates that nothing is known about.
	DropIfNotPresent bool
	// IgnoreHold lets certificates pass that are on hold.
	IgnoreHold bool
	// DisabledFor says whether certificates of an issuer are not checked; nil: none.
	DisabledFor func(issuer *x509.Certificate) bool
}

// Status is what is known about a chain: the worst of its certificates.
type Status uint8

const (
	// Good says that nothing was withdrawn, or nothing was to be checked.
	Good Status = iota
	// NoInfo says that a certificate names no source that can be asked, or that none answered in time.
	NoInfo
	// NoCA says that the certificate of an issuer is not known, so that nothing can be looked up.
	NoCA
	// OnHold says that a certificate is withdrawn for now (reason certificateHold).
	OnHold
	// Revoked says that a certificate is withdrawn.
	Revoked
)

// String is the status in a word or two.
func (s Status) String() string {
	return [...]string{"good", "no information", "no CA certificate", "on hold", "revoked"}[s]
}

// Source is where a status comes from.
type Source string

// The sources.
const (
	FromCRL    Source = "crl"
	FromOCSP   Source = "ocsp"
	FromStaple Source = "staple"
)

// Outcome is what a check found, and what follows from it.
type Outcome struct {
	Status Status
	// Reason is the code of RFC 5280, 5.3.1, where the status is OnHold or Revoked: 0 unspecified, 1 key
	// compromise, …
	Reason int
	// Source of the status; "" where there was none.
	Source Source
	// Certificate is the one that the status is of; nil with Good.
	Certificate *x509.Certificate
	// MustStapleMissing says that the server's certificate promises a stapled response (RFC 7633) and
	// that there was no valid one.
	MustStapleMissing bool
	// Pass says whether the policy lets the server pass.
	Pass bool
	// Err says why nothing is known, or what was wrong with a stapled response; it may be nil.
	Err error
}

// Checker answers whether certificates were withdrawn. It is safe for concurrent use.
type Checker struct {
	options Options
	ocsp    *responses
	slots   chan struct{} // one for each download that runs
	closed  chan struct{}
	running sync.WaitGroup
	updates atomic.Uint64

	telling  sync.Mutex // held while watchers are called
	watchers []func()   // guarded by telling

	mu      sync.Mutex
	sources map[string]*source
	bytes   int64 // of all lists
}

// maxDownloads is how many downloads run at once; others queue.
const maxDownloads = 8

// New returns a checker that knows the lists that its directory holds. Close ends it.
func New(o Options) (*Checker, error) {
	o = o.withDefaults()
	c := &Checker{
		options: o, ocsp: newResponses(o), slots: make(chan struct{}, maxDownloads),
		closed: make(chan struct{}), sources: map[string]*source{},
	}
	if err := c.readDir(); err != nil {
		return nil, fmt.Errorf("revocation lists: %w", err)
	}
	c.running.Go(c.keepFresh)
	return c, nil
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Wait == 0 {
		o.Wait = DefaultWait
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.MaxList == 0 {
		o.MaxList = DefaultMaxList
	}
	if o.MaxLists == 0 {
		o.MaxLists = DefaultMaxLists
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if o.Client == nil {
		o.Client = outwardClient()
	}
	return o
}

// Close ends what runs in the background and waits for it. Lists on disk stay.
func (c *Checker) Close() {
	close(c.closed)
	c.running.Wait()
}

// OnUpdate has f called after a list was added or renewed, never twice at a time.
func (c *Checker) OnUpdate(f func()) {
	c.telling.Lock()
	defer c.telling.Unlock()
	c.watchers = append(c.watchers, f)
}

// Updates is how many lists were added or renewed since the start.
func (c *Checker) Updates() uint64 { return c.updates.Load() }

// tell counts an update and calls the watchers.
func (c *Checker) tell() {
	c.telling.Lock()
	defer c.telling.Unlock()
	c.updates.Add(1)
	for _, f := range c.watchers {
		f()
	}
}

// issuerKey identifies an issuer by its name and key.
func issuerKey(c *x509.Certificate) [sha256.Size]byte {
	h := sha256.New()
	h.Write(c.RawSubject)
	h.Write(c.RawSubjectPublicKeyInfo)
	return [sha256.Size]byte(h.Sum(nil))
}
