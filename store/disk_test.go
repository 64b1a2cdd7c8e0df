package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/mattn/go-sqlite3"
	"golang.org/x/sys/unix"
)

// large is a statement that needs more room than a full disk has left.
var large = "set interfaces eth1 description " + strings.Repeat("x", 300_000)

// withoutRoom commits to a store that cannot grow until makeRoom is called, and says what is not
// as it was before.
func withoutRoom(s *Store, takeRoom, makeRoom func() error, want ...sqlite3.ErrNo) error {
	c, err := s.Edit(alice, Shared)
	if err != nil {
		return err
	}
	if err := c.Run(nil, "set system host-name before"); err != nil {
		return err
	}
	if _, _, err := c.Commit(CommitOptions{}); err != nil {
		return err
	}
	p, err := s.Edit(bob, Private)
	if err != nil {
		return err
	}
	if err := errors.Join(p.Run(nil, "set system host-name after"), p.Run(nil, large)); err != nil {
		return err
	}
	if err := takeRoom(); err != nil {
		return err
	}
	for range 3 {
		if err := failsWhole(s, p, want); err != nil {
			return err
		}
	}
	if err := c.Run(nil, large); err == nil {
		return errors.New("an edit that cannot be stored is taken")
	}
	if c.Changed() {
		return errors.New("an edit that cannot be stored changes the candidate")
	}
	if err := makeRoom(); err != nil {
		return err
	}
	if err := c.Run(nil, "set interfaces eth2 description later"); err != nil {
		return err
	}
	r, _, err := p.Commit(CommitOptions{})
	if err != nil {
		return fmt.Errorf("commit with room again: %w", err)
	}
	if r.ID != 2 || hostName(s) != "after" {
		return fmt.Errorf("commit with room again: %v, %s is active", r, hostName(s))
	}
	return nil
}

// failsWhole commits c, which has to fail for want, and says what is not as it was before.
func failsWhole(s *Store, c *Candidate, want []sqlite3.ErrNo) error {
	_, problems, err := c.Commit(CommitOptions{})
	if err == nil {
		return fmt.Errorf("commit without room: no error, %v", problems)
	}
	var lite sqlite3.Error
	if !errors.As(err, &lite) || len(problems) > 0 {
		return fmt.Errorf("commit without room: %w, %v", err, problems)
	}
	expected := false
	for _, code := range want {
		expected = expected || lite.Code == code
	}
	if !expected || !strings.Contains(err.Error(), "disk") || !strings.Contains(err.Error(), "unchanged") {
		return fmt.Errorf("commit without room: %w", err)
	}
	if !c.Changed() || hostName(s) != "before" || len(s.Revisions()) != 1 {
		return fmt.Errorf("after a failed commit: changed %v, %s is active, revisions %v", c.Changed(), hostName(s), s.Revisions())
	}
	stored, err := listRevisions(s.reader)
	if err != nil {
		return fmt.Errorf("after a failed commit: %w", err)
	}
	if len(stored) != 1 {
		return fmt.Errorf("after a failed commit %v is stored", stored)
	}
	return nil
}

// reopened says whether the last commit of withoutRoom is there after the store is opened again.
func reopened(s *Store) error {
	if err := s.Close(); err != nil {
		return err
	}
	s, err := Open(s.dir, Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	if hostName(s) != "after" || len(s.Revisions()) != 2 {
		return fmt.Errorf("opened again, %s is active, revisions %v", hostName(s), s.Revisions())
	}
	return nil
}

// The database may not grow: the commit fails as a whole, and succeeds when it may.
func TestDatabaseFull(t *testing.T) {
	s := start(t, t.TempDir())
	limit := func(pages int) func() error {
		return func() error {
			_, err1 := s.commits.Exec(fmt.Sprintf("PRAGMA max_page_count = %d", pages))
			_, err2 := s.edits.Exec(fmt.Sprintf("PRAGMA max_page_count = %d", pages))
			return errors.Join(err1, err2)
		}
	}
	if err := withoutRoom(s, limit(1), limit(1<<30), sqlite3.ErrFull); err != nil {
		t.Fatal(err)
	}
	if err := reopened(s); err != nil {
		t.Fatal(err)
	}
}

// The file system is full: a tmpfs of its own, which goes away with the process.
func TestDiskFull(t *testing.T) {
	asChild(t, "full", &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS})
}

// The disk refuses to write for another reason: the size of files is limited.
func TestDiskFails(t *testing.T) {
	asChild(t, "failing", nil)
}

// The disk takes what is written but cannot be synced, and then the gateway dies: the commit that
// failed stays failed.
func TestDiskCannotSync(t *testing.T) {
	dir := t.TempDir()
	child := exec.Command(os.Args[0], dir)
	child.Env = append(os.Environ(), childEnv+"=unsynced")
	out, err := child.CombinedOutput()
	if child.ProcessState.Exited() {
		t.Fatalf("%v\n%s", err, out)
	}
	s := start(t, dir)
	if hostName(s) != "before" || len(s.Revisions()) != 1 {
		t.Errorf("%s is active, revisions %v", hostName(s), s.Revisions())
	}
	if c := candidate(t, s, bob, Shared); !strings.Contains(c.Tree().Text(), "after") {
		t.Errorf("the candidate was lost:\n%s", c.Tree().Text())
	}
	set(t, s)
	if hostName(s) != "after" {
		t.Errorf("%s is active after the commit was repeated", hostName(s))
	}
}

// failSync fails a commit because the disk cannot sync, and dies.
func failSync(dir string) error {
	s, err := Open(dir, Options{})
	if err != nil {
		return err
	}
	c, err := s.Edit(alice, Shared)
	if err != nil {
		return err
	}
	if err := c.Run(nil, "set system host-name before"); err != nil {
		return err
	}
	if _, _, err := c.Commit(CommitOptions{}); err != nil {
		return err
	}
	if err := c.Run(nil, "set system host-name after"); err != nil {
		return err
	}
	if err := refuseSync(); err != nil {
		return err
	}
	if _, _, err := c.Commit(CommitOptions{}); err == nil {
		return errors.New("a commit without sync succeeds")
	}
	if hostName(s) != "before" {
		return fmt.Errorf("after a commit without sync %s is active", hostName(s))
	}
	return unix.Kill(os.Getpid(), unix.SIGKILL)
}

// refuseSync makes fsync and fdatasync fail with EIO in this process, for good.
func refuseSync() error {
	const errno = unix.SECCOMP_RET_ERRNO | uint32(unix.EIO)
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the number of the system call
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_FSYNC, Jt: 1},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_FDATASYNC, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: errno},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	if _, _, e := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&filter))); e != 0 {
		return fmt.Errorf("seccomp: %w", e)
	}
	return nil
}

// asChild plays a part in a process of its own.
func asChild(t *testing.T, part string, attributes *syscall.SysProcAttr) {
	t.Helper()
	child := exec.Command(os.Args[0], t.TempDir())
	child.Env = append(os.Environ(), childEnv+"="+part)
	child.SysProcAttr = attributes
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func fillDisk(dir string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=4m,mode=0700"); err != nil {
		return fmt.Errorf("mount: %w", err)
	}
	s, err := Open(dir, Options{})
	if err != nil {
		return err
	}
	if err := s.Start(context.Background()); err != nil {
		return err
	}
	ballast := filepath.Join(dir, "ballast")
	fill := func() error {
		file, err := os.Create(ballast)
		if err != nil {
			return err
		}
		defer file.Close()
		for chunk := make([]byte, 4096); err == nil; {
			_, err = file.Write(chunk)
		}
		if !errors.Is(err, unix.ENOSPC) {
			return fmt.Errorf("fill the disk: %w", err)
		}
		return nil
	}
	if err := withoutRoom(s, fill, func() error { return os.Remove(ballast) }, sqlite3.ErrFull, sqlite3.ErrIoErr); err != nil {
		return err
	}
	return reopened(s)
}

func failDisk(dir string) error {
	signal.Ignore(syscall.SIGXFSZ)
	s, err := Open(dir, Options{})
	if err != nil {
		return err
	}
	if err := s.Start(context.Background()); err != nil {
		return err
	}
	limit := func(size uint64) error {
		return unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: size, Max: unix.RLIM_INFINITY})
	}
	take := func() error {
		info, err := os.Stat(filepath.Join(dir, configFile+"-wal"))
		if err != nil {
			return err
		}
		return limit(uint64(info.Size()) + 8192)
	}
	if err := withoutRoom(s, take, func() error { return limit(unix.RLIM_INFINITY) }, sqlite3.ErrIoErr); err != nil {
		return err
	}
	return reopened(s)
}
