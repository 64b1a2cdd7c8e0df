package revoke

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// request is a list that is asked for, with what is known of the one at hand.
type request struct {
	url, tag, date string
}

// reply is what came.
type reply struct {
	body      []byte
	tag, date string
	unchanged bool // since the one at hand
}

// isHTTP says whether a URL can be asked. Lists and responses are signed and fetched over plain HTTP:
// with HTTPS, checking a certificate would need the check of another one (RFC 5280, 8). LDAP is not
// spoken.
func isHTTP(url string) bool {
	return len(url) > 7 && strings.EqualFold(url[:7], "http://")
}

// fetch downloads a list, when it is one of the few that are downloaded at a time.
func (c *Checker) fetch(ctx context.Context, ask request) (reply, error) {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return reply{}, fmt.Errorf("too many other downloads: %w", ctx.Err())
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, ask.url, nil)
	if err != nil {
		return reply{}, err
	}
	if ask.tag != "" {
		r.Header.Set("If-None-Match", ask.tag)
	}
	if ask.date != "" {
		r.Header.Set("If-Modified-Since", ask.date)
	}
	answer, err := c.options.Client.Do(r)
	if err != nil {
		return reply{}, err
	}
	defer answer.Body.Close()
	got := reply{tag: answer.Header.Get("ETag"), date: answer.Header.Get("Last-Modified")}
	switch answer.StatusCode {
	case http.StatusOK:
	case http.StatusNotModified:
		got.unchanged = true
		if got.tag == "" {
			got.tag = ask.tag
		}
		if got.date == "" {
			got.date = ask.date
		}
		return got, nil
	default:
		return reply{}, fmt.Errorf("the server answered %q", answer.Status)
	}
	got.body, err = readLimited(answer.Body, c.options.MaxList)
	return got, err
}

// readLimited reads all, and fails when that is more than limit bytes.
func readLimited(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		return nil, fmt.Errorf("greater than the %d bytes that are allowed", limit)
	}
	return data, err
}

// maxRedirects is how often a server may send elsewhere.
const maxRedirects = 3

// outwardClient asks other hosts, and only those.
func outwardClient() *http.Client {
	dialer := &net.Dialer{
		Timeout: 10 * time.Second,
		Control: func(_, address string, _ syscall.RawConn) error {
			addr, err := netip.ParseAddrPort(address)
			if err != nil {
				return err
			}
			if ip := addr.Addr().Unmap(); !ip.IsGlobalUnicast() {
				return fmt.Errorf("%v is not an address of another host", ip)
			}
			return nil
		},
	}
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			ResponseHeaderTimeout:  20 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
			MaxIdleConns:           16,
			IdleConnTimeout:        30 * time.Second,
		},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			switch {
			case len(via) > maxRedirects:
				return errors.New("too many redirects")
			case r.URL.Scheme != "http":
				return fmt.Errorf("redirect to %s; only http is followed", r.URL.Scheme)
			}
			return nil
		},
	}
}
