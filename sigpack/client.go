package sigpack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// Client takes packages from a feed. It may be used by several goroutines.
type Client struct {
	Trust
	// URL of the repository: http, https, perhaps with a user and a password, or the path of a
	// directory.
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

// Versions are all versions of the feed, the newest first, withdrawn ones included.
func (c *Client) Versions(ctx context.Context) ([]Version, error) {
	from, done, err := c.source()
	if err != nil {
		return nil, err
	}
	defer done()
	index, _, err := c.index(ctx, from, false)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Shown(c.URL), err)
	}
	return versions(index)
}

// Fetch downloads a version, verifies it and unpacks it into dir, which must not exist. Either dir
// is the whole verified package afterwards, or it does not exist. A download that was interrupted
// is resumed by the next one.
func (c *Client) Fetch(ctx context.Context, version int, dir string) (*Fetched, error) {
	from, done, err := c.source()
	if err != nil {
		return nil, err
	}
	defer done()
	index, notes, err := c.index(ctx, from, false)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Shown(c.URL), err)
	}
	return c.fetch(ctx, from, index, version, dir, notes)
}

// fetch takes a version of a verified index.
func (t *Trust) fetch(ctx context.Context, from source, index *metadata.Metadata[metadata.TargetsType], version int, dir string, notes []string) (*Fetched, error) {
	target, c, err := find(index, version)
	if err != nil {
		return nil, err
	}
	if c.Withdrawn != "" {
		return nil, fmt.Errorf("version %d: %w: %s", version, ErrUnavailable, c.Withdrawn)
	}
	state, err := t.dir()
	if err != nil {
		return nil, err
	}
	unlock, err := lock(filepath.Join(state, "fetch"))
	if err != nil {
		return nil, err
	}
	defer unlock()
	part := filepath.Join(state, "fetch", remoteName(target)+".part")
	if err := download(ctx, from, target, part); err != nil {
		return nil, fmt.Errorf("version %d: %w", version, err)
	}
	defer os.Remove(part)
	f, err := os.Open(part)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p, err := place(f, &c.Info, dir)
	if err != nil {
		return nil, fmt.Errorf("version %d: %w", version, err)
	}
	return &Fetched{Manifest: p.Manifest, Dir: dir, Notes: notes}, nil
}

// download fetches the bytes of a target into a file, of which a part may be there already.
func download(ctx context.Context, from source, target *metadata.TargetFiles, file string) error {
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	have, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if have < target.Length {
		r, began, err := from.open(ctx, "targets/"+remoteName(target), have, target.Length)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		if err != nil {
			return err
		}
		defer r.Close()
		if began > have {
			return fmt.Errorf("%w: the feed begins at byte %d, not at %d", ErrChecksum, began, have)
		}
		if _, err := f.Seek(began, io.SeekStart); err != nil {
			return err
		}
		n, err := io.Copy(f, io.LimitReader(r, target.Length-began+1))
		if err != nil {
			return err // what has come is kept for the next time
		}
		have = began + n
	}
	sum, err := sumFile(file)
	if err == nil && (have != target.Length || sum+"."+target.Path != remoteName(target)) {
		err = fmt.Errorf("%w: %d bytes with SHA-256 %.16s…, not the %d bytes that were signed", ErrChecksum, have, sum, target.Length)
	}
	if err != nil {
		os.Remove(file)
	}
	return err
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

// Report sends the result of an installation to the feed. A feed that is a directory takes none.
func (c *Client) Report(ctx context.Context, r Report) error {
	from, done, err := c.source()
	if err != nil {
		return err
	}
	defer done()
	feed, ok := from.(*httpSource)
	if !ok {
		return nil
	}
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, feed.url+"/reports", bytes.NewReader(text))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := feed.client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("%s/reports: %s", feed.shown, answer.Status)
	}
	return nil
}

// source is where the client's files come from. done lets go of it.
func (c *Client) source() (from source, done func(), err error) {
	if path, ok := strings.CutPrefix(c.URL, "file://"); ok || strings.HasPrefix(c.URL, "/") {
		return dirSource(path), func() {}, nil
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, nil, fmt.Errorf("feed %q: an http or https URL, or the path of a directory", Shown(c.URL))
	}
	client, done := c.HTTP, func() {}
	if client == nil {
		transport := &http.Transport{Proxy: http.ProxyURL(c.Proxy), ForceAttemptHTTP2: true,
			TLSHandshakeTimeout: stalled, ResponseHeaderTimeout: stalled}
		client, done = &http.Client{Transport: transport}, transport.CloseIdleConnections
	}
	address := strings.TrimRight(c.URL, "/")
	return &httpSource{url: address, shown: Shown(address), client: client}, done, nil
}

// Shown is the address of a feed as it may be shown and logged: without its password.
func Shown(address string) string {
	if u, err := url.Parse(address); err == nil && u.User != nil {
		return u.Redacted()
	}
	return address
}

// stalled is how long a feed may send nothing.
const stalled = 30 * time.Second

// httpSource is a repository on a server.
type httpSource struct {
	url    string
	shown  string // without its password
	client *http.Client
}

func (s *httpSource) open(ctx context.Context, name string, offset, limit int64) (io.ReadCloser, int64, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/"+name, nil)
	if err != nil {
		cancel(nil)
		return nil, 0, err
	}
	if offset > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
	}
	answer, err := s.client.Do(request)
	if err != nil {
		cancel(nil)
		return nil, 0, err
	}
	fail := func(err error) (io.ReadCloser, int64, error) {
		answer.Body.Close()
		cancel(nil)
		return nil, 0, fmt.Errorf("%s/%s: %w", s.shown, name, err)
	}
	switch answer.StatusCode {
	case http.StatusOK:
		offset = 0
	case http.StatusPartialContent:
		began := int64(-1)
		if _, err := fmt.Sscanf(answer.Header.Get("Content-Range"), "bytes %d-", &began); err != nil || began != offset {
			return fail(fmt.Errorf("the server sends the range %q, not from byte %d on", answer.Header.Get("Content-Range"), offset))
		}
	case http.StatusNotFound, http.StatusGone, http.StatusForbidden:
		return fail(fmt.Errorf("%w: %s", fs.ErrNotExist, answer.Status))
	default:
		return fail(errors.New(answer.Status))
	}
	if answer.ContentLength > limit-offset {
		return fail(fmt.Errorf("%w: %d bytes, more than %d", ErrHostile, answer.ContentLength, limit-offset))
	}
	body := &watched{body: answer.Body, cancel: cancel}
	body.timer = time.AfterFunc(stalled, func() { cancel(fmt.Errorf("%s/%s: nothing came for %v", s.shown, name, stalled)) })
	body.ctx = ctx
	return body, offset, nil
}

// watched is a body that is given up when nothing comes for a while.
type watched struct {
	body   io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.body.Read(p)
	w.timer.Reset(stalled)
	if err != nil && !errors.Is(err, io.EOF) && w.ctx.Err() != nil {
		err = context.Cause(w.ctx)
	}
	return n, err
}

func (w *watched) Close() error {
	w.timer.Stop()
	w.cancel(nil)
	return w.body.Close()
}

// dirSource is a repository in a directory.
type dirSource string

func (s dirSource) open(_ context.Context, name string, offset, _ int64) (io.ReadCloser, int64, error) {
	f, err := os.Open(filepath.Join(string(s), filepath.FromSlash(name)))
	if err != nil {
		return nil, 0, err
	}
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, offset, nil
}
