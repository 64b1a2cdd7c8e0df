package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/sigpack"
)

// sigpackRun runs a command of sluice sigpack that must succeed, and returns what it printed.
func sigpackRun(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := sigpackMain(args, &stdout, &stderr); code != 0 {
		t.Fatalf("%q: exit code %d: %s", args, code, &stderr)
	}
	return stdout.String()
}

const ownApps = `
application INTRANET
  title Intranet
  description The pages of the company.
  category Web
  sub-category Business
  risk 1
  hosts intranet.example.com
  number 1
`

// A feed of one's own is three commands away: keys, publish, serve.
func TestSigpackFeed(t *testing.T) {
	feed := filepath.Join(t.TempDir(), "feed")
	if said := sigpackRun(t, "keys", feed); !strings.Contains(said, "/metadata/1.root.json") {
		t.Errorf("keys said %q", said)
	}
	if said := sigpackRun(t, "publish", feed, "--version", "2000"); !strings.HasPrefix(said, "Version 2000 (Major) is published: ") {
		t.Errorf("publish said %q", said)
	}
	ctx, cancel := context.WithCancel(t.Context())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := &sigpackOptions{stdout: &bytes.Buffer{}, stderr: &bytes.Buffer{}}
	served := make(chan error, 1)
	go func() { served <- o.serve(ctx, o.repository(feed), listener) }()
	root, err := os.ReadFile(filepath.Join(feed, "metadata/1.root.json"))
	if err != nil {
		t.Fatal(err)
	}
	client := &sigpack.Client{URL: "http://" + listener.Addr().String(), Trust: sigpack.Trust{Root: root, Dir: t.TempDir()}}
	p, err := client.Fetch(t.Context(), 2000, filepath.Join(t.TempDir(), "new"))
	if err != nil {
		t.Fatal(err)
	}
	builtin, err := sigpack.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	if p.Counts != builtin.Counts {
		t.Errorf("%+v, not %+v", p.Counts, builtin.Counts)
	}
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// Packages are made of files of one's own, tried, archived and withdrawn.
func TestSigpackCommands(t *testing.T) {
	dir := t.TempDir()
	feed, own, file := filepath.Join(dir, "feed"), filepath.Join(dir, "own"), filepath.Join(dir, "package.tar.gz")
	if err := os.Mkdir(own, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(own, "own.apps"), []byte(ownApps), 0o644); err != nil {
		t.Fatal(err)
	}
	build := []string{"build", "--version", "7", "--from", own, "--date", "2026-11-22T12:00:00Z", "-o", file}
	sigpackRun(t, build...)
	first, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sigpackRun(t, build...)
	if again, _ := os.ReadFile(file); !bytes.Equal(first, again) {
		t.Error("the same input made other bytes")
	}
	if said := sigpackRun(t, "inspect", file); !strings.Contains(said, "Application package:      7 (Major)\nRelease date:             Sun Nov 22 12:00:00 2026 UTC\n") ||
		!strings.Contains(said, "  written by hand:        1, ") {
		t.Errorf("inspect said\n%s", said)
	}
	sigpackRun(t, "keys", "--keys", filepath.Join(dir, "safe"), feed)
	sigpackRun(t, "publish", "--keys", filepath.Join(dir, "safe"), feed, file)
	sigpackRun(t, "publish", "--keys", filepath.Join(dir, "safe"), feed, "--version", "8", "--minor", "7", "--from", own)
	sigpackRun(t, "keys", "--keys", filepath.Join(dir, "safe"), feed, "--rotate", "root")
	sigpackRun(t, "refresh", "--keys", filepath.Join(dir, "safe"), feed)
	archive := filepath.Join(dir, "8.tar.gz")
	sigpackRun(t, "archive", feed, "8", "-o", archive)
	root, err := os.ReadFile(filepath.Join(feed, "metadata/1.root.json"))
	if err != nil {
		t.Fatal(err)
	}
	trust := sigpack.Trust{Root: root, Dir: filepath.Join(dir, "trust")}
	if p, err := sigpack.OpenArchive(t.Context(), archive, trust, filepath.Join(dir, "new")); err != nil || p.Version != 8 || p.Kind != sigpack.Minor {
		t.Errorf("%+v %v", p, err)
	}
	if said := sigpackRun(t, "inspect", filepath.Join(dir, "new")); !strings.Contains(said, "Based on:                 7 (Major)\n") {
		t.Errorf("inspect said\n%s", said)
	}
	sigpackRun(t, "withdraw", "--keys", filepath.Join(dir, "safe"), feed, "8", "--reason", "it fails")
	var stderr bytes.Buffer
	if code := sigpackMain([]string{"archive", feed, "8", "-o", archive}, &stderr, &stderr); code != 1 || !strings.Contains(stderr.String(), "it fails") {
		t.Errorf("%d: %s", code, &stderr)
	}
	if said := sigpackRun(t, "inspect"); !strings.Contains(said, "  imported:               ") {
		t.Errorf("inspect said\n%s", said)
	}
}

// What is not understood is answered with the usage, what cannot be done with the reason.
func TestSigpackRefusals(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{nil, 2, "usage:"},
		{[]string{"unknown"}, 2, "usage:"},
		{[]string{"keys"}, 2, "usage:"},
		{[]string{"build", "--version", "1"}, 2, "usage:"},
		{[]string{"publish", dir}, 2, "usage:"},
		{[]string{"publish", dir, "x.tar.gz", "--version", "1"}, 2, "usage:"},
		{[]string{"serve", dir, "--cert", "x"}, 2, "usage:"},
		{[]string{"archive", dir, "1"}, 2, "usage:"},
		{[]string{"build", "--input", "help", "-o", "x"}, 2, "wappalyzer"},
		{[]string{"build", "--version", "0", "-o", filepath.Join(dir, "x")}, 1, "version 0"},
		{[]string{"build", "--version", "1", "--date", "today", "-o", filepath.Join(dir, "x")}, 1, "--date"},
		{[]string{"build", "--version", "1", "--from", dir, "-o", filepath.Join(dir, "x")}, 1, "found no application"},
		{[]string{"withdraw", dir, "one"}, 1, `version "one"`},
		{[]string{"withdraw", dir, "1"}, 1, "no repository is there"},
		{[]string{"refresh", dir}, 1, "no repository is there"},
		{[]string{"serve", dir, "--listen", "127.0.0.1:0"}, 1, "no repository is there"},
		{[]string{"inspect", filepath.Join(dir, "absent")}, 1, "no such file"},
	} {
		var stderr bytes.Buffer
		if code := sigpackMain(c.args, &bytes.Buffer{}, &stderr); code != c.code || !strings.Contains(stderr.String(), c.says) {
			t.Errorf("%q: exit code %d, not %d: %s", c.args, code, c.code, &stderr)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "x")); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}
