package sigpack

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// The index of a feed is what the role targets signs: for each version its file, and beside the
// file's length and SHA-256 what follows.

// custom is what the index says of a package beside its bytes.
type custom struct {
	Info
	Withdrawn string `json:"withdrawn,omitempty"` // the reason
}

// targetName is the name of a version's file in the index.
func targetName(version int) string { return fmt.Sprintf("sigpack-%d.tar.gz", version) }

// remoteName is the name of the file where it lies; it follows from its bytes.
func remoteName(t *metadata.TargetFiles) string {
	return hex.EncodeToString(t.Hashes["sha256"]) + "." + t.Path
}

// newTarget describes the bytes of a package for the index.
func newTarget(text []byte, c custom) (*metadata.TargetFiles, error) {
	sum := sha256.Sum256(text)
	t := &metadata.TargetFiles{Path: targetName(c.Version), Length: int64(len(text)), Hashes: metadata.Hashes{"sha256": sum[:]}}
	return t, describe(t, c)
}

// describe says c of a file.
func describe(t *metadata.TargetFiles, c custom) error {
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	raw := json.RawMessage(text)
	t.Custom = &raw
	return nil
}

// find is a version of the index; ErrUnavailable when it has none.
func find(index *metadata.Metadata[metadata.TargetsType], version int) (*metadata.TargetFiles, custom, error) {
	var c custom
	t := index.Signed.Targets[targetName(version)]
	if t == nil {
		return nil, c, fmt.Errorf("version %d: %w", version, ErrUnavailable)
	}
	if t.Custom == nil || len(t.Hashes["sha256"]) != sha256.Size || t.Length < 0 || t.Length > MaxArchive {
		return nil, c, fmt.Errorf("version %d: the index is not one of signature packages", version)
	}
	if err := json.Unmarshal(*t.Custom, &c); err != nil {
		return nil, c, fmt.Errorf("version %d: the index: %w", version, err)
	}
	if err := c.check(); err != nil || c.Version != version {
		return nil, c, fmt.Errorf("version %d: the index says version %d: %w", version, c.Version, cmp.Or(err, ErrManifest))
	}
	t.Path = targetName(version)
	return t, c, nil
}

// versions are the versions of an index, the newest first. Files of other names are not of ours.
func versions(index *metadata.Metadata[metadata.TargetsType]) ([]Version, error) {
	var all []Version
	for name := range index.Signed.Targets {
		var version int
		if _, err := fmt.Sscanf(name, "sigpack-%d.tar.gz", &version); err != nil || name != targetName(version) {
			continue
		}
		t, c, err := find(index, version)
		if err != nil {
			return nil, err
		}
		all = append(all, Version{Info: c.Info, Size: t.Length, Withdrawn: c.Withdrawn != ""})
	}
	slices.SortFunc(all, func(a, b Version) int { return cmp.Compare(b.Version, a.Version) })
	return all, nil
}
