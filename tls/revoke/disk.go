package revoke

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Files of a list: the CRL itself, and what is known of it.
const (
	listSuffix   = ".crl"
	recordSuffix = ".json"
	newPrefix    = "new-" // of files that are being written
)

// Entry is a list that the gateway has, or tried to have.
type Entry struct {
	// URL it comes from; "": it was loaded by hand.
	URL string `json:"url,omitempty"`
	// Issuer is the name of the authority.
	Issuer string `json:"issuer"`
	// Number of the list, in decimal; "": it has none.
	Number     string    `json:"number,omitempty"`
	ThisUpdate time.Time `json:"this-update"`
	NextUpdate time.Time `json:"next-update,omitzero"`
	// Count is how many certificates it withdraws, Size its bytes.
	Count int   `json:"count"`
	Size  int64 `json:"size"`
	// Fetched is when it was last asked for with success.
	Fetched time.Time `json:"fetched"`
	// Err is why it could not be had the last time; nil: it could.
	Err error `json:"-"`
}

// record is what is kept on disk beside a list.
type record struct {
	Entry
	Key  string `json:"issuer-key"` // of the issuer's name and key, SHA-256 in hex
	Tag  string `json:"etag,omitempty"`
	Date string `json:"last-modified,omitempty"`
}

func newRecord(s *source, l *list, now time.Time, got reply) record {
	rec := record{Key: hex.EncodeToString(s.issuer[:]), Tag: got.tag, Date: got.date, Entry: Entry{
		URL: s.url, Issuer: l.header.Issuer.String(), ThisUpdate: l.header.ThisUpdate, NextUpdate: l.header.NextUpdate,
		Count: l.count(), Size: l.size, Fetched: now,
	}}
	if l.header.Number != nil {
		rec.Number = l.header.Number.String()
	}
	return rec
}

// readDir finds out which lists the directory has. They are read when they are needed.
func (c *Checker) readDir() error {
	if c.options.Dir == "" {
		return nil
	}
	if err := os.MkdirAll(c.options.Dir, 0o700); err != nil {
		return err
	}
	files, err := os.ReadDir(c.options.Dir)
	if err != nil {
		return err
	}
	var found []*source
	whole := map[string]bool{}
	for _, f := range files {
		name, is := strings.CutSuffix(f.Name(), recordSuffix)
		if !is {
			continue
		}
		whole[name] = true
		s, err := c.readRecord(name)
		if err != nil {
			c.options.Logger.Warn("revocation list on disk is not used", "file", f.Name(), "err", err)
			c.erase(name)
			continue
		}
		found = append(found, s)
	}
	for _, f := range files {
		if name, is := strings.CutSuffix(f.Name(), listSuffix); is && !whole[name] || strings.HasPrefix(f.Name(), newPrefix) {
			c.remove(f.Name()) // left by a crash
		}
	}
	slices.SortFunc(found, func(a, b *source) int { return b.used.Compare(a.used) })
	for _, s := range found {
		if c.bytes+s.record.Size > c.options.MaxLists || len(c.sources) >= maxSources {
			c.erase(s.name)
			continue
		}
		c.sources[s.name] = s
		c.bytes += s.record.Size
	}
	return nil
}

func (c *Checker) readRecord(name string) (*source, error) {
	data, err := os.ReadFile(filepath.Join(c.options.Dir, name+recordSuffix))
	if err != nil {
		return nil, err
	}
	s := &source{name: name}
	if err := json.Unmarshal(data, &s.record); err != nil {
		return nil, err
	}
	s.url, s.used = s.record.URL, s.record.Fetched
	key, err := hex.DecodeString(s.record.Key)
	if err != nil || len(key) != len(s.issuer) {
		return nil, fmt.Errorf("%q is no SHA-256 of an issuer", s.record.Key)
	}
	s.issuer = [len(s.issuer)]byte(key)
	info, err := os.Stat(filepath.Join(c.options.Dir, name+listSuffix))
	switch {
	case err != nil:
		return nil, err
	case sourceName(s.url, s.issuer) != name:
		return nil, errors.New("the file's name is not that of what it is about")
	case info.Size() == 0:
		return nil, errMalformedList
	}
	s.record.Size = info.Size()
	return s, nil
}

// read reads a list from disk. It is checked as if it had just come.
func (c *Checker) read(name string, issuer *x509.Certificate) (*list, error) {
	f, err := os.Open(filepath.Join(c.options.Dir, name+listSuffix))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := readLimited(f, c.options.MaxList)
	if err != nil {
		return nil, err
	}
	l, err := parseList(data)
	if err != nil {
		return nil, err
	}
	return l, l.verify(issuer, c.options.Now())
}

// write keeps a list on disk; without a body, the one that is there and what is new of it.
func (c *Checker) write(name string, body []byte, rec record) error {
	if c.options.Dir == "" {
		return nil
	}
	if body != nil {
		if err := c.replace(name+listSuffix, body); err != nil {
			return err
		}
	}
	data, err := json.Marshal(rec)
	if err != nil {
		return err
	}
	return c.replace(name+recordSuffix, data)
}

// replace writes a file so that it is there whole or as before.
func (c *Checker) replace(name string, data []byte) error {
	f, err := os.CreateTemp(c.options.Dir, newPrefix+"*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return os.Rename(f.Name(), filepath.Join(c.options.Dir, name))
}

// erase removes the files of a list.
func (c *Checker) erase(name string) {
	if c.options.Dir != "" {
		c.remove(name + recordSuffix)
		c.remove(name + listSuffix)
	}
}

func (c *Checker) remove(file string) {
	if err := os.Remove(filepath.Join(c.options.Dir, file)); err != nil && !errors.Is(err, os.ErrNotExist) {
		c.options.Logger.Warn("revocation list cannot be removed", "err", err)
	}
}
