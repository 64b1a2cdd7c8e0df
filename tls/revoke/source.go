package revoke

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

const (
	// maxSources is how many sources are remembered, with a list or for their failures.
	maxSources = 8192
	// Between a failure and the next try.
	minRetry = time.Minute
	maxRetry = time.Hour
)

// source is where the list of an issuer comes from: a URL, or a file that was loaded by hand. Its fields
// are guarded by Checker.mu, but for those that never change.
type source struct {
	name   string
	url    string // "": by hand
	issuer [sha256.Size]byte

	certificate *x509.Certificate // the issuer's; nil until it was asked for
	list        *list             // nil: none, or not yet read from disk
	record      record            // of the list; zero: there is none
	flight      *flight           // what is done about the list now; nil: nothing
	used        time.Time         // by a check
	failures    int               // since the last success
	retry       time.Time         // not before
	err         error             // the last failure; nil: it succeeded
}

// flight is something that runs in the background, and that others wait for.
type flight struct {
	started time.Time
	done    chan struct{}
}

func newFlight() *flight { return &flight{started: time.Now(), done: make(chan struct{})} }

// errFailed says that a source failed before and is left alone for a while.
type errFailed struct {
	url   string
	until time.Time
	err   error
}

func (e errFailed) Error() string {
	return fmt.Sprintf("%s: %v; not tried again before %s", e.url, e.err, e.until.UTC().Format(time.RFC3339))
}

func (e errFailed) Unwrap() error { return e.err }

// sourceOf is the source of an issuer's list at a URL, or by hand with ""; c.mu is held.
func (c *Checker) sourceOf(url string, issuer *x509.Certificate) *source {
	k := issuerKey(issuer)
	name := sourceName(url, k)
	s := c.sources[name]
	if s == nil {
		if len(c.sources) >= maxSources {
			c.forgetOne()
		}
		s = &source{name: name, url: url, issuer: k}
		c.sources[name] = s
	}
	s.certificate = issuer
	s.used = c.options.Now()
	return s
}

// sourceName is what a source is known by, on disk as well.
func sourceName(url string, issuer [sha256.Size]byte) string {
	sum := sha256.Sum256(append(issuer[:], url...))
	return hex.EncodeToString(sum[:16])
}

// forgetOne makes room for a source: the one that was not asked for longest, of those without a list if
// there are such; c.mu is held.
func (c *Checker) forgetOne() {
	var victim *source
	for _, s := range c.sources {
		switch {
		case s.flight != nil:
		case victim == nil, s.record.Size == 0 && victim.record.Size > 0:
			victim = s
		case (s.record.Size == 0) == (victim.record.Size == 0) && s.used.Before(victim.used):
			victim = s
		}
	}
	if victim != nil {
		c.forget(victim)
	}
}

// forget removes a source and its list; c.mu is held.
func (c *Checker) forget(s *source) {
	delete(c.sources, s.name)
	c.bytes -= s.record.Size
	if s.record.Size > 0 {
		c.erase(s.name)
	}
	s.list, s.record = nil, record{}
}

// peek looks a certificate up in the list of a source, if that is in memory.
func (c *Checker) peek(url string, cert, issuer *x509.Certificate) answer {
	name := sourceName(url, issuerKey(issuer))
	c.mu.Lock()
	s := c.sources[name]
	if s == nil || s.list == nil {
		c.mu.Unlock()
		return answer{status: NoInfo}
	}
	now := c.options.Now()
	s.certificate, s.used = issuer, now
	l, ends := s.list, s.record.ends()
	c.mu.Unlock()
	return lookUp(l, cert, ends, now)
}

// look looks a certificate up in the list of a source, as it is at hand. Where it has none that is of the
// present it starts a download, which is the flight that it returns, unless the source failed before: nobody
// waits for it again.
func (c *Checker) look(url string, cert, issuer *x509.Certificate) (answer, *flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := answer{status: NoInfo}
	if url == "" && c.sources[sourceName("", issuerKey(issuer))] == nil {
		return a, nil
	}
	s := c.sourceOf(url, issuer)
	now := c.options.Now()
	if s.list != nil {
		// A list that is of the present and yet says nothing is about other certificates.
		ends := s.record.ends()
		if a = lookUp(s.list, cert, ends, now); a.status != NoInfo || now.Before(ends) || url == "" {
			return a, nil
		}
	}
	if s.flight == nil && now.Before(s.retry) {
		return a, nil
	}
	f := c.start(s)
	if s.failures > 0 {
		return a, nil
	}
	return a, f
}

// failure is why the list of a source could not be had the last time; nil: it could.
func (c *Checker) failure(url string, issuer *x509.Certificate) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.sources[sourceName(url, issuerKey(issuer))]; s != nil && s.err != nil {
		return errFailed{url, s.retry, s.err}
	}
	return nil
}

// lookUp looks a certificate up in a list. A list of the past still tells of what was withdrawn for good,
// and of nothing else.
func lookUp(l *list, cert *x509.Certificate, ends, now time.Time) answer {
	if err := l.covers(cert); err != nil {
		return answer{status: NoInfo, err: err}
	}
	reason, found := l.find(cert.SerialNumber)
	switch {
	case found && reason != reasonHold:
		return answer{status: Revoked, reason: reason, source: FromCRL}
	case !now.Before(ends):
		return answer{status: NoInfo, err: fmt.Errorf("the CRL of %q ended at %s", l.header.Issuer, ends.UTC().Format(time.RFC3339))}
	case found:
		return answer{status: OnHold, reason: reason, source: FromCRL}
	}
	return answer{status: Good, source: FromCRL}
}

// start gets the list of a source, from disk or from where it comes from, unless that is being done; c.mu
// is held.
func (c *Checker) start(s *source) *flight {
	if s.flight != nil {
		return s.flight
	}
	f := newFlight()
	s.flight = f
	c.running.Go(func() {
		defer close(f.done)
		ctx, cancel := c.lifetime()
		defer cancel()
		var isNew bool
		err := guard(func() (err error) {
			isNew, err = c.renew(ctx, s)
			return err
		})
		c.mu.Lock()
		s.flight = nil
		s.landed(c.options.Now(), err)
		c.mu.Unlock()
		if err != nil {
			c.options.Logger.Debug("revocation list", "url", s.url, "err", err)
		}
		if isNew {
			c.tell()
		}
	})
	return f
}

// guard runs what reads foreign input, and makes an error of a panic.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return f()
}

// lifetime is a context that ends with the checker, or when a download has taken too long.
func (c *Checker) lifetime() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.Background(), c.options.Timeout)
	stop := make(chan struct{})
	go func() {
		select {
		case <-c.closed:
			cancel()
		case <-stop:
		}
	}()
	return ctx, func() { close(stop); cancel() }
}

// landed remembers how getting a list went; Checker.mu is held.
func (s *source) landed(now time.Time, err error) {
	s.err = err
	if err == nil {
		s.failures, s.retry = 0, time.Time{}
		return
	}
	s.retry = now.Add(min(minRetry<<min(s.failures, 10), maxRetry))
	s.failures++
}

// renew gets the list of a source, and says whether it is another one than before.
func (c *Checker) renew(ctx context.Context, s *source) (isNew bool, err error) {
	c.mu.Lock()
	issuer, old, rec := s.certificate, s.list, s.record
	c.mu.Unlock()
	now := c.options.Now()
	if old == nil && rec.Size > 0 {
		if old, err = c.read(s.name, issuer); err == nil {
			c.mu.Lock()
			s.list = old
			c.mu.Unlock()
			if s.url == "" || now.Before(rec.ends()) {
				return false, nil
			}
		} else {
			c.options.Logger.Warn("revocation list on disk is not used", "url", s.url, "err", err)
			rec = record{}
		}
	}
	if s.url == "" {
		return false, errors.New("the CRL that was loaded cannot be read; load it again")
	}
	got, err := c.fetch(ctx, request{url: s.url, tag: rec.Tag, date: rec.Date})
	if err != nil {
		return false, err
	}
	l := old
	if !got.unchanged {
		if l, err = parseList(got.body); err != nil {
			return false, err
		}
		if err := l.verify(issuer, now); err != nil {
			return false, err
		}
		if old != nil && l.header.ThisUpdate.Before(old.header.ThisUpdate) {
			return false, errors.New("the CRL is older than the one that it is to replace")
		}
	} else if l == nil {
		return false, errors.New("the server says that a CRL is unchanged which it was not told of")
	}
	rec = newRecord(s, l, now, got)
	if !c.keep(s, l, rec) {
		return false, nil
	}
	if err := c.write(s.name, got.body, rec); err != nil {
		c.options.Logger.Warn("revocation list is not kept on disk", "url", s.url, "err", err)
	}
	isNew = !got.unchanged && (old == nil || !old.header.ThisUpdate.Equal(l.header.ThisUpdate) || old.count() != l.count())
	if ends := rec.ends(); !now.Before(ends) {
		return isNew, fmt.Errorf("the CRL ended at %s", ends.UTC().Format(time.RFC3339))
	}
	return isNew, nil
}

// keep puts a list in the place of the one that a source had, and makes room for it. It fails when the
// source was forgotten meanwhile.
func (c *Checker) keep(s *source, l *list, rec record) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sources[s.name] != s {
		return false
	}
	c.bytes += rec.Size - s.record.Size
	s.list, s.record = l, rec
	for c.bytes > c.options.MaxLists {
		var victim *source
		for _, o := range c.sources {
			if o != s && o.record.Size > 0 && (victim == nil || o.used.Before(victim.used)) {
				victim = o
			}
		}
		if victim == nil {
			break
		}
		c.forget(victim)
	}
	return true
}
