package install

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// replaceFile makes text the content of a file, so that after a crash at any moment it has its old
// content or the new one. It returns when that is on the disk; written is called in the middle.
func replaceFile(name string, text []byte, written func()) error {
	temporary := name + ".new"
	file, err := os.OpenFile(temporary, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		os.Remove(temporary)
		return err
	}
	written()
	if err := os.Rename(temporary, name); err != nil {
		os.Remove(temporary)
		return err
	}
	return syncFile(filepath.Dir(name))
}

// syncTree returns when a directory, everything in it, and its own name are on the disk.
func syncTree(dir string) error {
	err := filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return syncFile(name)
	})
	if err != nil {
		return err
	}
	return syncFile(filepath.Dir(dir))
}

// syncFile returns when a file, or the names in a directory, are on the disk.
func syncFile(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// bootID identifies the run of the kernel: another one means that the machine was restarted.
func bootID() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "" // every process is of one run then
	}
	return string(id)
}
