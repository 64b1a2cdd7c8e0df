package validate

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// What a validation may use.
const (
	maxMemory     = 3 << 30 // bytes
	maxProcessing = 90      // seconds
)

// Confine bounds what this process may use from now on: memory, processor time, no core dump. What
// goes beyond kills it.
func Confine() error {
	for _, l := range []struct {
		name  string
		which int
		limit uint64
	}{
		{"memory", unix.RLIMIT_DATA, maxMemory},
		{"processor time", unix.RLIMIT_CPU, maxProcessing},
		{"core dumps", unix.RLIMIT_CORE, 0},
	} {
		if err := unix.Setrlimit(l.which, &unix.Rlimit{Cur: l.limit, Max: l.limit}); err != nil {
			return fmt.Errorf("limit of %s: %w", l.name, err)
		}
	}
	return nil
}
