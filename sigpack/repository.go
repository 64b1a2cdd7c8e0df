package sigpack

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// How long the word of each role holds. The timestamp is what shows that a feed is alive; Serve
// and Refresh renew it.
const (
	rootHolds      = 2 * 365 * 24 * time.Hour
	targetsHolds   = 365 * 24 * time.Hour
	snapshotHolds  = 365 * 24 * time.Hour
	timestampHolds = 14 * 24 * time.Hour
)

// Repository is the directory of a feed: metadata/ is what is signed, targets/ are the packages.
// Several processes may work in it.
type Repository struct {
	// Dir holds it.
	Dir string
	// Keys is the directory of the keys. Reading needs none.
	Keys string
	// Clock tells the time. nil: time.Now.
	Clock func() time.Time
}

func (r *Repository) now() time.Time {
	if r.Clock != nil {
		return r.Clock().UTC().Truncate(time.Second)
	}
	return time.Now().UTC().Truncate(time.Second)
}

// Create makes an empty repository with the keys that there are. It fails when there is one.
func (r *Repository) Create() error {
	unlock, err := lock(r.Dir)
	if err != nil {
		return err
	}
	defer unlock()
	if found, _ := filepath.Glob(filepath.Join(r.metadata(), "*.root.json")); len(found) > 0 {
		return fmt.Errorf("%s: there is a repository already", r.Dir)
	}
	for _, dir := range []string{r.metadata(), r.targets()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	now := r.now()
	s := &state{
		root: metadata.Root(now.Add(rootHolds)), targets: metadata.Targets(now),
		snapshot: metadata.Snapshot(now), timestamp: metadata.Timestamp(now),
	}
	for _, role := range roles {
		key, err := readKey(keyFile(r.Keys, role))
		if err != nil {
			return err
		}
		public, err := metadata.KeyFromPublicKey(key.Public())
		if err != nil {
			return err
		}
		if err := s.root.Signed.AddKey(public, role); err != nil {
			return err
		}
	}
	// Writing counts the versions up.
	s.root.Signed.Version, s.targets.Signed.Version, s.snapshot.Signed.Version, s.timestamp.Signed.Version = 0, 0, 0, 0
	if err := r.writeRoot(s.root, keyFile(r.Keys, metadata.ROOT)); err != nil {
		return err
	}
	return r.write(s, metadata.TARGETS)
}

// Publish adds a package, which lies in a file. It is checked first, as a gateway would.
func (r *Repository) Publish(file string) (*Manifest, error) {
	unlock, err := lock(r.Dir)
	if err != nil {
		return nil, err
	}
	defer unlock()
	s, err := r.read()
	if err != nil {
		return nil, err
	}
	text, manifest, err := checkedArchive(file)
	if err != nil {
		return nil, err
	}
	if err := s.accepts(&manifest.Info); err != nil {
		return nil, err
	}
	target, err := newTarget(text, custom{Info: manifest.Info})
	if err != nil {
		return nil, err
	}
	if err := writeFile(filepath.Join(r.targets(), remoteName(target)), text); err != nil {
		return nil, err
	}
	s.targets.Signed.Targets[targetName(manifest.Version)] = target
	return manifest, r.write(s, metadata.TARGETS)
}

// Withdraw marks a version as one that nobody may have any more, and says why. The index keeps it.
func (r *Repository) Withdraw(version int, reason string) error {
	unlock, err := lock(r.Dir)
	if err != nil {
		return err
	}
	defer unlock()
	s, err := r.read()
	if err != nil {
		return err
	}
	target, c, err := find(s.targets, version)
	if err != nil {
		return err
	}
	if c.Withdrawn = reason; reason == "" {
		c.Withdrawn = "withdrawn"
	}
	if err := describe(target, c); err != nil {
		return err
	}
	return r.write(s, metadata.TARGETS)
}

// Refresh renews the word of the repository: that of the timestamp always, that of the others when
// half of their time is over.
func (r *Repository) Refresh() error {
	unlock, err := lock(r.Dir)
	if err != nil {
		return err
	}
	defer unlock()
	s, err := r.read()
	if err != nil {
		return err
	}
	now := r.now()
	switch {
	case s.targets.Signed.Expires.Before(now.Add(targetsHolds / 2)):
		return r.write(s, metadata.TARGETS)
	case s.snapshot.Signed.Expires.Before(now.Add(snapshotHolds / 2)):
		return r.write(s, metadata.SNAPSHOT)
	}
	return r.write(s, metadata.TIMESTAMP)
}

// Versions are all versions of the repository, the newest first.
func (r *Repository) Versions() ([]Version, error) {
	s, err := r.read()
	if err != nil {
		return nil, err
	}
	return versions(s.targets)
}

// Archive writes the offline archive of a version: a small repository with this package alone. It
// can be given to gateways as long as the feed has not gone on to say other things.
func (r *Repository) Archive(w io.Writer, version int) error {
	s, err := r.read()
	if err != nil {
		return err
	}
	target, c, err := find(s.targets, version)
	if err != nil {
		return err
	}
	if c.Withdrawn != "" {
		return fmt.Errorf("version %d: %w: %s", version, ErrUnavailable, c.Withdrawn)
	}
	names := []string{
		fmt.Sprintf("metadata/%d.targets.json", s.targets.Signed.Version),
		fmt.Sprintf("metadata/%d.snapshot.json", s.snapshot.Signed.Version), "metadata/timestamp.json",
		"targets/" + remoteName(target),
	}
	for n := s.root.Signed.Version; n > 0; n-- {
		names = append(names, fmt.Sprintf("metadata/%d.root.json", n))
	}
	slices.Sort(names)
	out, err := newArchive(w, c.Released)
	if err != nil {
		return err
	}
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(r.Dir, name))
		if err != nil {
			return err
		}
		out.add(name, text)
	}
	return out.close()
}

// accepts says why a package cannot be added.
func (s *state) accepts(info *Info) error {
	if _, _, err := find(s.targets, info.Version); err == nil {
		return fmt.Errorf("version %d is there already", info.Version)
	}
	if info.Kind == Major {
		return nil
	}
	_, base, err := find(s.targets, info.Base)
	switch {
	case err != nil || base.Kind != Major:
		return fmt.Errorf("minor version %d is based on major version %d, which the repository does not have", info.Version, info.Base)
	case base.ProtocolBundle != info.ProtocolBundle:
		return fmt.Errorf("minor version %d has protocol bundle %s, its major version %d %s", info.Version, info.ProtocolBundle, info.Base, base.ProtocolBundle)
	}
	return nil
}

// checkedArchive reads a package's archive and checks it.
func checkedArchive(file string) ([]byte, *Manifest, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, nil, err
	}
	if info.Size() > MaxArchive {
		return nil, nil, fmt.Errorf("%s: larger than %d bytes", file, MaxArchive)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	p, err := Inspect(bytes.NewReader(text))
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	return text, p.Manifest, nil
}
