package sigpack

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"sluice/classify/appdb"
	"sluice/classify/pack"
)

// Build writes a package of a database and of files of other engines' names, by file name. The
// same input makes the same bytes.
func Build(w io.Writer, info Info, db *appdb.Database, names map[string][]byte) (*Manifest, error) {
	info.Released = info.Released.UTC().Truncate(time.Second)
	files := map[string][]byte{}
	for name, text := range pack.Files(db) {
		files[appsDir+"/"+name] = text
	}
	for name, text := range names {
		files[namesDir+"/"+name] = text
	}
	m := &Manifest{Format: Format, Info: info, Counts: count(db), Contexts: contexts(db), Files: map[string]string{}}
	for name, text := range files {
		sum := sha256.Sum256(text)
		m.Files[name] = hex.EncodeToString(sum[:])
	}
	text := m.Bytes()
	m, err := ParseManifest(text)
	if err != nil {
		return nil, err
	}
	out, err := newArchive(w, info.Released)
	if err != nil {
		return nil, err
	}
	out.add(manifestName, text)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		out.add(name, files[name])
	}
	return m, out.close()
}

// count says what the applications of a database are.
func count(db *appdb.Database) Counts {
	c := Counts{Applications: len(db.Applications), Groups: len(db.GroupNames()), Tags: len(tags(db))}
	for _, a := range db.Applications {
		switch {
		case a.Kind == appdb.Protocol:
			c.Protocols++
		case a.Kind == appdb.Micro:
			c.Micro++
		case a.Number >= pack.FirstImported:
			c.Imported++
		default:
			c.Written++
		}
		c.Hosts += len(a.Hosts)
		c.Addresses += len(a.Addresses)
		c.Signatures += len(a.Patterns)
	}
	return c
}

// contexts are the names of the contexts that signatures look at, sorted.
func contexts(db *appdb.Database) []string {
	seen := map[string]bool{}
	for _, a := range db.Applications {
		for _, p := range a.Patterns {
			for _, member := range p.Members {
				seen[member.Context.String()] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// tags are the tags of a database's applications, sorted.
func tags(db *appdb.Database) []string {
	seen := map[string]bool{}
	for _, a := range db.Applications {
		for _, tag := range a.Tags {
			seen[tag] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// archive writes a gzipped tar archive whose bytes follow from its files and its time alone.
type archive struct {
	zipped *gzip.Writer
	tar    *tar.Writer
	at     time.Time
	err    error
}

func newArchive(w io.Writer, at time.Time) (*archive, error) {
	zipped, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	return &archive{zipped: zipped, tar: tar.NewWriter(zipped), at: at.UTC().Truncate(time.Second)}, nil
}

// add adds a file. A failure is told by close.
func (a *archive) add(name string, text []byte) {
	if a.err != nil {
		return
	}
	header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(text)), ModTime: a.at, Format: tar.FormatUSTAR}
	if a.err = a.tar.WriteHeader(header); a.err == nil {
		_, a.err = a.tar.Write(text)
	}
	if a.err != nil {
		a.err = fmt.Errorf("%s: %w", name, a.err)
	}
}

func (a *archive) close() error {
	if a.err != nil {
		return a.err
	}
	if err := a.tar.Close(); err != nil {
		return err
	}
	return a.zipped.Close()
}
