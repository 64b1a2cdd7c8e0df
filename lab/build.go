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

// Binary returns the path of one of the module's programs, building it where needed. The
// environment variable SLUICE_BIN names a ready gateway binary to use for "sluice" instead.
func Binary(name string) (string, error) {
	if ready := os.Getenv("SLUICE_BIN"); ready != "" && name == "sluice" {
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
	packages := map[string]string{"sluice": "./cmd/sluice", "labhost": "./lab/cmd/labhost"}
	if packages[name] == "" {
		return "", fmt.Errorf("the module has no program %q", name)
	}
	path := filepath.Join(root, "build", "lab", name)
	if err := buildLocked(root, packages[name], path); err != nil {
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
