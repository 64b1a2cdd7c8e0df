package lab

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// programs are the module's programs that labs run: where their source is, and the environment
// variable that may name a ready binary to use instead.
var programs = map[string]struct{ source, variable string }{
	"sluice":  {"./cmd/sluice", "SLUICE_BIN"},
	"labhost": {"./lab/cmd/labhost", "SLUICE_LABHOST"},
}

// Binary returns the path of one of the module's programs ("sluice" or "labhost"), building it
// where needed. The environment variables SLUICE_BIN and SLUICE_LABHOST name ready binaries.
func Binary(name string) (string, error) {
	program, known := programs[name]
	if !known {
		return "", fmt.Errorf("the module has no program %q", name)
	}
	if ready := os.Getenv(program.variable); ready != "" {
		return ready, nil
	}
	root, err := Root()
	if err != nil {
		return "", err
	}
	builds.Lock()
	defer builds.Unlock()
	if path, ok := builds.done[name]; ok {
		return path, nil
	}
	path := filepath.Join(root, "build", "lab", name)
	if err := buildLocked(root, program.source, path); err != nil {
		return "", err
	}
	builds.done[name] = path
	return path, nil
}

// builds remembers which programs this process has brought up to date.
var builds = struct {
	sync.Mutex
	done map[string]string // program → path
}{done: map[string]string{}}

// buildLocked runs go build while no other process builds into the same directory.
func buildLocked(root, pkg, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return err
	}
	cmd := exec.Command("go", "build", "-o", path, pkg)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w: %s", pkg, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// Root is the directory of the module, found from the working directory upwards.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("no go.mod in the working directory or above it")
		}
		dir = parent
	}
}
