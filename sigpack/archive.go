package sigpack

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// OpenArchive verifies an offline archive (the file that sluice sigpack archive makes) and unpacks
// its package into dir, like Fetch. Everything is verified as of a feed, except that the feed's
// last word may be old; the notes say so then.
func OpenArchive(ctx context.Context, file string, trust Trust, dir string) (*Fetched, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	work, err := os.MkdirTemp("", "sigpack-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	if err := unpack(f, work, MaxArchive+maxTargets+maxSnapshot+maxRoot*maxRotations, goodArchived); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	from := dirSource(work)
	index, notes, err := trust.index(ctx, from, true)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	files, err := filepath.Glob(filepath.Join(work, "targets/*"))
	if err != nil {
		return nil, err
	}
	all, err := versions(index)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	for _, v := range all {
		target, _, err := find(index, v.Version)
		if err == nil && slices.Contains(files, filepath.Join(work, "targets", remoteName(target))) {
			fetched, err := trust.fetch(ctx, from, index, v.Version, dir, notes)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			return fetched, nil
		}
	}
	return nil, fmt.Errorf("%s: %w: it holds no package that its index knows", file, ErrUnavailable)
}

// goodArchived says whether an offline archive may have a file of this name.
func goodArchived(name string) bool {
	dir, file := path.Split(name)
	if strings.Trim(file, "abcdefghijklmnopqrstuvwxyz0123456789.-") != "" || strings.HasPrefix(file, ".") {
		return false
	}
	return dir == "metadata/" && strings.HasSuffix(file, ".json") || dir == "targets/" && strings.HasSuffix(file, ".tar.gz")
}
