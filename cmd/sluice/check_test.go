package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCheck: each refused line with its place and reason, the totals, and the exit code.
func TestCheck(t *testing.T) {
	good := filepath.Join(t.TempDir(), "good.set")
	text := "# zones\nset security zones security-zone trust\n\nset security zones security-zone untrust tcp-rst ## note\n"
	if err := os.WriteFile(good, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		args  []string
		stdin string
		code  int
		out   []string
	}{
		{"good", []string{"--commit", good}, "", 0, []string{"2 accepted, 0 refused"}},
		{"stdin", []string{"-"}, "set security zons\nset system host-name a\n", 1, []string{"stdin:1: set security zons: ", "1 accepted, 1 refused"}},
		{"no commit checks", []string{"-"}, "set security policies from-zone a to-zone b policy p then permit\n", 0, []string{"1 accepted, 0 refused"}},
		{"commit checks", []string{"--commit", "-"}, "set security policies from-zone a to-zone b policy p then permit\n", 1, []string{"stdin:1: set security policies from-zone a"}},
		{"warnings", []string{"--commit", "-"}, "set security flow allow-dns-reply\n", 0, []string{
			"warning: stdin:1: set security flow allow-dns-reply: allow-dns-reply has no effect in this version\n", "1 accepted, 0 refused"}},
		{"interfaces that are not bound", []string{"--commit", "-"}, "set interfaces ge-0/0/0 unit 0 family inet address 192.0.2.1/24\n", 1, []string{
			"which Linux interface ge-0/0/0 is, is not said (set interfaces ge-0/0/0 device eth1)"}},
		{"two files", []string{good, "-"}, "set x\n", 1, []string{"stdin:1: set x", "2 accepted, 1 refused"}},
		{"no file", []string{filepath.Join(t.TempDir(), "none")}, "", 2, nil},
		{"nothing", nil, "", 2, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			code := checkMain(c.args, strings.NewReader(c.stdin), &out, &errs)
			if code != c.code {
				t.Errorf("exit code %d\n%s%s", code, &out, &errs)
			}
			for _, want := range c.out {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%q is not in\n%s", want, &out)
				}
			}
			if c.code == 2 && errs.Len() == 0 {
				t.Error("nothing says why")
			}
		})
	}
}
