package scan

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// cacheFormat begins a cache file. A key and the checksum of the rest follow, then the rest:
	// the database as Hyperscan writes it.
	cacheFormat = "sluice signatures 1\n"
	cacheSuffix = ".hsdb"
	// maxCached is the number of files that are kept; those not used for the longest go first.
	maxCached = 128
	// maxAbandoned is how long a file may be in the making.
	maxAbandoned = time.Hour
)

// cache keeps compiled databases in a directory. A cache that fails is as if empty.
type cache struct {
	dir    string
	logger *slog.Logger
}

func openCache(o Options) *cache {
	c := &cache{dir: o.CacheDir, logger: o.Logger}
	if c.logger == nil {
		c.logger = slog.Default()
	}
	if c.dir == "" {
		return c
	}
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		c.logger.Warn("signatures are compiled anew at every start", "error", err)
		c.dir = ""
	}
	return c
}

func (c *cache) path(key [32]byte) string {
	return filepath.Join(c.dir, fmt.Sprintf("%x%s", key[:16], cacheSuffix))
}

// get returns a database, or nil. One that is damaged counts as none.
func (c *cache) get(key [32]byte) []byte {
	if c.dir == "" {
		return nil
	}
	path := c.path(key)
	data, err := os.ReadFile(path)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			c.logger.Warn("compiled signatures cannot be read, compiling anew", "error", err)
		}
		return nil
	}
	compiled, ok := open(key, data)
	if !ok {
		c.logger.Warn("compiled signatures are damaged, compiling anew", "file", path)
		return nil
	}
	now := time.Now()
	if err := os.Chtimes(path, now, now); err != nil {
		c.logger.Debug("use of compiled signatures is not noted", "error", err)
	}
	return compiled
}

// seal is what a file holds for a database.
func seal(key [32]byte, compiled []byte) []byte {
	sum := sha256.Sum256(compiled)
	return slices.Concat([]byte(cacheFormat), key[:], sum[:], compiled)
}

// open is the database that a file holds.
func open(key [32]byte, data []byte) (compiled []byte, ok bool) {
	head := slices.Concat([]byte(cacheFormat), key[:])
	rest, ok := bytes.CutPrefix(data, head)
	if !ok || len(rest) < sha256.Size {
		return nil, false
	}
	compiled = rest[sha256.Size:]
	return compiled, sha256.Sum256(compiled) == [sha256.Size]byte(rest)
}

// put writes a database, whole or not at all.
func (c *cache) put(key [32]byte, compiled []byte) {
	if c.dir == "" {
		return
	}
	if err := c.write(c.path(key), seal(key, compiled)); err != nil {
		c.logger.Warn("compiled signatures are not kept", "error", err)
	}
}

func (c *cache) write(path string, data []byte) error {
	f, err := os.CreateTemp(c.dir, "*.new")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = cmp.Or(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// prune removes the files that are too many, and those that were never finished.
func (c *cache) prune() {
	if c.dir == "" {
		return
	}
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		c.logger.Warn("old compiled signatures are not removed", "error", err)
		return
	}
	type file struct {
		path string
		used time.Time
	}
	var files []file
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		path := filepath.Join(c.dir, e.Name())
		switch {
		case strings.HasSuffix(path, cacheSuffix):
			files = append(files, file{path, info.ModTime()})
		case strings.HasSuffix(path, ".new") && time.Since(info.ModTime()) > maxAbandoned:
			os.Remove(path)
		}
	}
	slices.SortFunc(files, func(a, b file) int { return b.used.Compare(a.used) })
	for _, f := range files[min(maxCached, len(files)):] {
		os.Remove(f.path)
	}
}
