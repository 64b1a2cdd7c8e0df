package sigpack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"
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

// source is where the files of a repository come from. A file that is not there is fs.ErrNotExist.
type source interface {
	// open opens a file from offset on. More than limit bytes are never needed. The source may
	// begin at the start of the file instead, and says where it began.
	open(ctx context.Context, name string, offset, limit int64) (r io.ReadCloser, began int64, err error)
}

// Bounds of metadata, in bytes, and of how many new roots are followed at once.
const (
	maxRoot      = 512 << 10
	maxTimestamp = 16 << 10
	maxSnapshot  = 1 << 20
	maxTargets   = 8 << 20
	maxRotations = 256
)

// update is one walk from what is trusted to the feed's word of now.
type update struct {
	ctx     context.Context
	from    source
	dir     string // where what was seen is kept
	now     time.Time
	offline bool // the last word may be old
	trusted *trustedmetadata.TrustedMetadata
	notes   []string
}

// index is the verified index of a feed. What it shows is kept, so that an older one is refused
// from then on. notes say what an operator should know of it.
func (t *Trust) index(ctx context.Context, from source, offline bool) (index *metadata.Metadata[metadata.TargetsType], notes []string, err error) {
	dir, err := t.dir()
	if err != nil {
		return nil, nil, err
	}
	unlock, err := lock(dir)
	if err != nil {
		return nil, nil, err
	}
	defer unlock()
	now := time.Now
	if t.Clock != nil {
		now = t.Clock
	}
	u := &update{ctx: ctx, from: from, dir: dir, now: now().UTC(), offline: offline}
	for _, step := range []func() error{func() error { return u.root(t.Root) }, u.timestamp, u.snapshot, u.targets} {
		if err := step(); err != nil {
			return nil, nil, refused(err)
		}
	}
	return u.trusted.Targets[metadata.TARGETS], u.notes, nil
}

// dir is where what was learnt by the root is kept: another root begins anew.
func (t *Trust) dir() (string, error) {
	if len(t.Root) == 0 {
		return "", errors.New("no root of trust is configured: the feed's root.json is needed")
	}
	sum := sha256.Sum256(t.Root)
	return filepath.Join(t.Dir, hex.EncodeToString(sum[:8])), nil
}

// root follows the roots from the one that is trusted to the newest one.
func (u *update) root(given []byte) (err error) {
	if u.trusted, err = trustedmetadata.New(given); err != nil {
		return fmt.Errorf("root of trust: %w", err)
	}
	if kept := u.kept("root.json"); kept != nil {
		if later, err := trustedmetadata.New(kept); err == nil && later.Root.Signed.Version > u.trusted.Root.Signed.Version {
			u.trusted = later
		}
	}
	u.trusted.RefTime = u.now
	for range maxRotations {
		next := u.trusted.Root.Signed.Version + 1
		text, err := u.get(fmt.Sprintf("%d.root.json", next), maxRoot)
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return err
		}
		if _, err := u.trusted.UpdateRoot(text); err != nil {
			return fmt.Errorf("root %d: %w", next, err)
		}
		if err := u.keep("root.json", text); err != nil {
			return err
		}
	}
	if u.trusted.Root.Signed.IsExpired(u.now) {
		return fmt.Errorf("root %d: %w on %s", u.trusted.Root.Signed.Version, ErrExpired, u.trusted.Root.Signed.Expires.Format(time.DateOnly))
	}
	return nil
}

func (u *update) timestamp() error {
	if kept := u.kept("timestamp.json"); kept != nil {
		// One that is signed by a key of before is forgotten; one that expired still counts.
		_, _ = u.trusted.UpdateTimestamp(kept)
	}
	text, err := u.get("timestamp.json", maxTimestamp)
	if err != nil {
		return err
	}
	_, err = u.trusted.UpdateTimestamp(text)
	t := u.trusted.Timestamp
	switch {
	case errors.Is(err, &metadata.ErrExpiredMetadata{}) && u.offline,
		errors.Is(err, &metadata.ErrEqualVersionNumber{}):
		if !t.Signed.IsExpired(u.now) {
			return nil
		}
		if !u.offline {
			return fmt.Errorf("timestamp %d: %w on %s", t.Signed.Version, ErrExpired, t.Signed.Expires.Format(time.DateOnly))
		}
		u.notes = append(u.notes, fmt.Sprintf("the archive is old: its feed could be believed until %s, newer packages may exist", t.Signed.Expires.Format(time.DateOnly)))
	case err != nil:
		return fmt.Errorf("timestamp: %w", err)
	default:
		return u.keep("timestamp.json", text)
	}
	return u.keep("timestamp.json", text)
}

func (u *update) snapshot() error {
	if u.offline {
		// The timestamp's age is excused, which the trusted metadata only does at another time. What
		// else may expire is looked at with the time of now, in targets.
		u.trusted.RefTime = u.trusted.Timestamp.Signed.Expires.Add(-time.Second)
		defer func() { u.trusted.RefTime = u.now }()
	}
	version := u.trusted.Timestamp.Signed.Meta["snapshot.json"].Version
	kept := u.kept("snapshot.json")
	if kept != nil {
		if s, err := u.trusted.UpdateSnapshot(kept, true); err == nil && s.Signed.Version == version {
			return nil
		}
	}
	text, err := u.get(fmt.Sprintf("%d.snapshot.json", version), maxSnapshot)
	if err != nil {
		return err
	}
	if _, err := u.trusted.UpdateSnapshot(text, false); err != nil {
		return fmt.Errorf("snapshot %d: %w", version, err)
	}
	return u.keep("snapshot.json", text)
}

func (u *update) targets() error {
	meta := u.trusted.Snapshot.Signed.Meta["targets.json"]
	if kept := u.kept("targets.json"); kept != nil {
		if _, err := u.trusted.UpdateTargets(kept); err == nil {
			return nil
		}
	}
	text, err := u.get(fmt.Sprintf("%d.targets.json", meta.Version), maxTargets)
	if err != nil {
		return err
	}
	if _, err := u.trusted.UpdateTargets(text); err != nil {
		return fmt.Errorf("targets %d: %w", meta.Version, err)
	}
	return u.keep("targets.json", text)
}

// get reads a file of metadata.
func (u *update) get(name string, limit int64) ([]byte, error) {
	r, began, err := u.from.open(u.ctx, "metadata/"+name, 0, limit)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	case began != 0 || int64(len(text)) > limit:
		return nil, fmt.Errorf("%s: %w: more than %d bytes", name, ErrHostile, limit)
	}
	return text, nil
}

// kept is what was kept of the last time, or nil.
func (u *update) kept(name string) []byte {
	text, err := os.ReadFile(filepath.Join(u.dir, name))
	if err != nil {
		return nil
	}
	return text
}

func (u *update) keep(name string, text []byte) error {
	return writeFile(filepath.Join(u.dir, name), text)
}

// refused gives the errors of TUF the reasons of this package.
func refused(err error) error {
	for _, r := range []struct{ is, reason error }{
		{&metadata.ErrExpiredMetadata{}, ErrExpired},
		{&metadata.ErrUnsignedMetadata{}, ErrSignature},
		{&metadata.ErrBadVersionNumber{}, ErrRollback},
		{&metadata.ErrLengthOrHashMismatch{}, ErrChecksum},
		{&metadata.ErrRepository{}, ErrSignature},
		{&metadata.ErrValue{}, ErrSignature},
	} {
		if errors.Is(err, r.is) && !errors.Is(err, r.reason) {
			return fmt.Errorf("%w: %s", r.reason, strings.TrimSpace(err.Error()))
		}
	}
	return err
}
