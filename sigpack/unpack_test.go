package sigpack

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// FuzzUnpack unpacks archives as they are before compression: what is refused is hostile, and what
// is written are files of a package, in their place, within the limit.
func FuzzUnpack(f *testing.F) {
	for _, archive := range [][]byte{
		handMade(f, plain("manifest.json", "{}"), plain("apps/a.apps", "x"), plain("names/a.names", "y")),
		handMade(f, plain("apps/a.apps", "x"), plain("apps/a.apps", "y")),
		handMade(f, plain("apps/../escaped.apps", "x")), handMade(f, plain("apps", "a file"), plain("apps/a.apps", "x")),
	} {
		zipped, err := gzip.NewReader(bytes.NewReader(archive))
		if err != nil {
			f.Fatal(err)
		}
		text, err := io.ReadAll(zipped)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, uint16(1000))
		f.Add(text, uint16(1))
	}
	f.Fuzz(func(t *testing.T, text []byte, limit uint16) {
		var archive bytes.Buffer
		zipped, err := gzip.NewWriterLevel(&archive, gzip.NoCompression)
		if err != nil {
			t.Fatal(err)
		}
		zipped.Write(text)
		zipped.Close()
		above := t.TempDir()
		dir := filepath.Join(above, "in")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := unpack(&archive, dir, int64(limit), goodEntry); err != nil && !errors.Is(err, ErrHostile) {
			t.Errorf("refused, but not as hostile: %v", err)
		}
		size := int64(0)
		err = filepath.WalkDir(above, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			size += info.Size()
			if name, err := filepath.Rel(dir, path); err != nil || !goodEntry(filepath.ToSlash(name)) || !info.Mode().IsRegular() {
				t.Errorf("%s (%v) was written: %v", path, info.Mode(), err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if size > int64(limit) {
			t.Errorf("%d bytes were written, %d are the most", size, limit)
		}
	})
}
