package pki

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Folders of a store.
const (
	localFolder   = "local"
	profileFolder = "ca"
	groupFolder   = "group"
)

// Store keeps key pairs, certificates and authorities in a directory. Its methods may be called from
// many goroutines.
type Store struct {
	dir    string
	now    func() time.Time
	bundle string // file of the authorities that the system comes with

	changing sync.Mutex // held through a change and the calls that tell of it
	watchers []func()   // guarded by changing

	mu       sync.RWMutex // guards what follows
	locals   map[string]*Local
	profiles map[string]*CA
	groups   map[string]*group
	faults   map[string]error // files that could not be read, by name
}

// Open reads what dir holds, and makes it when it is not there. A file that cannot be read is left
// alone, and Faults reports it.
func Open(dir string) (*Store, error) {
	s := &Store{dir: dir, now: time.Now, bundle: SystemBundle,
		locals: map[string]*Local{}, profiles: map[string]*CA{}, groups: map[string]*group{}, faults: map[string]error{}}
	for _, folder := range []string{"", localFolder, profileFolder, groupFolder} {
		path := filepath.Join(dir, folder)
		if err := os.MkdirAll(path, 0o700); err != nil {
			return nil, fmt.Errorf("certificate store: %w", err)
		}
		if err := os.Chmod(path, 0o700); err != nil {
			return nil, fmt.Errorf("certificate store: %w", err)
		}
	}
	if err := errors.Join(
		readFolder(s, localFolder, s.locals, decodeLocal),
		readFolder(s, profileFolder, s.profiles, decodeProfile),
		readFolder(s, groupFolder, s.groups, decodeGroup),
	); err != nil {
		return nil, fmt.Errorf("certificate store: %w", err)
	}
	return s, nil
}

// Faults are the files of the store that could not be read when it was opened, and why.
func (s *Store) Faults() []error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []error
	for _, name := range slices.Sorted(maps.Keys(s.faults)) {
		list = append(list, fmt.Errorf("certificate store: %s: %w", name, s.faults[name]))
	}
	return list
}

// Local finds a key pair and its certificate.
func (s *Store) Local(id string) (*Local, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	l, ok := s.locals[id]
	return l, ok
}

// Locals are all key pairs, by identifier.
func (s *Store) Locals() []*Local {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return sorted(s.locals)
}

// CAs are all authorities: profiles by name, then groups by name with their members in order.
func (s *Store) CAs() []*CA {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := sorted(s.profiles)
	for _, g := range sorted(s.groups) {
		list = append(list, g.members...)
	}
	return list
}

// CAGroup are the members of a group in order; none when there is no such group.
func (s *Store) CAGroup(name string) []*CA {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if g := s.groups[name]; g != nil {
		return slices.Clone(g.members)
	}
	return nil
}

// CAGroups are the names of all groups.
func (s *Store) CAGroups() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Sorted(maps.Keys(s.groups))
}

// CAProfile is the authority of a profile, or a member of a group by its name (GROUP_3); none when
// nothing is loaded under that name.
func (s *Store) CAProfile(name string) []*CA {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if c := s.profiles[name]; c != nil {
		return []*CA{c}
	}
	if i := strings.LastIndexByte(name, '_'); i > 0 {
		if g := s.groups[name[:i]]; g != nil {
			if j := slices.IndexFunc(g.members, func(c *CA) bool { return c.Name == name }); j >= 0 {
				return g.members[j : j+1 : j+1]
			}
		}
	}
	return nil
}

// OnChange has f called after each change, never twice at a time. f may read the store, but not
// change it.
func (s *Store) OnChange(f func()) {
	s.changing.Lock()
	defer s.changing.Unlock()
	s.watchers = append(s.watchers, f)
}

// change runs one change of the store, and tells of it when it succeeds.
func (s *Store) change(f func() error) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	if err := f(); err != nil {
		return err
	}
	for _, watcher := range s.watchers {
		watcher()
	}
	return nil
}

// put keeps l on disk, and then in memory.
func (s *Store) put(l *Local) error {
	data, err := encodeLocal(l)
	if err != nil {
		return err
	}
	if err := s.write(localFolder, l.ID, data); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.locals[l.ID] = l
	delete(s.faults, filepath.Join(localFolder, l.ID+suffix))
	return nil
}

// ClearCertificate removes a certificate and the chain that was loaded with it. The key pair stays.
func (s *Store) ClearCertificate(id string) error {
	return s.change(func() error {
		l, ok := s.Local(id)
		if !ok || l.Certificate == nil {
			return &MissingError{"local certificate", id}
		}
		without := *l
		without.Certificate, without.Chain, without.CertificateModified = nil, nil, time.Time{}
		return s.put(&without)
	})
}

// ClearRequest forgets the certificate request of a key pair.
func (s *Store) ClearRequest(id string) error {
	return s.change(func() error {
		l, ok := s.Local(id)
		if !ok || l.Request == nil {
			return &MissingError{"certificate request", id}
		}
		without := *l
		without.Request = nil
		return s.put(&without)
	})
}

// ClearKeyPair removes a key pair for good. It fails while a certificate needs it.
func (s *Store) ClearKeyPair(id string) error {
	return s.change(func() error {
		l, ok := s.Local(id)
		switch {
		case !ok:
			return &MissingError{"key pair", id}
		case l.Certificate != nil:
			return fmt.Errorf("the key pair %s belongs to a certificate: clear the local certificate %s first", id, id)
		}
		if err := s.remove(localFolder, id); err != nil {
			return err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.locals, id)
		return nil
	})
}

// ClearCA removes the certificate of a CA profile.
func (s *Store) ClearCA(profile string) error {
	return s.change(func() error {
		s.mu.RLock()
		c := s.profiles[profile]
		s.mu.RUnlock()
		if c == nil {
			return &MissingError{"CA certificate of profile", profile}
		}
		if err := s.remove(profileFolder, profile); err != nil {
			return err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.profiles, profile)
		return nil
	})
}

// ClearGroup removes a group with all its members.
func (s *Store) ClearGroup(name string) error {
	return s.change(func() error {
		if len(s.CAGroup(name)) == 0 {
			return &MissingError{"CA profile group", name}
		}
		if err := s.remove(groupFolder, name); err != nil {
			return err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.groups, name)
		return nil
	})
}

// MissingError says that the store has nothing under a name.
type MissingError struct{ What, Name string }

// Error names what is missing.
func (e *MissingError) Error() string { return "there is no " + e.What + " " + e.Name }

// errName is a name that cannot be a file's.
var errName = errors.New("a name has 1 to 63 letters, digits, dots, dashes and underscores, and begins with a letter, digit or underscore")

// CheckName refuses what cannot name a certificate, profile or group.
func CheckName(name string) error {
	valid := len(name) > 0 && len(name) <= 63 && name[0] != '.' && name[0] != '-'
	for _, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		valid = valid && (letter || strings.IndexByte("._-", c) >= 0)
	}
	if !valid {
		return fmt.Errorf("%q is no name: %w", name, errName)
	}
	return nil
}

// sorted are the values of m by key.
func sorted[V any](m map[string]V) []V {
	list := make([]V, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		list = append(list, m[k])
	}
	return list
}
