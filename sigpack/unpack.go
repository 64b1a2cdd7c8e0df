package sigpack

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Bounds of what is read from an archive that somebody else made.
const (
	// MaxArchive is the size of a package's archive, in bytes.
	MaxArchive = 16 << 20
	// maxUnpacked is the size of all its files together, in bytes.
	maxUnpacked = 64 << 20
	// maxFile is the size of one file, in bytes.
	maxFile = 16 << 20
	// maxEntries is the number of its files.
	maxEntries = 1000
)

// unpackPackage unpacks a package's archive into dir, which exists and is empty.
func unpackPackage(r io.Reader, dir string) error { return unpack(r, dir, maxUnpacked, goodEntry) }

// unpack unpacks a gzipped tar archive of plain files whose names good accepts, and of at most
// limit bytes in all, into dir. Names that good accepts must be local ones, without "..". Every
// refusal is an ErrHostile.
func unpack(r io.Reader, dir string, limit int64, good func(name string) bool) error {
	zipped, err := gzip.NewReader(r)
	if err != nil {
		return fmt.Errorf("%w: no gzip archive: %w", ErrHostile, err)
	}
	defer zipped.Close()
	// A tar archive has headers and padding beside the files.
	limited := &io.LimitedReader{R: zipped, N: limit + maxEntries*2048}
	archive := tar.NewReader(limited)
	left := limit
	for entries := 0; ; entries++ {
		header, err := archive.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case limited.N <= 0:
			return fmt.Errorf("%w: unpacks to more than %d bytes", ErrHostile, limit)
		case err != nil:
			return fmt.Errorf("%w: %w", ErrHostile, err)
		case entries == maxEntries:
			return fmt.Errorf("%w: more than %d files", ErrHostile, maxEntries)
		case header.Typeflag != tar.TypeReg:
			return fmt.Errorf("%w: %q is no plain file", ErrHostile, header.Name)
		case !good(header.Name) || !filepath.IsLocal(header.Name):
			return fmt.Errorf("%w: a file %q has no place in it", ErrHostile, header.Name)
		case header.Size > maxFile:
			return fmt.Errorf("%w: %s has %d bytes; %d are the most", ErrHostile, header.Name, header.Size, int64(maxFile))
		case header.Size > left:
			return fmt.Errorf("%w: unpacks to more than %d bytes", ErrHostile, limit)
		}
		left -= header.Size
		if err := writeEntry(filepath.Join(dir, filepath.FromSlash(header.Name)), archive); err != nil {
			return err
		}
	}
}

// writeEntry writes a file that must not exist.
func writeEntry(file string, r io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: the file %s is in it twice", ErrHostile, filepath.Base(file))
	}
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, r); err != nil {
		f.Close()
		return fmt.Errorf("%w: %s: %w", ErrHostile, filepath.Base(file), err)
	}
	return f.Close()
}

// place unpacks a package's archive, checks it, and puts it at dir, which must not exist: dir is
// then the whole package, or is not there. want is what the feed says of the package; nil: nothing.
func place(r io.Reader, want *Info, dir string) (*Package, error) {
	if _, err := os.Lstat(dir); err == nil {
		return nil, fmt.Errorf("%s: %w", dir, fs.ErrExist)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return nil, err
	}
	work, err := os.MkdirTemp(filepath.Dir(dir), ".sigpack-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	if err := os.Chmod(work, 0o755); err != nil {
		return nil, err
	}
	if err := unpackPackage(r, work); err != nil {
		return nil, err
	}
	p, err := Check(work, want)
	if err != nil {
		return nil, err
	}
	if err := syncTree(work); err != nil {
		return nil, err
	}
	if err := os.Rename(work, dir); err != nil {
		return nil, err
	}
	p.Dir = dir
	return p, settle(filepath.Dir(dir))
}

// syncTree makes a directory stay, with all that is in it.
func syncTree(dir string) error {
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return settle(path)
	})
}

// settle makes a directory, or a file, stay as it is.
func settle(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
