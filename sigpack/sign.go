package sigpack

import (
	"crypto"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// state is what a repository says now.
type state struct {
	root      *metadata.Metadata[metadata.RootType]
	targets   *metadata.Metadata[metadata.TargetsType]
	snapshot  *metadata.Metadata[metadata.SnapshotType]
	timestamp *metadata.Metadata[metadata.TimestampType]
}

func (r *Repository) metadata() string { return filepath.Join(r.Dir, "metadata") }

func (r *Repository) targets() string { return filepath.Join(r.Dir, "targets") }

// read reads what the repository says now. It verifies nothing: who may write here may sign.
func (r *Repository) read() (*state, error) {
	s := &state{root: metadata.Root(), targets: metadata.Targets(), snapshot: metadata.Snapshot(), timestamp: metadata.Timestamp()}
	text, err := r.newestRoot()
	if err != nil {
		return nil, err
	}
	if _, err := s.root.FromBytes(text); err != nil {
		return nil, fmt.Errorf("%s: root: %w", r.Dir, err)
	}
	if _, err := s.timestamp.FromFile(filepath.Join(r.metadata(), "timestamp.json")); err != nil {
		return nil, err
	}
	snapshot := fmt.Sprintf("%d.snapshot.json", s.timestamp.Signed.Meta["snapshot.json"].Version)
	if _, err := s.snapshot.FromFile(filepath.Join(r.metadata(), snapshot)); err != nil {
		return nil, err
	}
	targets := fmt.Sprintf("%d.targets.json", s.snapshot.Signed.Meta["targets.json"].Version)
	if _, err := s.targets.FromFile(filepath.Join(r.metadata(), targets)); err != nil {
		return nil, err
	}
	return s, nil
}

// newestRoot is the root with the largest version.
func (r *Repository) newestRoot() (text []byte, err error) {
	for n := 1; ; n++ {
		next, err := os.ReadFile(filepath.Join(r.metadata(), fmt.Sprintf("%d.root.json", n)))
		switch {
		case errors.Is(err, fs.ErrNotExist) && text != nil:
			return text, nil
		case errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("%s: no repository is there; sluice sigpack keys makes one", r.Dir)
		case err != nil:
			return nil, err
		}
		text = next
	}
}

// Root is the root that gateways are given: the newest one.
func (r *Repository) Root() ([]byte, error) { return r.newestRoot() }

// write renews the word of a role and of those that vouch for its being new: targets, snapshot,
// timestamp. The timestamp is written last; until then the repository says what it said before.
func (r *Repository) write(s *state, from string) error {
	now := r.now()
	if from == metadata.TARGETS {
		s.targets.Signed.Version++
		s.targets.Signed.Expires = now.Add(targetsHolds)
		name := fmt.Sprintf("%d.targets.json", s.targets.Signed.Version)
		text, err := sign(r, s.targets, metadata.TARGETS, name)
		if err != nil {
			return err
		}
		s.snapshot.Signed.Meta["targets.json"] = described(s.targets.Signed.Version, text)
	}
	if from != metadata.TIMESTAMP {
		s.snapshot.Signed.Version++
		s.snapshot.Signed.Expires = now.Add(snapshotHolds)
		name := fmt.Sprintf("%d.snapshot.json", s.snapshot.Signed.Version)
		text, err := sign(r, s.snapshot, metadata.SNAPSHOT, name)
		if err != nil {
			return err
		}
		s.timestamp.Signed.Meta["snapshot.json"] = described(s.snapshot.Signed.Version, text)
	}
	s.timestamp.Signed.Version++
	s.timestamp.Signed.Expires = now.Add(timestampHolds)
	_, err := sign(r, s.timestamp, metadata.TIMESTAMP, "timestamp.json")
	return err
}

func described(version int64, text []byte) *metadata.MetaFiles {
	sum := sha256.Sum256(text)
	return &metadata.MetaFiles{Version: version, Length: int64(len(text)), Hashes: metadata.Hashes{"sha256": sum[:]}}
}

// sign signs metadata with the key of a role and writes it.
func sign[T metadata.Roles](r *Repository, m *metadata.Metadata[T], role, name string) ([]byte, error) {
	m.ClearSignatures()
	if err := addSignature(m, keyFile(r.Keys, role)); err != nil {
		return nil, err
	}
	text, err := m.ToBytes(true)
	if err != nil {
		return nil, err
	}
	return text, writeFile(filepath.Join(r.metadata(), name), text)
}

func addSignature[T metadata.Roles](m *metadata.Metadata[T], file string) error {
	key, err := readKey(file)
	if err != nil {
		return err
	}
	signer, err := signature.LoadSigner(key, crypto.Hash(0))
	if err != nil {
		return err
	}
	_, err = m.Sign(signer)
	return err
}

// Rotate gives a role a new key, in place of one that is old, lost or known to others. The new
// root is signed with the old key of the root and, when that is what changes, with the new one,
// so that gateways that trust the old root follow. The old key of the root must be there.
func (r *Repository) Rotate(role string) error {
	unlock, err := lock(r.Dir)
	if err != nil {
		return err
	}
	defer unlock()
	s, err := r.read()
	if err != nil {
		return err
	}
	old := s.root.Signed.Roles[role]
	if old == nil {
		return fmt.Errorf("there is no role %q: root, targets, snapshot or timestamp", role)
	}
	next := keyFile(r.Keys, role) + ".new"
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := newKey(next); err != nil {
		return err
	}
	key, err := readKey(next)
	if err != nil {
		return err
	}
	public, err := metadata.KeyFromPublicKey(key.Public())
	if err != nil {
		return err
	}
	for _, id := range append([]string(nil), old.KeyIDs...) {
		if err := s.root.Signed.RevokeKey(id, role); err != nil {
			return err
		}
	}
	if err := s.root.Signed.AddKey(public, role); err != nil {
		return err
	}
	signers := []string{keyFile(r.Keys, metadata.ROOT)}
	if role == metadata.ROOT {
		signers = append(signers, next)
	}
	if err := r.writeRoot(s.root, signers...); err != nil {
		return err
	}
	if err := os.Rename(next, keyFile(r.Keys, role)); err != nil {
		return err
	}
	if role == metadata.ROOT {
		return nil
	}
	return r.write(s, role)
}

// writeRoot signs the next version of the root with some keys and writes it.
func (r *Repository) writeRoot(root *metadata.Metadata[metadata.RootType], signers ...string) error {
	root.ClearSignatures()
	root.Signed.Version++
	root.Signed.Expires = r.now().Add(rootHolds)
	for _, file := range signers {
		if err := addSignature(root, file); err != nil {
			return err
		}
	}
	text, err := root.ToBytes(true)
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(r.metadata(), fmt.Sprintf("%d.root.json", root.Signed.Version)), text)
}

// RootExpires is when the root stops being believed; Rotate("root") renews it.
func (r *Repository) RootExpires() (time.Time, error) {
	text, err := r.newestRoot()
	if err != nil {
		return time.Time{}, err
	}
	root, err := metadata.Root().FromBytes(text)
	if err != nil {
		return time.Time{}, err
	}
	return root.Signed.Expires, nil
}
