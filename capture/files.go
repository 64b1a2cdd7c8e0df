package capture

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// fileName is the name of a session's file: server, port, protocol, session. The colons of an IPv6
// address become dashes, as they mean something to scp.
func fileName(c *Candidate) string {
	return fmt.Sprintf("%s_%d_%d_%d.pcap", strings.ReplaceAll(c.Server.Addr().String(), ":", "-"), c.Server.Port(), c.Protocol, c.ID)
}

// ours are the files that captures have made; others in their directory are left alone.
var ours = regexp.MustCompile(`^[0-9a-f.-]+_\d+_\d+_\d+\.pcap$`)

// folder is the directory of the files, known to the writer alone.
type folder struct {
	dir   string
	files []file // oldest first
	size  int64  // of all
}

type file struct {
	name string
	size int64
}

// outcome is what became of packets to be written.
type outcome uint8

const (
	nothing outcome = iota // their file is gone
	refused                // there is no room
	done
)

// openFolder reads which files there are. A directory that cannot be read has none.
func openFolder(dir string) *folder {
	f := &folder{dir: dir}
	entries, _ := os.ReadDir(dir)
	var list []fs.FileInfo
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() && ours.MatchString(info.Name()) {
			list = append(list, info)
		}
	}
	slices.SortFunc(list, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	for _, info := range list {
		f.files = append(f.files, file{info.Name(), info.Size()})
		f.size += info.Size()
	}
	return f
}

// write puts packets into the file of their session, which begins with the first of them. The
// oldest files make room for a new one when there are as many as there may be.
func (f *folder) write(m *message) (outcome, error) {
	if m.first {
		return f.create(m)
	}
	at := f.index(m.name)
	if at < 0 {
		return nothing, nil
	}
	if uint64(f.size)+uint64(len(m.blocks)) > m.settings.StorageLimit {
		return refused, nil
	}
	err := f.extend(at, m.blocks)
	if errors.Is(err, fs.ErrNotExist) { // removed by hand
		return nothing, f.remove(m.name)
	}
	return done, err
}

// create makes the file of a session.
func (f *folder) create(m *message) (outcome, error) {
	data := append(slices.Clone(header), m.blocks...)
	// One of the same name is of an earlier process, which counted its sessions from the same
	// beginning.
	var old []file
	for i, other := range f.files {
		if other.name == m.name || i <= len(f.files)-int(m.settings.MaxFiles) {
			old = append(old, other)
		}
	}
	size := f.size + int64(len(data))
	for _, other := range old {
		size -= other.size
	}
	if uint64(size) > m.settings.StorageLimit {
		return refused, nil
	}
	if err := f.replace(m.name, data); err != nil {
		return nothing, err // and the old ones stay
	}
	for _, other := range old {
		if other.name == m.name {
			f.forget(f.index(other.name))
		} else if err := f.remove(other.name); err != nil {
			return done, err
		}
	}
	f.files = append(f.files, file{m.name, int64(len(data))})
	f.size += int64(len(data))
	return done, nil
}

// replace makes a file of data, whole, and in place of one with the same name.
func (f *folder) replace(name string, data []byte) error {
	if err := os.MkdirAll(f.dir, 0o750); err != nil {
		return err
	}
	out, err := os.CreateTemp(f.dir, ".capture-")
	if err != nil {
		return err
	}
	_, err = out.Write(data)
	if err = errors.Join(err, out.Chmod(0o640), out.Close()); err == nil {
		err = os.Rename(out.Name(), filepath.Join(f.dir, name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(out.Name()))
	}
	return nil
}

// extend appends data to a file, all of it or nothing.
func (f *folder) extend(at int, data []byte) error {
	path := filepath.Join(f.dir, f.files[at].name)
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = out.Write(data)
	if err != nil {
		err = errors.Join(err, out.Truncate(f.files[at].size))
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return err
	}
	f.files[at].size += int64(len(data))
	f.size += int64(len(data))
	return nil
}

func (f *folder) index(name string) int {
	return slices.IndexFunc(f.files, func(other file) bool { return other.name == name })
}

// remove removes a file.
func (f *folder) remove(name string) error {
	if err := os.Remove(filepath.Join(f.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f.forget(f.index(name))
	return nil
}

// forget takes the file at an index off the list.
func (f *folder) forget(at int) {
	f.size -= f.files[at].size
	f.files = slices.Delete(f.files, at, at+1)
}

// clear removes all files.
func (f *folder) clear() error {
	*f = *openFolder(f.dir)
	var failed error
	for _, old := range slices.Clone(f.files) {
		failed = errors.Join(failed, f.remove(old.name))
	}
	return failed
}
