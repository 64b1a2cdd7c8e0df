package sigpack

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"
)

// Trust is what a gateway believes: a root, and what it has learnt by that root since.
type Trust struct {
	// Root is the root.json that the operator gave. Nothing is trusted without it.
	Root []byte
	// Dir is where is kept what the feed has shown, so that it can never show less again. It is
	// made when it is missing.
	Dir string
	// Clock tells the time. nil: time.Now.
	Clock func() time.Time
}

// Client takes packages from a feed. It may be used by several goroutines.
type Client struct {
	Trust
	// URL of the repository, http or https.
	URL string
	// Proxy is the HTTP proxy to go through; nil: none.
	Proxy *url.URL
	// HTTP does the requests; nil: a client of its own, through Proxy.
	HTTP *http.Client
}

// Version is one version that a feed has.
type Version struct {
	Info
	// Size of the archive in bytes.
	Size int64
	// Withdrawn versions are not given out any more.
	Withdrawn bool
}

// Fetched is a package that was verified and unpacked.
type Fetched struct {
	*Manifest
	// Dir is where it lies.
	Dir string
	// Notes are what an operator should know of it, such as an index that is old. May be empty.
	Notes []string
}

var errNotYet = errors.New("not available yet")

// Versions are all versions of the feed, the newest first, withdrawn ones included.
func (c *Client) Versions(ctx context.Context) ([]Version, error) { return nil, errNotYet }

// Fetch downloads a version, verifies it and unpacks it into dir, which must not exist. Either dir
// is the whole verified package afterwards, or it does not exist. A download that was interrupted
// is resumed by the next one.
func (c *Client) Fetch(ctx context.Context, version int, dir string) (*Fetched, error) {
	return nil, errNotYet
}

// Report is what a gateway tells the feed of an installation.
type Report struct {
	// Device names the gateway.
	Device string `json:"device"`
	// Version that was installed, or was tried to.
	Version int  `json:"version"`
	OK      bool `json:"ok"`
	// Reason of a failure.
	Reason string `json:"reason,omitempty"`
}

// Report sends the result of an installation to the feed.
func (c *Client) Report(ctx context.Context, r Report) error { return errNotYet }

// OpenArchive verifies an offline archive (the file that sluice sigpack archive makes) and unpacks
// its package into dir, like Fetch. Everything is verified as of a feed, except that the feed's
// last word may be old; the notes say so then.
func OpenArchive(ctx context.Context, path string, trust Trust, dir string) (*Fetched, error) {
	return nil, errNotYet
}
