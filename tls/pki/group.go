package pki

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"
)

// SystemBundle is the file of the authorities that the system comes with: that of Debian's package
// ca-certificates, which Debian signs and keeps current.
const SystemBundle = "/etc/ssl/certs/ca-certificates.crt"

// Default is the file name that means the [SystemBundle].
const Default = "default"

// group is authorities that were loaded together.
type group struct {
	name    string
	source  string // for the system bundle: Default and the digest of the file that was loaded
	members []*CA
}

// add makes c the next member.
func (g *group) add(c *x509.Certificate, modified time.Time) {
	g.members = append(g.members, &CA{Name: fmt.Sprintf("%s_%d", g.name, len(g.members)+1), Group: g.name, Certificate: c, Modified: modified})
}

// has says whether c is a member.
func (g *group) has(c *x509.Certificate) bool {
	for _, m := range g.members {
		if bytes.Equal(m.Certificate.Raw, c.Raw) {
			return true
		}
	}
	return false
}

// Loaded is what became of one certificate of a group's file.
type Loaded struct {
	Name   string // of the member; "" when it was skipped
	Reason string // why it was skipped
}

// LoadGroup loads all certificates of a file as the group name, in place of what it had. Certificates
// that are damaged, there twice, or no authority's are skipped; it fails when none is left.
func (s *Store) LoadGroup(name string, data []byte) ([]Loaded, error) {
	return s.loadGroup(name, "", data)
}

// LoadDefaultGroup loads the authorities that the system comes with as the group name. The group
// follows them when they are updated (see [Store.Refresh]).
func (s *Store) LoadDefaultGroup(name string) ([]Loaded, error) {
	data, err := os.ReadFile(s.bundle)
	if err != nil {
		return nil, fmt.Errorf("the certificates of the system: %w (install the package ca-certificates)", err)
	}
	return s.loadGroup(name, sourceOf(data), data)
}

func (s *Store) loadGroup(name, source string, data []byte) ([]Loaded, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	list, err := certificates(data)
	if err != nil {
		return nil, err
	}
	g := &group{name: name, source: source}
	report := make([]Loaded, len(list))
	for i, p := range list {
		err := p.err
		if err == nil {
			err = mayIssue(p.certificate)
		}
		switch {
		case err != nil:
			report[i].Reason = err.Error()
		case g.has(p.certificate):
			report[i].Reason = "it is in the file twice"
		default:
			g.add(p.certificate, s.now())
			report[i].Name = g.members[len(g.members)-1].Name
		}
	}
	if len(g.members) == 0 {
		return report, fmt.Errorf("no certificate of the file can be loaded; the first: %s", report[0].Reason)
	}
	return report, s.change(func() error {
		if err := s.write(groupFolder, name, encodeGroup(g)); err != nil {
			return err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.groups[name] = g
		return nil
	})
}

// Refresh loads groups anew that were loaded from the system's bundle, where that is another file by
// now. It says which.
func (s *Store) Refresh() (refreshed []string, err error) {
	sources := map[string]string{} // by group
	s.mu.RLock()
	for _, g := range s.groups {
		if g.source != "" {
			sources[g.name] = g.source
		}
	}
	s.mu.RUnlock()
	if len(sources) == 0 {
		return nil, nil
	}
	data, err := os.ReadFile(s.bundle)
	if err != nil {
		return nil, fmt.Errorf("the certificates of the system: %w", err)
	}
	source := sourceOf(data)
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		if sources[name] == source {
			continue
		}
		if _, err := s.loadGroup(name, source, data); err != nil {
			return refreshed, err
		}
		refreshed = append(refreshed, name)
	}
	return refreshed, nil
}

// sourceOf names the system's bundle by its content.
func sourceOf(data []byte) string {
	sum := sha256.Sum256(data)
	return Default + " " + hex.EncodeToString(sum[:])
}
