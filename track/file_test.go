package track

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/coreos/go-systemd/v22/journal"

	"sluice/store/schema"
)

// fileConfig writes to a file in the log directory.
func fileConfig(name string) *schema.Config {
	cfg := &schema.Config{}
	cfg.Security.Log.Mode = "event"
	cfg.Security.Log.File = &schema.LogFile{Name: name, Size: 1, Files: 3}
	return cfg
}

// lines are the lines of a file; every line must be whole.
func lines(t *testing.T, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > 0 && data[len(data)-1] != '\n' {
		t.Errorf("%s ends in the middle of a line", path)
	}
	all := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	for _, line := range all {
		if !strings.HasPrefix(line, "<14>1 ") || !strings.HasSuffix(line, "]") {
			t.Fatalf("%s holds a broken line: %q", path, line)
		}
	}
	return all
}

// TestFileRotation keeps as many files as asked, none larger than asked, and no line in two.
func TestFileRotation(t *testing.T) {
	dir := t.TempDir()
	tracker := newTestTracker(t, Options{LogDir: dir})
	commit(t, tracker, fileConfig("security.log"))
	path := filepath.Join(dir, "security.log")
	written := uint64(0)
	for range 20 { // of more than 200 KB each: 4 MB into three files of 1 MB
		for range 200 {
			tracker.FlowClose(fullSession(), ReasonClientFIN)
		}
		written += 200
		eventually(t, "the records are written", func() bool { return outletNamed(t, tracker, "file").Sent == written })
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 3 {
		t.Fatalf("the directory holds %v (%v), want security.log, .0 and .1", entries, err)
	}
	for _, name := range []string{"", ".0", ".1"} {
		info, err := os.Stat(path + name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > 1<<20 || info.Mode().Perm() != 0o640 {
			t.Errorf("%s has %d bytes and mode %v", info.Name(), info.Size(), info.Mode())
		}
		lines(t, path+name)
	}
}

// TestFileMovedAway: a file that somebody took away is made anew.
func TestFileMovedAway(t *testing.T) {
	dir := t.TempDir()
	tracker := newTestTracker(t, Options{LogDir: dir})
	commit(t, tracker, fileConfig("security.log"))
	path := filepath.Join(dir, "security.log")
	tracker.FlowCreate(fullSession())
	eventually(t, "the first record is written", func() bool { return outletNamed(t, tracker, "file").Sent == 1 })
	if err := os.Rename(path, path+".taken"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the file is there again", func() bool {
		tracker.FlowCreate(fullSession())
		_, err := os.Stat(path)
		return err == nil
	})
}

// TestDiskFull: a full disk blocks nobody, is an alarm, leaves no torn line, and ends when there is room.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Fatalf("a small file system cannot be made (this test needs root): %v", err)
	}
	defer syscall.Unmount(dir, syscall.MNT_DETACH)
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, bytes.Repeat([]byte{'x'}, 48<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	tracker := newTestTracker(t, Options{LogDir: dir})
	commit(t, tracker, fileConfig("security.log"))
	full := func(a Alarm) bool { return strings.Contains(a.Text, "disk full") && a.Class == "Major" }
	eventually(t, "the disk is full, which is an alarm, and records are dropped", func() bool {
		for range 1000 {
			tracker.FlowClose(fullSession(), ReasonClientFIN)
		}
		return slices.ContainsFunc(tracker.Alarms(), full) && outletNamed(t, tracker, "file").Dropped > 0
	})
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	before := outletNamed(t, tracker, "file").Sent
	eventually(t, "writing goes on", func() bool { return outletNamed(t, tracker, "file").Sent > before })
	if err := tracker.Close(t.Context()); err != nil { // a line is in the file before it is whole
		t.Fatal(err)
	}
	lines(t, filepath.Join(dir, "security.log"))
}

// TestJournal writes to the systemd journal, or to a socket in its place where it does not run.
func TestJournal(t *testing.T) {
	if journal.Enabled() {
		t.Skip("a journal runs here; its contents are not this test's business")
	}
	tracker := newTestTracker(t, Options{})
	cfg := &schema.Config{}
	cfg.Security.Log = schema.Log{Mode: "event", Journal: true}
	commit(t, tracker, cfg)
	tracker.FlowDeny(fullSession(), DenyPolicy)
	eventually(t, "an absent journal is an alarm", func() bool {
		alarms := tracker.Alarms()
		return len(alarms) == 1 && strings.Contains(alarms[0].Text, "journal does not run")
	})

	const socket = "/run/systemd/journal/socket"
	for _, dir := range []string{"/run/systemd", "/run/systemd/journal"} {
		if os.Mkdir(dir, 0o755) == nil {
			defer os.Remove(dir)
		}
	}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(socket)
	defer conn.Close()
	buf := make([]byte, 8192)
	for { // other programs may log here meanwhile
		n, err := conn.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		got := string(buf[:n])
		if !strings.Contains(got, "SYSLOG_IDENTIFIER=RT_FLOW\n") {
			continue
		}
		for _, want := range []string{"PRIORITY=6\n", "SLUICE_TAG=RT_FLOW_SESSION_DENY\n", "SLUICE_POLICY=permit-web\n", "session denied 192.0.2.10/34880->"} {
			if !strings.Contains(got, want) {
				t.Errorf("%q is missing in %s", want, got)
			}
		}
		return
	}
}
