package install

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// validationTime bounds the validation of a package.
const validationTime = 2 * time.Minute

// validationOutput bounds what is kept of what a validating process says, in bytes.
const validationOutput = 2000

// ValidateInChild validates an unpacked package in a process of its own, so that a package that
// crashes it, hangs it or eats its memory harms nobody. command is followed by the directory; none
// is this program's "sigpack validate".
func ValidateInChild(ctx context.Context, dir string, command ...string) error {
	if len(command) == 0 {
		command = []string{"/proc/self/exe", "sigpack", "validate"}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, validationTime, fmt.Errorf("validation took longer than %v", validationTime))
	defer cancel()
	child := exec.CommandContext(ctx, command[0], append(command[1:], dir)...)
	child.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	child.WaitDelay = time.Second
	said := &head{}
	child.Stdout, child.Stderr = said, said
	err := child.Run()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	if text := strings.TrimSpace(string(said.text)); text != "" {
		err = errors.Join(err, errors.New(text))
	}
	return fmt.Errorf("validation: %w", err)
}

// head keeps the beginning of what is written to it.
type head struct{ text []byte }

func (h *head) Write(p []byte) (int, error) {
	h.text = append(h.text, p[:min(len(p), validationOutput-len(h.text))]...)
	return len(p), nil
}
