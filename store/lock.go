package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ErrInUse says that another process has the state directory open.
var ErrInUse = errors.New("state directory is in use")

// makeDirectory makes the state directory for its owner alone. A directory that others may read
// is tightened when it is empty or already a state directory, and refused otherwise: it is more
// likely a slip of the keyboard than meant for this.
func makeDirectory(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("state directory: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("state directory: %w", err)
	}
	if info.Mode().Perm()&0o077 == 0 {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("state directory: %w", err)
	}
	_, err = os.Stat(filepath.Join(dir, configFile))
	if len(entries) > 0 && err != nil {
		return fmt.Errorf("state directory %s holds other files and is open to other users (mode %04o): make it 0700 or choose another", dir, info.Mode().Perm())
	}
	return os.Chmod(dir, 0o700)
}

// lockDirectory keeps every other process out of the state directory until the file it returns is
// closed, or the process ends, however it ends.
func lockDirectory(dir string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the state directory: %w", err)
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		holder, _ := io.ReadAll(io.LimitReader(file, 32)) // only for the message
		file.Close()
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock the state directory %s: %w", dir, err)
		}
		return nil, fmt.Errorf("%w: %s is held by process %s; stop it, or choose another directory", ErrInUse, dir, strings.TrimSpace(string(holder)))
	}
	// The process id is a courtesy to whom the lock turns away; a full disk is no reason to stop here.
	if err := file.Truncate(0); err == nil {
		_, _ = file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	return file, nil
}
