package install

import (
	"errors"
	"fmt"

	"sluice/sigpack"
)

// Want is what is to be downloaded. The zero value is the latest version.
type Want struct {
	// Version; 0: the latest.
	Version int
	// MinorOnly takes only versions that keep the protocol bundle that is installed.
	MinorOnly bool
}

// String is the version, or "(latest)".
func (w Want) String() string {
	if w.Version == 0 {
		return "(latest)"
	}
	return fmt.Sprint(w.Version)
}

// errUnsuitable says that there is no minor version for what is installed.
var errUnsuitable = notice("No suitable version available for this device, please re-try the download manually without minor")

// errEmpty says that a feed has nothing.
var errEmpty = errors.New("the download server has no application package")

// faultyError says that a version failed its installation before.
type faultyError struct{ version int }

func (e faultyError) Error() string {
	return fmt.Sprintf("Requested application package %d failed data plane validation. Please download another version", e.version)
}

// unavailableError says that a version is not on the feed, or was withdrawn.
type unavailableError struct{ version int }

func (e unavailableError) Error() string {
	return fmt.Sprintf("Requested application package %d is not available for download", e.version)
}

// choose finds the version that is wanted among those of a feed, the newest first.
func (r *record) choose(w Want, versions []sigpack.Version) (int, error) {
	if w.Version != 0 {
		if _, is := r.faulty(w.Version); is {
			return 0, faultyError{w.Version}
		}
	}
	for _, v := range versions {
		switch {
		case w.Version != 0 && v.Version != w.Version:
		case v.Withdrawn:
		case w.MinorOnly && !r.suits(v.Info):
		default:
			if _, is := r.faulty(v.Version); is {
				return 0, faultyError{v.Version}
			}
			return v.Version, nil
		}
	}
	switch {
	case w.MinorOnly:
		return 0, errUnsuitable
	case w.Version != 0:
		return 0, unavailableError{w.Version}
	}
	return 0, errEmpty
}

// chooseUpdate finds the version that a schedule should install, 0 when there is none: newer than
// what is installed and than what was rolled back by hand, and not one that failed before.
func (r *record) chooseUpdate(minorOnly bool, versions []sigpack.Version) (int, error) {
	installed := 0
	if r.Installed != nil {
		installed = r.Installed.Version
	}
	suitable := false
	for _, v := range versions {
		if v.Withdrawn || minorOnly && !r.suits(v.Info) {
			continue
		}
		suitable = true
		if _, is := r.faulty(v.Version); !is && v.Version > max(installed, r.Skip) {
			return v.Version, nil
		}
	}
	if minorOnly && !suitable {
		return 0, errUnsuitable
	}
	return 0, nil
}

// suits says whether a version keeps the protocol bundle that is installed.
func (r *record) suits(v sigpack.Info) bool {
	return v.Kind == sigpack.Minor && r.Installed != nil && v.Base == r.Installed.Base
}
