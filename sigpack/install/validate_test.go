package install

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// AI-143, T-36: a package is validated by a process of its own; its end is the verdict.
func TestValidateInChild(t *testing.T) {
	sh := func(script string) error {
		return ValidateInChild(t.Context(), "DIR", "/bin/sh", "-c", script, "sh")
	}
	if err := sh(`test "$1" = DIR`); err != nil {
		t.Error(err)
	}
	for script, want := range map[string]string{
		"echo pattern is bad >&2; exit 1": "pattern is bad",
		"kill -SEGV $$":                   "segmentation fault",
		"kill -9 $$":                      "killed",
	} {
		if err := sh(script); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", script, err)
		}
	}
	if err := sh("yes | head -c 100000; exit 1"); err == nil || len(err.Error()) > 2*validationOutput {
		t.Errorf("a process that talks: %.100v", err)
	}
	if err := ValidateInChild(t.Context(), "DIR", filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a process that cannot be started")
	}
}

// A process that does not come to an end is ended, and so are those it has started.
func TestValidationHangs(t *testing.T) {
	pids := filepath.Join(t.TempDir(), "pid")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		for {
			if text, _ := os.ReadFile(pids); strings.HasSuffix(string(text), "\n") {
				cancel(context.DeadlineExceeded)
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	err := ValidateInChild(ctx, pids, "/bin/sh", "-c", `echo $$ > "$1"; exec tail -f /dev/null`, "sh")
	if err == nil || !strings.Contains(err.Error(), "deadline") {
		t.Errorf("error %v", err)
	}
	text, _ := os.ReadFile(pids)
	if _, err := os.Stat("/proc/" + strings.TrimSpace(string(text))); err == nil {
		t.Errorf("process %s is still there", text)
	}
}
