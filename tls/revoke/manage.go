package revoke

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Load takes in an issuer's list from a file, in DER or PEM. It holds beside those that certificates of
// the issuer name, until it is cleared.
func (c *Checker) Load(issuer *x509.Certificate, data []byte) (Entry, error) {
	if int64(len(data)) > c.options.MaxList {
		return Entry{}, fmt.Errorf("the CRL has %d bytes; at most %d are taken", len(data), c.options.MaxList)
	}
	l, err := parseList(data)
	if err != nil {
		return Entry{}, err
	}
	now := c.options.Now()
	if err := l.verify(issuer, now); err != nil {
		return Entry{}, err
	}
	rec := newRecord(&source{issuer: issuerKey(issuer)}, l, now, reply{})
	if ends := rec.ends(); !now.Before(ends) {
		return Entry{}, fmt.Errorf("the CRL ended at %s; load a newer one", ends.UTC().Format(time.RFC3339))
	}
	c.mu.Lock()
	s := c.sourceOf("", issuer)
	c.mu.Unlock()
	if !c.keep(s, l, rec) {
		return Entry{}, errors.New("the CRL was cleared while it was loaded")
	}
	err = c.write(s.name, data, rec)
	c.tell()
	if err != nil {
		return rec.Entry, fmt.Errorf("the CRL holds until the next start only: %w", err)
	}
	return rec.Entry, nil
}

// List are the lists that the gateway has or tried to have, by issuer and URL.
func (c *Checker) List() []Entry { return c.listWhere(func(*source) bool { return true }) }

// ListOf are the lists of an issuer.
func (c *Checker) ListOf(issuer *x509.Certificate) []Entry {
	k := issuerKey(issuer)
	return c.listWhere(func(s *source) bool { return s.issuer == k })
}

func (c *Checker) listWhere(is func(*source) bool) []Entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []Entry
	for _, s := range c.sources {
		if !is(s) || s.record.Size == 0 && s.err == nil {
			continue
		}
		e := s.record.Entry
		e.URL, e.Err = s.url, s.err
		if e.Issuer == "" && s.certificate != nil {
			e.Issuer = s.certificate.Subject.String()
		}
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b Entry) int { return cmp.Or(cmp.Compare(a.Issuer, b.Issuer), cmp.Compare(a.URL, b.URL)) })
	return all
}

// Clear forgets all lists, also those loaded by hand, and what responders answered; sessions to come ask
// anew. It says how many lists there were.
func (c *Checker) Clear() int {
	c.ocsp.clear()
	return c.clearWhere(func(*source) bool { return true })
}

// ClearOf forgets the lists of an issuer, and says how many there were.
func (c *Checker) ClearOf(issuer *x509.Certificate) int {
	k := issuerKey(issuer)
	return c.clearWhere(func(s *source) bool { return s.issuer == k })
}

func (c *Checker) clearWhere(is func(*source) bool) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, s := range c.sources {
		if is(s) {
			if s.record.Size > 0 {
				n++
			}
			c.forget(s)
		}
	}
	return n
}

// CRL says whether a list of an issuer is at hand that has not ended, and whether one of its lists could
// not be had the last time.
func (c *Checker) CRL(issuer *x509.Certificate) (present, failed bool) {
	k := issuerKey(issuer)
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.options.Now()
	for _, s := range c.sources {
		if s.issuer == k {
			present = present || s.record.Size > 0 && now.Before(s.record.ends())
			failed = failed || s.err != nil
		}
	}
	return present, failed
}
