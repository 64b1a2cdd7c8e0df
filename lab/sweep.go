package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Sweep removes the labs of processes that ended without closing them: their processes,
// namespaces and directories. It leaves living labs alone.
func Sweep() error {
	stale := map[string]bool{} // lab prefix → to be removed
	judge := func(name string) bool {
		prefix, pid, ok := labOf(name)
		if !ok {
			return false
		}
		if _, seen := stale[prefix]; !seen {
			stale[prefix] = abandoned(prefix, pid)
		}
		return stale[prefix]
	}
	var errs []error
	for _, dir := range []string{netnsDir, etcDir} {
		entries, err := os.ReadDir(dir)
		if err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("looking for abandoned labs: %w", err)
		}
		for _, e := range entries {
			if judge(e.Name()) {
				errs = append(errs, removeNamespace(e.Name()))
			}
		}
	}
	dirs, err := filepath.Glob(filepath.Join(os.TempDir(), namePrefix+"*"))
	if err != nil {
		return err
	}
	for _, d := range dirs {
		if judge(filepath.Base(d)) {
			errs = append(errs, os.RemoveAll(d))
		}
	}
	return errors.Join(errs...)
}

// labOf splits a name slt-<pid>-<n>[-<role>] into the lab's prefix and its owner.
func labOf(name string) (prefix string, pid int, ok bool) {
	parts := strings.SplitN(name, "-", 4)
	if len(parts) < 3 || parts[0]+"-" != namePrefix {
		return "", 0, false
	}
	pid, err := strconv.Atoi(parts[1])
	if err != nil || pid <= 0 {
		return "", 0, false
	}
	return strings.Join(parts[:3], "-"), pid, true
}

// abandoned says whether the process that made a lab is gone. A lab holds a lock for as long as
// it lives, which also tells a new process with a dead one's id apart.
func abandoned(prefix string, pid int) bool {
	if unix.Kill(pid, 0) == unix.ESRCH {
		return true
	}
	lock, err := os.Open(filepath.Join(os.TempDir(), prefix, "lock"))
	if err != nil {
		return false
	}
	defer lock.Close()
	return unix.Flock(int(lock.Fd()), unix.LOCK_SH|unix.LOCK_NB) == nil
}

// namespacePids lists the processes inside the named namespace.
func namespacePids(name string) ([]int, error) {
	want, err := os.Stat(filepath.Join(netnsDir, name))
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		have, err := os.Stat(filepath.Join("/proc", e.Name(), "ns/net"))
		if err == nil && os.SameFile(want, have) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}
