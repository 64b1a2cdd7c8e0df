package kernel

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
)

// dump runs one netlink listing, and again while the kernel says that the list changed
// underneath, because such a list may lack entries or have them twice.
func dump[T any](list func() ([]T, error)) ([]T, error) {
	const tries = 10
	var got []T
	var err error
	for range tries {
		if got, err = list(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	if err != nil {
		return got, fmt.Errorf("cannot list what the kernel has: %w", err)
	}
	return got, nil
}
